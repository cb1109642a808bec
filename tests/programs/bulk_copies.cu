// Bulk copies: a ring that one thread feeds, results stored in groups, boxes of a tensor with swizzled rows
// and with parts outside, sums in global memory.
#include <cuda.h>
#include <cuda_runtime.h>

#include <cstdint>
#include <vector>

#include "check.h"
#include "mbarrier.h"

__device__ void load(void* to, const void* from, unsigned bytes, uint64_t* bar) {
  asm volatile(
      "cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes [%0], [%1], %2, [%3];" ::"r"(
          shared_address(to)),
      "l"(from), "r"(bytes), "r"(shared_address(bar))
      : "memory");
}

constexpr int stages = 2, tile = 512, rounds = 12;

__global__ void ring(const int* in, int* out) {
  __shared__ __align__(128) int data[stages][tile];
  __shared__ __align__(128) int result[tile];
  __shared__ uint64_t full[stages], empty[stages];
  if (threadIdx.x == 0)
    for (int s = 0; s < stages; ++s) init(&full[s], 1), init(&empty[s], 128);
  __syncthreads();
  in += blockIdx.x * rounds * tile;
  int sum[tile / 128] = {};
  for (int r = 0; r < rounds + 1; ++r) {
    if (threadIdx.x == 0 && r < rounds) {
      const int s = r % stages;
      wait(&empty[s], (r / stages & 1) ^ 1);
      expect(&full[s], sizeof data[s]);
      load(data[s], in + r * tile, sizeof data[s], &full[s]);
    }
    if (r == 0) continue;
    const int s = (r - 1) % stages;
    wait(&full[s], (r - 1) / stages & 1);
    for (int i = 0; i < tile / 128; ++i) sum[i] += data[s][threadIdx.x + 128 * i];
    arrive(&empty[s]);
  }
  for (int i = 0; i < tile / 128; ++i) result[threadIdx.x + 128 * i] = sum[i];
  asm volatile("fence.proxy.async.shared::cta;" ::: "memory");
  __syncthreads();
  if (threadIdx.x == 0)
    asm volatile(
        "cp.async.bulk.global.shared::cta.bulk_group [%0], [%1], %2;\ncp.async.bulk.commit_group;\n"
        "cp.async.bulk.wait_group 0;" ::"l"(out + blockIdx.x * tile),
        "r"(shared_address(result)), "r"(static_cast<unsigned>(sizeof result))
        : "memory");
}

constexpr int width = 96, height = 40, box_width = 32, box_height = 16;

// Each CTA takes a box of rows of 128 bytes, swizzled, adds one, and puts it back elsewhere.
__global__ void boxes(const __grid_constant__ CUtensorMap from, const __grid_constant__ CUtensorMap to) {
  __shared__ __align__(1024) float box[box_width * box_height];
  __shared__ uint64_t bar;
  const int x = static_cast<int>(blockIdx.x) * box_width - 8,
            y = static_cast<int>(blockIdx.y) * box_height - 4;
  if (threadIdx.x == 0) {
    init(&bar, 1);
    expect(&bar, sizeof box);
    asm volatile(
        "cp.async.bulk.tensor.2d.shared::cluster.global.tile.mbarrier::complete_tx::bytes [%0], [%1, {%2, "
        "%3}], "
        "[%4];" ::"r"(shared_address(box)),
        "l"(&from), "r"(x), "r"(y), "r"(shared_address(&bar))
        : "memory");
  }
  __syncthreads();
  wait(&bar, 0);
  for (int i = threadIdx.x; i < box_width * box_height; i += blockDim.x) {
    const int row = i / box_width, column = i % box_width;
    const int chunk = column / 4 ^ row % 8;  // 16 bytes
    box[row * box_width + chunk * 4 + column % 4] += 1.0f + static_cast<float>(row * 1000 + column);
  }
  asm volatile("fence.proxy.async.shared::cta;" ::: "memory");
  __syncthreads();
  if (threadIdx.x == 0)
    asm volatile(
        "cp.async.bulk.tensor.2d.global.shared::cta.tile.bulk_group [%0, {%1, %2}], [%3];\n"
        "cp.async.bulk.commit_group;\ncp.async.bulk.wait_group.read 0;" ::"l"(&to),
        "r"(x), "r"(y), "r"(shared_address(box))
        : "memory");
}

