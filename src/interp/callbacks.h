#pragma once
// What compiled code calls out of line. Same code as the interpreter's own, so results are the same bits.
//
// Rows: srcs[row][lane], one row per source operand in order, two rows (low first) for a 128-bit
// operand, that is one whose instruction type is b128. Values narrower than 64 bits are zero-extended,
// predicates are 0 or 1; the caller has applied Operand::negated, broadcast immediates, and replaced
// special registers, symbol and parameter addresses by their values. dsts[row][lane] likewise, one row
// per entry of Inst::dsts (`no_value` ones included). `mask` holds the lanes that execute, the guard
// included; rows of other lanes are neither read (except for what a collective reads) nor written.

#include <cstdint>

#include "simt/kernel.h"
#include "simt/warp_context.h"

namespace wanren::interp {

/// Lines of 32 bytes along k, in two chunks. Chunk `part` of line i is at base + (at ^ ((at - pattern) >> 3 &
/// mask)) with at = start + i % 8 * pitch + i / 8 * stride + part * part; until this thread asks again.
struct ProductLines {
  const std::uint8_t* base;
  std::uint64_t start, pitch, stride, part, mask, pattern;
};

}  // namespace wanren::interp

extern "C" {

/// A pure per-lane instruction: arithmetic, logic, comparison, conversion, mov, selp, prmt …
__attribute__((visibility("default"))) void wanren_interp_alu(const wanren::simt::Inst* inst,
                                                              const std::uint64_t* srcs, std::uint64_t* dsts,
                                                              std::uint32_t mask);

/// Everything else but control flow and suspension: loads and stores, atomics, collectives, matrix
/// instructions, cp.async, cvta, isspacep, fences. `inst` must point into ctx->kernel (faults are located by
/// it). Writes no trace records. Does not return if it raises a fault.
__attribute__((visibility("default"))) void wanren_interp_warp_op(wanren::simt::WarpContext* ctx,
                                                                  const wanren::simt::Inst* inst,
                                                                  const std::uint64_t* srcs,
                                                                  std::uint64_t* dsts, std::uint32_t mask);

/// Where an operand of a warpgroup's product lies (`is_a`: A's rows that are the warp's). Does not return if
/// the descriptor leads out of the CTA's shared memory.
__attribute__((visibility("default"))) void wanren_interp_product_lines(wanren::simt::WarpContext* ctx,
                                                                        const wanren::simt::Inst* inst,
                                                                        std::uint64_t descriptor,
                                                                        std::uint32_t is_a,
                                                                        wanren::interp::ProductLines* lines);

/// Instructions on phases and bulk copies (simt::is_asynchronous): also writes the trace record, with no lane
/// in `mask` too, and may suspend the warp.
__attribute__((visibility("default"))) void wanren_interp_async_op(wanren::simt::WarpContext* ctx,
                                                                   const wanren::simt::Inst* inst,
                                                                   const std::uint64_t* srcs,
                                                                   std::uint64_t* dsts, std::uint32_t mask);
}

namespace wanren::interp {

/// True if `inst` is for wanren_interp_alu.
bool is_alu(const simt::Inst& inst);

/// Rows that the sources and destinations take in the layout above.
std::uint32_t source_rows(const simt::Inst& inst);
std::uint32_t destination_rows(const simt::Inst& inst);

}  // namespace wanren::interp
