#pragma once
// From what a launch did to what the report says of it: rates, shares of the chip's roofs, what limits it.

#include "report/record.h"

namespace wanren::chip {
struct Spec;
}
namespace wanren::timing {
struct Timed;
}
namespace wanren::energy {
struct Breakdown;
}

namespace wanren::report {

/// Fills in everything of the record that follows from the counters.
void analyse(const chip::Spec& chip, const timing::Timed& timed, const energy::Breakdown& energy,
             KernelRecord& record);

}  // namespace wanren::report
