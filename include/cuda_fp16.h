// __half and __half2 (CUDA Math API, "Half Precision"): IEEE binary16.
#ifndef WANREN_CUDA_FP16_H
#define WANREN_CUDA_FP16_H
#define __CUDA_FP16_H__  // libraries ask for this name

#include "cuda_runtime.h"

// Plain host compilers get the types, conversions and arithmetic; g++ from 12 on has _Float16.
#if defined(__cplusplus)

struct __half_raw {
  unsigned short x;
};
struct __half2_raw {
  unsigned short x, y;
};

static __inline__ __host__ __device__ float wanren_half_to_float(unsigned short h) {
  return (float)__builtin_bit_cast(_Float16, h);
}
static __inline__ __host__ __device__ unsigned short wanren_float_to_half(float f) {
#if defined(__CUDA_ARCH__)
  unsigned short r;
  asm("cvt.rn.f16.f32 %0, %1;" : "=h"(r) : "f"(f));
  return r;
#else
  return __builtin_bit_cast(unsigned short, (_Float16)f);
#endif
}
static __inline__ __host__ __device__ unsigned short wanren_double_to_half(double d) {
#if defined(__CUDA_ARCH__)
  unsigned short r;
  asm("cvt.rn.f16.f64 %0, %1;" : "=h"(r) : "d"(d));
  return r;
#else
  return __builtin_bit_cast(unsigned short, (_Float16)d);
#endif
}

struct __attribute__((aligned(2))) __half {
  unsigned short __x;

  __half() = default;
  __host__ __device__ __half(float f) : __x(wanren_float_to_half(f)) {}
  __host__ __device__ __half(double d) : __x(wanren_double_to_half(d)) {}
  __host__ __device__ __half(int v) : __x(wanren_double_to_half(v)) {}
  __host__ __device__ __half(unsigned int v) : __x(wanren_double_to_half(v)) {}
  __host__ __device__ __half(short v) : __x(wanren_float_to_half(v)) {}
  __host__ __device__ __half(unsigned short v) : __x(wanren_float_to_half(v)) {}
  __host__ __device__ __half(long long v) : __x(wanren_double_to_half((double)v)) {}
  __host__ __device__ __half(unsigned long long v) : __x(wanren_double_to_half((double)v)) {}
  __host__ __device__ __half(long v) : __x(wanren_double_to_half((double)v)) {}
  __host__ __device__ __half(unsigned long v) : __x(wanren_double_to_half((double)v)) {}
  __host__ __device__ __half(const __half_raw& r) : __x(r.x) {}
  __host__ __device__ operator __half_raw() const { return __half_raw{__x}; }
  __host__ __device__ operator float() const { return wanren_half_to_float(__x); }
  template <typename T>
  __host__ __device__ __half& operator=(T v) {
    return *this = __half(v);
  }
  __host__ __device__ __half& operator=(const __half& o) = default;
  __half(const __half&) = default;
#define WANREN_TO(T) \
  __host__ __device__ explicit operator T() const { return (T)wanren_half_to_float(__x); }
  // clang-format off
  WANREN_TO(double)
  WANREN_TO(bool)
  WANREN_TO(char)
  WANREN_TO(signed char)
  WANREN_TO(unsigned char)
  WANREN_TO(short)
  WANREN_TO(unsigned short)
  WANREN_TO(int)
  WANREN_TO(unsigned int)
  WANREN_TO(long)
  WANREN_TO(unsigned long)
  WANREN_TO(long long)
  WANREN_TO(unsigned long long)
  // clang-format on
#undef WANREN_TO
  static __host__ __device__ __half from_bits_(unsigned short bits) {
    __half h;
    h.__x = bits;
    return h;
  }
};

struct __attribute__((aligned(4))) __half2 {
  __half x, y;

