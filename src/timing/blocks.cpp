// A warp's way through its trace: chunks, blocks, barriers, exit.

#include <algorithm>
#include <bit>

#include "support/result.h"
#include "timing/unit.h"

namespace wanren::timing {

/// Code lines come into the unit's instruction cache first in, first out; a block with a missing line
/// waits once, its further lines are prefetched.
Cycle Unit::fetch_penalty(const DecodedBlock& block, const Grid& grid) {
  std::vector<std::uint32_t>& fetched = counters_[grid.slot].fetched;
  const std::uint32_t capacity =
      std::max<std::uint32_t>(1, static_cast<std::uint32_t>(p_.fetch_cache_bytes / p_.fetch_line_bytes));
  bool missing = false;
  for (std::uint32_t line = block.code_line; line < block.code_line + block.code_lines; ++line) {
    if (fetched[line] && fetches_ + 1 - fetched[line] < capacity) continue;
    missing = true;
    fetched[line] = ++fetches_;
  }
  return missing ? p_.fetch_latency : 0;
}

void Unit::next_chunk(Warp& warp, Cycle now) {
  const Grid& grid = grid_of(warp);
  const trace::Moment moment{static_cast<std::uint64_t>(now),
                             static_cast<std::uint64_t>(clock_.at(now).value / 1000)};
  const trace::Chunk chunk = grid.source->next(ctas_[warp.cta].handle, warp.number, moment);
  warp.words = chunk.words.data();
  warp.words_end = warp.words + chunk.words.size();
  warp.chunk_end = chunk.end;
  warp.sleep_ns = chunk.sleep_ns;
}

void Unit::start_block(int s, int w, Cycle now, Stamp earliest, bool has_turn) {
  SubCore& sub = subs_[s];
  Warp& warp = sub.warp(w);
  const Grid& grid = grid_of(warp);
  const bool branched = warp.next && warp.next[-1].pipe == lower::Pipe::branch;
  std::uint32_t fall_through = warp.block + 1;
  for (;;) {
    if (warp.words == warp.words_end) {
      if (warp.chunk_end == trace::Chunk::End::exited) return exit_warp(s, w, now);
      if (warp.sleep_ns > 0) {
        warp.state = State::asleep;
        return sub.sleep_until(
            w, (earliest >> stamp_bits) +
                   clock_.cycles_in(Picoseconds(static_cast<std::int64_t>(warp.sleep_ns) * 1000)));
      }
      if (ordered_ && !has_turn) {
        warp.state = State::turn;
        sub.park(w);
        turns_.push_back({s, w, now, earliest});
        return;
      }
      next_chunk(warp, now);
      has_turn = false;
      if (warp.words != warp.words_end || warp.chunk_end == trace::Chunk::End::exited) continue;
      if (grid.source->failed()) return exit_warp(s, w, now);
      WR_CHECK(warp.chunk_end == trace::Chunk::End::coupled);
      if (warp.sleep_ns == 0) {
        warp.state = State::asleep;
        return sub.sleep_until(w, now + p_.poll_interval);
      }
      continue;
    }
    warp.block = static_cast<std::uint32_t>(*warp.words);
    warp.mask = static_cast<LaneMask>(*warp.words >> 32);
    WR_CHECK(warp.block < grid.program->blocks.size());
    const DecodedBlock& block = grid.program->blocks[warp.block];
    warp.block_words = warp.words++;
    std::uint32_t* records = sub.records(w);
    for (int slot = 0; slot < block.slots; ++slot) {
      records[slot] = static_cast<std::uint32_t>(warp.words - warp.block_words);
      trace::Record record;
      warp.words = trace::read_record(warp.words, record);
    }
    WR_CHECK(warp.words <= warp.words_end);
    __builtin_prefetch(warp.words);
    UnitCounters& c = counters_[grid.slot];
    ++c.block_runs[warp.block];
    c.block_lanes[warp.block] += static_cast<std::uint64_t>(std::popcount(warp.mask));
    if (block.count == 0) {
      if (warp.block == fall_through) ++fall_through;
      continue;
    }
    if (branched && warp.block != fall_through)
      earliest = std::max(earliest, stamp(now + p_.branch_latency, Stall::branch));
    if (const Cycle penalty = fetch_penalty(block, grid))
      earliest = stamp((earliest >> stamp_bits) + penalty, Stall::instruction);
    warp.next = grid.program->insts.data() + block.first;
    warp.end = warp.next + block.count;
    warp.base = earliest;
    return set_ready(s, w);
  }
}

/// A warp leaves when its loads are back; stores may still be under way.
void Unit::exit_warp(int s, int w, Cycle now) {
  SubCore& sub = subs_[s];
  Warp& warp = sub.warp(w);
  sub.park(w);
  if (warp.loads > 0) {
    warp.state = State::draining;
    return;
  }
  finish_warp(s, w, now);
}

void Unit::finish_warp(int s, int w, Cycle now) {
  SubCore& sub = subs_[s];
  Warp& warp = sub.warp(w);
  Cta& cta = ctas_[warp.cta];
  const Grid& grid = *cta.grid;
  UnitCounters& c = counters_[grid.slot];
  if (warp.last_load > warp.resume) {
    const auto drained = static_cast<std::uint64_t>(warp.last_load - warp.resume);
    c.stalls[static_cast<std::size_t>(Stall::drain)] += drained;
    if (InstructionProfile* row = profile_of(c, warp, true))
      row->stall_cycles[static_cast<std::size_t>(Stall::drain)] += drained;
    warp.resume = warp.last_load;
  }
  c.warp_cycles += static_cast<std::uint64_t>(warp.resume - warp.launched);
  c.last_exit = std::max(c.last_exit, warp.resume);
  cta.end = std::max(cta.end, warp.resume);
  if (grid.meets) {
    ClusterMessage m = message_of(cta, ClusterMessage::Kind::exit, now);
    m.warp = warp.number;
    messages_.push_back(m);
  }
  sub.end_warp(w);
  if (--cta.live > 0) {
    for (int id = 0; id < BarrierTable::count; ++id)
      if (cta.barriers.has_waiting(id)) open_barrier(cta, id, now);
    return;
  }
  grid.source->end_cta(cta.handle);
  freed_.push_back({grid.slot, cta.end});
  --ctas_resident_;
  if (--c.resident == 0) c.unit_active_cycles += static_cast<std::uint64_t>(c.last_exit - c.active_since);
  cta.grid = nullptr;
}

void Unit::arrive(int s, int w, Cycle now, const trace::Record& record) {
  if (static_cast<std::uint32_t>(record.base) >= trace::cluster_arrive)
    return meet_cluster(s, w, now, record);
  SubCore& sub = subs_[s];
  Warp& warp = sub.warp(w);
  Cta& cta = ctas_[warp.cta];
  const int id = static_cast<int>(record.base & 15);
  const std::uint32_t expected = static_cast<std::uint32_t>(record.base >> 32);
  const std::uint32_t warps = (expected + warp_size - 1) / warp_size;
  const bool waits = cta.grid->program->blocks[warp.block].waits_at_barrier;
  cta.barriers.arrive(id, warp.number, warps >= cta.grid->warps_per_cta ? 0 : warps, waits);
  if (waits) {
    warp.state = State::barrier;
    sub.park(w);
  } else if (warp.next == warp.end) {
    start_block(s, w, now, warp.base);
  } else {
    set_ready(s, w);
  }
  open_barrier(cta, id, now);
}

void Unit::open_barrier(Cta& cta, int id, Cycle now) {
  const std::optional<std::uint64_t> waiting = cta.barriers.open(id, cta.live);
  if (!waiting) return;
  let_go(cta, *waiting, stamp(now + p_.barrier_latency, Stall::barrier), now);
}

void Unit::let_go(Cta& cta, std::uint64_t warps, Stamp open, Cycle now) {
  for (std::uint64_t left = warps; left; left &= left - 1) {
    const std::uint16_t place = cta.place[std::countr_zero(left)];
    const int s = place >> 8, w = place & 0xff;
    Warp& warp = subs_[s].warp(w);
    warp.state = State::running;
    warp.base = std::max(warp.base, open);
    if (warp.next == warp.end)
      start_block(s, w, now, warp.base);
    else
      set_ready(s, w);
  }
}

}  // namespace wanren::timing
