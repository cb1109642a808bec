// The devices that CUDA_VISIBLE_DEVICES shows, by the names that are given.

#include <cstring>

#include <cuda_runtime.h>

#include "check.h"

int main(int count, char** names) {
  int devices = 0;
  const cudaError_t error = cudaGetDeviceCount(&devices);
  EXPECT(count > 1 ? error == cudaSuccess : error == cudaErrorNoDevice);
  EXPECT(devices == count - 1);
  for (int i = 0; i < devices; ++i) {
    cudaDeviceProp properties;
    CUDA(cudaGetDeviceProperties(&properties, i));
    if (std::strstr(properties.name, names[i + 1]) == nullptr) {
      std::printf("FAIL device %d is %s, not %s\n", i, properties.name, names[i + 1]);
      return 1;
    }
  }
  std::printf("PASS\n");
}
