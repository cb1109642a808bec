// mbarriers as programs use them: a ring of stages between warps that copy and warps that add, arrivals with
// tokens, lanes of one warp that wait for each other, and phases that nobody completes (argument "lacks" or
// "asks").
#include <cuda_runtime.h>

#include <cstdint>
#include <cstring>
#include <vector>

#include "check.h"

__device__ unsigned shared_address(const void* p) {
  return static_cast<unsigned>(__cvta_generic_to_shared(p));
}
__device__ void init(uint64_t* bar, unsigned count) {
  asm volatile("mbarrier.init.shared::cta.b64 [%0], %1;" ::"r"(shared_address(bar)), "r"(count) : "memory");
}
__device__ void arrive(uint64_t* bar) {
  asm volatile("mbarrier.arrive.release.cta.shared::cta.b64 _, [%0];" ::"r"(shared_address(bar)) : "memory");
}
__device__ void arrive_with_copies(uint64_t* bar) {
  asm volatile("cp.async.mbarrier.arrive.noinc.shared::cta.b64 [%0];" ::"r"(shared_address(bar)) : "memory");
}
__device__ void copy16(void* to, const void* from) {
  asm volatile("cp.async.cg.shared.global [%0], [%1], 16;" ::"r"(shared_address(to)), "l"(from) : "memory");
}
__device__ bool try_wait(uint64_t* bar, unsigned parity) {
  unsigned done;
  asm volatile(
      "{\n.reg .pred p;\nmbarrier.try_wait.parity.acquire.cta.shared::cta.b64 p, [%1], %2;\nselp.u32 %0, 1, "
      "0, p;\n}"
      : "=r"(done)
      : "r"(shared_address(bar)), "r"(parity)
      : "memory");
  return done != 0;
}
__device__ void wait(uint64_t* bar, unsigned parity) {
  while (!try_wait(bar, parity)) {
  }
}

constexpr int stages = 3, tile = 256, rounds = 20;

// Warps 0 and 1 copy tiles into the ring, warps 2 and 3 add them up.
__global__ void ring(const int* in, int* out) {
  __shared__ uint64_t full[stages], empty[stages];
  __shared__ __align__(16) int data[stages][tile];
  if (threadIdx.x == 0)
    for (int s = 0; s < stages; ++s) init(&full[s], 64), init(&empty[s], 64);
  __syncthreads();
  const int t = threadIdx.x & 63;
  in += blockIdx.x * rounds * tile;
  if (threadIdx.x < 64) {
    for (int r = 0; r < rounds; ++r) {
      const int s = r % stages;
      wait(&empty[s], (r / stages & 1) ^ 1);  // the first time round: the phase before phase 0
      copy16(&data[s][4 * t], in + r * tile + 4 * t);
      arrive_with_copies(&full[s]);
    }
  } else {
    int sum = 0;
    for (int r = 0; r < rounds; ++r) {
      const int s = r % stages;
      wait(&full[s], r / stages & 1);
      for (int i = 0; i < 4; ++i) sum += data[s][t + 64 * i];
      arrive(&empty[s]);
    }
    out[blockIdx.x * 64 + t] = sum;
  }
}

// As cuda::barrier does on compute capability 8.0: a token from arrive, then test_wait in a loop.
__global__ void tokens(int* out) {
  __shared__ uint64_t bar;
  __shared__ int slots[128];
  if (threadIdx.x == 0) init(&bar, 128);
  __syncthreads();
  int sum = 0;
  for (int r = 0; r < 5; ++r) {
    slots[threadIdx.x] = static_cast<int>(threadIdx.x) + r;
    for (int half = 0; half < 2; ++half) {
      uint64_t token;
      asm volatile("mbarrier.arrive.shared::cta.b64 %0, [%1];"
                   : "=l"(token)
                   : "r"(shared_address(&bar))
                   : "memory");
      unsigned done = 0;
      while (!done)
        asm volatile(
            "{\n.reg .pred p;\nmbarrier.test_wait.shared::cta.b64 p, [%1], %2;\nselp.u32 %0, 1, 0, p;\n}"
            : "=r"(done)
            : "r"(shared_address(&bar)), "l"(token)
            : "memory");
      if (half == 0) sum += slots[(threadIdx.x + 37) % 128];
    }
  }
  out[threadIdx.x] = sum;
}

// Odd lanes wait for what even lanes of the same warp do, and the other way round.
__global__ void lanes(int* out) {
  __shared__ uint64_t bars[2];
  if (threadIdx.x == 0) init(&bars[0], 16), init(&bars[1], 16);
  __syncwarp();
  int value = 0;
  if (threadIdx.x & 1) {
    wait(&bars[0], 0);
    value = 1;
    arrive(&bars[1]);
  } else {
    arrive(&bars[0]);
    wait(&bars[1], 0);
    value = 2;
  }
  out[threadIdx.x] = value;
}

__global__ void lacks() {
  __shared__ uint64_t bar;
  if (threadIdx.x == 0) init(&bar, 33);
  __syncthreads();
  arrive(&bar);
  wait(&bar, 0);
}

__global__ void asks() {
  __shared__ uint64_t bar;
  if (threadIdx.x == 0) init(&bar, 33);
  __syncthreads();
  unsigned done = 0;
  while (!done)
    asm volatile(
        "{\n.reg .pred p;\nmbarrier.test_wait.parity.shared::cta.b64 p, [%1], 0;\nselp.u32 %0, 1, 0, p;\n}"
        : "=r"(done)
        : "r"(shared_address(&bar))
        : "memory");
}

int main(int argc, char** argv) {
  if (argc > 1) {
    if (std::strcmp(argv[1], "lacks") == 0)
      lacks<<<1, 32>>>();
    else
      asks<<<1, 32>>>();
    EXPECT(cudaDeviceSynchronize() == cudaErrorLaunchTimeout);
    std::printf("PASS\n");
    return 0;
  }
  const int ctas = 12;
  std::vector<int> in(ctas * rounds * tile);
  for (std::size_t i = 0; i < in.size(); ++i) in[i] = static_cast<int>(i * 7 % 1009);
  int *from, *to;
  CUDA(cudaMalloc(&from, in.size() * sizeof(int)));
  CUDA(cudaMalloc(&to, ctas * 64 * sizeof(int)));
  CUDA(cudaMemcpy(from, in.data(), in.size() * sizeof(int), cudaMemcpyHostToDevice));
  ring<<<ctas, 128>>>(from, to);
  std::vector<int> out(ctas * 64);
  CUDA(cudaMemcpy(out.data(), to, out.size() * sizeof(int), cudaMemcpyDeviceToHost));
  for (int c = 0; c < ctas; ++c)
    for (int t = 0; t < 64; ++t) {
      int sum = 0;
      for (int r = 0; r < rounds; ++r)
        for (int i = 0; i < 4; ++i) sum += in[(c * rounds + r) * tile + t + 64 * i];
      EXPECT(out[c * 64 + t] == sum);
    }
  tokens<<<1, 128>>>(to);
  CUDA(cudaMemcpy(out.data(), to, 128 * sizeof(int), cudaMemcpyDeviceToHost));
  for (int t = 0; t < 128; ++t) EXPECT(out[t] == 5 * ((t + 37) % 128) + 10);
  lanes<<<1, 32>>>(to);
  CUDA(cudaMemcpy(out.data(), to, 32 * sizeof(int), cudaMemcpyDeviceToHost));
  for (int t = 0; t < 32; ++t) EXPECT(out[t] == (t & 1 ? 1 : 2));
  std::printf("PASS\n");
}
