#pragma once
// What single machine instructions did, counted only for grids that ask for it.

#include <array>
#include <cstdint>

#include "timing/counters.h"

namespace wanren::timing {

/// Of one machine instruction, over all warps of a grid. Summed over the instructions of a grid the stalls
/// are its counters'.
struct InstructionProfile {
#define WR_PROFILE_COUNTER(id, doc) std::uint64_t id = 0;
#include "timing/profile.def"
  std::array<std::uint64_t, stall_count> stall_cycles{};  ///< Warp cycles before it could issue.

  void add(const InstructionProfile& other) {
#define WR_PROFILE_COUNTER(id, doc) id += other.id;
#include "timing/profile.def"
    for (std::size_t i = 0; i < stall_cycles.size(); ++i) stall_cycles[i] += other.stall_cycles[i];
  }
};

}  // namespace wanren::timing
