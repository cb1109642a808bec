// Products of matrices: a CTA of 256 threads makes a tile of 64 x 64, each thread 4 x 4 of it, from slices of
// A and B in shared memory. Elements may be narrower than what sums are kept in.
#include "complex.h"
#include "handle.h"
#include "tensor.h"

namespace {

constexpr int tile = 64, depth = 16, per_thread = 4, threads = 256;

template <typename In, typename Out, typename Sum>
struct Product {
  bool transpose_a, transpose_b, conjugate_a, conjugate_b;
  int m, n, k;
  Scalar<Sum> alpha;
  const In* a;
  int lda;
  const In* b;
  int ldb;
  Scalar<Sum> beta;
  Out* c;
  int ldc;
  long long stride_a, stride_b, stride_c;
  const In* const* each_a;  ///< Of a batch by pointers, else null.
  const In* const* each_b;
  Out* const* each_c;
};

template <typename Sum, typename In>
__device__ Sum widened(In value, bool conjugated = false) {
  const Sum wide = static_cast<Sum>(value);
  return conjugated ? conjugate(wide) : wide;
}
template <typename Out, typename Sum>
__device__ Out narrowed(Sum value) {
  return static_cast<Out>(value);
}

template <typename In, typename Out, typename Sum>
__global__ void __launch_bounds__(threads) gemm(Product<In, Out, Sum> p) {
  __shared__ Sum slice_a[depth][tile + 1], slice_b[depth][tile + 1];
  const In* a = p.each_a != nullptr ? p.each_a[blockIdx.z] : p.a + blockIdx.z * p.stride_a;
  const In* b = p.each_b != nullptr ? p.each_b[blockIdx.z] : p.b + blockIdx.z * p.stride_b;
  Out* c = p.each_c != nullptr ? p.each_c[blockIdx.z] : p.c + blockIdx.z * p.stride_c;
  const int row0 = blockIdx.x * tile, column0 = blockIdx.y * tile;
  const int mine_row = threadIdx.x % 16, mine_column = threadIdx.x / 16;
  const Sum alpha = p.alpha.get(), beta = p.beta.get();
  Sum sums[per_thread][per_thread] = {};
  if (alpha != Sum{}) {
    for (int k0 = 0; k0 < p.k; k0 += depth) {
      // Neighbouring threads read neighbouring addresses, whichever way the matrix lies.
      for (int i = threadIdx.x; i < tile * depth; i += threads) {
        const int r = p.transpose_a ? i / depth : i % tile, s = p.transpose_a ? i % depth : i / tile;
        const int row = row0 + r, k = k0 + s;
        slice_a[s][r] = row < p.m && k < p.k ? widened<Sum>(p.transpose_a ? a[k + 1ll * row * p.lda]
                                                                          : a[row + 1ll * k * p.lda],
                                                            p.conjugate_a)
                                             : Sum{};
        const int q = p.transpose_b ? i % tile : i / depth, t = p.transpose_b ? i / tile : i % depth;
        const int column = column0 + q, l = k0 + t;
        slice_b[t][q] = column < p.n && l < p.k ? widened<Sum>(p.transpose_b ? b[column + 1ll * l * p.ldb]
                                                                             : b[l + 1ll * column * p.ldb],
                                                               p.conjugate_b)
                                                : Sum{};
      }
      __syncthreads();
#pragma unroll
      for (int s = 0; s < depth; ++s) {
        Sum left[per_thread], right[per_thread];
#pragma unroll
        for (int i = 0; i < per_thread; ++i) {
          left[i] = slice_a[s][mine_row + 16 * i];
          right[i] = slice_b[s][mine_column + 16 * i];
        }
#pragma unroll
        for (int j = 0; j < per_thread; ++j)
#pragma unroll
          for (int i = 0; i < per_thread; ++i) sums[j][i] += left[i] * right[j];
      }
      __syncthreads();
    }
  }
#pragma unroll
  for (int j = 0; j < per_thread; ++j)
#pragma unroll
    for (int i = 0; i < per_thread; ++i) {
      const int row = row0 + mine_row + 16 * i, column = column0 + mine_column + 16 * j;
      if (row >= p.m || column >= p.n) continue;
      Out& out = c[row + 1ll * column * p.ldc];
      // With beta = 0 the old C is not read: it may be NaN.
      const Sum value = alpha * sums[j][i];
      out = narrowed<Out>(beta == Sum{} ? value : value + beta * widened<Sum>(out));
    }
}

/// Matrices that a tile would be mostly wasted on: a thread an element.
constexpr int small = 16;
template <typename In, typename Out, typename Sum>
__global__ void __launch_bounds__(small* small) gemm_small(Product<In, Out, Sum> p) {
  const In* a = p.each_a != nullptr ? p.each_a[blockIdx.z] : p.a + blockIdx.z * p.stride_a;
  const In* b = p.each_b != nullptr ? p.each_b[blockIdx.z] : p.b + blockIdx.z * p.stride_b;
  Out* c = p.each_c != nullptr ? p.each_c[blockIdx.z] : p.c + blockIdx.z * p.stride_c;
  const int row = threadIdx.x % p.m, column = threadIdx.x / p.m;
  const Sum alpha = p.alpha.get(), beta = p.beta.get();
  Sum sum{};
  if (alpha != Sum{})
    for (int k = 0; k < p.k; ++k)
      sum +=
          widened<Sum>(p.transpose_a ? a[k + 1ll * row * p.lda] : a[row + 1ll * k * p.lda], p.conjugate_a) *
          widened<Sum>(p.transpose_b ? b[column + 1ll * k * p.ldb] : b[k + 1ll * column * p.ldb],
                       p.conjugate_b);
  Out& out = c[row + 1ll * column * p.ldc];
  const Sum value = alpha * sum;
  out = narrowed<Out>(beta == Sum{} ? value : value + beta * widened<Sum>(out));
}

bool is_operation(cublasOperation_t op) {
  return op >= CUBLAS_OP_N && op <= CUBLAS_OP_C;
}
bool bad(cublasOperation_t opa, cublasOperation_t opb, int m, int n, int k, int lda, int ldb, int ldc,
         int count) {
  const auto at_least = [](int ld, int rows) { return ld >= (rows > 1 ? rows : 1); };
  return !is_operation(opa) || !is_operation(opb) || m < 0 || n < 0 || k < 0 || count < 0 ||
         !at_least(lda, opa == CUBLAS_OP_N ? m : k) || !at_least(ldb, opb == CUBLAS_OP_N ? k : n) ||
         !at_least(ldc, m);
}

template <typename In, typename Out, typename Sum>
cublasStatus_t multiply(cublasHandle_t handle, cublasOperation_t opa, cublasOperation_t opb, int m, int n,
                        int k, Scalar<Sum> alpha, const In* a, int lda, long long stride_a, const In* b,
                        int ldb, long long stride_b, Scalar<Sum> beta, Out* c, int ldc, long long stride_c,
                        int count, const In* const* each_a = nullptr, const In* const* each_b = nullptr,
                        Out* const* each_c = nullptr) {
  if (m == 0 || n == 0 || count == 0) return CUBLAS_STATUS_SUCCESS;
  if (ctas(n, tile) > 65535) return CUBLAS_STATUS_NOT_SUPPORTED;
  Product<In, Out, Sum> p{opa != CUBLAS_OP_N,
                          opb != CUBLAS_OP_N,
                          opa == CUBLAS_OP_C,
                          opb == CUBLAS_OP_C,
                          m,
                          n,
                          k,
                          alpha,
                          a,
                          lda,
                          b,
                          ldb,
                          beta,
                          c,
                          ldc,
                          stride_a,
                          stride_b,
                          stride_c,
                          each_a,
                          each_b,
                          each_c};
  // gridDim.z ends at 65,535.
  for (int done = 0; done < count; done += 65535) {
    const int now = count - done < 65535 ? count - done : 65535;
    if (m <= small && n <= small)
      gemm_small<In, Out, Sum><<<dim3(1, 1, now), m * n, 0, handle->stream>>>(p);
    else
      gemm<In, Out, Sum><<<dim3(ctas(m, tile), ctas(n, tile), now), threads, 0, handle->stream>>>(p);
    p.a += stride_a * now, p.b += stride_b * now, p.c += stride_c * now;
    if (each_a != nullptr) p.each_a += now, p.each_b += now, p.each_c += now;
  }
  return launched();
}

/// What of a factor's bits must count: as the type says, of floats those of TF32, or all and in plain order.
enum class Bits { of_type, of_tf32, pedantic };

template <typename T>
constexpr cudaDataType type_of = std::is_same_v<T, __half>          ? CUDA_R_16F
                                 : std::is_same_v<T, __nv_bfloat16> ? CUDA_R_16BF
                                 : std::is_same_v<T, signed char>   ? CUDA_R_8I
                                 : std::is_same_v<T, int>           ? CUDA_R_32I
                                                                    : CUDA_R_32F;

/// The matrix types and the compute type choose the kernel.
template <typename In, typename Out, typename Sum>
cublasStatus_t multiply_as(cublasHandle_t handle, cublasOperation_t opa, cublasOperation_t opb, int m, int n,
                           int k, const void* alpha, const void* a, int lda, long long stride_a,
                           const void* b, int ldb, long long stride_b, const void* beta, void* c, int ldc,
                           long long stride_c, int count, Bits bits = Bits::of_type) {
  constexpr bool narrow = sizeof(In) < sizeof(Sum) && sizeof(Sum) == 4;
  if constexpr (narrow || (std::is_same_v<In, float> && std::is_same_v<Sum, float>)) {
    const bool units = narrow ? bits != Bits::pedantic : bits == Bits::of_tf32;
    if (units && m > 0 && n > 0 && count > 0 && (m > small || n > small)) {
      const TensorProduct product{handle,
                                  type_of<In>,
                                  type_of<Out>,
                                  std::is_same_v<Sum, int>,
                                  n,
                                  m,
                                  k,
                                  count,
                                  {b, ldb, stride_b, opb != CUBLAS_OP_N},
                                  {a, lda, stride_a, opa == CUBLAS_OP_N},
                                  alpha,
                                  beta,
                                  c,
                                  ldc,
                                  stride_c};
      cublasStatus_t status;
      if (multiply_by_tensor(product, status) == Refused::no) return status;
    }
  }
  return multiply(handle, opa, opb, m, n, k, Scalar<Sum>(handle, static_cast<const Sum*>(alpha)),
                  static_cast<const In*>(a), lda, stride_a, static_cast<const In*>(b), ldb, stride_b,
                  Scalar<Sum>(handle, static_cast<const Sum*>(beta)), static_cast<Out*>(c), ldc, stride_c,
                  count);
}

template <typename T>
__global__ void geam(bool ta, bool tb, int m, int n, Scalar<T> alpha, const T* a, int lda, Scalar<T> beta,
                     const T* b, int ldb, T* c, int ldc) {
  const int row = blockIdx.x * 16 + threadIdx.x, column = blockIdx.y * 16 + threadIdx.y;
  if (row >= m || column >= n) return;
  const T scale = alpha.get(), other = beta.get();
  T sum = 0;
  if (scale != 0) sum += scale * (ta ? a[column + 1ll * row * lda] : a[row + 1ll * column * lda]);
  if (other != 0) sum += other * (tb ? b[column + 1ll * row * ldb] : b[row + 1ll * column * ldb]);
  c[row + 1ll * column * ldc] = sum;
}

}  // namespace

