// Sparse matrices by dense vectors and matrices: a warp a row, so that neighbours read neighbours; transposed
// ones and COO add each element where it belongs.
#include "descriptors.h"

namespace {

constexpr int threads = 128, warp = 32;

/// alpha or beta: a value, or where the device finds it.
template <typename T>
struct Scalar {
  T value;
  const T* pointer;
  Scalar(cusparseHandle_t handle, const void* given) : value{}, pointer(static_cast<const T*>(given)) {
    if (handle->pointer_mode == CUSPARSE_POINTER_MODE_HOST) value = *pointer, pointer = nullptr;
  }
  __device__ T get() const { return pointer != nullptr ? *pointer : value; }
};

/// Row of CSR by column `c` of a dense matrix whose elements lie `b_row` and `b_column` apart.
template <typename T>
__global__ void __launch_bounds__(threads)
    rows_by_columns(int rows, const int* offsets, const int* columns, const T* values, int base,
                    Scalar<T> alpha, const T* b, long long b_row, long long b_column, Scalar<T> beta, T* c,
                    long long c_row, long long c_column) {
  const int row = (blockIdx.x * threads + threadIdx.x) / warp, lane = threadIdx.x % warp;
  if (row >= rows) return;
  b += blockIdx.y * b_column;
  c += blockIdx.y * c_column;
  T sum = 0;
  for (int k = offsets[row] - base + lane; k < offsets[row + 1] - base; k += warp)
    sum += values[k] * b[(columns[k] - base) * b_row];
  for (int half = warp / 2; half > 0; half /= 2) sum += __shfl_down_sync(0xffffffffu, sum, half);
  if (lane != 0) return;
  T& out = c[row * c_row];
  const T keep = beta.get();
  // With beta = 0 the old C is not read: it may be NaN.
  out = alpha.get() * sum + (keep == 0 ? T(0) : keep * out);
}
template <typename T>
__global__ void scale(int n, Scalar<T> beta, T* y) {
  const int i = blockIdx.x * threads + threadIdx.x;
  if (i < n) y[i] = beta.get() == 0 ? T(0) : beta.get() * y[i];
}
template <typename T>
__global__ void add_elements(int nonzeros, const int* to, const int* from, const T* values, int base,
                             Scalar<T> alpha, const T* x, T* y) {
  const int k = blockIdx.x * threads + threadIdx.x;
  if (k < nonzeros) atomicAdd(&y[to[k] - base], alpha.get() * values[k] * x[from[k] - base]);
}
/// Rows of CSR, each element to where its column is.
template <typename T>
__global__ void add_transposed(int rows, const int* offsets, const int* columns, const T* values, int base,
                               Scalar<T> alpha, const T* x, T* y) {
  const int row = (blockIdx.x * threads + threadIdx.x) / warp, lane = threadIdx.x % warp;
  if (row >= rows) return;
  const T scaled = alpha.get() * x[row];
  for (int k = offsets[row] - base + lane; k < offsets[row + 1] - base; k += warp)
    atomicAdd(&y[columns[k] - base], values[k] * scaled);
}

int ctas(long long items) {
  return static_cast<int>((items + threads - 1) / threads);
}
cusparseStatus_t launched() {
  return cudaGetLastError() == cudaSuccess ? CUSPARSE_STATUS_SUCCESS : CUSPARSE_STATUS_EXECUTION_FAILED;
}

template <typename T>
cusparseStatus_t multiply(cusparseHandle_t handle, bool transposed, const void* alpha,
                          const cusparseSpMatDescr& a, const cusparseDnVecDescr& x, const void* beta,
                          const cusparseDnVecDescr& y) {
  const Scalar<T> scaled(handle, alpha), keep(handle, beta);
  const T *values = static_cast<const T*>(a.values), *from = static_cast<const T*>(x.values);
  T* const to = static_cast<T*>(y.values);
  const auto *row = static_cast<const int*>(a.row), *column = static_cast<const int*>(a.column);
  const int rows = static_cast<int>(a.rows), nonzeros = static_cast<int>(a.nonzeros);
  if (y.size == 0) return CUSPARSE_STATUS_SUCCESS;
  if (!a.coo && !transposed) {
    rows_by_columns<T><<<ctas(a.rows * warp), threads, 0, handle->stream>>>(
        rows, row, column, values, a.base, scaled, from, 1, 0, keep, to, 1, 0);
    return launched();
  }
  scale<T><<<ctas(y.size), threads, 0, handle->stream>>>(static_cast<int>(y.size), keep, to);
  if (nonzeros > 0 && a.coo)
    add_elements<T><<<ctas(nonzeros), threads, 0, handle->stream>>>(
        nonzeros, transposed ? column : row, transposed ? row : column, values, a.base, scaled, from, to);
  else if (nonzeros > 0)
    add_transposed<T><<<ctas(a.rows * warp), threads, 0, handle->stream>>>(rows, row, column, values, a.base,
                                                                           scaled, from, to);
  return launched();
}
template <typename T>
cusparseStatus_t multiply(cusparseHandle_t handle, bool transposed, const void* alpha,
                          const cusparseSpMatDescr& a, const cusparseDnMatDescr& b, const void* beta,
                          const cusparseDnMatDescr& c) {
  if (c.rows == 0 || c.columns == 0) return CUSPARSE_STATUS_SUCCESS;
  // Of op(B): how far its rows and its columns are apart.
  const bool swapped = transposed != b.by_rows;
  rows_by_columns<T>
      <<<dim3(ctas(a.rows * warp), static_cast<unsigned>(c.columns)), threads, 0, handle->stream>>>(
          static_cast<int>(a.rows), static_cast<const int*>(a.row), static_cast<const int*>(a.column),
          static_cast<const T*>(a.values), a.base, Scalar<T>(handle, alpha), static_cast<const T*>(b.values),
          swapped ? b.ld : 1, swapped ? 1 : b.ld, Scalar<T>(handle, beta), static_cast<T*>(c.values),
          c.by_rows ? c.ld : 1, c.by_rows ? 1 : c.ld);
  return launched();
}

bool are_null(const void* a, const void* b, const void* c, const void* d, const void* e) {
  return a == nullptr || b == nullptr || c == nullptr || d == nullptr || e == nullptr;
}

bool is_wide(const cusparseSpMatDescr& a) {
  return a.wide_row || a.wide_column;
}

}  // namespace

