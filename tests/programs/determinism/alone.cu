// CTAs that do not see each other: what differs between runs may only be how the host shares them out.
#include "cases.h"

namespace {

__global__ void axpy(float a, const float* x, float* y, int n) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) y[i] = a * x[i] + y[i];
}

void run_axpy() {
  const int n = 100000;
  Buffer<float> x(n, scramble), y(n);
  for (int i = 0; i < 3; ++i) axpy<<<(n + 255) / 256, 256>>>(1.5f, x, y, n);
  print_sum(y);
}

__global__ void multiply(const float* a, const float* b, float* c, int n) {
  __shared__ float as[16][16], bs[16][17];
  const int x = threadIdx.x, y = threadIdx.y, row = blockIdx.y * 16 + y, column = blockIdx.x * 16 + x;
  float sum = 0;
  for (int k = 0; k < n; k += 16) {
    as[y][x] = a[row * n + k + x];
    bs[y][x] = b[(k + y) * n + column];
    __syncthreads();
    for (int i = 0; i < 16; ++i) sum += as[y][i] * bs[i][x];
    __syncthreads();
  }
  c[row * n + column] = sum;
}

void run_multiply() {
  const int n = 128;
  Buffer<float> a(n * n, [](std::size_t i) { return i % 7; }), b(n * n, [](std::size_t i) { return i % 5; }),
      c(n * n);
  multiply<<<dim3(n / 16, n / 16), dim3(16, 16)>>>(a, b, c, n);
  print_sum(c);
}

__global__ void transpose(const int* in, int* out, int n) {
  __shared__ int tile[32][33];
  for (int y = threadIdx.y; y < 32; y += 8)
    tile[y][threadIdx.x] = in[(blockIdx.y * 32 + y) * n + blockIdx.x * 32 + threadIdx.x];
  __syncthreads();
  for (int y = threadIdx.y; y < 32; y += 8)
    out[(blockIdx.x * 32 + y) * n + blockIdx.y * 32 + threadIdx.x] = tile[threadIdx.x][y];
}

void run_transpose() {
  const int n = 512;
  Buffer<int> in(n * n, scramble), out(n * n);
  transpose<<<dim3(n / 32, n / 32), dim3(32, 8)>>>(in, out, n);
  print_sum(out);
}

__global__ void gather(const int* index, const float* from, float* to, int n) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) to[i] = from[index[i]] + from[index[(i * 3) % n]];
}

void run_gather() {
  const int n = 1 << 17;
  Buffer<int> index(n, [](std::size_t i) { return scramble(i) % (1 << 17); });
  Buffer<float> from(n, scramble), to(n);
  gather<<<n / 128, 128>>>(index, from, to, n);
  print_sum(to);
}

__global__ void scatter(const int* index, int* to, int n) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) to[index[i]] = i;
}

void run_scatter() {
  const int n = 1 << 16;
  Buffer<int> index(n, [](std::size_t i) { return i * 4099 % (1 << 16); }), to(n);
  scatter<<<n / 128, 128>>>(index, to, n);
  print_sum(to);
}

__global__ void histogram(const unsigned* in, unsigned* bins, int n) {
  __shared__ unsigned own[64];
  if (threadIdx.x < 64) own[threadIdx.x] = 0;
  __syncthreads();
  for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < n; i += gridDim.x * blockDim.x)
    atomicAdd(&own[in[i] % 64], 1u);
  __syncthreads();
  if (threadIdx.x < 64) atomicAdd(&bins[threadIdx.x], own[threadIdx.x]);
}

__global__ void histogram_direct(const unsigned* in, unsigned* bins, int n) {
  for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < n; i += gridDim.x * blockDim.x)
    atomicAdd(&bins[in[i] % 64], 1u);
}

template <class K>
void run_histogram(K kernel) {
  const int n = 50000;
  Buffer<unsigned> in(n, scramble), bins(64);
  kernel<<<50, 128>>>(in, bins, n);
  print_sum(bins);
}

