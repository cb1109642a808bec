// Symmetric and triangular matrices: products by way of whole ones, solutions by substitution.
#include "handle.h"

namespace {

constexpr int threads = 128;

/// Device memory that is freed in stream order.
class Temporary {
 public:
  Temporary(cudaStream_t stream, std::size_t bytes) : stream_(stream) {
    if (cudaMallocAsync(&at_, bytes, stream) != cudaSuccess) at_ = nullptr;
  }
  Temporary(const Temporary&) = delete;
  Temporary& operator=(const Temporary&) = delete;
  ~Temporary() {
    if (at_ != nullptr) cudaFreeAsync(at_, stream_);
  }
  template <typename T>
  T* as() const {
    return static_cast<T*>(at_);
  }

 private:
  void* at_ = nullptr;
  cudaStream_t stream_;
};

bool is_fill(cublasFillMode_t fill) {
  return fill == CUBLAS_FILL_MODE_LOWER || fill == CUBLAS_FILL_MODE_UPPER;
}
bool is_operation(cublasOperation_t op) {
  return op >= CUBLAS_OP_N && op <= CUBLAS_OP_C;
}
bool at_least(int ld, int rows) {
  return ld >= (rows > 1 ? rows : 1);
}

/// The whole n x n matrix of which one triangle is given: mirrored, or zero in the other one.
template <typename T>
__global__ void whole(int n, const T* a, int lda, bool upper, bool mirrored, bool unit, T* out) {
  const int row = blockIdx.x * 16 + threadIdx.x, column = blockIdx.y * 16 + threadIdx.y;
  if (row >= n || column >= n) return;
  const bool given = row == column || (upper ? row < column : row > column);
  T value = 0;
  if (row == column && unit)
    value = 1;
  else if (given)
    value = a[row + 1ll * column * lda];
  else if (mirrored)
    value = a[column + 1ll * row * lda];
  out[row + 1ll * column * n] = value;
}
/// One triangle of C = product + beta C.
template <typename T>
__global__ void into_triangle(int n, const T* product, bool upper, Scalar<T> beta, T* c, int ldc) {
  const int row = blockIdx.x * 16 + threadIdx.x, column = blockIdx.y * 16 + threadIdx.y;
  if (row >= n || column >= n || (upper ? row > column : row < column)) return;
  const T keep = beta.get();
  T& out = c[row + 1ll * column * ldc];
  out = product[row + 1ll * column * n] + (keep == 0 ? T(0) : keep * out);
}
dim3 tiles(int m, int n) {
  return dim3(ctas(m, 16), ctas(n, 16));
}

/// Where the vectors and matrices of a solution are: one of a kind, or a batch by pointers.
template <typename T>
struct Unknown {
  T* x;
  T* const* each;
  long long inc, between;  ///< of elements of a vector; of vectors
};
/// op(A) x = alpha x by substitution: a CTA a vector, a step an unknown, which is then taken out of the
/// others.
template <typename T>
__global__ void __launch_bounds__(threads)
    substitute(int n, const T* a, const T* const* each_a, int lda, bool transposed, bool upper, bool unit,
               Scalar<T> alpha, Unknown<T> unknown) {
  if (each_a != nullptr) a = each_a[blockIdx.y];
  T* const x =
      (unknown.each != nullptr ? unknown.each[blockIdx.y] : unknown.x) + blockIdx.x * unknown.between;
  const T scale = alpha.get();
  for (int i = threadIdx.x; i < n; i += threads)
    x[i * unknown.inc] = scale == 0 ? T(0) : scale * x[i * unknown.inc];
  __syncthreads();
  // A transposed upper triangle is a lower one.
  const bool backwards = upper != transposed;
  for (int step = 0; step < n; ++step) {
    const int i = backwards ? n - 1 - step : step;
    if (threadIdx.x == 0 && !unit) x[i * unknown.inc] /= a[i + 1ll * i * lda];
    __syncthreads();
    const T known = x[i * unknown.inc];
    for (int j = threadIdx.x; j < n - 1 - step; j += threads) {
      const int row = backwards ? j : i + 1 + j;
      x[row * unknown.inc] -= known * (transposed ? a[i + 1ll * row * lda] : a[row + 1ll * i * lda]);
    }
    __syncthreads();
  }
}
/// y = alpha A x + beta y with a symmetric A: a thread a row.
template <typename T>
__global__ void symv(int n, Scalar<T> alpha, const T* a, int lda, bool upper, const T* x, int incx,
                     Scalar<T> beta, T* y, int incy) {
  const int row = blockIdx.x * threads + threadIdx.x;
  if (row >= n) return;
  const T scale = alpha.get(), keep = beta.get();
  T sum = 0;
  if (scale != 0)
    for (int j = 0; j < n; ++j)
      sum += (upper == (row <= j) || row == j ? a[row + 1ll * j * lda] : a[j + 1ll * row * lda]) *
             x[first_of(n, incx) + 1ll * j * incx];
  T& out = y[first_of(n, incy) + 1ll * row * incy];
  out = scale * sum + (keep == 0 ? T(0) : keep * out);
}

template <typename T>
cublasStatus_t solve(cublasHandle_t handle, cublasSideMode_t side, cublasFillMode_t fill,
                     cublasOperation_t op, cublasDiagType_t diagonal, int m, int n, const T* alpha,
                     const T* a, const T* const* each_a, int lda, T* b, T* const* each_b, int ldb,
                     int count) {
  if (handle == nullptr) return CUBLAS_STATUS_NOT_INITIALIZED;
  const bool left = side == CUBLAS_SIDE_LEFT;
  const int order = left ? m : n, vectors = left ? n : m;
  if (!is_fill(fill) || !is_operation(op) || m < 0 || n < 0 || count < 0 || alpha == nullptr ||
      !at_least(lda, order) || !at_least(ldb, m))
    return CUBLAS_STATUS_INVALID_VALUE;
  if (m == 0 || n == 0 || count == 0) return CUBLAS_STATUS_SUCCESS;
  if (count > 65535) return CUBLAS_STATUS_NOT_SUPPORTED;
  // X op(A) = B is op(A)^T X^T = B^T: the rows of B are the vectors.
  const bool transposed = (op != CUBLAS_OP_N) == left;
  const Unknown<T> unknown{b, each_b, left ? 1ll : ldb, left ? ldb : 1ll};
  substitute<T><<<dim3(vectors, count), threads, 0, handle->stream>>>(
      order, a, each_a, lda, transposed, fill == CUBLAS_FILL_MODE_UPPER, diagonal == CUBLAS_DIAG_UNIT,
      Scalar<T>(handle, alpha), unknown);
  return launched();
}

template <typename T>
struct Gemm;
template <>
struct Gemm<float> {
  static constexpr auto run = cublasSgemm_v2;
};
template <>
struct Gemm<double> {
  static constexpr auto run = cublasDgemm_v2;
};
/// A scalar in the place that the handle's pointer mode asks for stays the caller's; constants are the
/// host's.
class HostScalars {
 public:
  explicit HostScalars(cublasHandle_t handle) : handle_(handle), kept_(handle->pointer_mode) {
    handle->pointer_mode = CUBLAS_POINTER_MODE_HOST;
  }
  ~HostScalars() { handle_->pointer_mode = kept_; }

