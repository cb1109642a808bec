#include "timing/unit.h"

#include <algorithm>

#include "support/result.h"

namespace wanren::timing {

Unit::Unit(const Parameters& p, const CoreClock& clock, int number)
    : p_(p), clock_(clock), number_(number), subs_(p.subcores), ctas_(p.max_ctas), l1_(p) {
  for (SubCore& sub : subs_) {
    const std::size_t n = p.warps_per_subcore;
    sub.ready.assign(n, never);
    sub.pipe.assign(n, 0);
    sub.age.assign(n, 0);
    sub.warps.resize(n);
    sub.queue.assign(p.memory_queue, 0);
  }
  next_.fill(never);
  blocked_.resize(static_cast<std::size_t>(p.subcores) * p.memory_queue + 1);
}

void Unit::begin_grid(const Grid& grid) {
  if (grid.slot >= counters_.size()) counters_.resize(grid.slot + 1);
  UnitCounters& c = counters_[grid.slot];
  c = UnitCounters{};
  c.block_runs.assign(grid.program->blocks.size(), 0);
  c.block_lanes.assign(grid.program->blocks.size(), 0);
  c.fetched.assign(grid.program->code_lines, 0);
  if (grid.profiled) c.profile.resize(grid.program->insts.size());
  l1_.invalidate();
  if (grid.program->scoreboard > scoreboard_stride_ || grid.program->most_slots > record_stride_) {
    // Rows are reinitialised at warp start; rows of resident warps move along.
    const std::uint32_t stride = std::max(grid.program->scoreboard, scoreboard_stride_);
    const std::uint32_t records = std::max(grid.program->most_slots, record_stride_);
    for (SubCore& sub : subs_) {
      std::vector<Stamp> board(static_cast<std::size_t>(stride) * sub.warps.size(), 0);
      std::vector<std::uint32_t> rows(static_cast<std::size_t>(records) * sub.warps.size(), 0);
      for (std::size_t w = 0; w < sub.warps.size(); ++w) {
        std::copy_n(sub.scoreboard.begin() + w * scoreboard_stride_, scoreboard_stride_,
                    board.begin() + w * stride);
        std::copy_n(sub.records.begin() + w * record_stride_, record_stride_, rows.begin() + w * records);
      }
      sub.scoreboard.swap(board);
      sub.records.swap(rows);
    }
    scoreboard_stride_ = stride;
    record_stride_ = records;
  }
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
  if (ctas_resident_ == 0 && miss_sectors_ == 0 && blocked_count_ == 0) {
    const int shared = static_cast<int>(grid.shared_bytes) * std::max(1, grid.ctas_per_unit);
    const int left = std::max(p_.l1_bytes - std::min(shared, p_.shared_bytes), p_.l1_ways << p_.line_shift);
    if (left != l1_.bytes()) l1_.configure(left);
  }
  std::uint16_t index = 0;
  while (index < ctas_.size() && ctas_[index].grid) ++index;
  WR_CHECK(index < ctas_.size());
  Cta& cta = ctas_[index];
  cta = Cta{};
  cta.grid = &grid;
  cta.handle = grid.source->begin_cta(linear, static_cast<std::uint32_t>(number_));
  cta.live = grid.warps_per_cta;
  WR_CHECK(grid.warps_per_cta <= cta.place.size());
  ++ctas_resident_;
  UnitCounters& c = counters_[grid.slot];
  if (c.resident++ == 0) c.active_since = at;
  ++c.ctas;
  // All places first: a warp may exit at once and look at its CTA.
  for (std::uint32_t n = 0; n < grid.warps_per_cta; ++n) {
    int s = 0;
    for (int other = 1; other < p_.subcores; ++other)
      if (subs_[other].resident < subs_[s].resident) s = other;
    WR_CHECK(subs_[s].resident < p_.warps_per_subcore);
    SubCore& sub = subs_[s];
    int w = 0;
    while (sub.warps[w].state != State::empty) ++w;
    ++sub.resident;
    sub.top = std::max(sub.top, w + 1);
    cta.place[n] = static_cast<std::uint16_t>(s << 8 | w);
    Warp& warp = sub.warps[w];
    warp = Warp{};
    warp.state = State::running;
    warp.cta = index;
    warp.number = static_cast<std::uint16_t>(n);
    warp.launched = warp.resume = at;
    sub.age[w] = ages_++;
    std::fill_n(sub.scoreboard.begin() + static_cast<std::ptrdiff_t>(w) * scoreboard_stride_,
                scoreboard_stride_, 0);
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
  for (int s = 0; s < p_.subcores; ++s) next = std::min(next, next_[s]);
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
    // Until then nothing that happens elsewhere in the unit reaches a sub-core.
    Cycle limit = std::min(end, now + std::min(p_.barrier_latency, p_.mbarrier_latency));
    if (inbox_head_ != inbox_.size()) limit = std::min(limit, cycle_from(inbox_[inbox_head_].arrives));
    if (!arrivals_.empty()) limit = std::min(limit, arrivals_.front().at);
    for (int s = 0; s < p_.subcores; ++s)
      if (next_[s] <= now) step(s, now, limit);
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
    subs_[turn.subcore].warps[turn.warp].state = State::running;
    start_block(turn.subcore, turn.warp, turn.now, turn.earliest, true);
  }
  turns_.clear();
}

}  // namespace wanren::timing
