// cuFFT against sums in double on the host: every radix, primes, ranks 1 to 3, batches, real transforms, in
// place with their padding, strides and embeddings, and long lines, whose roots come from two tables.
#include <cufftXt.h>

#include <cmath>
#include <complex>
#include <random>
#include <vector>

#include "check.h"

#define FFT(call) EXPECT((call) == CUFFT_SUCCESS)

using Wide = std::complex<double>;
static std::mt19937 engine(3);

static std::vector<Wide> random_signal(std::size_t n, bool real) {
  std::uniform_real_distribution<double> any(-1, 1);
  std::vector<Wide> x(n);
  for (Wide& v : x) v = {any(engine), real ? 0 : any(engine)};
  return x;
}
/// Sums along each dimension in turn.
static std::vector<Wide> reference(std::vector<Wide> x, const std::vector<int>& n, int sign) {
  long long inner = 1;
  for (int d = static_cast<int>(n.size()) - 1; d >= 0; inner *= n[d], --d) {
    std::vector<Wide> roots(n[d]), y(x.size());
    for (int k = 0; k < n[d]; ++k) roots[k] = std::polar(1.0, sign * 2 * M_PI * k / n[d]);
    for (std::size_t t = 0; t < x.size(); ++t) {
      const long long i = t % inner, k = t / inner % n[d], line = t / inner / n[d];
      Wide sum = 0;
      for (long long q = 0; q < n[d]; ++q) sum += x[(line * n[d] + q) * inner + i] * roots[q * k % n[d]];
      y[t] = sum;
    }
    x = y;
  }
  return x;
}
static void near(Wide got, Wide exact, double size, double epsilon) {
  if (std::abs(got - exact) > 8 * epsilon * size) {
    std::printf("FAIL %g %g for %g %g\n", got.real(), got.imag(), exact.real(), exact.imag());
    std::exit(1);
  }
}

template <typename T>
struct Api;
template <>
struct Api<float> {
  using Pair = cufftComplex;
  static constexpr cufftType c2c = CUFFT_C2C, r2c = CUFFT_R2C, c2r = CUFFT_C2R;
  static constexpr auto exec = cufftExecC2C;
  static constexpr auto forward = cufftExecR2C;
  static constexpr auto back = cufftExecC2R;
  static constexpr double epsilon = 6e-8;
};
template <>
struct Api<double> {
  using Pair = cufftDoubleComplex;
  static constexpr cufftType c2c = CUFFT_Z2Z, r2c = CUFFT_D2Z, c2r = CUFFT_Z2D;
  static constexpr auto exec = cufftExecZ2Z;
  static constexpr auto forward = cufftExecD2Z;
  static constexpr auto back = cufftExecZ2D;
  static constexpr double epsilon = 1.2e-16;
};

template <typename T>
static void test_shape(std::vector<int> n, int batch) {
  using A = Api<T>;
  using Pair = typename A::Pair;
  long long each = 1;
  for (const int length : n) each *= length;
  const int last = n.back(), half = last / 2 + 1;
  const long long all = each * batch, rows = all / last;
  const double size = std::sqrt(static_cast<double>(each)) * std::log2(2.0 * each);
  Pair *in, *out;
  CUDA(cudaMallocManaged(&in, (rows * 2 * half + all) * sizeof(Pair)));
  CUDA(cudaMallocManaged(&out, (rows * 2 * half + all) * sizeof(Pair)));
  const int rank = static_cast<int>(n.size());

  cufftHandle plan;
  FFT(cufftPlanMany(&plan, rank, n.data(), nullptr, 1, 0, nullptr, 1, 0, A::c2c, batch));
  const std::vector<Wide> x = random_signal(all, false);
  const std::vector<Wide> exact = reference(x, n, -1), inverse = reference(x, n, 1);
  for (long long i = 0; i < all; ++i) in[i].x = x[i].real(), in[i].y = x[i].imag();
  FFT(A::exec(plan, in, out, CUFFT_FORWARD));
  CUDA(cudaDeviceSynchronize());
  for (long long i = 0; i < all; ++i) {
    near({out[i].x, out[i].y}, exact[i], size, A::epsilon);
    EXPECT(in[i].x == static_cast<T>(x[i].real()));
  }
  FFT(A::exec(plan, in, in, CUFFT_INVERSE));
  CUDA(cudaDeviceSynchronize());
  for (long long i = 0; i < all; ++i) near({in[i].x, in[i].y}, inverse[i], size, A::epsilon);
  FFT(cufftDestroy(plan));

  const std::vector<Wide> real = random_signal(all, true), spectrum = reference(real, n, -1);
  FFT(cufftPlanMany(&plan, rank, n.data(), nullptr, 1, 0, nullptr, 1, 0, A::r2c, batch));
  cufftHandle back;
  FFT(cufftPlanMany(&back, rank, n.data(), nullptr, 1, 0, nullptr, 1, 0, A::c2r, batch));
  T *flat = reinterpret_cast<T*>(in), *flat_out = reinterpret_cast<T*>(out);
  const auto expect_half = [&](const Pair* got) {
    for (long long r = 0; r < rows; ++r)
      for (int k = 0; k < half; ++k)
        near({got[r * half + k].x, got[r * half + k].y}, spectrum[r * last + k], size, A::epsilon);
  };
  for (long long i = 0; i < all; ++i) flat[i] = real[i].real();
  FFT(A::forward(plan, flat, out));
  CUDA(cudaDeviceSynchronize());
  expect_half(out);
  FFT(A::back(back, out, flat));
  CUDA(cudaDeviceSynchronize());
  for (long long i = 0; i < all; ++i)
    near(flat[i] / static_cast<double>(each), real[i].real(), size / std::sqrt(each), A::epsilon);
  // In place: rows of 2 * half numbers.
  for (long long i = 0; i < all; ++i) flat_out[i / last * 2 * half + i % last] = real[i].real();
  FFT(A::forward(plan, flat_out, out));
  CUDA(cudaDeviceSynchronize());
  expect_half(out);
  FFT(A::back(back, out, flat_out));
  CUDA(cudaDeviceSynchronize());
  for (long long i = 0; i < all; ++i)
    near(flat_out[i / last * 2 * half + i % last] / static_cast<double>(each), real[i].real(),
         size / std::sqrt(each), A::epsilon);
  FFT(cufftDestroy(plan));
  FFT(cufftDestroy(back));
  CUDA(cudaFree(in));
  CUDA(cudaFree(out));
}