 private:
  cublasHandle_t handle_;
  cublasPointerMode_t kept_;
};
template <typename T>
__global__ void scale_into(int m, int n, Scalar<T> alpha, const T* from, T* to, int ld) {
  const int row = blockIdx.x * 16 + threadIdx.x, column = blockIdx.y * 16 + threadIdx.y;
  if (row < m && column < n) to[row + 1ll * column * ld] = alpha.get() * from[row + 1ll * column * m];
}

template <typename T>
cublasStatus_t multiply_symmetric(cublasHandle_t handle, cublasSideMode_t side, cublasFillMode_t fill, int m,
                                  int n, const T* alpha, const T* a, int lda, const T* b, int ldb,
                                  const T* beta, T* c, int ldc) {
  if (handle == nullptr) return CUBLAS_STATUS_NOT_INITIALIZED;
  const int order = side == CUBLAS_SIDE_LEFT ? m : n;
  if (!is_fill(fill) || m < 0 || n < 0 || alpha == nullptr || beta == nullptr || !at_least(lda, order) ||
      !at_least(ldb, m) || !at_least(ldc, m))
    return CUBLAS_STATUS_INVALID_VALUE;
  if (m == 0 || n == 0) return CUBLAS_STATUS_SUCCESS;
  const Temporary full(handle->stream, sizeof(T) * order * order);
  if (full.as<T>() == nullptr) return CUBLAS_STATUS_ALLOC_FAILED;
  whole<T><<<tiles(order, order), dim3(16, 16), 0, handle->stream>>>(
      order, a, lda, fill == CUBLAS_FILL_MODE_UPPER, true, false, full.as<T>());
  return side == CUBLAS_SIDE_LEFT ? Gemm<T>::run(handle, CUBLAS_OP_N, CUBLAS_OP_N, m, n, m, alpha,
                                                 full.as<T>(), m, b, ldb, beta, c, ldc)
                                  : Gemm<T>::run(handle, CUBLAS_OP_N, CUBLAS_OP_N, m, n, n, alpha, b, ldb,
                                                 full.as<T>(), n, beta, c, ldc);
}
/// C may be B.
template <typename T>
cublasStatus_t multiply_triangular(cublasHandle_t handle, cublasSideMode_t side, cublasFillMode_t fill,
                                   cublasOperation_t op, cublasDiagType_t diagonal, int m, int n,
                                   const T* alpha, const T* a, int lda, const T* b, int ldb, T* c, int ldc) {
  if (handle == nullptr) return CUBLAS_STATUS_NOT_INITIALIZED;
  const int order = side == CUBLAS_SIDE_LEFT ? m : n;
  if (!is_fill(fill) || !is_operation(op) || m < 0 || n < 0 || alpha == nullptr || !at_least(lda, order) ||
      !at_least(ldb, m) || !at_least(ldc, m))
    return CUBLAS_STATUS_INVALID_VALUE;
  if (m == 0 || n == 0) return CUBLAS_STATUS_SUCCESS;
  const Temporary full(handle->stream, sizeof(T) * order * order), product(handle->stream, sizeof(T) * m * n);
  if (full.as<T>() == nullptr || product.as<T>() == nullptr) return CUBLAS_STATUS_ALLOC_FAILED;
  whole<T><<<tiles(order, order), dim3(16, 16), 0, handle->stream>>>(
      order, a, lda, fill == CUBLAS_FILL_MODE_UPPER, false, diagonal == CUBLAS_DIAG_UNIT, full.as<T>());
  const Scalar<T> scale(handle, alpha);
  const HostScalars host(handle);
  const T one = 1, none = 0;
  const cublasStatus_t status = side == CUBLAS_SIDE_LEFT
                                    ? Gemm<T>::run(handle, op, CUBLAS_OP_N, m, n, m, &one, full.as<T>(), m, b,
                                                   ldb, &none, product.as<T>(), m)
                                    : Gemm<T>::run(handle, CUBLAS_OP_N, op, m, n, n, &one, b, ldb,
                                                   full.as<T>(), n, &none, product.as<T>(), m);
  if (status != CUBLAS_STATUS_SUCCESS) return status;
  scale_into<T><<<tiles(m, n), dim3(16, 16), 0, handle->stream>>>(m, n, scale, product.as<T>(), c, ldc);
  return launched();
}
template <typename T>
cublasStatus_t multiply_by_itself(cublasHandle_t handle, cublasFillMode_t fill, cublasOperation_t op, int n,
                                  int k, const T* alpha, const T* a, int lda, const T* beta, T* c, int ldc) {
  if (handle == nullptr) return CUBLAS_STATUS_NOT_INITIALIZED;
  if (!is_fill(fill) || !is_operation(op) || n < 0 || k < 0 || alpha == nullptr || beta == nullptr ||
      !at_least(lda, op == CUBLAS_OP_N ? n : k) || !at_least(ldc, n))
    return CUBLAS_STATUS_INVALID_VALUE;
  if (n == 0) return CUBLAS_STATUS_SUCCESS;
  const Temporary product(handle->stream, sizeof(T) * n * n);
  if (product.as<T>() == nullptr) return CUBLAS_STATUS_ALLOC_FAILED;
  const Scalar<T> scale(handle, alpha), keep(handle, beta);
  {
    const HostScalars host(handle);
    const T one = 1, none = 0;
    const cublasOperation_t other = op == CUBLAS_OP_N ? CUBLAS_OP_T : CUBLAS_OP_N;
    const cublasStatus_t status =
        Gemm<T>::run(handle, op, other, n, n, k, &one, a, lda, a, lda, &none, product.as<T>(), n);
    if (status != CUBLAS_STATUS_SUCCESS) return status;
  }
  scale_into<T>
      <<<tiles(n, n), dim3(16, 16), 0, handle->stream>>>(n, n, scale, product.as<T>(), product.as<T>(), n);
  into_triangle<T><<<tiles(n, n), dim3(16, 16), 0, handle->stream>>>(
      n, product.as<T>(), fill == CUBLAS_FILL_MODE_UPPER, keep, c, ldc);
  return launched();
}

}  // namespace

