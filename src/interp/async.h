#pragma once
// What bulk copies and mbarriers share.

#include "interp/warp_ops.h"

namespace wanren::interp {

/// The mbarrier object at `address`; a fault if it is none in the CTA's shared memory.
std::uint64_t* mbarrier_at(const WarpOp& op, int lane, ptx::Space space, std::uint64_t address);
/// Bytes that its phase expects have come.
void bytes_came(const WarpOp& op, int lane, std::uint64_t* mbarrier, std::uint32_t bytes);
/// What the manual leaves undefined, such as counts out of range, is an error here.
void insist(const WarpOp& op, int lane, bool holds);

/// cp.async.bulk and its kin, with their trace record. (bulk.cpp)
void copy_bulk(const WarpOp& op);

}  // namespace wanren::interp
