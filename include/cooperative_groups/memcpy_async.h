// cooperative_groups::memcpy_async: 16-byte asynchronous copies where alignment allows, plain copies
// elsewhere.
#ifndef WANREN_COOPERATIVE_GROUPS_MEMCPY_ASYNC_H
#define WANREN_COOPERATIVE_GROUPS_MEMCPY_ASYNC_H

#include "../cooperative_groups.h"

#if defined(__cplusplus) && defined(__CUDA__)

namespace cooperative_groups {

template <typename Group, typename T>
__device__ __forceinline__ void memcpy_async(const Group& g, T* dst, const T* src, size_t bytes) {
  char* d = (char*)dst;
  const char* s = (const char*)src;
#if __CUDA_ARCH__ >= 800
  if (__isShared(dst) && __isGlobal(src) && (((size_t)dst | (size_t)src) & 15) == 0) {
    const size_t whole = bytes & ~(size_t)15;
    for (size_t i = (size_t)g.thread_rank() * 16; i < whole; i += (size_t)g.size() * 16)
      asm volatile(
          "cp.async.cg.shared.global [%0], [%1], 16;" ::"r"((unsigned int)__cvta_generic_to_shared(d + i)),
          "l"(__cvta_generic_to_global(s + i))
          : "memory");
    for (size_t i = whole + g.thread_rank(); i < bytes; i += g.size()) d[i] = s[i];
    asm volatile("cp.async.commit_group;" ::: "memory");
    return;
  }
#endif
  for (size_t i = g.thread_rank(); i < bytes; i += g.size()) d[i] = s[i];
}
template <unsigned int Stages, typename Group>
__device__ __forceinline__ void wait_prior(const Group& g) {
#if __CUDA_ARCH__ >= 800
  asm volatile("cp.async.wait_group %0;" ::"n"(Stages) : "memory");
#endif
  g.sync();
}
template <typename Group>
__device__ __forceinline__ void wait(const Group& g) {
  wait_prior<0>(g);
}

}  // namespace cooperative_groups

#endif
#endif
