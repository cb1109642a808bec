// Clusters: ranks and ids, distributed shared memory in every way, barriers whole and in halves, mbarriers of
// others, copies to several CTAs. "gone", "beyond", "alone": what may not be.
#include <cooperative_groups.h>
#include <cuda_runtime.h>

#include <cstdint>
#include <cstring>
#include <vector>

#include "check.h"

namespace cg = cooperative_groups;

template <typename... Parameters, typename... Arguments>
cudaError_t launch(void (*kernel)(Parameters...), dim3 grid, dim3 block, dim3 cluster, size_t shared,
                   Arguments... a) {
  cudaLaunchAttribute attribute;
  attribute.id = cudaLaunchAttributeClusterDimension;
  attribute.val.clusterDim.x = cluster.x;
  attribute.val.clusterDim.y = cluster.y;
  attribute.val.clusterDim.z = cluster.z;
  cudaLaunchConfig_t config{};
  config.gridDim = grid;
  config.blockDim = block;
  config.dynamicSmemBytes = shared;
  config.attrs = &attribute;
  config.numAttrs = 1;
  return cudaLaunchKernelEx(&config, kernel, Parameters(a)...);
}

__device__ unsigned shared_address(const void* p) {
  return static_cast<unsigned>(__cvta_generic_to_shared(p));
}
__device__ unsigned mapped(unsigned address, unsigned rank) {
  unsigned r;
  asm volatile("mapa.shared::cluster.u32 %0, %1, %2;" : "=r"(r) : "r"(address), "r"(rank));
  return r;
}

struct Place {
  unsigned id[3], ids[3], in[3], extent[3], rank, size, specified;
};
__global__ void places(Place* out) {
  Place p;
  asm volatile(
      "mov.u32 %0, %%clusterid.x;\nmov.u32 %1, %%clusterid.y;\nmov.u32 %2, %%clusterid.z;\n"
      "mov.u32 %3, %%nclusterid.x;\nmov.u32 %4, %%nclusterid.y;\nmov.u32 %5, %%nclusterid.z;\n"
      "mov.u32 %6, %%cluster_ctaid.x;\nmov.u32 %7, %%cluster_ctaid.y;\nmov.u32 %8, %%cluster_ctaid.z;\n"
      : "=r"(p.id[0]), "=r"(p.id[1]), "=r"(p.id[2]), "=r"(p.ids[0]), "=r"(p.ids[1]), "=r"(p.ids[2]),
        "=r"(p.in[0]), "=r"(p.in[1]), "=r"(p.in[2]));
  asm volatile(
      "{\n.reg .pred p;\nmov.u32 %0, %%cluster_nctaid.x;\nmov.u32 %1, %%cluster_nctaid.y;\nmov.u32 %2, "
      "%%cluster_nctaid.z;\nmov.u32 %3, %%cluster_ctarank;\nmov.u32 %4, %%cluster_nctarank;\n"
      "mov.pred p, %%is_explicit_cluster;\nselp.u32 %5, 1, 0, p;\n}"
      : "=r"(p.extent[0]), "=r"(p.extent[1]), "=r"(p.extent[2]), "=r"(p.rank), "=r"(p.size),
        "=r"(p.specified));
  if (threadIdx.x == 0) out[(blockIdx.z * gridDim.y + blockIdx.y) * gridDim.x + blockIdx.x] = p;
}

// Each CTA reads all others' shared memory, by generic pointers and by addresses of .shared::cluster, and
// writes the next one's.
__global__ void exchange(int* out, int rounds) {
  __shared__ int mine[64], gift[64];
  const auto cluster = cg::this_cluster();
  const unsigned n = cluster.num_blocks(), rank = cluster.block_rank();
  int sum = 0;
  for (int r = 0; r < rounds; ++r) {
    mine[threadIdx.x] = static_cast<int>(blockIdx.x * 1000 + threadIdx.x * 10 + r);
    cluster.sync();
    for (unsigned other = 0; other < n; ++other) {
      const int* theirs = cluster.map_shared_rank(mine, static_cast<int>(other));
      sum += theirs[threadIdx.x];
      int again;
      asm volatile("ld.shared::cluster.s32 %0, [%1];"
                   : "=r"(again)
                   : "r"(mapped(shared_address(&mine[63 - threadIdx.x]), other))
                   : "memory");
      sum += again * 3;
      if (cluster.query_shared_rank(theirs) != other) sum = -1;
      if (!__isShared(mine) || (__isShared(theirs) != (other == rank))) sum = -1;
      if (!__isClusterShared(theirs)) sum = -1;
    }
    asm volatile(
        "st.shared::cluster.s32 [%0], %1;" ::"r"(mapped(shared_address(&gift[threadIdx.x]), (rank + 1) % n)),
        "r"(static_cast<int>(rank * 7 + threadIdx.x))
        : "memory");
    cluster.sync();
    sum += gift[threadIdx.x];
  }
  out[blockIdx.x * blockDim.x + threadIdx.x] = sum;
}

