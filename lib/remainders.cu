// fmod, remainder and remquo: exact, as IEEE 754 has them. libclc's flush subnormal numbers.
#include "device.h"

INLINE float divide(float a, float b) {
  return __nvvm_div_rz_f(a, b);
}
INLINE double divide(double a, double b) {
  return __nvvm_div_rz_d(a, b);
}
INLINE float truncated(float a) {
  return __builtin_truncf(a);
}
INLINE double truncated(double a) {
  return __builtin_trunc(a);
}
INLINE float fused(float a, float b, float c) {
  return __builtin_fmaf(a, b, c);
}
INLINE double fused(double a, double b, double c) {
  return __builtin_fma(a, b, c);
}
INLINE float power_of_two(int n, float) {
  return from_bits((u32)(127 + n) << 23);
}
INLINE double power_of_two(int n, double) {
  return from_bits((u64)(1023 + n) << 52);
}
// Biased, as if subnormal numbers had more exponents.
INLINE int exponent(float x) {
  return x < 0x1p-126f ? (int)(bits(x * 0x1p24f) >> 23) - 24 : (int)(bits(x) >> 23);
}
INLINE int exponent(double x) {
  return x < 0x1p-1022 ? (int)(bits(x * 0x1p54) >> 52) - 54 : (int)(bits(x) >> 52);
}
INLINE float with_sign(float size, float sign) {
  return __builtin_copysignf(size, sign);
}
INLINE double with_sign(double size, double sign) {
  return __builtin_copysign(size, sign);
}
template <typename T>
INLINE T infinity() {
  return (T)__builtin_inf();
}

// Finite a >= 0, b > 0; adds the quotient to `quotient`, modulo 8. A quotient rounded towards zero never
// passes the next integer, so each step is exact.
template <typename T>
INLINE T modulus(T a, T b, u32& quotient) {
  constexpr int step = sizeof(T) == 4 ? 21 : 50;  // The quotient of a step stays below 2^(step + 2).
  while (a >= b) {
    // In two factors: the power itself may overflow.
    const int ahead = exponent(a) - exponent(b) - step, far = sizeof(T) == 4 ? 250 : 2040;
    const int shift = ahead < 0 ? 0 : ahead > far ? far : ahead, half = shift / 2;
    const T scaled = b * power_of_two(half, b) * power_of_two(shift - half, b),
            q = truncated(divide(a, scaled));
    a = fused(-q, scaled, a);
    if (shift < 3) quotient += (u32)(u64)q << shift;
  }
  return a;
}
template <typename T>
INLINE T fmod_of(T x, T y) {
  const T a = with_sign(x, (T)1), b = with_sign(y, (T)1);
  if (!(a < infinity<T>()) || !(b > 0)) return (T)__builtin_nan("");
  if (b == infinity<T>()) return x;
  u32 unused = 0;
  return with_sign(modulus(a, b, unused), x);
}
template <typename T>
INLINE T remainder_of(T x, T y, u32& quotient) {
  T a = with_sign(x, (T)1);
  const T b = with_sign(y, (T)1);
  if (!(a < infinity<T>()) || !(b > 0)) return (T)__builtin_nan("");
  if (b == infinity<T>()) return x;
  constexpr T largest = sizeof(T) == 4 ? (T)0x1.fffffep126 : (T)0x1.fffffffffffffp1022, least = 4 / largest;
  if (b <= largest) {
    a = modulus(a, b + b, quotient);
    quotient *= 2;
  }
  // Now a < 2 b: take b away until the rest is at most half of it; a tie goes to the even quotient.
  const T half = (T)0.5 * b;
  const bool tiny = b < least;  // Its half may not be a number.
  if (tiny ? a + a > b : a > half) {
    a -= b;
    ++quotient;
    if (tiny ? a + a >= b : a >= half) {
      a -= b;
      ++quotient;
    }
  }
  return a < 0 ? with_sign(a, with_sign((T)1, x) < 0 ? (T)1 : (T)-1) : with_sign(a, x);
}
template <typename T>
INLINE T remquo_of(T x, T y, int* quotient) {
  u32 q = 0;
  const T r = remainder_of(x, y, q);
  const int low = (int)(q & 7);
  *quotient = (with_sign((T)1, x) < 0) != (with_sign((T)1, y) < 0) ? -low : low;
  return r;
}

DEVICE float __nv_fmodf(float x, float y) {
  return fmod_of(x, y);
}
DEVICE double __nv_fmod(double x, double y) {
  return fmod_of(x, y);
}
DEVICE float __nv_remainderf(float x, float y) {
  u32 unused = 0;
  return remainder_of(x, y, unused);
}
DEVICE double __nv_remainder(double x, double y) {
  u32 unused = 0;
  return remainder_of(x, y, unused);
}
DEVICE float __nv_remquof(float x, float y, int* quotient) {
  return remquo_of(x, y, quotient);
}
DEVICE double __nv_remquo(double x, double y, int* quotient) {
  return remquo_of(x, y, quotient);
}
