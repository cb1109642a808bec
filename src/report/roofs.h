#pragma once
// The roofs that a chip file implies, and how close a launch came to each.

#include <string_view>
#include <vector>

#include "chip/spec.h"
#include "timing/device.h"

namespace wanren::report {

struct Roof {
  std::string_view name;
  double share;  ///< Achieved over roof, 0..1.
};

/// In no order. `seconds`: of the launch, not zero.
std::vector<Roof> roofs(const chip::Spec& chip, const timing::Timed& timed, double seconds);

/// part / whole; 0 where there is no whole.
inline double ratio(double part, double whole) {
  return whole > 0 ? part / whole : 0;
}

}  // namespace wanren::report
