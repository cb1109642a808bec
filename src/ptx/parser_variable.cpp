// Variables, parameters and their initial values. PTX ISA 5.4.

#include <fmt/format.h>

#include <algorithm>
#include <bit>

#include "ptx/modifiers.h"
#include "ptx/parser.h"
#include "ptx/spelling.h"

namespace wanren::ptx {
namespace {

constexpr std::uint64_t size_limit = std::uint64_t{1} << 40;
// Initial values occupy memory while the module is loaded.
constexpr std::uint64_t initial_limit = std::uint64_t{1} << 32;

std::uint64_t element_bytes(Type type) {
  return static_cast<std::uint64_t>(bits(type) + 7) / 8;
}

}  // namespace

bool Parser::attributes_and_type(Variable& variable) {
  bool pointer = false;
  while (peek().kind == Token::Kind::dotted) {
    const Token token = take();
    const std::string_view text = token.text;
    if (text == ".align") {
      std::uint64_t align = 0;
      const Token at = peek();
      if (!unsigned_value(align, "an alignment", 1u << 20)) return false;
      if (!std::has_single_bit(align)) return error(at, "an alignment is a power of two");
      // .ptr .align speaks of what the pointer points to.
      if (!pointer) variable.align = static_cast<std::uint32_t>(align);
    } else if (text == ".ptr") {
      pointer = true;
    } else if (pointer && (text == ".global" || text == ".const" || text == ".shared" || text == ".local")) {
      continue;
    } else if (text == ".v2" || text == ".v4" || text == ".v8") {
      variable.vector = static_cast<std::uint8_t>(text[2] - '0');
    } else if (text == ".attribute") {
      if (!expect("(")) return false;
      while (!accept(")")) {
        const Token word = take();
        if (word.kind == Token::Kind::end) return error(token, "'(' is never closed");
        if (word.is_dotted(".managed")) variable.is_managed = true;
      }
    } else if (text == ".texref" || text == ".samplerref" || text == ".surfref") {
      variable.opaque = text == ".texref"    ? Opaque::texref
                        : text == ".surfref" ? Opaque::surfref
                                             : Opaque::samplerref;
      variable.type = Type::b64;
    } else if (const Type type = type_from(text.substr(1)); type != Type::none) {
      if (type == Type::pred && variable.space != Space::reg)
        return error(token, "a predicate lives in a register only");
      variable.type = type;
    } else {
      static constexpr std::string_view known[] = {
          ".align", ".ptr", ".v2",  ".v4",  ".attribute", ".texref", ".samplerref", ".surfref", ".b8",
          ".b16",   ".b32", ".b64", ".u8",  ".u16",       ".u32",    ".u64",        ".s8",      ".s16",
          ".s32",   ".s64", ".f16", ".f32", ".f64",       ".b128",   ".f16x2"};
      return error(token, fmt::format("unknown word {} in a declaration", show(token)),
                   did_you_mean(text, known));
    }
  }
  return true;
}

bool Parser::dimensions(std::vector<std::uint64_t>& dims) {
  while (accept("[")) {
    if (accept("]")) {
      if (!dims.empty()) return error(peek(), "only the first dimension may be left out");
      dims.push_back(0);
      continue;
    }
    const Token at = peek();
    Constant count;
    if (!expression(count)) return false;
    if (count.floating || count.bits >= size_limit)
      return error(at, "an array bound is a whole number below 2^40");
    dims.push_back(count.bits);
    if (!expect("]")) return false;
  }
  return true;
}

bool Parser::parameter(Variable& variable) {
  const Token first = take();
  if (first.is_dotted(".param"))
    variable.space = Space::param;
  else if (first.is_dotted(".reg"))
    variable.space = Space::reg;
  else
    return error(first, fmt::format("expected .param or .reg, found {}", show(first)));
  if (!attributes_and_type(variable)) return false;
  const Token name = take();
  if (name.kind != Token::Kind::identifier)
    return error(name, fmt::format("expected a parameter's name, found {}", show(name)));
  variable.name = name.text;
  variable.location = location(name);
  std::vector<std::uint64_t> dims;
  if (!dimensions(dims)) return false;
  for (std::uint64_t dim : dims) {
    variable.count = dim == 0 ? 0 : variable.count * dim;
    if (variable.count * element_bytes(variable.type) > (1u << 20))
      return error(name, "parameter is too large");
  }
  return true;
}

bool Parser::parameters(std::vector<Variable>& into) {
  if (!expect("(")) return false;
  if (accept(")")) return true;
  do {
    Variable variable;
    if (!parameter(variable)) return false;
    into.push_back(std::move(variable));
  } while (accept(","));
  return expect(")");
}

bool Parser::variables(Space space, Linkage linkage, std::vector<Variable>& into, bool local) {
  Variable shape;
  shape.space = space;
  shape.is_extern = linkage.is_extern;
  shape.is_visible = linkage.is_visible;
  shape.is_weak = linkage.is_weak;
  shape.is_common = linkage.is_common;
  if (space == Space::tex) shape.opaque = Opaque::texref;
  if (!attributes_and_type(shape)) return false;
  do {
    Variable variable = shape;
    const Token name = take();
    if (name.kind != Token::Kind::identifier)
      return error(name, fmt::format("expected a variable's name, found {}", show(name)));
    variable.location = location(name);
    std::vector<std::uint64_t> dims;
    if (!dimensions(dims)) return false;
    const bool open = !dims.empty() && dims[0] == 0;
    std::uint64_t inner = variable.vector * element_bytes(variable.type);
    for (std::size_t i = open ? 1 : 0; i < dims.size(); ++i) {
      if (dims[i] != 0 && inner > size_limit / dims[i])
        return error(name, "variable is larger than 2^40 bytes");
      inner *= dims[i];
    }
    if (accept("=")) {
      if (variable.opaque != Opaque::none) {
        if (!skip_braces()) return false;
      } else {
        std::uint64_t produced = 0;
        std::vector<std::uint64_t> nest = dims;
        if (variable.vector > 1) nest.push_back(variable.vector);
        if (!initial(variable, nest, 0, 0, produced)) return false;
        if (open) dims[0] = produced;
      }
    }
    variable.count = 1;
    for (std::uint64_t dim : dims) variable.count *= dim;
    if (local) {
      Scope& scope = scopes_.back();
      const auto [entry, fresh] = scope.names.try_emplace(name.text, Entity{Entity::Kind::variable, 0, {}});
      if (!fresh) return error(name, fmt::format("{} is declared twice in this scope", show(name)));
      variable.name = entry->second.name = unique_name(name.text);
      into.push_back(std::move(variable));
      continue;
    }
    variable.name = name.text;
    if (module_functions_.contains(variable.name))
      return error(name, fmt::format("{} is a function already", show(name)));
    const auto [entry, fresh] = module_variables_.try_emplace(variable.name, into.size());
    if (fresh) {
      into.push_back(std::move(variable));
      continue;
    }
    Variable& before = into[entry->second];
    if (!before.is_extern && !variable.is_extern && !before.is_weak && !variable.is_weak && !before.is_common)
      return error(name, fmt::format("{} is defined twice", show(name)),
                   fmt::format("the first definition is in line {}", before.location.ptx_line));
    if (before.is_extern) before = std::move(variable);
  } while (accept(","));
  return expect(";");
}

/// `dims` from `depth` on describe what stands here; `produced` is how many elements were given.
bool Parser::initial(Variable& variable, const std::vector<std::uint64_t>& dims, std::size_t depth,
                     std::uint64_t offset, std::uint64_t& produced) {
  if (depth >= dims.size()) {
    produced = 1;
    return initial_scalar(variable, offset);
  }
  const Token open = peek();
  if (!expect("{")) return false;
  std::uint64_t stride = element_bytes(variable.type);
  for (std::size_t i = depth + 1; i < dims.size(); ++i) stride *= dims[i];
  // A flat list may fill a nested array.
  std::uint64_t flat = 1;
  for (std::size_t i = depth; i < dims.size(); ++i) flat *= dims[i];
  const bool unbounded = depth == 0 && dims[0] == 0;
  bool first = true, nested = false;
  std::uint64_t count = 0;
  while (!accept("}")) {
    if (!first && !expect(",")) return false;
    if (!first && accept("}")) break;
    if (first) nested = peek().is("{");
    first = false;
    const bool deeper = nested && depth + 1 < dims.size();
    const std::uint64_t limit = deeper || depth + 1 == dims.size() ? dims[depth] : flat;
    if (!unbounded && count >= limit) return error(peek(), fmt::format("more than {} initial values", limit));
    std::uint64_t ignored = 0;
    if (deeper) {
      if (!initial(variable, dims, depth + 1, offset + count * stride, ignored)) return false;
    } else if (!initial_scalar(variable, offset + count * element_bytes(variable.type))) {
      return false;
    }
    ++count;
    if (offset + count * stride > initial_limit) return error(open, "more than 2^32 bytes of initial values");
  }
  if (unbounded && !nested && dims.size() > 1) {
    std::uint64_t inner = 1;
    for (std::size_t i = 1; i < dims.size(); ++i) inner *= dims[i];
    if (inner) count = (count + inner - 1) / inner;
  }
  produced = count;
  return true;
}

bool Parser::initial_scalar(Variable& variable, std::uint64_t offset) {
  const Token token = peek();
  const std::uint64_t size = element_bytes(variable.type);
  if (token.kind == Token::Kind::identifier && token.text != "WARP_SZ")
    return initial_address(variable, offset, ~std::uint64_t{0});
  // mask(symbol): one byte of an address, for packed structures.
  if (token.kind == Token::Kind::number && peek(1).is("(")) {
    Constant mask;
    if (!number(take(), mask) || !expect("(")) return false;
    return initial_address(variable, offset, mask.bits) && expect(")");
  }
  Constant value;
  if (!expression(value)) return false;
  std::uint64_t pattern = value.bits;
  if (variable.type == Type::f32) {
    if (!value.floating)
      pattern = std::bit_cast<std::uint32_t>(static_cast<float>(static_cast<std::int64_t>(value.bits)));
    else if (value.is_double)
      pattern = std::bit_cast<std::uint32_t>(static_cast<float>(std::bit_cast<double>(value.bits)));
  } else if (variable.type == Type::f64) {
    if (!value.floating)
      pattern = std::bit_cast<std::uint64_t>(static_cast<double>(static_cast<std::int64_t>(value.bits)));
    else if (!value.is_double)
      pattern = std::bit_cast<std::uint64_t>(
          static_cast<double>(std::bit_cast<float>(static_cast<std::uint32_t>(value.bits))));
  } else if (value.floating && is_float(variable.type)) {
    return error(token, fmt::format("initial values of type {} are written as bits", name(variable.type)),
                 "write the hexadecimal pattern");
  } else if (value.floating && (value.is_double ? 8u : 4u) != size) {
    return error(token, fmt::format("{} does not fit type .{}", show(token), name(variable.type)));
  }
  if (offset + size > initial_limit) return error(token, "more than 2^32 bytes of initial values");
  // Zeros at the end need no bytes.
  if (pattern == 0 && offset >= variable.initial.size()) return true;
  if (variable.initial.size() < offset + size) variable.initial.resize(offset + size);
  for (std::uint64_t i = 0; i < std::min<std::uint64_t>(size, 8); ++i)
    variable.initial[offset + i] = static_cast<std::uint8_t>(pattern >> (8 * i));
  return true;
}

/// sym, sym+4, generic(sym)+4, under a mask that selects all of the address or one byte of it.
bool Parser::initial_address(Variable& variable, std::uint64_t offset, std::uint64_t mask) {
  Token token = take();
  Variable::Relocation relocation{offset, {}, 0, false};
  if (token.text == "generic" && accept("(")) {
    token = take();
    relocation.generic = true;
  }
  if (token.kind != Token::Kind::identifier)
    return error(token, fmt::format("expected a symbol, found {}", show(token)));
  std::uint64_t addend = 0;
  if (!this->offset(addend)) return false;
  if (relocation.generic && (!expect(")") || !this->offset(addend))) return false;
  relocation.symbol = token.text;
  relocation.addend = static_cast<std::int64_t>(addend);
  unresolved_.push_back(token);
  const std::uint64_t size = element_bytes(variable.type);
  if (mask == ~std::uint64_t{0}) {
    if (size != 8)
      return error(token,
                   fmt::format("the address of {} needs 8 bytes, the element has {}", show(token), size),
                   "declare the variable .u64");
    variable.relocations.push_back(std::move(relocation));
    return true;
  }
  // Byte i of an address stands i bytes after byte 0; byte 0 carries the relocation.
  const int shift = std::countr_zero(mask);
  if (shift % 8 != 0 || mask >> shift != 0xff || size != 1)
    return error(token, "a mask selects one byte of an address in an array of bytes");
  if (shift == 0) {
    variable.relocations.push_back(std::move(relocation));
    return true;
  }
  const std::uint64_t start = offset - static_cast<std::uint64_t>(shift / 8);
  for (const auto& before : variable.relocations)
    if (before.offset == start && before.symbol == relocation.symbol && before.addend == relocation.addend)
      return true;
  return error(token,
               fmt::format("byte {} of the address of {} stands apart from byte 0", shift / 8, show(token)),
               "keep the bytes of an address together");
}

}  // namespace wanren::ptx
