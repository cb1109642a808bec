// FP32 FMA throughput: 8 independent chains per thread, registers only. Argument: repeats.
#include "common.h"

template <int iterations>
__global__ void fma_chains(float* out, float a, float b) {
  float x[8];
  for (int i = 0; i < 8; ++i) x[i] = threadIdx.x + i;
  for (int n = 0; n < iterations; ++n)
#pragma unroll
    for (int k = 0; k < 8; ++k)
#pragma unroll
      for (int i = 0; i < 8; ++i) x[i] = x[i] * a + b;
  float sum = 0;
  for (int i = 0; i < 8; ++i) sum += x[i];
  if (sum == 12345.f) out[0] = sum;
}

int main(int argc, char** argv) {
  const int repeats = repeats_from(argc, argv, 21);
  cudaDeviceProp p;
  CUDA(cudaGetDeviceProperties(&p, 0));
  float* out = nullptr;
  CUDA(cudaMalloc(&out, 4));
  constexpr int iterations = 512;
  const int blocks = p.multiProcessorCount * (p.maxThreadsPerMultiProcessor / 256);
  const double ms = median_ms(repeats, [&] { fma_chains<iterations><<<blocks, 256>>>(out, 0.999f, 0.001f); });
  const double flops = 2.0 * blocks * 256 * 64 * iterations;
  csv("fma_fp32", blocks, flops / ms * 1e-9, "TFLOP/s");
}
