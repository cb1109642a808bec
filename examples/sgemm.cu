// C = A B in single precision, in three steps: one thread an element from global memory; tiles in shared
// memory; tiles in shared memory and an 8 x 8 block of C in each thread's registers. A is n x k and B k x n:
// -n N, -k K (default n); -step naive, tiled or blocked: that one only.
#include "common.h"

__global__ void naive(int n, int depth, const float* a, const float* b, float* c) {
  const int row = blockIdx.y * blockDim.y + threadIdx.y, col = blockIdx.x * blockDim.x + threadIdx.x;
  float sum = 0;
  for (int k = 0; k < depth; ++k) sum += a[row * depth + k] * b[k * n + col];
  c[row * n + col] = sum;
}

constexpr int tile = 32;
__global__ void tiled(int n, int depth, const float* a, const float* b, float* c) {
  __shared__ float as[tile][tile], bs[tile][tile];
  const int row = blockIdx.y * tile + threadIdx.y, col = blockIdx.x * tile + threadIdx.x;
  float sum = 0;
  for (int t = 0; t < depth; t += tile) {
    as[threadIdx.y][threadIdx.x] = a[row * depth + t + threadIdx.x];
    bs[threadIdx.y][threadIdx.x] = b[(t + threadIdx.y) * n + col];
    __syncthreads();
#pragma unroll
    for (int k = 0; k < tile; ++k) sum += as[threadIdx.y][k] * bs[k][threadIdx.x];
    __syncthreads();
  }
  c[row * n + col] = sum;
}

// A block of 256 threads computes 128 x 128 of C, 8 of k at a time.
__global__ void __launch_bounds__(256) blocked(int n, int depth, const float* a, const float* b, float* c) {
  __shared__ __align__(16) float as[8][128], bs[8][128];
  const int t = threadIdx.x;
  const int row0 = blockIdx.y * 128, col0 = blockIdx.x * 128;
  const int ty = t / 16 * 8, tx = t % 16 * 8;
  float sum[8][8] = {};
  for (int k0 = 0; k0 < depth; k0 += 8) {
    const float4 va = *reinterpret_cast<const float4*>(&a[(row0 + t / 2) * depth + k0 + t % 2 * 4]);
    as[t % 2 * 4 + 0][t / 2] = va.x;
    as[t % 2 * 4 + 1][t / 2] = va.y;
    as[t % 2 * 4 + 2][t / 2] = va.z;
    as[t % 2 * 4 + 3][t / 2] = va.w;
    *reinterpret_cast<float4*>(&bs[t / 32][t % 32 * 4]) =
        *reinterpret_cast<const float4*>(&b[(k0 + t / 32) * n + col0 + t % 32 * 4]);
    __syncthreads();
#pragma unroll
    for (int k = 0; k < 8; ++k) {
      float ra[8], rb[8];
#pragma unroll
      for (int i = 0; i < 8; ++i) ra[i] = as[k][ty + i], rb[i] = bs[k][tx + i];
#pragma unroll
      for (int i = 0; i < 8; ++i)
#pragma unroll
        for (int j = 0; j < 8; ++j) sum[i][j] += ra[i] * rb[j];
    }
    __syncthreads();
  }
#pragma unroll
  for (int i = 0; i < 8; ++i)
#pragma unroll
    for (int j = 0; j < 8; j += 4)
      *reinterpret_cast<float4*>(&c[(row0 + ty + i) * n + col0 + tx + j]) =
          make_float4(sum[i][j], sum[i][j + 1], sum[i][j + 2], sum[i][j + 3]);
}

int main(int argc, char** argv) {
  const int n = (int)option(argc, argv, "-n", has_flag(argc, argv, "--large") ? 4096 : 256);
  const int depth = (int)option(argc, argv, "-k", n);
  if (n % 128 || depth % tile || depth < tile) {
    std::fprintf(stderr, "-n %d -k %d: not multiples of 128 and %d\n", n, depth, tile);
    return 2;
  }
  const char* only = nullptr;
  for (int i = 1; i + 1 < argc; ++i)
    if (!std::strcmp(argv[i], "-step")) only = argv[i + 1];
  const std::vector<float> a = random_floats((size_t)n * depth, 1), b = random_floats((size_t)depth * n, 2);
  Device<float> da(a), db(b), dc((size_t)n * n);
  // References for 64 elements spread over C; a sum of k products of numbers below one errs by at most about
  // k ulp of k.
  bool correct = true;
  int steps = 0;
  const auto step = [&](const char* name, auto&& launch) {
    if (only && std::strcmp(only, name)) return;
    ++steps;
    CHECK(cudaMemset(dc, 0, sizeof(float) * n * n));
    const float ms = device_ms(launch);
    const std::vector<float> c = dc.download();
    double worst = 0;
    for (int s = 0; s < 64; ++s) {
      const int row = (int)((long long)s * 7919 % n), col = (int)((long long)s * 104729 % n);
      double sum = 0;
      for (int k = 0; k < depth; ++k) sum += (double)a[(size_t)row * depth + k] * b[(size_t)k * n + col];
      worst = std::fmax(worst, std::fabs(sum - c[(size_t)row * n + col]));
    }
    const bool ok = worst <= 1.2e-7 * depth;
    correct = correct && ok;
    std::printf("%-8s %10.4f ms %10.1f GFLOP/s   largest error %.2g\n", name, ms,
                2.0 * n * n * depth / ms * 1e-6, worst);
  };
  std::printf("sgemm: n = %d, k = %d\n", n, depth);
  step("naive", [&] { naive<<<dim3(n / 16, n / 16), dim3(16, 16)>>>(n, depth, da, db, dc); });
  step("tiled", [&] { tiled<<<dim3(n / tile, n / tile), dim3(tile, tile)>>>(n, depth, da, db, dc); });
  step("blocked", [&] { blocked<<<dim3(n / 128, n / 128), 256>>>(n, depth, da, db, dc); });
  if (steps == 0) std::fprintf(stderr, "-step %s: there are naive, tiled and blocked\n", only);
  return finish(correct && steps > 0);
}
