// A program that never synchronizes but waits, on the host, for what a stream's host function signals.
#include <cuda_runtime.h>

#include <atomic>
#include <thread>

#include "check.h"

__global__ void set(int* p) {
  *p = 7;
}

std::atomic<bool> done{false};
void signal(void*) {
  done = true;
}

int main() {
  int* p = nullptr;
  cudaStream_t stream = nullptr;
  CUDA(cudaMallocManaged(&p, sizeof *p));
  CUDA(cudaStreamCreate(&stream));
  set<<<1, 1, 0, stream>>>(p);
  CUDA(cudaLaunchHostFunc(stream, signal, nullptr));
  while (!done) std::this_thread::yield();
  EXPECT(*p == 7);
  std::printf("PASS\n");
}
