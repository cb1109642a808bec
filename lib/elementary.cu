// Elementary functions that come from libclc (OpenCL's library in LLVM) under OpenCL's mangled names.
#include "device.h"

DEVICE float __nv_logf(float);

extern "C" __attribute__((device)) float ocl_asinf(float) __asm__("_Z4asinf");
DEVICE float __nv_asinf(float a) {
  return ocl_asinf(a);
}
extern "C" __attribute__((device)) float ocl_acosf(float) __asm__("_Z4acosf");
DEVICE float __nv_acosf(float a) {
  return ocl_acosf(a);
}
extern "C" __attribute__((device)) float ocl_atanf(float) __asm__("_Z4atanf");
DEVICE float __nv_atanf(float a) {
  return ocl_atanf(a);
}
extern "C" __attribute__((device)) float ocl_sinhf(float) __asm__("_Z4sinhf");
DEVICE float __nv_sinhf(float a) {
  return ocl_sinhf(a);
}
extern "C" __attribute__((device)) float ocl_coshf(float) __asm__("_Z4coshf");
DEVICE float __nv_coshf(float a) {
  return ocl_coshf(a);
}
extern "C" __attribute__((device)) float ocl_asinhf(float) __asm__("_Z5asinhf");
DEVICE float __nv_asinhf(float a) {
  return ocl_asinhf(a);
}
extern "C" __attribute__((device)) float ocl_acoshf(float) __asm__("_Z5acoshf");
DEVICE float __nv_acoshf(float a) {
  return ocl_acoshf(a);
}
extern "C" __attribute__((device)) float ocl_atanhf(float) __asm__("_Z5atanhf");
DEVICE float __nv_atanhf(float a) {
  return ocl_atanhf(a);
}
extern "C" __attribute__((device)) float ocl_expm1f(float) __asm__("_Z5expm1f");
DEVICE float __nv_expm1f(float a) {
  return ocl_expm1f(a);
}
extern "C" __attribute__((device)) float ocl_log1pf(float) __asm__("_Z5log1pf");
DEVICE float __nv_log1pf(float a) {
  return ocl_log1pf(a);
}
extern "C" __attribute__((device)) float ocl_lgammaf(float) __asm__("_Z6lgammaf");
DEVICE float __nv_lgammaf(float a) {
  // It is infinite for small negative numbers, and negative at minus infinity.
  const float size = __builtin_fabsf(a);
  if (size == __builtin_inff()) return size;
  return size < 0x1p-30f ? -__nv_logf(size) : ocl_lgammaf(a);
}
extern "C" __attribute__((device)) float ocl_cbrtf(float) __asm__("_Z4cbrtf");
DEVICE float __nv_cbrtf(float a) {
  return ocl_cbrtf(a);
}
extern "C" __attribute__((device)) float ocl_logbf(float) __asm__("_Z4logbf");
DEVICE float __nv_logbf(float a) {
  return ocl_logbf(a);
}
extern "C" __attribute__((device)) float ocl_atan2f(float, float) __asm__("_Z5atan2ff");
DEVICE float __nv_atan2f(float a, float b) {
  return ocl_atan2f(a, b);
}
extern "C" __attribute__((device)) float ocl_hypotf(float, float) __asm__("_Z5hypotff");
DEVICE float __nv_hypotf(float a, float b) {
  return ocl_hypotf(a, b);
}
extern "C" __attribute__((device)) float ocl_nextafterf(float, float) __asm__("_Z9nextafterff");
DEVICE float __nv_nextafterf(float a, float b) {
  const float r = ocl_nextafterf(a, b);
  return r == 0 ? __builtin_copysignf(r, a == b ? b : a) : r;  // It forgets the sign of zero.
}
extern "C" __attribute__((device)) int ocl_ilogbf(float) __asm__("_Z5ilogbf");
DEVICE int __nv_ilogbf(float a) {
  return a != a ? (int)0x80000000 : ocl_ilogbf(a);
}
extern "C" __attribute__((device)) float ocl_pownf(float, int) __asm__("_Z4pownfi");
DEVICE float __nv_powif(float a, int b) {
  return ocl_pownf(a, b);
}
extern "C" __attribute__((device)) float ocl_frexpf(float, int*) __asm__("_Z5frexpfPi");
DEVICE float __nv_frexpf(float a, int* b) {
  return ocl_frexpf(a, b);
}
extern "C" __attribute__((device)) float ocl_modff(float, float*) __asm__("_Z4modffPf");
DEVICE float __nv_modff(float a, float* b) {
  return ocl_modff(a, b);
}
extern "C" __attribute__((device)) double ocl_asin(double) __asm__("_Z4asind");
DEVICE double __nv_asin(double a) {
  return ocl_asin(a);
}
extern "C" __attribute__((device)) double ocl_acos(double) __asm__("_Z4acosd");
DEVICE double __nv_acos(double a) {
  return ocl_acos(a);
}
extern "C" __attribute__((device)) double ocl_atan(double) __asm__("_Z4atand");
DEVICE double __nv_atan(double a) {
  return __builtin_copysign(ocl_atan(a), a);  // It forgets the sign of zero.
}
extern "C" __attribute__((device)) double ocl_tanh(double) __asm__("_Z4tanhd");
DEVICE double __nv_tanh(double a) {
  return ocl_tanh(a);
}
extern "C" __attribute__((device)) double ocl_asinh(double) __asm__("_Z5asinhd");
DEVICE double __nv_asinh(double a) {
  return ocl_asinh(a);
}
extern "C" __attribute__((device)) double ocl_acosh(double) __asm__("_Z5acoshd");
DEVICE double __nv_acosh(double a) {
  return ocl_acosh(a);
}
extern "C" __attribute__((device)) double ocl_atanh(double) __asm__("_Z5atanhd");
DEVICE double __nv_atanh(double a) {
  return ocl_atanh(a);
}
extern "C" __attribute__((device)) double ocl_exp(double) __asm__("_Z3expd");
DEVICE double __nv_exp(double a) {
  return ocl_exp(a);
}
extern "C" __attribute__((device)) double ocl_exp2(double) __asm__("_Z4exp2d");
DEVICE double __nv_exp2(double a) {
  return ocl_exp2(a);
}
extern "C" __attribute__((device)) double ocl_exp10(double) __asm__("_Z5exp10d");
DEVICE double __nv_exp10(double a) {
  return ocl_exp10(a);
}
extern "C" __attribute__((device)) double ocl_expm1(double) __asm__("_Z5expm1d");
DEVICE double __nv_expm1(double a) {
  return __builtin_copysign(ocl_expm1(a), a);  // It forgets the sign of zero.
}
extern "C" __attribute__((device)) double ocl_log(double) __asm__("_Z3logd");
DEVICE double __nv_log(double a) {
  return ocl_log(a);
}
extern "C" __attribute__((device)) double ocl_log2(double) __asm__("_Z4log2d");
DEVICE double __nv_log2(double a) {
  return ocl_log2(a);
}
extern "C" __attribute__((device)) double ocl_log10(double) __asm__("_Z5log10d");
DEVICE double __nv_log10(double a) {
  return ocl_log10(a);
}
extern "C" __attribute__((device)) double ocl_log1p(double) __asm__("_Z5log1pd");
DEVICE double __nv_log1p(double a) {
  return ocl_log1p(a);
}
extern "C" __attribute__((device)) double ocl_erf(double) __asm__("_Z3erfd");
DEVICE double __nv_erf(double a) {
  return __builtin_copysign(ocl_erf(a), a);  // It forgets the sign of zero.
}
extern "C" __attribute__((device)) double ocl_erfc(double) __asm__("_Z4erfcd");
DEVICE double __nv_erfc(double a) {
  return ocl_erfc(a);
}
extern "C" __attribute__((device)) double ocl_lgamma(double) __asm__("_Z6lgammad");
DEVICE double __nv_lgamma(double a) {
  return ocl_lgamma(a);
}
extern "C" __attribute__((device)) double ocl_cbrt(double) __asm__("_Z4cbrtd");
DEVICE double __nv_cbrt(double a) {
  return ocl_cbrt(a);
}
extern "C" __attribute__((device)) double ocl_logb(double) __asm__("_Z4logbd");
DEVICE double __nv_logb(double a) {
  return ocl_logb(a);
}
extern "C" __attribute__((device)) double ocl_pow(double, double) __asm__("_Z3powdd");
DEVICE double __nv_pow(double a, double b) {
  return ocl_pow(a, b);
}
extern "C" __attribute__((device)) double ocl_atan2(double, double) __asm__("_Z5atan2dd");
DEVICE double __nv_atan2(double a, double b) {
  return ocl_atan2(a, b);
}
extern "C" __attribute__((device)) double ocl_hypot(double, double) __asm__("_Z5hypotdd");
DEVICE double __nv_hypot(double a, double b) {
  return ocl_hypot(a, b);
}
extern "C" __attribute__((device)) double ocl_nextafter(double, double) __asm__("_Z9nextafterdd");
DEVICE double __nv_nextafter(double a, double b) {
  const double r = ocl_nextafter(a, b);
  return r == 0 ? __builtin_copysign(r, a == b ? b : a) : r;  // It forgets the sign of zero.
}
extern "C" __attribute__((device)) int ocl_ilogb(double) __asm__("_Z5ilogbd");
DEVICE int __nv_ilogb(double a) {
  return a != a ? (int)0x80000000 : ocl_ilogb(a);
}
extern "C" __attribute__((device)) double ocl_pown(double, int) __asm__("_Z4powndi");
DEVICE double __nv_powi(double a, int b) {
  return ocl_pown(a, b);
}
extern "C" __attribute__((device)) double ocl_frexp(double, int*) __asm__("_Z5frexpdPi");
DEVICE double __nv_frexp(double a, int* b) {
  return ocl_frexp(a, b);
}
extern "C" __attribute__((device)) double ocl_modf(double, double*) __asm__("_Z4modfdPd");
DEVICE double __nv_modf(double a, double* b) {
  return ocl_modf(a, b);
}
DEVICE double __nv_rsqrt(double a) {
  return 1.0 / __builtin_sqrt(a);
}
