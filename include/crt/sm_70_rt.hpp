// Included by clang's __clang_cuda_intrinsics.h, which declares __match_*32_sync and __match_*64_sync: the
// overloads of CUDA C++ on top of them ("Warp Match Functions").
#ifndef WANREN_CRT_SM_70_RT_HPP
#define WANREN_CRT_SM_70_RT_HPP

#define WANREN_MATCH(T, BITS, AS)                                                                  \
  static __device__ __forceinline__ unsigned __match_any_sync(unsigned mask, T value) {            \
    return __match_any_sync_##BITS(mask, AS(value));                                               \
  }                                                                                                \
  static __device__ __forceinline__ unsigned __match_all_sync(unsigned mask, T value, int* pred) { \
    return __match_all_sync_##BITS(mask, AS(value), pred);                                         \
  }
#define __match_any_sync_32 __match32_any_sync
#define __match_any_sync_64 __match64_any_sync
#define __match_all_sync_32 __match32_all_sync
#define __match_all_sync_64 __match64_all_sync
WANREN_MATCH(unsigned, 32, unsigned)
WANREN_MATCH(int, 32, unsigned)
WANREN_MATCH(unsigned long, 64, (unsigned long long))
WANREN_MATCH(long, 64, (unsigned long long))
WANREN_MATCH(unsigned long long, 64, (unsigned long long))
WANREN_MATCH(long long, 64, (unsigned long long))
WANREN_MATCH(float, 32, __float_as_uint)
WANREN_MATCH(double, 64, __double_as_longlong)
#undef WANREN_MATCH
#undef __match_any_sync_32
#undef __match_any_sync_64
#undef __match_all_sync_32
#undef __match_all_sync_64

#endif
