#pragma once
// Which L2 partitions, beside the one where a line is at home, keep copies of it. Where some do, a partition
// looks for its copy before a read goes on to the line's home, keeps what comes back, and drops it when
// anybody writes.

#include "timing/policies/policies.h"

namespace wanren::timing {

/// Lines of the same die.
struct Replication {
  bool keeps_copies;
};

/// Lines of other dies; copies are good until the next kernel.
struct DieCache {
  bool keeps_copies;
};

}  // namespace wanren::timing
