// Recipes: calls of functions and of the system.

#include "lower/selector.h"

namespace wanren::lower {

using simt::no_value;

// A value to the register in which calls pass it.
void Selector::to_convention(const Operand& o) {
  const bool is_predicate =
      o.kind == Operand::Kind::value && kernel_.values[o.value].width == simt::Width::pred;
  const Words source =
      is_predicate ? Words{predicate(o)} : words(o, o.kind == Operand::Kind::value ? words_of(o.value) : 1);
  move(temporary(static_cast<int>(std::max<std::size_t>(1, source.size()))), source);
}

// Moves to the registers of the calling convention, the branch, moves from them. Registers that a callee
// saves are not modelled: each function has the whole file.
void Selector::function_call(const Inst& inst) {
  for (std::size_t i = inst.indirect ? 1 : 0; i < inst.srcs.size(); ++i) to_convention(inst.srcs[i]);
  std::vector<Words> target;
  if (inst.indirect) target.push_back(in_registers(words(inst.srcs[0], 2)));
  VirtualInst& branch =
      emit(Pipe::branch, static_cast<int>(chip_.subcore.branch_latency), {}, std::move(target));
  branch.access.fence = branch.last = true;
  for (const simt::ValueId d : inst.dsts) {
    if (d == no_value) continue;
    const Words dst = place(d);
    if (kernel_.values[d].width == simt::Width::pred) {
      VirtualInst& i = integer({}, {});
      i.define_predicate = dst[0];
      i.last = true;
    } else {
      const auto count = static_cast<std::uint16_t>(dst.size());
      VirtualInst& i = integer(dst, {});
      i.machine.repeat = count;
      i.last = true;
    }
  }
}

// Marshalling of the arguments, the call, a body of fixed length.
void Selector::system_call(const Inst& inst) {
  std::vector<Words> sources;
  for (const Operand& o : inst.srcs)
    if (o.kind == Operand::Kind::value && sources.size() < 4) sources.push_back(words(o, words_of(o.value)));
  VirtualInst& i = integer(destination(inst), std::move(sources));
  i.machine.repeat = static_cast<std::uint16_t>(chip_.sequence.system_call);
  i.access.fence = true;
  emit(Pipe::branch, static_cast<int>(chip_.subcore.branch_latency), {}, {}).access.fence = true;
}

}  // namespace wanren::lower
