#pragma once
// Instructions that see more than one lane or memory: what the files of each family share.

#include <cstdint>

#include "interp/addresses.h"
#include "simt/warp_context.h"

namespace wanren::interp {

using Row = std::uint64_t[warp_size];

struct WarpOp {
  simt::WarpContext& ctx;
  const simt::Inst& inst;
  const Row* srcs;
  Row* dsts;
  LaneMask mask;  ///< lanes that execute, guard included
};

/// One function per opcode; each is true if it executed the instruction.
bool run_memory(const WarpOp& op);    ///< ld, st, cp.async, cvta, isspacep, fences, prefetch
bool run_atomic(const WarpOp& op);    ///< atom, red
bool run_exchange(const WarpOp& op);  ///< shfl, vote, match, redux, activemask
bool run_matrix(const WarpOp& op);    ///< ldmatrix and its kin, mma, wmma, wgmma

/// tensormap.replace and tensormap.cp_fenceproxy. (tensor_maps.cpp)
void replace_field(const WarpOp& op);
void publish_map(const WarpOp& op);

/// Raises `fault` at `inst` of ctx.kernel for the lanes in `mask`.
[[noreturn]] void raise_fault(simt::WarpContext& ctx, const simt::Inst& inst, simt::Fault fault,
                              LaneMask mask);

/// Host address of srcs[0][lane] + inst.offset, checked for `bytes` alignment; notes the access for
/// whoever handles a host fault (interp.h, access_in_flight()).
std::uint8_t* access(const WarpOp& op, int lane, std::uint64_t bytes);
/// The same for any address and space.
std::uint8_t* access(const WarpOp& op, int lane, ptx::Space space, std::uint64_t address,
                     std::uint64_t bytes);
/// No access is under way.
void access_done();

/// One element of 1, 2, 4 or 8 bytes; single-copy atomic.
std::uint64_t load_element(const std::uint8_t* at, int bytes);
void store_element(std::uint8_t* at, int bytes, std::uint64_t value);

/// atom on one element of 2, 4 or 8 bytes; `flush`: subnormals. Returns what was there.
std::uint64_t update_element(ptx::AtomOp what, ptx::Type type, bool flush, std::uint8_t* at, std::uint64_t b,
                             std::uint64_t c);

template <class F>
void for_each_lane(LaneMask mask, F f) {
  for (int lane = 0; lane < warp_size; ++lane)
    if (mask >> lane & 1) f(lane);
}

}  // namespace wanren::interp
