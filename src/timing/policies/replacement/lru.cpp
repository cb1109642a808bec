// The line that was used least recently goes.

#include "timing/policies/replacement.h"

namespace wanren::timing {
namespace {

struct LeastRecent {
  static void found(auto order, int way) { order.to_front(way); }
  static void brought(auto order, int way) { order.to_front(way); }
  static int victim(auto order) { return order.last(); }
};

}  // namespace

const Replacement& replacement::lru() {
  static constexpr Replacement policy = replacement_by<LeastRecent>();
  return policy;
}

}  // namespace wanren::timing
