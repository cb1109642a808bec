// nvcuda::wmma (CUDA C++ Programming Guide, "Warp Matrix Functions") on PTX's wmma instructions (PTX ISA,
// "Warp Level Matrix Multiply-Accumulate Instructions", whose fragment sizes these are).
#ifndef WANREN_MMA_H
#define WANREN_MMA_H

#include "cuda_bf16.h"
#include "cuda_fp16.h"

#if defined(__cplusplus) && defined(__CUDA__)

namespace nvcuda {
namespace wmma {

struct row_major;
struct col_major;
struct matrix_a;
struct matrix_b;
struct accumulator;
enum layout_t { mem_row_major, mem_col_major };

namespace precision {
struct tf32;
}

template <typename T, int Count, int Stored = Count>
struct wanren_fragment {
  typedef T element_type;
  typedef T storage_element_type;
  static constexpr int num_elements = Count;
  static constexpr int num_storage_elements = Stored;
  T x[Stored];
  __device__ unsigned* words() { return reinterpret_cast<unsigned*>(x); }
  __device__ const unsigned* words() const { return reinterpret_cast<const unsigned*>(x); }
};

template <typename Use, int m, int n, int k, typename T, typename Layout = void>
class fragment;

static __device__ __forceinline__ float __float_to_tf32(float f) {
  unsigned r;
  asm("cvt.rna.tf32.f32 %0, %1;" : "=r"(r) : "f"(f));
  return __uint_as_float(r);
}

template <typename F, typename T>
static __device__ __forceinline__ void fill_fragment(F& f, const T& v) {
#pragma unroll
  for (int i = 0; i < F::num_storage_elements; ++i) f.x[i] = v;
}

// Operand lists of 1, 2, 4 and 8 registers; %N counts on from the outputs.
#define WANREN_OUT1(C, p) "=" C((p)[0])
#define WANREN_OUT2(C, p) WANREN_OUT1(C, p), "=" C((p)[1])
#define WANREN_OUT4(C, p) WANREN_OUT2(C, p), "=" C((p)[2]), "=" C((p)[3])
#define WANREN_OUT8(C, p) WANREN_OUT4(C, p), "=" C((p)[4]), "=" C((p)[5]), "=" C((p)[6]), "=" C((p)[7])
#define WANREN_IN1(C, p) C((p)[0])
#define WANREN_IN2(C, p) WANREN_IN1(C, p), C((p)[1])
#define WANREN_IN4(C, p) WANREN_IN2(C, p), C((p)[2]), C((p)[3])
#define WANREN_IN8(C, p) WANREN_IN4(C, p), C((p)[4]), C((p)[5]), C((p)[6]), C((p)[7])
#define WANREN_N1 "{%0}, [%1], %2;"
#define WANREN_N2 "{%0, %1}, [%2], %3;"
#define WANREN_N4 "{%0, %1, %2, %3}, [%4], %5;"
#define WANREN_N8 "{%0, %1, %2, %3, %4, %5, %6, %7}, [%8], %9;"
#define WANREN_S1 "[%0], {%2}, %1;"
#define WANREN_S2 "[%0], {%2, %3}, %1;"
#define WANREN_S4 "[%0], {%2, %3, %4, %5}, %1;"
#define WANREN_S8 "[%0], {%2, %3, %4, %5, %6, %7, %8, %9}, %1;"

// MAT: a or b. COUNT: elements of T; REGS: registers of constraint C, reached through PTR.
#define WANREN_OPERAND(USE, MAT, M, N, K, T, POINTEE, STORED, COUNT, PTX, REGS, C, PTR)             \
  template <>                                                                                       \
  class fragment<USE, M, N, K, T, row_major> : public wanren_fragment<STORED, COUNT> {};            \
  template <>                                                                                       \
  class fragment<USE, M, N, K, T, col_major> : public wanren_fragment<STORED, COUNT> {};            \
  static __device__ __forceinline__ void load_matrix_sync(fragment<USE, M, N, K, T, row_major>& f,  \
                                                          const POINTEE* p, unsigned ldm) {         \
    asm volatile("wmma.load." MAT ".sync.aligned.row.m" #M "n" #N "k" #K "." PTX " " WANREN_N##REGS \
                 : WANREN_OUT##REGS(C, f.PTR)                                                       \
                 : "l"(p), "r"(ldm)                                                                 \
                 : "memory");                                                                       \
  }                                                                                                 \
  static __device__ __forceinline__ void load_matrix_sync(fragment<USE, M, N, K, T, col_major>& f,  \
                                                          const POINTEE* p, unsigned ldm) {         \
    asm volatile("wmma.load." MAT ".sync.aligned.col.m" #M "n" #N "k" #K "." PTX " " WANREN_N##REGS \
                 : WANREN_OUT##REGS(C, f.PTR)                                                       \
                 : "l"(p), "r"(ldm)                                                                 \
                 : "memory");                                                                       \
  }
#define WANREN_ACCUMULATOR(M, N, K, T, COUNT, PTX, REGS, C, PTR)                                             \
  template <>                                                                                                \
  class fragment<accumulator, M, N, K, T, void> : public wanren_fragment<T, COUNT> {};                       \
  static __device__ __forceinline__ void load_matrix_sync(fragment<accumulator, M, N, K, T>& f, const T* p,  \
                                                          unsigned ldm, layout_t layout) {                   \
    if (layout == mem_row_major)                                                                             \
      asm volatile("wmma.load.c.sync.aligned.row.m" #M "n" #N "k" #K "." PTX " " WANREN_N##REGS              \
                   : WANREN_OUT##REGS(C, f.PTR)                                                              \
                   : "l"(p), "r"(ldm)                                                                        \
                   : "memory");                                                                              \
    else                                                                                                     \
      asm volatile("wmma.load.c.sync.aligned.col.m" #M "n" #N "k" #K "." PTX " " WANREN_N##REGS              \
                   : WANREN_OUT##REGS(C, f.PTR)                                                              \
                   : "l"(p), "r"(ldm)                                                                        \
                   : "memory");                                                                              \
  }                                                                                                          \
  static __device__ __forceinline__ void store_matrix_sync(T* p, const fragment<accumulator, M, N, K, T>& f, \
                                                           unsigned ldm, layout_t layout) {                  \
    if (layout == mem_row_major)                                                                             \
      asm volatile("wmma.store.d.sync.aligned.row.m" #M "n" #N "k" #K "." PTX " " WANREN_S##REGS ::"l"(p),   \
                   "r"(ldm), WANREN_IN##REGS(C, f.PTR)                                                       \
                   : "memory");                                                                              \
    else                                                                                                     \
      asm volatile("wmma.store.d.sync.aligned.col.m" #M "n" #N "k" #K "." PTX " " WANREN_S##REGS ::"l"(p),   \
                   "r"(ldm), WANREN_IN##REGS(C, f.PTR)                                                       \
                   : "memory");                                                                              \
  }

#define WANREN_HALF_SHAPE(M, N, K)                                                           \
  WANREN_OPERAND(matrix_a, "a", M, N, K, __half, __half, __half, 16, "f16", 8, "r", words()) \
  WANREN_OPERAND(matrix_b, "b", M, N, K, __half, __half, __half, 16, "f16", 8, "r", words()) \
  WANREN_ACCUMULATOR(M, N, K, __half, 8, "f16", 4, "r", words())                             \
  WANREN_ACCUMULATOR(M, N, K, float, 8, "f32", 8, "f", x)                                    \
  WANREN_ACCUMULATOR(M, N, K, int, 8, "s32", 8, "r", x)
WANREN_HALF_SHAPE(16, 16, 16)
WANREN_HALF_SHAPE(32, 8, 16)
WANREN_HALF_SHAPE(8, 32, 16)
#undef WANREN_HALF_SHAPE
#define WANREN_BF16(M, N, K, ACOUNT, AREGS, BCOUNT, BREGS)                                                   \
  WANREN_OPERAND(matrix_a, "a", M, N, K, __nv_bfloat16, __nv_bfloat16, __nv_bfloat16, ACOUNT, "bf16", AREGS, \
                 "r", words())                                                                               \
  WANREN_OPERAND(matrix_b, "b", M, N, K, __nv_bfloat16, __nv_bfloat16, __nv_bfloat16, BCOUNT, "bf16", BREGS, \
                 "r", words())
WANREN_BF16(16, 16, 16, 8, 4, 8, 4)
WANREN_BF16(8, 32, 16, 4, 2, 16, 8)
WANREN_BF16(32, 8, 16, 16, 8, 4, 2)
#undef WANREN_BF16
#define WANREN_INT8(M, N, K, T, PTX, ACOUNT, AREGS, BCOUNT, BREGS)                  \
  WANREN_OPERAND(matrix_a, "a", M, N, K, T, T, T, ACOUNT, PTX, AREGS, "r", words()) \
  WANREN_OPERAND(matrix_b, "b", M, N, K, T, T, T, BCOUNT, PTX, BREGS, "r", words())
WANREN_INT8(16, 16, 16, signed char, "s8", 8, 2, 8, 2)
WANREN_INT8(8, 32, 16, signed char, "s8", 4, 1, 16, 4)
WANREN_INT8(32, 8, 16, signed char, "s8", 16, 4, 4, 1)
WANREN_INT8(16, 16, 16, unsigned char, "u8", 8, 2, 8, 2)
WANREN_INT8(8, 32, 16, unsigned char, "u8", 4, 1, 16, 4)
WANREN_INT8(32, 8, 16, unsigned char, "u8", 16, 4, 4, 1)
#undef WANREN_INT8
#define WANREN_BITS(f) reinterpret_cast<unsigned*>((f).x)
WANREN_OPERAND(matrix_a, "a", 16, 16, 8, precision::tf32, float, float, 4, "tf32", 4, "r", words())
WANREN_OPERAND(matrix_b, "b", 16, 16, 8, precision::tf32, float, float, 4, "tf32", 4, "r", words())
WANREN_ACCUMULATOR(16, 16, 8, float, 8, "f32", 8, "f", x)
WANREN_OPERAND(matrix_a, "a", 8, 8, 4, double, double, double, 1, "f64", 1, "d", x)
WANREN_OPERAND(matrix_b, "b", 8, 8, 4, double, double, double, 1, "f64", 1, "d", x)
WANREN_ACCUMULATOR(8, 8, 4, double, 2, "f64", 2, "d", x)
#undef WANREN_BITS

#define WANREN_D8 "{%0, %1, %2, %3, %4, %5, %6, %7}, "
#define WANREN_LAYOUTS(DO, ...) \
  DO(row, row, __VA_ARGS__) DO(row, col, __VA_ARGS__) DO(col, row, __VA_ARGS__) DO(col, col, __VA_ARGS__)
#define WANREN_MMA_FN(LA, LB, M, N, K, T, TD, TC, TEXT, ...)                                            \
  static __device__ __forceinline__ void mma_sync(                                                      \
      fragment<accumulator, M, N, K, TD>& d, const fragment<matrix_a, M, N, K, T, LA##_major>& a,       \
      const fragment<matrix_b, M, N, K, T, LB##_major>& b, const fragment<accumulator, M, N, K, TC>& c, \
      bool satf = false) {                                                                              \
    (void)satf;                                                                                         \
    asm volatile("wmma.mma.sync.aligned." #LA "." #LB ".m" #M "n" #N "k" #K TEXT : __VA_ARGS__);        \
  }
#define WANREN_HALF_MMA(M, N, K)                                                                        \
  WANREN_LAYOUTS(WANREN_MMA_FN, M, N, K, __half, float, float,                                          \
                 ".f32.f32 " WANREN_D8                                                                  \
                 "{%8, %9, %10, %11, %12, %13, %14, %15}, "                                             \
                 "{%16, %17, %18, %19, %20, %21, %22, %23}, {%24, %25, %26, %27, %28, %29, %30, %31};", \
                 WANREN_OUT8("f", d.x) : WANREN_IN8("r", a.words()), WANREN_IN8("r", b.words()),        \
                 WANREN_IN8("f", c.x))                                                                  \
  WANREN_LAYOUTS(WANREN_MMA_FN, M, N, K, __half, __half, __half,                                        \
                 ".f16.f16 {%0, %1, %2, %3}, {%4, %5, %6, %7, %8, %9, %10, %11}, "                      \
                 "{%12, %13, %14, %15, %16, %17, %18, %19}, {%20, %21, %22, %23};",                     \
                 WANREN_OUT4("r", d.words()) : WANREN_IN8("r", a.words()), WANREN_IN8("r", b.words()),  \
                 WANREN_IN4("r", c.words()))                                                            \
  WANREN_LAYOUTS(WANREN_MMA_FN, M, N, K, __half, float, __half,                                         \
                 ".f32.f16 " WANREN_D8                                                                  \
                 "{%8, %9, %10, %11, %12, %13, %14, %15}, "                                             \
                 "{%16, %17, %18, %19, %20, %21, %22, %23}, {%24, %25, %26, %27};",                     \
                 WANREN_OUT8("f", d.x) : WANREN_IN8("r", a.words()), WANREN_IN8("r", b.words()),        \
                 WANREN_IN4("r", c.words()))
WANREN_HALF_MMA(16, 16, 16)
WANREN_HALF_MMA(32, 8, 16)
WANREN_HALF_MMA(8, 32, 16)
#undef WANREN_HALF_MMA
// A and B of four registers each; of two and eight; of eight and two.
#define WANREN_AB44 "{%8, %9, %10, %11}, {%12, %13, %14, %15}, {%16, %17, %18, %19, %20, %21, %22, %23};"
#define WANREN_AB28 \
  "{%8, %9}, {%10, %11, %12, %13, %14, %15, %16, %17}, {%18, %19, %20, %21, %22, %23, %24, %25};"
#define WANREN_AB82 \
  "{%8, %9, %10, %11, %12, %13, %14, %15}, {%16, %17}, {%18, %19, %20, %21, %22, %23, %24, %25};"
#define WANREN_AB22 "{%8, %9}, {%10, %11}, {%12, %13, %14, %15, %16, %17, %18, %19};"
#define WANREN_AB14 "{%8}, {%9, %10, %11, %12}, {%13, %14, %15, %16, %17, %18, %19, %20};"
#define WANREN_AB41 "{%8, %9, %10, %11}, {%12}, {%13, %14, %15, %16, %17, %18, %19, %20};"
#define WANREN_WIDE(M, N, K, T, PTX, A, B, TACC, ACC, C)                                                    \
  WANREN_LAYOUTS(                                                                                           \
      WANREN_MMA_FN, M, N, K, T, TACC, TACC, "." ACC "." PTX "." PTX "." ACC " " WANREN_D8 WANREN_AB##A##B, \
      WANREN_OUT8(C, d.x) : WANREN_IN##A("r", a.words()), WANREN_IN##B("r", b.words()), WANREN_IN8(C, c.x))
WANREN_WIDE(16, 16, 16, __nv_bfloat16, "bf16", 4, 4, float, "f32", "f")
WANREN_WIDE(8, 32, 16, __nv_bfloat16, "bf16", 2, 8, float, "f32", "f")
WANREN_WIDE(32, 8, 16, __nv_bfloat16, "bf16", 8, 2, float, "f32", "f")
WANREN_WIDE(16, 16, 8, precision::tf32, "tf32", 4, 4, float, "f32", "f")
WANREN_WIDE(16, 16, 16, signed char, "s8", 2, 2, int, "s32", "r")
WANREN_WIDE(8, 32, 16, signed char, "s8", 1, 4, int, "s32", "r")
WANREN_WIDE(32, 8, 16, signed char, "s8", 4, 1, int, "s32", "r")
WANREN_WIDE(16, 16, 16, unsigned char, "u8", 2, 2, int, "s32", "r")
WANREN_WIDE(8, 32, 16, unsigned char, "u8", 1, 4, int, "s32", "r")
WANREN_WIDE(32, 8, 16, unsigned char, "u8", 4, 1, int, "s32", "r")
#undef WANREN_WIDE
WANREN_LAYOUTS(WANREN_MMA_FN, 8, 8, 4, double, double, double,
               ".f64.f64.f64.f64 {%0, %1}, {%2}, {%3}, {%4, %5};",
               WANREN_OUT2("d", d.x) : WANREN_IN1("d", a.x), WANREN_IN1("d", b.x), WANREN_IN2("d", c.x))

#undef WANREN_LAYOUTS
#undef WANREN_MMA_FN
#undef WANREN_OPERAND
#undef WANREN_ACCUMULATOR

}  // namespace wmma
}  // namespace nvcuda

#endif
#endif
