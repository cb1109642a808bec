#include "lower/narrow.h"

#include "ptx/module.h"

namespace wanren::lower {
namespace {

using ptx::Opcode;

// Low 32 bits of the result need only the low 32 bits of source `i`.
bool passes_low_bits(const simt::Inst& inst, std::size_t i) {
  switch (inst.op) {
    case Opcode::add:
    case Opcode::sub:
    case Opcode::and_:
    case Opcode::or_:
    case Opcode::xor_:
    case Opcode::not_:
    case Opcode::neg:
    case Opcode::mov: return inst.dsts.size() == 1 && inst.srcs.size() <= 2 && !inst.arithmetic().cc;
    case Opcode::mul:
    case Opcode::mad: return inst.arithmetic().part == ptx::MulPart::lo;
    case Opcode::shl: return i == 0;
    case Opcode::selp: return i < 2;
    case Opcode::cvta: return true;
    default: return false;
  }
}

bool windowed(ptx::Space space) {
  return space == ptx::Space::shared || space == ptx::Space::local;
}

}  // namespace

std::vector<bool> narrow_values(const simt::Kernel& kernel) {
  std::vector<bool> narrow(kernel.values.size());
  for (std::size_t v = 0; v < narrow.size(); ++v) narrow[v] = kernel.values[v].width == simt::Width::b64;
  // Whatever has several results makes all of their bits.
  for (const simt::Block& block : kernel.blocks)
    for (const simt::Inst& inst : block.insts)
      if (inst.dsts.size() > 1)
        for (const simt::ValueId d : inst.dsts)
          if (d != simt::no_value) narrow[d] = false;
  bool changed = true;
  const auto widen = [&](const simt::Operand& o) {
    if (o.kind != simt::Operand::Kind::value || !narrow[o.value]) return;
    narrow[o.value] = false;
    changed = true;
  };
  const auto result_narrow = [&](simt::ValueId v) {
    return v != simt::no_value && (narrow[v] || kernel.values[v].width != simt::Width::b64);
  };
  while (changed) {
    changed = false;
    for (const simt::Block& block : kernel.blocks) {
      for (const simt::Phi& phi : block.phis)
        for (const simt::Operand& o : phi.incoming) {
          if (!narrow[phi.dst]) widen(o);
          if (o.kind == simt::Operand::Kind::value && !narrow[o.value] && narrow[phi.dst]) {
            narrow[phi.dst] = false;
            changed = true;
          }
        }
      for (const simt::Inst& inst : block.insts) {
        const bool memory = (ptx::flags(inst.op) & ptx::accesses_memory) != 0;
        for (std::size_t i = 0; i < inst.srcs.size(); ++i) {
          if (memory && i == 0 && windowed(inst.space()) && inst.op != Opcode::cp_async) continue;
          if (inst.op == Opcode::cvt && !inst.dsts.empty() && result_narrow(inst.dsts[0]) &&
              !ptx::is_float(inst.types[0]) && !ptx::is_float(inst.types[1]))
            continue;
          if (passes_low_bits(inst, i) && !inst.dsts.empty() && result_narrow(inst.dsts[0])) continue;
          widen(inst.srcs[i]);
        }
        for (std::size_t i = 0; i < inst.prior.size(); ++i)
          if (i < inst.dsts.size() && !result_narrow(inst.dsts[i])) widen(inst.prior[i]);
        // The arithmetic that makes a value must be able to make its low half alone.
        if (inst.dsts.size() == 1 && inst.dsts[0] != simt::no_value && narrow[inst.dsts[0]]) {
          const bool can = passes_low_bits(inst, 0) || inst.op == Opcode::cvt || inst.op == Opcode::cvta ||
                           (inst.op == Opcode::mul && inst.arithmetic().part == ptx::MulPart::wide) ||
                           (inst.op == Opcode::mad && inst.arithmetic().part == ptx::MulPart::wide) ||
                           (inst.op == Opcode::ld && inst.space() == ptx::Space::param);
          if (!can) {
            narrow[inst.dsts[0]] = false;
            changed = true;
          }
        }
      }
      if (block.term.cond != simt::no_value) widen(simt::Operand::of(block.term.cond));
    }
  }
  return narrow;
}

}  // namespace wanren::lower
