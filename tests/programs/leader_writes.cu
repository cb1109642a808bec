// A reduction over a CTA, twice in a row through the same words of shared memory: warp 0 writes the sum that
// the others have yet to read when it comes to the second one, unless they come first.
#include <cmath>
#include <vector>

#include "check.h"

__device__ float reduce(float value) {
  __shared__ float partial[32];
  for (int step = 16; step > 0; step /= 2) value += __shfl_down_sync(0xffffffff, value, step);
  if (threadIdx.x % 32 == 0) partial[threadIdx.x / 32] = value;
  __syncthreads();
  if (threadIdx.x < 32) {
    value = threadIdx.x < blockDim.x / 32 ? partial[threadIdx.x] : 0;
    for (int step = 16; step > 0; step /= 2) value += __shfl_down_sync(0xffffffff, value, step);
    if (threadIdx.x == 0) partial[0] = value;
  }
  __syncthreads();
  return partial[0];
}

__global__ void normalise(const float* in, float* out) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  const float n = static_cast<float>(blockDim.x), mean = reduce(in[i]) / n;
  const float variance = reduce((in[i] - mean) * (in[i] - mean)) / n;
  out[i] = (in[i] - mean) / sqrtf(variance);
}

int main() {
  constexpr int threads = 256, ctas = 40, n = threads * ctas;
  std::vector<float> host(n), result(n);
  for (int i = 0; i < n; ++i) host[i] = static_cast<float>(i * 37 % 101);
  float *in, *out;
  CUDA(cudaMalloc(&in, n * 4));
  CUDA(cudaMalloc(&out, n * 4));
  CUDA(cudaMemcpy(in, host.data(), n * 4, cudaMemcpyHostToDevice));
  normalise<<<ctas, threads>>>(in, out);
  CUDA(cudaMemcpy(result.data(), out, n * 4, cudaMemcpyDeviceToHost));
  for (int cta = 0; cta < ctas; ++cta) {
    double sum = 0, squares = 0;
    for (int i = cta * threads; i < (cta + 1) * threads; ++i)
      sum += result[i], squares += result[i] * result[i];
    EXPECT(std::abs(sum / threads) < 1e-5 && std::abs(squares / threads - 1) < 1e-4);
  }
  std::printf("PASS\n");
  return 0;
}
