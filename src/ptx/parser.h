#pragma once
// The parser's state, shared by parser*.cpp. Every member that returns bool returns false once
// error_ is set.

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "ptx/lexer.h"
#include "ptx/module.h"

namespace wanren::ptx {

class Parser {
 public:
  Parser(std::vector<Token> tokens, std::string_view name) : tokens_(std::move(tokens)), name_(name) {}
  Result<Module> run();

 private:
  struct Constant {
    bool floating = false;
    bool is_double = false;    ///< floating: bits is an f64 pattern, else f32
    bool is_unsigned = false;  ///< integer
    std::uint64_t bits = 0;
  };

  /// What a name means inside a function.
  struct Entity {
    enum class Kind : std::uint8_t { reg, variable, label } kind;
    RegisterId reg = 0;
    std::string name;  ///< variable, label: unique within the function
  };
  struct Range {
    std::string_view prefix;
    std::uint32_t count;
    Type type;
  };
  /// A name that nothing in sight declares: a label further down or something of the module.
  struct Reference {
    std::size_t statement;
    Token token;
  };
  struct Scope {
    std::unordered_map<std::string_view, Entity> names;
    std::vector<Range> ranges;
    std::vector<Reference> open;
  };
  struct Linkage {
    bool is_extern = false, is_visible = false, is_weak = false, is_common = false;
  };

  // parser.cpp: module level.
  bool module_item();
  bool version();
  bool target();
  bool file();
  bool loc();
  bool alias();
  bool skip_section();
  bool skip_to_semicolon();
  bool finish();

  // parser_variable.cpp
  bool variables(Space space, Linkage linkage, std::vector<Variable>& into, bool local);
  bool parameter(Variable& variable);
  bool parameters(std::vector<Variable>& into);
  bool attributes_and_type(Variable& variable);
  bool dimensions(std::vector<std::uint64_t>& dims);
  bool initial(Variable& variable, const std::vector<std::uint64_t>& dims, std::size_t depth,
               std::uint64_t offset, std::uint64_t& produced);
  bool initial_scalar(Variable& variable, std::uint64_t offset);
  bool initial_address(Variable& variable, std::uint64_t offset, std::uint64_t mask);
  bool skip_braces();

  // parser_function.cpp
  bool function(bool is_kernel, Linkage linkage);
  bool bounds(Function& function);
  bool body();
  bool statement();
  bool scope_end();
  bool registers();
  bool label_or_targets();
  bool branch_targets(const Token& label, bool calls);
  bool call_prototype(const Token& label);
  bool declare_label(const Token& token, std::string& unique);
  std::string unique_name(std::string_view name);
  RegisterId add_register(std::string_view name, Type type);
  const Entity* lookup(std::string_view name);
  std::string nearest_register(std::string_view name) const;

  // parser_instruction.cpp
  bool instruction();
  bool opcode(Instruction& into);
  bool modifiers(Instruction& into, int first_words);
  bool operands(Instruction& into);
  bool call(Instruction& into);
  bool operand(Operand& into);
  bool simple_operand(Operand& into);
  bool name_operand(Operand& into);
  bool address(Operand& into);
  bool offset(std::uint64_t& bits);
  bool fit_floats(Instruction& into, Operand& operand, const Token& at);

  // parser_expression.cpp
  bool expression(Constant& into, int precedence = 0);
  bool unary(Constant& into);
  bool number(const Token& token, Constant& into);
  bool unsigned_value(std::uint64_t& into, std::string_view what, std::uint64_t limit);

  // Tokens.
  const Token& peek(std::size_t ahead = 0) const {
    return tokens_[std::min(at_ + ahead, tokens_.size() - 1)];
  }
  const Token& take() {
    const Token& token = peek();
    if (at_ + 1 < tokens_.size()) ++at_;
    return token;
  }
  bool accept(std::string_view punctuation);
  bool expect(std::string_view punctuation);
  bool error(const Token& token, std::string cause, std::string remedy = {});
  std::string place(const Token& token) const;
  static std::string show(const Token& token);
  Location location(const Token& token) const;

  std::vector<Token> tokens_;
  std::string_view name_;
  std::size_t at_ = 0;
  int depth_ = 0;  ///< Of nested expressions and braces, bounded.
  std::optional<Error> error_;
  Module module_;
  std::unordered_map<std::string, std::size_t> module_functions_, module_variables_;
  std::vector<std::pair<Token, Token>> aliases_;
  std::vector<Token> unresolved_;
  std::uint32_t file_ = 0, line_ = 0;

  Function* function_ = nullptr;
  std::vector<Scope> scopes_;
  std::unordered_set<std::string> used_names_;
  std::unordered_map<std::string_view, int> copies_;
  std::vector<Token> statement_names_;  ///< Names that the current instruction left open.
};

}  // namespace wanren::ptx
