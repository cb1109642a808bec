#pragma once
// Events of the shared memory system in time order: a ring of one-cycle buckets holding chains of
// event numbers, first in first out; what lies beyond the ring waits in a heap.

#include <algorithm>
#include <cstdint>
#include <queue>
#include <vector>

#include "timing/time.h"

namespace wanren::timing {

class Calendar {
 public:
  using Id = std::uint32_t;
  static constexpr Id none = ~Id{0};

  /// `link(id)` is where the caller keeps the next number of the chain that `id` is in.
  template <class Link>
  void add(Id id, Tick when, Link&& link) {
    Cycle bucket = when >> tick_bits;
    if (bucket < now_) bucket = now_;
    if (bucket >= now_ + span) {
      far_.push({bucket, order_++, id});
      return;
    }
    append(bucket, id, link);
  }

  /// Visits events of all cycles before `end` in order; visit(id) may add events from its own time on.
  template <class Link, class Visit>
  void run(Cycle end, Link&& link, Visit&& visit) {
    while (count_ > 0 || !far_.empty()) {
      if (count_ == 0) now_ = std::max(now_, std::min(end, far_.top().bucket));
      pull(link);
      if (now_ >= end) return;
      Bucket& bucket = ring_[now_ & (span - 1)];
      if (bucket.first == none) {
        ++now_;
        continue;
      }
      const Id id = bucket.first;
      bucket.first = link(id);
      --count_;
      visit(id);
    }
    now_ = std::max(now_, end);
  }

  bool empty() const { return count_ == 0 && far_.empty(); }
  /// Cycle of the first event, or `never`.
  Cycle first() const {
    if (count_ > 0) {
      for (Cycle c = now_;; ++c)
        if (ring_[c & (span - 1)].first != none) return c;
    }
    return far_.empty() ? never : far_.top().bucket;
  }
  void reset() {
    now_ = 0;
    order_ = 0;
  }

 private:
  static constexpr Cycle span = 4096;
  struct Bucket {
    Id first = none, last = none;
  };
  struct Far {
    Cycle bucket;
    std::uint64_t order;
    Id id;
    bool operator<(const Far& o) const { return bucket != o.bucket ? bucket > o.bucket : order > o.order; }
  };

  template <class Link>
  void append(Cycle at, Id id, Link&& link) {
    Bucket& bucket = ring_[at & (span - 1)];
    link(id) = none;
    if (bucket.first == none)
      bucket.first = id;
    else
      link(bucket.last) = id;
    bucket.last = id;
    ++count_;
  }
  template <class Link>
  void pull(Link&& link) {
    while (!far_.empty() && far_.top().bucket < now_ + span) {
      const Far event = far_.top();
      far_.pop();
      append(std::max(event.bucket, now_), event.id, link);
    }
  }

  std::vector<Bucket> ring_ = std::vector<Bucket>(span);
  std::priority_queue<Far> far_;
  Cycle now_ = 0;
  std::uint64_t order_ = 0;
  std::size_t count_ = 0;
};

}  // namespace wanren::timing
