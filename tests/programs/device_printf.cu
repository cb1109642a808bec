// Device printf comes out at the next synchronisation, before the host's own later output.
#include <cuda_runtime.h>

#include "check.h"

__global__ void speak() {
  if (threadIdx.x < 2)
    printf("block %d thread %u says %5.2f %s %c %lld\n", blockIdx.x, threadIdx.x, 1.5, "hello", 'x', -5ll);
}

int main() {
  speak<<<1, 32>>>();
  CUDA(cudaDeviceSynchronize());
  std::printf("PASS\n");
}
