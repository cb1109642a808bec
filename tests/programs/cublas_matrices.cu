// Symmetric and triangular matrices, factors of batches, complex, half and integer products against the
// host's doubles.
#include <cublas_v2.h>

#include <cmath>
#include <complex>
#include <random>
#include <vector>

#include "check.h"

#define BLAS(call) EXPECT((call) == CUBLAS_STATUS_SUCCESS)

static std::mt19937 engine(11);

template <typename T>
struct Matrix {
  T* at;
  int rows, columns, ld;
  Matrix(int r, int c, int margin = 3) : rows(r), columns(c), ld(r + margin) {
    CUDA(cudaMallocManaged(&at, sizeof(T) * ld * (c + 1)));
    for (int i = 0; i < ld * (c + 1); ++i) at[i] = any();
  }
  Matrix(const Matrix&) = delete;
  ~Matrix() { cudaFree(at); }
  T& operator()(int i, int j) const { return at[i + j * ld]; }
  static T any() { return T(std::uniform_real_distribution<double>(-1, 1)(engine)); }
};
template <typename T>
struct Blas;
#define TABLE(S, T)                                                       \
  template <>                                                             \
  struct Blas<T> {                                                        \
    static constexpr auto syrk = cublas##S##syrk_v2;                      \
    static constexpr auto symm = cublas##S##symm_v2;                      \
    static constexpr auto trmm = cublas##S##trmm_v2;                      \
    static constexpr auto trsm = cublas##S##trsm_v2;                      \
    static constexpr auto symv = cublas##S##symv_v2;                      \
    static constexpr auto trsv = cublas##S##trsv_v2;                      \
    static constexpr auto getrf = cublas##S##getrfBatched;                \
    static constexpr auto getrs = cublas##S##getrsBatched;                \
    static constexpr auto getri = cublas##S##getriBatched;                \
    static constexpr auto trsms = cublas##S##trsmBatched;                 \
    static constexpr double epsilon = sizeof(T) == 4 ? 0x1p-20 : 0x1p-48; \
  };
TABLE(S, float)
TABLE(D, double)

static void near(double got, double exact, double size, double epsilon) {
  if (!(std::fabs(got - exact) <= epsilon * size)) {
    std::printf("FAIL %.9g for %.9g\n", got, exact);
    std::exit(1);
  }
}

