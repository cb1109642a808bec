// Functional speed on one core: each kernel against the same algorithm in plain C++ (compiled -O3
// -march=native), both timed in this run, best of several. Prints one JSON object.
//   wanren cc -O3 -Xcompiler -march=native bench/functional.cu -o functional
//   WANREN_TIMING=off WANREN_THREADS=1 ./functional
#include <cuda_runtime.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <random>
#include <string>
#include <vector>

#define CUDA(call)                                                         \
  do {                                                                     \
    const cudaError_t status = (call);                                     \
    if (status != cudaSuccess) {                                           \
      std::fprintf(stderr, "%s: %s\n", #call, cudaGetErrorString(status)); \
      std::exit(1);                                                        \
    }                                                                      \
  } while (0)

namespace {

// Kernels.

__global__ void saxpy(int n, float a, const float* x, float* y) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) y[i] = a * x[i] + y[i];
}

__global__ void sgemm_naive(int n, const float* a, const float* b, float* c) {
  const int row = blockIdx.y * blockDim.y + threadIdx.y, col = blockIdx.x * blockDim.x + threadIdx.x;
  float sum = 0;
  for (int k = 0; k < n; ++k) sum += a[row * n + k] * b[k * n + col];
  c[row * n + col] = sum;
}

__global__ void sgemm_tiled(int n, const float* a, const float* b, float* c) {
  __shared__ float as[16][16], bs[16][16];
  const int tx = threadIdx.x, ty = threadIdx.y;
  const int row = blockIdx.y * 16 + ty, col = blockIdx.x * 16 + tx;
  float sum = 0;
  for (int t = 0; t < n; t += 16) {
    as[ty][tx] = a[row * n + t + tx];
    bs[ty][tx] = b[(t + ty) * n + col];
    __syncthreads();
    for (int k = 0; k < 16; ++k) sum += as[ty][k] * bs[k][tx];
    __syncthreads();
  }
  c[row * n + col] = sum;
}

__global__ void sgemm_blocked(int n, const float* a, const float* b, float* c) {
  // 64x64 tile per CTA of 16x16 threads, 4x4 results per thread.
  __shared__ float as[16][64], bs[16][64];
  const int tx = threadIdx.x, ty = threadIdx.y, t = ty * 16 + tx;
  const int row0 = blockIdx.y * 64, col0 = blockIdx.x * 64;
  float sum[4][4] = {};
  for (int k0 = 0; k0 < n; k0 += 16) {
    for (int i = 0; i < 4; ++i) {
      const int e = t + 256 * i;
      as[e % 16][e / 16] = a[(row0 + e / 16) * n + k0 + e % 16];
      bs[e / 64][e % 64] = b[(k0 + e / 64) * n + col0 + e % 64];
    }
    __syncthreads();
    for (int k = 0; k < 16; ++k) {
      float av[4], bv[4];
      for (int i = 0; i < 4; ++i) av[i] = as[k][ty * 4 + i];
      for (int j = 0; j < 4; ++j) bv[j] = bs[k][tx + 16 * j];
      for (int i = 0; i < 4; ++i)
        for (int j = 0; j < 4; ++j) sum[i][j] += av[i] * bv[j];
    }
    __syncthreads();
  }
  for (int i = 0; i < 4; ++i)
    for (int j = 0; j < 4; ++j) c[(row0 + ty * 4 + i) * n + col0 + tx + 16 * j] = sum[i][j];
}

__host__ __device__ inline int escape(float cr, float ci, int limit) {
  float zr = 0, zi = 0;
  int i = 0;
  while (i < limit && zr * zr + zi * zi < 4.f) {
    const float next = zr * zr - zi * zi + cr;
    zi = 2 * zr * zi + ci;
    zr = next;
    ++i;
  }
  return i;
}

__global__ void mandelbrot(int width, int height, int limit, int* out) {
  const int x = blockIdx.x * blockDim.x + threadIdx.x, y = blockIdx.y * blockDim.y + threadIdx.y;
  if (x >= width || y >= height) return;
  out[y * width + x] = escape(-2.f + 3.f * x / width, -1.5f + 3.f * y / height, limit);
}

__global__ void spmv(int rows, const int* start, const int* column, const float* value, const float* x,
                     float* y) {
  const int row = blockIdx.x * blockDim.x + threadIdx.x;
  if (row >= rows) return;
  float sum = 0;
  for (int i = start[row]; i < start[row + 1]; ++i) sum += value[i] * x[column[i]];
  y[row] = sum;
}

