#pragma once
// What holds of every timed grid, whatever ran: nothing is lost between the levels of the memory system,
// every resident cycle of a warp has one reason, nothing is faster than the chip, and what issued is what was
// executed.

#include <span>
#include <string>

#include "chip/spec.h"
#include "lower/program.h"
#include "simt/warp_context.h"
#include "timing/device.h"

namespace wanren::timing {

/// The first broken invariant, in words, or empty. `executed`: the engine's counts, by block. For a grid that
/// ran to its end.
std::string verify(const chip::Spec& chip, const lower::MachineProgram& program,
                   std::span<const simt::BlockCount> executed, const Timed& timed);

}  // namespace wanren::timing
