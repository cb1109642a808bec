// The rules that every kernel keeps once build() has returned it.

#include <fmt/format.h>

#include <algorithm>

#include "simt/flow.h"
#include "simt/kernel.h"
#include "simt/opcode_traits.h"

namespace wanren::simt {
namespace {

class Verifier {
 public:
  explicit Verifier(const Kernel& kernel) : k_(kernel) {}

  std::string run() {
    if (k_.blocks.empty()) return "no blocks";
    shape();
    if (!broken_.empty()) return broken_;
    order();
    if (!broken_.empty()) return broken_;
    values();
    return broken_;
  }

 private:
  template <class... A>
  void rule(bool kept, fmt::format_string<A...> text, A&&... args) {
    if (!kept && broken_.empty()) broken_ = fmt::format(text, std::forward<A>(args)...);
  }

  void shape() {
    const std::size_t n = k_.blocks.size();
    for (std::size_t i = 0; i < n; ++i) {
      const Block& b = k_.blocks[i];
      rule(b.id == i, "block {} has id {}", i, b.id);
      const Terminator& t = b.term;
      std::size_t targets = 0;
      switch (t.kind) {
        case Terminator::Kind::jump: targets = 1; break;
        case Terminator::Kind::branch: targets = 2; break;
        case Terminator::Kind::index: targets = std::max<std::size_t>(1, t.targets.size()); break;
        default: break;
      }
      rule(t.targets.size() == targets, "block {}: {} targets", i, t.targets.size());
      const bool decides = t.kind == Terminator::Kind::branch || t.kind == Terminator::Kind::index;
      rule(decides == (t.cond != no_value), "block {}: condition and terminator kind disagree", i);
      for (const BlockId s : t.targets) rule(s < n && s != 0, "block {}: bad target {}", i, s);
      std::uint16_t slots = 0;
      for (std::size_t j = 0; j < b.insts.size(); ++j) {
        const Inst& inst = b.insts[j];
        if (inst.slot != no_slot)
          rule(inst.slot == slots++, "block {} instruction {}: slot out of order", i, j);
        bool suspends = waits_at_barrier(inst) || inst.op == ptx::Opcode::nanosleep ||
                        inst.op == ptx::Opcode::wgmma_wait_group ||
                        inst.op == ptx::Opcode::mbarrier_try_wait ||
                        (inst.op == ptx::Opcode::call && inst.syscall == Syscall::none);
        for (const Operand& o : inst.srcs) {
          const bool special = o.kind == Operand::Kind::special;
          rule((!special && o.kind != Operand::Kind::argument) || inst.op == ptx::Opcode::mov,
               "block {} instruction {}: special register or argument outside mov", i, j);
          suspends |= special && reads_time(o.special);
        }
        rule(!suspends || (j + 1 == b.insts.size() && b.suspend != Suspend::none),
             "block {} instruction {}: suspends, but is not the block's end", i, j);
        rule(inst.guard == no_value ? inst.prior.empty() : inst.prior.size() == inst.dsts.size(),
             "block {} instruction {}: prior values do not match the guard", i, j);
      }
      rule(slots == b.slots, "block {}: {} slots, {} counted", i, b.slots, slots);
    }
    if (!broken_.empty()) return;
    const Graph preds = reversed(successors(k_.blocks));
    for (std::size_t i = 0; i < n; ++i) {
      std::vector<BlockId> have = k_.blocks[i].preds;
      std::sort(have.begin(), have.end());
      rule(have == preds[i], "block {}: predecessors do not match the edges", i);
      for (const Phi& phi : k_.blocks[i].phis)
        rule(phi.incoming.size() == preds[i].size(), "block {}: phi of v{} has {} inputs", i, phi.dst,
             phi.incoming.size());
    }
  }