__global__ void reduce(int n, const float* in, float* out) {
  __shared__ float partial[8];
  float sum = 0;
  for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < n; i += gridDim.x * blockDim.x) sum += in[i];
  for (int step = 16; step > 0; step /= 2) sum += __shfl_down_sync(0xffffffff, sum, step);
  if (threadIdx.x % 32 == 0) partial[threadIdx.x / 32] = sum;
  __syncthreads();
  if (threadIdx.x == 0) {
    for (int i = 1; i < 8; ++i) sum += partial[i];
    atomicAdd(out, sum);
  }
}

__global__ void histogram(int n, const unsigned char* in, unsigned* out) {
  __shared__ unsigned bins[256];
  bins[threadIdx.x] = 0;
  __syncthreads();
  for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < n; i += gridDim.x * blockDim.x)
    atomicAdd(&bins[in[i]], 1u);
  __syncthreads();
  atomicAdd(&out[threadIdx.x], bins[threadIdx.x]);
}

// The same in plain C++.

void host_saxpy(int n, float a, const float* x, float* y) {
  for (int i = 0; i < n; ++i) y[i] = a * x[i] + y[i];
}

void host_sgemm(int n, const float* a, const float* b, float* c) {
  std::fill(c, c + n * n, 0.f);
  for (int i = 0; i < n; ++i)
    for (int k = 0; k < n; ++k)
      for (int j = 0; j < n; ++j) c[i * n + j] += a[i * n + k] * b[k * n + j];
}

void host_mandelbrot(int width, int height, int limit, int* out) {
  for (int y = 0; y < height; ++y)
    for (int x = 0; x < width; ++x)
      out[y * width + x] = escape(-2.f + 3.f * x / width, -1.5f + 3.f * y / height, limit);
}

void host_spmv(int rows, const int* start, const int* column, const float* value, const float* x, float* y) {
  for (int row = 0; row < rows; ++row) {
    float sum = 0;
    for (int i = start[row]; i < start[row + 1]; ++i) sum += value[i] * x[column[i]];
    y[row] = sum;
  }
}

double best_seconds(int repeats, const std::function<void()>& work) {
  double best = 1e30;
  for (int i = 0; i < repeats; ++i) {
    const auto begin = std::chrono::steady_clock::now();
    work();
    best = std::min(best, std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count());
  }
  return best;
}

template <class T>
T* to_device(const std::vector<T>& host) {
  T* device = nullptr;
  CUDA(cudaMalloc(&device, host.size() * sizeof(T)));
  CUDA(cudaMemcpy(device, host.data(), host.size() * sizeof(T), cudaMemcpyHostToDevice));
  return device;
}

bool first = true;
bool all_right = true;

void report(const char* name, double plain_s, double device_s, double target, bool right) {
  std::printf(
      "%s\n  \"%s\": {\"plain_s\": %.6g, \"wanren_s\": %.6g, \"ratio\": %.3f, \"target\": %.2f, \"right\": "
      "%s}",
      first ? "" : ",", name, plain_s, device_s, plain_s / device_s, target, right ? "true" : "false");
  first = false;
  all_right = all_right && right;
}

