// Cache-hinted loads and stores, block votes and reductions beyond clang's resource headers (CUDA C++
// Programming Guide, "Load Functions Using Cache Hints", "Store Functions Using Cache Hints").
#ifndef WANREN_INTRINSICS_H
#define WANREN_INTRINSICS_H

#define WANREN_DEVICE static __device__ __forceinline__

#define WANREN_LOAD1(FN, OP, T, P, R, C)                                \
  WANREN_DEVICE T FN(const T* p) {                                      \
    R r;                                                                \
    asm volatile(OP "." P " %0, [%1];" : "=" C(r) : "l"(p) : "memory"); \
    return (T)r;                                                        \
  }
#define WANREN_LOAD2(FN, OP, T, E, P, R, C)                                                \
  WANREN_DEVICE T FN(const T* p) {                                                         \
    R x, y;                                                                                \
    asm volatile(OP ".v2." P " {%0, %1}, [%2];" : "=" C(x), "=" C(y) : "l"(p) : "memory"); \
    T v;                                                                                   \
    v.x = (E)x, v.y = (E)y;                                                                \
    return v;                                                                              \
  }
#define WANREN_LOAD4(FN, OP, T, E, P, R, C)               \
  WANREN_DEVICE T FN(const T* p) {                        \
    R x, y, z, w;                                         \
    asm volatile(OP ".v4." P " {%0, %1, %2, %3}, [%4];"   \
                 : "=" C(x), "=" C(y), "=" C(z), "=" C(w) \
                 : "l"(p)                                 \
                 : "memory");                             \
    T v;                                                  \
    v.x = (E)x, v.y = (E)y, v.z = (E)z, v.w = (E)w;       \
    return v;                                             \
  }
#define WANREN_STORE1(FN, OP, T, P, R, C)                             \
  WANREN_DEVICE void FN(T* p, T v) {                                  \
    asm volatile(OP "." P " [%0], %1;" ::"l"(p), C((R)v) : "memory"); \
  }
#define WANREN_STORE2(FN, OP, T, P, R, C)                                                   \
  WANREN_DEVICE void FN(T* p, T v) {                                                        \
    asm volatile(OP ".v2." P " [%0], {%1, %2};" ::"l"(p), C((R)v.x), C((R)v.y) : "memory"); \
  }
#define WANREN_STORE4(FN, OP, T, P, R, C)                                                                    \
  WANREN_DEVICE void FN(T* p, T v) {                                                                         \
    asm volatile(OP ".v4." P " [%0], {%1, %2, %3, %4};" ::"l"(p), C((R)v.x), C((R)v.y), C((R)v.z), C((R)v.w) \
                 : "memory");                                                                                \
  }

// Each family for the type of clang's "h" operand (8 and 16 bits), and 32 and 64 bits.
#define WANREN_TYPES(ONE, TWO, FOUR, A)                                  \
  ONE(A, char, "s8", short, "h")                                         \
  ONE(A, signed char, "s8", short, "h")                                  \
  ONE(A, unsigned char, "u8", unsigned short, "h")                       \
  ONE(A, short, "s16", short, "h")                                       \
  ONE(A, unsigned short, "u16", unsigned short, "h")                     \
  ONE(A, int, "s32", int, "r")                                           \
  ONE(A, unsigned int, "u32", unsigned int, "r")                         \
  ONE(A, long, "s64", long, "l")                                         \
  ONE(A, unsigned long, "u64", unsigned long, "l")                       \
  ONE(A, long long, "s64", long long, "l")                               \
  ONE(A, unsigned long long, "u64", unsigned long long, "l")             \
  ONE(A, float, "f32", float, "f")                                       \
  ONE(A, double, "f64", double, "d")                                     \
  TWO(A, char2, signed char, "s8", short, "h")                           \
  TWO(A, uchar2, unsigned char, "u8", unsigned short, "h")               \
  TWO(A, short2, short, "s16", short, "h")                               \
  TWO(A, ushort2, unsigned short, "u16", unsigned short, "h")            \
  TWO(A, int2, int, "s32", int, "r")                                     \
  TWO(A, uint2, unsigned int, "u32", unsigned int, "r")                  \
  TWO(A, longlong2, long long, "s64", long long, "l")                    \
  TWO(A, ulonglong2, unsigned long long, "u64", unsigned long long, "l") \
  TWO(A, float2, float, "f32", float, "f")                               \
  TWO(A, double2, double, "f64", double, "d")                            \
  FOUR(A, char4, signed char, "s8", short, "h")                          \
  FOUR(A, uchar4, unsigned char, "u8", unsigned short, "h")              \
  FOUR(A, short4, short, "s16", short, "h")                              \
  FOUR(A, ushort4, unsigned short, "u16", unsigned short, "h")           \
  FOUR(A, int4, int, "s32", int, "r")                                    \
  FOUR(A, uint4, unsigned int, "u32", unsigned int, "r")                 \
  FOUR(A, float4, float, "f32", float, "f")

#define WANREN_LD1(H, T, P, R, C) WANREN_LOAD1(__ld##H, "ld.global." #H, T, P, R, C)
#define WANREN_LD2(H, T, E, P, R, C) WANREN_LOAD2(__ld##H, "ld.global." #H, T, E, P, R, C)
#define WANREN_LD4(H, T, E, P, R, C) WANREN_LOAD4(__ld##H, "ld.global." #H, T, E, P, R, C)
#define WANREN_ST1(H, T, P, R, C) WANREN_STORE1(__st##H, "st.global." #H, T, P, R, C)
#define WANREN_ST2(H, T, E, P, R, C) WANREN_STORE2(__st##H, "st.global." #H, T, P, R, C)
#define WANREN_ST4(H, T, E, P, R, C) WANREN_STORE4(__st##H, "st.global." #H, T, P, R, C)
WANREN_TYPES(WANREN_LD1, WANREN_LD2, WANREN_LD4, cg)
WANREN_TYPES(WANREN_LD1, WANREN_LD2, WANREN_LD4, ca)
WANREN_TYPES(WANREN_LD1, WANREN_LD2, WANREN_LD4, cs)
WANREN_TYPES(WANREN_LD1, WANREN_LD2, WANREN_LD4, lu)
WANREN_TYPES(WANREN_LD1, WANREN_LD2, WANREN_LD4, cv)
WANREN_TYPES(WANREN_ST1, WANREN_ST2, WANREN_ST4, wb)
WANREN_TYPES(WANREN_ST1, WANREN_ST2, WANREN_ST4, cg)
WANREN_TYPES(WANREN_ST1, WANREN_ST2, WANREN_ST4, cs)
WANREN_TYPES(WANREN_ST1, WANREN_ST2, WANREN_ST4, wt)

// clang's headers miss the signed overload of reduce.add and three __ldg types.
WANREN_DEVICE int __reduce_add_sync(unsigned int mask, int v) {
  return (int)__reduce_add_sync(mask, (unsigned int)v);
}

#undef WANREN_LD1
#undef WANREN_LD2
#undef WANREN_LD4
#undef WANREN_ST1
#undef WANREN_ST2
#undef WANREN_ST4
#undef WANREN_TYPES
#undef WANREN_LOAD1
#undef WANREN_LOAD2
#undef WANREN_LOAD4
#undef WANREN_STORE1
#undef WANREN_STORE2
#undef WANREN_STORE4
#undef WANREN_DEVICE
#endif
