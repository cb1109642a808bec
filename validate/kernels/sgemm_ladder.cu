// FP32 GEMM, n x n x n, TFLOP/s: rungs of the ladder that hand-written kernels climb, with the tile shapes of
// siboehm's "How to optimize a CUDA matmul kernel", written anew.
// Arguments: repeats, rung (0: all), n, and to sample: two depths. Then one full wave of CTAs is run to
// either depth, and the time of all n rows of tiles is that of a wave to depth n, a straight line through
// both, times the waves.
#include "common.h"

struct Gemm {
  int n, depth;  ///< depth: how far k goes.
  int tiles;     ///< Along a side.
  float alpha, beta;
  const float *a, *b;
  float* c;
};

/// Rung 2: a result per thread, a warp along a row. Neighbouring CTAs have the same columns.
__global__ void __launch_bounds__(1024) coalesced(Gemm g) {
  const int row = blockIdx.x % g.tiles * 32 + threadIdx.x / 32,
            col = blockIdx.x / g.tiles * 32 + threadIdx.x % 32;
  float sum = 0;
  for (int k = 0; k < g.depth; ++k) sum += g.a[row * g.n + k] * g.b[k * g.n + col];
  g.c[row * g.n + col] = g.alpha * sum + g.beta * g.c[row * g.n + col];
}

/// Rung 3: 32 x 32 tiles in shared memory.
__global__ void __launch_bounds__(1024) shared_tiles(Gemm g) {
  __shared__ float as[32 * 32], bs[32 * 32];
  const int x = threadIdx.x % 32, y = threadIdx.x / 32;
  const float* a = g.a + blockIdx.x % g.tiles * 32 * g.n;
  const float* b = g.b + blockIdx.x / g.tiles * 32;
  float sum = 0;
  for (int k = 0; k < g.depth; k += 32) {
    as[y * 32 + x] = a[y * g.n + x];
    bs[y * 32 + x] = b[y * g.n + x];
    __syncthreads();
    a += 32;
    b += 32 * g.n;
    for (int i = 0; i < 32; ++i) sum += as[y * 32 + i] * bs[i * 32 + x];
    __syncthreads();
  }
  float* c = g.c + (blockIdx.x % g.tiles * 32 + y) * g.n + blockIdx.x / g.tiles * 32 + x;
  *c = g.alpha * sum + g.beta * *c;
}

/// Rung 4: 64 x 64 tiles, a column of 8 results per thread.
__global__ void __launch_bounds__(512) columns(Gemm g) {
  constexpr int side = 64, deep = 8, high = 8;
  __shared__ float as[side * deep], bs[deep * side];
  const int t = threadIdx.x, col = t % side, row = t / side;
  const float* a = g.a + blockIdx.x / g.tiles * side * g.n;
  const float* b = g.b + blockIdx.x % g.tiles * side;
  float* c = g.c + blockIdx.x / g.tiles * side * g.n + blockIdx.x % g.tiles * side;
  float sum[high] = {};
  for (int k = 0; k < g.depth; k += deep) {
    as[t] = a[t / deep * g.n + t % deep];
    bs[t] = b[t / side * g.n + t % side];
    __syncthreads();
    a += deep;
    b += deep * g.n;
    for (int i = 0; i < deep; ++i) {
      const float x = bs[i * side + col];
      for (int r = 0; r < high; ++r) sum[r] += as[(row * high + r) * deep + i] * x;
    }
    __syncthreads();
  }
  for (int r = 0; r < high; ++r) {
    float& to = c[(row * high + r) * g.n + col];
    to = g.alpha * sum[r] + g.beta * to;
  }
}

