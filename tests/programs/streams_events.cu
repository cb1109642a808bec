// Streams keep their order, events measure modelled time, default and blocking streams wait for each other.
#include <cuda_runtime.h>

#include "check.h"

__global__ void add(int* p, int n, int value) {
  for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < n; i += gridDim.x * blockDim.x) p[i] += value;
}
__global__ void twice(int* p, int n) {
  for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < n; i += gridDim.x * blockDim.x) p[i] *= 2;
}

int main() {
  const int n = 1 << 16;
  int *p = nullptr, *pinned = nullptr;
  CUDA(cudaMalloc(&p, n * sizeof(int)));
  CUDA(cudaMallocHost(&pinned, n * sizeof(int)));
  CUDA(cudaMemset(p, 0, n * sizeof(int)));
  cudaStream_t a, b;
  CUDA(cudaStreamCreate(&a));
  CUDA(cudaStreamCreateWithFlags(&b, cudaStreamNonBlocking));
  cudaEvent_t begin, middle, end;
  CUDA(cudaEventCreate(&begin));
  CUDA(cudaEventCreate(&middle));
  CUDA(cudaEventCreate(&end));
  CUDA(cudaEventRecord(begin, a));
  add<<<64, 256, 0, a>>>(p, n, 3);
  CUDA(cudaEventRecord(middle, a));
  CUDA(cudaStreamWaitEvent(b, middle, 0));
  twice<<<64, 256, 0, b>>>(p, n);
  CUDA(cudaEventRecord(end, b));
  CUDA(cudaMemcpyAsync(pinned, p, n * sizeof(int), cudaMemcpyDeviceToHost, b));
  CUDA(cudaStreamSynchronize(b));
  for (int i = 0; i < n; ++i) EXPECT(pinned[i] == 6);
  CUDA(cudaEventSynchronize(end));
  float first = -1, both = -1;
  CUDA(cudaEventElapsedTime(&first, begin, middle));
  CUDA(cudaEventElapsedTime(&both, begin, end));
  if (std::getenv("WANREN_TIMING") == nullptr || std::getenv("WANREN_TIMING")[0] != 'o')
    EXPECT(first > 0.0005f && both > first && both < 10.f);
  int calls = 0;
  CUDA(cudaLaunchHostFunc(a, [](void* data) { ++*static_cast<int*>(data); }, &calls));
  CUDA(cudaStreamSynchronize(a));
  EXPECT(calls == 1);
  while (cudaStreamQuery(a) == cudaErrorNotReady) {
  }
  CUDA(cudaStreamQuery(a));
  CUDA(cudaStreamDestroy(a));
  CUDA(cudaStreamDestroy(b));
  EXPECT(cudaEventElapsedTime(&first, begin, nullptr) == cudaErrorInvalidResourceHandle);
  CUDA(cudaFreeHost(pinned));
  CUDA(cudaFree(p));
  std::printf("PASS\n");
}
