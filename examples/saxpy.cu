// y = a x + y, checked bit for bit: the device rounds a x + y once, as fma does.
#include "common.h"

__global__ void saxpy(int n, float a, const float* x, float* y) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) y[i] = fmaf(a, x[i], y[i]);
}

int main(int argc, char** argv) {
  const int n = (int)option(argc, argv, "-n", has_flag(argc, argv, "--large") ? 1 << 26 : 1 << 20);
  const float a = 2.5f;
  const std::vector<float> x = random_floats(n, 1), y = random_floats(n, 2);
  Device<float> dx(x), dy(y);
  const float ms = device_ms([&] { saxpy<<<(n + 255) / 256, 256>>>(n, a, dx, dy); });
  const std::vector<float> result = dy.download();
  bool correct = true;
  for (int i = 0; i < n && correct; ++i) correct = result[i] == std::fmaf(a, x[i], y[i]);
  std::printf("saxpy: n = %d, %.4f ms, %.1f GB/s\n", n, ms, 12.0 * n / ms * 1e-6);
  return finish(correct);
}
