#pragma once
// The trace records of one warp, as trace/trace.h lays them out.

#include "interp/warp_ops.h"

namespace wanren::interp {

/// Block word; does nothing in untraced runs.
void trace_block(simt::WarpContext& ctx, simt::BlockId block, LaneMask mask);
/// Record of a memory instruction (or of one that executes under an empty mask).
void trace_access(const WarpOp& op);
/// Record of a barrier whose barrier_* fields are set.
void trace_barrier(simt::WarpContext& ctx);

}  // namespace wanren::interp
