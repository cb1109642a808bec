// Bulk copies, boxes of tensors and reductions as the vendor's compiler writes them for cuda::memcpy_async,
// cuda::device::experimental and cuda::ptx.
#include <cuda.h>
#include <cudaTypedefs.h>
#include <cuda_runtime.h>
#include <cuda/barrier>
#include <cuda/ptx>

#include <cstdio>
#include <vector>

using barrier = cuda::barrier<cuda::thread_scope_block>;
namespace cde = cuda::device::experimental;
namespace ptx = cuda::ptx;

__global__ void add_one(int* data, size_t offset) {
  __shared__ alignas(16) int smem[1024];
#pragma nv_diag_suppress static_var_with_dynamic_init
  __shared__ barrier bar;
  if (threadIdx.x == 0) {
    init(&bar, blockDim.x);
    cde::fence_proxy_async_shared_cta();
  }
  __syncthreads();
  if (threadIdx.x == 0) cuda::memcpy_async(smem, data + offset, cuda::aligned_size_t<16>(sizeof(smem)), bar);
  barrier::arrival_token token = bar.arrive();
  bar.wait(std::move(token));
  for (int i = threadIdx.x; i < 1024; i += blockDim.x) smem[i] += 1;
  cde::fence_proxy_async_shared_cta();
  __syncthreads();
  if (threadIdx.x == 0) {
    cde::cp_async_bulk_shared_to_global(data + offset, smem, sizeof(smem));
    cde::cp_async_bulk_commit_group();
    cde::cp_async_bulk_wait_group_read<0>();
  }
}
__global__ void tensor(const __grid_constant__ CUtensorMap map, int x, int y) {
  __shared__ alignas(128) int smem[8][32];
  __shared__ barrier bar;
  if (threadIdx.x == 0) {
    init(&bar, blockDim.x);
    cde::fence_proxy_async_shared_cta();
  }
  __syncthreads();
  barrier::arrival_token token;
  if (threadIdx.x == 0) {
    cde::cp_async_bulk_tensor_2d_global_to_shared(&smem, &map, x, y, bar);
    token = cuda::device::barrier_arrive_tx(bar, 1, sizeof(smem));
  } else {
    token = bar.arrive();
  }
  bar.wait(std::move(token));
  smem[threadIdx.x / 32][threadIdx.x % 32] *= 3;
  cde::fence_proxy_async_shared_cta();
  __syncthreads();
  if (threadIdx.x == 0) {
    cde::cp_async_bulk_tensor_2d_shared_to_global(&map, x, y, &smem);
    cde::cp_async_bulk_commit_group();
    cde::cp_async_bulk_wait_group_read<0>();
  }
}
__global__ void reduce(int* out) {
  __shared__ alignas(16) int smem[64];
  smem[threadIdx.x] = threadIdx.x;
  ptx::fence_proxy_async(ptx::space_shared);
  __syncthreads();
  if (threadIdx.x == 0) {
    ptx::cp_reduce_async_bulk(ptx::space_global, ptx::space_shared, ptx::op_add, out, smem, sizeof(smem));
    ptx::cp_async_bulk_commit_group();
    ptx::cp_async_bulk_wait_group(ptx::n32_t<0>());
  }
}
int main() {
  std::vector<int> h(4096);
  for (int i = 0; i < 4096; ++i) h[i] = i;
  int* d;
  cudaMalloc(&d, sizeof(int) * 4096);
  cudaMemcpy(d, h.data(), sizeof(int) * 4096, cudaMemcpyHostToDevice);
  add_one<<<1, 256>>>(d, 512);
  void* f = nullptr;
  cudaDriverEntryPointQueryResult q;
  cudaGetDriverEntryPointByVersion("cuTensorMapEncodeTiled", &f, 12000, cudaEnableDefault, &q);
  auto encode = reinterpret_cast<PFN_cuTensorMapEncodeTiled_v12000>(f);
  CUtensorMap map{};
  cuuint64_t size[2] = {64, 64}, stride[1] = {256};
  cuuint32_t box[2] = {32, 8}, step[2] = {1, 1};
  int r = encode(&map, CU_TENSOR_MAP_DATA_TYPE_INT32, 2, d, size, stride, box, step,
                 CU_TENSOR_MAP_INTERLEAVE_NONE, CU_TENSOR_MAP_SWIZZLE_NONE, CU_TENSOR_MAP_L2_PROMOTION_NONE,
                 CU_TENSOR_MAP_FLOAT_OOB_FILL_NONE);
  if (r) {
    printf("FAIL encode %d\n", r);
    return 1;
  }
  tensor<<<1, 256>>>(map, 16, 4);
  reduce<<<3, 64>>>(d);
  cudaError_t e = cudaMemcpy(h.data(), d, sizeof(int) * 4096, cudaMemcpyDeviceToHost);
  if (e) {
    printf("FAIL %s\n", cudaGetErrorString(e));
    return 1;
  }
  for (int i = 0; i < 4096; ++i) {
    int want = i + (i >= 512 && i < 1536);
    int x = i % 64, y = i / 64;
    if (x >= 16 && x < 48 && y >= 4 && y < 12) want *= 3;
    if (i < 64) want += 3 * i;
    if (h[i] != want) {
      printf("FAIL %d: %d %d\n", i, h[i], want);
      return 1;
    }
  }
  printf("PASS\n");
}
