// cuSPARSE's conversions between dense and sparse against the host: CSR and COO, both bases, both widths of
// indices, dense matrices by rows and by columns with room between their lines, empty rows and rows longer
// than a warp; counts.
#include <cusparse.h>

#include <cstdint>
#include <random>
#include <vector>

#include "check.h"

#define SPARSE(call) EXPECT((call) == CUSPARSE_STATUS_SUCCESS)

template <typename T>
static T* managed(std::size_t n) {
  T* at;
  CUDA(cudaMallocManaged(&at, n * sizeof(T)));
  return at;
}

template <typename T, typename Index>
static void test(cusparseHandle_t handle, cudaDataType type, bool coo, bool by_rows, int base) {
  const int rows = 75, columns = 101, ld = (by_rows ? columns : rows) + 3;
  const auto place = [&](int r, int c) { return by_rows ? r * ld + c : r + c * ld; };
  const std::size_t words = static_cast<std::size_t>(ld) * (by_rows ? rows : columns);
  T *dense = managed<T>(words), *back = managed<T>(words);
  std::mt19937 engine(3);
  for (std::size_t i = 0; i < words; ++i) dense[i] = T(7), back[i] = T(9);
  std::vector<Index> offsets{Index(base)}, row_of, column_of;
  std::vector<T> values;
  for (int r = 0; r < rows; ++r) {
    for (int c = 0; c < columns; ++c) {
      const bool there = r % 5 != 0 && (r % 5 == 1 || engine() % 4 == 0);
      dense[place(r, c)] = there ? T(1 + engine() % 1000) : T(0);
      if (!there) continue;
      row_of.push_back(Index(r + base)), column_of.push_back(Index(c + base));
      values.push_back(dense[place(r, c)]);
    }
    offsets.push_back(Index(values.size() + base));
  }
  const auto width = sizeof(Index) == 8 ? CUSPARSE_INDEX_64I : CUSPARSE_INDEX_32I;
  const auto index_base = static_cast<cusparseIndexBase_t>(base);
  const auto order = by_rows ? CUSPARSE_ORDER_ROW : CUSPARSE_ORDER_COL;
  cusparseDnMatDescr_t from, to;
  SPARSE(cusparseCreateDnMat(&from, rows, columns, ld, dense, type, order));
  SPARSE(cusparseCreateDnMat(&to, rows, columns, ld, back, type, order));
  cusparseSpMatDescr_t sparse;
  Index* found_offsets = managed<Index>(rows + 1);
  if (coo)
    SPARSE(cusparseCreateCoo(&sparse, rows, columns, 0, nullptr, nullptr, nullptr, width, index_base, type));
  else
    SPARSE(cusparseCreateCsr(&sparse, rows, columns, 0, found_offsets, nullptr, nullptr, width, width,
                             index_base, type));
  std::size_t size = 0;
  void* buffer = nullptr;
  SPARSE(cusparseDenseToSparse_bufferSize(handle, from, sparse, CUSPARSE_DENSETOSPARSE_ALG_DEFAULT, &size));
  if (size > 0) CUDA(cudaMalloc(&buffer, size));
  SPARSE(cusparseDenseToSparse_analysis(handle, from, sparse, CUSPARSE_DENSETOSPARSE_ALG_DEFAULT, buffer));
  std::int64_t r = 0, c = 0, nonzeros = 0;
  SPARSE(cusparseSpMatGetSize(sparse, &r, &c, &nonzeros));
  EXPECT(r == rows && c == columns && nonzeros == static_cast<std::int64_t>(values.size()));
  Index *found_row = managed<Index>(nonzeros), *found_column = managed<Index>(nonzeros);
  T* found = managed<T>(nonzeros);
  if (coo)
    SPARSE(cusparseCooSetPointers(sparse, found_row, found_column, found));
  else
    SPARSE(cusparseCsrSetPointers(sparse, found_offsets, found_column, found));
  SPARSE(cusparseDenseToSparse_convert(handle, from, sparse, CUSPARSE_DENSETOSPARSE_ALG_DEFAULT, buffer));
  SPARSE(cusparseSparseToDense_bufferSize(handle, sparse, to, CUSPARSE_SPARSETODENSE_ALG_DEFAULT, &size));
  SPARSE(cusparseSparseToDense(handle, sparse, to, CUSPARSE_SPARSETODENSE_ALG_DEFAULT, nullptr));
  CUDA(cudaDeviceSynchronize());
  for (std::int64_t k = 0; k < nonzeros; ++k) {
    EXPECT(found[k] == values[k] && found_column[k] == column_of[k]);
    if (coo) EXPECT(found_row[k] == row_of[k]);
  }
  if (!coo)
    for (int i = 0; i <= rows; ++i) EXPECT(found_offsets[i] == offsets[i]);
  std::vector<bool> inside(words);
  for (int i = 0; i < rows; ++i)
    for (int j = 0; j < columns; ++j) inside[place(i, j)] = true;
  for (std::size_t i = 0; i < words; ++i) EXPECT(back[i] == (inside[i] ? dense[i] : T(9)));
  SPARSE(cusparseDestroySpMat(sparse));
  SPARSE(cusparseDestroyDnMat(from));
  SPARSE(cusparseDestroyDnMat(to));
}

