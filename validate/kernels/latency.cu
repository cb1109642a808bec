// Pointer chase through a random ring of 128-byte lines by one thread: cycles per load over footprint.
// Arguments: loads to time, footprints in KiB …
#include <numeric>
#include <random>

#include "common.h"

// Each line's first word is the address of the next line: nothing but the load is on the path.
__global__ void link_ring(void** ring, const unsigned* next, unsigned lines) {
  const unsigned i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < lines) ring[i * 16ull] = ring + next[i] * 16ull;
}

__global__ void chase(void** ring, int warm, int loads, long long* cycles, void** sink) {
  void** at = ring;
#pragma unroll 32
  for (int i = 0; i < warm; ++i) at = static_cast<void**>(*at);
  const long long begin = clock64();
#pragma unroll 32
  for (int i = 0; i < loads; ++i) at = static_cast<void**>(*at);
  const long long end = clock64();
  *cycles = end - begin;
  *sink = at;
}

int main(int argc, char** argv) {
  const int wanted = argc > 1 ? std::atoi(argv[1]) : 100000;
  std::vector<double> footprints;
  for (int i = 2; i < argc; ++i) footprints.push_back(std::atof(argv[i]));
  if (footprints.empty())
    for (double kb = 8; kb <= 262144; kb *= 1.4142135623730951) footprints.push_back(kb);
  std::mt19937 random(1);
  for (const double kb : footprints) {
    const size_t lines = std::max<size_t>(static_cast<size_t>(kb * 1024 / 128), 2);
    std::vector<unsigned> order(lines), next(lines);
    std::iota(order.begin(), order.end(), 0u);
    std::shuffle(order.begin() + 1, order.end(), random);
    for (size_t i = 0; i < lines; ++i) next[order[i]] = order[(i + 1) % lines];
    void **ring = nullptr, **sink = nullptr;
    unsigned* next_device = nullptr;
    long long *cycles = nullptr, result = 0;
    CUDA(cudaMalloc(&ring, lines * 128));
    CUDA(cudaMalloc(&next_device, lines * 4));
    CUDA(cudaMalloc(&sink, sizeof(void*)));
    CUDA(cudaMalloc(&cycles, 8));
    CUDA(cudaMemcpy(next_device, next.data(), lines * 4, cudaMemcpyHostToDevice));
    link_ring<<<static_cast<unsigned>((lines + 255) / 256), 256>>>(ring, next_device,
                                                                   static_cast<unsigned>(lines));
    // Once around warms every level up; then timed.
    chase<<<1, 1>>>(ring, static_cast<int>(lines), wanted, cycles, sink);
    CUDA(cudaMemcpy(&result, cycles, 8, cudaMemcpyDeviceToHost));
    csv("latency", kb, static_cast<double>(result) / wanted, "cycles");
    CUDA(cudaFree(ring));
    CUDA(cudaFree(next_device));
    CUDA(cudaFree(sink));
    CUDA(cudaFree(cycles));
  }
}