/// Places within the CTA: atomics on shared memory whose results are used.
__global__ void local_ranks(const unsigned* in, unsigned* out) {
  __shared__ unsigned count, kept[256];
  if (threadIdx.x == 0) count = 0;
  __syncthreads();
  const unsigned value = in[blockIdx.x * 256 + threadIdx.x];
  if (value % 3 == 0) kept[atomicAdd(&count, 1u)] = value;
  __syncthreads();
  out[blockIdx.x * 256 + threadIdx.x] = threadIdx.x < count ? kept[threadIdx.x] : 0;
}

void run_local_ranks() {
  Buffer<unsigned> in(40 * 256, scramble), out(40 * 256);
  local_ranks<<<40, 256>>>(in, out);
  print_sum(out);
}

/// One warp of the CTA waits for another in shared memory.
__global__ void hand_over(int* out) {
  __shared__ volatile int ready;
  __shared__ volatile int value;
  if (threadIdx.x == 0) ready = 0;
  __syncthreads();
  if (threadIdx.x == 32) {
    int x = blockIdx.x;
    for (int i = 0; i < 50 + static_cast<int>(blockIdx.x); ++i) x = x * 5 + 3;
    value = x;
    __threadfence_block();
    ready = 1;
  } else if (threadIdx.x == 0) {
    while (ready == 0) {
    }
    out[blockIdx.x] = value;
  }
}

void run_hand_over() {
  Buffer<int> out(60);
  hand_over<<<60, 64>>>(out);
  print_sum(out);
}

__global__ void clocks(const unsigned* next, long long* cycles, unsigned* sink) {
  unsigned at = blockIdx.x * 64;
  const long long begin = clock64();
  for (int i = 0; i < 40; ++i) at = next[at];
  cycles[blockIdx.x] = clock64() - begin;
  sink[blockIdx.x] = at;
}

void run_clocks() {
  const int n = 1 << 15;
  Buffer<unsigned> next(n, [](std::size_t i) { return (i * 1237 + 71) % (1 << 15); }), sink(60);
  Buffer<long long> cycles(60);
  clocks<<<60, 32>>>(next, cycles, sink);
  print_sum(cycles);
}

__global__ void naps(unsigned long long* times) {
  for (unsigned i = 0; i < blockIdx.x % 5; ++i) __nanosleep(200 + 50 * threadIdx.x / 32);
  if (threadIdx.x % 32 == 0) times[blockIdx.x * 4 + threadIdx.x / 32] = __globaltimer();
}

void run_naps() {
  Buffer<unsigned long long> times(40 * 4);
  naps<<<40, 128>>>(times);
  std::vector<unsigned long long> host = times.host();
  for (const auto t : host) EXPECT(t > 0);
}

__global__ void paths(const unsigned* in, unsigned* out) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  unsigned x = in[i];
  int steps = 0;
  for (x = x % 1000 + 1; x != 1 && steps < 400; ++steps) x = x % 2 ? 3 * x + 1 : x / 2;
  out[i] = static_cast<unsigned>(steps);
}

void run_paths() {
  Buffer<unsigned> in(100 * 128, scramble), out(100 * 128);
  paths<<<100, 128>>>(in, out);
  print_sum(out);
}

__global__ void stencil(const float* in, float* out, int n) {
  const int x = blockIdx.x * 32 + threadIdx.x, y = blockIdx.y * 8 + threadIdx.y;
  if (x == 0 || y == 0 || x == n - 1 || y == n - 1) return;
  out[y * n + x] = 0.2f * (in[y * n + x] + in[y * n + x - 1] + in[y * n + x + 1] + in[(y - 1) * n + x] +
                           in[(y + 1) * n + x]);
}

void run_stencil() {
  const int n = 256;
  Buffer<float> a(n * n, [](std::size_t i) { return i % 11; }), b(n * n);
  for (int i = 0; i < 4; ++i) stencil<<<dim3(n / 32, n / 8), dim3(32, 8)>>>(i % 2 ? b : a, i % 2 ? a : b, n);
  print_sum(a);
}

