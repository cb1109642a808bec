// The kernel, each function that stays one, and everything inlined into them as flat lists. The return of an
// inlined function is a jump to its continuation; its registers, labels and local frame are fresh per call,
// its static shared variables are not.

#include <algorithm>

#include "simt/inliner.h"
#include "simt/opcode_traits.h"

namespace wanren::simt {

namespace {
constexpr std::size_t item_limit = 4'000'000;

bool has_time_source(const ptx::Instruction& in) {
  return std::any_of(in.sources.begin(), in.sources.end(), [](const ptx::Operand& o) {
    return o.kind == ptx::Operand::Kind::special && reads_time(o.special);
  });
}
}  // namespace

void Inliner::emit_label(LabelId label) {
  Item item;
  item.kind = Item::Kind::label;
  item.label = label;
  draft_.items.push_back(std::move(item));
}

void Inliner::emit_jump(LabelId target, const ptx::Location& at, std::uint32_t counts) {
  Item item;
  item.kind = Item::Kind::terminator;
  item.term.kind = Terminator::Kind::jump;
  item.term.targets = {target};
  item.term.location = at;
  item.counts = counts;
  draft_.items.push_back(std::move(item));
}

void Inliner::emit_branch(VariableId cond, bool negated, LabelId yes, LabelId no, const ptx::Location& at,
                          std::uint32_t counts) {
  Item item;
  item.kind = Item::Kind::terminator;
  item.term.kind = Terminator::Kind::branch;
  item.term.cond = cond;
  item.term.negated = negated;
  item.term.targets = {yes, no};
  item.term.location = at;
  item.counts = counts;
  draft_.items.push_back(std::move(item));
}

void Inliner::emit_end(Terminator::Kind kind, const ptx::Location& at, std::uint32_t counts) {
  Item item;
  item.kind = Item::Kind::terminator;
  item.term.kind = kind;
  item.term.location = at;
  item.counts = counts;
  draft_.items.push_back(std::move(item));
}

Item& Inliner::emit_inst(Opcode op, const ptx::Location& at, std::uint32_t counts) {
  Item& item = draft_.items.emplace_back();
  item.inst.op = op;
  item.inst.location = at;
  item.counts = counts;
  return item;
}

// ld: variable = parameter; st: parameter = variable.
void Inliner::emit_access(Opcode op, std::uint32_t parameter, ptx::Type type, VariableId variable,
                          const ptx::Location& at) {
  Item& item = emit_inst(op, at, 0);
  item.inst.types[0] = type;
  item.inst.set_space(ptx::Space::param);
  item.parameter = parameter;
  if (op == Opcode::ld)
    item.inst.dsts = {variable};
  else
    item.inst.srcs = {Operand::imm(0), Operand::of(variable)};
}

void Inliner::emit_exit(const ptx::Location& at, std::uint32_t counts) {
  if (alive_ == no_value) {
    emit_end(Terminator::Kind::exit, at, counts);
    return;
  }
  Item& dies = emit_inst(Opcode::mov, at, 0);
  dies.inst.types[0] = ptx::Type::pred;
  dies.inst.dsts = {alive_};
  dies.inst.srcs = {Operand::imm(0)};
  emit_jump(end_label_, at, counts);
}

Inliner::Inliner(const ptx::Module& module, const CallGraph& graph, SharedWindow& shared, Draft& draft)
    : graph_(graph), shared_(shared), draft_(draft) {
  for (const ptx::Variable& v : module.variables) {
    const ptx::Variable*& known = variables_[v.name];
    if (!known || (known->is_extern && !v.is_extern)) known = &v;
  }
  carry_ = draft.new_variable(Width::pred);
}

Result<void> Inliner::run_kernel(const ptx::Function& kernel) {
  std::uint64_t offset = 0;
  for (const ptx::Variable& p : kernel.parameters) {
    const std::uint64_t align = alignment(p);
    offset = round_up(offset, align);
    kernel_parameters_[p.name] = offset;
    draft_.kernel.parameters.push_back(
        {static_cast<std::uint32_t>(offset), static_cast<std::uint32_t>(p.bytes()),
         static_cast<std::uint32_t>(align), p.count > 1 || p.vector > 1 ? ptx::Type::b8 : p.type});
    offset += p.bytes();
  }
  draft_.kernel.parameter_bytes = static_cast<std::uint32_t>(offset);
  Instance instance;
  instance.function = &kernel;
  instance.is_kernel = instance.is_root = true;
  if (auto r = expand(instance); !r) return r;
  emit_end(Terminator::Kind::exit, kernel.location, 0);
  return {};
}

// The parameters that come as values are stored to call parameters, as an inlined call would; the results are
// read from such.
Result<void> Inliner::run_function(const ptx::Function& f) {
  const Passing how = passing(f.parameters, f.returns);
  Function& self = draft_.function;
  self.name = f.name;
  self.address = graph_.addresses().of(f.name);
  self.may_exit = graph_.may_exit(f);
  self.location = f.location;
  draft_.is_function = true;
  draft_.kernel.frame_bytes = how.area_bytes;
  if (self.may_exit) alive_ = draft_.new_variable(Width::pred);
  end_label_ = draft_.labels++;

  Instance root;
  root.function = &f;
  root.is_root = true;
  root.frame = how.area_bytes;
  auto bind = [&](const ptx::Variable& v, const Passing::Item& item) {
    const std::uint32_t parameter = new_parameter(v, v.location);
    if (!item.by_value) draft_.parameters[parameter].frame_offset = item.offset;
    root.formals[v.name] = parameter;
    return parameter;
  };
  for (std::size_t i = 0; i < f.parameters.size(); ++i) {
    const ptx::Variable& v = f.parameters[i];
    const std::uint32_t parameter = bind(v, how.parameters[i]);
    if (!how.parameters[i].by_value) continue;
    const VariableId variable = draft_.new_variable(how.parameters[i].width);
    Item& arrives = emit_inst(Opcode::mov, v.location, 0);
    arrives.inst.types[0] = v.type;
    arrives.inst.dsts = {variable};
    Operand from;
    from.kind = Operand::Kind::argument;
    from.index = static_cast<std::uint32_t>(self.parameters.size());
    arrives.inst.srcs = {from};
    self.parameters.push_back(how.parameters[i].width);
    emit_access(Opcode::st, parameter, v.type, variable, v.location);
  }
  for (std::size_t i = 0; i < f.returns.size(); ++i) {
    bind(f.returns[i], how.results[i]);
    if (how.results[i].by_value) self.results.push_back(how.results[i].width);
  }
  if (auto r = expand(root); !r) return r;

  if (alive_ != no_value) {
    Item& lives = emit_inst(Opcode::mov, f.location, 0);
    lives.inst.types[0] = ptx::Type::pred;
    lives.inst.dsts = {alive_};
    lives.inst.srcs = {Operand::imm(1)};
  }
  emit_label(end_label_);
  Inst ret;
  ret.op = Opcode::ret;
  ret.location = f.location;
  for (std::size_t i = 0; i < f.returns.size(); ++i) {
    if (!how.results[i].by_value) continue;
    const VariableId variable = draft_.new_variable(how.results[i].width);
    emit_access(Opcode::ld, root.formals[f.returns[i].name], f.returns[i].type, variable, f.location);
    ret.srcs.push_back(Operand::of(variable));
  }
  if (alive_ != no_value) ret.srcs.push_back(Operand::of(alive_));
  Item& last = emit_inst(Opcode::ret, f.location, 0);
  last.inst = std::move(ret);
  emit_end(Terminator::Kind::exit, f.location, 0);
  return {};
}

Result<void> Inliner::expand(Instance& self) {
  const ptx::Function& f = *self.function;
  self.first_register = static_cast<VariableId>(draft_.variables.size());
  for (const ptx::Register& r : f.registers) draft_.new_variable(register_width(r.type));
  std::uint64_t top = self.frame;
  for (const ptx::Variable& v : f.variables) {
    if (v.space != ptx::Space::local) continue;
    top = round_up(top, std::max<std::uint64_t>(alignment(v), 1));
    self.locals[v.name] = top;
    top += v.bytes();
  }
  self.frame_end = top;
  draft_.kernel.frame_bytes = std::max(draft_.kernel.frame_bytes, static_cast<std::uint32_t>(top));
  self.return_label = draft_.labels++;
  for (const ptx::Statement& s : f.body) {
    if (s.kind == ptx::Statement::Kind::label) self.labels[s.label] = draft_.labels++;
    if (s.kind == ptx::Statement::Kind::branch_targets) self.targets[s.label] = &s;
  }
  move_register_parameters(self, f.parameters, Opcode::ld);
  for (const ptx::Statement& s : f.body) {
    if (s.kind == ptx::Statement::Kind::label) emit_label(self.labels[s.label]);
    if (s.kind == ptx::Statement::Kind::no_unroll) draft_.items.emplace_back().kind = Item::Kind::no_unroll;
    if (s.kind != ptx::Statement::Kind::instruction) continue;
    if (draft_.items.size() > item_limit)
      return error(s.instruction.location, "the kernel grows past 4 million instructions when inlined",
                   "mark large device functions so that the compiler calls them less");
    if (auto r = instruction(self, s.instruction); !r) return r;
  }
  emit_label(self.return_label);
  move_register_parameters(self, f.returns, Opcode::st);
  return {};
}

// Parameters and results declared .reg pass through the same call parameters as .param ones.
void Inliner::move_register_parameters(Instance& self, const std::vector<ptx::Variable>& list, Opcode op) {
  for (const ptx::Variable& v : list) {
    if (v.space != ptx::Space::reg) continue;
    const auto& registers = self.function->registers;
    const auto at =
        std::find_if(registers.begin(), registers.end(), [&](const auto& r) { return r.name == v.name; });
    const auto formal = self.formals.find(v.name);
    if (at == registers.end() || formal == self.formals.end()) continue;
    const auto variable = self.first_register + static_cast<VariableId>(at - registers.begin());
    emit_access(op, formal->second, v.type, variable, v.location);
  }
}

Result<LabelId> Inliner::label(Instance& self, const std::string& name, const ptx::Location& at) {
  const auto it = self.labels.find(name);
  if (it == self.labels.end()) return error(at, "no label '" + name + "' in '" + self.function->name + "'");
  return it->second;
}

Result<void> Inliner::instruction(Instance& self, const ptx::Instruction& in) {
  const OpcodeFlags f = traits(in.opcode);
  if (f.unsupported)
    return error(in.location,
                 "instruction '" + std::string(ptx::name(in.opcode)) + "' is parsed but not executed",
                 "compile for a target whose code does not use it");
  if (f.control) return control(self, in);
  const bool around = in.guard && (f.suspends || has_time_source(in));
  if (!around) return plain(self, in, true);
  const LabelId inside = draft_.labels++, after = draft_.labels++;
  emit_branch(self.first_register + *in.guard, in.guard_negated, inside, after, in.location, 0);
  emit_label(inside);
  if (auto r = plain(self, in, false); !r) return r;
  emit_label(after);
  return {};
}

Result<void> Inliner::control(Instance& self, const ptx::Instruction& in) {
  // Where an unguarded or guard-true lane goes.
  LabelId target = 0;
  switch (in.opcode) {
    case Opcode::bra: {
      if (in.sources.empty()) return error(in.location, "bra without a target");
      auto l = label(self, in.sources[0].symbol, in.location);
      if (!l) return std::unexpected(l.error());
      target = *l;
      break;
    }
    case Opcode::ret: target = self.return_label; break;
    case Opcode::exit:
      if (!in.guard) {
        emit_exit(in.location, 1);
        return {};
      }
      target = draft_.labels++;
      break;
    case Opcode::trap:
    case Opcode::brkpt:
      if (!in.guard) {
        emit_end(Terminator::Kind::trap, in.location, 1);
        return {};
      }
      target = draft_.labels++;
      break;
    case Opcode::brx: return indexed_branch(self, in);
    case Opcode::call: {
      if (!in.guard) return call(self, in);
      const LabelId inside = draft_.labels++, after = draft_.labels++;
      emit_branch(self.first_register + *in.guard, in.guard_negated, inside, after, in.location, 0);
      emit_label(inside);
      if (auto r = call(self, in); !r) return r;
      emit_label(after);
      return {};
    }
    default: return error(in.location, "unknown control instruction");
  }
  // Where a callee was inlined its ret is gone, like the call itself.
  const std::uint32_t counts = in.opcode == Opcode::ret && !self.is_root ? 0 : 1;
  if (!in.guard) {
    emit_jump(target, in.location, counts);
    return {};
  }
  const LabelId next = draft_.labels++;
  emit_branch(self.first_register + *in.guard, in.guard_negated, target, next, in.location, counts);
  if (in.opcode == Opcode::exit || in.opcode == Opcode::trap || in.opcode == Opcode::brkpt) {
    emit_label(target);
    if (in.opcode == Opcode::exit)
      emit_exit(in.location, 0);
    else
      emit_end(Terminator::Kind::trap, in.location, 0);
  }
  emit_label(next);
  return {};
}

Result<void> Inliner::indexed_branch(Instance& self, const ptx::Instruction& in) {
  if (in.sources.size() < 2 || in.sources[0].kind != Kind::reg)
    return error(in.location, "brx.idx needs an index register and a target list");
  const auto list = self.targets.find(in.sources[1].symbol);
  if (list == self.targets.end()) return error(in.location, "no target list '" + in.sources[1].symbol + "'");
  LabelId after = 0;
  if (in.guard) {
    const LabelId inside = draft_.labels++;
    after = draft_.labels++;
    emit_branch(self.first_register + *in.guard, in.guard_negated, inside, after, in.location, 0);
    emit_label(inside);
  }
  Item item;
  item.kind = Item::Kind::terminator;
  item.term.kind = Terminator::Kind::index;
  item.term.cond = self.first_register + in.sources[0].reg;
  item.term.location = in.location;
  for (const std::string& name : list->second->targets) {
    auto l = label(self, name, in.location);
    if (!l) return std::unexpected(l.error());
    item.term.targets.push_back(*l);
  }
  if (item.term.targets.empty()) return error(in.location, "brx.idx with an empty target list");
  draft_.items.push_back(std::move(item));
  if (in.guard) emit_label(after);
  return {};
}

Result<std::vector<Draft>> inline_calls(const ptx::Module& module, const std::string& name,
                                        const std::string& module_name) {
  const ptx::Function* kernel = nullptr;
  std::string known;
  for (const ptx::Function& f : module.functions) {
    if (!f.is_kernel || !f.has_body) continue;
    if (f.name == name) kernel = &f;
    known += (known.empty() ? "" : ", ") + f.name;
  }
  if (!kernel)
    return fail(module_name, "no kernel '" + name + "' in the module",
                known.empty() ? "it defines no kernel" : "it defines " + known);
  const CallGraph graph(module, *kernel);
  SharedWindow shared;
  std::vector<Draft> drafts(1 + graph.kept().size());
  for (std::size_t i = 0; i < drafts.size(); ++i) {
    Draft& draft = drafts[i];
    draft.module_name = module_name;
    draft.kernel.name = name;
    Inliner inliner(module, graph, shared, draft);
    auto done = i == 0 ? inliner.run_kernel(*kernel) : inliner.run_function(*graph.kept()[i - 1]);
    if (!done) return std::unexpected(done.error());
  }
  drafts[0].kernel.bounds = kernel->bounds;
  drafts[0].kernel.target_sm = module.target_sm;
  drafts[0].kernel.source_files = module.files;
  for (Draft& draft : drafts) {
    draft.kernel.static_shared_bytes =
        static_cast<std::uint32_t>(round_up(shared.bytes, shared.dynamic_align));
    draft.kernel.shared_align = std::max(shared.align, shared.dynamic_align);
  }
  return drafts;
}

}  // namespace wanren::simt
