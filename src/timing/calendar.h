#pragma once
// Events of the shared memory system in time order: a ring of one-cycle buckets, first in first out;
// what lies beyond the ring waits in a heap.

#include <algorithm>
#include <cstdint>
#include <queue>
#include <vector>

#include "timing/time.h"

namespace wanren::timing {

class Calendar {
 public:
  using Id = std::uint32_t;

  void add(Id id, Tick when) {
    const Cycle bucket = std::max(when >> tick_bits, now_);
    if (bucket < now_ + span)
      append(bucket, id);
    else
      far_.push({bucket, order_++, id});
  }

  /// Visits events of all cycles before `end` in order; visit(id) may add events from its own time on.
  /// soon(id) and very_soon(id) are called some cycles ahead, for prefetching.
  template <class Visit, class Soon, class VerySoon>
  void run(Cycle end, Visit&& visit, Soon&& soon, VerySoon&& very_soon) {
    while (count_ > 0 || !far_.empty()) {
      if (count_ == 0) now_ = std::max(now_, std::min(end, far_.top().bucket));
      pull();
      if (now_ >= end) return;
      for (const Id id : ring_[(now_ + 16) & (span - 1)]) soon(id);
      for (const Id id : ring_[(now_ + 8) & (span - 1)]) very_soon(id);
      // A visit may append to this very bucket.
      std::vector<Id>& bucket = ring_[now_ & (span - 1)];
      for (std::size_t i = 0; i < bucket.size(); ++i) {
        --count_;
        visit(bucket[i]);
      }
      bucket.clear();
      ++now_;
    }
    now_ = std::max(now_, end);
  }

  bool empty() const { return count_ == 0 && far_.empty(); }
  /// Cycle of the first event, or `never`.
  Cycle first() const {
    if (count_ > 0) {
      for (Cycle c = now_;; ++c)
        if (!ring_[c & (span - 1)].empty()) return c;
    }
    return far_.empty() ? never : far_.top().bucket;
  }
  void reset() {
    now_ = 0;
    order_ = 0;
  }

 private:
  static constexpr Cycle span = 4096;
  struct Far {
    Cycle bucket;
    std::uint64_t order;
    Id id;
    bool operator<(const Far& o) const { return bucket != o.bucket ? bucket > o.bucket : order > o.order; }
  };

  void append(Cycle at, Id id) {
    ring_[at & (span - 1)].push_back(id);
    ++count_;
  }
  void pull() {
    while (!far_.empty() && far_.top().bucket < now_ + span) {
      const Far event = far_.top();
      far_.pop();
      append(std::max(event.bucket, now_), event.id);
    }
  }

  std::vector<std::vector<Id>> ring_ = std::vector<std::vector<Id>>(span);
  std::priority_queue<Far> far_;
  Cycle now_ = 0;
  std::uint64_t order_ = 0;
  std::size_t count_ = 0;
};

}  // namespace wanren::timing
