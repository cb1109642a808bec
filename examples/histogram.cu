// 256 bins: shared-memory atomics within a block, global ones between blocks.
#include "common.h"

__global__ void histogram(const unsigned* words, int n, unsigned* bins) {
  __shared__ unsigned local[256];
  for (int i = threadIdx.x; i < 256; i += blockDim.x) local[i] = 0;
  __syncthreads();
  for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < n; i += gridDim.x * blockDim.x) {
    const unsigned w = words[i];
    atomicAdd(&local[w & 255], 1u);
    atomicAdd(&local[w >> 8 & 255], 1u);
    atomicAdd(&local[w >> 16 & 255], 1u);
    atomicAdd(&local[w >> 24], 1u);
  }
  __syncthreads();
  for (int i = threadIdx.x; i < 256; i += blockDim.x)
    if (local[i]) atomicAdd(&bins[i], local[i]);
}

int main(int argc, char** argv) {
  const int bytes = (int)option(argc, argv, "-n", has_flag(argc, argv, "--large") ? 1 << 28 : 1 << 20),
            n = bytes / 4;
  cudaDeviceProp prop;
  CHECK(cudaGetDeviceProperties(&prop, 0));
  std::vector<unsigned> words(n), expected(256, 0);
  std::mt19937 engine(4);
  for (unsigned& w : words) {
    // The sum of two random bytes, halved: a triangle of frequencies, so that bins are contended unevenly.
    const unsigned x = (unsigned)engine(), y = (unsigned)engine();
    w = ((x & 0xfefefefeu) >> 1) + ((y & 0xfefefefeu) >> 1);
    for (int k = 0; k < 32; k += 8) ++expected[w >> k & 255];
  }
  Device<unsigned> dwords(words), bins(std::vector<unsigned>(256, 0));
  const float ms = device_ms([&] { histogram<<<prop.multiProcessorCount * 2, 256>>>(dwords, n, bins); });
  std::printf("histogram: %d bytes, %.4f ms, %.2f GB/s\n", 4 * n, ms, 4.0 * n / ms * 1e-6);
  return finish(bins.download() == expected);
}