static void test_counts(cusparseHandle_t handle) {
  const int m = 70, n = 45, lda = 72;
  float* a = managed<float>(lda * n);
  int *counts = managed<int>(m), *total_on_device = managed<int>(1);
  for (int i = 0; i < lda * n; ++i) a[i] = i % 3 == 0 || i % lda >= m ? static_cast<float>(i + 1) : 0;
  cusparseMatDescr_t descr;
  SPARSE(cusparseCreateMatDescr(&descr));
  for (const bool by_row : {true, false}) {
    int total = -1, sum = 0;
    SPARSE(cusparseSnnz(handle, by_row ? CUSPARSE_DIRECTION_ROW : CUSPARSE_DIRECTION_COLUMN, m, n, descr, a,
                        lda, counts, &total));
    for (int i = 0; i < (by_row ? m : n); ++i) {
      int expected = 0;
      for (int j = 0; j < (by_row ? n : m); ++j) expected += a[by_row ? i + j * lda : j + i * lda] != 0;
      EXPECT(counts[i] == expected);
      sum += expected;
    }
    EXPECT(total == sum);
    SPARSE(cusparseSetPointerMode(handle, CUSPARSE_POINTER_MODE_DEVICE));
    SPARSE(cusparseSnnz(handle, CUSPARSE_DIRECTION_ROW, m, n, descr, a, lda, counts, total_on_device));
    SPARSE(cusparseSetPointerMode(handle, CUSPARSE_POINTER_MODE_HOST));
    CUDA(cudaDeviceSynchronize());
    EXPECT(*total_on_device == sum);
  }
  SPARSE(cusparseDestroyMatDescr(descr));
}

int main() {
  cusparseHandle_t handle;
  SPARSE(cusparseCreate(&handle));
  for (const bool coo : {false, true})
    for (const bool by_rows : {false, true})
      for (const int base : {0, 1}) {
        test<float, int>(handle, CUDA_R_32F, coo, by_rows, base);
        test<double, int>(handle, CUDA_R_64F, coo, by_rows, base);
        test<float, std::int64_t>(handle, CUDA_R_32F, coo, by_rows, base);
      }
  test_counts(handle);
  // Products take 32-bit indices only.
  cusparseSpMatDescr_t wide;
  SPARSE(cusparseCreateCsr(&wide, 1, 1, 0, nullptr, nullptr, nullptr, CUSPARSE_INDEX_64I, CUSPARSE_INDEX_64I,
                           CUSPARSE_INDEX_BASE_ZERO, CUDA_R_32F));
  cusparseDnVecDescr_t x;
  float* one = managed<float>(1);
  SPARSE(cusparseCreateDnVec(&x, 1, one, CUDA_R_32F));
  EXPECT(cusparseSpMV(handle, CUSPARSE_OPERATION_NON_TRANSPOSE, one, wide, x, one, x, CUDA_R_32F,
                      CUSPARSE_SPMV_ALG_DEFAULT, nullptr) == CUSPARSE_STATUS_NOT_SUPPORTED);
  SPARSE(cusparseDestroySpMat(wide));
  SPARSE(cusparseDestroyDnVec(x));
  SPARSE(cusparseDestroy(handle));
  std::printf("PASS\n");
}
