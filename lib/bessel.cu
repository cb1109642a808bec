// Bessel functions. Below 25 all J_n(x) come from backward recurrence (Miller), normalised by J_0 + 2 sum
// J_2k = 1, and the Y from Neumann's series in them (Abramowitz and Stegun 9.1.88, 9.1.89); from 25 on
// Hankel's asymptotic expansion (9.2.5). Absolute errors are a few 2^-53; near zeros of the functions
// relative ones are larger.
#include "device.h"

DEVICE double __nv_log(double);
DEVICE double __nv_exp(double);
DEVICE double __nv_sin(double);
DEVICE double __nv_cos(double);

constexpr double two_over_pi = 0.63661977236758134308, euler = 0.57721566490153286061, switch_over = 25.0;

struct Cylinder {
  double j0, j1, jn, y0, y1;
};

// 0 < x < 25, 0 <= n <= 40.
INLINE Cylinder by_recurrence(double x, int n) {
  Cylinder c = {};
  const double inverse = 2.0 / x;
  double above = 0.0, here = 1e-250, norm = 0.0, s0 = 0.0, s1 = 0.0;
  // J_76(25) is below 2^-60 of the largest.
  for (int k = (x < 2.0 ? 30 : 76); k >= 1; --k) {
    if (k == n) c.jn = here;
    if (k & 1) {
      const int m = k / 2;
      if (m > 0) s1 += (m & 1 ? -1.0 : 1.0) * (2.0 * m + 1.0) / ((double)m * (m + 1.0)) * here;
    } else {
      const int m = k / 2;
      norm += here;
      s0 += (m & 1 ? -1.0 : 1.0) / m * here;
    }
    if (k == 1) c.j1 = here;
    const double below = k * inverse * here - above;
    above = here, here = below;
    if (__builtin_fabs(here) > 1e250) {
      here *= 1e-250, above *= 1e-250, norm *= 1e-250, s0 *= 1e-250, s1 *= 1e-250, c.jn *= 1e-250,
          c.j1 *= 1e-250;
    }
  }
  if (n == 0) c.jn = here;
  const double scale = 1.0 / (here + 2.0 * norm);
  c.j0 = here * scale, c.j1 *= scale, c.jn *= scale;
  const double l = __nv_log(0.5 * x) + euler;
  c.y0 = two_over_pi * (l * c.j0 - 2.0 * s0 * scale);
  c.y1 = two_over_pi * ((l - 1.0) * c.j1 - 1.0 / x * c.j0 - s1 * scale);
  return c;
}

// J_v and Y_v for x >= 25, v = 0 or 1.
INLINE void by_hankel(double x, int v, double& j, double& y) {
  const double mu = 4.0 * v, z = 1.0 / (8.0 * x);
  double term = 1.0, p = 1.0, q = 0.0;
  for (int k = 1; k < 24; ++k) {
    const double odd = 2.0 * k - 1.0;
    term *= (mu - odd * odd) * z / k;
    if (k & 1)
      q += (k & 2 ? -term : term);
    else
      p += (k & 2 ? -term : term);
  }
  const double s = __nv_sin(x), c = __nv_cos(x);
  // cos and sin of x - v pi/2 - pi/4, times sqrt 2.
  const double cc = v ? s - c : c + s, ss = v ? -(s + c) : s - c;
  const double r = __builtin_sqrt(0.5 * two_over_pi / x);
  j = r * (p * cc - q * ss);
  y = r * (p * ss + q * cc);
}

INLINE double bessel_j(int n, double x) {
  const double a = __builtin_fabs(x);
  const double sign = x < 0.0 && (n & 1) ? -1.0 : 1.0;
  if (!(a < __builtin_inf())) return a == __builtin_inf() ? sign * 0.0 : x;
  if (a == 0.0) return n == 0 ? 1.0 : n & 1 ? x : 0.0;
  if (a < switch_over && n <= 40) {
    if (a < 1e-8) return n == 0 ? 1.0 : n == 1 ? 0.5 * x : n == 2 ? 0.125 * a * a : 0.0;
    const Cylinder c = by_recurrence(a, n);
    return sign * (n == 0 ? c.j0 : n == 1 ? c.j1 : c.jn);
  }
  if (n <= 1) {
    double j, y;
    by_hankel(a, n, j, y);
    return sign * j;
  }
  if (a > n) {
    double before, here, unused;
    if (a < switch_over) {
      const Cylinder c = by_recurrence(a, 0);
      before = c.j0, here = c.j1;
    } else {
      by_hankel(a, 0, before, unused);
      by_hankel(a, 1, here, unused);
    }
    for (int k = 1; k < n; ++k) {
      const double next = 2.0 * k / a * here - before;
      before = here, here = next;
    }
    return sign * here;
  }
  // Order above the argument: backward from well above it.
  double above = 0.0, here = 1e-250, norm = 0.0, wanted = 0.0;
  const int top = (n + 40 + (int)__builtin_sqrt(60.0 * n)) & ~1;
  for (int k = top; k >= 1; --k) {
    if (k == n) wanted = here;
    if (!(k & 1)) norm += here;
    const double below = 2.0 * k / a * here - above;
    above = here, here = below;
    if (__builtin_fabs(here) > 1e250) here *= 1e-250, above *= 1e-250, norm *= 1e-250, wanted *= 1e-250;
  }
  return sign * wanted / (here + 2.0 * norm);
}

