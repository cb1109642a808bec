#pragma once
// What the engine asks of the host's memory: how much there is, and one page at two addresses.

#include <cstdint>

#include "support/result.h"

namespace wanren::engine {

/// MemAvailable, or less if a control group allows less.
std::uint64_t available_host_bytes();

/// Makes the pages [first, first + bytes) appear at `alias` too (which is replaced). Private memory moves
/// into shared pages of this process for as long as an alias lasts; another thread that writes there
/// meanwhile waits, but a system call that does fails with EFAULT. A child that is forked gets a copy, as it
/// would of private memory. Both addresses and bytes: page multiples. Errors: not mapped, not plain readable
/// and writable memory, or a stack; on error `alias` is left in any state.
Result<void> alias_pages(void* first, std::uint64_t bytes, void* alias);

/// Ends what alias_pages began, except that the caller unmaps the alias. Pages that no other alias covers are
/// private again, with their contents; what the program has unmapped since is left alone.
void release_pages(void* first, std::uint64_t bytes);

/// For the handler of a write that a page refused: true if the page was being moved and the write may be
/// repeated. Safe in signal handlers.
bool write_may_be_repeated(std::uint64_t address, std::uint64_t pc);

}  // namespace wanren::engine
