#include "timing/d2d.h"

#include <queue>

#include "support/result.h"
#include "timing/policies/topology.h"

namespace wanren::timing {

DieLinks::DieLinks(const Parameters& p)
    : dies_(p.dies),
      packets_(p.link_packets),
      ticks_per_byte_(p.link_ticks_per_byte),
      hop_(p.hop_latency),
      next_(static_cast<std::size_t>(p.dies) * p.dies, -1),
      link_(static_cast<std::size_t>(p.dies) * p.dies) {
  // Shortest ways by breadth-first search from each destination; of equals the lowest die number.
  for (int to = 0; to < dies_; ++to) {
    std::vector<int> distance(dies_, -1);
    std::queue<int> open;
    distance[to] = 0;
    open.push(to);
    while (!open.empty()) {
      const int die = open.front();
      open.pop();
      for (int other = 0; other < dies_; ++other)
        if (distance[other] < 0 && p.topology->linked(dies_, die, other)) {
          distance[other] = distance[die] + 1;
          next_[other * dies_ + to] = die;
          open.push(other);
        }
    }
    for (int from = 0; from < dies_; ++from) WR_CHECK(distance[from] >= 0);
  }
}

Tick DieLinks::send(int from, int to, Tick at, std::uint32_t bytes) {
  const Tick begin = link_[from * dies_ + to].take(at, static_cast<Tick>(bytes * ticks_per_byte_ + 0.5));
  return begin + hop_;
}

void DieLinks::set_clock(const Parameters& p, Tick now, double ratio) {
  ticks_per_byte_ = p.link_ticks_per_byte;
  hop_ = p.hop_latency;
  for (Port& l : link_) l.free = rescaled(l.free, now, ratio);
}

}  // namespace wanren::timing