  void order() {
    const Graph graph = successors(k_.blocks);
    const std::vector<BlockId> reach = reverse_post_order(graph);
    rule(reach.size() == k_.blocks.size(), "unreachable blocks");
    const Loops loops = find_loops(graph);
    std::vector<bool> reaches_exit(k_.blocks.size());
    for (BlockId b = static_cast<BlockId>(k_.blocks.size()); b-- > 0;)
      reaches_exit[b] = k_.blocks[b].term.kind == Terminator::Kind::exit;
    for (bool changed = true; changed;) {
      changed = false;
      for (BlockId b = static_cast<BlockId>(k_.blocks.size()); b-- > 0;)
        for (const BlockId s : graph[b])
          if (reaches_exit[s] && !reaches_exit[b]) changed = reaches_exit[b] = true;
    }
    for (BlockId b = 0; b < k_.blocks.size(); ++b) {
      const int loop = loops.innermost[b];
      rule(k_.blocks[b].loop_header == (loop < 0 ? no_block : loops.loops[loop].header),
           "block {}: loop header", b);
      for (const BlockId s : graph[b]) {
        if (s > b) continue;
        bool closes = false;  // A backward edge goes to a header of a loop around it.
        for (int l = loop; l >= 0; l = loops.loops[l].parent)
          closes |= loops.loops[l].header == s || loops.loops[l].irreducible;
        rule(closes, "edge {} -> {} goes back without a loop", b, s);
      }
    }
    for (std::size_t l = 0; l < loops.loops.size(); ++l) {
      const Loop& loop = loops.loops[l];
      const BlockId first = *std::min_element(loop.blocks.begin(), loop.blocks.end());
      const BlockId last = *std::max_element(loop.blocks.begin(), loop.blocks.end());
      rule(first == loop.header || loop.irreducible, "loop {}: the header is not its first block",
           loop.header);
      std::vector<bool> inside(k_.blocks.size());
      for (const BlockId b : loop.blocks) inside[b] = true;
      for (BlockId b = first; b <= last; ++b)
        rule(inside[b] || !reaches_exit[b], "loop {}: block {} stands inside but is no part of it",
             loop.header, b);
      int latches = 0;
      for (const BlockId b : loop.blocks)
        latches += std::find(graph[b].begin(), graph[b].end(), loop.header) != graph[b].end();
      rule(latches == 1 || loop.irreducible, "loop {}: {} latches", loop.header, latches);
    }
  }

  void values() {
    const std::vector<BlockId> idom = immediate_dominators(successors(k_.blocks));
    constexpr std::size_t undefined = ~std::size_t{0};
    std::vector<std::size_t> at(k_.values.size(), undefined);
    for (const Block& b : k_.blocks) {
      for (const Phi& phi : b.phis) define(phi.dst, b.id, 0, at);
      for (std::size_t j = 0; j < b.insts.size(); ++j)
        for (const ValueId d : b.insts[j].dsts)
          if (d != no_value) define(d, b.id, j + 1, at);
    }
    auto dominates = [&](BlockId a, BlockId b) {
      while (b != no_block && b != a) b = idom[b];
      return b == a;
    };
    auto use = [&](ValueId v, BlockId b, std::size_t position) {
      rule(v < k_.values.size() && at[v] != undefined, "block {}: v{} is never defined", b, v);
      if (!broken_.empty()) return;
      const BlockId d = k_.values[v].block;
      rule(d == b ? at[v] < position : dominates(d, b), "block {}: v{} does not dominate its use", b, v);
    };
    for (const Block& b : k_.blocks) {
      for (const Phi& phi : b.phis)
        for (std::size_t i = 0; i < phi.incoming.size(); ++i)
          if (phi.incoming[i].kind == Operand::Kind::value) use(phi.incoming[i].value, b.preds[i], undefined);
      for (std::size_t j = 0; j < b.insts.size(); ++j) {
        const Inst& inst = b.insts[j];
        for (const auto* operands : {&inst.srcs, &inst.prior})
          for (const Operand& o : *operands) {
            if (o.kind == Operand::Kind::value) use(o.value, b.id, j + 1);
            rule(o.kind != Operand::Kind::global_symbol || o.index < k_.globals.size(),
                 "block {} instruction {}: symbol out of range", b.id, j);
          }
        if (inst.guard != no_value) use(inst.guard, b.id, j + 1);
        if (broken_.empty() && inst.guard != no_value)
          rule(k_.values[inst.guard].width == Width::pred, "block {} instruction {}: guard is no predicate",
               b.id, j);
      }
      if (b.term.cond != no_value) use(b.term.cond, b.id, undefined);
    }
  }

