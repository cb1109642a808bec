// Issue: pick a warp, account what it waited for, take its pipe, set its results' times.

#include <algorithm>
#include <bit>
#include <utility>

#include "support/result.h"
#include "timing/unit.h"

namespace wanren::timing {

using lower::Pipe;

/// Issues at `now`, then goes on before `limit` as long as that concerns this sub-core alone.
void Unit::step(int s, Cycle now, Cycle limit) {
  SubCore& sub = subs_[s];
  for (bool alone = false;; alone = true) {
    Cycle next = sub.issue_free;
    const int w = next > now ? WarpScheduler::none : p_.warp_scheduler->pick(sub, now, next);
    if (w == WarpScheduler::none) {
      next_[s] = next;
    } else {
      Warp& warp = sub.warps[w];
      next_[s] = now;
      if (alone && (warp.state != State::running || !warp.next->local)) return;
      next_[s] = never;
      if (warp.state == State::asleep) {
        UnitCounters& c = counters_[grid_of(warp).slot];
        const auto slept = static_cast<std::uint64_t>(now - warp.resume);
        const Stall why = std::exchange(warp.asleep_for, Stall::sleep);
        c.stalls[static_cast<std::size_t>(why)] += slept;
        if (InstructionProfile* row = profile_of(c, warp, true))
          row->stall_cycles[static_cast<std::size_t>(why)] += slept;
        warp.resume = now;
        warp.state = State::running;
        warp.sleep_ns = 0;
        if (warp.next != warp.end) {
          warp.base = std::max(warp.base, stamp(now, why));
          set_ready(s, w);
        } else {
          start_block(s, w, now, stamp(now, why));
        }
        return wake(s, now);
      }
      issue(s, w, now);
      wake(s, sub.issue_free);
    }
    now = next_[s];
    // A warp of this sub-core may be the next to issue once it has its chunk.
    if (now >= limit || !turns_.empty()) return;
  }
}

/// Of the warp's next instruction, or the last that it has issued; null unless the grid is profiled.
InstructionProfile* Unit::profile_of(UnitCounters& c, const Warp& warp, bool issued) const {
  if (c.profile.empty()) [[likely]]
    return nullptr;
  if (warp.next == nullptr) return c.profile.data();  // has not begun
  return &c.profile[static_cast<std::size_t>(warp.next - grid_of(warp).program->insts.data()) -
                    (issued ? 1 : 0)];
}

/// Splits the cycles since the warp's last issue into stalls.
void Unit::account(SubCore& sub, Warp& warp, int w, Cycle now, std::uint32_t issue_cycles, Cycle pipe_free) {
  UnitCounters& c = counters_[grid_of(warp).slot];
  InstructionProfile* const row = profile_of(c, warp, false);
  const auto stall = [&](Stall why, Cycle cycles) {
    c.stalls[static_cast<std::size_t>(why)] += static_cast<std::uint64_t>(cycles);
    if (row) row->stall_cycles[static_cast<std::size_t>(why)] += static_cast<std::uint64_t>(cycles);
  };
  if (row) {
    ++row->issues;
    row->lanes += static_cast<std::uint64_t>(std::popcount(warp.mask));
  }
  Cycle from = warp.resume;
  const Cycle operands = std::min(sub.ready[w], now);
  if (operands > from) {
    stall(static_cast<Stall>(warp.earliest & ((1 << stamp_bits) - 1)), operands - from);
    from = operands;
  }
  if (pipe_free > from) {
    const Pipe pipe = static_cast<Pipe>(sub.pipe[w]);
    const Stall why = pipe == Pipe::memory   ? Stall::memory_queue
                      : pipe == Pipe::tensor ? Stall::tensor_pipe
                                             : Stall::math_pipe;
    stall(why, std::min(pipe_free, now) - from);
    from = std::min(pipe_free, now);
  }
  if (now > from) stall(Stall::not_selected, now - from);
  c.issue_cycles += issue_cycles;
  warp.resume = now + issue_cycles;
}

void Unit::set_ready(int s, int w) {
  SubCore& sub = subs_[s];
  Warp& warp = sub.warps[w];
  const DecodedInst& inst = *warp.next;
  const Grid& grid = grid_of(warp);
  const Stamp* board = sub.scoreboard.data() + static_cast<std::size_t>(w) * scoreboard_stride_;
  Stamp at = warp.base;
  const std::uint16_t* source = grid.program->sources.data() + inst.first_source;
  for (int i = 0; i < inst.sources; ++i) at = std::max(at, board[source[i]]);
  // In-order results: a write waits until it would land after the one before it.
  const Stamp earlier = static_cast<Stamp>(inst.latency) << stamp_bits;
  for (int i = 0; i < inst.dst_count; ++i) at = std::max(at, board[inst.dst + i] - earlier);
  if (inst.dst_predicate != 0xffff) at = std::max(at, board[inst.dst_predicate] - earlier);
  if (inst.memory == lower::Memory::group) at = std::max(at, copies_there(s, w, inst));
  warp.earliest = at;
  sub.ready[w] = at >> stamp_bits >= never / 2 ? never : at >> stamp_bits;
  sub.pipe[w] = static_cast<std::uint8_t>(inst.pipe);
  // A warp's trace is long cold by the time the warp gets here again.
  if (inst.memory != lower::Memory::none && inst.slot != simt::no_slot)
    __builtin_prefetch(warp.block_words +
                       sub.records[static_cast<std::size_t>(w) * record_stride_ + inst.slot]);
  wake(s, sub.ready[w]);
}

void Unit::issue(int s, int w, Cycle now) {
  SubCore& sub = subs_[s];
  Warp& warp = sub.warps[w];
  const DecodedInst& inst = *warp.next;
  const int pipe = static_cast<int>(inst.pipe);
  account(sub, warp, w, now, inst.repeat, sub.pipe_free[pipe]);
  sub.last = w;
  sub.issue_free = now + inst.repeat;
  if (inst.pipe != Pipe::none) {
    sub.pipe_free[pipe] = now + inst.occupancy;
    if (p_.int_shares_fp32) {
      // One port feeds integer and half of FP32: an integer instruction takes half of what an FP32
      // one of the same length would, and an FP32 one keeps the port for its own length.
      if (inst.pipe == Pipe::fp32)
        sub.pipe_free[static_cast<int>(Pipe::integer)] =
            std::max(sub.pipe_free[static_cast<int>(Pipe::integer)], now + Cycle{inst.occupancy});
      if (inst.pipe == Pipe::integer)
        sub.pipe_free[static_cast<int>(Pipe::fp32)] =
            std::max(sub.pipe_free[static_cast<int>(Pipe::fp32)], now + Cycle{inst.occupancy + 1} / 2);
    }
  }
  Stamp* board = sub.scoreboard.data() + static_cast<std::size_t>(w) * scoreboard_stride_;
  const Stamp result = stamp(now + inst.latency, inst.stall);
  if (inst.dst_predicate != 0xffff) board[inst.dst_predicate] = result;
  for (int i = 0; i < inst.dst_count; ++i) board[inst.dst + i] = result;

  const Cycle after = now + inst.repeat;
  warp.base =
      inst.bank_conflict ? stamp(after + inst.bank_conflict, Stall::dispatch) : stamp(after, Stall::wait);
  const bool barrier = inst.pipe == Pipe::barrier && inst.slot != simt::no_slot;
  const bool async = inst.memory == lower::Memory::phase || inst.memory == lower::Memory::group;
  if (inst.memory != lower::Memory::none && !async) issue_memory(s, w, now, inst);
  if (inst.pipe == Pipe::memory) {
    sub.memory_port = now + inst.occupancy;
    update_memory_pipe(s);
  }
  ++warp.next;
  if (async) {
    if (const trace::Record record = record_of(s, w, inst); record.mask) {
      issue_async(s, w, now, inst, record);
      if (warp.state != State::running) return;
    }
  }
  if (barrier) {
    const std::uint32_t offset = sub.records[static_cast<std::size_t>(w) * record_stride_ + inst.slot];
    trace::Record record;
    trace::read_record(warp.block_words + offset, record);
    if (record.mask) return arrive(s, w, now, record);
  }
  if (warp.next == warp.end)
    start_block(s, w, now, warp.base);
  else
    set_ready(s, w);
}

}  // namespace wanren::timing
