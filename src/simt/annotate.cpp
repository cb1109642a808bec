// What the trace and the order of execution need to know: slots, spinning.

#include <algorithm>

#include "simt/draft.h"
#include "simt/flow.h"
#include "simt/opcode_traits.h"

namespace wanren::simt {
namespace {

using ptx::Opcode;

bool has_slot(const Inst& inst) {
  switch (inst.op) {
    case Opcode::bar:
    case Opcode::barrier: return inst.meeting().barrier != ptx::Barrier::warp_sync;
    // Hints: nothing is accessed.
    case Opcode::prefetch:
    case Opcode::prefetchu:
    case Opcode::discard:
    case Opcode::applypriority: return false;
    case Opcode::ld: return inst.space() != ptx::Space::param;
    default: return traits(inst.op).memory || concerns_groups(inst.op) || concerns_cluster(inst.op);
  }
}

// Memory that another thread may write while the kernel runs.
bool is_shared_memory(ptx::Space space) {
  return space == ptx::Space::none || space == ptx::Space::global || space == ptx::Space::shared ||
         space == ptx::Space::shared_cluster;
}

bool is_synchronising_load(const Inst& inst) {
  using S = ptx::Semantics;
  if (inst.op == Opcode::atom) return is_shared_memory(inst.space());
  if (inst.op != Opcode::ld || !is_shared_memory(inst.space())) return false;
  const S s = inst.memory().semantics;
  return s == S::relaxed || s == S::acquire || s == S::volatile_ || s == S::mmio || s == S::sc ||
         s == S::acq_rel || inst.memory().cache == ptx::CacheOp::cv;
}

struct Definitions {
  std::vector<const Inst*> inst;
  std::vector<const Phi*> phi;

  explicit Definitions(const Kernel& k) : inst(k.values.size()), phi(k.values.size()) {
    for (const Block& b : k.blocks) {
      for (const Phi& p : b.phis) phi[p.dst] = &p;
      for (const Inst& i : b.insts)
        for (const ValueId d : i.dsts)
          if (d != no_value) inst[d] = &i;
    }
  }
};

template <class F>
void each_operand(const Inst& inst, F&& use) {
  for (const Operand& o : inst.srcs)
    if (o.kind == Operand::Kind::value) use(o.value);
  for (const Operand& o : inst.prior)
    if (o.kind == Operand::Kind::value) use(o.value);
  if (inst.guard != no_value) use(inst.guard);
}

enum class Waits : std::uint8_t { no, for_phase, for_memory };

// What another thread may do meanwhile that a decision to leave the loop depends on.
Waits exit_waits(const Kernel& k, const Definitions& defs, const Loops& loops, int loop,
                 const std::vector<BlockId>& idom, bool callees_synchronise) {
  const auto& blocks = loops.loops[loop].blocks;
  std::vector<bool> inside(k.blocks.size());
  for (const BlockId b : blocks) inside[b] = true;
  std::vector<bool> seen(k.values.size());
  std::vector<ValueId> work;
  auto add = [&](ValueId v) {
    if (v == no_value || seen[v] || !inside[k.values[v].block]) return;
    seen[v] = true;
    work.push_back(v);
  };
  for (const BlockId b : blocks) {
    const Terminator& t = k.blocks[b].term;
    if (std::any_of(t.targets.begin(), t.targets.end(), [&](BlockId s) { return !inside[s]; })) add(t.cond);
  }
  Waits waits = Waits::no;
  while (!work.empty()) {
    const ValueId v = work.back();
    work.pop_back();
    if (const Inst* inst = defs.inst[v]) {
      if (is_synchronising_load(*inst)) return Waits::for_memory;
      if (callees_synchronise && inst->op == Opcode::call && inst->syscall == Syscall::none)
        return Waits::for_memory;
      if (waits_for_phase(inst->op)) waits = Waits::for_phase;
      each_operand(*inst, add);
    }
    if (const Phi* phi = defs.phi[v]) {
      for (const Operand& o : phi->incoming)
        if (o.kind == Operand::Kind::value) add(o.value);
      const BlockId at = k.values[v].block;
      if (at == loops.loops[loop].header) continue;  // one latch: no choice is made here
      // Which way lanes came: branches between the join's dominator and the join.
      std::vector<BlockId> region;
      std::vector<bool> visited(k.blocks.size());
      auto climb = [&](BlockId b) {
        if (inside[b] && !visited[b]) {
          visited[b] = true;
          region.push_back(b);
        }
      };
      for (const BlockId p : k.blocks[at].preds) climb(p);
      for (std::size_t i = 0; i < region.size(); ++i) {
        add(k.blocks[region[i]].term.cond);
        if (region[i] == idom[at]) continue;
        for (const BlockId p : k.blocks[region[i]].preds) climb(p);
      }
    }
  }
  return waits;
}

void mark_spins(Kernel& k, const Definitions& defs, bool callees_synchronise) {
  const Graph graph = successors(k.blocks);
  const Loops loops = find_loops(graph);
  const std::vector<BlockId> idom = immediate_dominators(graph);
  for (std::size_t l = 0; l < loops.loops.size(); ++l) {
    const Waits waits = exit_waits(k, defs, loops, static_cast<int>(l), idom, callees_synchronise);
    if (waits == Waits::no) continue;
    k.waits_for_ctas |= waits == Waits::for_memory;
    for (const BlockId b : loops.loops[l].blocks) {
      Terminator& t = k.blocks[b].term;
      // In an irreducible region every backward edge may close the cycle.
      t.spins |= std::any_of(t.targets.begin(), t.targets.end(), [&](BlockId s) {
        return s == loops.loops[l].header ||
               (loops.loops[l].irreducible && s <= b && loops.contains(static_cast<int>(l), s));
      });
    }
  }
}

}  // namespace

void number_slots(Kernel& kernel) {
  for (Block& b : kernel.blocks) {
    b.slots = 0;
    for (Inst& inst : b.insts) inst.slot = has_slot(inst) ? b.slots++ : no_slot;
  }
}

bool synchronises(const Kernel& kernel) {
  return std::any_of(kernel.blocks.begin(), kernel.blocks.end(), [](const Block& b) {
    return std::any_of(b.insts.begin(), b.insts.end(),
                       [](const Inst& i) { return is_synchronising_load(i) || waits_for_phase(i.op); });
  });
}

void mark_dependence(Kernel& kernel, bool callees_synchronise) {
  const Definitions defs(kernel);
  kernel.waits_for_ctas = false;
  mark_spins(kernel, defs, callees_synchronise);
  kernel.needs_coupling = kernel.waits_for_ctas;
  for (const Block& b : kernel.blocks) {
    kernel.needs_coupling |= b.suspend == Suspend::clock || b.suspend == Suspend::sleep;
    kernel.meets_at_barriers |= b.suspend == Suspend::barrier;
    for (const Inst& inst : b.insts)
      kernel.prints |= inst.op == Opcode::call && inst.syscall == Syscall::vprintf;
  }
}

}  // namespace wanren::simt
