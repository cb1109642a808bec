// libcublas against the host's double arithmetic: every transpose, odd sizes, leading dimensions, increments,
// both pointer modes; and the sonames and version nodes that foreign binaries ask for.
#include <cublas_v2.h>
#include <dlfcn.h>

#include <array>
#include <cmath>
#include <random>
#include <vector>

#include "check.h"

#define BLAS(call) EXPECT((call) == CUBLAS_STATUS_SUCCESS)

static std::mt19937 engine(7);

template <typename T>
struct Device {
  std::vector<T> host;
  T* at = nullptr;

  explicit Device(std::size_t n) : host(n) {
    std::uniform_real_distribution<float> any(-1, 1);
    for (T& v : host) v = T(any(engine));
    CUDA(cudaMalloc(&at, n * sizeof(T)));
    send();
  }
  ~Device() { cudaFree(at); }
  void send() { CUDA(cudaMemcpy(at, host.data(), host.size() * sizeof(T), cudaMemcpyHostToDevice)); }
  std::vector<T> back() const {
    std::vector<T> v(host.size());
    CUDA(cudaMemcpy(v.data(), at, v.size() * sizeof(T), cudaMemcpyDeviceToHost));
    return v;
  }
};

static bool near(double got, double exact, double scale, double epsilon) {
  return std::fabs(got - exact) <= 4 * epsilon * scale + epsilon;
}

template <typename T>
struct Blas;
#define TABLE(S, T, I)                                                    \
  template <>                                                             \
  struct Blas<T> {                                                        \
    static constexpr auto axpy = cublas##S##axpy_v2;                      \
    static constexpr auto scal = cublas##S##scal_v2;                      \
    static constexpr auto copy = cublas##S##copy_v2;                      \
    static constexpr auto swap = cublas##S##swap_v2;                      \
    static constexpr auto dot = cublas##S##dot_v2;                        \
    static constexpr auto nrm2 = cublas##S##nrm2_v2;                      \
    static constexpr auto asum = cublas##S##asum_v2;                      \
    static constexpr auto amax = cublas##I##amax_v2;                      \
    static constexpr auto amin = cublas##I##amin_v2;                      \
    static constexpr auto gemv = cublas##S##gemv_v2;                      \
    static constexpr auto ger = cublas##S##ger_v2;                        \
    static constexpr auto gemm = cublas##S##gemm_v2;                      \
    static constexpr auto strided = cublas##S##gemmStridedBatched;        \
    static constexpr auto batched = cublas##S##gemmBatched;               \
    static constexpr auto geam = cublas##S##geam;                         \
    static constexpr double epsilon = sizeof(T) == 4 ? 0x1p-22 : 0x1p-50; \
  };
TABLE(S, float, Is)
TABLE(D, double, Id)

static std::size_t at(int i, int n, int inc) {
  return inc < 0 ? (std::size_t)(i + 1 - n) * inc : (std::size_t)i * inc;
}

