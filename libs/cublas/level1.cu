// Vectors. Reductions take two kernels and a fixed order, so that results do not depend on how CTAs run.
#include "handle.h"

namespace {

constexpr int threads = 256;

template <typename T>
__global__ void axpy(int n, Scalar<T> alpha, const T* x, int incx, T* y, int incy) {
  const T a = alpha.get();
  for (long long i = blockIdx.x * static_cast<long long>(blockDim.x) + threadIdx.x; i < n;
       i += static_cast<long long>(gridDim.x) * blockDim.x)
    y[first_of(n, incy) + i * incy] += a * x[first_of(n, incx) + i * incx];
}
template <typename T>
__global__ void scal(int n, Scalar<T> alpha, T* x, int incx) {
  const T a = alpha.get();
  const long long i = blockIdx.x * static_cast<long long>(blockDim.x) + threadIdx.x;
  if (i < n) x[i * incx] *= a;
}
template <typename T>
__global__ void copy(int n, const T* x, int incx, T* y, int incy) {
  const long long i = blockIdx.x * static_cast<long long>(blockDim.x) + threadIdx.x;
  if (i < n) y[first_of(n, incy) + i * incy] = x[first_of(n, incx) + i * incx];
}
template <typename T>
__global__ void swap(int n, T* x, int incx, T* y, int incy) {
  const long long i = blockIdx.x * static_cast<long long>(blockDim.x) + threadIdx.x;
  if (i >= n) return;
  T &a = x[first_of(n, incx) + i * incx], &b = y[first_of(n, incy) + i * incy];
  const T kept = a;
  a = b;
  b = kept;
}

/// A value and where it was found.
template <typename T>
struct Found {
  T value;
  int index;
};

// Operations: what an element counts as, how two results join, what the result of none is.
template <typename T>
struct Sum {
  using Result = T;
  const T *x, *y;
  __device__ T none() const { return 0; }
  __device__ T at(long long i, int n, int incx, int incy) const {
    return x[first_of(n, incx) + i * incx] * y[first_of(n, incy) + i * incy];
  }
  __device__ static T join(T a, T b) { return a + b; }
};
template <typename T>
struct AbsoluteSum {
  using Result = T;
  const T* x;
  __device__ T none() const { return 0; }
  __device__ T at(long long i, int, int incx, int) const { return fabs(x[i * incx]); }
  __device__ static T join(T a, T b) { return a + b; }
};
template <typename T>
struct Largest {
  using Result = T;
  const T* x;
  __device__ T none() const { return 0; }
  __device__ T at(long long i, int, int incx, int) const { return fabs(x[i * incx]); }
  __device__ static T join(T a, T b) { return fmax(a, b); }
};
/// Squares of the elements over the largest, so that they neither overflow nor vanish.
template <typename T>
struct ScaledSquares {
  using Result = T;
  const T *x, *largest;
  __device__ static T scale(T largest) { return largest > 0 && largest * 0 == 0 ? largest : T(1); }
  __device__ T none() const { return 0; }
  __device__ T at(long long i, int, int incx, int) const {
    const T v = x[i * incx] / scale(*largest);
    return v * v;
  }
  __device__ static T join(T a, T b) { return a + b; }
};
template <typename T, bool Max>
struct Extreme {
  using Result = Found<T>;
  const T* x;
  __device__ Result none() const { return {T(0), 0}; }
  __device__ Result at(long long i, int, int incx, int) const {
    return {static_cast<T>(fabs(x[i * incx])), static_cast<int>(i) + 1};
  }
  __device__ static Result join(Result a, Result b) {
    if (a.index == 0 || b.index == 0) return a.index == 0 ? b : a;
    if (a.value == b.value) return a.index < b.index ? a : b;
    return (Max ? a.value > b.value : a.value < b.value) ? a : b;
  }
};

/// The CTA's joined value, for thread 0.
template <typename Op>
__device__ typename Op::Result join_cta(typename Op::Result mine) {
  __shared__ typename Op::Result all[threads];
  all[threadIdx.x] = mine;
  __syncthreads();
  for (int half = threads / 2; half > 0; half /= 2) {
    if (threadIdx.x < half) all[threadIdx.x] = Op::join(all[threadIdx.x], all[threadIdx.x + half]);
    __syncthreads();
  }
  return all[0];
}
template <typename Op>
__global__ void reduce_parts(Op op, int n, int incx, int incy, typename Op::Result* parts) {
  typename Op::Result mine = op.none();
  for (long long i = blockIdx.x * static_cast<long long>(threads) + threadIdx.x; i < n;
       i += static_cast<long long>(gridDim.x) * threads)
    mine = Op::join(mine, op.at(i, n, incx, incy));
  const auto joined = join_cta<Op>(mine);
  if (threadIdx.x == 0) parts[blockIdx.x] = joined;
}
struct Keep {
  template <typename R>
  __device__ R operator()(R joined) const {
    return joined;
  }
};
struct Index {
  template <typename T>
  __device__ int operator()(Found<T> joined) const {
    return joined.index;
  }
};
template <typename T>
struct ScaledRoot {
  const T* largest;
  __device__ T operator()(T squares) const { return ScaledSquares<T>::scale(*largest) * sqrt(squares); }
};
template <typename Op, typename Finish, typename R>
__global__ void reduce_all(Op op, Finish finish, int count, const typename Op::Result* parts, R* result) {
  const auto joined = join_cta<Op>(threadIdx.x < count ? parts[threadIdx.x] : op.none());
  if (threadIdx.x == 0) *result = finish(joined);
}

/// `parts` and a result on the device; two such pairs fit the workspace.
struct Place {
  void *parts, *result;
  Place(cublasHandle_t handle, int which)
      : parts(static_cast<char*>(handle->workspace) + which * reduction_ctas * 16),
        result(static_cast<char*>(handle->workspace) + (2 * reduction_ctas + which) * 16) {}
};
template <typename Op, typename Finish, typename R>
void reduce(cublasHandle_t handle, Op op, Finish finish, int n, int incx, int incy, void* parts, R* result) {
  using Part = typename Op::Result;
  const int count = ctas(n, threads) < reduction_ctas ? ctas(n, threads) : reduction_ctas;
  reduce_parts<<<count, threads, 0, handle->stream>>>(op, n, incx, incy, static_cast<Part*>(parts));
  reduce_all<<<1, threads, 0, handle->stream>>>(op, finish, count, static_cast<const Part*>(parts), result);
}

/// Runs `run(place of the result)`, and brings a host's result home.
template <typename R, typename Run>
cublasStatus_t with_result(cublasHandle_t handle, bool empty, R* result, Run run) {
  if (handle == nullptr) return CUBLAS_STATUS_NOT_INITIALIZED;
  if (result == nullptr) return CUBLAS_STATUS_INVALID_VALUE;
  const bool on_host = handle->pointer_mode == CUBLAS_POINTER_MODE_HOST;
  if (empty) {
    if (!on_host) return status_of(cudaMemsetAsync(result, 0, sizeof(R), handle->stream));
    *result = R(0);
    return CUBLAS_STATUS_SUCCESS;
  }
  R* target = on_host ? static_cast<R*>(Place(handle, 0).result) : result;
  run(target);
  if (const cublasStatus_t status = launched(); status != CUBLAS_STATUS_SUCCESS || !on_host) return status;
  if (cudaMemcpyAsync(result, target, sizeof(R), cudaMemcpyDeviceToHost, handle->stream) != cudaSuccess ||
      cudaStreamSynchronize(handle->stream) != cudaSuccess)
    return CUBLAS_STATUS_EXECUTION_FAILED;
  return CUBLAS_STATUS_SUCCESS;
}
template <bool Max, typename T>
cublasStatus_t extreme(cublasHandle_t handle, int n, const T* x, int incx, int* result) {
  return with_result(handle, n <= 0 || incx <= 0, result, [&](int* target) {
    reduce(handle, Extreme<T, Max>{x}, Index{}, n, incx, 0, Place(handle, 0).parts, target);
  });
}

}  // namespace

