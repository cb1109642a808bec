// Lines live in their home partition only.

#include "timing/policies/copies.h"

namespace wanren::timing {

const Replication& replication::home() {
  static constexpr Replication policy{.keeps_copies = false};
  return policy;
}

}  // namespace wanren::timing
