#include "interp/trace_writer.h"

#include <bit>

#include "interp/interp.h"
#include "simt/fragments.h"

namespace wanren::interp {
namespace {

using ptx::Opcode;
using trace::Kind;
using trace::Space;

/// The address that one lane contributes, in the trace's terms.
Place lane_place(const WarpOp& op, int lane) {
  // cp.async: its record is the read of global memory.
  if (op.inst.op == Opcode::cp_async) return place_of(op.ctx, ptx::Space::global, op.srcs[1][lane], lane);
  std::uint64_t address = op.srcs[0][lane] + static_cast<std::uint64_t>(op.inst.offset);
  const bool load = op.inst.op == Opcode::wmma_load, store = op.inst.op == Opcode::wmma_store;
  if (load || store) {  // the first element that the lane moves
    const simt::Matrix which = op.inst.tile().fragment == 'a'   ? simt::Matrix::a
                               : op.inst.tile().fragment == 'b' ? simt::Matrix::b
                                                                : simt::Matrix::c;
    const int width = ptx::bits(op.inst.types[0]), w = simt::elements_per_register(width);
    const int registers = simt::wmma_registers(which, op.inst.tile().m, op.inst.tile().n, op.inst.tile().k,
                                               op.inst.types[0], width);
    const simt::Element e = simt::wmma_element(which, op.inst.tile().m, op.inst.tile().n, op.inst.tile().k,
                                               registers * w, lane, 0);
    const bool by_column = op.inst.tile().a_col || op.inst.tile().b_col;
    const int rows = which == simt::Matrix::b ? op.inst.tile().k : op.inst.tile().m;
    const int columns = which == simt::Matrix::a ? op.inst.tile().k : op.inst.tile().n;
    const std::size_t stride_at = 1 + static_cast<std::size_t>(store ? registers : 0);
    const std::int64_t leading = op.inst.srcs.size() > stride_at
                                     ? static_cast<std::int32_t>(op.srcs[stride_at][lane])
                                     : (by_column ? rows : columns);
    const std::int64_t at = by_column ? e.column * leading + e.row : e.row * leading + e.column;
    address += static_cast<std::uint64_t>(at * (width / 8));
  }
  return place_of(op.ctx, op.inst.space(), address, lane);
}

}  // namespace

void trace_block(simt::WarpContext& ctx, simt::BlockId block, LaneMask mask) {
  if (ctx.trace_cursor) *ctx.trace_cursor++ = trace::block_word(block, mask);
}

void trace_access(const WarpOp& op) {
  if (!op.ctx.trace_cursor) return;
  LaneMask mask = op.mask;
  // Only the lanes of the rows that are loaded give addresses.
  if ((op.inst.op == Opcode::ldmatrix || op.inst.op == Opcode::stmatrix) && op.inst.tile().count < 4)
    mask &= (LaneMask{1} << (8 * op.inst.tile().count)) - 1;
  Space space = Space::none;
  std::uint64_t addresses[warp_size] = {};
  std::uint64_t first = 0;
  bool same = true;
  if (mask != 0) {
    space = lane_place(op, std::countr_zero(mask)).space;
    first = lane_place(op, std::countr_zero(mask)).address;
    // A record has one space: lanes of a generic access that go elsewhere than its first lane are left out.
    for_each_lane(mask, [&](int lane) {
      const Place p = lane_place(op, lane);
      if (p.space != space) {
        mask &= ~(LaneMask{1} << lane);
        return;
      }
      addresses[lane] = p.address;
      same &= p.address == first;
    });
  }
  std::uint64_t*& out = op.ctx.trace_cursor;
  *out++ = first;
  *out++ = trace::record_word(mask, 0, same ? Kind::affine : Kind::gather, space);
  if (same) return;
  for (const std::uint64_t a : addresses) *out++ = a;
}

void trace_barrier(simt::WarpContext& ctx) {
  if (!ctx.trace_cursor) return;
  *ctx.trace_cursor++ = ctx.barrier_id | std::uint64_t{ctx.barrier_threads} << 32;
  *ctx.trace_cursor++ = trace::record_word(ctx.barrier_mask, 0, Kind::barrier, Space::none);
}

std::uint64_t group_base(const simt::Inst& inst) {
  if (inst.op == Opcode::cp_async_commit_group) return 0;
  if (inst.op == Opcode::cp_async_bulk_commit_group) return trace::bulk_groups;
  if (inst.op == Opcode::cp_async_wait_all || inst.srcs.empty()) return trace::all_copies;
  const std::uint64_t newest = static_cast<std::uint32_t>(inst.srcs[0].bits) + std::uint64_t{1};
  if (inst.op != Opcode::cp_async_bulk_wait_group) return newest;
  return newest | trace::bulk_groups |
         (inst.memory().variant == ptx::Variant::read ? trace::sources_read : 0);
}

void trace_group(simt::WarpContext& ctx, const simt::Inst& inst, LaneMask mask) {
  if (!ctx.trace_cursor) return;
  *ctx.trace_cursor++ = group_base(inst);
  *ctx.trace_cursor++ = trace::record_word(mask, 0, Kind::group, Space::none);
}

std::uint32_t& PhaseTrace::value_of(const simt::WarpContext& ctx, const std::uint64_t* mbarrier) {
  const std::uint32_t address = cluster_address(ctx, reinterpret_cast<const std::uint8_t*>(mbarrier));
  for (std::size_t i = 0; i < count_; ++i)
    if (entries_[i].address == address) return entries_[i].value;
  entries_[count_] = {address, 0};
  return entries_[count_++].value;
}

void PhaseTrace::write(simt::WarpContext& ctx, LaneMask mask) const {
  if (!ctx.trace_cursor) return;
  *ctx.trace_cursor++ = trace::phase_base(op, count_);
  *ctx.trace_cursor++ = trace::record_word(mask, 0, Kind::phase, Space::shared);
  for (std::size_t i = 0; i < count_; ++i)
    *ctx.trace_cursor++ = entries_[i].address | std::uint64_t{entries_[i].value} << 32;
}

std::span<const simt::LanePattern> patterns() {
  static const simt::LanePattern zero[1] = {};
  return zero;
}

}  // namespace wanren::interp
