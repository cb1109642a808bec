// Each die is home to a contiguous share of memory as large as its own.

#include "timing/policies/data_placement.h"

namespace wanren::timing {

const DataPlacement& data_placement::die_contiguous() {
  using Sizes = DataPlacement::Sizes;
  static constexpr DataPlacement policy{
      [](std::uint32_t line, const Sizes& sizes) {
        const std::uint32_t block = sizes.capacity.quotient(line);
        const std::uint32_t round = sizes.dies.quotient(block);
        const std::uint32_t within = line - block * sizes.capacity.divisor();
        return DataPlacement::Place{sizes.dies.remainder(block), within + round * sizes.capacity.divisor()};
      },
      [](std::uint64_t lines, const Sizes&) { return lines; }};
  return policy;
}

}  // namespace wanren::timing
