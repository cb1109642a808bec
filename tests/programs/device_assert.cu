// A failing device assert is cudaErrorAssert and names file and line; trap is a launch failure.
#include <cuda_runtime.h>
#include <cassert>

#include "check.h"

__global__ void must_be_small(int n) {
  assert(n < 10);
}

int main() {
  must_be_small<<<1, 32>>>(5);
  CUDA(cudaDeviceSynchronize());
  must_be_small<<<1, 32>>>(50);
  EXPECT(cudaDeviceSynchronize() == cudaErrorAssert);
  std::printf("PASS\n");
}
