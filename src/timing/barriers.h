#pragma once
// The numbered barriers (`bar`, `barrier`) of one resident CTA: who has arrived and who waits.

#include <array>
#include <cstdint>
#include <optional>
#include <utility>

namespace wanren::timing {

class BarrierTable {
 public:
  static constexpr int count = 16;

  /// A warp arrives, and waits or goes on. `needed`: warps that open the barrier; 0: all that live.
  void arrive(int id, std::uint32_t warp, std::uint32_t needed, bool waits) {
    Barrier& b = barriers_[static_cast<std::size_t>(id)];
    b.needed = needed;
    ++b.arrived;
    if (waits) b.waiting |= std::uint64_t{1} << warp;
  }
  bool has_waiting(int id) const { return barriers_[static_cast<std::size_t>(id)].waiting != 0; }
  /// Opens the barrier, for the next to arrive, if enough of `live` warps are there: those that have waited.
  std::optional<std::uint64_t> open(int id, std::uint32_t live) {
    Barrier& b = barriers_[static_cast<std::size_t>(id)];
    if (b.arrived < (b.needed ? b.needed : live)) return std::nullopt;
    return std::exchange(b, Barrier{}).waiting;
  }

 private:
  struct Barrier {
    std::uint32_t arrived = 0, needed = 0;
    std::uint64_t waiting = 0;  ///< By warp number in the CTA.
  };
  std::array<Barrier, count> barriers_{};
};

}  // namespace wanren::timing
