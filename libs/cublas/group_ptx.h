// What the instructions of compute capability 9.0 are called that warpgroups multiply with.
#pragma once

#include <cuda_bf16.h>
#include <cuda_fp16.h>

#include <cstdint>

inline __device__ unsigned shared_address(const void* p) {
  return static_cast<unsigned>(__cvta_generic_to_shared(p));
}
inline __device__ void init(uint64_t* bar, unsigned count) {
  asm volatile("mbarrier.init.shared::cta.b64 [%0], %1;" ::"r"(shared_address(bar)), "r"(count) : "memory");
}
inline __device__ void expect(uint64_t* bar, unsigned bytes) {
  asm volatile("mbarrier.arrive.expect_tx.shared::cta.b64 _, [%0], %1;" ::"r"(shared_address(bar)), "r"(bytes)
               : "memory");
}
inline __device__ void arrive_at(uint64_t* bar, unsigned rank) {
  asm volatile(
      "{.reg .b32 there; mapa.shared::cluster.u32 there, %0, %1; "
      "mbarrier.arrive.release.cluster.shared::cluster.b64 _, [there];}" ::"r"(shared_address(bar)),
      "r"(rank)
      : "memory");
}
inline __device__ void wait(uint64_t* bar, unsigned parity) {
  asm volatile(
      "{\n.reg .pred p;\nagain:\nmbarrier.try_wait.parity.shared::cta.b64 p, [%0], %1;\n@p bra done;\nbra "
      "again;\ndone:\n}" ::"r"(shared_address(bar)),
      "r"(parity)
      : "memory");
}
/// The box at these coordinates, to the same place in all CTAs of `ranks`.
inline __device__ void load(unsigned ranks, void* to, const void* map, int x, int y, int z, uint64_t* bar) {
  asm volatile(
      "cp.async.bulk.tensor.3d.shared::cluster.global.mbarrier::complete_tx::bytes.multicast::cluster [%0], "
      "[%1, {%2, %3, %4}], [%5], %6;" ::"r"(shared_address(to)),
      "l"(map), "r"(x), "r"(y), "r"(z), "r"(shared_address(bar)), "h"(static_cast<uint16_t>(ranks))
      : "memory");
}
inline __device__ void load(void* to, const void* map, int x, int y, int z, uint64_t* bar) {
  asm volatile(
      "cp.async.bulk.tensor.3d.shared::cluster.global.mbarrier::complete_tx::bytes [%0], [%1, {%2, %3, %4}], "
      "[%5];" ::"r"(shared_address(to)),
      "l"(map), "r"(x), "r"(y), "r"(z), "r"(shared_address(bar))
      : "memory");
}
inline __device__ void meet_cluster() {
  asm volatile("barrier.cluster.arrive.release.aligned;\nbarrier.cluster.wait.acquire.aligned;" ::: "memory");
}
inline __device__ unsigned cluster_rank() {
  unsigned rank;
  asm volatile("mov.u32 %0, %%cluster_ctarank;" : "=r"(rank));
  return rank;
}
inline __device__ void fence_sums() {
  asm volatile("wgmma.fence.sync.aligned;" ::: "memory");
}
inline __device__ void commit_products() {
  asm volatile("wgmma.commit_group.sync.aligned;" ::: "memory");
}
template <int newest>
__device__ void await_products() {
  asm volatile("wgmma.wait_group.sync.aligned %0;" ::"n"(newest) : "memory");
}

#define GROUP_SUMS_4(c, d, i) c(d[i]), c(d[(i) + 1]), c(d[(i) + 2]), c(d[(i) + 3])
#define GROUP_SUMS_16(c, d, i)                                                     \
  GROUP_SUMS_4(c, d, i), GROUP_SUMS_4(c, d, (i) + 4), GROUP_SUMS_4(c, d, (i) + 8), \
      GROUP_SUMS_4(c, d, (i) + 12)
#define GROUP_SUMS_64(c, d, i)                                                          \
  GROUP_SUMS_16(c, d, i), GROUP_SUMS_16(c, d, (i) + 16), GROUP_SUMS_16(c, d, (i) + 32), \
      GROUP_SUMS_16(c, d, (i) + 48)
