// Greedy, then oldest.

#include "timing/policies/warp_scheduler.h"

namespace wanren::timing {
namespace {

struct Oldest {
  static constexpr bool greedy = true;
  static std::uint64_t rank(const IssueSlots& slots, int warp) { return slots.age[warp]; }
};

}  // namespace

const WarpScheduler& warp_scheduler::gto() {
  static constexpr WarpScheduler policy{pick_lowest<Oldest>};
  return policy;
}

}  // namespace wanren::timing
