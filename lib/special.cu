// Functions that libclc lacks. The float versions are the double ones rounded: right to the last bit or nearly so, at the
// price of FP64 arithmetic.
#include "device.h"

DEVICE float __nv_cbrtf(float);
DEVICE double __nv_cbrt(double);
DEVICE double __nv_erf(double);
DEVICE double __nv_erfc(double);
DEVICE double __nv_exp(double);
DEVICE double __nv_log(double);

DEVICE float __nv_rcbrtf(float a) { return (float)(1.0 / __nv_cbrt((double)a)); }
DEVICE double __nv_rcbrt(double a) { return 1.0 / __nv_cbrt(a); }

constexpr double root_pi = 1.7724538509055160273, root_half = 0.70710678118654752440, inf = __builtin_inf();

// exp(x^2) with the square's rounding error made good.
INLINE double exp_square(double x) {
  const double s = x * x, low = __builtin_fma(x, x, -s), e = __nv_exp(s);
  return __builtin_fma(e, low, e);
}

// exp(x^2) erfc(x). From 10 on the asymptotic series sum (-1)^n (2n-1)!! / (2 x^2)^n, whose 14th term is below 2^-53.
INLINE double erfcx_positive(double x) {
  if (x < 10.0) return exp_square(x) * __nv_erfc(x);
  const double t = 0.5 / (x * x);
  double sum = 1.0;
  for (int n = 14; n > 0; --n) sum = __builtin_fma(-(2.0 * n - 1.0) * t, sum, 1.0);
  return sum / (x * root_pi);
}
DEVICE double __nv_erfcx(double x) {
  if (x >= 0.0) return erfcx_positive(x);
  if (x < -26.7) return inf;
  return x < -6.0 ? 2.0 * exp_square(x) : exp_square(x) * __nv_erfc(x);
}
DEVICE float __nv_erfcxf(float x) { return (float)__nv_erfcx((double)x); }

DEVICE double __nv_normcdf(double x) {
  // erfc at the unrounded argument: its logarithmic derivative is about -2 h there.
  const double h = -x * root_half;
  const double low = __builtin_fma(-x, root_half, -h) + x * 4.8336466567264567e-17;
  const double r = 0.5 * __nv_erfc(h);
  return h > 1.0 && h < 27.5 ? __builtin_fma(-2.0 / (root_pi * erfcx_positive(h)) * low, r, r) : r;
}
DEVICE float __nv_normcdff(float x) { return (float)(0.5 * __nv_erfc(-(double)x * root_half)); }

// Inverse functions: a start within some per cent, then Newton's steps.
INLINE double erfinv_small(double x) {  // |x| <= 0.5
  const double q = x * x;
  double y = 0.5 * root_pi * x * (1.0 + q * (0.26179938779914944 + q * (0.14393173084921979 + q * 0.0976636195037209)));
  for (int i = 0; i < 3; ++i) y -= (__nv_erf(y) - x) * (0.5 * root_pi) * __nv_exp(y * y);
  return x == 0.0 ? x : y;
}
INLINE double erfcinv_small(double q) {  // 0 < q <= 0.5: solves y^2 - log erfcx(y) = -log q
  const double l = -__nv_log(q);
  double y = __builtin_sqrt(l > 1.0 ? l - 0.5 * __nv_log(3.14159265358979 * l) : 0.3);
  if (!(y > 0.4)) y = 0.4;
  for (int i = 0; i < 5; ++i) {
    const double e = erfcx_positive(y);
    y += (l + __nv_log(e) - y * y) * 0.5 * root_pi * e;
  }
  return y;
}
DEVICE double __nv_erfcinv(double q) {
  if (!(q > 0.0 && q < 2.0)) return q == 0.0 ? inf : q == 2.0 ? -inf : __builtin_nan("");
  if (q <= 0.5) return erfcinv_small(q);
  return q < 1.5 ? erfinv_small(1.0 - q) : -erfcinv_small(2.0 - q);
}
DEVICE double __nv_erfinv(double x) {
  const double a = __builtin_fabs(x);
  if (a <= 0.5) return erfinv_small(x);
  if (!(a < 1.0)) return a == 1.0 ? x * inf : __builtin_nan("");
  return x > 0.0 ? erfcinv_small(1.0 - a) : -erfcinv_small(1.0 - a);
}
DEVICE double __nv_normcdfinv(double p) { return -1.4142135623730950488 * __nv_erfcinv(2.0 * p); }
DEVICE float __nv_erfinvf(float x) { return (float)__nv_erfinv((double)x); }
DEVICE float __nv_erfcinvf(float x) { return (float)__nv_erfcinv((double)x); }
DEVICE float __nv_normcdfinvf(float p) { return (float)__nv_normcdfinv((double)p); }