template <typename T>
static void triangles(cublasHandle_t handle) {
  using B = Blas<T>;
  const int m = 37, n = 21;
  const T alpha = T(0.75), beta = T(-0.5);
  for (const cublasFillMode_t fill : {CUBLAS_FILL_MODE_LOWER, CUBLAS_FILL_MODE_UPPER})
    for (const cublasSideMode_t side : {CUBLAS_SIDE_LEFT, CUBLAS_SIDE_RIGHT}) {
      const bool upper = fill == CUBLAS_FILL_MODE_UPPER, left = side == CUBLAS_SIDE_LEFT;
      const int order = left ? m : n;
      Matrix<T> a(order, order), b(m, n), c(m, n), d(m, n);
      for (int i = 0; i < order; ++i) a(i, i) += a(i, i) < 0 ? -order : order;
      const auto symmetric = [&](int i, int j) -> double {
        return upper == (i <= j) || i == j ? a(i, j) : a(j, i);
      };
      for (int j = 0; j < n; ++j)
        for (int i = 0; i < m; ++i) d(i, j) = c(i, j);
      BLAS(B::symm(handle, side, fill, m, n, &alpha, a.at, a.ld, b.at, b.ld, &beta, c.at, c.ld));
      CUDA(cudaDeviceSynchronize());
      for (int j = 0; j < n; ++j)
        for (int i = 0; i < m; ++i) {
          double sum = 0;
          for (int k = 0; k < order; ++k)
            sum += left ? symmetric(i, k) * b(k, j) : double(b(i, k)) * symmetric(k, j);
          near(c(i, j), alpha * sum + beta * d(i, j), order, B::epsilon);
        }
      for (const cublasOperation_t op : {CUBLAS_OP_N, CUBLAS_OP_T})
        for (const cublasDiagType_t diagonal : {CUBLAS_DIAG_NON_UNIT, CUBLAS_DIAG_UNIT}) {
          const bool unit = diagonal == CUBLAS_DIAG_UNIT;
          // With ones on the diagonal the rest is made small, so that solutions stay so.
          const double shrink = unit ? 1.0 / order : 1;
          for (int j = 0; j < order; ++j)
            for (int i = 0; i < order; ++i)
              if (i != j) a(i, j) = T(Matrix<double>::any() * shrink);
          const auto element = [&](int i, int j) -> double {
            if (op == CUBLAS_OP_T) std::swap(i, j);
            return i == j ? (unit ? 1 : double(a(i, i))) : (upper == (i < j) ? double(a(i, j)) : 0);
          };
          BLAS(B::trmm(handle, side, fill, op, diagonal, m, n, &alpha, a.at, a.ld, b.at, b.ld, c.at, c.ld));
          CUDA(cudaDeviceSynchronize());
          for (int j = 0; j < n; ++j)
            for (int i = 0; i < m; ++i) {
              double sum = 0;
              for (int k = 0; k < order; ++k)
                sum += left ? element(i, k) * b(k, j) : double(b(i, k)) * element(k, j);
              near(c(i, j), alpha * sum, 2 * order, B::epsilon);
            }
          // Back to what it was made from, times alpha twice.
          BLAS(B::trsm(handle, side, fill, op, diagonal, m, n, &alpha, a.at, a.ld, c.at, c.ld));
          CUDA(cudaDeviceSynchronize());
          for (int j = 0; j < n; ++j)
            for (int i = 0; i < m; ++i) near(c(i, j), double(alpha) * alpha * b(i, j), 8, B::epsilon);
          if (!left) continue;
          T* x;
          CUDA(cudaMallocManaged(&x, 2 * m * sizeof(T)));
          for (int i = 0; i < 2 * m; ++i) x[i] = b(i / 2, 0);
          BLAS(B::trsv(handle, fill, op, diagonal, m, a.at, a.ld, x, -2));
          CUDA(cudaDeviceSynchronize());
          for (int i = 0; i < m; ++i) {
            double sum = 0;
            for (int k = 0; k < m; ++k) sum += element(i, k) * x[2 * (m - 1 - k)];
            near(sum, b(m - 1 - i, 0), 8, B::epsilon);
          }
          CUDA(cudaFree(x));
        }
      if (!left) continue;
      Matrix<T> x(m, 1), y(m, 1), z(m, 1);
      for (int i = 0; i < m; ++i) z(i, 0) = y(i, 0);
      BLAS(B::symv(handle, fill, m, &alpha, a.at, a.ld, x.at, 1, &beta, y.at, 1));
      for (const cublasOperation_t op : {CUBLAS_OP_N, CUBLAS_OP_T}) {
        const bool plain = op == CUBLAS_OP_N;
        Matrix<T> k(plain ? m : n, plain ? n : m), s(m, m), old(m, m);
        for (int j = 0; j < m; ++j)
          for (int i = 0; i < m; ++i) old(i, j) = s(i, j);
        BLAS(B::syrk(handle, fill, op, m, n, &alpha, k.at, k.ld, &beta, s.at, s.ld));
        CUDA(cudaDeviceSynchronize());
        for (int j = 0; j < m; ++j)
          for (int i = 0; i < m; ++i) {
            double sum = 0;
            for (int q = 0; q < n; ++q) sum += plain ? double(k(i, q)) * k(j, q) : double(k(q, i)) * k(q, j);
            const bool given = i == j || upper == (i < j);
            near(s(i, j), given ? alpha * sum + beta * old(i, j) : double(old(i, j)), n, B::epsilon);
          }
      }
      for (int i = 0; i < m; ++i) {
        double sum = 0;
        for (int k = 0; k < m; ++k) sum += symmetric(i, k) * x(k, 0);
        near(y(i, 0), alpha * sum + beta * z(i, 0), m, B::epsilon);
      }
    }
}

