// Video instructions, PTX ISA 9.7.17 and 9.7.18: parts of 32-bit operands as whole numbers, one or two or
// four at a time, and cvt.pack.

#include <algorithm>
#include <utility>

#include "interp/lane.h"

namespace wanren::interp {
namespace {

using ptx::Opcode;
using ptx::Type;
using simt::Inst;
using simt::Video;
using Number = __int128;

constexpr std::uint32_t low_mask(int bits) {
  return bits >= 32 ? ~0u : (1u << bits) - 1;
}

/// What the manual calls partSelectSignExtend.
Number part_of(std::uint64_t whole, int bits, int index, bool is_signed) {
  const std::uint64_t part = low_bits(whole >> (index * bits), bits);
  return is_signed ? static_cast<Number>(static_cast<std::int64_t>(sign_extend(part, bits)))
                   : static_cast<Number>(part);
}

Number clamped(Number x, int bits, bool is_signed) {
  const Number high = is_signed ? (Number{1} << (bits - 1)) - 1 : (Number{1} << bits) - 1;
  return std::clamp<Number>(x, is_signed ? -high - 1 : 0, high);
}

bool holds(ptx::Compare how, Number a, Number b) {
  switch (how) {
    case ptx::Compare::eq: return a == b;
    case ptx::Compare::ne: return a != b;
    case ptx::Compare::lt: return a < b;
    case ptx::Compare::le: return a <= b;
    case ptx::Compare::gt: return a > b;
    default: return a >= b;
  }
}

/// One result of the operations that come in all widths.
Number combine(const Inst& inst, Number a, Number b) {
  switch (inst.op) {
    case Opcode::vadd:
    case Opcode::vadd2:
    case Opcode::vadd4: return a + b;
    case Opcode::vsub:
    case Opcode::vsub2:
    case Opcode::vsub4: return a - b;
    case Opcode::vabsdiff:
    case Opcode::vabsdiff2:
    case Opcode::vabsdiff4: return a < b ? b - a : a - b;
    case Opcode::vmin:
    case Opcode::vmin2:
    case Opcode::vmin4: return std::min(a, b);
    case Opcode::vmax:
    case Opcode::vmax2:
    case Opcode::vmax4: return std::max(a, b);
    case Opcode::vavrg2:
    case Opcode::vavrg4: return a + b >= 0 ? (a + b + 1) >> 1 : (a + b) >> 1;
    case Opcode::vshl:
    case Opcode::vshr: {
      const ptx::ShiftMode mode = std::get<Video>(inst.payload).shift;
      const int by =
          mode == ptx::ShiftMode::wrap ? static_cast<int>(b & 31) : static_cast<int>(b > 31 ? 32 : b);
      return inst.op == Opcode::vshl ? a << by : a >> by;
    }
    default: return holds(std::get<Video>(inst.payload).compare, a, b) ? 1 : 0;  // vset
  }
}

void scalar(const Inst& inst, const std::uint64_t* s, std::uint64_t* d) {
  const auto& v = std::get<Video>(inst.payload);
  const bool set = inst.op == Opcode::vset;
  const Type result = set ? Type::u32 : inst.types[0], a = inst.types[set ? 0 : 1],
             b = inst.types[set ? 1 : 2];
  const bool is_signed = ptx::is_signed(result);
  Number t = combine(inst, part_of(s[0], v.a_bits, v.a[0], ptx::is_signed(a)),
                     part_of(s[1], v.b_bits, v.b[0], ptx::is_signed(b)));
  if (v.sat) t = clamped(t, v.d_bits, is_signed);
  if (v.secondary != ptx::AtomOp::none) {
    const Number x = part_of(static_cast<std::uint64_t>(t), 32, 0, is_signed),
                 c = part_of(s[2], 32, 0, is_signed);
    t = v.secondary == ptx::AtomOp::add   ? x + c
        : v.secondary == ptx::AtomOp::min ? std::min(x, c)
                                          : std::max(x, c);
  } else if (v.d_bits < 32) {
    const std::uint32_t mask = low_mask(v.d_bits) << (v.d_index * v.d_bits);
    d[0] = (static_cast<std::uint32_t>(t) << (v.d_index * v.d_bits) & mask) |
           (static_cast<std::uint32_t>(s[2]) & ~mask);
    return;
  }
  d[0] = static_cast<std::uint32_t>(t);
}

void multiply_add(const Inst& inst, const std::uint64_t* s, std::uint64_t* d) {
  const auto& v = std::get<Video>(inst.payload);
  const bool a = ptx::is_signed(inst.types[1]), b = ptx::is_signed(inst.types[2]);
  const bool is_signed = a || b;
  const Number product = part_of(s[0], v.a_bits, v.a[0], a) * part_of(s[1], v.b_bits, v.b[0], b);
  Number t = (product + part_of(s[2], 32, 0, is_signed) + (v.plus_one ? 1 : 0)) >> v.scale;
  if (v.sat) t = clamped(t, 32, is_signed);
  d[0] = static_cast<std::uint32_t>(t);
}

/// Two halves or four bytes; a part of either operand may come from both registers.
template <int count>
void simd(const Inst& inst, const std::uint64_t* s, std::uint64_t* d) {
  constexpr int bits = 32 / count;
  const auto& v = std::get<Video>(inst.payload);
  const bool set = inst.op == Opcode::vset2 || inst.op == Opcode::vset4;
  const Type result = set ? Type::u32 : inst.types[0], a = inst.types[set ? 0 : 1],
             b = inst.types[set ? 1 : 2];
  const std::uint64_t both = low_bits(s[0], 32) | s[1] << 32;
  std::uint32_t out = static_cast<std::uint32_t>(s[2]);
  for (int i = 0; i < count; ++i) {
    if ((v.mask >> i & 1) == 0) continue;
    Number t = combine(inst, part_of(both, bits, v.a[static_cast<std::size_t>(i)], ptx::is_signed(a)),
                       part_of(both, bits, v.b[static_cast<std::size_t>(i)], ptx::is_signed(b)));
    if (v.sat) t = clamped(t, bits, ptx::is_signed(result));
    if (v.secondary == ptx::AtomOp::add) {
      out += static_cast<std::uint32_t>(t);
    } else {
      const std::uint32_t mask = low_mask(bits) << (i * bits);
      out = (out & ~mask) | (static_cast<std::uint32_t>(t) << (i * bits) & mask);
    }
  }
  d[0] = out;
}

// Types: to, from and, where a third operand fills the upper part, its.
void pack(const Inst& inst, const std::uint64_t* s, std::uint64_t* d) {
  const int bits = ptx::bits(inst.types[0]);
  const bool is_signed = ptx::is_signed(inst.types[0]);
  const auto convert = [&](std::uint64_t x) {
    const auto value = static_cast<Number>(static_cast<std::int64_t>(read(x, inst.types[1])));
    return static_cast<std::uint32_t>(clamped(value, bits, is_signed)) & low_mask(bits);
  };
  const std::uint32_t pair = convert(s[1]) | convert(s[0]) << bits;
  d[0] = inst.srcs.size() < 3 ? pair : pair | static_cast<std::uint32_t>(s[2] << (2 * bits));
}

}  // namespace

LaneFunction find_video(const Inst& inst) {
  switch (inst.op) {
    case Opcode::cvt_pack: return pack;
    case Opcode::vmad: return multiply_add;
    case Opcode::vabsdiff:
    case Opcode::vadd:
    case Opcode::vmax:
    case Opcode::vmin:
    case Opcode::vset:
    case Opcode::vshl:
    case Opcode::vshr:
    case Opcode::vsub: return scalar;
    case Opcode::vabsdiff2:
    case Opcode::vadd2:
    case Opcode::vavrg2:
    case Opcode::vmax2:
    case Opcode::vmin2:
    case Opcode::vset2:
    case Opcode::vsub2: return simd<2>;
    case Opcode::vabsdiff4:
    case Opcode::vadd4:
    case Opcode::vavrg4:
    case Opcode::vmax4:
    case Opcode::vmin4:
    case Opcode::vset4:
    case Opcode::vsub4: return simd<4>;
    default: return nullptr;
  }
}

}  // namespace wanren::interp
