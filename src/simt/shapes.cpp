// analyse(): an optimistic fixpoint of value shapes, alternating with what divergence does to them until
// both agree.

#include <algorithm>
#include <map>

#include "simt/analysis.h"
#include "simt/opcode_traits.h"

namespace wanren::simt {
namespace {

using Kind = ValueShape::Kind;

class Analysis {
 public:
  Analysis(const Kernel& kernel, const BlockShape& block, std::vector<LanePattern> known,
           std::vector<bool> uniform_arguments)
      : k_(kernel), block_(block), graph_(successors(kernel.blocks)), loops_(find_loops(graph_)) {
    if (known.empty()) known.push_back(LanePattern{});
    for (std::uint32_t i = 1; i < known.size(); ++i) numbers_.emplace(known[i], i);
    shapes_.patterns = std::move(known);
    shapes_.uniform_arguments = std::move(uniform_arguments);
    forced_.assign(k_.values.size(), false);
  }

  Shapes run() {
    do {
      find_shapes();
      find_divergence();
    } while (force_vectors());
    const auto n = static_cast<BlockId>(k_.blocks.size());
    shapes_.frontier.resize(n);
    shapes_.whole.assign(n, false);
    for (BlockId b = 0; b < n; ++b) {
      shapes_.frontier[b] = pending_[b].list();
      // Lanes that have exited would be pending at the exit block, which is the last.
      shapes_.whole[b] = shapes_.frontier[b].empty() && !split_.test(b);
    }
    shapes_.live_in = live_values(k_);
    return std::move(shapes_);
  }

 private:
  std::uint32_t intern(const LanePattern& p) {
    const auto it = numbers_.find(p);
    if (it != numbers_.end()) return it->second;
    if (shapes_.patterns.size() > 0xffff) return 0;  // records hold 16 bits
    const auto id = static_cast<std::uint32_t>(shapes_.patterns.size());
    shapes_.patterns.push_back(p);
    numbers_.emplace(p, id);
    return id;
  }

  bool known(const Operand& o) const { return o.kind != Operand::Kind::value || known_[o.value]; }

  // New shape of v; true if it changed.
  bool settle(ValueId v, ValueShape s) {
    if (forced_[v]) s = {};
    if (known_[v]) {
      const ValueShape& old = shapes_.values[v];
      s = meet(old, s);
      if (s.kind == old.kind && s.base_align == old.base_align && s.is_constant == old.is_constant)
        return false;
    }
    known_[v] = true;
    shapes_.values[v] = s;
    return true;
  }

  void find_shapes() {
    shapes_.values.assign(k_.values.size(), {});
    known_.assign(k_.values.size(), false);
    const std::function<std::uint32_t(const LanePattern&)> number = [this](const LanePattern& p) {
      return intern(p);
    };
    for (bool changed = true; changed;) {
      changed = false;
      for (const Block& block : k_.blocks) {
        for (const Phi& phi : block.phis) {
          ValueShape s;
          bool any = false;
          for (const Operand& o : phi.incoming) {
            if (!known(o)) continue;
            s = any ? meet(s, shape_of(shapes_, o)) : shape_of(shapes_, o);
            any = true;
          }
          if (any) changed |= settle(phi.dst, s);
        }
        for (const Inst& inst : block.insts) {
          if (inst.dsts.empty()) continue;
          bool ready = inst.guard == no_value || known_[inst.guard];
          for (const Operand& o : inst.srcs) ready &= known(o);
          for (const Operand& o : inst.prior) ready &= known(o);
          if (!ready) continue;
          const Transferred t = transfer(k_, shapes_, inst, &block_, number);
          ValueShape other;
          if (t.rule == Rule::uniform) other.kind = Kind::uniform;
          for (std::size_t i = 0; i < inst.dsts.size(); ++i)
            if (inst.dsts[i] != no_value) changed |= settle(inst.dsts[i], i == 0 ? t.shape : other);
        }
      }
    }
    // Values of code that waits for itself and nothing else cannot be reached with lanes.
  }

  void find_divergence() {
    const std::size_t n = k_.blocks.size();
    shapes_.divergent.assign(n, false);
    for (BlockId b = 0; b < n; ++b) {
      const ValueId cond = k_.blocks[b].term.cond;
      if (cond != no_value) shapes_.divergent[b] = shapes_.values[cond].kind != Kind::uniform;
    }
    pending_ = pending_blocks(k_, shapes_.divergent, nullptr);
    find_split();
    if (!split_.empty()) pending_ = pending_blocks(k_, shapes_.divergent, &split_);
  }

