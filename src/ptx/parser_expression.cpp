// Constant expressions. PTX ISA 4.5.

#include <fmt/format.h>

#include <bit>
#include <charconv>
#include <cstdlib>
#include <string>

#include "ptx/parser.h"

namespace wanren::ptx {
namespace {

constexpr int depth_limit = 200;

struct Binary {
  std::string_view text;
  int precedence;
};
constexpr Binary binaries[] = {{"||", 1}, {"&&", 2}, {"|", 3},  {"^", 4},  {"&", 5},  {"==", 6},
                               {"!=", 6}, {"<", 7},  {"<=", 7}, {">", 7},  {">=", 7}, {"<<", 8},
                               {">>", 8}, {"+", 9},  {"-", 9},  {"*", 10}, {"/", 10}, {"%", 10}};

int precedence_of(const Token& token) {
  if (token.kind != Token::Kind::punctuation) return 0;
  for (const Binary& binary : binaries)
    if (binary.text == token.text) return binary.precedence;
  return 0;
}

}  // namespace

bool Parser::unsigned_value(std::uint64_t& into, std::string_view what, std::uint64_t limit) {
  const Token token = peek();
  Constant constant;
  if (token.kind != Token::Kind::number || !number(take(), constant) || constant.floating ||
      constant.bits > limit)
    return error(token, fmt::format("expected {}, found {}", what, show(token)));
  into = constant.bits;
  return true;
}

bool Parser::number(const Token& token, Constant& into) {
  std::string_view text = token.text;
  const auto bad = [&] { return error(token, fmt::format("malformed number {}", show(token))); };
  const auto read = [&](std::string_view digits, int base, std::uint64_t& value) {
    const auto result = std::from_chars(digits.data(), digits.data() + digits.size(), value, base);
    return result.ec == std::errc{} && result.ptr == digits.data() + digits.size();
  };
  into = {};
  if (text.size() > 2 && text[0] == '0' && (text[1] | 32) == 'f' && text.size() == 10) {
    into.floating = true;
    return read(text.substr(2), 16, into.bits) || bad();
  }
  if (text.size() > 2 && text[0] == '0' && (text[1] | 32) == 'd' && text.size() == 18) {
    into.floating = into.is_double = true;
    return read(text.substr(2), 16, into.bits) || bad();
  }
  if (text.size() > 1 && text[0] == '0' && ((text[1] | 32) == 'f' || (text[1] | 32) == 'd'))
    return error(token, fmt::format("malformed number {}", show(token)),
                 "0f takes 8 hexadecimal digits, 0d takes 16");
  const bool hex = text.size() > 2 && text[0] == '0' && (text[1] | 32) == 'x';
  if (!hex && text.find_first_of(".eE") != std::string_view::npos) {
    const std::string copy(text);
    char* end = nullptr;
    into.floating = into.is_double = true;
    into.bits = std::bit_cast<std::uint64_t>(std::strtod(copy.c_str(), &end));
    return *end == '\0' || bad();
  }
  if (text.back() == 'U' || text.back() == 'u') {
    into.is_unsigned = true;
    text.remove_suffix(1);
  }
  bool good = false;
  if (hex)
    good = read(text.substr(2), 16, into.bits);
  else if (text.size() > 2 && text[0] == '0' && (text[1] | 32) == 'b')
    good = read(text.substr(2), 2, into.bits);
  else if (text.size() > 1 && text[0] == '0')
    good = read(text.substr(1), 8, into.bits);
  else
    good = read(text, 10, into.bits);
  if (into.bits >> 63) into.is_unsigned = true;
  return good || bad();
}

bool Parser::unary(Constant& into) {
  const Token token = take();
  if (token.kind == Token::Kind::number) return number(token, into);
  if (token.kind == Token::Kind::identifier && token.text == "WARP_SZ") {
    into = {};
    into.bits = 32;
    return true;
  }
  if (++depth_ > depth_limit) return error(token, "expression nested too deeply");
  bool good = false;
  if (token.is("-")) {
    good = unary(into);
    if (into.floating)
      into.bits ^= into.is_double ? std::uint64_t{1} << 63 : std::uint64_t{1} << 31;
    else
      into.bits = 0 - into.bits;
  } else if (token.is("+")) {
    good = unary(into);
  } else if (token.is("~") || token.is("!")) {
    good = unary(into) && (!into.floating || error(token, "integer operator on a floating-point number"));
    into.bits = token.is("~") ? ~into.bits : std::uint64_t{into.bits == 0};
  } else if (token.is("(")) {
    if (peek().is_dotted(".s64") || peek().is_dotted(".u64")) {
      const bool to_unsigned = take().text == ".u64";
      good = expect(")") && unary(into) &&
             (!into.floating || error(token, "integer cast of a floating-point number"));
      into.is_unsigned = to_unsigned;
    } else {
      good = expression(into) && expect(")");
    }
  } else {
    good = error(token, fmt::format("expected a number, found {}", show(token)));
  }
  --depth_;
  return good;
}

bool Parser::expression(Constant& into, int precedence) {
  if (!unary(into)) return false;
  while (true) {
    const Token op = peek();
    const int level = precedence_of(op);
    if (level == 0 || level <= precedence) break;
    take();
    Constant right;
    if (++depth_ > depth_limit) return error(op, "expression nested too deeply");
    if (!expression(right, level)) return false;
    --depth_;
    if (into.floating || right.floating) return error(op, "constant expressions are integer expressions");
    const std::uint64_t a = into.bits, b = right.bits;
    const auto sa = static_cast<std::int64_t>(a), sb = static_cast<std::int64_t>(b);
    const bool u = into.is_unsigned || right.is_unsigned;
    const std::string_view t = op.text;
    std::uint64_t value = 0;
    if (t == "||")
      value = a || b;
    else if (t == "&&")
      value = a && b;
    else if (t == "|")
      value = a | b;
    else if (t == "^")
      value = a ^ b;
    else if (t == "&")
      value = a & b;
    else if (t == "==")
      value = a == b;
    else if (t == "!=")
      value = a != b;
    else if (t == "<")
      value = u ? a < b : sa < sb;
    else if (t == "<=")
      value = u ? a <= b : sa <= sb;
    else if (t == ">")
      value = u ? a > b : sa > sb;
    else if (t == ">=")
      value = u ? a >= b : sa >= sb;
    else if (t == "<<")
      value = b > 63 ? 0 : a << b;
    else if (t == ">>")
      value = into.is_unsigned ? (b > 63 ? 0 : a >> b) : static_cast<std::uint64_t>(sa >> (b > 63 ? 63 : b));
    else if (t == "+")
      value = a + b;
    else if (t == "-")
      value = a - b;
    else if (t == "*")
      value = a * b;
    else if (b == 0)
      return error(op, "division by zero in a constant expression");
    else if (u)
      value = t == "/" ? a / b : a % b;
    else if (sb == -1)
      value = t == "/" ? 0 - a : 0;
    else
      value = static_cast<std::uint64_t>(t == "/" ? sa / sb : sa % sb);
    const bool shift = level == 8;
    into = {false, false, shift ? into.is_unsigned : (level >= 3 && level != 6 && level != 7 && u), value};
  }
  if (precedence == 0 && accept("?")) {
    Constant yes, no;
    if (++depth_ > depth_limit) return error(peek(), "expression nested too deeply");
    if (!expression(yes) || !expect(":") || !expression(no)) return false;
    --depth_;
    into = into.bits ? yes : no;
  }
  return true;
}

}  // namespace wanren::ptx
