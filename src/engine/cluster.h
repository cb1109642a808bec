#pragma once
// A cluster: CTAs that are resident together, reach each other's shared memory and meet at one barrier. A CTA
// of a launch without clusters is one of its own.

#include <cstdint>
#include <string>
#include <vector>

#include "support/units.h"

namespace wanren::engine {

class Cta;

/// Where CTA `linear` (x fastest) of a grid stands: which cluster, of those x fastest, and its rank there.
struct ClusterPlace {
  std::uint64_t cluster;
  std::uint32_t rank;
};
ClusterPlace place_in_cluster(Dim3 grid, Dim3 cluster, std::uint64_t linear);
/// The other way.
std::uint64_t cta_of_cluster(Dim3 grid, Dim3 cluster, ClusterPlace place);

class Cluster {
 public:
  explicit Cluster(std::uint32_t size) : members_(size), windows_(size) {}

  /// All must have joined before any runs.
  void join(Cta& cta, std::uint32_t rank);
  std::uint32_t size() const { return static_cast<std::uint32_t>(members_.size()); }
  Cta* member(std::uint32_t rank) { return members_[rank].cta; }
  std::uint8_t* const* windows() const { return windows_.data(); }
  /// The CTA whose shared memory `host` lies in; null: none's.
  Cta* owner(const std::uint8_t* host) const;

  struct Arrival {
    std::uint32_t phase;  ///< Number, from 1 on.
    bool first;           ///< Of the warp's lanes.
  };
  Arrival arrive(std::uint32_t rank, std::uint32_t warp, LaneMask mask);
  /// Phases that are over.
  std::uint32_t over() const { return over_; }
  /// Whether lanes in `mask` have arrived and others have not.
  bool waits(std::uint32_t rank, std::uint32_t warp, LaneMask mask) const {
    return (members_[rank].lanes[warp].arrived & mask) != 0;
  }
  /// The warp gives way until it waits no more.
  void park(std::uint32_t rank, std::uint32_t warp) { members_[rank].parked |= LaneMask{1} << warp; }
  /// Some warp has exited: those that are left may be all.
  void open_if_complete();
  /// No warp of any member can run. Those that wait for phases try again; false: none does, or long enough.
  bool expire_waits();
  /// Who has not come to the barrier, if somebody has; else empty.
  std::string lacks() const;

 private:
  /// A warp arrives with the first of its lanes. Lanes that come after the others have passed are late: what
  /// they arrive for is over.
  struct Lanes {
    LaneMask arrived = 0, late = 0;
  };
  struct Member {
    Cta* cta = nullptr;
    LaneMask arrived = 0, parked = 0;  ///< Warps.
    std::vector<Lanes> lanes;
  };
  std::vector<Member> members_;
  std::vector<std::uint8_t*> windows_;
  std::uint32_t over_ = 0;
};

}  // namespace wanren::engine
