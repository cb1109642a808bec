// __nv_bfloat16 and __nv_bfloat162 (CUDA Math API, "Bfloat16 Precision").
#ifndef WANREN_CUDA_BF16_H
#define WANREN_CUDA_BF16_H
#define __CUDA_BF16_H__  // libraries ask for this name

#include "cuda_runtime.h"

// Plain host compilers get the types, conversions and arithmetic.
#if defined(__cplusplus)

struct __nv_bfloat16_raw {
  unsigned short x;
};
struct __nv_bfloat162_raw {
  unsigned short x, y;
};

static __inline__ __host__ __device__ float wanren_bf16_to_float(unsigned short h) {
  return __builtin_bit_cast(float, (unsigned int)h << 16);
}
static __inline__ __host__ __device__ unsigned short wanren_float_to_bf16(float f) {
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 800
  unsigned short r;
  asm("cvt.rn.bf16.f32 %0, %1;" : "=h"(r) : "f"(f));
  return r;
#else
  const unsigned int u = __builtin_bit_cast(unsigned int, f);
  if ((u & 0x7fffffffu) > 0x7f800000u) return 0x7fff;
  return (unsigned short)((u + 0x7fffu + ((u >> 16) & 1)) >> 16);
#endif
}
// a * b + c, rounded once. Before sm_80 and on the host it is rounded to float first.
static __inline__ __host__ __device__ unsigned short wanren_bf16_fma(unsigned short a, unsigned short b,
                                                                     unsigned short c) {
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 800
  unsigned short r;
  asm("fma.rn.bf16 %0, %1, %2, %3;" : "=h"(r) : "h"(a), "h"(b), "h"(c));
  return r;
#else
  return wanren_float_to_bf16(
      __builtin_fmaf(wanren_bf16_to_float(a), wanren_bf16_to_float(b), wanren_bf16_to_float(c)));
#endif
}
static __inline__ __host__ __device__ unsigned int wanren_bf16x2_fma(unsigned int a, unsigned int b,
                                                                     unsigned int c) {
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 800
  unsigned int r;
  asm("fma.rn.bf16x2 %0, %1, %2, %3;" : "=r"(r) : "r"(a), "r"(b), "r"(c));
  return r;
#else
  return wanren_bf16_fma((unsigned short)a, (unsigned short)b, (unsigned short)c) |
         ((unsigned int)wanren_bf16_fma((unsigned short)(a >> 16), (unsigned short)(b >> 16),
                                        (unsigned short)(c >> 16))
          << 16);
#endif
}

struct __attribute__((aligned(2))) __nv_bfloat16 {
  unsigned short __x;

  __nv_bfloat16() = default;
  __host__ __device__ __nv_bfloat16(float f) : __x(wanren_float_to_bf16(f)) {}
  // Through float rounded to odd, so that the second rounding sees what was lost.
  __host__ __device__ __nv_bfloat16(double d) {
    float f = (float)d;
    if ((double)f != d && f == f && !(__builtin_bit_cast(unsigned int, f) & 1u)) {
      const bool away = __builtin_fabs((double)f) > __builtin_fabs(d);
      f = __builtin_bit_cast(float, __builtin_bit_cast(unsigned int, f) + (away ? -1 : 1));
    }
    __x = wanren_float_to_bf16(f);
  }
  __host__ __device__ __nv_bfloat16(int v) : __nv_bfloat16((double)v) {}
  __host__ __device__ __nv_bfloat16(unsigned int v) : __nv_bfloat16((double)v) {}
  __host__ __device__ __nv_bfloat16(short v) : __nv_bfloat16((float)v) {}
  __host__ __device__ __nv_bfloat16(unsigned short v) : __nv_bfloat16((float)v) {}
  __host__ __device__ __nv_bfloat16(long v) : __nv_bfloat16((double)v) {}
  __host__ __device__ __nv_bfloat16(unsigned long v) : __nv_bfloat16((double)v) {}
  __host__ __device__ __nv_bfloat16(long long v) : __nv_bfloat16((double)v) {}
  __host__ __device__ __nv_bfloat16(unsigned long long v) : __nv_bfloat16((double)v) {}
  __host__ __device__ __nv_bfloat16(const __nv_bfloat16_raw& r) : __x(r.x) {}
  __host__ __device__ operator __nv_bfloat16_raw() const { return __nv_bfloat16_raw{__x}; }
  __host__ __device__ operator float() const { return wanren_bf16_to_float(__x); }
  template <typename T>
  __host__ __device__ __nv_bfloat16& operator=(T v) {
    return *this = __nv_bfloat16(v);
  }
  __host__ __device__ __nv_bfloat16& operator=(const __nv_bfloat16& o) = default;
  __nv_bfloat16(const __nv_bfloat16&) = default;
#define WANREN_TO(T) \
  __host__ __device__ explicit operator T() const { return (T)wanren_bf16_to_float(__x); }
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
  static __host__ __device__ __nv_bfloat16 from_bits_(unsigned short bits) {
    __nv_bfloat16 h;
    h.__x = bits;
    return h;
  }
};

