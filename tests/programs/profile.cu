// One warp goes from load to dependent load: `profile` must find the line, the reason and the sectors.
#include <cuda_runtime.h>

#include <cstdio>
#include <vector>

__global__ void chase(const int* next, int steps, int* out) {
  int at = threadIdx.x;
  for (int i = 0; i < steps; ++i) {
    at = next[at];  // hot
  }
  out[threadIdx.x] = at;
}

__global__ void other(int* out) {
  out[threadIdx.x] += 1;
}

int main() {
  // One lane, each step in another line of 128 bytes.
  constexpr int steps = 300, stride = 32;
  std::vector<int> next(steps * stride);
  for (int i = 0; i < steps; ++i) next[i * stride] = (i + 1) % steps * stride;
  int *on_device, *out, result = -1;
  cudaMalloc(&on_device, next.size() * sizeof(int));
  cudaMalloc(&out, sizeof(int));
  cudaMemcpy(on_device, next.data(), next.size() * sizeof(int), cudaMemcpyHostToDevice);
  for (int i = 0; i < 3; ++i) chase<<<1, 1>>>(on_device, steps, out);
  other<<<1, 1>>>(out);
  cudaMemcpy(&result, out, sizeof(int), cudaMemcpyDeviceToHost);
  std::puts(result == 1 ? "PASS" : "FAIL");
  return result != 1;
}
