// The kernel and everything it calls as one flat list. A callee's return is a jump to its continuation;
// its registers, labels and local frame are fresh per call, its static shared variables are not.

#include <algorithm>
#include <bit>
#include <map>
#include <optional>
#include <unordered_map>

#include "simt/draft.h"
#include "simt/opcode_traits.h"

namespace wanren::simt {
namespace {

using ptx::Opcode;
using Kind = ptx::Operand::Kind;

constexpr std::size_t item_limit = 4'000'000;

Width register_width(ptx::Type type) {
  switch (ptx::bits(type)) {
    case 1: return Width::pred;
    case 8:
    case 16: return Width::b16;
    case 64: return Width::b64;
    case 128: return Width::b128;
    default: return Width::b32;
  }
}

std::uint64_t alignment(const ptx::Variable& v) {
  const std::uint64_t natural = std::max<std::uint64_t>(1, static_cast<std::uint64_t>(ptx::bits(v.type)) / 8);
  return std::max<std::uint64_t>(natural,
                                 v.space == ptx::Space::param && v.type != ptx::Type::b8 ? natural : v.align);
}

Syscall syscall_of(const std::string& name) {
  if (name == "vprintf") return Syscall::vprintf;
  if (name == "malloc") return Syscall::malloc;
  if (name == "free") return Syscall::free;
  if (name == "__assertfail") return Syscall::assertfail;
  return Syscall::none;
}

// One inlined copy of a function.
struct Instance {
  const ptx::Function* function;
  VariableId first_register = 0;
  std::uint64_t frame = 0;      // Where its locals begin.
  std::uint64_t frame_end = 0;  // Where a callee's may begin.
  LabelId return_label = 0;
  bool is_kernel = false;
  std::unordered_map<std::string, LabelId> labels;
  std::unordered_map<std::string, std::uint64_t> locals;
  std::unordered_map<std::string, std::uint32_t> formals;  // Call parameters bound by the caller.
  std::unordered_map<std::string, std::uint32_t> actuals;  // Of calls made here: the current binding.
  std::unordered_map<std::string, const ptx::Statement*> targets;
};

class Inliner {
 public:
  Inliner(const ptx::Module& module, Draft& draft) : draft_(draft) {
    for (const ptx::Function& f : module.functions) {
      const ptx::Function*& known = functions_[f.name];
      if (!known || (!known->has_body && f.has_body)) known = &f;
    }
    for (const ptx::Variable& v : module.variables) {
      const ptx::Variable*& known = variables_[v.name];
      if (!known || (known->is_extern && !v.is_extern)) known = &v;
    }
    carry_ = draft.new_variable(Width::pred);
  }

  Result<void> run(const ptx::Function& kernel) {
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
    instance.is_kernel = true;
    return expand(instance);
  }

 private:
  std::unexpected<Error> error(const ptx::Location& at, std::string cause, std::string remedy = {}) {
    return fail(place(draft_.module_name, at), std::move(cause), std::move(remedy));
  }

  void emit_label(LabelId label) {
    Item item;
    item.kind = Item::Kind::label;
    item.label = label;
    draft_.items.push_back(std::move(item));
  }

  void emit_jump(LabelId target, const ptx::Location& at, std::uint32_t counts) {
    Item item;
    item.kind = Item::Kind::terminator;
    item.term.kind = Terminator::Kind::jump;
    item.term.targets = {target};
    item.term.location = at;
    item.counts = counts;
    draft_.items.push_back(std::move(item));
  }

