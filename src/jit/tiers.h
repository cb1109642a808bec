#pragma once
// Code that is quick to compile at first and gives way to the best while the program runs.

#include <memory>

#include "jit/compiled.h"

namespace wanren::jit {

/// Begins as `quick`. When that has run for about as long as compiling the best would take, one thread of the
/// process does so, and CTAs that begin afterwards run it. Both tiers come from the same IR: results, traces
/// and block counts are the same words.
std::shared_ptr<engine::KernelCode> tiered(std::shared_ptr<CompiledCode> quick, Wanted wanted);

/// Waits until nothing is left to compile in the background.
void finish_background();

}  // namespace wanren::jit
