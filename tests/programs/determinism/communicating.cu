// CTAs that see each other's work while they run: tickets, flags, locks, queues.
#include "cases.h"

namespace {

// --- the last CTA does the rest ---

__device__ unsigned ticket;

__global__ void last_block(const float* in, float* partial, float* out, int n) {
  __shared__ float sums[128];
  __shared__ bool last;
  const int t = threadIdx.x;
  float sum = 0;
  // Work differs from CTA to CTA, so that the order in which they end is no accident of the launch.
  const int rounds = 1 + (blockIdx.x * 7 + 3) % 11;
  for (int r = 0; r < rounds; ++r)
    for (int i = blockIdx.x * 128 + t; i < n; i += gridDim.x * 128) sum += in[(i + r * 37) % n];
  sums[t] = sum;
  for (int step = 64; step > 0; step /= 2) {
    __syncthreads();
    if (t < step) sums[t] += sums[t + step];
  }
  if (t == 0) {
    partial[blockIdx.x] = sums[0];
    __threadfence();
    last = atomicInc(&ticket, gridDim.x - 1) == gridDim.x - 1;
  }
  __syncthreads();
  if (!last) return;
  sum = 0;
  for (int r = 0; r < 40; ++r)
    for (int i = t; i < gridDim.x; i += 128) sum += partial[i] * (r + 1);
  sums[t] = sum;
  for (int step = 64; step > 0; step /= 2) {
    __syncthreads();
    if (t < step) sums[t] += sums[t + step];
  }
  if (t == 0) out[0] = sums[0], out[1] = static_cast<float>(blockIdx.x);
}

void run_last_block(int ctas) {
  const int n = 20000;
  Buffer<float> in(n, [](std::size_t i) { return i % 13; }), partial(ctas), out(2);
  for (int i = 0; i < 3; ++i) last_block<<<ctas, 128>>>(in, partial, out, n);
  print_sum(out);
}

// --- tiles ask those before them ---

__device__ volatile unsigned long long tile_state[256];

__global__ void look_back(const int* in, int* out) {
  __shared__ int sums[64];
  __shared__ int before;
  const int t = threadIdx.x, tile = blockIdx.x;
  sums[t] = in[tile * 64 + t];
  for (int step = 1; step < 64; step *= 2) {
    __syncthreads();
    const int other = t >= step ? sums[t - step] : 0;
    __syncthreads();
    sums[t] += other;
  }
  __syncthreads();
  if (t == 0) {
    const auto own = static_cast<unsigned long long>(sums[63]);
    tile_state[tile] = own << 32 | (tile == 0 ? 2 : 1);
    unsigned long long prefix = 0;
    for (int look = tile - 1; look >= 0;) {
      const unsigned long long state = tile_state[look];
      if ((state & 3) == 0) continue;
      prefix += state >> 32;
      if ((state & 3) == 2) break;
      --look;
    }
    if (tile != 0) tile_state[tile] = (own + prefix) << 32 | 2;
    before = static_cast<int>(prefix);
  }
  __syncthreads();
  out[tile * 64 + t] = sums[t] + before;
}

void run_look_back() {
  const int n = 150 * 64;
  Buffer<int> in(n, [](std::size_t i) { return i % 7; }), out(n);
  look_back<<<150, 64>>>(in, out);
  const std::vector<int> host = out.host();
  for (int i = 0, sum = 0; i < n; ++i) EXPECT(host[i] == (sum += i % 7));
  print_sum(out);
}

// --- one CTA fixes up what its neighbours left (stream-K) ---

__global__ void fix_up(const float* in, float* partial, int* flag, float* out, int length) {
  const int t = threadIdx.x, b = blockIdx.x, group = b / 3, role = b % 3;
  float sum = 0;
  for (int i = 0; i < length + role * 5; ++i) sum += in[(b * 64 + t + i * 17) % 4096];
  if (role != 0) {
    partial[b * 64 + t] = sum;
    __threadfence();
    __syncthreads();
    if (t == 0) atomicExch(&flag[b], 1);
    return;
  }
  for (int peer = b + 1; peer < b + 3; ++peer) {
    if (t == 0)
      while (atomicAdd(&flag[peer], 0) == 0) {
      }
    __syncthreads();
    sum += partial[peer * 64 + t];
  }
  out[group * 64 + t] = sum;
}

void run_fix_up() {
  Buffer<float> in(4096, scramble), partial(90 * 64), out(30 * 64);
  Buffer<int> flag(90);
  fix_up<<<90, 64>>>(in, partial, flag, out, 40);
  print_sum(out);
}

// --- locks ---

__device__ int lock_word;
__device__ volatile int guarded;

__global__ void lane_lock(int* order) {
  bool done = false;
  while (!done) {
    if (atomicCAS(&lock_word, 0, 1) == 0) {
      order[guarded] = blockIdx.x * blockDim.x + threadIdx.x;
      guarded = guarded + 1;
      __threadfence();
      atomicExch(&lock_word, 0);
      done = true;
    }
  }
}

void run_lane_lock(int ctas, int threads) {
  Buffer<int> order(static_cast<std::size_t>(ctas) * threads);
  lane_lock<<<ctas, threads>>>(order);
  std::vector<bool> seen(order.size);
  for (const int who : order.host()) {
    EXPECT(!seen[who]);
    seen[who] = true;
  }
  print_sum(order);
}

__global__ void cta_lock(int* order) {
  if (threadIdx.x == 0) {
    while (atomicCAS(&lock_word, 0, 1) != 0) __nanosleep(100);
    __threadfence();
    order[guarded] = blockIdx.x;
    guarded = guarded + 1;
    __threadfence();
    atomicExch(&lock_word, 0);
  }
}

void run_cta_lock() {
  Buffer<int> order(60);
  cta_lock<<<60, 64>>>(order);
  print_sum(order);
}

__device__ unsigned next_ticket;
__device__ volatile unsigned serving;

__global__ void ticket_lock(int* order) {
  if (threadIdx.x == 0) {
    const unsigned mine = atomicAdd(&next_ticket, 1u);
    while (serving != mine) {
    }
    order[mine] = blockIdx.x;
    __threadfence();
    serving = mine + 1;
  }
}

void run_ticket_lock() {
  Buffer<int> order(50);
  ticket_lock<<<50, 32>>>(order);
  print_sum(order);
}

__global__ void semaphore(int* room, int* most, int* inside) {
  if (threadIdx.x == 0) {
    for (;;) {
      const int left = *static_cast<volatile int*>(room);
      if (left > 0 && atomicCAS(room, left, left - 1) == left) break;
    }
    atomicMax(most, atomicAdd(inside, 1) + 1);
    __nanosleep(300);
    atomicSub(inside, 1);
    atomicAdd(room, 1);
  }
}

void run_semaphore() {
  Buffer<int> room(1, [](std::size_t) { return 5; }), most(1), inside(1);
  semaphore<<<40, 32>>>(room, most, inside);
  EXPECT(most.host()[0] <= 5);
  print_sum(most);
}

// --- barriers of the whole grid ---

__device__ unsigned arrived;

__device__ void grid_barrier(unsigned round) {
  __syncthreads();
  if (threadIdx.x == 0) {
    __threadfence();
    atomicAdd(&arrived, 1u);
    while (*static_cast<volatile unsigned*>(&arrived) < gridDim.x * round) {
    }
  }
  __syncthreads();
}

__global__ void rounds(int* a, int* b) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x, n = gridDim.x * blockDim.x;
  for (unsigned r = 1; r <= 5; ++r) {
    const volatile int* from = r % 2 ? a : b;
    (r % 2 ? b : a)[i] = from[(i + 64 * r) % n] + 1;
    grid_barrier(r);
  }
}

