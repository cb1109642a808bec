#pragma once
// The tag store of one L2 partition: set-associative, sectored, write-back. A set of up to 16 ways is one
// cache line of the host, larger ones are WideSets; tags are numbers that AddressMap makes of a line, the
// high half of which is stored apart and only where memory is large enough to need it.

#include <cstdint>
#include <memory>
#include <vector>

#include "timing/l2_lookup.h"
#include "timing/l2_wide.h"
#include "timing/pages.h"
#include "timing/parameters.h"
#include "timing/policies/replacement.h"

namespace wanren::timing {

class L2Partition {
 public:
  explicit L2Partition(const Parameters& p);

  /// Finds a line, which counts as a use of it.
  L2Lookup find(std::uint32_t set, std::uint32_t tag);
  /// Takes a way for a line that is not present.
  int allocate(std::uint32_t set, std::uint32_t tag, bool replica, L2Victim& victim);
  void fill(std::uint32_t set, int way, std::uint8_t sectors, bool dirty);
  /// Data of the line comes at `when`; earlier hits wait for it.
  void set_pending(std::uint32_t set, int way, std::uint32_t tag, Tick when);
  /// Drops sectors of a clean copy.
  void invalidate(std::uint32_t set, std::uint32_t tag, std::uint8_t sectors);
  /// Copies of other dies' lines become invalid (an acquire); costs nothing until a set is touched.
  void drop_replicas();
  void prefetch(std::uint32_t set) const {
    if (wide_) return wide_->prefetch(set);
    __builtin_prefetch(&sets_[set], 1);
  }
  static constexpr int packed_ways = 16;

 private:
  struct alignas(64) Set {
    std::uint16_t tag[packed_ways];
    std::uint64_t order;         ///< PackedOrder's, for the replacement policy.
    std::uint64_t valid, dirty;  ///< Nibble i: sectors of way i. A way without any holds no line.
    std::uint16_t pending, replica;
    std::uint32_t epoch;
  };
  static_assert(sizeof(Set) == 64);
  int way_of(const Set& set, std::uint32_t index, std::uint32_t tag) const;
  void refresh(Set& set);

  std::vector<Set, HugePages<Set>> sets_;
  std::vector<std::uint16_t> high_;  ///< set * 16 + way: upper half of the tag; empty where always 0.
  PendingLines pending_;
  std::unique_ptr<WideSets> wide_;  ///< Null: sets_.
  const ReplacementIn<PackedOrder>& replacement_;
  int ways_;
  std::uint32_t epoch_ = 0;
};

}  // namespace wanren::timing
