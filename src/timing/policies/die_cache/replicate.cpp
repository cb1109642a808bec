// L2 also keeps lines of other dies.

#include "timing/policies/copies.h"

namespace wanren::timing {

const DieCache& die_cache::replicate() {
  static constexpr DieCache policy{.keeps_copies = true};
  return policy;
}

}  // namespace wanren::timing
