// A wild store ends the context with cudaErrorIllegalAddress, sticky; the host goes on.
#include <cuda_runtime.h>

#include <cstring>

#include "check.h"

__global__ void wild(int* p, long offset) {
  if (threadIdx.x == 5 && blockIdx.x == 1) p[offset] = 1;
}

int main(int argc, char** argv) {
  static int host_variable = 42;
  int* p = nullptr;
  CUDA(cudaMalloc(&p, 1 << 20));
  const bool null = argc > 1 && std::strcmp(argv[1], "null") == 0;
  const bool host = argc > 1 && std::strcmp(argv[1], "host") == 0;
  if (host)
    wild<<<2, 32>>>(&host_variable, 0);
  else
    wild<<<2, 32>>>(null ? nullptr : p, null ? 0 : 1l << 30);
  EXPECT(cudaDeviceSynchronize() == cudaErrorIllegalAddress);
  EXPECT(cudaGetLastError() == cudaErrorIllegalAddress);
  void* q = nullptr;
  EXPECT(cudaMalloc(&q, 16) == cudaErrorIllegalAddress);
  EXPECT(cudaDeviceSynchronize() == cudaErrorIllegalAddress);
  EXPECT(host_variable == 42);
  std::printf("PASS\n");
}
