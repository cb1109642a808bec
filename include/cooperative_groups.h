// Cooperative groups (CUDA C++ Programming Guide, "Cooperative Groups").
#ifndef WANREN_COOPERATIVE_GROUPS_H
#define WANREN_COOPERATIVE_GROUPS_H

#include "cuda_runtime.h"

#if defined(__cplusplus) && defined(__CUDA__)

namespace cooperative_groups {

#define WANREN_CG __device__ __forceinline__

namespace wanren {

// Sense-reversing barrier of a grid: block 0 adds what makes the top bit flip when all have come. One counter
// per translation unit: two cooperative kernels of one file must not run at the same time.
static __device__ unsigned int grid_barrier;

static WANREN_CG unsigned int thread_rank_in_block() {
  return (threadIdx.z * blockDim.y + threadIdx.y) * blockDim.x + threadIdx.x;
}
static WANREN_CG unsigned int grid_arrive() {
  __syncthreads();
  unsigned int old = 0;
  if (thread_rank_in_block() == 0) {
    const unsigned int blocks = gridDim.x * gridDim.y * gridDim.z;
    const bool first = (blockIdx.x | blockIdx.y | blockIdx.z) == 0;
    __threadfence();
    old = atomicAdd(&grid_barrier, first ? 0x80000000u - (blocks - 1) : 1u);
  }
  return old;
}
static WANREN_CG void grid_wait(unsigned int old) {
  if (thread_rank_in_block() == 0) {
    while (((*(volatile unsigned int*)&grid_barrier ^ old) & 0x80000000u) == 0) {
    }
    __threadfence();
  }
  __syncthreads();
}
static WANREN_CG unsigned int lane_id() {
  return __nvvm_read_ptx_sreg_laneid();
}
static WANREN_CG unsigned int lanes_below() {
  return __nvvm_read_ptx_sreg_lanemask_lt();
}
enum kind { single_thread, block, tile, coalesced, grid, cluster };

template <typename T>
static WANREN_CG T shuffle_words(unsigned int mask, T v, int lane, int width) {
  static_assert(sizeof(T) % 4 == 0 || sizeof(T) < 4,
                "shuffled values are smaller than a word or whole words");
  constexpr int count = (sizeof(T) + 3) / 4;
  unsigned int w[count] = {};
  __builtin_memcpy(w, &v, sizeof(T));
#pragma unroll
  for (int i = 0; i < count; ++i) w[i] = __shfl_sync(mask, w[i], lane, width);
  __builtin_memcpy(&v, w, sizeof(T));
  return v;
}

}  // namespace wanren

// A group of any kind whose threads lie in one warp, or a block.
class thread_group {
 public:
  WANREN_CG unsigned long long size() const {
    return kind_ == wanren::block ? blockDim.x * blockDim.y * blockDim.z : __popc(mask_);
  }
  WANREN_CG unsigned long long num_threads() const { return size(); }
  WANREN_CG unsigned long long thread_rank() const {
    return kind_ == wanren::block ? wanren::thread_rank_in_block() : __popc(mask_ & wanren::lanes_below());
  }
  WANREN_CG void sync() const {
    if (kind_ == wanren::block)
      __syncthreads();
    else
      __syncwarp(mask_);
  }
  WANREN_CG bool is_valid() const { return true; }
  WANREN_CG unsigned int wanren_mask() const { return mask_; }
  WANREN_CG bool wanren_is_block() const { return kind_ == wanren::block; }