template <class T>
bool close(const std::vector<T>& expected, const T* device, double tolerance) {
  std::vector<T> got(expected.size());
  CUDA(cudaMemcpy(got.data(), device, got.size() * sizeof(T), cudaMemcpyDeviceToHost));
  for (std::size_t i = 0; i < got.size(); ++i)
    if (std::abs(static_cast<double>(got[i]) - static_cast<double>(expected[i])) >
        tolerance * (1 + std::abs(static_cast<double>(expected[i]))))
      return false;
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  const int repeats = argc > 1 ? std::atoi(argv[1]) : 5;
  std::mt19937 random(1);
  std::uniform_real_distribution<float> uniform(-1, 1);
  auto wait = [] { CUDA(cudaDeviceSynchronize()); };
  std::printf("{");

  {
    const int n = 16 << 20;
    std::vector<float> x(n), y(n, 1.f);
    for (float& v : x) v = uniform(random);
    float *dx = to_device(x), *dy = to_device(y);
    auto device = [&] {
      saxpy<<<n / 256, 256>>>(n, 0.5f, dx, dy);
      wait();
    };
    auto host = [&] { host_saxpy(n, 0.5f, x.data(), y.data()); };
    const double plain = best_seconds(repeats, host), wanren = best_seconds(repeats, device);
    report("saxpy_dram", plain, wanren, 0.8, close(y, dy, 1e-5));
    cudaFree(dx), cudaFree(dy);
  }
  {
    const int n = 512;
    std::vector<float> a(n * n), b(n * n), c(n * n);
    for (float& v : a) v = uniform(random);
    for (float& v : b) v = uniform(random);
    float *da = to_device(a), *db = to_device(b), *dc = to_device(c);
    const double plain = best_seconds(repeats, [&] { host_sgemm(n, a.data(), b.data(), c.data()); });
    const dim3 block(16, 16), grid(n / 16, n / 16);
    double wanren = best_seconds(repeats, [&] {
      sgemm_naive<<<grid, block>>>(n, da, db, dc);
      wait();
    });
    report("sgemm_naive", plain, wanren, 0.9, close(c, dc, 1e-3));
    wanren = best_seconds(repeats, [&] {
      sgemm_tiled<<<grid, block>>>(n, da, db, dc);
      wait();
    });
    report("sgemm_tiled", plain, wanren, 0.9, close(c, dc, 1e-3));
    wanren = best_seconds(repeats, [&] {
      sgemm_blocked<<<dim3(n / 64, n / 64), block>>>(n, da, db, dc);
      wait();
    });
    report("sgemm_blocked", plain, wanren, 0, close(c, dc, 1e-3));
    cudaFree(da), cudaFree(db), cudaFree(dc);
  }
  {
    const int width = 512, height = 512, limit = 256;
    std::vector<int> out(width * height);
    int* d = to_device(out);
    const double plain = best_seconds(repeats, [&] { host_mandelbrot(width, height, limit, out.data()); });
    const double wanren = best_seconds(repeats, [&] {
      mandelbrot<<<dim3(width / 32, height / 8), dim3(32, 8)>>>(width, height, limit, d);
      wait();
    });
    // Contraction to FMA may differ at the boundary of the set: compare the sums of the images.
    std::vector<int> got(out.size());
    CUDA(cudaMemcpy(got.data(), d, got.size() * 4, cudaMemcpyDeviceToHost));
    long long sum = 0, expected = 0;
    for (std::size_t i = 0; i < got.size(); ++i) sum += got[i], expected += out[i];
    report("mandelbrot", plain, wanren, 8, std::abs(sum - expected) < expected / 100);
    cudaFree(d);
  }
  {
    const int rows = 1 << 17;
    std::vector<int> start(rows + 1), column;
    std::vector<float> value, x(rows), y(rows);
    for (float& v : x) v = uniform(random);
    for (int row = 0; row < rows; ++row) {
      const int length = 4 + static_cast<int>(random() % 13);
      for (int i = 0; i < length; ++i) {
        column.push_back(static_cast<int>(random() % rows));
        value.push_back(uniform(random));
      }
      start[row + 1] = static_cast<int>(column.size());
    }
    int *ds = to_device(start), *dcol = to_device(column);
    float *dv = to_device(value), *dx = to_device(x), *dy = to_device(y);
    const double plain = best_seconds(
        repeats, [&] { host_spmv(rows, start.data(), column.data(), value.data(), x.data(), y.data()); });
    const double wanren = best_seconds(repeats, [&] {
      spmv<<<rows / 256, 256>>>(rows, ds, dcol, dv, dx, dy);
      wait();
    });
    report("spmv", plain, wanren, 0.8, close(y, dy, 1e-4));
  }
  {
    const int n = 4 << 20;
    std::vector<float> in(n);
    for (float& v : in) v = uniform(random);
    std::vector<float> zero(1);
    float *din = to_device(in), *dout = to_device(zero);
    volatile float sink = 0;
    const double plain = best_seconds(repeats, [&] {
      float sum = 0;
      for (int i = 0; i < n; ++i) sum += in[i];
      sink = sum;
    });
    const double wanren = best_seconds(repeats, [&] {
      reduce<<<128, 256>>>(n, din, dout);
      wait();
    });
    CUDA(cudaMemset(dout, 0, 4));
    reduce<<<128, 256>>>(n, din, dout);
    std::vector<float> exact(1);
    double sum = 0;
    for (float v : in) sum += v;
    exact[0] = static_cast<float>(sum);
    report("reduction", plain, wanren, 0, close(exact, dout, 1e-2));
  }
  {
    const int n = 4 << 20;
    std::vector<unsigned char> in(n);
    for (auto& v : in) v = static_cast<unsigned char>(random());
    std::vector<unsigned> out(256), zero(256);
    unsigned char* din = to_device(in);
    unsigned* dout = to_device(zero);
    const double plain = best_seconds(repeats, [&] {
      std::fill(out.begin(), out.end(), 0u);
      for (int i = 0; i < n; ++i) ++out[in[i]];
    });
    const double wanren = best_seconds(repeats, [&] {
      CUDA(cudaMemset(dout, 0, 1024));
      histogram<<<128, 256>>>(n, din, dout);
      wait();
    });
    report("histogram", plain, wanren, 0, close(out, dout, 0));
  }
  std::printf("\n}\n");
  return all_right ? 0 : 1;
}
