#pragma once
// In which order a DRAM channel serves its requests, told as when each has the bus.

#include "timing/policies/policies.h"
#include "timing/time.h"

namespace wanren::timing {

struct DramBank {
  std::uint32_t row = ~0u, previous = ~0u;
  Tick opened = -(Tick{1} << 60);  ///< Activation of `row`.
  Tick ready = 0;                  ///< `row` gives data from then; `previous` was served before.
};

struct DramTicks {
  Tick access, row_open, row_cycle, turnaround;
};

struct DramTiming {
  Tick data = 0;  ///< When the data is at the controller (reads).
  bool row_hit = false;
};

struct DramScheduler {
  /// One access to `row` of `bank`. `at`: when the controller gets it; requests come in time order.
  DramTiming (*serve)(const DramTicks& ticks, Port& bus, DramBank& bank, std::uint32_t row, Tick at);
};

}  // namespace wanren::timing