  __half2() = default;
  __host__ __device__ __half2(__half a, __half b) : x(a), y(b) {}
  __host__ __device__ __half2(const __half2_raw& r)
      : x(__half::from_bits_(r.x)), y(__half::from_bits_(r.y)) {}
  __host__ __device__ operator __half2_raw() const { return __half2_raw{x.__x, y.__x}; }
  static __host__ __device__ __half2 from_word_(unsigned int w) {
    return __half2(__half::from_bits_((unsigned short)w), __half::from_bits_((unsigned short)(w >> 16)));
  }
  __host__ __device__ unsigned int word_() const { return x.__x | ((unsigned int)y.__x << 16); }
};
typedef __half half;
typedef __half2 half2;
typedef __half nv_half;
typedef __half __nv_half;
typedef __half2 nv_half2;
typedef __half_raw __nv_half_raw;

#define H __half
#define H2 __half2
#define INFINITY_BITS 0x7c00u
#define TO_FLOAT(a) wanren_half_to_float((a).__x)
#define FROM_FLOAT(f) __half::from_bits_(wanren_float_to_half(f))
#if defined(__CUDA__)
// _Float16 arithmetic becomes add.f16 and its kin; pairs become f16x2.
typedef _Float16 wanren_f16x2 __attribute__((ext_vector_type(2)));
#define WANREN_F16(a) __builtin_bit_cast(_Float16, (a).__x)
#define WANREN_F16X2(a) __builtin_bit_cast(wanren_f16x2, (a).word_())
#define WANREN_H(e) __half::from_bits_(__builtin_bit_cast(unsigned short, (_Float16)(e)))
#define WANREN_H2(e) __half2::from_word_(__builtin_bit_cast(unsigned int, (wanren_f16x2)(e)))
#define ARITHMETIC_ADD(a, b) WANREN_H(WANREN_F16(a) + WANREN_F16(b))
#define ARITHMETIC_SUB(a, b) WANREN_H(WANREN_F16(a) - WANREN_F16(b))
#define ARITHMETIC_MUL(a, b) WANREN_H(WANREN_F16(a) * WANREN_F16(b))
#define ARITHMETIC_FMA(a, b, c) \
  WANREN_H(__builtin_elementwise_fma(WANREN_F16(a), WANREN_F16(b), WANREN_F16(c)))
#define ARITHMETIC_ADD2(a, b) WANREN_H2(WANREN_F16X2(a) + WANREN_F16X2(b))
#define ARITHMETIC_SUB2(a, b) WANREN_H2(WANREN_F16X2(a) - WANREN_F16X2(b))
#define ARITHMETIC_MUL2(a, b) WANREN_H2(WANREN_F16X2(a) * WANREN_F16X2(b))
#define ARITHMETIC_FMA2(a, b, c) \
  WANREN_H2(__builtin_elementwise_fma(WANREN_F16X2(a), WANREN_F16X2(b), WANREN_F16X2(c)))
#else
// A product and a sum of halves are exact enough in double: rounding twice changes nothing.
#define ARITHMETIC_ADD(a, b) FROM_FLOAT(TO_FLOAT(a) + TO_FLOAT(b))
#define ARITHMETIC_SUB(a, b) FROM_FLOAT(TO_FLOAT(a) - TO_FLOAT(b))
#define ARITHMETIC_MUL(a, b) FROM_FLOAT(TO_FLOAT(a) * TO_FLOAT(b))
#define ARITHMETIC_FMA(a, b, c) \
  __half::from_bits_(wanren_double_to_half((double)TO_FLOAT(a) * TO_FLOAT(b) + TO_FLOAT(c)))
#define ARITHMETIC_ADD2(a, b) __half2(ARITHMETIC_ADD((a).x, (b).x), ARITHMETIC_ADD((a).y, (b).y))
#define ARITHMETIC_SUB2(a, b) __half2(ARITHMETIC_SUB((a).x, (b).x), ARITHMETIC_SUB((a).y, (b).y))
#define ARITHMETIC_MUL2(a, b) __half2(ARITHMETIC_MUL((a).x, (b).x), ARITHMETIC_MUL((a).y, (b).y))
#define ARITHMETIC_FMA2(a, b, c) \
  __half2(ARITHMETIC_FMA((a).x, (b).x, (c).x), ARITHMETIC_FMA((a).y, (b).y, (c).y))
