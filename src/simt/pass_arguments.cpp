// Calls: inlined, kept, or of the system.

#include <algorithm>

#include "simt/inliner.h"

namespace wanren::simt {

// The call parameter that `name` stands for here, if it is one.
std::optional<std::uint32_t> Inliner::call_parameter(Instance& self, const std::string& name,
                                                     const ptx::Location& at) {
  if (const auto it = self.formals.find(name); it != self.formals.end()) return it->second;
  if (const auto it = self.actuals.find(name); it != self.actuals.end()) return it->second;
  CallParameter parameter;
  bool declared = false;
  for (const ptx::Variable& v : self.function->variables)
    if (v.space == ptx::Space::param && v.name == name) {
      declared = true;
      parameter.bytes = std::max(parameter.bytes, v.bytes());
      parameter.align = std::max(parameter.align, static_cast<std::uint32_t>(std::max(v.align, 1u)));
    }
  if (!declared) return std::nullopt;
  parameter.location = at;
  draft_.parameters.push_back(parameter);
  return self.actuals[name] = static_cast<std::uint32_t>(draft_.parameters.size() - 1);
}

std::uint32_t Inliner::new_parameter(const ptx::Variable& formal, const ptx::Location& at) {
  CallParameter p;
  p.bytes = formal.bytes();
  p.align = static_cast<std::uint32_t>(alignment(formal));
  p.location = at;
  draft_.parameters.push_back(p);
  return static_cast<std::uint32_t>(draft_.parameters.size() - 1);
}

Result<void> Inliner::call(Instance& self, const ptx::Instruction& in) {
  if (in.sources.empty()) return error(in.location, "call without a callee");
  Operands arguments, results;
  for (std::size_t i = 1; i < in.sources.size(); ++i) collect(in.sources[i], arguments);
  for (const ptx::Operand& o : in.destinations) collect(o, results);
  if (in.sources[0].kind != Kind::symbol) return kept_call(self, in, nullptr, arguments, results);

  const std::string& name = in.sources[0].symbol;
  const ptx::Function* callee = graph_.find(name);
  if (!callee) return error(in.location, "call of undeclared function '" + name + "'");
  if (callee->is_kernel)
    return error(in.location, "call of the kernel '" + name + "'", "make it a __device__ function");
  if (arguments.size() < callee->parameters.size() || results.size() < callee->returns.size())
    return error(in.location, "call of '" + name + "' with too few operands");
  return callee->has_body && !graph_.is_inlined(*callee)
             ? kept_call(self, in, callee, arguments, results)
             : inlined_call(self, in, *callee, arguments, results);
}

Result<void> Inliner::inlined_call(Instance& self, const ptx::Instruction& in, const ptx::Function& callee,
                                   const Operands& arguments, const Operands& results) {
  Instance inner;
  inner.function = &callee;
  inner.frame = self.frame_end;
  for (std::size_t i = 0; i < callee.parameters.size(); ++i) {
    auto p = argument(self, *arguments[i], callee.parameters[i], in.location);
    if (!p) return std::unexpected(p.error());
    inner.formals[callee.parameters[i].name] = *p;
  }
  for (const ptx::Variable& v : callee.returns) inner.formals[v.name] = new_parameter(v, in.location);
  if (callee.has_body) {
    if (auto r = expand(inner); !r) return r;
  } else if (auto r = system_call(in, callee, inner); !r) {
    return r;
  }
  // The caller's names: arguments are spent, results now hold values.
  for (std::size_t i = 0; i < callee.parameters.size(); ++i)
    if (arguments[i]->kind == Kind::symbol) self.actuals.erase(arguments[i]->symbol);
  for (std::size_t i = 0; i < callee.returns.size(); ++i)
    bind_result(self, *results[i], callee.returns[i], inner.formals[callee.returns[i].name], in.location);
  return {};
}

void Inliner::bind_result(Instance& self, const ptx::Operand& operand, const ptx::Variable& formal,
                          std::uint32_t parameter, const ptx::Location& at) {
  if (operand.kind == Kind::symbol)
    self.actuals[operand.symbol] = parameter;
  else if (operand.kind == Kind::reg)
    emit_access(Opcode::ld, parameter, formal.type, self.first_register + operand.reg, at);
}

Result<void> Inliner::kept_call(Instance& self, const ptx::Instruction& in, const ptx::Function* callee,
                                const Operands& arguments, const Operands& results) {
  Inst inst;
  inst.op = Opcode::call;
  inst.location = in.location;
  const std::vector<ptx::Variable>*parameters = nullptr, *returns = nullptr;
  if (callee) {
    inst.callees = {graph_.id(*callee)};
  } else {
    if (in.sources[0].kind != Kind::reg)
      return error(in.location, "the callee is neither a function nor a register");
    inst.indirect = true;
    inst.callees = graph_.candidates(*self.function, in);
    inst.srcs.push_back(Operand::of(self.first_register + in.sources[0].reg));
    if (const ptx::Prototype* prototype = graph_.prototype(*self.function, in)) {
      parameters = &prototype->parameters;
      returns = &prototype->returns;
    } else if (!inst.callees.empty()) {
      callee = graph_.kept()[inst.callees[0]];  // of .calltargets: all have one signature
    } else {
      return error(in.location, "indirect call without a .callprototype or .calltargets");
    }
  }
  if (callee) {
    parameters = &callee->parameters;
    returns = &callee->returns;
  }
  if (arguments.size() < parameters->size() || results.size() < returns->size())
    return error(in.location, "call with too few operands");
  const Passing how = passing(*parameters, *returns);
  bool may_exit = false;
  for (const FunctionId f : inst.callees) {
    const ptx::Function& target = *graph_.kept()[f];
    may_exit |= graph_.may_exit(target);
    if (passing(target.parameters, target.returns) != how)
      return error(in.location, "call of '" + target.name + "' with operands of another signature");
  }

  for (std::size_t i = 0; i < parameters->size(); ++i) {
    auto p = argument(self, *arguments[i], (*parameters)[i], in.location);
    if (!p) return std::unexpected(p.error());
    if (!how.parameters[i].by_value) {
      at_callee(self, *p, how.parameters[i], (*parameters)[i], in.location);
      continue;
    }
    const VariableId variable = draft_.new_variable(how.parameters[i].width);
    emit_access(Opcode::ld, *p, (*parameters)[i].type, variable, in.location);
    inst.srcs.push_back(Operand::of(variable));
  }
  for (const Passing::Item& item : how.results)
    if (item.by_value) inst.dsts.push_back(draft_.new_variable(item.width));
  VariableId alive = no_value;
  if (may_exit) inst.dsts.push_back(alive = draft_.new_variable(Width::pred));
  const std::vector<VariableId> values = inst.dsts;
  emit_inst(Opcode::call, in.location, 1).inst = std::move(inst);
  if (may_exit) {
    const LabelId back = draft_.labels++, gone = draft_.labels++;
    emit_branch(alive, false, back, gone, in.location, 0);
    emit_label(gone);
    emit_exit(in.location, 0);
    emit_label(back);
  }
  for (std::size_t i = 0; i < parameters->size(); ++i)
    if (arguments[i]->kind == Kind::symbol) self.actuals.erase(arguments[i]->symbol);
  std::size_t next = 0;
  for (std::size_t i = 0; i < returns->size(); ++i) {
    const std::uint32_t p = new_parameter((*returns)[i], in.location);
    if (how.results[i].by_value) {
      emit_access(Opcode::st, p, (*returns)[i].type, values[next++], in.location);
    } else {
      // ld.param of a result follows its call at once (PTX ISA, call): the next call may reuse the place.
      draft_.parameters[p].outgoing = true;
      draft_.parameters[p].frame_offset = how.results[i].offset;
    }
    bind_result(self, *results[i], (*returns)[i], p, in.location);
  }
  return {};
}

void Inliner::at_callee(Instance& self, std::uint32_t parameter, const Passing::Item& item,
                        const ptx::Variable& formal, const ptx::Location& at) {
  const bool passed_on = std::any_of(self.formals.begin(), self.formals.end(),
                                     [&](const auto& f) { return f.second == parameter; });
  CallParameter& own = draft_.parameters[parameter];
  if (!passed_on && own.frame_offset < 0) {
    own.outgoing = true;
    own.frame_offset = item.offset;
    return;
  }
  // The caller's own parameter, or a result: it has another place already.
  const std::uint32_t copy = new_parameter(formal, at);
  draft_.parameters[copy].outgoing = true;
  draft_.parameters[copy].frame_offset = item.offset;
  for (std::uint64_t done = 0; done < item.bytes;) {
    std::uint64_t bytes = std::min<std::uint64_t>(8, alignment(formal));
    while (done + bytes > item.bytes) bytes /= 2;
    const ptx::Type type = bytes == 8   ? ptx::Type::u64
                           : bytes == 4 ? ptx::Type::u32
                           : bytes == 2 ? ptx::Type::u16
                                        : ptx::Type::u8;
    const VariableId variable = draft_.new_variable(register_width(type));
    emit_access(Opcode::ld, parameter, type, variable, at);
    draft_.items.back().inst.offset = static_cast<std::int64_t>(done);
    emit_access(Opcode::st, copy, type, variable, at);
    draft_.items.back().inst.offset = static_cast<std::int64_t>(done);
    done += bytes;
  }
}

void Inliner::collect(const ptx::Operand& operand, std::vector<const ptx::Operand*>& out) {
  if (operand.kind == Kind::vector) {
    for (const ptx::Operand& o : operand.elements) collect(o, out);
  } else {
    out.push_back(&operand);
  }
}

Result<std::uint32_t> Inliner::argument(Instance& self, const ptx::Operand& operand,
                                        const ptx::Variable& formal, const ptx::Location& at) {
  if (operand.kind == Kind::symbol) {
    const auto p = call_parameter(self, operand.symbol, at);
    if (!p) return error(at, "argument '" + operand.symbol + "' is not a .param variable");
    return *p;
  }
  const std::uint32_t id = new_parameter(formal, at);
  auto source = value(self, operand, {formal.type}, at);
  if (!source) return std::unexpected(source.error());
  Item& item = emit_inst(Opcode::st, at, 0);
  item.inst.types[0] = formal.type;
  item.inst.set_space(ptx::Space::param);
  item.inst.srcs = {Operand::imm(0), *source};
  item.parameter = id;
  return id;
}

Result<void> Inliner::system_call(const ptx::Instruction& in, const ptx::Function& callee, Instance& inner) {
  const Syscall which = syscall_of(callee.name);
  if (which == Syscall::none)
    return error(in.location, "call of '" + callee.name + "', which is declared but not defined",
                 "link the object that defines it");
  Inst inst;
  inst.op = Opcode::call;
  inst.syscall = which;
  inst.location = in.location;
  for (const ptx::Variable& v : callee.parameters) {
    const VariableId variable = draft_.new_variable(register_width(v.type));
    emit_access(Opcode::ld, inner.formals[v.name], v.type, variable, in.location);
    inst.srcs.push_back(Operand::of(variable));
  }
  for (const ptx::Variable& v : callee.returns)
    inst.dsts.push_back(draft_.new_variable(register_width(v.type)));
  Item& item = draft_.items.emplace_back();
  item.inst = inst;
  if (which == Syscall::assertfail) {
    // It never returns; what the compiler put behind it is unreachable.
    emit_end(Terminator::Kind::trap, in.location, 0);
    return {};
  }
  for (std::size_t i = 0; i < callee.returns.size(); ++i)
    emit_access(Opcode::st, inner.formals[callee.returns[i].name], callee.returns[i].type, inst.dsts[i],
                in.location);
  return {};
}

}  // namespace wanren::simt
