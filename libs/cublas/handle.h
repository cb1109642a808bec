// What a cuBLAS handle holds, and how its kernels take scalars.
#pragma once

#include <cublas_v2.h>

#include <cstddef>

/// Partial results of reductions: one per CTA of the first stage, and the result behind them.
constexpr int reduction_ctas = 128;
constexpr std::size_t workspace_bytes = (2 * reduction_ctas + 4) * 16;

struct cublasContext {
  cudaStream_t stream = nullptr;
  cublasPointerMode_t pointer_mode = CUBLAS_POINTER_MODE_HOST;
  cublasAtomicsMode_t atomics_mode = CUBLAS_ATOMICS_NOT_ALLOWED;
  cublasMath_t math_mode = CUBLAS_DEFAULT_MATH;
  void* workspace = nullptr;  ///< Device memory, workspace_bytes.
};

/// alpha or beta: a value, or where the device finds it.
template <typename T>
struct Scalar {
  T value;
  const T* pointer;

  Scalar(cublasHandle_t handle, const T* given)
      : value{}, pointer(handle->pointer_mode == CUBLAS_POINTER_MODE_DEVICE ? given : nullptr) {
    if (pointer == nullptr) value = *given;
  }
  __device__ T get() const { return pointer != nullptr ? *pointer : value; }
  /// For shortcuts on the host.
  bool is(T wanted) const { return pointer == nullptr && value == wanted; }
};

inline cublasStatus_t launched() {
  return cudaGetLastError() == cudaSuccess ? CUBLAS_STATUS_SUCCESS : CUBLAS_STATUS_EXECUTION_FAILED;
}
inline cublasStatus_t status_of(cudaError_t error) {
  return error == cudaSuccess ? CUBLAS_STATUS_SUCCESS : CUBLAS_STATUS_MAPPING_ERROR;
}
inline int ctas(long long items, int threads) {
  return static_cast<int>((items + threads - 1) / threads);
}
/// Where element 0 of a vector lies: at the far end where the increment is negative.
__host__ __device__ inline long long first_of(int n, int inc) {
  return inc < 0 ? static_cast<long long>(1 - n) * inc : 0;
}
