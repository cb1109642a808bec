// CUDA C++ for clang's CUDA mode: what nvcc includes before every .cu file. clang's resource headers give
// built-in variables, libdevice-named wrappers and warp intrinsics; this file and wanren/*.h add the rest.
// The __nv_* functions behind them are Wanren's own (lib/), linked as bitcode.
#ifndef WANREN_CUDA_RUNTIME_H
#define WANREN_CUDA_RUNTIME_H
#define __CUDA_RUNTIME_H__  // libraries ask for this name

#if defined(__CUDA__) && defined(__clang__)

#include <__clang_cuda_math_forward_declares.h>

// libstdc++ hides __float128 where this is set.
#ifndef __CUDACC__
#define __CUDACC__ 1
#endif
#ifndef __CUDACC_VER_MAJOR__
#define __CUDACC_VER_MAJOR__ 12
#define __CUDACC_VER_MINOR__ 8
#define __CUDACC_VER_BUILD__ 0
#endif
#define __CUDACC_EXTENDED_LAMBDA__ 1
#define __CUDACC_RELAXED_CONSTEXPR__ 1
// There is no cuda_fp8.h here; keeps CCCL from picking up one of a toolkit.
#define CCCL_DISABLE_NVFP8_SUPPORT 1

// As nvcc's does; programs rely on it.
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <climits>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <new>
#include <utility>

#define CUDA_VERSION 12080
typedef unsigned int cuuint32_t;
typedef unsigned long long cuuint64_t;

#include "crt/host_defines.h"

#include <__clang_cuda_builtin_vars.h>

#include "vector_functions.h"
#include "vector_types.h"

#include "cuda_runtime_api.h"

#include "channel_descriptor.h"
#include "device_types.h"

// The device declarations must be visible in host passes too, where kernel bodies are parsed.
#pragma push_macro("__CUDA_ARCH__")
#ifndef __CUDA_ARCH__
#define __CUDA_ARCH__ 9999
#endif

#pragma push_macro("__THROW")
#undef __THROW
#define __THROW

#include <__clang_cuda_libdevice_declares.h>

#include <__clang_cuda_device_functions.h>
// clang maps only some functions to fast ones; nvcc's -use_fast_math these too.
#if defined(__USE_FAST_MATH__)
#define __nv_expf __nv_fast_expf
#define __nv_exp10f __nv_fast_exp10f
#define __nv_powf __nv_fast_powf
#define __nv_tanf __nv_fast_tanf
#define __nv_logf __nv_fast_logf
#define __nv_log2f __nv_fast_log2f
#define __nv_log10f __nv_fast_log10f
#define __nv_tanhf __nv_fast_tanhf
#define __nv_sqrtf __nvvm_sqrt_approx_ftz_f
#elif defined(__WANREN_APPROXIMATE_SQRT__)
#define __nv_sqrtf __nvvm_sqrt_approx_f
#endif
extern "C" __device__ float __nv_fast_tanhf(float);
#include <__clang_cuda_math.h>
#if defined(__USE_FAST_MATH__)
#undef __nv_expf
#undef __nv_exp10f
#undef __nv_powf
#undef __nv_tanf
#undef __nv_logf
#undef __nv_log2f
#undef __nv_log10f
#undef __nv_tanhf
#endif
#undef __nv_sqrtf

#include "wanren/device_functions.h"
#include "wanren/math_overloads.h"

#include "wanren/atomics.h"

#pragma pop_macro("__THROW")
#pragma pop_macro("__CUDA_ARCH__")

extern "C" {
__device__ int vprintf(const char*, const char*);
__device__ void free(void*) __attribute((nothrow));
__device__ void* malloc(size_t) __attribute((nothrow)) __attribute__((malloc));
__device__ void __assertfail(const char* message, const char* file, unsigned line, const char* function,
                             size_t charSize);
// nodebug: the call is then at the line of the assert, not here.
__device__ static inline __attribute__((nodebug, always_inline)) void __assert_fail(const char* message,
                                                                                    const char* file,
                                                                                    unsigned line,
                                                                                    const char* function) {
  __assertfail(message, file, line, function, sizeof(char));
}
__device__ int printf(const char*, ...);
}
namespace std {
__device__ static inline void free(void* p) {
  ::free(p);
}
__device__ static inline void* malloc(size_t size) {
  return ::malloc(size);
}
}  // namespace std

