#pragma once
// Which line of an L2 set makes room for another. What a policy remembers of a set is an order of its ways.

#include <algorithm>
#include <bit>
#include <cstdint>

#include "timing/policies/policies.h"

namespace wanren::timing {

/// Up to 16 ways: nibble i is the way of rank i.
struct PackedOrder {
  static constexpr std::uint64_t identity = 0xfedcba9876543210u;

  std::uint64_t& ranks;
  int ways;

  int last() const { return static_cast<int>(ranks >> 4 * (ways - 1) & 15); }
  void to_front(int way) const {
    const std::uint64_t order = ranks;
    if ((order & 15) == static_cast<std::uint64_t>(way)) return;
    // Rank of the way: the zero nibble of order ^ repeated way.
    const std::uint64_t x = order ^ 0x1111111111111111u * static_cast<std::uint64_t>(way);
    const std::uint64_t zero = (x - 0x1111111111111111u) & ~x & 0x8888888888888888u;
    const int shift = std::countr_zero(zero) & ~3;
    const std::uint64_t below = order & ((std::uint64_t{1} << shift) - 1);
    const std::uint64_t above = shift == 60 ? 0 : order >> (shift + 4) << (shift + 4);
    ranks = above | below << 4 | static_cast<std::uint64_t>(way);
  }
};

/// Up to 256 ways: byte i is the way of rank i.
struct WideOrder {
  std::uint8_t* ranks;
  std::size_t ways;

  int last() const { return ranks[ways - 1]; }
  void to_front(int way) const {
    std::uint8_t* const at = std::find(ranks, ranks + ways, static_cast<std::uint8_t>(way));
    std::rotate(ranks, at, at + 1);
  }
};

template <class Order>
struct ReplacementIn {
  /// A line was found in the way, or has been brought there.
  void (*found)(Order order, int way);
  void (*brought)(Order order, int way);
  int (*victim)(Order order);
};

struct Replacement {
  ReplacementIn<PackedOrder> packed;
  ReplacementIn<WideOrder> wide;
};

/// The policy whose static found(), brought() and victim() take any kind of order.
template <class Policy>
constexpr Replacement replacement_by() {
  return {{Policy::found, Policy::brought, Policy::victim}, {Policy::found, Policy::brought, Policy::victim}};
}

}  // namespace wanren::timing
