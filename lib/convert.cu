// Conversions with explicit rounding: one PTX cvt each.
#include "device.h"

#define CVT(NAME, TO, OUT, FROM, IN, CODE)            \
  DEVICE TO NAME(FROM a) {                            \
    TO r;                                             \
    asm("cvt." CODE " %0, %1;" : "=" OUT(r) : IN(a)); \
    return r;                                         \
  }
#define TO_INTEGER(FROM, F, FP, FC)                          \
  CVT(__nv_##FROM##2int_rn, int, "r", F, FC, "rni.s32." FP)  \
  CVT(__nv_##FROM##2int_rz, int, "r", F, FC, "rzi.s32." FP)  \
  CVT(__nv_##FROM##2int_rd, int, "r", F, FC, "rmi.s32." FP)  \
  CVT(__nv_##FROM##2int_ru, int, "r", F, FC, "rpi.s32." FP)  \
  CVT(__nv_##FROM##2uint_rn, u32, "r", F, FC, "rni.u32." FP) \
  CVT(__nv_##FROM##2uint_rz, u32, "r", F, FC, "rzi.u32." FP) \
  CVT(__nv_##FROM##2uint_rd, u32, "r", F, FC, "rmi.u32." FP) \
  CVT(__nv_##FROM##2uint_ru, u32, "r", F, FC, "rpi.u32." FP) \
  CVT(__nv_##FROM##2ll_rn, s64, "l", F, FC, "rni.s64." FP)   \
  CVT(__nv_##FROM##2ll_rz, s64, "l", F, FC, "rzi.s64." FP)   \
  CVT(__nv_##FROM##2ll_rd, s64, "l", F, FC, "rmi.s64." FP)   \
  CVT(__nv_##FROM##2ll_ru, s64, "l", F, FC, "rpi.s64." FP)   \
  CVT(__nv_##FROM##2ull_rn, u64, "l", F, FC, "rni.u64." FP)  \
  CVT(__nv_##FROM##2ull_rz, u64, "l", F, FC, "rzi.u64." FP)  \
  CVT(__nv_##FROM##2ull_rd, u64, "l", F, FC, "rmi.u64." FP)  \
  CVT(__nv_##FROM##2ull_ru, u64, "l", F, FC, "rpi.u64." FP)
#define FROM_INTEGER(TO, T, FP, C)                          \
  CVT(__nv_int2##TO##_rn, T, C, int, "r", "rn." FP ".s32")  \
  CVT(__nv_int2##TO##_rz, T, C, int, "r", "rz." FP ".s32")  \
  CVT(__nv_int2##TO##_rd, T, C, int, "r", "rm." FP ".s32")  \
  CVT(__nv_int2##TO##_ru, T, C, int, "r", "rp." FP ".s32")  \
  CVT(__nv_uint2##TO##_rn, T, C, u32, "r", "rn." FP ".u32") \
  CVT(__nv_uint2##TO##_rz, T, C, u32, "r", "rz." FP ".u32") \
  CVT(__nv_uint2##TO##_rd, T, C, u32, "r", "rm." FP ".u32") \
  CVT(__nv_uint2##TO##_ru, T, C, u32, "r", "rp." FP ".u32") \
  CVT(__nv_ll2##TO##_rn, T, C, s64, "l", "rn." FP ".s64")   \
  CVT(__nv_ll2##TO##_rz, T, C, s64, "l", "rz." FP ".s64")   \
  CVT(__nv_ll2##TO##_rd, T, C, s64, "l", "rm." FP ".s64")   \
  CVT(__nv_ll2##TO##_ru, T, C, s64, "l", "rp." FP ".s64")   \
  CVT(__nv_ull2##TO##_rn, T, C, u64, "l", "rn." FP ".u64")  \
  CVT(__nv_ull2##TO##_rz, T, C, u64, "l", "rz." FP ".u64")  \
  CVT(__nv_ull2##TO##_rd, T, C, u64, "l", "rm." FP ".u64")  \
  CVT(__nv_ull2##TO##_ru, T, C, u64, "l", "rp." FP ".u64")
TO_INTEGER(float, float, "f32", "f")
TO_INTEGER(double, double, "f64", "d")
FROM_INTEGER(float, float, "f32", "f")
FROM_INTEGER(double, double, "f64", "d")
CVT(__nv_double2float_rn, float, "f", double, "d", "rn.f32.f64")
CVT(__nv_double2float_rz, float, "f", double, "d", "rz.f32.f64")
CVT(__nv_double2float_rd, float, "f", double, "d", "rm.f32.f64")
CVT(__nv_double2float_ru, float, "f", double, "d", "rp.f32.f64")
CVT(__nv_float2half_rn, unsigned short, "h", float, "f", "rn.f16.f32")
CVT(__nv_half2float, float, "f", unsigned short, "h", "f32.f16")

DEVICE int __nv_float_as_int(float a) {
  return (int)bits(a);
}
DEVICE u32 __nv_float_as_uint(float a) {
  return bits(a);
}
DEVICE float __nv_int_as_float(int a) {
  return from_bits((u32)a);
}
DEVICE float __nv_uint_as_float(u32 a) {
  return from_bits(a);
}
DEVICE s64 __nv_double_as_longlong(double a) {
  return (s64)bits(a);
}
DEVICE double __nv_longlong_as_double(s64 a) {
  return from_bits((u64)a);
}
DEVICE int __nv_double2hiint(double a) {
  return (int)(bits(a) >> 32);
}
DEVICE int __nv_double2loint(double a) {
  return (int)bits(a);
}
DEVICE double __nv_hiloint2double(int h, int l) {
  return from_bits(((u64)(u32)h << 32) | (u32)l);
}
