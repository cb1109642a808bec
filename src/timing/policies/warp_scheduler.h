#pragma once
// Which warp of a sub-core issues.

#include <algorithm>
#include <cstdint>
#include <vector>

#include "timing/pipes.h"
#include "timing/policies/policies.h"
#include "timing/time.h"

namespace wanren::timing {

/// What a pick sees of a sub-core: one array per property, by warp.
struct IssueSlots {
  std::vector<Cycle> ready;        ///< Operands there; never while unknown.
  std::vector<std::uint8_t> pipe;  ///< Of the next instruction.
  std::vector<std::uint64_t> age;  ///< Launch order.
  Pipes pipes;
  int last = 0;  ///< Who issued last.
  int top = 0;   ///< One past the last slot in use.
};

struct WarpScheduler {
  static constexpr int none = -1;
  /// Who issues at `now`, or `none`, and in `next` when somebody can.
  int (*pick)(const IssueSlots& slots, Cycle now, Cycle& next);
};

/// Of those that can issue, the warp whose Order::rank(slots, warp) is lowest; before them, where
/// Order::greedy, the one that issued last.
template <class Order>
int pick_lowest(const IssueSlots& slots, Cycle now, Cycle& next) {
  const Cycle* ready = slots.ready.data();
  const std::uint8_t* pipe = slots.pipe.data();
  const Cycle* pipe_free = slots.pipes.free();
  if constexpr (Order::greedy) {
    const int last = slots.last;
    if (std::max(ready[last], pipe_free[pipe[last]]) <= now) return last;
  }
  int best = WarpScheduler::none;
  std::uint64_t best_rank = ~std::uint64_t{0};
  Cycle soonest = never;
  for (int w = 0; w < slots.top; ++w) {
    const Cycle at = std::max(ready[w], pipe_free[pipe[w]]);
    soonest = std::min(soonest, at);
    if (at > now) continue;
    const std::uint64_t rank = Order::rank(slots, w);
    if (rank < best_rank) best_rank = rank, best = w;
  }
  next = soonest;
  return best;
}

}  // namespace wanren::timing
