#pragma once
// Time in the simulation. Sub-cores count whole core cycles since the device was made; everything behind the
// L1 counts ticks of 1/4096 cycle, so that 32 bytes on a 5120 B/cycle port or a DRAM burst in
// nanoseconds round by less than 0.02 %.

#include <cstdint>

namespace wanren::timing {

using Cycle = std::int64_t;
using Tick = std::int64_t;

inline constexpr int tick_bits = 12;
inline constexpr Tick one_cycle = Tick{1} << tick_bits;
inline constexpr Cycle never = Cycle{1} << 48;

constexpr Tick to_ticks(double cycles) {
  return static_cast<Tick>(cycles * one_cycle + 0.5);
}
constexpr Tick start_of(Cycle cycle) {
  return cycle << tick_bits;
}
/// First cycle that begins at or after `tick`.
constexpr Cycle cycle_from(Tick tick) {
  return (tick + one_cycle - 1) >> tick_bits;
}

/// A moment after `now` in the ticks of a clock that is `ratio` times as fast from `now` on.
inline Tick rescaled(Tick at, Tick now, double ratio) {
  return at <= now ? at : now + static_cast<Tick>(static_cast<double>(at - now) * ratio + 0.5);
}

/// Something that serves one customer after the other: a bus, a link, a cache port.
struct Port {
  Tick free = 0;
  /// Returns when service begins; the port is taken for `service` ticks from then.
  Tick take(Tick at, Tick service) {
    const Tick begin = at > free ? at : free;
    free = begin + service;
    return begin;
  }
};

}  // namespace wanren::timing
