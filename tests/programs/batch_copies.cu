// cudaMemcpyBatchAsync and the driver's form.

#include <vector>

#include <cuda.h>
#include <cuda_runtime.h>

#include "check.h"

int main() {
  constexpr int n = 4096, parts = 4;
  constexpr size_t bytes = n * sizeof(int);
  cudaStream_t stream;
  CUDA(cudaStreamCreate(&stream));
  int *device[parts], *pinned;
  CUDA(cudaMallocHost(&pinned, bytes));
  for (int*& part : device) CUDA(cudaMalloc(&part, bytes));
  std::vector<int> host(n, 1), back(n, 0);
  for (int i = 0; i < n; ++i) pinned[i] = 2;

  // Pageable and pinned to the device, device to device, and back; the pinned source changes after the call.
  void* to[] = {device[0], device[1], device[2], back.data()};
  void* from[] = {host.data(), pinned, device[1], device[1]};
  size_t sizes[] = {bytes, bytes, bytes, bytes}, first[] = {0, 1, 2}, failed = 77;
  cudaMemcpyAttributes attributes[3] = {};
  attributes[0].srcAccessOrder = cudaMemcpySrcAccessOrderStream;
  attributes[1].srcAccessOrder = cudaMemcpySrcAccessOrderDuringApiCall;
  attributes[2].srcAccessOrder = cudaMemcpySrcAccessOrderStream;
  CUDA(cudaMemcpyBatchAsync(to, from, sizes, 4, attributes, first, 3, &failed, stream));
  for (int i = 0; i < n; ++i) pinned[i] = 99;
  CUDA(cudaStreamSynchronize(stream));
  EXPECT(back[0] == 2 && back[n - 1] == 2);
  CUDA(cudaMemcpy(back.data(), device[0], bytes, cudaMemcpyDeviceToHost));
  EXPECT(back[n - 1] == 1);
  CUDA(cudaMemcpy(back.data(), device[2], bytes, cudaMemcpyDeviceToHost));
  EXPECT(back[n - 1] == 2);

  // Which one fails; what is wrong with all.
  to[2] = nullptr;
  EXPECT(cudaMemcpyBatchAsync(to, from, sizes, 4, attributes, first, 3, &failed, stream) ==
         cudaErrorInvalidValue);
  EXPECT(failed == 2);
  to[2] = device[2];
  EXPECT(cudaMemcpyBatchAsync(to, from, sizes, 4, attributes, first, 3, &failed, nullptr) ==
         cudaErrorInvalidValue);
  EXPECT(failed == SIZE_MAX);
  first[0] = 1;
  EXPECT(cudaMemcpyBatchAsync(to, from, sizes, 4, attributes, first, 1, &failed, stream) ==
         cudaErrorInvalidValue);
  (void)cudaGetLastError();

  CUdeviceptr there[] = {reinterpret_cast<CUdeviceptr>(device[3])},
              here[] = {reinterpret_cast<CUdeviceptr>(pinned)};
  CUmemcpyAttributes any{};
  size_t zero = 0;
  any.srcAccessOrder = CU_MEMCPY_SRC_ACCESS_ORDER_ANY;
  EXPECT(cuMemcpyBatchAsync(there, here, sizes, 1, &any, &zero, 1, &failed, stream) == CUDA_SUCCESS);
  CUDA(cudaStreamSynchronize(stream));
  CUDA(cudaMemcpy(back.data(), device[3], bytes, cudaMemcpyDeviceToHost));
  EXPECT(back[0] == 99 && back[n - 1] == 99);
  std::printf("PASS\n");
}
