#include "timing/dispatch.h"

#include <algorithm>
#include <tuple>

#include "support/result.h"

namespace wanren::timing {

Dispatcher::Dispatcher(const Parameters& p, std::vector<std::unique_ptr<Unit>>& units)
    : p_(p), units_(units), rank_(p.units), slot_times_(p.units) {
  for (int u = 0; u < p.units; ++u) order_.push_back(u);
  // Successive CTAs go to different dies, then clusters, then units of a cluster.
  std::vector<int> in_cluster(p.units), seen(static_cast<std::size_t>(p.dies) * p.clusters_per_die, 0);
  for (int u = 0; u < p.units; ++u) in_cluster[u] = seen[p.cluster_of(u)]++;
  std::sort(order_.begin(), order_.end(), [&](int a, int b) {
    const auto key = [&](int u) {
      return std::tuple(in_cluster[u], p.cluster_of(u) % p.clusters_per_die, p.die_of(u));
    };
    return key(a) < key(b);
  });
  for (int i = 0; i < p.units; ++i) rank_[order_[i]] = i;
}

/// Slots that nobody has taken are free without delay by now.
void Dispatcher::forget_before(Cycle now) {
  for (auto& times : slot_times_) std::erase_if(times, [now](Cycle at) { return at <= now; });
}

bool Dispatcher::coupled() const {
  for (const Launch* l : launches_)
    if (l->grid.source->coupled()) return true;
  return false;
}

Cycle Dispatcher::quantum() const {
  for (const Launch* l : launches_)
    if (l->started < l->ctas && p_.cta_launch_latency > 0) return std::min(p_.quantum, p_.cta_launch_latency);
  return p_.quantum;
}

bool Dispatcher::place(Launch& launch, int unit, Cycle now) {
  const int share = share_of(unit);
  if (launch.next[share] == launch.end[share] || launch.grid.source->failed()) return false;
  Unit& u = *units_[unit];
  if (!u.fits(launch.grid)) return false;
  Cycle at = std::max(launch.begin, now);
  if (auto& times = slot_times_[unit]; !times.empty()) {
    at = std::max(at, times.front());
    times.erase(times.begin());
  }
  u.begin_cta(launch.grid, launch.next[share]++, at);
  ++launch.started;
  return true;
}

void Dispatcher::admit(Launch* launch, Cycle now) {
  const int shares = p_.cta_order == CtaOrder::die_contiguous ? p_.dies : 1;
  for (int s = 0; s < shares; ++s) {
    launch->next.push_back(launch->ctas * s / shares);
    launch->end.push_back(launch->ctas * (s + 1) / shares);
  }
  for (auto& unit : units_) unit->begin_grid(launch->grid);
  launches_.push_back(launch);
  forget_before(now);
  for (bool placed = true; placed;) {
    placed = false;
    for (const int unit : order_) placed |= place(*launch, unit, now);
  }
}

void Dispatcher::remove(const Launch* launch) {
  launches_.erase(std::find(launches_.begin(), launches_.end(), launch));
}

void Dispatcher::refill(Cycle now) {
  std::vector<std::tuple<Cycle, int, int>> freed;
  for (int u = 0; u < p_.units; ++u) {
    for (const FreedCta& f : units_[u]->freed()) {
      freed.emplace_back(f.at, rank_[u], u);
      for (Launch* l : launches_)
        if (l->grid.slot == f.grid) ++l->ended;
    }
    units_[u]->freed().clear();
  }
  if (freed.empty()) return;
  std::sort(freed.begin(), freed.end());
  forget_before(now);
  for (const auto& [at, rank, unit] : freed) slot_times_[unit].push_back(at + p_.cta_launch_latency);
  for (const auto& [at, rank, unit] : freed)
    for (Launch* l : launches_)
      while (place(*l, unit, now)) {
      }
}

}  // namespace wanren::timing
