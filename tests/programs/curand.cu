// cuRAND against its definitions: known answers of the papers, jumps against single steps, host functions
// against the device's numbers in the guide's ordering, and the moments of each distribution.
#include <curand.h>
#include <curand_kernel.h>

#include <cmath>
#include <vector>

#include "check.h"

#define RAND(call) EXPECT((call) == CURAND_STATUS_SUCCESS)

// MRG32k3a has both sequences and, in them, subsequences.
template <typename State>
__device__ void skip_subsequences(unsigned long long n, State* state) {
  skipahead_sequence(n, state);
}
__device__ void skip_subsequences(unsigned long long n, curandStateMRG32k3a_t* state) {
  skipahead_subsequence(n, state);
}
template <typename State>
__global__ void jumps(unsigned long long seed, unsigned long long subsequence, int steps, unsigned* out) {
  State a, b, c;
  curand_init(seed, subsequence, 0, &a);
  for (int i = 0; i < steps; ++i) curand(&a);
  curand_init(seed, subsequence, steps, &b);
  curand_init(seed, 0, 0, &c);
  skip_subsequences(subsequence, &c);
  skipahead(steps / 3, &c);
  skipahead(steps - steps / 3, &c);
  for (int i = 0; i < 8; ++i) {
    out[3 * i] = curand(&a);
    out[3 * i + 1] = curand(&b);
    out[3 * i + 2] = curand(&c);
  }
}
// 2^67 numbers are 16 jumps by 2^63.
__global__ void subsequence_in_steps(unsigned* out) {
  curandState a, b;
  curand_init(99, 1, 0, &a);
  curand_init(99, 0, 0, &b);
  for (int i = 0; i < 16; ++i) skipahead(1ull << 63, &b);
  curandStateMRG32k3a_t c;
  curand_init(0, 1, 0, &c);
  out[0] = curand(&a), out[1] = curand(&b);
  for (int i = 0; i < 3; ++i) out[2 + i] = c.s1[i], out[5 + i] = c.s2[i];
}
/// The state of one of MRG32k3a's two recurrences after 2^76 steps from 12345, by squaring its matrix 76
/// times.
static void step_far(unsigned long long modulus, unsigned long long a, unsigned long long b,
                     unsigned long long c, unsigned* state) {
  unsigned long long m[3][3] = {{0, 1, 0}, {0, 0, 1}, {a, b, c}};
  for (int times = 0; times < 76; ++times) {
    unsigned long long square[3][3] = {};
    for (int i = 0; i < 3; ++i)
      for (int j = 0; j < 3; ++j)
        for (int k = 0; k < 3; ++k) square[i][j] = (square[i][j] + m[i][k] * m[k][j] % modulus) % modulus;
    for (int i = 0; i < 3; ++i)
      for (int j = 0; j < 3; ++j) m[i][j] = square[i][j];
  }
  for (int i = 0; i < 3; ++i) state[i] = (m[i][0] + m[i][1] + m[i][2]) % modulus * 12345 % modulus;
}
__global__ void known_answers(unsigned* out) {
  // Salmon et al.: philox4x32-10 of zeros, and of ones.
  const uint4 zero = curand_Philox4x32_10(make_uint4(0, 0, 0, 0), make_uint2(0, 0));
  const unsigned f = 0xffffffffu;
  const uint4 ones = curand_Philox4x32_10(make_uint4(f, f, f, f), make_uint2(f, f));
  out[0] = zero.x, out[1] = zero.y, out[2] = zero.z, out[3] = zero.w;
  out[4] = ones.x, out[5] = ones.y, out[6] = ones.z, out[7] = ones.w;
  // L'Ecuyer: all of the state 12345 begins with 0.1270111...
  curandStateMRG32k3a_t mrg;
  curand_init(0, 0, 0, &mrg);
  out[8] = static_cast<unsigned>(curand_uniform_double(&mrg) * 1e9);
  // Marsaglia's xorwow from his seeds.
  curandState x;
  x.v[0] = 123456789, x.v[1] = 362436069, x.v[2] = 521288629, x.v[3] = 88675123, x.v[4] = 5783321;
  x.d = 6615241;
  out[9] = curand(&x);
}
template <typename State>
__global__ void moments(float* uniform, float* normal, unsigned* poisson, float lambda) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  State s;
  curand_init(1234, i, 0, &s);
  for (int k = 0; k < 16; ++k) {
    uniform[16 * i + k] = curand_uniform(&s);
    normal[16 * i + k] = curand_normal(&s);
    poisson[16 * i + k] = curand_poisson(&s, lambda);
  }
}
__global__ void sobol(unsigned* directions, unsigned* out) {
  curandStateSobol32_t a, b;
  curand_init(directions, 0, &a);
  curand_init(directions, 5, &b);
  for (int i = 0; i < 8; ++i) out[i] = curand(&a);
  for (int i = 0; i < 3; ++i) out[8 + i] = curand(&b);
}

