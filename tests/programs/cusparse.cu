// cuSPARSE's products against the host: CSR and COO, transposed, both bases, both pointer modes, rows of
// every length, and dense matrices by rows and by columns.
#include <cusparse.h>

#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "check.h"

#ifndef CUSPARSEAPI
#error "programs ask for this name"
#endif
#define SPARSE(call) EXPECT((call) == CUSPARSE_STATUS_SUCCESS)

static std::mt19937 engine(5);
static double any() {
  return std::uniform_real_distribution<double>(-1, 1)(engine);
}
template <typename T>
static T* managed(std::size_t n) {
  T* at;
  CUDA(cudaMallocManaged(&at, n * sizeof(T)));
  for (std::size_t i = 0; i < n; ++i) at[i] = T(any());
  return at;
}

template <typename T>
static void test(cusparseHandle_t handle, cudaDataType type, int base) {
  const double epsilon = sizeof(T) == 4 ? 0x1p-20 : 0x1p-48;
  const int rows = 150, columns = 90, width = 7;
  std::vector<double> dense(rows * columns, 0.0);
  std::vector<int> row_of, column_of;
  std::vector<T> value_of;
  int* offsets = managed<int>(rows + 1);
  for (int r = 0; r < rows; ++r) {
    offsets[r] = static_cast<int>(row_of.size()) + base;
    // Empty rows, short ones, and ones longer than two warps.
    const int step = r % 5 == 0 ? columns : r % 5 == 1 ? 1 : 11;
    for (int c = r % 5 == 0 ? columns : r % 3; c < columns; c += step) {
      row_of.push_back(r + base), column_of.push_back(c + base), value_of.push_back(T(any()));
      dense[r * columns + c] = value_of.back();
    }
  }
  const int nonzeros = static_cast<int>(row_of.size());
  offsets[rows] = nonzeros + base;
  int *row = managed<int>(nonzeros), *column = managed<int>(nonzeros);
  T* values = managed<T>(nonzeros);
  for (int i = 0; i < nonzeros; ++i) row[i] = row_of[i], column[i] = column_of[i], values[i] = value_of[i];
  cusparseSpMatDescr_t csr, coo;
  const auto index_base = static_cast<cusparseIndexBase_t>(base);
  SPARSE(cusparseCreateCsr(&csr, rows, columns, nonzeros, offsets, column, values, CUSPARSE_INDEX_32I,
                           CUSPARSE_INDEX_32I, index_base, type));
  SPARSE(cusparseCreateCoo(&coo, rows, columns, nonzeros, row, column, values, CUSPARSE_INDEX_32I, index_base,
                           type));

  T* scalars = managed<T>(2);
  for (const cusparseSpMatDescr_t a : {csr, coo})
    for (const bool transposed : {false, true})
      for (const T beta : {T(0), T(-0.5)}) {
        const int in = transposed ? rows : columns, out = transposed ? columns : rows;
        T *x = managed<T>(in), *y = managed<T>(out);
        if (beta == 0) y[3] = std::numeric_limits<T>::quiet_NaN();
        const std::vector<T> old(y, y + out);
        scalars[0] = T(0.75), scalars[1] = beta;
        cusparseDnVecDescr_t vx, vy;
        SPARSE(cusparseCreateDnVec(&vx, in, x, type));
        SPARSE(cusparseCreateDnVec(&vy, out, y, type));
        const auto op = transposed ? CUSPARSE_OPERATION_TRANSPOSE : CUSPARSE_OPERATION_NON_TRANSPOSE;
        SPARSE(cusparseSetPointerMode(handle,
                                      beta == 0 ? CUSPARSE_POINTER_MODE_HOST : CUSPARSE_POINTER_MODE_DEVICE));
        size_t size = 1;
        SPARSE(cusparseSpMV_bufferSize(handle, op, scalars, a, vx, scalars + 1, vy, type,
                                       CUSPARSE_SPMV_ALG_DEFAULT, &size));
        SPARSE(cusparseSpMV(handle, op, scalars, a, vx, scalars + 1, vy, type, CUSPARSE_SPMV_ALG_DEFAULT,
                            nullptr));
        CUDA(cudaDeviceSynchronize());
        for (int i = 0; i < out; ++i) {
          double sum = 0;
          for (int k = 0; k < in; ++k)
            sum += (transposed ? dense[k * columns + i] : dense[i * columns + k]) * x[k];
          EXPECT(std::fabs(y[i] - (0.75 * sum + (beta == 0 ? 0 : beta * double(old[i])))) < epsilon * in);
        }
        if (!transposed)
          EXPECT(cusparseSpMV(handle, CUSPARSE_OPERATION_TRANSPOSE, scalars, a, vx, scalars + 1, vy, type,
                              CUSPARSE_SPMV_ALG_DEFAULT, nullptr) == CUSPARSE_STATUS_INVALID_VALUE);
        SPARSE(cusparseDestroyDnVec(vx));
        SPARSE(cusparseDestroyDnVec(vy));
        CUDA(cudaFree(x));
        CUDA(cudaFree(y));
      }
  SPARSE(cusparseSetPointerMode(handle, CUSPARSE_POINTER_MODE_HOST));
  for (const bool transposed : {false, true})
    for (const bool b_rows : {false, true})
      for (const bool c_rows : {false, true}) {
        const int brows = transposed ? width : columns, bcolumns = transposed ? columns : width;
        const int ldb = (b_rows ? bcolumns : brows) + 2, ldc = (c_rows ? width : rows) + 1;
        T *b = managed<T>(ldb * 100), *c = managed<T>(ldc * 160);
        const std::vector<T> old(c, c + ldc * 160);
        cusparseDnMatDescr_t mb, mc;
        SPARSE(cusparseCreateDnMat(&mb, brows, bcolumns, ldb, b, type,
                                   b_rows ? CUSPARSE_ORDER_ROW : CUSPARSE_ORDER_COL));
        SPARSE(cusparseCreateDnMat(&mc, rows, width, ldc, c, type,
                                   c_rows ? CUSPARSE_ORDER_ROW : CUSPARSE_ORDER_COL));
        const T alpha = 2, beta = T(0.25);
        const auto op = transposed ? CUSPARSE_OPERATION_TRANSPOSE : CUSPARSE_OPERATION_NON_TRANSPOSE;
        SPARSE(cusparseSpMM(handle, CUSPARSE_OPERATION_NON_TRANSPOSE, op, &alpha, csr, mb, &beta, mc, type,
                            CUSPARSE_SPMM_ALG_DEFAULT, nullptr));
        CUDA(cudaDeviceSynchronize());
        for (int i = 0; i < rows; ++i)
          for (int j = 0; j < width; ++j) {
            double sum = 0;
            for (int k = 0; k < columns; ++k) {
              const int r = transposed ? j : k, q = transposed ? k : j;
              sum += dense[i * columns + k] * b[b_rows ? r * ldb + q : r + q * ldb];
            }
            const int at = c_rows ? i * ldc + j : i + j * ldc;
            EXPECT(std::fabs(c[at] - (2 * sum + 0.25 * double(old[at]))) < epsilon * columns);
          }
        SPARSE(cusparseDestroyDnMat(mb));
        SPARSE(cusparseDestroyDnMat(mc));
        CUDA(cudaFree(b));
        CUDA(cudaFree(c));
      }
  SPARSE(cusparseDestroySpMat(csr));
  SPARSE(cusparseDestroySpMat(coo));
}

int main() {
  cusparseHandle_t handle;
  SPARSE(cusparseCreate(&handle));
  for (const int base : {0, 1}) {
    test<float>(handle, CUDA_R_32F, base);
    test<double>(handle, CUDA_R_64F, base);
  }
  cusparseSpMatDescr_t none;
  EXPECT(cusparseCreateCsr(&none, 1, 1, 1, nullptr, nullptr, nullptr, CUSPARSE_INDEX_16U, CUSPARSE_INDEX_16U,
                           CUSPARSE_INDEX_BASE_ZERO, CUDA_R_32F) == CUSPARSE_STATUS_NOT_SUPPORTED);
  SPARSE(cusparseDestroy(handle));
  std::printf("PASS\n");
}
