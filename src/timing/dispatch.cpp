#include "timing/dispatch.h"

#include <algorithm>

#include "support/result.h"
#include "timing/policies/cta_schedule.h"

namespace wanren::timing {

Dispatcher::Dispatcher(const Parameters& p, Units& units)
    : p_(p),
      units_(units),
      order_(p.cta_schedule->order(p)),
      rank_(p.units),
      taken_(p.units),
      again_(p.units) {
  for (int i = 0; i < p.units; ++i) rank_[order_[i]] = i;
}

bool Dispatcher::ordered() const {
  return std::any_of(launches_.begin(), launches_.end(),
                     [](const Launch* l) { return l->grid.source->ordered(); });
}

bool Dispatcher::waiting() const {
  return std::any_of(launches_.begin(), launches_.end(),
                     [](const Launch* l) { return l->started < l->ctas && !l->grid.source->failed(); });
}

Cycle Dispatcher::next_event() const {
  return ended_.empty() || !waiting() ? never : ended_.front().at;
}

Cycle Dispatcher::quantum() const {
  return waiting() ? std::min(p_.quantum, p_.cta_launch_latency) : p_.quantum;
}

bool Dispatcher::fits(const Launch& launch, int unit) const {
  const Room& taken = taken_[unit];
  if (taken.ctas == 0) return true;
  const Room more = room_of(launch.grid);
  return taken.ctas < p_.max_ctas && taken.warps + more.warps <= p_.max_warps &&
         taken.shared + more.shared <= static_cast<std::uint32_t>(p_.shared_bytes) &&
         taken.registers + more.registers <= static_cast<std::uint32_t>(p_.register_file / 4) &&
         launch.resident[unit] < launch.grid.ctas_per_unit;
}

bool Dispatcher::place(Launch& launch, int unit, Cycle now) {
  const int share = p_.cta_schedule->share_of(p_, unit);
  if (launch.next[share] == launch.end[share] || launch.grid.source->failed()) return false;
  if (launch.grid.ctas_per_cluster > 1) return place_cluster(launch, unit, now);
  if (!fits(launch, unit)) return false;
  take(launch, unit);
  ++launch.started;
  units_[unit].send_cta(launch.grid, launch.next[share]++, std::max(deal(now), again_[unit]));
  return true;
}

/// The CTAs of a cluster start together, on units of the chip's cluster that `unit` is in; each takes the
/// unit with the fewest of them.
bool Dispatcher::place_cluster(Launch& launch, int unit, Cycle now) {
  std::vector<int> chosen;
  const auto of_it = [&](int u) { return std::count(chosen.begin(), chosen.end(), u); };
  while (chosen.size() < launch.grid.ctas_per_cluster) {
    int best = -1;
    for (const int u : order_)
      if (p_.cluster_of(u) == p_.cluster_of(unit) && fits(launch, u) && (best < 0 || of_it(u) < of_it(best)))
        best = u;
    if (best < 0) {
      for (const int u : chosen) give(launch, u);
      return false;
    }
    take(launch, best);
    chosen.push_back(best);
  }
  Cycle start = now;
  for (const int u : chosen) start = std::max({start, deal(now), again_[u]});
  const std::uint64_t cluster = launch.next[p_.cta_schedule->share_of(p_, unit)]++;
  for (std::uint32_t rank = 0; rank < chosen.size(); ++rank)
    units_[chosen[rank]].send_cta(launch.grid, launch.grid.source->cta_of({cluster, rank}), start);
  launch.started += chosen.size();
  return true;
}

void Dispatcher::take(Launch& launch, int unit) {
  const Room room = room_of(launch.grid);
  Room& taken = taken_[unit];
  taken.ctas += room.ctas;
  taken.warps += room.warps;
  taken.shared += room.shared;
  taken.registers += room.registers;
  ++launch.resident[unit];
}

void Dispatcher::give(Launch& launch, int unit) {
  const Room room = room_of(launch.grid);
  Room& taken = taken_[unit];
  taken.ctas -= room.ctas;
  taken.warps -= room.warps;
  taken.shared -= room.shared;
  taken.registers -= room.registers;
  --launch.resident[unit];
}

void Dispatcher::admit(Launch* launch, Cycle now) {
  fill_until(now);
  const int shares = p_.cta_schedule->shares(p_);
  for (int s = 0; s < shares; ++s) {
    const std::uint64_t clusters = launch->ctas / launch->grid.ctas_per_cluster;
    launch->next.push_back(clusters * s / shares);
    launch->end.push_back(clusters * (s + 1) / shares);
  }
  launch->resident.assign(p_.units, 0);
  for (auto& unit : units_) unit->begin_grid(launch->grid);
  launches_.push_back(launch);
  for (bool placed = true; placed;) {
    placed = false;
    for (const int unit : order_) placed |= place(*launch, unit, now);
  }
}

std::vector<trace::CtaRange> Dispatcher::following(const Launch& launch, std::uint64_t ctas) const {
  std::uint64_t left = 0;
  for (std::size_t s = 0; s < launch.next.size(); ++s) left += launch.end[s] - launch.next[s];
  WR_CHECK(launch.grid.ctas_per_cluster == 1 && ctas <= left);
  std::vector<trace::CtaRange> ranges;
  for (std::size_t s = 0; s < launch.next.size(); ++s) {
    const std::uint64_t of_share = launch.end[s] - launch.next[s], take = ctas * of_share / left;
    ranges.push_back({launch.next[s], launch.next[s] + take});
    ctas -= take;
    left -= of_share;
  }
  return ranges;
}

void Dispatcher::pass_over(Launch& launch, std::uint64_t ctas) {
  const std::vector<trace::CtaRange> ranges = following(launch, ctas);
  for (std::size_t s = 0; s < ranges.size(); ++s) launch.next[s] = ranges[s].end;
  launch.started += ctas;
  launch.ended += ctas;
}

void Dispatcher::remove(const Launch* launch) {
  launches_.erase(std::find(launches_.begin(), launches_.end(), launch));
}

void Dispatcher::refill(Cycle now) {
  const auto heard = static_cast<std::ptrdiff_t>(ended_.size());
  for (int u = 0; u < p_.units; ++u) {
    for (const FreedCta& f : units_[u].freed())
      for (Launch* l : launches_) {
        if (l->grid.slot != f.grid) continue;
        ++l->ended;
        ended_.push_back({f.at, rank_[u], u, l->grid.serial, room_of(l->grid)});
      }
    units_[u].freed().clear();
  }
  const auto earlier = [](const Ended& a, const Ended& b) { return a.key() < b.key(); };
  std::sort(ended_.begin() + heard, ended_.end(), earlier);
  std::inplace_merge(ended_.begin(), ended_.begin() + heard, ended_.end(), earlier);
  fill_until(now);
}

/// Of what has ended before `now` all is known.
void Dispatcher::fill_until(Cycle now) {
  auto e = ended_.begin();
  for (; e != ended_.end() && e->at < now; ++e) {
    Room& taken = taken_[e->unit];
    taken.ctas -= e->room.ctas;
    taken.warps -= e->room.warps;
    taken.shared -= e->room.shared;
    taken.registers -= e->room.registers;
    again_[e->unit] = e->at + p_.cta_launch_latency;
    for (Launch* l : launches_)
      if (l->grid.serial == e->serial) --l->resident[e->unit];
    for (Launch* l : launches_)
      while (place(*l, e->unit, e->at)) {
      }
  }
  ended_.erase(ended_.begin(), e);
}

}  // namespace wanren::timing
