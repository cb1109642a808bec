#pragma once
// Which dies of a package have a link between them.

#include "timing/policies/policies.h"

namespace wanren::timing {

struct Topology {
  /// a != b
  bool (*linked)(int dies, int a, int b);
};

}  // namespace wanren::timing
