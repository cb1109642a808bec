// Relocatable device code: a function and a variable of another file.
#include <cuda_runtime.h>

#include "check.h"

extern __device__ int shared_offset;
__device__ int scale_and_shift(int x);

__global__ void apply(int* p) {
  p[threadIdx.x] = scale_and_shift(p[threadIdx.x]);
}

void set_offset(int value);

int main() {
  int host[32], *p = nullptr;
  for (int i = 0; i < 32; ++i) host[i] = i;
  CUDA(cudaMalloc(&p, sizeof host));
  CUDA(cudaMemcpy(p, host, sizeof host, cudaMemcpyHostToDevice));
  set_offset(100);
  apply<<<1, 32>>>(p);
  CUDA(cudaMemcpy(host, p, sizeof host, cudaMemcpyDeviceToHost));
  for (int i = 0; i < 32; ++i) EXPECT(host[i] == 3 * i + 100);
  std::printf("PASS\n");
}
