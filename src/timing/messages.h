#pragma once
// What a compute unit and the shared memory system say to each other.

#include <cstdint>
#include <vector>

#include "timing/time.h"

namespace wanren::timing {

enum class Access : std::uint8_t { read, write, atomic, reduction };

/// How many of a line's (at most four) sectors a mask names.
constexpr int sector_count(unsigned mask) {
  return static_cast<int>(0x4332322132212110u >> 4 * (mask & 15) & 7);
}

/// One line's worth of sectors leaving a unit.
struct Request {
  Cycle leaves;         ///< The unit, nondecreasing per unit.
  std::uint32_t line;   ///< Device address >> line shift.
  std::uint32_t token;  ///< The unit's own; comes back in the reply, as do slot and sectors.
  std::uint16_t slot;
  std::uint8_t sectors;  ///< Mask.
  Access access;
  std::uint16_t grid;   ///< Slot of the grid that pays for it.
  std::uint16_t lanes;  ///< atomic, reduction: operations in it.
};

struct Reply {
  Tick arrives;
  std::uint32_t token;
  std::uint16_t slot;
  std::uint8_t sectors;
};

/// What the shared memory system counts, per grid slot.
struct MemoryCounters {
#define WR_MEMORY_COUNTER(id, doc) std::uint64_t id = 0;
#include "timing/counters.def"
  std::vector<std::uint64_t> link_bytes;
};

}  // namespace wanren::timing
