// cudaDeviceReset: memory comes back, variables begin anew, and a fault no longer sticks.

#include <cuda_runtime.h>

#include "check.h"

__device__ int counter = 5;
__device__ int* self = &counter;

__global__ void count() {
  ++*self;
}
__global__ void fault(int* nowhere) {
  *nowhere = 1;
}

static int value() {
  int v = 0;
  CUDA(cudaMemcpyFromSymbol(&v, counter, sizeof v));
  return v;
}

static size_t free_bytes() {
  size_t free = 0, total = 0;
  CUDA(cudaMemGetInfo(&free, &total));
  return free;
}

int main() {
  EXPECT(value() == 5);
  const size_t before = free_bytes();
  for (int round = 0; round < 3; ++round) {
    void *small = nullptr, *large = nullptr, *pooled = nullptr;
    CUDA(cudaMalloc(&small, 1000));
    CUDA(cudaMalloc(&large, 64 << 20));
    CUDA(cudaMallocAsync(&pooled, 1 << 20, nullptr));
    if (round == 2) CUDA(cudaFreeAsync(pooled, nullptr));
    EXPECT(free_bytes() < before);
    count<<<1, 1>>>();
    EXPECT(value() == 6);
    if (round == 1) {
      fault<<<1, 1>>>(nullptr);
      EXPECT(cudaDeviceSynchronize() == cudaErrorIllegalAddress);
      EXPECT(cudaMalloc(&small, 16) == cudaErrorIllegalAddress);
    }
    CUDA(cudaDeviceReset());
    EXPECT(free_bytes() == before);
    EXPECT(cudaFree(large) == cudaErrorInvalidValue);
    EXPECT(value() == 5);
  }
  // A fault that nobody asked for is told once.
  fault<<<1, 1>>>(nullptr);
  EXPECT(cudaDeviceReset() == cudaErrorIllegalAddress);
  EXPECT(cudaDeviceSynchronize() == cudaSuccess);
  count<<<1, 1>>>();
  EXPECT(value() == 6);
  std::puts("PASS");
}
