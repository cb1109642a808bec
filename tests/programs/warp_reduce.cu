// __reduce_*_sync over a full and a partial mask.
#include <cuda_runtime.h>

#include "check.h"

__global__ void reduce(int* out) {
  const unsigned lane = threadIdx.x;
  const int sum = __reduce_add_sync(~0u, static_cast<int>(lane));
  const int least = __reduce_min_sync(~0u, static_cast<int>(lane) - 40);
  const unsigned most = __reduce_max_sync(~0u, lane * 3);
  const unsigned bits = __reduce_or_sync(~0u, 1u << (lane / 8));
  int half = 0;
  if (lane < 16) half = __reduce_add_sync(0xffffu, 1);
  if (lane == 0)
    out[0] = sum, out[1] = least, out[2] = static_cast<int>(most), out[3] = static_cast<int>(bits);
  if (lane == 15) out[4] = half;
}

int main() {
  int* out = nullptr;
  CUDA(cudaMallocManaged(&out, 5 * sizeof *out));
  reduce<<<1, 32>>>(out);
  CUDA(cudaDeviceSynchronize());
  EXPECT(out[0] == 31 * 32 / 2);
  EXPECT(out[1] == -40);
  EXPECT(out[2] == 93);
  EXPECT(out[3] == 0xf);
  EXPECT(out[4] == 16);
  std::printf("PASS\n");
}
