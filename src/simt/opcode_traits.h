#pragma once
// What passes ask of an opcode.

#include <cstdint>

#include "ptx/module.h"
#include "simt/kernel.h"

namespace wanren::simt {

struct OpcodeFlags {
  bool has_destination, memory, suspends, unsupported, control, collective;
};

inline OpcodeFlags traits(ptx::Opcode opcode) {
  const unsigned f = ptx::flags(opcode);
  return {(f & ptx::has_destination) != 0, (f & ptx::accesses_memory) != 0, (f & ptx::may_suspend) != 0,
          (f & ptx::not_executed) != 0,    (f & ptx::control_flow) != 0,    (f & ptx::collective) != 0};
}

/// A volatile, relaxed or stronger access: other threads may order their own by it.
inline bool is_ordered(ptx::Semantics semantics) {
  return semantics != ptx::Semantics::none && semantics != ptx::Semantics::weak;
}
inline bool is_ordered(const Operation& o) {
  return is_ordered(o.memory().semantics);
}

/// A load that takes the long way: not of shared memory, not of a parameter.
inline bool loads_from_afar(const Inst& inst) {
  return inst.op == ptx::Opcode::ld && inst.space() != ptx::Space::shared &&
         inst.space() != ptx::Space::param;
}

/// bar/barrier that may make the warp wait (not arrive, not bar.warp.sync).
inline bool waits_at_barrier(const Operation& o) {
  const ptx::Barrier kind = o.meeting().barrier;
  return (o.op == ptx::Opcode::bar || o.op == ptx::Opcode::barrier) && kind != ptx::Barrier::warp_sync &&
         kind != ptx::Barrier::arrive;
}

/// Asks whether a phase of an mbarrier is over.
inline bool waits_for_phase(ptx::Opcode op) {
  return op == ptx::Opcode::mbarrier_test_wait || op == ptx::Opcode::mbarrier_try_wait;
}

/// Copies, reduces or prefetches many bytes at once.
inline bool copies_bulk(ptx::Opcode op) {
  using enum ptx::Opcode;
  return op == cp_async_bulk || op == cp_async_bulk_tensor || op == cp_async_bulk_prefetch ||
         op == cp_reduce_async_bulk;
}

/// Works on the phases of an mbarrier.
inline bool concerns_phases(ptx::Opcode op) {
  using enum ptx::Opcode;
  switch (op) {
    case cp_async_mbarrier_arrive:
    case mbarrier_arrive:
    case mbarrier_arrive_drop:
    case mbarrier_complete_tx:
    case mbarrier_expect_tx:
    case mbarrier_init:
    case mbarrier_inval:
    case mbarrier_test_wait:
    case mbarrier_try_wait:
    case red_async:  // tell one of their bytes
    case st_async: return true;
    default: return false;
  }
}

/// Of the barrier of a cluster.
inline bool concerns_cluster(ptx::Opcode op) {
  return op == ptx::Opcode::barrier_cluster_arrive || op == ptx::Opcode::barrier_cluster_wait;
}

/// Runs out of line and writes trace records of its own.
inline bool is_asynchronous(ptx::Opcode op) {
  return copies_bulk(op) || concerns_phases(op) || concerns_cluster(op);
}

/// Its address may be of another CTA of the cluster, where compiled code has one window only.
inline bool reaches_cluster(const Inst& inst) {
  using enum ptx::Opcode;
  if (inst.space() != ptx::Space::shared_cluster) return false;
  switch (inst.op) {
    case ld:
    case st:
    case atom:
    case red:
    case cvta:
    case isspacep: return true;
    default: return false;
  }
}

/// Forms and awaits groups of asynchronous copies.
inline bool concerns_groups(ptx::Opcode op) {
  using enum ptx::Opcode;
  return op == cp_async_commit_group || op == cp_async_wait_group || op == cp_async_wait_all ||
         op == cp_async_bulk_commit_group || op == cp_async_bulk_wait_group;
}

/// Orders, groups or awaits products of warpgroups.
inline bool concerns_products(ptx::Opcode op) {
  using enum ptx::Opcode;
  return op == wgmma_commit_group || op == wgmma_fence || op == wgmma_wait_group;
}

/// Warps of a CTA meet at its end.
inline bool warps_meet(const Block& block) {
  return block.suspend == Suspend::barrier || block.suspend == Suspend::products;
}

/// Lanes of a warp meet in it: collectives and barriers.
inline bool lanes_meet(const Block& block) {
  for (const Inst& i : block.insts)
    if (i.meeting().sync || std::holds_alternative<Tile>(i.payload) || i.op == ptx::Opcode::bar ||
        i.op == ptx::Opcode::barrier || concerns_cluster(i.op))
      return true;
  return false;
}

/// While lanes of a warp spin, the others may run up to where lanes meet, but go on from there only every
/// so many spins: those that spin may still come. At a barrier of the CTA they wait for as long as it takes.
inline constexpr std::uint32_t meeting_patience = 64;

inline bool reads_time(ptx::SpecialRegister reg) {
  using S = ptx::SpecialRegister;
  return reg == S::clock || reg == S::clock_hi || reg == S::clock64 || reg == S::globaltimer ||
         reg == S::globaltimer_lo || reg == S::globaltimer_hi;
}

}  // namespace wanren::simt
