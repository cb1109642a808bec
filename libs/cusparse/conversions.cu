// Between dense and sparse matrices: a warp a row, which keeps an element's place in its row by counting the
// lanes before it.
#include "descriptors.h"

namespace {

constexpr int threads = 128, warp = 32;

int ctas(int64_t items) {
  return static_cast<int>((items + threads - 1) / threads);
}
cusparseStatus_t launched() {
  return cudaGetLastError() == cudaSuccess ? CUSPARSE_STATUS_SUCCESS : CUSPARSE_STATUS_EXECUTION_FAILED;
}

template <typename T>
struct Dense {
  T* values;
  int64_t rows, columns, row_step, column_step;
  explicit Dense(const cusparseDnMatDescr& m)
      : values(static_cast<T*>(m.values)),
        rows(m.rows),
        columns(m.columns),
        row_step(m.by_rows ? m.ld : 1),
        column_step(m.by_rows ? 1 : m.ld) {}
  Dense(const T* at, int64_t m, int64_t n, int64_t ld)
      : values(const_cast<T*>(at)), rows(m), columns(n), row_step(1), column_step(ld) {}
  Dense transposed() const {
    Dense t = *this;
    t.rows = columns, t.columns = rows, t.row_step = column_step, t.column_step = row_step;
    return t;
  }
  __device__ T& at(int64_t r, int64_t c) const { return values[r * row_step + c * column_step]; }
};

__device__ int64_t thread_index() {
  return int64_t{blockIdx.x} * threads + threadIdx.x;
}

/// counts[row] and, unless null, the sum of all.
template <typename T, typename Count>
__global__ void __launch_bounds__(threads) count(Dense<T> dense, Count* counts, int* total) {
  const int64_t row = thread_index() / warp;
  if (row >= dense.rows) return;
  const int lane = threadIdx.x % warp;
  int found = 0;
  for (int64_t c = lane; c < dense.columns; c += warp) found += dense.at(row, c) != T(0);
  for (int half = warp / 2; half > 0; half /= 2) found += __shfl_down_sync(0xffffffffu, found, half);
  if (lane != 0) return;
  counts[row] = found;
  if (total != nullptr) atomicAdd(total, found);
}

/// One warp: offsets[1..rows] hold counts and become where rows end.
template <typename Offset>
__global__ void add_up(int64_t rows, Offset* offsets, Offset base) {
  const int lane = threadIdx.x;
  Offset before = base;
  for (int64_t r = 0; r < rows; r += warp) {
    Offset sum = r + lane < rows ? offsets[r + lane + 1] : 0;
    for (int step = 1; step < warp; step *= 2) {
      const Offset left = __shfl_up_sync(0xffffffffu, sum, step);
      if (lane >= step) sum += left;
    }
    if (r + lane < rows) offsets[r + lane + 1] = before + sum;
    before += __shfl_sync(0xffffffffu, sum, warp - 1);
  }
  if (lane == 0) offsets[0] = base;
}

/// `row_of` is COO's, else null.
template <typename T, typename Offset, typename Index>
__global__ void __launch_bounds__(threads)
    gather(Dense<T> dense, const Offset* offsets, Index* row_of, Index* columns, T* values, int base) {
  const int64_t row = thread_index() / warp;
  if (row >= dense.rows) return;
  const int lane = threadIdx.x % warp;
  int64_t at = offsets[row] - base;
  for (int64_t first = 0; first < dense.columns; first += warp) {
    const int64_t c = first + lane;
    const T value = c < dense.columns ? dense.at(row, c) : T(0);
    const unsigned present = __ballot_sync(0xffffffffu, value != T(0));
    if (value != T(0)) {
      const int64_t k = at + __popc(present & ((1u << lane) - 1));
      if (row_of != nullptr) row_of[k] = static_cast<Index>(row + base);
      columns[k] = static_cast<Index>(c + base);
      values[k] = value;
    }
    at += __popc(present);
  }
}

template <typename T>
__global__ void clear(Dense<T> dense) {
  const int64_t i = thread_index();
  if (i >= dense.rows * dense.columns) return;
  // Neighbours in memory are neighbours in the warp.
  const bool by_rows = dense.column_step == 1;
  const int64_t length = by_rows ? dense.columns : dense.rows;
  dense.at(by_rows ? i / length : i % length, by_rows ? i % length : i / length) = T(0);
}
template <typename T, typename Offset, typename Index>
__global__ void scatter_rows(Dense<T> dense, const Offset* offsets, const Index* columns, const T* values,
                             int base) {
  const int64_t row = thread_index() / warp;
  if (row >= dense.rows) return;
  for (int64_t k = offsets[row] - base + threadIdx.x % warp; k < offsets[row + 1] - base; k += warp)
    dense.at(row, columns[k] - base) = values[k];
}
template <typename T, typename Index>
__global__ void scatter_elements(Dense<T> dense, int64_t nonzeros, const Index* rows, const Index* columns,
                                 const T* values, int base) {
  const int64_t k = thread_index();
  if (k < nonzeros) dense.at(rows[k] - base, columns[k] - base) = values[k];
}

/// The conversions of one type of elements and indices. COO keeps its rows' offsets in the caller's buffer.
template <typename T, typename Offset, typename Index>
struct Converter {
  static cusparseStatus_t to_dense(cudaStream_t stream, const cusparseSpMatDescr& a,
                                   const cusparseDnMatDescr& b) {
    const Dense<T> dense(b);
    if (b.rows == 0 || b.columns == 0) return CUSPARSE_STATUS_SUCCESS;
    clear<T><<<ctas(b.rows * b.columns), threads, 0, stream>>>(dense);
    const auto* columns = static_cast<const Index*>(a.column);
    const auto* values = static_cast<const T*>(a.values);
    if (a.nonzeros > 0 && a.coo)
      scatter_elements<T, Index><<<ctas(a.nonzeros), threads, 0, stream>>>(
          dense, a.nonzeros, static_cast<const Index*>(a.row), columns, values, a.base);
    else if (!a.coo)
      scatter_rows<T, Offset, Index><<<ctas(a.rows * warp), threads, 0, stream>>>(
          dense, static_cast<const Offset*>(a.row), columns, values, a.base);
    return launched();
  }
  static cusparseStatus_t find(cudaStream_t stream, const cusparseDnMatDescr& a, cusparseSpMatDescr& b,
                               void* buffer) {
    auto* offsets = static_cast<Offset*>(b.coo ? buffer : b.row);
    if (offsets == nullptr) return CUSPARSE_STATUS_INVALID_VALUE;
    if (a.rows > 0)
      count<T, Offset><<<ctas(a.rows * warp), threads, 0, stream>>>(Dense<T>(a), offsets + 1, nullptr);
    add_up<Offset><<<1, warp, 0, stream>>>(a.rows, offsets, static_cast<Offset>(b.base));
    Offset end = 0;
    if (cudaMemcpyAsync(&end, offsets + a.rows, sizeof end, cudaMemcpyDeviceToHost, stream) != cudaSuccess ||
        cudaStreamSynchronize(stream) != cudaSuccess)
      return CUSPARSE_STATUS_EXECUTION_FAILED;
    b.nonzeros = end - b.base;
    return CUSPARSE_STATUS_SUCCESS;
  }
  static cusparseStatus_t to_sparse(cudaStream_t stream, const cusparseDnMatDescr& a,
                                    const cusparseSpMatDescr& b, void* buffer) {
    if (b.nonzeros == 0) return CUSPARSE_STATUS_SUCCESS;
    const auto* offsets = static_cast<const Offset*>(b.coo ? buffer : b.row);
    if (offsets == nullptr || b.column == nullptr || b.values == nullptr || (b.coo && b.row == nullptr))
      return CUSPARSE_STATUS_INVALID_VALUE;
    gather<T, Offset, Index><<<ctas(a.rows * warp), threads, 0, stream>>>(
        Dense<T>(a), offsets, b.coo ? static_cast<Index*>(b.row) : nullptr, static_cast<Index*>(b.column),
        static_cast<T*>(b.values), b.base);
    return launched();
  }
};

/// `act` with the converter of the matrix's types.
template <typename F>
cusparseStatus_t with_types(const cusparseSpMatDescr& m, F act) {
  const bool single = m.type == CUDA_R_32F;
  if (!m.wide_row && !m.wide_column)
    return single ? act(Converter<float, int, int>()) : act(Converter<double, int, int>());
  if (m.wide_row && m.wide_column)
    return single ? act(Converter<float, long long, long long>())
                  : act(Converter<double, long long, long long>());
  if (m.wide_row)
    return single ? act(Converter<float, long long, int>()) : act(Converter<double, long long, int>());
  return CUSPARSE_STATUS_NOT_SUPPORTED;
}

cusparseStatus_t checked(cusparseHandle_t handle, const cusparseSpMatDescr* sparse,
                         const cusparseDnMatDescr* dense) {
  if (handle == nullptr) return CUSPARSE_STATUS_NOT_INITIALIZED;
  if (sparse == nullptr || dense == nullptr || sparse->rows != dense->rows ||
      sparse->columns != dense->columns)
    return CUSPARSE_STATUS_INVALID_VALUE;
  if (sparse->type != dense->type || sparse->rows > 0x3ffffff || sparse->rows * sparse->columns > (1ll << 37))
    return CUSPARSE_STATUS_NOT_SUPPORTED;
  return CUSPARSE_STATUS_SUCCESS;
}

template <typename T>
cusparseStatus_t count_of(cusparseHandle_t handle, cusparseDirection_t direction, int m, int n,
                          cusparseMatDescr_t descr, const T* a, int lda, int* counts, int* total) {
  if (handle == nullptr) return CUSPARSE_STATUS_NOT_INITIALIZED;
  if (m < 0 || n < 0 || descr == nullptr || lda < (m > 1 ? m : 1) || total == nullptr ||
      ((a == nullptr || counts == nullptr) && m > 0 && n > 0))
    return CUSPARSE_STATUS_INVALID_VALUE;
  if (descr->type != CUSPARSE_MATRIX_TYPE_GENERAL) return CUSPARSE_STATUS_MATRIX_TYPE_NOT_SUPPORTED;
  if (m > 0x3ffffff || n > 0x3ffffff) return CUSPARSE_STATUS_NOT_SUPPORTED;
  const bool on_host = handle->pointer_mode == CUSPARSE_POINTER_MODE_HOST;
  int* sum = total;
  if (on_host && cudaMalloc(&sum, sizeof *sum) != cudaSuccess) return CUSPARSE_STATUS_ALLOC_FAILED;
  cudaMemsetAsync(sum, 0, sizeof *sum, handle->stream);
  const Dense<T> dense(a, m, n, lda),
      lines = direction == CUSPARSE_DIRECTION_ROW ? dense : dense.transposed();
  if (lines.rows > 0)
    count<T, int><<<ctas(lines.rows * warp), threads, 0, handle->stream>>>(lines, counts, sum);
  cusparseStatus_t status = launched();
  if (!on_host) return status;
  if (cudaMemcpyAsync(total, sum, sizeof *sum, cudaMemcpyDeviceToHost, handle->stream) != cudaSuccess ||
      cudaStreamSynchronize(handle->stream) != cudaSuccess)
    status = CUSPARSE_STATUS_EXECUTION_FAILED;
  cudaFree(sum);
  return status;
}

}  // namespace