void run_grid_barrier() {
  Buffer<int> a(32 * 64, scramble), b(32 * 64);
  rounds<<<32, 64>>>(a, b);
  print_sum(b);
}

void run_cooperative() {
  Buffer<int> a(48 * 96, scramble), b(48 * 96);
  void* arguments[] = {&a.data, &b.data};
  CUDA(cudaLaunchCooperativeKernel(reinterpret_cast<const void*>(&rounds), dim3(48), dim3(96), arguments, 0,
                                   nullptr));
  print_sum(b);
}

// --- places handed out by atomics ---

__global__ void compact(const unsigned* in, unsigned* out, unsigned* count, int n) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n && in[i] % 3 == 0) out[atomicAdd(count, 1u)] = in[i];
}

__global__ void compact_by_warp(const unsigned* in, unsigned* out, unsigned* count, int n) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  const bool keep = i < n && in[i] % 5 < 2;
  const unsigned all = __ballot_sync(~0u, keep), lane = threadIdx.x % 32;
  unsigned base = 0;
  if (lane == 0 && all != 0) base = atomicAdd(count, static_cast<unsigned>(__popc(all)));
  base = __shfl_sync(~0u, base, 0);
  if (keep) out[base + __popc(all & ((1u << lane) - 1))] = in[i];
}

