#pragma once
// The frame that executing code sees: compiled code and the interpreter both run one warp, as a
// fiber, on a WarpContext. Standard layout: the JIT addresses fields by offset.

#include <cstddef>
#include <cstdint>

#include "simt/kernel.h"
#include "support/units.h"

namespace wanren::simt {

struct WarpContext;

/// Runs one warp from the kernel's entry until all its lanes have exited.
using WarpEntry = void (*)(WarpContext*);

/// Why a warp gave way. It runs again when whoever resumes it has dealt with the reason.
enum class Yield : std::uint32_t {
  none,
  barrier,   ///< barrier_* are set
  products,  ///< at wgmma.wait_group: runs again once the other warps of its warpgroup are there
  clock,     ///< answer in `clock_cycles` / `clock_ns` on resumption
  sleep,     ///< sleep_ns is set
  spin,      ///< at a back edge that `spins`
  cluster,   ///< at barrier.cluster.wait; barrier_mask is set; runs again once cluster_waits() says no
  phase,  ///< mbarrier.try_wait: wait_* are set; runs again when that phase is over, or nobody else can run
  trace_full,  ///< trace_cursor > trace_limit
  order,       ///< traced, before a block that is `ordered`
  exited,
  fault,  ///< trap, assert, or a memory fault (set by the engine)
};

/// Counters per block, flushed by executing code before it yields with `exited` or `fault`.
struct BlockCount {
  std::uint64_t warps = 0;    ///< Executions.
  std::uint64_t threads = 0;  ///< Sum of active lanes.
};

/// Services executing code calls. `cause` texts are literals.
struct Services {
  /// Switches to the engine; returns when the warp is resumed. `yield` is set by the caller.
  void (*suspend)(WarpContext*);
  /// vprintf, malloc, free, assertfail for the lanes in `mask`. arguments[i][lane]; result per lane
  /// goes to results[lane].
  void (*syscall)(WarpContext*, std::uint32_t syscall, LaneMask mask,
                  const std::uint64_t (*arguments)[warp_size], std::uint64_t* results);
  /// The lanes in `mask` at `inst` of `block` raise `cause` (trap, misaligned address …). No return.
  void (*fault)(WarpContext*, std::uint32_t fault, BlockId block, std::uint32_t inst, LaneMask mask);
  /// A zeroed frame of the interpreter for `function` (no_function: the body): values[ValueId - first][lane]
  /// (b128: two consecutive rows, low first), pending[BlockId - first] masks after the values, then the
  /// activation (interp/interp.h).
  std::uint64_t* (*leave_begin)(WarpContext*, FunctionId function);
  /// Runs the rest of that frame's activation in the interpreter, from `inst` of `block` under `mask`;
  /// returns when every lane has left the function, the frame given back.
  void (*leave_run)(WarpContext*, BlockId block, std::uint32_t inst, LaneMask mask);
  /// Gives the latest frame back.
  void (*leave_end)(WarpContext*);
  /// The mbarrier at host address `mbarrier` has completed `now` more phases. Returns how many it has
  /// completed since its CTA began, and lets warps go on that wait for them.
  std::uint32_t (*phases)(WarpContext*, const std::uint8_t* mbarrier, std::uint32_t now);
  /// The lanes in `mask` arrive at the barrier of the cluster. Returns the number of the phase that they
  /// arrive for, from 1 on, << 1 | whether they are the first of their warp.
  std::uint32_t (*cluster_arrive)(WarpContext*, LaneMask mask);
  /// Number of the phase that the lanes in `mask` have arrived for, << 1 | whether it is not over.
  std::uint32_t (*cluster_waits)(WarpContext*, LaneMask mask);
};

/// What WarpContext::fault is told. Mapped to CUDA errors by the driver.
enum class Fault : std::uint32_t {
  none,
  illegal_address,
  misaligned_address,
  trap,
  assertion,
  stack_overflow,
  deadlock,
  invalid_address_space,
  illegal_instruction,
  timeout,
  invalid_pc,  ///< an indirect call of what is no function, or of one with another signature
};

struct WarpContext {
  // Fiber switch: each side's saved stack pointer; the word on top of a saved stack is the
  // address to continue at. Whoever switches saves what it needs on its own stack first.
  void* engine_stack;
  void* warp_stack;
  const Services* services;
  Yield yield;
  std::uint32_t warp_in_cta;

