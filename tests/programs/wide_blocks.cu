// Blocks of 1,024 threads whose code would like more registers than such a block leaves: they run, with
// spills.
#include <cuda_runtime.h>

#include <vector>

#include "check.h"

constexpr int values = 96, threads = 1024;

__global__ void hold(const float* in, float* out) {
  float v[values];
#pragma unroll
  for (int i = 0; i < values; ++i) v[i] = in[i * threads + threadIdx.x];
  __syncthreads();
#pragma unroll
  for (int i = 0; i < values; ++i) out[i * threads + threadIdx.x] = v[values - 1 - i] + v[i];
}

int main() {
  std::vector<float> host(values * threads), back(host.size());
  for (std::size_t i = 0; i < host.size(); ++i) host[i] = static_cast<float>(i % 1013);
  float *in = nullptr, *out = nullptr;
  CUDA(cudaMalloc(&in, host.size() * sizeof(float)));
  CUDA(cudaMalloc(&out, host.size() * sizeof(float)));
  CUDA(cudaMemcpy(in, host.data(), host.size() * sizeof(float), cudaMemcpyHostToDevice));
  for (int i = 0; i < 8; ++i) hold<<<2, threads>>>(in, out);
  CUDA(cudaDeviceSynchronize());
  std::fputs("launched\n", stderr);
  CUDA(cudaMemcpy(back.data(), out, back.size() * sizeof(float), cudaMemcpyDeviceToHost));
  for (int i = 0; i < values; ++i)
    for (int t = 0; t < threads; ++t)
      EXPECT(back[i * threads + t] == host[(values - 1 - i) * threads + t] + host[i * threads + t]);
  cudaFuncAttributes attributes;
  CUDA(cudaFuncGetAttributes(&attributes, hold));
  EXPECT(attributes.maxThreadsPerBlock == 1024);
  EXPECT(attributes.numRegs > 64);
  int resident = 0;
  CUDA(cudaOccupancyMaxActiveBlocksPerMultiprocessor(&resident, hold, threads, 0));
  EXPECT(resident == 1);
  std::printf("PASS\n");
}