// The entries of type C work on elements of the same layout with operators.
#define WANREN_GEMM(S, C, E)                                                                                 \
  extern "C" cublasStatus_t cublas##S##gemmStridedBatched(                                                   \
      cublasHandle_t handle, cublasOperation_t opa, cublasOperation_t opb, int m, int n, int k,              \
      const C* alpha, const C* a, int lda, long long strideA, const C* b, int ldb, long long strideB,        \
      const C* beta, C* c, int ldc, long long strideC, int count) {                                          \
    if (handle == nullptr) return CUBLAS_STATUS_NOT_INITIALIZED;                                             \
    if (bad(opa, opb, m, n, k, lda, ldb, ldc, count) || alpha == nullptr || beta == nullptr)                 \
      return CUBLAS_STATUS_INVALID_VALUE;                                                                    \
    return multiply_as<E, E, E>(                                                                             \
        handle, opa, opb, m, n, k, alpha, a, lda, strideA, b, ldb, strideB, beta, c, ldc, strideC, count,    \
        handle->math_mode == CUBLAS_TF32_TENSOR_OP_MATH ? Bits::of_tf32 : Bits::of_type);                    \
  }                                                                                                          \
  extern "C" cublasStatus_t cublas##S##gemm_v2(                                                              \
      cublasHandle_t handle, cublasOperation_t opa, cublasOperation_t opb, int m, int n, int k,              \
      const C* alpha, const C* a, int lda, const C* b, int ldb, const C* beta, C* c, int ldc) {              \
    return cublas##S##gemmStridedBatched(handle, opa, opb, m, n, k, alpha, a, lda, 0, b, ldb, 0, beta, c,    \
                                         ldc, 0, 1);                                                         \
  }                                                                                                          \
  extern "C" cublasStatus_t cublas##S##gemmBatched(                                                          \
      cublasHandle_t handle, cublasOperation_t opa, cublasOperation_t opb, int m, int n, int k,              \
      const C* alpha, const C* const a[], int lda, const C* const b[], int ldb, const C* beta, C* const c[], \
      int ldc, int count) {                                                                                  \
    if (handle == nullptr) return CUBLAS_STATUS_NOT_INITIALIZED;                                             \
    if (bad(opa, opb, m, n, k, lda, ldb, ldc, count) || alpha == nullptr || beta == nullptr)                 \
      return CUBLAS_STATUS_INVALID_VALUE;                                                                    \
    return multiply<E, E, E>(handle, opa, opb, m, n, k,                                                      \
                             Scalar<E>(handle, reinterpret_cast<const E*>(alpha)), nullptr, lda, 0, nullptr, \
                             ldb, 0, Scalar<E>(handle, reinterpret_cast<const E*>(beta)), nullptr, ldc, 0,   \
                             count, reinterpret_cast<const E* const*>(a),                                    \
                             reinterpret_cast<const E* const*>(b), reinterpret_cast<E* const*>(c));          \
  }
