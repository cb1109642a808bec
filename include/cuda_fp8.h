// 8-bit floating point (CUDA Math API, "FP8 Intrinsics"): e4m3 without infinities, largest 448, and e5m2,
// largest 57344. Conversions round to nearest even, on integers, so that host and device agree; arithmetic is
// for wider types.
#ifndef WANREN_CUDA_FP8_H
#define WANREN_CUDA_FP8_H
#define __CUDA_FP8_H__  // libraries ask for this name

#include "cuda_bf16.h"
#include "cuda_fp16.h"

#if defined(__cplusplus)

typedef unsigned char __nv_fp8_storage_t;
typedef unsigned short __nv_fp8x2_storage_t;
typedef unsigned int __nv_fp8x4_storage_t;
typedef enum __nv_saturation_t { __NV_NOSAT, __NV_SATFINITE } __nv_saturation_t;
typedef enum __nv_fp8_interpretation_t { __NV_E4M3, __NV_E5M2 } __nv_fp8_interpretation_t;

#define WANREN_FP8 static __inline__ __host__ __device__

// What is too large becomes the largest number with saturation; else NaN in e4m3, infinite in e5m2.
WANREN_FP8 __nv_fp8_storage_t __nv_cvt_double_to_fp8(double x, __nv_saturation_t saturate,
                                                     __nv_fp8_interpretation_t kind) {
  const int fraction_bits = kind == __NV_E4M3 ? 3 : 2, bias = kind == __NV_E4M3 ? 7 : 15;
  const unsigned largest = kind == __NV_E4M3 ? 0x7eu : 0x7bu, beyond = kind == __NV_E4M3 ? 0x7fu : 0x7cu;
  const unsigned long long bits = __builtin_bit_cast(unsigned long long, x), size = bits & ~(1ull << 63);
  const unsigned sign = (unsigned)(bits >> 56) & 0x80u;
  if (size > 0x7ffull << 52) return (__nv_fp8_storage_t)0x7fu;
  if (size == 0) return (__nv_fp8_storage_t)sign;
  // Fraction bits below the last that stays; more of them where the result is subnormal.
  const int exponent = (int)(size >> 52) - 1023, lowest = 1 - bias;
  int drop = 52 - fraction_bits + (exponent < lowest ? lowest - exponent : 0);
  if (drop > 54) drop = 54;
  const unsigned long long number = (size & 0xfffffffffffffull) | (exponent > -1023 ? 1ull << 52 : 0),
                           rounded = (number + ((1ull << (drop - 1)) - 1) + ((number >> drop) & 1)) >> drop;
  // A carry out of the fraction is the next exponent.
  const long long code = exponent < lowest
                             ? (long long)rounded
                             : (((long long)(exponent + bias) - 1) << fraction_bits) + (long long)rounded;
  if (code <= (long long)largest) return (__nv_fp8_storage_t)(sign | (unsigned)code);
  return (__nv_fp8_storage_t)(sign | (saturate == __NV_SATFINITE ? largest : beyond));
}
WANREN_FP8 __nv_fp8_storage_t __nv_cvt_float_to_fp8(float x, __nv_saturation_t saturate,
                                                    __nv_fp8_interpretation_t kind) {
  return __nv_cvt_double_to_fp8(x, saturate, kind);
}
WANREN_FP8 __nv_fp8_storage_t __nv_cvt_halfraw_to_fp8(__half_raw x, __nv_saturation_t saturate,
                                                      __nv_fp8_interpretation_t kind) {
  return __nv_cvt_double_to_fp8((float)__half(x), saturate, kind);
}
WANREN_FP8 __nv_fp8_storage_t __nv_cvt_bfloat16raw_to_fp8(__nv_bfloat16_raw x, __nv_saturation_t saturate,
                                                          __nv_fp8_interpretation_t kind) {
  return __nv_cvt_double_to_fp8((float)__nv_bfloat16(x), saturate, kind);
}
WANREN_FP8 __half_raw __nv_cvt_fp8_to_halfraw(__nv_fp8_storage_t x, __nv_fp8_interpretation_t kind) {
  const unsigned sign = (x & 0x80u) << 8, size = x & 0x7fu;
  if (kind == __NV_E5M2) return __half_raw{(unsigned short)(size > 0x7cu ? 0x7fffu : sign | (size << 8))};
  if (size == 0x7fu) return __half_raw{(unsigned short)0x7fffu};
  if (size >= 8) return __half_raw{(unsigned short)(sign | ((size << 7) + 0x2000u))};
  // Multiples of 2^-9, which are normal in half precision.
  const unsigned short number = __half((float)size * 0x1p-9f).__x;
  return __half_raw{(unsigned short)(sign | number)};
}

