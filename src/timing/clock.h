#pragma once
// The clock under a power cap. A kernel is timed at the full clock. At a lower one its core cycles
// stay, so that part of its time grows with 1/clock; the part that warps wait for DRAM and die links
// is given in nanoseconds and stays. That share is taken from the kernel's own stalls: waits for
// global memory over residency, times what of those loads' latency DRAM and links took.

#include "timing/device.h"

namespace wanren::timing {

struct Settled {
  double mhz = 0;
  double stretch = 1;  ///< Time at that clock over time at the full one.
};

/// Fixed point of clock and time. `fixed_share`: share of time that does not depend on the clock.
Settled settle(const ClockGovernor& governor, const Counters& counters, Picoseconds duration, double full_mhz,
               double lowest_mhz, double fixed_share);

/// Share of a kernel's time that memory with its own clock takes.
double fixed_share(const Counters& counters, std::uint64_t load_cycles, std::uint64_t load_far_ticks);

}  // namespace wanren::timing
