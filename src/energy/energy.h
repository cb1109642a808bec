#pragma once
// Joules from what the timing model counted, and the clock that a board's power limit allows.

#include <string_view>
#include <utility>
#include <vector>

#include "chip/spec.h"
#include "support/units.h"
#include "timing/counters.h"
#include "timing/device.h"

namespace wanren::energy {

/// Energy of one piece of work, joules by component. energy_j is their sum.
struct Breakdown {
  double instructions_j = 0;  ///< Fetch, decode, schedule, operands
  double fp_j = 0;            ///< FP16, FP32, FP64 vector arithmetic
  double integer_j = 0;
  double special_j = 0;
  double tensor_j = 0;
  double l1_j = 0;
  double shared_j = 0;
  double l2_j = 0;
  double hbm_j = 0;
  double d2d_j = 0;
  double pcie_j = 0;
  double idle_j = 0;  ///< Board power with clocks up and nothing running, over the duration
  double energy_j = 0;
  double average_power_w = 0;

  /// Name and joules of every component, in the order above.
  std::vector<std::pair<std::string_view, double>> parts() const;
};

/// Σ events × energy per event + active idle power × duration. On-chip events cost
/// (clock_mhz / core)^voltage_exponent of their nominal energy; DRAM and links do not scale.
Breakdown estimate(const chip::Spec& chip, const timing::Counters& counters, Picoseconds duration,
                   double clock_mhz);

/// Lowers the clock until the board's limit holds.
class Governor : public timing::ClockGovernor {
 public:
  explicit Governor(const chip::Spec& chip) : chip_(chip) {}

  /// The highest clock between core_min and `mhz` at which average power stays within the board's limit.
  /// Simplification: the share of the time in which DRAM pins are busy does not stretch with the core's
  /// period, the rest does.
  double clock_mhz(const timing::Counters& counters, Picoseconds duration, double mhz) const override;

 private:
  chip::Spec chip_;
};

}  // namespace wanren::energy