WANREN_GEMM(S, float, float)
WANREN_GEMM(D, double, double)
WANREN_GEMM(C, cuComplex, Complex<float>)
WANREN_GEMM(Z, cuDoubleComplex, Complex<double>)

#define WANREN_GEAM(S, T)                                                                                    \
  extern "C" cublasStatus_t cublas##S##geam(cublasHandle_t handle, cublasOperation_t opa,                    \
                                            cublasOperation_t opb, int m, int n, const T* alpha, const T* a, \
                                            int lda, const T* beta, const T* b, int ldb, T* c, int ldc) {    \
    if (handle == nullptr) return CUBLAS_STATUS_NOT_INITIALIZED;                                             \
    if (!is_operation(opa) || !is_operation(opb) || m < 0 || n < 0 || alpha == nullptr || beta == nullptr || \
        ldc < (m > 1 ? m : 1))                                                                               \
      return CUBLAS_STATUS_INVALID_VALUE;                                                                    \
    if (m == 0 || n == 0) return CUBLAS_STATUS_SUCCESS;                                                      \
    if (ctas(n, 16) > 65535) return CUBLAS_STATUS_NOT_SUPPORTED;                                             \
    geam<T><<<dim3(ctas(m, 16), ctas(n, 16)), dim3(16, 16), 0, handle->stream>>>(                            \
        opa != CUBLAS_OP_N, opb != CUBLAS_OP_N, m, n, Scalar<T>(handle, alpha), a, lda,                      \
        Scalar<T>(handle, beta), b, ldb, c, ldc);                                                            \
    return launched();                                                                                       \
  }
