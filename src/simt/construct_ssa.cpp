// Pruned SSA: phis at iterated dominance frontiers, where the variable is live.

#include <algorithm>

#include "simt/draft.h"
#include "simt/flow.h"

namespace wanren::simt {
namespace {

class Bits {
 public:
  explicit Bits(std::size_t n = 0) : words_((n + 63) / 64) {}
  bool test(std::size_t i) const { return words_[i / 64] >> i % 64 & 1; }
  void set(std::size_t i) { words_[i / 64] |= std::uint64_t{1} << i % 64; }
  // *this |= live & ~killed; true if it grew.
  bool merge(const Bits& live, const Bits& killed) {
    bool grew = false;
    for (std::size_t w = 0; w < words_.size(); ++w) {
      const std::uint64_t add = live.words_[w] & ~killed.words_[w];
      grew |= (add & ~words_[w]) != 0;
      words_[w] |= add;
    }
    return grew;
  }
  bool merge(const Bits& other) {
    bool grew = false;
    for (std::size_t w = 0; w < words_.size(); ++w) {
      grew |= (other.words_[w] & ~words_[w]) != 0;
      words_[w] |= other.words_[w];
    }
    return grew;
  }

 private:
  std::vector<std::uint64_t> words_;
};

class Builder {
 public:
  explicit Builder(Draft& draft) : draft_(draft), blocks_(draft.kernel.blocks) {}

  void run() {
    find_live();
    place_phis();
    rename();
  }

 private:
  template <class F>
  static void each_use(const Inst& inst, F&& use) {
    for (const Operand& o : inst.srcs)
      if (o.kind == Operand::Kind::value) use(o.value);
    if (inst.guard == no_value) return;
    use(inst.guard);
    for (const VariableId d : inst.dsts)
      if (d != no_value) use(d);
  }

  // Liveness of the variables that are read before they are written in some block.
  void find_live() {
    const std::size_t n = blocks_.size();
    dense_.assign(draft_.variables.size(), ~0u);
    std::vector<std::uint32_t> defined_in(draft_.variables.size(), ~0u);
    std::vector<std::vector<VariableId>> exposed(n);
    for (std::uint32_t b = 0; b < n; ++b) {
      auto use = [&](VariableId v) {
        if (defined_in[v] == b) return;
        if (dense_[v] == ~0u) {
          dense_[v] = static_cast<std::uint32_t>(globals_.size());
          globals_.push_back(v);
        }
        exposed[b].push_back(v);
      };
      for (const Inst& inst : blocks_[b].insts) {
        each_use(inst, use);
        for (const VariableId d : inst.dsts)
          if (d != no_value) defined_in[d] = b;
      }
      if (blocks_[b].term.cond != no_value) use(blocks_[b].term.cond);
    }
    std::vector<Bits> killed(n, Bits(globals_.size())), live_out(n, Bits(globals_.size()));
    live_in_.assign(n, Bits(globals_.size()));
    definitions_.resize(globals_.size());
    for (std::uint32_t b = 0; b < n; ++b) {
      for (const VariableId v : exposed[b]) live_in_[b].set(dense_[v]);
      for (const Inst& inst : blocks_[b].insts)
        for (const VariableId d : inst.dsts) {
          if (d == no_value || dense_[d] == ~0u) continue;
          killed[b].set(dense_[d]);
          auto& list = definitions_[dense_[d]];
          if (list.empty() || list.back() != b) list.push_back(b);
        }
    }
    for (bool changed = true; changed;) {
      changed = false;
      for (std::size_t b = n; b-- > 0;) {
        bool grew = false;
        for (const BlockId s : blocks_[b].term.targets) grew |= live_out[b].merge(live_in_[s]);
        if (grew) changed |= live_in_[b].merge(live_out[b], killed[b]);
      }
    }
  }

  void place_phis() {
    const Graph graph = successors(blocks_);
    idom_ = immediate_dominators(graph);
    Graph frontier(blocks_.size());
    for (BlockId b = 0; b < blocks_.size(); ++b) {
      if (blocks_[b].preds.size() < 2) continue;
      for (BlockId p : blocks_[b].preds)
        for (; p != idom_[b] && p != no_block; p = idom_[p])
          if (frontier[p].empty() || frontier[p].back() != b) frontier[p].push_back(b);
    }
    phi_variables_.resize(blocks_.size());
    std::vector<std::uint32_t> placed(blocks_.size(), ~0u);
    for (std::uint32_t g = 0; g < globals_.size(); ++g) {
      std::vector<BlockId> work = definitions_[g];
      while (!work.empty()) {
        const BlockId b = work.back();
        work.pop_back();
        for (const BlockId f : frontier[b]) {
          if (placed[f] == g || !live_in_[f].test(g)) continue;
          placed[f] = g;
          phi_variables_[f].push_back(globals_[g]);
          work.push_back(f);
        }
      }
    }
  }

