#pragma once
// One memory record as the L1 sees it: distinct lines, the sectors wanted of each, and how many
// passes through the banks its data takes.

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "timing/parameters.h"
#include "trace/trace.h"

namespace wanren::timing {

/// Lines are counted from `base_line`.
struct Footprint {
  static constexpr int most = 2 * warp_size;  ///< 32 lanes, each may straddle a line.
  std::uint32_t base_line = 0;
  int lines = 0;
  int wavefronts = 0;  ///< Bank passes, conflicts included; 0 where no lane is active.
  int same = 0;        ///< Atomics only: most lanes on one address (they serialise there).
  std::array<std::uint32_t, most> line;
  std::array<std::uint8_t, most> sectors;
};

inline constexpr std::int64_t no_stride = std::int64_t{1} << 62;
/// Distance of neighbouring lanes where it is the same for all and lane 0 is at 0; else no_stride.
std::int64_t stride_of(const simt::LanePattern& pattern);

/// What the width of the data path makes of an access.
enum class Use : std::uint8_t { plain, atomic, shared_load };

class Coalescer {
 public:
  Coalescer(const Parameters& p);

  /// `bytes` per lane; the addresses are absolute (global) or window offsets (shared).
  /// The reference is valid until the next call. `grid` tells apart the patterns of different grids.
  const Footprint& operator()(const trace::Record& record, std::uint32_t bytes,
                              std::span<const simt::LanePattern> patterns,
                              std::span<const std::int64_t> strides, std::uint64_t grid,
                              Use use = Use::plain);
  /// The 32 lane addresses of a record.
  static void expand(const trace::Record& record, std::span<const simt::LanePattern> patterns,
                     std::array<std::uint64_t, warp_size>& out);
  /// Same for addresses in hand.
  void compute(const std::uint64_t* addresses, LaneMask mask, std::uint32_t bytes, Use use,
               Footprint& out) const;

 private:
  /// The two commonest shapes by arithmetic: one word for all lanes, successive words. False: another.
  bool simple(const trace::Record& record, std::uint32_t bytes, std::int64_t stride, Use use);

  // Footprints of affine records repeat: they depend on the base only modulo a line, apart from a shift.
  struct Key {
    std::uint64_t shape = ~std::uint64_t{0}, lanes = 0, grid = 0;
    std::int64_t scale = 0;
    bool operator==(const Key&) const = default;
  };
  struct Memo {
    Key key;
    Footprint footprint;
  };
  static constexpr std::size_t memo_slots = 64;

  int line_shift_, sector_shift_, banks_;
  std::vector<Memo> memo_;
  Footprint scratch_;
};

}  // namespace wanren::timing
