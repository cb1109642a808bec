// A static kernel and a static device variable in relocatable code: their names carry a suffix on which host
// and device code must agree.
#include <cuda_runtime.h>

#include "check.h"

static __device__ int step = 2;

static __global__ void advance(int* p) {
  *p += step;
}

int main() {
  int *p = nullptr, host = 40;
  CUDA(cudaMalloc(&p, sizeof host));
  CUDA(cudaMemcpy(p, &host, sizeof host, cudaMemcpyHostToDevice));
  advance<<<1, 1>>>(p);
  CUDA(cudaMemcpy(&host, p, sizeof host, cudaMemcpyDeviceToHost));
  EXPECT(host == 42);
  const int five = 5;
  CUDA(cudaMemcpyToSymbol(step, &five, sizeof five));
  advance<<<1, 1>>>(p);
  CUDA(cudaMemcpy(&host, p, sizeof host, cudaMemcpyDeviceToHost));
  EXPECT(host == 47);
  std::printf("PASS\n");
}