template <typename T>
void vectors(cublasHandle_t handle) {
  using B = Blas<T>;
  for (const int n : {0, 1, 255, 9000})
    for (const auto& [incx, incy] : {std::array{1, 1}, std::array{-2, 2}, std::array{3, -1}}) {
      Device<T> x(n * 3 + 1), y(n * 2 + 1);
      const T alpha = T(0.75);
      BLAS(B::axpy(handle, n, &alpha, x.at, incx, y.at, incy));
      auto r = y.back();
      for (int i = 0; i < n; ++i)
        EXPECT(
            near(r[at(i, n, incy)], y.host[at(i, n, incy)] + 0.75 * x.host[at(i, n, incx)], 2, B::epsilon));
      y.send();
      BLAS(B::swap(handle, n, x.at, incx, y.at, incy));
      r = y.back();
      for (int i = 0; i < n; ++i) EXPECT(r[at(i, n, incy)] == x.host[at(i, n, incx)]);
      BLAS(B::swap(handle, n, x.at, incx, y.at, incy));
      EXPECT(x.back() == x.host && y.back() == y.host);

      long double dot = 0, sum = 0, squares = 0;
      int most = 0, least = 0;
      for (int i = 0; i < n; ++i) {
        dot += (double)x.host[at(i, n, incx)] * y.host[at(i, n, incy)];
        if (incx < 0) continue;
        const double v = std::fabs((double)x.host[at(i, n, incx)]);
        sum += v, squares += v * v;
        if (most == 0 || v > std::fabs((double)x.host[at(most - 1, n, incx)])) most = i + 1;
        if (least == 0 || v < std::fabs((double)x.host[at(least - 1, n, incx)])) least = i + 1;
      }
      T got = -1, *on_device = nullptr;
      int index = -1;
      BLAS(B::dot(handle, n, x.at, incx, y.at, incy, &got));
      EXPECT(near(got, dot, std::sqrt(n + 1.0), B::epsilon));
      CUDA(cudaMalloc(&on_device, sizeof(T)));
      BLAS(cublasSetPointerMode(handle, CUBLAS_POINTER_MODE_DEVICE));
      BLAS(B::dot(handle, n, x.at, incx, y.at, incy, on_device));
      BLAS(cublasSetPointerMode(handle, CUBLAS_POINTER_MODE_HOST));
      T again = -2;
      CUDA(cudaMemcpy(&again, on_device, sizeof(T), cudaMemcpyDeviceToHost));
      EXPECT(again == got);
      CUDA(cudaFree(on_device));
      BLAS(B::asum(handle, n, x.at, incx, &got));
      EXPECT(near(got, sum, n + 1.0, B::epsilon));
      BLAS(B::nrm2(handle, n, x.at, incx, &got));
      EXPECT(near(got, sqrtl(squares), std::sqrt(n + 1.0), B::epsilon));
      BLAS(B::amax(handle, n, x.at, incx, &index));
      EXPECT(index == most);
      BLAS(B::amin(handle, n, x.at, incx, &index));
      EXPECT(index == least);
      BLAS(B::copy(handle, n, x.at, incx, y.at, incy));
      r = y.back();
      for (int i = 0; i < n; ++i) EXPECT(r[at(i, n, incy)] == x.host[at(i, n, incx)]);
      BLAS(B::scal(handle, n, &alpha, x.at, incx));
      r = x.back();
      for (int i = 0; i < n && incx > 0; ++i) EXPECT(r[at(i, n, incx)] == alpha * x.host[at(i, n, incx)]);
    }
  // Squares that would overflow or vanish.
  for (const double size : {sizeof(T) == 4 ? 1e30 : 1e300, sizeof(T) == 4 ? 1e-30 : 1e-300}) {
    Device<T> x(2);
    x.host = {T(3 * size), T(4 * size)};
    x.send();
    T got = 0;
    BLAS(B::nrm2(handle, 2, x.at, 1, &got));
    EXPECT(near(got / size, 5, 5, B::epsilon));
  }
}

