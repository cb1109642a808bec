// Vector FP32 throughput: independent chains of fused multiply-adds, against the peak of the chip's clock and
// width. -lanes N: FP32 lanes of one compute unit (64 on BR100 and A100, 128 on H100).
#include "common.h"

constexpr int chains = 16, steps = 16;

__global__ void __launch_bounds__(256) chain(int rounds, float a, float b, float* out) {
  float x[chains];
#pragma unroll
  for (int i = 0; i < chains; ++i) x[i] = (float)(threadIdx.x + i);
  for (int r = 0; r < rounds; ++r)
#pragma unroll
    for (int s = 0; s < steps; ++s)
#pragma unroll
      for (int i = 0; i < chains; ++i) x[i] = fmaf(x[i], a, b);
  float sum = 0;
#pragma unroll
  for (int i = 0; i < chains; ++i) sum += x[i];
  out[blockIdx.x * blockDim.x + threadIdx.x] = sum;
}

int main(int argc, char** argv) {
  cudaDeviceProp prop;
  CHECK(cudaGetDeviceProperties(&prop, 0));
  const int rounds = (int)option(argc, argv, "-r", has_flag(argc, argv, "--large") ? 64 : 4);
  const int lanes = (int)option(argc, argv, "-lanes", std::strstr(prop.name, "H100") ? 128 : 64);
  const int blocks = prop.multiProcessorCount * 2, threads = 256;
  Device<float> out((size_t)blocks * threads);
  const float a = 0.5f, b = 1.0f;
  const float ms = device_ms([&] { chain<<<blocks, threads>>>(rounds, a, b, out); });
  const std::vector<float> got = out.download();
  bool correct = true;
  for (int t = 0; t < threads; ++t) {
    float sum = 0;
    for (int i = 0; i < chains; ++i) {
      float x = (float)(t + i);
      for (int s = 0; s < rounds * steps; ++s) x = std::fmaf(x, a, b);
      sum += x;
    }
    correct = correct && got[t] == sum && got[(size_t)(blocks - 1) * threads + t] == sum;
  }
  const double gflops = 2.0 * blocks * threads * (double)rounds * steps * chains / ms * 1e-6;
  const double peak = 2.0 * lanes * prop.multiProcessorCount * (prop.clockRate * 1e-6);
  std::printf("fma_peak: %s, %d units, %.4f ms, %.1f GFLOP/s of %.1f (%.1f %%)\n", prop.name,
              prop.multiProcessorCount, ms, gflops, peak, 100 * gflops / peak);
  return finish(correct);
}
