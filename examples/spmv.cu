// y = A x with A in CSR form: one warp a row, rows of uneven length.
#include <algorithm>

#include "common.h"

__global__ void spmv(int rows, const int* start, const int* column, const float* value, const float* x,
                     float* y) {
  const int row = (blockIdx.x * blockDim.x + threadIdx.x) / 32, lane = threadIdx.x % 32;
  if (row >= rows) return;
  float sum = 0;
  for (int i = start[row] + lane; i < start[row + 1]; i += 32) sum += value[i] * __ldg(&x[column[i]]);
  for (int step = 16; step > 0; step /= 2) sum += __shfl_xor_sync(0xffffffffu, sum, step);
  if (lane == 0) y[row] = sum;
}

int main(int argc, char** argv) {
  const int rows = (int)option(argc, argv, "-n", has_flag(argc, argv, "--large") ? 1 << 20 : 1 << 14);
  std::mt19937 engine(5);
  std::vector<int> start(1, 0), column;
  for (int r = 0; r < rows; ++r) {
    // Lengths with a long tail, as in graphs.
    const int length = std::min(rows, 4 + (int)(32.0 / (1 + engine() % 32)) * (int)(engine() % 8));
    for (int k = 0; k < length; ++k) column.push_back((int)(engine() % (unsigned)rows));
    start.push_back((int)column.size());
  }
  const std::vector<float> value = random_floats(column.size(), 6), x = random_floats(rows, 7);
  Device<int> dstart(start), dcolumn(column);
  Device<float> dvalue(value), dx(x), dy(rows);
  const float ms = device_ms([&] { spmv<<<(rows + 7) / 8, 256>>>(rows, dstart, dcolumn, dvalue, dx, dy); });
  const std::vector<float> y = dy.download();
  bool correct = true;
  for (int r = 0; r < rows && correct; ++r) {
    double sum = 0, size = 0;
    for (int i = start[r]; i < start[r + 1]; ++i) {
      const double p = (double)value[i] * x[column[i]];
      sum += p, size += std::fabs(p);
    }
    correct = std::fabs(sum - y[r]) <= 1e-6 * (size + 1e-30) * (1 + (start[r + 1] - start[r]) / 32.0);
  }
  const double nonzeros = (double)column.size();
  std::printf("spmv: %d rows, %.0f nonzeros, %.4f ms, %.2f GFLOP/s, %.1f GB/s\n", rows, nonzeros, ms,
              2 * nonzeros / ms * 1e-6, (8 * nonzeros + 12.0 * rows) / ms * 1e-6);
  return finish(correct);
}
