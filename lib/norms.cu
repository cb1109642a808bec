// Norms: scaled by a power of two so that squares neither overflow nor vanish.
#include "device.h"

DEVICE float __nv_ldexpf(float, int);
DEVICE double __nv_ldexp(double, int);

// 2^-e of the largest magnitude; 1 for zero, infinity and NaN.
INLINE float scale_of(float m) {
  const int e = (int)(bits(m) >> 23) & 255;
  return e == 255 ? 1.0f : from_bits((u32)(254 - (e < 2 ? 2 : e > 252 ? 252 : e)) << 23);
}
INLINE float root(float m, float sum, float k) {
  return m == __builtin_inff() ? m : __builtin_sqrtf(sum) / k;
}

DEVICE float __nv_norm3df(float a, float b, float c) {
  const float m = __builtin_fmaxf(__builtin_fmaxf(__builtin_fabsf(a), __builtin_fabsf(b)),
                                  __builtin_fabsf(c)),
              k = scale_of(m);
  a *= k, b *= k, c *= k;
  return root(m, __builtin_fmaf(c, c, __builtin_fmaf(b, b, a * a)), k);
}
DEVICE float __nv_rnorm3df(float a, float b, float c) {
  const float m = __builtin_fmaxf(__builtin_fmaxf(__builtin_fabsf(a), __builtin_fabsf(b)),
                                  __builtin_fabsf(c)),
              k = scale_of(m);
  a *= k, b *= k, c *= k;
  return m == __builtin_inff() ? 0.0f
                               : k / __builtin_sqrtf(__builtin_fmaf(c, c, __builtin_fmaf(b, b, a * a)));
}
DEVICE float __nv_norm4df(float a, float b, float c, float d) {
  const float m = __builtin_fmaxf(__builtin_fmaxf(__builtin_fmaxf(__builtin_fabsf(a), __builtin_fabsf(b)),
                                                  __builtin_fabsf(c)),
                                  __builtin_fabsf(d)),
              k = scale_of(m);
  a *= k, b *= k, c *= k, d *= k;
  return root(m, __builtin_fmaf(d, d, __builtin_fmaf(c, c, __builtin_fmaf(b, b, a * a))), k);
}
DEVICE float __nv_rnorm4df(float a, float b, float c, float d) {
  const float m = __builtin_fmaxf(__builtin_fmaxf(__builtin_fmaxf(__builtin_fabsf(a), __builtin_fabsf(b)),
                                                  __builtin_fabsf(c)),
                                  __builtin_fabsf(d)),
              k = scale_of(m);
  a *= k, b *= k, c *= k, d *= k;
  return m == __builtin_inff()
             ? 0.0f
             : k / __builtin_sqrtf(__builtin_fmaf(d, d, __builtin_fmaf(c, c, __builtin_fmaf(b, b, a * a))));
}
DEVICE float __nv_rhypotf(float a, float b) {
  const float m = __builtin_fmaxf(__builtin_fabsf(a), __builtin_fabsf(b)), k = scale_of(m);
  a *= k, b *= k;
  return m == __builtin_inff() ? 0.0f : k / __builtin_sqrtf(__builtin_fmaf(b, b, a * a));
}
DEVICE float __nv_normf(int n, const float* v) {
  float m = 0;
  for (int i = 0; i < n; ++i) m = __builtin_fmaxf(m, __builtin_fabsf(v[i]));
  const float k = scale_of(m);
  float sum = 0;
  for (int i = 0; i < n; ++i) sum = __builtin_fmaf(v[i] * k, v[i] * k, sum);
  return root(m, sum, k);
}
DEVICE float __nv_rnormf(int n, const float* v) {
  float m = 0;
  for (int i = 0; i < n; ++i) m = __builtin_fmaxf(m, __builtin_fabsf(v[i]));
  const float k = scale_of(m);
  float sum = 0;
  for (int i = 0; i < n; ++i) sum = __builtin_fmaf(v[i] * k, v[i] * k, sum);
  return m == __builtin_inff() ? 0.0f : k / __builtin_sqrtf(sum);
}
// 2^-e of the largest magnitude; 1 for zero, infinity and NaN.
INLINE double scale_of(double m) {
  const int e = (int)(bits(m) >> 52) & 2047;
  return e == 2047 ? 1.0 : from_bits((u64)(2046 - (e < 2 ? 2 : e > 2044 ? 2044 : e)) << 52);
}
INLINE double root(double m, double sum, double k) {
  return m == __builtin_inf() ? m : __builtin_sqrt(sum) / k;
}

