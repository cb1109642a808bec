#include "ptx/lexer.h"

#include <fmt/format.h>

#include <array>

namespace wanren::ptx {
namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_digit(c) || c == '_' || c == '$';
}
bool starts_identifier(char c) {
  return (is_word(c) && !is_digit(c)) || c == '%';
}

class Lexer {
 public:
  Lexer(std::string_view text, std::string_view name) : text_(text), name_(name) {
    tokens_.reserve(text.size() / 4 + 1);
  }

  Result<std::vector<Token>> run() {
    while (true) {
      if (!skip_blank()) return fail(place(), "comment without end", "close it with */");
      if (at_ >= text_.size()) break;
      if (!next()) {
        const char c = text_[at_];
        if (c == '"') return fail(place(), "string without end", "close it with \" on the same line");
        return fail(place(), c > ' ' && c < 127
                                 ? fmt::format("unexpected character '{}'", c)
                                 : fmt::format("unexpected byte 0x{:02x}", static_cast<unsigned char>(c)));
      }
    }
    push(Token::Kind::end, at_, at_);
    return std::move(tokens_);
  }

 private:
  char peek(std::size_t ahead = 0) const { return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0'; }
  std::string place() const { return fmt::format("{}:{}:{}", name_, line_, at_ - line_start_ + 1); }

  void push(Token::Kind kind, std::size_t from, std::size_t to) {
    tokens_.push_back(
        {kind, text_.substr(from, to - from), line_, static_cast<std::uint32_t>(from - line_start_ + 1)});
  }

  void newline() {
    ++line_;
    line_start_ = at_ + 1;
  }

  bool skip_blank() {
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == '\n') {
        newline();
        ++at_;
      } else if (c == ' ' || c == '\t' || c == '\r' || c == '\f' || c == '\v' || c == '\0') {
        ++at_;  // Embedded PTX is padded with zeros.
      } else if (c == '/' && peek(1) == '/') {
        while (at_ < text_.size() && text_[at_] != '\n') ++at_;
      } else if (c == '/' && peek(1) == '*') {
        const std::size_t end = text_.find("*/", at_ + 2);
        if (end == std::string_view::npos) return false;
        for (; at_ < end + 2; ++at_)
          if (text_[at_] == '\n') newline();
      } else {
        break;
      }
    }
    return true;
  }

  bool next() {
    const std::size_t from = at_;
    const char c = text_[at_];
    if (starts_identifier(c)) {
      do ++at_;
      while (is_word(peek()));
      push(Token::Kind::identifier, from, at_);
      return true;
    }
    if (is_digit(c)) {
      number();
      push(Token::Kind::number, from, at_);
      return true;
    }
    if (c == '.' && is_word(peek(1))) {
      ++at_;
      while (is_word(peek()) || (peek() == ':' && peek(1) == ':' && is_word(peek(2))))
        at_ += peek() == ':' ? 2 : 1;
      push(Token::Kind::dotted, from, at_);
      return true;
    }
    if (c == '"') return string();
    static constexpr std::array<std::string_view, 8> doubles = {
        "<<", ">>", "<=", ">=", "==", "!=", "&&", "||"};
    for (std::string_view two : doubles)
      if (text_.substr(at_, 2) == two) {
        at_ += 2;
        push(Token::Kind::punctuation, from, at_);
        return true;
      }
    if (std::string_view("{}[]()<>,;:@!|+-*/%&^~?=").find(c) == std::string_view::npos) return false;
    ++at_;
    push(Token::Kind::punctuation, from, at_);
    return true;
  }

  void number() {
    const bool prefixed =
        text_[at_] == '0' && std::string_view("xXfFdDbB").find(peek(1)) != std::string_view::npos;
    while (true) {
      const char c = peek();
      const bool exponent_sign = !prefixed && (c == '+' || c == '-') &&
                                 (text_[at_ - 1] == 'e' || text_[at_ - 1] == 'E') && is_digit(peek(1));
      if (is_word(c) || (!prefixed && c == '.' && is_digit(peek(1))) || exponent_sign)
        ++at_;
      else if (!prefixed && c == '.' && !is_word(peek(1)))
        ++at_;  // "1."
      else
        break;
    }
  }

  bool string() {
    std::size_t end = at_ + 1;
    while (end < text_.size() && text_[end] != '"' && text_[end] != '\n') end += text_[end] == '\\' ? 2 : 1;
    if (end >= text_.size() || text_[end] != '"') return false;
    push(Token::Kind::string, at_ + 1, end);
    at_ = end + 1;
    return true;
  }

  std::string_view text_, name_;
  std::size_t at_ = 0, line_start_ = 0;
  std::uint32_t line_ = 1;
  std::vector<Token> tokens_;
};

}  // namespace

Result<std::vector<Token>> tokenize(std::string_view text, std::string_view name) {
  return Lexer(text, name).run();
}

}  // namespace wanren::ptx
