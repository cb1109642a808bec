#pragma once
// Events of the shared memory system in time order: a ring of one-cycle buckets, first in first out;
// what lies beyond the ring waits in a heap. Events are kept by value in small chunks that are used
// again at once, so the ring takes no more host memory than what is under way.

#include <algorithm>
#include <cstdint>
#include <queue>
#include <vector>

#include "timing/pages.h"
#include "timing/time.h"

namespace wanren::timing {

/// `Event` has a member `std::uint16_t fraction`: ticks past its cycle.
template <class Event>
class Calendar {
 public:
  Calendar() { chunks_.reserve(1 << 12); }

  void add(Event event, Tick when) {
    event.fraction = static_cast<std::uint16_t>(when & (one_cycle - 1));
    Cycle cycle = when >> tick_bits;
    if (cycle < now_) cycle = now_, event.fraction = 0;
    if (cycle < now_ + span)
      append(cycle, event);
    else
      far_.push({cycle, order_++, event});
  }

  /// Visits events of all cycles before `end` in order; visit(event, tick) may add events from its own
  /// time on. soon(event) is called some cycles ahead, for prefetching.
  template <class Visit, class Soon>
  void run(Cycle end, Visit&& visit, Soon&& soon) {
    while (count_ > 0 || !far_.empty()) {
      if (count_ == 0) now_ = std::max(now_, std::min(end, far_.top().cycle));
      while (!far_.empty() && far_.top().cycle < now_ + span) {
        append(std::max(far_.top().cycle, now_), far_.top().event);
        far_.pop();
      }
      if (now_ >= end) return;
      for (std::uint32_t c = ring_[(now_ + ahead) & (span - 1)].first; c != none; c = chunks_[c].next)
        for (std::uint32_t i = 0; i < chunks_[c].count; ++i) soon(chunks_[c].events[i]);
      Bucket& bucket = ring_[now_ & (span - 1)];
      // A visit may append to this very bucket, and the chunks may move.
      for (std::uint32_t c = bucket.first; c != none;) {
        for (std::uint32_t i = 0; i < chunks_[c].count; ++i) {
          --count_;
          Event event = chunks_[c].events[i];
          visit(event, start_of(now_) + event.fraction);
        }
        const std::uint32_t next = chunks_[c].next;
        if (next == none) bucket = Bucket{};
        chunks_[c].next = free_;
        free_ = c;
        c = next;
      }
      ++now_;
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
    return far_.empty() ? never : far_.top().cycle;
  }
  void reset() {
    now_ = 0;
    order_ = 0;
  }

 private:
  static constexpr Cycle span = 4096;
  static constexpr Cycle ahead = 4;
  static constexpr std::uint32_t none = ~0u;
  static constexpr std::size_t per_chunk = (256 - 8) / sizeof(Event);
  struct alignas(64) Chunk {
    std::uint32_t next = none, count = 0;
    Event events[per_chunk];
  };
  struct Bucket {
    std::uint32_t first = none, last = none;
  };
  struct Far {
    Cycle cycle;
    std::uint64_t order;
    Event event;
    bool operator<(const Far& o) const { return cycle != o.cycle ? cycle > o.cycle : order > o.order; }
  };

  void append(Cycle at, const Event& event) {
    Bucket& bucket = ring_[at & (span - 1)];
    if (bucket.last == none || chunks_[bucket.last].count == per_chunk) {
      std::uint32_t fresh = free_;
      if (fresh == none) {
        fresh = static_cast<std::uint32_t>(chunks_.size());
        chunks_.emplace_back();
      } else {
        free_ = chunks_[fresh].next;
      }
      chunks_[fresh].next = none;
      chunks_[fresh].count = 0;
      (bucket.last == none ? bucket.first : chunks_[bucket.last].next) = fresh;
      bucket.last = fresh;
    }
    Chunk& chunk = chunks_[bucket.last];
    chunk.events[chunk.count++] = event;
    ++count_;
  }

  std::vector<Bucket> ring_ = std::vector<Bucket>(span);
  std::vector<Chunk, HugePages<Chunk>> chunks_;
  std::uint32_t free_ = none;
  std::priority_queue<Far> far_;
  Cycle now_ = 0;
  std::uint64_t order_ = 0;
  std::size_t count_ = 0;
};

}  // namespace wanren::timing
