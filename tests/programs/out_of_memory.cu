// More memory than the chip has, and more than the host gives, is cudaErrorMemoryAllocation.
#include <cuda_runtime.h>

#include <vector>

#include "check.h"

int main() {
  size_t free_bytes = 0, total_bytes = 0;
  CUDA(cudaMemGetInfo(&free_bytes, &total_bytes));
  EXPECT(free_bytes <= total_bytes && total_bytes >= (size_t{32} << 30));
  void* p = nullptr;
  EXPECT(cudaMalloc(&p, total_bytes + 1) == cudaErrorMemoryAllocation);
  EXPECT(cudaGetLastError() == cudaErrorMemoryAllocation);
  // One GiB at a time until something says stop; the test sets WANREN_MEMORY_LIMIT to 2GB.
  std::vector<void*> blocks;
  while (blocks.size() < 1000 && cudaMalloc(&p, size_t{1} << 30) == cudaSuccess) blocks.push_back(p);
  EXPECT(cudaGetLastError() == cudaErrorMemoryAllocation);
  EXPECT(!blocks.empty() && blocks.size() < 1000);
  if (std::getenv("WANREN_MEMORY_LIMIT") != nullptr) EXPECT(blocks.size() <= 2);
  for (void* block : blocks) CUDA(cudaFree(block));
  EXPECT(cudaFree(reinterpret_cast<void*>(0x1234)) == cudaErrorInvalidValue);
  CUDA(cudaMalloc(&p, 1 << 20));
  CUDA(cudaFree(p));
  EXPECT(cudaFree(p) == cudaErrorInvalidValue);
  std::printf("PASS\n");
}
