#pragma once
// A sub-core: its warps' slots, the scoreboard, pipes, and the pick of who issues. Knows instructions and
// times; where a warp's instructions come from and what memory makes of them is the unit's business.

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

#include "timing/copy_groups.h"
#include "timing/decoded.h"
#include "timing/load_store.h"
#include "timing/policies/warp_scheduler.h"
#include "trace/warp_source.h"

namespace wanren::timing {

inline constexpr int stamp_bits = 4;
/// A ready time carries what one waits for in its low bits.
using Stamp = std::int64_t;
constexpr Stamp stamp(Cycle at, Stall why) {
  return at << stamp_bits | static_cast<Stamp>(why);
}

struct Warp {
  /// phase: until an mbarrier's phase is over; asleep: until it is ready.
  enum class State : std::uint8_t { empty, running, barrier, phase, asleep, turn, draining };

  const DecodedInst* next = nullptr;
  const DecodedInst* end = nullptr;
  Stamp base = 0;                  ///< Earliest next issue but for operands.
  Stamp earliest = 0;              ///< With operands, as far as known.
  Cycle launched = 0, resume = 0;  ///< resume: first cycle not yet accounted.
  const std::uint64_t* words = nullptr;
  const std::uint64_t* words_end = nullptr;
  const std::uint64_t* block_words = nullptr;
  trace::Chunk::End chunk_end = trace::Chunk::End::more;
  std::uint64_t sleep_ns = 0;
  LaneMask mask = 0;
  std::uint32_t block = 0;
  std::uint16_t cta = 0, number = 0;
  std::uint16_t loads = 0;
  Stall asleep_for = Stall::sleep;
  CopyGroups copies, products;
  const std::uint64_t* wait = nullptr;  ///< phase: the record.
  Cycle last_load = 0;
  State state = State::empty;
};

class SubCore {
 public:
  explicit SubCore(const Parameters& p);

  /// Rows of scoreboard and records must hold this many; those of resident warps move along.
  void fit(std::uint32_t scoreboard, std::uint32_t records);
  int resident() const { return resident_; }
  /// Takes a free slot for a new warp, which the unit fills in.
  int begin_warp(std::uint64_t age);
  void end_warp(int w);
  Warp& warp(int w) { return warps_[w]; }
  const Warp& warp(int w) const { return warps_[w]; }
  /// By slot of the present block: word offset of its trace record.
  std::uint32_t* records(int w) { return records_.data() + std::size_t(w) * record_stride_; }
  const std::uint32_t* records(int w) const { return records_.data() + std::size_t(w) * record_stride_; }

  /// When something may issue.
  Cycle next() const { return next_; }
  void wake(Cycle at) { next_ = std::min(next_, at); }
  /// Who issues at `now`, or none; next() is then when somebody may. `alone`: only if that concerns
  /// nothing outside.
  int pick(Cycle now, bool alone);

  /// The warp's next instruction issues once what it reads is there, `also` has come and its result would
  /// land after the one before.
  void set_ready(int w, const std::uint16_t* sources, Stamp also = 0);
  Cycle ready(int w) const { return slots_.ready[w]; }
  void park(int w) { slots_.ready[w] = never; }
  /// It goes on at `at`, whatever its next instruction waits for.
  void sleep_until(int w, Cycle at);
  /// Takes slot and pipe for the next instruction of the warp just picked and sets its results' time.
  void issue(int w, Cycle now);
  /// When the pipe of the warp's next instruction is free.
  Cycle pipe_free(int w) const { return slots_.pipes.free()[slots_.pipe[w]]; }
  lower::Pipe pipe(int w) const { return static_cast<lower::Pipe>(slots_.pipe[w]); }
  /// The memory queue takes the next instruction at `accepts`.
  void set_memory_queue(Cycle accepts) {
    slots_.pipes.hold(lower::Pipe::memory, std::max(address_unit_, accepts));
    wake(std::max(slots_.pipes.free(lower::Pipe::memory), issue_free_));
  }
  /// The matrix unit takes the next product at `accepts`.
  void set_product_queue(Cycle accepts) { slots_.pipes.hold(lower::Pipe::tensor, accepts); }
  /// What a load brings is there at `at`; never: not known.
  void set_results(const Load& load, Cycle at) {
    Stamp* const board = scoreboard(load.warp);
    const Stamp there = stamp(at, load.why);
    std::fill_n(board + load.dst, std::size_t{load.dst_count}, there);
    if (load.dst_predicate != 0xffff) board[load.dst_predicate] = there;
  }
  void prefetch(const Load& load) const;
  /// Of the warp's next instruction: a warp's trace is long cold by the time the warp gets there.
  void prefetch_record(int w) const {
    const Warp& warp = warps_[w];
    if (warp.next->memory != lower::Memory::none && warp.next->slot != simt::no_slot)
      __builtin_prefetch(warp.block_words + records(w)[warp.next->slot]);
  }

