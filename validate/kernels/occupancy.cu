// FP64 streams of two CTAs per unit, one element per thread, GB/s: how fast slots are filled again.
// Arguments: repeats, threads per CTA, CTAs per slot (0: as many as 4 x L2 hold), one kernel's name.
#include <cstring>
#include <string>

#include "common.h"

__global__ void init(double* a, size_t n) {
  const size_t i = blockIdx.x * size_t{blockDim.x} + threadIdx.x;
  if (i < n) a[i] = 1.5;
}
__global__ void read(double* a, size_t n) {
  const size_t i = blockIdx.x * size_t{blockDim.x} + threadIdx.x;
  if (i < n && a[i] == 12345) a[i] = 0;
}

int main(int argc, char** argv) {
  const int repeats = repeats_from(argc, argv, 21), threads = argc > 2 ? std::atoi(argv[2]) : 64;
  cudaDeviceProp p;
  CUDA(cudaGetDeviceProperties(&p, 0));
  // Two CTAs per unit and no more: dynamic shared memory takes the room of a third.
  const int spoiler = static_cast<int>(p.sharedMemPerMultiprocessor) / 2 - 2048;
  const size_t slots = 2 * size_t(p.multiProcessorCount);
  const size_t each = argc > 3 && std::atoi(argv[3]) > 0
                          ? std::strtoull(argv[3], nullptr, 10)
                          : size_t(p.l2CacheSize) * 4 / (slots * threads * 8) + 1;
  const size_t n = slots * each * threads;
  double* a = nullptr;
  CUDA(cudaMalloc(&a, n * 8));
  CUDA(cudaMemset(a, 0, n * 8));
  const auto measure = [&](const char* name, void (*kernel)(double*, size_t)) {
    if (argc > 4 && std::strcmp(argv[4], name) != 0) return;
    CUDA(cudaFuncSetAttribute(reinterpret_cast<const void*>(kernel),
                              cudaFuncAttributeMaxDynamicSharedMemorySize, spoiler));
    const double ms =
        median_ms(repeats, [&] { kernel<<<static_cast<int>(slots * each), threads, spoiler>>>(a, n); });
    csv((std::string("occupancy_") + name).c_str(), threads, 8.0 * double(n) / ms * 1e-6, "GB/s");
  };
  measure("init", init);
  measure("read", read);
}
