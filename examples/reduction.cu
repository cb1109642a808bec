// Sum of an array: shuffles in a warp, shared memory in a block, one atomic a block.
#include "common.h"

__global__ void sum(const unsigned* in, int n, unsigned long long* total) {
  unsigned long long s = 0;
  for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < n; i += gridDim.x * blockDim.x) s += in[i];
  for (int step = 16; step > 0; step /= 2) s += __shfl_down_sync(0xffffffffu, s, step);
  __shared__ unsigned long long warp_sums[32];
  if (threadIdx.x % 32 == 0) warp_sums[threadIdx.x / 32] = s;
  __syncthreads();
  if (threadIdx.x < 32) {
    s = threadIdx.x < blockDim.x / 32 ? warp_sums[threadIdx.x] : 0;
    for (int step = 16; step > 0; step /= 2) s += __shfl_down_sync(0xffffffffu, s, step);
    if (threadIdx.x == 0) atomicAdd(total, s);
  }
}

int main(int argc, char** argv) {
  const int n = (int)option(argc, argv, "-n", has_flag(argc, argv, "--large") ? 1 << 26 : 1 << 20);
  cudaDeviceProp prop;
  CHECK(cudaGetDeviceProperties(&prop, 0));
  std::vector<unsigned> in(n);
  std::mt19937 engine(3);
  unsigned long long expected = 0;
  for (unsigned& v : in) v = (unsigned)engine(), expected += v;
  Device<unsigned> din(in);
  Device<unsigned long long> total(std::vector<unsigned long long>(1, 0));
  const int blocks = prop.multiProcessorCount * 4;
  const float ms = device_ms([&] { sum<<<blocks, 256>>>(din, n, total); });
  const unsigned long long got = total.download()[0];
  std::printf("reduction: n = %d, %.4f ms, %.1f GB/s, sum %llu\n", n, ms, 4.0 * n / ms * 1e-6, got);
  return finish(got == expected);
}