 private:
  Stamp* scoreboard(int w) { return scoreboard_.data() + std::size_t(w) * scoreboard_stride_; }

  const WarpScheduler* scheduler_;
  IssueSlots slots_;
  std::vector<Warp> warps_;
  std::vector<Stamp> scoreboard_;       ///< warp * scoreboard_stride_ + entry
  std::vector<std::uint32_t> records_;  ///< warp * record_stride_ + slot: word offset in the block.
  std::uint32_t scoreboard_stride_ = 0, record_stride_ = 0;
  Cycle address_unit_ = 0;  ///< When it takes the next instruction.
  Cycle issue_free_ = 0;
  Cycle next_ = never;
  int resident_ = 0;
};

inline int SubCore::pick(Cycle now, bool alone) {
  Cycle next = issue_free_;
  const int w = next > now ? WarpScheduler::none : scheduler_->pick(slots_, now, next);
  if (w == WarpScheduler::none) {
    next_ = next;
    return w;
  }
  if (alone && (warps_[w].state != Warp::State::running || !warps_[w].next->local)) {
    next_ = now;
    return WarpScheduler::none;
  }
  next_ = never;
  return w;
}

inline void SubCore::set_ready(int w, const std::uint16_t* sources, Stamp also) {
  Warp& warp = warps_[w];
  const DecodedInst& inst = *warp.next;
  const Stamp* const board = scoreboard(w);
  Stamp at = std::max(warp.base, also);
  const std::uint16_t* source = sources + inst.first_source;
  for (int i = 0; i < inst.sources; ++i) at = std::max(at, board[source[i]]);
  // In-order results: a write waits until it would land after the one before it.
  const Stamp earlier = static_cast<Stamp>(inst.latency) << stamp_bits;
  for (int i = 0; i < inst.dst_count; ++i) at = std::max(at, board[inst.dst + i] - earlier);
  if (inst.dst_predicate != 0xffff) at = std::max(at, board[inst.dst_predicate] - earlier);
  warp.earliest = at;
  slots_.ready[w] = at >> stamp_bits >= never / 2 ? never : at >> stamp_bits;
  slots_.pipe[w] = static_cast<std::uint8_t>(inst.pipe);
  prefetch_record(w);
  wake(slots_.ready[w]);
}

inline void SubCore::sleep_until(int w, Cycle at) {
  slots_.ready[w] = at;
  slots_.pipe[w] = static_cast<std::uint8_t>(lower::Pipe::none);
  wake(at);
}

inline void SubCore::issue(int w, Cycle now) {
  Warp& warp = warps_[w];
  const DecodedInst& inst = *warp.next;
  const Cycle after = now + inst.repeat;
  slots_.last = w;
  issue_free_ = after;
  next_ = after;
  warp.base =
      inst.bank_conflict ? stamp(after + inst.bank_conflict, Stall::dispatch) : stamp(after, Stall::wait);
  slots_.pipes.take(inst.pipe, now, inst.occupancy);
  if (inst.pipe == lower::Pipe::memory) address_unit_ = now + inst.occupancy;
  const Stamp result = stamp(now + inst.latency, inst.stall);
  Stamp* const board = scoreboard(w);
  if (inst.dst_predicate != 0xffff) board[inst.dst_predicate] = result;
  std::fill_n(board + inst.dst, std::size_t{inst.dst_count}, result);
}

}  // namespace wanren::timing
