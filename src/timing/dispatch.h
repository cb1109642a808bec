#pragma once
// Which CTA goes where and when. Draws from all admitted grids, oldest first; a later grid fills what
// an earlier one leaves.

#include <cstdint>
#include <memory>
#include <vector>

#include "timing/unit.h"

namespace wanren::timing {

/// A grid's way through the dispatcher.
struct Launch {
  Grid grid;
  Cycle begin = 0;  ///< First CTA may start.
  std::uint64_t ctas = 0, started = 0, ended = 0;
  std::vector<std::uint64_t> next;  ///< By share: next CTA of it.
  std::vector<std::uint64_t> end;   ///< By share: one past its last.
  bool drained() const { return started == ended && (started == ctas || grid.source->failed()); }
};

class Dispatcher {
 public:
  Dispatcher(const Parameters& p, std::vector<std::unique_ptr<Unit>>& units);

  void admit(Launch* launch, Cycle now);
  void remove(const Launch* launch);
  /// Refills what units have freed since the last call.
  void refill(Cycle now);
  bool coupled() const;
  /// How far units may run alone. While CTAs wait for room, that is how soon one of them may start.
  Cycle quantum() const;
  const std::vector<Launch*>& launches() const { return launches_; }

 private:
  bool place(Launch& launch, int unit, Cycle now);
  void forget_before(Cycle now);
  int share_of(int unit) const { return p_.cta_order == CtaOrder::die_contiguous ? p_.die_of(unit) : 0; }

  const Parameters& p_;
  std::vector<std::unique_ptr<Unit>>& units_;
  std::vector<int> order_;                      ///< Units in round-robin order.
  std::vector<int> rank_;                       ///< By unit: its place in order_.
  std::vector<std::vector<Cycle>> slot_times_;  ///< By unit: when freed CTA slots can start again.
  std::vector<Launch*> launches_;
};

}  // namespace wanren::timing
