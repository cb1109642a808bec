// L2 caches only its own die's addresses.

#include "timing/policies/copies.h"

namespace wanren::timing {

const DieCache& die_cache::home() {
  static constexpr DieCache policy{.keeps_copies = false};
  return policy;
}

}  // namespace wanren::timing
