#pragma once
// Plain runs: a grid from first to last CTA on the host's cores, without traces or time.

#include "engine/arena.h"
#include "engine/launch.h"
#include "trace/warp_source.h"

namespace wanren::engine {

/// Runs the grid and returns when it has ended. CTAs run in any order on up to `threads` host threads;
/// in ascending order on one thread where the kernel is order_sensitive. Where CTAs wait for each other
/// (back edges that spin, cooperative launches) as many are resident as the launch allows and take
/// turns on one thread, so the result is the same each time. Clock reads give a count of executed steps.
/// Of `some` of its CTAs, where any are named: of a grid without clusters whose CTAs do not wait for each
/// other.
Execution execute(const Launch& launch, Arena& arena, int threads,
                  std::span<const trace::CtaRange> some = {});

}  // namespace wanren::engine