// A histogram whose bins lie in all CTAs of a cluster (CUDA C++ Programming Guide).
__global__ void histogram(int* bins, int per_block, const int* in, int count) {
  extern __shared__ int part[];
  const auto cluster = cg::this_cluster();
  for (int i = threadIdx.x; i < per_block; i += blockDim.x) part[i] = 0;
  cluster.sync();
  for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < count; i += gridDim.x * blockDim.x) {
    const int bin = in[i];
    atomicAdd(cluster.map_shared_rank(part, bin / per_block) + bin % per_block, 1);
  }
  cluster.sync();
  for (int i = threadIdx.x; i < per_block; i += blockDim.x)
    atomicAdd(&bins[cluster.block_rank() * per_block + i], part[i]);
}

__device__ void wait(unsigned bar, unsigned parity) {
  asm volatile(
      "{\n.reg .pred p;\nagain:\nmbarrier.try_wait.parity.acquire.cluster.shared::cta.b64 p, [%0], %1;\n@!p "
      "bra "
      "again;\n}" ::"r"(bar),
      "r"(parity)
      : "memory");
}

// Every CTA arrives at every other's mbarrier; rank 0 sends a tile to all, and each CTA a copy to the next.
__global__ void messages(const int* in, int* out, int rounds) {
  __shared__ __align__(128) int tile[128], passed[128];
  __shared__ uint64_t met, came, given;
  const auto cluster = cg::this_cluster();
  const unsigned n = cluster.num_blocks(), rank = cluster.block_rank();
  if (threadIdx.x == 0) {
    asm volatile("mbarrier.init.shared::cta.b64 [%0], %1;" ::"r"(shared_address(&met)), "r"(n) : "memory");
    asm volatile("mbarrier.init.shared::cta.b64 [%0], 1;" ::"r"(shared_address(&came)) : "memory");
    asm volatile("mbarrier.init.shared::cta.b64 [%0], 1;" ::"r"(shared_address(&given)) : "memory");
    asm volatile("fence.mbarrier_init.release.cluster;" ::: "memory");
  }
  cluster.sync();
  int sum = 0;
  for (int r = 0; r < rounds; ++r) {
    if (threadIdx.x == 0) {
      asm volatile("mbarrier.arrive.expect_tx.shared::cta.b64 _, [%0], 512;" ::"r"(shared_address(&came))
                   : "memory");
      asm volatile("mbarrier.arrive.expect_tx.shared::cta.b64 _, [%0], 512;" ::"r"(shared_address(&given))
                   : "memory");
    }
    if (threadIdx.x < n)
      asm volatile("mbarrier.arrive.release.cluster.shared::cluster.b64 _, [%0];" ::"r"(
                       mapped(shared_address(&met), threadIdx.x))
                   : "memory");
    wait(shared_address(&met), r & 1);
    if (rank == 0 && threadIdx.x == 0)
      asm volatile(
          "cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes.multicast::cluster [%0], [%1], "
          "512, [%2], "
          "%3;" ::"r"(shared_address(tile)),
          "l"(in + r * 128), "r"(shared_address(&came)), "h"(static_cast<unsigned short>((1 << n) - 1))
          : "memory");
    wait(shared_address(&came), r & 1);
    sum += tile[threadIdx.x];
    if (threadIdx.x == 0)
      asm volatile(
          "cp.async.bulk.shared::cluster.shared::cta.mbarrier::complete_tx::bytes [%0], [%1], 512, [%2];" ::
              "r"(mapped(shared_address(passed), (rank + 1) % n)),
          "r"(shared_address(tile)), "r"(mapped(shared_address(&given), (rank + 1) % n))
          : "memory");
    wait(shared_address(&given), r & 1);
    sum += passed[threadIdx.x] * 2;
    cluster.sync();
  }
  out[blockIdx.x * blockDim.x + threadIdx.x] = sum;
}

