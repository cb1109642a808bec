// Read bandwidth of near and far memory on a chip of several dies. One warp per compute unit reads one block
// of memory many times past its first-level cache; the fastest units for a block are those on the die where
// it lives. Nothing but the CUDA API is needed: the home is found by latency.
#include <algorithm>

#include "common.h"

// Each unit's first warp walks the block's lines, one outstanding load, and reports cycles a load.
__global__ void probe(const unsigned* block, int lines, long long* cycles, unsigned* sink) {
  if (threadIdx.x != 0) return;
  unsigned p = 0;
  for (int i = 0; i < lines; ++i) p = __ldcg(&block[p]);
  const long long start = clock64();
  for (int i = 0; i < lines; ++i) p = __ldcg(&block[p]);
  sink[blockIdx.x] = p;
  __threadfence();
  cycles[blockIdx.x] = clock64() - start;
}

// Blocks whose mark equals `wanted` stream the memory; the others leave at once.
__global__ void stream(const uint4* data, size_t count, const int* mark, int wanted, int readers,
                       unsigned* sum) {
  if (mark[blockIdx.x] < 0 || (wanted >= 0 && mark[blockIdx.x] / readers != wanted)) return;
  const size_t stride = (size_t)readers * blockDim.x;
  const size_t first = (size_t)(mark[blockIdx.x] % readers) * blockDim.x + threadIdx.x;
  unsigned s = 0;
  for (size_t i = first; i < count; i += stride) {
    const uint4 v = __ldcg(&data[i]);
    s += v.x + v.y + v.z + v.w;
  }
  atomicAdd(sum, s);
}

int main(int argc, char** argv) {
  cudaDeviceProp prop;
  CHECK(cudaGetDeviceProperties(&prop, 0));
  const int units = prop.multiProcessorCount, lines = 16;
  // One page's worth: interleaving over dies is coarser than this on a NUMA device, finer on a uniform one.
  const size_t bytes = (size_t)option(argc, argv, "-kb", has_flag(argc, argv, "--large") ? 2048 : 256) * 1024;
  std::vector<unsigned> host(bytes / 4, 1);
  for (int i = 0; i < lines; ++i) host[(size_t)i * 32] = (unsigned)((i + 1) % lines * 32);
  unsigned expected = 0;
  for (const unsigned v : host) expected += v;
  Device<unsigned> data(host), sink(units), sum(1);
  Device<long long> cycles(units);
  probe<<<units, 32>>>(data, lines, cycles, sink);
  CHECK(cudaDeviceSynchronize());
  const std::vector<long long> measured = cycles.download();
  std::vector<long long> sorted = measured;
  std::sort(sorted.begin(), sorted.end());
  // Near and far part at the widest gap of the sorted latencies, if it separates halves of the chip.
  const long long low = sorted[units / 8], high = sorted[units - 1 - units / 8];
  const bool two_classes = high > low + low / 20;
  const long long middle = (low + high) / 2;
  int near = 0, far = 0;
  std::vector<int> mark(units, -1);
  for (const long long c : measured) (c <= middle ? near : far) += 1;
  const int readers = two_classes ? std::min(near, far) : units;
  int seen[2] = {};
  for (int u = 0; u < units; ++u) {
    const int side = two_classes && measured[u] > middle;
    if (seen[side] < readers) mark[u] = side * readers + seen[side], ++seen[side];
  }
  Device<int> dmark(mark);
  bool correct = true;
  std::printf("d2d: %s, %d units, %.1f to %.1f cycles a load\n", prop.name, units, (double)low / lines,
              (double)high / lines);
  const auto run = [&](const char* name, int wanted) {
    CHECK(cudaMemset(sum, 0, sizeof(unsigned)));
    const float ms = device_ms([&] {
      stream<<<units, 512>>>(reinterpret_cast<const uint4*>(data.get()), bytes / 16, dmark, wanted, readers,
                             sum);
    });
    correct = correct && sum.download()[0] == expected;
    std::printf("%-5s %4d units read %zu KB: %.4f ms, %.1f GB/s\n", name, readers, bytes / 1024, ms,
                bytes / ms * 1e-6);
  };
  if (two_classes) {
    run("near", 0);
    run("far", 1);
  } else {
    std::printf("all units are equally far: one die, or memory interleaved finely over dies\n");
    run("all", 0);
  }
  return finish(correct);
}
