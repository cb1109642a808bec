// Thrust, CUB and libcu++ as programs use them, from the headers that scripts/setup fetches.

#include <cooperative_groups.h>
#include <cuda_runtime.h>
#include <thrust/device_vector.h>
#include <thrust/functional.h>
#include <thrust/host_vector.h>
#include <thrust/reduce.h>
#include <thrust/scan.h>
#include <thrust/sequence.h>
#include <thrust/sort.h>
#include <thrust/transform_reduce.h>
#include <thrust/unique.h>

#include <cub/cub.cuh>
#include <cuda/atomic>
#include <cuda/barrier>
#include <cuda/pipeline>

#include <algorithm>
#include <numeric>
#include <vector>

#include "check.h"

namespace cg = cooperative_groups;

namespace {

constexpr int n = 100'000;

struct Square {
  __host__ __device__ long long operator()(int x) const { return static_cast<long long>(x) * x; }
};

void thrust_algorithms() {
  thrust::host_vector<int> host(n);
  for (int i = 0; i < n; ++i) host[i] = static_cast<int>(i * 7919LL % n);
  thrust::device_vector<int> device = host;
  thrust::sort(device.begin(), device.end());
  thrust::host_vector<int> back = device;
  EXPECT(std::is_sorted(back.begin(), back.end()));
  long long squares = 0;
  for (const int v : host) squares += Square()(v);
  EXPECT(thrust::transform_reduce(device.begin(), device.end(), Square(), 0LL, thrust::plus<long long>()) ==
         squares);
  thrust::exclusive_scan(device.begin(), device.end(), device.begin());
  EXPECT(device[5] == 0 + 1 + 2 + 3 + 4);

  thrust::device_vector<int> keys(n), ones(n, 1), found(n), counts(n);
  thrust::sequence(keys.begin(), keys.end());
  thrust::transform(keys.begin(), keys.end(), keys.begin(), [] __host__ __device__(int k) { return k / 10; });
  const auto end =
      thrust::reduce_by_key(keys.begin(), keys.end(), ones.begin(), found.begin(), counts.begin());
  EXPECT(end.first - found.begin() == n / 10 && counts[3] == 10 && found[77] == 77);
  EXPECT(thrust::unique(keys.begin(), keys.end()) - keys.begin() == n / 10);
  thrust::sort(thrust::device, keys.begin(), keys.begin() + n / 10, thrust::greater<int>());
  EXPECT(keys[0] == n / 10 - 1);
}

template <class Call>
void with_storage(Call call) {
  size_t bytes = 0;
  CUDA(call(nullptr, bytes));
  void* storage = nullptr;
  CUDA(cudaMalloc(&storage, bytes));
  CUDA(call(storage, bytes));
  CUDA(cudaFree(storage));
}

void cub_algorithms() {
  std::vector<float> host(n), sorted(n);
  for (int i = 0; i < n; ++i) host[i] = static_cast<float>(i * 31337LL % 1000) - 500.5f;
  float *in = nullptr, *out = nullptr;
  CUDA(cudaMalloc(&in, n * sizeof(float)));
  CUDA(cudaMalloc(&out, n * sizeof(float)));
  CUDA(cudaMemcpy(in, host.data(), n * sizeof(float), cudaMemcpyHostToDevice));
  with_storage([&](void* storage, size_t& bytes) {
    return cub::DeviceRadixSort::SortKeysDescending(storage, bytes, in, out, n);
  });
  CUDA(cudaMemcpy(sorted.data(), out, n * sizeof(float), cudaMemcpyDeviceToHost));
  std::sort(host.begin(), host.end(), std::greater<float>());
  EXPECT(sorted == host);

  int* bins = nullptr;
  CUDA(cudaMallocManaged(&bins, 100 * sizeof(int)));
  with_storage([&](void* storage, size_t& bytes) {
    return cub::DeviceHistogram::HistogramEven(storage, bytes, out, bins, 101, -500.5f, 499.5f, n);
  });
  CUDA(cudaDeviceSynchronize());
  EXPECT(std::count(bins, bins + 100, n / 100) == 100);
  int *chosen = nullptr, *total = nullptr;
  CUDA(cudaMalloc(&chosen, 100 * sizeof(int)));
  CUDA(cudaMallocManaged(&total, sizeof(int)));
  thrust::sequence(thrust::device, bins, bins + 100);
  with_storage([&](void* storage, size_t& bytes) {
    return cub::DeviceSelect::If(storage, bytes, bins, chosen, total, 100,
                                 [] __device__(int v) { return v % 3 == 0; });
  });
  CUDA(cudaDeviceSynchronize());
  EXPECT(*total == 34);
}

__global__ void reverse(const int* in, int* out, int* visits) {
  using Barrier = cuda::barrier<cuda::thread_scope_block>;
  __shared__ int tile[256];
#pragma nv_diag_suppress static_var_with_dynamic_init
  __shared__ Barrier barrier;
  const auto block = cg::this_thread_block();
  if (block.thread_rank() == 0) init(&barrier, block.size());
  block.sync();
  cuda::memcpy_async(block, tile, in + blockIdx.x * 256, sizeof tile, barrier);
  barrier.arrive_and_wait();
  out[blockIdx.x * 256 + threadIdx.x] = tile[255 - threadIdx.x];
  cuda::atomic_ref<int, cuda::thread_scope_device>(*visits).fetch_add(2, cuda::memory_order_relaxed);
}

__global__ void stages(const int* in, int* out, int count) {
  using State = cuda::pipeline_shared_state<cuda::thread_scope_block, 2>;
  __shared__ int tile[2][256];
  __shared__ State state;
  const auto block = cg::this_thread_block();
  auto pipe = cuda::make_pipeline(block, &state);
  int sum = 0;
  for (int done = 0, asked = 0; done < count; ++done) {
    for (; asked < count && asked < done + 2; ++asked) {
      pipe.producer_acquire();
      cuda::memcpy_async(block, tile[asked % 2], in + asked * 256, sizeof tile[0], pipe);
      pipe.producer_commit();
    }
    pipe.consumer_wait();
    sum += tile[done % 2][threadIdx.x ^ 1];
    pipe.consumer_release();
  }
  out[threadIdx.x] = sum;
}

void device_side() {
  int *in = nullptr, *out = nullptr, *visits = nullptr;
  CUDA(cudaMallocManaged(&in, 1024 * sizeof(int)));
  CUDA(cudaMallocManaged(&out, 1024 * sizeof(int)));
  CUDA(cudaMallocManaged(&visits, sizeof(int)));
  std::iota(in, in + 1024, 0);
  *visits = 0;
  reverse<<<4, 256>>>(in, out, visits);
  CUDA(cudaDeviceSynchronize());
  EXPECT(out[0] == 255 && out[256] == 511 && out[1023] == 768 && *visits == 2048);
  stages<<<1, 256>>>(in, out, 4);
  CUDA(cudaDeviceSynchronize());
  EXPECT(out[0] == 1 + 257 + 513 + 769 && out[255] == 254 + 510 + 766 + 1022);
}

}  // namespace

int main() {
  thrust_algorithms();
  cub_algorithms();
  device_side();
  std::puts("PASS");
}
