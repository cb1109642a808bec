// Loose round robin: the next warp after the one that issued last.

#include "timing/policies/warp_scheduler.h"

namespace wanren::timing {
namespace {

struct NextInTurn {
  static constexpr bool greedy = false;
  static std::uint64_t rank(const IssueSlots& slots, int warp) {
    const int n = static_cast<int>(slots.ready.size());
    return static_cast<std::uint64_t>((warp - slots.last - 1 + n) % n);
  }
};

}  // namespace

const WarpScheduler& warp_scheduler::lrr() {
  static constexpr WarpScheduler policy{pick_lowest<NextInTurn>};
  return policy;
}

}  // namespace wanren::timing
