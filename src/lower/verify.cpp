// What timing relies on, checked without the selector's own bookkeeping.

#include <fmt/format.h>

#include <map>

#include "lower/program.h"
#include "simt/opcode_traits.h"

namespace wanren::lower {
namespace {

using ptx::Opcode;

struct Place {
  simt::Operand root;
  std::int64_t offset = 0;
};

bool same_root(const simt::Operand& a, const simt::Operand& b) {
  using K = simt::Operand::Kind;
  if (a.kind != b.kind) return false;
  if (a.kind == K::value) return a.value == b.value;
  return a.kind == K::imm || (a.kind == K::global_symbol && a.index == b.index && a.bits == b.bits) ||
         ((a.kind == K::param_address || a.kind == K::frame_address) && a.bits == b.bits);
}

class Verifier {
 public:
  Verifier(const MachineProgram& program, const simt::Kernel& kernel) : program_(program), kernel_(kernel) {
    for (const simt::Block& block : kernel.blocks)
      for (const simt::Inst& inst : block.insts)
        if (inst.dsts.size() == 1 && inst.dsts[0] != simt::no_value && inst.guard == simt::no_value)
          definitions_[inst.dsts[0]] = &inst;
  }

  std::string run() const {
    if (program_.blocks.size() != kernel_.blocks.size())
      return fmt::format("{} blocks for {} frozen ones", program_.blocks.size(), kernel_.blocks.size());
    if (program_.registers_per_thread == 0 || program_.registers_per_thread > 256)
      return fmt::format("{} registers per thread", program_.registers_per_thread);
    for (std::size_t b = 0; b < program_.blocks.size(); ++b)
      if (std::string broken = block(b); !broken.empty()) return fmt::format("block {}: {}", b, broken);
    return {};
  }

 private:
  Place place(const simt::Inst& inst) const {
    Place p{inst.srcs.empty() ? simt::Operand{} : inst.srcs[0], inst.offset};
    for (;;) {
      if (p.root.kind != simt::Operand::Kind::value) break;
      const auto it = definitions_.find(p.root.value);
      if (it == definitions_.end()) break;
      const simt::Inst& d = *it->second;
      const bool sum =
          (d.op == Opcode::add || d.op == Opcode::sub) && ptx::bits(d.types[0]) >= 32 && !d.arithmetic().cc;
      if (sum && d.srcs[1].kind == simt::Operand::Kind::imm) {
        const auto change = ptx::bits(d.types[0]) == 32 ? static_cast<std::int32_t>(d.srcs[1].bits)
                                                        : static_cast<std::int64_t>(d.srcs[1].bits);
        p.offset += d.op == Opcode::add ? change : -change;
        p.root = d.srcs[0];
      } else if (d.op == Opcode::add && sum && d.srcs[0].kind == simt::Operand::Kind::imm) {
        p.offset += static_cast<std::int64_t>(d.srcs[0].bits);
        p.root = d.srcs[1];
      } else if (d.op == Opcode::cvta || (d.op == Opcode::mov && d.srcs.size() == 1)) {
        p.root = d.srcs[0];
      } else if (d.op == Opcode::cvt && !ptx::is_float(d.types[1])) {
        p.root = d.srcs[0];
      } else {
        break;
      }
    }
    if (p.root.kind == simt::Operand::Kind::imm) p.offset += static_cast<std::int64_t>(p.root.bits);
    return p;
  }

  static bool reads_only(const simt::Inst& i) {
    return i.op == Opcode::ld || i.op == Opcode::ldu || i.op == Opcode::ldmatrix || i.op == Opcode::wmma_load;
  }
  static bool fixed_order(const simt::Inst& i) {
    using S = ptx::Semantics;
    const S s = i.memory().semantics;
    return i.op == Opcode::bar || i.op == Opcode::barrier || simt::concerns_cluster(i.op) ||
           !(s == S::none || s == S::weak || s == S::relaxed);
  }

