// A compute unit's part in clusters: what its CTAs tell those of other units, and hear from them.

#include <algorithm>
#include <bit>
#include <utility>

#include "simt/warp_context.h"
#include "timing/unit.h"

namespace wanren::timing {

using Kind = ClusterMessage::Kind;
using trace::PhaseOp;

ClusterMessage Unit::message_of(const Cta& cta, Kind kind, Cycle at) const {
  ClusterMessage m;
  m.kind = kind;
  m.serial = cta.grid->serial;
  m.place = cta.place_in_cluster;
  m.born = cta.born;
  m.at = at;
  return m;
}

void Unit::tell(const ClusterNews& news) {
  auto before = news_.end();
  while (before != news_.begin() && before[-1].at > news.at) --before;
  news_.insert(before, news);
  next_event_ = std::min(next_event_, news.at);
}

void Unit::hear(const ClusterNews& news) {
  Cta& cta = ctas_[news.cta];
  if (cta.grid == nullptr || cta.born != news.born) return;
  if (news.opens) return open_cluster(cta, news.value, news.at);
  if (cta.phases.apply(news.op, news.mbarrier, news.value, news.at)) phase_over(cta);
}

/// barrier.cluster.arrive and .wait; the record says which phase.
void Unit::meet_cluster(int s, int w, Cycle now, const trace::Record& record) {
  SubCore& sub = subs_[s];
  Warp& warp = sub.warp(w);
  Cta& cta = ctas_[warp.cta];
  const auto phase = static_cast<std::uint32_t>(record.base >> 33);
  if (static_cast<std::uint32_t>(record.base) == trace::cluster_arrive) {
    if ((record.base >> 32 & 1) != 0) {
      ClusterMessage m = message_of(cta, Kind::arrive, now);
      m.warp = warp.number;
      m.count = phase;
      messages_.push_back(m);
    }
  } else if (phase > cta.cluster_over) {
    cta.cluster_waits |= std::uint64_t{1} << warp.number;
    warp.state = State::barrier;
    sub.park(w);
    return;
  }
  if (warp.next == warp.end)
    start_block(s, w, now, warp.base);
  else
    set_ready(s, w);
}

void Unit::open_cluster(Cta& cta, std::uint32_t phase, Cycle at) {
  cta.cluster_over = phase;
  let_go(cta, std::exchange(cta.cluster_waits, 0), stamp(at, Stall::barrier), at);
}

/// Something happens to an mbarrier of this CTA, or of another of its cluster.
void Unit::change_phase(Cta& cta, PhaseOp op, std::uint32_t mbarrier, std::uint32_t value, Cycle at,
                        bool& over) {
  const std::uint32_t who = mbarrier >> simt::cluster_address_bits;
  if (who == 0 || who - 1 == cta.place_in_cluster.rank) {
    const std::uint32_t own = mbarrier & ((1u << simt::cluster_address_bits) - 1);
    over |= cta.phases.apply(op, own, value, at);
    return;
  }
  ClusterMessage m = message_of(cta, Kind::phase, at);
  m.place.rank = who - 1;
  m.op = op;
  m.mbarrier = mbarrier & ((1u << simt::cluster_address_bits) - 1);
  m.value = value;
  messages_.push_back(m);
}

}  // namespace wanren::timing
