// Overloads without suffix, and mixed-sign min and max (CUDA Math API).
#ifndef WANREN_MATH_OVERLOADS_H
#define WANREN_MATH_OVERLOADS_H

#define WANREN_DEVICE static __device__ __forceinline__

// The float overloads that clang's forward declarations promise and its <cmath> does not define.
WANREN_DEVICE float cbrt(float a) {
  return cbrtf(a);
}
WANREN_DEVICE float erf(float a) {
  return erff(a);
}
WANREN_DEVICE float erfc(float a) {
  return erfcf(a);
}
WANREN_DEVICE float exp2(float a) {
  return exp2f(a);
}
WANREN_DEVICE float log2(float a) {
  return log2f(a);
}
WANREN_DEVICE float rint(float a) {
  return rintf(a);
}
WANREN_DEVICE float acosh(float a) {
  return acoshf(a);
}
WANREN_DEVICE float asinh(float a) {
  return asinhf(a);
}
WANREN_DEVICE float atanh(float a) {
  return atanhf(a);
}
WANREN_DEVICE float expm1(float a) {
  return expm1f(a);
}
WANREN_DEVICE float log1p(float a) {
  return log1pf(a);
}
WANREN_DEVICE float round(float a) {
  return roundf(a);
}
WANREN_DEVICE float trunc(float a) {
  return truncf(a);
}
WANREN_DEVICE float lgamma(float a) {
  return lgammaf(a);
}
WANREN_DEVICE float tgamma(float a) {
  return tgammaf(a);
}
WANREN_DEVICE float nearbyint(float a) {
  return nearbyintf(a);
}
WANREN_DEVICE float logb(float a) {
  return logbf(a);
}
WANREN_DEVICE int ilogb(float a) {
  return ilogbf(a);
}
WANREN_DEVICE long lrint(float a) {
  return lrintf(a);
}
WANREN_DEVICE long lround(float a) {
  return lroundf(a);
}
WANREN_DEVICE long long llrint(float a) {
  return llrintf(a);
}
WANREN_DEVICE long long llround(float a) {
  return llroundf(a);
}
WANREN_DEVICE float fdim(float a, float b) {
  return fdimf(a, b);
}
WANREN_DEVICE float fmax(float a, float b) {
  return fmaxf(a, b);
}
WANREN_DEVICE float fmin(float a, float b) {
  return fminf(a, b);
}
WANREN_DEVICE float hypot(float a, float b) {
  return hypotf(a, b);
}
WANREN_DEVICE float copysign(float a, float b) {
  return copysignf(a, b);
}
WANREN_DEVICE float nextafter(float a, float b) {
  return nextafterf(a, b);
}
WANREN_DEVICE float remainder(float a, float b) {
  return remainderf(a, b);
}
WANREN_DEVICE float fma(float a, float b, float c) {
  return fmaf(a, b, c);
}
WANREN_DEVICE float remquo(float a, float b, int* quotient) {
  return remquof(a, b, quotient);
}
WANREN_DEVICE float scalbn(float a, int n) {
  return scalbnf(a, n);
}
WANREN_DEVICE float scalbln(float a, long n) {
  return scalblnf(a, n);
}
// The payload that a tag may name is not kept: quiet NaNs of the device have none.
WANREN_DEVICE float nanf(const char*) {
  return __int_as_float(0x7fffffff);
}
WANREN_DEVICE double nan(const char*) {
  return __longlong_as_double(0x7ff8000000000000ll);
}
WANREN_DEVICE float rsqrt(float a) {
  return rsqrtf(a);
}
WANREN_DEVICE float rcbrt(float a) {
  return rcbrtf(a);
}
WANREN_DEVICE float sinpi(float a) {
  return sinpif(a);
}
WANREN_DEVICE float cospi(float a) {
  return cospif(a);
}
WANREN_DEVICE void sincospi(float a, float* s, float* c) {
  sincospif(a, s, c);
}
WANREN_DEVICE void sincos(float a, float* s, float* c) {
  sincosf(a, s, c);
}
WANREN_DEVICE float erfinv(float a) {
  return erfinvf(a);
}
WANREN_DEVICE float erfcinv(float a) {
  return erfcinvf(a);
}
WANREN_DEVICE float normcdfinv(float a) {
  return normcdfinvf(a);
}
WANREN_DEVICE float normcdf(float a) {
  return normcdff(a);
}
WANREN_DEVICE float erfcx(float a) {
  return erfcxf(a);
}
WANREN_DEVICE float exp10(float a) {
  return exp10f(a);
}
WANREN_DEVICE float rhypot(float a, float b) {
  return rhypotf(a, b);
}
WANREN_DEVICE float norm3d(float a, float b, float c) {
  return norm3df(a, b, c);
}
WANREN_DEVICE float j0(float a) {
  return j0f(a);
}
WANREN_DEVICE float j1(float a) {
  return j1f(a);
}
WANREN_DEVICE float jn(int n, float a) {
  return jnf(n, a);
}
WANREN_DEVICE float y0(float a) {
  return y0f(a);
}
WANREN_DEVICE float y1(float a) {
  return y1f(a);
}
WANREN_DEVICE float yn(int n, float a) {
  return ynf(n, a);
}
WANREN_DEVICE float fdivide(float a, float b) {
  return fdividef(a, b);
}

