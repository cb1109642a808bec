#pragma once
// Which CTA of a grid goes to which unit.

#include <vector>

#include "timing/policies/policies.h"

namespace wanren::timing {

struct Parameters;

struct CtaSchedule {
  /// Units in the order in which CTAs go round them.
  std::vector<int> (*order)(const Parameters& p);
  /// A grid is cut into so many contiguous shares …
  int (*shares)(const Parameters& p);
  /// … and a unit takes CTAs of one of them.
  int (*share_of)(const Parameters& p, int unit);
};

/// Dies in turn, then clusters of a die, then units of a cluster. (round_robin.cpp)
std::vector<int> spread(const Parameters& p);

}  // namespace wanren::timing