// Arrives, works, waits; lanes of a warp do so apart.
__global__ void halves(int* out) {
  __shared__ int value;
  const auto cluster = cg::this_cluster();
  if (threadIdx.x == 0) value = static_cast<int>(cluster.block_rank() + 1);
  asm volatile("barrier.cluster.arrive.release;" ::: "memory");
  int work = static_cast<int>(threadIdx.x);
  asm volatile("barrier.cluster.wait.acquire;" ::: "memory");
  for (unsigned r = 0; r < cluster.num_blocks(); ++r)
    work += *cluster.map_shared_rank(&value, static_cast<int>(r));
  if (threadIdx.x % 2 == 0) {
    asm volatile("barrier.cluster.arrive.release;\nbarrier.cluster.wait.acquire;" ::: "memory");
    work += 1;
  } else {
    asm volatile("barrier.cluster.arrive.release;\nbarrier.cluster.wait.acquire;" ::: "memory");
    work += 2;
  }
  out[blockIdx.x * blockDim.x + threadIdx.x] = work;
}

// The second CTA looks at what the first one had when it is gone.
__global__ void gone(int* out) {
  __shared__ int value[32];
  const auto cluster = cg::this_cluster();
  value[threadIdx.x] = 5;
  const volatile int* theirs = cluster.map_shared_rank(value, 0);
  cluster.sync();
  if (cluster.block_rank() == 0) return;
  int v = 0;
  for (int i = 0; i < 100000 && v >= 0; ++i) v += theirs[threadIdx.x];
  out[threadIdx.x] = v;
}
__global__ void beyond(int* out) {
  __shared__ int value[32];
  value[threadIdx.x] = 5;
  int v;
  asm volatile("ld.shared::cluster.s32 %0, [%1];"
               : "=r"(v)
               : "r"(mapped(shared_address(value), 2))
               : "memory");
  out[threadIdx.x] = v;
}
__global__ void alone() {
  if (cg::this_cluster().block_rank() == 0) {
    asm volatile("barrier.cluster.arrive.release;" ::: "memory");
    asm volatile("barrier.cluster.wait.acquire;" ::: "memory");
  } else {
    __shared__ uint64_t bar;
    asm volatile("mbarrier.init.shared::cta.b64 [%0], 33;" ::"r"(shared_address(&bar)) : "memory");
    wait(shared_address(&bar), 0);
  }
}

template <int n>
__global__ void __cluster_dims__(n, 1, 1) fixed(int* out) {
  const auto cluster = cg::this_cluster();
  if (threadIdx.x == 0) out[blockIdx.x] = static_cast<int>(cluster.num_blocks() * 100 + cluster.block_rank());
}

int faults(const char* what) {
  int* out;
  CUDA(cudaMalloc(&out, 4096));
  cudaError_t want = cudaErrorIllegalAddress;
  if (std::strcmp(what, "gone") == 0) CUDA(launch(gone, 2, 32, 2, 0, out));
  if (std::strcmp(what, "beyond") == 0) CUDA(launch(beyond, 2, 32, 2, 0, out));
  if (std::strcmp(what, "alone") == 0) {
    CUDA(launch(alone, 2, 32, 2, 0));
    want = cudaErrorLaunchTimeout;
  }
  EXPECT(cudaDeviceSynchronize() == want);
  std::printf("PASS\n");
  return 0;
}