#define WANREN_TRIANGULAR(S, T)                                                                              \
  cublasStatus_t cublas##S##syrk_v2(cublasHandle_t handle, cublasFillMode_t fill, cublasOperation_t op,      \
                                    int n, int k, const T* alpha, const T* a, int lda, const T* beta, T* c,  \
                                    int ldc) {                                                               \
    return multiply_by_itself(handle, fill, op, n, k, alpha, a, lda, beta, c, ldc);                          \
  }                                                                                                          \
  cublasStatus_t cublas##S##symm_v2(cublasHandle_t handle, cublasSideMode_t side, cublasFillMode_t fill,     \
                                    int m, int n, const T* alpha, const T* a, int lda, const T* b, int ldb,  \
                                    const T* beta, T* c, int ldc) {                                          \
    return multiply_symmetric(handle, side, fill, m, n, alpha, a, lda, b, ldb, beta, c, ldc);                \
  }                                                                                                          \
  cublasStatus_t cublas##S##trmm_v2(cublasHandle_t handle, cublasSideMode_t side, cublasFillMode_t fill,     \
                                    cublasOperation_t op, cublasDiagType_t diagonal, int m, int n,           \
                                    const T* alpha, const T* a, int lda, const T* b, int ldb, T* c,          \
                                    int ldc) {                                                               \
    return multiply_triangular(handle, side, fill, op, diagonal, m, n, alpha, a, lda, b, ldb, c, ldc);       \
  }                                                                                                          \
  cublasStatus_t cublas##S##trsm_v2(cublasHandle_t handle, cublasSideMode_t side, cublasFillMode_t fill,     \
                                    cublasOperation_t op, cublasDiagType_t diagonal, int m, int n,           \
                                    const T* alpha, const T* a, int lda, T* b, int ldb) {                    \
    return solve<T>(handle, side, fill, op, diagonal, m, n, alpha, a, nullptr, lda, b, nullptr, ldb, 1);     \
  }                                                                                                          \
  cublasStatus_t cublas##S##trsmBatched(cublasHandle_t handle, cublasSideMode_t side, cublasFillMode_t fill, \
                                        cublasOperation_t op, cublasDiagType_t diagonal, int m, int n,       \
                                        const T* alpha, const T* const a[], int lda, T* const b[], int ldb,  \
                                        int count) {                                                         \
    return solve<T>(handle, side, fill, op, diagonal, m, n, alpha, nullptr, a, lda, nullptr, b, ldb, count); \
  }                                                                                                          \
  cublasStatus_t cublas##S##trsv_v2(cublasHandle_t handle, cublasFillMode_t fill, cublasOperation_t op,      \
                                    cublasDiagType_t diagonal, int n, const T* a, int lda, T* x, int incx) { \
    if (handle == nullptr) return CUBLAS_STATUS_NOT_INITIALIZED;                                             \
    if (!is_fill(fill) || !is_operation(op) || n < 0 || incx == 0 || !at_least(lda, n))                      \
      return CUBLAS_STATUS_INVALID_VALUE;                                                                    \
    if (n == 0) return CUBLAS_STATUS_SUCCESS;                                                                \
    const HostScalars host(handle);                                                                          \
    const T one = 1;                                                                                         \
    substitute<T><<<1, threads, 0, handle->stream>>>(                                                        \
        n, a, nullptr, lda, op != CUBLAS_OP_N, fill == CUBLAS_FILL_MODE_UPPER, diagonal == CUBLAS_DIAG_UNIT, \
        Scalar<T>(handle, &one), Unknown<T>{x + first_of(n, incx), nullptr, incx, 0});                       \
    return launched();                                                                                       \
  }                                                                                                          \
  cublasStatus_t cublas##S##symv_v2(cublasHandle_t handle, cublasFillMode_t fill, int n, const T* alpha,     \
                                    const T* a, int lda, const T* x, int incx, const T* beta, T* y,          \
                                    int incy) {                                                              \
    if (handle == nullptr) return CUBLAS_STATUS_NOT_INITIALIZED;                                             \
    if (!is_fill(fill) || n < 0 || incx == 0 || incy == 0 || !at_least(lda, n) || alpha == nullptr ||        \
        beta == nullptr)                                                                                     \
      return CUBLAS_STATUS_INVALID_VALUE;                                                                    \
    if (n == 0) return CUBLAS_STATUS_SUCCESS;                                                                \
    symv<T><<<ctas(n, threads), threads, 0, handle->stream>>>(n, Scalar<T>(handle, alpha), a, lda,           \
                                                              fill == CUBLAS_FILL_MODE_UPPER, x, incx,       \
                                                              Scalar<T>(handle, beta), y, incy);             \
    return launched();                                                                                       \
  }
extern "C" {
WANREN_CUBLAS_BOTH(WANREN_TRIANGULAR)
}
