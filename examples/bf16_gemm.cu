// C = A B with bfloat16 inputs and float sums on the matrix units: nvcuda::wmma on tiles in shared memory.
// A is n x k and B k x n: -n N, -k K (default n). The peak to compare with: -peak TFLOPS, or the claim of a
// chip whose name is known.
#include <cuda_bf16.h>
#include <mma.h>

#include "common.h"

using namespace nvcuda;

// A block of 8 warps computes 128 x 128; a warp 64 x 32.
constexpr int block_m = 128, block_n = 128, block_k = 32, pad = 8;

__global__ void __launch_bounds__(256)
    gemm(int n, int depth, const __nv_bfloat16* a, const __nv_bfloat16* b, float* c) {
  __shared__ __align__(32) __nv_bfloat16 as[block_m][block_k + pad], bs[block_k][block_n + pad];
  const int t = threadIdx.x, warp = t / 32;
  const int row0 = blockIdx.y * block_m, col0 = blockIdx.x * block_n;
  const int wm = warp / 4 * 64, wn = warp % 4 * 32;
  wmma::fragment<wmma::accumulator, 16, 16, 16, float> sum[4][2];
#pragma unroll
  for (int i = 0; i < 4; ++i)
#pragma unroll
    for (int j = 0; j < 2; ++j) wmma::fill_fragment(sum[i][j], 0.0f);
  for (int k0 = 0; k0 < depth; k0 += block_k) {
#pragma unroll
    for (int s = 0; s < 2; ++s) {
      const int i = t + s * 256;  // 512 chunks of 8 elements each
      *reinterpret_cast<uint4*>(&as[i / 4][i % 4 * 8]) =
          *reinterpret_cast<const uint4*>(&a[(size_t)(row0 + i / 4) * depth + k0 + i % 4 * 8]);
      *reinterpret_cast<uint4*>(&bs[i / 16][i % 16 * 8]) =
          *reinterpret_cast<const uint4*>(&b[(size_t)(k0 + i / 16) * n + col0 + i % 16 * 8]);
    }
    __syncthreads();
#pragma unroll
    for (int k = 0; k < block_k; k += 16) {
      wmma::fragment<wmma::matrix_a, 16, 16, 16, __nv_bfloat16, wmma::row_major> fa[4];
      wmma::fragment<wmma::matrix_b, 16, 16, 16, __nv_bfloat16, wmma::row_major> fb[2];
#pragma unroll
      for (int i = 0; i < 4; ++i) wmma::load_matrix_sync(fa[i], &as[wm + i * 16][k], block_k + pad);
#pragma unroll
      for (int j = 0; j < 2; ++j) wmma::load_matrix_sync(fb[j], &bs[k][wn + j * 16], block_n + pad);
#pragma unroll
      for (int i = 0; i < 4; ++i)
#pragma unroll
        for (int j = 0; j < 2; ++j) wmma::mma_sync(sum[i][j], fa[i], fb[j], sum[i][j]);
    }
    __syncthreads();
  }
#pragma unroll
  for (int i = 0; i < 4; ++i)
#pragma unroll
    for (int j = 0; j < 2; ++j)
      wmma::store_matrix_sync(&c[(size_t)(row0 + wm + i * 16) * n + col0 + wn + j * 16], sum[i][j], n,
                              wmma::mem_row_major);
}

// TFLOPS that the maker claims for dense BF16.
static double claimed_peak(const char* name) {
  const struct {
    const char* part;
    double tflops;
  } claims[] = {{"BR100", 1024}, {"BR104", 512}, {"H100 PCIe", 756}, {"H100", 989}, {"A100", 312}};
  for (const auto& c : claims)
    if (std::strstr(name, c.part)) return c.tflops;
  return 0;
}

int main(int argc, char** argv) {
  const int n = (int)option(argc, argv, "-n", has_flag(argc, argv, "--large") ? 4096 : 512);
  const int depth = (int)option(argc, argv, "-k", n);
  if (n % block_m || depth % block_k || depth < block_k) {
    std::fprintf(stderr, "-n %d -k %d: not multiples of %d and %d\n", n, depth, block_m, block_k);
    return 2;
  }
  cudaDeviceProp prop;
  CHECK(cudaGetDeviceProperties(&prop, 0));
  std::vector<__nv_bfloat16> a((size_t)n * depth), b((size_t)depth * n);
  const std::vector<float> fa = random_floats(a.size(), 1), fb = random_floats(b.size(), 2);
  for (size_t i = 0; i < a.size(); ++i) a[i] = __float2bfloat16(fa[i]), b[i] = __float2bfloat16(fb[i]);
  Device<__nv_bfloat16> da(a), db(b);
  Device<float> dc((size_t)n * n);
  const float ms = device_ms([&] { gemm<<<dim3(n / block_n, n / block_m), 256>>>(n, depth, da, db, dc); });
  const std::vector<float> c = dc.download();
  double worst = 0;
  for (int s = 0; s < 256; ++s) {
    const int row = (int)((long long)s * 7919 % n), col = (int)((long long)s * 104729 % n);
    double sum = 0;
    for (int k = 0; k < depth; ++k)
      sum += (double)__bfloat162float(a[(size_t)row * depth + k]) *
             (double)__bfloat162float(b[(size_t)k * n + col]);
    worst = std::fmax(worst, std::fabs(sum - c[(size_t)row * n + col]));
  }
  const double tflops = 2.0 * n * n * depth / ms * 1e-9,
               peak = option(argc, argv, "-peak", claimed_peak(prop.name));
  std::printf("bf16_gemm: n = %d, k = %d on %s, %.4f ms, %.2f TFLOP/s", n, depth, prop.name, ms, tflops);
  if (peak > 0) std::printf(", %.1f %% of the claimed %.0f", 100 * tflops / peak, peak);
  std::printf(", largest error %.2g\n", worst);
  // Products are exact in float; k additions of partial sums below k.
  return finish(worst <= 1.2e-7 * depth);
}
