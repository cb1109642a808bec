#pragma once
// The trace records of one warp, as trace/trace.h lays them out.

#include <array>

#include "interp/warp_ops.h"
#include "trace/trace.h"

namespace wanren::interp {

/// Block word; does nothing in untraced runs.
void trace_block(simt::WarpContext& ctx, simt::BlockId block, LaneMask mask);
/// Record of a memory instruction (or of one that executes under an empty mask).
void trace_access(const WarpOp& op);
/// Record of a barrier whose barrier_* fields are set.
void trace_barrier(simt::WarpContext& ctx);
/// Record of an instruction on groups of asynchronous copies.
void trace_group(simt::WarpContext& ctx, const simt::Inst& inst, LaneMask mask);
/// base of such a record.
std::uint64_t group_base(const simt::Inst& inst);

/// Collects what the lanes of one instruction do to mbarriers.
class PhaseTrace {
 public:
  trace::PhaseOp op = trace::PhaseOp::expect;

  void add(simt::WarpContext& ctx, const std::uint64_t* mbarrier, std::uint32_t value) {
    if (ctx.trace_cursor) value_of(ctx, mbarrier) += value;
  }
  void set(simt::WarpContext& ctx, const std::uint64_t* mbarrier, std::uint32_t value) {
    if (ctx.trace_cursor) value_of(ctx, mbarrier) = value;
  }
  void write(simt::WarpContext& ctx, LaneMask mask) const;

 private:
  std::uint32_t& value_of(const simt::WarpContext& ctx, const std::uint64_t* mbarrier);

  struct Entry {
    std::uint32_t address, value;
  };
  std::array<Entry, warp_size> entries_;
  std::size_t count_ = 0;
};

}  // namespace wanren::interp
