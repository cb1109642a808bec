// mbarrier objects, PTX ISA 9.7.13.15, and cp.async.mbarrier.arrive: lane by lane in ascending order. Copies
// have happened by the time anyone asks for them, so that what tracks their completion takes effect at once.

#include <algorithm>
#include <array>
#include <bit>

#include "interp/async.h"
#include "interp/callbacks.h"
#include "interp/interp.h"
#include "interp/mbarrier.h"
#include "interp/trace_writer.h"
#include "interp/warp_ops.h"
#include "simt/opcode_traits.h"

namespace wanren::interp {
namespace {

using ptx::Opcode;
using ptx::Variant;
using trace::PhaseOp;

constexpr std::uint64_t object_bytes = 8;

std::uint64_t* object(const WarpOp& op, int lane) {
  return mbarrier_at(op, lane, op.inst.space(),
                     op.srcs[0][lane] + static_cast<std::uint64_t>(op.inst.offset));
}

void changed(const WarpOp& op, std::uint64_t* at, Mbarrier b) {
  const bool over = b.complete();
  *at = b.word();
  if (over) op.ctx.services->phases(&op.ctx, reinterpret_cast<const std::uint8_t*>(at), 1);
}

void expect(const WarpOp& op, int lane, Mbarrier& b, std::uint64_t bytes) {
  insist(op, lane, bytes <= Mbarrier::most_bytes);
  b.bytes += static_cast<std::int32_t>(bytes);
  insist(op, lane, b.bytes <= Mbarrier::most_bytes);
}

void take(const WarpOp& op, int lane, Mbarrier& b, std::uint64_t bytes) {
  insist(op, lane, bytes <= Mbarrier::most_bytes);
  b.bytes -= static_cast<std::int32_t>(bytes);
  insist(op, lane, b.bytes >= -Mbarrier::most_bytes);
}

void arrive(const WarpOp& op, PhaseTrace& record) {
  const bool drop = op.inst.op == Opcode::mbarrier_arrive_drop;
  const bool expects = op.inst.memory().variant == Variant::expect_tx;
  record.op = expects ? (drop ? PhaseOp::drop_expect : PhaseOp::arrive_expect)
                      : (drop ? PhaseOp::drop : PhaseOp::arrive);
  for_each_lane(op.mask, [&](int lane) {
    std::uint64_t* at = object(op, lane);
    Mbarrier b = Mbarrier::from(*at);
    if (!op.inst.dsts.empty()) op.dsts[0][lane] = *at;
    std::uint32_t count = 1;
    if (expects)
      expect(op, lane, b, static_cast<std::uint32_t>(op.srcs[1][lane]));
    else if (op.inst.srcs.size() > 1)
      count = static_cast<std::uint32_t>(op.srcs[1][lane]);
    if (drop) {
      insist(op, lane, count <= b.expected);
      b.expected -= count;
    }
    insist(op, lane, count != 0 && b.arrive(count));
    insist(op, lane, op.inst.memory().variant != Variant::no_complete || b.pending != 0);
    changed(op, at, b);
    record.add(op.ctx, at, expects ? static_cast<std::uint32_t>(op.srcs[1][lane]) | 1u << 26 : count);
  });
}

void change_bytes(const WarpOp& op, PhaseTrace& record) {
  const bool expects = op.inst.op == Opcode::mbarrier_expect_tx;
  record.op = expects ? PhaseOp::expect : PhaseOp::complete;
  for_each_lane(op.mask, [&](int lane) {
    std::uint64_t* at = object(op, lane);
    Mbarrier b = Mbarrier::from(*at);
    const auto bytes = static_cast<std::uint32_t>(op.srcs[1][lane]);
    expects ? expect(op, lane, b, bytes) : take(op, lane, b, bytes);
    changed(op, at, b);
    record.add(op.ctx, at, bytes);
  });
}

void init(const WarpOp& op, PhaseTrace& record) {
  record.op = PhaseOp::init;
  for_each_lane(op.mask, [&](int lane) {
    std::uint64_t* at = object(op, lane);
    const auto count = static_cast<std::uint32_t>(op.srcs[1][lane]);
    insist(op, lane, count != 0 && count <= Mbarrier::most_arrivals);
    *at = Mbarrier{count, count, 0, 0}.word();
    record.add(op.ctx, at, count);
  });
}

// Without .noinc the phase expects one arrival more, which then comes at once.
void arrive_for_copies(const WarpOp& op, PhaseTrace& record) {
  const bool counted = op.inst.memory().variant == Variant::noinc;
  record.op = counted ? PhaseOp::copy_arrive_in : PhaseOp::copy_arrive;
  for_each_lane(op.mask, [&](int lane) {
    std::uint64_t* at = object(op, lane);
    Mbarrier b = Mbarrier::from(*at);
    if (counted) {
      insist(op, lane, b.arrive(1));
      changed(op, at, b);
    }
    record.add(op.ctx, at, 1);
  });
}

bool is_over(const WarpOp& op, int lane, std::uint64_t word) {
  const std::uint32_t phase = Mbarrier::from(word).phase;
  if (op.inst.memory().variant == Variant::parity) return (phase & 1) != (op.srcs[1][lane] & 1);
  return phase != Mbarrier::from(op.srcs[1][lane]).phase;
}

/// try_wait suspends the warp until the phases of all lanes are over or, where nobody else can run, its time
/// limit is.
void wait(const WarpOp& op, PhaseTrace& record) {
  record.op = PhaseOp::wait;
  simt::WarpContext& ctx = op.ctx;
  ctx.wait_expired = 0;
  const auto open = [&] {
    LaneMask lanes = 0;
    for_each_lane(op.mask, [&](int lane) {
      const bool over = is_over(op, lane, *object(op, lane));
      op.dsts[0][lane] = over;
      lanes |= static_cast<LaneMask>(!over) << lane;
    });
    access_done();
    return lanes;
  };
  for (LaneMask lanes = open(); lanes != 0; lanes = open()) {
    ctx.wait_mbarrier = reinterpret_cast<const std::uint8_t*>(object(op, std::countr_zero(lanes)));
    ctx.wait_inst = &op.inst;
    access_done();
    if (op.inst.op != Opcode::mbarrier_try_wait || ctx.wait_expired != 0) break;
    ctx.yield = simt::Yield::phase;
    ctx.services->suspend(&ctx);
  }
  for_each_lane(op.mask, [&](int lane) {
    if (!op.dsts[0][lane]) return;
    std::uint64_t* at = object(op, lane);
    record.set(ctx, at, ctx.services->phases(&ctx, reinterpret_cast<const std::uint8_t*>(at), 0));
  });
}

// st.async and red.async: the data, then their bytes at the mbarrier, srcs[1].
void store_async(const WarpOp& op, PhaseTrace& record) {
  const simt::MemoryAccess& how = op.inst.memory();
  const int bytes = ptx::bits(op.inst.types[0]) / 8;
  const auto all = static_cast<std::uint32_t>(bytes * std::max<int>(1, how.vector));
  record.op = PhaseOp::complete;
  for_each_lane(op.mask, [&](int lane) {
    std::uint8_t* to =
        access(op, lane, op.inst.space(), op.srcs[0][lane] + static_cast<std::uint64_t>(op.inst.offset), all);
    const std::uint32_t where = cluster_address(op.ctx, to);
    if (where == ~0u) raise_fault(op.ctx, op.inst, simt::Fault::invalid_address_space, LaneMask{1} << lane);
    for (std::uint32_t i = 0; i * static_cast<std::uint32_t>(bytes) < all; ++i) {
      const std::uint64_t value = op.srcs[2 + i][lane];
      if (op.inst.op == Opcode::red_async)
        update_element(how.atom, op.inst.types[0], false, to, value, 0);
      else
        store_element(to + i * static_cast<std::uint32_t>(bytes), bytes, value);
    }
    std::uint64_t* at = mbarrier_at(op, lane, op.inst.space(), op.srcs[1][lane]);
    Mbarrier b = Mbarrier::from(*at);
    take(op, lane, b, all);
    changed(op, at, b);
    record.add(op.ctx, at, all);
  });
}

// .arrive gives its lanes' arrival; .wait, as bar.sync, writes its record before it gives way.
void meet(const WarpOp& op) {
  simt::WarpContext& ctx = op.ctx;
  const bool waits = op.inst.op == Opcode::barrier_cluster_wait;
  ctx.barrier_mask = op.mask;
  ctx.barrier_id = waits ? trace::cluster_wait : trace::cluster_arrive;
  ctx.barrier_threads = 0;
  if (op.mask != 0)
    ctx.barrier_threads =
        waits ? ctx.services->cluster_waits(&ctx, op.mask) : ctx.services->cluster_arrive(&ctx, op.mask);
  trace_barrier(ctx);
  if (!waits) return;
  while (ctx.trace_cursor != nullptr || (ctx.services->cluster_waits(&ctx, op.mask) & 1) != 0) {
    ctx.yield = simt::Yield::cluster;
    ctx.services->suspend(&ctx);
    if ((ctx.services->cluster_waits(&ctx, op.mask) & 1) == 0) break;
  }
}

}  // namespace

std::uint64_t* mbarrier_at(const WarpOp& op, int lane, ptx::Space space, std::uint64_t address) {
  std::uint8_t* at = access(op, lane, space, address, object_bytes);
  const std::uint32_t where = cluster_address(op.ctx, at);
  const std::uint32_t offset = where & ((1u << simt::cluster_address_bits) - 1);
  if (where == ~0u || offset + object_bytes > op.ctx.total_shared_bytes)
    raise_fault(op.ctx, op.inst, simt::Fault::invalid_address_space, LaneMask{1} << lane);
  return reinterpret_cast<std::uint64_t*>(at);
}

void bytes_came(const WarpOp& op, int lane, std::uint64_t* mbarrier, std::uint32_t bytes) {
  Mbarrier b = Mbarrier::from(*mbarrier);
  take(op, lane, b, bytes);
  changed(op, mbarrier, b);
}

void insist(const WarpOp& op, int lane, bool holds) {
  if (!holds) raise_fault(op.ctx, op.inst, simt::Fault::illegal_instruction, LaneMask{1} << lane);
}

}  // namespace wanren::interp