template <typename T>
static void factors(cublasHandle_t handle) {
  using B = Blas<T>;
  for (const int n : {1, 5, 40}) {
    const int count = 3, columns = 4;
    T **a, **b, **c;
    int *pivots, *info, host_info = -1;
    CUDA(cudaMallocManaged(&a, count * sizeof(T*)));
    CUDA(cudaMallocManaged(&b, count * sizeof(T*)));
    CUDA(cudaMallocManaged(&c, count * sizeof(T*)));
    CUDA(cudaMallocManaged(&pivots, count * n * sizeof(int)));
    CUDA(cudaMallocManaged(&info, count * sizeof(int)));
    Matrix<T> all(n, n * count, 2), right(n, columns * count, 1), inverse(n, n * count, 0);
    std::vector<double> old(n * n * count), wanted(n * columns * count);
    for (int i = 0; i < n * n * count; ++i) old[i] = all(i % n, i / n);
    for (int i = 0; i < n * columns * count; ++i) wanted[i] = right(i % n, i / n);
    for (int i = 0; i < count; ++i)
      a[i] = &all(0, n * i), b[i] = &right(0, columns * i), c[i] = &inverse(0, n * i);
    BLAS(B::getrf(handle, n, a, all.ld, pivots, info, count));
    BLAS(B::getrs(handle, CUBLAS_OP_N, n, columns, a, all.ld, pivots, b, right.ld, &host_info, count));
    CUDA(cudaDeviceSynchronize());
    EXPECT(host_info == 0);
    const double size = 4000.0 * n;
    for (int i = 0; i < count; ++i) {
      EXPECT(info[i] == 0);
      for (int col = 0; col < columns; ++col)
        for (int r = 0; r < n; ++r) {
          double sum = 0;
          for (int k = 0; k < n; ++k) sum += old[r + n * (k + n * i)] * right(k, columns * i + col);
          near(sum, wanted[r + n * (col + columns * i)], size, B::epsilon);
        }
    }
    for (int i = 0; i < n * columns * count; ++i) right(i % n, i / n) = T(wanted[i]);
    BLAS(B::getrs(handle, CUBLAS_OP_T, n, columns, a, all.ld, pivots, b, right.ld, &host_info, count));
    BLAS(B::getri(handle, n, a, all.ld, pivots, c, inverse.ld, info, count));
    CUDA(cudaDeviceSynchronize());
    for (int i = 0; i < count; ++i)
      for (int col = 0; col < n; ++col)
        for (int r = 0; r < n; ++r) {
          double sum = 0, transposed = 0;
          for (int k = 0; k < n; ++k) {
            sum += old[r + n * (k + n * i)] * inverse(k, n * i + col);
            if (col < columns) transposed += old[k + n * (r + n * i)] * right(k, columns * i + col);
          }
          near(sum, r == col, size, B::epsilon);
          if (col < columns) near(transposed, wanted[r + n * (col + columns * i)], size, B::epsilon);
        }
    // Singular: two rows alike.
    if (n == 5) {
      for (int j = 0; j < n; ++j)
        for (int i = 0; i < n; ++i) a[0][i + j * all.ld] = T(i == j && i != 2);
      BLAS(B::getrf(handle, n, a, all.ld, pivots, info, 1));
      CUDA(cudaDeviceSynchronize());
      EXPECT(info[0] == 3);
    }
    T* lower = a[1];
    for (int j = 0; j < n; ++j)
      for (int i = 0; i < n; ++i) lower[i + j * all.ld] = a[2][i + j * all.ld] = T(i == j ? 2 : 0.25 / n);
    for (int i = 0; i < n * columns * count; ++i) right(i % n, i / n) = T(wanted[i]);
    const T one = 1;
    BLAS(B::trsms(handle, CUBLAS_SIDE_LEFT, CUBLAS_FILL_MODE_LOWER, CUBLAS_OP_N, CUBLAS_DIAG_NON_UNIT, n,
                  columns, &one, a + 1, all.ld, b + 1, right.ld, 2));
    CUDA(cudaDeviceSynchronize());
    for (int i = 1; i < 3; ++i)
      for (int col = 0; col < columns; ++col)
        for (int r = 0; r < n; ++r) {
          double sum = 0;
          for (int k = 0; k <= r; ++k) sum += (k == r ? 2 : 0.25 / n) * right(k, columns * i + col);
          near(sum, wanted[r + n * (col + columns * i)], 8, B::epsilon);
        }
  }
}

