// Device functions that clang's resource headers leave to the toolkit (CUDA Math API "Integer Intrinsics",
// "Type Casting Intrinsics"; CUDA C++ Programming Guide "Time Function", "Synchronization Functions").
#ifndef WANREN_DEVICE_FUNCTIONS_PART_H
#define WANREN_DEVICE_FUNCTIONS_PART_H

#define WANREN_DEVICE static __device__ __forceinline__

WANREN_DEVICE unsigned int __isGlobal(const void* p) {
  return __nvvm_isspacep_global(p);
}
WANREN_DEVICE unsigned int __isShared(const void* p) {
  return __nvvm_isspacep_shared(p);
}
WANREN_DEVICE unsigned int __isConstant(const void* p) {
  return __nvvm_isspacep_const(p);
}
WANREN_DEVICE unsigned int __isLocal(const void* p) {
  return __nvvm_isspacep_local(p);
}
WANREN_DEVICE unsigned int __isGridConstant(const void*) {
  return 0;
}

// Address space conversions.
#define WANREN_CVTA(SPACE)                                        \
  WANREN_DEVICE size_t __cvta_generic_to_##SPACE(const void* p) { \
    size_t r;                                                     \
    asm("cvta.to." #SPACE ".u64 %0, %1;" : "=l"(r) : "l"(p));     \
    return r;                                                     \
  }                                                               \
  WANREN_DEVICE void* __cvta_##SPACE##_to_generic(size_t p) {     \
    void* r;                                                      \
    asm("cvta." #SPACE ".u64 %0, %1;" : "=l"(r) : "l"(p));        \
    return r;                                                     \
  }
WANREN_CVTA(global)
WANREN_CVTA(shared)
WANREN_CVTA(local)
WANREN_DEVICE size_t __cvta_generic_to_constant(const void* p) {
  size_t r;
  asm("cvta.to.const.u64 %0, %1;" : "=l"(r) : "l"(p));
  return r;
}
#undef WANREN_CVTA

WANREN_DEVICE int mulhi(int a, int b) {
  return __mulhi(a, b);
}
WANREN_DEVICE unsigned int mulhi(unsigned int a, unsigned int b) {
  return __umulhi(a, b);
}
WANREN_DEVICE long long mul64hi(long long a, long long b) {
  return __mul64hi(a, b);
}
WANREN_DEVICE unsigned long long mul64hi(unsigned long long a, unsigned long long b) {
  return __umul64hi(a, b);
}
WANREN_DEVICE int mul24(int a, int b) {
  return __mul24(a, b);
}
WANREN_DEVICE unsigned int umul24(unsigned int a, unsigned int b) {
  return __umul24(a, b);
}
WANREN_DEVICE int float_as_int(float a) {
  return __float_as_int(a);
}
WANREN_DEVICE float int_as_float(int a) {
  return __int_as_float(a);
}
WANREN_DEVICE unsigned int float_as_uint(float a) {
  return __float_as_uint(a);
}
WANREN_DEVICE float uint_as_float(unsigned int a) {
  return __uint_as_float(a);
}
WANREN_DEVICE float saturate(float a) {
  return __saturatef(a);
}
WANREN_DEVICE float __tanhf(float a) {
  float r;
  asm("tanh.approx.f32 %0, %1;" : "=f"(r) : "f"(a));
  return r;
}

WANREN_DEVICE void __nanosleep(unsigned int ns) {
  asm volatile("nanosleep.u32 %0;" ::"r"(ns) : "memory");
}
WANREN_DEVICE unsigned long long __globaltimer() {
  unsigned long long t;
  asm volatile("mov.u64 %0, %%globaltimer;" : "=l"(t)::"memory");
  return t;
}
WANREN_DEVICE unsigned int __smid() {
  return __nvvm_read_ptx_sreg_smid();
}
WANREN_DEVICE unsigned int __nv_laneid() {
  return __nvvm_read_ptx_sreg_laneid();
}

// Integer dot products (sm_61).
WANREN_DEVICE int __dp4a(int a, int b, int c) {
  int r;
  asm("dp4a.s32.s32 %0, %1, %2, %3;" : "=r"(r) : "r"(a), "r"(b), "r"(c));
  return r;
}
WANREN_DEVICE unsigned int __dp4a(unsigned int a, unsigned int b, unsigned int c) {
  unsigned int r;
  asm("dp4a.u32.u32 %0, %1, %2, %3;" : "=r"(r) : "r"(a), "r"(b), "r"(c));
  return r;
}
WANREN_DEVICE int __dp4a(char4 a, char4 b, int c) {
  int x, y;
  __builtin_memcpy(&x, &a, 4);
  __builtin_memcpy(&y, &b, 4);
  return __dp4a(x, y, c);
}
WANREN_DEVICE unsigned int __dp4a(uchar4 a, uchar4 b, unsigned int c) {
  unsigned int x, y;
  __builtin_memcpy(&x, &a, 4);
  __builtin_memcpy(&y, &b, 4);
  return __dp4a(x, y, c);
}
#define WANREN_DP2A(NAME, MODE)                                                      \
  WANREN_DEVICE int NAME(int a, int b, int c) {                                      \
    int r;                                                                           \
    asm("dp2a." MODE ".s32.s32 %0, %1, %2, %3;" : "=r"(r) : "r"(a), "r"(b), "r"(c)); \
    return r;                                                                        \
  }                                                                                  \
  WANREN_DEVICE unsigned int NAME(unsigned int a, unsigned int b, unsigned int c) {  \
    unsigned int r;                                                                  \
    asm("dp2a." MODE ".u32.u32 %0, %1, %2, %3;" : "=r"(r) : "r"(a), "r"(b), "r"(c)); \
    return r;                                                                        \
  }
WANREN_DP2A(__dp2a_lo, "lo")
WANREN_DP2A(__dp2a_hi, "hi")
#undef WANREN_DP2A

// A condition's handle is the address of its value.
WANREN_DEVICE void cudaGraphSetConditional(cudaGraphConditionalHandle handle, unsigned int value) {
  __atomic_store_n(reinterpret_cast<unsigned int*>(handle), value, __ATOMIC_RELAXED);
}

#undef WANREN_DEVICE
#endif
