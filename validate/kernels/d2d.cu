// Reads of memory on the own and on the other die: latency of one thread, bandwidth of all units of one die.
// Needs a chip of two dies whose first allocations lie on die 0:
//   wanren run --chip br100 --set package.data_placement=die_contiguous -- ./d2d
// The first half of the units (%smid) is on die 0.
#include "common.h"

__device__ unsigned unit() {
  unsigned id;
  asm volatile("mov.u32 %0, %%smid;" : "=r"(id));
  return id;
}

__global__ void link_ring(void** ring, unsigned lines) {
  const unsigned i = blockIdx.x * blockDim.x + threadIdx.x;
  // 6151 is prime to powers of two: a ring that jumps.
  if (i < lines) ring[i * 16ull] = ring + (i + 6151u) % lines * 16ull;
}

// The unit `wanted` alone follows the ring.
__global__ void chase(void** ring, unsigned wanted, int loads, long long* cycles, void** sink) {
  if (unit() != wanted) return;
  void** at = ring;
  for (int i = 0; i < loads; ++i) at = static_cast<void**>(*at);
  const long long begin = clock64();
#pragma unroll 32
  for (int i = 0; i < loads; ++i) at = static_cast<void**>(*at);
  *cycles = clock64() - begin;
  *sink = at;
}

// Units first <= %smid < last read the whole array together.
__global__ void read(const uint4* data, unsigned count, unsigned first, unsigned last, unsigned* sink) {
  const unsigned id = unit();
  if (id < first || id >= last) return;
  unsigned sum = 0;
  for (unsigned i = (id - first) * blockDim.x + threadIdx.x; i < count; i += (last - first) * blockDim.x) {
    const uint4 v = data[i];
    sum += v.x + v.y + v.z + v.w;
  }
  if (sum == 12345u) *sink = sum;
}

int main() {
  cudaDeviceProp p;
  CUDA(cudaGetDeviceProperties(&p, 0));
  const unsigned units = static_cast<unsigned>(p.multiProcessorCount);
  const size_t bytes = 16u << 20;
  const unsigned lines = 8192;  // 1 MiB: past L1, inside L2
  void *data = nullptr, **sink = nullptr;
  long long *cycles = nullptr, result = 0;
  CUDA(cudaMalloc(&data, bytes));
  CUDA(cudaMalloc(&sink, 8));
  CUDA(cudaMalloc(&cycles, 8));
  CUDA(cudaMemset(data, 0, bytes));
  void** ring = static_cast<void**>(data);
  link_ring<<<lines / 256, 256>>>(ring, lines);
  for (const unsigned wanted : {0u, units / 2}) {
    chase<<<units, 1>>>(ring, wanted, static_cast<int>(lines), cycles, sink);
    CUDA(cudaMemcpy(&result, cycles, 8, cudaMemcpyDeviceToHost));
    csv(wanted == 0 ? "latency_own_die" : "latency_other_die", wanted, static_cast<double>(result) / lines,
        "cycles");
  }
  const unsigned count = static_cast<unsigned>(bytes / 16);
  for (const unsigned first : {0u, units / 2}) {
    const double ms = median_ms(3, [&] {
      read<<<units, 1024>>>(static_cast<const uint4*>(data), count, first, first + units / 2,
                            reinterpret_cast<unsigned*>(sink));
    });
    csv(first == 0 ? "read_own_die" : "read_other_die", first, static_cast<double>(bytes) / ms * 1e-6,
        "GB/s");
  }
}
