// What cuSPARSE's handle and descriptors hold.
#pragma once

#include <cusparse.h>

struct cusparseContext {
  cudaStream_t stream = nullptr;
  cusparsePointerMode_t pointer_mode = CUSPARSE_POINTER_MODE_HOST;
};
struct cusparseMatDescr {
  cusparseMatrixType_t type = CUSPARSE_MATRIX_TYPE_GENERAL;
  cusparseIndexBase_t base = CUSPARSE_INDEX_BASE_ZERO;
};
struct cusparseSpMatDescr {
  bool coo;
  int64_t rows, columns, nonzeros;
  void* row;  ///< Of CSR the offsets, of COO each element's row.
  void* column;
  void* values;
  int base;
  cudaDataType type;
  bool wide_row, wide_column;  ///< Of 64 bits an index, else of 32.
};
struct cusparseDnVecDescr {
  int64_t size;
  void* values;
  cudaDataType type;
};
struct cusparseDnMatDescr {
  int64_t rows, columns, ld;
  void* values;
  cudaDataType type;
  bool by_rows;
};
