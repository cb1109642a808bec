// Device math against the host's long double: the largest error in units in the last place, against the
// bounds of the CUDA C++ Programming Guide ("Mathematical Functions", "Standard Functions").
#include <cuda_runtime.h>

#include <cmath>
#include <cstdio>
#include <cstring>
#include <limits>
#include <random>
#include <type_traits>
#include <vector>

// X(name, float bound, double bound, low, high, reference in long double of x): sampled between low and high,
// and at every edge of the whole range.
#define FUNCTIONS(X)                                                              \
  X(sin, 2, 2, -1e5, 1e5, sinl(x))                                                \
  X(cos, 2, 2, -1e5, 1e5, cosl(x))                                                \
  X(tan, 4, 2, -1e4, 1e4, tanl(x))                                                \
  X(asin, 2, 2, -1, 1, asinl(x))                                                  \
  X(acos, 2, 2, -1, 1, acosl(x))                                                  \
  X(atan, 2, 2, -1e3, 1e3, atanl(x))                                              \
  X(sinh, 3, 2, -80, 80, sinhl(x))                                                \
  X(cosh, 2, 1, -80, 80, coshl(x))                                                \
  X(tanh, 2, 2, -10, 10, tanhl(x))                                                \
  X(asinh, 3, 3, -1e4, 1e4, asinhl(x))                                            \
  X(acosh, 4, 3, 1, 1e4, acoshl(x))                                               \
  X(atanh, 3, 2, -1, 1, atanhl(x))                                                \
  X(exp, 2, 1, -80, 80, expl(x))                                                  \
  X(exp2, 2, 1, -120, 120, exp2l(x))                                              \
  X(exp10, 2, 1, -37, 37, powl(10.0L, x))                                         \
  X(expm1, 1, 1, -20, 80, expm1l(x))                                              \
  X(log, 1, 1, 1e-30, 1e30, logl(x))                                              \
  X(log2, 1, 1, 1e-30, 1e30, log2l(x))                                            \
  X(log10, 2, 1, 1e-30, 1e30, log10l(x))                                          \
  X(log1p, 1, 1, -0.99, 1e6, log1pl(x))                                           \
  X(logb, 0, 0, -1e6, 1e6, logbl(x))                                              \
  X(erf, 2, 2, -6, 6, erfl(x))                                                    \
  X(erfc, 4, 5, -6, 9, erfcl(x))                                                  \
  X(erfinv, 2, 5, -1, 1, erfinvl(x))                                              \
  X(erfcinv, 4, 6, 1e-30, 2, erfcinvl(x))                                         \
  X(normcdfinv, 5, 8, 1e-30, 1, normcdfinvl(x))                                   \
  X(tgamma, 5, 10, 0.1, 30, tgammal(x))                                           \
  X(lgamma, 6, 4, 0.1, 1e5, x > -11.01L && x < -2.26L ? unspecified : lgammal(x)) \
  X(cbrt, 1, 1, -1e6, 1e6, cbrtl(x))                                              \
  X(rcbrt, 1, 1, 1e-6, 1e6, 1.0L / cbrtl(x))                                      \
  X(sqrt, 0, 0, 0, 1e30, sqrtl(x))                                                \
  X(rsqrt, 2, 1, 1e-30, 1e30, 1.0L / sqrtl(x))                                    \
  X(sinpi, 1, 2, -100, 100, sinpil(x))                                            \
  X(cospi, 1, 2, -100, 100, cospil(x))                                            \
  X(normcdf, 5, 5, -8, 8, 0.5L * erfcl(-x * root_half))                           \
  X(erfcx, 4, 4, -5, 40, erfcxl(x))                                               \
  X(j0, 9, 20, -8, 8, bessel(x, j0l(x)))                                          \
  X(j1, 9, 20, -8, 8, bessel(x, j1l(x)))                                          \
  X(y0, 9, 20, 1e-3, 8, bessel(x, y0l(x)))                                        \
  X(y1, 9, 20, 1e-3, 8, bessel(x, y1l(x)))                                        \
  X(fabs, 0, 0, -1e6, 1e6, fabsl(x))                                              \
  X(floor, 0, 0, -1e6, 1e6, floorl(x))                                            \
  X(ceil, 0, 0, -1e6, 1e6, ceill(x))                                              \
  X(trunc, 0, 0, -1e6, 1e6, truncl(x))                                            \
  X(round, 0, 0, -1e3, 1e3, roundl(x))                                            \
  X(nearbyint, 0, 0, -1e3, 1e3, nearbyintl(x))                                    \
  X(rint, 0, 0, -1e3, 1e3, rintl(x))

