#pragma once
// Products of warpgroups: what the interpreter and compiled code share.

#include "interp/warp_ops.h"

namespace wanren::interp {

inline constexpr std::size_t product_line_bytes = 32;

/// The warp's 16 rows of A and the columns of B, product_line_bytes of k each, until this thread's next call.
struct ProductOperands {
  const std::uint8_t *a, *b;
};
/// Faults where a descriptor leads out of the CTA's shared memory.
ProductOperands gather_product(const WarpOp& op);

/// wgmma.mma_async.
void multiply_warpgroup(const WarpOp& op);

}  // namespace wanren::interp
