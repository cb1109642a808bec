#pragma once
// What the silicon of a chip costs, from the wafer down. Package, memory and board are not in it.

#include "chip/spec.h"

namespace wanren::cost {

struct Silicon {
  double dies_per_wafer = 0;  ///< Whole ones.
  double yield = 0;           ///< Share of good ones, 0..1.
  double die_usd = 0;         ///< One good die.
  double package_usd = 0;     ///< All dies of the package.
};

/// Dies per wafer: its area over the die's, less those that the edge cuts. Yield: negative binomial.
Silicon silicon(const chip::Spec& chip);

}  // namespace wanren::cost
