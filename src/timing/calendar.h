#pragma once
// Events of the shared memory system in time order: a ring of one-cycle buckets, each with lanes that are
// first in first out and go one after the other; what lies beyond the ring waits in a tree. Events are kept
// by value in small chunks that are used again at once, so the ring takes no more host memory than what is
// under way.

#include <algorithm>
#include <bit>
#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include "timing/pages.h"
#include "timing/time.h"

namespace wanren::timing {

/// `Event` has a member `std::uint16_t fraction`: ticks past its cycle.
template <class Event, int lanes = 1>
class Calendar {
 public:
  /// Puts a copy of `event` at `when` and returns it for changes; valid until visited.
  Event& add(const Event& event, Tick when, int lane = lanes - 1) {
    const Cycle cycle = when >> tick_bits;
    if (static_cast<std::uint64_t>(cycle - now_) >= span) [[unlikely]]
      return add_elsewhere(event, when, lane);
    Event& to = append(cycle, lane);
    to = event;
    to.fraction = static_cast<std::uint16_t>(when & (one_cycle - 1));
    return to;
  }

  /// Visits events of all cycles before `end` in order; visit(event, tick) may add events from its own
  /// time on, in its own cycle to its own lane or a later one. soon(event) is called some cycles ahead, for
  /// prefetching.
  template <class Visit, class Soon>
  void run(Cycle end, Visit&& visit, Soon&& soon) {
    while (count_ > 0 || !far_.empty()) {
      if (count_ == 0) now_ = std::max(now_, std::min(end, far_.begin()->first));
      for (; !far_.empty() && far_.begin()->first < now_ + span; far_.erase(far_.begin()))
        append(std::max(far_.begin()->first, now_), far_.begin()->second.lane) = far_.begin()->second.event;
      if (now_ >= end) return;
      for (const List& list : ring_[(now_ + ahead) & (span - 1)].lane)
        for (const Chunk* c = list.first; c; c = c->next) {
          __builtin_prefetch(c->next);
          for (std::uint32_t i = 0; i < c->count; ++i) soon(c->events[i]);
        }
      for (List& list : ring_[now_ & (span - 1)].lane) {
        // A visit may append to this very list.
        for (Chunk* c = list.first; c;) {
          for (std::uint32_t i = 0; i < c->count; ++i) {
            --count_;
            visit(std::as_const(c->events[i]), start_of(now_) + c->events[i].fraction);
          }
          Chunk* const next = c->next;
          if (!next) list = List{};
          c->next = free_;
          free_ = c;
          c = next;
        }
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
        for (const List& list : ring_[c & (span - 1)].lane)
          if (list.first) return c;
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
  struct List {
    Chunk* first = nullptr;
    Chunk* last = nullptr;
  };
  /// A power of two of bytes, so that a bucket is found by a shift.
  struct alignas(std::bit_ceil(lanes * sizeof(List))) Bucket {
    List lane[lanes];
  };
  struct Far {
    Event event;
    int lane;
  };
  using Slab = std::vector<Chunk, HugePages<Chunk>>;

  /// Beyond the ring, or too late.
  [[gnu::noinline]] Event& add_elsewhere(const Event& event, Tick when, int lane) {
    const bool late = when >> tick_bits < now_;
    Event& to = late ? append(now_, lane) : far_.emplace(when >> tick_bits, Far{Event(), lane})->second.event;
    to = event;
    to.fraction = late ? 0 : static_cast<std::uint16_t>(when & (one_cycle - 1));
    return to;
  }

  [[gnu::noinline]] void make_chunks() {
    constexpr std::size_t slab = 1024;
    slabs_.emplace_back(slab);
    for (Chunk& c : slabs_.back()) {
      c.next = free_;
      free_ = &c;
    }
  }

  Chunk* fresh() {
    if (!free_) [[unlikely]]
      make_chunks();
    Chunk* const c = free_;
    free_ = c->next;
    c->next = nullptr;
    c->count = 0;
    return c;
  }

  Event& append(Cycle at, int lane) {
    List& list = ring_[at & (span - 1)].lane[lane];
    if (!list.last) {
      list.first = list.last = fresh();
    } else if (list.last->count == per_chunk) {
      Chunk* const next = fresh();
      list.last->next = next;
      list.last = next;
    }
    ++count_;
    return list.last->events[list.last->count++];
  }

  std::vector<Bucket> ring_ = std::vector<Bucket>(span);
  std::vector<Slab> slabs_;
  Chunk* free_ = nullptr;
  std::multimap<Cycle, Far> far_;  ///< Of equals the first to come is first.
  Cycle now_ = 0;
  std::size_t count_ = 0;
};

}  // namespace wanren::timing