// Where results are subnormal or about to overflow: X(name, float from, to, double from, to).
#define BOUNDARIES(X)                       \
  X(exp, -104.5, -86.5, -746, -707)         \
  X(exp, 88, 89, 709, 710)                  \
  X(exp2, -151, -125, -1076, -1021)         \
  X(exp2, 127, 128.5, 1023, 1024.5)         \
  X(exp10, -46, -37.5, -324.5, -307)        \
  X(exp10, 38, 39, 308, 309)                \
  X(expm1, -1e-37, 1e-37, -1e-307, 1e-307)  \
  X(expm1, 88, 89, 709, 710)                \
  X(sinh, 88, 90, 709, 711)                 \
  X(cosh, 88, 90, 709, 711)                 \
  X(sinh, -1e-37, 1e-37, -1e-307, 1e-307)   \
  X(tanh, -1e-37, 1e-37, -1e-307, 1e-307)   \
  X(asin, -1e-37, 1e-37, -1e-307, 1e-307)   \
  X(atan, -1e-37, 1e-37, -1e-307, 1e-307)   \
  X(asinh, -1e-37, 1e-37, -1e-307, 1e-307)  \
  X(atanh, -1e-37, 1e-37, -1e-307, 1e-307)  \
  X(log1p, -1e-37, 1e-37, -1e-307, 1e-307)  \
  X(sin, -1e-37, 1e-37, -1e-307, 1e-307)    \
  X(tan, -1e-37, 1e-37, -1e-307, 1e-307)    \
  X(sinpi, -1e-37, 1e-37, -1e-307, 1e-307)  \
  X(erf, -1e-37, 1e-37, -1e-307, 1e-307)    \
  X(erfinv, -1e-37, 1e-37, -1e-307, 1e-307) \
  X(erfcinv, 0, 1e-37, 0, 1e-307)           \
  X(normcdfinv, 0, 1e-37, 0, 1e-307)        \
  X(erfc, 9, 10.2, 26, 27.3)                \
  X(normcdf, -14.5, -12.9, -38.6, -37.4)    \
  X(erfcx, 1e37, 3e38, 1e307, 1.7e308)      \
  X(erfcx, -9.5, -9, -26.7, -26.5)          \
  X(tgamma, -45, -32, -185, -169)           \
  X(tgamma, -32, 0, -169, 0)                \
  X(tgamma, 34, 36, 170, 172)               \
  X(tgamma, 0, 1e-37, 0, 1e-307)            \
  X(lgamma, 0.9, 2.1, 0.9, 2.1)             \
  X(lgamma, 0, 1e-37, 0, 1e-307)            \
  X(log, 0, 1e-37, 0, 1e-307)               \
  X(log, 0.99, 1.01, 0.99, 1.01)            \
  X(log2, 0, 1e-37, 0, 1e-307)              \
  X(log2, 0.99, 1.01, 0.99, 1.01)           \
  X(log10, 0, 1e-37, 0, 1e-307)             \
  X(log10, 0.99, 1.01, 0.99, 1.01)          \
  X(logb, 0, 1e-37, 0, 1e-307)              \
  X(cbrt, -1e-37, 1e-37, -1e-307, 1e-307)   \
  X(rcbrt, -1e-37, 1e-37, -1e-307, 1e-307)  \
  X(sqrt, 0, 1e-37, 0, 1e-307)              \
  X(rsqrt, 0, 1e-37, 0, 1e-307)             \
  X(j1, -1e-37, 1e-37, -1e-307, 1e-307)     \
  X(acosh, 1, 1.001, 1, 1.001)              \
  X(acos, 0.999, 1, 0.999, 1)

