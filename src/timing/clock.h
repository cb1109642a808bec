#pragma once
// The core clock, and the map between its cycles and picoseconds: a straight line from the last change
// of clock on. Whole kilohertz, so that the map is exact integer arithmetic.

#include <cstdint>

#include "support/units.h"
#include "timing/time.h"

namespace wanren::timing {

class CoreClock {
 public:
  explicit CoreClock(double mhz) : khz_(to_khz(mhz)) {}

  double mhz() const { return static_cast<double>(khz_) * 1e-3; }
  /// When `cycle` begins; exact for cycles since the last change, else as if that clock had always run.
  Picoseconds at(Cycle cycle) const;
  /// The first cycle that begins at or after `time`.
  Cycle from(Picoseconds time) const;
  /// The last cycle that begins at or before `time`.
  Cycle upto(Picoseconds time) const { return from(Picoseconds(time.value + 1)) - 1; }
  /// Cycles that take at least `duration`.
  Cycle cycles_in(Picoseconds duration) const;
  /// Cycle `at` begins so much later: time passes in which no cycle is simulated.
  void pass(Cycle at, Picoseconds duration);
  Picoseconds duration_of(Cycle cycles) const;
  /// From cycle `at` on the clock is another.
  void change(Cycle at, double mhz);

 private:
  static std::int64_t to_khz(double mhz) { return static_cast<std::int64_t>(mhz * 1e3 + 0.5); }

  std::int64_t khz_;
  Cycle origin_cycle_ = 0;
  Picoseconds origin_;
};

}  // namespace wanren::timing
