// BF16 matrix throughput of warp-level mma from registers: 4 independent accumulators per warp.
#include <cuda_bf16.h>
#include <mma.h>

#include "common.h"

template <int iterations>
__global__ void mma_chains(const __nv_bfloat16* in, float* out) {
  using namespace nvcuda;
  wmma::fragment<wmma::matrix_a, 16, 16, 16, __nv_bfloat16, wmma::row_major> a;
  wmma::fragment<wmma::matrix_b, 16, 16, 16, __nv_bfloat16, wmma::col_major> b;
  wmma::fragment<wmma::accumulator, 16, 16, 16, float> c[4];
  wmma::load_matrix_sync(a, in, 16);
  wmma::load_matrix_sync(b, in + 256, 16);
  for (int i = 0; i < 4; ++i) wmma::fill_fragment(c[i], 0.f);
  for (int n = 0; n < iterations; ++n)
    for (int i = 0; i < 4; ++i) wmma::mma_sync(c[i], a, b, c[i]);
  float sum = 0;
  for (int i = 0; i < 4; ++i) sum += c[i].x[0];
  if (sum == 12345.f) out[0] = sum;
}

int main(int argc, char** argv) {
  const int repeats = repeats_from(argc, argv, 21);
  cudaDeviceProp p;
  CUDA(cudaGetDeviceProperties(&p, 0));
  float* out = nullptr;
  CUDA(cudaMalloc(&out, 4));
  __nv_bfloat16* in = nullptr;
  CUDA(cudaMalloc(&in, 512 * sizeof(__nv_bfloat16)));
  CUDA(cudaMemset(in, 0, 512 * sizeof(__nv_bfloat16)));
  constexpr int iterations = 256;
  const int blocks = p.multiProcessorCount * 4;
  const double ms = median_ms(repeats, [&] { mma_chains<iterations><<<blocks, 256>>>(in, out); });
  csv("mma_bf16", blocks, 2.0 * 16 * 16 * 16 * 4 * iterations * 8 * blocks / ms * 1e-9, "TFLOP/s");
}
