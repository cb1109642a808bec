// Programs that wait in loops end: a lock between lanes of a warp, a hand-made grid barrier, a decoupled
// look-back scan, a pointer chase timed with clock64. Prints its modelled cycles for comparison.
#include <cuda_runtime.h>

#include <vector>

#include "check.h"

__device__ int lock_word;
__device__ int counter;

__global__ void lane_lock() {
  bool done = false;
  while (!done) {
    if (atomicCAS(&lock_word, 0, 1) == 0) {
      counter = counter + 1;
      __threadfence();
      atomicExch(&lock_word, 0);
      done = true;
    }
  }
}

__device__ volatile unsigned arrived;

__global__ void grid_barrier(int* seen) {
  if (threadIdx.x == 0) {
    atomicAdd(const_cast<unsigned*>(&arrived), 1u);
    while (arrived < gridDim.x) {
    }
  }
  __syncthreads();
  if (threadIdx.x == 0) seen[blockIdx.x] = static_cast<int>(arrived);
}

// State per tile: 0 nothing, 1 own sum, 2 inclusive prefix; value in the upper half.
__device__ unsigned long long tile_state[64];

__global__ void look_back(const int* in, int* out) {
  __shared__ int sums[128];
  __shared__ int before;
  const int t = threadIdx.x, tile = blockIdx.x;
  sums[t] = in[tile * 128 + t];
  __syncthreads();
  for (int step = 1; step < 128; step *= 2) {
    const int other = t >= step ? sums[t - step] : 0;
    __syncthreads();
    sums[t] += other;
    __syncthreads();
  }
  if (t == 0) {
    const unsigned long long own = static_cast<unsigned long long>(sums[127]);
    if (tile == 0) {
      atomicExch(&tile_state[0], own << 32 | 2);
      before = 0;
    } else {
      atomicExch(&tile_state[tile], own << 32 | 1);
      int prefix = 0;
      for (int look = tile - 1; look >= 0;) {
        const unsigned long long state = *static_cast<volatile unsigned long long*>(&tile_state[look]);
        if ((state & 3) == 0) continue;
        prefix += static_cast<int>(state >> 32);
        if ((state & 3) == 2) break;
        --look;
      }
      before = prefix;
      atomicExch(&tile_state[tile], (own + static_cast<unsigned long long>(prefix)) << 32 | 2);
    }
  }
  __syncthreads();
  out[tile * 128 + t] = sums[t] + before;
}

__global__ void chase(const unsigned* next, int steps, long long* cycles, unsigned* sink) {
  unsigned at = 0;
  const long long begin = clock64();
  for (int i = 0; i < steps; ++i) at = next[at];
  const long long end = clock64();
  *cycles = end - begin;
  *sink = at;
}

int main() {
  lane_lock<<<1, 32>>>();
  CUDA(cudaDeviceSynchronize());
  int count = 0;
  CUDA(cudaMemcpyFromSymbol(&count, counter, sizeof count));
  EXPECT(count == 32);

  int* seen = nullptr;
  CUDA(cudaMalloc(&seen, 64 * sizeof(int)));
  grid_barrier<<<32, 64>>>(seen);
  CUDA(cudaDeviceSynchronize());
  std::vector<int> seen_host(32);
  CUDA(cudaMemcpy(seen_host.data(), seen, 32 * sizeof(int), cudaMemcpyDeviceToHost));
  for (int value : seen_host) EXPECT(value == 32);

  const int n = 64 * 128;
  std::vector<int> in(n), out(n);
  for (int i = 0; i < n; ++i) in[i] = i % 7 - 2;
  int *in_device = nullptr, *out_device = nullptr;
  CUDA(cudaMalloc(&in_device, n * sizeof(int)));
  CUDA(cudaMalloc(&out_device, n * sizeof(int)));
  CUDA(cudaMemcpy(in_device, in.data(), n * sizeof(int), cudaMemcpyHostToDevice));
  look_back<<<64, 128>>>(in_device, out_device);
  CUDA(cudaMemcpy(out.data(), out_device, n * sizeof(int), cudaMemcpyDeviceToHost));
  for (int i = 0, sum = 0; i < n; ++i) EXPECT(out[i] == (sum += in[i]));

  const int nodes = 1024, steps = 2000;
  std::vector<unsigned> next(nodes * 32);
  for (int i = 0; i < nodes; ++i) next[i * 32] = static_cast<unsigned>((i * 17 + 1) % nodes * 32);
  unsigned *next_device = nullptr, *sink = nullptr;
  long long *cycles = nullptr, cycles_host = 0;
  CUDA(cudaMalloc(&next_device, next.size() * 4));
  CUDA(cudaMalloc(&sink, 4));
  CUDA(cudaMalloc(&cycles, 8));
  CUDA(cudaMemcpy(next_device, next.data(), next.size() * 4, cudaMemcpyHostToDevice));
  chase<<<1, 1>>>(next_device, steps, cycles, sink);
  CUDA(cudaMemcpy(&cycles_host, cycles, 8, cudaMemcpyDeviceToHost));
  EXPECT(cycles_host > 0);
  if (std::getenv("WANREN_TIMING") == nullptr || std::getenv("WANREN_TIMING")[0] != 'o')
    EXPECT(cycles_host / steps >= 20);
  std::printf("chase: %.1f cycles per step\nPASS\n", static_cast<double>(cycles_host) / steps);
}
