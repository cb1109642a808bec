#pragma once
// Where the rounds start in which successive lines go round the sets of L1, and round the slices, sets,
// partitions, channels and banks behind it.

#include <cstdint>

#include "timing/policies/policies.h"

namespace wanren::timing {

struct L1Hash {
  std::uint32_t turn;  ///< As Dealer's.
};

struct AddressHash {
  std::uint32_t turn;
};

/// 2^32 by the golden ratio: multiples of it are spread as evenly as can be.
inline constexpr std::uint32_t golden = 0x9e3779b1u;

}  // namespace wanren::timing