WANREN_CUBLAS_BOTH(WANREN_GEAM)

extern "C" {

cublasStatus_t cublasGemmStridedBatchedEx(cublasHandle_t handle, cublasOperation_t opa, cublasOperation_t opb,
                                          int m, int n, int k, const void* alpha, const void* a,
                                          cudaDataType typeA, int lda, long long strideA, const void* b,
                                          cudaDataType typeB, int ldb, long long strideB, const void* beta,
                                          void* c, cudaDataType typeC, int ldc, long long strideC, int count,
                                          cublasComputeType_t compute, cublasGemmAlgo_t) {
  if (handle == nullptr) return CUBLAS_STATUS_NOT_INITIALIZED;
  if (bad(opa, opb, m, n, k, lda, ldb, ldc, count) || alpha == nullptr || beta == nullptr)
    return CUBLAS_STATUS_INVALID_VALUE;
  if (typeA != typeB) return CUBLAS_STATUS_NOT_SUPPORTED;
  const bool single = compute >= CUBLAS_COMPUTE_32F && compute <= CUBLAS_COMPUTE_32F_PEDANTIC;
  const bool fast = compute >= CUBLAS_COMPUTE_32F_FAST_16F && compute <= CUBLAS_COMPUTE_32F_FAST_TF32;
  const bool wide = compute == CUBLAS_COMPUTE_64F || compute == CUBLAS_COMPUTE_64F_PEDANTIC;
  const bool tf32 = compute == CUBLAS_COMPUTE_32F_FAST_TF32 ||
                    (compute == CUBLAS_COMPUTE_32F && handle->math_mode == CUBLAS_TF32_TENSOR_OP_MATH);
  const Bits bits = compute == CUBLAS_COMPUTE_32F_PEDANTIC   ? Bits::pedantic
                    : compute == CUBLAS_COMPUTE_32I_PEDANTIC ? Bits::pedantic
                    : tf32                                   ? Bits::of_tf32
                                                             : Bits::of_type;
#define WANREN_CASE(A, C, IN, OUT, SUM)                                                                  \
  if (typeA == A && typeC == C)                                                                          \
    return multiply_as<IN, OUT, SUM>(handle, opa, opb, m, n, k, alpha, a, lda, strideA, b, ldb, strideB, \
                                     beta, c, ldc, strideC, count, bits);
  if (single || fast) {
    WANREN_CASE(CUDA_R_32F, CUDA_R_32F, float, float, float)
    WANREN_CASE(CUDA_R_16F, CUDA_R_16F, __half, __half, float)
    WANREN_CASE(CUDA_R_16F, CUDA_R_32F, __half, float, float)
    WANREN_CASE(CUDA_R_16BF, CUDA_R_16BF, __nv_bfloat16, __nv_bfloat16, float)
    WANREN_CASE(CUDA_R_16BF, CUDA_R_32F, __nv_bfloat16, float, float)
  }
  if (wide) {
    WANREN_CASE(CUDA_R_64F, CUDA_R_64F, double, double, double)
  }
  if (compute == CUBLAS_COMPUTE_32I || compute == CUBLAS_COMPUTE_32I_PEDANTIC) {
    WANREN_CASE(CUDA_R_8I, CUDA_R_32I, signed char, int, int)
  }
  if (single) {
    WANREN_CASE(CUDA_R_8I, CUDA_R_32F, signed char, float, float)
    WANREN_CASE(CUDA_C_32F, CUDA_C_32F, Complex<float>, Complex<float>, Complex<float>)
  }
  if (wide) {
    WANREN_CASE(CUDA_C_64F, CUDA_C_64F, Complex<double>, Complex<double>, Complex<double>)
  }
  // Scalars are of the compute type.
  if ((compute == CUBLAS_COMPUTE_16F || compute == CUBLAS_COMPUTE_16F_PEDANTIC) && typeA == CUDA_R_16F &&
      typeC == CUDA_R_16F)
    return cublasHgemmStridedBatched(
        handle, opa, opb, m, n, k, static_cast<const __half*>(alpha), static_cast<const __half*>(a), lda,
        strideA, static_cast<const __half*>(b), ldb, strideB, static_cast<const __half*>(beta),
        static_cast<__half*>(c), ldc, strideC, count);
  return CUBLAS_STATUS_NOT_SUPPORTED;
}
cublasStatus_t cublasGemmEx(cublasHandle_t handle, cublasOperation_t opa, cublasOperation_t opb, int m, int n,
                            int k, const void* alpha, const void* a, cudaDataType typeA, int lda,
                            const void* b, cudaDataType typeB, int ldb, const void* beta, void* c,
                            cudaDataType typeC, int ldc, cublasComputeType_t compute,
                            cublasGemmAlgo_t algorithm) {
  return cublasGemmStridedBatchedEx(handle, opa, opb, m, n, k, alpha, a, typeA, lda, 0, b, typeB, ldb, 0,
                                    beta, c, typeC, ldc, 0, 1, compute, algorithm);
}

// Scalars of half precision: on the host they are widened; on the device that would need a copy first.
cublasStatus_t cublasHgemmStridedBatched(cublasHandle_t handle, cublasOperation_t opa, cublasOperation_t opb,
                                         int m, int n, int k, const __half* alpha, const __half* a, int lda,
                                         long long strideA, const __half* b, int ldb, long long strideB,
                                         const __half* beta, __half* c, int ldc, long long strideC,
                                         int count) {
  if (handle == nullptr) return CUBLAS_STATUS_NOT_INITIALIZED;
  if (bad(opa, opb, m, n, k, lda, ldb, ldc, count) || alpha == nullptr || beta == nullptr)
    return CUBLAS_STATUS_INVALID_VALUE;
  if (handle->pointer_mode != CUBLAS_POINTER_MODE_HOST) return CUBLAS_STATUS_NOT_SUPPORTED;
  const float scale = __half2float(*alpha), keep = __half2float(*beta);
  return multiply_as<__half, __half, float>(handle, opa, opb, m, n, k, &scale, a, lda, strideA, b, ldb,
                                            strideB, &keep, c, ldc, strideC, count);
}
cublasStatus_t cublasHgemmBatched(cublasHandle_t handle, cublasOperation_t opa, cublasOperation_t opb, int m,
                                  int n, int k, const __half* alpha, const __half* const a[], int lda,
                                  const __half* const b[], int ldb, const __half* beta, __half* const c[],
                                  int ldc, int count) {
  if (handle == nullptr) return CUBLAS_STATUS_NOT_INITIALIZED;
  if (bad(opa, opb, m, n, k, lda, ldb, ldc, count) || alpha == nullptr || beta == nullptr)
    return CUBLAS_STATUS_INVALID_VALUE;
  if (handle->pointer_mode != CUBLAS_POINTER_MODE_HOST) return CUBLAS_STATUS_NOT_SUPPORTED;
  const float scale = __half2float(*alpha), keep = __half2float(*beta);
  return multiply<__half, __half, float>(handle, opa, opb, m, n, k, Scalar<float>(handle, &scale), nullptr,
                                         lda, 0, nullptr, ldb, 0, Scalar<float>(handle, &keep), nullptr, ldc,
                                         0, count, a, b, c);
}
cublasStatus_t cublasHgemm(cublasHandle_t handle, cublasOperation_t opa, cublasOperation_t opb, int m, int n,
                           int k, const __half* alpha, const __half* a, int lda, const __half* b, int ldb,
                           const __half* beta, __half* c, int ldc) {
  return cublasHgemmStridedBatched(handle, opa, opb, m, n, k, alpha, a, lda, 0, b, ldb, 0, beta, c, ldc, 0,
                                   1);
}

}  // extern "C"
