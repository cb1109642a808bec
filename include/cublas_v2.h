// cuBLAS as far as Wanren has it, column-major as there: level 1, gemv, ger, symv, trsv, level 3 and LU
// factors of batches in float and double; gemm in half, bfloat16, int8 and complex too.
#ifndef WANREN_CUBLAS_V2_H
#define WANREN_CUBLAS_V2_H
#define CUBLAS_V2_H_
#define CUBLAS_API_H_

#include "cuComplex.h"
#include "cuda_bf16.h"
#include "cuda_fp16.h"
#include "cuda_runtime.h"
#include "library_types.h"

#define CUBLASAPI
#define CUBLASWINAPI
#define CUBLAS_VER_MAJOR 12
#define CUBLAS_VER_MINOR 8
#define CUBLAS_VER_PATCH 0
#define CUBLAS_VER_BUILD 0
#define CUBLAS_VERSION (CUBLAS_VER_MAJOR * 10000 + CUBLAS_VER_MINOR * 100 + CUBLAS_VER_PATCH)

#if defined(__cplusplus)
extern "C" {
#endif

typedef enum {
  CUBLAS_STATUS_SUCCESS = 0,
  CUBLAS_STATUS_NOT_INITIALIZED = 1,
  CUBLAS_STATUS_ALLOC_FAILED = 3,
  CUBLAS_STATUS_INVALID_VALUE = 7,
  CUBLAS_STATUS_ARCH_MISMATCH = 8,
  CUBLAS_STATUS_MAPPING_ERROR = 11,
  CUBLAS_STATUS_EXECUTION_FAILED = 13,
  CUBLAS_STATUS_INTERNAL_ERROR = 14,
  CUBLAS_STATUS_NOT_SUPPORTED = 15,
  CUBLAS_STATUS_LICENSE_ERROR = 16
} cublasStatus_t;
typedef enum { CUBLAS_FILL_MODE_LOWER, CUBLAS_FILL_MODE_UPPER, CUBLAS_FILL_MODE_FULL } cublasFillMode_t;
typedef enum { CUBLAS_DIAG_NON_UNIT, CUBLAS_DIAG_UNIT } cublasDiagType_t;
typedef enum { CUBLAS_SIDE_LEFT, CUBLAS_SIDE_RIGHT } cublasSideMode_t;
typedef enum { CUBLAS_OP_N, CUBLAS_OP_T, CUBLAS_OP_C, CUBLAS_OP_CONJG } cublasOperation_t;
#define CUBLAS_OP_HERMITAN CUBLAS_OP_C
typedef enum { CUBLAS_POINTER_MODE_HOST, CUBLAS_POINTER_MODE_DEVICE } cublasPointerMode_t;
typedef enum { CUBLAS_ATOMICS_NOT_ALLOWED, CUBLAS_ATOMICS_ALLOWED } cublasAtomicsMode_t;
typedef enum {
  CUBLAS_DEFAULT_MATH = 0,
  CUBLAS_TENSOR_OP_MATH = 1,
  CUBLAS_PEDANTIC_MATH = 2,
  CUBLAS_TF32_TENSOR_OP_MATH = 3,
  CUBLAS_MATH_DISALLOW_REDUCED_PRECISION_REDUCTION = 16
} cublasMath_t;
typedef enum {
  CUBLAS_COMPUTE_16F = 64,
  CUBLAS_COMPUTE_16F_PEDANTIC = 65,
  CUBLAS_COMPUTE_32F = 68,
  CUBLAS_COMPUTE_32F_PEDANTIC = 69,
  CUBLAS_COMPUTE_64F = 70,
  CUBLAS_COMPUTE_64F_PEDANTIC = 71,
  CUBLAS_COMPUTE_32I = 72,
  CUBLAS_COMPUTE_32I_PEDANTIC = 73,
  CUBLAS_COMPUTE_32F_FAST_16F = 74,
  CUBLAS_COMPUTE_32F_FAST_16BF = 75,
  CUBLAS_COMPUTE_32F_FAST_TF32 = 77
} cublasComputeType_t;
typedef enum {
  CUBLAS_GEMM_DFALT = -1,
  CUBLAS_GEMM_DEFAULT = -1,
  CUBLAS_GEMM_DFALT_TENSOR_OP = 99,
  CUBLAS_GEMM_DEFAULT_TENSOR_OP = 99
} cublasGemmAlgo_t;
typedef cudaDataType cublasDataType_t;
typedef struct cublasContext* cublasHandle_t;

// Handles and copies.
#define cublasCreate cublasCreate_v2
#define cublasDestroy cublasDestroy_v2
#define cublasGetVersion cublasGetVersion_v2
#define cublasSetStream cublasSetStream_v2
#define cublasGetStream cublasGetStream_v2
#define cublasSetPointerMode cublasSetPointerMode_v2
#define cublasGetPointerMode cublasGetPointerMode_v2
#define cublasSetWorkspace cublasSetWorkspace_v2
cublasStatus_t cublasCreate(cublasHandle_t* handle);
cublasStatus_t cublasDestroy(cublasHandle_t handle);
cublasStatus_t cublasGetVersion(cublasHandle_t handle, int* version);
cublasStatus_t cublasGetProperty(libraryPropertyType type, int* value);
cublasStatus_t cublasSetStream(cublasHandle_t handle, cudaStream_t stream);
cublasStatus_t cublasGetStream(cublasHandle_t handle, cudaStream_t* stream);
cublasStatus_t cublasSetPointerMode(cublasHandle_t handle, cublasPointerMode_t mode);
cublasStatus_t cublasGetPointerMode(cublasHandle_t handle, cublasPointerMode_t* mode);
cublasStatus_t cublasSetAtomicsMode(cublasHandle_t handle, cublasAtomicsMode_t mode);
cublasStatus_t cublasGetAtomicsMode(cublasHandle_t handle, cublasAtomicsMode_t* mode);
cublasStatus_t cublasSetMathMode(cublasHandle_t handle, cublasMath_t mode);
cublasStatus_t cublasGetMathMode(cublasHandle_t handle, cublasMath_t* mode);
cublasStatus_t cublasSetWorkspace(cublasHandle_t handle, void* workspace, size_t bytes);
const char* cublasGetStatusName(cublasStatus_t status);
const char* cublasGetStatusString(cublasStatus_t status);
cublasStatus_t cublasSetVector(int n, int elementBytes, const void* x, int incx, void* device, int incy);
cublasStatus_t cublasGetVector(int n, int elementBytes, const void* device, int incx, void* y, int incy);
cublasStatus_t cublasSetMatrix(int rows, int columns, int elementBytes, const void* a, int lda, void* device,
                               int ldb);
cublasStatus_t cublasGetMatrix(int rows, int columns, int elementBytes, const void* device, int lda, void* b,
                               int ldb);
cublasStatus_t cublasSetVectorAsync(int n, int elementBytes, const void* x, int incx, void* device, int incy,
                                    cudaStream_t stream);
cublasStatus_t cublasGetVectorAsync(int n, int elementBytes, const void* device, int incx, void* y, int incy,
                                    cudaStream_t stream);
cublasStatus_t cublasSetMatrixAsync(int rows, int columns, int elementBytes, const void* a, int lda,
                                    void* device, int ldb, cudaStream_t stream);
cublasStatus_t cublasGetMatrixAsync(int rows, int columns, int elementBytes, const void* device, int lda,
                                    void* b, int ldb, cudaStream_t stream);

// Levels 1 to 3 in float (S) and double (D).
#define WANREN_CUBLAS_BOTH(X) X(S, float) X(D, double)
#define cublasSaxpy cublasSaxpy_v2
#define cublasDaxpy cublasDaxpy_v2
#define cublasSscal cublasSscal_v2
#define cublasDscal cublasDscal_v2
#define cublasScopy cublasScopy_v2
#define cublasDcopy cublasDcopy_v2
#define cublasSswap cublasSswap_v2
#define cublasDswap cublasDswap_v2
#define cublasSdot cublasSdot_v2
#define cublasDdot cublasDdot_v2
#define cublasSnrm2 cublasSnrm2_v2
#define cublasDnrm2 cublasDnrm2_v2
#define cublasSasum cublasSasum_v2
#define cublasDasum cublasDasum_v2
#define cublasIsamax cublasIsamax_v2
#define cublasIdamax cublasIdamax_v2
#define cublasIsamin cublasIsamin_v2
#define cublasIdamin cublasIdamin_v2
#define cublasSgemv cublasSgemv_v2
#define cublasDgemv cublasDgemv_v2
#define cublasSger cublasSger_v2
#define cublasDger cublasDger_v2
#define cublasSgemm cublasSgemm_v2
#define cublasDgemm cublasDgemm_v2
#define WANREN_CUBLAS_REAL(S, T)                                                                             \
  cublasStatus_t cublas##S##axpy_v2(cublasHandle_t handle, int n, const T* alpha, const T* x, int incx,      \
                                    T* y, int incy);                                                         \
  cublasStatus_t cublas##S##scal_v2(cublasHandle_t handle, int n, const T* alpha, T* x, int incx);           \
  cublasStatus_t cublas##S##copy_v2(cublasHandle_t handle, int n, const T* x, int incx, T* y, int incy);     \
  cublasStatus_t cublas##S##swap_v2(cublasHandle_t handle, int n, T* x, int incx, T* y, int incy);           \
  cublasStatus_t cublas##S##dot_v2(cublasHandle_t handle, int n, const T* x, int incx, const T* y, int incy, \
                                   T* result);                                                               \
  cublasStatus_t cublas##S##nrm2_v2(cublasHandle_t handle, int n, const T* x, int incx, T* result);          \
  cublasStatus_t cublas##S##asum_v2(cublasHandle_t handle, int n, const T* x, int incx, T* result);          \
  cublasStatus_t cublas##S##gemv_v2(cublasHandle_t handle, cublasOperation_t op, int m, int n,               \
                                    const T* alpha, const T* a, int lda, const T* x, int incx,               \
                                    const T* beta, T* y, int incy);                                          \
  cublasStatus_t cublas##S##ger_v2(cublasHandle_t handle, int m, int n, const T* alpha, const T* x,          \
                                   int incx, const T* y, int incy, T* a, int lda);                           \
  cublasStatus_t cublas##S##gemm_v2(cublasHandle_t handle, cublasOperation_t opa, cublasOperation_t opb,     \
                                    int m, int n, int k, const T* alpha, const T* a, int lda, const T* b,    \
                                    int ldb, const T* beta, T* c, int ldc);                                  \
  cublasStatus_t cublas##S##gemmStridedBatched(                                                              \
      cublasHandle_t handle, cublasOperation_t opa, cublasOperation_t opb, int m, int n, int k,              \
      const T* alpha, const T* a, int lda, long long strideA, const T* b, int ldb, long long strideB,        \
      const T* beta, T* c, int ldc, long long strideC, int count);                                           \
  cublasStatus_t cublas##S##gemmBatched(cublasHandle_t handle, cublasOperation_t opa, cublasOperation_t opb, \
                                        int m, int n, int k, const T* alpha, const T* const a[], int lda,    \
                                        const T* const b[], int ldb, const T* beta, T* const c[], int ldc,   \
                                        int count);                                                          \
  cublasStatus_t cublas##S##geam(cublasHandle_t handle, cublasOperation_t opa, cublasOperation_t opb, int m, \
                                 int n, const T* alpha, const T* a, int lda, const T* beta, const T* b,      \
                                 int ldb, T* c, int ldc);
