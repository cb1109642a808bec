// The vocabularies of types.h and the .def files, as text.

#include <array>

#include "ptx/cost.h"
#include "ptx/module.h"

namespace wanren::ptx {
namespace {

struct TypeInfo {
  std::string_view name;
  int bits;
  char kind;  ///< f(loat), s(igned), u(ntyped or unsigned)
};

// In the order of enum Type.
constexpr std::array<TypeInfo, 32> types = {{
    {"none", 0, 'u'},    {"pred", 1, 'u'},    {"b8", 8, 'u'},    {"b16", 16, 'u'},    {"b32", 32, 'u'},
    {"b64", 64, 'u'},    {"b128", 128, 'u'},  {"u8", 8, 'u'},    {"u16", 16, 'u'},    {"u32", 32, 'u'},
    {"u64", 64, 'u'},    {"s8", 8, 's'},      {"s16", 16, 's'},  {"s32", 32, 's'},    {"s64", 64, 's'},
    {"f16", 16, 'f'},    {"f16x2", 32, 'f'},  {"bf16", 16, 'f'}, {"bf16x2", 32, 'f'}, {"tf32", 32, 'f'},
    {"f32", 32, 'f'},    {"f32x2", 64, 'f'},  {"f64", 64, 'f'},  {"e4m3", 8, 'f'},    {"e5m2", 8, 'f'},
    {"e4m3x2", 16, 'f'}, {"e5m2x2", 16, 'f'}, {"s4", 4, 's'},    {"u4", 4, 'u'},      {"b1", 1, 'u'},
    {"u16x2", 32, 'u'},  {"s16x2", 32, 's'},
}};
static_assert(types.size() == static_cast<std::size_t>(Type::s16x2) + 1);

const TypeInfo& info(Type type) {
  return types[static_cast<std::size_t>(type)];
}

}  // namespace

int bits(Type type) {
  return info(type).bits;
}
bool is_float(Type type) {
  return info(type).kind == 'f';
}
bool is_signed(Type type) {
  return info(type).kind == 's';
}
std::string_view name(Type type) {
  return info(type).name;
}

std::string_view name(Opcode opcode) {
  static constexpr std::string_view names[] = {
#define WR_OPCODE(id, text, flags, modifiers, cost) text,
#include "ptx/opcodes.def"
#undef WR_OPCODE
  };
  return names[static_cast<std::size_t>(opcode)];
}

std::uint8_t flags(Opcode opcode) {
  constexpr std::uint8_t D = has_destination, M = accesses_memory, S = may_suspend, X = not_executed,
                         C = control_flow, P = collective;
  static constexpr std::uint8_t table[] = {
#define WR_OPCODE(id, text, flags, modifiers, cost) flags,
#include "ptx/opcodes.def"
#undef WR_OPCODE
  };
  return table[static_cast<std::size_t>(opcode)];
}

Cost cost(Opcode opcode) {
  constexpr Cost own;
  constexpr auto alu = [](std::uint8_t count) { return Cost{Cost::Kind::alu, count}; };
  constexpr auto mul = [](std::uint8_t count) { return Cost{Cost::Kind::mul, count}; };
  static constexpr Cost table[] = {
#define WR_OPCODE(id, text, flags, modifiers, cost) cost,
#include "ptx/opcodes.def"
#undef WR_OPCODE
  };
  return table[static_cast<std::size_t>(opcode)];
}

std::string_view name(SpecialRegister reg) {
  static constexpr std::string_view names[] = {
#define WR_SPECIAL(id, text, type) text,
#include "ptx/special_registers.def"
#undef WR_SPECIAL
  };
  return names[static_cast<std::size_t>(reg)];
}

Type type(SpecialRegister reg) {
  static constexpr Type table[] = {
#define WR_SPECIAL(id, text, type) Type::type,
#include "ptx/special_registers.def"
#undef WR_SPECIAL
  };
  return table[static_cast<std::size_t>(reg)];
}

}  // namespace wanren::ptx
