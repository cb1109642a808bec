// Heat in a plate: five-point Jacobi steps, double-buffered, compared bit for bit with the host.
#include <utility>

#include "common.h"

__global__ void step(int w, int h, const float* in, float* out) {
  const int x = blockIdx.x * blockDim.x + threadIdx.x, y = blockIdx.y * blockDim.y + threadIdx.y;
  if (x == 0 || y == 0 || x >= w - 1 || y >= h - 1) return;
  const int i = y * w + x;
  out[i] = fmaf(0.25f, (in[i - 1] + in[i + 1]) + (in[i - w] + in[i + w]), 0.0f);
}

int main(int argc, char** argv) {
  const int n = (int)option(argc, argv, "-n", has_flag(argc, argv, "--large") ? 8192 : 512);
  const int steps = (int)option(argc, argv, "-steps", 4);
  std::vector<float> host((size_t)n * n, 0.0f);
  for (int x = 0; x < n; ++x) host[x] = 100.0f;  // hot upper edge
  Device<float> a(host), b(host);
  float *in = a, *out = b;
  const dim3 block(32, 8), grid((n + 31) / 32, (n + 7) / 8);
  const float ms = device_ms([&] {
    for (int s = 0; s < steps; ++s) {
      step<<<grid, block>>>(n, n, in, out);
      std::swap(in, out);
    }
  });
  std::vector<float> next = host;
  for (int s = 0; s < steps; ++s) {
    for (int y = 1; y < n - 1; ++y)
      for (int x = 1; x < n - 1; ++x) {
        const size_t i = (size_t)y * n + x;
        next[i] = std::fmaf(0.25f, (host[i - 1] + host[i + 1]) + (host[i - n] + host[i + n]), 0.0f);
      }
    std::swap(host, next);
  }
  std::vector<float> got((size_t)n * n);
  CHECK(cudaMemcpy(got.data(), in, got.size() * sizeof(float), cudaMemcpyDeviceToHost));
  std::printf("stencil: %d x %d, %d steps, %.4f ms, %.1f Mcell/s, %.1f GB/s\n", n, n, steps, ms,
              (double)n * n * steps / ms * 1e-3, 8.0 * n * n * steps / ms * 1e-6);
  return finish(got == host);
}
