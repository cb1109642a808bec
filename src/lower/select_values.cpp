// Values as words: aliases, launch constants, moves into registers.

#include <algorithm>

#include "lower/selector.h"

namespace wanren::lower {

using ptx::Opcode;
using simt::no_value;

namespace {

Word immediate(std::uint64_t bits) {
  Word w;
  w.kind = Word::Kind::immediate;
  w.bits = bits & 0xffffffffu;
  return w;
}

Word constant_bank(std::uint64_t tag) {
  Word w;
  w.kind = Word::Kind::constant_bank;
  w.bits = tag;
  return w;
}

// Special registers that a driver leaves in the constant bank.
bool in_constant_bank(ptx::SpecialRegister reg) {
  using S = ptx::SpecialRegister;
  switch (reg) {
    case S::ntid_x:
    case S::ntid_y:
    case S::ntid_z:
    case S::nctaid_x:
    case S::nctaid_y:
    case S::nctaid_z:
    case S::is_explicit_cluster:
    case S::nclusterid_x:
    case S::nclusterid_y:
    case S::nclusterid_z:
    case S::cluster_nctaid_x:
    case S::cluster_nctaid_y:
    case S::cluster_nctaid_z:
    case S::cluster_nctarank:
    case S::gridid:
    case S::nsmid:
    case S::nwarpid:
    case S::dynamic_smem_size:
    case S::total_smem_size:
    case S::envreg0:
    case S::envreg1:
    case S::envreg2:
    case S::current_graph_exec: return true;
    default: return false;
  }
}

}  // namespace

void Selector::index_definitions() {
  definitions_.assign(kernel_.values.size(), {});
  uses_.assign(kernel_.values.size(), 0);
  const auto use = [&](const Operand& o) {
    if (o.kind == Operand::Kind::value) ++uses_[o.value];
  };
  for (const simt::Block& block : kernel_.blocks) {
    for (const simt::Phi& phi : block.phis) {
      definitions_[phi.dst] = {nullptr, &phi, block.id, 0, 0};
      for (const Operand& o : phi.incoming) use(o);
    }
    for (std::uint32_t i = 0; i < block.insts.size(); ++i) {
      const Inst& inst = block.insts[i];
      for (std::uint32_t d = 0; d < inst.dsts.size(); ++d)
        if (inst.dsts[d] != no_value) definitions_[inst.dsts[d]] = {&inst, nullptr, block.id, i, d};
      for (const Operand& o : inst.srcs) use(o);
      for (const Operand& o : inst.prior) use(o);
      if (inst.guard != no_value) ++uses_[inst.guard];
    }
    if (block.term.cond != no_value) ++uses_[block.term.cond];
  }
}

int Selector::words_of(simt::ValueId v) const {
  switch (kernel_.values[v].width) {
    case simt::Width::b64: return narrow_[v] ? 1 : 2;
    case simt::Width::b128: return 4;
    default: return 1;
  }
}

void Selector::demand(simt::BlockId block, std::uint32_t index) {
  if (wanted_[block][index]) return;
  wanted_[block][index] = true;
  work_.emplace_back(block, index);
}

bool Selector::launch_constant(const Operand& o) const {
  switch (o.kind) {
    case Operand::Kind::imm:
    case Operand::Kind::global_symbol:
    case Operand::Kind::param_address:
    case Operand::Kind::frame_address:
    case Operand::Kind::undefined: return true;
    case Operand::Kind::special: return in_constant_bank(o.special);
    default: return false;
  }
}

Words Selector::place(simt::ValueId v) {
  if (!places_[v].empty()) return places_[v];
  const Definition& d = definitions_[v];
  if (d.inst != nullptr && pure(*d.inst)) {
    if (std::optional<Words> same = alias(*d.inst, d)) {
      same->resize(static_cast<std::size_t>(words_of(v)), immediate(0));
      return places_[v] = *same;
    }
  }
  const bool predicate_value = kernel_.values[v].width == simt::Width::pred;
  places_[v] = code_.words_of(code_.make(static_cast<std::uint8_t>(words_of(v)), predicate_value));
  if (d.inst != nullptr) demand(d.block, d.index);
  return places_[v];
}

Words Selector::words(const Operand& o, int count) {
  Words result;
  switch (o.kind) {
    case Operand::Kind::none: return {};
    case Operand::Kind::value: result = place(o.value); break;
    case Operand::Kind::imm:
      for (int i = 0; i < count; ++i) result.push_back(immediate(i < 2 ? o.bits >> (32 * i) : 0));
      break;
    case Operand::Kind::undefined:
      for (int i = 0; i < count; ++i) result.push_back(immediate(0));
      break;
    case Operand::Kind::global_symbol:
      for (int i = 0; i < count; ++i)
        result.push_back(constant_bank(std::uint64_t{1} << 40 | std::uint64_t{o.index} << 8 |
                                       static_cast<std::uint64_t>(i)));
      break;
    case Operand::Kind::param_address:
      for (int i = 0; i < count; ++i)
        result.push_back(
            constant_bank(std::uint64_t{2} << 40 | (o.bits & 0xffffff) << 8 | static_cast<std::uint64_t>(i)));
      break;
    case Operand::Kind::frame_address:  // the stack pointer and an offset, folded like a constant
      for (int i = 0; i < count; ++i)
        result.push_back(constant_bank(std::uint64_t{4} << 40 | (o.bits & 0xffffffff) << 8 |
                                       static_cast<std::uint64_t>(i)));
      break;
    case Operand::Kind::argument: break;  // build() leaves them to mov alone
    case Operand::Kind::special:
      if (in_constant_bank(o.special)) {
        for (int i = 0; i < count; ++i)
          result.push_back(constant_bank(std::uint64_t{3} << 40 | static_cast<std::uint64_t>(o.special) << 8 |
                                         static_cast<std::uint64_t>(i)));
        break;
      }
      WR_CHECK(o.kind != Operand::Kind::special);  // build() leaves them to mov alone
      break;
  }
  if (count > 0) result.resize(static_cast<std::size_t>(count), immediate(0));
  return result;
}

Word Selector::predicate(simt::ValueId v) {
  if (v == no_value) return {};
  return place(v).front();
}

Word Selector::predicate(const Operand& o) {
  if (o.kind != Operand::Kind::value) return {};  // PT or !PT
  return predicate(o.value);
}

std::optional<Words> Selector::alias(const Inst& inst, const Definition& d) {
  const auto width = [&](const Operand& o) {
    return o.kind == Operand::Kind::value ? words_of(o.value) : words_of(inst.dsts[d.position]);
  };
  switch (inst.op) {
    case Opcode::wgmma_mma_async: {  // in place, if there is a register before
      const Words old = words(inst.srcs[inst.srcs.size() - inst.dsts.size() + d.position], 1);
      return old[0].in_register() ? std::optional(old) : std::nullopt;
    }
    case Opcode::mov: {
      if (inst.dsts.size() == 1 && inst.srcs.size() == 1) {
        const Operand& o = inst.srcs[0];
        if (kernel_.values[inst.dsts[0]].width == simt::Width::pred) return std::nullopt;
        if (o.kind == Operand::Kind::value || launch_constant(o)) return words(o, words_of(inst.dsts[0]));
        return std::nullopt;
      }
      const auto source_bits = inst.srcs.size() == 1 && inst.srcs[0].kind == Operand::Kind::value
                                   ? simt::bits(kernel_.values[inst.srcs[0].value].width)
                                   : 0;
      if (inst.srcs.size() == 1 && source_bits >= 64) {  // unpack to words
        const Words all = words(inst.srcs[0], source_bits / 32);
        const int part = source_bits / static_cast<int>(inst.dsts.size());
        if (part < 32) return std::nullopt;
        const int n = part / 32;
        const auto first = all.begin() + static_cast<std::ptrdiff_t>(d.position) * n;
        return Words(first, first + n);
      }
      if (inst.srcs.size() == 1) return words(inst.srcs[0], 1);  // halves: operand selectors .H0 and .H1
      if (inst.dsts.size() == 1 && words_of(inst.dsts[0]) >= static_cast<int>(inst.srcs.size())) {  // pack
        Words all;
        const int n = words_of(inst.dsts[0]) / static_cast<int>(inst.srcs.size());
        for (const Operand& o : inst.srcs) {
          const Words part = words(o, n);
          all.insert(all.end(), part.begin(), part.end());
        }
        return all;
      }
      return std::nullopt;
    }
    case Opcode::cvta: return words(inst.srcs[0], words_of(inst.dsts[0]));
    case Opcode::ld:
      if (inst.space() == ptx::Space::param && inst.srcs[0].kind != Operand::Kind::value) {
        Words ws;
        const int bytes = std::max(ptx::bits(inst.types[0]) / 8, 1);
        const std::uint64_t at = static_cast<std::uint64_t>(inst.offset) + inst.srcs[0].bits +
                                 d.position * static_cast<std::uint64_t>(bytes);
        for (int i = 0; i < words_of(inst.dsts[d.position]); ++i)
          ws.push_back(constant_bank(std::uint64_t{4} << 40 | (at + 4 * static_cast<unsigned>(i))));
        return ws;
      }
      return std::nullopt;
    case Opcode::cvt: {
      const ptx::Type to = inst.types[0], from = inst.types[1];
      if (ptx::is_float(to) || ptx::is_float(from) || inst.arithmetic().sat) return std::nullopt;
      const int to_bits = ptx::bits(to), from_bits = ptx::bits(from);
      if (to_bits >= 32 && to_bits <= from_bits) return words(inst.srcs[0], words_of(inst.dsts[0]));
      if (to_bits == from_bits) return words(inst.srcs[0], 1);
      if (from == ptx::Type::u32 || (from == ptx::Type::s32 && words_of(inst.dsts[0]) == 1)) {
        if (to_bits < 32) return to_bits == 16 ? std::optional(words(inst.srcs[0], 1)) : std::nullopt;
        Words ws = words(inst.srcs[0], 1);
        ws.resize(static_cast<std::size_t>(words_of(inst.dsts[0])), immediate(0));
        return ws;
      }
      if (to_bits == 16 && from_bits > 16) return words(inst.srcs[0], width(inst.srcs[0]) > 1 ? 1 : 1);
      return std::nullopt;
    }
    default: return std::nullopt;
  }
}

const simt::Inst* Selector::definition(const Operand& o) const {
  if (o.kind != Operand::Kind::value || o.negated) return nullptr;
  const Inst* inst = definitions_[o.value].inst;
  return inst != nullptr && pure(*inst) ? inst : nullptr;
}

const simt::Inst* Selector::sole_use(const Operand& o) const {
  const Inst* inst = definition(o);
  if (inst == nullptr || uses_[o.value] != 1 || definitions_[o.value].block != block_) return nullptr;
  return inst;
}

Words Selector::destination(const Inst& inst, std::size_t i) {
  if (i >= inst.dsts.size() || inst.dsts[i] == no_value) return {};
  return place(inst.dsts[i]);
}

// Constants used in loops are moved once, in the entry block; others where they are used.
Word Selector::materialise(const Word& w) {
  if (w.in_register() || w.kind == Word::Kind::none) return w;
  if (w.kind == Word::Kind::immediate && w.bits == 0) return w;  // the zero register
  const simt::BlockId home = kernel_.blocks[block_].loop_depth > 0 ? 0 : block_;
  for (const simt::BlockId b : {simt::BlockId{0}, home})
    if (const auto it = constants_.find({b, w.kind, w.bits}); it != constants_.end()) return it->second;
  const Virtual v = code_.make(1);
  VirtualInst move_inst;
  move_inst.machine.pipe = Pipe::integer;
  move_inst.machine.latency = static_cast<std::uint16_t>(chip_.subcore.alu_latency);
  move_inst.machine.interval = static_cast<std::uint16_t>(interval(chip_.subcore.int_lanes));
  move_inst.defines = {Code::word_of(v)};
  head_[home].push_back(std::move(move_inst));
  return constants_[{home, w.kind, w.bits}] = Code::word_of(v);
}

Words Selector::in_registers(Words ws) {
  for (Word& w : ws) w = materialise(w);
  return ws;
}

void Selector::legalise(std::vector<Words>& sources) {
  bool constant_seen = false;
  // The constant bank keeps its place; immediates beside it go to registers.
  for (int pass = 0; pass < 2; ++pass) {
    const Word::Kind kind = pass == 0 ? Word::Kind::constant_bank : Word::Kind::immediate;
    for (Words& source : sources)
      for (Word& w : source) {
        if (w.kind != kind || (kind == Word::Kind::immediate && w.bits == 0)) continue;
        if (constant_seen) w = materialise(w);
        constant_seen = true;
      }
  }
}

}  // namespace wanren::lower
