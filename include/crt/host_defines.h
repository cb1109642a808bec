// Declaration specifiers of CUDA C++ (CUDA C++ Programming Guide, "C++ Language Extensions"). Plain host
// compilers see the type attributes only.
#ifndef WANREN_CRT_HOST_DEFINES_H
#define WANREN_CRT_HOST_DEFINES_H
#define __HOST_DEFINES_H__  // libraries ask for this name

#define CUDARTAPI
#define CUDARTAPI_CDECL
#define CUDAAPI
#define CUDA_CB
#define __cudart_builtin__
#define __device_builtin__
#define __cuda_builtin_vars__

#ifndef __align__
#define __align__(n) __attribute__((aligned(n)))
#endif
#ifndef __builtin_align__
#define __builtin_align__(n) __align__(n)
#endif
#define __device_builtin_texture_type__
#define __device_builtin_surface_type__
#define CUDA_DEPRECATED

#if defined(__CUDA__)
#define __host__ __attribute__((host))
#define __device__ __attribute__((device))
#define __global__ __attribute__((global))
#define __shared__ __attribute__((shared))
#define __constant__ __attribute__((constant))
#ifdef __WANREN_LATE_ALIGNAS__
// Of a type or of a number, as the keyword.
template <class T>
constexpr unsigned long __wanren_alignment() {
  return alignof(T);
}
template <unsigned long n>
constexpr unsigned long __wanren_alignment() {
  return n;
}
#define alignas(...) __attribute__((aligned(__wanren_alignment<__VA_ARGS__>())))
#endif
// clang 19 would ignore these with a warning, and the program would compute something else.
#define __managed__ \
  _Pragma("GCC error \"__managed__ variables are not supported: allocate with cudaMallocManaged\"") __device__
#define __noinline__ __attribute__((noinline))
#define __forceinline__ __inline__ __attribute__((always_inline))
#define __inline_hint__ inline
#define __launch_bounds__(...) __attribute__((launch_bounds(__VA_ARGS__)))
#define __maxnreg__(n)
// The parameter space is constant in PTX anyway; taking its address only differs in cost.
#define __grid_constant__
#define __nv_pure__ __attribute__((pure))
#if !defined(__WANREN_CLUSTER_DIMS__)
#define __cluster_dims__(...) _Pragma("GCC error \"__cluster_dims__ takes a second pass of wanren cc\"")
#elif defined(__CUDA_ARCH__) && __CUDA_ARCH__ < 900
#define __cluster_dims__(...) _Pragma("GCC error \"__cluster_dims__ needs -arch=sm_90 or above\"")
#else
#define __cluster_dims__(...) __attribute__((annotate("wanren.cluster_dims", __VA_ARGS__)))
#endif
#else
#ifndef __host__
#define __host__
#endif
#ifndef __device__
#define __device__
#endif
#ifndef __global__
#define __global__
#endif
#ifndef __forceinline__
#define __forceinline__ inline __attribute__((always_inline))
#endif
#endif

#if !defined(__cplusplus)
#define __dv(v)
#else
#define __dv(v) = v
#endif

#endif
