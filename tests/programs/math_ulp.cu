// Device math against the host's long double: the largest error in units in the last place, against the
// bounds of the CUDA C++ Programming Guide ("Mathematical Functions", "Standard Functions").
#include <cuda_runtime.h>

#include <cmath>
#include <cstdio>
#include <cstring>
#include <random>
#include <vector>

// X(name, float bound, double bound, low, high, positive-log-spaced, reference in long double of x)
#define FUNCTIONS(X)                                                                                  \
  X(sin, 2, 2, -1e5, 1e5, sinl(x))                                                                    \
  X(cos, 2, 2, -1e5, 1e5, cosl(x))                                                                    \
  X(tan, 4, 2, -1e4, 1e4, tanl(x))                                                                    \
  X(asin, 2, 2, -1, 1, asinl(x))                                                                      \
  X(acos, 2, 2, -1, 1, acosl(x))                                                                      \
  X(atan, 2, 2, -1e3, 1e3, atanl(x))                                                                  \
  X(sinh, 3, 2, -80, 80, sinhl(x))                                                                    \
  X(cosh, 2, 1, -80, 80, coshl(x))                                                                    \
  X(tanh, 2, 2, -10, 10, tanhl(x))                                                                    \
  X(asinh, 3, 3, -1e4, 1e4, asinhl(x))                                                                \
  X(acosh, 4, 3, 1, 1e4, acoshl(x))                                                                   \
  X(atanh, 3, 2, -1, 1, atanhl(x))                                                                    \
  X(exp, 2, 1, -80, 80, expl(x))                                                                      \
  X(exp2, 2, 1, -120, 120, exp2l(x))                                                                  \
  X(exp10, 2, 1, -37, 37, powl(10.0L, x))                                                             \
  X(expm1, 1, 1, -20, 80, expm1l(x))                                                                  \
  X(log, 1, 1, 1e-30, 1e30, logl(x))                                                                  \
  X(log2, 1, 1, 1e-30, 1e30, log2l(x))                                                                \
  X(log10, 2, 1, 1e-30, 1e30, log10l(x))                                                              \
  X(log1p, 1, 1, -0.99, 1e6, log1pl(x))                                                               \
  X(erf, 2, 2, -6, 6, erfl(x))                                                                        \
  X(erfc, 4, 5, -6, 9, erfcl(x))                                                                      \
  X(tgamma, 5, 10, 0.1, 30, tgammal(x))                                                               \
  X(cbrt, 1, 1, -1e6, 1e6, cbrtl(x))                                                                  \
  X(rcbrt, 1, 1, 1e-6, 1e6, 1.0L / cbrtl(x))                                                          \
  X(sqrt, 0, 0, 0, 1e30, sqrtl(x))                                                                    \
  X(rsqrt, 2, 1, 1e-30, 1e30, 1.0L / sqrtl(x))                                                        \
  X(sinpi, 1, 2, -100, 100, sinl(3.14159265358979323846264338327950288L * remainderl(x, 2)))          \
  X(cospi, 1, 2, -100, 100, cosl(3.14159265358979323846264338327950288L * remainderl(x, 2)))          \
  X(normcdf, 5, 5, -8, 8, 0.5L * erfcl(-x * 0.70710678118654752440084436210484903928L))               \
  X(erfcx, 4, 4, -5, 40, x < 11 ? expl((long double)x * x) * erfcl(x) : expl(x * x + logl(erfcl(x)))) \
  X(floor, 0, 0, -1e6, 1e6, floorl(x))                                                                \
  X(ceil, 0, 0, -1e6, 1e6, ceill(x))                                                                  \
  X(trunc, 0, 0, -1e6, 1e6, truncl(x))                                                                \
  X(round, 0, 0, -1e3, 1e3, roundl(x))                                                                \
  X(rint, 0, 0, -1e3, 1e3, rintl(x))

