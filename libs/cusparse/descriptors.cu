// Handles and descriptors.
#include "descriptors.h"

#include <new>

namespace {

template <typename T>
cusparseStatus_t give(T** to, const T& value) {
  *to = new (std::nothrow) T(value);
  return *to == nullptr ? CUSPARSE_STATUS_ALLOC_FAILED : CUSPARSE_STATUS_SUCCESS;
}
template <typename T>
cusparseStatus_t take(const T* descriptor) {
  if (descriptor == nullptr) return CUSPARSE_STATUS_INVALID_VALUE;
  delete descriptor;
  return CUSPARSE_STATUS_SUCCESS;
}
bool is_real(cudaDataType type) {
  return type == CUDA_R_32F || type == CUDA_R_64F;
}

constexpr const char* names[] = {"CUSPARSE_STATUS_SUCCESS",
                                 "CUSPARSE_STATUS_NOT_INITIALIZED",
                                 "CUSPARSE_STATUS_ALLOC_FAILED",
                                 "CUSPARSE_STATUS_INVALID_VALUE",
                                 "CUSPARSE_STATUS_ARCH_MISMATCH",
                                 "CUSPARSE_STATUS_MAPPING_ERROR",
                                 "CUSPARSE_STATUS_EXECUTION_FAILED",
                                 "CUSPARSE_STATUS_INTERNAL_ERROR",
                                 "CUSPARSE_STATUS_MATRIX_TYPE_NOT_SUPPORTED",
                                 "CUSPARSE_STATUS_ZERO_PIVOT",
                                 "CUSPARSE_STATUS_NOT_SUPPORTED",
                                 "CUSPARSE_STATUS_INSUFFICIENT_RESOURCES"};
constexpr const char* texts[] = {"success",
                                 "the library was not initialized",
                                 "the resource allocation failed",
                                 "an unsupported value or parameter was passed",
                                 "the device lacks a feature",
                                 "an access to device memory failed",
                                 "the program failed to execute",
                                 "an internal operation failed",
                                 "the matrix type is not supported",
                                 "zero pivot",
                                 "the operation is not supported",
                                 "the resources are insufficient"};

}  // namespace

extern "C" {

cusparseStatus_t cusparseCreate(cusparseHandle_t* handle) {
  return handle == nullptr ? CUSPARSE_STATUS_INVALID_VALUE : give(handle, cusparseContext{});
}
cusparseStatus_t cusparseDestroy(cusparseHandle_t handle) {
  return handle == nullptr ? CUSPARSE_STATUS_NOT_INITIALIZED : take(handle);
}
cusparseStatus_t cusparseGetVersion(cusparseHandle_t handle, int* version) {
  if (handle == nullptr) return CUSPARSE_STATUS_NOT_INITIALIZED;
  if (version == nullptr) return CUSPARSE_STATUS_INVALID_VALUE;
  *version = CUSPARSE_VERSION;
  return CUSPARSE_STATUS_SUCCESS;
}
cusparseStatus_t cusparseGetProperty(libraryPropertyType type, int* value) {
  if (value == nullptr || type < MAJOR_VERSION || type > PATCH_LEVEL) return CUSPARSE_STATUS_INVALID_VALUE;
  const int parts[] = {CUSPARSE_VER_MAJOR, CUSPARSE_VER_MINOR, CUSPARSE_VER_PATCH};
  *value = parts[type];
  return CUSPARSE_STATUS_SUCCESS;
}
const char* cusparseGetErrorName(cusparseStatus_t status) {
  return status >= 0 && status <= CUSPARSE_STATUS_INSUFFICIENT_RESOURCES ? names[status]
                                                                         : "unrecognized status";
}
const char* cusparseGetErrorString(cusparseStatus_t status) {
  return status >= 0 && status <= CUSPARSE_STATUS_INSUFFICIENT_RESOURCES ? texts[status]
                                                                         : "unrecognized status";
}

#define WANREN_MODE(NAME, TYPE, MEMBER)                                      \
  cusparseStatus_t cusparseSet##NAME(cusparseHandle_t handle, TYPE value) {  \
    if (handle == nullptr) return CUSPARSE_STATUS_NOT_INITIALIZED;           \
    handle->MEMBER = value;                                                  \
    return CUSPARSE_STATUS_SUCCESS;                                          \
  }                                                                          \
  cusparseStatus_t cusparseGet##NAME(cusparseHandle_t handle, TYPE* value) { \
    if (handle == nullptr) return CUSPARSE_STATUS_NOT_INITIALIZED;           \
    if (value == nullptr) return CUSPARSE_STATUS_INVALID_VALUE;              \
    *value = handle->MEMBER;                                                 \
    return CUSPARSE_STATUS_SUCCESS;                                          \
  }
WANREN_MODE(Stream, cudaStream_t, stream)
WANREN_MODE(PointerMode, cusparsePointerMode_t, pointer_mode)

cusparseStatus_t cusparseCreateMatDescr(cusparseMatDescr_t* descr) {
  return descr == nullptr ? CUSPARSE_STATUS_INVALID_VALUE : give(descr, cusparseMatDescr{});
}
cusparseStatus_t cusparseDestroyMatDescr(cusparseMatDescr_t descr) {
  return take(descr);
}
cusparseStatus_t cusparseSetMatType(cusparseMatDescr_t descr, cusparseMatrixType_t type) {
  if (descr == nullptr) return CUSPARSE_STATUS_INVALID_VALUE;
  descr->type = type;
  return CUSPARSE_STATUS_SUCCESS;
}
cusparseStatus_t cusparseSetMatIndexBase(cusparseMatDescr_t descr, cusparseIndexBase_t base) {
  if (descr == nullptr) return CUSPARSE_STATUS_INVALID_VALUE;
  descr->base = base;
  return CUSPARSE_STATUS_SUCCESS;
}