__global__ void frames(const int* in, int* out) {
  int local[48];
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  for (int k = 0; k < 48; ++k) local[k] = in[(i + k * 5) % 4096];
  int sum = 0;
  for (int k = 0; k < 60; ++k) sum += local[(in[i % 4096] + k * 7 + i) & 31] + local[32 + (k + sum) % 16];
  out[i] = sum;
}

void run_frames() {
  Buffer<int> in(4096, [](std::size_t i) { return scramble(i) >> 4 & 0xffff; }), out(60 * 128);
  frames<<<60, 128>>>(in, out);
  print_sum(out);
}

__global__ void say(int n) {
  if (threadIdx.x == 0) printf("CTA %d of %d\n", static_cast<int>(blockIdx.x), n);
}

void run_say() {
  say<<<6, 64>>>(6);
}

/// Two grids of different shape on one chip, copies between them.
void run_streams() {
  const int n = 60000;
  Buffer<float> x(n, scramble), y(n), z(n);
  cudaStream_t one, two;
  CUDA(cudaStreamCreate(&one));
  CUDA(cudaStreamCreate(&two));
  for (int i = 0; i < 3; ++i) {
    axpy<<<(n + 63) / 64, 64, 0, one>>>(0.5f, x, y, n);
    axpy<<<(n + 511) / 512, 512, 20 << 10, two>>>(0.25f, x, z, n);
    CUDA(cudaMemcpyAsync(x, y, 1000 * sizeof(float), cudaMemcpyDeviceToDevice, one));
    CUDA(cudaMemsetAsync(y, 0, 500 * sizeof(float), one));
  }
  CUDA(cudaDeviceSynchronize());
  CUDA(cudaStreamDestroy(one));
  CUDA(cudaStreamDestroy(two));
  print_sum(y);
}

void run_many_launches() {
  Buffer<float> x(3000, scramble), y(3000);
  for (int i = 0; i < 30; ++i) axpy<<<24, 128>>>(0.5f, x, y, 100 * i);
  print_sum(y);
}

/// CTAs that end at irregular times, many more than fit: refilling must not depend on who is heard first.
__global__ void uneven(const unsigned* in, unsigned* out) {
  unsigned x = in[blockIdx.x];
  const unsigned rounds = x % 97;
  for (unsigned r = 0; r < rounds; ++r) x = x * 1664525u + in[(x + r) % 4096];
  out[blockIdx.x * blockDim.x + threadIdx.x] = x + threadIdx.x;
}

void run_uneven() {
  Buffer<unsigned> in(8192, scramble), out(8192 * 32);
  uneven<<<8192, 32>>>(in, out);
  print_sum(out);
}

__global__ void doubles(const double* in, double* out, int n) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) out[i] = sqrt(in[i]) / (1 + in[(i + 1) % n]) + exp(-in[i]);
}

void run_doubles() {
  const int n = 4096;
  Buffer<double> in(n, [](std::size_t i) { return scramble(i) % 1000; }), out(n);
  doubles<<<n / 64, 64>>>(in, out, n);
  print_sum(out);
}

}  // namespace

int main(int count, char** arguments) {
  return run_case(count, arguments,
                  {{"axpy", run_axpy},
                   {"multiply", run_multiply},
                   {"transpose", run_transpose},
                   {"gather", run_gather},
                   {"scatter", run_scatter},
                   {"histogram", [] { run_histogram(histogram); }},
                   {"histogram_direct", [] { run_histogram(histogram_direct); }},
                   {"local_ranks", run_local_ranks},
                   {"hand_over", run_hand_over},
                   {"clocks", run_clocks},
                   {"naps", run_naps},
                   {"paths", run_paths},
                   {"stencil", run_stencil},
                   {"frames", run_frames},
                   {"say", run_say},
                   {"streams", run_streams},
                   {"many_launches", run_many_launches},
                   {"uneven", run_uneven},
                   {"doubles", run_doubles}});
}
