#include "ptx/parser.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "ptx/spelling.h"

namespace wanren::ptx {

std::string Parser::place(const Token& token) const {
  return fmt::format("{}:{}:{}", name_, token.line, token.column);
}

std::string Parser::show(const Token& token) {
  if (token.kind == Token::Kind::end) return "the end of the text";
  const std::string_view text = token.text.substr(0, 60);
  return fmt::format("'{}'", text);
}

bool Parser::error(const Token& token, std::string cause, std::string remedy) {
  if (!error_) error_ = Error{place(token), std::move(cause), std::move(remedy)};
  return false;
}

bool Parser::accept(std::string_view punctuation) {
  if (!peek().is(punctuation)) return false;
  take();
  return true;
}

bool Parser::expect(std::string_view punctuation) {
  if (accept(punctuation)) return true;
  return error(peek(), fmt::format("expected '{}', found {}", punctuation, show(peek())));
}

Location Parser::location(const Token& token) const {
  return {token.line, file_, line_};
}

Result<Module> Parser::run() {
  while (!error_ && peek().kind != Token::Kind::end) module_item();
  if (!error_) finish();
  if (error_) return std::unexpected<Error>(*error_);
  return std::move(module_);
}

bool Parser::module_item() {
  const Token token = peek();
  if (token.is("@") && peek(1).is("@")) {  // @@DWARF lines of old compilers
    while (peek().kind != Token::Kind::end && peek().line == token.line) take();
    return true;
  }
  if (accept(";")) return true;
  if (token.kind != Token::Kind::dotted)
    return error(token, fmt::format("expected a directive, found {}", show(token)));
  take();
  if (token.text == ".version") return version();
  if (token.text == ".target") return target();
  if (token.text == ".address_size") {
    std::uint64_t size = 0;
    const Token at = peek();
    if (!unsigned_value(size, "an address size", 64)) return false;
    if (size != 64)
      return error(at, fmt::format("address size {} is not supported", size), "compile for 64 bits");
    return true;
  }
  if (token.text == ".file") return file();
  if (token.text == ".loc") return loc();
  if (token.text == ".section") return skip_section();
  if (token.text == ".pragma") return skip_to_semicolon();
  if (token.text == ".alias") return alias();

  Linkage linkage;
  Token word = token;
  while (true) {
    if (word.text == ".extern")
      linkage.is_extern = true;
    else if (word.text == ".visible")
      linkage.is_visible = true;
    else if (word.text == ".weak")
      linkage.is_weak = true;
    else if (word.text == ".common")
      linkage.is_common = true;
    else
      break;
    word = take();
  }
  if (word.text == ".entry") return function(true, linkage);
  if (word.text == ".func") return function(false, linkage);
  static constexpr std::array<std::pair<std::string_view, Space>, 5> spaces = {{{".global", Space::global},
                                                                                {".const", Space::constant},
                                                                                {".shared", Space::shared},
                                                                                {".local", Space::local},
                                                                                {".tex", Space::tex}}};
  for (const auto& [text, space] : spaces)
    if (word.text == text) return variables(space, linkage, module_.variables, false);
  static constexpr std::string_view known[] = {".version", ".target", ".address_size", ".file",   ".loc",
                                               ".section", ".pragma", ".alias",        ".extern", ".visible",
                                               ".weak",    ".common", ".entry",        ".func",   ".global",
                                               ".const",   ".shared", ".local",        ".tex"};
  return error(word, fmt::format("unknown directive {}", show(word)), did_you_mean(word.text, known));
}

bool Parser::version() {
  const Token token = take();
  const std::size_t dot = token.text.find('.');
  const char* end = token.text.data() + token.text.size();
  if (token.kind == Token::Kind::number && dot != std::string_view::npos) {
    const auto major = std::from_chars(token.text.data(), end, module_.version_major);
    const auto minor = std::from_chars(token.text.data() + dot + 1, end, module_.version_minor);
    if (major.ec == std::errc{} && minor.ec == std::errc{} && minor.ptr == end) return true;
  }
  return error(token, fmt::format("expected a version like 8.0, found {}", show(token)));
}

bool Parser::target() {
  do {
    const Token token = take();
    if (token.kind != Token::Kind::identifier)
      return error(token, fmt::format("expected a target like sm_80, found {}", show(token)));
    if (!token.text.starts_with("sm_") && !token.text.starts_with("compute_")) continue;  // texmode, debug
    module_.target = token.text;
    const std::string_view digits = token.text.substr(token.text.find('_') + 1);
    const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), module_.target_sm);
    if (read.ec != std::errc{})
      return error(token, fmt::format("expected a target like sm_80, found {}", show(token)));
  } while (accept(","));
  return true;
}

