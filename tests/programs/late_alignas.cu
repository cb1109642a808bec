// alignas behind __shared__, where nvcc takes it and the standard does not.
#include <cuda_runtime.h>

#include "check.h"

struct alignas(16) Four {
  float part[4];
};

template <int n>
__global__ void reverse(float* x, int* misaligned) {
  __shared__ char odd;
  __shared__ alignas(alignof(float4)) float line[n];
  __shared__ alignas(Four) float more[n];
  extern __shared__ alignas(128) char bytes[];
  alignas(16) float own[4] = {x[threadIdx.x], 0, 0, 0};
  odd = 1;
  line[threadIdx.x] = own[0];
  more[threadIdx.x] = odd;
  bytes[threadIdx.x] = 1;
  __syncthreads();
  x[threadIdx.x] = line[n - 1 - threadIdx.x] + more[0] + bytes[n - 1];
  *misaligned = reinterpret_cast<unsigned long long>(line) % 16 +
                reinterpret_cast<unsigned long long>(more) % 16 +
                reinterpret_cast<unsigned long long>(bytes) % 128 + (alignof(Four) - 16);
}

int main() {
  float* x;
  int* misaligned;
  CUDA(cudaMallocManaged(&x, 64 * sizeof *x));
  CUDA(cudaMallocManaged(&misaligned, sizeof *misaligned));
  for (int i = 0; i < 64; ++i) x[i] = static_cast<float>(i);
  reverse<64><<<1, 64, 64>>>(x, misaligned);
  CUDA(cudaDeviceSynchronize());
  EXPECT(*misaligned == 0);
  for (int i = 0; i < 64; ++i) EXPECT(x[i] == static_cast<float>(65 - i));
  std::printf("PASS\n");
}
