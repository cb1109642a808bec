#include "timing/load_store.h"

#include <algorithm>
#include <cstddef>
#include <cstring>

#include "support/result.h"

namespace wanren::timing {
namespace {

constexpr std::uint32_t nobody = MemoryAccess::nobody;
constexpr auto no_slot = static_cast<std::uint16_t>(L1Cache::none);

template <class T>
std::uint32_t take(std::vector<T>& all, std::vector<std::uint32_t>& free) {
  if (free.empty()) {
    all.emplace_back();
    return static_cast<std::uint32_t>(all.size() - 1);
  }
  const std::uint32_t id = free.back();
  free.pop_back();
  return id;
}

}  // namespace

LoadStore::LoadStore(const Parameters& p, GridCounters& counters)
    : p_(p), counters_(counters), l1_(p), queues_(p.subcores) {
  for (Queue& queue : queues_) queue.left.assign(p.memory_queue, 0);
  blocked_.resize(static_cast<std::size_t>(p.subcores) * p.memory_queue + 1);
}

void LoadStore::leave_l1(int shared) {
  const int left = std::max(p_.l1_bytes - std::min(shared, p_.shared_bytes), p_.l1_ways << p_.line_shift);
  if (left != l1_.bytes()) l1_.configure(left);
}

std::uint32_t LoadStore::begin_load(const Load& load) {
  const std::uint32_t id = take(loads_, free_loads_);
  static_cast<Load&>(loads_[id]) = load;
  loads_[id].remaining = 1;
  loads_[id].done = 0;
  return id;
}

void LoadStore::wait_for(std::uint32_t slot, std::uint8_t sectors, std::uint32_t load) {
  ++loads_[load].remaining;
  const std::uint32_t id = take(waiters_, free_waiters_);
  waiters_[id] = {load, l1_[slot].waiters, sectors};
  l1_[slot].waiters = id;
}

void LoadStore::issue(MemoryAccess& a, Cycle now) {
  Queue& queue = queues_[a.subcore];
  a.position = 0;
  a.begun = false;
  a.queue_entry = static_cast<std::uint16_t>(queue.head);
  queue.left[queue.head] = never;
  if (++queue.head == queue.left.size()) queue.head = 0;
  if (blocked_count_ > 0 || !process(a, now)) block(a);
}

bool LoadStore::process(MemoryAccess& a, Cycle now) {
  if (!a.begun) {
    a.begun = true;
    a.begin = port_.take(start_of(now), a.cost);
    queues_[a.subcore].left[a.queue_entry] = cycle_from(a.begin);
  }
  if (!a.shared) return look_up(a, now);
  if (a.load != nobody) {
    loads_[a.load].remaining = 0;
    const Tick latency = a.remote ? start_of(p_.cluster_latency) : Tick{p_.shared_latency};
    complete(a.load, cycle_from(a.begin + latency + std::max<Tick>(0, a.cost - p_.wavefront)));
  }
  return true;
}

inline void LoadStore::send(const MemoryAccess& a, std::uint32_t token, std::uint32_t slot,
                            std::uint32_t line, std::uint8_t sectors, Cycle leaves) {
  if (a.profile) a.profile->l2_sectors += static_cast<std::uint64_t>(sector_count(sectors));
  outbox_.push_back({leaves, line, token, static_cast<std::uint16_t>(slot), sectors, a.access, a.grid,
                     static_cast<std::uint16_t>(a.same)});
}

/// Puts an access at the end of those that wait for room.
void LoadStore::block(const MemoryAccess& a) {
  // Each holds an entry of its sub-core's queue, so there is room for all.
  WR_CHECK(blocked_count_ < blocked_.size());
  // The warp may exit meanwhile: its grid has something under way until then.
  ++counters_[a.grid].in_flight;
  MemoryAccess& to = blocked_[(blocked_head_ + blocked_count_++) % blocked_.size()];
  std::memcpy(static_cast<void*>(&to), &a, offsetof(MemoryAccess, line));
  std::copy_n(a.line.begin(), a.lines, to.line.begin());
  std::copy_n(a.sectors.begin(), a.lines, to.sectors.begin());
}

/// Looks the lines up one after the other; false if one finds no room for its miss.
bool LoadStore::look_up(MemoryAccess& a, Cycle now) {
  UnitCounters& c = counters_[a.grid];
  for (; a.position < a.lines; ++a.position) {
    const std::uint32_t line = a.line[a.position];
    const std::uint8_t sectors = a.sectors[a.position];
    const int n = sector_count(sectors);
    const Cycle leaves = std::max(cycle_from(a.begin + a.position * p_.tag_lookup), now) + p_.l1_to_noc;
    std::uint32_t slot = l1_.find(line);
    if (a.access == Access::read && a.bypass_l1) {
      if (miss_sectors_ > 0 && miss_sectors_ + n > p_.miss_sectors) return false;
      miss_sectors_ += n;
      ++loads_[a.load].remaining;
      send(a, a.load, L1Cache::none, line, sectors, leaves);
      c.l1_sectors += n;
    } else if (a.access == Access::read) {
      const std::uint8_t hit = slot == L1Cache::none ? 0 : l1_[slot].valid & sectors;
      const std::uint8_t coming = slot == L1Cache::none ? 0 : l1_[slot].pending & sectors & ~hit;
      const std::uint8_t miss = sectors & ~hit & ~coming;
      if (miss) {
        const int m = sector_count(miss);
        if (miss_sectors_ > 0 && miss_sectors_ + m > p_.miss_sectors) return false;
        miss_sectors_ += m;
        if (slot == L1Cache::none) slot = l1_.allocate(line);
        if (slot != L1Cache::none) l1_[slot].pending |= miss;
        ++loads_[a.load].remaining;
        send(a, a.load, slot, line, miss, leaves);
      }
      if (coming) wait_for(slot, coming, a.load);
      c.l1_sectors += n;
      c.l1_hit_sectors += n - sector_count(miss);
    } else if (a.access == Access::atomic) {
      if (miss_sectors_ > 0 && miss_sectors_ + n > p_.miss_sectors) return false;
      miss_sectors_ += n;
      if (slot != L1Cache::none) l1_[slot].valid &= static_cast<std::uint8_t>(~sectors);
      ++loads_[a.load].remaining;
      send(a, a.load, L1Cache::none, line, sectors, leaves);
    } else if (a.spill) {
      // Written back only when it leaves L1, which is not modelled: nobody but this warp reads it.
      if (slot == L1Cache::none) slot = l1_.allocate(line);
      if (slot != L1Cache::none) l1_[slot].valid |= sectors;
      c.l1_store_sectors += n;
      c.l1_spill_sectors += n;
    } else {
      if (store_sectors_ > 0 && store_sectors_ + n > p_.miss_sectors) return false;
      store_sectors_ += n;
      if (a.access == Access::reduction && slot != L1Cache::none)
        l1_[slot].valid &= static_cast<std::uint8_t>(~sectors);
      if (a.access == Access::write) c.l1_store_sectors += n;
      ++c.in_flight;
      send(a, store_token | std::uint32_t{a.grid} << 8 | static_cast<std::uint32_t>(n), L1Cache::none, line,
           sectors, leaves);
    }
  }
  if (a.load != nobody) {
    Entry& load = loads_[a.load];
    const Cycle done = cycle_from(a.begin + p_.l1_latency + std::max<Tick>(0, a.cost - p_.wavefront));
    load.done = std::max(load.done, done);
    if (--load.remaining == 0) complete(a.load, load.done);
  }
  return true;
}

void LoadStore::complete(std::uint32_t id, Cycle at) {
  loaded_.push_back({loads_[id], at});
  free_loads_.push_back(id);
}

/// Sectors that a load waits for are there; `last`: all of those that it counts as one.
bool LoadStore::arrived(std::uint32_t id, Cycle done, bool last) {
  Entry& load = loads_[id];
  load.done = std::max(load.done, done);
  if (last && --load.remaining == 0) complete(id, load.done);
  return last;
}

void LoadStore::deliver(const Reply& in) {
  const Cycle now = cycle_from(in.arrives);
  if (in.token & store_token) {
    store_sectors_ -= static_cast<int>(in.token & 0xff);
    UnitCounters& c = counters_[in.token >> 8 & 0x7fffff];
    --c.in_flight;
    c.last_acknowledged = std::max(c.last_acknowledged, now);
  } else {
    miss_sectors_ -= sector_count(in.sectors);
    // L1's data have one port (assumed): a line's sectors that come together take one pass.
    const Tick there = in.slot == no_slot ? in.arrives : port_.take(in.arrives, p_.wavefront);
    const Cycle done = cycle_from(there + p_.l1_latency - start_of(p_.l1_to_noc));
    arrived(in.token, done, true);
    if (in.slot != no_slot) {
      l1_.fill(in.slot, in.sectors);
      for (std::uint32_t* link = &l1_[in.slot].waiters; *link != nobody;) {
        const std::uint32_t id = *link;
        Waiter& waiter = waiters_[id];
        const std::uint8_t left = waiter.sectors & static_cast<std::uint8_t>(~in.sectors);
        if (left == waiter.sectors || !arrived(waiter.load, done, left == 0)) {
          waiter.sectors = left;
          link = &waiter.next;
          continue;
        }
        *link = waiter.next;
        free_waiters_.push_back(id);
      }
    }
  }
  if (blocked_count_ > 0) retry(now);
}

void LoadStore::retry(Cycle now) {
  while (blocked_count_ > 0) {
    MemoryAccess& a = blocked_[blocked_head_];
    if (!a.begun) moved_ |= 1u << a.subcore;
    if (!process(a, now)) return;
    --counters_[a.grid].in_flight;
    if (++blocked_head_ == blocked_.size()) blocked_head_ = 0;
    --blocked_count_;
  }
}

}  // namespace wanren::timing
