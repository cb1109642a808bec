#include "interp/approx.h"

#include <bit>
#include <cmath>
#include <cstdint>

// Wider clones change the speed only: no contraction, no reassociation (CMakeLists.txt).
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__SANITIZE_ADDRESS__)
#define WR_CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define WR_CLONES
#endif
#define WR_INLINE inline __attribute__((always_inline))

namespace wanren::interp {
namespace {

// Adding it rounds to the nearest integer, which then sits in the low bits.
constexpr double magic = 0x1.8p52;

template <int N>
WR_INLINE double horner(const double (&c)[N], double x) {
  double r = c[N - 1];
  for (int i = N - 2; i >= 0; --i) r = r * x + c[i];
  return r;
}

WR_INLINE double select(bool which, double a, double b) {
  return which ? a : b;
}

// 2^x = 2^n * e^(f ln 2), |f| <= 1/2: Taylor series to degree 11 (error 6e-15).
WR_INLINE double ex2(double x) {
  constexpr double c[] = {1.0,       1.0,        1.0 / 2,     1.0 / 6,      1.0 / 24,      1.0 / 120,
                          1.0 / 720, 1.0 / 5040, 1.0 / 40320, 1.0 / 362880, 1.0 / 3628800, 1.0 / 39916800};
  double y = select(x > 1000.0, 1000.0, x);
  y = select(y < -1000.0, -1000.0, y);
  const double shifted = y + magic;
  const double f = y - (shifted - magic);
  const double p = horner(c, f * 0x1.62e42fefa39efp-1);
  const double scale = std::bit_cast<double>((std::bit_cast<std::uint64_t>(shifted) + 1023) << 52);
  return select(x == x, p * scale, x);
}

// log2 x = e + (2 / ln 2) atanh((m - 1) / (m + 1)), m in [sqrt 1/2, sqrt 2).
WR_INLINE double lg2(double x) {
  constexpr double c[] = {1.0,      1.0 / 3,  1.0 / 5,  1.0 / 7,  1.0 / 9,
                          1.0 / 11, 1.0 / 13, 1.0 / 15, 1.0 / 17, 1.0 / 19};
  constexpr std::uint64_t low = 0x3fe6a09e667f3bcd;  // sqrt(1/2)
  const std::uint64_t bits = std::bit_cast<std::uint64_t>(x);
  const std::uint64_t steps = (bits - low + (std::uint64_t{1023} << 52)) >> 52;  // exponent + 1023
  const double m = std::bit_cast<double>(bits - ((steps - 1023) << 52));
  const double e = std::bit_cast<double>(std::bit_cast<std::uint64_t>(magic) + steps) - (magic + 1023.0);
  const double s = (m - 1.0) / (m + 1.0);
  double r = e + s * horner(c, s * s) * 0x1.71547652b82fep1;
  r = select(x == HUGE_VAL, x, r);
  r = select(x == 0.0, -HUGE_VAL, r);
  return select(x >= 0.0, r, std::bit_cast<double>(std::uint64_t{0x7ff8000000000000}));
}

// Quadrant and remainder of x / (pi/2). Past 2^30 the remainder has no accurate bits (the manual
// promises none there) and is kept in range.
WR_INLINE double reduce(double x, std::uint64_t& quadrant) {
  double y = select(x > 0x1p30, 0x1p30, x);
  y = select(y < -0x1p30, -0x1p30, y);
  const double shifted = y * 0x1.45f306dc9c883p-1 + magic;
  const double k = shifted - magic;
  quadrant = std::bit_cast<std::uint64_t>(shifted);
  // pi/2 in 33 bits (its product with k is exact below 2^20) and the next 53.
  return (y - k * 0x1.921fb544p+0) - k * 0x1.0b4611a626331p-34;
}

WR_INLINE double sine(double r) {
  constexpr double c[] = {1.0,          -1.0 / 6,          1.0 / 120,          -1.0 / 5040,
                          1.0 / 362880, -1.0 / 39916800.0, 1.0 / 6227020800.0, -1.0 / 1307674368000.0};
  return r * horner(c, r * r);
}
WR_INLINE double cosine(double r) {
  constexpr double c[] = {1.0,
                          -1.0 / 2,
                          1.0 / 24,
                          -1.0 / 720,
                          1.0 / 40320,
                          -1.0 / 3628800,
                          1.0 / 479001600.0,
                          -1.0 / 87178291200.0,
                          1.0 / 20922789888000.0};
  return horner(c, r * r);
}

WR_INLINE double sin_from(double x, std::uint64_t turn) {
  std::uint64_t quadrant;
  const double r = reduce(x, quadrant);
  quadrant += turn;
  const double s = sine(r), c = cosine(r);
  const double v = select((quadrant & 1) != 0, c, s);
  const double w = select((quadrant & 2) != 0, -v, v);
  // Infinity has no sine; x - x is NaN for it and for NaN.
  return select(x - x == 0.0, w, std::bit_cast<double>(std::uint64_t{0x7ff8000000000000}));
}

WR_INLINE double sin_of(double x) {
  return select(x == 0.0, x, sin_from(x, 0));
}

// 1 - 2 / (e^2|x| + 1) loses bits near 0, where x - x^3/3 has them (relative error 2e-13 at 2^-10).
WR_INLINE double tanh_of(double x) {
  const double a = select(x < 0.0, -x, x);
  const double big = 1.0 - 2.0 / (ex2(a * 0x1.71547652b82fep1) + 1.0);
  const double small = x * (1.0 - x * x * (1.0 / 3));  // keeps -0
  const double r = select(a < 0x1p-10, small, select(x < 0.0, -big, big));
  return select(x == x, r, x);
}

WR_INLINE double rsqrt_of(double x) {
  return 1.0 / __builtin_sqrt(x);
}

// The NaN that single-precision operations give.
WR_INLINE float finish(double x) {
  const float r = static_cast<float>(x);
  return x == x ? r : std::bit_cast<float>(0x7fffffffu);
}

// Rounded to odd: a later rounding to a shorter format equals a single one.
WR_INLINE float finish_odd(double x) {
  const float r = static_cast<float>(x);
  const double back = r;
  std::uint32_t bits = std::bit_cast<std::uint32_t>(r);
  const bool far = __builtin_fabs(back) > __builtin_fabs(x), near = __builtin_fabs(back) < __builtin_fabs(x);
  const std::uint32_t step = far ? 0xffffffffu : near ? 1u : 0u;
  bits += (bits & 1) != 0 ? 0 : step;
  return x == x ? std::bit_cast<float>(bits) : std::bit_cast<float>(0x7fff0000u);
}

}  // namespace

double approximate_ex2(double x) {
  return ex2(x);
}
double approximate_lg2(double x) {
  return lg2(x);
}
double approximate_sin(double x) {
  return sin_of(x);
}
double approximate_cos(double x) {
  return sin_from(x, 1);
}
double approximate_tanh(double x) {
  return tanh_of(x);
}
double approximate_rsqrt(double x) {
  return rsqrt_of(x);
}

}  // namespace wanren::interp

using namespace wanren::interp;

#define WR_APPROX(name, function)                                          \
  extern "C" WR_CLONES void wr_##name##_f32(const float* in, float* out) { \
    for (int i = 0; i < 32; ++i) out[i] = finish(function);                \
  }
WR_APPROX(ex2, ex2(in[i]))
#define WR_APPROX_ODD(name, function)                                          \
  extern "C" WR_CLONES void wr_##name##_odd_f32(const float* in, float* out) { \
    for (int i = 0; i < 32; ++i) out[i] = finish_odd(function);                \
  }
WR_APPROX_ODD(ex2, ex2(in[i]))
WR_APPROX_ODD(tanh, tanh_of(in[i]))
WR_APPROX(lg2, lg2(in[i]))
WR_APPROX(sin, sin_of(in[i]))
WR_APPROX(cos, sin_from(in[i], 1))
WR_APPROX(tanh, tanh_of(in[i]))
WR_APPROX(rsqrt, rsqrt_of(in[i]))
