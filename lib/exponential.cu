// Exponentials. Single precision is built on the chip's own ex2; of libclc's doubles, sinh and cosh read
// beside a table for a NaN.
#include "device.h"

DEVICE double __nv_exp(double);
DEVICE double __nv_expm1(double);

// 2^(x * log), the logarithm in two parts: a whole power of two within [-126, 126], whose exponent falls out
// of the low bits of a sum, times ex2 of what is left, also where that is far. Only the last product rounds
// to a subnormal number.
INLINE float power_of_two(float x, float log, float log_low) {
  float share;
  asm("fma.rn.sat.f32 %0, %1, %2, 0f3F000000;" : "=f"(share) : "f"(x), "f"(log / 252.0f));
  const float sum = __builtin_fmaf(share, 252.0f, 0x1.8p23f + 1.0f), whole = sum - (0x1.8p23f + 127.0f);
  const float rest = __builtin_fmaf(x, log_low, __builtin_fmaf(x, log, -whole));
  return __nvvm_ex2_approx_ftz_f(rest) * from_bits(bits(sum) << 23);
}

DEVICE float __nv_expf(float x) {
  return power_of_two(x, 0x1.715476p0f, 0x1.4ae0cp-26f);
}
DEVICE float __nv_exp10f(float x) {
  return power_of_two(x, 0x1.a934fp1f, 0x1.2f346ep-24f);
}
DEVICE float __nv_exp2f(float x) {
  return __nvvm_ex2_approx_f(x);
}

// exp(a) / 2 for large a, infinite only where that is: exp(a - 64 log 2) 2^63, what the constant lacks as a
// factor.
INLINE double half_exp(double a) {
  if (a < 709.0) return 0.5 * __nv_exp(a);
  const double e = __nv_exp(a - 0x1.62e42fee00000p+5);
  return 0x1p63 * (e < __builtin_inf() ? __builtin_fma(e, -0x1.a39ef32c96ac3p-27, e) : e);
}
DEVICE double __nv_sinh(double x) {
  const double a = __builtin_fabs(x);
  if (a >= 22.0) return __builtin_copysign(half_exp(a), x);
  const double t = __nv_expm1(a);
  return __builtin_copysign(0.5 * (t + t / (t + 1.0)), x);
}
DEVICE double __nv_cosh(double x) {
  const double a = __builtin_fabs(x);
  if (a >= 22.0) return half_exp(a);
  const double e = __nv_exp(a);
  return __builtin_fma(0.5, e, 0.5 / e);
}