// Columns of a matrix in the first, planes with margins in the second.
static void test_layouts() {
  int n[] = {6, 10}, in_embed[] = {8, 12}, out_embed[] = {6, 11};
  const int batch = 3, in_stride = 2, out_stride = 3, in_distance = 200, out_distance = 199;
  cufftDoubleComplex *in, *out;
  CUDA(cudaMallocManaged(&in, 1000 * sizeof *in));
  CUDA(cudaMallocManaged(&out, 1000 * sizeof *out));
  const std::vector<Wide> x = random_signal(60 * batch, false), exact = reference(x, {6, 10}, -1);
  for (int i = 0; i < 1000; ++i) in[i] = out[i] = {-7, -7};
  for (int i = 0; i < 60 * batch; ++i)
    in[i / 60 * in_distance + (i / 10 % 6 * 12 + i % 10) * in_stride] = {x[i].real(), x[i].imag()};
  cufftHandle plan;
  std::size_t size = 0;
  FFT(cufftCreate(&plan));
  FFT(cufftSetAutoAllocation(plan, 0));
  FFT(cufftMakePlanMany(plan, 2, n, in_embed, in_stride, in_distance, out_embed, out_stride, out_distance,
                        CUFFT_Z2Z, batch, &size));
  EXPECT(cufftExecZ2Z(plan, in, out, CUFFT_FORWARD) == CUFFT_NO_WORKSPACE);
  EXPECT(cufftExecC2C(plan, nullptr, nullptr, CUFFT_FORWARD) == CUFFT_INVALID_TYPE);
  void* work;
  CUDA(cudaMalloc(&work, size));
  FFT(cufftSetWorkArea(plan, work));
  cudaStream_t stream;
  CUDA(cudaStreamCreate(&stream));
  FFT(cufftSetStream(plan, stream));
  FFT(cufftExecZ2Z(plan, in, out, CUFFT_FORWARD));
  CUDA(cudaStreamSynchronize(stream));
  int written = 0;
  for (int i = 0; i < 1000; ++i) written += out[i].x != -7;
  EXPECT(written == 60 * batch);
  for (int i = 0; i < 60 * batch; ++i) {
    const cufftDoubleComplex got = out[i / 60 * out_distance + (i / 10 % 6 * 11 + i % 10) * out_stride];
    near({got.x, got.y}, exact[i], 60, 1.2e-16);
  }
  FFT(cufftDestroy(plan));
  CUDA(cudaFree(work));
}
// A line too long for one table: a tone is one line of its spectrum, but for what rounding the tone to float
// adds.
static void test_long() {
  const int n = 1 << 19, tone = 123457;
  cufftComplex* x;
  CUDA(cudaMallocManaged(&x, n * sizeof *x));
  for (int i = 0; i < n; ++i) {
    const double angle = 2 * M_PI * (static_cast<long long>(i) * tone % n) / n;
    x[i] = {static_cast<float>(std::cos(angle)), static_cast<float>(std::sin(angle))};
  }
  cufftHandle plan;
  FFT(cufftPlan1d(&plan, n, CUFFT_C2C, 1));
  FFT(cufftExecC2C(plan, x, x, CUFFT_FORWARD));
  CUDA(cudaDeviceSynchronize());
  for (int i = 0; i < n; ++i) near({x[i].x, x[i].y}, i == tone ? n : 0, i == tone ? n : n / 4, 6e-8);
  FFT(cufftDestroy(plan));
  CUDA(cudaFree(x));
}

int main() {
  for (const int n : {1, 2, 3, 4, 5, 7, 8, 11, 16, 30, 64, 97, 105, 121, 128, 210, 211, 256, 360, 1024}) {
    test_shape<float>({n}, 3);
    test_shape<double>({n}, 2);
  }
  for (const std::vector<int>& n :
       {std::vector{8, 8}, {5, 12}, {16, 7}, {1, 9}, {4, 6, 10}, {3, 8, 5}, {2, 2, 13}}) {
    test_shape<float>(n, 1);
    test_shape<double>(n, 2);
  }
  test_layouts();
  test_long();
  cufftHandle plan;
  EXPECT(cufftPlan1d(&plan, 0, CUFFT_C2C, 1) == CUFFT_INVALID_SIZE);
  EXPECT(cufftPlan1d(&plan, 100003, CUFFT_C2C, 1) == CUFFT_NOT_SUPPORTED);
  EXPECT(cufftExecC2C(12345, nullptr, nullptr, CUFFT_FORWARD) == CUFFT_INVALID_PLAN);
  std::printf("PASS\n");
}
