// From issue to L1 and shared memory, and back to the scoreboard.

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstring>

#include "support/result.h"
#include "timing/unit.h"

namespace wanren::timing {
namespace {

using lower::Memory;

constexpr std::uint32_t nobody = ~0u;
constexpr std::uint16_t no_slot = 0xffff;
/// Tokens of requests that no load waits for: grid << 8 | sectors.
constexpr std::uint32_t store_token = 0x80000000u;
/// Line numbers that no device address has: local frames, kernel parameters.
constexpr std::uint32_t local_lines = 0x80000000u, parameter_lines = 0xf0000000u;

Access access_of(Memory memory) {
  switch (memory) {
    case Memory::store: return Access::write;
    case Memory::atomic: return Access::atomic;
    case Memory::reduction: return Access::reduction;
    default: return Access::read;
  }
}

}  // namespace

void Unit::update_memory_pipe(int s) {
  SubCore& sub = subs_[s];
  Cycle& free = sub.pipe_free[static_cast<int>(lower::Pipe::memory)];
  free = std::max(sub.memory_port, sub.queue[sub.queue_head]);
  wake(s, std::max(free, sub.issue_free));
}

std::uint32_t Unit::new_load(int s, int w, const DecodedInst& inst) {
  std::uint32_t id;
  if (free_loads_.empty()) {
    id = static_cast<std::uint32_t>(loads_.size());
    loads_.emplace_back();
  } else {
    id = free_loads_.back();
    free_loads_.pop_back();
  }
  Load& load = loads_[id];
  load.done = 0;
  load.remaining = 1;
  load.subcore = static_cast<std::uint16_t>(s);
  load.warp = static_cast<std::uint16_t>(w);
  load.dst = inst.dst;
  load.dst_count = inst.dst_count;
  load.dst_predicate = inst.dst_predicate;
  load.async = inst.memory == Memory::async_copy;
  load.why = inst.stall;
  return id;
}

void Unit::wait_for(std::uint32_t slot, std::uint8_t sectors, std::uint32_t load) {
  ++loads_[load].remaining;
  std::uint32_t id;
  if (free_waiters_.empty()) {
    id = static_cast<std::uint32_t>(waiters_.size());
    waiters_.emplace_back();
  } else {
    id = free_waiters_.back();
    free_waiters_.pop_back();
  }
  waiters_[id] = {load, l1_[slot].waiters, sectors};
  l1_[slot].waiters = id;
}

void Unit::local_footprint(const trace::Record& record, const DecodedInst& inst, int s, int w,
                           const Grid& grid, Footprint& out) {
  // Frames of a warp's lanes are interleaved word by word: the same variable of all lanes is one line.
  const std::uint32_t frame =
      local_lines + static_cast<std::uint32_t>((number_ * p_.subcores + s) * p_.warps_per_subcore + w) *
                        grid.program->frame_lines;
  out.lines = out.same = 0;
  out.base_line = 0;
  const auto add = [&](std::uint32_t word, std::uint8_t sectors) {
    for (int i = 0; i < out.lines; ++i)
      if (out.line[i] == frame + word) {
        out.sectors[i] |= sectors;
        return;
      }
    if (out.lines == Footprint::most) return;
    out.line[out.lines] = frame + word;
    out.sectors[out.lines++] = sectors;
  };
  const int lane_bytes_shift = p_.line_shift - 5;
  const auto sector_of = [&](int lane) {
    return static_cast<std::uint8_t>(1u << ((lane << lane_bytes_shift) >> p_.sector_shift));
  };
  if (inst.spill) {
    for (std::uint32_t word = 0; 4 * word < inst.bytes; ++word)
      for (int lane = 0; lane < warp_size; ++lane)
        if (subs_[s].warps[w].mask >> lane & 1)
          add(grid.program->spill_first + inst.spill_word + word, sector_of(lane));
  } else {
    std::array<std::uint64_t, warp_size> addresses;
    Coalescer::expand(record, grid.patterns, addresses);
    for (int lane = 0; lane < warp_size; ++lane) {
      if (!(record.mask >> lane & 1)) continue;
      const std::uint64_t offset = addresses[lane] - std::uint64_t(lane) * grid.program->local_bytes;
      for (std::uint64_t word = offset / 4; word <= (offset + std::max<int>(1, inst.bytes) - 1) / 4; ++word)
        add(static_cast<std::uint32_t>(word % grid.program->frame_lines), sector_of(lane));
    }
  }
  out.wavefronts = std::max(1, out.lines);
}

void Unit::issue_memory(int s, int w, Cycle now, const DecodedInst& inst) {
  SubCore& sub = subs_[s];
  Warp& warp = sub.warps[w];
  const Grid& grid = grid_of(warp);
  UnitCounters& c = counters_[grid.slot];
  trace::Record record{};
  record.space = trace::Space::local;
  record.mask = warp.mask;
  if (inst.slot != simt::no_slot)
    trace::read_record(
        warp.block_words + sub.records[static_cast<std::size_t>(w) * record_stride_ + inst.slot], record);
  if (record.mask == 0 || record.space == trace::Space::none) return;

  MemoryAccess& a = workspace_->access;
  a.grid = &grid;
  a.profile = profile_of(c, warp, false);
  a.subcore = static_cast<std::uint16_t>(s);
  a.access = access_of(inst.memory);
  a.shared = record.space == trace::Space::shared;
  a.position = 0;
  a.begun = false;
  a.bypass_l1 = inst.bypass_l1;
  a.spill = inst.spill;
  const bool atomic = a.access == Access::atomic || a.access == Access::reduction;
  if (record.space == trace::Space::local) local_footprint(record, inst, s, w, grid, workspace_->local);
  const Footprint& f =
      record.space == trace::Space::local
          ? workspace_->local
          : workspace_->coalescer(record, inst.bytes, grid.patterns, grid.strides, grid.serial, atomic);
  a.same = f.same;
  a.cost = f.wavefronts * p_.wavefront;
  if (a.shared) {
    a.lines = 0;
    ++c.shared_accesses;
    c.shared_wavefronts += static_cast<std::uint64_t>(f.wavefronts);
    if (a.profile) a.profile->shared_wavefronts += static_cast<std::uint64_t>(f.wavefronts);
    c.shared_bytes += static_cast<std::uint64_t>(std::popcount(record.mask)) * inst.bytes;
    if (atomic) a.cost += (f.same - 1) * p_.shared_atomic;
  } else {
    const std::uint32_t base = f.base_line + (record.space == trace::Space::param ? parameter_lines : 0);
    a.lines = f.lines;
    for (int i = 0; i < f.lines; ++i) {
      a.line[i] = f.line[i] + base;
      a.sectors[i] = f.sectors[i];
    }
    ++c.l1_accesses;
    if (a.profile)
      for (int i = 0; i < f.lines; ++i)
        a.profile->l1_sectors += static_cast<std::uint64_t>(sector_count(f.sectors[i]));
    a.cost = std::max<Tick>(a.cost, f.lines * p_.tag_lookup);
  }
  a.load = nobody;
  const bool waits = a.access == Access::read || a.access == Access::atomic;
  if (waits) {
    a.load = new_load(s, w, inst);
    Load& load = loads_[a.load];
    if (a.shared && load.why == Stall::long_scoreboard) load.why = Stall::short_scoreboard;
    ++warp.loads;
    const Stamp unknown = stamp(never, load.why);
    Stamp* board = sub.scoreboard.data() + static_cast<std::size_t>(w) * scoreboard_stride_;
    for (int i = 0; i < inst.dst_count; ++i) board[inst.dst + i] = unknown;
    if (inst.dst_predicate != 0xffff) board[inst.dst_predicate] = unknown;
    if (load.async) load.stretch = warp.copies.begin_copy(now);
  }
  a.queue_entry = static_cast<std::uint16_t>(sub.queue_head);
  sub.queue[sub.queue_head] = never;
  if (++sub.queue_head == sub.queue.size()) sub.queue_head = 0;
  if (blocked_count_ > 0 || !process(a, now)) block(a);
}

bool Unit::process(MemoryAccess& a, Cycle now) {
  if (!a.begun) {
    a.begun = true;
    a.begin = l1_port_.take(start_of(now), a.cost);
    subs_[a.subcore].queue[a.queue_entry] = cycle_from(a.begin);
  }
  if (!a.shared) return look_up(a, now);
  if (a.load != nobody) {
    loads_[a.load].remaining = 0;
    complete(a.load, cycle_from(a.begin + p_.shared_latency + std::max<Tick>(0, a.cost - p_.wavefront)));
  }
  return true;
}

void Unit::send(const MemoryAccess& a, std::uint32_t token, std::uint32_t slot, std::uint32_t line,
                std::uint8_t sectors, Cycle leaves) {
  if (a.profile) a.profile->l2_sectors += static_cast<std::uint64_t>(sector_count(sectors));
  outbox_.push_back({leaves, line, token, static_cast<std::uint16_t>(slot), sectors, a.access, a.grid->slot,
                     static_cast<std::uint16_t>(a.same)});
}

/// Puts an access at the end of those that wait for room.
void Unit::block(const MemoryAccess& a) {
  // Each holds an entry of its sub-core's queue, so there is room for all.
  WR_CHECK(blocked_count_ < blocked_.size());
  // The warp may exit meanwhile: its grid has something under way until then.
  ++counters_[a.grid->slot].in_flight;
  MemoryAccess& to = blocked_[(blocked_head_ + blocked_count_++) % blocked_.size()];
  std::memcpy(static_cast<void*>(&to), &a, offsetof(MemoryAccess, line));
  std::copy_n(a.line.begin(), a.lines, to.line.begin());
  std::copy_n(a.sectors.begin(), a.lines, to.sectors.begin());
}

/// Looks the lines up one after the other; false if one finds no room for its miss.
bool Unit::look_up(MemoryAccess& a, Cycle now) {
  UnitCounters& c = counters_[a.grid->slot];
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
      send(a, store_token | std::uint32_t{a.grid->slot} << 8 | static_cast<std::uint32_t>(n), L1Cache::none,
           line, sectors, leaves);
    }
  }
  if (a.load != nobody) {
    Load& load = loads_[a.load];
    const Cycle done = cycle_from(a.begin + p_.l1_latency + std::max<Tick>(0, a.cost - p_.wavefront));
    load.done = std::max(load.done, done);
    if (--load.remaining == 0) complete(a.load, load.done);
  }
  return true;
}

