// cooperative_groups::inclusive_scan and exclusive_scan over tiles and coalesced groups.
#ifndef WANREN_COOPERATIVE_GROUPS_SCAN_H
#define WANREN_COOPERATIVE_GROUPS_SCAN_H

#include "../cooperative_groups.h"

#if defined(__cplusplus) && defined(__CUDA__)

namespace cooperative_groups {

template <typename Group, typename T, typename Op>
__device__ __forceinline__ T inclusive_scan(const Group& g, T v, Op&& op) {
  for (unsigned int step = 1; step < g.size(); step *= 2) {
    const T other = g.shfl_up(v, step);
    if (g.thread_rank() >= step) v = op(other, v);
  }
  return v;
}
template <typename Group, typename T>
__device__ __forceinline__ T inclusive_scan(const Group& g, T v) {
  return inclusive_scan(g, v, plus<T>());
}
template <typename Group, typename T, typename Op>
__device__ __forceinline__ T exclusive_scan(const Group& g, T v, Op&& op) {
  const T before = g.shfl_up(inclusive_scan(g, v, op), 1);
  return g.thread_rank() == 0 ? T() : before;
}
template <typename Group, typename T>
__device__ __forceinline__ T exclusive_scan(const Group& g, T v) {
  return exclusive_scan(g, v, plus<T>());
}

}  // namespace cooperative_groups

#endif
#endif
