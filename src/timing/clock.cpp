#include "timing/clock.h"

#include <algorithm>
#include <cmath>

#include "timing/time.h"

namespace wanren::timing {

double fixed_share(const Counters& c, std::uint64_t load_cycles, std::uint64_t load_far_ticks) {
  if (c.warp_cycles == 0 || load_cycles == 0) return 0;
  const double waits = static_cast<double>(c.stall_cycles[static_cast<int>(Stall::long_scoreboard)]) /
                       static_cast<double>(c.warp_cycles);
  const double far = static_cast<double>(load_far_ticks) / one_cycle / static_cast<double>(load_cycles);
  return std::clamp(waits * far, 0.0, 1.0);
}

Settled settle(const ClockGovernor& governor, const Counters& counters, Picoseconds duration, double full_mhz,
               double lowest_mhz, double share) {
  Settled s{full_mhz, 1};
  if (duration.value <= 0) return s;
  for (int i = 0; i < 32; ++i) {
    const Picoseconds time(
        static_cast<std::int64_t>(std::llround(static_cast<double>(duration.value) * s.stretch)));
    const double wanted = std::clamp(governor.clock_mhz(counters, time, s.mhz), lowest_mhz, full_mhz);
    if (std::abs(wanted - s.mhz) < 0.01) break;
    // Half steps: the governor's answer supposes that time goes with the whole clock.
    s.mhz = 0.5 * (s.mhz + wanted);
    s.stretch = share + (1 - share) * full_mhz / s.mhz;
  }
  return s;
}

}  // namespace wanren::timing