__device__ inline __cuda_builtin_threadIdx_t::operator dim3() const {
  return dim3(x, y, z);
}
__device__ inline __cuda_builtin_threadIdx_t::operator uint3() const {
  return {x, y, z};
}
__device__ inline __cuda_builtin_blockIdx_t::operator dim3() const {
  return dim3(x, y, z);
}
__device__ inline __cuda_builtin_blockIdx_t::operator uint3() const {
  return {x, y, z};
}
__device__ inline __cuda_builtin_blockDim_t::operator dim3() const {
  return dim3(x, y, z);
}
__device__ inline __cuda_builtin_blockDim_t::operator uint3() const {
  return {x, y, z};
}
__device__ inline __cuda_builtin_gridDim_t::operator dim3() const {
  return dim3(x, y, z);
}
__device__ inline __cuda_builtin_gridDim_t::operator uint3() const {
  return {x, y, z};
}

#include <__clang_cuda_cmath.h>
// clang's __reduce_*_sync pass mask and value in the wrong order (PTX: value, membermask).
#define __nvvm_redux_sync_add(mask, value) __nvvm_redux_sync_add(value, mask)
#define __nvvm_redux_sync_min(mask, value) __nvvm_redux_sync_min(value, mask)
#define __nvvm_redux_sync_umin(mask, value) __nvvm_redux_sync_umin(value, mask)
#define __nvvm_redux_sync_max(mask, value) __nvvm_redux_sync_max(value, mask)
#define __nvvm_redux_sync_umax(mask, value) __nvvm_redux_sync_umax(value, mask)
#define __nvvm_redux_sync_and(mask, value) __nvvm_redux_sync_and(value, mask)
#define __nvvm_redux_sync_xor(mask, value) __nvvm_redux_sync_xor(value, mask)
#define __nvvm_redux_sync_or(mask, value) __nvvm_redux_sync_or(value, mask)
#include <__clang_cuda_intrinsics.h>
#undef __nvvm_redux_sync_add
#undef __nvvm_redux_sync_min
#undef __nvvm_redux_sync_umin
#undef __nvvm_redux_sync_max
#undef __nvvm_redux_sync_umax
#undef __nvvm_redux_sync_and
#undef __nvvm_redux_sync_xor
#undef __nvvm_redux_sync_or

#include <__clang_cuda_complex_builtins.h>

#include "wanren/intrinsics.h"
#include "wanren/texture.h"

#if defined(__CLANG_RDC__) && !defined(__CUDA_ARCH__)
// Where relocatable files register; `wanren cc` gives the per-file functions that clang calls this one name.
// The device code of all files is linked when the first kernel is loaded.
extern "C" {
void** __cudaRegisterFatBinary(void* wrapper);
void __cudaRegisterFatBinaryEnd(void** handle);
void __cudaUnregisterFatBinary(void** handle);
int __cxa_atexit(void (*function)(void*), void* argument, void* dso) noexcept;
extern void* __dso_handle __attribute__((visibility("hidden")));
__attribute__((weak, visibility("hidden"), used)) void __cudaRegisterLinkedBinary(
    void (*registerGlobals)(void**), void* wrapper, void*, void (*)(void*)) {
  void** handle = __cudaRegisterFatBinary(wrapper);
  registerGlobals(handle);
  __cudaRegisterFatBinaryEnd(handle);
  __cxa_atexit((void (*)(void*))__cudaUnregisterFatBinary, handle, &__dso_handle);
}
}
#endif

// Programs ask for nvcc by its name to choose __host__ __device__ and its kin; CCCL asks too, and must hear
// clang's.
#if __has_include(<cuda/std/__cccl/compiler.h>)
#include <cuda/std/__cccl/compiler.h>
#include <nv/target>
#endif
#ifndef __NVCC__
#define __NVCC__ 1
#endif
// A lambda has one type on both sides here and its return type can be asked for, so nothing is to be refused
// for it.
#define __nv_is_extended_device_lambda_closure_type(T) false
#define __nv_is_extended_host_device_lambda_closure_type(T) false
#define __nv_is_extended_device_lambda_with_preserved_return_type(T) false

extern "C" unsigned __cudaPushCallConfiguration(dim3 gridDim, dim3 blockDim, size_t sharedMem = 0,
                                                void* stream = 0);

#else

#include "channel_descriptor.h"
#include "cuda_runtime_api.h"
#include "device_types.h"
#include "vector_functions.h"

#endif

#if defined(__cplusplus)
#include "wanren/runtime_templates.h"
#endif

#endif
