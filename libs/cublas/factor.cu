// LU factors of batches of small matrices, solutions and inverses from them: one CTA a matrix.
#include "handle.h"

namespace {

constexpr int threads = 128;

/// In place with partial pivoting, LAPACK's getrf: pivots count from 1; info is the first zero pivot's
/// number.
template <typename T>
__global__ void __launch_bounds__(threads)
    factor(int n, T* const* matrices, int lda, int* pivots, int* info) {
  __shared__ T largest[threads];
  __shared__ int place[threads];
  T* const a = matrices[blockIdx.x];
  int singular = 0;
  for (int k = 0; k < n; ++k) {
    if (pivots != nullptr) {
      T most = -1;
      int row = k;
      for (int i = k + threadIdx.x; i < n; i += threads)
        if (const T v = fabs(a[i + 1ll * k * lda]); v > most) most = v, row = i;
      largest[threadIdx.x] = most;
      place[threadIdx.x] = row;
      __syncthreads();
      for (int half = threads / 2; half > 0; half /= 2) {
        if (threadIdx.x < half) {
          const int other = threadIdx.x + half;
          if (largest[other] > largest[threadIdx.x] ||
              (largest[other] == largest[threadIdx.x] && place[other] < place[threadIdx.x])) {
            largest[threadIdx.x] = largest[other];
            place[threadIdx.x] = place[other];
          }
        }
        __syncthreads();
      }
      const int pivot = place[0];
      if (threadIdx.x == 0) pivots[blockIdx.x * n + k] = pivot + 1;
      if (pivot != k)
        for (int j = threadIdx.x; j < n; j += threads) {
          const T kept = a[k + 1ll * j * lda];
          a[k + 1ll * j * lda] = a[pivot + 1ll * j * lda];
          a[pivot + 1ll * j * lda] = kept;
        }
      __syncthreads();
    }
    const T head = a[k + 1ll * k * lda];
    if (head == 0) {
      if (singular == 0) singular = k + 1;
    } else {
      for (int i = k + 1 + threadIdx.x; i < n; i += threads) a[i + 1ll * k * lda] /= head;
    }
    __syncthreads();
    const int rest = n - k - 1;
    for (int t = threadIdx.x; t < rest * rest; t += threads) {
      const int i = k + 1 + t % rest, j = k + 1 + t / rest;
      a[i + 1ll * j * lda] -= a[i + 1ll * k * lda] * a[k + 1ll * j * lda];
    }
    __syncthreads();
  }
  if (threadIdx.x == 0) info[blockIdx.x] = singular;
}

/// X from op(P L U) X = B in place, a thread a column.
template <typename T>
__device__ void solve_columns(int n, int columns, const T* a, int lda, const int* pivots, bool transposed,
                              T* b, int ldb) {
  for (int c = threadIdx.x; c < columns; c += threads) {
    T* const x = b + 1ll * c * ldb;
    const auto exchange = [&](int k) {
      const int other = pivots[k] - 1;
      const T kept = x[k];
      x[k] = x[other];
      x[other] = kept;
    };
    if (!transposed) {
      if (pivots != nullptr)
        for (int k = 0; k < n; ++k) exchange(k);
      for (int k = 0; k < n; ++k)
        for (int i = k + 1; i < n; ++i) x[i] -= a[i + 1ll * k * lda] * x[k];
      for (int k = n - 1; k >= 0; --k) {
        x[k] /= a[k + 1ll * k * lda];
        for (int i = 0; i < k; ++i) x[i] -= a[i + 1ll * k * lda] * x[k];
      }
    } else {
      for (int k = 0; k < n; ++k) {
        for (int i = 0; i < k; ++i) x[k] -= a[i + 1ll * k * lda] * x[i];
        x[k] /= a[k + 1ll * k * lda];
      }
      for (int k = n - 1; k >= 0; --k)
        for (int i = k + 1; i < n; ++i) x[k] -= a[i + 1ll * k * lda] * x[i];
      if (pivots != nullptr)
        for (int k = n - 1; k >= 0; --k) exchange(k);
    }
  }
}
template <typename T>
__global__ void solve(int n, int columns, const T* const* matrices, int lda, const int* pivots,
                      bool transposed, T* const* right, int ldb) {
  solve_columns(n, columns, matrices[blockIdx.x], lda, pivots == nullptr ? nullptr : pivots + blockIdx.x * n,
                transposed, right[blockIdx.x], ldb);
}
template <typename T>
__global__ void invert(int n, const T* const* matrices, int lda, const int* pivots, T* const* inverses,
                       int ldc, int* info) {
  const T* const a = matrices[blockIdx.x];
  T* const c = inverses[blockIdx.x];
  int singular = 0;
  for (int k = n - 1; k >= 0; --k)
    if (a[k + 1ll * k * lda] == 0) singular = k + 1;
  if (threadIdx.x == 0) info[blockIdx.x] = singular;
  if (singular != 0) return;
  for (int column = threadIdx.x; column < n; column += threads)
    for (int i = 0; i < n; ++i) c[i + 1ll * column * ldc] = i == column ? T(1) : T(0);
  solve_columns(n, n, a, lda, pivots == nullptr ? nullptr : pivots + blockIdx.x * n, false, c, ldc);
}

bool fits(int ld, int n) {
  return ld >= (n > 1 ? n : 1);
}

}  // namespace