bool Parser::file() {
  std::uint64_t index = 0;
  if (!unsigned_value(index, "a file number", 1u << 16)) return false;
  const Token token = take();
  if (token.kind != Token::Kind::string)
    return error(token, fmt::format("expected a file name in quotes, found {}", show(token)));
  if (module_.files.size() <= index) module_.files.resize(index + 1);
  module_.files[index] = token.text;
  std::uint64_t ignored = 0;
  while (accept(","))
    if (!unsigned_value(ignored, "a time stamp or size", UINT64_MAX)) return false;
  return true;
}

bool Parser::loc() {
  std::uint64_t file = 0, line = 0, column = 0;
  if (!unsigned_value(file, "a file number", UINT32_MAX) || !unsigned_value(line, "a line", UINT32_MAX) ||
      !unsigned_value(column, "a column", UINT32_MAX))
    return false;
  file_ = static_cast<std::uint32_t>(file);
  line_ = static_cast<std::uint32_t>(line);
  // ", function_name L{+n}, inlined_at file line column": the innermost line is the one we keep.
  while (accept(",")) {
    const Token word = take();
    if (word.text == "function_name") {
      take();
      if (accept("+") && !unsigned_value(column, "an offset", UINT32_MAX)) return false;
    } else if (word.text == "inlined_at") {
      for (int i = 0; i < 3; ++i)
        if (!unsigned_value(column, "a number", UINT32_MAX)) return false;
    } else {
      return error(word, fmt::format("expected function_name or inlined_at, found {}", show(word)));
    }
  }
  return true;
}

bool Parser::alias() {
  const Token from = take();
  if (!expect(",")) return false;
  const Token to = take();
  if (from.kind != Token::Kind::identifier || to.kind != Token::Kind::identifier)
    return error(from, "an alias needs two function names");
  aliases_.emplace_back(from, to);
  return expect(";");
}

bool Parser::skip_section() {
  while (peek().kind != Token::Kind::end && !peek().is("{")) take();
  return skip_braces();
}

bool Parser::skip_braces() {
  const Token open = peek();
  if (!expect("{")) return false;
  for (int depth = 1; depth > 0;) {
    const Token& token = take();
    if (token.kind == Token::Kind::end) return error(open, "'{' is never closed");
    if (token.is("{")) ++depth;
    if (token.is("}")) --depth;
  }
  return true;
}

bool Parser::skip_to_semicolon() {
  while (peek().kind != Token::Kind::end && !peek().is(";")) take();
  return expect(";");
}

bool Parser::finish() {
  // An alias is its aliasee under another name.
  for (const auto& [from, to] : aliases_) {
    const auto aliasee = module_functions_.find(std::string(to.text));
    const auto declared = module_functions_.find(std::string(from.text));
    if (aliasee == module_functions_.end())
      return error(to, fmt::format("alias of an unknown function {}", show(to)));
    if (declared == module_functions_.end())
      return error(from, fmt::format("alias {} has no prototype", show(from)));
    Function copy = module_.functions[aliasee->second];
    copy.name = from.text;
    module_.functions[declared->second] = std::move(copy);
  }
  for (const Token& token : unresolved_) {
    const std::string text(token.text);
    if (module_functions_.contains(text) || module_variables_.contains(text)) continue;
    std::vector<std::string_view> names;
    names.reserve(module_functions_.size() + module_variables_.size());
    for (const auto& entry : module_functions_) names.push_back(entry.first);
    for (const auto& entry : module_variables_) names.push_back(entry.first);
    std::sort(names.begin(), names.end());
    return error(token,
                 fmt::format("nothing is named {}: no register, label, variable or function", show(token)),
                 did_you_mean(token.text, names));
  }
  // Declarations first, then definitions as they stand in the text, wherever prototypes stood.
  std::vector<std::pair<std::uint32_t, std::size_t>> order;  // line of the definition or 0, index
  for (std::size_t i = 0; i < module_.functions.size(); ++i) {
    const Function& function = module_.functions[i];
    order.emplace_back(function.has_body ? function.location.ptx_line : 0, i);
  }
  std::sort(order.begin(), order.end());
  std::vector<Function> sorted;
  sorted.reserve(order.size());
  for (const auto& [line, index] : order) sorted.push_back(std::move(module_.functions[index]));
  module_.functions = std::move(sorted);
  return true;
}

Result<Module> parse(std::string_view text, std::string_view name) {
  auto tokens = tokenize(text, name);
  if (!tokens) return std::unexpected<Error>(tokens.error());
  return Parser(std::move(*tokens), name).run();
}

}  // namespace wanren::ptx
