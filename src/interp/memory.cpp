// Loads, stores, cp.async, address conversion and fences, PTX ISA ch. 9.7.9 and 9.7.13.

#include <atomic>
#include <cstring>

#include "interp/callbacks.h"
#include "interp/interp.h"
#include "interp/lane.h"
#include "interp/warp_ops.h"
#include "support/result.h"

namespace wanren::interp {
namespace {

using ptx::Opcode;
using ptx::Semantics;
using ptx::Space;
using ptx::Type;

thread_local Access in_flight;

bool is_ordered(const simt::Inst& inst) {
  const Semantics s = inst.memory().semantics;
  return s == Semantics::acquire || s == Semantics::release || s == Semantics::acq_rel || s == Semantics::sc;
}

void load(const WarpOp& op) {
  const Type t = op.inst.types[0];
  const int bytes = ptx::bits(t) / 8, elements = op.inst.memory().vector;
  for_each_lane(op.mask, [&](int lane) {
    const std::uint8_t* at =
        access(op, lane, static_cast<std::uint64_t>(bytes) * static_cast<std::uint64_t>(elements));
    int row = 0;
    for (int e = 0; e < elements; ++e) {
      const std::uint8_t* element = at + e * bytes;
      if (bytes == 16) {
        op.dsts[row++][lane] = load_element(element, 8);
        op.dsts[row++][lane] = load_element(element + 8, 8);
      } else {
        op.dsts[row++][lane] = read(load_element(element, bytes), t);
      }
    }
  });
  if (is_ordered(op.inst)) std::atomic_thread_fence(std::memory_order_seq_cst);
}

void store(const WarpOp& op) {
  const int bytes = ptx::bits(op.inst.types[0]) / 8, elements = op.inst.memory().vector;
  if (is_ordered(op.inst)) std::atomic_thread_fence(std::memory_order_seq_cst);
  for_each_lane(op.mask, [&](int lane) {
    std::uint8_t* at =
        access(op, lane, static_cast<std::uint64_t>(bytes) * static_cast<std::uint64_t>(elements));
    int row = 1;
    for (int e = 0; e < elements; ++e) {
      std::uint8_t* element = at + e * bytes;
      if (bytes == 16) {
        store_element(element, 8, op.srcs[row++][lane]);
        store_element(element + 8, 8, op.srcs[row++][lane]);
      } else {
        store_element(element, bytes, op.srcs[row++][lane]);
      }
    }
  });
}

// Executed at issue. Sources: shared address, global address, then perhaps a source size in bytes (the
// rest is zero) or a predicate that ignores the source, then perhaps a cache policy.
void copy_async(const WarpOp& op) {
  const int bytes = op.inst.memory().copy_bytes;
  const bool hint = op.inst.memory().cache_hint;
  const bool sized = op.inst.srcs.size() > (hint ? 3u : 2u);
  for_each_lane(op.mask, [&](int lane) {
    int source = bytes;
    if (sized) {
      const bool is_predicate = op.inst.srcs[2].kind == simt::Operand::Kind::value &&
                                op.ctx.kernel->values[op.inst.srcs[2].value].width == simt::Width::pred;
      if (is_predicate) {
        source = op.srcs[2][lane] & 1 ? 0 : bytes;
      } else if (op.srcs[2][lane] < static_cast<std::uint64_t>(bytes)) {
        source = static_cast<int>(op.srcs[2][lane]);
      }
    }
    std::uint8_t buffer[16] = {};
    if (source > 0)
      std::memcpy(buffer,
                  access(op, lane, Space::global, op.srcs[1][lane], static_cast<std::uint64_t>(bytes)),
                  static_cast<std::size_t>(source));
    std::memcpy(access(op, lane, Space::shared, op.srcs[0][lane] + static_cast<std::uint64_t>(op.inst.offset),
                       static_cast<std::uint64_t>(bytes)),
                buffer, static_cast<std::size_t>(bytes));
  });
}

std::uint64_t window(const simt::WarpContext& ctx, Space space, int lane) {
  switch (space) {
    case Space::shared: return reinterpret_cast<std::uint64_t>(ctx.shared_base);
    case Space::local: return reinterpret_cast<std::uint64_t>(frame_of(ctx, lane));
    default: return 0;
  }
}

// Global, constant and parameter addresses are generic addresses.
void convert_address(const WarpOp& op) {
  const Space space = op.inst.space();
  const bool windowed = space == Space::shared || space == Space::local;
  for_each_lane(op.mask, [&](int lane) {
    const std::uint64_t a = op.srcs[0][lane], base = window(op.ctx, space, lane);
    if (space == Space::shared_cluster) {
      op.dsts[0][lane] =
          op.inst.memory().to
              ? cluster_address(op.ctx, host_address(op.ctx, Space::none, a, lane))
              : reinterpret_cast<std::uint64_t>(cluster_host_address(op.ctx, static_cast<std::uint32_t>(a)));
    } else if (!windowed) {
      op.dsts[0][lane] = a;
    } else if (op.inst.memory().to) {
      op.dsts[0][lane] = static_cast<std::uint32_t>(a - base);
    } else {
      op.dsts[0][lane] = base + static_cast<std::uint64_t>(std::int64_t{static_cast<std::int32_t>(a)});
    }
  });
}

// mapa: the same variable in another CTA of the cluster, for .shared::cluster or as a generic address. Of a
// rank that the cluster lacks: an address that faults.
void map_address(const WarpOp& op) {
  constexpr std::uint32_t no_rank = 0x7f;  // In the reserve around the window.
  const bool window = op.inst.space() == Space::shared_cluster;
  for_each_lane(op.mask, [&](int lane) {
    const auto rank = static_cast<std::uint32_t>(op.srcs[1][lane]);
    const std::uint64_t a = op.srcs[0][lane];
    const std::uint32_t address = window
                                      ? static_cast<std::uint32_t>(a)
                                      : cluster_address(op.ctx, host_address(op.ctx, Space::none, a, lane));
    const bool there = address != ~0u && rank < op.ctx.cluster_nctarank;
    const std::uint32_t mapped = (there ? rank + 1 : no_rank) << simt::cluster_address_bits |
                                 (address & ((1u << simt::cluster_address_bits) - 1));
    if (window)
      op.dsts[0][lane] = mapped;
    else
      op.dsts[0][lane] = reinterpret_cast<std::uint64_t>(cluster_host_address(op.ctx, mapped));
  });
}

void rank_of_address(const WarpOp& op) {
  const bool window = op.inst.space() == Space::shared_cluster;
  for_each_lane(op.mask, [&](int lane) {
    const std::uint64_t a = op.srcs[0][lane];
    const std::uint32_t address = window
                                      ? static_cast<std::uint32_t>(a)
                                      : cluster_address(op.ctx, host_address(op.ctx, Space::none, a, lane));
    const std::uint32_t who = address >> simt::cluster_address_bits;
    op.dsts[0][lane] = who == 0 ? simt::cluster_rank(op.ctx) : who - 1;
  });
}

void is_space(const WarpOp& op) {
  for_each_lane(op.mask, [&](int lane) {
    const auto at = op.ctx.arena_base | (op.srcs[0][lane] & op.ctx.arena_mask);
    const trace::Space where = place_of(op.ctx, reinterpret_cast<const std::uint8_t*>(at)).space;
    bool r = false;
    switch (op.inst.space()) {
      case Space::shared: r = where == trace::Space::shared; break;
      case Space::shared_cluster: r = where == trace::Space::shared || where == trace::Space::cluster; break;
      case Space::local: r = where == trace::Space::local; break;
      case Space::param: r = where == trace::Space::param; break;
      case Space::global: r = where == trace::Space::global; break;
      default: break;  // constant memory lies in global memory and is not told apart
    }
    op.dsts[0][lane] = r;
  });
}

}  // namespace

const Access& access_in_flight() {
  return in_flight;
}

void access_done() {
  in_flight.inst = nullptr;
}

void raise_fault(simt::WarpContext& ctx, const simt::Inst& inst, simt::Fault fault, LaneMask mask) {
  simt::BlockId block = 0;
  std::uint32_t index = 0;
  for (const simt::Block& b : ctx.kernel->blocks) {
    const simt::Inst* first = b.insts.data();
    if (&inst >= first && &inst < first + b.insts.size()) {
      block = b.id;
      index = static_cast<std::uint32_t>(&inst - first);
    }
  }
  access_done();
  ctx.yield = simt::Yield::fault;
  ctx.services->fault(&ctx, static_cast<std::uint32_t>(fault), block, index, mask);
  check_failed(__FILE__, __LINE__, "Services::fault does not return");
}

std::uint8_t* access(const WarpOp& op, int lane, Space space, std::uint64_t address, std::uint64_t bytes) {
  std::uint8_t* at = host_address(op.ctx, space, address, lane);
  if (reinterpret_cast<std::uint64_t>(at) % bytes != 0)
    raise_fault(op.ctx, op.inst, simt::Fault::misaligned_address, LaneMask{1} << lane);
  in_flight = {&op.ctx, &op.inst, lane};
  return at;
}

std::uint8_t* access(const WarpOp& op, int lane, std::uint64_t bytes) {
  return access(op, lane, op.inst.space(), op.srcs[0][lane] + static_cast<std::uint64_t>(op.inst.offset),
                bytes);
}

std::uint64_t load_element(const std::uint8_t* at, int bytes) {
  switch (bytes) {
    case 1: return __atomic_load_n(at, __ATOMIC_RELAXED);
    case 2: return __atomic_load_n(reinterpret_cast<const std::uint16_t*>(at), __ATOMIC_RELAXED);
    case 4: return __atomic_load_n(reinterpret_cast<const std::uint32_t*>(at), __ATOMIC_RELAXED);
    default: return __atomic_load_n(reinterpret_cast<const std::uint64_t*>(at), __ATOMIC_RELAXED);
  }
}

void store_element(std::uint8_t* at, int bytes, std::uint64_t value) {
  switch (bytes) {
    case 1: __atomic_store_n(at, static_cast<std::uint8_t>(value), __ATOMIC_RELAXED); break;
    case 2:
      __atomic_store_n(reinterpret_cast<std::uint16_t*>(at), static_cast<std::uint16_t>(value),
                       __ATOMIC_RELAXED);
      break;
    case 4:
      __atomic_store_n(reinterpret_cast<std::uint32_t*>(at), static_cast<std::uint32_t>(value),
                       __ATOMIC_RELAXED);
      break;
    default: __atomic_store_n(reinterpret_cast<std::uint64_t*>(at), value, __ATOMIC_RELAXED); break;
  }
}

bool run_memory(const WarpOp& op) {
  switch (op.inst.op) {
    case Opcode::ld:
    case Opcode::ldu: load(op); break;
    case Opcode::st: store(op); break;
    case Opcode::cp_async: copy_async(op); break;
    case Opcode::cvta: convert_address(op); break;
    case Opcode::isspacep: is_space(op); break;
    case Opcode::mapa: map_address(op); break;
    case Opcode::tensormap_replace: replace_field(op); break;
    case Opcode::tensormap_cp_fenceproxy: publish_map(op); break;
    case Opcode::getctarank: rank_of_address(op); break;
    case Opcode::fence:
    case Opcode::membar: std::atomic_thread_fence(std::memory_order_seq_cst); break;
    // Hints have no effect on results.
    case Opcode::prefetch:
    case Opcode::prefetchu:
    case Opcode::applypriority:
    case Opcode::discard:
    case Opcode::griddepcontrol:
    case Opcode::pmevent:
    case Opcode::setmaxnreg:
    case Opcode::wgmma_commit_group:  // products are done when issued
    case Opcode::wgmma_fence: break;
    default: return false;
  }
  access_done();
  return true;
}

}  // namespace wanren::interp

void wanren_interp_warp_op(wanren::simt::WarpContext* ctx, const wanren::simt::Inst* inst,
                           const std::uint64_t* srcs, std::uint64_t* dsts, std::uint32_t mask) {
  using namespace wanren::interp;
  const WarpOp op{*ctx, *inst, reinterpret_cast<const Row*>(srcs), reinterpret_cast<Row*>(dsts), mask};
  if (run_memory(op) || run_atomic(op) || run_exchange(op) || run_matrix(op)) return;
  raise_fault(*ctx, *inst, wanren::simt::Fault::illegal_instruction, mask);
}
