#pragma once
// What CTAs of a cluster tell each other across units: arrivals at the cluster's barrier, at mbarriers, bytes
// of copies. Messages gather in the units while they run alone and are passed on between quanta; each takes
// the latency of the network between them.

#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include "timing/parameters.h"
#include "timing/time.h"
#include "trace/trace.h"
#include "trace/warp_source.h"

namespace wanren::timing {

/// From a unit.
struct ClusterMessage {
  /// begin: a CTA; exit: a warp of it; arrive: one, at the barrier; phase: something happens to an mbarrier.
  enum class Kind : std::uint8_t { begin, arrive, phase, exit };
  Kind kind{};
  std::uint64_t serial = 0;   ///< Of the grid.
  trace::ClusterPlace place;  ///< Who speaks; phase: who is meant.
  std::uint32_t warp = 0;
  std::uint32_t count = 0;  ///< begin: warps of the CTA, CTAs of the cluster << 16; arrive: the phase.
  std::uint16_t cta = 0;    ///< begin: its slot, and what tells it from others of the unit.
  std::uint64_t born = 0;
  trace::PhaseOp op{};
  std::uint32_t mbarrier = 0, value = 0;
  Cycle at = 0;
};

/// To a unit.
struct ClusterNews {
  std::uint16_t cta = 0;
  std::uint64_t born = 0;
  bool opens = false;  ///< The barrier: phase `value` is over. Else something happens to an mbarrier.
  trace::PhaseOp op{};
  std::uint32_t mbarrier = 0, value = 0;
  Cycle at = 0;
};

class Clusters {
 public:
  explicit Clusters(const Parameters& p) : p_(p) {}

  /// Takes one unit's messages, in the order of units.
  void accept(int unit, std::vector<ClusterMessage>& messages);
  /// All of a quantum's are there: tell(unit, news) in the order of time.
  template <class Tell>
  void pass_on(Tell&& tell) {
    if (incoming_.empty()) return;
    handle();
    for (const auto& [unit, news] : outgoing_) tell(unit, news);
    outgoing_.clear();
  }

 private:
  struct Member {
    int unit = 0;
    std::uint16_t cta = 0;
    std::uint64_t born = 0;
    std::uint32_t live = 0;
  };
  struct Cluster {
    std::vector<Member> members;
    std::vector<std::uint32_t> phase;  ///< By rank and warp: arrived for last; `gone`.
    std::uint32_t warps = 0;           ///< Of a CTA.
    std::uint32_t over = 0, missing = 0;
    Cycle latest = 0;
  };
  static constexpr std::uint32_t gone = ~0u;

  void handle();
  void handle(int unit, const ClusterMessage& m);
  void open_if_complete(Cluster& cluster);

  const Parameters& p_;
  std::map<std::pair<std::uint64_t, std::uint64_t>, Cluster> clusters_;  ///< By grid and cluster.
  std::vector<std::pair<int, ClusterMessage>> incoming_;
  std::vector<std::pair<int, ClusterNews>> outgoing_;
};

}  // namespace wanren::timing
