// cooperative_groups::reduce over tiles and coalesced groups.
#ifndef WANREN_COOPERATIVE_GROUPS_REDUCE_H
#define WANREN_COOPERATIVE_GROUPS_REDUCE_H

#include "../cooperative_groups.h"

#if defined(__cplusplus) && defined(__CUDA__)

namespace cooperative_groups {

template <unsigned int Size, typename Parent, typename T, typename Op>
__device__ __forceinline__ T reduce(const thread_block_tile<Size, Parent>& g, T v, Op&& op) {
#pragma unroll
  for (unsigned int step = Size / 2; step > 0; step /= 2) v = op(v, g.shfl_xor(v, step));
  return v;
}
template <typename T, typename Op>
__device__ __forceinline__ T reduce(const coalesced_group& g, T v, Op&& op) {
  // Folds the upper half onto the lower, then hands rank 0's result to all.
  for (unsigned int n = g.size(); n > 1;) {
    const unsigned int half = (n + 1) / 2;
    const T other = g.shfl_down(v, half);
    if (g.thread_rank() + half < n) v = op(v, other);
    n = half;
  }
  return g.shfl(v, 0);
}

}  // namespace cooperative_groups

#endif
#endif
