// The order in which a warp's blocks run: thread frontiers (docs/architecture.md, "One warp") with turns
// for lanes that others wait for.

#include <algorithm>
#include <bit>

#include "interp/callbacks.h"
#include "interp/frame.h"
#include "interp/interp.h"
#include "interp/lane.h"
#include "interp/trace_writer.h"
#include "simt/opcode_traits.h"
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
         inst.meeting().barrier != ptx::Barrier::warp_sync;
}

class Warp {
 public:
  Warp(simt::WarpContext& ctx, std::uint64_t* words, simt::FunctionId function)
      : ctx_(ctx),
        kernel_(*ctx.kernel),
        function_(function),
        frame_(ctx, words, function),
        first_(frame_.extent().first_block),
        end_(frame_.extent().end_block),
        rotation_(first_) {}

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
    for (BlockId b = first_; b < end_; ++b)
      if (frame_.pending(b)) return b;
    return simt::no_block;
  }

  void enter(BlockId b, LaneMask mask) {
    if (ctx_.trace_cursor && kernel_.blocks[b].ordered)
      yield(Yield::order);
    else if (ctx_.trace_cursor && ctx_.trace_cursor > ctx_.trace_limit)
      yield(Yield::trace_full);
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
    } else if (inst.op == Opcode::wgmma_wait_group) {
      yield(Yield::products);
    } else if (simt::is_asynchronous(inst.op)) {
      wanren_interp_async_op(&ctx_, &inst, s[0], d[0], active);
    } else if (simt::concerns_groups(inst.op)) {
      trace_group(ctx_, inst, active);
    } else {
      if (inst.slot != simt::no_slot) trace_access(op);
      if (active != 0) compute(inst, active);
    }
    write_results(inst, mask, active);
  }

  void compute(const Inst& inst, LaneMask active) {
    std::uint64_t *s = frame_.srcs()[0], *d = frame_.dsts()[0];
    if (inst.op == Opcode::call && inst.syscall == simt::Syscall::none) {
      call(inst, active);
    } else if (inst.op == Opcode::ret) {
      for (std::size_t i = 0; i < inst.srcs.size(); ++i)
        for_each_lane(active, [&](int lane) {
          frame_.activation().results[i * warp_size + static_cast<unsigned>(lane)] = frame_.srcs()[i][lane];
        });
    } else if (inst.op == Opcode::call) {
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

  /// Callees one after the other, in ascending order of address.
  void call(const Inst& inst, LaneMask active) {
    Row *s = frame_.srcs(), *d = frame_.dsts();
    // Callees that never exit do not say who comes back.
    if (!inst.dsts.empty()) std::fill_n(d[inst.dsts.size() - 1], warp_size, 1);
    if (!inst.indirect) {
      enter(inst, inst.callees[0], s, d, active);
      return;
    }
    for (const simt::FunctionId f : inst.callees) {
      LaneMask group = 0;
      for_each_lane(active, [&](int lane) {
        if (s[0][lane] == kernel_.functions[f].address) group |= LaneMask{1} << lane;
      });
      active &= ~group;
      if (group != 0) enter(inst, f, s + 1, d, group);
    }
    if (active != 0) raise_fault(ctx_, inst, simt::Fault::invalid_pc, active);
  }

  void enter(const Inst& inst, simt::FunctionId callee, const Row* arguments, Row* results, LaneMask mask) {
    const std::uint64_t frame = frame_.activation().frame_offset + own_frame_bytes();
    if (frame + kernel_.functions[callee].frame_bytes > kernel_.local_bytes)
      raise_fault(ctx_, inst, simt::Fault::stack_overflow, mask);
    Warp inner(ctx_, ctx_.services->leave_begin(&ctx_, callee), callee);
    inner.frame_.activation() = {arguments[0], results[0], frame};
    inner.frame_.pending(kernel_.functions[callee].first_block) = mask;
    inner.run();
    ctx_.services->leave_end(&ctx_);
  }

  std::uint32_t own_frame_bytes() const {
    return function_ == simt::no_function ? kernel_.frame_bytes : kernel_.functions[function_].frame_bytes;
  }

  /// Sources as rows (callbacks.h). shfl and its kin read rows of lanes that execute only.
  std::uint32_t read_sources(const Inst& inst, LaneMask active) {
    const bool wide = inst.types[0] == ptx::Type::b128;
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
    const ptx::Barrier kind = inst.meeting().barrier;
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
    const BlockId n = end_ - first_;
    for (BlockId step = 1; step <= n; ++step) {
      const BlockId b = first_ + (rotation_ - first_ + step) % n;
      if (b == header || !frame_.pending(b)) continue;
      if (simt::warps_meet(kernel_.blocks[b])) continue;
      if (simt::lanes_meet(kernel_.blocks[b]) && spins_ % simt::meeting_patience != 0) continue;
      rotation_ = turn_ = b;
      return;
    }
  }

  simt::WarpContext& ctx_;
  const simt::Kernel& kernel_;
  simt::FunctionId function_;
  Frame frame_;
  BlockId first_, end_, rotation_;
  BlockId turn_ = simt::no_block;
  std::uint32_t back_edges_ = 0, spins_ = 0;
};

}  // namespace

void run_from(simt::WarpContext* ctx, std::uint64_t* words, BlockId block, std::uint32_t inst,
              LaneMask mask) {
  Warp warp(*ctx, words, simt::function_at(*ctx->kernel, block));
  warp.finish_block(block, inst, mask);
  warp.run();
}

void run_warp(simt::WarpContext* ctx) {
  Warp warp(*ctx, ctx->services->leave_begin(ctx, simt::no_function), simt::no_function);
  warp.frame().pending(0) = ctx->entry_mask;
  warp.run();
  ctx->services->leave_end(ctx);
  ctx->yield = Yield::exited;
  ctx->services->suspend(ctx);
}

std::size_t stack_bytes(const simt::Kernel& kernel) {
  // matrix.cpp's operands take 60 KiB; a call takes the activations of run() and what it calls.
  return 128 * 1024 + kernel.call_depth * call_stack_bytes;
}

}  // namespace wanren::interp