 protected:
  WANREN_CG thread_group(wanren::kind kind, unsigned int mask) : kind_(kind), mask_(mask) {}
  wanren::kind kind_;
  unsigned int mask_;
  friend WANREN_CG thread_group tiled_partition(const thread_group& parent, unsigned int size);
};

class thread_block : public thread_group {
 public:
  WANREN_CG thread_block() : thread_group(wanren::block, 0) {}
  static WANREN_CG void sync() { __syncthreads(); }
  static WANREN_CG unsigned int size() { return blockDim.x * blockDim.y * blockDim.z; }
  static WANREN_CG unsigned int num_threads() { return size(); }
  static WANREN_CG unsigned int thread_rank() { return wanren::thread_rank_in_block(); }
  static WANREN_CG dim3 group_index() { return dim3(blockIdx.x, blockIdx.y, blockIdx.z); }
  static WANREN_CG dim3 thread_index() { return dim3(threadIdx.x, threadIdx.y, threadIdx.z); }
  static WANREN_CG dim3 group_dim() { return dim3(blockDim.x, blockDim.y, blockDim.z); }
  static WANREN_CG dim3 dim_threads() { return group_dim(); }
  struct arrival_token {};
  static WANREN_CG arrival_token barrier_arrive() { return {}; }
  static WANREN_CG void barrier_wait(arrival_token&&) { __syncthreads(); }
};
static WANREN_CG thread_block this_thread_block() {
  return thread_block();
}

// What tiles and coalesced groups share; ranks count the set bits of a warp mask.
class coalesced_group : public thread_group {
 public:
  WANREN_CG explicit coalesced_group(unsigned int mask) : thread_group(wanren::coalesced, mask) {}
  WANREN_CG unsigned int size() const { return __popc(mask_); }
  WANREN_CG unsigned int num_threads() const { return size(); }
  WANREN_CG unsigned int thread_rank() const { return __popc(mask_ & wanren::lanes_below()); }
  WANREN_CG unsigned int meta_group_size() const { return 1; }
  WANREN_CG unsigned int meta_group_rank() const { return 0; }
  WANREN_CG void sync() const { __syncwarp(mask_); }
  template <typename T>
  WANREN_CG T shfl(T v, int rank) const {
    return wanren::shuffle_words(mask_, v, lane_of(rank), 32);
  }
  template <typename T>
  WANREN_CG T shfl_up(T v, unsigned int delta) const {
    const int from = (int)thread_rank() - (int)delta;
    return wanren::shuffle_words(mask_, v, lane_of(from < 0 ? (int)thread_rank() : from), 32);
  }
  template <typename T>
  WANREN_CG T shfl_down(T v, unsigned int delta) const {
    const unsigned int from = thread_rank() + delta;
    return wanren::shuffle_words(mask_, v, lane_of(from >= size() ? (int)thread_rank() : (int)from), 32);
  }
  WANREN_CG int any(int p) const { return (__ballot_sync(mask_, p) & mask_) != 0; }
  WANREN_CG int all(int p) const { return (__ballot_sync(mask_, p) & mask_) == mask_; }
  WANREN_CG unsigned int ballot(int p) const { return packed(__ballot_sync(mask_, p) & mask_); }
  template <typename T>
  WANREN_CG unsigned int match_any(T v) const {
    return packed(__match_any_sync(mask_, v));
  }

 private:
  WANREN_CG int lane_of(int rank) const {
    unsigned int rest = mask_;
    for (int i = 0; i < rank; ++i) rest &= rest - 1;
    return __ffs((int)rest) - 1;
  }
  WANREN_CG unsigned int packed(unsigned int lanes) const {
    unsigned int out = 0, position = 0;
    for (unsigned int m = mask_; m; m &= m - 1, ++position)
      if (lanes & m & (0u - m)) out |= 1u << position;
    return out;
  }
};
static WANREN_CG coalesced_group coalesced_threads() {
  return coalesced_group(__activemask());
}

// Size threads of a warp, a power of two up to 32.
template <unsigned int Size, typename Parent = void>
class thread_block_tile : public thread_group {
  static_assert(Size >= 1 && Size <= 32 && (Size & (Size - 1)) == 0,
                "a tile has 1, 2, 4, 8, 16 or 32 threads");

