// Each die takes a contiguous share of the grid.

#include "timing/parameters.h"
#include "timing/policies/cta_schedule.h"

namespace wanren::timing {

const CtaSchedule& cta_schedule::die_contiguous() {
  static constexpr CtaSchedule policy{spread, [](const Parameters& p) { return p.dies; },
                                      [](const Parameters& p, int unit) { return p.die_of(unit); }};
  return policy;
}

}  // namespace wanren::timing
