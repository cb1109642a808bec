// Device functions that are called: recursion, virtual functions, tables of functions, structures by value,
// local arrays by pointer, barriers and exits inside callees.
#include <cuda_runtime.h>

#include "check.h"

#define NOINLINE __device__ __noinline__
// What the compiler cannot see through: no recursion becomes a loop.
#define OPAQUE(x) asm volatile("" : "+r"(x))

NOINLINE unsigned fibonacci(unsigned n) {
  return n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2);
}
NOINLINE unsigned ackermann(unsigned m, unsigned n) {
  if (m == 0) return n + 1;
  if (n == 0) return ackermann(m - 1, 1);
  return ackermann(m - 1, ackermann(m, n - 1));
}
NOINLINE bool is_odd(unsigned n);
NOINLINE bool is_even(unsigned n) {
  return n == 0 ? true : is_odd(n - 1);
}
NOINLINE bool is_odd(unsigned n) {
  return n == 0 ? false : is_even(n - 1);
}
NOINLINE void quicksort(int* a, int low, int high) {
  if (low >= high) return;
  int pivot = a[(low + high) / 2], i = low, j = high;
  while (i <= j) {
    while (a[i] < pivot) ++i;
    while (a[j] > pivot) --j;
    if (i <= j) {
      int t = a[i];
      a[i++] = a[j];
      a[j--] = t;
    }
  }
  quicksort(a, low, j);
  quicksort(a, i, high);
}

struct Shape {
  __device__ virtual float area() const = 0;
  __device__ virtual int corners() const { return 0; }
  __device__ virtual ~Shape() {}
};
struct Square : Shape {
  float side;
  __device__ explicit Square(float s) : side(s) {}
  __device__ float area() const override { return side * side; }
  __device__ int corners() const override { return 4; }
};
struct Circle : Shape {
  float radius;
  __device__ explicit Circle(float r) : radius(r) {}
  __device__ float area() const override { return 3.0f * radius * radius; }
};
struct Pair {
  double x;
  int n[3];
};
NOINLINE Pair swap_in(Pair p, int by) {
  if (by > 0) {
    Pair q = swap_in(p, by - 1);
    q.x += 1;
    q.n[by % 3] += by;
    return q;
  }
  return p;
}

__global__ void recursion(unsigned* out) {
  unsigned t = blockIdx.x * blockDim.x + threadIdx.x;
  out[3 * t] = fibonacci(t % 11);
  out[3 * t + 1] = ackermann(t % 3, t % 4);
  out[3 * t + 2] = is_even(t % 19);
}
__global__ void sorting(int* out) {
  int t = threadIdx.x, a[24];
  for (int i = 0; i < 24; ++i) a[i] = (i * 7919 + t * 31) % 101;
  quicksort(a, 0, 23);
  for (int i = 0; i < 24; ++i) out[24 * t + i] = a[i];
}
__global__ void make_shapes(Shape** shapes, int n) {
  int t = blockIdx.x * blockDim.x + threadIdx.x;
  if (t < n) shapes[t] = t % 3 ? static_cast<Shape*>(new Circle(t)) : new Square(t);
}
__global__ void measure(Shape** shapes, float* out, int n) {
  int t = blockIdx.x * blockDim.x + threadIdx.x;
  if (t < n) out[t] = shapes[t]->area() + shapes[t]->corners();
}
__global__ void drop_shapes(Shape** shapes, int n) {
  int t = blockIdx.x * blockDim.x + threadIdx.x;
  if (t < n) delete shapes[t];
}
__global__ void structures(double* out) {
  Pair p{0.5, {1, 2, 3}};
  p = swap_in(p, threadIdx.x % 7);
  out[threadIdx.x] = p.x + 100 * p.n[0] + 10000 * p.n[1] + 1000000 * p.n[2];
}

__device__ int twice(int x) {
  return 2 * x;
}
__device__ int thrice(int x) {
  return 3 * x;
}
__device__ int negate(int x) {
  return -x;
}
__device__ int (*table[3])(int) = {twice, thrice, negate};
__global__ void tables(int* out) {
  out[threadIdx.x] = table[threadIdx.x % 3](threadIdx.x + 1);
}