  // The launch.
  const std::uint8_t* parameters;         ///< Also readable by generic loads.
  const std::uint64_t* global_addresses;  ///< By Kernel::globals index: device pointers as programs see them.
  std::uint32_t ctaid[3], nctaid[3], ntid[3];
  std::uint32_t linear_cta_low, linear_cta_high;
  /// The cluster's extents (1 without one) and CTAs; the CTA's place in it follows from ctaid.
  std::uint32_t cluster_nctaid[3], cluster_nctarank, is_explicit_cluster;
  std::uint32_t smid, nsmid;
  std::uint32_t dynamic_shared_bytes, total_shared_bytes;
  std::uint64_t grid_id;
  LaneMask entry_mask;  ///< Lanes that exist: all, but in a CTA's last warp.
  std::uint32_t turns;  ///< Times that compiled code has let lanes overtake spinning ones.
  /// tid of each lane, from a table per block shape: [x lanes][y lanes][z lanes].
  const std::uint32_t* tid;

  // Memory. A device pointer is a host address inside [arena_base, arena_base + arena_mask];
  // the arena is aligned to its size (a power of two), so host address of any 64-bit value a program makes up
  // = arena_base | (pointer & arena_mask). Pages without an allocation are inaccessible.
  std::uint64_t arena_base, arena_mask;
  /// Host address of shared offset 0. [-2 GiB, +2 GiB) around it is reserved, so a sign-extended
  /// 32-bit offset never leaves it. Generic pointers to shared memory are shared_base + offset.
  std::uint8_t* shared_base;
  /// The same of each CTA of the cluster, by rank; null without one. An address of .shared::cluster is an
  /// offset, and above it rank + 1, or 0 for the CTA itself (cluster_address_bits).
  std::uint8_t* const* cluster_shared;
  std::uint64_t windows_begin, windows_bytes;  ///< Where all CTAs' shared memory lies.
  /// Host address of the frame of the warp's lane 0; lane l's is local_base + l * local_bytes. The
  /// reserve around it is at least 2 GiB each way. Generic pointers to local memory are host addresses here
  /// too.
  std::uint8_t* local_base;
  std::uint32_t local_bytes;

  // Answers and arguments of yields.
  std::uint32_t barrier_id, barrier_threads;  ///< threads 0: the whole CTA
  std::uint32_t barrier_kind;                 ///< ptx::Barrier
  LaneMask barrier_mask, barrier_predicate;   ///< lanes arriving; their predicate (red)
  std::uint32_t barrier_result;               ///< red.popc count, or 0/1
  std::uint64_t clock_cycles, clock_ns, sleep_ns;
  const std::uint8_t* wait_mbarrier;  ///< Host address.
  const Inst* wait_inst;
  std::uint32_t wait_expired;  ///< Answer: nonzero: the phase is not over, the wait's time limit is.

  // Trace; null cursor in untraced runs.
  std::uint64_t* trace_cursor;
  std::uint64_t* trace_limit;  ///< last word at which a block may still begin to write

  BlockCount* counts;  ///< By BlockId.
  const Kernel* kernel;
  std::uint32_t coupled;  ///< nonzero: yield with `spin` at each back edge that spins
  std::uint32_t fault_lane_valid;
  void* engine_private;

  /// The warp to continue with at a `bar.sync 0` of the whole CTA, or null: yield to the engine. Who
  /// switches there copies engine_stack to it and notes it in *running.
  WarpContext* ring_next;
  WarpContext* volatile* running;
};

/// Of an address in .shared::cluster, those of the offset.
inline constexpr int cluster_address_bits = 24;

inline std::uint32_t cluster_rank(const WarpContext& ctx) {
  const std::uint32_t* n = ctx.cluster_nctaid;
  return ctx.ctaid[0] % n[0] + n[0] * (ctx.ctaid[1] % n[1] + n[1] * (ctx.ctaid[2] % n[2]));
}

static_assert(offsetof(WarpContext, engine_stack) == 0 && offsetof(WarpContext, warp_stack) == 8);

}  // namespace wanren::simt
