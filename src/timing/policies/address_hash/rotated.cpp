// Each round starts at a hashed place: ranges are balanced, power-of-two strides spread.

#include "timing/policies/hash.h"

namespace wanren::timing {

const AddressHash& address_hash::rotated() {
  static constexpr AddressHash policy{.turn = golden};
  return policy;
}

}  // namespace wanren::timing
