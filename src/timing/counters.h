#pragma once
// What one grid did, counted by the timing model. Energy and reports read these and nothing else.

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

namespace wanren::timing {

/// Why a resident warp did not issue, per warp and cycle. The sum over reasons plus issue cycles is
/// the warps' residency.
enum class Stall : std::uint8_t {
#define WR_STALL(id, text, doc) id,
#include "timing/stalls.def"
#undef WR_STALL
  count_,
};
inline constexpr int stall_count = static_cast<int>(Stall::count_);
std::string_view name(Stall stall);

struct Counters {
#define WR_COUNTER(id, doc) std::uint64_t id = 0;
#include "timing/counters.def"
  std::array<std::uint64_t, stall_count> stall_cycles{};  ///< Warp cycles.
  std::array<std::uint64_t, 13> pipe_busy_cycles{};       ///< By lower::Pipe, summed over sub-cores.
  std::vector<std::uint64_t> d2d_link_bytes;              ///< By directed link: from * dies + to, wire bytes.
  void add(const Counters& other);
  /// Takes away what had been counted at an earlier moment.
  void subtract(const Counters& earlier);
};

}  // namespace wanren::timing