#define FUNCTIONS2(X)                                                            \
  X(pow, 4, 2, 1e-3, 1e3, -10, 10, powl(x, y))                                   \
  X(atan2, 3, 2, -100, 100, -100, 100, atan2l(x, y))                             \
  X(hypot, 3, 2, -1e18, 1e18, -1e18, 1e18, hypotl(x, y))                         \
  X(rhypot, 2, 1, -1e18, 1e18, -1e18, 1e18, 1.0L / hypotl(x, y))                 \
  X(fmod, 0, 0, -1e4, 1e4, 1e-2, 1e2, fmodl(x, y))                               \
  X(remainder, 0, 0, -1e4, 1e4, 1e-2, 1e2, remainderl(x, y))                     \
  X(fdim, 0, 0, -10, 10, -10, 10, fdiml(x, y))                                   \
  X(fmin, 0, 0, -10, 10, -10, 10, either_zero(x, y) ? unspecified : fminl(x, y)) \
  X(fmax, 0, 0, -10, 10, -10, 10, either_zero(x, y) ? unspecified : fmaxl(x, y)) \
  X(copysign, 0, 0, -10, 10, -10, 10, copysignl(x, y))

// Results that are numbers of the type must be met exactly: X(name, integers from, to, argument, result).
#define EXACT(X)                                       \
  X(tgamma, 1, 23, i, tgammal(i))                      \
  X(exp2, -1074, 1023, i, ldexpl(1, i))                \
  X(exp10, 0, 22, i, rintl(powl(10, i)))               \
  X(log2, -1074, 1023, ldexpl(1, i), i)                \
  X(log10, 0, 22, rintl(powl(10, i)), i)               \
  X(cbrt, -200, 200, (long double)i* i* i, i)          \
  X(cbrt, -340, 340, ldexpl(1, 3 * i), ldexpl(1, i))   \
  X(rsqrt, -500, 500, ldexpl(1, 2 * i), ldexpl(1, -i)) \
  X(sqrt, 0, 200, (long double)i* i, i)                \
  X(sinpi, -200, 200, i * 0.5L, sinpil(i * 0.5L))      \
  X(cospi, -200, 200, i * 0.5L, cospil(i * 0.5L))      \
  X(lgamma, 1, 2, i, 0)                                \
  X(exp, 0, 0, i, 1)                                   \
  X(normcdf, 0, 0, i, 0.5L)                            \
  X(logb, -1074, 1023, ldexpl(1, i), i)

constexpr long double pi = 3.14159265358979323846264338327950288L, root_pi = 1.77245385090551602729816748334L,
                      root_half = 0.70710678118654752440084436210484903928L;
constexpr long double unspecified = 0x1.8e3a5p1001L;  // CUDA gives no bound there.

