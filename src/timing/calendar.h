#pragma once
// Events of the shared memory system in time order: a ring of one-cycle buckets, first in first out;
// what lies beyond the ring waits in a tree. Events are kept by value in small chunks that are used
// again at once, so the ring takes no more host memory than what is under way.

#include <algorithm>
#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include "timing/pages.h"
#include "timing/time.h"

namespace wanren::timing {

/// `Event` has a member `std::uint16_t fraction`: ticks past its cycle.
template <class Event>
class Calendar {
 public:
  /// Puts a copy of `event` at `when` and returns it for changes; valid until visited.
  Event& add(const Event& event, Tick when) {
    Cycle cycle = when >> tick_bits;
    std::uint16_t fraction = static_cast<std::uint16_t>(when & (one_cycle - 1));
    if (cycle < now_) cycle = now_, fraction = 0;
    Event& to = cycle < now_ + span ? append(cycle) : far_.emplace(cycle, Event())->second;
    to = event;
    to.fraction = fraction;
    return to;
  }

  /// Visits events of all cycles before `end` in order; visit(event, tick) may add events from its own
  /// time on. soon(event) is called some cycles ahead, for prefetching.
  template <class Visit, class Soon>
  void run(Cycle end, Visit&& visit, Soon&& soon) {
    while (count_ > 0 || !far_.empty()) {
      if (count_ == 0) now_ = std::max(now_, std::min(end, far_.begin()->first));
      for (; !far_.empty() && far_.begin()->first < now_ + span; far_.erase(far_.begin()))
        append(std::max(far_.begin()->first, now_)) = far_.begin()->second;
      if (now_ >= end) return;
      for (const Chunk* c = ring_[(now_ + ahead) & (span - 1)].first; c; c = c->next) {
        __builtin_prefetch(c->next);
        for (std::uint32_t i = 0; i < c->count; ++i) soon(c->events[i]);
      }
      Bucket& bucket = ring_[now_ & (span - 1)];
      // A visit may append to this very bucket.
      for (Chunk* c = bucket.first; c;) {
        for (std::uint32_t i = 0; i < c->count; ++i) {
          --count_;
          visit(std::as_const(c->events[i]), start_of(now_) + c->events[i].fraction);
        }
        Chunk* const next = c->next;
        if (!next) bucket = Bucket{};
        c->next = free_;
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
        if (ring_[c & (span - 1)].first) return c;
    }
    return far_.empty() ? never : far_.begin()->first;
  }

 private:
  static constexpr Cycle span = 4096;
  static constexpr Cycle ahead = 4;
  static constexpr std::size_t per_chunk = (256 - 16) / sizeof(Event);
  struct alignas(64) Chunk {
    Chunk* next;
    std::uint32_t count;
    Event events[per_chunk];
  };
  struct Bucket {
    Chunk* first = nullptr;
    Chunk* last = nullptr;
  };
  using Slab = std::vector<Chunk, HugePages<Chunk>>;

  Chunk* fresh() {
    if (!free_) {
      constexpr std::size_t slab = 1024;
      slabs_.emplace_back(slab);
      for (Chunk& c : slabs_.back()) {
        c.next = free_;
        free_ = &c;
      }
    }
    Chunk* const c = free_;
    free_ = c->next;
    c->next = nullptr;
    c->count = 0;
    return c;
  }

  Event& append(Cycle at) {
    Bucket& bucket = ring_[at & (span - 1)];
    if (!bucket.last) {
      bucket.first = bucket.last = fresh();
    } else if (bucket.last->count == per_chunk) {
      Chunk* const next = fresh();
      bucket.last->next = next;
      bucket.last = next;
    }
    ++count_;
    return bucket.last->events[bucket.last->count++];
  }

  std::vector<Bucket> ring_ = std::vector<Bucket>(span);
  std::vector<Slab> slabs_;
  Chunk* free_ = nullptr;
  std::multimap<Cycle, Event> far_;  ///< Of equals the first to come is first.
  Cycle now_ = 0;
  std::size_t count_ = 0;
};

}  // namespace wanren::timing