void wanren_interp_async_op(wanren::simt::WarpContext* ctx, const wanren::simt::Inst* inst,
                            const std::uint64_t* srcs, std::uint64_t* dsts, std::uint32_t mask) {
  using namespace wanren::interp;
  const WarpOp op{*ctx, *inst, reinterpret_cast<const Row*>(srcs), reinterpret_cast<Row*>(dsts), mask};
  if (wanren::simt::copies_bulk(inst->op)) return copy_bulk(op);
  if (wanren::simt::concerns_cluster(inst->op)) return meet(op);
  if (wanren::simt::reaches_cluster(*inst)) {
    if (inst->slot != wanren::simt::no_slot) trace_access(op);
    if (mask != 0) wanren_interp_warp_op(ctx, inst, srcs, dsts, mask);
    return;
  }
  PhaseTrace record;
  switch (inst->op) {
    case wanren::ptx::Opcode::mbarrier_arrive:
    case wanren::ptx::Opcode::mbarrier_arrive_drop: arrive(op, record); break;
    case wanren::ptx::Opcode::mbarrier_complete_tx:
    case wanren::ptx::Opcode::mbarrier_expect_tx: change_bytes(op, record); break;
    case wanren::ptx::Opcode::red_async:
    case wanren::ptx::Opcode::st_async: store_async(op, record); break;
    case wanren::ptx::Opcode::mbarrier_init: init(op, record); break;
    case wanren::ptx::Opcode::cp_async_mbarrier_arrive: arrive_for_copies(op, record); break;
    case wanren::ptx::Opcode::mbarrier_test_wait:
    case wanren::ptx::Opcode::mbarrier_try_wait: wait(op, record); break;
    default: for_each_lane(mask, [&](int lane) { object(op, lane); }); break;  // inval
  }
  access_done();
  record.write(*ctx, mask);
}