 public:
  WANREN_CG thread_block_tile() : thread_group(wanren::tile, tile_mask()) {}
  template <typename Other>
  WANREN_CG thread_block_tile(const thread_block_tile<Size, Other>&)
      : thread_group(wanren::tile, tile_mask()) {}
  static WANREN_CG unsigned int tile_mask() {
    return Size == 32 ? 0xffffffffu : ((1u << (Size & 31)) - 1) << (wanren::lane_id() & ~(Size - 1));
  }
  static WANREN_CG unsigned int thread_rank() { return wanren::thread_rank_in_block() & (Size - 1); }
  static constexpr WANREN_CG unsigned int size() { return Size; }
  static constexpr WANREN_CG unsigned int num_threads() { return Size; }
  static WANREN_CG unsigned int meta_group_rank() { return wanren::thread_rank_in_block() / Size; }
  static WANREN_CG unsigned int meta_group_size() { return (thread_block::size() + Size - 1) / Size; }
  WANREN_CG void sync() const { __syncwarp(mask_); }
  template <typename T>
  WANREN_CG T shfl(T v, int rank) const {
    return wanren::shuffle_words(mask_, v, rank, (int)Size);
  }
  template <typename T>
  WANREN_CG T shfl_up(T v, unsigned int delta) const {
    return moved(v, [&](unsigned int w) { return __shfl_up_sync(mask_, w, delta, (int)Size); });
  }
  template <typename T>
  WANREN_CG T shfl_down(T v, unsigned int delta) const {
    return moved(v, [&](unsigned int w) { return __shfl_down_sync(mask_, w, delta, (int)Size); });
  }
  template <typename T>
  WANREN_CG T shfl_xor(T v, unsigned int lane_mask) const {
    return moved(v, [&](unsigned int w) { return __shfl_xor_sync(mask_, w, (int)lane_mask, (int)Size); });
  }
  WANREN_CG int any(int p) const { return (__ballot_sync(mask_, p) & mask_) != 0; }
  WANREN_CG int all(int p) const { return (__ballot_sync(mask_, p) & mask_) == mask_; }
  WANREN_CG unsigned int ballot(int p) const { return (__ballot_sync(mask_, p) & mask_) >> first_lane(); }
  template <typename T>
  WANREN_CG unsigned int match_any(T v) const {
    return __match_any_sync(mask_, v) >> first_lane();
  }
  template <typename T>
  WANREN_CG unsigned int match_all(T v, int& p) const {
    return __match_all_sync(mask_, v, &p) >> first_lane();
  }