template <typename T>
struct Managed {
  T* at;
  explicit Managed(std::size_t n) { CUDA(cudaMallocManaged(&at, n * sizeof(T))); }
  ~Managed() { cudaFree(at); }
};

template <typename T>
static void expect_moments(const T* values, int n, double mean, double variance) {
  double sum = 0, squares = 0;
  for (int i = 0; i < n; ++i) sum += values[i];
  const double got = sum / n;
  for (int i = 0; i < n; ++i) squares += (values[i] - got) * (values[i] - got);
  // Six standard errors of the mean; the variance of the variance is that of a normal number at most here.
  if (std::fabs(got - mean) > 6 * std::sqrt(variance / n) ||
      std::fabs(squares / n - variance) > 9 * variance * std::sqrt(2.0 / n)) {
    std::printf("FAIL mean %g for %g, variance %g for %g\n", got, mean, squares / n, variance);
    std::exit(1);
  }
}
template <typename State>
static void test_device() {
  Managed<unsigned> out(24);
  for (const unsigned long long subsequence : {0ull, 1ull, 77ull, 4095ull, 0x123456789abcull})
    for (const int steps : {0, 1, 2, 3, 4, 17, 1000}) {
      jumps<State><<<1, 1>>>(42 + subsequence, subsequence, steps, out.at);
      CUDA(cudaDeviceSynchronize());
      for (int i = 0; i < 8; ++i)
        EXPECT(out.at[3 * i] == out.at[3 * i + 1] && out.at[3 * i] == out.at[3 * i + 2]);
    }
  const int n = 16 * 2048;
  Managed<float> uniform(n), normal(n);
  Managed<unsigned> poisson(n);
  for (const float lambda : {3.5f, 200.0f, 10000.0f}) {
    moments<State><<<16, 128>>>(uniform.at, normal.at, poisson.at, lambda);
    CUDA(cudaDeviceSynchronize());
    expect_moments(uniform.at, n, 0.5, 1 / 12.0);
    expect_moments(normal.at, n, 0, 1);
    expect_moments(poisson.at, n, lambda, lambda);
    for (int i = 0; i < n; ++i) EXPECT(uniform.at[i] > 0 && uniform.at[i] <= 1);
  }
}

