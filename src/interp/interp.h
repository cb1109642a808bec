#pragma once
// Runs one warp of a simt::Kernel on a WarpContext, slowly and obviously: the oracle for compiled code,
// and where compiled code continues when an assumption of its fails.

#include <cstddef>
#include <cstdint>
#include <span>

#include "simt/shape.h"
#include "simt/warp_context.h"

namespace wanren::interp {

/// What a call hands over: rows of 32 words, one for each parameter and result (the last result of a function
/// that may exit: does the lane come back?), and where the callee's frame begins in a thread's local memory.
struct Activation {
  const std::uint64_t* arguments = nullptr;
  std::uint64_t* results = nullptr;
  std::uint64_t frame_offset = 0;
};

/// Words of the frame that Services::leave_begin hands out for `function` (no_function: the body):
/// values[ValueId - first][lane] (b128: two consecutive rows, low first), then pending[BlockId - first]
/// masks, one word each, then Activation, then room that run_from() works in.
std::size_t frame_words(const simt::Kernel& kernel, simt::FunctionId function = simt::no_function);

/// Row of `value` in a frame of the function whose values begin with `first`; without 128-bit values before
/// it, its distance.
std::uint32_t value_row(const simt::Kernel& kernel, simt::ValueId first, simt::ValueId value);

/// A simt::WarpEntry: runs ctx->kernel from its entry, in the frame that Services::leave_begin hands out.
/// Ends by suspend() with Yield::exited.
void run_warp(simt::WarpContext* ctx);

/// Continues an activation whose values and pending masks are in `frame` (frame_words() of block's function
/// long), at instruction `inst` of `block` under `mask`; inst == insts.size() is the terminator. Returns when
/// every lane has left the function.
void run_from(simt::WarpContext* ctx, std::uint64_t* frame, simt::BlockId block, std::uint32_t inst,
              LaneMask mask);

/// The patterns that the interpreter's trace records use: {all zero}.
std::span<const simt::LanePattern> patterns();

/// The memory access that this thread's interpreter (or wanren_interp_warp_op) is making, for whoever
/// handles a host fault; inst is null if there is none.
struct Access {
  const simt::WarpContext* ctx = nullptr;
  const simt::Inst* inst = nullptr;  ///< in ctx->kernel
  int lane = 0;
};
const Access& access_in_flight();

/// Bytes of stack that one call takes in the interpreter.
inline constexpr std::size_t call_stack_bytes = 2048;
/// Bytes of stack that running a warp of `kernel` needs.
std::size_t stack_bytes(const simt::Kernel& kernel);

}  // namespace wanren::interp
