// A module as PTX text again.

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "ptx/modifiers.h"
#include "ptx/module.h"

namespace wanren::ptx {
namespace {

using Out = std::back_insert_iterator<std::string>;

std::string_view space_word(Space space) {
  switch (space) {
    case Space::none: return "";
    case Space::reg: return ".reg";
    case Space::sreg: return ".sreg";
    case Space::constant: return ".const";
    case Space::global: return ".global";
    case Space::local: return ".local";
    case Space::param: return ".param";
    case Space::shared:
    case Space::shared_cluster: return ".shared";
    case Space::tex: return ".tex";
  }
  return "";
}

class Printer {
 public:
  std::string run(const Module& module) {
    append(".version {}.{}\n", module.version_major, module.version_minor);
    if (!module.target.empty()) append(".target {}\n", module.target);
    append(".address_size 64\n");
    for (std::size_t i = 0; i < module.files.size(); ++i)
      if (i > 0 || !module.files[i].empty()) append(".file {} \"{}\"\n", i, module.files[i]);
    // Functions may be called, and their addresses stored, before they are defined.
    for (const Function& function : module.functions)
      if (!function.is_kernel) {
        signature(function);
        text_ += ";\n";
      }
    for (const Variable& variable : module.variables) {
      variable_declaration(variable);
      text_ += ";\n";
    }
    for (const Function& function : module.functions)
      if (function.is_kernel || function.has_body) function_definition(function);
    return std::move(text_);
  }

  std::string run(const Instruction& instruction, const Function& function) {
    write(instruction, function);
    return std::move(text_);
  }

 private:
  template <class... Args>
  void append(fmt::format_string<Args...> format, Args&&... args) {
    fmt::format_to(Out(text_), format, std::forward<Args>(args)...);
  }

  void shape(const Variable& variable) {
    if (variable.is_managed) text_ += " .attribute(.managed)";
    if (variable.align) append(" .align {}", variable.align);
    if (variable.vector > 1) append(" .v{}", variable.vector);
    switch (variable.opaque) {
      case Opaque::none: append(" .{}", name(variable.type)); break;
      case Opaque::texref: text_ += " .texref"; break;
      case Opaque::samplerref: text_ += " .samplerref"; break;
      case Opaque::surfref: text_ += " .surfref"; break;
    }
    append(" {}", variable.name);
    if (variable.count == 0) text_ += "[]";
    if (variable.count > 1) append("[{}]", variable.count);
  }

  void variable_declaration(const Variable& variable) {
    if (variable.is_extern) text_ += ".extern ";
    if (variable.is_visible) text_ += ".visible ";
    if (variable.is_weak) text_ += ".weak ";
    if (variable.is_common) text_ += ".common ";
    text_ += space_word(variable.space);
    shape(variable);
    if (!variable.initial.empty() || !variable.relocations.empty()) initial(variable);
  }

  void initial(const Variable& variable) {
    text_ += " = ";
    const std::uint64_t size = (static_cast<std::uint64_t>(bits(variable.type)) + 7) / 8;
    const bool list = variable.count != 1 || variable.vector > 1;
    if (list) text_ += "{";
    std::uint64_t end = variable.initial.size();
    for (const auto& relocation : variable.relocations) end = std::max(end, relocation.offset + 8);
    std::size_t next = 0;
    bool first = true;
    if (variable.vector > 1 && variable.count > 1) text_ += "{";
    for (std::uint64_t at = 0; at < end; at += size) {
      if (!first) {
        const bool row = variable.vector > 1 && at / size % variable.vector == 0;
        text_ += row ? "}, {" : ", ";
      }
      first = false;
      while (next < variable.relocations.size() && variable.relocations[next].offset + 8 <= at) ++next;
      if (next < variable.relocations.size() && variable.relocations[next].offset <= at) {
        address(variable.relocations[next], size, at - variable.relocations[next].offset);
        continue;
      }
      element(variable, at, size);
    }
    if (variable.vector > 1 && variable.count > 1) text_ += "}";
    if (list) text_ += "}";
  }