DEVICE double __nv_norm3d(double a, double b, double c) {
  const double m = __builtin_fmax(__builtin_fmax(__builtin_fabs(a), __builtin_fabs(b)), __builtin_fabs(c)),
               k = scale_of(m);
  a *= k, b *= k, c *= k;
  return root(m, __builtin_fma(c, c, __builtin_fma(b, b, a * a)), k);
}
DEVICE double __nv_rnorm3d(double a, double b, double c) {
  const double m = __builtin_fmax(__builtin_fmax(__builtin_fabs(a), __builtin_fabs(b)), __builtin_fabs(c)),
               k = scale_of(m);
  a *= k, b *= k, c *= k;
  return m == __builtin_inf() ? 0.0 : k / __builtin_sqrt(__builtin_fma(c, c, __builtin_fma(b, b, a * a)));
}
DEVICE double __nv_norm4d(double a, double b, double c, double d) {
  const double m = __builtin_fmax(
                   __builtin_fmax(__builtin_fmax(__builtin_fabs(a), __builtin_fabs(b)), __builtin_fabs(c)),
                   __builtin_fabs(d)),
               k = scale_of(m);
  a *= k, b *= k, c *= k, d *= k;
  return root(m, __builtin_fma(d, d, __builtin_fma(c, c, __builtin_fma(b, b, a * a))), k);
}
DEVICE double __nv_rnorm4d(double a, double b, double c, double d) {
  const double m = __builtin_fmax(
                   __builtin_fmax(__builtin_fmax(__builtin_fabs(a), __builtin_fabs(b)), __builtin_fabs(c)),
                   __builtin_fabs(d)),
               k = scale_of(m);
  a *= k, b *= k, c *= k, d *= k;
  return m == __builtin_inf()
             ? 0.0
             : k / __builtin_sqrt(__builtin_fma(d, d, __builtin_fma(c, c, __builtin_fma(b, b, a * a))));
}
DEVICE double __nv_rhypot(double a, double b) {
  const double m = __builtin_fmax(__builtin_fabs(a), __builtin_fabs(b)), k = scale_of(m);
  a *= k, b *= k;
  if (m == __builtin_inf()) return 0.0;
  // One step of Newton's method against what rounding took from the sum of squares.
  const double aa = __nvvm_mul_rn_d(a, a), s = __builtin_fma(b, b, aa), r = 1.0 / __builtin_sqrt(s);
  const double lost = __builtin_fma(b, b, aa - s) + __builtin_fma(a, a, -aa);
  const double e = __builtin_fma(-__nvvm_mul_rn_d(s, r), r, 1.0) - lost * r * r;
  return r < __builtin_inf() ? k * __builtin_fma(0.5 * r, e, r) : r;
}
DEVICE double __nv_norm(int n, const double* v) {
  double m = 0;
  for (int i = 0; i < n; ++i) m = __builtin_fmax(m, __builtin_fabs(v[i]));
  const double k = scale_of(m);
  double sum = 0;
  for (int i = 0; i < n; ++i) sum = __builtin_fma(v[i] * k, v[i] * k, sum);
  return root(m, sum, k);
}
DEVICE double __nv_rnorm(int n, const double* v) {
  double m = 0;
  for (int i = 0; i < n; ++i) m = __builtin_fmax(m, __builtin_fabs(v[i]));
  const double k = scale_of(m);
  double sum = 0;
  for (int i = 0; i < n; ++i) sum = __builtin_fma(v[i] * k, v[i] * k, sum);
  return m == __builtin_inf() ? 0.0 : k / __builtin_sqrt(sum);
}
