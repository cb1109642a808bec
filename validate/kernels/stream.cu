// FP32 STREAM: read, copy, triad, GB/s. Arguments: repeats, elements per array (0: 4 x L2), one kernel's
// name.
#include <cstring>

#include "common.h"

__global__ void copy(const float4* a, float4* c, size_t n) {
  const size_t i = blockIdx.x * size_t{blockDim.x} + threadIdx.x;
  if (i < n) c[i] = a[i];
}
__global__ void triad(const float4* a, const float4* b, float4* c, float s, size_t n) {
  const size_t i = blockIdx.x * size_t{blockDim.x} + threadIdx.x;
  if (i >= n) return;
  const float4 x = a[i], y = b[i];
  c[i] = make_float4(x.x + s * y.x, x.y + s * y.y, x.z + s * y.z, x.w + s * y.w);
}
__global__ void read(const float4* a, float* out, size_t n) {
  const size_t i = blockIdx.x * size_t{blockDim.x} + threadIdx.x;
  if (i >= n) return;
  const float4 x = a[i];
  if (x.x + x.y + x.z + x.w == 12345.f) *out = x.x;
}

int main(int argc, char** argv) {
  const int repeats = repeats_from(argc, argv, 21);
  cudaDeviceProp p;
  CUDA(cudaGetDeviceProperties(&p, 0));
  const size_t elements = argc > 2 && std::atoi(argv[2]) > 0 ? std::strtoull(argv[2], nullptr, 10)
                                                             : size_t(p.l2CacheSize);  // 4 bytes each: 4 x L2
  auto wanted = [&](const char* name) { return argc < 4 || std::strcmp(argv[3], name) == 0; };
  const size_t n = elements / 4;
  float4 *a = nullptr, *b = nullptr, *c = nullptr;
  CUDA(cudaMalloc(&a, n * 16));
  CUDA(cudaMalloc(&b, n * 16));
  CUDA(cudaMalloc(&c, n * 16));
  CUDA(cudaMemset(a, 0, n * 16));
  CUDA(cudaMemset(b, 0, n * 16));
  const int grid = static_cast<int>((n + 255) / 256);
  const double bytes = 16.0 * static_cast<double>(n), mb = 4.0 * static_cast<double>(elements) / (1 << 20);
  if (wanted("read"))
    csv("stream_read", mb,
        bytes / median_ms(repeats, [&] { read<<<grid, 256>>>(a, reinterpret_cast<float*>(c), n); }) * 1e-6,
        "GB/s");
  if (wanted("copy"))
    csv("stream_copy", mb, 2 * bytes / median_ms(repeats, [&] { copy<<<grid, 256>>>(a, c, n); }) * 1e-6,
        "GB/s");
  if (wanted("triad"))
    csv("stream_triad", mb,
        3 * bytes / median_ms(repeats, [&] { triad<<<grid, 256>>>(a, b, c, 3.f, n); }) * 1e-6, "GB/s");
}