  void address(const Variable::Relocation& relocation, std::uint64_t size, std::uint64_t byte) {
    if (size == 1) append("0x{:x}(", std::uint64_t{0xff} << (8 * byte));
    if (relocation.generic)
      append("generic({})", relocation.symbol);
    else
      text_ += relocation.symbol;
    if (relocation.addend) append("{:+}", relocation.addend);
    if (size == 1) text_ += ")";
  }

  void element(const Variable& variable, std::uint64_t at, std::uint64_t size) {
    std::uint64_t value = 0;
    for (std::uint64_t i = 0; i < std::min<std::uint64_t>(size, 8) && at + i < variable.initial.size(); ++i)
      value |= std::uint64_t{variable.initial[at + i]} << (8 * i);
    if (variable.type == Type::f32)
      append("0f{:08x}", value);
    else if (variable.type == Type::f64)
      append("0d{:016x}", value);
    else
      append("{}", value);
  }

  void parameters(const std::vector<Variable>& list) {
    text_ += "(";
    for (std::size_t i = 0; i < list.size(); ++i) {
      if (i) text_ += ", ";
      text_ += space_word(list[i].space);
      shape(list[i]);
    }
    text_ += ")";
  }

  void signature(const Function& function) {
    if (function.is_extern) text_ += ".extern ";
    if (function.is_visible) text_ += ".visible ";
    if (function.is_weak) text_ += ".weak ";
    text_ += function.is_kernel ? ".entry " : ".func ";
    if (!function.returns.empty()) {
      parameters(function.returns);
      text_ += " ";
    }
    text_ += function.name;
    parameters(function.parameters);
    bounds(function);
  }

  void three(std::string_view word, const std::uint32_t (&values)[3]) {
    if (values[0]) append("\n{} {}, {}, {}", word, values[0], values[1], values[2]);
  }

  void bounds(const Function& function) {
    const LaunchBounds& bounds = function.bounds;
    three(".maxntid", bounds.max_threads);
    three(".reqntid", bounds.required_threads);
    if (bounds.min_ctas) append("\n.minnctapersm {}", bounds.min_ctas);
    if (bounds.max_registers) append("\n.maxnreg {}", bounds.max_registers);
    if (bounds.explicit_cluster) text_ += "\n.explicitcluster";
    three(".reqnctapercluster", bounds.required_cluster);
    if (function.noreturn) text_ += "\n.noreturn";
  }

  void function_definition(const Function& function) {
    line(function.location);
    signature(function);
    if (!function.has_body) {
      text_ += ";\n";
      return;
    }
    text_ += "\n{\n";
    for (const Register& reg : function.registers) {
      // Parameters in registers are declared by the signature.
      const auto named = [&](const Variable& v) { return v.space == Space::reg && v.name == reg.name; };
      if (std::none_of(function.parameters.begin(), function.parameters.end(), named) &&
          std::none_of(function.returns.begin(), function.returns.end(), named))
        append("  .reg .{} {};\n", name(reg.type), reg.name);
    }
    for (const Variable& variable : function.variables) {
      text_ += "  ";
      variable_declaration(variable);
      text_ += ";\n";
    }
    for (const Prototype& prototype : function.prototypes) {
      append("{}: .callprototype ", prototype.name);
      if (!prototype.returns.empty()) parameters(prototype.returns);
      text_ += " _ ";
      parameters(prototype.parameters);
      text_ += prototype.noreturn ? " .noreturn;\n" : ";\n";
    }
    for (const Statement& statement : function.body) {
      switch (statement.kind) {
        case Statement::Kind::label: append("{}:\n", statement.label); break;
        case Statement::Kind::branch_targets:
          append("{}: {} {};\n", statement.label,
                 statement.is_call_targets ? ".calltargets" : ".branchtargets",
                 fmt::join(statement.targets, ", "));
          break;
        case Statement::Kind::no_unroll: text_ += "  .pragma \"nounroll\";\n"; break;
        case Statement::Kind::instruction:
          line(statement.instruction.location);
          text_ += "  ";
          write(statement.instruction, function);
          text_ += "\n";
          break;
      }
    }
    text_ += "}\n";
    file_ = line_ = 0;
  }

