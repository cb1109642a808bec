#pragma once
// A warp's trace, replayed through the frozen control flow: every lane goes from a block to one of its
// successors, or to the entry of a function that the block calls, until all lanes have left it; records are
// those of the block's slots, and what was run is counted, to be compared with what the engine counted.

#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "simt/shape.h"
#include "simt/warp_context.h"
#include "trace/trace.h"

namespace wanren::trace {

/// Where the lanes of one warp are between two chunks of its trace.
struct ReplayedWarp {
  /// The last block of each lane, by block: in the kernel's body, and in each call that it is in, innermost
  /// last.
  using Lanes = std::vector<std::pair<simt::BlockId, LaneMask>>;
  std::vector<Lanes> calls;
};

class Replay {
 public:
  Replay(const simt::Kernel& kernel, std::span<const simt::LanePattern> patterns);

  /// The next words of a warp; `exited`: they are its last. The first broken rule, or empty. Warps may be
  /// replayed from several threads if each has counts of its own.
  std::string run(ReplayedWarp& warp, std::span<const std::uint64_t> words, bool exited,
                  std::vector<simt::BlockCount>& counts) const;

 private:
  struct Slot {
    Kind kind = Kind::affine;  ///< barrier, phase, group; any other stands for all accesses.
    std::uint8_t spaces = 0;   ///< Bit per trace::Space that its record may name.
  };
  std::string enter(ReplayedWarp& warp, simt::BlockId block, LaneMask mask) const;
  bool has_left(const ReplayedWarp::Lanes& call) const;
  bool calls(simt::BlockId from, simt::BlockId entry) const;
  std::string records(simt::BlockId block, LaneMask mask, std::span<const std::uint64_t>& words) const;

  const simt::Kernel& kernel_;
  std::size_t patterns_;
  std::vector<std::vector<Slot>> slots_;  ///< By block.
};

/// The first block on which the two disagree, in words, or empty.
std::string compare_counts(const simt::Kernel& kernel, std::span<const simt::BlockCount> replayed,
                           std::span<const simt::BlockCount> executed);

}  // namespace wanren::trace
