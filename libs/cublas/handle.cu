// Handles, modes and copies.
#include <new>

#include "handle.h"

extern "C" {

cublasStatus_t cublasCreate(cublasHandle_t* handle) {
  if (handle == nullptr) return CUBLAS_STATUS_INVALID_VALUE;
  *handle = nullptr;
  int device = 0;
  if (cudaGetDevice(&device) != cudaSuccess) return CUBLAS_STATUS_NOT_INITIALIZED;
  auto* made = new (std::nothrow) cublasContext;
  if (made == nullptr) return CUBLAS_STATUS_ALLOC_FAILED;
  if (cudaMalloc(&made->workspace, workspace_bytes) != cudaSuccess) {
    delete made;
    return CUBLAS_STATUS_ALLOC_FAILED;
  }
  *handle = made;
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasDestroy(cublasHandle_t handle) {
  if (handle == nullptr) return CUBLAS_STATUS_NOT_INITIALIZED;
  const cudaError_t freed = cudaFree(handle->workspace);
  delete handle;
  return freed == cudaSuccess ? CUBLAS_STATUS_SUCCESS : CUBLAS_STATUS_EXECUTION_FAILED;
}
cublasStatus_t cublasGetVersion(cublasHandle_t, int* version) {
  if (version == nullptr) return CUBLAS_STATUS_INVALID_VALUE;
  *version = CUBLAS_VERSION;
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasGetProperty(libraryPropertyType type, int* value) {
  if (value == nullptr || type < MAJOR_VERSION || type > PATCH_LEVEL) return CUBLAS_STATUS_INVALID_VALUE;
  const int parts[] = {CUBLAS_VER_MAJOR, CUBLAS_VER_MINOR, CUBLAS_VER_PATCH};
  *value = parts[type];
  return CUBLAS_STATUS_SUCCESS;
}

#define WANREN_MODE(NAME, TYPE, MEMBER)                                \
  cublasStatus_t cublasSet##NAME(cublasHandle_t handle, TYPE value) {  \
    if (handle == nullptr) return CUBLAS_STATUS_NOT_INITIALIZED;       \
    handle->MEMBER = value;                                            \
    return CUBLAS_STATUS_SUCCESS;                                      \
  }                                                                    \
  cublasStatus_t cublasGet##NAME(cublasHandle_t handle, TYPE* value) { \
    if (handle == nullptr) return CUBLAS_STATUS_NOT_INITIALIZED;       \
    if (value == nullptr) return CUBLAS_STATUS_INVALID_VALUE;          \
    *value = handle->MEMBER;                                           \
    return CUBLAS_STATUS_SUCCESS;                                      \
  }
WANREN_MODE(Stream_v2, cudaStream_t, stream)
WANREN_MODE(PointerMode_v2, cublasPointerMode_t, pointer_mode)
WANREN_MODE(AtomicsMode, cublasAtomicsMode_t, atomics_mode)
WANREN_MODE(MathMode, cublasMath_t, math_mode)

// The kernels here need no more than the handle's own.
cublasStatus_t cublasSetWorkspace(cublasHandle_t handle, void*, size_t) {
  return handle == nullptr ? CUBLAS_STATUS_NOT_INITIALIZED : CUBLAS_STATUS_SUCCESS;
}

#define WANREN_STATUS(X)                                                         \
  X(CUBLAS_STATUS_SUCCESS, "success")                                            \
  X(CUBLAS_STATUS_NOT_INITIALIZED, "the library was not initialized")            \
  X(CUBLAS_STATUS_ALLOC_FAILED, "the resource allocation failed")                \
  X(CUBLAS_STATUS_INVALID_VALUE, "an unsupported value or parameter was passed") \
  X(CUBLAS_STATUS_ARCH_MISMATCH, "the device lacks a feature")                   \
  X(CUBLAS_STATUS_MAPPING_ERROR, "an access to device memory failed")            \
  X(CUBLAS_STATUS_EXECUTION_FAILED, "the program failed to execute")             \
  X(CUBLAS_STATUS_INTERNAL_ERROR, "an internal operation failed")                \
  X(CUBLAS_STATUS_NOT_SUPPORTED, "the functionality is not supported")           \
  X(CUBLAS_STATUS_LICENSE_ERROR, "a license problem")
const char* cublasGetStatusName(cublasStatus_t status) {
#define WANREN_NAME(NAME, TEXT) \
  if (status == NAME) return #NAME;
  WANREN_STATUS(WANREN_NAME)
  return "unrecognized status";
}
const char* cublasGetStatusString(cublasStatus_t status) {
#define WANREN_TEXT(NAME, TEXT) \
  if (status == NAME) return TEXT;
  WANREN_STATUS(WANREN_TEXT)
  return "unrecognized status";
}

// A vector is a matrix of one row.
static cublasStatus_t copy(int rows, int columns, int bytes, const void* from, int lda, void* to, int ldb,
                           cudaMemcpyKind kind, bool asynchronous, cudaStream_t stream) {
  if (rows < 0 || columns < 0 || bytes <= 0 || lda < rows || ldb < rows || lda <= 0 || ldb <= 0)
    return CUBLAS_STATUS_INVALID_VALUE;
  if (rows == 0 || columns == 0) return CUBLAS_STATUS_SUCCESS;
  const std::size_t unit = bytes;
  return status_of(
      asynchronous ? cudaMemcpy2DAsync(to, ldb * unit, from, lda * unit, rows * unit, columns, kind, stream)
                   : cudaMemcpy2D(to, ldb * unit, from, lda * unit, rows * unit, columns, kind));
}
cublasStatus_t cublasSetVector(int n, int bytes, const void* x, int incx, void* device, int incy) {
  return copy(1, n, bytes, x, incx, device, incy, cudaMemcpyHostToDevice, false, nullptr);
}
cublasStatus_t cublasGetVector(int n, int bytes, const void* device, int incx, void* y, int incy) {
  return copy(1, n, bytes, device, incx, y, incy, cudaMemcpyDeviceToHost, false, nullptr);
}
cublasStatus_t cublasSetMatrix(int rows, int columns, int bytes, const void* a, int lda, void* device,
                               int ldb) {
  return copy(rows, columns, bytes, a, lda, device, ldb, cudaMemcpyHostToDevice, false, nullptr);
}
cublasStatus_t cublasGetMatrix(int rows, int columns, int bytes, const void* device, int lda, void* b,
                               int ldb) {
  return copy(rows, columns, bytes, device, lda, b, ldb, cudaMemcpyDeviceToHost, false, nullptr);
}
cublasStatus_t cublasSetVectorAsync(int n, int bytes, const void* x, int incx, void* device, int incy,
                                    cudaStream_t stream) {
  return copy(1, n, bytes, x, incx, device, incy, cudaMemcpyHostToDevice, true, stream);
}
cublasStatus_t cublasGetVectorAsync(int n, int bytes, const void* device, int incx, void* y, int incy,
                                    cudaStream_t stream) {
  return copy(1, n, bytes, device, incx, y, incy, cudaMemcpyDeviceToHost, true, stream);
}
cublasStatus_t cublasSetMatrixAsync(int rows, int columns, int bytes, const void* a, int lda, void* device,
                                    int ldb, cudaStream_t stream) {
  return copy(rows, columns, bytes, a, lda, device, ldb, cudaMemcpyHostToDevice, true, stream);
}
cublasStatus_t cublasGetMatrixAsync(int rows, int columns, int bytes, const void* device, int lda, void* b,
                                    int ldb, cudaStream_t stream) {
  return copy(rows, columns, bytes, device, lda, b, ldb, cudaMemcpyDeviceToHost, true, stream);
}

}  // extern "C"
