#include "engine/cluster.h"

#include <fmt/format.h>

#include <bit>

#include "engine/cta.h"

namespace wanren::engine {

ClusterPlace place_in_cluster(Dim3 grid, Dim3 cluster, std::uint64_t linear) {
  const std::uint64_t x = linear % grid.x, y = linear / grid.x % grid.y, z = linear / grid.x / grid.y;
  const std::uint64_t across = grid.x / cluster.x, down = grid.y / cluster.y;
  return {
      x / cluster.x + across * (y / cluster.y + down * (z / cluster.z)),
      static_cast<std::uint32_t>(x % cluster.x + cluster.x * (y % cluster.y + cluster.y * (z % cluster.z)))};
}

std::uint64_t cta_of_cluster(Dim3 grid, Dim3 cluster, ClusterPlace place) {
  const std::uint64_t across = grid.x / cluster.x, down = grid.y / cluster.y, rank = place.rank;
  const std::uint64_t x = place.cluster % across * cluster.x + rank % cluster.x,
                      y = place.cluster / across % down * cluster.y + rank / cluster.x % cluster.y,
                      z = place.cluster / across / down * cluster.z + rank / cluster.x / cluster.y;
  return x + grid.x * (y + grid.y * z);
}

void Cluster::join(Cta& cta, std::uint32_t rank) {
  members_[rank] = Member{&cta, 0, 0, std::vector<Lanes>(cta.warps())};
  windows_[rank] = cta.shared_window();
}

Cta* Cluster::owner(const std::uint8_t* host) const {
  for (const Member& m : members_) {
    const auto offset = static_cast<std::uint64_t>(host - m.cta->shared_window());
    if (offset < m.cta->shared_bytes()) return m.cta;
  }
  return nullptr;
}

Cluster::Arrival Cluster::arrive(std::uint32_t rank, std::uint32_t warp, LaneMask mask) {
  Member& m = members_[rank];
  Lanes& lanes = m.lanes[warp];
  const LaneMask late = mask & lanes.late;
  lanes.late &= ~late;
  if (late == mask) return {over_, false};
  const Arrival arrival{over_ + 1, lanes.arrived == 0};
  lanes.arrived |= mask & ~late;
  m.arrived |= LaneMask{1} << warp;
  open_if_complete();
  return arrival;
}

void Cluster::open_if_complete() {
  bool any = false;
  for (const Member& m : members_) {
    if ((m.cta->live_warps() & ~m.arrived) != 0) return;
    any = any || m.arrived != 0;
  }
  if (!any) return;
  ++over_;
  for (Member& m : members_) {
    for (LaneMask left = m.arrived; left != 0; left &= left - 1) {
      const auto w = static_cast<std::uint32_t>(std::countr_zero(left));
      m.lanes[w].late = m.cta->warp(w).entry_mask & ~m.lanes[w].arrived;
      m.lanes[w].arrived = 0;
    }
    m.arrived = 0;
    m.cta->wake(m.parked);
    m.parked = 0;
  }
}

std::string Cluster::lacks() const {
  std::string who;
  bool any = false;
  for (std::size_t rank = 0; rank < members_.size(); ++rank) {
    const Member& m = members_[rank];
    any = any || m.arrived != 0;
    if (const int missing = std::popcount(m.cta->live_warps() & ~m.arrived); missing != 0)
      who += fmt::format(" {} warps of CTA {}", missing, rank);
  }
  return any ? " the cluster's barrier lacks" + who + ";" : "";
}

bool Cluster::expire_waits() {
  bool some = false;
  for (Member& m : members_) {
    if (m.cta->live_warps() == 0 || !m.cta->waits_for_phases()) continue;
    if (!m.cta->expire_waits()) return false;
    some = true;
  }
  if (some) return true;
  for (Member& m : members_)
    if (m.cta->live_warps() != 0) return m.cta->expire_waits();
  return false;
}

}  // namespace wanren::engine