  bool may_swap(const simt::Inst& a, const simt::Inst& b) const {
    if (fixed_order(a) || fixed_order(b)) return false;
    if (reads_only(a) && reads_only(b)) return true;
    const auto read_only_memory = [](const simt::Inst& i) {
      return i.space() == ptx::Space::constant || i.memory().cache == ptx::CacheOp::nc;
    };
    if (read_only_memory(a) || read_only_memory(b)) return true;
    if (a.op == Opcode::cp_async || b.op == Opcode::cp_async) return false;
    const ptx::Space x = a.space(), y = b.space();
    if (x != y) return x != ptx::Space::none && y != ptx::Space::none;
    const Place p = place(a), q = place(b);
    if (!same_root(p.root, q.root)) return false;
    const auto bytes = [](const simt::Inst& i) {
      return std::int64_t{ptx::bits(i.types[0])} / 8 * std::max<int>(1, i.memory().vector);
    };
    return p.offset + bytes(a) <= q.offset || q.offset + bytes(b) <= p.offset;
  }

  std::string block(std::size_t b) const {
    const simt::Block& frozen = kernel_.blocks[b];
    std::vector<const simt::Inst*> owner(frozen.slots, nullptr);
    for (const simt::Inst& inst : frozen.insts)
      if (inst.slot != simt::no_slot && inst.slot < frozen.slots) owner[inst.slot] = &inst;
    std::vector<int> position(frozen.slots, -1);
    const auto& insts = program_.blocks[b].insts;
    for (std::size_t i = 0; i < insts.size(); ++i) {
      const MachineInst& m = insts[i];
      const auto range = [&](Register r, int count) {
        return r == no_register ||
               (r < 256 ? r + count <= static_cast<int>(program_.named_registers) : r < register_slots);
      };
      if (!range(m.dst, m.dst_count))
        return fmt::format("instruction {}: result register {} out of range", i, m.dst);
      for (int s = 0; s < m.src_count; ++s)
        if (!range(m.src[s], m.src_width[s]))
          return fmt::format("instruction {}: source register {} out of range", i, m.src[s]);
      for (const Register p : {m.dst_predicate, m.guard})
        if (p != no_register && (p < 256 || p >= register_slots))
          return fmt::format("instruction {}: predicate {} out of range", i, p);
      if (m.interval == 0 || m.repeat == 0) return fmt::format("instruction {}: takes no time", i);
      if (m.spill && 4u * m.spill_word + m.bytes > program_.spill_bytes)
        return fmt::format("instruction {}: spill word {} of {}", i, m.spill_word, program_.spill_bytes / 4);
      if (m.slot == simt::no_slot) continue;
      if (m.slot >= frozen.slots)
        return fmt::format("instruction {}: slot {} of {}", i, m.slot, frozen.slots);
      if (position[m.slot] >= 0) return fmt::format("slot {} consumed twice", m.slot);
      position[m.slot] = static_cast<int>(i);
      for (const std::uint16_t merged : m.merged_slots) {
        if (merged == simt::no_slot) continue;
        if (merged >= frozen.slots)
          return fmt::format("instruction {}: slot {} of {}", i, merged, frozen.slots);
        if (position[merged] >= 0) return fmt::format("slot {} consumed twice", merged);
        position[merged] = static_cast<int>(i);
      }
    }
    for (std::size_t s = 0; s < position.size(); ++s)
      if (position[s] < 0) return fmt::format("slot {} not consumed", s);
    for (std::size_t s = 0; s < position.size(); ++s)
      for (std::size_t t = s + 1; t < position.size(); ++t)
        if (position[s] > position[t] && owner[s] != nullptr && owner[t] != nullptr &&
            !may_swap(*owner[s], *owner[t]))
          return fmt::format("slots {} and {} changed order but may touch the same memory", s, t);
    return {};
  }

  const MachineProgram& program_;
  const simt::Kernel& kernel_;
  std::map<simt::ValueId, const simt::Inst*> definitions_;
};

}  // namespace

std::string verify(const MachineProgram& program, const simt::Kernel& kernel) {
  return Verifier(program, kernel).run();
}

}  // namespace wanren::lower
