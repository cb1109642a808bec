// What cublas_v2.h declares and this library does not have.
#include "handle.h"

#define WANREN_MISSING(S, T)                                                                                 \
  cublasStatus_t cublas##S##syrk_v2(cublasHandle_t, cublasFillMode_t, cublasOperation_t, int, int, const T*, \
                                    const T*, int, const T*, T*, int) {                                      \
    return CUBLAS_STATUS_NOT_SUPPORTED;                                                                      \
  }                                                                                                          \
  cublasStatus_t cublas##S##symm_v2(cublasHandle_t, cublasSideMode_t, cublasFillMode_t, int, int, const T*,  \
                                    const T*, int, const T*, int, const T*, T*, int) {                       \
    return CUBLAS_STATUS_NOT_SUPPORTED;                                                                      \
  }                                                                                                          \
  cublasStatus_t cublas##S##trmm_v2(cublasHandle_t, cublasSideMode_t, cublasFillMode_t, cublasOperation_t,   \
                                    cublasDiagType_t, int, int, const T*, const T*, int, const T*, int, T*,  \
                                    int) {                                                                   \
    return CUBLAS_STATUS_NOT_SUPPORTED;                                                                      \
  }                                                                                                          \
  cublasStatus_t cublas##S##trsm_v2(cublasHandle_t, cublasSideMode_t, cublasFillMode_t, cublasOperation_t,   \
                                    cublasDiagType_t, int, int, const T*, const T*, int, T*, int) {          \
    return CUBLAS_STATUS_NOT_SUPPORTED;                                                                      \
  }                                                                                                          \
  cublasStatus_t cublas##S##symv_v2(cublasHandle_t, cublasFillMode_t, int, const T*, const T*, int,          \
                                    const T*, int, const T*, T*, int) {                                      \
    return CUBLAS_STATUS_NOT_SUPPORTED;                                                                      \
  }                                                                                                          \
  cublasStatus_t cublas##S##trsv_v2(cublasHandle_t, cublasFillMode_t, cublasOperation_t, cublasDiagType_t,   \
                                    int, const T*, int, T*, int) {                                           \
    return CUBLAS_STATUS_NOT_SUPPORTED;                                                                      \
  }

extern "C" {
WANREN_CUBLAS_BOTH(WANREN_MISSING)
cublasStatus_t cublasCgemm(cublasHandle_t, cublasOperation_t, cublasOperation_t, int, int, int,
                           const cuComplex*, const cuComplex*, int, const cuComplex*, int, const cuComplex*,
                           cuComplex*, int) {
  return CUBLAS_STATUS_NOT_SUPPORTED;
}
cublasStatus_t cublasZgemm(cublasHandle_t, cublasOperation_t, cublasOperation_t, int, int, int,
                           const cuDoubleComplex*, const cuDoubleComplex*, int, const cuDoubleComplex*, int,
                           const cuDoubleComplex*, cuDoubleComplex*, int) {
  return CUBLAS_STATUS_NOT_SUPPORTED;
}
}