/// 8 x 8 results per thread out of 128 x 128 tiles of depth 8; `as` is transposed where Wide.
template <bool Wide>
__device__ __forceinline__ void squares(const Gemm& g) {
  constexpr int side = 128, deep = 8, own = 8;
  __shared__ __align__(16) float as[side * deep], bs[deep * side];
  const int t = threadIdx.x, col = t % (side / own), row = t / (side / own);
  const float* a = g.a + blockIdx.x / g.tiles * side * g.n;
  const float* b = g.b + blockIdx.x % g.tiles * side;
  float* c = g.c + blockIdx.x / g.tiles * side * g.n + blockIdx.x % g.tiles * side;
  float sum[own][own] = {};
  for (int k = 0; k < g.depth; k += deep) {
    if constexpr (Wide) {
      const int r = t / 2, q = t % 2 * 4;
      const float4 v = *reinterpret_cast<const float4*>(a + r * g.n + q);
      as[(q + 0) * side + r] = v.x;
      as[(q + 1) * side + r] = v.y;
      as[(q + 2) * side + r] = v.z;
      as[(q + 3) * side + r] = v.w;
      reinterpret_cast<float4*>(bs)[t] = *reinterpret_cast<const float4*>(b + t / 32 * g.n + t % 32 * 4);
    } else {
      for (int r = t / deep; r < side; r += 256 / deep) as[r * deep + t % deep] = a[r * g.n + t % deep];
      for (int r = t / side; r < deep; r += 256 / side) bs[r * side + t % side] = b[r * g.n + t % side];
    }
    __syncthreads();
    a += deep;
    b += deep * g.n;
    for (int i = 0; i < deep; ++i) {
      float x[own], y[own];
      for (int r = 0; r < own; ++r)
        x[r] = Wide ? as[i * side + row * own + r] : as[(row * own + r) * deep + i];
      for (int r = 0; r < own; ++r) y[r] = bs[i * side + col * own + r];
      for (int r = 0; r < own; ++r)
        for (int s = 0; s < own; ++s) sum[r][s] += x[r] * y[s];
    }
    __syncthreads();
  }
  for (int r = 0; r < own; ++r)
    for (int s = 0; s < own; s += Wide ? 4 : 1) {
      float* const to = c + (row * own + r) * g.n + col * own + s;
      if constexpr (Wide) {
        float4 v = *reinterpret_cast<float4*>(to);
        v.x = g.alpha * sum[r][s] + g.beta * v.x;
        v.y = g.alpha * sum[r][s + 1] + g.beta * v.y;
        v.z = g.alpha * sum[r][s + 2] + g.beta * v.z;
        v.w = g.alpha * sum[r][s + 3] + g.beta * v.w;
        *reinterpret_cast<float4*>(to) = v;
      } else {
        *to = g.alpha * sum[r][s] + g.beta * *to;
      }
    }
}
/// Rung 5, and rung 6 with 128-bit accesses.
__global__ void __launch_bounds__(256) square(Gemm g) {
  squares<false>(g);
}
__global__ void __launch_bounds__(256) square_wide(Gemm g) {
  squares<true>(g);
}

struct Rung {
  int number, threads, side;
  void (*kernel)(Gemm);
};

int main(int argc, char** argv) {
  const auto argument = [&](int i, int otherwise) { return argc > i ? std::atoi(argv[i]) : otherwise; };
  const int repeats = repeats_from(argc, argv, 11), wanted = argument(2, 0), n = argument(3, 4096);
  const int depths[] = {argument(4, n), argument(5, 0)};
  const bool sample = depths[1] > depths[0];
  const auto matrix = [n] {
    float* m = nullptr;
    CUDA(cudaMalloc(&m, size_t(n) * n * 4));
    CUDA(cudaMemset(m, 0, size_t(n) * n * 4));
    return m;
  };
  Gemm g{n, n, 0, 1, 0, matrix(), matrix(), matrix()};
  int units = 0;
  CUDA(cudaDeviceGetAttribute(&units, cudaDevAttrMultiProcessorCount, 0));
  const Rung rungs[] = {{2, 1024, 32, coalesced},
                        {3, 1024, 32, shared_tiles},
                        {4, 512, 64, columns},
                        {5, 256, 128, square},
                        {6, 256, 128, square_wide}};
  for (const Rung& rung : rungs) {
    if (wanted && rung.number != wanted) continue;
    g.tiles = n / rung.side;
    const int all = g.tiles * g.tiles;
    int resident = 0;
    CUDA(cudaOccupancyMaxActiveBlocksPerMultiprocessor(&resident, rung.kernel, rung.threads, 0));
    const int ctas = sample ? std::min(all, resident * units) : all;
    const auto run = [&] { rung.kernel<<<ctas, rung.threads>>>(g); };
    double ms[2];
    for (int i = 0; i <= int(sample); ++i) {
      g.depth = depths[i];
      if (!sample) {
        ms[i] = median_ms(repeats, run);
        continue;
      }
      // Caches are as cold as what streams through them in the whole is.
      g.a = matrix(), g.b = matrix();
      ms[i] = once_ms(run);
      CUDA(cudaFree(const_cast<float*>(g.a)));
      CUDA(cudaFree(const_cast<float*>(g.b)));
    }
    if (sample)
      ms[0] =
          (ms[0] + (ms[1] - ms[0]) / (depths[1] - depths[0]) * (n - depths[0])) * ((all + ctas - 1) / ctas);
    char name[32];
    std::snprintf(name, sizeof name, "sgemm_rung%d", rung.number);
    csv(name, n, 2.0 * n * n * n / ms[0] * 1e-9, "TFLOP/s");
  }
}
