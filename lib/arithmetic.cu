// Operations that are one PTX instruction, and rounding and classification.
#include "device.h"

#define OP1(NAME, T, C, CODE)               \
  DEVICE T NAME(T a) {                      \
    T r;                                    \
    asm(CODE " %0, %1;" : "=" C(r) : C(a)); \
    return r;                               \
  }
#define OP2(NAME, T, C, CODE)                         \
  DEVICE T NAME(T a, T b) {                           \
    T r;                                              \
    asm(CODE " %0, %1, %2;" : "=" C(r) : C(a), C(b)); \
    return r;                                         \
  }
#define OP3(NAME, T, C, CODE)                                   \
  DEVICE T NAME(T a, T b, T c) {                                \
    T r;                                                        \
    asm(CODE " %0, %1, %2, %3;" : "=" C(r) : C(a), C(b), C(c)); \
    return r;                                                   \
  }
#define ROUNDED(R, P)                                  \
  OP2(__nv_fadd_##R, float, "f", "add." P ".f32")      \
  OP2(__nv_fsub_##R, float, "f", "sub." P ".f32")      \
  OP2(__nv_fmul_##R, float, "f", "mul." P ".f32")      \
  OP2(__nv_fdiv_##R, float, "f", "div." P ".f32")      \
  OP1(__nv_frcp_##R, float, "f", "rcp." P ".f32")      \
  OP1(__nv_fsqrt_##R, float, "f", "sqrt." P ".f32")    \
  OP3(__nv_fmaf_##R, float, "f", "fma." P ".f32")      \
  OP3(__nv_fmaf_ieee_##R, float, "f", "fma." P ".f32") \
  OP2(__nv_dadd_##R, double, "d", "add." P ".f64")     \
  OP2(__nv_dsub_##R, double, "d", "sub." P ".f64")     \
  OP2(__nv_dmul_##R, double, "d", "mul." P ".f64")     \
  OP2(__nv_ddiv_##R, double, "d", "div." P ".f64")     \
  OP1(__nv_drcp_##R, double, "d", "rcp." P ".f64")     \
  OP1(__nv_dsqrt_##R, double, "d", "sqrt." P ".f64")   \
  OP3(__nv_fma_##R, double, "d", "fma." P ".f64")
ROUNDED(rn, "rn")
ROUNDED(rz, "rz")
ROUNDED(rd, "rm")
ROUNDED(ru, "rp")

DEVICE float __nv_fmaf(float a, float b, float c) {
  return __builtin_fmaf(a, b, c);
}
DEVICE double __nv_fma(double a, double b, double c) {
  return __builtin_fma(a, b, c);
}
DEVICE float __nv_sqrtf(float a) {
  return __builtin_sqrtf(a);
}
DEVICE double __nv_sqrt(double a) {
  return __builtin_sqrt(a);
}
DEVICE float __nv_rsqrtf(float a) {
  return __nvvm_rsqrt_approx_f(a);
}
DEVICE float __nv_frsqrt_rn(float a) {
  // The approximation has 2 ulp; one step in double decides the rounding.
  const float y = __nvvm_rsqrt_approx_f(a);
  if (!(a > 0) || a == __builtin_inff()) return y;
  const double d = y, e = __builtin_fma(-(double)a * d, d, 1.0);
  return (float)__builtin_fma(d * e, __builtin_fma(e, 0.375, 0.5), d);
}
DEVICE double __nv_rcp64h(double a) {
  return __nvvm_rcp_approx_ftz_d(a);
}
DEVICE float __nv_saturatef(float a) {
  return __nvvm_saturate_f(a);
}
DEVICE float __nv_fabsf(float a) {
  return __builtin_fabsf(a);
}
DEVICE double __nv_fabs(double a) {
  return __builtin_fabs(a);
}
DEVICE float __nv_fminf(float a, float b) {
  return __builtin_fminf(a, b);
}
DEVICE float __nv_fmaxf(float a, float b) {
  return __builtin_fmaxf(a, b);
}
DEVICE double __nv_fmin(double a, double b) {
  return __builtin_fmin(a, b);
}
DEVICE double __nv_fmax(double a, double b) {
  return __builtin_fmax(a, b);
}
DEVICE float __nv_copysignf(float a, float b) {
  return from_bits((bits(a) & 0x7fffffffu) | (bits(b) & 0x80000000u));
}
DEVICE double __nv_copysign(double a, double b) {
  return from_bits((bits(a) & 0x7fffffffffffffffull) | (bits(b) & 0x8000000000000000ull));
}
DEVICE float __nv_ceilf(float a) {
  return __builtin_ceilf(a);
}
DEVICE double __nv_ceil(double a) {
  return __builtin_ceil(a);
}
DEVICE float __nv_floorf(float a) {
  return __builtin_floorf(a);
}
DEVICE double __nv_floor(double a) {
  return __builtin_floor(a);
}
DEVICE float __nv_truncf(float a) {
  return __builtin_truncf(a);
}
DEVICE double __nv_trunc(double a) {
  return __builtin_trunc(a);
}
DEVICE float __nv_rintf(float a) {
  return __builtin_rintf(a);
}
DEVICE double __nv_rint(double a) {
  return __builtin_rint(a);
}
DEVICE float __nv_nearbyintf(float a) {
  return __builtin_rintf(a);
}
DEVICE double __nv_nearbyint(double a) {
  return __builtin_rint(a);
}
DEVICE float __nv_roundf(float a) {
  // Half away from zero; the largest float below one half must not reach one.
  const float t = __builtin_truncf(a);
  return __builtin_fabsf(a - t) >= 0.5f ? t + from_bits((bits(a) & 0x80000000u) | bits(1.0f))
                                        : from_bits((bits(a) & 0x80000000u) | bits(__builtin_fabsf(t)));
}
DEVICE double __nv_round(double a) {
  const double t = __builtin_trunc(a);
  const u64 sign = bits(a) & 0x8000000000000000ull;
  return __builtin_fabs(a - t) >= 0.5 ? t + from_bits(sign | bits(1.0))
                                      : from_bits(sign | bits(__builtin_fabs(t)));
}
DEVICE s64 __nv_llrintf(float a) {
  s64 r;
  asm("cvt.rni.s64.f32 %0, %1;" : "=l"(r) : "f"(a));
  return r;
}
DEVICE s64 __nv_llrint(double a) {
  s64 r;
  asm("cvt.rni.s64.f64 %0, %1;" : "=l"(r) : "d"(a));
  return r;
}
DEVICE s64 __nv_llroundf(float a) {
  return (s64)__nv_roundf(a);
}
DEVICE s64 __nv_llround(double a) {
  return (s64)__nv_round(a);
}
DEVICE int __nv_isnanf(float a) {
  return a != a;
}
DEVICE int __nv_isnand(double a) {
  return a != a;
}
DEVICE int __nv_isinff(float a) {
  return __builtin_fabsf(a) == __builtin_inff();
}
DEVICE int __nv_isinfd(double a) {
  return __builtin_fabs(a) == __builtin_inf();
}
DEVICE int __nv_finitef(float a) {
  return __builtin_fabsf(a) < __builtin_inff();
}
DEVICE int __nv_isfinited(double a) {
  return __builtin_fabs(a) < __builtin_inf();
}
DEVICE int __nv_signbitf(float a) {
  return (int)(bits(a) >> 31);
}
DEVICE int __nv_signbitd(double a) {
  return (int)(bits(a) >> 63);
}
DEVICE float __nv_fdimf(float a, float b) {
  return a <= b ? 0.0f : a - b;
}
DEVICE double __nv_fdim(double a, double b) {
  return a <= b ? 0.0 : a - b;
}
DEVICE float __nv_nanf(const signed char*) {
  return __builtin_nanf("");
}
DEVICE double __nv_nan(const signed char*) {
  return __builtin_nan("");
}

DEVICE float __nv_fast_fdividef(float a, float b) {
  return __nvvm_div_approx_f(a, b);
}
DEVICE float __nv_fast_sinf(float a) {
  return __nvvm_sin_approx_f(a);
}
DEVICE float __nv_fast_cosf(float a) {
  return __nvvm_cos_approx_f(a);
}
DEVICE void __nv_fast_sincosf(float a, float* s, float* c) {
  *s = __nvvm_sin_approx_f(a);
  *c = __nvvm_cos_approx_f(a);
}
DEVICE float __nv_fast_tanf(float a) {
  return __nvvm_div_approx_f(__nvvm_sin_approx_f(a), __nvvm_cos_approx_f(a));
}
DEVICE float __nv_fast_log2f(float a) {
  return __nvvm_lg2_approx_f(a);
}
DEVICE float __nv_fast_logf(float a) {
  return __nvvm_lg2_approx_f(a) * 0.693147182464599609375f;
}
DEVICE float __nv_fast_log10f(float a) {
  return __nvvm_lg2_approx_f(a) * 0.301029995664f;
}
DEVICE float __nv_fast_expf(float a) {
  return __nvvm_ex2_approx_f(a * 1.4426950216293334961f);
}
DEVICE float __nv_fast_exp10f(float a) {
  return __nvvm_ex2_approx_f(a * 3.3219280242919921875f);
}
DEVICE float __nv_fast_powf(float a, float b) {
  return __nvvm_ex2_approx_f(b * __nvvm_lg2_approx_f(a));
}
DEVICE float __nv_fast_tanhf(float a) {
  float r;
  asm("tanh.approx.f32 %0, %1;" : "=f"(r) : "f"(a));
  return r;
}