extern "C" {

cusparseStatus_t cusparseSparseToDense_bufferSize(cusparseHandle_t handle, cusparseConstSpMatDescr_t a,
                                                  cusparseDnMatDescr_t b, cusparseSparseToDenseAlg_t,
                                                  size_t* size) {
  if (size == nullptr) return CUSPARSE_STATUS_INVALID_VALUE;
  *size = 0;
  return checked(handle, a, b);
}
cusparseStatus_t cusparseSparseToDense(cusparseHandle_t handle, cusparseConstSpMatDescr_t a,
                                       cusparseDnMatDescr_t b, cusparseSparseToDenseAlg_t, void*) {
  if (const cusparseStatus_t wrong = checked(handle, a, b); wrong != CUSPARSE_STATUS_SUCCESS) return wrong;
  return with_types(*a, [&](auto types) { return types.to_dense(handle->stream, *a, *b); });
}
cusparseStatus_t cusparseDenseToSparse_bufferSize(cusparseHandle_t handle, cusparseConstDnMatDescr_t a,
                                                  cusparseSpMatDescr_t b, cusparseDenseToSparseAlg_t,
                                                  size_t* size) {
  if (size == nullptr) return CUSPARSE_STATUS_INVALID_VALUE;
  *size = b != nullptr && b->coo ? 8 * static_cast<size_t>(b->rows + 1) : 0;
  return checked(handle, b, a);
}
cusparseStatus_t cusparseDenseToSparse_analysis(cusparseHandle_t handle, cusparseConstDnMatDescr_t a,
                                                cusparseSpMatDescr_t b, cusparseDenseToSparseAlg_t,
                                                void* buffer) {
  if (const cusparseStatus_t wrong = checked(handle, b, a); wrong != CUSPARSE_STATUS_SUCCESS) return wrong;
  return with_types(*b, [&](auto types) { return types.find(handle->stream, *a, *b, buffer); });
}
cusparseStatus_t cusparseDenseToSparse_convert(cusparseHandle_t handle, cusparseConstDnMatDescr_t a,
                                               cusparseSpMatDescr_t b, cusparseDenseToSparseAlg_t,
                                               void* buffer) {
  if (const cusparseStatus_t wrong = checked(handle, b, a); wrong != CUSPARSE_STATUS_SUCCESS) return wrong;
  return with_types(*b, [&](auto types) { return types.to_sparse(handle->stream, *a, *b, buffer); });
}

cusparseStatus_t cusparseSnnz(cusparseHandle_t handle, cusparseDirection_t direction, int m, int n,
                              cusparseMatDescr_t descr, const float* a, int lda, int* counts, int* total) {
  return count_of(handle, direction, m, n, descr, a, lda, counts, total);
}
cusparseStatus_t cusparseDnnz(cusparseHandle_t handle, cusparseDirection_t direction, int m, int n,
                              cusparseMatDescr_t descr, const double* a, int lda, int* counts, int* total) {
  return count_of(handle, direction, m, n, descr, a, lda, counts, total);
}

}  // extern "C"
