#include "interp/formats.h"

#include <cmath>

#include "support/result.h"

namespace wanren::interp {

using ptx::Round;
using ptx::Type;

const Format& format_of(Type type) {
  switch (type) {
    case Type::f16:
    case Type::f16x2: return f16_format;
    case Type::bf16:
    case Type::bf16x2: return bf16_format;
    case Type::tf32: return tf32_format;
    case Type::f32:
    case Type::f32x2: return f32_format;
    case Type::e4m3:
    case Type::e4m3x2: return e4m3_format;
    case Type::e5m2:
    case Type::e5m2x2: return e5m2_format;
    default: WR_CHECK(type == Type::f64); return f64_format;
  }
}

namespace {

/// Whether a remainder against half a unit rounds the magnitude up.
bool rounds_up(Round round, bool negative, bool odd, bool above_half, bool half, bool inexact) {
  switch (round) {
    case Round::rz:
    case Round::rzi: return false;
    case Round::rm:
    case Round::rmi: return negative && inexact;
    case Round::rp:
    case Round::rpi: return !negative && inexact;
    case Round::rna: return above_half || half;
    default: return above_half || (half && odd);
  }
}

std::uint64_t overflow(bool negative, const Format& f, Round round, bool saturate) {
  const bool toward_zero =
      round == Round::rz || (round == Round::rm && !negative) || (round == Round::rp && negative);
  if (saturate || toward_zero) return f.largest;
  if (!f.infinity) return f.nan;
  return ((std::uint64_t{1} << f.exponent) - 1) << f.mantissa;
}

}  // namespace

std::uint64_t encode(bool negative, std::uint64_t significand, int exponent, bool sticky, const Format& f,
                     Round round, bool saturate) {
  const std::uint64_t sign = negative ? f.sign() : 0;
  if (significand == 0) return sign;
  const int shift = std::countl_zero(significand);
  significand <<= shift;
  const int e = exponent - shift + 63;  // of the leading bit
  const int e_min = 1 - f.bias();
  const int keep = e >= e_min ? f.mantissa + 1 : f.mantissa + 1 - (e_min - e);

  std::uint64_t quotient = 0;
  bool above = false, half = false, inexact = true;
  if (keep > 0) {
    const int drop = 64 - keep;
    quotient = significand >> drop;
    const std::uint64_t rest = significand & ((std::uint64_t{1} << drop) - 1);
    const std::uint64_t middle = std::uint64_t{1} << (drop - 1);
    above = rest > middle || (rest == middle && sticky);
    half = rest == middle && !sticky;
    inexact = rest != 0 || sticky;
  } else if (keep == 0) {
    const std::uint64_t middle = std::uint64_t{1} << 63;
    above = significand > middle || sticky;
    half = significand == middle && !sticky;
  }
  if (rounds_up(round, negative, quotient & 1, above, half, inexact)) ++quotient;
  std::uint64_t magnitude = quotient;
  if (e >= e_min) {
    if (e > f.bias() + 1) return sign | overflow(negative, f, round, saturate);
    magnitude = (static_cast<std::uint64_t>(e + f.bias() - 1) << f.mantissa) + quotient;
  }
  if (magnitude > f.largest) return sign | overflow(negative, f, round, saturate);
  return sign | magnitude;
}

std::uint64_t from_double(double value, const Format& f, Round round, bool saturate) {
  if (std::isnan(value)) return f.nan;
  const std::uint64_t bits = std::bit_cast<std::uint64_t>(value);
  const bool negative = bits >> 63;
  if (std::isinf(value)) {
    const std::uint64_t sign = negative ? f.sign() : 0;
    if (saturate || !f.infinity) return sign | (saturate ? f.largest : f.nan);
    return sign | ((std::uint64_t{1} << f.exponent) - 1) << f.mantissa;
  }
  const int biased = static_cast<int>(bits >> 52 & 0x7ff);
  const std::uint64_t fraction = bits & 0xfffffffffffff;
  return biased == 0
             ? encode(negative, fraction, -1074, false, f, round, saturate)
             : encode(negative, fraction | std::uint64_t{1} << 52, biased - 1075, false, f, round, saturate);
}

double to_double(std::uint64_t bits, const Format& f) {
  const bool negative = bits & f.sign();
  const std::uint64_t magnitude = bits & (f.sign() - 1);
  const std::uint64_t fraction = magnitude & ((std::uint64_t{1} << f.mantissa) - 1);
  const int biased = static_cast<int>(magnitude >> f.mantissa);
  double value;
  if (is_nan(bits, f)) {
    value = std::bit_cast<double>(f64_format.nan & ~f64_format.sign());
  } else if (f.infinity && biased == (1 << f.exponent) - 1) {
    value = HUGE_VAL;
  } else if (biased == 0) {
    value = std::ldexp(static_cast<double>(fraction), 1 - f.bias() - f.mantissa);
  } else {
    value = std::ldexp(static_cast<double>(fraction | std::uint64_t{1} << f.mantissa),
                       biased - f.bias() - f.mantissa);
  }
  return negative ? -value : value;
}

std::uint64_t from_integer(bool negative, std::uint64_t magnitude, const Format& f, Round round) {
  return encode(negative, magnitude, 0, false, f, round);
}

double add_to_odd(double a, double b) {
  const double sum = a + b;
  if (!std::isfinite(sum)) return sum;
  const double b_seen = sum - a;
  const double error = (a - (sum - b_seen)) + (b - b_seen);
  std::uint64_t bits = std::bit_cast<std::uint64_t>(sum);
  if (error == 0 || (bits & 1)) return sum;
  bits += (error > 0) == (sum > 0) ? 1 : -1;
  return std::bit_cast<double>(bits);
}

}  // namespace wanren::interp
