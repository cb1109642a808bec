#pragma once
// Finding the thread behind a fault of compiled code, which knows only the warp.

#include "engine/arena.h"
#include "engine/launch.h"

namespace wanren::engine {

/// Runs the CTA that failed once more, in the interpreter, and takes thread and address from there if the
/// same warp fails at the same instruction. Device memory holds nothing of value after a fault, so
/// what the CTA writes again does no harm; it prints nothing. Gives up after a second. The thread stays
/// unknown where another CTA's writes had led to the fault.
void find_thread(const Launch& launch, Arena& arena, FaultReport& report);

}  // namespace wanren::engine