#define WANREN_PAIR(a, b) ((__nv_fp8x2_storage_t)((a) | ((unsigned)(b) << 8)))
WANREN_FP8 __nv_fp8x2_storage_t __nv_cvt_float2_to_fp8x2(float2 x, __nv_saturation_t saturate,
                                                         __nv_fp8_interpretation_t kind) {
  return WANREN_PAIR(__nv_cvt_float_to_fp8(x.x, saturate, kind), __nv_cvt_float_to_fp8(x.y, saturate, kind));
}
WANREN_FP8 __nv_fp8x2_storage_t __nv_cvt_double2_to_fp8x2(double2 x, __nv_saturation_t saturate,
                                                          __nv_fp8_interpretation_t kind) {
  return WANREN_PAIR(__nv_cvt_double_to_fp8(x.x, saturate, kind),
                     __nv_cvt_double_to_fp8(x.y, saturate, kind));
}
WANREN_FP8 __nv_fp8x2_storage_t __nv_cvt_halfraw2_to_fp8x2(__half2_raw x, __nv_saturation_t saturate,
                                                           __nv_fp8_interpretation_t kind) {
  return WANREN_PAIR(__nv_cvt_halfraw_to_fp8(__half_raw{x.x}, saturate, kind),
                     __nv_cvt_halfraw_to_fp8(__half_raw{x.y}, saturate, kind));
}
WANREN_FP8 __nv_fp8x2_storage_t __nv_cvt_bfloat16raw2_to_fp8x2(__nv_bfloat162_raw x,
                                                               __nv_saturation_t saturate,
                                                               __nv_fp8_interpretation_t kind) {
  return WANREN_PAIR(__nv_cvt_bfloat16raw_to_fp8(__nv_bfloat16_raw{x.x}, saturate, kind),
                     __nv_cvt_bfloat16raw_to_fp8(__nv_bfloat16_raw{x.y}, saturate, kind));
}
WANREN_FP8 __half2_raw __nv_cvt_fp8x2_to_halfraw2(__nv_fp8x2_storage_t x, __nv_fp8_interpretation_t kind) {
  return __half2_raw{__nv_cvt_fp8_to_halfraw((__nv_fp8_storage_t)x, kind).x,
                     __nv_cvt_fp8_to_halfraw((__nv_fp8_storage_t)(x >> 8), kind).x};
}

#define WANREN_FROM(T, type, kind) \
  explicit __host__ __device__ type(T v) : __x(__nv_cvt_double_to_fp8((double)v, __NV_SATFINITE, kind)) {}
#define WANREN_TO(T)                                \
  explicit __host__ __device__ operator T() const { \
    return (T)(float)*this;                         \
  }
#define WANREN_NUMBER(type, kind)                                                         \
  struct __attribute__((aligned(1))) type {                                               \
    __nv_fp8_storage_t __x;                                                               \
    type() = default;                                                                     \
    explicit __host__ __device__ type(__half v)                                           \
        : __x(__nv_cvt_halfraw_to_fp8((__half_raw)v, __NV_SATFINITE, kind)) {}            \
    explicit __host__ __device__ type(__nv_bfloat16 v)                                    \
        : __x(__nv_cvt_bfloat16raw_to_fp8((__nv_bfloat16_raw)v, __NV_SATFINITE, kind)) {} \
    WANREN_FROM(float, type, kind)                                                        \
    WANREN_FROM(double, type, kind)                                                       \
    WANREN_FROM(short, type, kind)                                                        \
    WANREN_FROM(unsigned short, type, kind)                                               \
    WANREN_FROM(int, type, kind)                                                          \
    WANREN_FROM(unsigned int, type, kind)                                                 \
    WANREN_FROM(long, type, kind)                                                         \
    WANREN_FROM(unsigned long, type, kind)                                                \
    WANREN_FROM(long long, type, kind)                                                    \
    WANREN_FROM(unsigned long long, type, kind)                                           \
    explicit __host__ __device__ operator __half() const {                                \
      return __half(__nv_cvt_fp8_to_halfraw(__x, kind));                                  \
    }                                                                                     \
    explicit __host__ __device__ operator float() const {                                 \
      return (float)(__half) * this;                                                      \
    }                                                                                     \
    explicit __host__ __device__ operator __nv_bfloat16() const {                         \
      return __nv_bfloat16((float)*this);                                                 \
    }                                                                                     \
    explicit __host__ __device__ operator double() const {                                \
      return (double)(float)*this;                                                        \
    }                                                                                     \
    explicit __host__ __device__ operator bool() const {                                  \
      return (__x & 0x7f) != 0;                                                           \
    }                                                                                     \
    WANREN_TO(char)                                                                       \
    WANREN_TO(signed char)                                                                \
    WANREN_TO(unsigned char)                                                              \
    WANREN_TO(short)                                                                      \
    WANREN_TO(unsigned short)                                                             \
    WANREN_TO(int)                                                                        \
    WANREN_TO(unsigned int)                                                               \
    WANREN_TO(long)                                                                       \
    WANREN_TO(unsigned long)                                                              \
    WANREN_TO(long long)                                                                  \
    WANREN_TO(unsigned long long)                                                         \
  }
