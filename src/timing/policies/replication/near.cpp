// Far lines are also kept in the reader's partition.

#include "timing/policies/copies.h"

namespace wanren::timing {

const Replication& replication::near() {
  static constexpr Replication policy{.keeps_copies = true};
  return policy;
}

}  // namespace wanren::timing