  void line(const Location& location) {
    if (location.file == file_ && location.line == line_) return;
    file_ = location.file;
    line_ = location.line;
    append("  .loc {} {} 0\n", file_, line_);
  }

  void write(const Instruction& instruction, const Function& function) {
    if (instruction.guard)
      append("@{}{} ", instruction.guard_negated ? "!" : "", function.registers[*instruction.guard].name);
    append("{}{}{}", name(instruction.opcode), print_modifiers(instruction.opcode, instruction.mods),
           instruction.raw_modifiers);
    if (instruction.opcode == Opcode::call) return call(instruction, function);
    std::string_view separator = " ";
    for (const auto* list : {&instruction.destinations, &instruction.sources})
      for (const Operand& operand : *list) {
        text_ += separator;
        separator = ", ";
        write(operand, function);
      }
    text_ += ";";
  }

  void call(const Instruction& instruction, const Function& function) {
    text_ += " ";
    const auto list = [&](const std::vector<Operand>& operands, std::size_t from) {
      text_ += "(";
      for (std::size_t i = from; i < operands.size(); ++i) {
        if (i > from) text_ += ", ";
        write(operands[i], function);
      }
      text_ += ")";
    };
    if (!instruction.destinations.empty()) {
      list(instruction.destinations, 0);
      text_ += ", ";
    }
    write(instruction.sources[0], function);
    if (instruction.sources.size() > 1 || !instruction.prototype.empty()) {
      text_ += ", ";
      list(instruction.sources, 1);
    }
    if (!instruction.prototype.empty()) append(", {}", instruction.prototype);
    text_ += ";";
  }

  void offset(std::uint64_t bits) {
    // A negative offset is added: PTX has [a+-8], not [a-8].
    if (bits) append("+{}", static_cast<std::int64_t>(bits));
  }

  void write(const Operand& operand, const Function& function) {
    switch (operand.kind) {
      case Operand::Kind::none: break;
      case Operand::Kind::reg:
        if (operand.negated) text_ += "!";
        text_ += function.registers[operand.reg].name;
        if (!operand.symbol.empty()) append(".{}", operand.symbol);
        break;
      case Operand::Kind::integer: append("{}", static_cast<std::int64_t>(operand.bits)); break;
      case Operand::Kind::floating:
        operand.is_double ? append("0d{:016x}", operand.bits) : append("0f{:08x}", operand.bits);
        break;
      case Operand::Kind::symbol:
        text_ += operand.symbol;
        offset(operand.bits);
        break;
      case Operand::Kind::special: text_ += name(operand.special); break;
      case Operand::Kind::address:
        text_ += "[";
        if (operand.has_reg || !operand.symbol.empty()) {
          text_ += operand.has_reg ? function.registers[operand.reg].name : operand.symbol;
          offset(operand.bits);
        } else {
          append("{}", operand.bits);
        }
        for (const Operand& element : operand.elements) {
          text_ += ", ";
          write(element, function);
        }
        text_ += "]";
        break;
      case Operand::Kind::vector:
        if (!operand.is_pair) text_ += "{";
        for (std::size_t i = 0; i < operand.elements.size(); ++i) {
          if (i) text_ += operand.is_pair ? "|" : ", ";
          write(operand.elements[i], function);
        }
        if (!operand.is_pair) text_ += "}";
        break;
      case Operand::Kind::sink: text_ += "_"; break;
    }
  }

  std::string text_;
  std::uint32_t file_ = 0, line_ = 0;
};

}  // namespace

std::string print(const Module& module) {
  return Printer().run(module);
}

std::string print(const Instruction& instruction, const Function& function) {
  return Printer().run(instruction, function);
}

}  // namespace wanren::ptx
