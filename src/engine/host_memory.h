#pragma once
// What the engine asks of the host's memory: how much there is, and one page at two addresses.

#include <cstdint>

#include "support/result.h"

namespace wanren::engine {

/// MemAvailable, or less if a control group allows less.
std::uint64_t available_host_bytes();

/// Makes the pages [first, first + bytes) appear at `alias` too (which is replaced). Private memory is
/// copied into shared pages that take its place. Both addresses and bytes: page multiples.
/// Errors: not mapped, not readable and writable, or a stack.
Result<void> alias_pages(void* first, std::uint64_t bytes, void* alias);

}  // namespace wanren::engine