#define FUNCTIONS2(X)                                        \
  X(pow, 4, 2, 1e-3, 1e3, -10, 10, powl(x, y))               \
  X(atan2, 3, 2, -100, 100, -100, 100, atan2l(x, y))         \
  X(hypot, 3, 2, -1e18, 1e18, -1e18, 1e18, hypotl(x, y))     \
  X(fmod, 0, 0, -1e4, 1e4, 1e-2, 1e2, fmodl(x, y))           \
  X(remainder, 0, 0, -1e4, 1e4, 1e-2, 1e2, remainderl(x, y)) \
  X(fdim, 0, 0, -10, 10, -10, 10, fdiml(x, y))               \
  X(copysign, 0, 0, -10, 10, -10, 10, copysignl(x, y))

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

// |got - exact| in units of the last place of exact in T. Exact results count the sign of zero.
template <typename T>
double ulp_error(T got, long double exact) {
  const T rounded = (T)exact;
  if (std::isnan(rounded) || std::isnan(got)) return std::isnan(rounded) && std::isnan(got) ? 0 : 1e30;
  if (std::isinf(rounded) || std::isinf(got)) return rounded == got ? 0 : 1e30;
  const T size = std::fabs(rounded);
  const long double unit = (long double)std::nextafter(size, (T)INFINITY) - size;
  return (double)(fabsl((long double)got - exact) / unit);
}

static int failures = 0;

template <typename T, typename K, typename R>
void check(const char* name, K kernel, double bound, double low, double high, double low2, double high2,
           R reference) {
  constexpr int n = 4096;
  const std::vector<T> x = samples<T>(n, low, high), y = samples<T>(n, low2, high2);
  T *dx, *dy, *dr;
  cudaMalloc(&dx, n * sizeof(T)), cudaMalloc(&dy, n * sizeof(T)), cudaMalloc(&dr, n * sizeof(T));
  cudaMemcpy(dx, x.data(), n * sizeof(T), cudaMemcpyHostToDevice);
  cudaMemcpy(dy, y.data(), n * sizeof(T), cudaMemcpyHostToDevice);
  kernel<<<n / 128, 128>>>(n, dx, dy, dr);
  std::vector<T> r(n);
  const cudaError_t error = cudaMemcpy(r.data(), dr, n * sizeof(T), cudaMemcpyDeviceToHost);
  cudaFree(dx), cudaFree(dy), cudaFree(dr);
  if (error != cudaSuccess) {
    std::printf("%-10s %s: %s\n", name, sizeof(T) == 4 ? "float " : "double", cudaGetErrorString(error));
    ++failures;
    return;
  }
  double worst = 0;
  int at = 0;
  for (int i = 0; i < n; ++i) {
    const double e = ulp_error(r[i], reference((long double)x[i], (long double)y[i]));
    if (e > worst) worst = e, at = i;
  }
  // A bound of N whole ulp is of the rounded result; half an ulp more of the exact one.
  const bool ok = worst <= bound + 0.5;
  failures += !ok;
  std::printf("%-10s %s %8.3f ulp, bound %g%s", name, sizeof(T) == 4 ? "float " : "double", worst, bound,
              ok ? "\n" : "  EXCEEDED");
  if (!ok) std::printf(" at %.17g, %.17g: %.17g\n", (double)x[at], (double)y[at], (double)r[at]);
}

int main() {
#define RUN(NAME, FB, DB, LOW, HIGH, REFERENCE)                                      \
  check<float>(#NAME, NAME##_f, FB, LOW, HIGH, 0, 1,                                 \
               [](long double x, long double) { return (long double)(REFERENCE); }); \
  check<double>(#NAME, NAME##_d, DB, LOW, HIGH, 0, 1,                                \
                [](long double x, long double) { return (long double)(REFERENCE); });
  FUNCTIONS(RUN)
#define RUN2(NAME, FB, DB, LOW, HIGH, LOW2, HIGH2, REFERENCE)                          \
  check<float>(#NAME, NAME##_f, FB, LOW, HIGH, LOW2, HIGH2,                            \
               [](long double x, long double y) { return (long double)(REFERENCE); }); \
  check<double>(#NAME, NAME##_d, DB, LOW, HIGH, LOW2, HIGH2,                           \
                [](long double x, long double y) { return (long double)(REFERENCE); });
  FUNCTIONS2(RUN2)
  std::printf("%d of the functions exceed their bound\n%s\n", failures, failures ? "FAIL" : "PASS");
  return failures != 0;
}
