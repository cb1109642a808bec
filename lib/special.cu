// Functions that libclc lacks. The float versions are the double ones rounded: right to the last bit or
// nearly so, at the price of FP64 arithmetic.
#include "device.h"

DEVICE float __nv_cbrtf(float);
DEVICE double __nv_cbrt(double);
DEVICE double __nv_erf(double);
DEVICE double __nv_erfc(double);
DEVICE double __nv_exp(double);
DEVICE double __nv_log(double);

DEVICE float __nv_rcbrtf(float a) {
  return (float)(1.0 / __nv_cbrt((double)a));
}
DEVICE double __nv_rcbrt(double a) {
  return 1.0 / __nv_cbrt(a);
}

constexpr double root_pi = 1.7724538509055160273, root_half = 0.70710678118654752440, inf = __builtin_inf();

// exp(x^2) with the square's rounding error made good.
INLINE double exp_square(double x) {
  const double s = __nvvm_mul_rn_d(x, x), low = __builtin_fma(x, x, -s), e = __nv_exp(s);
  return e < inf ? __builtin_fma(e, low, e) : e;
}

// exp(x^2) erfc(x). From 10 on the asymptotic series sum (-1)^n (2n-1)!! / (2 x^2)^n, whose 14th term is
// below 2^-53.
INLINE double erfcx_positive(double x) {
  if (x < 10.0) return exp_square(x) * __nv_erfc(x);
  const double t = 0.5 / (x * x);
  double sum = 1.0;
  for (int n = 14; n > 0; --n) sum = __builtin_fma(-(2.0 * n - 1.0) * t, sum, 1.0);
  return 1.0 / root_pi * sum / x;
}
DEVICE double __nv_erfcx(double x) {
  if (x >= 0.0) return erfcx_positive(x);
  if (x < -26.7) return inf;
  return x < -6.0 ? 2.0 * exp_square(x) : exp_square(x) * __nv_erfc(x);
}
DEVICE float __nv_erfcxf(float x) {
  return (float)__nv_erfcx((double)x);
}

DEVICE double __nv_normcdf(double x) {
  // erfc at the unrounded argument: its logarithmic derivative is about -2 h there.
  const double h = __nvvm_mul_rn_d(-x, root_half);
  const double low = __builtin_fma(-x, root_half, -h) + x * 4.8336466567264567e-17;
  const double r = 0.5 * __nv_erfc(h);
  return h > 1.0 && h < 27.5 ? __builtin_fma(-2.0 / (root_pi * erfcx_positive(h)) * low, r, r) : r;
}
DEVICE float __nv_normcdff(float x) {
  return (float)(0.5 * __nv_erfc(-(double)x * root_half));
}

// Inverse functions: a start within some per cent, then Newton's steps.
INLINE double erfinv_small(double x) {  // |x| <= 0.5
  const double q = x * x;
  double y = 0.5 * root_pi * x *
             (1.0 + q * (0.26179938779914944 + q * (0.14393173084921979 + q * 0.0976636195037209)));
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
DEVICE double __nv_normcdfinv(double p) {
  return -1.4142135623730950488 * __nv_erfcinv(2.0 * p);
}
DEVICE float __nv_erfinvf(float x) {
  return (float)__nv_erfinv((double)x);
}
DEVICE float __nv_erfcinvf(float x) {
  return (float)__nv_erfcinv((double)x);
}
DEVICE float __nv_normcdfinvf(float p) {
  return (float)__nv_normcdfinv((double)p);
}

DEVICE float __nv_erfcf(float x) {
  return (float)__nv_erfc((double)x);
}

DEVICE double __nv_pow(double, double);
DEVICE double __nv_sinpi(double);

// Gamma by Stirling's series from 10 on, by its recurrence below, by reflection for negative arguments.
INLINE double stirling(double x) {
  const double r = 1.0 / x, t = r * r;
  double s = -3617.0 / 122400.0;
  s = __builtin_fma(s, t, 1.0 / 156.0);
  s = __builtin_fma(s, t, -691.0 / 360360.0);
  s = __builtin_fma(s, t, 1.0 / 1188.0);
  s = __builtin_fma(s, t, -1.0 / 1680.0);
  s = __builtin_fma(s, t, 1.0 / 1260.0);
  s = __builtin_fma(s, t, -1.0 / 360.0);
  s = __builtin_fma(s, t, 1.0 / 12.0);
  // (x - 1/2) / 2 is exact; the square of the power overflows only where the result does.
  const double p = __nv_pow(x, 0.5 * (x - 0.5));
  return p * __nv_exp(-x) * p * (2.5066282746310005024 * __nv_exp(s * r));
}
INLINE double gamma_positive(double x) {
  if (x > 171.7) return inf;
  if (x >= 10.0 && !(x <= 23.0 && __builtin_trunc(x) == x)) return stirling(x);
  double divisor = 1.0, n = 0.0;
  if (__builtin_trunc(x) == x) {  // Up to 22! the factorials are numbers of this type.
    for (; x > 2.0; x -= 1.0) divisor *= x - 1.0;
    return divisor;
  }
  for (; x + n < 10.0; n += 1.0) divisor *= x + n;
  // What rounding took from x + n, times the logarithmic derivative there.
  const double y = x + n, lost = x - (y - n), r = stirling(y) / divisor;
  return __builtin_fma(r, lost * (__nv_log(y) - 0.5 / y), r);
}
DEVICE double __nv_tgamma(double x) {
  if (x > 0.0) return gamma_positive(x);
  if (x == 0.0) return 1.0 / x;
  if (!(x > -inf) || __builtin_trunc(x) == x) return __builtin_nan("");
  if (x < -184.0) return 0.0 * __nv_sinpi(x);
  if (x > -1e-17) return 1.0 / x;
  double y = 1.0 - x, shrink = 1.0;
  const double lost = (1.0 - y) - x;
  // Gamma(1 - x) alone may overflow where the quotient is still a number.
  while (y > 160.0) {
    y -= 1.0;
    shrink /= y;
  }
  // What rounding took from 1 - x, as above.
  const double correction = __builtin_fma(-lost, __nv_log(y) - 0.5 / y, 1.0);
  return 3.14159265358979323846 / (__nv_sinpi(x) * gamma_positive(y)) * shrink * correction;
}
DEVICE float __nv_tgammaf(float x) {
  return (float)__nv_tgamma((double)x);
}