 private:
  static WANREN_CG unsigned int first_lane() { return wanren::lane_id() & ~(Size - 1); }
  template <typename T, typename F>
  static WANREN_CG T moved(T v, F f) {
    static_assert(sizeof(T) % 4 == 0 || sizeof(T) < 4,
                  "shuffled values are smaller than a word or whole words");
    constexpr int count = (sizeof(T) + 3) / 4;
    unsigned int w[count] = {};
    __builtin_memcpy(w, &v, sizeof(T));
#pragma unroll
    for (int i = 0; i < count; ++i) w[i] = f(w[i]);
    __builtin_memcpy(&v, w, sizeof(T));
    return v;
  }
};

template <unsigned int Size, typename Parent>
WANREN_CG thread_block_tile<Size, Parent> tiled_partition(const Parent&) {
  return thread_block_tile<Size, Parent>();
}
WANREN_CG thread_group tiled_partition(const thread_group& parent, unsigned int size) {
  const unsigned int first = wanren::lane_id() & ~(size - 1);
  const unsigned int mask = size >= 32 ? 0xffffffffu : ((1u << size) - 1) << first;
  return thread_group(wanren::tile, parent.wanren_is_block() ? mask : mask & parent.wanren_mask());
}

template <typename Group>
WANREN_CG coalesced_group binary_partition(const Group& g, bool p) {
  const unsigned int yes = __ballot_sync(g.wanren_mask(), p) & g.wanren_mask();
  return coalesced_group(p ? yes : g.wanren_mask() & ~yes);
}
template <typename Group, typename Label>
WANREN_CG coalesced_group labeled_partition(const Group& g, Label label) {
  return coalesced_group(__match_any_sync(g.wanren_mask(), label));
}

// All blocks of a launch made with cudaLaunchCooperativeKernel.
class grid_group {
 public:
  static WANREN_CG bool is_valid() { return true; }
  static WANREN_CG void sync() { wanren::grid_wait(wanren::grid_arrive()); }
  typedef unsigned int arrival_token;
  static WANREN_CG arrival_token barrier_arrive() { return wanren::grid_arrive(); }
  static WANREN_CG void barrier_wait(arrival_token&& t) { wanren::grid_wait(t); }
  static WANREN_CG unsigned long long size() { return num_blocks() * thread_block::size(); }
  static WANREN_CG unsigned long long num_threads() { return size(); }
  static WANREN_CG unsigned long long thread_rank() {
    return block_rank() * thread_block::size() + wanren::thread_rank_in_block();
  }
  static WANREN_CG unsigned long long num_blocks() {
    return (unsigned long long)gridDim.x * gridDim.y * gridDim.z;
  }
  static WANREN_CG unsigned long long block_rank() {
    return ((unsigned long long)blockIdx.z * gridDim.y + blockIdx.y) * gridDim.x + blockIdx.x;
  }
  static WANREN_CG dim3 group_dim() { return dim3(gridDim.x, gridDim.y, gridDim.z); }
  static WANREN_CG dim3 dim_blocks() { return group_dim(); }
  static WANREN_CG dim3 block_index() { return dim3(blockIdx.x, blockIdx.y, blockIdx.z); }
};
static WANREN_CG grid_group this_grid() {
  return grid_group();
}

#if !defined(__CUDA_ARCH__) || __CUDA_ARCH__ >= 900
class cluster_group {
 public:
  static WANREN_CG void sync() {
    __cluster_barrier_arrive();
    __cluster_barrier_wait();
  }
  struct arrival_token {};
  static WANREN_CG arrival_token barrier_arrive() {
    __cluster_barrier_arrive();
    return {};
  }
  static WANREN_CG void barrier_wait(arrival_token&&) { __cluster_barrier_wait(); }
  static WANREN_CG unsigned int block_rank() { return __clusterRelativeBlockRank(); }
  static WANREN_CG unsigned int num_blocks() { return __clusterSizeInBlocks(); }
  static WANREN_CG unsigned int num_threads() { return num_blocks() * thread_block::size(); }
  static WANREN_CG unsigned int size() { return num_threads(); }
  static WANREN_CG unsigned int thread_rank() {
    return block_rank() * thread_block::size() + wanren::thread_rank_in_block();
  }
  static WANREN_CG dim3 block_index() { return __clusterRelativeBlockIdx(); }
  static WANREN_CG dim3 dim_blocks() { return __clusterDim(); }
  template <typename T>
  static WANREN_CG T* map_shared_rank(T* p, int rank) {
    return (T*)__cluster_map_shared_rank(p, rank);
  }
  static WANREN_CG unsigned int query_shared_rank(const void* p) { return __cluster_query_shared_rank(p); }
};
static WANREN_CG cluster_group this_cluster() {
  return cluster_group();
}
#endif

template <typename Group>
WANREN_CG void sync(const Group& g) {
  g.sync();
}
template <typename Group>
WANREN_CG unsigned long long group_size(const Group& g) {
  return g.size();
}
template <typename Group>
WANREN_CG unsigned long long thread_rank(const Group& g) {
  return g.thread_rank();
}

template <typename T = void>
struct plus {
  WANREN_CG T operator()(T a, T b) const { return a + b; }
};
template <typename T = void>
struct less {
  WANREN_CG T operator()(T a, T b) const { return b < a ? b : a; }
};
template <typename T = void>
struct greater {
  WANREN_CG T operator()(T a, T b) const { return a < b ? b : a; }
};
template <typename T = void>
struct bit_and {
  WANREN_CG T operator()(T a, T b) const { return a & b; }
};
template <typename T = void>
struct bit_or {
  WANREN_CG T operator()(T a, T b) const { return a | b; }
};
template <typename T = void>
struct bit_xor {
  WANREN_CG T operator()(T a, T b) const { return a ^ b; }
};

#undef WANREN_CG

}  // namespace cooperative_groups

#endif
#endif
