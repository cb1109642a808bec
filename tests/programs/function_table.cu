// A table of device functions in an initial value, beside a direct call of one of them.
#include <cuda_runtime.h>

#include "check.h"

__device__ int twice(int x) {
  return 2 * x;
}
__device__ int thrice(int x) {
  return 3 * x;
}
__device__ int (*table[2])(int) = {twice, thrice};

__global__ void direct(int* p) {
  *p = twice(*p);
}

__global__ void indirect(int* p, int which) {
  *p = table[which](*p);
}

int main() {
  int* p = nullptr;
  CUDA(cudaMallocManaged(&p, sizeof *p));
  *p = 21;
  direct<<<1, 1>>>(p);
  CUDA(cudaDeviceSynchronize());
  EXPECT(*p == 42);
  indirect<<<1, 1>>>(p, 1);
  CUDA(cudaDeviceSynchronize());
  EXPECT(*p == 126);
  std::printf("PASS\n");
}