struct __attribute__((aligned(4))) __nv_bfloat162 {
  __nv_bfloat16 x, y;

  __nv_bfloat162() = default;
  __host__ __device__ __nv_bfloat162(__nv_bfloat16 a, __nv_bfloat16 b) : x(a), y(b) {}
  __host__ __device__ __nv_bfloat162(const __nv_bfloat162_raw& r)
      : x(__nv_bfloat16::from_bits_(r.x)), y(__nv_bfloat16::from_bits_(r.y)) {}
  __host__ __device__ operator __nv_bfloat162_raw() const { return __nv_bfloat162_raw{x.__x, y.__x}; }
  static __host__ __device__ __nv_bfloat162 from_word_(unsigned int w) {
    return __nv_bfloat162(__nv_bfloat16::from_bits_((unsigned short)w),
                          __nv_bfloat16::from_bits_((unsigned short)(w >> 16)));
  }
  __host__ __device__ unsigned int word_() const { return x.__x | ((unsigned int)y.__x << 16); }
};
typedef __nv_bfloat16 nv_bfloat16;
typedef __nv_bfloat162 nv_bfloat162;

// Addition and multiplication are fused multiply-adds with one and minus zero, which sm_80 has.
#define H __nv_bfloat16
#define H2 __nv_bfloat162
#define INFINITY_BITS 0x7f80u
#define TO_FLOAT(a) wanren_bf16_to_float((a).__x)
#define FROM_FLOAT(f) __nv_bfloat16::from_bits_(wanren_float_to_bf16(f))
#define ARITHMETIC_FMA(a, b, c) H::from_bits_(wanren_bf16_fma((a).__x, (b).__x, (c).__x))
#define ARITHMETIC_ADD(a, b) H::from_bits_(wanren_bf16_fma((a).__x, 0x3f80, (b).__x))
#define ARITHMETIC_SUB(a, b) H::from_bits_(wanren_bf16_fma((b).__x, 0xbf80, (a).__x))
#define ARITHMETIC_MUL(a, b) H::from_bits_(wanren_bf16_fma((a).__x, (b).__x, 0x8000))
#define ARITHMETIC_FMA2(a, b, c) H2::from_word_(wanren_bf16x2_fma((a).word_(), (b).word_(), (c).word_()))
#define ARITHMETIC_ADD2(a, b) H2::from_word_(wanren_bf16x2_fma((a).word_(), 0x3f803f80u, (b).word_()))
#define ARITHMETIC_SUB2(a, b) H2::from_word_(wanren_bf16x2_fma((b).word_(), 0xbf80bf80u, (a).word_()))
#define ARITHMETIC_MUL2(a, b) H2::from_word_(wanren_bf16x2_fma((a).word_(), (b).word_(), 0x80008000u))
#if defined(__CUDA__)
// atom.add.bf16 begins with sm_90; before, compare-and-swap of the enclosing word.
static __device__ __forceinline__ unsigned int wanren_bf16x2_atomic_add(unsigned int* p, unsigned int v) {
  unsigned int old = *(volatile unsigned int*)p, seen;
  do {
    seen = old;
    old = atomicCAS(p, seen, wanren_bf16x2_fma(seen, 0x3f803f80u, v));
  } while (old != seen);
  return old;
}
static __device__ __forceinline__ unsigned short wanren_bf16_atomic_add(unsigned short* p, unsigned short v) {
  const bool high = (unsigned long long)p & 2;
  unsigned int* word = (unsigned int*)((unsigned long long)p & ~3ull);
  unsigned int old = *(volatile unsigned int*)word, seen;
  do {
    seen = old;
    const unsigned short sum = wanren_bf16_fma((unsigned short)(high ? seen >> 16 : seen), 0x3f80, v);
    old = atomicCAS(word, seen,
                    high ? (seen & 0xffffu) | ((unsigned int)sum << 16) : (seen & 0xffff0000u) | sum);
  } while (old != seen);
  return (unsigned short)(high ? old >> 16 : old);
}
#endif
#define ATOMIC_ADD(OLD, P, V) OLD = wanren_bf16_atomic_add((unsigned short*)(P), V)
#define ATOMIC_ADD2(OLD, P, V) OLD = wanren_bf16x2_atomic_add((unsigned int*)(P), V)
#include "wanren/half_like.inc"