#define WANREN_TWO(type, kind)                                                                              \
  struct __attribute__((aligned(2))) type {                                                                 \
    __nv_fp8x2_storage_t __x;                                                                               \
    type() = default;                                                                                       \
    explicit __host__ __device__ type(__half2 v)                                                            \
        : __x(__nv_cvt_halfraw2_to_fp8x2((__half2_raw)v, __NV_SATFINITE, kind)) {}                          \
    explicit __host__ __device__ type(__nv_bfloat162 v)                                                     \
        : __x(__nv_cvt_bfloat16raw2_to_fp8x2((__nv_bfloat162_raw)v, __NV_SATFINITE, kind)) {}               \
    explicit __host__ __device__ type(float2 v) : __x(__nv_cvt_float2_to_fp8x2(v, __NV_SATFINITE, kind)) {} \
    explicit __host__ __device__ type(double2 v)                                                            \
        : __x(__nv_cvt_double2_to_fp8x2(v, __NV_SATFINITE, kind)) {}                                        \
    explicit __host__ __device__ operator __half2() const {                                                 \
      return __half2(__nv_cvt_fp8x2_to_halfraw2(__x, kind));                                                \
    }                                                                                                       \
    explicit __host__ __device__ operator float2() const {                                                  \
      return __half22float2((__half2) * this);                                                              \
    }                                                                                                       \
  }
#define WANREN_FOUR(type, two, kind)                                                                \
  struct __attribute__((aligned(4))) type {                                                         \
    __nv_fp8x4_storage_t __x;                                                                       \
    type() = default;                                                                               \
    explicit __host__ __device__ type(__half2 low, __half2 high)                                    \
        : __x(two(low).__x | (unsigned)two(high).__x << 16) {}                                      \
    explicit __host__ __device__ type(__nv_bfloat162 low, __nv_bfloat162 high)                      \
        : __x(two(low).__x | (unsigned)two(high).__x << 16) {}                                      \
    explicit __host__ __device__ type(float4 v)                                                     \
        : __x(two(make_float2(v.x, v.y)).__x | (unsigned)two(make_float2(v.z, v.w)).__x << 16) {}   \
    explicit __host__ __device__ type(double4 v)                                                    \
        : __x(two(make_double2(v.x, v.y)).__x | (unsigned)two(make_double2(v.z, v.w)).__x << 16) {} \
    explicit __host__ __device__ operator float4() const {                                          \
      two low, high;                                                                                \
      low.__x = (__nv_fp8x2_storage_t)__x;                                                          \
      high.__x = (__nv_fp8x2_storage_t)(__x >> 16);                                                 \
      const float2 a = (float2)low, b = (float2)high;                                               \
      return make_float4(a.x, a.y, b.x, b.y);                                                       \
    }                                                                                               \
  }
WANREN_NUMBER(__nv_fp8_e4m3, __NV_E4M3);
WANREN_NUMBER(__nv_fp8_e5m2, __NV_E5M2);
WANREN_TWO(__nv_fp8x2_e4m3, __NV_E4M3);
WANREN_TWO(__nv_fp8x2_e5m2, __NV_E5M2);
WANREN_FOUR(__nv_fp8x4_e4m3, __nv_fp8x2_e4m3, __NV_E4M3);
WANREN_FOUR(__nv_fp8x4_e5m2, __nv_fp8x2_e5m2, __NV_E5M2);
#undef WANREN_FOUR
#undef WANREN_TWO
#undef WANREN_NUMBER
#undef WANREN_TO
#undef WANREN_FROM
#undef WANREN_PAIR
#undef WANREN_FP8

#endif  // __cplusplus
#endif
