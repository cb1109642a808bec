// Floating-point arithmetic, PTX ISA ch. 9.7.3, 9.7.4 (half precision) and 9.7.5.
//
// NaN results are canonical: 0x7fffffff (f32), 0x7fff (f16, bf16), 0xfff8000000000000 (f64; PTX leaves
// its payloads open). neg, abs and copysign only touch the sign bit. div.approx, div.full, rcp.approx
// and sqrt.approx give the correctly rounded result; the other approximations are approx.cpp's.

#include <cmath>

#include "interp/approx.h"
#include "interp/directed.h"
#include "interp/formats.h"
#include "interp/lane.h"

namespace wanren::interp {
namespace {

using ptx::Opcode;
using ptx::Type;
using simt::Inst;

Type type_of(const Inst& i) {
  return i.types[0];
}

constexpr std::uint64_t one_of(const Format& f) {
  return static_cast<std::uint64_t>(f.bias()) << f.mantissa;
}

/// What every result passes through: canonical NaN, ftz, sat or relu.
std::uint64_t finish(std::uint64_t bits, const Format& f, const simt::Arithmetic& how) {
  if (is_nan(bits, f)) return how.sat ? 0 : f.nan;
  if (how.ftz && f.mantissa != f64_format.mantissa) bits = flush(bits, f);
  if (how.sat) {
    if (bits & f.sign()) return 0;
    if (bits > one_of(f)) return one_of(f);
  }
  if (how.relu && (bits & f.sign())) return 0;
  return bits;
}

std::uint64_t input(std::uint64_t bits, const Format& f, const simt::Arithmetic& how) {
  bits = low_bits(bits, f.width());
  return how.ftz && f.mantissa != f64_format.mantissa ? flush(bits, f) : bits;
}

/// min and max: a NaN loses to a number unless .NaN; -0 is less than +0.
std::uint64_t extreme(bool max, const Format& f, const simt::Arithmetic& how, std::uint64_t a,
                      std::uint64_t b) {
  const std::uint64_t magnitude = f.sign() - 1;
  std::uint64_t sign = 0;
  if (how.xorsign) {
    sign = (a ^ b) & f.sign();
    a &= magnitude;
    b &= magnitude;
  }
  std::uint64_t r;
  if (is_nan(a, f) || is_nan(b, f)) {
    if (how.nan || (is_nan(a, f) && is_nan(b, f))) return f.nan;
    r = is_nan(a, f) ? b : a;
  } else {
    // Sign-magnitude to an order that puts -0 before +0.
    const auto key = [&](std::uint64_t x) {
      const auto m = static_cast<std::int64_t>(x & magnitude);
      return x & f.sign() ? -m - 1 : m;
    };
    r = (key(a) < key(b)) == max ? b : a;
  }
  return r | sign;
}

/// Sums, products and fused operations of the 16-bit formats: exact, or odd at 53 bits, then one rounding.
std::uint64_t small_operation(FloatOp op, const Format& f, const simt::Arithmetic& how, std::uint64_t a,
                              std::uint64_t b, std::uint64_t c) {
  const double x = to_double(a, f), y = to_double(b, f);
  double r = 0;
  switch (op) {
    case FloatOp::add: r = add_to_odd(x, y); break;
    case FloatOp::sub: r = add_to_odd(x, -y); break;
    case FloatOp::mul: r = x * y; break;
    default: r = add_to_odd(x * y, to_double(c, f)); break;
  }
  return from_double(r, f, how.round);
}

HostOp host(FloatOp op) {
  switch (op) {
    case FloatOp::add: return HostOp::add;
    case FloatOp::sub: return HostOp::sub;
    case FloatOp::mul: return HostOp::mul;
    default: return HostOp::fma;
  }
}

std::uint64_t scalar_operation(FloatOp op, const Format& f, const simt::Arithmetic& how, std::uint64_t a,
                               std::uint64_t b, std::uint64_t c) {
  a = input(a, f, how);
  b = input(b, f, how);
  c = input(c, f, how);
  std::uint64_t r;
  if (op == FloatOp::min || op == FloatOp::max) {
    r = extreme(op == FloatOp::max, f, how, a, b);
  } else if (f.mantissa == f32_format.mantissa) {
    r = bits_of(host_operation(host(op), as_f32(a), as_f32(b), as_f32(c), how.round));
  } else if (f.mantissa == f64_format.mantissa) {
    r = bits_of(host_operation(host(op), as_f64(a), as_f64(b), as_f64(c), how.round));
  } else {
    r = small_operation(op, f, how, a, b, c);
  }
  return finish(r, f, how);
}

bool is_packed(Type t) {
  return t == Type::f16x2 || t == Type::bf16x2 || t == Type::f32x2;
}

/// `f` on the scalar, or on both halves of a packed operand.
template <class F>
std::uint64_t each(Type t, std::uint64_t a, std::uint64_t b, std::uint64_t c, F f) {
  if (!is_packed(t)) return f(a, b, c);
  const int n = ptx::bits(t) / 2;
  return low_bits(f(low_bits(a, n), low_bits(b, n), low_bits(c, n)), n) |
         low_bits(f(a >> n, b >> n, c >> n), n) << n;
}

template <FloatOp Op>
void binary(const Inst& i, const std::uint64_t* s, std::uint64_t* d) {
  d[0] = float_operation(Op, type_of(i), i.arithmetic(), s[0], s[1], 0);
  // min and max of three operands (PTX ISA 8.8).
  if ((Op == FloatOp::min || Op == FloatOp::max) && i.srcs.size() == 3)
    d[0] = float_operation(Op, type_of(i), i.arithmetic(), d[0], s[2], 0);
}
void fma(const Inst& i, const std::uint64_t* s, std::uint64_t* d) {
  d[0] = float_operation(FloatOp::fma, type_of(i), i.arithmetic(), s[0], s[1], s[2]);
}

std::uint64_t host_unary(HostOp op, const Format& f, const simt::Arithmetic& how, std::uint64_t a,
                         std::uint64_t b) {
  a = input(a, f, how);
  b = input(b, f, how);
  const bool single = f.mantissa == f32_format.mantissa;
  const std::uint64_t r = single ? bits_of(host_operation(op, as_f32(a), as_f32(b), 0.0f, how.round))
                                 : bits_of(host_operation(op, as_f64(a), as_f64(b), 0.0, how.round));
  return finish(r, f, how);
}

void div(const Inst& i, const std::uint64_t* s, std::uint64_t* d) {
  d[0] = host_unary(HostOp::div, format_of(type_of(i)), i.arithmetic(), s[0], s[1]);
}
void sqrt(const Inst& i, const std::uint64_t* s, std::uint64_t* d) {
  d[0] = host_unary(HostOp::sqrt, format_of(type_of(i)), i.arithmetic(), s[0], 0);
}
// rcp.approx.ftz.f64 reads and writes only the upper 32 bits of its 20-bit approximation; the IEEE
// quotient with the lower word cleared is inside its bound.
void rcp(const Inst& i, const std::uint64_t* s, std::uint64_t* d) {
  const Format& f = format_of(type_of(i));
  if (type_of(i) == Type::f64 && i.arithmetic().approx) {
    const std::uint64_t a = flush(s[0] & ~std::uint64_t{0xffffffff}, f);
    d[0] = flush(host_unary(HostOp::div, f, i.arithmetic(), one_of(f), a), f) & ~std::uint64_t{0xffffffff};
    return;
  }
  d[0] = host_unary(HostOp::div, f, i.arithmetic(), one_of(f), s[0]);
}
void rsqrt(const Inst& i, const std::uint64_t* s, std::uint64_t* d) {
  const Format& f = format_of(type_of(i));
  if (type_of(i) == Type::f64) {
    const bool ftz = i.arithmetic().ftz;
    const std::uint64_t a = ftz ? flush(s[0] & ~std::uint64_t{0xffffffff}, f) : s[0];
    const std::uint64_t r = finish(bits_of(approximate_rsqrt(as_f64(a))), f, i.arithmetic());
    d[0] = ftz ? flush(r, f) & ~std::uint64_t{0xffffffff} : r;
    return;
  }
  const double x = as_f32(input(s[0], f, i.arithmetic()));
  d[0] = finish(from_double(approximate_rsqrt(x), f), f, i.arithmetic());
}

template <double (*Function)(double)>
void approximate(const Inst& i, const std::uint64_t* s, std::uint64_t* d) {
  const Format& f = format_of(type_of(i));
  d[0] = each(type_of(i), s[0], 0, 0, [&](std::uint64_t a, std::uint64_t, std::uint64_t) {
    return finish(from_double(Function(to_double(input(a, f, i.arithmetic()), f)), f), f, i.arithmetic());
  });
}

void neg(const Inst& i, const std::uint64_t* s, std::uint64_t* d) {
  const Format& f = format_of(type_of(i));
  d[0] = each(type_of(i), s[0], 0, 0, [&](std::uint64_t a, std::uint64_t, std::uint64_t) {
    return input(a, f, i.arithmetic()) ^ f.sign();
  });
}
void abs(const Inst& i, const std::uint64_t* s, std::uint64_t* d) {
  const Format& f = format_of(type_of(i));
  d[0] = each(type_of(i), s[0], 0, 0, [&](std::uint64_t a, std::uint64_t, std::uint64_t) {
    return input(a, f, i.arithmetic()) & ~f.sign();
  });
}
// The sign of the first operand on the magnitude of the second.
void copysign(const Inst& i, const std::uint64_t* s, std::uint64_t* d) {
  const std::uint64_t sign = format_of(type_of(i)).sign();
  d[0] = (s[0] & sign) | (s[1] & (sign - 1));
}

}  // namespace

std::uint64_t float_operation(FloatOp op, Type type, const simt::Arithmetic& how, std::uint64_t a,
                              std::uint64_t b, std::uint64_t c) {
  const Format& f = format_of(type);
  return each(type, a, b, c, [&](std::uint64_t x, std::uint64_t y, std::uint64_t z) {
    return scalar_operation(op, f, how, x, y, z);
  });
}

LaneFunction find_float(const Inst& i) {
  if (i.op == Opcode::copysign) return copysign;
  if (!ptx::is_float(type_of(i))) return nullptr;
  switch (i.op) {
    case Opcode::add: return binary<FloatOp::add>;
    case Opcode::sub: return binary<FloatOp::sub>;
    case Opcode::mul: return binary<FloatOp::mul>;
    case Opcode::min: return binary<FloatOp::min>;
    case Opcode::max: return binary<FloatOp::max>;
    case Opcode::fma:
    case Opcode::mad: return fma;
    case Opcode::div: return div;
    case Opcode::rcp: return rcp;
    case Opcode::sqrt: return sqrt;
    case Opcode::rsqrt: return rsqrt;
    case Opcode::sin: return approximate<approximate_sin>;
    case Opcode::cos: return approximate<approximate_cos>;
    case Opcode::ex2: return approximate<approximate_ex2>;
    case Opcode::lg2: return approximate<approximate_lg2>;
    case Opcode::tanh: return approximate<approximate_tanh>;
    case Opcode::neg: return neg;
    case Opcode::abs: return abs;
    default: return nullptr;
  }
}

}  // namespace wanren::interp
