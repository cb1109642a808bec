#pragma once
// Floating-point formats as bits: decoding is exact, encoding rounds once in any of PTX's modes.

#include <bit>
#include <cstdint>

#include "ptx/types.h"

namespace wanren::interp {

struct Format {
  int mantissa;           ///< Stored bits.
  int exponent;           ///< Exponent bits; the bias is 2^(exponent-1) - 1.
  bool infinity;          ///< e4m3 has none: its top exponent holds numbers, and one NaN.
  std::uint64_t nan;      ///< The canonical NaN that operations give.
  std::uint64_t largest;  ///< Largest finite magnitude.

  constexpr int bias() const { return (1 << (exponent - 1)) - 1; }
  constexpr int width() const { return 1 + mantissa + exponent; }
  constexpr std::uint64_t sign() const { return std::uint64_t{1} << (width() - 1); }
};

inline constexpr Format f16_format{10, 5, true, 0x7fff, 0x7bff};
inline constexpr Format bf16_format{7, 8, true, 0x7fff, 0x7f7f};
inline constexpr Format f32_format{23, 8, true, 0x7fffffff, 0x7f7fffff};
inline constexpr Format f64_format{52, 11, true, 0xfff8000000000000, 0x7fefffffffffffff};
/// tf32 occupies the upper 19 bits of a 32-bit register; encode() and decode() see those 19.
inline constexpr Format tf32_format{10, 8, true, 0x3ffff, 0x3fbff};
inline constexpr Format e4m3_format{3, 4, false, 0x7f, 0x7e};
inline constexpr Format e5m2_format{2, 5, true, 0x7f, 0x7b};

/// The format of a scalar type, or of the halves of a packed one.
const Format& format_of(ptx::Type type);

/// significand * 2^exponent (plus something smaller than one unit of it if `sticky`), rounded once.
/// `saturate` gives the largest finite number instead of infinity. Round::none means rn.
std::uint64_t encode(bool negative, std::uint64_t significand, int exponent, bool sticky,
                     const Format& format, ptx::Round round, bool saturate = false);

/// As encode(); NaN becomes the format's canonical NaN.
std::uint64_t from_double(double value, const Format& format, ptx::Round round = ptx::Round::rn,
                          bool saturate = false);

/// Exact for every format here.
double to_double(std::uint64_t bits, const Format& format);

/// Any integer magnitude, rounded once.
std::uint64_t from_integer(bool negative, std::uint64_t magnitude, const Format& format, ptx::Round round);

/// a + b rounded to odd at 53 bits: a later rounding to 51 bits or fewer equals a single one.
double add_to_odd(double a, double b);

inline bool is_nan(std::uint64_t bits, const Format& f) {
  const std::uint64_t magnitude = bits & (f.sign() - 1);
  if (!f.infinity) return magnitude == f.nan;
  return magnitude > (((std::uint64_t{1} << f.exponent) - 1) << f.mantissa);
}
inline bool is_subnormal(std::uint64_t bits, const Format& f) {
  const std::uint64_t magnitude = bits & (f.sign() - 1);
  return magnitude != 0 && magnitude < (std::uint64_t{1} << f.mantissa);
}
/// Subnormals become zeros of their sign.
inline std::uint64_t flush(std::uint64_t bits, const Format& f) {
  return is_subnormal(bits, f) ? bits & f.sign() : bits;
}

inline float as_f32(std::uint64_t bits) {
  return std::bit_cast<float>(static_cast<std::uint32_t>(bits));
}
inline double as_f64(std::uint64_t bits) {
  return std::bit_cast<double>(bits);
}
inline std::uint64_t bits_of(float x) {
  return std::bit_cast<std::uint32_t>(x);
}
inline std::uint64_t bits_of(double x) {
  return std::bit_cast<std::uint64_t>(x);
}

}  // namespace wanren::interp
