// The CTA that draws the last ticket tells its threads through shared memory and adds up what the others
// left: which one that is depends on modelled time alone, so the cycles are the same on every run.

#include <cuda_runtime.h>

#include "check.h"

constexpr int threads = 128, ctas = 256;

__global__ void add_up(const float* in, float* partial, unsigned* tickets, float* out, int n) {
  __shared__ float sums[threads];
  __shared__ bool last;
  float sum = 0;
  for (int i = blockIdx.x * threads + threadIdx.x; i < n; i += gridDim.x * threads) sum += in[i];
  sums[threadIdx.x] = sum;
  __syncthreads();
  for (int half = threads / 2; half > 0; half /= 2) {
    if (threadIdx.x < half) sums[threadIdx.x] += sums[threadIdx.x + half];
    __syncthreads();
  }
  if (threadIdx.x == 0) {
    partial[blockIdx.x] = sums[0];
    __threadfence();
    last = atomicInc(tickets, gridDim.x - 1) == gridDim.x - 1;
  }
  __syncthreads();
  if (!last) return;
  sum = 0;
  for (int i = threadIdx.x; i < gridDim.x; i += threads) sum += partial[i];
  sums[threadIdx.x] = sum;
  __syncthreads();
  if (threadIdx.x == 0) {
    float total = 0;
    for (int i = 0; i < threads; ++i) total += sums[i];
    *out = total;
  }
}

int main() {
  constexpr int n = 1 << 16;
  float *in, *partial, *out;
  unsigned* tickets;
  CUDA(cudaMallocManaged(&in, n * sizeof *in));
  CUDA(cudaMallocManaged(&out, sizeof *out));
  CUDA(cudaMalloc(&partial, ctas * sizeof *partial));
  CUDA(cudaMalloc(&tickets, sizeof *tickets));
  CUDA(cudaMemset(tickets, 0, sizeof *tickets));
  for (int i = 0; i < n; ++i) in[i] = static_cast<float>(i % 8);
  add_up<<<ctas, threads>>>(in, partial, tickets, out, n);
  CUDA(cudaDeviceSynchronize());
  EXPECT(*out == 3.5f * n);
  std::printf("PASS\n");
}