#endif
#define ATOMIC_ADD(OLD, P, V) \
  asm volatile("atom.add.noftz.f16 %0, [%1], %2;" : "=h"(OLD) : "l"(P), "h"(V) : "memory")
#define ATOMIC_ADD2(OLD, P, V) \
  asm volatile("atom.add.noftz.f16x2 %0, [%1], %2;" : "=r"(OLD) : "l"(P), "r"(V) : "memory")
#include "wanren/half_like.inc"
#undef ATOMIC_ADD
#undef ATOMIC_ADD2

WANREN_HD float __half2float(__half a) {
  return TO_FLOAT(a);
}
WANREN_HD __half __float2half(float f) {
  return FROM_FLOAT(f);
}
WANREN_HD __half __float2half_rn(float f) {
  return FROM_FLOAT(f);
}
WANREN_HD __half __double2half(double d) {
  return __half(d);
}
// Directed rounding on the host: the nearest half, or its neighbour if it lies on the wrong side.
static __inline__ __host__ __device__ __half wanren_half_towards(float f, bool (*wrong)(float, float)) {
  const __half h = FROM_FLOAT(f);
  if (!wrong(TO_FLOAT(h), f)) return h;
  const bool away = TO_FLOAT(h) < f ? !(h.__x & 0x8000u) : (h.__x & 0x8000u) != 0;
  if ((h.__x & 0x7fffu) == 0) return __half::from_bits_(TO_FLOAT(h) < f ? 0x0001 : 0x8001);
  return __half::from_bits_((unsigned short)(away ? h.__x + 1 : h.__x - 1));
}
static __inline__ __host__ __device__ bool wanren_beyond(float h, float f) {
  return f < 0 ? h < f : h > f;
}
static __inline__ __host__ __device__ bool wanren_above(float h, float f) {
  return h > f;
}
static __inline__ __host__ __device__ bool wanren_below(float h, float f) {
  return h < f;
}
#if defined(__CUDA_ARCH__)
#define WANREN_ROUND(SUFFIX, PTX, WRONG)                   \
  WANREN_HD __half __float2half_##SUFFIX(float f) {        \
    unsigned short r;                                      \
    asm("cvt." PTX ".f16.f32 %0, %1;" : "=h"(r) : "f"(f)); \
    return __half::from_bits_(r);                          \
  }
#else
#define WANREN_ROUND(SUFFIX, PTX, WRONG)            \
  WANREN_HD __half __float2half_##SUFFIX(float f) { \
    return wanren_half_towards(f, WRONG);           \
  }