  // Where lanes of one warp may be in different iterations: a spinning lane is overtaken by the others.
  void find_split() {
    const std::size_t n = k_.blocks.size();
    std::vector<BlockId> work;
    BlockSet split(n);
    auto add = [&](BlockId b) {
      if (split.test(b)) return;
      split.set(b);
      work.push_back(b);
    };
    for (const Block& block : k_.blocks) {
      if (!block.term.spins) continue;
      for (int l = loops_.innermost[block.id]; l >= 0; l = loops_.loops[l].parent) {
        const Loop& loop = loops_.loops[l];
        const auto& targets = block.term.targets;
        if (!loop.irreducible && std::find(targets.begin(), targets.end(), loop.header) == targets.end())
          continue;
        bool others = false;
        for (const BlockId b : loop.blocks) others |= shapes_.divergent[b] || !pending_[b].empty();
        if (!others) continue;  // All lanes spin together.
        for (const BlockId b : loop.blocks) {
          add(b);
          for (const BlockId p : pending_[b].list()) add(p);
        }
      }
    }
    while (!work.empty()) {
      const BlockId b = work.back();
      work.pop_back();
      for (const BlockId s : graph_[b]) add(s);
    }
    split_ = std::move(split);
  }

  bool force(ValueId v) {
    if (v == no_value || forced_[v] || shapes_.values[v].kind == Kind::vector) return false;
    forced_[v] = true;
    return true;
  }

  bool force_vectors() {
    bool changed = false;
    for (BlockId b = 0; b < k_.blocks.size(); ++b) {
      if (shapes_.divergent[b]) changed |= force_joins_of_branch(b);
      bool revisited = split_.test(b);
      for (int l = loops_.innermost[b]; l >= 0; l = loops_.loops[l].parent)
        revisited |= loops_.loops[l].irreducible;
      if (revisited) changed |= force_revisited(k_.blocks[b]);
    }
    for (std::size_t l = 0; l < loops_.loops.size(); ++l) changed |= force_loop_exits(static_cast<int>(l));
    return changed;
  }

  // A block that lanes pass at different times: what can differ from time to time is no scalar.
  bool force_revisited(const Block& block) {
    bool changed = false;
    for (const Phi& phi : block.phis) changed |= force(phi.dst);
    for (const Inst& inst : block.insts) {
      const OpcodeFlags f = traits(inst.op);
      const bool parameter = inst.op == ptx::Opcode::ld && inst.space() == ptx::Space::param;
      bool varies = (f.memory && !parameter) || f.collective || f.suspends || f.control;
      for (const Operand& o : inst.srcs) varies |= o.kind == Operand::Kind::special && reads_time(o.special);
      if (!varies) continue;
      for (const ValueId d : inst.dsts) changed |= force(d);
    }
    return changed;
  }

  // Walks forward from edges that lanes take apart, each with its own label, and forces the phis where two
  // labels meet. Back edges are not followed: lanes of one loop stay in one iteration.
  bool force_joins(const std::vector<std::pair<BlockId, BlockId>>& edges, BlockId stop) {
    const auto n = static_cast<BlockId>(k_.blocks.size());
    constexpr std::uint32_t none = ~0u;
    std::vector<std::uint32_t> label(n, none);
    BlockId first = n;
    for (const auto& [from, to] : edges) first = std::min(first, to);
    bool changed = false;
    for (BlockId b = first; b < n; ++b) {
      std::uint32_t mine = none;
      bool joins = false;
      auto meets = [&](std::uint32_t other) {
        joins |= mine != none && mine != other;
        mine = other;
      };
      for (std::uint32_t e = 0; e < edges.size(); ++e)
        if (edges[e].second == b && edges[e].first < b) meets(n + e);
      for (const BlockId p : k_.blocks[b].preds)
        if (p < b && p != stop && label[p] != none) meets(label[p]);
      if (mine == none) continue;
      label[b] = joins ? b : mine;
      if (joins)
        for (const Phi& phi : k_.blocks[b].phis) changed |= force(phi.dst);
      if (b == stop) break;
    }
    return changed;
  }

  bool force_joins_of_branch(BlockId b) {
    std::vector<std::pair<BlockId, BlockId>> edges;
    for (const BlockId t : graph_[b]) edges.emplace_back(b, t);
    return force_joins(edges, k_.blocks[b].immediate_post_dominator);
  }

