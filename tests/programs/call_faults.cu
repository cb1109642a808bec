// Calls that cannot work end the launch with CUDA's error and the kernel's name; the host goes on.
#include <string>

#include <cuda_runtime.h>

#include "check.h"

// What the compiler cannot see through: no recursion becomes a loop.
#define OPAQUE(x) asm volatile("" : "+r"(x))

__device__ __noinline__ int endless(int n) {
  int below = n == -1 ? 0 : endless(n + 1);
  OPAQUE(below);
  return below + n;
}
__global__ void too_deep(int* out) {
  out[threadIdx.x] = endless(threadIdx.x);
}
__device__ __noinline__ int depth(int n) {
  int below = n == 0 ? -1 : depth(n - 1);
  OPAQUE(below);
  return 1 + below;
}
__global__ void deep(int* out, int n) {
  out[threadIdx.x] = depth(n);
}
typedef int (*Function)(int);
__device__ int twice(int x) {
  return 2 * x;
}
__device__ Function known = twice;
__global__ void call_anything(int* out, unsigned long long function) {
  Function f = function ? reinterpret_cast<Function>(function) : known;
  out[threadIdx.x] = f(threadIdx.x);
}
__device__ __noinline__ int trap_below(int n) {
  if (n == 0) asm volatile("trap;");
  int below = n < 0 ? 0 : trap_below(n - 1);
  OPAQUE(below);
  return 1 + below;
}
__global__ void trapping(int* out) {
  out[threadIdx.x] = trap_below(threadIdx.x);
}

int main(int, char** arguments) {
  int* out = nullptr;
  CUDA(cudaMallocManaged(&out, 64 * sizeof *out));
  const std::string what = arguments[1];
  if (what == "overflow") {
    too_deep<<<1, 64>>>(out);
    EXPECT(cudaDeviceSynchronize() == cudaErrorHardwareStackError);
  } else if (what == "limit") {
    // 2,000 calls do not fit the stack that the device has by default.
    size_t bytes = 0;
    CUDA(cudaDeviceGetLimit(&bytes, cudaLimitStackSize));
    EXPECT(bytes == 1024);
    CUDA(cudaDeviceSetLimit(cudaLimitStackSize, 64 << 10));
    CUDA(cudaDeviceGetLimit(&bytes, cudaLimitStackSize));
    EXPECT(bytes == 64 << 10);
    deep<<<1, 64>>>(out, 2000);
    CUDA(cudaDeviceSynchronize());
    for (int t = 0; t < 64; ++t) EXPECT(out[t] == 2000);
    CUDA(cudaDeviceSetLimit(cudaLimitStackSize, 1024));
    deep<<<1, 64>>>(out, 2000);
    EXPECT(cudaDeviceSynchronize() == cudaErrorHardwareStackError);
  } else if (what == "pointer") {
    call_anything<<<1, 64>>>(out, 0);
    CUDA(cudaDeviceSynchronize());
    EXPECT(out[63] == 126);
    call_anything<<<1, 64>>>(out, 4096);
    EXPECT(cudaDeviceSynchronize() == cudaErrorInvalidPc);
  } else if (what == "trap") {
    trapping<<<1, 64>>>(out);
    EXPECT(cudaDeviceSynchronize() == cudaErrorLaunchFailure);
  }
  std::printf("PASS\n");
}
