// Atomic functions in their three scopes (CUDA C++ Programming Guide, "Atomic Functions").
#ifndef WANREN_ATOMICS_H
#define WANREN_ATOMICS_H

#define WANREN_ATOMIC static __device__ __forceinline__

WANREN_ATOMIC int atomicAdd(int* a, int v) {
  return __iAtomicAdd((int*)a, (int)v);
}
WANREN_ATOMIC int atomicExch(int* a, int v) {
  return __iAtomicExch((int*)a, (int)v);
}
WANREN_ATOMIC int atomicCAS(int* a, int c, int v) {
  return __iAtomicCAS((int*)a, (int)c, (int)v);
}
WANREN_ATOMIC unsigned int atomicAdd(unsigned int* a, unsigned int v) {
  return __uAtomicAdd((unsigned int*)a, (unsigned int)v);
}
WANREN_ATOMIC unsigned int atomicExch(unsigned int* a, unsigned int v) {
  return __uAtomicExch((unsigned int*)a, (unsigned int)v);
}
WANREN_ATOMIC unsigned int atomicCAS(unsigned int* a, unsigned int c, unsigned int v) {
  return __uAtomicCAS((unsigned int*)a, (unsigned int)c, (unsigned int)v);
}
WANREN_ATOMIC unsigned long long atomicAdd(unsigned long long* a, unsigned long long v) {
  return __ullAtomicAdd(a, v);
}
WANREN_ATOMIC unsigned long long atomicExch(unsigned long long* a, unsigned long long v) {
  return __ullAtomicExch(a, v);
}
WANREN_ATOMIC unsigned long long atomicCAS(unsigned long long* a, unsigned long long c,
                                           unsigned long long v) {
  return __ullAtomicCAS(a, c, v);
}
WANREN_ATOMIC float atomicExch(float* a, float v) {
  return __fAtomicExch(a, v);
}
WANREN_ATOMIC float atomicAdd(float* a, float v) {
  return __fAtomicAdd(a, v);
}
WANREN_ATOMIC double atomicAdd(double* a, double v) {
  return __dAtomicAdd(a, v);
}
WANREN_ATOMIC int atomicSub(int* a, int v) {
  return __iAtomicAdd(a, int(0u - unsigned(v)));
}
WANREN_ATOMIC unsigned int atomicSub(unsigned int* a, unsigned int v) {
  return __uAtomicAdd(a, 0u - v);
}
WANREN_ATOMIC int atomicMin(int* a, int v) {
  return __iAtomicMin(a, v);
}
WANREN_ATOMIC unsigned int atomicMin(unsigned int* a, unsigned int v) {
  return __uAtomicMin(a, v);
}
WANREN_ATOMIC long long atomicMin(long long* a, long long v) {
  return __illAtomicMin(a, v);
}
WANREN_ATOMIC unsigned long long atomicMin(unsigned long long* a, unsigned long long v) {
  return __ullAtomicMin(a, v);
}
WANREN_ATOMIC int atomicMax(int* a, int v) {
  return __iAtomicMax(a, v);
}
WANREN_ATOMIC unsigned int atomicMax(unsigned int* a, unsigned int v) {
  return __uAtomicMax(a, v);
}
WANREN_ATOMIC long long atomicMax(long long* a, long long v) {
  return __illAtomicMax(a, v);
}
WANREN_ATOMIC unsigned long long atomicMax(unsigned long long* a, unsigned long long v) {
  return __ullAtomicMax(a, v);
}
WANREN_ATOMIC int atomicAnd(int* a, int v) {
  return __iAtomicAnd(a, v);
}
WANREN_ATOMIC unsigned int atomicAnd(unsigned int* a, unsigned int v) {
  return __uAtomicAnd(a, v);
}
WANREN_ATOMIC unsigned long long atomicAnd(unsigned long long* a, unsigned long long v) {
  return __llAtomicAnd((long long*)a, (long long)v);
}
WANREN_ATOMIC int atomicOr(int* a, int v) {
  return __iAtomicOr(a, v);
}
WANREN_ATOMIC unsigned int atomicOr(unsigned int* a, unsigned int v) {
  return __uAtomicOr(a, v);
}
WANREN_ATOMIC unsigned long long atomicOr(unsigned long long* a, unsigned long long v) {
  return __llAtomicOr((long long*)a, (long long)v);
}
WANREN_ATOMIC int atomicXor(int* a, int v) {
  return __iAtomicXor(a, v);
}
WANREN_ATOMIC unsigned int atomicXor(unsigned int* a, unsigned int v) {
  return __uAtomicXor(a, v);
}
WANREN_ATOMIC unsigned long long atomicXor(unsigned long long* a, unsigned long long v) {
  return __llAtomicXor((long long*)a, (long long)v);
}
WANREN_ATOMIC unsigned int atomicInc(unsigned int* a, unsigned int v) {
  return __uAtomicInc(a, v);
}
WANREN_ATOMIC unsigned int atomicDec(unsigned int* a, unsigned int v) {
  return __uAtomicDec(a, v);
}
WANREN_ATOMIC unsigned short atomicCAS(unsigned short* a, unsigned short c, unsigned short v) {
  unsigned short old;
  asm volatile("atom.gpu.cas.b16 %0, [%1], %2, %3;" : "=h"(old) : "l"(a), "h"(c), "h"(v) : "memory");
  return old;
}
WANREN_ATOMIC int atomicAdd_block(int* a, int v) {
  return __iAtomicAdd_block((int*)a, (int)v);
}
WANREN_ATOMIC int atomicExch_block(int* a, int v) {
  return __iAtomicExch_block((int*)a, (int)v);
}
WANREN_ATOMIC int atomicCAS_block(int* a, int c, int v) {
  return __iAtomicCAS_block((int*)a, (int)c, (int)v);
}
WANREN_ATOMIC unsigned int atomicAdd_block(unsigned int* a, unsigned int v) {
  return __uAtomicAdd_block((unsigned int*)a, (unsigned int)v);
}
WANREN_ATOMIC unsigned int atomicExch_block(unsigned int* a, unsigned int v) {
  return __uAtomicExch_block((unsigned int*)a, (unsigned int)v);
}
WANREN_ATOMIC unsigned int atomicCAS_block(unsigned int* a, unsigned int c, unsigned int v) {
  return __uAtomicCAS_block((unsigned int*)a, (unsigned int)c, (unsigned int)v);
}
WANREN_ATOMIC unsigned long long atomicAdd_block(unsigned long long* a, unsigned long long v) {
  return __ullAtomicAdd_block(a, v);
}
WANREN_ATOMIC unsigned long long atomicExch_block(unsigned long long* a, unsigned long long v) {
  return __ullAtomicExch_block(a, v);
}
WANREN_ATOMIC unsigned long long atomicCAS_block(unsigned long long* a, unsigned long long c,
                                                 unsigned long long v) {
  return __ullAtomicCAS_block(a, c, v);
}
WANREN_ATOMIC float atomicExch_block(float* a, float v) {
  return __fAtomicExch_block(a, v);
}
WANREN_ATOMIC float atomicAdd_block(float* a, float v) {
  return __fAtomicAdd_block(a, v);
}
WANREN_ATOMIC double atomicAdd_block(double* a, double v) {
  return __dAtomicAdd_block(a, v);
}
WANREN_ATOMIC int atomicSub_block(int* a, int v) {
  return __iAtomicAdd_block(a, int(0u - unsigned(v)));
}
WANREN_ATOMIC unsigned int atomicSub_block(unsigned int* a, unsigned int v) {
  return __uAtomicAdd_block(a, 0u - v);
}
WANREN_ATOMIC int atomicMin_block(int* a, int v) {
  return __iAtomicMin_block(a, v);
}
WANREN_ATOMIC unsigned int atomicMin_block(unsigned int* a, unsigned int v) {
  return __uAtomicMin_block(a, v);
}
WANREN_ATOMIC long long atomicMin_block(long long* a, long long v) {
  return __illAtomicMin_block(a, v);
}
WANREN_ATOMIC unsigned long long atomicMin_block(unsigned long long* a, unsigned long long v) {
  return __ullAtomicMin_block(a, v);
}
WANREN_ATOMIC int atomicMax_block(int* a, int v) {
  return __iAtomicMax_block(a, v);
}
WANREN_ATOMIC unsigned int atomicMax_block(unsigned int* a, unsigned int v) {
  return __uAtomicMax_block(a, v);
}
WANREN_ATOMIC long long atomicMax_block(long long* a, long long v) {
  return __illAtomicMax_block(a, v);
}
WANREN_ATOMIC unsigned long long atomicMax_block(unsigned long long* a, unsigned long long v) {
  return __ullAtomicMax_block(a, v);
}
WANREN_ATOMIC int atomicAnd_block(int* a, int v) {
  return __iAtomicAnd_block(a, v);
}
WANREN_ATOMIC unsigned int atomicAnd_block(unsigned int* a, unsigned int v) {
  return __uAtomicAnd_block(a, v);
}
WANREN_ATOMIC unsigned long long atomicAnd_block(unsigned long long* a, unsigned long long v) {
  return __llAtomicAnd_block((long long*)a, (long long)v);
}
WANREN_ATOMIC int atomicOr_block(int* a, int v) {
  return __iAtomicOr_block(a, v);
}
WANREN_ATOMIC unsigned int atomicOr_block(unsigned int* a, unsigned int v) {
  return __uAtomicOr_block(a, v);
}
WANREN_ATOMIC unsigned long long atomicOr_block(unsigned long long* a, unsigned long long v) {
  return __llAtomicOr_block((long long*)a, (long long)v);
}
WANREN_ATOMIC int atomicXor_block(int* a, int v) {
  return __iAtomicXor_block(a, v);
}
WANREN_ATOMIC unsigned int atomicXor_block(unsigned int* a, unsigned int v) {
  return __uAtomicXor_block(a, v);
}
WANREN_ATOMIC unsigned long long atomicXor_block(unsigned long long* a, unsigned long long v) {
  return __llAtomicXor_block((long long*)a, (long long)v);
}
WANREN_ATOMIC unsigned int atomicInc_block(unsigned int* a, unsigned int v) {
  return __uAtomicInc_block(a, v);
}
WANREN_ATOMIC unsigned int atomicDec_block(unsigned int* a, unsigned int v) {
  return __uAtomicDec_block(a, v);
}
WANREN_ATOMIC unsigned short atomicCAS_block(unsigned short* a, unsigned short c, unsigned short v) {
  unsigned short old;
  asm volatile("atom.cta.cas.b16 %0, [%1], %2, %3;" : "=h"(old) : "l"(a), "h"(c), "h"(v) : "memory");
  return old;
}
WANREN_ATOMIC int atomicAdd_system(int* a, int v) {
  return __iAtomicAdd_system((int*)a, (int)v);
}
WANREN_ATOMIC int atomicExch_system(int* a, int v) {
  return __iAtomicExch_system((int*)a, (int)v);
}
WANREN_ATOMIC int atomicCAS_system(int* a, int c, int v) {
  return __iAtomicCAS_system((int*)a, (int)c, (int)v);
}
WANREN_ATOMIC unsigned int atomicAdd_system(unsigned int* a, unsigned int v) {
  return __uAtomicAdd_system((unsigned int*)a, (unsigned int)v);
}
WANREN_ATOMIC unsigned int atomicExch_system(unsigned int* a, unsigned int v) {
  return __uAtomicExch_system((unsigned int*)a, (unsigned int)v);
}
WANREN_ATOMIC unsigned int atomicCAS_system(unsigned int* a, unsigned int c, unsigned int v) {
  return __uAtomicCAS_system((unsigned int*)a, (unsigned int)c, (unsigned int)v);
}
WANREN_ATOMIC unsigned long long atomicAdd_system(unsigned long long* a, unsigned long long v) {
  return __ullAtomicAdd_system(a, v);
}
WANREN_ATOMIC unsigned long long atomicExch_system(unsigned long long* a, unsigned long long v) {
  return __ullAtomicExch_system(a, v);
}
WANREN_ATOMIC unsigned long long atomicCAS_system(unsigned long long* a, unsigned long long c,
                                                  unsigned long long v) {
  return __ullAtomicCAS_system(a, c, v);
}
WANREN_ATOMIC float atomicExch_system(float* a, float v) {
  return __fAtomicExch_system(a, v);
}
WANREN_ATOMIC float atomicAdd_system(float* a, float v) {
  return __fAtomicAdd_system(a, v);
}
WANREN_ATOMIC double atomicAdd_system(double* a, double v) {
  return __dAtomicAdd_system(a, v);
}
WANREN_ATOMIC int atomicSub_system(int* a, int v) {
  return __iAtomicAdd_system(a, int(0u - unsigned(v)));
}
WANREN_ATOMIC unsigned int atomicSub_system(unsigned int* a, unsigned int v) {
  return __uAtomicAdd_system(a, 0u - v);
}
WANREN_ATOMIC int atomicMin_system(int* a, int v) {
  return __iAtomicMin_system(a, v);
}
WANREN_ATOMIC unsigned int atomicMin_system(unsigned int* a, unsigned int v) {
  return __uAtomicMin_system(a, v);
}
WANREN_ATOMIC long long atomicMin_system(long long* a, long long v) {
  return __illAtomicMin_system(a, v);
}
WANREN_ATOMIC unsigned long long atomicMin_system(unsigned long long* a, unsigned long long v) {
  return __ullAtomicMin_system(a, v);
}
WANREN_ATOMIC int atomicMax_system(int* a, int v) {
  return __iAtomicMax_system(a, v);
}
WANREN_ATOMIC unsigned int atomicMax_system(unsigned int* a, unsigned int v) {
  return __uAtomicMax_system(a, v);
}
WANREN_ATOMIC long long atomicMax_system(long long* a, long long v) {
  return __illAtomicMax_system(a, v);
}
WANREN_ATOMIC unsigned long long atomicMax_system(unsigned long long* a, unsigned long long v) {
  return __ullAtomicMax_system(a, v);
}
WANREN_ATOMIC int atomicAnd_system(int* a, int v) {
  return __iAtomicAnd_system(a, v);
}
WANREN_ATOMIC unsigned int atomicAnd_system(unsigned int* a, unsigned int v) {
  return __uAtomicAnd_system(a, v);
}
WANREN_ATOMIC unsigned long long atomicAnd_system(unsigned long long* a, unsigned long long v) {
  return __llAtomicAnd_system((long long*)a, (long long)v);
}
WANREN_ATOMIC int atomicOr_system(int* a, int v) {
  return __iAtomicOr_system(a, v);
}
WANREN_ATOMIC unsigned int atomicOr_system(unsigned int* a, unsigned int v) {
  return __uAtomicOr_system(a, v);
}
WANREN_ATOMIC unsigned long long atomicOr_system(unsigned long long* a, unsigned long long v) {
  return __llAtomicOr_system((long long*)a, (long long)v);
}
WANREN_ATOMIC int atomicXor_system(int* a, int v) {
  return __iAtomicXor_system(a, v);
}
WANREN_ATOMIC unsigned int atomicXor_system(unsigned int* a, unsigned int v) {
  return __uAtomicXor_system(a, v);
}
WANREN_ATOMIC unsigned long long atomicXor_system(unsigned long long* a, unsigned long long v) {
  return __llAtomicXor_system((long long*)a, (long long)v);
}
WANREN_ATOMIC unsigned int atomicInc_system(unsigned int* a, unsigned int v) {
  return __uAtomicInc_system(a, v);
}
WANREN_ATOMIC unsigned int atomicDec_system(unsigned int* a, unsigned int v) {
  return __uAtomicDec_system(a, v);
}
WANREN_ATOMIC unsigned short atomicCAS_system(unsigned short* a, unsigned short c, unsigned short v) {
  unsigned short old;
  asm volatile("atom.sys.cas.b16 %0, [%1], %2, %3;" : "=h"(old) : "l"(a), "h"(c), "h"(v) : "memory");
  return old;
}

#undef WANREN_ATOMIC
#endif
