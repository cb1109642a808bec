// A matrix and vectors.
#include "handle.h"

namespace {

constexpr int threads = 128;

// y = alpha A x + beta y: one thread a row, so that a warp reads a column's neighbours.
template <typename T>
__global__ void gemv_n(int m, int n, Scalar<T> alpha, const T* a, int lda, const T* x, int incx,
                       Scalar<T> beta, T* y, int incy) {
  const int row = blockIdx.x * threads + threadIdx.x;
  if (row >= m) return;
  const T scale = alpha.get(), keep = beta.get();
  T sum = 0;
  if (scale != 0)
    for (int j = 0; j < n; ++j)
      sum += a[row + static_cast<long long>(j) * lda] * x[first_of(n, incx) + 1ll * j * incx];
  T& out = y[first_of(m, incy) + 1ll * row * incy];
  out = keep == 0 ? scale * sum : scale * sum + keep * out;
}
// y = alpha A^T x + beta y: one CTA a column.
template <typename T>
__global__ void gemv_t(int m, int n, Scalar<T> alpha, const T* a, int lda, const T* x, int incx,
                       Scalar<T> beta, T* y, int incy) {
  __shared__ T parts[threads];
  const int column = blockIdx.x;
  const T scale = alpha.get(), keep = beta.get();
  T sum = 0;
  if (scale != 0)
    for (int i = threadIdx.x; i < m; i += threads)
      sum += a[i + static_cast<long long>(column) * lda] * x[first_of(m, incx) + 1ll * i * incx];
  parts[threadIdx.x] = sum;
  __syncthreads();
  for (int half = threads / 2; half > 0; half /= 2) {
    if (threadIdx.x < half) parts[threadIdx.x] += parts[threadIdx.x + half];
    __syncthreads();
  }
  if (threadIdx.x != 0) return;
  T& out = y[first_of(n, incy) + 1ll * column * incy];
  out = keep == 0 ? scale * parts[0] : scale * parts[0] + keep * out;
}
template <typename T>
__global__ void ger(int m, int n, Scalar<T> alpha, const T* x, int incx, const T* y, int incy, T* a,
                    int lda) {
  const int row = blockIdx.x * threads + threadIdx.x;
  const T scale = alpha.get();
  if (row >= m) return;
  for (int column = blockIdx.y; column < n; column += gridDim.y)
    a[row + static_cast<long long>(column) * lda] +=
        scale * x[first_of(m, incx) + 1ll * row * incx] * y[first_of(n, incy) + 1ll * column * incy];
}

}  // namespace

#define WANREN_LEVEL2(S, T)                                                                                \
  extern "C" cublasStatus_t cublas##S##gemv_v2(cublasHandle_t handle, cublasOperation_t op, int m, int n,  \
                                               const T* alpha, const T* a, int lda, const T* x, int incx,  \
                                               const T* beta, T* y, int incy) {                            \
    if (handle == nullptr) return CUBLAS_STATUS_NOT_INITIALIZED;                                           \
    if (m < 0 || n < 0 || lda < (m > 1 ? m : 1) || incx == 0 || incy == 0 || alpha == nullptr ||           \
        beta == nullptr || op < CUBLAS_OP_N || op > CUBLAS_OP_C)                                           \
      return CUBLAS_STATUS_INVALID_VALUE;                                                                  \
    if (m == 0 || n == 0) return CUBLAS_STATUS_SUCCESS;                                                    \
    const Scalar<T> scale(handle, alpha), keep(handle, beta);                                              \
    if (op == CUBLAS_OP_N)                                                                                 \
      gemv_n<T>                                                                                            \
          <<<ctas(m, threads), threads, 0, handle->stream>>>(m, n, scale, a, lda, x, incx, keep, y, incy); \
    else                                                                                                   \
      gemv_t<T><<<n, threads, 0, handle->stream>>>(m, n, scale, a, lda, x, incx, keep, y, incy);           \
    return launched();                                                                                     \
  }                                                                                                        \
  extern "C" cublasStatus_t cublas##S##ger_v2(cublasHandle_t handle, int m, int n, const T* alpha,         \
                                              const T* x, int incx, const T* y, int incy, T* a, int lda) { \
    if (handle == nullptr) return CUBLAS_STATUS_NOT_INITIALIZED;                                           \
    if (m < 0 || n < 0 || lda < (m > 1 ? m : 1) || incx == 0 || incy == 0 || alpha == nullptr)             \
      return CUBLAS_STATUS_INVALID_VALUE;                                                                  \
    const Scalar<T> scale(handle, alpha);                                                                  \
    if (m == 0 || n == 0 || scale.is(0)) return CUBLAS_STATUS_SUCCESS;                                     \
    ger<T><<<dim3(ctas(m, threads), n < 65535 ? n : 65535), threads, 0, handle->stream>>>(                 \
        m, n, scale, x, incx, y, incy, a, lda);                                                            \
    return launched();                                                                                     \
  }
WANREN_CUBLAS_BOTH(WANREN_LEVEL2)
