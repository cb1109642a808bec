// cvt, PTX ISA ch. 9.7.9.21: between all integer and floating-point types.

#include <cmath>

#include "interp/formats.h"
#include "interp/lane.h"

namespace wanren::interp {
namespace {

using ptx::Opcode;
using ptx::Round;
using ptx::Type;
using simt::Inst;

bool is_pair(Type t) {
  return t == Type::f16x2 || t == Type::bf16x2 || t == Type::e4m3x2 || t == Type::e5m2x2;
}

std::uint64_t largest(Type t) {
  return low_bits(~std::uint64_t{0}, ptx::bits(t) - (ptx::is_signed(t) ? 1 : 0));
}

// Without .sat the source is truncated or extended; with it, clamped to the destination.
void integer_to_integer(const Inst& i, const std::uint64_t* s, std::uint64_t* d) {
  const Type to = i.types[0], from = i.types[1];
  const std::uint64_t a = read(s[0], from);
  if (!i.arithmetic().sat) {
    d[0] = read(a, to);
    return;
  }
  const bool negative = ptx::is_signed(from) && static_cast<std::int64_t>(a) < 0;
  if (negative) {
    const auto low = ptx::is_signed(to) ? -static_cast<std::int64_t>(largest(to)) - 1 : 0;
    d[0] = static_cast<std::int64_t>(a) < low ? static_cast<std::uint64_t>(low) : a;
  } else {
    d[0] = a > largest(to) ? largest(to) : a;
  }
}

void integer_to_float(const Inst& i, const std::uint64_t* s, std::uint64_t* d) {
  const Format& f = format_of(i.types[0]);
  const std::uint64_t a = read(s[0], i.types[1]);
  const bool negative = ptx::is_signed(i.types[1]) && static_cast<std::int64_t>(a) < 0;
  d[0] = from_integer(negative, negative ? -a : a, f, i.arithmetic().round);
  const std::uint64_t one = static_cast<std::uint64_t>(f.bias()) << f.mantissa;
  if (i.arithmetic().sat) d[0] = negative ? 0 : d[0] > one ? one : d[0];
}

double to_integral(double x, Round round) {
  switch (round) {
    case Round::rzi:
    case Round::rz: return std::trunc(x);
    case Round::rmi:
    case Round::rm: return std::floor(x);
    case Round::rpi:
    case Round::rp: return std::ceil(x);
    default: return std::nearbyint(x);  // the host's mode is always nearest, ties to even
  }
}

// Out of range saturates. NaN: zero, but the sign bit alone where f64 or a 64-bit integer takes part
// (PTX ISA, cvt, "In float-to-integer conversions …").
void float_to_integer(const Inst& i, const std::uint64_t* s, std::uint64_t* d) {
  const Type to = i.types[0], from = i.types[1];
  const Format& f = format_of(from);
  std::uint64_t a = low_bits(s[0], f.width());
  if (i.arithmetic().ftz && from == Type::f32) a = flush(a, f);
  const int n = ptx::bits(to);
  if (is_nan(a, f)) {
    d[0] = from == Type::f64 || n == 64 ? read(std::uint64_t{1} << (n - 1), to) : 0;
    return;
  }
  const double x = to_integral(to_double(a, f), i.arithmetic().round);
  if (ptx::is_signed(to)) {
    const double limit = std::ldexp(1.0, n - 1);
    d[0] = x >= limit   ? largest(to)
           : x < -limit ? ~largest(to)
                        : static_cast<std::uint64_t>(static_cast<std::int64_t>(x));
  } else {
    d[0] = x >= std::ldexp(1.0, n) ? largest(to) : x <= 0 ? 0 : static_cast<std::uint64_t>(x);
  }
}

/// One conversion; `a` holds the source's bits, the result those of `to`.
std::uint64_t float_value(const Inst& i, std::uint64_t a, const Format& from, const Format& to) {
  a = low_bits(a, from.width());
  const bool ftz = i.arithmetic().ftz;
  if (ftz && from.mantissa == f32_format.mantissa) a = flush(a, from);
  if (is_nan(a, from)) return i.arithmetic().sat ? 0 : to.nan;
  double x = to_double(a, from);
  const Round round = i.arithmetic().round;
  const bool integral =
      round == Round::rni || round == Round::rzi || round == Round::rmi || round == Round::rpi;
  if (integral) x = std::copysign(to_integral(x, round), x);
  if (i.arithmetic().sat) x = x > 1.0 ? 1.0 : x > 0.0 ? x : 0.0;
  if (i.arithmetic().relu && !(x > 0.0)) x = 0.0;
  std::uint64_t r = from_double(x, to, integral ? Round::rn : round, i.arithmetic().satfinite);
  if (ftz && to.mantissa == f32_format.mantissa) r = flush(r, to);
  return r;
}

void float_to_float(const Inst& i, const std::uint64_t* s, std::uint64_t* d) {
  const Type to = i.types[0], from = i.types[1];
  const Format &f = format_of(from), &t = format_of(to);
  if (is_pair(to)) {
    const int n = t.width();
    if (is_pair(from)) {  // one packed register to another
      const int m = f.width();
      d[0] = float_value(i, low_bits(s[0], m), f, t) | float_value(i, low_bits(s[0] >> m, m), f, t) << n;
    } else {  // two scalars: the first operand becomes the upper half
      d[0] = float_value(i, s[1], f, t) | float_value(i, s[0], f, t) << n;
    }
    return;
  }
  if (to == from && to != Type::tf32 && i.arithmetic().round == Round::none && !i.arithmetic().sat &&
      !i.arithmetic().ftz) {
    d[0] = low_bits(s[0], f.width());
    return;
  }
  d[0] = float_value(i, s[0], f, t);
  if (to == Type::tf32) d[0] <<= 13;
}

}  // namespace

LaneFunction find_conversion(const Inst& i) {
  if (i.op != Opcode::cvt) return nullptr;
  const bool to_float = ptx::is_float(i.types[0]), from_float = ptx::is_float(i.types[1]);
  if (to_float) return from_float ? float_to_float : integer_to_float;
  return from_float ? float_to_integer : integer_to_integer;
}

}  // namespace wanren::interp