extern "C" {

cusparseStatus_t cusparseSpMV(cusparseHandle_t handle, cusparseOperation_t op, const void* alpha,
                              cusparseConstSpMatDescr_t a, cusparseConstDnVecDescr_t x, const void* beta,
                              cusparseDnVecDescr_t y, cudaDataType compute, cusparseSpMVAlg_t, void*) {
  if (handle == nullptr) return CUSPARSE_STATUS_NOT_INITIALIZED;
  if (are_null(alpha, a, x, beta, y)) return CUSPARSE_STATUS_INVALID_VALUE;
  const bool transposed = op != CUSPARSE_OPERATION_NON_TRANSPOSE;
  if (x->size != (transposed ? a->rows : a->columns) || y->size != (transposed ? a->columns : a->rows))
    return CUSPARSE_STATUS_INVALID_VALUE;
  if (is_wide(*a) || a->type != compute || x->type != compute || y->type != compute || a->rows > 0x3ffffff ||
      y->size > 0x7fffffff)
    return CUSPARSE_STATUS_NOT_SUPPORTED;
  return compute == CUDA_R_32F ? multiply<float>(handle, transposed, alpha, *a, *x, beta, *y)
                               : multiply<double>(handle, transposed, alpha, *a, *x, beta, *y);
}
cusparseStatus_t cusparseSpMV_bufferSize(cusparseHandle_t handle, cusparseOperation_t, const void*,
                                         cusparseConstSpMatDescr_t, cusparseConstDnVecDescr_t, const void*,
                                         cusparseDnVecDescr_t, cudaDataType, cusparseSpMVAlg_t,
                                         size_t* size) {
  if (handle == nullptr) return CUSPARSE_STATUS_NOT_INITIALIZED;
  if (size == nullptr) return CUSPARSE_STATUS_INVALID_VALUE;
  *size = 0;
  return CUSPARSE_STATUS_SUCCESS;
}
cusparseStatus_t cusparseSpMV_preprocess(cusparseHandle_t handle, cusparseOperation_t, const void*,
                                         cusparseConstSpMatDescr_t, cusparseConstDnVecDescr_t, const void*,
                                         cusparseDnVecDescr_t, cudaDataType, cusparseSpMVAlg_t, void*) {
  return handle == nullptr ? CUSPARSE_STATUS_NOT_INITIALIZED : CUSPARSE_STATUS_SUCCESS;
}

cusparseStatus_t cusparseSpMM(cusparseHandle_t handle, cusparseOperation_t opa, cusparseOperation_t opb,
                              const void* alpha, cusparseConstSpMatDescr_t a, cusparseConstDnMatDescr_t b,
                              const void* beta, cusparseDnMatDescr_t c, cudaDataType compute,
                              cusparseSpMMAlg_t, void*) {
  if (handle == nullptr) return CUSPARSE_STATUS_NOT_INITIALIZED;
  if (are_null(alpha, a, b, beta, c)) return CUSPARSE_STATUS_INVALID_VALUE;
  const bool transposed = opb != CUSPARSE_OPERATION_NON_TRANSPOSE;
  if (opa != CUSPARSE_OPERATION_NON_TRANSPOSE || a->coo || is_wide(*a) || a->type != compute ||
      b->type != compute || c->type != compute || a->rows > 0x3ffffff || c->columns > 65535)
    return CUSPARSE_STATUS_NOT_SUPPORTED;
  if ((transposed ? b->columns : b->rows) != a->columns ||
      (transposed ? b->rows : b->columns) != c->columns || c->rows != a->rows)
    return CUSPARSE_STATUS_INVALID_VALUE;
  return compute == CUDA_R_32F ? multiply<float>(handle, transposed, alpha, *a, *b, beta, *c)
                               : multiply<double>(handle, transposed, alpha, *a, *b, beta, *c);
}
cusparseStatus_t cusparseSpMM_bufferSize(cusparseHandle_t handle, cusparseOperation_t, cusparseOperation_t,
                                         const void*, cusparseConstSpMatDescr_t, cusparseConstDnMatDescr_t,
                                         const void*, cusparseDnMatDescr_t, cudaDataType, cusparseSpMMAlg_t,
                                         size_t* size) {
  if (handle == nullptr) return CUSPARSE_STATUS_NOT_INITIALIZED;
  if (size == nullptr) return CUSPARSE_STATUS_INVALID_VALUE;
  *size = 0;
  return CUSPARSE_STATUS_SUCCESS;
}

}  // extern "C"
