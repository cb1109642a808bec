// Stream-ordered allocation from the default pool and from one of our own, and its accounting.
#include <cuda_runtime.h>

#include "check.h"

__global__ void fill(int* p, int value) {
  p[threadIdx.x] = value;
}

int main() {
  cudaStream_t stream = nullptr;
  CUDA(cudaStreamCreate(&stream));
  cudaMemPool_t standard = nullptr, own = nullptr, current = nullptr;
  CUDA(cudaDeviceGetDefaultMemPool(&standard, 0));
  cudaMemPoolProps properties = {};
  properties.allocType = cudaMemAllocationTypePinned;
  properties.location = {cudaMemLocationTypeDevice, 0};
  CUDA(cudaMemPoolCreate(&own, &properties));
  CUDA(cudaDeviceGetMemPool(&current, 0));
  EXPECT(current == standard && own != standard);

  unsigned long long threshold = ~0ull, value = 0;
  CUDA(cudaMemPoolSetAttribute(own, cudaMemPoolAttrReleaseThreshold, &threshold));
  CUDA(cudaMemPoolGetAttribute(own, cudaMemPoolAttrReleaseThreshold, &value));
  EXPECT(value == threshold);

  int *a = nullptr, *b = nullptr, host[32];
  CUDA(cudaMallocAsync(&a, 4096, stream));
  CUDA(cudaMallocFromPoolAsync(&b, 8192, own, stream));
  CUDA(cudaMemPoolGetAttribute(own, cudaMemPoolAttrUsedMemCurrent, &value));
  EXPECT(value == 8192);
  fill<<<1, 32, 0, stream>>>(b, 7);
  CUDA(cudaMemcpyAsync(host, b, sizeof host, cudaMemcpyDeviceToHost, stream));
  CUDA(cudaFreeAsync(b, stream));
  CUDA(cudaFreeAsync(a, stream));
  CUDA(cudaStreamSynchronize(stream));
  EXPECT(host[0] == 7 && host[31] == 7);
  CUDA(cudaMemPoolGetAttribute(own, cudaMemPoolAttrUsedMemCurrent, &value));
  EXPECT(value == 0);
  CUDA(cudaMemPoolGetAttribute(own, cudaMemPoolAttrUsedMemHigh, &value));
  EXPECT(value == 8192);
  CUDA(cudaMemPoolDestroy(own));
  EXPECT(cudaMemPoolDestroy(standard) == cudaErrorInvalidValue);
  std::printf("PASS\n");
}
