// Each round starts at a hashed place: ranges are balanced, power-of-two strides spread.

#include "timing/policies/hash.h"

namespace wanren::timing {

const L1Hash& l1_hash::rotated() {
  static constexpr L1Hash policy{.turn = golden};
  return policy;
}

}  // namespace wanren::timing