#endif
WANREN_ROUND(rz, "rz", wanren_beyond)
WANREN_ROUND(rd, "rm", wanren_above)
WANREN_ROUND(ru, "rp", wanren_below)
#undef WANREN_ROUND
WANREN_HD __half2 __float2half2_rn(float f) {
  return __half2(FROM_FLOAT(f), FROM_FLOAT(f));
}
WANREN_HD __half2 __floats2half2_rn(float a, float b) {
  return __half2(FROM_FLOAT(a), FROM_FLOAT(b));
}
WANREN_HD __half2 __float22half2_rn(float2 f) {
  return __half2(FROM_FLOAT(f.x), FROM_FLOAT(f.y));
}
WANREN_HD float2 __half22float2(__half2 a) {
  return make_float2(TO_FLOAT(a.x), TO_FLOAT(a.y));
}
WANREN_HD float __low2float(__half2 a) {
  return TO_FLOAT(a.x);
}
WANREN_HD float __high2float(__half2 a) {
  return TO_FLOAT(a.y);
}
WANREN_HD __half __low2half(__half2 a) {
  return a.x;
}
WANREN_HD __half __high2half(__half2 a) {
  return a.y;
}
WANREN_HD __half2 __half2half2(__half a) {
  return __half2(a, a);
}
WANREN_HD __half2 __halves2half2(__half a, __half b) {
  return __half2(a, b);
}
WANREN_HD __half2 make_half2(__half a, __half b) {
  return __half2(a, b);
}
WANREN_HD __half2 __lows2half2(__half2 a, __half2 b) {
  return __half2(a.x, b.x);
}
WANREN_HD __half2 __highs2half2(__half2 a, __half2 b) {
  return __half2(a.y, b.y);
}
WANREN_HD __half2 __low2half2(__half2 a) {
  return __half2(a.x, a.x);
}
WANREN_HD __half2 __high2half2(__half2 a) {
  return __half2(a.y, a.y);
}
WANREN_HD __half2 __lowhigh2highlow(__half2 a) {
  return __half2(a.y, a.x);
}
WANREN_HD short __half_as_short(__half a) {
  return (short)a.__x;
}
WANREN_HD unsigned short __half_as_ushort(__half a) {
  return a.__x;
}
WANREN_HD __half __short_as_half(short v) {
  return __half::from_bits_((unsigned short)v);
}
WANREN_HD __half __ushort_as_half(unsigned short v) {
  return __half::from_bits_(v);
}
#if defined(__CUDA__)
#define WANREN_TO_INTEGER(NAME, ROUNDING, T, TR, C, PTX)                 \
  WANREN_D T __half2##NAME(__half a) {                                   \
    TR r;                                                                \
    asm("cvt." ROUNDING "." PTX ".f16 %0, %1;" : "=" C(r) : "h"(a.__x)); \
    return (T)r;                                                         \
  }
#else
#define WANREN_TO_INTEGER(NAME, ROUNDING, T, TR, C, PTX)
#endif
#define WANREN_INTEGER(NAME, T, TR, C, PTX)          \
  WANREN_TO_INTEGER(NAME##_rn, "rni", T, TR, C, PTX) \
  WANREN_TO_INTEGER(NAME##_rd, "rmi", T, TR, C, PTX) \
  WANREN_TO_INTEGER(NAME##_ru, "rpi", T, TR, C, PTX) \
  WANREN_HD T __half2##NAME##_rz(__half a) {         \
    return (T)TO_FLOAT(a);                           \
  }                                                  \
  WANREN_HD __half __##NAME##2half_rn(T v) {         \
    return __half(v);                                \
  }
WANREN_INTEGER(int, int, int, "r", "s32")
WANREN_INTEGER(uint, unsigned int, unsigned int, "r", "u32")
WANREN_INTEGER(short, short, short, "h", "s16")
WANREN_INTEGER(ushort, unsigned short, unsigned short, "h", "u16")
WANREN_INTEGER(ll, long long, long long, "l", "s64")
WANREN_INTEGER(ull, unsigned long long, unsigned long long, "l", "u64")
#undef WANREN_INTEGER
#undef WANREN_TO_INTEGER
#define CUDART_INF_FP16 __ushort_as_half((unsigned short)0x7C00U)
#define CUDART_NAN_FP16 __ushort_as_half((unsigned short)0x7FFFU)
#define CUDART_MIN_DENORM_FP16 __ushort_as_half((unsigned short)0x0001U)
#define CUDART_MAX_NORMAL_FP16 __ushort_as_half((unsigned short)0x7BFFU)
#define CUDART_NEG_ZERO_FP16 __ushort_as_half((unsigned short)0x8000U)
#define CUDART_ZERO_FP16 __ushort_as_half((unsigned short)0x0000U)
#define CUDART_ONE_FP16 __ushort_as_half((unsigned short)0x3C00U)

#include "wanren/half_like_end.inc"

#endif
#endif
