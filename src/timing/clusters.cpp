#include "timing/clusters.h"

#include <algorithm>

#include "support/result.h"

namespace wanren::timing {

void Clusters::accept(int unit, std::vector<ClusterMessage>& messages) {
  for (const ClusterMessage& m : messages) incoming_.emplace_back(unit, m);
  messages.clear();
}

void Clusters::handle() {
  std::stable_sort(incoming_.begin(), incoming_.end(), [](const auto& a, const auto& b) {
    return std::pair(a.second.at, a.second.kind) < std::pair(b.second.at, b.second.kind);
  });
  for (const auto& [unit, message] : incoming_) handle(unit, message);
  incoming_.clear();
}

void Clusters::handle(int unit, const ClusterMessage& m) {
  const auto key = std::pair(m.serial, m.place.cluster);
  using Kind = ClusterMessage::Kind;
  if (m.kind == Kind::begin) {
    Cluster& c = clusters_[key];
    const std::uint32_t ctas = m.count >> 16;
    c.warps = m.count & 0xffff;
    if (c.members.empty()) {
      c.members.resize(ctas);
      c.phase.resize(std::size_t{ctas} * c.warps);
      c.missing = ctas * c.warps;
    }
    c.members[m.place.rank] = {unit, m.cta, m.born, c.warps};
    return;
  }
  const auto found = clusters_.find(key);
  if (found == clusters_.end()) return;  // To one that is gone.
  Cluster& c = found->second;
  WR_CHECK(m.place.rank < c.members.size());
  Member& member = c.members[m.place.rank];
  if (m.kind == Kind::phase) {
    outgoing_.push_back(
        {member.unit,
         {member.cta, member.born, false, m.op, m.mbarrier, m.value, m.at + p_.cluster_latency}});
    return;
  }
  std::uint32_t& phase = c.phase[std::size_t{m.place.rank} * c.warps + m.warp];
  c.latest = std::max(c.latest, m.at);
  if (phase <= c.over) --c.missing;
  phase = m.kind == Kind::exit ? gone : m.count;
  if (m.kind == Kind::exit && --member.live == 0 &&
      std::all_of(c.members.begin(), c.members.end(), [](const Member& of) { return of.live == 0; })) {
    clusters_.erase(found);
    return;
  }
  open_if_complete(c);
}

void Clusters::open_if_complete(Cluster& c) {
  if (c.missing != 0 || std::none_of(c.phase.begin(), c.phase.end(),
                                     [&](std::uint32_t phase) { return phase != gone && phase > c.over; }))
    return;
  ++c.over;
  c.missing = static_cast<std::uint32_t>(
      std::count_if(c.phase.begin(), c.phase.end(), [&](std::uint32_t phase) { return phase <= c.over; }));
  for (const Member& member : c.members)
    outgoing_.push_back(
        {member.unit, {member.cta, member.born, true, {}, 0, c.over, c.latest + p_.cluster_latency}});
}

}  // namespace wanren::timing
