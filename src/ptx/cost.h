#pragma once
// What an opcode costs on a modelled chip, as far as ptx/opcodes.def says it.

#include <cstdint>

#include "ptx/module.h"

namespace wanren::ptx {

/// `count` machine instructions in a row, the first with all sources, 32 bits each. Where nobody publishes
/// how many a chip takes, the count is assumed.
struct Cost {
  enum class Kind : std::uint8_t {
    own,  ///< src/lower has a recipe.
    alu,
    mul,
  } kind = Kind::own;
  std::uint8_t count = 0;
};
Cost cost(Opcode opcode);

}  // namespace wanren::ptx
