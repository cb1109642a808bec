// Copies and trivial phis are replaced by what they copy; arithmetic that nobody reads goes. Loads and
// collectives stay: the program asked for them. Block::ptx_instructions is not touched.

#include <algorithm>

#include "simt/draft.h"
#include "simt/opcode_traits.h"

namespace wanren::simt {
namespace {

using ptx::Opcode;

bool same(const Operand& a, const Operand& b) {
  if (a.kind != b.kind || a.negated != b.negated) return false;
  switch (a.kind) {
    case Operand::Kind::value: return a.value == b.value;
    case Operand::Kind::imm:
    case Operand::Kind::frame_address:
    case Operand::Kind::param_address: return a.bits == b.bits;
    case Operand::Kind::argument: return a.index == b.index;
    case Operand::Kind::global_symbol: return a.index == b.index && a.bits == b.bits;
    case Operand::Kind::special: return a.special == b.special;
    default: return true;
  }
}

std::uint64_t low_bits(std::uint64_t bits_value, Width width) {
  const int n = bits(width);
  return n >= 64 ? bits_value : bits_value & ((std::uint64_t{1} << n) - 1);
}

class Folder {
 public:
  explicit Folder(Kernel& kernel) : k_(kernel), known_(kernel.values.size()) {}

  void run() {
    for (bool changed = true; changed;) {
      changed = false;
      for (Block& b : k_.blocks) {
        for (Phi& phi : b.phis) changed |= fold_phi(phi);
        for (Inst& inst : b.insts) changed |= fold_move(inst) || fold_sum(inst);
      }
    }
    for (Block& b : k_.blocks) {
      for (Phi& phi : b.phis)
        for (Operand& o : phi.incoming) o = resolve(o);
      for (Inst& inst : b.insts) {
        for (Operand& o : inst.srcs) o = resolve(o);
        for (Operand& o : inst.prior) o = resolve(o);
        inst.guard = resolve_value(inst.guard, inst.guard_negated);
        fold_parameter_load(inst);
      }
      b.term.cond = resolve_value(b.term.cond, b.term.negated);
    }
    remove_dead();
    compact();
  }

 private:
  Operand resolve(Operand o) const {
    while (o.kind == Operand::Kind::value && known_[o.value].kind != Operand::Kind::none) {
      const bool negated = o.negated;
      o = known_[o.value];
      if (!negated) continue;
      if (o.kind == Operand::Kind::value)
        o.negated = !o.negated;
      else if (o.kind == Operand::Kind::imm)
        o.bits = (o.bits & 1) ^ 1;
      else
        o = Operand::imm(1);  // not undefined, which reads as 0
    }
    return o;
  }

  // Where only a value will do, a chain is followed as far as values go.
  ValueId resolve_value(ValueId v, bool& negated) const {
    while (v != no_value && known_[v].kind == Operand::Kind::value) {
      negated ^= known_[v].negated;
      v = known_[v].value;
    }
    return v;
  }

  bool fold_phi(const Phi& phi) {
    if (known_[phi.dst].kind != Operand::Kind::none) return false;
    Operand only;
    for (const Operand& in : phi.incoming) {
      const Operand o = resolve(in);
      if (o.kind == Operand::Kind::value && o.value == phi.dst && !o.negated) continue;
      if (only.kind != Operand::Kind::none && !same(only, o)) return false;
      only = o;
    }
    if (only.kind == Operand::Kind::none) only.kind = Operand::Kind::undefined;
    known_[phi.dst] = only;
    return true;
  }

  bool fold_move(const Inst& inst) {
    if (inst.op != Opcode::mov || inst.guard != no_value || inst.dsts.size() != 1 || inst.srcs.size() != 1 ||
        inst.dsts[0] == no_value || known_[inst.dsts[0]].kind != Operand::Kind::none)
      return false;
    const Width width = k_.values[inst.dsts[0]].width;
    Operand source = resolve(inst.srcs[0]);
    switch (source.kind) {
      case Operand::Kind::value:
        if (k_.values[source.value].width != width || source.value == inst.dsts[0]) return false;
        break;
      case Operand::Kind::imm:
        if (width == Width::b128) return false;
        source.bits = low_bits(source.bits, width);
        break;
      case Operand::Kind::global_symbol:
      case Operand::Kind::frame_address:
      case Operand::Kind::param_address:
        if (width != Width::b64) return false;
        break;
      case Operand::Kind::undefined: break;
      default: return false;
    }
    known_[inst.dsts[0]] = source;
    return true;
  }

  // Offsets of frames and windows leave sums of constants, and sums with 0.
  bool fold_sum(const Inst& inst) {
    if (inst.op != Opcode::add || inst.guard != no_value || inst.dsts.size() != 1 || inst.srcs.size() != 2 ||
        inst.arithmetic().sat || inst.dsts[0] == no_value || known_[inst.dsts[0]].kind != Operand::Kind::none)
      return false;
    const ptx::Type type = inst.types[0];
    using enum ptx::Type;
    if (type != s32 && type != u32 && type != s64 && type != u64) return false;
    const Width width = k_.values[inst.dsts[0]].width;
    Operand a = resolve(inst.srcs[0]), b = resolve(inst.srcs[1]);
    if (a.kind == Operand::Kind::imm) std::swap(a, b);
    if (b.kind != Operand::Kind::imm) return false;
    if (a.kind == Operand::Kind::imm)
      a.bits = low_bits(a.bits + b.bits, width);
    else if (low_bits(b.bits, width) != 0 || a.kind != Operand::Kind::value ||
             k_.values[a.value].width != width || a.value == inst.dsts[0])
      return false;
    known_[inst.dsts[0]] = a;
    return true;
  }

