// Latency by footprint: one thread follows a random cycle of cache lines and reads the clock around each
// walk.
#include <algorithm>
#include <numeric>

#include "common.h"

__global__ void chase(const unsigned* next, int warm, int steps, unsigned* last, long long* cycles) {
  unsigned p = 0;
  for (int i = 0; i < warm; ++i) p = next[p];
  const long long start = clock64();
  for (int i = 0; i < steps; ++i) p = next[p];
  *last = p;
  __threadfence();
  *cycles = clock64() - start;
}

int main(int argc, char** argv) {
  const bool large = has_flag(argc, argv, "--large");
  constexpr int line = 128 / sizeof(unsigned);
  const size_t most = (size_t)option(argc, argv, "-kb", large ? 1 << 20 : 4096) * 1024;
  const int limit = (int)option(argc, argv, "-steps", large ? 65536 : 2048);
  std::mt19937 engine(9);
  bool correct = true;
  double before = 0;
  std::printf("pointer_chase:  footprint  cycles a load\n");
  for (size_t bytes = 4096; bytes <= most; bytes *= 4) {
    const int lines = (int)(bytes / 128);
    std::vector<int> order(lines);
    std::iota(order.begin(), order.end(), 0);
    std::shuffle(order.begin() + 1, order.end(), engine);
    std::vector<unsigned> next(bytes / sizeof(unsigned), 0);
    for (int i = 0; i < lines; ++i) next[(size_t)order[i] * line] = (unsigned)(order[(i + 1) % lines] * line);
    Device<unsigned> dnext(next), last(1);
    Device<long long> cycles(1);
    const int warm = std::min(lines, limit * 4), steps = std::min(lines, limit);
    chase<<<1, 1>>>(dnext, warm, steps, last, cycles);
    CHECK(cudaDeviceSynchronize());
    unsigned p = 0;
    for (int i = 0; i < warm + steps; ++i) p = next[p];
    correct = correct && last.download()[0] == p;
    const double latency = (double)cycles.download()[0] / steps;
    std::printf("%16zu KB  %12.1f\n", bytes / 1024, latency);
    before = std::max(before, latency);
  }
  return finish(correct && before > 0);
}
