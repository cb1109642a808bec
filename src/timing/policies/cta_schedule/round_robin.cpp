// Successive CTAs go to different dies, then clusters, then units of a cluster.

#include <algorithm>
#include <tuple>

#include "timing/parameters.h"
#include "timing/policies/cta_schedule.h"

namespace wanren::timing {

std::vector<int> spread(const Parameters& p) {
  std::vector<int> order, in_cluster(p.units);
  std::vector<int> seen(static_cast<std::size_t>(p.dies) * p.clusters_per_die);
  for (int u = 0; u < p.units; ++u) {
    order.push_back(u);
    in_cluster[u] = seen[p.cluster_of(u)]++;
  }
  std::sort(order.begin(), order.end(), [&](int a, int b) {
    const auto key = [&](int u) {
      return std::tuple(in_cluster[u], p.cluster_of(u) % p.clusters_per_die, p.die_of(u));
    };
    return key(a) < key(b);
  });
  return order;
}

const CtaSchedule& cta_schedule::round_robin() {
  static constexpr CtaSchedule policy{spread, [](const Parameters&) { return 1; },
                                      [](const Parameters&, int) { return 0; }};
  return policy;
}

}  // namespace wanren::timing
