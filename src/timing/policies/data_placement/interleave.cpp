// Blocks of l2.die_interleave go round the dies.

#include "timing/policies/data_placement.h"

namespace wanren::timing {

const DataPlacement& data_placement::interleave() {
  using Sizes = DataPlacement::Sizes;
  static constexpr DataPlacement policy{
      [](std::uint32_t line, const Sizes& sizes) {
        const std::uint32_t block = sizes.interleave.quotient(line);
        std::uint32_t round;
        const std::uint32_t die = sizes.dealer.deal(block, sizes.dies, round);
        const std::uint32_t within = line - block * sizes.interleave.divisor();
        return DataPlacement::Place{die, round * sizes.interleave.divisor() + within};
      },
      [](std::uint64_t lines, const Sizes& sizes) {
        const std::uint64_t block = sizes.interleave.divisor(), dies = sizes.dies.divisor();
        const std::uint64_t blocks = (lines + block - 1) / block;
        return (blocks + dies - 1) / dies * block;
      }};
  return policy;
}

}  // namespace wanren::timing