template <typename T>
void matrices(cublasHandle_t handle) {
  using B = Blas<T>;
  const auto element = [](const std::vector<T>& a, int ld, bool t, int i, int j) {
    return (double)(t ? a[j + (std::size_t)i * ld] : a[i + (std::size_t)j * ld]);
  };
  for (const auto opa : {CUBLAS_OP_N, CUBLAS_OP_T, CUBLAS_OP_C})
    for (const auto opb : {CUBLAS_OP_N, CUBLAS_OP_T})
      for (const auto& [m, n, k] : {std::array{65, 33, 17}, std::array{7, 130, 1}, std::array{20, 10, 0}})
        for (const double beta : {0.0, -0.5}) {
          const bool ta = opa != CUBLAS_OP_N, tb = opb != CUBLAS_OP_N;
          const int lda = (ta ? k : m) + 3, ldb = (tb ? n : k) + 2, ldc = m + 1, count = 3;
          const std::size_t sa = (std::size_t)lda * (ta ? m : k), sb = (std::size_t)ldb * (tb ? k : n),
                            sc = (std::size_t)ldc * n;
          Device<T> a(sa * count + 1), b(sb * count + 1), c(sc * count), d(sc * count), e(sc * count);
          if (beta == 0) c.host.assign(c.host.size(), T(NAN)), c.send();
          d.host = e.host = c.host;
          d.send(), e.send();
          const T alpha = T(1.25), keep = T(beta);
          BLAS(B::gemm(handle, opa, opb, m, n, k, &alpha, a.at, lda, b.at, ldb, &keep, c.at, ldc));
          BLAS(B::strided(handle, opa, opb, m, n, k, &alpha, a.at, lda, sa, b.at, ldb, sb, &keep, d.at, ldc,
                          sc, count));
          std::vector<T*> pointers;
          for (int i = 0; i < count; ++i) pointers.push_back(a.at + sa * i);
          for (int i = 0; i < count; ++i) pointers.push_back(b.at + sb * i);
          for (int i = 0; i < count; ++i) pointers.push_back(e.at + sc * i);
          T** table = nullptr;
          CUDA(cudaMalloc(&table, pointers.size() * sizeof(T*)));
          CUDA(cudaMemcpy(table, pointers.data(), pointers.size() * sizeof(T*), cudaMemcpyHostToDevice));
          BLAS(B::batched(handle, opa, opb, m, n, k, &alpha, table, lda, table + count, ldb, &keep,
                          table + 2 * count, ldc, count));
          const auto one = c.back(), all = d.back(), each = e.back();
          CUDA(cudaFree(table));
          for (int s = 0; s < count; ++s)
            for (int j = 0; j < n; ++j)
              for (int i = 0; i < m; ++i) {
                double sum = 0;
                for (int l = 0; l < k; ++l)
                  sum += (double)a.host[sa * s + (ta ? l + (std::size_t)i * lda : i + (std::size_t)l * lda)] *
                         b.host[sb * s + (tb ? j + (std::size_t)l * ldb : l + (std::size_t)j * ldb)];
                const std::size_t where = sc * s + i + (std::size_t)j * ldc;
                const double exact = 1.25 * sum + (beta == 0 ? 0 : beta * c.host[where]);
                EXPECT(near(all[where], exact, k + 2, B::epsilon));
                EXPECT(each[where] == all[where]);
                if (s == 0) EXPECT(one[where] == all[where]);
              }
        }
  for (const auto op : {CUBLAS_OP_N, CUBLAS_OP_T})
    for (const int inc : {1, -2}) {
      const int m = 77, n = 130, lda = 80;
      const bool t = op != CUBLAS_OP_N;
      Device<T> a(lda * n), x(2 * (t ? m : n)), y(2 * (t ? n : m)), z(2 * m), w(2 * n);
      const T alpha = T(0.5), beta = T(2);
      BLAS(B::gemv(handle, op, m, n, &alpha, a.at, lda, x.at, inc, &beta, y.at, inc));
      const auto r = y.back();
      const int rows = t ? n : m, columns = t ? m : n;
      for (int i = 0; i < rows; ++i) {
        double sum = 0;
        for (int j = 0; j < columns; ++j) sum += element(a.host, lda, t, i, j) * x.host[at(j, columns, inc)];
        EXPECT(near(r[at(i, rows, inc)], 0.5 * sum + 2.0 * y.host[at(i, rows, inc)], columns, B::epsilon));
      }
      BLAS(B::ger(handle, m, n, &alpha, z.at, inc, w.at, inc, a.at, lda));
      const auto g = a.back();
      for (int j = 0; j < n; ++j)
        for (int i = 0; i < m; ++i)
          EXPECT(near(g[i + j * lda],
                      a.host[i + j * lda] + 0.5 * z.host[at(i, m, inc)] * w.host[at(j, n, inc)], 3,
                      B::epsilon));
    }
  Device<T> a(50 * 40), b(40 * 50), c(40 * 50);
  const T one = 1, two = 2;
  BLAS(B::geam(handle, CUBLAS_OP_T, CUBLAS_OP_N, 40, 50, &one, a.at, 50, &two, b.at, 40, c.at, 40));
  const auto sum = c.back();
  for (int j = 0; j < 50; ++j)
    for (int i = 0; i < 40; ++i)
      EXPECT(near(sum[i + j * 40], a.host[j + i * 50] + 2.0 * b.host[i + j * 40], 3, B::epsilon));
}

