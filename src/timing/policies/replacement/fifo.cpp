// The line that was brought first goes, however often it was used.

#include "timing/policies/replacement.h"

namespace wanren::timing {
namespace {

struct FirstIn {
  static void found(auto /*order*/, int /*way*/) {}
  static void brought(auto order, int way) { order.to_front(way); }
  static int victim(auto order) { return order.last(); }
};

}  // namespace

const Replacement& replacement::fifo() {
  static constexpr Replacement policy = replacement_by<FirstIn>();
  return policy;
}

}  // namespace wanren::timing