// Every warp meets in the callee; the deepest call of each thread sees what all stored.
NOINLINE int sum_all(int* shared, int depth) {
  shared[threadIdx.x] = threadIdx.x + depth;
  __syncthreads();
  int sum = 0;
  for (unsigned i = 0; i < blockDim.x; ++i) sum += shared[i];
  __syncthreads();
  int below = depth == 0 ? 0 : sum_all(shared, depth - 1);
  OPAQUE(below);
  return sum + below;
}
__global__ void meeting(int* out) {
  __shared__ int shared[96];
  out[threadIdx.x] = sum_all(shared, 3);
}
NOINLINE int leave_at(int depth) {
  if (depth == 5) asm volatile("exit;");
  int below = depth == 0 ? 0 : leave_at(depth - 1);
  OPAQUE(below);
  return 1 + below;
}
__global__ void leaving(int* out) {
  out[threadIdx.x] = leave_at(threadIdx.x % 8);
}

static unsigned host_fibonacci(unsigned n) {
  return n < 2 ? n : host_fibonacci(n - 1) + host_fibonacci(n - 2);
}
static unsigned host_ackermann(unsigned m, unsigned n) {
  return m == 0 ? n + 1 : n == 0 ? host_ackermann(m - 1, 1) : host_ackermann(m - 1, host_ackermann(m, n - 1));
}

int main() {
  {
    unsigned* out = nullptr;
    CUDA(cudaMallocManaged(&out, 200 * 3 * sizeof *out));
    recursion<<<2, 100>>>(out);
    CUDA(cudaDeviceSynchronize());
    for (unsigned t = 0; t < 200; ++t) {
      EXPECT(out[3 * t] == host_fibonacci(t % 11));
      EXPECT(out[3 * t + 1] == host_ackermann(t % 3, t % 4));
      EXPECT(out[3 * t + 2] == (t % 19 % 2 == 0));
    }
  }
  {
    int* out = nullptr;
    CUDA(cudaMallocManaged(&out, 40 * 24 * sizeof *out));
    sorting<<<1, 40>>>(out);
    CUDA(cudaDeviceSynchronize());
    for (int t = 0; t < 40; ++t)
      for (int i = 1; i < 24; ++i) EXPECT(out[24 * t + i - 1] <= out[24 * t + i]);
  }
  {
    const int n = 100;
    Shape** shapes = nullptr;
    float* out = nullptr;
    CUDA(cudaMalloc(&shapes, n * sizeof *shapes));
    CUDA(cudaMallocManaged(&out, n * sizeof *out));
    make_shapes<<<4, 32>>>(shapes, n);
    measure<<<4, 32>>>(shapes, out, n);
    drop_shapes<<<4, 32>>>(shapes, n);
    CUDA(cudaDeviceSynchronize());
    for (int t = 0; t < n; ++t) EXPECT(out[t] == (t % 3 ? 3.0f * t * t : 1.0f * t * t + 4));
  }
  {
    double* out = nullptr;
    CUDA(cudaMallocManaged(&out, 32 * sizeof *out));
    structures<<<1, 32>>>(out);
    CUDA(cudaDeviceSynchronize());
    for (int t = 0; t < 32; ++t) {
      int n[3] = {1, 2, 3};
      for (int by = 1; by <= t % 7; ++by) n[by % 3] += by;
      EXPECT(out[t] == 0.5 + t % 7 + 100 * n[0] + 10000 * n[1] + 1000000 * n[2]);
    }
  }
  {
    int* out = nullptr;
    CUDA(cudaMallocManaged(&out, 96 * sizeof *out));
    tables<<<1, 50>>>(out);
    CUDA(cudaDeviceSynchronize());
    for (int t = 0; t < 50; ++t) EXPECT(out[t] == (t % 3 == 0 ? 2 : t % 3 == 1 ? 3 : -1) * (t + 1));
    meeting<<<1, 96>>>(out);
    CUDA(cudaDeviceSynchronize());
    for (int t = 0; t < 96; ++t) EXPECT(out[t] == 4 * (95 * 96 / 2) + 96 * 6);
    for (int t = 0; t < 64; ++t) out[t] = -7;
    leaving<<<1, 64>>>(out);
    CUDA(cudaDeviceSynchronize());
    for (int t = 0; t < 64; ++t) EXPECT(out[t] == (t % 8 < 5 ? t % 8 + 1 : -7));
  }
  std::printf("PASS\n");
}
