#pragma once
// Runs one warp of a simt::Kernel on a WarpContext, slowly and obviously: the oracle for compiled code,
// and where compiled code continues when an assumption of its fails.

#include <cstddef>
#include <cstdint>
#include <span>

#include "simt/shape.h"
#include "simt/warp_context.h"

namespace wanren::interp {

/// Words of the frame that Services::leave_begin hands out: values[ValueId][lane] (b128: two consecutive
/// rows, low first), then pending[BlockId] masks, one word each.
std::size_t frame_words(const simt::Kernel& kernel);

/// First row of each value in a frame; the last entry is the number of rows.
std::span<const std::uint32_t> value_rows(const simt::Kernel& kernel);

/// A simt::WarpEntry: runs ctx->kernel from its entry. Ends by suspend() with Yield::exited.
void run_warp(simt::WarpContext* ctx);

/// Continues a warp whose values and pending masks are in `frame` (frame_words() long), at instruction
/// `inst` of `block` under `mask`; inst == insts.size() is the terminator. Returns when every lane has
/// exited.
void run_from(simt::WarpContext* ctx, std::uint64_t* frame, simt::BlockId block, std::uint32_t inst,
              LaneMask mask);

/// The patterns that the interpreter's trace records use: {all zero}.
std::span<const simt::LanePattern> patterns();

/// Bytes of stack that running a warp of `kernel` needs.
std::size_t stack_bytes(const simt::Kernel& kernel);

}  // namespace wanren::interp