template <typename In>
void narrow(cublasHandle_t handle, cudaDataType type) {
  const int m = 48, n = 70, k = 33;
  Device<In> a(m * k), b(k * n), c(m * n);
  Device<float> d(m * n);
  const float alpha = 1, beta = 0;
  BLAS(cublasGemmEx(handle, CUBLAS_OP_N, CUBLAS_OP_N, m, n, k, &alpha, a.at, type, m, b.at, type, k, &beta,
                    c.at, type, m, CUBLAS_COMPUTE_32F, CUBLAS_GEMM_DEFAULT));
  BLAS(cublasGemmEx(handle, CUBLAS_OP_N, CUBLAS_OP_N, m, n, k, &alpha, a.at, type, m, b.at, type, k, &beta,
                    d.at, CUDA_R_32F, m, CUBLAS_COMPUTE_32F_FAST_16F, CUBLAS_GEMM_DEFAULT_TENSOR_OP));
  const auto r = c.back();
  const auto wide = d.back();
  for (int j = 0; j < n; ++j)
    for (int i = 0; i < m; ++i) {
      double sum = 0;
      for (int l = 0; l < k; ++l) sum += (double)(float)a.host[i + l * m] * (float)b.host[l + j * k];
      EXPECT(near(wide[i + j * m], sum, k, 0x1p-22));
      EXPECT((float)r[i + j * m] == (float)In(wide[i + j * m]));
    }
}

// The chip's time of one product, by events.
static int timed(cublasHandle_t handle) {
  const int n = 160;
  Device<float> a(n * n), b(n * n), c(n * n);
  const float alpha = 1, beta = 0;
  cudaEvent_t begin, end;
  CUDA(cudaEventCreate(&begin));
  CUDA(cudaEventCreate(&end));
  CUDA(cudaEventRecord(begin));
  BLAS(cublasSgemm(handle, CUBLAS_OP_N, CUBLAS_OP_T, n, n, n, &alpha, a.at, n, b.at, n, &beta, c.at, n));
  CUDA(cudaEventRecord(end));
  CUDA(cudaEventSynchronize(end));
  float ms = 0;
  CUDA(cudaEventElapsedTime(&ms, begin, end));
  // No chip that is shipped makes 100 TFLOP/s of this, nor takes a second.
  EXPECT(ms > 2e-9 * n * n * n / 100 && ms < 1000);
  std::printf("PASS\n");
  return 0;
}

int main(int argc, char**) {
  cublasHandle_t handle;
  BLAS(cublasCreate(&handle));
  if (argc > 1) return timed(handle);
  vectors<float>(handle);
  vectors<double>(handle);
  matrices<float>(handle);
  matrices<double>(handle);
  narrow<__half>(handle, CUDA_R_16F);
  narrow<__nv_bfloat16>(handle, CUDA_R_16BF);

  const float alpha = 1;
  Device<float> x(16);
  EXPECT(cublasSgemm(handle, CUBLAS_OP_N, CUBLAS_OP_N, 4, 4, 4, &alpha, x.at, 3, x.at, 4, &alpha, x.at, 4) ==
         CUBLAS_STATUS_INVALID_VALUE);
  EXPECT(cublasSscal(nullptr, 4, &alpha, x.at, 1) == CUBLAS_STATUS_NOT_INITIALIZED);
  BLAS(cublasDestroy(handle));

  for (const char* soname : {"libcublas.so.11", "libcublas.so.12", "libcublas.so.13"}) {
    void* library = dlopen(soname, RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr) std::printf("%s\n", dlerror());
    EXPECT(library != nullptr);
    EXPECT(dlvsym(library, "cublasSgemm_v2", soname) != nullptr);
    EXPECT(dlvsym(library, "cublasCreate_v2", soname) != nullptr);
  }
  std::printf("PASS\n");
}