WANREN_CUBLAS_BOTH(WANREN_CUBLAS_REAL)
cublasStatus_t cublasIsamax(cublasHandle_t handle, int n, const float* x, int incx, int* result);
cublasStatus_t cublasIdamax(cublasHandle_t handle, int n, const double* x, int incx, int* result);
cublasStatus_t cublasIsamin(cublasHandle_t handle, int n, const float* x, int incx, int* result);
cublasStatus_t cublasIdamin(cublasHandle_t handle, int n, const double* x, int incx, int* result);

#if defined(__cplusplus)
cublasStatus_t cublasHgemm(cublasHandle_t handle, cublasOperation_t opa, cublasOperation_t opb, int m, int n,
                           int k, const __half* alpha, const __half* a, int lda, const __half* b, int ldb,
                           const __half* beta, __half* c, int ldc);
cublasStatus_t cublasHgemmBatched(cublasHandle_t handle, cublasOperation_t opa, cublasOperation_t opb, int m,
                                  int n, int k, const __half* alpha, const __half* const a[], int lda,
                                  const __half* const b[], int ldb, const __half* beta, __half* const c[],
                                  int ldc, int count);
cublasStatus_t cublasHgemmStridedBatched(cublasHandle_t handle, cublasOperation_t opa, cublasOperation_t opb,
                                         int m, int n, int k, const __half* alpha, const __half* a, int lda,
                                         long long strideA, const __half* b, int ldb, long long strideB,
                                         const __half* beta, __half* c, int ldc, long long strideC,
                                         int count);
