// Under a power cap (WANREN_CHIP_SET) events, %globaltimer and clock64 tell one story.
#include <cuda_runtime.h>

#include <cmath>

#include "check.h"

__device__ unsigned long long global_ns() {
  unsigned long long t;
  asm volatile("mov.u64 %0, %%globaltimer;" : "=l"(t));
  return t;
}

struct Times {
  unsigned long long begin_ns, end_ns;
  unsigned long long begin, end;
};

__global__ void burn(float* p, int n, Times* times) {
  Times t{global_ns(), 0, static_cast<unsigned long long>(clock64()), 0};
  float a = threadIdx.x, b = 1, c = 2, d = 3;
  for (int i = 0; i < n; ++i) {
    a = a * 1.0001f + b;
    b = b * 1.0002f + c;
    c = c * 1.0003f + d;
    d = d * 1.0004f + a;
  }
  p[blockIdx.x * blockDim.x + threadIdx.x] = a + b + c + d;
  t.end = static_cast<unsigned long long>(clock64());
  t.end_ns = global_ns();
  if (threadIdx.x % 32 != 0) return;
  atomicMin(&times->begin_ns, t.begin_ns);
  atomicMax(&times->end_ns, t.end_ns);
  atomicMin(&times->begin, t.begin);
  atomicMax(&times->end, t.end);
}

int main() {
  cudaDeviceProp properties;
  CUDA(cudaGetDeviceProperties(&properties, 0));
  const int ctas = properties.multiProcessorCount, threads = 512;
  float* p = nullptr;
  Times *times = nullptr, t{~0ull, 0, ~0ull, 0};
  CUDA(cudaMalloc(&p, ctas * threads * sizeof(float)));
  CUDA(cudaMalloc(&times, sizeof(Times)));
  CUDA(cudaMemcpy(times, &t, sizeof t, cudaMemcpyHostToDevice));
  cudaEvent_t begin, end;
  CUDA(cudaEventCreate(&begin));
  CUDA(cudaEventCreate(&end));
  CUDA(cudaDeviceSynchronize());
  CUDA(cudaEventRecord(begin));
  burn<<<ctas, threads>>>(p, 1500, times);
  CUDA(cudaEventRecord(end));
  CUDA(cudaDeviceSynchronize());
  CUDA(cudaMemcpy(&t, times, sizeof t, cudaMemcpyDeviceToHost));
  float ms = 0;
  CUDA(cudaEventElapsedTime(&ms, begin, end));
  const double inside_us = (t.end_ns - t.begin_ns) * 1e-3, event_us = ms * 1e3;
  const double mhz = (t.end - t.begin) / inside_us;
  std::printf("event %.2f us, globaltimer %.2f us, clock64 %.0f MHz of %d\n", event_us, inside_us, mhz,
              properties.clockRate / 1000);
  // The event spans the launch as well.
  EXPECT(event_us > inside_us && event_us < inside_us + 11);
  EXPECT(inside_us > 30);
  EXPECT(mhz < 0.8 * properties.clockRate / 1000);
  CUDA(cudaFree(times));
  CUDA(cudaFree(p));
  std::printf("PASS\n");
}