  ValueId new_value(VariableId v, BlockId b) {
    draft_.kernel.values.push_back({draft_.variables[v], b});
    return static_cast<ValueId>(draft_.kernel.values.size() - 1);
  }

  Operand current(VariableId v) const {
    if (!stacks_[v].empty()) return Operand::of(stacks_[v].back());
    Operand o;
    o.kind = Operand::Kind::undefined;
    return o;
  }

  // The value of a predicate that must be one; a move stands in for a register nobody wrote.
  ValueId required(VariableId v, BlockId b, std::vector<Inst>& insts) {
    if (!stacks_[v].empty()) return stacks_[v].back();
    Inst mov;
    mov.op = ptx::Opcode::mov;
    mov.types[0] = draft_.variables[v] == Width::pred ? ptx::Type::pred : ptx::Type::b32;
    mov.srcs = {current(v)};
    mov.dsts = {new_value(v, b)};
    insts.push_back(mov);
    return insts.back().dsts[0];
  }

  void enter(BlockId b, std::vector<VariableId>& pushed) {
    Block& block = blocks_[b];
    for (const VariableId v : phi_variables_[b]) {
      Phi phi;
      phi.dst = new_value(v, b);
      phi.incoming.resize(block.preds.size());
      for (Operand& o : phi.incoming) o.kind = Operand::Kind::undefined;
      block.phis.push_back(std::move(phi));
      stacks_[v].push_back(block.phis.back().dst);
      pushed.push_back(v);
    }
    std::vector<Inst> insts;
    insts.reserve(block.insts.size());
    for (Inst& inst : block.insts) {
      for (Operand& o : inst.srcs)
        if (o.kind == Operand::Kind::value) {
          const bool negated = o.negated;
          o = current(o.value);
          o.negated = negated;
        }
      if (inst.guard != no_value) {
        inst.guard = required(inst.guard, b, insts);
        for (const VariableId d : inst.dsts) inst.prior.push_back(d == no_value ? Operand{} : current(d));
      }
      for (ValueId& d : inst.dsts) {
        if (d == no_value) continue;
        const VariableId v = d;
        d = new_value(v, b);
        stacks_[v].push_back(d);
        pushed.push_back(v);
      }
      insts.push_back(std::move(inst));
    }
    block.insts = std::move(insts);
    if (block.term.cond != no_value) block.term.cond = required(block.term.cond, b, block.insts);
    std::vector<BlockId> filled;
    for (const BlockId s : block.term.targets) {
      if (std::find(filled.begin(), filled.end(), s) != filled.end()) continue;
      filled.push_back(s);
      const auto& preds = blocks_[s].preds;
      const auto slot = static_cast<std::size_t>(std::find(preds.begin(), preds.end(), b) - preds.begin());
      // Phis of an unvisited successor do not exist yet; keep the operands until it is entered.
      for (std::size_t i = 0; i < phi_variables_[s].size(); ++i)
        incoming_[s].push_back({i, slot, current(phi_variables_[s][i])});
    }
  }

  void rename() {
    stacks_.resize(draft_.variables.size());
    incoming_.resize(blocks_.size());
    Graph children(blocks_.size());
    for (BlockId b = 1; b < blocks_.size(); ++b)
      if (idom_[b] != no_block) children[idom_[b]].push_back(b);
    struct Frame {
      BlockId block;
      std::size_t next = 0;
      std::vector<VariableId> pushed;
    };
    std::vector<Frame> stack;
    stack.push_back({0, 0, {}});
    enter(0, stack.back().pushed);
    while (!stack.empty()) {
      Frame& f = stack.back();
      if (f.next < children[f.block].size()) {
        const BlockId child = children[f.block][f.next++];
        Frame frame{child, 0, {}};
        enter(child, frame.pushed);
        stack.push_back(std::move(frame));
        continue;
      }
      for (const VariableId v : f.pushed) stacks_[v].pop_back();
      stack.pop_back();
    }
    for (BlockId b = 0; b < blocks_.size(); ++b)
      for (const auto& [phi, slot, operand] : incoming_[b]) blocks_[b].phis[phi].incoming[slot] = operand;
    draft_.variables.clear();
  }

  struct Incoming {
    std::size_t phi, slot;
    Operand operand;
  };

  Draft& draft_;
  std::vector<Block>& blocks_;
  std::vector<std::uint32_t> dense_;
  std::vector<VariableId> globals_;
  std::vector<Bits> live_in_;
  std::vector<std::vector<BlockId>> definitions_;
  std::vector<BlockId> idom_;
  std::vector<std::vector<VariableId>> phi_variables_;
  std::vector<std::vector<ValueId>> stacks_;
  std::vector<std::vector<Incoming>> incoming_;
};

}  // namespace

void construct_ssa(Draft& draft) {
  Builder(draft).run();
}

}  // namespace wanren::simt