// clang's headers have the device versions for int.
#define WANREN_BOTH static __inline__ __host__ __device__ __attribute__((unused))
static __inline__ __host__ __attribute__((unused)) int min(int a, int b) {
  return b < a ? b : a;
}
static __inline__ __host__ __attribute__((unused)) int max(int a, int b) {
  return a < b ? b : a;
}
#define WANREN_MINMAX(T)        \
  WANREN_BOTH T min(T a, T b) { \
    return b < a ? b : a;       \
  }                             \
  WANREN_BOTH T max(T a, T b) { \
    return a < b ? b : a;       \
  }
#define WANREN_MINMAX_MIXED(S, U) \
  WANREN_BOTH U min(S a, U b) {   \
    return min((U)a, b);          \
  }                               \
  WANREN_BOTH U min(U a, S b) {   \
    return min(a, (U)b);          \
  }                               \
  WANREN_BOTH U max(S a, U b) {   \
    return max((U)a, b);          \
  }                               \
  WANREN_BOTH U max(U a, S b) {   \
    return max(a, (U)b);          \
  }
WANREN_MINMAX(unsigned int)
WANREN_MINMAX(long)
WANREN_MINMAX(unsigned long)
WANREN_MINMAX(long long)
WANREN_MINMAX(unsigned long long)
WANREN_MINMAX_MIXED(int, unsigned int)
WANREN_MINMAX_MIXED(long, unsigned long)
WANREN_MINMAX_MIXED(long long, unsigned long long)
#undef WANREN_MINMAX_MIXED
#undef WANREN_MINMAX
WANREN_BOTH float min(float a, float b) {
  return __builtin_fminf(a, b);
}
WANREN_BOTH float max(float a, float b) {
  return __builtin_fmaxf(a, b);
}
WANREN_BOTH double min(double a, double b) {
  return __builtin_fmin(a, b);
}
WANREN_BOTH double max(double a, double b) {
  return __builtin_fmax(a, b);
}
WANREN_BOTH double min(float a, double b) {
  return __builtin_fmin((double)a, b);
}
WANREN_BOTH double min(double a, float b) {
  return __builtin_fmin(a, (double)b);
}
WANREN_BOTH double max(float a, double b) {
  return __builtin_fmax((double)a, b);
}
WANREN_BOTH double max(double a, float b) {
  return __builtin_fmax(a, (double)b);
}

// Host versions of functions that CUDA's host headers offer too.
#define WANREN_HOST static __inline__ __host__ __attribute__((unused))
WANREN_HOST float rsqrtf(float a) {
  return 1.0f / __builtin_sqrtf(a);
}
WANREN_HOST double rsqrt(double a) {
  return 1.0 / __builtin_sqrt(a);
}
WANREN_HOST float rsqrt(float a) {
  return rsqrtf(a);
}
WANREN_HOST float fdividef(float a, float b) {
  return a / b;
}
#undef WANREN_HOST

#undef WANREN_BOTH
#undef WANREN_DEVICE
#endif