#define WANREN_FACTOR(S, T)                                                                              \
  extern "C" cublasStatus_t cublas##S##getrfBatched(cublasHandle_t handle, int n, T* const a[], int lda, \
                                                    int* pivots, int* info, int count) {                 \
    if (handle == nullptr) return CUBLAS_STATUS_NOT_INITIALIZED;                                         \
    if (n < 0 || count < 0 || !fits(lda, n) || info == nullptr) return CUBLAS_STATUS_INVALID_VALUE;      \
    if (count == 0) return CUBLAS_STATUS_SUCCESS;                                                        \
    factor<T><<<count, threads, 0, handle->stream>>>(n, a, lda, pivots, info);                           \
    return launched();                                                                                   \
  }                                                                                                      \
  /* info is the host's: the number of a wrong argument. */                                              \
  extern "C" cublasStatus_t cublas##S##getrsBatched(                                                     \
      cublasHandle_t handle, cublasOperation_t op, int n, int nrhs, const T* const a[], int lda,         \
      const int* pivots, T* const b[], int ldb, int* info, int count) {                                  \
    if (handle == nullptr) return CUBLAS_STATUS_NOT_INITIALIZED;                                         \
    if (info == nullptr) return CUBLAS_STATUS_INVALID_VALUE;                                             \
    *info = n < 0 ? -2 : nrhs < 0 ? -3 : !fits(lda, n) ? -5 : !fits(ldb, n) ? -8 : count < 0 ? -10 : 0;  \
    if (*info != 0) return CUBLAS_STATUS_INVALID_VALUE;                                                  \
    if (n == 0 || nrhs == 0 || count == 0) return CUBLAS_STATUS_SUCCESS;                                 \
    solve<T><<<count, threads, 0, handle->stream>>>(n, nrhs, a, lda, pivots, op != CUBLAS_OP_N, b, ldb); \
    return launched();                                                                                   \
  }                                                                                                      \
  extern "C" cublasStatus_t cublas##S##getriBatched(cublasHandle_t handle, int n, const T* const a[],    \
                                                    int lda, const int* pivots, T* const c[], int ldc,   \
                                                    int* info, int count) {                              \
    if (handle == nullptr) return CUBLAS_STATUS_NOT_INITIALIZED;                                         \
    if (n < 0 || count < 0 || !fits(lda, n) || !fits(ldc, n) || info == nullptr)                         \
      return CUBLAS_STATUS_INVALID_VALUE;                                                                \
    if (count == 0) return CUBLAS_STATUS_SUCCESS;                                                        \
    invert<T><<<count, threads, 0, handle->stream>>>(n, a, lda, pivots, c, ldc, info);                   \
    return launched();                                                                                   \
  }
WANREN_CUBLAS_BOTH(WANREN_FACTOR)
