// Grids of many CTAs, regular and not, for the comparison of sampled with full timing (sampled.py). Prints a
// sum over all results.
#include <vector>

#include "check.h"

__global__ void saxpy(int n, float a, const float* x, float* y) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) y[i] = a * x[i] + y[i];
}

__global__ void stencil(int width, int height, const float* in, float* out) {
  const int x = blockIdx.x * 32 + threadIdx.x, y = blockIdx.y * 8 + threadIdx.y, i = y * width + x;
  if (x > 0 && y > 0 && x < width - 1 && y < height - 1)
    out[i] = 0.2f * (in[i] + in[i - 1] + in[i + 1] + in[i - width] + in[i + width]);
}

__global__ void transpose(int n, const float* in, float* out) {
  __shared__ float tile[32][33];
  int x = blockIdx.x * 32 + threadIdx.x, y = blockIdx.y * 32 + threadIdx.y;
  for (int j = 0; j < 32; j += 8) tile[threadIdx.y + j][threadIdx.x] = in[(y + j) * n + x];
  __syncthreads();
  x = blockIdx.y * 32 + threadIdx.x;
  y = blockIdx.x * 32 + threadIdx.y;
  for (int j = 0; j < 32; j += 8) out[(y + j) * n + x] = tile[threadIdx.x][threadIdx.y + j];
}

__global__ void gather(int n, const unsigned* index, const float* in, float* out) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) out[i] = in[index[i] % n];
}

/// Trip counts differ from lane to lane.
__global__ void uneven(int n, const unsigned* lengths, float* out) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  float sum = static_cast<float>(i % 1000);
  for (unsigned k = 0; k < 20 + lengths[i] % 200; ++k) sum = sum * 0.99f + 1.0f;
  out[i] = sum;
}

/// Later CTAs have more to do.
__global__ void triangle(const float* in, float* out) {
  float sum = 0;
  for (int c = threadIdx.x; c < blockIdx.x; c += blockDim.x) sum += in[c];
  out[blockIdx.x * blockDim.x + threadIdx.x] = sum;
}

__global__ void histogram(const unsigned char* in, unsigned* out) {
  __shared__ unsigned bins[256];
  bins[threadIdx.x] = 0;
  __syncthreads();
  atomicAdd(&bins[in[blockIdx.x * 256 + threadIdx.x]], 1u);
  __syncthreads();
  atomicAdd(&out[threadIdx.x], bins[threadIdx.x]);
}

int main() {
  constexpr int n = 1 << 22, side = 1 << 11;
  std::vector<unsigned> random(n);
  unsigned state = 1;
  for (unsigned& r : random) r = (state = state * 1664525u + 1013904223u) >> 4;
  float *x, *y;
  unsigned *index, *bins;
  CUDA(cudaMalloc(&x, n * 4));
  CUDA(cudaMalloc(&y, n * 4));
  CUDA(cudaMalloc(&index, n * 4));
  CUDA(cudaMalloc(&bins, 1024));
  CUDA(cudaMemset(bins, 0, 1024));
  CUDA(cudaMemcpy(index, random.data(), n * 4, cudaMemcpyHostToDevice));
  CUDA(cudaMemcpy(x, random.data(), n * 4, cudaMemcpyHostToDevice));
  saxpy<<<n / 256, 256>>>(n, 2, x, y);
  saxpy<<<n / 256, 256>>>(n, 3, x, y);
  stencil<<<dim3(side / 32, side / 8), dim3(32, 8)>>>(side, side, y, x);
  transpose<<<dim3(side / 32, side / 32), dim3(32, 8)>>>(side, x, y);
  gather<<<n / 256, 256>>>(n, index, y, x);
  uneven<<<n / 256, 256>>>(n, index, y);
  saxpy<<<n / 256, 256>>>(n, 2, x, y);
  triangle<<<8192, 128>>>(y, x);
  histogram<<<n / 256, 256>>>(reinterpret_cast<unsigned char*>(index), bins);
  CUDA(cudaDeviceSynchronize());
  std::vector<unsigned> result(n);
  unsigned long long sum = 0;
  for (void* from : {static_cast<void*>(x), static_cast<void*>(y)}) {
    CUDA(cudaMemcpy(result.data(), from, n * 4, cudaMemcpyDeviceToHost));
    for (const unsigned r : result) sum = sum * 31 + r;
  }
  CUDA(cudaMemcpy(result.data(), bins, 1024, cudaMemcpyDeviceToHost));
  for (int i = 0; i < 256; ++i) sum = sum * 31 + result[i];
  std::printf("%llx\n", sum);
  return 0;
}
