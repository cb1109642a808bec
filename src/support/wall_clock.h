#pragma once
// Real host time, unaffected by a modelled host clock that `wanren run` may have put under the program.

#include <chrono>

namespace wanren {

/// Seconds since an arbitrary fixed moment.
double wall_seconds();

/// The same as a clock for std::chrono. Our own code must not ask std::chrono's clocks: under a modelled host
/// clock they lie, and each question counts as the program's.
struct WallClock {
  using duration = std::chrono::nanoseconds;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<WallClock>;
  static constexpr bool is_steady = true;
  static time_point now() noexcept;
};

}  // namespace wanren
