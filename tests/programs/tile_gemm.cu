// C = A B^T in bfloat16 with float sums, the way that compute capability 9.0 wants it: one warp group's
// thread loads tiles by tensor maps into a ring in shared memory, half of each B tile for both CTAs of a
// cluster, and two others multiply them by wgmma. Every sum is checked against the same chain of fused
// multiply-adds on the host, or some of them where there are many. Arguments: -n N (C is N x N), -k K, -runs
// R.
#include <cuda.h>
#include <cuda_bf16.h>
#include <cuda_runtime.h>

#include <cmath>
#include <cstdint>
#include <cstring>
#include <random>
#include <vector>

#include "check.h"
#include "mbarrier.h"

namespace {

// --- what the instructions are called ---

__device__ void arrive_at(uint64_t* bar, unsigned rank) {
  asm volatile(
      "{.reg .b32 there; mapa.shared::cluster.u32 there, %0, %1; "
      "mbarrier.arrive.release.cluster.shared::cluster.b64 _, "
      "[there];}" ::"r"(shared_address(bar)),
      "r"(rank)
      : "memory");
}
__device__ void load(unsigned ranks, void* to, const CUtensorMap* map, int k, int row, uint64_t* bar) {
  asm volatile(
      "cp.async.bulk.tensor.2d.shared::cluster.global.mbarrier::complete_tx::bytes.multicast::cluster [%0], "
      "[%1, {%2, "
      "%3}], [%4], %5;" ::"r"(shared_address(to)),
      "l"(map), "r"(k), "r"(row), "r"(shared_address(bar)), "h"(static_cast<uint16_t>(ranks))
      : "memory");
}
__device__ void meet_cluster() {
  asm volatile("barrier.cluster.arrive.release.aligned;\nbarrier.cluster.wait.acquire.aligned;" ::: "memory");
}
__device__ unsigned cluster_rank() {
  unsigned rank;
  asm volatile("mov.u32 %0, %%cluster_ctarank;" : "=r"(rank));
  return rank;
}

#define SUMS_4(d, i) "+f"(d[i]), "+f"(d[(i) + 1]), "+f"(d[(i) + 2]), "+f"(d[(i) + 3])
#define SUMS_16(d, i) SUMS_4(d, i), SUMS_4(d, (i) + 4), SUMS_4(d, (i) + 8), SUMS_4(d, (i) + 12)
#define SUMS_64(d, i) SUMS_16(d, i), SUMS_16(d, (i) + 16), SUMS_16(d, (i) + 32), SUMS_16(d, (i) + 48)
#define SUMS_128(d, i) SUMS_64(d, i), SUMS_64(d, (i) + 64)

template <int n>
struct Product;
template <>
struct Product<128> {
  static __device__ void add(float (&d)[64], uint64_t a, uint64_t b, int keep) {
    asm volatile(
        "{.reg .pred p; setp.ne.b32 p, %66, 0; wgmma.mma_async.sync.aligned.m64n128k16.f32.bf16.bf16 "
        "{%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15, "
        "%16, %17, %18, %19, %20, %21, %22, %23, %24, %25, %26, %27, %28, %29, %30, %31, "
        "%32, %33, %34, %35, %36, %37, %38, %39, %40, %41, %42, %43, %44, %45, %46, %47, "
        "%48, %49, %50, %51, %52, %53, %54, %55, %56, %57, %58, %59, %60, %61, %62, %63}, "
        "%64, %65, p, 1, 1, 0, 0;}"
        : SUMS_64(d, 0)
        : "l"(a), "l"(b), "r"(keep));
  }
};
template <>
struct Product<256> {
  static __device__ void add(float (&d)[128], uint64_t a, uint64_t b, int keep) {
    asm volatile(
        "{.reg .pred p; setp.ne.b32 p, %130, 0; wgmma.mma_async.sync.aligned.m64n256k16.f32.bf16.bf16 "
        "{%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15, "
        "%16, %17, %18, %19, %20, %21, %22, %23, %24, %25, %26, %27, %28, %29, %30, %31, "
        "%32, %33, %34, %35, %36, %37, %38, %39, %40, %41, %42, %43, %44, %45, %46, %47, "
        "%48, %49, %50, %51, %52, %53, %54, %55, %56, %57, %58, %59, %60, %61, %62, %63, "
        "%64, %65, %66, %67, %68, %69, %70, %71, %72, %73, %74, %75, %76, %77, %78, %79, "
        "%80, %81, %82, %83, %84, %85, %86, %87, %88, %89, %90, %91, %92, %93, %94, %95, "
        "%96, %97, %98, %99, %100, %101, %102, %103, %104, %105, %106, %107, %108, %109, %110, %111, "
        "%112, %113, %114, %115, %116, %117, %118, %119, %120, %121, %122, %123, %124, %125, %126, %127}, "
        "%128, %129, p, 1, 1, 0, 0;}"
        : SUMS_128(d, 0)
        : "l"(a), "l"(b), "r"(keep));
  }
};

// Rows of `bytes` bytes whose chunks are exchanged: eight rows repeat the pattern.
__device__ uint64_t descriptor(const void* tile, int bytes) {
  const uint64_t mode = bytes == 128 ? 1 : 2;
  return (shared_address(tile) & 0x3ffff) >> 4 | uint64_t{1} << 16 |
         static_cast<uint64_t>(8 * bytes >> 4) << 32 | mode << 62;
}

// --- the kernel ---

/// A CTA's tiles, and the CTAs of a cluster: `down` of them share B's tiles, `across` share A's.
template <int rows, int columns, int depth, int stages, int down_, int across_>
struct Shape {
  static constexpr int m = rows, n = columns, k = depth, ring = stages, down = down_, across = across_;
  static constexpr int a_bytes = m * k * 2, b_bytes = n * k * 2, bytes = ring * (a_bytes + b_bytes) + 1024;
};
using Wide = Shape<128, 256, 64, 4, 2, 1>;   // 192 KiB of tiles
using Wider = Shape<128, 256, 64, 4, 4, 2>;  // the same, and half of the traffic
using Small = Shape<128, 128, 32, 3, 2, 1>;  // 48 KiB

template <class S>
__global__ void __launch_bounds__(384, 1)
    multiply(const __grid_constant__ CUtensorMap a, const __grid_constant__ CUtensorMap b, float* c, int n,
             int depth) {
  extern __shared__ char memory[];
  __shared__ uint64_t full[S::ring], empty[S::ring];
  char* const tiles = memory + (1024 - shared_address(memory) % 1024) % 1024;
  const auto a_tile = [&](int s) { return tiles + s * S::a_bytes; };
  const auto b_tile = [&](int s) { return tiles + S::ring * S::a_bytes + s * S::b_bytes; };
  const int group = static_cast<int>(threadIdx.x) / 128;
  // Ranks count down first.
  const int rank = static_cast<int>(cluster_rank()), in_column = rank % S::down, in_row = rank / S::down;
  if (threadIdx.x == 0) {
    for (int s = 0; s < S::ring; ++s) init(&full[s], 1), init(&empty[s], 2 * (S::down + S::across - 1));
    asm volatile("fence.mbarrier_init.release.cluster;" ::: "memory");
  }
  meet_cluster();
  const int row = static_cast<int>(blockIdx.x) * S::m, column = static_cast<int>(blockIdx.y) * S::n;
  const int steps = depth / S::k;
  if (group == 0) {
    asm volatile("setmaxnreg.dec.sync.aligned.u32 40;");
    if (threadIdx.x == 0) {
      constexpr int a_part = S::m / S::across, b_part = S::n / S::down;
      unsigned row_mates = 0;
      for (int i = 0; i < S::across; ++i) row_mates |= 1u << (in_column + i * S::down);
      const unsigned column_mates = ((1u << S::down) - 1) << (in_row * S::down);
      for (int i = 0; i < steps; ++i) {
        const int s = i % S::ring;
        wait(&empty[s], (i / S::ring & 1) ^ 1);
        expect(&full[s], S::a_bytes + S::b_bytes);
        load(row_mates, a_tile(s) + in_row * a_part * S::k * 2, &a, i * S::k, row + in_row * a_part,
             &full[s]);
        load(column_mates, b_tile(s) + in_column * b_part * S::k * 2, &b, i * S::k,
             column + in_column * b_part, &full[s]);
      }
    }
  } else {
    asm volatile("setmaxnreg.inc.sync.aligned.u32 232;");
    float sum[S::n / 2];
    const int mine = (group - 1) * 64;
    for (int i = 0; i < steps; ++i) {
      const int s = i % S::ring;
      wait(&full[s], i / S::ring & 1);
      asm volatile("wgmma.fence.sync.aligned;" ::: "memory");
      const uint64_t ad = descriptor(a_tile(s) + mine * S::k * 2, S::k * 2),
                     bd = descriptor(b_tile(s), S::k * 2);
#pragma unroll
      for (int k = 0; k < S::k / 16; ++k) Product<S::n>::add(sum, ad + 2 * k, bd + 2 * k, (i | k) != 0);
      asm volatile("wgmma.commit_group.sync.aligned;" ::: "memory");
      asm volatile("wgmma.wait_group.sync.aligned 1;" ::: "memory");
      // What came before has been read.
      const int other = static_cast<int>(threadIdx.x) % 128;
      const bool shares = other / S::down == in_row || other % S::down == in_column;
      if (i > 0 && other < S::down * S::across && shares) arrive_at(&empty[(i - 1) % S::ring], other);
    }
    asm volatile("wgmma.wait_group.sync.aligned 0;" ::: "memory");
    const int lane = static_cast<int>(threadIdx.x) % 32, warp = static_cast<int>(threadIdx.x) / 32 % 4;
    float* to = c + static_cast<size_t>(row + mine + warp * 16 + lane / 4) * n + column + lane % 4 * 2;
#pragma unroll
    for (int i = 0; i < S::n / 2; i += 4) {
      *reinterpret_cast<float2*>(to + i * 2) = float2{sum[i], sum[i + 1]};
      *reinterpret_cast<float2*>(to + 8 * n + i * 2) = float2{sum[i + 2], sum[i + 3]};
    }
  }
  meet_cluster();
}

// --- the host ---

CUtensorMap map_of(__nv_bfloat16* matrix, int rows, int depth, int box_rows, int box_depth) {
  CUtensorMap map;
  const cuuint64_t size[2] = {static_cast<cuuint64_t>(depth), static_cast<cuuint64_t>(rows)};
  const cuuint64_t stride[1] = {static_cast<cuuint64_t>(depth) * 2};
  const cuuint32_t box[2] = {static_cast<cuuint32_t>(box_depth), static_cast<cuuint32_t>(box_rows)},
                   step[2] = {1, 1};
  EXPECT(cuTensorMapEncodeTiled(&map, CU_TENSOR_MAP_DATA_TYPE_BFLOAT16, 2, matrix, size, stride, box, step,
                                CU_TENSOR_MAP_INTERLEAVE_NONE,
                                box_depth == 64 ? CU_TENSOR_MAP_SWIZZLE_128B : CU_TENSOR_MAP_SWIZZLE_64B,
                                CU_TENSOR_MAP_L2_PROMOTION_NONE,
                                CU_TENSOR_MAP_FLOAT_OOB_FILL_NONE) == CUDA_SUCCESS);
  return map;
}

int option(int argc, char** argv, const char* name, int otherwise) {
  for (int i = 1; i + 1 < argc; ++i)
    if (!std::strcmp(argv[i], name)) return std::atoi(argv[i + 1]);
  return otherwise;
}

template <class S>
void run(int n, int depth, int runs) {
  EXPECT(n % (S::down * S::m) == 0 && n % (S::across * S::n) == 0 && depth % S::k == 0);
  std::mt19937 random(1);
  const size_t elements = static_cast<size_t>(n) * depth;
  std::vector<__nv_bfloat16> a(elements), b(elements);
  for (size_t i = 0; i < elements; ++i) {
    a[i] = __float2bfloat16(static_cast<float>(random() % 2001) / 1000 - 1);
    b[i] = __float2bfloat16(static_cast<float>(random() % 2001) / 1000 - 1);
  }
  __nv_bfloat16 *da, *db;
  float* dc;
  CUDA(cudaMalloc(&da, elements * 2));
  CUDA(cudaMalloc(&db, elements * 2));
  CUDA(cudaMalloc(&dc, static_cast<size_t>(n) * n * 4));
  CUDA(cudaMemcpy(da, a.data(), elements * 2, cudaMemcpyHostToDevice));
  CUDA(cudaMemcpy(db, b.data(), elements * 2, cudaMemcpyHostToDevice));
  const CUtensorMap am = map_of(da, n, depth, S::m / S::across, S::k),
                    bm = map_of(db, n, depth, S::n / S::down, S::k);
  CUDA(cudaFuncSetAttribute(multiply<S>, cudaFuncAttributeMaxDynamicSharedMemorySize, S::bytes));
  cudaLaunchConfig_t config = {};
  config.gridDim = dim3(n / S::m, n / S::n);
  config.blockDim = 384;
  config.dynamicSmemBytes = S::bytes;
  cudaLaunchAttribute attribute = {};
  attribute.id = cudaLaunchAttributeClusterDimension;
  attribute.val.clusterDim.x = S::down;
  attribute.val.clusterDim.y = S::across;
  attribute.val.clusterDim.z = 1;
  config.attrs = &attribute;
  config.numAttrs = 1;
  cudaEvent_t begin, end;
  CUDA(cudaEventCreate(&begin));
  CUDA(cudaEventCreate(&end));
  float best = 1e30f;
  for (int i = 0; i < runs; ++i) {
    CUDA(cudaEventRecord(begin));
    CUDA(cudaLaunchKernelEx(&config, multiply<S>, am, bm, dc, n, depth));
    CUDA(cudaEventRecord(end));
    CUDA(cudaDeviceSynchronize());
    float ms;
    CUDA(cudaEventElapsedTime(&ms, begin, end));
    best = fminf(best, ms);
  }
  std::vector<float> c(static_cast<size_t>(n) * n);
  CUDA(cudaMemcpy(c.data(), dc, c.size() * 4, cudaMemcpyDeviceToHost));
  const size_t checks = std::min(c.size(), size_t{100'000'000} / static_cast<size_t>(depth));
  for (size_t i = 0; i < checks; ++i) {
    const size_t at = checks == c.size() ? i : random() % c.size();
    const __nv_bfloat16 *x = &a[at / n * depth], *y = &b[at % n * depth];
    float sum = 0;
    for (int k = 0; k < depth; ++k) sum = fmaf(__bfloat162float(x[k]), __bfloat162float(y[k]), sum);
    if (c[at] == sum) continue;
    std::printf("FAIL at %zu, %zu: %g, not %g\n", at / n, at % n, c[at], sum);
    std::exit(1);
  }
  std::printf("%d x %d x %d: %.3f ms, %.1f TFLOP/s\nPASS\n", n, n, depth, best,
              2.0 * n * n * depth / (best * 1e-3) * 1e-12);
}

}  // namespace

int main(int argc, char** argv) {
  const int n = option(argc, argv, "-n", 512), depth = option(argc, argv, "-k", 256),
            runs = option(argc, argv, "-runs", 1);
  int shared;
  CUDA(cudaDeviceGetAttribute(&shared, cudaDevAttrMaxSharedMemoryPerBlockOptin, 0));
  if (shared < Wide::bytes + 64)
    run<Small>(n, depth, runs);
  else if (n % (Wider::down * Wider::m) != 0 || n % (Wider::across * Wider::n) != 0 ||
           option(argc, argv, "-pairs", 0))
    run<Wide>(n, depth, runs);
  else
    run<Wider>(n, depth, runs);
}
