// The warp that started last.

#include "timing/policies/warp_scheduler.h"

namespace wanren::timing {
namespace {

struct Youngest {
  static constexpr bool greedy = false;
  static std::uint64_t rank(const IssueSlots& slots, int warp) { return ~std::uint64_t{1} - slots.age[warp]; }
};

}  // namespace

const WarpScheduler& warp_scheduler::youngest() {
  static constexpr WarpScheduler policy{pick_lowest<Youngest>};
  return policy;
}

}  // namespace wanren::timing