template <class K>
void run_compact(K kernel) {
  const int n = 8192;
  Buffer<unsigned> in(n, scramble), out(n), count(1);
  kernel<<<n / 128, 128>>>(in, out, count, n);
  print_sum(out);
}

__global__ void ranks(const unsigned* in, unsigned* bins, unsigned* rank, int n) {
  for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < n; i += gridDim.x * blockDim.x)
    rank[i] = atomicAdd(&bins[in[i] % 61], 1u);
}

void run_ranks() {
  const int n = 6000;
  Buffer<unsigned> in(n, scramble), bins(61), rank(n);
  ranks<<<20, 128>>>(in, bins, rank, n);
  print_sum(rank);
}

__global__ void insert(const unsigned* keys, unsigned* table, unsigned* probes, int n) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= n) return;
  const unsigned key = keys[i] | 1;
  unsigned at = key * 2654435761u >> 20, steps = 0;
  for (;; ++steps, at = (at + 1) & 4095) {
    const unsigned was = atomicCAS(&table[at], 0u, key);
    if (was == 0 || was == key) break;
  }
  probes[i] = steps;
}

void run_insert() {
  const int n = 3000;
  Buffer<unsigned> keys(n, scramble), table(4096), probes(n);
  insert<<<24, 128>>>(keys, table, probes, n);
  print_sum(table);
  print_sum(probes);
}

__global__ void push(int* head, int* next, int n) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) next[i] = atomicExch(head, i);
}

void run_push() {
  const int n = 2048;
  Buffer<int> head(1), next(n);
  push<<<16, 128>>>(head, next, n);
  print_sum(next);
}

__global__ void work_queue(const unsigned* costs, unsigned* next, unsigned* who, unsigned items) {
  __shared__ unsigned item;
  for (;;) {
    if (threadIdx.x == 0) item = atomicAdd(next, 1u);
    __syncthreads();
    if (item >= items) return;
    unsigned x = threadIdx.x;
    for (unsigned i = 0; i < costs[item] % 200; ++i) x = x * 1664525u + 1013904223u;
    if (threadIdx.x == 0) who[item] = blockIdx.x << 8 | (x & 255);
    __syncthreads();
  }
}

void run_work_queue() {
  Buffer<unsigned> costs(500, scramble), next(1), who(500);
  work_queue<<<24, 64>>>(costs, next, who, 500);
  print_sum(who);
}

__global__ void frontier(const int* from, int n_from, int* to, int* n_to, int* level, int depth, int nodes) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= n_from) return;
  const int node = from[i];
  for (int e = 1; e <= 5; ++e) {
    const int other = (node * 5 + e * e * 31) % nodes;
    if (atomicCAS(&level[other], -1, depth) == -1) to[atomicAdd(n_to, 1)] = other;
  }
}

void run_frontier() {
  const int nodes = 4000;
  Buffer<int> level(nodes, [](std::size_t i) { return i == 0 ? 0 : -1; }), a(nodes), b(nodes), count(1);
  int here = 1;
  int *from = a, *to = b;
  for (int depth = 1; here > 0 && depth < 30; ++depth) {
    CUDA(cudaMemset(count, 0, sizeof(int)));
    frontier<<<(here + 63) / 64, 64>>>(from, here, to, count, level, depth, nodes);
    CUDA(cudaMemcpy(&here, count, sizeof here, cudaMemcpyDeviceToHost));
    std::swap(from, to);
  }
  print_sum(level);
  print_sum(a);
}

__global__ void unite(int* parent, int edges, int nodes) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= edges) return;
  int a = (i * 37) % nodes, b = (i * 101 + 17) % nodes;
  volatile int* seen = parent;
  for (;;) {
    while (seen[a] != a) a = seen[a];
    while (seen[b] != b) b = seen[b];
    if (a == b) return;
    if (a < b) {
      const int t = a;
      a = b;
      b = t;
    }
    if (atomicCAS(&parent[a], a, b) == a) return;
  }
}

void run_unite() {
  const int nodes = 1500;
  Buffer<int> parent(nodes, [](std::size_t i) { return i; });
  unite<<<12, 128>>>(parent, 1500, nodes);
  print_sum(parent);
}

