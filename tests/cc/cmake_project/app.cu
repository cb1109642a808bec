#include <cstdio>

__device__ float scale(float x);
void fill(float* x, int n);

__global__ void kernel(float* x) {
  x[threadIdx.x] = scale(x[threadIdx.x]);
}

int main() {
  float host[32], *x = nullptr;
  cudaMalloc(&x, sizeof host);
  fill(x, 32);
  kernel<<<1, 32>>>(x);
  cudaMemcpy(host, x, sizeof host, cudaMemcpyDeviceToHost);
  for (int i = 0; i < 32; ++i)
    if (host[i] != static_cast<float>(2 * i)) return 1;
  std::puts("PASS");
  return 0;
}
