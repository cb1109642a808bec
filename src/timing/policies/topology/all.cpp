// Every pair is linked.

#include "timing/policies/topology.h"

namespace wanren::timing {

const Topology& topology::all() {
  static constexpr Topology policy{[](int, int, int) { return true; }};
  return policy;
}

}  // namespace wanren::timing
