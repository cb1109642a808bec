#include "timing/unit.h"

#include <algorithm>

#include "support/result.h"

namespace wanren::timing {

Unit::Unit(const Parameters& p, const CoreClock& clock, int number)
    : p_(p), clock_(clock), number_(number), subs_(p.subcores, SubCore(p)), ctas_(p.max_ctas) {}

void Unit::begin_grid(const Grid& grid) {
  if (grid.slot >= counters_.size()) counters_.resize(grid.slot + 1);
  UnitCounters& c = counters_[grid.slot];
  c = UnitCounters{};
  c.block_runs.assign(grid.program->blocks.size(), 0);
  c.block_lanes.assign(grid.program->blocks.size(), 0);
  c.fetched.assign(grid.program->code_lines, 0);
  if (grid.profiled) c.profile.resize(grid.program->insts.size());
  load_store_.invalidate();
  for (SubCore& sub : subs_) sub.fit(grid.program->scoreboard, grid.program->most_slots);
}

void Unit::end_grid(std::uint16_t slot) {
  counters_[slot] = UnitCounters{};
}

void Unit::send_cta(const Grid& grid, std::uint64_t linear, Cycle at) {
  auto before = arrivals_.end();
  while (before != arrivals_.begin() && before[-1].at > at) --before;
  arrivals_.insert(before, {&grid, linear, at});
  next_event_ = std::min(next_event_, at);
}

void Unit::begin_cta(const Grid& grid, std::uint64_t linear, Cycle at) {
  // The carve-out is settled while the unit is empty: what full occupancy of this grid leaves.
  if (ctas_resident_ == 0 && load_store_.idle())
    load_store_.leave_l1(static_cast<int>(grid.shared_bytes) * std::max(1, grid.ctas_per_unit));
  std::uint16_t index = 0;
  while (index < ctas_.size() && ctas_[index].grid) ++index;
  WR_CHECK(index < ctas_.size());
  Cta& cta = ctas_[index];
  cta = Cta{};
  cta.grid = &grid;
  cta.handle = grid.source->begin_cta(linear, static_cast<std::uint32_t>(number_));
  cta.live = grid.warps_per_cta;
  cta.born = ages_;
  cta.place_in_cluster = grid.source->place_of(linear);
  if (grid.meets) {
    ClusterMessage m = message_of(cta, ClusterMessage::Kind::begin, at);
    m.cta = index;
    m.count = grid.warps_per_cta | grid.ctas_per_cluster << 16;
    messages_.push_back(m);
  }
  WR_CHECK(grid.warps_per_cta <= cta.place.size());
  ++ctas_resident_;
  UnitCounters& c = counters_[grid.slot];
  if (c.resident++ == 0) c.active_since = at;
  ++c.ctas;
  // All places first: a warp may exit at once and look at its CTA.
  for (std::uint32_t n = 0; n < grid.warps_per_cta; ++n) {
    int s = 0;
    for (int other = 1; other < p_.subcores; ++other)
      if (subs_[other].resident() < subs_[s].resident()) s = other;
    const int w = subs_[s].begin_warp(ages_);
    bulk_.begin_warp(slot_of(s, w), ages_++);
    cta.place[n] = static_cast<std::uint16_t>(s << 8 | w);
    Warp& warp = subs_[s].warp(w);
    warp.cta = index;
    warp.number = static_cast<std::uint16_t>(n);
    warp.launched = warp.resume = at;
  }
  const std::array<std::uint16_t, 64> place = cta.place;
  for (std::uint32_t n = 0; n < grid.warps_per_cta; ++n)
    start_block(place[n] >> 8, place[n] & 0xff, at, stamp(at, Stall::wait));
}

void Unit::receive(std::span<const Reply> replies) {
  inbox_.erase(inbox_.begin(), inbox_.begin() + static_cast<std::ptrdiff_t>(inbox_head_));
  inbox_head_ = 0;
  // Replies come nearly in time order; of equals the first to come stays first.
  for (const Reply& r : replies) {
    std::size_t at = inbox_.size();
    inbox_.push_back(r);
    for (; at > 0 && inbox_[at - 1].arrives > r.arrives; --at) inbox_[at] = inbox_[at - 1];
    inbox_[at] = r;
  }
  next_event_ = earliest_event();
}

Cycle Unit::earliest_event() const {
  Cycle next = inbox_head_ == inbox_.size() ? never : cycle_from(inbox_[inbox_head_].arrives);
  if (!arrivals_.empty()) next = std::min(next, arrivals_.front().at);
  if (!news_.empty()) next = std::min(next, news_.front().at);
  next = std::min(next, bulk_.next());
  for (const SubCore& sub : subs_) next = std::min(next, sub.next());
  return next;
}

void Unit::advance(Cycle end, Workspace& workspace, bool ordered) {
  workspace_ = &workspace;
  ordered_ = ordered;
  prefetch_replies();
  for (;;) {
    const Cycle now = earliest_event();
    if (now >= end) {
      next_event_ = now;
      return;
    }
    while (inbox_head_ != inbox_.size() && cycle_from(inbox_[inbox_head_].arrives) <= now)
      deliver(inbox_[inbox_head_++]);
    for (; !arrivals_.empty() && arrivals_.front().at <= now; arrivals_.erase(arrivals_.begin())) {
      const Arrival a = arrivals_.front();
      begin_cta(*a.grid, a.linear, a.at);
    }
    for (; !news_.empty() && news_.front().at <= now;) {
      const ClusterNews news = news_.front();
      news_.erase(news_.begin());
      hear(news);
    }
    if (bulk_.next() <= now) {
      bulk_.step(now);
      take_bulk();
    }
    // Until then nothing that happens elsewhere in the unit reaches a sub-core.
    Cycle limit =
        std::min(end, now + std::min<Cycle>({p_.barrier_latency, p_.mbarrier_latency, p_.bulk_latency}));
    limit = std::min(limit, std::max(bulk_.next(), now + 1));
    if (inbox_head_ != inbox_.size()) limit = std::min(limit, cycle_from(inbox_[inbox_head_].arrives));
    if (!arrivals_.empty()) limit = std::min(limit, arrivals_.front().at);
    if (!news_.empty()) limit = std::min(limit, news_.front().at);
    for (int s = 0; s < p_.subcores; ++s)
      if (subs_[s].next() <= now) step(s, now, limit);
    if (!turns_.empty()) {
      next_event_ = now;
      return;
    }
  }
}

void Unit::take_turn() {
  // Warps that others' chunks set free come behind them.
  for (std::size_t i = 0; i < turns_.size(); ++i) {
    const Turn turn = turns_[i];
    subs_[turn.subcore].warp(turn.warp).state = State::running;
    start_block(turn.subcore, turn.warp, turn.now, turn.earliest, true);
  }
  turns_.clear();
}

}  // namespace wanren::timing
