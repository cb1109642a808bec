// Integer arithmetic, PTX ISA ch. 9.7.1 and 9.7.2 (carry chains).

#include <algorithm>

#include "interp/lane.h"

namespace wanren::interp {
namespace {

using ptx::MulPart;
using ptx::Opcode;
using ptx::Type;
using simt::Inst;
using U128 = unsigned __int128;
using S128 = __int128;

Type type_of(const Inst& i) {
  return i.types[0];
}
int width_of(const Inst& i) {
  return ptx::bits(type_of(i));
}
bool is_signed(const Inst& i) {
  return ptx::is_signed(type_of(i));
}
std::uint64_t ones(int n) {
  return low_bits(~std::uint64_t{0}, n);
}
std::int64_t as_signed(std::uint64_t x) {
  return static_cast<std::int64_t>(x);
}

bool is_packed(Type t) {
  return t == Type::u16x2 || t == Type::s16x2;
}

std::int64_t clamp_s32(S128 x) {
  return static_cast<std::int64_t>(std::clamp<S128>(x, INT32_MIN, INT32_MAX));
}

/// `f` on each half of 32-bit operands; the halves come sign- or zero-extended.
template <class F>
std::uint64_t halves(Type t, const std::uint64_t* s, F f) {
  const Type half = t == Type::s16x2 ? Type::s16 : Type::u16;
  const std::uint64_t low = f(read(s[0], half), read(s[1], half));
  const std::uint64_t high = f(read(s[0] >> 16, half), read(s[1] >> 16, half));
  return low_bits(low, 16) | low_bits(high, 16) << 16;
}

void add(const Inst& i, const std::uint64_t* s, std::uint64_t* d) {
  const Type t = type_of(i);
  if (is_packed(t)) {
    d[0] = halves(t, s, [](auto a, auto b) { return a + b; });
    return;
  }
  const std::uint64_t a = read(s[0], t), b = read(s[1], t);
  if (i.arithmetic().sat) {
    d[0] = static_cast<std::uint64_t>(clamp_s32(S128{as_signed(a)} + as_signed(b)));
    return;
  }
  d[0] = read(a + b, t);
  if (i.arithmetic().cc) {
    d[1] = static_cast<std::uint64_t>((U128{low_bits(a, width_of(i))} + low_bits(b, width_of(i))) >>
                                      width_of(i));
  }
}

void sub(const Inst& i, const std::uint64_t* s, std::uint64_t* d) {
  const Type t = type_of(i);
  if (is_packed(t)) {
    d[0] = halves(t, s, [](auto a, auto b) { return a - b; });
    return;
  }
  const std::uint64_t a = read(s[0], t), b = read(s[1], t);
  if (i.arithmetic().sat) {
    d[0] = static_cast<std::uint64_t>(clamp_s32(S128{as_signed(a)} - as_signed(b)));
    return;
  }
  d[0] = read(a - b, t);
  if (i.arithmetic().cc) d[1] = low_bits(a, width_of(i)) < low_bits(b, width_of(i));  // borrow
}

// Carry in is the last source, carry (or borrow) out the second destination.
void addc(const Inst& i, const std::uint64_t* s, std::uint64_t* d) {
  const int n = width_of(i);
  const U128 sum = U128{low_bits(s[0], n)} + low_bits(s[1], n) + (s[2] & 1);
  d[0] = read(static_cast<std::uint64_t>(sum), type_of(i));
  if (i.arithmetic().cc) d[1] = static_cast<std::uint64_t>(sum >> n) & 1;
}

void subc(const Inst& i, const std::uint64_t* s, std::uint64_t* d) {
  const int n = width_of(i);
  const U128 a = low_bits(s[0], n), b = U128{low_bits(s[1], n)} + (s[2] & 1);
  d[0] = read(static_cast<std::uint64_t>(a - b), type_of(i));
  if (i.arithmetic().cc) d[1] = a < b;
}

S128 full_product(Type t, std::uint64_t a, std::uint64_t b) {
  if (ptx::is_signed(t)) return S128{as_signed(read(a, t))} * as_signed(read(b, t));
  return static_cast<S128>(U128{read(a, t)} * read(b, t));
}

/// The part of the product that the instruction keeps; wide products in full.
std::uint64_t product(const Inst& i, const std::uint64_t* s) {
  const S128 p = full_product(type_of(i), s[0], s[1]);
  return static_cast<std::uint64_t>(i.arithmetic().part == MulPart::hi ? p >> width_of(i) : p);
}

Type result_type(const Inst& i) {
  if (i.arithmetic().part != MulPart::wide) return type_of(i);
  switch (type_of(i)) {
    case Type::s16: return Type::s32;
    case Type::u16: return Type::u32;
    case Type::s32: return Type::s64;
    default: return Type::u64;
  }
}

void mul(const Inst& i, const std::uint64_t* s, std::uint64_t* d) {
  d[0] = read(product(i, s), result_type(i));
}

void mad(const Inst& i, const std::uint64_t* s, std::uint64_t* d) {
  const Type t = result_type(i);
  const int n = ptx::bits(t);
  const std::uint64_t p = product(i, s);
  if (i.arithmetic().sat) {
    d[0] = static_cast<std::uint64_t>(clamp_s32(S128{as_signed(read(p, t))} + as_signed(read(s[2], t))));
    return;
  }
  const std::uint64_t carry = i.op == Opcode::madc ? s[3] & 1 : 0;
  const U128 sum = U128{low_bits(p, n)} + low_bits(s[2], n) + carry;
  d[0] = read(static_cast<std::uint64_t>(sum), t);
  if (i.arithmetic().cc) d[1] = static_cast<std::uint64_t>(sum >> n) & 1;
}

/// 24-bit operands, 48-bit product: lo is bits 31..0, hi is bits 47..16.
std::uint64_t product24(const Inst& i, const std::uint64_t* s) {
  const bool sign = is_signed(i);
  const std::uint64_t a = sign ? sign_extend(s[0], 24) : low_bits(s[0], 24);
  const std::uint64_t b = sign ? sign_extend(s[1], 24) : low_bits(s[1], 24);
  const std::uint64_t p = a * b;
  return read(i.arithmetic().part == MulPart::hi ? p >> 16 : p, type_of(i));
}

void mul24(const Inst& i, const std::uint64_t* s, std::uint64_t* d) {
  d[0] = product24(i, s);
}

void mad24(const Inst& i, const std::uint64_t* s, std::uint64_t* d) {
  const std::uint64_t p = product24(i, s), c = read(s[2], type_of(i));
  d[0] = i.arithmetic().sat ? static_cast<std::uint64_t>(clamp_s32(S128{as_signed(p)} + as_signed(c)))
                            : read(p + c, type_of(i));
}

// The manual leaves division by zero open; hardware's sequence gives all ones for both results.
void div(const Inst& i, const std::uint64_t* s, std::uint64_t* d) {
  const Type t = type_of(i);
  const std::uint64_t a = read(s[0], t), b = read(s[1], t);
  if (b == 0) {
    d[0] = ones(width_of(i));
  } else if (ptx::is_signed(t)) {
    d[0] = read(as_signed(b) == -1 ? -a : static_cast<std::uint64_t>(as_signed(a) / as_signed(b)), t);
  } else {
    d[0] = a / b;
  }
}

void rem(const Inst& i, const std::uint64_t* s, std::uint64_t* d) {
  const Type t = type_of(i);
  const std::uint64_t a = read(s[0], t), b = read(s[1], t);
  if (b == 0) {
    d[0] = ones(width_of(i));
  } else if (ptx::is_signed(t)) {
    d[0] = as_signed(b) == -1 ? 0 : static_cast<std::uint64_t>(as_signed(a) % as_signed(b));
  } else {
    d[0] = a % b;
  }
}

void abs(const Inst& i, const std::uint64_t* s, std::uint64_t* d) {
  const std::uint64_t a = read(s[0], type_of(i));
  d[0] = as_signed(a) < 0 ? -a : a;
}

void neg(const Inst& i, const std::uint64_t* s, std::uint64_t* d) {
  d[0] = read(-s[0], type_of(i));
}

template <bool Max>
void extreme(const Inst& i, const std::uint64_t* s, std::uint64_t* d) {
  const Type t = type_of(i);
  const bool sign = ptx::is_signed(t) || t == Type::s16x2;
  const auto pick = [&](std::uint64_t a, std::uint64_t b) {
    const bool less = sign ? as_signed(a) < as_signed(b) : a < b;
    const std::uint64_t r = less == Max ? b : a;
    return i.arithmetic().relu && as_signed(r) < 0 ? 0 : r;
  };
  d[0] = is_packed(t) ? halves(t, s, pick) : pick(read(s[0], t), read(s[1], t));
}

void sad(const Inst& i, const std::uint64_t* s, std::uint64_t* d) {
  const Type t = type_of(i);
  const std::uint64_t a = read(s[0], t), b = read(s[1], t);
  const bool less = ptx::is_signed(t) ? as_signed(a) < as_signed(b) : a < b;
  d[0] = read(s[2] + (less ? b - a : a - b), t);
}

/// dp4a, dp2a: types[0] and types[1] are the signs of a and b; dp2a takes bytes 0-1 or 2-3 of b.
void dot(const Inst& i, const std::uint64_t* s, std::uint64_t* d) {
  const bool four = i.op == Opcode::dp4a;
  const int terms = four ? 4 : 2, a_bits = four ? 8 : 16;
  const std::uint64_t b = !four && i.arithmetic().part == MulPart::hi ? s[1] >> 16 : s[1];
  std::uint64_t sum = s[2];
  for (int k = 0; k < terms; ++k) {
    const std::uint64_t x = s[0] >> (k * a_bits), y = b >> (k * 8);
    sum += (ptx::is_signed(i.types[0]) ? sign_extend(x, a_bits) : low_bits(x, a_bits)) *
           (ptx::is_signed(i.types[1]) ? sign_extend(y, 8) : low_bits(y, 8));
  }
  d[0] = low_bits(sum, 32);
}

}  // namespace

LaneFunction find_integer(const Inst& i) {
  if (ptx::is_float(type_of(i))) return nullptr;
  switch (i.op) {
    case Opcode::add: return add;
    case Opcode::addc: return addc;
    case Opcode::sub: return sub;
    case Opcode::subc: return subc;
    case Opcode::mul: return mul;
    case Opcode::mad:
    case Opcode::madc: return mad;
    case Opcode::mul24: return mul24;
    case Opcode::mad24: return mad24;
    case Opcode::div: return div;
    case Opcode::rem: return rem;
    case Opcode::abs: return abs;
    case Opcode::neg: return neg;
    case Opcode::min: return extreme<false>;
    case Opcode::max: return extreme<true>;
    case Opcode::sad: return sad;
    case Opcode::dp4a:
    case Opcode::dp2a: return dot;
    default: return nullptr;
  }
}

}  // namespace wanren::interp