static bool either_zero(long double x, long double y) {
  return x == 0 && y == 0;
}
// Around their zeros the Bessel functions are right to a few units of their amplitude only, so that the
// double ones keep 20 ulp where they exceed 0.1, not CUDA's 7.
static long double bessel(long double x, long double exact) {
  return fabsl(x) > 0.5L && fabsl(exact) < 0.1L ? unspecified : exact;
}
static long double sinpil(long double x) {
  long double r = remainderl(x, 2);
  if (fabsl(r) > 0.5L) r = copysignl(1, r) - r;
  return r == 0 ? copysignl(0, x) : sinl(pi * r);
}
static long double cospil(long double x) {
  return sinpil(0.5L - fabsl(remainderl(x, 2)));
}
static long double erfcxl(long double x) {
  if (x < 11) return expl(x * x) * erfcl(x);
  const long double t = 0.5L / (x * x);
  long double sum = 1;
  for (int n = 20; n > 0; --n) sum = 1 - (2 * n - 1) * t * sum;
  return sum / (x * root_pi);
}
// Inverses by Newton's method; of the complement, on its logarithm.
static long double erfinvl(long double x);
static long double erfcinvl(long double q) {
  if (!(q > 0 && q < 2)) return q == 0 ? INFINITY : q == 2 ? -INFINITY : NAN;
  if (q > 0.5L) return q < 1.5L ? erfinvl(1 - q) : -erfcinvl(2 - q);
  long double y = sqrtl(-logl(q));
  for (int i = 0; i < 60; ++i) {
    const long double e = erfcxl(y), step = (y * y - logl(e) + logl(q)) * 0.5L * root_pi * e;
    y -= step;
    if (fabsl(step) < 1e-19L * fabsl(y)) break;
  }
  return y;
}
static long double erfinvl(long double x) {
  const long double a = fabsl(x);
  if (!(a < 1)) return a == 1 ? x * INFINITY : NAN;
  if (a >= 0.5L) return copysignl(erfcinvl(1 - a), x);
  long double y = 0.5L * root_pi * x;
  for (int i = 0; i < 20 && x != 0; ++i) y -= (erfl(y) - x) * 0.5L * root_pi * expl(y * y);
  return y;
}
static long double normcdfinvl(long double p) {
  return -erfcinvl(2 * p) / root_half;
}

#define KERNELS(NAME, ...)                                                     \
  __global__ void NAME##_f(int n, const float* x, const float*, float* r) {    \
    const int i = blockIdx.x * blockDim.x + threadIdx.x;                       \
    if (i < n) r[i] = NAME##f(x[i]);                                           \
  }                                                                            \
  __global__ void NAME##_d(int n, const double* x, const double*, double* r) { \
    const int i = blockIdx.x * blockDim.x + threadIdx.x;                       \
    if (i < n) r[i] = NAME(x[i]);                                              \
  }
FUNCTIONS(KERNELS)
#define KERNELS2(NAME, ...)                                                      \
  __global__ void NAME##_f(int n, const float* x, const float* y, float* r) {    \
    const int i = blockIdx.x * blockDim.x + threadIdx.x;                         \
    if (i < n) r[i] = NAME##f(x[i], y[i]);                                       \
  }                                                                              \
  __global__ void NAME##_d(int n, const double* x, const double* y, double* r) { \
    const int i = blockIdx.x * blockDim.x + threadIdx.x;                         \
    if (i < n) r[i] = NAME(x[i], y[i]);                                          \
  }
FUNCTIONS2(KERNELS2)

static std::mt19937_64 engine(1);

template <typename T>
std::vector<T> samples(int n, double low, double high) {
  std::vector<T> v(n);
  for (int i = 0; i < n; ++i) {
    const double u = (double)(engine() >> 11) * 0x1p-53;
    // Wide ranges are sampled by magnitude, every other time.
    if (high / (low > 0 ? low : 1e-3) > 1e3 && i % 2) {
      const double least = low > 0 ? std::log(low) : std::log(1e-6), most = std::log(high);
      v[i] = (T)std::exp(least + u * (most - least));
      if (low < 0 && i % 4 == 1) v[i] = -v[i];
      if (v[i] < (T)low) v[i] = (T)low;
    } else {
      v[i] = (T)(low + u * (high - low));
    }
  }
  return v;
}