#endif
// Types A = B with C: 16F or 16BF with the same or 32F, 32F, 64F, 8I with 32I or 32F, complex 32F and 64F;
// compute types 16F (sums in 32F), 32F and its fast kin (as 32F), 64F, 32I.
cublasStatus_t cublasGemmEx(cublasHandle_t handle, cublasOperation_t opa, cublasOperation_t opb, int m, int n,
                            int k, const void* alpha, const void* a, cudaDataType typeA, int lda,
                            const void* b, cudaDataType typeB, int ldb, const void* beta, void* c,
                            cudaDataType typeC, int ldc, cublasComputeType_t compute,
                            cublasGemmAlgo_t algorithm);
cublasStatus_t cublasGemmStridedBatchedEx(cublasHandle_t handle, cublasOperation_t opa, cublasOperation_t opb,
                                          int m, int n, int k, const void* alpha, const void* a,
                                          cudaDataType typeA, int lda, long long strideA, const void* b,
                                          cudaDataType typeB, int ldb, long long strideB, const void* beta,
                                          void* c, cudaDataType typeC, int ldc, long long strideC, int count,
                                          cublasComputeType_t compute, cublasGemmAlgo_t algorithm);

// Symmetric and triangular matrices.
#define cublasSsyrk cublasSsyrk_v2
#define cublasDsyrk cublasDsyrk_v2
#define cublasSsymm cublasSsymm_v2
#define cublasDsymm cublasDsymm_v2
#define cublasStrmm cublasStrmm_v2
#define cublasDtrmm cublasDtrmm_v2
#define cublasStrsm cublasStrsm_v2
#define cublasDtrsm cublasDtrsm_v2
#define cublasSsymv cublasSsymv_v2
#define cublasDsymv cublasDsymv_v2
#define cublasStrsv cublasStrsv_v2
#define cublasDtrsv cublasDtrsv_v2
#define cublasCgemm cublasCgemm_v2
#define cublasZgemm cublasZgemm_v2
#define WANREN_CUBLAS_TRIANGULAR(S, T)                                                                       \
  cublasStatus_t cublas##S##syrk_v2(cublasHandle_t handle, cublasFillMode_t fill, cublasOperation_t op,      \
                                    int n, int k, const T* alpha, const T* a, int lda, const T* beta, T* c,  \
                                    int ldc);                                                                \
  cublasStatus_t cublas##S##symm_v2(cublasHandle_t handle, cublasSideMode_t side, cublasFillMode_t fill,     \
                                    int m, int n, const T* alpha, const T* a, int lda, const T* b, int ldb,  \
                                    const T* beta, T* c, int ldc);                                           \
  cublasStatus_t cublas##S##trmm_v2(cublasHandle_t handle, cublasSideMode_t side, cublasFillMode_t fill,     \
                                    cublasOperation_t op, cublasDiagType_t diagonal, int m, int n,           \
                                    const T* alpha, const T* a, int lda, const T* b, int ldb, T* c,          \
                                    int ldc);                                                                \
  cublasStatus_t cublas##S##trsm_v2(cublasHandle_t handle, cublasSideMode_t side, cublasFillMode_t fill,     \
                                    cublasOperation_t op, cublasDiagType_t diagonal, int m, int n,           \
                                    const T* alpha, const T* a, int lda, T* b, int ldb);                     \
  cublasStatus_t cublas##S##symv_v2(cublasHandle_t handle, cublasFillMode_t fill, int n, const T* alpha,     \
                                    const T* a, int lda, const T* x, int incx, const T* beta, T* y,          \
                                    int incy);                                                               \
  cublasStatus_t cublas##S##trsv_v2(cublasHandle_t handle, cublasFillMode_t fill, cublasOperation_t op,      \
                                    cublasDiagType_t diagonal, int n, const T* a, int lda, T* x, int incx);  \
  cublasStatus_t cublas##S##trsmBatched(cublasHandle_t handle, cublasSideMode_t side, cublasFillMode_t fill, \
                                        cublasOperation_t op, cublasDiagType_t diagonal, int m, int n,       \
                                        const T* alpha, const T* const a[], int lda, T* const b[], int ldb,  \
                                        int count);                                                          \
  cublasStatus_t cublas##S##getrfBatched(cublasHandle_t handle, int n, T* const a[], int lda, int* pivots,   \
                                         int* info, int count);                                              \
  cublasStatus_t cublas##S##getrsBatched(cublasHandle_t handle, cublasOperation_t op, int n, int nrhs,       \
                                         const T* const a[], int lda, const int* pivots, T* const b[],       \
                                         int ldb, int* info, int count);                                     \
  cublasStatus_t cublas##S##getriBatched(cublasHandle_t handle, int n, const T* const a[], int lda,          \
                                         const int* pivots, T* const c[], int ldc, int* info, int count);
