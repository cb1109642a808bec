#include "module_text.h"

namespace wanren::ptx {
namespace {

bool same(const Location& a, const Location& b) {
  return a.file == b.file && a.line == b.line;
}

bool same(const Operand& a, const Operand& b) {
  if (a.elements.size() != b.elements.size()) return false;
  for (std::size_t i = 0; i < a.elements.size(); ++i)
    if (!same(a.elements[i], b.elements[i])) return false;
  return a.kind == b.kind && a.negated == b.negated && a.has_reg == b.has_reg && a.is_double == b.is_double &&
         a.is_pair == b.is_pair && a.reg == b.reg && a.special == b.special && a.bits == b.bits &&
         a.symbol == b.symbol;
}

template <class T, class Same>
bool each(const std::vector<T>& a, const std::vector<T>& b, Same&& same) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i)
    if (!same(a[i], b[i])) return false;
  return true;
}

bool same_operands(const std::vector<Operand>& a, const std::vector<Operand>& b) {
  return each(a, b, [](const Operand& x, const Operand& y) { return same(x, y); });
}

bool same(const Statement& a, const Statement& b) {
  const Instruction &x = a.instruction, &y = b.instruction;
  return a.kind == b.kind && a.label == b.label && a.targets == b.targets &&
         a.is_call_targets == b.is_call_targets && x.opcode == y.opcode && x.mods == y.mods &&
         x.guard == y.guard && x.guard_negated == y.guard_negated &&
         same_operands(x.destinations, y.destinations) && same_operands(x.sources, y.sources) &&
         x.prototype == y.prototype && x.raw_modifiers == y.raw_modifiers && same(x.location, y.location);
}

bool same(const Variable& a, const Variable& b) {
  return a.name == b.name && a.space == b.space && a.type == b.type && a.vector == b.vector &&
         a.align == b.align && a.count == b.count && a.is_extern == b.is_extern &&
         a.is_visible == b.is_visible && a.is_weak == b.is_weak && a.is_common == b.is_common &&
         a.is_managed == b.is_managed && a.opaque == b.opaque && a.initial == b.initial &&
         each(a.relocations, b.relocations, [](const auto& x, const auto& y) {
           return x.offset == y.offset && x.symbol == y.symbol && x.addend == y.addend &&
                  x.generic == y.generic;
         });
}

bool same_variables(const std::vector<Variable>& a, const std::vector<Variable>& b) {
  return each(a, b, [](const Variable& x, const Variable& y) { return same(x, y); });
}

bool same(const LaunchBounds& a, const LaunchBounds& b) {
  for (int i = 0; i < 3; ++i)
    if (a.max_threads[i] != b.max_threads[i] || a.required_threads[i] != b.required_threads[i] ||
        a.required_cluster[i] != b.required_cluster[i])
      return false;
  return a.min_ctas == b.min_ctas && a.max_registers == b.max_registers &&
         a.explicit_cluster == b.explicit_cluster;
}

std::string function_difference(const Function& a, const Function& b) {
  if (a.name != b.name) return "function " + a.name + " against " + b.name;
  if (a.is_kernel != b.is_kernel || a.is_extern != b.is_extern || a.is_visible != b.is_visible ||
      a.is_weak != b.is_weak || a.has_body != b.has_body || a.noreturn != b.noreturn ||
      !same(a.bounds, b.bounds))
    return a.name + ": attributes";
  if (!same_variables(a.returns, b.returns) || !same_variables(a.parameters, b.parameters))
    return a.name + ": signature";
  if (!same_variables(a.variables, b.variables)) return a.name + ": variables";
  if (!each(a.registers, b.registers,
            [](const Register& x, const Register& y) { return x.name == y.name && x.type == y.type; }))
    return a.name + ": registers";
  if (!each(a.prototypes, b.prototypes, [](const Prototype& x, const Prototype& y) {
        return x.name == y.name && x.noreturn == y.noreturn && same_variables(x.returns, y.returns) &&
               same_variables(x.parameters, y.parameters);
      }))
    return a.name + ": prototypes";
  if (a.body.size() != b.body.size()) return a.name + ": length of the body";
  for (std::size_t i = 0; i < a.body.size(); ++i)
    if (!same(a.body[i], b.body[i]))
      return a.name + ": " + print(a.body[i].instruction, a) + " against " + print(b.body[i].instruction, b);
  return {};
}

}  // namespace

std::string difference(const Module& a, const Module& b) {
  if (a.version_major != b.version_major || a.version_minor != b.version_minor || a.target != b.target ||
      a.target_sm != b.target_sm)
    return "version or target";
  if (a.files != b.files) return "files";
  if (!same_variables(a.variables, b.variables)) return "variables";
  if (a.functions.size() != b.functions.size()) return "number of functions";
  for (std::size_t i = 0; i < a.functions.size(); ++i)
    if (std::string text = function_difference(a.functions[i], b.functions[i]); !text.empty()) return text;
  return {};
}

}  // namespace wanren::ptx
