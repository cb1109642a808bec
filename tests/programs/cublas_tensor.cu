// Products on matrix units through cublasGemmStridedBatchedEx: every type, transposition, edge and alignment
// against the host, exactly: elements are quarters of small whole numbers, so that no order of the sums
// rounds. Or with -m M -n N -k K [-type f16|bf16|tf32|s8] [-ops NT]: one large product, its rate, and some of
// its elements checked.
#include <cublas_v2.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "check.h"

#define BLAS(call) EXPECT((call) == CUBLAS_STATUS_SUCCESS)

namespace {

std::mt19937 engine(5);

template <cudaDataType>
struct Element;
template <>
struct Element<CUDA_R_16F> {
  using Type = __half;
};
template <>
struct Element<CUDA_R_16BF> {
  using Type = __nv_bfloat16;
};
template <>
struct Element<CUDA_R_32F> {
  using Type = float;
};
template <>
struct Element<CUDA_R_8I> {
  using Type = signed char;
};
template <>
struct Element<CUDA_R_32I> {
  using Type = int;
};

template <typename T>
T any() {
  const int v = static_cast<int>(engine() % 17) - 8;
  if constexpr (std::is_same_v<T, signed char> || std::is_same_v<T, int>) return static_cast<T>(v);
  return static_cast<T>(static_cast<float>(v) / 4);
}
template <typename T>
double value(T v) {
  return static_cast<double>(static_cast<float>(v));
}
template <>
double value(int v) {
  return v;
}
template <typename T>
T nan_of() {
  if constexpr (std::is_same_v<T, signed char> || std::is_same_v<T, int>) return T(77);
  return static_cast<T>(NAN);
}

/// A matrix of each product of a batch, by columns.
template <typename T>
struct Batch {
  T* at;
  int ld;
  long long stride;
  size_t elements;
  Batch(int rows, int columns, int count, int padding, int gap, bool repeats, int offset)
      : ld(rows + padding), stride(repeats ? 0 : static_cast<long long>(ld) * columns + gap) {
    elements = static_cast<size_t>(ld) * columns + static_cast<size_t>(stride) * (count - 1) + offset;
    CUDA(cudaMallocManaged(&base, sizeof(T) * (elements + 1)));
    for (size_t i = 0; i < elements; ++i) base[i] = any<T>();
    at = base + offset;
  }
  Batch(const Batch&) = delete;
  ~Batch() { cudaFree(base); }
  T* base;
};

struct Case {
  cublasOperation_t a, b;
  int m, n, k;
  int count = 1;
  int padding = 0;  // to the leading dimensions
  int offset = 0;   // of the first element
  double alpha = 1, beta = 0;
  bool scalars_on_device = false, a_repeats = false;
};

template <cudaDataType In, cudaDataType Out, typename Scale>
void check(cublasHandle_t handle, cublasComputeType_t compute, const Case& c) {
  using I = typename Element<In>::Type;
  using O = typename Element<Out>::Type;
  const bool ta = c.a != CUBLAS_OP_N, tb = c.b != CUBLAS_OP_N;
  const Batch<I> a(ta ? c.k : c.m, ta ? c.m : c.k, c.count, c.padding, c.padding * 3, c.a_repeats, c.offset),
      b(tb ? c.n : c.k, tb ? c.k : c.n, c.count, c.padding, c.padding * 3, false, c.offset);
  const Batch<O> r(c.m, c.n, c.count, c.padding, c.padding, false, c.offset);
  if (c.alpha == 0) std::fill(a.base, a.base + a.elements, nan_of<I>());
  if (c.beta == 0) std::fill(r.base, r.base + r.elements, nan_of<O>());
  const std::vector<O> before(r.base, r.base + r.elements);
  Scale* scalars;
  CUDA(cudaMallocManaged(&scalars, 2 * sizeof(Scale)));
  scalars[0] = static_cast<Scale>(c.alpha), scalars[1] = static_cast<Scale>(c.beta);
  const Scale host[2] = {scalars[0], scalars[1]};
  BLAS(cublasSetPointerMode(handle,
                            c.scalars_on_device ? CUBLAS_POINTER_MODE_DEVICE : CUBLAS_POINTER_MODE_HOST));
  const Scale* const s = c.scalars_on_device ? scalars : host;
  BLAS(cublasGemmStridedBatchedEx(handle, c.a, c.b, c.m, c.n, c.k, &s[0], a.at, In, a.ld, a.stride, b.at, In,
                                  b.ld, b.stride, &s[1], r.at, Out, r.ld, r.stride, c.count, compute,
                                  CUBLAS_GEMM_DEFAULT));
  CUDA(cudaDeviceSynchronize());
  std::vector<bool> written(r.elements);
  for (int batch = 0; batch < c.count; ++batch) {
    const I *x = a.at + batch * a.stride, *y = b.at + batch * b.stride;
    for (int j = 0; j < c.n; ++j)
      for (int i = 0; i < c.m; ++i) {
        double sum = 0;
        if (host[0] != Scale{})
          for (int k = 0; k < c.k; ++k)
            sum +=
                value(x[ta ? k + static_cast<long long>(i) * a.ld : i + static_cast<long long>(k) * a.ld]) *
                value(y[tb ? j + static_cast<long long>(k) * b.ld : k + static_cast<long long>(j) * b.ld]);
        const size_t at =
            static_cast<size_t>(r.at - r.base) + batch * r.stride + i + static_cast<size_t>(j) * r.ld;
        double exact = host[0] * sum;
        if (host[1] != Scale{}) exact += host[1] * value(before[at]);
        O wanted;
        if constexpr (std::is_same_v<O, int>)
          wanted = static_cast<int>(exact);
        else
          wanted = static_cast<O>(static_cast<float>(exact));
        written[at] = true;
        if (value(r.base[at]) == value(wanted)) continue;
        std::printf(
            "FAIL types %d %d, ops %d %d, %d x %d x %d, batch %d of %d, padding %d, offset %d: at %d, %d %g, "
            "not %g\n",
            In, Out, c.a, c.b, c.m, c.n, c.k, batch, c.count, c.padding, c.offset, i, j, value(r.base[at]),
            value(wanted));
        std::exit(1);
      }
  }
  for (size_t i = 0; i < r.elements; ++i)
    EXPECT(written[i] || !std::memcmp(&r.base[i], &before[i], sizeof(O)));
  CUDA(cudaFree(scalars));
}

template <cudaDataType In, cudaDataType Out, typename Scale = float>
void check_all(cublasHandle_t handle, cublasComputeType_t compute) {
  const cublasOperation_t ops[] = {CUBLAS_OP_N, CUBLAS_OP_T};
  for (const auto a : ops)
    for (const auto b : ops) {
      check<In, Out, Scale>(handle, compute, {a, b, 128, 256, 64});
      check<In, Out, Scale>(handle, compute, {a, b, 144, 272, 80, 1, 16, 0, 2, 3});
      // Rows and columns that end inside a tile, k inside a slice; rows at multiples of 16 bytes.
      check<In, Out, Scale>(handle, compute, {a, b, 133, 301, 90, 1, 16 - 133 % 16, 0, -1, 1});
      check<In, Out, Scale>(handle, compute, {a, b, 48, 16, 200, 3, 0, 0, 1, 0});
      // Not so: whatever kernel this comes to.
      check<In, Out, Scale>(handle, compute, {a, b, 70, 45, 33, 2, 1, 0, 1, 2});
      check<In, Out, Scale>(handle, compute, {a, b, 64, 64, 32, 1, 0, 1, 1, 0});
    }
  check<In, Out, Scale>(handle, compute, {ops[1], ops[0], 64, 96, 64, 2, 0, 0, 1, 1, true});
  check<In, Out, Scale>(handle, compute, {ops[1], ops[0], 64, 96, 64, 3, 0, 0, 1, 0, false, true});
  check<In, Out, Scale>(handle, compute, {ops[1], ops[0], 64, 96, 64, 1, 0, 0, 0, 2});
  check<In, Out, Scale>(handle, compute, {ops[1], ops[0], 64, 96, 0, 1, 16, 0, 1, 2});
  // More tiles than the chip takes at once.
  check<In, Out, Scale>(handle, compute, {ops[1], ops[0], 64, 64, 16, 300, 0, 0, 1, 0});
}

const char* option(int argc, char** argv, const char* name, const char* otherwise) {
  for (int i = 1; i + 1 < argc; ++i)
    if (!std::strcmp(argv[i], name)) return argv[i + 1];
  return otherwise;
}

/// One product with random elements, some sums checked within what the order of the additions may do.
template <cudaDataType In, cudaDataType Out, typename Scale = float>
void run(cublasHandle_t handle, cublasComputeType_t compute, int m, int n, int k, const char* ops) {
  using I = typename Element<In>::Type;
  using O = typename Element<Out>::Type;
  const bool ta = ops[0] == 'T', tb = ops[1] == 'T';
  const size_t size_a = static_cast<size_t>(m) * k, size_b = static_cast<size_t>(n) * k,
               size_c = static_cast<size_t>(m) * n;
  std::vector<I> a(size_a), b(size_b);
  for (I& v : a) v = any<I>();
  for (I& v : b) v = any<I>();
  I *da, *db;
  O* dc;
  CUDA(cudaMalloc(&da, size_a * sizeof(I)));
  CUDA(cudaMalloc(&db, size_b * sizeof(I)));
  CUDA(cudaMalloc(&dc, size_c * sizeof(O)));
  CUDA(cudaMemcpy(da, a.data(), size_a * sizeof(I), cudaMemcpyHostToDevice));
  CUDA(cudaMemcpy(db, b.data(), size_b * sizeof(I), cudaMemcpyHostToDevice));
  const Scale one = 1, zero = 0;
  cudaEvent_t begin, end;
  CUDA(cudaEventCreate(&begin));
  CUDA(cudaEventCreate(&end));
  CUDA(cudaEventRecord(begin));
  BLAS(cublasGemmEx(handle, ta ? CUBLAS_OP_T : CUBLAS_OP_N, tb ? CUBLAS_OP_T : CUBLAS_OP_N, m, n, k, &one, da,
                    In, ta ? k : m, db, In, tb ? n : k, &zero, dc, Out, m, compute, CUBLAS_GEMM_DEFAULT));
  CUDA(cudaEventRecord(end));
  CUDA(cudaDeviceSynchronize());
  float ms;
  CUDA(cudaEventElapsedTime(&ms, begin, end));
  std::vector<O> c(size_c);
  CUDA(cudaMemcpy(c.data(), dc, size_c * sizeof(O), cudaMemcpyDeviceToHost));
  for (int checks = 0; checks < 2000; ++checks) {
    const size_t i = engine() % m, j = engine() % n;
    double sum = 0;
    for (size_t l = 0; l < static_cast<size_t>(k); ++l)
      sum += value(a[ta ? l + i * k : i + l * m]) * value(b[tb ? j + l * n : l + j * k]);
    const double got = value(c[i + j * m]);
    if (std::fabs(got - sum) <= std::max(1.0, std::fabs(sum)) * (sizeof(O) == 2 ? 0x1p-7 : 0x1p-18)) continue;
    std::printf("FAIL at %zu, %zu: %g, not %g\n", i, j, got, sum);
    std::exit(1);
  }
  std::printf("%d x %d x %d: %.4f ms, %.1f TFLOP/s\nPASS\n", m, n, k, ms,
              2.0 * m * n * k / (ms * 1e-3) * 1e-12);
}

}  // namespace

