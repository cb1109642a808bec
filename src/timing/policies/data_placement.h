#pragma once
// Which die of a package a line of memory is at home on.

#include <cstdint>

#include "timing/divider.h"
#include "timing/policies/policies.h"

namespace wanren::timing {

struct Parameters;

struct DataPlacement {
  struct Place {
    std::uint32_t die;
    std::uint32_t line;  ///< Its number within the die.
  };
  struct Sizes {
    Divider dies;
    Divider interleave, capacity;  ///< Of a die, in lines.
    Dealer dealer;
  };
  Place (*place)(std::uint32_t line, const Sizes& sizes);
  /// No line of a package of `lines` has a higher number within its die.
  std::uint64_t (*most)(std::uint64_t lines, const Sizes& sizes);
};

DataPlacement::Sizes placement_sizes(const Parameters& p);

}  // namespace wanren::timing