INLINE double bessel_y(int n, double x) {
  if (x == 0.0) return -__builtin_inf();
  if (!(x > 0.0)) return __builtin_nan("");
  if (x == __builtin_inf()) return 0.0;
  double y0, y1, unused;
  if (x < 1e-8) {
    y0 = two_over_pi * (__nv_log(x) + (euler - 0.69314718055994530942)), y1 = -two_over_pi / x;
  } else if (x < switch_over) {
    const Cylinder c = by_recurrence(x, 0);
    y0 = c.y0, y1 = c.y1;
  } else {
    by_hankel(x, 0, unused, y0);
    by_hankel(x, 1, unused, y1);
  }
  if (n == 0) return y0;
  for (int k = 1; k < n; ++k) {
    const double next = 2.0 * k / x * y1 - y0;
    y0 = y1, y1 = next;
    if (y1 == -__builtin_inf()) break;
  }
  return y1;
}

DEVICE double __nv_j0(double x) {
  return bessel_j(0, x);
}
DEVICE double __nv_j1(double x) {
  return bessel_j(1, x);
}
DEVICE double __nv_jn(int n, double x) {
  return n < 0 ? __builtin_nan("") : bessel_j(n, x);
}
DEVICE double __nv_y0(double x) {
  return bessel_y(0, x);
}
DEVICE double __nv_y1(double x) {
  return bessel_y(1, x);
}
DEVICE double __nv_yn(int n, double x) {
  return n < 0 ? __builtin_nan("") : bessel_y(n, x);
}
DEVICE float __nv_j0f(float x) {
  return (float)__nv_j0((double)x);
}
DEVICE float __nv_j1f(float x) {
  return (float)__nv_j1((double)x);
}
DEVICE float __nv_jnf(int n, float x) {
  return (float)__nv_jn(n, (double)x);
}
DEVICE float __nv_y0f(float x) {
  return (float)__nv_y0((double)x);
}
DEVICE float __nv_y1f(float x) {
  return (float)__nv_y1((double)x);
}
DEVICE float __nv_ynf(int n, float x) {
  return (float)__nv_yn(n, (double)x);
}

// Modified functions: the power series has positive terms only; from 30 on the asymptotic expansion (9.7.1).
INLINE double bessel_i(int v, double x) {
  const double a = __builtin_fabs(x);
  double r;
  if (a < 30.0) {
    const double q = 0.25 * a * a;
    double term = v ? 0.5 * a : 1.0, sum = term;
    for (int k = 1; k < 200 && term > sum * 1e-18; ++k) {
      term *= q / ((double)k * (k + v));
      sum += term;
    }
    r = sum;
  } else {
    const double mu = 4.0 * v, z = 1.0 / (8.0 * a);
    double term = 1.0, sum = 1.0;
    for (int k = 1; k < 24; ++k) {
      const double odd = 2.0 * k - 1.0;
      term *= -(mu - odd * odd) * z / k;
      sum += term;
    }
    // exp(a) in two factors, so that only the result overflows.
    const double half = __nv_exp(0.5 * a);
    r = a == __builtin_inf() ? a : half * (sum / __builtin_sqrt(6.28318530717958647693 * a)) * half;
  }
  return v && x < 0.0 ? -r : r;
}
DEVICE double __nv_cyl_bessel_i0(double x) {
  return bessel_i(0, x);
}
DEVICE double __nv_cyl_bessel_i1(double x) {
  return bessel_i(1, x);
}
DEVICE float __nv_cyl_bessel_i0f(float x) {
  return (float)bessel_i(0, (double)x);
}
DEVICE float __nv_cyl_bessel_i1f(float x) {
  return (float)bessel_i(1, (double)x);
}