// Zeros, subnormals, the ends of the range, numbers beside one, small integers and halves, patterns of bits.
template <typename T>
std::vector<T> edges() {
  using Bits = std::conditional_t<sizeof(T) == 4, unsigned, unsigned long long>;
  constexpr T least = std::numeric_limits<T>::denorm_min(), normal = std::numeric_limits<T>::min(),
              most = std::numeric_limits<T>::max(), one = std::numeric_limits<T>::epsilon();
  std::vector<T> v = {
      0,        least,  2 * least, 3 * least, normal - least, normal,  normal + least, 2 * normal,
      most / 2, most,   INFINITY,  NAN,       1 - one / 2,    1 + one, 1 - one,        (T)1e-20,
      (T)1e-5,  (T)1e5, (T)1e20};
  for (int i = 1; i <= 40; ++i) v.push_back((T)(i * 0.5));
  for (T s = least; s < normal; s *= 7) v.push_back(s);
  for (int i = 0; i < 200; ++i) {
    Bits bits = (Bits)engine();
    T value;
    std::memcpy(&value, &bits, sizeof value);
    v.push_back(value);
  }
  for (std::size_t i = 0, n = v.size(); i < n; ++i) v.push_back(-v[i]);
  return v;
}

// |got - exact| in units of the last place of exact in T. Zeros count their sign.
template <typename T>
double ulp_error(T got, long double exact, double bound) {
  if (exact == unspecified) return 0;
  const T rounded = (T)exact;
  if (std::isnan(rounded) || std::isnan(got)) return std::isnan(rounded) && std::isnan(got) ? 0 : 1e30;
  if (got == 0 && rounded == 0) return exact != 0 || std::signbit(got) == std::signbit(rounded) ? 0 : 1e30;
  if (std::isinf(exact)) return got == rounded ? 0 : 1e30;
  constexpr T most = std::numeric_limits<T>::max();
  const T size = std::fmin(std::fabs(rounded), most);
  const long double unit =
      size == most ? size - std::nextafter(size, (T)0) : (long double)std::nextafter(size, most) - size;
  // Past the end of the range infinity stands for the next number.
  const long double value = std::isinf(got) ? std::copysign((long double)most + unit, got) : got;
  if (std::isinf(got) && std::isinf(rounded)) return got == rounded ? 0 : 1e30;
  return (double)(fabsl(value - exact) / unit);
}

static int failures = 0;
static const char* only = nullptr;  // The one function to check; all if null.

static bool wanted(const char* name) {
  return only == nullptr || std::strcmp(only, name) == 0;
}

template <typename T, typename K>
std::vector<T> run(const char* name, K kernel, const std::vector<T>& x, const std::vector<T>& y) {
  const int n = (int)x.size();
  const std::size_t bytes = n * sizeof(T);
  T *dx, *dy, *dr;
  cudaMalloc(&dx, bytes), cudaMalloc(&dy, bytes), cudaMalloc(&dr, bytes);
  cudaMemcpy(dx, x.data(), bytes, cudaMemcpyHostToDevice);
  cudaMemcpy(dy, y.data(), bytes, cudaMemcpyHostToDevice);
  kernel<<<(n + 127) / 128, 128>>>(n, dx, dy, dr);
  std::vector<T> r(n);
  const cudaError_t error = cudaMemcpy(r.data(), dr, bytes, cudaMemcpyDeviceToHost);
  cudaFree(dx), cudaFree(dy), cudaFree(dr);
  if (error == cudaSuccess) return r;
  std::printf("%-10s %s: %s\n", name, sizeof(T) == 4 ? "float " : "double", cudaGetErrorString(error));
  ++failures;
  return {};
}

template <typename T, typename K, typename R>
void check(const char* name, K kernel, double bound, const std::vector<T>& x, const std::vector<T>& y,
           R reference) {
  if (!wanted(name)) return;
  const std::vector<T> r = run(name, kernel, x, y);
  double worst = 0;
  std::size_t at = 0, wrong = 0;
  for (std::size_t i = 0; i < r.size(); ++i) {
    const double e = ulp_error(r[i], reference((long double)x[i], (long double)y[i]), bound);
    wrong += e > bound + 0.5;
    if (e > worst) worst = e, at = i;
  }
  // A bound of N whole ulp is of the rounded result; half an ulp more of the exact one.
  const bool ok = worst <= bound + 0.5;
  failures += !ok;
  std::printf("%-10s %s %8.3f ulp, bound %g%s", name, sizeof(T) == 4 ? "float " : "double", worst, bound,
              ok ? "\n" : "  EXCEEDED");
  if (!ok)
    std::printf(" %zu times, at %.17g, %.17g: %.17g, exact %.17Lg\n", wrong, (double)x[at], (double)y[at],
                (double)r[at], reference((long double)x[at], (long double)y[at]));
}

