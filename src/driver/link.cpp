#include "driver/link.h"

#include <functional>
#include <map>
#include <set>
#include <string>
#include <unordered_map>

namespace wanren::driver {
namespace {

/// Calls `visit` on every symbol name that the module's code and initialisers mention.
void visit_symbols(ptx::Module& module, const std::function<void(std::string&)>& visit) {
  std::function<void(ptx::Operand&)> visit_operand = [&](ptx::Operand& operand) {
    if (!operand.symbol.empty()) visit(operand.symbol);
    for (ptx::Operand& element : operand.elements) visit_operand(element);
  };
  for (ptx::Function& function : module.functions)
    for (ptx::Statement& statement : function.body) {
      for (ptx::Operand& operand : statement.instruction.destinations) visit_operand(operand);
      for (ptx::Operand& operand : statement.instruction.sources) visit_operand(operand);
    }
  for (ptx::Variable& variable : module.variables)
    for (ptx::Variable::Relocation& relocation : variable.relocations) visit(relocation.symbol);
}

/// Names that only this module may use, renamed where another module has used them already.
void keep_private_names_apart(ptx::Module& module, std::size_t number, std::set<std::string>& taken) {
  std::unordered_map<std::string, std::string> renamed;
  auto consider = [&](std::string& name, bool is_private) {
    if (!is_private || taken.insert(name).second) return;
    const std::string fresh = name + "$" + std::to_string(number);
    renamed[name] = fresh;
    name = fresh;
    taken.insert(fresh);
  };
  for (ptx::Variable& v : module.variables)
    consider(v.name, !v.is_visible && !v.is_extern && !v.is_weak && !v.is_common);
  for (ptx::Function& f : module.functions)
    consider(f.name, f.has_body && !f.is_visible && !f.is_extern && !f.is_weak && !f.is_kernel);
  if (renamed.empty()) return;
  visit_symbols(module, [&](std::string& symbol) {
    if (auto it = renamed.find(symbol); it != renamed.end()) symbol = it->second;
  });
}

/// clang names a static variable of relocatable code 'x__static__HASH' once it has seen host code use it;
/// kernels before that point name it 'x'.
void join_static_names(ptx::Module& module) {
  std::unordered_map<std::string, std::string> defined;
  for (const ptx::Variable& v : module.variables)
    if (const auto at = v.name.find("__static__"); at != std::string::npos && !v.is_extern)
      defined[v.name.substr(0, at)] = v.name;
  std::unordered_map<std::string, std::string> renamed;
  for (const ptx::Variable& v : module.variables)
    if (auto it = defined.find(v.name); it != defined.end() && v.is_extern) renamed.insert(*it);
  if (renamed.empty()) return;
  std::erase_if(module.variables, [&](const ptx::Variable& v) { return renamed.contains(v.name); });
  visit_symbols(module, [&](std::string& symbol) {
    if (auto it = renamed.find(symbol); it != renamed.end()) symbol = it->second;
  });
}

}  // namespace

Result<ptx::Module> link_modules(std::vector<ptx::Module> modules) {
  for (ptx::Module& module : modules) join_static_names(module);
  if (modules.size() == 1) return std::move(modules.front());
  ptx::Module linked;
  std::set<std::string> taken;
  std::map<std::string, std::size_t> functions, variables;
  for (std::size_t number = 0; number < modules.size(); ++number) {
    ptx::Module& module = modules[number];
    keep_private_names_apart(module, number, taken);
    if (number == 0) {
      linked.version_major = module.version_major;
      linked.version_minor = module.version_minor;
      linked.target = module.target;
      linked.target_sm = module.target_sm;
    } else if (module.target_sm > linked.target_sm) {
      linked.target = module.target;
      linked.target_sm = module.target_sm;
    }
    const auto file_base = static_cast<std::uint32_t>(linked.files.size());
    linked.files.insert(linked.files.end(), module.files.begin(), module.files.end());
    auto place = [&](ptx::Location& location) { location.file += file_base; };

    for (ptx::Variable& variable : module.variables) {
      place(variable.location);
      auto [it, fresh] = variables.try_emplace(variable.name, linked.variables.size());
      if (fresh) {
        linked.variables.push_back(std::move(variable));
        continue;
      }
      ptx::Variable& known = linked.variables[it->second];
      const bool shared_pool = variable.space == ptx::Space::shared;  // extern dynamic arrays repeat
      if (known.is_extern && !variable.is_extern) {
        known = std::move(variable);
      } else if (!variable.is_extern && !variable.is_weak && !known.is_weak && !variable.is_common &&
                 !shared_pool) {
        return fail("device link", "variable '" + variable.name + "' is defined twice",
                    "declare it extern in all files but one");
      }
    }
    for (ptx::Function& function : module.functions) {
      place(function.location);
      for (ptx::Statement& statement : function.body) place(statement.instruction.location);
      auto [it, fresh] = functions.try_emplace(function.name, linked.functions.size());
      if (fresh) {
        linked.functions.push_back(std::move(function));
        continue;
      }
      ptx::Function& known = linked.functions[it->second];
      if (!known.has_body && function.has_body) {
        known = std::move(function);
      } else if (function.has_body && known.has_body && !function.is_weak && !known.is_weak) {
        return fail("device link", "function '" + function.name + "' is defined twice",
                    "define it in one file only, or make it inline");
      }
    }
  }
  return linked;
}

}  // namespace wanren::driver
