// Launches queue without a synchronisation, as in any benchmark's loop: many large grids, many small ones,
// more than there are parameter buffers, grids of different shapes side by side.
#include <cuda_runtime.h>

#include <vector>

#include "check.h"

__global__ void saxpy(int n, float a, const float* x, float* y) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) y[i] = a * x[i] + y[i];
}
__global__ void count(int* p) {
  __shared__ int sum;
  if (threadIdx.x == 0) sum = 0;
  __syncthreads();
  atomicAdd(&sum, 1);
  __syncthreads();
  if (threadIdx.x == 0) atomicAdd(p, sum);
}

int main() {
  const int n = 1 << 18;
  float *x = nullptr, *y = nullptr;
  CUDA(cudaMalloc(&x, n * sizeof(float)));
  CUDA(cudaMalloc(&y, n * sizeof(float)));
  std::vector<float> ones(n, 1), result(n);
  CUDA(cudaMemcpy(x, ones.data(), n * sizeof(float), cudaMemcpyHostToDevice));

  const auto loop = [&](int size, int launches) {
    CUDA(cudaMemset(y, 0, n * sizeof(float)));
    for (int i = 0; i < launches; ++i) {
      saxpy<<<(size + 255) / 256, 256>>>(size, 2, x, y);
      CUDA(cudaGetLastError());
    }
    CUDA(cudaMemcpy(result.data(), y, size * sizeof(float), cudaMemcpyDeviceToHost));
    for (int i = 0; i < size; ++i) EXPECT(result[i] == 2.f * launches);
  };
  loop(n, 6);
  loop(4096, 400);
  loop(32, 4200);

  // Two streams whose grids take turns on the chip.
  int* p = nullptr;
  CUDA(cudaMalloc(&p, sizeof(int)));
  CUDA(cudaMemset(p, 0, sizeof(int)));
  cudaStream_t streams[2];
  for (cudaStream_t& stream : streams) CUDA(cudaStreamCreate(&stream));
  for (int i = 0; i < 20; ++i) count<<<700, i % 3 == 0 ? 512 : 32, 0, streams[i % 2]>>>(p);
  CUDA(cudaDeviceSynchronize());
  int counted = 0;
  CUDA(cudaMemcpy(&counted, p, sizeof(int), cudaMemcpyDeviceToHost));
  EXPECT(counted == 700 * (7 * 512 + 13 * 32));
  for (cudaStream_t& stream : streams) CUDA(cudaStreamDestroy(stream));
  CUDA(cudaFree(p));
  CUDA(cudaFree(y));
  CUDA(cudaFree(x));
  std::printf("PASS\n");
}
