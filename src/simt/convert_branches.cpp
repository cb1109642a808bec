// If-conversion: the short sides of a branch become guarded instructions of the block before it, as
// assemblers for GPUs do. Loads of several such branches then wait together, not one after the other.

#include <algorithm>

#include "simt/draft.h"
#include "simt/opcode_traits.h"

namespace wanren::simt {
namespace {

using ptx::Opcode;

// Half instructions. ptxas 13 for sm_80 converts sides of up to 6 or 7 arithmetic instructions, or some 16
// loads of global memory.
constexpr int most_of_a_side = 14;

// What an instruction costs a lane that did not want it, in half instructions; -1: it must stay behind the
// branch.
int cost(const Inst& inst, const std::vector<VariableId>& loaded) {
  const OpcodeFlags f = traits(inst.op);
  if (inst.guard != no_value || f.suspends || f.control || f.collective || inst.syscall != Syscall::none)
    return -1;
  // A lane that waits for its load anyway gains nothing, and the others would wait with it.
  for (const Operand& o : inst.srcs)
    if (o.kind == Operand::Kind::value && std::find(loaded.begin(), loaded.end(), o.value) != loaded.end())
      return -1;
  for (const Operand& o : inst.srcs)
    if (o.kind == Operand::Kind::special && reads_time(o.special)) return -1;
  const bool wide = inst.types[0] == ptx::Type::f64;
  switch (inst.op) {
    case Opcode::ld:
      if (is_ordered(inst)) return -1;
      return loads_from_afar(inst) ? 1 : 2;
    case Opcode::st: return is_ordered(inst) ? -1 : 2;
    case Opcode::mov:
    case Opcode::add:
    case Opcode::sub:
    case Opcode::and_:
    case Opcode::or_:
    case Opcode::xor_:
    case Opcode::not_:
    case Opcode::shl:
    case Opcode::shr:
    case Opcode::setp:
    case Opcode::selp:
    case Opcode::min:
    case Opcode::max:
    case Opcode::neg:
    case Opcode::abs:
    case Opcode::fma: return wide ? 4 : 2;
    case Opcode::mul:
    case Opcode::mad:
    case Opcode::cvt:
      return wide ? 4 : inst.types[0] == ptx::Type::s64 || inst.types[0] == ptx::Type::u64 ? 8 : 2;
    default: return -1;
  }
}

bool convertible(const Block& side, VariableId condition) {
  if (side.term.kind != Terminator::Kind::jump || side.suspend != Suspend::none || side.no_unroll)
    return false;
  std::vector<VariableId> loaded;
  int total = 0;
  for (const Inst& inst : side.insts) {
    const int c = cost(inst, loaded);
    if (c < 0 || std::find(inst.dsts.begin(), inst.dsts.end(), condition) != inst.dsts.end()) return false;
    total += c;
    if (loads_from_afar(inst)) loaded.insert(loaded.end(), inst.dsts.begin(), inst.dsts.end());
  }
  return total <= most_of_a_side;
}

}  // namespace

bool convert_branches(Draft& draft) {
  std::vector<Block>& blocks = draft.kernel.blocks;
  std::vector<std::uint32_t> preds(blocks.size());
  for (const Block& b : blocks)
    for (const BlockId t : b.term.targets) ++preds[t];
  bool any = false;
  for (BlockId b = 0; b < blocks.size(); ++b) {
    Block& head = blocks[b];
    if (head.term.kind != Terminator::Kind::branch || head.suspend != Suspend::none) continue;
    const VariableId condition = head.term.cond;
    const auto side = [&](int i) {
      const BlockId t = head.term.targets[i];
      return t != b && preds[t] == 1 && convertible(blocks[t], condition);
    };
    const auto leads_to = [&](int i) { return blocks[head.term.targets[i]].term.targets[0]; };
    bool taken[2] = {side(0), side(1)};
    BlockId join = no_block;
    if (taken[0] && taken[1] && leads_to(0) == leads_to(1))
      join = leads_to(0);
    else if (taken[0] && leads_to(0) == head.term.targets[1])
      taken[1] = false, join = head.term.targets[1];
    else if (taken[1] && leads_to(1) == head.term.targets[0])
      taken[0] = false, join = head.term.targets[0];
    if (join == no_block || join == b) continue;
    Terminator jump;
    jump.kind = Terminator::Kind::jump;
    jump.targets = {join};
    jump.location = head.term.location;
    for (int i = 0; i < 2; ++i) {
      if (!taken[i]) continue;
      Block& from = blocks[head.term.targets[i]];
      for (Inst& inst : from.insts) {
        inst.guard = condition;
        inst.guard_negated = head.term.negated != (i == 1);
        head.insts.push_back(std::move(inst));
      }
      head.ptx_instructions += from.ptx_instructions;
      from.insts.clear();
    }
    head.term = std::move(jump);
    any = true;
  }
  return any;
}

}  // namespace wanren::simt