template <typename C, typename Gemm, typename Batched>
static void complex_products(cublasHandle_t handle, int m, int n, Gemm gemm, Batched batched,
                             double epsilon) {
  using Wide = std::complex<double>;
  const int k = 29;
  const auto make = [&](int count) {
    C* x;
    CUDA(cudaMallocManaged(&x, count * sizeof(C)));
    for (int i = 0; i < count; ++i) x[i].x = Matrix<double>::any(), x[i].y = Matrix<double>::any();
    return x;
  };
  const auto wide = [](C v) { return Wide(v.x, v.y); };
  C** lists;
  CUDA(cudaMallocManaged(&lists, 3 * sizeof(C*)));
  for (int opa = 0; opa < 3; ++opa)
    for (int opb = 0; opb < 3; ++opb) {
      const int lda = (opa == 0 ? m : k) + 1, ldb = (opb == 0 ? k : n) + 2, ldc = m + 3;
      C *a = make(lda * 40), *b = make(ldb * 40), *c = make(ldc * n), *d = make(ldc * n),
        *old = make(ldc * n);
      for (int i = 0; i < ldc * n; ++i) old[i] = d[i] = c[i];
      C alpha, beta;
      alpha.x = 0.5, alpha.y = -0.25, beta.x = 0.125, beta.y = 1;
      BLAS(gemm(handle, cublasOperation_t(opa), cublasOperation_t(opb), m, n, k, &alpha, a, lda, b, ldb,
                &beta, c, ldc));
      lists[0] = a, lists[1] = b, lists[2] = d;
      BLAS(batched(handle, cublasOperation_t(opa), cublasOperation_t(opb), m, n, k, &alpha, lists, lda,
                   lists + 1, ldb, &beta, lists + 2, ldc, 1));
      CUDA(cudaDeviceSynchronize());
      for (int j = 0; j < n; ++j)
        for (int i = 0; i < m; ++i) {
          Wide sum = 0;
          for (int q = 0; q < k; ++q) {
            Wide x = wide(opa == 0 ? a[i + q * lda] : a[q + i * lda]),
                 y = wide(opb == 0 ? b[q + j * ldb] : b[j + q * ldb]);
            sum += (opa == 2 ? std::conj(x) : x) * (opb == 2 ? std::conj(y) : y);
          }
          const Wide exact = wide(alpha) * sum + wide(beta) * wide(old[i + j * ldc]);
          near(std::abs(wide(c[i + j * ldc]) - exact), 0, k, epsilon);
          EXPECT(d[i + j * ldc].x == c[i + j * ldc].x && d[i + j * ldc].y == c[i + j * ldc].y);
        }
      for (C* x : {a, b, c, d, old}) CUDA(cudaFree(x));
    }
}
static void narrow_products(cublasHandle_t handle) {
  const int m = 20, n = 12, k = 36;
  signed char *a, *b;
  int* c;
  CUDA(cudaMallocManaged(&a, m * k));
  CUDA(cudaMallocManaged(&b, k * n));
  CUDA(cudaMallocManaged(&c, m * n * sizeof(int)));
  for (int i = 0; i < m * k; ++i) a[i] = i * 37 % 255 - 127;
  for (int i = 0; i < k * n; ++i) b[i] = i * 91 % 255 - 127;
  const int alpha = 3, beta = 0;
  BLAS(cublasGemmEx(handle, CUBLAS_OP_N, CUBLAS_OP_N, m, n, k, &alpha, a, CUDA_R_8I, m, b, CUDA_R_8I, k,
                    &beta, c, CUDA_R_32I, m, CUBLAS_COMPUTE_32I, CUBLAS_GEMM_DEFAULT));
  __half **lists, *x;
  CUDA(cudaMallocManaged(&lists, 6 * sizeof(__half*)));
  CUDA(cudaMallocManaged(&x, 6 * 64 * sizeof(__half)));
  for (int i = 0; i < 6 * 64; ++i) x[i] = __float2half((i * 13 % 17 - 8) / 8.0f);
  for (int i = 0; i < 6; ++i) lists[i] = x + 64 * i;
  const __half one = __float2half(1), none = __float2half(0);
  BLAS(cublasHgemmBatched(handle, CUBLAS_OP_N, CUBLAS_OP_T, 8, 8, 8, &one, lists, 8, lists + 2, 8, &none,
                          lists + 4, 8, 2));
  CUDA(cudaDeviceSynchronize());
  for (int j = 0; j < n; ++j)
    for (int i = 0; i < m; ++i) {
      int sum = 0;
      for (int q = 0; q < k; ++q) sum += a[i + q * m] * b[q + j * k];
      EXPECT(c[i + j * m] == 3 * sum);
    }
  for (int t = 0; t < 128; ++t) {
    const int which = t / 64, i = t % 8, j = t / 8 % 8;
    double sum = 0;
    for (int q = 0; q < 8; ++q)
      sum += double(__half2float(lists[which][i + 8 * q])) * __half2float(lists[2 + which][j + 8 * q]);
    near(__half2float(lists[4 + which][i + 8 * j]), sum, 8, 0x1p-11);
  }
  BLAS(cublasGemmEx(handle, CUBLAS_OP_N, CUBLAS_OP_T, 8, 8, 8, &one, x, CUDA_R_16F, 8, x + 128, CUDA_R_16F, 8,
                    &none, x + 320, CUDA_R_16F, 8, CUBLAS_COMPUTE_16F, CUBLAS_GEMM_DEFAULT));
  CUDA(cudaDeviceSynchronize());
  for (int t = 0; t < 64; ++t) EXPECT(__half2float(x[320 + t]) == __half2float(x[256 + t]));
}

int main() {
  cublasHandle_t handle;
  BLAS(cublasCreate(&handle));
  triangles<float>(handle);
  triangles<double>(handle);
  factors<float>(handle);
  factors<double>(handle);
  // Tiles, and matrices too small for one.
  for (const int size : {33, 9}) {
    const int m = size, n = size / 2;
    complex_products<cuComplex>(handle, m, n, cublasCgemm, cublasCgemmBatched, 0x1p-20);
    complex_products<cuDoubleComplex>(handle, m, n, cublasZgemm, cublasZgemmBatched, 0x1p-48);
  }
  narrow_products(handle);
  BLAS(cublasDestroy(handle));
  std::printf("PASS\n");
}