__global__ void float_max(const float* in, unsigned* best, int* tries, int n) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= n) return;
  unsigned seen = *static_cast<volatile unsigned*>(best);
  int count = 0;
  while (__uint_as_float(seen) < in[i]) {
    const unsigned was = atomicCAS(best, seen, __float_as_uint(in[i]));
    ++count;
    if (was == seen) break;
    seen = was;
  }
  tries[i] = count;
}

void run_float_max() {
  const int n = 2048;
  Buffer<float> in(n, [](std::size_t i) { return scramble(i) % 100000; });
  Buffer<unsigned> best(1);
  Buffer<int> tries(n);
  float_max<<<16, 128>>>(in, best, tries, n);
  print_sum(best);
  print_sum(tries);
}

__global__ void pass_on(volatile int* slots, int* sums) {
  // A chain: each CTA waits for the one before it, so CTAs must be resident in order.
  if (threadIdx.x == 0 && blockIdx.x > 0)
    while (slots[blockIdx.x - 1] == 0) {
    }
  __syncthreads();
  sums[blockIdx.x * blockDim.x + threadIdx.x] =
      blockIdx.x == 0 ? 1 : sums[(blockIdx.x - 1) * blockDim.x + threadIdx.x] + 1;
  __threadfence();
  __syncthreads();
  if (threadIdx.x == 0) slots[blockIdx.x] = 1;
}

void run_pass_on() {
  Buffer<int> slots(40), sums(40 * 64);
  pass_on<<<40, 64>>>(slots, sums);
  EXPECT(sums.host().back() == 40);
  print_sum(sums);
}

__global__ void strong_loads(int* cells, int* out) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  int sum = 0;
  for (int r = 0; r < 6; ++r) {
    int seen;
    asm volatile("ld.relaxed.gpu.global.u32 %0, [%1];" : "=r"(seen) : "l"(cells + (i * 7 + r) % 512));
    sum = sum * 3 + seen;
    asm volatile("st.release.gpu.global.u32 [%0], %1;" ::"l"(cells + (i + r * 11) % 512), "r"(sum & 15));
  }
  out[i] = sum;
}

void run_strong_loads() {
  Buffer<int> cells(512), out(16 * 64);
  strong_loads<<<16, 64>>>(cells, out);
  print_sum(out);
}

__global__ void heap(int* out) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  const int bytes = 16 << (blockIdx.x + threadIdx.x) % 4;
  int* block = static_cast<int*>(malloc(bytes));
  block[0] = i;
  block[bytes / 4 - 1] = i * 3;
  out[i] = block[0] + block[bytes / 4 - 1];
  if (i % 3 != 0) free(block);
}

void run_heap() {
  Buffer<int> out(16 * 64);
  heap<<<16, 64>>>(out);
  print_sum(out);
}

__global__ void wide(unsigned long long* cells, unsigned long long* old) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  old[i] = atomicMax(&cells[i % 17], static_cast<unsigned long long>(i) << 33 | 5) ^
           atomicXor(&cells[17 + i % 5], 1ull << i % 64);
}

void run_wide() {
  Buffer<unsigned long long> cells(32), old(20 * 64);
  wide<<<20, 64>>>(cells, old);
  print_sum(old);
}

}  // namespace

int main(int count, char** arguments) {
  return run_case(count, arguments,
                  {{"last_block", [] { run_last_block(64); }},
                   {"last_block_waves", [] { run_last_block(700); }},
                   {"look_back", run_look_back},
                   {"fix_up", run_fix_up},
                   {"lane_lock", [] { run_lane_lock(4, 64); }},
                   {"warp_lock", [] { run_lane_lock(1, 32); }},
                   {"cta_lock", run_cta_lock},
                   {"ticket_lock", run_ticket_lock},
                   {"semaphore", run_semaphore},
                   {"grid_barrier", run_grid_barrier},
                   {"cooperative", run_cooperative},
                   {"compact", [] { run_compact(compact); }},
                   {"compact_by_warp", [] { run_compact(compact_by_warp); }},
                   {"ranks", run_ranks},
                   {"insert", run_insert},
                   {"push", run_push},
                   {"work_queue", run_work_queue},
                   {"frontier", run_frontier},
                   {"unite", run_unite},
                   {"float_max", run_float_max},
                   {"pass_on", run_pass_on},
                   {"strong_loads", run_strong_loads},
                   {"heap", run_heap},
                   {"wide", run_wide}});
}
