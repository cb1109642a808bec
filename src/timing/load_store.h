#pragma once
// Load/store of one compute unit: the sub-cores' memory queues, the port of L1 and shared memory, misses.
// In: accesses in the order of issue, replies in the order of time. Out: requests to L2, loads whose data's
// time is known, sub-cores whose queue has moved.

#include <array>
#include <cstdint>
#include <utility>
#include <vector>

#include "timing/coalesce.h"
#include "timing/grid.h"
#include "timing/l1.h"
#include "timing/messages.h"
#include "timing/parameters.h"

namespace wanren::timing {

inline Access access_of(lower::Memory memory) {
  switch (memory) {
    case lower::Memory::store: return Access::write;
    case lower::Memory::atomic: return Access::atomic;
    case lower::Memory::reduction: return Access::reduction;
    default: return Access::read;
  }
}

/// A memory instruction between queue and L1.
struct MemoryAccess {
  static constexpr std::uint32_t nobody = ~0u;
  InstructionProfile* profile = nullptr;  ///< Null: nobody asked.
  std::uint32_t load = nobody;            ///< Who waits.
  std::uint16_t grid = 0;                 ///< Slot.
  std::uint16_t subcore = 0, queue_entry = 0;
  Access access = Access::read;
  bool shared = false;
  bool remote = false;  ///< shared: of another unit.
  bool begun = false;
  bool bypass_l1 = false;  ///< A read that goes to L2 and leaves nothing in L1.
  bool spill = false;      ///< Of the thread's spill space: stores stay in L1.
  int position = 0;        ///< Next line to look up.
  Tick begin = 0, cost = 0;
  int lines = 0, same = 0;
  std::array<std::uint32_t, Footprint::most> line;
  std::array<std::uint8_t, Footprint::most> sectors;
};

/// A load under way, as its sub-core wants it back.
struct Load {
  std::uint32_t stretch = 0;  ///< async: of the warp's copies.
  std::uint16_t subcore = 0, warp = 0, dst = 0, dst_predicate = 0xffff;
  std::uint8_t dst_count = 0;
  bool async = false;
  Stall why = Stall::long_scoreboard;
};

class LoadStore {
 public:
  struct Loaded {
    Load load;
    Cycle at;
  };

  LoadStore(const Parameters& p, GridCounters& counters);

  /// L1 is what `shared` bytes of shared memory leave. Only while idle().
  void leave_l1(int shared);
  /// What L1 holds is stale.
  void invalidate() { l1_.invalidate(); }
  bool idle() const { return miss_sectors_ == 0 && blocked_count_ == 0; }

  /// What issue() takes as `load`.
  std::uint32_t begin_load(const Load& load);
  /// The instruction enters its sub-core's queue, then L1 as soon as there is room. `access.load` is
  /// from begin_load(), or nobody.
  void issue(MemoryAccess& access, Cycle now);
  /// When sub-core `s` finds room in its queue; never: not known yet.
  Cycle accepts(int s) const { return queues_[s].left[queues_[s].head]; }
  /// Something small passes through the banks of shared memory; returns when.
  Tick pass(Cycle now) { return port_.take(start_of(now), p_.wavefront); }
  void deliver(const Reply& reply);

  std::vector<Request>& outbox() { return outbox_; }
  /// What is known since the reader last cleared it.
  std::vector<Loaded>& loaded() { return loaded_; }
  /// By sub-core: a reply has changed accepts() since this was last asked.
  std::uint32_t moved() { return std::exchange(moved_, 0); }

  /// Who waits for it; null: nobody.
  const Load* load_of(const Reply& reply) const {
    return reply.token & store_token ? nullptr : &loads_[reply.token];
  }
  void prefetch(const Reply& reply) const {
    if (reply.token & store_token) return;
    __builtin_prefetch(&loads_[reply.token], 1);
    if (reply.slot != static_cast<std::uint16_t>(L1Cache::none)) l1_.prefetch(reply.slot);
  }

 private:
  /// Tokens of requests that no load waits for: grid << 8 | sectors.
  static constexpr std::uint32_t store_token = 0x80000000u;
  struct Entry : Load {
    std::uint32_t remaining = 0;
    Cycle done = 0;
  };
  struct Waiter {
    std::uint32_t load, next;
    std::uint8_t sectors;
  };
  /// Of one sub-core. Ring: when each of the last instructions left for L1.
  struct Queue {
    std::vector<Cycle> left;
    std::uint32_t head = 0;
  };

  bool process(MemoryAccess& access, Cycle now);
  bool look_up(MemoryAccess& access, Cycle now);
  void send(const MemoryAccess& access, std::uint32_t token, std::uint32_t slot, std::uint32_t line,
            std::uint8_t sectors, Cycle leaves);
  void block(const MemoryAccess& access);
  void complete(std::uint32_t load, Cycle at);
  void retry(Cycle now);
  bool arrived(std::uint32_t load, Cycle done, bool last);
  void wait_for(std::uint32_t slot, std::uint8_t sectors, std::uint32_t load);

  const Parameters& p_;
  GridCounters& counters_;
  L1Cache l1_;
  Port port_;
  int miss_sectors_ = 0, store_sectors_ = 0;  ///< Outstanding.
  std::vector<Queue> queues_;
  std::vector<Entry> loads_;
  std::vector<Waiter> waiters_;
  std::vector<std::uint32_t> free_loads_, free_waiters_;
  std::vector<MemoryAccess> blocked_;  ///< Ring, in order; the first waits for room.
  std::size_t blocked_head_ = 0, blocked_count_ = 0;
  std::vector<Request> outbox_;
  std::vector<Loaded> loaded_;
  std::uint32_t moved_ = 0;
};

}  // namespace wanren::timing