void Unit::complete(std::uint32_t id, Cycle at) {
  const Load load = loads_[id];
  free_loads_.push_back(id);
  SubCore& sub = subs_[load.subcore];
  Warp& warp = sub.warps[load.warp];
  Stamp* board = sub.scoreboard.data() + static_cast<std::size_t>(load.warp) * scoreboard_stride_;
  const Stamp known = stamp(at, load.why);
  for (int i = 0; i < load.dst_count; ++i) board[load.dst + i] = known;
  if (load.dst_predicate != 0xffff) board[load.dst_predicate] = known;
  if (load.async) end_copy(load, at);
  --warp.loads;
  warp.last_load = std::max(warp.last_load, at);
  if (warp.state == State::running && sub.ready[load.warp] == never) set_ready(load.subcore, load.warp);
  if (warp.state == State::draining && warp.loads == 0) finish_warp(load.subcore, load.warp, at);
}

/// Sectors that a load waits for are there; `last`: all of those that it counts as one.
bool Unit::arrived(std::uint32_t id, Cycle done, bool last) {
  Load& load = loads_[id];
  load.done = std::max(load.done, done);
  if (last && --load.remaining == 0) complete(id, load.done);
  return last;
}

/// Replies name scattered records: fetch them together rather than one after the other.
void Unit::prefetch_replies() const {
  for (std::size_t i = inbox_head_; i < inbox_.size(); ++i) {
    const Reply& in = inbox_[i];
    if (in.token & store_token) continue;
    __builtin_prefetch(&loads_[in.token], 1);
    if (in.slot != no_slot) l1_.prefetch(in.slot);
  }
  for (std::size_t i = inbox_head_; i < inbox_.size(); ++i) {
    if (inbox_[i].token & store_token) continue;
    const Load& load = loads_[inbox_[i].token];
    const SubCore& sub = subs_[load.subcore];
    const char* warp = reinterpret_cast<const char*>(&sub.warps[load.warp]);
    __builtin_prefetch(warp, 1);
    __builtin_prefetch(warp + 64, 1);
    __builtin_prefetch(&sub.scoreboard[std::size_t{load.warp} * scoreboard_stride_ + load.dst], 1);
    __builtin_prefetch(&sub.records[std::size_t{load.warp} * record_stride_]);
  }
  for (std::size_t i = inbox_head_; i < inbox_.size(); ++i) {
    if (inbox_[i].token & store_token) continue;
    const Load& load = loads_[inbox_[i].token];
    const SubCore& sub = subs_[load.subcore];
    const Warp& warp = sub.warps[load.warp];
    if (warp.next != warp.end && warp.next->memory != Memory::none && warp.next->slot != simt::no_slot)
      __builtin_prefetch(warp.block_words +
                         sub.records[std::size_t{load.warp} * record_stride_ + warp.next->slot]);
  }
}

void Unit::deliver(const Reply& in) {
  const Cycle now = cycle_from(in.arrives);
  if (in.token & store_token) {
    store_sectors_ -= static_cast<int>(in.token & 0xff);
    UnitCounters& c = counters_[in.token >> 8 & 0x7fffff];
    --c.in_flight;
    c.last_acknowledged = std::max(c.last_acknowledged, now);
  } else {
    miss_sectors_ -= sector_count(in.sectors);
    const Cycle done = cycle_from(in.arrives + p_.l1_latency - start_of(p_.l1_to_noc));
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
  retry(now);
}

void Unit::retry(Cycle now) {
  while (blocked_count_ > 0) {
    MemoryAccess& a = blocked_[blocked_head_];
    const bool begun = a.begun;
    const int s = a.subcore;
    const bool done = process(a, now);
    if (!begun) update_memory_pipe(s);
    if (!done) return;
    --counters_[a.grid->slot].in_flight;
    if (++blocked_head_ == blocked_.size()) blocked_head_ = 0;
    --blocked_count_;
  }
}

}  // namespace wanren::timing
