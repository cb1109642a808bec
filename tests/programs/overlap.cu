// Two kernels that overlap, an event around each, memory freed in stream order between them. With an argument
// the host polls streams and events while they run: the device's timeline must not see that.
#include <cuda_runtime.h>

#include "check.h"

__global__ void spin(float* p, int n) {
  float x = p[threadIdx.x];
  for (int i = 0; i < n; ++i) x = x * 1.0001f + 0.5f;
  p[threadIdx.x] = x;
}

int main(int argc, char**) {
  const bool polls = argc > 1;
  float *p[2], *scratch = nullptr, *again = nullptr;
  cudaStream_t stream[2];
  cudaEvent_t begin[2], end[2];
  for (int i = 0; i < 2; ++i) {
    CUDA(cudaMalloc(&p[i], 4096));
    CUDA(cudaMemset(p[i], 0, 4096));
    CUDA(cudaStreamCreateWithFlags(&stream[i], cudaStreamNonBlocking));
    CUDA(cudaEventCreate(&begin[i]));
    CUDA(cudaEventCreate(&end[i]));
  }
  CUDA(cudaDeviceSynchronize());
  CUDA(cudaMallocAsync(&scratch, 1 << 20, stream[0]));
  for (int i = 0; i < 2; ++i) {
    CUDA(cudaEventRecord(begin[i], stream[i]));
    spin<<<4, 128, 0, stream[i]>>>(p[i], i == 0 ? 20000 : 5000);
    CUDA(cudaEventRecord(end[i], stream[i]));
    if (i == 0) CUDA(cudaFreeAsync(scratch, stream[0]));
  }
  CUDA(cudaMallocAsync(&again, 1 << 20, stream[0]));
  EXPECT(again == scratch);
  int polled = 0, first = 0;
  if (polls) {
    // The short kernel is seen to end while the long one runs.
    while (cudaEventQuery(end[1]) == cudaErrorNotReady) ++polled;
    EXPECT(cudaStreamQuery(stream[0]) == cudaErrorNotReady);
    first = polled;
    while (cudaStreamQuery(stream[0]) == cudaErrorNotReady) ++polled;
    EXPECT(first > 3 && polled > 2 * first);
  }
  CUDA(cudaDeviceSynchronize());
  float ms[2], span = 0;
  for (int i = 0; i < 2; ++i) CUDA(cudaEventElapsedTime(&ms[i], begin[i], end[i]));
  CUDA(cudaEventElapsedTime(&span, begin[0], end[1]));
  // Side by side: both are over long before the sum of their times.
  EXPECT(ms[0] > 2 * ms[1]);
  EXPECT(span < 0.7f * ms[0]);
  CUDA(cudaFreeAsync(again, stream[0]));
  CUDA(cudaStreamSynchronize(stream[0]));
  for (int i = 0; i < 2; ++i) CUDA(cudaFree(p[i]));
  std::printf("PASS\n");
}
