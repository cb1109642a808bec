// Pointer chase through a random ring of 128-byte lines by one thread: cycles per load over footprint.
// Arguments: loads to time, footprints in KiB …
#include <numeric>
#include <random>

#include "common.h"

__global__ void chase(const unsigned* ring, int loads, long long* cycles, unsigned* sink) {
  unsigned at = 0;
  const long long begin = clock64();
#pragma unroll 16
  for (int i = 0; i < loads; ++i) at = ring[at];
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
    std::vector<unsigned> order(lines), ring(lines * 32);
    std::iota(order.begin(), order.end(), 0u);
    std::shuffle(order.begin() + 1, order.end(), random);
    for (size_t i = 0; i < lines; ++i) ring[order[i] * 32] = order[(i + 1) % lines] * 32;
    unsigned *device = nullptr, *sink = nullptr;
    long long *cycles = nullptr, result = 0;
    CUDA(cudaMalloc(&device, ring.size() * 4));
    CUDA(cudaMalloc(&sink, 4));
    CUDA(cudaMalloc(&cycles, 8));
    CUDA(cudaMemcpy(device, ring.data(), ring.size() * 4, cudaMemcpyHostToDevice));
    // Twice around to warm every level up, then timed.
    chase<<<1, 1>>>(device, static_cast<int>(2 * lines), cycles, sink);
    const int loads = std::max<int>(wanted, static_cast<int>(std::min<size_t>(lines, 4000000)));
    chase<<<1, 1>>>(device, loads, cycles, sink);
    CUDA(cudaMemcpy(&result, cycles, 8, cudaMemcpyDeviceToHost));
    csv("latency", kb, static_cast<double>(result) / loads, "cycles");
    CUDA(cudaFree(device));
    CUDA(cudaFree(sink));
    CUDA(cudaFree(cycles));
  }
}