WANREN_CUBLAS_BOTH(WANREN_CUBLAS_TRIANGULAR)
#define WANREN_CUBLAS_COMPLEX(S, C)                                                                          \
  cublasStatus_t cublas##S##gemm_v2(cublasHandle_t handle, cublasOperation_t opa, cublasOperation_t opb,     \
                                    int m, int n, int k, const C* alpha, const C* a, int lda, const C* b,    \
                                    int ldb, const C* beta, C* c, int ldc);                                  \
  cublasStatus_t cublas##S##gemmStridedBatched(                                                              \
      cublasHandle_t handle, cublasOperation_t opa, cublasOperation_t opb, int m, int n, int k,              \
      const C* alpha, const C* a, int lda, long long strideA, const C* b, int ldb, long long strideB,        \
      const C* beta, C* c, int ldc, long long strideC, int count);                                           \
  cublasStatus_t cublas##S##gemmBatched(cublasHandle_t handle, cublasOperation_t opa, cublasOperation_t opb, \
                                        int m, int n, int k, const C* alpha, const C* const a[], int lda,    \
                                        const C* const b[], int ldb, const C* beta, C* const c[], int ldc,   \
                                        int count);
WANREN_CUBLAS_COMPLEX(C, cuComplex)
WANREN_CUBLAS_COMPLEX(Z, cuDoubleComplex)

#if defined(__cplusplus)
}
#endif
#endif
