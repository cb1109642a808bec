// Memory bandwidth by the four STREAM kernels in single precision.
#include "common.h"

__global__ void copy(const float* a, float* c, int n) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) c[i] = a[i];
}
__global__ void scale(float* b, const float* c, float s, int n) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) b[i] = s * c[i];
}
__global__ void add(const float* a, const float* b, float* c, int n) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) c[i] = a[i] + b[i];
}
__global__ void triad(float* a, const float* b, const float* c, float s, int n) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) a[i] = b[i] + s * c[i];
}

int main(int argc, char** argv) {
  const int n = (int)option(argc, argv, "-n", has_flag(argc, argv, "--large") ? 1 << 28 : 1 << 20);
  const int repeats = (int)option(argc, argv, "-r", 3);
  const float s = 0.5f;
  const int blocks = (n + 255) / 256;
  Device<float> a(std::vector<float>(n, 1.0f)), b(std::vector<float>(n, 2.0f)),
      c(std::vector<float>(n, 0.0f));
  double best[4] = {};
  float host_a = 1, host_b = 2, host_c = 0;
  for (int r = 0; r < repeats; ++r) {
    const float ms[4] = {device_ms([&] { copy<<<blocks, 256>>>(a, c, n); }),
                         device_ms([&] { scale<<<blocks, 256>>>(b, c, s, n); }),
                         device_ms([&] { add<<<blocks, 256>>>(a, b, c, n); }),
                         device_ms([&] { triad<<<blocks, 256>>>(a, b, c, s, n); })};
    host_c = host_a;
    host_b = s * host_c;
    host_c = host_a + host_b;
    host_a = std::fmaf(s, host_c, host_b);
    const double bytes[4] = {8.0 * n, 8.0 * n, 12.0 * n, 12.0 * n};
    for (int k = 0; k < 4; ++k) best[k] = std::fmax(best[k], bytes[k] / ms[k] * 1e-6);
  }
  bool correct = true;
  const std::vector<float> ra = a.download(), rb = b.download(), rc = c.download();
  for (int i = 0; i < n && correct; ++i)
    correct = std::fabs(ra[i] - host_a) <= 1e-6f * host_a && rb[i] == host_b && rc[i] == host_c;
  const char* names[4] = {"copy", "scale", "add", "triad"};
  std::printf("stream: 3 arrays of %.1f MB\n", n * 4e-6);
  for (int k = 0; k < 4; ++k) std::printf("%-6s %8.1f GB/s\n", names[k], best[k]);
  return finish(correct);
}