#define WANREN_LEVEL1(S, T)                                                                              \
  extern "C" cublasStatus_t cublas##S##axpy_v2(cublasHandle_t handle, int n, const T* alpha, const T* x, \
                                               int incx, T* y, int incy) {                               \
    if (handle == nullptr) return CUBLAS_STATUS_NOT_INITIALIZED;                                         \
    if (alpha == nullptr) return CUBLAS_STATUS_INVALID_VALUE;                                            \
    const Scalar<T> a(handle, alpha);                                                                    \
    if (n <= 0 || a.is(0)) return CUBLAS_STATUS_SUCCESS;                                                 \
    /* A sum into one element must not race. */                                                          \
    const int width = incy == 0 ? 1 : threads;                                                           \
    axpy<T><<<incy == 0 ? 1 : ctas(n, threads), width, 0, handle->stream>>>(n, a, x, incx, y, incy);     \
    return launched();                                                                                   \
  }                                                                                                      \
  extern "C" cublasStatus_t cublas##S##scal_v2(cublasHandle_t handle, int n, const T* alpha, T* x,       \
                                               int incx) {                                               \
    if (handle == nullptr) return CUBLAS_STATUS_NOT_INITIALIZED;                                         \
    if (alpha == nullptr) return CUBLAS_STATUS_INVALID_VALUE;                                            \
    if (n <= 0 || incx <= 0) return CUBLAS_STATUS_SUCCESS;                                               \
    scal<T><<<ctas(n, threads), threads, 0, handle->stream>>>(n, Scalar<T>(handle, alpha), x, incx);     \
    return launched();                                                                                   \
  }                                                                                                      \
  extern "C" cublasStatus_t cublas##S##copy_v2(cublasHandle_t handle, int n, const T* x, int incx, T* y, \
                                               int incy) {                                               \
    if (handle == nullptr) return CUBLAS_STATUS_NOT_INITIALIZED;                                         \
    if (n <= 0) return CUBLAS_STATUS_SUCCESS;                                                            \
    copy<T><<<ctas(n, threads), threads, 0, handle->stream>>>(n, x, incx, y, incy);                      \
    return launched();                                                                                   \
  }                                                                                                      \
  extern "C" cublasStatus_t cublas##S##swap_v2(cublasHandle_t handle, int n, T* x, int incx, T* y,       \
                                               int incy) {                                               \
    if (handle == nullptr) return CUBLAS_STATUS_NOT_INITIALIZED;                                         \
    if (n <= 0) return CUBLAS_STATUS_SUCCESS;                                                            \
    swap<T><<<ctas(n, threads), threads, 0, handle->stream>>>(n, x, incx, y, incy);                      \
    return launched();                                                                                   \
  }                                                                                                      \
  extern "C" cublasStatus_t cublas##S##dot_v2(cublasHandle_t handle, int n, const T* x, int incx,        \
                                              const T* y, int incy, T* result) {                         \
    return with_result(handle, n <= 0, result, [&](T* target) {                                          \
      reduce(handle, Sum<T>{x, y}, Keep{}, n, incx, incy, Place(handle, 0).parts, target);               \
    });                                                                                                  \
  }                                                                                                      \
  extern "C" cublasStatus_t cublas##S##asum_v2(cublasHandle_t handle, int n, const T* x, int incx,       \
                                               T* result) {                                              \
    return with_result(handle, n <= 0 || incx <= 0, result, [&](T* target) {                             \
      reduce(handle, AbsoluteSum<T>{x}, Keep{}, n, incx, 0, Place(handle, 0).parts, target);             \
    });                                                                                                  \
  }                                                                                                      \
  extern "C" cublasStatus_t cublas##S##nrm2_v2(cublasHandle_t handle, int n, const T* x, int incx,       \
                                               T* result) {                                              \
    return with_result(handle, n <= 0 || incx <= 0, result, [&](T* target) {                             \
      const Place of_largest(handle, 1);                                                                 \
      T* largest = static_cast<T*>(of_largest.result);                                                   \
      reduce(handle, Largest<T>{x}, Keep{}, n, incx, 0, of_largest.parts, largest);                      \
      reduce(handle, ScaledSquares<T>{x, largest}, ScaledRoot<T>{largest}, n, incx, 0,                   \
             Place(handle, 0).parts, target);                                                            \
    });                                                                                                  \
  }
WANREN_CUBLAS_BOTH(WANREN_LEVEL1)

extern "C" {
cublasStatus_t cublasIsamax(cublasHandle_t handle, int n, const float* x, int incx, int* result) {
  return extreme<true>(handle, n, x, incx, result);
}
cublasStatus_t cublasIdamax(cublasHandle_t handle, int n, const double* x, int incx, int* result) {
  return extreme<true>(handle, n, x, incx, result);
}
cublasStatus_t cublasIsamin(cublasHandle_t handle, int n, const float* x, int incx, int* result) {
  return extreme<false>(handle, n, x, incx, result);
}
cublasStatus_t cublasIdamin(cublasHandle_t handle, int n, const double* x, int incx, int* result) {
  return extreme<false>(handle, n, x, incx, result);
}
}