int main(int argc, char** argv) {
  if (argc > 1) return faults(argv[1]);
  Place* at;
  CUDA(cudaMallocManaged(&at, 4 * 6 * 4 * sizeof(Place)));
  for (const dim3 c : {dim3(2, 3, 1), dim3(1, 2, 4), dim3(1, 1, 1), dim3(4, 1, 2)}) {
    CUDA(launch(places, dim3(4, 6, 4), 32, c, 0, at));
    CUDA(cudaDeviceSynchronize());
    const unsigned extent[3] = {c.x, c.y, c.z}, grid[3] = {4, 6, 4};
    for (unsigned i = 0; i < 96; ++i) {
      const unsigned cta[3] = {i % 4, i / 4 % 6, i / 24};
      for (int d = 0; d < 3; ++d)
        EXPECT(at[i].id[d] == cta[d] / extent[d] && at[i].in[d] == cta[d] % extent[d] &&
               at[i].ids[d] == grid[d] / extent[d] && at[i].extent[d] == extent[d]);
      EXPECT(at[i].size == c.x * c.y * c.z && at[i].specified == 1);
      EXPECT(at[i].rank == at[i].in[0] + c.x * (at[i].in[1] + c.y * at[i].in[2]));
    }
  }
  places<<<dim3(4, 6, 4), 32>>>(at);
  CUDA(cudaDeviceSynchronize());
  EXPECT(at[50].specified == 0 && at[50].size == 1 && at[50].rank == 0 && at[50].id[1] == 50 / 4 % 6);

  int* out;
  CUDA(cudaMallocManaged(&out, 1 << 16));
  for (const unsigned n : {1u, 2u, 4u, 8u}) {
    CUDA(launch(exchange, 16, 64, n, 0, out, 3));
    CUDA(cudaDeviceSynchronize());
    for (unsigned b = 0; b < 16; ++b)
      for (unsigned t = 0; t < 64; ++t) {
        int sum = 0;
        for (unsigned r = 0; r < 3; ++r) {
          for (unsigned o = b / n * n; o < b / n * n + n; ++o)
            sum += static_cast<int>(o * 1000 + t * 10 + r + 3 * (o * 1000 + (63 - t) * 10 + r));
          sum += static_cast<int>((b % n + n - 1) % n * 7 + t);
        }
        EXPECT(out[b * 64 + t] == sum);
      }
  }

  constexpr int count = 20000, bins = 512;
  int *in, *result;
  CUDA(cudaMallocManaged(&in, count * sizeof(int)));
  CUDA(cudaMallocManaged(&result, bins * sizeof(int)));
  std::vector<int> want(bins);
  for (int i = 0; i < count; ++i) ++want[in[i] = i * 37 % 1009 % bins];
  std::memset(result, 0, bins * sizeof(int));
  CUDA(launch(histogram, 8, 128, 4, bins / 4 * sizeof(int), result, bins / 4, in, count));
  CUDA(cudaDeviceSynchronize());
  for (int i = 0; i < bins; ++i) EXPECT(result[i] == want[i]);

  for (const unsigned n : {1u, 2u, 4u}) {
    CUDA(launch(messages, 8, 128, n, 0, in, out, 5));
    CUDA(cudaDeviceSynchronize());
    for (unsigned b = 0; b < 8; ++b)
      for (unsigned t = 0; t < 128; ++t) {
        int sum = 0;
        for (unsigned r = 0; r < 5; ++r) sum += 3 * in[r * 128 + t];
        EXPECT(out[b * 128 + t] == sum);
      }
  }

  CUDA(launch(halves, 8, 96, 4, 0, out));
  CUDA(cudaDeviceSynchronize());
  for (int i = 0; i < 8 * 96; ++i) EXPECT(out[i] == i % 96 + 10 + (i % 2 == 0 ? 1 : 2));

  fixed<2><<<8, 32>>>(out);
  fixed<4><<<8, 32>>>(out + 8);
  CUDA(cudaDeviceSynchronize());
  for (int i = 0; i < 8; ++i) EXPECT(out[i] == 200 + i % 2 && out[8 + i] == 400 + i % 4);
  EXPECT(launch(fixed<2>, 8, 32, 4, 0, out) == cudaErrorInvalidClusterSize);
  fixed<4><<<6, 32>>>(out);
  EXPECT(cudaGetLastError() == cudaErrorInvalidClusterSize);

  cudaFuncAttributes about;
  CUDA(cudaFuncGetAttributes(&about, (const void*)fixed<4>));
  EXPECT(about.requiredClusterWidth == 4 && about.requiredClusterHeight == 1 &&
         about.clusterDimMustBeSet == 0);

  // What no launch may have.
  EXPECT(launch(places, 6, 32, 4, 0, at) == cudaErrorInvalidClusterSize);
  EXPECT(launch(places, 18, 32, 9, 0, at) == cudaErrorInvalidClusterSize);
  EXPECT(launch(places, 8, 32, 0, 0, at) == cudaErrorInvalidClusterSize);
  CUDA(cudaFuncSetAttribute((const void*)places, cudaFuncAttributeNonPortableClusterSizeAllowed, 1));
  CUDA(launch(places, 16, 32, 16, 0, at));
  CUDA(cudaDeviceSynchronize());
  EXPECT(at[15].rank == 15);
  cudaLaunchAttribute attribute;
  attribute.id = cudaLaunchAttributeClusterDimension;
  attribute.val.clusterDim.x = 4;
  attribute.val.clusterDim.y = attribute.val.clusterDim.z = 1;
  cudaLaunchConfig_t config{};
  config.gridDim = 64;
  config.blockDim = 1024;
  config.attrs = &attribute;
  config.numAttrs = 1;
  int clusters = 0, size = 0, units = 0;
  CUDA(cudaOccupancyMaxActiveClusters(&clusters, (const void*)places, &config));
  CUDA(cudaDeviceGetAttribute(&units, cudaDevAttrMultiProcessorCount, 0));
  EXPECT(clusters > 0 && clusters * 4 <= units * 2);
  CUDA(cudaOccupancyMaxPotentialClusterSize(&size, (const void*)places, &config));
  EXPECT(size >= 4 && size <= 16);
  std::printf("PASS\n");
}
