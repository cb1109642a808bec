// FP32 GEMM, n x n x n, TFLOP/s: naive, 16x16 shared-memory tiles, 64x64 tiles with 4x4 results a thread.
// Arguments: repeats, n.
#include "common.h"

__global__ void naive(int n, const float* a, const float* b, float* c) {
  const int row = blockIdx.y * blockDim.y + threadIdx.y, col = blockIdx.x * blockDim.x + threadIdx.x;
  float sum = 0;
  for (int k = 0; k < n; ++k) sum += a[row * n + k] * b[k * n + col];
  c[row * n + col] = sum;
}

__global__ void tiled(int n, const float* a, const float* b, float* c) {
  __shared__ float as[16][16], bs[16][16];
  const int tx = threadIdx.x, ty = threadIdx.y, row = blockIdx.y * 16 + ty, col = blockIdx.x * 16 + tx;
  float sum = 0;
  for (int t = 0; t < n; t += 16) {
    as[ty][tx] = a[row * n + t + tx];
    bs[ty][tx] = b[(t + ty) * n + col];
    __syncthreads();
    for (int k = 0; k < 16; ++k) sum += as[ty][k] * bs[k][tx];
    __syncthreads();
  }
  c[row * n + col] = sum;
}

__global__ void blocked(int n, const float* a, const float* b, float* c) {
  __shared__ float as[16][64 + 4], bs[16][64];
  const int tx = threadIdx.x, ty = threadIdx.y, t = ty * 16 + tx, row0 = blockIdx.y * 64,
            col0 = blockIdx.x * 64;
  float sum[4][4] = {};
  for (int k0 = 0; k0 < n; k0 += 16) {
    for (int i = 0; i < 4; ++i) {
      const int e = t + 256 * i;
      as[e % 16][e / 16] = a[(row0 + e / 16) * n + k0 + e % 16];
      bs[e / 64][e % 64] = b[(k0 + e / 64) * n + col0 + e % 64];
    }
    __syncthreads();
#pragma unroll
    for (int k = 0; k < 16; ++k) {
      const float4 av = *reinterpret_cast<const float4*>(&as[k][ty * 4]);
      const float4 bv = *reinterpret_cast<const float4*>(&bs[k][tx * 4]);
      const float x[4] = {av.x, av.y, av.z, av.w}, y[4] = {bv.x, bv.y, bv.z, bv.w};
      for (int i = 0; i < 4; ++i)
        for (int j = 0; j < 4; ++j) sum[i][j] += x[i] * y[j];
    }
    __syncthreads();
  }
  for (int i = 0; i < 4; ++i)
    *reinterpret_cast<float4*>(&c[(row0 + ty * 4 + i) * n + col0 + tx * 4]) =
        make_float4(sum[i][0], sum[i][1], sum[i][2], sum[i][3]);
}

int main(int argc, char** argv) {
  const int repeats = repeats_from(argc, argv, 11);
  const int n = argc > 2 ? std::atoi(argv[2]) : 4096;
  float *a = nullptr, *b = nullptr, *c = nullptr;
  CUDA(cudaMalloc(&a, size_t(n) * n * 4));
  CUDA(cudaMalloc(&b, size_t(n) * n * 4));
  CUDA(cudaMalloc(&c, size_t(n) * n * 4));
  CUDA(cudaMemset(a, 0, size_t(n) * n * 4));
  CUDA(cudaMemset(b, 0, size_t(n) * n * 4));
  const dim3 block(16, 16);
  const double flops = 2.0 * n * n * n;
  csv("sgemm_naive", n,
      flops / median_ms(repeats, [&] { naive<<<dim3(n / 16, n / 16), block>>>(n, a, b, c); }) * 1e-9,
      "TFLOP/s");
  csv("sgemm_tiled", n,
      flops / median_ms(repeats, [&] { tiled<<<dim3(n / 16, n / 16), block>>>(n, a, b, c); }) * 1e-9,
      "TFLOP/s");
  csv("sgemm_blocked", n,
      flops / median_ms(repeats, [&] { blocked<<<dim3(n / 64, n / 64), block>>>(n, a, b, c); }) * 1e-9,
      "TFLOP/s");
}
