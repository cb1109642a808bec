#include "timing/clock.h"

#include "support/result.h"

namespace wanren::timing {
namespace {

__extension__ using Wide = __int128;
constexpr std::int64_t khz_ps = 1'000'000'000;  ///< One kilohertz times one picosecond is 1e-9 cycles.

std::int64_t floor_divide(Wide a, std::int64_t b) {
  Wide q = a / b;
  if (a % b < 0) --q;
  return static_cast<std::int64_t>(q);
}

}  // namespace

Picoseconds CoreClock::at(Cycle cycle) const {
  return Picoseconds(origin_.value + floor_divide(Wide{cycle - origin_cycle_} * khz_ps, khz_));
}

// at() rounds down, so that the first cycle at or after at(c) is c itself.
Cycle CoreClock::from(Picoseconds time) const {
  return origin_cycle_ - floor_divide(-Wide{time.value - origin_.value} * khz_, khz_ps);
}

Cycle CoreClock::cycles_in(Picoseconds duration) const {
  return -floor_divide(-Wide{duration.value} * khz_, khz_ps);
}

Picoseconds CoreClock::duration_of(Cycle cycles) const {
  return Picoseconds(floor_divide(Wide{cycles} * khz_ps, khz_));
}

void CoreClock::pass(Cycle at_cycle, Picoseconds duration) {
  WR_CHECK(at_cycle >= origin_cycle_ && duration.value >= 0);
  origin_ = at(at_cycle) + duration;
  origin_cycle_ = at_cycle;
}

void CoreClock::change(Cycle at_cycle, double mhz) {
  WR_CHECK(at_cycle >= origin_cycle_ && mhz > 0);
  origin_ = at(at_cycle);
  origin_cycle_ = at_cycle;
  khz_ = to_khz(mhz);
}

}  // namespace wanren::timing