#define GROUP_SUMS_128(c, d, i) GROUP_SUMS_64(c, d, i), GROUP_SUMS_64(c, d, (i) + 64)
#define GROUP_FLOAT(x) "+f"(x)
#define GROUP_INT(x) "+r"(x)
#define GROUP_LIST_64                                                      \
  "%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15, " \
  "%16, %17, %18, %19, %20, %21, %22, %23, %24, %25, %26, %27, %28, %29, " \
  "%30, %31, %32, %33, %34, %35, %36, %37, %38, %39, %40, %41, %42, %43, " \
  "%44, %45, %46, %47, %48, %49, %50, %51, %52, %53, %54, %55, %56, %57, " \
  "%58, %59, %60, %61, %62, %63"
#define GROUP_LIST_128                                                             \
  GROUP_LIST_64                                                                    \
  ", %64, %65, %66, %67, %68, %69, %70, %71, %72, %73, %74, %75, %76, %77, %78, "  \
  "%79, %80, %81, %82, %83, %84, %85, %86, %87, %88, %89, %90, %91, %92, %93, "    \
  "%94, %95, %96, %97, %98, %99, %100, %101, %102, %103, %104, %105, %106, %107, " \
  "%108, %109, %110, %111, %112, %113, %114, %115, %116, %117, %118, %119, %120, " \
  "%121, %122, %123, %124, %125, %126, %127"

/// sums += 64 lines of A by n of B, 32 bytes deep; `across`: k is the slower index.
template <typename In, int n, bool a_across, bool b_across>
struct GroupProduct;

#define GROUP_PRODUCT_HALVES(IN, NAME, N, SUMS, LIST, A, B, TA, TB)                                        \
  template <bool ta, bool tb>                                                                              \
  struct GroupProduct<IN, N, ta, tb> {                                                                     \
    static __device__ void add(float (&d)[N / 2], uint64_t a, uint64_t b) {                                \
      asm volatile("{.reg .pred p; setp.eq.u32 p, 0, 0; wgmma.mma_async.sync.aligned.m64n" #N              \
                   "k16.f32." NAME "." NAME " {" LIST "}, %" #A ", %" #B ", p, 1, 1, %" #TA ", %" #TB ";}" \
                   : SUMS(GROUP_FLOAT, d, 0)                                                               \
                   : "l"(a), "l"(b), "n"(static_cast<int>(ta)), "n"(static_cast<int>(tb)));                \
    }                                                                                                      \
  };
#define GROUP_PRODUCT(IN, SHAPE, N, SUM, CONSTRAINT, SUMS, LIST, A, B, SIGNS)                       \
  template <>                                                                                       \
  struct GroupProduct<IN, N, false, false> {                                                        \
    static __device__ void add(SUM (&d)[N / 2], uint64_t a, uint64_t b) {                           \
      asm volatile("{.reg .pred p; setp.eq.u32 p, 0, 0; wgmma.mma_async.sync.aligned.m64n" #N SHAPE \
                   " {" LIST "}, %" #A ", %" #B ", p" SIGNS ";}"                                    \
                   : SUMS(CONSTRAINT, d, 0)                                                         \
                   : "l"(a), "l"(b));                                                               \
    }                                                                                               \
  };
GROUP_PRODUCT_HALVES(__half, "f16", 128, GROUP_SUMS_64, GROUP_LIST_64, 64, 65, 66, 67)
GROUP_PRODUCT_HALVES(__half, "f16", 256, GROUP_SUMS_128, GROUP_LIST_128, 128, 129, 130, 131)
GROUP_PRODUCT_HALVES(__nv_bfloat16, "bf16", 128, GROUP_SUMS_64, GROUP_LIST_64, 64, 65, 66, 67)
GROUP_PRODUCT_HALVES(__nv_bfloat16, "bf16", 256, GROUP_SUMS_128, GROUP_LIST_128, 128, 129, 130, 131)
GROUP_PRODUCT(float, "k8.f32.tf32.tf32", 128, float, GROUP_FLOAT, GROUP_SUMS_64, GROUP_LIST_64, 64, 65,
              ", 1, 1")
GROUP_PRODUCT(float, "k8.f32.tf32.tf32", 256, float, GROUP_FLOAT, GROUP_SUMS_128, GROUP_LIST_128, 128, 129,
              ", 1, 1")
GROUP_PRODUCT(signed char, "k32.s32.s8.s8", 128, int, GROUP_INT, GROUP_SUMS_64, GROUP_LIST_64, 64, 65, "")
GROUP_PRODUCT(signed char, "k32.s32.s8.s8", 256, int, GROUP_INT, GROUP_SUMS_128, GROUP_LIST_128, 128, 129, "")
