// Shuffles, votes and ranks of a coalesced group with holes.
#include <cooperative_groups.h>
#include <cuda_runtime.h>

#include "check.h"

namespace cg = cooperative_groups;

__global__ void odd_lanes(int* from_third, int* below, unsigned* votes) {
  const int lane = static_cast<int>(threadIdx.x);
  if (lane % 2 == 0) return;
  const cg::coalesced_group group = cg::coalesced_threads();
  from_third[lane] = group.shfl(lane, 3);
  below[lane] = group.shfl_up(lane, 1);
  if (group.thread_rank() == 0) votes[0] = group.size();
  const unsigned high = group.ballot(lane >= 16);
  if (group.thread_rank() == 0) votes[1] = high;
}

int main() {
  int *from_third = nullptr, *below = nullptr;
  unsigned* votes = nullptr;
  CUDA(cudaMallocManaged(&from_third, 128));
  CUDA(cudaMallocManaged(&below, 128));
  CUDA(cudaMallocManaged(&votes, 8));
  odd_lanes<<<1, 32>>>(from_third, below, votes);
  CUDA(cudaDeviceSynchronize());
  EXPECT(votes[0] == 16);
  EXPECT(votes[1] == 0xff00);
  for (int lane = 1; lane < 32; lane += 2) {
    EXPECT(from_third[lane] == 7);
    EXPECT(below[lane] == (lane == 1 ? 1 : lane - 2));
  }
  std::printf("PASS\n");
}
