// The order in which a warp's blocks run: thread frontiers (docs/architecture.md, "One warp") with turns
// for lanes that others wait for.

#include <bit>

#include "interp/callbacks.h"
#include "interp/frame.h"
#include "interp/interp.h"
#include "interp/lane.h"
#include "interp/trace_writer.h"
#include "support/result.h"

namespace wanren::interp {
namespace {

using ptx::Opcode;
using simt::Block;
using simt::BlockId;
using simt::Inst;
using simt::Terminator;
using simt::Yield;

// Back edges taken in a row before lanes elsewhere get a turn although the loop is not known to spin.
constexpr std::uint32_t patience = 1u << 16;
// Spins before a turn may also go to a block where lanes would meet (collectives, barriers): lanes that
// could still reconverge there are waited for first.
constexpr std::uint32_t meeting_patience = 64;

bool reads_time(const Inst& inst) {
  using S = ptx::SpecialRegister;
  if (inst.op != Opcode::mov || inst.srcs.empty() || inst.srcs[0].kind != simt::Operand::Kind::special)
    return false;
  switch (inst.srcs[0].special) {
    case S::clock:
    case S::clock_hi:
    case S::clock64:
    case S::globaltimer:
    case S::globaltimer_lo:
    case S::globaltimer_hi: return true;
    default: return false;
  }
}

bool is_barrier(const Inst& inst) {
  return (inst.op == Opcode::bar || inst.op == Opcode::barrier) &&
         inst.mods.barrier != ptx::Barrier::warp_sync;
}

bool lanes_meet(const Block& block) {
  for (const Inst& i : block.insts)
    if (i.mods.sync || i.op == Opcode::bar || i.op == Opcode::barrier) return true;
  return false;
}

class Warp {
 public:
  Warp(simt::WarpContext& ctx, std::uint64_t* words) : ctx_(ctx), kernel_(*ctx.kernel), frame_(ctx, words) {}

  Frame& frame() { return frame_; }

  /// Runs until no lane is pending.
  void run() {
    for (BlockId b = next(); b != simt::no_block; b = next()) {
      const auto mask = static_cast<LaneMask>(frame_.pending(b));
      frame_.pending(b) = 0;
      enter(b, mask);
      finish_block(b, 0, mask);
    }
  }

  void finish_block(BlockId b, std::uint32_t from, LaneMask mask) {
    const Block& block = kernel_.blocks[b];
    for (std::size_t i = from; i < block.insts.size(); ++i) execute(block.insts[i], mask);
    terminate(block, mask);
  }

 private:
  BlockId next() {
    if (turn_ != simt::no_block) {
      const BlockId b = turn_;
      turn_ = simt::no_block;
      return b;
    }
    for (BlockId b = 0; b < kernel_.blocks.size(); ++b)
      if (frame_.pending(b)) return b;
    return simt::no_block;
  }

  void enter(BlockId b, LaneMask mask) {
    if (ctx_.trace_cursor && ctx_.trace_cursor > ctx_.trace_limit) yield(Yield::trace_full);
    trace_block(ctx_, b, mask);
    if (ctx_.counts) {
      ctx_.counts[b].warps += 1;
      ctx_.counts[b].threads += static_cast<std::uint64_t>(std::popcount(mask));
    }
  }

  void yield(Yield reason) {
    ctx_.yield = reason;
    ctx_.services->suspend(&ctx_);
  }

  void execute(const Inst& inst, LaneMask mask) {
    const LaneMask active =
        inst.guard == simt::no_value ? mask : frame_.lanes_where(inst.guard, inst.guard_negated, mask);
    if (reads_time(inst)) yield(Yield::clock);
    Row *s = frame_.srcs(), *d = frame_.dsts();
    const std::uint32_t rows = read_sources(inst, active);
    static_cast<void>(rows);
    const WarpOp op{ctx_, inst, s, d, active};
    if (is_barrier(inst)) {
      barrier(inst, active);
    } else {
      if (inst.slot != simt::no_slot) trace_access(op);
      if (active != 0) compute(inst, active);
    }
    write_results(inst, mask, active);
  }

  void compute(const Inst& inst, LaneMask active) {
    std::uint64_t *s = frame_.srcs()[0], *d = frame_.dsts()[0];
    if (inst.op == Opcode::call) {
      ctx_.services->syscall(&ctx_, static_cast<std::uint32_t>(inst.syscall), active, frame_.srcs(), d);
    } else if (inst.op == Opcode::nanosleep) {
      ctx_.sleep_ns = 0;
      for_each_lane(active, [&](int lane) {
        const std::uint64_t ns = low_bits(s[lane], 32);
        if (ns > ctx_.sleep_ns) ctx_.sleep_ns = ns;
      });
      yield(Yield::sleep);
    } else if (is_alu(inst)) {
      wanren_interp_alu(&inst, s, d, active);
    } else {
      wanren_interp_warp_op(&ctx_, &inst, s, d, active);
    }
  }

  /// Sources as rows (callbacks.h). shfl and its kin read rows of lanes that execute only.
  std::uint32_t read_sources(const Inst& inst, LaneMask active) {
    const bool wide = inst.mods.types[0] == ptx::Type::b128;
    Row* s = frame_.srcs();
    std::uint32_t row = 0;
    for (std::size_t i = 0; i < inst.srcs.size(); ++i) {
      // Of wide instructions the address and the elements of a packed vector are not wide.
      const bool two = wide && (inst.op == Opcode::mov ? inst.srcs.size() == 1 : i != 0);
      for (std::uint32_t part = 0; part < (two ? 2u : 1u); ++part, ++row)
        for_each_lane(active, [&](int lane) { s[row][lane] = frame_.read(inst.srcs[i], lane, part); });
    }
    return row;
  }

