#pragma once
// Where threads' local memory and spill space lie in L1.

#include <span>

#include "timing/coalesce.h"
#include "timing/decoded.h"

namespace wanren::timing {

/// What an access touches. `warp`: slot of the warp, of all on the chip. A record of a spill has only a mask.
void local_footprint(const trace::Record& record, const DecodedInst& inst, const Decoded& program,
                     std::span<const simt::LanePattern> patterns, int warp, const Parameters& p,
                     Footprint& out);

}  // namespace wanren::timing