// Samples of the usual range, and every edge.
template <typename T, typename K, typename R>
void check_one(const char* name, K kernel, double bound, double low, double high, R reference) {
  std::vector<T> x = samples<T>(4096, low, high);
  for (const T edge : edges<T>()) x.push_back(edge);
  check<T>(name, kernel, bound, x, x, reference);
}
template <typename T, typename K, typename R>
void check_two(const char* name, K kernel, double bound, double low, double high, double low2, double high2,
               R reference) {
  std::vector<T> x = samples<T>(4096, low, high), y = samples<T>(4096, low2, high2);
  const std::vector<T> all = edges<T>();
  for (const T a : all) {
    for (int i = 0; i < 40; ++i) x.push_back(a), y.push_back(all[engine() % all.size()]);
    for (const T b : {(T)0, (T)-0.0, (T)1, (T)-1, (T)2, (T)0.5, (T)3, (T)INFINITY, (T)-INFINITY, (T)NAN})
      x.push_back(a), y.push_back(b);
  }
  check<T>(name, kernel, bound, x, y, reference);
}
template <typename T, typename K, typename R>
void check_exact(const char* name, K kernel, int from, int to, R argument, R result) {
  if (!wanted(name)) return;
  std::vector<T> x, expected;
  for (int i = from; i <= to; ++i)
    if ((T)argument(i) == argument(i) && (T)result(i) == result(i))
      x.push_back((T)argument(i)), expected.push_back((T)result(i));
  const std::vector<T> r = run(name, kernel, x, x);
  for (std::size_t i = 0; i < r.size(); ++i) {
    if (r[i] == expected[i]) continue;
    ++failures;
    std::printf("%-10s %s  of %.17g is exactly %.17g, not %.17g\n", name,
                sizeof(T) == 4 ? "float " : "double", (double)x[i], (double)expected[i], (double)r[i]);
  }
}

// Functions whose results are exact: the host's, bit for bit. X(name, result of x, y and the integer k).
#define PARTS(X)                                                                             \
  X(ldexp, ldexp(x, k))                                                                      \
  X(scalbn, scalbn(x, k))                                                                    \
  X(frexp, frexp(x, &i) + (T)0 * (T)i)                                                       \
  X(frexp_exponent, (frexp(x, &i), (T)(x - x == 0 ? i : 0)))                                 \
  X(modf, modf(x, &t))                                                                       \
  X(modf_whole, (modf(x, &t), t))                                                            \
  X(ilogb, (T)ilogb(x))                                                                      \
  X(remquo, remquo(x, y, &i))                                                                \
  X(remquo_quotient, (remquo(x, y, &i), x - x == 0 && y == y && y != 0 ? (T)(i & 7) : (T)0)) \
  X(nextafter, nextafter(x, y))                                                              \
  X(lrint, x * 0 == 0 && fabs(x) < (T)1e9 ? (T)lrint(x) : (T)0)                              \
  X(llround, x * 0 == 0 && fabs(x) < (T)1e9 ? (T)llround(x) : (T)0)                          \
  X(fma, fma(x, y, (T)k))                                                                    \
  X(signbit, (T)(signbit(x) != 0))                                                           \
  X(isfinite, (T)(isfinite(x) != 0))
#define PART(NAME, RESULT)                                           \
  template <typename T>                                              \
  __host__ __device__ T NAME##_of(T x, T y, int k) {                 \
    using namespace std;                                             \
    int i = 0;                                                       \
    T t = 0;                                                         \
    (void)i, (void)t;                                                \
    return RESULT;                                                   \
  }                                                                  \
  template <typename T>                                              \
  __global__ void NAME##_part(int n, const T* x, const T* y, T* r) { \
    const int i = blockIdx.x * blockDim.x + threadIdx.x;             \
    if (i < n) r[i] = NAME##_of(x[i], y[i], i % 4200 - 2100);        \
  }
