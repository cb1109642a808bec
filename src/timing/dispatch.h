#pragma once
// Which CTA goes where and when. Draws from all admitted grids, oldest first; a later grid fills what
// an earlier one leaves. Keeps its own account of the room on each unit, in order of time, so that it does
// not matter when it hears of a CTA that has ended.

#include <cstdint>
#include <tuple>
#include <vector>

#include "timing/units.h"

namespace wanren::timing {

/// A grid's way through the dispatcher.
struct Launch {
  Grid grid;
  std::uint64_t ctas = 0, started = 0, ended = 0;
  std::vector<std::uint64_t> next;  ///< By share: next CTA, or cluster of several, of it.
  std::vector<std::uint64_t> end;   ///< By share: one past its last.
  std::vector<int> resident;        ///< By unit.
  bool drained() const { return started == ended && (started == ctas || grid.source->failed()); }
};

class Dispatcher {
 public:
  Dispatcher(const Parameters& p, Units& units);

  void admit(Launch* launch, Cycle now);
  void remove(const Launch* launch);
  /// Refills what units have freed before `now`.
  void refill(Cycle now);
  /// The next `ctas` CTAs that have not begun, of each share its part.
  std::vector<trace::CtaRange> following(const Launch& launch, std::uint64_t ctas) const;
  /// They are over.
  void pass_over(Launch& launch, std::uint64_t ctas);
  /// Some live grid must be pulled in order of time; then all are, since any of them may write what it reads.
  bool ordered() const;
  /// When room is freed that a CTA waits for; `never` if nothing is known of any.
  Cycle next_event() const;
  /// How far units may run alone. While CTAs wait for room, that is how soon one of them may start.
  Cycle quantum() const;
  const std::vector<Launch*>& launches() const { return launches_; }

 private:
  bool waiting() const;
  void fill_until(Cycle now);
  /// What CTAs take of a unit.
  struct Room {
    int ctas = 0, warps = 0;
    std::uint32_t shared = 0, registers = 0;
  };
  struct Ended {
    Cycle at;
    int rank, unit;
    std::uint64_t serial;  ///< Of the grid.
    Room room;
    auto key() const { return std::tuple(at, rank, serial); }
  };
  static Room room_of(const Grid& grid) {
    return {1, static_cast<int>(grid.warps_per_cta), grid.shared_bytes, grid.register_count};
  }
  bool fits(const Launch& launch, int unit) const;
  /// At `now` a CTA may start, or a cluster of CTAs, which the unit can from again_ on.
  bool place(Launch& launch, int unit, Cycle now);
  bool place_cluster(Launch& launch, int unit, Cycle now);
  /// When the dispatcher has dealt it out.
  Cycle deal(Cycle now) { return cycle_from(deals_.take(start_of(now), p_.cta_start)); }
  void take(Launch& launch, int unit);
  void give(Launch& launch, int unit);

  const Parameters& p_;
  Units& units_;
  std::vector<int> order_;    ///< Units as the policy goes round them.
  std::vector<int> rank_;     ///< By unit: its place in order_.
  std::vector<Room> taken_;   ///< By unit.
  std::vector<Cycle> again_;  ///< By unit: when the CTA slot that was freed last can start again.
  Port deals_;                ///< One CTA after the other.
  std::vector<Ended> ended_;  ///< In order; not yet refilled.
  std::vector<Launch*> launches_;
};

}  // namespace wanren::timing
