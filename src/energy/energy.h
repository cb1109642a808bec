#pragma once
// Counters to joules: events times energy per event, plus the board's active idle power for the time
// taken. And the clock that a power budget allows.

#include <array>
#include <span>
#include <string>
#include <string_view>

#include "chip/spec.h"
#include "support/units.h"
#include "timing/counters.h"
#include "timing/device.h"

namespace wanren::energy {

/// Where the energy of one grid went, in joules. energy_j is the sum of all parts.
struct Breakdown {
  double idle_j = 0;         ///< Active idle power of the board over the duration.
  double instruction_j = 0;  ///< Fetch, decode, scheduling and operands of every issue slot.
  double fp32_j = 0, fp16_j = 0, fp64_j = 0, integer_j = 0, sfu_j = 0;
  double tensor_j = 0;
  double l1_j = 0, shared_j = 0, l2_j = 0;
  double hbm_j = 0, d2d_j = 0, link_j = 0, pcie_j = 0;
  double energy_j = 0;
  double average_power_w = 0;  ///< energy_j over the duration; 0 for no duration.

  struct Part {
    std::string_view name;
    double joules;
  };
  /// Adds work that came before or after; the power is left to whoever knows the time of all.
  void add(const Breakdown& other);
  /// The parts by name, in the order above, for reports.
  std::array<Part, 15> parts() const;
};

/// The same over the phases of a kernel that ran at several clocks.
Breakdown estimate(const chip::Spec& chip, std::span<const timing::Phase> phases);

/// Energy of work with these counters that took `duration` at `clock_mhz`. Energy of events in the core's
/// clock domain goes with (clock_mhz / chip.clock.core) ^ power.voltage_exponent; DRAM and links have
/// clocks of their own.
Breakdown estimate(const chip::Spec& chip, const timing::Counters& counters, Picoseconds duration,
                   double clock_mhz);

/// No part has energy without events counted, and the parts are all there is. The first broken rule,
/// or empty.
std::string verify(const timing::Counters& counters, Picoseconds duration, const Breakdown& breakdown);

/// Lowers the clock until the board's power stays within power.board_limit.
class Governor : public timing::ClockGovernor {
 public:
  explicit Governor(const chip::Spec& chip) : chip_(chip) {}

  /// Highest clock in [clock.core_min, clock.core] at which the work meets the limit; core_min if none
  /// does. Time is taken as DRAM transfer time, which does not depend on the core clock, plus a rest that
  /// goes with 1/clock.
  double clock_mhz(const timing::Counters& counters, Picoseconds duration, double mhz) const override;

  /// Board power that this model predicts at clock `f` for work that took `duration` at `mhz`.
  double power_w(const timing::Counters& counters, Picoseconds duration, double mhz, double f) const;

 private:
  chip::Spec chip_;
};

}  // namespace wanren::energy