__global__ void sums(float* out) {
  __shared__ __align__(16) float part[64];
  for (int i = threadIdx.x; i < 64; i += blockDim.x) part[i] = static_cast<float>(i);
  __syncthreads();
  if (threadIdx.x == 0)
    asm volatile(
        "cp.reduce.async.bulk.global.shared::cta.bulk_group.add.f32 [%0], [%1], "
        "256;\ncp.async.bulk.commit_group;\n"
        "cp.async.bulk.wait_group 0;" ::"l"(out),
        "r"(shared_address(part))
        : "memory");
}

CUtensorMap describe(float* at) {
  CUtensorMap map;
  const cuuint64_t size[2] = {width, height}, stride[1] = {width * sizeof(float)};
  const cuuint32_t box[2] = {box_width, box_height}, step[2] = {1, 1};
  EXPECT(cuTensorMapEncodeTiled(&map, CU_TENSOR_MAP_DATA_TYPE_FLOAT32, 2, at, size, stride, box, step,
                                CU_TENSOR_MAP_INTERLEAVE_NONE, CU_TENSOR_MAP_SWIZZLE_128B,
                                CU_TENSOR_MAP_L2_PROMOTION_NONE,
                                CU_TENSOR_MAP_FLOAT_OOB_FILL_NONE) == CUDA_SUCCESS);
  return map;
}

int main() {
  const int ctas = 6;
  std::vector<int> in(ctas * rounds * tile), out(ctas * tile);
  for (std::size_t i = 0; i < in.size(); ++i) in[i] = static_cast<int>(i * 5 % 733);
  int *from, *to;
  CUDA(cudaMalloc(&from, in.size() * sizeof(int)));
  CUDA(cudaMalloc(&to, out.size() * sizeof(int)));
  CUDA(cudaMemcpy(from, in.data(), in.size() * sizeof(int), cudaMemcpyHostToDevice));
  ring<<<ctas, 128>>>(from, to);
  CUDA(cudaMemcpy(out.data(), to, out.size() * sizeof(int), cudaMemcpyDeviceToHost));
  for (int c = 0; c < ctas; ++c)
    for (int t = 0; t < tile; ++t) {
      int sum = 0;
      for (int r = 0; r < rounds; ++r) sum += in[(c * rounds + r) * tile + t];
      EXPECT(out[c * tile + t] == sum);
    }

  std::vector<float> image(width * height), result(width * height);
  for (std::size_t i = 0; i < image.size(); ++i) image[i] = static_cast<float>(i);
  float *a, *b;
  CUDA(cudaMalloc(&a, image.size() * sizeof(float)));
  CUDA(cudaMalloc(&b, image.size() * sizeof(float)));
  CUDA(cudaMemcpy(a, image.data(), image.size() * sizeof(float), cudaMemcpyHostToDevice));
  boxes<<<dim3(4, 3), 64>>>(describe(a), describe(b));
  CUDA(cudaMemcpy(result.data(), b, result.size() * sizeof(float), cudaMemcpyDeviceToHost));
  for (int y = 0; y < height; ++y)
    for (int x = 0; x < width; ++x) {
      const int row = (y + 4) % box_height, column = (x + 8) % box_width;
      EXPECT(result[y * width + x] == image[y * width + x] + 1.0f + static_cast<float>(row * 1000 + column));
    }

  CUDA(cudaMemset(a, 0, 64 * sizeof(float)));
  sums<<<5, 32>>>(a);
  CUDA(cudaMemcpy(result.data(), a, 64 * sizeof(float), cudaMemcpyDeviceToHost));
  for (int i = 0; i < 64; ++i) EXPECT(result[i] == static_cast<float>(5 * i));
  std::printf("PASS\n");
}