int main(int argc, char** argv) {
  cublasHandle_t handle;
  BLAS(cublasCreate(&handle));
  const std::string type = option(argc, argv, "-type", "");
  const auto is = [&](const char* name) { return type.empty() || type == name; };
  if (const int n = std::atoi(option(argc, argv, "-n", "0")); n > 0) {
    const int m = std::atoi(option(argc, argv, "-m", option(argc, argv, "-n", "0"))),
              k = std::atoi(option(argc, argv, "-k", option(argc, argv, "-n", "0")));
    const char* const ops = option(argc, argv, "-ops", "TN");
    if (type == "f16")
      run<CUDA_R_16F, CUDA_R_16F>(handle, CUBLAS_COMPUTE_32F, m, n, k, ops);
    else if (type == "tf32")
      run<CUDA_R_32F, CUDA_R_32F>(handle, CUBLAS_COMPUTE_32F_FAST_TF32, m, n, k, ops);
    else if (type == "s8")
      run<CUDA_R_8I, CUDA_R_32I, int>(handle, CUBLAS_COMPUTE_32I, m, n, k, ops);
    else
      run<CUDA_R_16BF, CUDA_R_16BF>(handle, CUBLAS_COMPUTE_32F, m, n, k, ops);
    BLAS(cublasDestroy(handle));
    return 0;
  }
  if (is("f16")) {
    check_all<CUDA_R_16F, CUDA_R_16F>(handle, CUBLAS_COMPUTE_32F);
    check_all<CUDA_R_16F, CUDA_R_32F>(handle, CUBLAS_COMPUTE_32F);
  }
  if (is("bf16")) {
    check_all<CUDA_R_16BF, CUDA_R_16BF>(handle, CUBLAS_COMPUTE_32F);
    check_all<CUDA_R_16BF, CUDA_R_32F>(handle, CUBLAS_COMPUTE_32F);
  }
  if (is("tf32")) check_all<CUDA_R_32F, CUDA_R_32F>(handle, CUBLAS_COMPUTE_32F_FAST_TF32);
  if (is("s8")) {
    check_all<CUDA_R_8I, CUDA_R_32I, int>(handle, CUBLAS_COMPUTE_32I);
    check_all<CUDA_R_8I, CUDA_R_32F>(handle, CUBLAS_COMPUTE_32F);
  }
  BLAS(cublasDestroy(handle));
  std::printf("PASS\n");
}