  void emit_branch(VariableId cond, bool negated, LabelId yes, LabelId no, const ptx::Location& at,
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

  void emit_end(Terminator::Kind kind, const ptx::Location& at, std::uint32_t counts) {
    Item item;
    item.kind = Item::Kind::terminator;
    item.term.kind = kind;
    item.term.location = at;
    item.counts = counts;
    draft_.items.push_back(std::move(item));
  }

  Item& emit_inst(Opcode op, const ptx::Location& at, std::uint32_t counts) {
    Item& item = draft_.items.emplace_back();
    item.inst.op = op;
    item.inst.location = at;
    item.counts = counts;
    return item;
  }

  Result<void> expand(Instance& self) {
    const ptx::Function& f = *self.function;
    if (std::find(stack_.begin(), stack_.end(), &f) != stack_.end())
      return error(f.location, "recursive call of '" + f.name + "'",
                   "device code is inlined whole; rewrite the recursion as a loop");
    stack_.push_back(&f);
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
    draft_.kernel.local_bytes = std::max(draft_.kernel.local_bytes, static_cast<std::uint32_t>(top));
    self.return_label = draft_.labels++;
    for (const ptx::Statement& s : f.body) {
      if (s.kind == ptx::Statement::Kind::label) self.labels[s.label] = draft_.labels++;
      if (s.kind == ptx::Statement::Kind::branch_targets) self.targets[s.label] = &s;
    }
    move_register_parameters(self, f.parameters, Opcode::ld);
    for (const ptx::Statement& s : f.body) {
      if (s.kind == ptx::Statement::Kind::label) emit_label(self.labels[s.label]);
      if (s.kind != ptx::Statement::Kind::instruction) continue;
      if (draft_.items.size() > item_limit)
        return error(s.instruction.location, "the kernel grows past 4 million instructions when inlined",
                     "mark large device functions so that the compiler calls them less");
      if (auto r = instruction(self, s.instruction); !r) return r;
    }
    emit_label(self.return_label);
    move_register_parameters(self, f.returns, Opcode::st);
    if (self.is_kernel) emit_end(Terminator::Kind::exit, f.location, 0);
    stack_.pop_back();
    return {};
  }

  // Parameters and results declared .reg pass through the same call parameters as .param ones.
  void move_register_parameters(Instance& self, const std::vector<ptx::Variable>& list, Opcode op) {
    for (const ptx::Variable& v : list) {
      if (v.space != ptx::Space::reg) continue;
      const auto& registers = self.function->registers;
      const auto at =
          std::find_if(registers.begin(), registers.end(), [&](const auto& r) { return r.name == v.name; });
      const auto formal = self.formals.find(v.name);
      if (at == registers.end() || formal == self.formals.end()) continue;
      const auto variable = self.first_register + static_cast<VariableId>(at - registers.begin());
      Item& item = emit_inst(op, v.location, 0);
      item.inst.mods.types[0] = v.type;
      item.inst.mods.space = ptx::Space::param;
      item.parameter = formal->second;
      if (op == Opcode::ld)
        item.inst.dsts = {variable};
      else
        item.inst.srcs = {Operand::imm(0), Operand::of(variable)};
    }
  }

  Result<LabelId> label(Instance& self, const std::string& name, const ptx::Location& at) {
    const auto it = self.labels.find(name);
    if (it == self.labels.end()) return error(at, "no label '" + name + "' in '" + self.function->name + "'");
    return it->second;
  }

  Result<void> instruction(Instance& self, const ptx::Instruction& in) {
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

  static bool has_time_source(const ptx::Instruction& in) {
    return std::any_of(in.sources.begin(), in.sources.end(), [](const ptx::Operand& o) {
      return o.kind == Kind::special && reads_time(o.special);
    });
  }

  Result<void> control(Instance& self, const ptx::Instruction& in) {
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
          emit_end(Terminator::Kind::exit, in.location, 1);
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
    // A callee's ret is call plumbing, like the call itself.
    const std::uint32_t counts = in.opcode == Opcode::ret && !self.is_kernel ? 0 : 1;
    if (!in.guard) {
      emit_jump(target, in.location, counts);
      return {};
    }
    const LabelId next = draft_.labels++;
    emit_branch(self.first_register + *in.guard, in.guard_negated, target, next, in.location, counts);
    if (in.opcode == Opcode::exit || in.opcode == Opcode::trap || in.opcode == Opcode::brkpt) {
      emit_label(target);
      emit_end(in.opcode == Opcode::exit ? Terminator::Kind::exit : Terminator::Kind::trap, in.location, 0);
    }
    emit_label(next);
    return {};
  }

  Result<void> indexed_branch(Instance& self, const ptx::Instruction& in) {
    if (in.sources.size() < 2 || in.sources[0].kind != Kind::reg)
      return error(in.location, "brx.idx needs an index register and a target list");
    const auto list = self.targets.find(in.sources[1].symbol);
    if (list == self.targets.end())
      return error(in.location, "no target list '" + in.sources[1].symbol + "'");
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

  // The call parameter that `name` stands for here, if it is one.
  std::optional<std::uint32_t> call_parameter(Instance& self, const std::string& name,
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

  Result<void> call(Instance& self, const ptx::Instruction& in) {
    if (in.sources.empty() || in.sources[0].kind != Kind::symbol)
      return error(in.location, "indirect call", "only calls of a named function can be inlined");
    const std::string& name = in.sources[0].symbol;
    const auto it = functions_.find(name);
    if (it == functions_.end()) return error(in.location, "call of undeclared function '" + name + "'");
    const ptx::Function& callee = *it->second;
    std::vector<const ptx::Operand*> arguments, results;
    for (std::size_t i = 1; i < in.sources.size(); ++i) collect(in.sources[i], arguments);
    for (const ptx::Operand& o : in.destinations) collect(o, results);
    if (arguments.size() < callee.parameters.size() || results.size() < callee.returns.size())
      return error(in.location, "call of '" + name + "' with too few operands");

    Instance inner;
    inner.function = &callee;
    inner.frame = self.frame_end;
    for (std::size_t i = 0; i < callee.parameters.size(); ++i) {
      auto p = argument(self, *arguments[i], callee.parameters[i], in.location);
      if (!p) return std::unexpected(p.error());
      inner.formals[callee.parameters[i].name] = *p;
    }
    for (std::size_t i = 0; i < callee.returns.size(); ++i) {
      CallParameter p;
      p.bytes = callee.returns[i].bytes();
      p.align = static_cast<std::uint32_t>(alignment(callee.returns[i]));
      p.location = in.location;
      draft_.parameters.push_back(p);
      inner.formals[callee.returns[i].name] = static_cast<std::uint32_t>(draft_.parameters.size() - 1);
    }
    if (callee.has_body) {
      if (std::find(stack_.begin(), stack_.end(), &callee) != stack_.end())
        return error(in.location, "recursive call of '" + name + "'",
                     "device code is inlined whole; rewrite the recursion as a loop");
      if (auto r = expand(inner); !r) return r;
    } else if (auto r = system_call(in, callee, inner); !r) {
      return r;
    }
    // The caller's names: arguments are spent, results now hold values.
    for (std::size_t i = 0; i < callee.parameters.size(); ++i)
      if (arguments[i]->kind == Kind::symbol) self.actuals.erase(arguments[i]->symbol);
    for (std::size_t i = 0; i < callee.returns.size(); ++i) {
      const std::uint32_t p = inner.formals[callee.returns[i].name];
      if (results[i]->kind == Kind::symbol) {
        self.actuals[results[i]->symbol] = p;
      } else if (results[i]->kind == Kind::reg) {
        Item& item = emit_inst(Opcode::ld, in.location, 0);
        item.inst.mods.types[0] = callee.returns[i].type;
        item.inst.mods.space = ptx::Space::param;
        item.inst.dsts = {self.first_register + results[i]->reg};
        item.parameter = p;
      }
    }
    return {};
  }

  static void collect(const ptx::Operand& operand, std::vector<const ptx::Operand*>& out) {
    if (operand.kind == Kind::vector) {
      for (const ptx::Operand& o : operand.elements) collect(o, out);
    } else {
      out.push_back(&operand);
    }
  }

  Result<std::uint32_t> argument(Instance& self, const ptx::Operand& operand, const ptx::Variable& formal,
                                 const ptx::Location& at) {
    if (operand.kind == Kind::symbol) {
      const auto p = call_parameter(self, operand.symbol, at);
      if (!p) return error(at, "argument '" + operand.symbol + "' is not a .param variable");
      return *p;
    }
    CallParameter p;
    p.bytes = formal.bytes();
    p.align = static_cast<std::uint32_t>(alignment(formal));
    p.location = at;
    draft_.parameters.push_back(p);
    const auto id = static_cast<std::uint32_t>(draft_.parameters.size() - 1);
    ptx::Modifiers mods;
    mods.types[0] = formal.type;
    auto source = value(self, operand, mods, at);
    if (!source) return std::unexpected(source.error());
    Item& item = emit_inst(Opcode::st, at, 0);
    item.inst.mods = mods;
    item.inst.mods.space = ptx::Space::param;
    item.inst.srcs = {Operand::imm(0), *source};
    item.parameter = id;
    return id;
  }

  Result<void> system_call(const ptx::Instruction& in, const ptx::Function& callee, Instance& inner) {
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
      Item& item = emit_inst(Opcode::ld, in.location, 0);
      item.inst.mods.types[0] = v.type;
      item.inst.mods.space = ptx::Space::param;
      item.inst.dsts = {variable};
      item.parameter = inner.formals[v.name];
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
    for (std::size_t i = 0; i < callee.returns.size(); ++i) {
      Item& store = emit_inst(Opcode::st, in.location, 0);
      store.inst.mods.types[0] = callee.returns[i].type;
      store.inst.mods.space = ptx::Space::param;
      store.inst.srcs = {Operand::imm(0), Operand::of(inst.dsts[i])};
      store.parameter = inner.formals[callee.returns[i].name];
    }
    return {};
  }

  // A shared variable's offset in the CTA window, given on first use.
  Operand shared_offset(const ptx::Variable& v) {
    Kernel& k = draft_.kernel;
    if (v.is_extern || v.count == 0) {
      draft_.dynamic_shared_align =
          std::max(draft_.dynamic_shared_align, static_cast<std::uint32_t>(alignment(v)));
      Operand o = Operand::imm(0);
      o.index = dynamic_shared_mark;
      return o;
    }
    const auto [it, fresh] = shared_.try_emplace(&v, 0);
    if (fresh) {
      const std::uint64_t align = alignment(v);
      it->second = round_up(k.static_shared_bytes, align);
      k.static_shared_bytes = static_cast<std::uint32_t>(it->second + v.bytes());
      k.shared_align = std::max(k.shared_align, static_cast<std::uint32_t>(align));
    }
    return Operand::imm(it->second);
  }

  Result<Operand> symbol(Instance& self, const std::string& name, const ptx::Location& at) {
    if (const auto it = self.locals.find(name); it != self.locals.end()) return Operand::imm(it->second);
    if (self.is_kernel)
      if (const auto it = kernel_parameters_.find(name); it != kernel_parameters_.end()) {
        Operand o;
        o.kind = Operand::Kind::param_address;
        o.bits = it->second;
        return o;
      }
    for (const ptx::Variable& v : self.function->variables)
      if (v.space == ptx::Space::shared && v.name == name) return shared_offset(v);
    if (const auto p = call_parameter(self, name, at)) {
      draft_.parameters[*p].address_taken = true;
      Operand o = Operand::imm(0);
      o.index = call_parameter_mark | *p;
      return o;
    }
    if (const auto it = variables_.find(name); it != variables_.end()) {
      if (it->second->space == ptx::Space::shared) return shared_offset(*it->second);
      return global(name);
    }
    for (const ptx::Variable& v : self.function->variables)
      if (v.name == name && (v.space == ptx::Space::global || v.space == ptx::Space::constant))
        return global(name);
    if (functions_.contains(name))
      return error(at, "the address of function '" + name + "' is taken",
                   "indirect calls cannot be inlined; call the function by name");
    return error(at, "unknown symbol '" + name + "'");
  }

  Operand global(const std::string& name) {
    auto& names = draft_.kernel.globals;
    auto it = std::find(names.begin(), names.end(), name);
    if (it == names.end()) it = names.insert(names.end(), name);
    Operand o;
    o.kind = Operand::Kind::global_symbol;
    o.index = static_cast<std::uint32_t>(it - names.begin());
    return o;
  }

  Operand move_special(ptx::SpecialRegister reg, const ptx::Location& at) {
    const VariableId v = draft_.new_variable(register_width(ptx::type(reg)));
    Item& item = emit_inst(Opcode::mov, at, 0);
    item.inst.mods.types[0] = ptx::type(reg);
    item.inst.dsts = {v};
    Operand o;
    o.kind = Operand::Kind::special;
    o.special = reg;
    item.inst.srcs = {o};
    return Operand::of(v);
  }

  // One scalar source.
  Result<Operand> value(Instance& self, const ptx::Operand& o, const ptx::Modifiers& mods,
                        const ptx::Location& at) {
    switch (o.kind) {
      case Kind::reg: {
        Operand r = Operand::of(self.first_register + o.reg);
        r.negated = o.negated;
        return r;
      }
      case Kind::integer: return Operand::imm(o.bits);
      case Kind::floating: {
        bool wide = false;
        for (const ptx::Type t : mods.types) wide |= t == ptx::Type::f64 || t == ptx::Type::b64;
        if (!o.is_double || wide) return Operand::imm(o.bits);
        return Operand::imm(std::bit_cast<std::uint32_t>(static_cast<float>(std::bit_cast<double>(o.bits))));
      }
      case Kind::symbol: {
        auto r = symbol(self, o.symbol, at);
        if (r) r->bits += o.bits;
        return r;
      }
      case Kind::special: return move_special(o.special, at);
      case Kind::none:
      case Kind::sink: return Operand{};
      case Kind::address:
      case Kind::vector: break;
    }
    return error(at, "operand of a kind that this instruction does not take");
  }

  // [base + offset]
  Result<Operand> address(Instance& self, const ptx::Operand& o, std::int64_t& offset,
                          const ptx::Location& at) {
    offset = static_cast<std::int64_t>(o.bits);
    if (o.has_reg) return Operand::of(self.first_register + o.reg);
    if (!o.symbol.empty()) return symbol(self, o.symbol, at);
    return Operand::imm(0);
  }

  // ld/st of a .param variable by name. False: not one.
  Result<bool> parameter_access(Instance& self, const ptx::Instruction& in, Item& item) {
    if (in.opcode != Opcode::ld && in.opcode != Opcode::st) return false;
    if (item.inst.mods.space != ptx::Space::param) return false;
    const auto& operands = in.opcode == Opcode::ld   ? in.sources
                           : in.destinations.empty() ? in.sources
                                                     : in.destinations;
    const auto at =
        std::find_if(operands.begin(), operands.end(), [](const auto& o) { return o.kind == Kind::address; });
    if (at == operands.end()) return error(in.location, "memory access without an address");
    if (at->has_reg) {
      // A kernel's parameter buffer is generic memory; a callee's parameters live in its frame.
      item.inst.mods.space = self.is_kernel ? ptx::Space::none : ptx::Space::local;
      return false;
    }
    item.inst.offset = static_cast<std::int64_t>(at->bits);
    item.inst.srcs = {Operand::imm(0)};
    if (self.is_kernel)
      if (const auto it = kernel_parameters_.find(at->symbol); it != kernel_parameters_.end()) {
        item.inst.offset += static_cast<std::int64_t>(it->second);
        return true;
      }
    const auto p = call_parameter(self, at->symbol, in.location);
    if (!p) return error(in.location, "unknown parameter '" + at->symbol + "'");
    item.parameter = *p;
    item.counts = 0;
    return true;
  }

  Result<void> plain(Instance& self, const ptx::Instruction& in, bool keep_guard) {
    Item item;
    Inst& inst = item.inst;
    inst.op = in.opcode;
    inst.mods = in.mods;
    inst.location = in.location;
    if (keep_guard && in.guard) {
      inst.guard = self.first_register + *in.guard;
      inst.guard_negated = in.guard_negated;
    }
    auto parameter = parameter_access(self, in, item);
    if (!parameter) return std::unexpected(parameter.error());

    // Addresses first, whichever side of the text they stand on.
    std::vector<const ptx::Operand*> data;
    bool have_address = *parameter;
    auto sort_operand = [&](const ptx::Operand& o) -> Result<void> {
      if (o.kind != Kind::address) {
        data.push_back(&o);
        return {};
      }
      if (*parameter) return {};
      std::int64_t offset = 0;
      auto base = address(self, o, offset, in.location);
      if (!base) return std::unexpected(base.error());
      if (!have_address) {
        have_address = true;
        inst.srcs.insert(inst.srcs.begin(), *base);
        inst.offset = offset;
        return {};
      }
      // A second address (cp.async's source) has no offset field of its own.
      if (offset != 0 && base->kind == Operand::Kind::value) {
        const VariableId sum = draft_.new_variable(Width::b64);
        Item& add = emit_inst(Opcode::add, in.location, 0);
        add.inst.mods.types[0] = ptx::Type::s64;
        add.inst.dsts = {sum};
        add.inst.srcs = {*base, Operand::imm(static_cast<std::uint64_t>(offset))};
        *base = Operand::of(sum);
      } else {
        base->bits += static_cast<std::uint64_t>(offset);
      }
      inst.srcs.push_back(*base);
      return {};
    };
    for (const ptx::Operand& o : in.destinations) {
      if (o.kind == Kind::address) {
        if (auto r = sort_operand(o); !r) return r;
        continue;
      }
      std::vector<const ptx::Operand*> parts;
      collect(o, parts);
      for (const ptx::Operand* p : parts) {
        if (p->kind != Kind::reg && p->kind != Kind::sink && p->kind != Kind::none)
          return error(in.location, "destination is not a register");
        inst.dsts.push_back(p->kind == Kind::reg ? self.first_register + p->reg : no_value);
      }
    }
    for (std::size_t i = 0; i < in.sources.size(); ++i) {
      if (in.opcode == Opcode::cp_async && i == 2) continue;  // mods.copy_bytes has it
      if (auto r = sort_operand(in.sources[i]); !r) return r;
    }
    for (const ptx::Operand* o : data) {
      std::vector<const ptx::Operand*> parts;
      collect(*o, parts);
      for (const ptx::Operand* p : parts) {
        if (p->kind == Kind::special && in.opcode == Opcode::mov && parts.size() == 1) {
          Operand special;
          special.kind = Operand::Kind::special;
          special.special = p->special;
          inst.srcs.push_back(special);
          continue;
        }
        auto v = value(self, *p, in.mods, in.location);
        if (!v) return std::unexpected(v.error());
        inst.srcs.push_back(*v);
      }
    }
    using enum Opcode;
    if (inst.op == addc || inst.op == subc || inst.op == madc) inst.srcs.push_back(Operand::of(carry_));
    if (inst.mods.cc) inst.dsts.push_back(carry_);
    if (inst.op == cvta) {
      // Global, constant and parameter memory are generic memory at the same addresses.
      const ptx::Space s = inst.mods.space;
      if (s == ptx::Space::global || s == ptx::Space::constant || s == ptx::Space::param) {
        inst.op = mov;
        const ptx::Type type = inst.mods.types[0];
        inst.mods = {};
        inst.mods.types[0] = type;
      }
    }
    draft_.items.push_back(std::move(item));
    return {};
  }

  Draft& draft_;
  std::unordered_map<std::string, const ptx::Function*> functions_;
  std::unordered_map<std::string, const ptx::Variable*> variables_;
  std::unordered_map<std::string, std::uint64_t> kernel_parameters_;
  std::unordered_map<const ptx::Variable*, std::uint64_t> shared_;
  std::vector<const ptx::Function*> stack_;
  VariableId carry_ = 0;
};

}  // namespace

Result<Draft> inline_calls(const ptx::Module& module, const std::string& name,
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
  Draft draft;
  draft.module_name = module_name;
  draft.kernel.name = name;
  draft.kernel.bounds = kernel->bounds;
  draft.kernel.target_sm = module.target_sm;
  draft.kernel.source_files = module.files;
  Inliner inliner(module, draft);
  if (auto r = inliner.run(*kernel); !r) return std::unexpected(r.error());
  return draft;
}

}  // namespace wanren::simt