  void write_results(const Inst& inst, LaneMask mask, LaneMask active) {
    const bool wide = destination_rows(inst) > inst.dsts.size();
    const Row* d = frame_.dsts();
    for (std::size_t i = 0; i < inst.dsts.size(); ++i) {
      const simt::ValueId v = inst.dsts[i];
      if (v == simt::no_value) continue;
      for (std::uint32_t part = 0; part < (frame_.is_wide(v) ? 2u : 1u); ++part) {
        const std::size_t row = wide ? 2 * i + part : i;
        const bool present = wide || part == 0;
        for_each_lane(active, [&](int lane) { frame_.write(v, lane, present ? d[row][lane] : 0, part); });
        for_each_lane(mask & ~active, [&](int lane) {
          if (i < inst.prior.size()) frame_.write(v, lane, frame_.read(inst.prior[i], lane, part), part);
        });
      }
    }
  }

  void barrier(const Inst& inst, LaneMask active) {
    const ptx::Barrier kind = inst.mods.barrier;
    const bool reduces =
        kind == ptx::Barrier::red_popc || kind == ptx::Barrier::red_and || kind == ptx::Barrier::red_or;
    const Row* s = frame_.srcs();
    const std::size_t plain = inst.srcs.size() - (reduces ? 1 : 0);
    const int lane = active ? std::countr_zero(active) : 0;
    ctx_.barrier_kind = static_cast<std::uint32_t>(kind);
    ctx_.barrier_id = plain > 0 ? static_cast<std::uint32_t>(s[0][lane]) : 0;
    ctx_.barrier_threads = plain > 1 ? static_cast<std::uint32_t>(s[1][lane]) : 0;
    ctx_.barrier_mask = active;
    ctx_.barrier_predicate = 0;
    if (reduces) {
      for_each_lane(active,
                    [&](int l) { ctx_.barrier_predicate |= static_cast<LaneMask>(s[plain][l] & 1) << l; });
    }
    if (inst.slot != simt::no_slot) trace_barrier(ctx_);
    yield(Yield::barrier);
    if (!inst.dsts.empty()) for_each_lane(active, [&](int l) { frame_.dsts()[0][l] = ctx_.barrier_result; });
  }

  void terminate(const Block& block, LaneMask mask) {
    const Terminator& term = block.term;
    LaneMask back = 0;
    BlockId header = simt::no_block;
    const auto go = [&](BlockId target, LaneMask lanes) {
      if (lanes == 0) return;
      frame_.take_edge(block.id, target, lanes);
      if (target <= block.id) {
        back |= lanes;
        header = target;
      }
    };
    switch (term.kind) {
      case Terminator::Kind::jump: go(term.targets[0], mask); break;
      case Terminator::Kind::branch: {
        const LaneMask taken = frame_.lanes_where(term.cond, term.negated, mask);
        go(term.targets[0], taken);
        go(term.targets[1], mask & ~taken);
        break;
      }
      case Terminator::Kind::index:
        // An index past the list is undefined; it goes to the last target.
        for_each_lane(mask, [&](int lane) {
          const std::uint64_t i = low_bits(frame_.value(term.cond)[lane], 32);
          go(i < term.targets.size() ? term.targets[i] : term.targets.back(), LaneMask{1} << lane);
        });
        break;
      case Terminator::Kind::exit: break;
      case Terminator::Kind::trap:
        ctx_.yield = Yield::fault;
        ctx_.services->fault(&ctx_, static_cast<std::uint32_t>(simt::Fault::trap), block.id,
                             static_cast<std::uint32_t>(block.insts.size()), mask);
        check_failed(__FILE__, __LINE__, "Services::fault does not return");
    }
    if (back == 0) return;
    ++back_edges_;
    if (!term.spins && back_edges_ % patience != 0) return;
    ++spins_;
    if (term.spins && ctx_.coupled) yield(Yield::spin);
    give_turn(header);
  }

  /// Lanes elsewhere, in rotation, run one block before the spinning ones go on.
  void give_turn(BlockId header) {
    const auto n = static_cast<BlockId>(kernel_.blocks.size());
    for (BlockId step = 1; step <= n; ++step) {
      const BlockId b = (rotation_ + step) % n;
      if (b == header || !frame_.pending(b)) continue;
      if (lanes_meet(kernel_.blocks[b]) && spins_ % meeting_patience != 0) continue;
      rotation_ = turn_ = b;
      return;
    }
  }

  simt::WarpContext& ctx_;
  const simt::Kernel& kernel_;
  Frame frame_;
  BlockId turn_ = simt::no_block, rotation_ = 0;
  std::uint32_t back_edges_ = 0, spins_ = 0;
};

}  // namespace

void run_from(simt::WarpContext* ctx, std::uint64_t* words, BlockId block, std::uint32_t inst,
              LaneMask mask) {
  Warp warp(*ctx, words);
  warp.finish_block(block, inst, mask);
  warp.run();
}

void run_warp(simt::WarpContext* ctx) {
  Warp warp(*ctx, ctx->services->leave_begin(ctx));
  warp.frame().pending(0) = ctx->entry_mask;
  warp.run();
  ctx->yield = Yield::exited;
  ctx->services->suspend(ctx);
}

std::size_t stack_bytes(const simt::Kernel&) {
  return 128 * 1024;  // matrix.cpp's operands take 60 KiB
}

}  // namespace wanren::interp
