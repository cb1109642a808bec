#pragma once
// Sets of more ways than one cache line of the host describes: as L2Partition's packed sets, at more host
// time a lookup.

#include <cstdint>
#include <vector>

#include "timing/l2_lookup.h"
#include "timing/pages.h"
#include "timing/parameters.h"
#include "timing/policies/replacement.h"

namespace wanren::timing {

class WideSets {
 public:
  explicit WideSets(const Parameters& p);

  // L2Partition's, which says what they do.
  L2Lookup find(std::uint32_t set, std::uint32_t tag);
  int allocate(std::uint32_t set, std::uint32_t tag, bool replica, L2Victim& victim);
  void fill(std::uint32_t set, int way, std::uint8_t sectors, bool dirty);
  void set_pending(std::uint32_t set, int way, std::uint32_t tag, Tick when);
  void invalidate(std::uint32_t set, std::uint32_t tag, std::uint8_t sectors);
  void drop_replicas() { ++epoch_; }
  void prefetch(std::uint32_t set) const { __builtin_prefetch(&lines_[set * ways_], 1); }

 private:
  struct Line {
    std::uint32_t tag = 0;
    std::uint8_t valid = 0, dirty = 0;  ///< Sectors. A line without valid ones is no line.
    bool pending = false, replica = false;
  };
  Line* find_line(std::uint32_t set, std::uint32_t tag);
  WideOrder order(std::uint32_t set) { return {order_.data() + set * ways_, ways_}; }
  void refresh(std::uint32_t set);

  const ReplacementIn<WideOrder>& replacement_;
  std::size_t ways_;
  std::vector<Line, HugePages<Line>> lines_;  ///< set * ways + way
  std::vector<std::uint8_t> order_;           ///< set * ways + rank: WideOrder's.
  std::vector<std::uint32_t> epochs_;         ///< By set.
  PendingLines pending_;
  std::uint32_t epoch_ = 0;
};

}  // namespace wanren::timing
