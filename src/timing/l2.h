#pragma once
// The tag store of one L2 partition: set-associative, sectored, write-back, true LRU.

#include <cstdint>
#include <vector>

#include "timing/pages.h"
#include "timing/parameters.h"

namespace wanren::timing {

struct L2Lookup {
  std::uint8_t hit = 0;    ///< Sectors present.
  int way = -1;            ///< Of the line, or -1.
  Tick pending_until = 0;  ///< Sectors of the line are still on their way from below until then.
};

struct L2Victim {
  bool dirty = false;
  std::uint32_t line = 0;
  std::uint8_t sectors = 0;  ///< Dirty ones.
};

class L2Partition {
 public:
  explicit L2Partition(const Parameters& p);

  /// Finds a line and makes it the most recent.
  L2Lookup find(std::uint32_t set, std::uint32_t line);
  /// Takes a way for `line` (not present); the least recent goes.
  int allocate(std::uint32_t set, std::uint32_t line, bool replica, L2Victim& victim);
  void fill(std::uint32_t set, int way, std::uint8_t sectors, bool dirty);
  /// Data of the line comes at `when`; earlier hits wait for it.
  void set_pending(std::uint32_t set, int way, std::uint32_t line, Tick when);
  /// Drops sectors of a clean copy.
  void invalidate(std::uint32_t set, std::uint32_t line, std::uint8_t sectors);
  /// Copies of other dies' lines become invalid (an acquire); costs nothing until a set is touched.
  void drop_replicas() { ++epoch_; }
  /// A new run begins at time 0.
  void rebase();
  void prefetch(std::uint32_t set) const {
    const char* at = reinterpret_cast<const char*>(&sets_[set]);
    __builtin_prefetch(at);
    __builtin_prefetch(at + 64);
  }

 private:
  static constexpr std::uint16_t pending_bit = 1 << 8, replica_bit = 1 << 9;
  struct alignas(128) Set {
    std::uint32_t tag[16];
    std::uint16_t state[16];  ///< valid sectors | dirty sectors << 4 | flags
    std::uint64_t order;      ///< Nibble i: way of rank i, most recent first.
    std::uint32_t epoch;
  };
  struct Pending {
    std::uint32_t line = ~0u;
    Tick until = 0;
  };
  static constexpr std::uint32_t pending_slots = 1 << 14;

  void touch(Set& set, int way);
  void refresh(Set& set);

  std::vector<Set, HugePages<Set>> sets_;
  std::vector<Pending> pending_;
  int ways_;
  std::uint32_t epoch_ = 0;
};

}  // namespace wanren::timing