WANREN_HD float __bfloat162float(__nv_bfloat16 a) {
  return TO_FLOAT(a);
}
WANREN_HD __nv_bfloat16 __float2bfloat16(float f) {
  return FROM_FLOAT(f);
}
WANREN_HD __nv_bfloat16 __float2bfloat16_rn(float f) {
  return FROM_FLOAT(f);
}
WANREN_HD __nv_bfloat16 __double2bfloat16(double d) {
  return __nv_bfloat16(d);
}
WANREN_HD __nv_bfloat16 __float2bfloat16_rz(float f) {
  return f != f ? __nv_bfloat16::from_bits_(0x7fff)
                : __nv_bfloat16::from_bits_((unsigned short)(__builtin_bit_cast(unsigned int, f) >> 16));
}
WANREN_HD __nv_bfloat162 __float2bfloat162_rn(float f) {
  return __nv_bfloat162(FROM_FLOAT(f), FROM_FLOAT(f));
}
WANREN_HD __nv_bfloat162 __floats2bfloat162_rn(float a, float b) {
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 800
  unsigned int r;
  asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(r) : "f"(b), "f"(a));
  return __nv_bfloat162::from_word_(r);
#else
  return __nv_bfloat162(FROM_FLOAT(a), FROM_FLOAT(b));
#endif
}
WANREN_HD __nv_bfloat162 __float22bfloat162_rn(float2 f) {
  return __floats2bfloat162_rn(f.x, f.y);
}
WANREN_HD float2 __bfloat1622float2(__nv_bfloat162 a) {
  return make_float2(TO_FLOAT(a.x), TO_FLOAT(a.y));
}
WANREN_HD float __low2float(__nv_bfloat162 a) {
  return TO_FLOAT(a.x);
}
WANREN_HD float __high2float(__nv_bfloat162 a) {
  return TO_FLOAT(a.y);
}
WANREN_HD __nv_bfloat16 __low2bfloat16(__nv_bfloat162 a) {
  return a.x;
}
WANREN_HD __nv_bfloat16 __high2bfloat16(__nv_bfloat162 a) {
  return a.y;
}
WANREN_HD __nv_bfloat162 __bfloat162bfloat162(__nv_bfloat16 a) {
  return __nv_bfloat162(a, a);
}
WANREN_HD __nv_bfloat162 __halves2bfloat162(__nv_bfloat16 a, __nv_bfloat16 b) {
  return __nv_bfloat162(a, b);
}
WANREN_HD __nv_bfloat162 make_bfloat162(__nv_bfloat16 a, __nv_bfloat16 b) {
  return __nv_bfloat162(a, b);
}
WANREN_HD __nv_bfloat162 __lows2bfloat162(__nv_bfloat162 a, __nv_bfloat162 b) {
  return __nv_bfloat162(a.x, b.x);
}
WANREN_HD __nv_bfloat162 __highs2bfloat162(__nv_bfloat162 a, __nv_bfloat162 b) {
  return __nv_bfloat162(a.y, b.y);
}
WANREN_HD __nv_bfloat162 __low2bfloat162(__nv_bfloat162 a) {
  return __nv_bfloat162(a.x, a.x);
}
WANREN_HD __nv_bfloat162 __high2bfloat162(__nv_bfloat162 a) {
  return __nv_bfloat162(a.y, a.y);
}
WANREN_HD __nv_bfloat162 __lowhigh2highlow(__nv_bfloat162 a) {
  return __nv_bfloat162(a.y, a.x);
}
WANREN_HD short __bfloat16_as_short(__nv_bfloat16 a) {
  return (short)a.__x;
}
WANREN_HD unsigned short __bfloat16_as_ushort(__nv_bfloat16 a) {
  return a.__x;
}
WANREN_HD __nv_bfloat16 __short_as_bfloat16(short v) {
  return __nv_bfloat16::from_bits_((unsigned short)v);
}
WANREN_HD __nv_bfloat16 __ushort_as_bfloat16(unsigned short v) {
  return __nv_bfloat16::from_bits_(v);
}
#define WANREN_INTEGER(NAME, T)                         \
  WANREN_HD T __bfloat162##NAME##_rn(__nv_bfloat16 a) { \
    return (T)__builtin_rintf(TO_FLOAT(a));             \
  }                                                     \
  WANREN_HD T __bfloat162##NAME##_rz(__nv_bfloat16 a) { \
    return (T)TO_FLOAT(a);                              \
  }                                                     \
  WANREN_HD __nv_bfloat16 __##NAME##2bfloat16_rn(T v) { \
    return __nv_bfloat16(v);                            \
  }
WANREN_INTEGER(int, int)
WANREN_INTEGER(uint, unsigned int)
WANREN_INTEGER(short, short)
WANREN_INTEGER(ushort, unsigned short)
WANREN_INTEGER(ll, long long)
WANREN_INTEGER(ull, unsigned long long)
#undef WANREN_INTEGER
#define CUDART_INF_BF16 __ushort_as_bfloat16((unsigned short)0x7F80U)
#define CUDART_NAN_BF16 __ushort_as_bfloat16((unsigned short)0x7FFFU)
#define CUDART_ZERO_BF16 __ushort_as_bfloat16((unsigned short)0x0000U)
#define CUDART_ONE_BF16 __ushort_as_bfloat16((unsigned short)0x3F80U)

#include "wanren/half_like_end.inc"

#endif
#endif