  bool force_loop_exits(int l) {
    const Loop& loop = loops_.loops[l];
    std::vector<bool> inside(k_.blocks.size());
    for (const BlockId b : loop.blocks) inside[b] = true;
    std::vector<std::pair<BlockId, BlockId>> exits;
    bool apart = loop.irreducible;
    for (const BlockId b : loop.blocks)
      for (const BlockId t : graph_[b])
        if (!inside[t]) {
          exits.emplace_back(b, t);
          // Lanes wait there while others go round.
          apart |= pending_[loop.header].test(t);
        }
    if (!apart || exits.empty()) return false;
    BlockId stop = k_.blocks[loop.header].immediate_post_dominator;
    while (stop != no_block && inside[stop]) stop = k_.blocks[stop].immediate_post_dominator;
    bool changed = force_joins(exits, stop);

    // What the last iteration of each lane left behind is no scalar outside.
    auto read_outside = [&](const Operand& o) {
      if (o.kind == Operand::Kind::value && inside[k_.values[o.value].block]) changed |= force(o.value);
    };
    for (const Block& block : k_.blocks) {
      for (const Phi& phi : block.phis)
        for (std::size_t i = 0; i < phi.incoming.size(); ++i) {
          const Operand& o = phi.incoming[i];
          if (!inside[block.preds[i]]) {
            read_outside(o);
          } else if (!inside[block.id] && o.kind == Operand::Kind::value &&
                     inside[k_.values[o.value].block]) {
            changed |= force(phi.dst);
          }
        }
      if (inside[block.id]) continue;
      for (const Inst& inst : block.insts) {
        for (const Operand& o : inst.srcs) read_outside(o);
        for (const Operand& o : inst.prior) read_outside(o);
        if (inst.guard != no_value) read_outside(Operand::of(inst.guard));
      }
      if (block.term.cond != no_value) read_outside(Operand::of(block.term.cond));
    }
    return changed;
  }

  const Kernel& k_;
  BlockShape block_;
  Graph graph_;
  Loops loops_;
  Shapes shapes_;
  std::map<LanePattern, std::uint32_t> numbers_;
  std::vector<bool> known_, forced_;
  std::vector<BlockSet> pending_;
  BlockSet split_;
};

// Finds what analyse() interned; transfer() on final shapes makes no new patterns.
std::function<std::uint32_t(const LanePattern&)> find_in(const Shapes& shapes) {
  return [&shapes](const LanePattern& p) {
    const auto at = std::find(shapes.patterns.begin(), shapes.patterns.end(), p);
    return at == shapes.patterns.end() ? 0 : static_cast<std::uint32_t>(at - shapes.patterns.begin());
  };
}

}  // namespace

Shapes analyse(const Kernel& kernel, const BlockShape& shape, std::vector<LanePattern> known,
               std::vector<bool> uniform_arguments) {
  WR_CHECK(kernel.functions.empty());
  return Analysis(kernel, shape, std::move(known), std::move(uniform_arguments)).run();
}

std::vector<Shapes> analyse_parts(const Kernel& kernel, std::span<const Kernel> parts,
                                  const BlockShape& shape) {
  WR_CHECK(parts.size() == kernel.functions.size() + 1);
  std::vector<std::vector<bool>> uniform(parts.size());
  for (std::size_t i = 1; i < parts.size(); ++i)
    uniform[i].assign(kernel.functions[i - 1].parameters.size(), true);
  std::vector<Shapes> shapes(parts.size());
  for (bool changed = true; changed;) {
    changed = false;
    std::vector<LanePattern> patterns;
    for (std::size_t i = 0; i < parts.size(); ++i) {
      shapes[i] = analyse(parts[i], shape, std::move(patterns), uniform[i]);
      patterns = shapes[i].patterns;
      for (const Block& block : parts[i].blocks)
        for (const Inst& inst : block.insts)
          for (const FunctionId callee : inst.callees)
            for (std::size_t p = 0; p < uniform[callee + 1].size(); ++p) {
              const Operand& passed = inst.srcs[p + (inst.indirect ? 1 : 0)];
              if (!uniform[callee + 1][p] || shape_of(shapes[i], passed).kind == Kind::uniform) continue;
              uniform[callee + 1][p] = false;
              changed = true;
            }
    }
  }
  for (Shapes& s : shapes) s.patterns = shapes.back().patterns;
  return shapes;
}

Rule rule(const Kernel& kernel, const Shapes& shapes, const Inst& inst) {
  const Operand* special = inst.srcs.empty() ? nullptr : &inst.srcs[0];
  const ValueId dst = inst.dsts.empty() ? no_value : inst.dsts[0];
  if (inst.op == ptx::Opcode::mov && special && special->kind == Operand::Kind::special && dst != no_value) {
    // The block shape is in the result already.
    switch (shapes[dst].kind) {
      case Kind::uniform: {
        using S = ptx::SpecialRegister;
        const S s = special->special;
        return s == S::tid_x || s == S::tid_y || s == S::tid_z ? Rule::lane_zero : Rule::uniform;
      }
      case Kind::affine: return Rule::lane_zero;
      case Kind::vector: return Rule::vector;
    }
  }
  const Transferred t = transfer(kernel, shapes, inst, nullptr, find_in(shapes));
  if (t.rule == Rule::uniform || dst == no_value) return t.rule;
  return shapes[dst].kind == Kind::vector ? Rule::vector : t.rule;
}

bool assumes_no_wrap(const Kernel& kernel, const Shapes& shapes, const Inst& inst) {
  if (inst.dsts.empty() || inst.dsts[0] == no_value || shapes[inst.dsts[0]].kind == Kind::vector)
    return false;
  return transfer(kernel, shapes, inst, nullptr, find_in(shapes)).assumes;
}

}  // namespace wanren::simt
