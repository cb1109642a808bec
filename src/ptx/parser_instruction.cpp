// Instructions and their operands. PTX ISA 4.3, 6.

#include <fmt/format.h>

#include <bit>
#include <unordered_map>

#include "ptx/modifiers.h"
#include "ptx/parser.h"

namespace wanren::ptx {
namespace {

constexpr int depth_limit = 200;

const std::unordered_map<std::string_view, SpecialRegister>& special_registers() {
  static const auto* map = new std::unordered_map<std::string_view, SpecialRegister>{
#define WR_SPECIAL(id, text, type) {text, SpecialRegister::id},
#include "ptx/special_registers.def"
#undef WR_SPECIAL
  };
  return *map;
}

bool is_component(std::string_view word) {
  return word == ".x" || word == ".y" || word == ".z" || word == ".w";
}

/// .b0-.b3 and .h0, .h1 select a part of a video instruction's operand.
bool is_selector(std::string_view word) {
  return word.size() >= 3 && word.size() <= 6 && (word[1] == 'b' || word[1] == 'h') && word[2] >= '0' &&
         word[2] <= '7';
}

Type operand_type(const Modifiers& mods) {
  for (std::size_t i = mods.types.size(); i-- > 0;)
    if (mods.types[i] != Type::none) return mods.types[i];
  return Type::none;
}

}  // namespace

bool Parser::instruction() {
  Statement statement{Statement::Kind::instruction, {}, {}, {}, false};
  Instruction& into = statement.instruction;
  statement_names_.clear();
  if (accept("@")) {
    into.guard_negated = accept("!");
    const Token guard = take();
    const Entity* entity = guard.kind == Token::Kind::identifier ? lookup(guard.text) : nullptr;
    if (!entity || entity->kind != Entity::Kind::reg)
      return error(guard, fmt::format("expected a predicate register, found {}", show(guard)),
                   nearest_register(guard.text));
    if (function_->registers[entity->reg].type != Type::pred)
      return error(guard, fmt::format("{} guards an instruction but is not a predicate", show(guard)));
    into.guard = entity->reg;
  }
  into.location = location(peek());
  if (!opcode(into)) return false;
  if (!(into.opcode == Opcode::call ? call(into) : operands(into))) return false;
  for (const Token& token : statement_names_) scopes_.back().open.push_back({function_->body.size(), token});
  function_->body.push_back(std::move(statement));
  return true;
}

bool Parser::opcode(Instruction& into) {
  const Token token = peek();
  if (token.kind != Token::Kind::identifier)
    return error(token, fmt::format("expected an instruction, found {}", show(token)));
  std::string_view following[3] = {};
  for (std::size_t i = 0; i < 3 && peek(i + 1).kind == Token::Kind::dotted; ++i)
    following[i] = peek(i + 1).text;
  const OpcodeMatch match = match_opcode(token.text, following[0], following[1], following[2]);
  if (match.words == 0)
    return error(token, fmt::format("unknown instruction {}", show(token)), nearest_opcode(token.text));
  into.opcode = match.opcode;
  return modifiers(into, match.words);
}

bool Parser::modifiers(Instruction& into, int first_words) {
  const Token mnemonic = peek();
  for (int i = 0; i < first_words; ++i) take();
  const bool raw = flags(into.opcode) & not_executed;
  ModifierReader reader(into.opcode, into.mods);
  while (peek().kind == Token::Kind::dotted) {
    const Token token = take();
    if (raw) {
      into.raw_modifiers += token.text;
      continue;
    }
    switch (reader.take(token.text.substr(1))) {
      case ModifierReader::Outcome::taken: break;
      case ModifierReader::Outcome::unknown:
        return error(token, fmt::format("'{}' has no modifier {}", name(into.opcode), show(token)),
                     reader.nearest(token.text.substr(1)));
      case ModifierReader::Outcome::repeated:
        return error(token, fmt::format("modifier {} contradicts an earlier one", show(token)));
    }
  }
  if (!raw && !reader.finish())
    return error(mnemonic,
                 fmt::format("'{}' needs .sync, .arrive or .red with .popc, .and or .or", name(into.opcode)));
  return true;
}

bool Parser::operands(Instruction& into) {
  const Barrier barrier = into.mods.barrier;
  bool destination = (flags(into.opcode) & has_destination) || barrier == Barrier::red_popc ||
                     barrier == Barrier::red_and || barrier == Barrier::red_or;
  if (!peek().is(";")) {
    do {
      const Token at = peek();
      Operand value;
      if (!operand(value) || !fit_floats(into, value, at)) return false;
      // mbarrier.init and its like have an address in the destination's place.
      const bool is_destination = destination && value.kind != Operand::Kind::address;
      destination = false;
      (is_destination ? into.destinations : into.sources).push_back(std::move(value));
    } while (accept(","));
  }
  if (into.opcode == Opcode::cp_async) {
    if (into.sources.size() < 3 || into.sources[2].kind != Operand::Kind::integer ||
        (into.sources[2].bits != 4 && into.sources[2].bits != 8 && into.sources[2].bits != 16))
      return error(peek(), "cp.async copies 4, 8 or 16 bytes", "give the count as third operand");
    into.mods.copy_bytes = static_cast<std::uint8_t>(into.sources[2].bits);
  }
  return expect(";");
}

bool Parser::call(Instruction& into) {
  const auto list = [&](std::vector<Operand>& operands) {
    if (accept(")")) return true;
    do {
      Operand value;
      if (!operand(value)) return false;
      operands.push_back(std::move(value));
    } while (accept(","));
    return expect(")");
  };
  if (accept("(") && !(list(into.destinations) && expect(","))) return false;
  const Token callee = peek();
  Operand value;
  if (!operand(value)) return false;
  if (value.kind != Operand::Kind::symbol && value.kind != Operand::Kind::reg)
    return error(callee, fmt::format("expected a function, found {}", show(callee)));
  into.sources.push_back(std::move(value));
  if (accept(",")) {
    if (accept("(")) {
      if (!list(into.sources)) return false;
      if (accept(",")) {
        Operand prototype;
        const Token at = peek();
        if (!operand(prototype)) return false;
        if (prototype.kind != Operand::Kind::symbol)
          return error(at, fmt::format("expected a .callprototype or .calltargets, found {}", show(at)));
        into.prototype = prototype.symbol;
      }
    } else {
      Operand prototype;
      if (!operand(prototype)) return false;
      into.prototype = prototype.symbol;
    }
  }
  return expect(";");
}

bool Parser::operand(Operand& into) {
  if (!simple_operand(into)) return false;
  const bool pairs = into.kind == Operand::Kind::reg || into.kind == Operand::Kind::sink;
  if (!pairs || !accept("|")) return true;
  Operand pair;
  pair.kind = Operand::Kind::vector;
  pair.is_pair = true;
  pair.elements.push_back(std::move(into));
  Operand second;
  if (!simple_operand(second)) return false;
  pair.elements.push_back(std::move(second));
  into = std::move(pair);
  return true;
}

bool Parser::simple_operand(Operand& into) {
  const Token token = peek();
  if (++depth_ > depth_limit) return error(token, "operand nested too deeply");
  bool good = true;
  if (accept("{")) {
    into.kind = Operand::Kind::vector;
    if (!accept("}")) {
      do {
        Operand element;
        if (!simple_operand(element)) return false;
        into.elements.push_back(std::move(element));
      } while (accept(","));
      good = expect("}");
    }
  } else if (token.is("[")) {
    good = address(into);
  } else if (token.kind == Token::Kind::identifier && token.text != "WARP_SZ") {
    good = name_operand(into);
  } else if (token.is("!") && peek(1).kind == Token::Kind::identifier && peek(1).text != "WARP_SZ") {
    take();
    good = name_operand(into);
    into.negated = true;
    if (good && into.kind != Operand::Kind::reg)
      good = error(token, "'!' stands before a predicate register");
  } else {
    Constant constant;
    good = expression(constant);
    into.kind = constant.floating ? Operand::Kind::floating : Operand::Kind::integer;
    into.is_double = constant.is_double;
    into.bits = constant.bits;
  }
  --depth_;
  return good;
}

bool Parser::name_operand(Operand& into) {
  const Token token = take();
  if (token.text == "_") {
    into.kind = Operand::Kind::sink;
    return true;
  }
  if (const Entity* entity = lookup(token.text)) {
    if (entity->kind == Entity::Kind::reg) {
      into.kind = Operand::Kind::reg;
      into.reg = entity->reg;
      if (peek().kind == Token::Kind::dotted) {
        const Token part = take();
        if (!is_selector(part.text))
          return error(part, fmt::format("register {} has no component {}", show(token), show(part)));
        into.symbol = part.text.substr(1);
      }
      return true;
    }
    into.kind = Operand::Kind::symbol;
    into.symbol = entity->name;
    return offset(into.bits);
  }
  if (token.text.starts_with("%")) {
    std::string name(token.text);
    if (peek().kind == Token::Kind::dotted && is_component(peek().text)) name += take().text;
    const auto found = special_registers().find(name);
    if (found == special_registers().end())
      return error(token, fmt::format("unknown register '{}'", name), nearest_register(name));
    into.kind = Operand::Kind::special;
    into.special = found->second;
    return true;
  }
  statement_names_.push_back(token);
  into.kind = Operand::Kind::symbol;
  into.symbol = token.text;
  return offset(into.bits);
}

/// Any number of "+ n" and "- n".
bool Parser::offset(std::uint64_t& bits) {
  while (peek().is("+") || peek().is("-")) {
    const Token sign = take();
    const Token at = peek();
    if (at.kind == Token::Kind::identifier && at.text != "WARP_SZ")
      return error(at, fmt::format("only a constant may be added to an address, found {}", show(at)),
                   "add the register with an instruction of its own");
    Constant constant;
    if (!expression(constant, 9)) return false;
    if (constant.floating) return error(at, "an offset is a whole number");
    bits += sign.is("-") ? 0 - constant.bits : constant.bits;
  }
  return true;
}

bool Parser::address(Operand& into) {
  take();  // '['
  Operand base;
  const Token token = peek();
  if (token.kind == Token::Kind::identifier && token.text != "WARP_SZ") {
    if (!name_operand(base)) return false;
  } else {
    Constant constant;
    if (!expression(constant)) return false;
    if (constant.floating) return error(token, "an address is a whole number");
    base.kind = Operand::Kind::integer;
    base.bits = constant.bits;
  }
  if (base.kind != Operand::Kind::reg && base.kind != Operand::Kind::symbol &&
      base.kind != Operand::Kind::integer)
    return error(token, fmt::format("{} is no address", show(token)));
  into.kind = Operand::Kind::address;
  into.has_reg = base.kind == Operand::Kind::reg;
  into.reg = base.reg;
  into.symbol = std::move(base.symbol);
  into.bits = base.bits;
  if (!offset(into.bits)) return false;
  while (accept(",")) {
    Operand element;
    if (!simple_operand(element)) return false;
    into.elements.push_back(std::move(element));
  }
  return expect("]");
}

/// Literals take the width of the instruction's operand type.
bool Parser::fit_floats(Instruction& into, Operand& operand, const Token& at) {
  if (flags(into.opcode) & not_executed) return true;
  for (Operand& element : operand.elements)
    if (!fit_floats(into, element, at)) return false;
  if (operand.kind != Operand::Kind::floating) return true;
  // slct's second type is that of its selector; a policy of 64 bits has an f32 fraction.
  const Type type = into.opcode == Opcode::slct           ? into.mods.types[0]
                    : into.opcode == Opcode::createpolicy ? Type::f32
                                                          : operand_type(into.mods);
  const int width = bits(type);
  if (width == 32 && operand.is_double && type != Type::f16x2 && type != Type::bf16x2) {
    operand.bits = std::bit_cast<std::uint32_t>(static_cast<float>(std::bit_cast<double>(operand.bits)));
    operand.is_double = false;
  } else if (width == 64 && !operand.is_double) {
    operand.bits = std::bit_cast<std::uint64_t>(
        static_cast<double>(std::bit_cast<float>(static_cast<std::uint32_t>(operand.bits))));
    operand.is_double = true;
  } else if (width != 32 && width != 64) {
    return error(at, fmt::format("a floating-point literal does not fit type .{}", name(type)),
                 "write the hexadecimal pattern");
  }
  return true;
}

}  // namespace wanren::ptx
