#pragma once
// The 64 bits of an mbarrier object, which is opaque to programs. PTX ISA 9.7.13.15: a phase is over once its
// arrivals and the bytes of its transactions have come.

#include <cstdint>

namespace wanren::interp {

struct Mbarrier {
  static constexpr std::uint32_t most_arrivals = (1u << 20) - 1;
  static constexpr std::int32_t most_bytes = (1 << 20) - 1;

  std::uint32_t pending = 0;   ///< Arrivals that the phase still waits for.
  std::uint32_t expected = 0;  ///< Arrivals of the next phase.
  std::int32_t bytes = 0;      ///< Expected and not yet come; may be ahead of what is expected.
  std::uint32_t phase = 0;     ///< Number of the phase; parity is its last bit.

  static constexpr Mbarrier from(std::uint64_t word) {
    Mbarrier b;
    b.pending = static_cast<std::uint32_t>(word & most_arrivals);
    b.expected = static_cast<std::uint32_t>(word >> 20 & most_arrivals);
    b.bytes = static_cast<std::int32_t>(static_cast<std::int64_t>(word << 3) >> 43);
    b.phase = static_cast<std::uint32_t>(word >> 61);
    return b;
  }
  constexpr std::uint64_t word() const {
    return pending | std::uint64_t{expected} << 20 |
           (static_cast<std::uint64_t>(static_cast<std::int64_t>(bytes)) & 0x1fffff) << 40 |
           std::uint64_t{phase & 7} << 61;
  }

  /// False: more arrivals than the phase waits for.
  constexpr bool arrive(std::uint32_t count) {
    if (count > pending) return false;
    pending -= count;
    return true;
  }
  /// Begins the next phase if this one is over.
  constexpr bool complete() {
    if (pending != 0 || bytes != 0) return false;
    pending = expected;
    phase = (phase + 1) & 7;
    return true;
  }
};

}  // namespace wanren::interp
