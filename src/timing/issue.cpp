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
    const int w = sub.pick(now, alone);
    if (w != WarpScheduler::none) {
      if (!alone && sub.warp(w).state == State::asleep) return wake_up(s, w, now);
      issue(s, w, now);
    } else if (sub.next() == now) {
      return;
    }
    now = sub.next();
    // A warp of this sub-core may be the next to issue once it has its chunk.
    if (now >= limit || !turns_.empty()) return;
  }
}

void Unit::wake_up(int s, int w, Cycle now) {
  Warp& warp = subs_[s].warp(w);
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
  subs_[s].wake(now);
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
void Unit::account(const SubCore& sub, Warp& warp, int w, Cycle now) {
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
  const Cycle operands = std::min(sub.ready(w), now);
  if (operands > from) {
    stall(static_cast<Stall>(warp.earliest & ((1 << stamp_bits) - 1)), operands - from);
    from = operands;
  }
  if (const Cycle pipe_free = sub.pipe_free(w); pipe_free > from) {
    const Pipe pipe = sub.pipe(w);
    const Stall why = pipe == Pipe::memory   ? Stall::memory_queue
                      : pipe == Pipe::tensor ? Stall::tensor_pipe
                                             : Stall::math_pipe;
    stall(why, std::min(pipe_free, now) - from);
    from = std::min(pipe_free, now);
  }
  if (now > from) stall(Stall::not_selected, now - from);
  c.issue_cycles += warp.next->repeat;
  warp.resume = now + warp.next->repeat;
}

void Unit::set_ready(int s, int w) {
  const Warp& warp = subs_[s].warp(w);
  const bool waits =
      warp.next->memory == lower::Memory::group || warp.next->memory == lower::Memory::product_group;
  const Stamp copies = waits ? copies_there(s, w, *warp.next) : 0;
  subs_[s].set_ready(w, grid_of(warp).program->sources.data(), copies);
}

void Unit::issue(int s, int w, Cycle now) {
  SubCore& sub = subs_[s];
  Warp& warp = sub.warp(w);
  const DecodedInst& inst = *warp.next;
  account(sub, warp, w, now);
  sub.issue(w, now);
  const bool async = inst.memory == lower::Memory::phase || inst.memory == lower::Memory::group ||
                     inst.memory == lower::Memory::bulk;
  if (inst.memory == lower::Memory::product || inst.memory == lower::Memory::product_group)
    issue_product(s, w, now, inst);
  else if (inst.memory != lower::Memory::none && !async)
    issue_memory(s, w, now, inst);
  if (inst.pipe == Pipe::memory) sub.set_memory_queue(load_store_.accepts(s));
  ++warp.next;
  if (async) {
    if (const trace::Record record = record_of(s, w, inst); record.mask) {
      issue_async(s, w, now, inst, record);
      if (warp.state != State::running) return;
    }
  }
  if (inst.pipe == Pipe::barrier && inst.slot != simt::no_slot) {
    const trace::Record record = record_of(s, w, inst);
    if (record.mask) return arrive(s, w, now, record);
  }
  if (warp.next == warp.end)
    start_block(s, w, now, warp.base);
  else
    set_ready(s, w);
}

}  // namespace wanren::timing