static cusparseStatus_t create(cusparseSpMatDescr_t* descr, cusparseSpMatDescr matrix,
                               cusparseIndexType_t row, cusparseIndexType_t column) {
  if (descr == nullptr || matrix.rows < 0 || matrix.columns < 0 || matrix.nonzeros < 0)
    return CUSPARSE_STATUS_INVALID_VALUE;
  *descr = nullptr;
  matrix.wide_row = row == CUSPARSE_INDEX_64I, matrix.wide_column = column == CUSPARSE_INDEX_64I;
  if (row == CUSPARSE_INDEX_16U || column == CUSPARSE_INDEX_16U || !is_real(matrix.type) ||
      (matrix.nonzeros > 0x7fffffff && !matrix.wide_row))
    return CUSPARSE_STATUS_NOT_SUPPORTED;
  return give(descr, matrix);
}
cusparseStatus_t cusparseCreateCsr(cusparseSpMatDescr_t* descr, int64_t rows, int64_t cols, int64_t nnz,
                                   void* rowOffsets, void* colInd, void* values,
                                   cusparseIndexType_t offsetsType, cusparseIndexType_t indType,
                                   cusparseIndexBase_t base, cudaDataType valueType) {
  return create(descr, {false, rows, cols, nnz, rowOffsets, colInd, values, base, valueType}, offsetsType,
                indType);
}
cusparseStatus_t cusparseCreateCoo(cusparseSpMatDescr_t* descr, int64_t rows, int64_t cols, int64_t nnz,
                                   void* rowInd, void* colInd, void* values, cusparseIndexType_t indType,
                                   cusparseIndexBase_t base, cudaDataType valueType) {
  return create(descr, {true, rows, cols, nnz, rowInd, colInd, values, base, valueType}, indType, indType);
}
cusparseStatus_t cusparseCsrSetPointers(cusparseSpMatDescr_t descr, void* offsets, void* columns,
                                        void* values) {
  if (descr == nullptr || descr->coo) return CUSPARSE_STATUS_INVALID_VALUE;
  descr->row = offsets, descr->column = columns, descr->values = values;
  return CUSPARSE_STATUS_SUCCESS;
}
cusparseStatus_t cusparseCooSetPointers(cusparseSpMatDescr_t descr, void* rows, void* columns, void* values) {
  if (descr == nullptr || !descr->coo) return CUSPARSE_STATUS_INVALID_VALUE;
  descr->row = rows, descr->column = columns, descr->values = values;
  return CUSPARSE_STATUS_SUCCESS;
}
cusparseStatus_t cusparseDestroySpMat(cusparseConstSpMatDescr_t descr) {
  return take(descr);
}
cusparseStatus_t cusparseSpMatGetSize(cusparseConstSpMatDescr_t descr, int64_t* rows, int64_t* cols,
                                      int64_t* nnz) {
  if (descr == nullptr || rows == nullptr || cols == nullptr || nnz == nullptr)
    return CUSPARSE_STATUS_INVALID_VALUE;
  *rows = descr->rows, *cols = descr->columns, *nnz = descr->nonzeros;
  return CUSPARSE_STATUS_SUCCESS;
}
cusparseStatus_t cusparseSpMatSetValues(cusparseSpMatDescr_t descr, void* values) {
  if (descr == nullptr) return CUSPARSE_STATUS_INVALID_VALUE;
  descr->values = values;
  return CUSPARSE_STATUS_SUCCESS;
}
cusparseStatus_t cusparseCreateDnVec(cusparseDnVecDescr_t* descr, int64_t size, void* values,
                                     cudaDataType valueType) {
  if (descr == nullptr || size < 0) return CUSPARSE_STATUS_INVALID_VALUE;
  if (!is_real(valueType)) return CUSPARSE_STATUS_NOT_SUPPORTED;
  return give(descr, cusparseDnVecDescr{size, values, valueType});
}
cusparseStatus_t cusparseDestroyDnVec(cusparseConstDnVecDescr_t descr) {
  return take(descr);
}
cusparseStatus_t cusparseDnVecSetValues(cusparseDnVecDescr_t descr, void* values) {
  if (descr == nullptr) return CUSPARSE_STATUS_INVALID_VALUE;
  descr->values = values;
  return CUSPARSE_STATUS_SUCCESS;
}
cusparseStatus_t cusparseCreateDnMat(cusparseDnMatDescr_t* descr, int64_t rows, int64_t cols, int64_t ld,
                                     void* values, cudaDataType valueType, cusparseOrder_t order) {
  const bool by_rows = order == CUSPARSE_ORDER_ROW;
  if (descr == nullptr || rows < 0 || cols < 0 || ld < (by_rows ? cols : rows))
    return CUSPARSE_STATUS_INVALID_VALUE;
  if (!is_real(valueType)) return CUSPARSE_STATUS_NOT_SUPPORTED;
  return give(descr, cusparseDnMatDescr{rows, cols, ld, values, valueType, by_rows});
}
cusparseStatus_t cusparseDestroyDnMat(cusparseConstDnMatDescr_t descr) {
  return take(descr);
}

}  // extern "C"
