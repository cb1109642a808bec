// Exponentials whose libclc versions lose subnormal results (expf, exp2f) or read beside a table for a NaN
// (sinh, cosh).
#include "device.h"

DEVICE double __nv_exp(double);
DEVICE double __nv_expm1(double);

// Like the hardware's own: ex2.approx of the reduced argument, then a power of two in two factors, so that
// only the last product rounds.
DEVICE float __nv_expf(float x) {
  // Past 250 the result is 0 or infinite; fmin and fmax also keep NaN out of the conversion.
  const float n = __builtin_fminf(__builtin_fmaxf(__builtin_rintf(x * 1.4426950408889634f), -250.0f), 250.0f);
  float r = __builtin_fmaf(n, -0.693147182464599609375f, x);
  r = __builtin_fmaf(n, 1.904654323148236e-09f, r);
  const int whole = (int)n, half = whole / 2;
  return __nvvm_ex2_approx_f(r * 1.4426950408889634f) * from_bits((u32)(127 + half) << 23) *
         from_bits((u32)(127 + whole - half) << 23);
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
