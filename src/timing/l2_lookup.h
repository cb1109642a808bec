#pragma once
// What a lookup in L2 tells, and which lines are still on their way.

#include <cstdint>
#include <vector>

#include "timing/time.h"

namespace wanren::timing {

struct L2Lookup {
  std::uint8_t hit = 0;    ///< Sectors present.
  int way = -1;            ///< Of the line, or -1.
  Tick pending_until = 0;  ///< Sectors of the line are still on their way from below until then.
};

struct L2Victim {
  std::uint32_t tag = 0;
  std::uint8_t sectors = 0;  ///< Dirty ones.
};

/// When data comes that has been asked for. Direct-mapped: a line that loses its place counts as there.
class PendingLines {
 public:
  void add(std::uint32_t set, std::uint32_t tag, Tick until) { lines_[slot(set, tag)] = {set, tag, until}; }
  /// Null: not under way.
  const Tick* find(std::uint32_t set, std::uint32_t tag) const {
    const Line& line = lines_[slot(set, tag)];
    return line.set == set && line.tag == tag ? &line.until : nullptr;
  }

 private:
  struct Line {
    std::uint32_t set = ~0u, tag = 0;
    Tick until = 0;
  };
  static constexpr int slot_bits = 14;
  static std::uint32_t slot(std::uint32_t set, std::uint32_t tag) {
    return (set * 0x9e3779b1u + tag * 0x85ebca6bu) >> (32 - slot_bits);
  }
  std::vector<Line> lines_ = std::vector<Line>(std::size_t{1} << slot_bits);
};

}  // namespace wanren::timing