  // A load through the parameter buffer's own address is ld.param.
  static void fold_parameter_load(Inst& inst) {
    if (inst.op != Opcode::ld || inst.space() != ptx::Space::none || inst.srcs.empty() ||
        inst.srcs[0].kind != Operand::Kind::param_address)
      return;
    inst.set_space(ptx::Space::param);
    inst.offset += static_cast<std::int64_t>(inst.srcs[0].bits);
    inst.srcs[0] = Operand::imm(0);
  }

  static bool is_root(const Inst& inst) {
    const OpcodeFlags f = traits(inst.op);
    if (inst.op == Opcode::ld && inst.space() == ptx::Space::param) return false;
    if (f.memory || f.suspends || f.control || f.collective || !f.has_destination) return true;
    for (const Operand& o : inst.srcs)
      if (o.kind == Operand::Kind::special && reads_time(o.special)) return true;
    return false;
  }

  void remove_dead() {
    struct Definition {
      const Inst* inst = nullptr;
      const Phi* phi = nullptr;
    };
    std::vector<Definition> definitions(k_.values.size());
    live_.assign(k_.values.size(), false);
    std::vector<ValueId> work;
    auto mark = [&](ValueId v) {
      if (v == no_value || live_[v]) return;
      live_[v] = true;
      work.push_back(v);
    };
    auto mark_sources = [&](const Inst& inst) {
      for (const Operand& o : inst.srcs)
        if (o.kind == Operand::Kind::value) mark(o.value);
      mark(inst.guard);
    };
    for (const Block& b : k_.blocks) {
      for (const Phi& phi : b.phis) definitions[phi.dst].phi = &phi;
      for (const Inst& inst : b.insts) {
        for (const ValueId d : inst.dsts)
          if (d != no_value) definitions[d].inst = &inst;
        if (is_root(inst)) mark_sources(inst);
      }
      mark(b.term.cond);
    }
    while (!work.empty()) {
      const ValueId v = work.back();
      work.pop_back();
      if (const Phi* phi = definitions[v].phi)
        for (const Operand& o : phi->incoming)
          if (o.kind == Operand::Kind::value) mark(o.value);
      if (const Inst* inst = definitions[v].inst) {
        mark_sources(*inst);
        for (std::size_t i = 0; i < inst->prior.size(); ++i)
          if (inst->dsts[i] == v && inst->prior[i].kind == Operand::Kind::value) mark(inst->prior[i].value);
      }
    }
    for (Block& b : k_.blocks) {
      std::erase_if(b.phis, [&](const Phi& phi) { return !live_[phi.dst]; });
      for (Inst& inst : b.insts)
        for (std::size_t i = 0; i < inst.dsts.size(); ++i) {
          if (inst.dsts[i] == no_value || live_[inst.dsts[i]]) continue;
          inst.dsts[i] = no_value;
          if (i < inst.prior.size()) inst.prior[i] = {};
        }
      std::erase_if(b.insts, [](const Inst& inst) {
        return !is_root(inst) &&
               std::all_of(inst.dsts.begin(), inst.dsts.end(), [](ValueId d) { return d == no_value; });
      });
    }
  }

  void compact() {
    std::vector<ValueId> renamed(k_.values.size(), no_value);
    std::vector<Value> values;
    auto define = [&](ValueId& v) {
      if (v == no_value) return;
      renamed[v] = static_cast<ValueId>(values.size());
      values.push_back(k_.values[v]);
      v = renamed[v];
    };
    for (Block& b : k_.blocks) {
      for (Phi& phi : b.phis) define(phi.dst);
      for (Inst& inst : b.insts)
        for (ValueId& d : inst.dsts) define(d);
    }
    auto use = [&](Operand& o) {
      if (o.kind == Operand::Kind::value) o.value = renamed[o.value];
    };
    for (Block& b : k_.blocks) {
      for (Phi& phi : b.phis)
        for (Operand& o : phi.incoming) use(o);
      for (Inst& inst : b.insts) {
        for (Operand& o : inst.srcs) use(o);
        for (Operand& o : inst.prior) use(o);
        if (inst.guard != no_value) inst.guard = renamed[inst.guard];
      }
      if (b.term.cond != no_value) b.term.cond = renamed[b.term.cond];
    }
    k_.values = std::move(values);
  }

  Kernel& k_;
  std::vector<Operand> known_;  // What a value is a copy of; none: nothing.
  std::vector<bool> live_;
};

}  // namespace

void fold_copies(Kernel& kernel) {
  Folder(kernel).run();
}

}  // namespace wanren::simt
