// Functions, scopes, registers and labels. PTX ISA 5.2, 5.4, 7, 11.

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "ptx/modifiers.h"
#include "ptx/parser.h"
#include "ptx/spelling.h"

namespace wanren::ptx {
namespace {

constexpr std::uint64_t register_limit = 1u << 24;
constexpr std::size_t scope_limit = 1000;

}  // namespace

std::string Parser::unique_name(std::string_view name) {
  std::string unique(name);
  while (!used_names_.insert(unique).second) unique = fmt::format("{}$scope{}", name, ++copies_[name]);
  return unique;
}

RegisterId Parser::add_register(std::string_view name, Type type) {
  function_->registers.push_back({unique_name(name), type});
  return static_cast<RegisterId>(function_->registers.size() - 1);
}

const Parser::Entity* Parser::lookup(std::string_view name) {
  std::size_t digits = name.size();
  while (digits > 0 && name[digits - 1] >= '0' && name[digits - 1] <= '9') --digits;
  for (std::size_t i = scopes_.size(); i-- > 0;) {
    Scope& scope = scopes_[i];
    if (const auto found = scope.names.find(name); found != scope.names.end()) return &found->second;
    if (digits == name.size()) continue;
    for (const Range& range : scope.ranges) {
      if (range.prefix.size() >= name.size() || range.prefix.size() < digits ||
          !name.starts_with(range.prefix))
        continue;
      const std::string_view index = name.substr(range.prefix.size());
      if (index.size() > 1 && index[0] == '0') continue;
      std::uint32_t number = 0;
      const auto read = std::from_chars(index.data(), index.data() + index.size(), number);
      if (read.ec != std::errc{} || number >= range.count) continue;
      // Registers of a range come into being when they are first named.
      const Entity entity{Entity::Kind::reg, add_register(name, range.type), {}};
      return &scope.names.emplace(name, entity).first->second;
    }
  }
  return nullptr;
}

std::string Parser::nearest_register(std::string_view name) const {
  const std::size_t prefix = name.find_last_not_of("0123456789") + 1;
  for (const Scope& scope : scopes_)
    for (const Range& range : scope.ranges)
      if (prefix < name.size() && range.prefix == name.substr(0, prefix))
        return fmt::format("{}<{}> declares {} registers", range.prefix, range.count, range.count);
  std::vector<std::string> names;
  for (const Scope& scope : scopes_) {
    for (const auto& [text, entity] : scope.names)
      if (entity.kind == Entity::Kind::reg) names.emplace_back(text);
    for (const Range& range : scope.ranges)
      if (range.count > 0) names.push_back(fmt::format("{}{}", range.prefix, range.count - 1));
  }
#define WR_SPECIAL(id, text, type) names.emplace_back(text);
#include "ptx/special_registers.def"
#undef WR_SPECIAL
  std::sort(names.begin(), names.end());
  const std::vector<std::string_view> views(names.begin(), names.end());
  return did_you_mean(name, views);
}

bool Parser::function(bool is_kernel, Linkage linkage) {
  Function function;
  function.is_kernel = is_kernel;
  function.is_extern = linkage.is_extern;
  function.is_visible = linkage.is_visible;
  function.is_weak = linkage.is_weak;
  // .attribute(.unified(…)) concerns addresses only.
  while (peek().is_dotted(".attribute")) {
    take();
    while (peek().kind != Token::Kind::end && !peek().is("(")) take();
    int depth = 0;
    do {
      const Token token = take();
      if (token.kind == Token::Kind::end) return error(token, "'(' is never closed");
      depth += token.is("(") ? 1 : token.is(")") ? -1 : 0;
    } while (depth > 0);
  }
  if (!is_kernel && peek().is("(") && !parameters(function.returns)) return false;
  const Token name = take();
  if (name.kind != Token::Kind::identifier)
    return error(name, fmt::format("expected a function's name, found {}", show(name)));
  function.name = name.text;
  function.location = location(name);
  if (peek().is("(") && !parameters(function.parameters)) return false;
  if (!bounds(function)) return false;

  if (module_variables_.contains(function.name))
    return error(name, fmt::format("{} is a variable already", show(name)));
  const auto [entry, fresh] = module_functions_.try_emplace(function.name, module_.functions.size());
  const bool defines = !accept(";");
  if (fresh) {
    module_.functions.push_back(std::move(function));
  } else if (defines) {
    Function& before = module_.functions[entry->second];
    if (before.has_body && !before.is_weak && !function.is_weak)
      return error(name, fmt::format("{} is defined twice", show(name)),
                   fmt::format("the first definition is in line {}", before.location.ptx_line));
    before = std::move(function);
  }
  if (!defines) return true;
  function_ = &module_.functions[entry->second];
  function_->has_body = true;
  const bool good = body();
  function_ = nullptr;
  file_ = line_ = 0;
  return good;
}

bool Parser::bounds(Function& function) {
  LaunchBounds& bounds = function.bounds;
  const auto numbers = [&](std::uint32_t* into, int count) {
    for (int i = 0; i < count; ++i) {
      std::uint64_t value = 0;
      if (!unsigned_value(value, "a whole number", UINT32_MAX)) return false;
      into[i] = static_cast<std::uint32_t>(value);
      if (i + 1 < count && !accept(",")) {
        for (int rest = i + 1; rest < count; ++rest) into[rest] = 1;
        break;
      }
    }
    return true;
  };
  while (peek().kind == Token::Kind::dotted) {
    const Token token = take();
    const std::string_view text = token.text;
    std::uint32_t ignored[3];
    bool good = true;
    if (text == ".maxntid")
      good = numbers(bounds.max_threads, 3);
    else if (text == ".reqntid")
      good = numbers(bounds.required_threads, 3);
    else if (text == ".minnctapersm")
      good = numbers(&bounds.min_ctas, 1);
    else if (text == ".maxnctapersm")
      good = numbers(ignored, 1);
    else if (text == ".maxnreg")
      good = numbers(&bounds.max_registers, 1);
    else if (text == ".reqnctapercluster")
      good = numbers(bounds.required_cluster, 3);
    else if (text == ".maxclusterrank")
      good = numbers(ignored, 1);
    else if (text == ".explicitcluster")
      bounds.explicit_cluster = true;
    else if (text == ".blocksareclusters")
      continue;
    else if (text == ".noreturn")
      function.noreturn = true;
    else if (text == ".pragma")
      good = skip_to_semicolon();
    else if (text == ".loc")
      good = loc();
    else if (text == ".abi_preserve" || text == ".abi_preserve_control")
      good = numbers(ignored, 1);
    else {
      static constexpr std::string_view known[] = {
          ".maxntid",           ".reqntid",           ".minnctapersm", ".maxnctapersm",
          ".maxnreg",           ".reqnctapercluster", ".pragma",       ".explicitcluster",
          ".blocksareclusters", ".noreturn",          ".loc",          ".maxclusterrank"};
      return error(token, fmt::format("unknown directive {}", show(token)), did_you_mean(text, known));
    }
    if (!good) return false;
  }
  return true;
}

bool Parser::body() {
  used_names_.clear();
  copies_.clear();
  scopes_.clear();
  scopes_.emplace_back();
  for (auto* list : {&function_->returns, &function_->parameters})
    for (Variable& variable : *list) {
      // Names of parameters outlive the tokens' views only as long as the parser, which is enough.
      Entity entity{Entity::Kind::variable, 0, variable.name};
      if (variable.space == Space::reg) {
        entity = {Entity::Kind::reg, add_register(variable.name, variable.type), {}};
      } else {
        used_names_.insert(variable.name);
      }
      scopes_.back().names.emplace(variable.name, std::move(entity));
    }
  const Token open = peek();
  if (!expect("{")) return false;
  scopes_.emplace_back();
  while (scopes_.size() > 1) {
    if (peek().kind == Token::Kind::end) return error(open, "'{' is never closed");
    if (!statement()) return false;
  }
  for (const Reference& reference : scopes_.front().open) unresolved_.push_back(reference.token);
  return true;
}

bool Parser::scope_end() {
  Scope closed = std::move(scopes_.back());
  scopes_.pop_back();
  for (Reference& reference : closed.open) {
    const auto found = closed.names.find(reference.token.text);
    if (found == closed.names.end()) {
      scopes_.back().open.push_back(reference);
      continue;
    }
    if (found->second.kind != Entity::Kind::label)
      return error(reference.token, fmt::format("{} is used before its declaration", show(reference.token)));
    if (found->second.name == reference.token.text) continue;
    Statement& statement = function_->body[reference.statement];
    const auto rename = [&](std::string& name) {
      if (name == reference.token.text) name = found->second.name;
    };
    for (auto* list : {&statement.instruction.destinations, &statement.instruction.sources})
      for (Operand& operand : *list) {
        rename(operand.symbol);
        for (Operand& element : operand.elements) rename(element.symbol);
      }
    rename(statement.instruction.prototype);
    for (std::string& target : statement.targets) rename(target);
  }
  return true;
}

bool Parser::statement() {
  const Token token = peek();
  if (accept(";")) return true;
  if (accept("{")) {
    if (scopes_.size() > scope_limit) return error(token, "scopes nested too deeply");
    scopes_.emplace_back();
    return true;
  }
  if (accept("}")) return scope_end();
  if (token.kind == Token::Kind::dotted) {
    take();
    if (token.text == ".reg") return registers();
    if (token.text == ".shared") return variables(Space::shared, {}, function_->variables, true);
    if (token.text == ".local") return variables(Space::local, {}, function_->variables, true);
    if (token.text == ".param") return variables(Space::param, {}, function_->variables, true);
    if (token.text == ".global") return variables(Space::global, {}, function_->variables, true);
    if (token.text == ".const") return variables(Space::constant, {}, function_->variables, true);
    if (token.text == ".loc") return loc();
    if (token.text == ".file") return file();
    if (token.text == ".pragma") {
      if (peek().text.find("nounroll") != std::string_view::npos)
        function_->body.push_back({Statement::Kind::no_unroll, {}, {}, {}, false});
      return skip_to_semicolon();
    }
    if (token.text == ".section") return skip_section();
    static constexpr std::string_view known[] = {".reg",   ".shared", ".local", ".param",  ".global",
                                                 ".const", ".loc",    ".file",  ".pragma", ".section"};
    return error(token, fmt::format("unknown directive {}", show(token)), did_you_mean(token.text, known));
  }
  if (token.kind == Token::Kind::identifier && peek(1).is(":")) return label_or_targets();
  return instruction();
}

bool Parser::registers() {
  Variable shape;
  shape.space = Space::reg;
  if (!attributes_and_type(shape)) return false;
  if (shape.vector != 1) return error(peek(), "vector registers are not supported", "declare the components");
  if (shape.type == Type::none || shape.opaque != Opaque::none)
    return error(peek(), "expected a register's type");
  Scope& scope = scopes_.back();
  do {
    const Token token = take();
    if (token.kind != Token::Kind::identifier)
      return error(token, fmt::format("expected a register's name, found {}", show(token)));
    if (accept("<")) {
      std::uint64_t count = 0;
      if (!unsigned_value(count, "how many registers", register_limit) || !expect(">")) return false;
      scope.ranges.push_back({token.text, static_cast<std::uint32_t>(count), shape.type});
      continue;
    }
    const auto [entry, fresh] = scope.names.try_emplace(token.text, Entity{Entity::Kind::reg, 0, {}});
    if (!fresh) return error(token, fmt::format("{} is declared twice in this scope", show(token)));
    entry->second.reg = add_register(token.text, shape.type);
  } while (accept(","));
  return expect(";");
}

bool Parser::declare_label(const Token& token, std::string& unique) {
  unique = unique_name(token.text);
  const auto [entry, fresh] =
      scopes_.back().names.try_emplace(token.text, Entity{Entity::Kind::label, 0, unique});
  return fresh || error(token, fmt::format("{} is declared twice in this scope", show(token)));
}

bool Parser::label_or_targets() {
  const Token token = take();
  take();  // ':'
  if (peek().is_dotted(".branchtargets")) return branch_targets(token, false);
  if (peek().is_dotted(".calltargets")) return branch_targets(token, true);
  if (peek().is_dotted(".callprototype")) return call_prototype(token);
  Statement statement{Statement::Kind::label, {}, {}, {}, false};
  if (!declare_label(token, statement.label)) return false;
  function_->body.push_back(std::move(statement));
  return true;
}

bool Parser::branch_targets(const Token& label, bool calls) {
  take();
  Statement statement{Statement::Kind::branch_targets, {}, {}, {}, calls};
  if (!declare_label(label, statement.label)) return false;
  do {
    const Token target = take();
    if (target.kind != Token::Kind::identifier)
      return error(target, fmt::format("expected a label, found {}", show(target)));
    const Entity* entity = lookup(target.text);
    if (entity && entity->kind == Entity::Kind::label) {
      statement.targets.push_back(entity->name);
    } else {
      statement.targets.emplace_back(target.text);
      scopes_.back().open.push_back({function_->body.size(), target});
    }
  } while (accept(","));
  function_->body.push_back(std::move(statement));
  return expect(";");
}

bool Parser::call_prototype(const Token& label) {
  take();
  Prototype prototype;
  if (!declare_label(label, prototype.name)) return false;
  if (peek().is("(") && !parameters(prototype.returns)) return false;
  const Token name = take();
  if (name.kind != Token::Kind::identifier)
    return error(name, fmt::format("expected '_', found {}", show(name)));
  if (peek().is("(") && !parameters(prototype.parameters)) return false;
  Function rest;
  if (!bounds(rest)) return false;
  prototype.noreturn = rest.noreturn;
  function_->prototypes.push_back(std::move(prototype));
  return expect(";");
}

}  // namespace wanren::ptx
