// Launches that a device cannot run return CUDA's own errors and leave the context usable.
#include <cuda_runtime.h>

#include "check.h"

__global__ void touch(int* p) {
  p[0] = 7;
}
__global__ void dynamic(int* p) {
  extern __shared__ int shared[];
  shared[threadIdx.x] = 1;
  p[threadIdx.x] = shared[threadIdx.x];
}

int main() {
  int* p = nullptr;
  CUDA(cudaMalloc(&p, 4096));
  touch<<<1, 1025>>>(p);
  EXPECT(cudaGetLastError() == cudaErrorInvalidConfiguration);
  touch<<<0, 32>>>(p);
  EXPECT(cudaGetLastError() == cudaErrorInvalidConfiguration);
  touch<<<dim3(1, 70000), 32>>>(p);
  EXPECT(cudaGetLastError() == cudaErrorInvalidConfiguration);
  dynamic<<<1, 32, 60 * 1024>>>(p);
  EXPECT(cudaGetLastError() == cudaErrorInvalidValue);
  EXPECT(cudaFuncSetAttribute(dynamic, cudaFuncAttributeMaxDynamicSharedMemorySize, 1 << 30) ==
         cudaErrorInvalidValue);
  cudaGetLastError();
  cudaDeviceProp properties;
  CUDA(cudaGetDeviceProperties(&properties, 0));
  const int optin = static_cast<int>(properties.sharedMemPerBlockOptin);
  CUDA(cudaFuncSetAttribute(dynamic, cudaFuncAttributeMaxDynamicSharedMemorySize, optin));
  dynamic<<<1, 32, optin>>>(p);
  CUDA(cudaGetLastError());
  touch<<<1, 1>>>(p);
  CUDA(cudaDeviceSynchronize());
  int value = 0;
  CUDA(cudaMemcpy(&value, p, sizeof value, cudaMemcpyDeviceToHost));
  EXPECT(value == 7);
  EXPECT(cudaSetDevice(1) == cudaErrorInvalidDevice);
  EXPECT(cudaMemcpy(p, &value, 8192, cudaMemcpyHostToDevice) == cudaErrorInvalidValue);
  EXPECT(cudaGetLastError() == cudaErrorInvalidValue);
  EXPECT(cudaGetLastError() == cudaSuccess);
  std::printf("PASS\n");
}
