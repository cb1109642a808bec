#pragma once
// The mbarriers of one resident CTA as the chip's time sees them: arrivals and bytes come when the model says
// so, a phase is over when all of it has, and warps that wait for one are let go.

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <vector>

#include "timing/time.h"
#include "trace/trace.h"

namespace wanren::timing {

class PhaseTable {
 public:
  /// One entry of a trace record takes effect at `at`; waits and what copies owe do nothing here. True: a
  /// phase is over.
  bool apply(trace::PhaseOp op, std::uint32_t mbarrier, std::uint32_t value, Cycle at);
  bool arrive(std::uint32_t mbarrier, std::uint32_t count, Cycle at);
  bool take_bytes(std::uint32_t mbarrier, std::uint32_t bytes, Cycle at);
  /// When the mbarrier has completed `phases`; never: not yet.
  Cycle over(std::uint32_t mbarrier, std::uint32_t phases) const;

  /// `warp` waits for all entries of `record`, a wait; its words stay valid meanwhile.
  void wait(std::uint32_t warp, const std::uint64_t* record) {
    waiting_ |= std::uint64_t{1} << warp;
    waits_[warp] = record;
  }
  /// Lets go warps whose wait has ended, lowest first: go(warp, when; 0: it was over before it began).
  template <class Go>
  void release(Go&& go) {
    for (std::uint64_t left = waiting_; left; left &= left - 1) {
      const auto warp = static_cast<std::uint32_t>(std::countr_zero(left));
      const Cycle at = over(waits_[warp]);
      if (at == never) continue;
      waiting_ &= ~(std::uint64_t{1} << warp);
      go(warp, at);
    }
  }

 private:
  struct Object {
    std::uint32_t address = 0;
    std::uint32_t expected = 0, pending = 0, completed = 0;
    std::uint64_t early = 0;  ///< Arrivals of the phase to come.
    std::int64_t bytes = 0;
    Cycle latest = 0, over = 0;  ///< Of what has come for this phase; end of the last one.
  };
  Object& of(std::uint32_t address);
  static bool arrive(Object& o, std::uint64_t count);
  static bool complete(Object& o);
  Cycle over(const std::uint64_t* record) const;

  std::vector<Object> objects_;
  std::uint64_t waiting_ = 0;  ///< By warp number in the CTA.
  std::array<const std::uint64_t*, 64> waits_;
};

}  // namespace wanren::timing