PARTS(PART)

template <typename T, typename K, typename R>
void check_part(const char* name, K kernel, R on_host) {
  if (!wanted(name)) return;
  const std::vector<T> all = edges<T>();
  std::vector<T> x, y;
  for (const T a : all)
    for (int i = 0; i < 40; ++i) x.push_back(a), y.push_back(all[engine() % all.size()]);
  const std::vector<T> r = run(name, kernel, x, y);
  int wrong = 0;
  for (std::size_t i = 0; i < r.size(); ++i) {
    const T expected = on_host(x[i], y[i], (int)i % 4200 - 2100);
    if (std::isnan(expected) ? std::isnan(r[i]) : std::memcmp(&expected, &r[i], sizeof(T)) == 0) continue;
    if (++wrong == 1)
      std::printf("%-10s %s  of %.17g, %.17g, %d is %.17g, not %.17g", name,
                  sizeof(T) == 4 ? "float " : "double", (double)x[i], (double)y[i], (int)i % 4200 - 2100,
                  (double)expected, (double)r[i]);
  }
  if (wrong != 0) std::printf(" (%d times)\n", wrong);
  failures += wrong != 0;
}

int main(int argc, char** argv) {
  if (argc > 1) only = argv[1];
#define RUN(NAME, FB, DB, LOW, HIGH, REFERENCE)                                                  \
  const auto NAME##_exact = [](long double x, long double) { return (long double)(REFERENCE); }; \
  check_one<float>(#NAME, NAME##_f, FB, LOW, HIGH, NAME##_exact);                                \
  check_one<double>(#NAME, NAME##_d, DB, LOW, HIGH, NAME##_exact);                               \
  const double NAME##_bounds[] = {FB, DB};
  FUNCTIONS(RUN)
#define RUN_BOUNDARY(NAME, FLOW, FHIGH, DLOW, DHIGH)                      \
  {                                                                       \
    const auto f = samples<float>(2048, FLOW, FHIGH);                     \
    check<float>(#NAME, NAME##_f, NAME##_bounds[0], f, f, NAME##_exact);  \
    const auto d = samples<double>(2048, DLOW, DHIGH);                    \
    check<double>(#NAME, NAME##_d, NAME##_bounds[1], d, d, NAME##_exact); \
  }
  BOUNDARIES(RUN_BOUNDARY)
#define RUN2(NAME, FB, DB, LOW, HIGH, LOW2, HIGH2, REFERENCE)                                      \
  const auto NAME##_exact = [](long double x, long double y) { return (long double)(REFERENCE); }; \
  check_two<float>(#NAME, NAME##_f, FB, LOW, HIGH, LOW2, HIGH2, NAME##_exact);                     \
  check_two<double>(#NAME, NAME##_d, DB, LOW, HIGH, LOW2, HIGH2, NAME##_exact);
  FUNCTIONS2(RUN2)
#define RUN_EXACT(NAME, FROM, TO, ARGUMENT, RESULT)                    \
  {                                                                    \
    using Of = long double (*)(int);                                   \
    const Of argument = [](int i) { return (long double)(ARGUMENT); }, \
             result = [](int i) { return (long double)(RESULT); };     \
    check_exact<float>(#NAME, NAME##_f, FROM, TO, argument, result);   \
    check_exact<double>(#NAME, NAME##_d, FROM, TO, argument, result);  \
  }
  EXACT(RUN_EXACT)
#define RUN_PART(NAME, RESULT)                                    \
  check_part<float>(#NAME, NAME##_part<float>, NAME##_of<float>); \
  check_part<double>(#NAME, NAME##_part<double>, NAME##_of<double>);
  PARTS(RUN_PART)
  std::printf("%d of the checks fail\n%s\n", failures, failures ? "FAIL" : "PASS");
  return failures != 0;
}