  void define(ValueId v, BlockId block, std::size_t position, std::vector<std::size_t>& at) {
    rule(v < k_.values.size(), "block {}: v{} out of range", block, v);
    if (!broken_.empty()) return;
    rule(at[v] == ~std::size_t{0}, "v{} is defined twice", v);
    rule(k_.values[v].block == block, "v{}: defined in block {}, recorded in {}", v, block,
         k_.values[v].block);
    at[v] = position;
  }

  const Kernel& k_;
  std::string broken_;
};

}  // namespace

namespace {

// Operands of calls and of ret against the functions they concern.
std::string verify_calls(const Kernel& k, FunctionId self) {
  const Extent e = extent(k, self);
  auto widths = [&](const std::vector<Operand>& operands, std::size_t from,
                    const std::vector<Width>& wanted) {
    if (operands.size() < from + wanted.size()) return false;
    for (std::size_t i = 0; i < wanted.size(); ++i) {
      const Operand& o = operands[from + i];
      if (o.kind == Operand::Kind::value && k.values[o.value].width != wanted[i]) return false;
    }
    return true;
  };
  for (BlockId b = e.first_block; b < e.end_block; ++b)
    for (const Inst& inst : k.blocks[b].insts) {
      for (const Operand& o : inst.srcs)
        if (o.kind == Operand::Kind::argument &&
            (self == no_function || o.index >= k.functions[self].parameters.size()))
          return fmt::format("block {}: argument {} does not exist", b, o.index);
      if (inst.op == ptx::Opcode::ret) {
        if (self == no_function) return fmt::format("block {}: ret outside a function", b);
        const Function& f = k.functions[self];
        if (inst.srcs.size() != f.results.size() + (f.may_exit ? 1 : 0) || !widths(inst.srcs, 0, f.results))
          return fmt::format("block {}: ret does not match the results of {}", b, f.name);
      }
      if (inst.op != ptx::Opcode::call || inst.syscall != Syscall::none) continue;
      if (inst.guard != no_value) return fmt::format("block {}: guarded call", b);
      if (!inst.indirect && inst.callees.size() != 1) return fmt::format("block {}: whom to call?", b);
      if (!std::is_sorted(inst.callees.begin(), inst.callees.end()))
        return fmt::format("block {}: callees out of order", b);
      for (const FunctionId id : inst.callees) {
        if (id >= k.functions.size()) return fmt::format("block {}: no function {}", b, id);
        const Function& f = k.functions[id];
        const std::size_t first = inst.indirect ? 1 : 0, extra = inst.dsts.size() - f.results.size();
        if (inst.srcs.size() != first + f.parameters.size() || !widths(inst.srcs, first, f.parameters))
          return fmt::format("block {}: arguments do not match {}", b, f.name);
        if (inst.dsts.size() < f.results.size() || extra > 1 || (f.may_exit && extra == 0))
          return fmt::format("block {}: results do not match {}", b, f.name);
      }
    }
  return {};
}

}  // namespace

std::string verify(const Kernel& kernel) {
  if (kernel.functions.empty()) return Verifier(kernel).run();
  for (FunctionId f = no_function;; ++f) {  // no_function + 1 == 0
    if (f != no_function && f == kernel.functions.size()) return {};
    const Extent e = extent(kernel, f);
    if (e.first_block >= e.end_block) return "a function without blocks";
    for (BlockId b = e.first_block; b < e.end_block; ++b)
      if (kernel.blocks[b].id != b) return fmt::format("block {} has id {}", b, kernel.blocks[b].id);
    std::string broken = Verifier(part(kernel, f)).run();
    if (broken.empty()) broken = verify_calls(kernel, f);
    if (!broken.empty())
      return f == no_function ? broken : kernel.functions[f].name + " (ids from its entry): " + broken;
  }
}

}  // namespace wanren::simt