template <typename State>
__global__ void in_order(unsigned long long seed, bool one_sequence, int n, unsigned* bits) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= n) return;
  State s;
  if (one_sequence)
    curand_init(seed, 0, i, &s);
  else
    curand_init(seed, i % 4096, i / 4096, &s);
  bits[i] = curand(&s);
}
template <typename State>
static void test_host(curandRngType_t type) {
  const int n = 10001;
  Managed<unsigned> expected(n), got(n);
  in_order<State><<<(n + 127) / 128, 128>>>(77, type == CURAND_RNG_PSEUDO_PHILOX4_32_10, n, expected.at);
  curandGenerator_t device, host;
  RAND(curandCreateGenerator(&device, type));
  RAND(curandCreateGeneratorHost(&host, type));
  RAND(curandSetPseudoRandomGeneratorSeed(device, 77));
  RAND(curandSetPseudoRandomGeneratorSeed(host, 77));
  // In two calls: the second goes on where the first ended.
  RAND(curandGenerate(device, got.at, 5003));
  RAND(curandGenerate(device, got.at + 5003, n - 5003));
  CUDA(cudaDeviceSynchronize());
  for (int i = 0; i < n; ++i) EXPECT(got.at[i] == expected.at[i]);
  std::vector<unsigned> there(n);
  RAND(curandGenerate(host, there.data(), n));
  for (int i = 0; i < n; ++i) EXPECT(there[i] == expected.at[i]);
  RAND(curandSetGeneratorOffset(device, 4999));
  RAND(curandGenerate(device, got.at, 5000));
  CUDA(cudaDeviceSynchronize());
  for (int i = 0; i < 5000; ++i) EXPECT(got.at[i] == expected.at[4999 + i]);

  const int many = 1 << 17;
  Managed<float> single(many);
  Managed<double> wide(many);
  std::vector<double> mirrored(many);
  RAND(curandGenerateUniform(device, single.at, many));
  CUDA(cudaDeviceSynchronize());
  expect_moments(single.at, many, 0.5, 1 / 12.0);
  RAND(curandGenerateNormal(device, single.at, many, 3, 2));
  CUDA(cudaDeviceSynchronize());
  expect_moments(single.at, many, 3, 4);
  RAND(curandGenerateLogNormal(device, single.at, many, 0, 0.25f));
  CUDA(cudaDeviceSynchronize());
  expect_moments(single.at, many, std::exp(0.03125), (std::exp(0.0625) - 1) * std::exp(0.0625));
  RAND(curandGenerateUniformDouble(device, wide.at, many));
  CUDA(cudaDeviceSynchronize());
  expect_moments(wide.at, many, 0.5, 1 / 12.0);
  RAND(curandSetPseudoRandomGeneratorSeed(device, 5));
  RAND(curandSetPseudoRandomGeneratorSeed(host, 5));
  RAND(curandSetGeneratorOffset(device, 0));
  RAND(curandGenerateNormalDouble(device, wide.at, many, -1, 0.5));
  RAND(curandGenerateNormalDouble(host, mirrored.data(), many, -1, 0.5));
  CUDA(cudaDeviceSynchronize());
  expect_moments(wide.at, many, -1, 0.25);
  for (int i = 0; i < many; ++i) EXPECT(std::fabs(wide.at[i] - mirrored[i]) < 1e-12);
  Managed<unsigned> counts(many);
  RAND(curandGeneratePoisson(device, counts.at, many, 12));
  CUDA(cudaDeviceSynchronize());
  expect_moments(counts.at, many, 12, 12);
  EXPECT(curandGenerateNormal(device, single.at, 3, 0, 1) == CURAND_STATUS_LENGTH_NOT_MULTIPLE);
  RAND(curandDestroyGenerator(device));
  RAND(curandDestroyGenerator(host));
}

int main() {
  Managed<unsigned> out(16);
  known_answers<<<1, 1>>>(out.at);
  CUDA(cudaDeviceSynchronize());
  const unsigned philox[] = {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8,
                             0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd};
  for (int i = 0; i < 8; ++i) EXPECT(out.at[i] == philox[i]);
  EXPECT(out.at[8] / 1000 == 127011);
  unsigned v[] = {123456789, 362436069, 521288629, 88675123, 5783321}, t = v[0] ^ (v[0] >> 2);
  EXPECT(out.at[9] == ((v[4] ^ (v[4] << 4)) ^ (t ^ (t << 1))) + 6615241 + 362437);

  subsequence_in_steps<<<1, 1>>>(out.at);
  CUDA(cudaDeviceSynchronize());
  EXPECT(out.at[0] == out.at[1]);
  unsigned far[6];
  step_far(4294967087, 4294967087 - 810728, 1403580, 0, far);
  step_far(4294944443, 4294944443 - 1370589, 0, 527612, far + 3);
  for (int i = 0; i < 6; ++i) EXPECT(out.at[2 + i] == far[i]);

  test_device<curandState>();
  test_device<curandStatePhilox4_32_10_t>();
  test_device<curandStateMRG32k3a_t>();

  // The first dimension of Sobol' is van der Corput's sequence in Gray code order.
  Managed<unsigned> directions(32);
  for (int i = 0; i < 32; ++i) directions.at[i] = 1u << (31 - i);
  sobol<<<1, 1>>>(directions.at, out.at);
  CUDA(cudaDeviceSynchronize());
  const unsigned corput[] = {0, 4, 6, 2, 3, 7, 5, 1};
  for (int i = 0; i < 8; ++i) EXPECT(out.at[i] == corput[i] << 29);
  for (int i = 0; i < 3; ++i) EXPECT(out.at[8 + i] == out.at[5 + i]);

  test_host<curandState>(CURAND_RNG_PSEUDO_DEFAULT);
  test_host<curandStatePhilox4_32_10_t>(CURAND_RNG_PSEUDO_PHILOX4_32_10);
  test_host<curandStateMRG32k3a_t>(CURAND_RNG_PSEUDO_MRG32K3A);
  curandGenerator_t none;
  EXPECT(curandCreateGenerator(&none, CURAND_RNG_QUASI_SOBOL32) == CURAND_STATUS_TYPE_ERROR);
  EXPECT(curandCreateGenerator(&none, CURAND_RNG_PSEUDO_MTGP32) == CURAND_STATUS_TYPE_ERROR);
  std::printf("PASS\n");
}
