// A two-layer perceptron learns to tell two spirals apart: forward, backward and update are kernels. Trains
// by gradient descent with momentum until the test accuracy passes 95 %, then classifies the test set.
// -epochs N: stops after N, for timing; the gradient is checked all the same.
#include "common.h"

constexpr int hidden = 64, features = 6;

// Points of two interleaved spirals with their polar coordinates as further inputs.
struct Data {
  std::vector<float> x;  // n x features
  std::vector<int> label;
};

static Data spirals(int n, unsigned seed) {
  Data d;
  std::mt19937 engine(seed);
  const auto uniform = [&] { return (float)(engine() >> 8) * (1.0f / 16777216.0f); };
  for (int i = 0; i < n; ++i) {
    const int label = i & 1;
    const float t = 0.25f + 1.25f * std::sqrt(uniform()), angle = 3.0f * t + 3.14159265f * label;
    const float px = t * std::cos(angle) + 0.06f * (uniform() - 0.5f),
                py = t * std::sin(angle) + 0.06f * (uniform() - 0.5f);
    const float r = std::sqrt(px * px + py * py);
    const float f[features] = {px, py, r, px * py, std::sin(3.0f * r), std::cos(3.0f * r)};
    d.x.insert(d.x.end(), f, f + features);
    d.label.push_back(label);
  }
  return d;
}

// Weights: w1[hidden][features], b1[hidden], w2[hidden], b2.
constexpr int at_b1 = hidden * features, at_w2 = at_b1 + hidden, at_b2 = at_w2 + hidden, weights = at_b2 + 1;

// One thread a point: hidden activations (hidden x n, so that threads write side by side) and the probability
// of class 1.
__global__ void forward(int n, const float* x, const float* w, float* h, float* p) {
  __shared__ float ws[weights];
  for (int i = threadIdx.x; i < weights; i += blockDim.x) ws[i] = w[i];
  __syncthreads();
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= n) return;
  float in[features];
#pragma unroll
  for (int f = 0; f < features; ++f) in[f] = x[i * features + f];
  float z = ws[at_b2];
  for (int j = 0; j < hidden; ++j) {
    float s = ws[at_b1 + j];
#pragma unroll
    for (int f = 0; f < features; ++f) s += ws[j * features + f] * in[f];
    const float a = tanhf(s);
    if (h) h[j * n + i] = a;
    z += ws[at_w2 + j] * a;
  }
  p[i] = 1.0f / (1.0f + expf(-z));
}

// Sum over the threads of a block; the result is in thread 0.
__device__ float block_sum(float v, float* scratch) {
  for (int step = 16; step > 0; step /= 2) v += __shfl_down_sync(0xffffffffu, v, step);
  __syncthreads();
  if (threadIdx.x % 32 == 0) scratch[threadIdx.x / 32] = v;
  __syncthreads();
  float s = 0;
  if (threadIdx.x == 0)
    for (unsigned k = 0; k < blockDim.x / 32; ++k) s += scratch[k];
  return s;
}

// One block a hidden unit: the mean gradient of the cross entropy in its weights. Block `hidden` does b2.
__global__ void backward(int n, const float* x, const int* label, const float* w, const float* h,
                         const float* p, float* gradient) {
  __shared__ float scratch[32];
  const int j = blockIdx.x;
  float g[features] = {}, gb1 = 0, gw2 = 0, gb2 = 0;
  for (int i = threadIdx.x; i < n; i += blockDim.x) {
    const float dz = p[i] - (float)label[i];
    gb2 += dz;
    if (j == hidden) continue;
    const float a = h[j * n + i];
    gw2 += dz * a;
    const float ds = dz * w[at_w2 + j] * (1.0f - a * a);
    gb1 += ds;
#pragma unroll
    for (int f = 0; f < features; ++f) g[f] += ds * x[i * features + f];
  }
  const float scale = 1.0f / n;
  if (j == hidden) {
    const float s = block_sum(gb2, scratch);
    if (threadIdx.x == 0) gradient[at_b2] = s * scale;
    return;
  }
#pragma unroll
  for (int f = 0; f < features; ++f) {
    const float s = block_sum(g[f], scratch);
    if (threadIdx.x == 0) gradient[j * features + f] = s * scale;
  }
  const float s1 = block_sum(gb1, scratch), s2 = block_sum(gw2, scratch);
  if (threadIdx.x == 0) gradient[at_b1 + j] = s1 * scale, gradient[at_w2 + j] = s2 * scale;
}

__global__ void update(float* w, float* velocity, const float* gradient, float rate) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= weights) return;
  velocity[i] = 0.9f * velocity[i] - rate * gradient[i];
  w[i] += velocity[i];
}

static double accuracy(const std::vector<float>& p, const std::vector<int>& label) {
  int right = 0;
  for (size_t i = 0; i < p.size(); ++i) right += (p[i] > 0.5f) == (label[i] == 1);
  return 100.0 * right / p.size();
}

int main(int argc, char** argv) {
  const bool large = has_flag(argc, argv, "--large");
  const int n = large ? 65536 : 2048, tests = large ? 16384 : 1024;
  const int asked = (int)option(argc, argv, "-epochs", 0), limit = asked > 0 ? asked : 600, look = 20;
  const Data train = spirals(n, 10), test = spirals(tests, 11);
  std::vector<float> w0 = random_floats(weights, 12, -0.6f, 0.6f);
  Device<float> x(train.x), tx(test.x), w(w0), velocity(std::vector<float>(weights, 0.0f)), gradient(weights);
  Device<float> h((size_t)hidden * n), p(n), tp(tests);
  Device<int> label(train.label);

  // The device's first gradient against differences of the loss in double on the host.
  forward<<<(n + 127) / 128, 128>>>(n, x, w, h, p);
  backward<<<hidden + 1, 128>>>(n, x, label, w, h, p, gradient);
  const std::vector<float> g = gradient.download();
  const auto loss = [&](const std::vector<double>& v) {
    double total = 0;
    for (int i = 0; i < n; ++i) {
      double z = v[at_b2];
      for (int j = 0; j < hidden; ++j) {
        double s = v[at_b1 + j];
        for (int f = 0; f < features; ++f) s += v[j * features + f] * train.x[(size_t)i * features + f];
        z += v[at_w2 + j] * std::tanh(s);
      }
      total += std::log1p(std::exp(train.label[i] ? -z : z));
    }
    return total / n;
  };
  bool correct = true;
  for (const int k : {0, 37, at_b1 + 5, at_w2 + 9, at_b2}) {
    std::vector<double> up(w0.begin(), w0.end()), down = up;
    up[k] += 1e-4, down[k] -= 1e-4;
    const double expected = (loss(up) - loss(down)) / 2e-4;
    if (std::fabs(expected - g[k]) > 1e-4 + 1e-3 * std::fabs(expected)) {
      std::fprintf(stderr, "gradient of weight %d: %g, differences say %g\n", k, g[k], expected);
      correct = false;
    }
  }

  int epoch = 0;
  double reached = 0, train_ms = 0;
  while (epoch < limit && reached <= 95.0) {
    train_ms += device_ms([&] {
      for (int k = 0; k < look && epoch < limit; ++k, ++epoch) {
        forward<<<(n + 127) / 128, 128>>>(n, x, w, h, p);
        backward<<<hidden + 1, 128>>>(n, x, label, w, h, p, gradient);
        update<<<(weights + 127) / 128, 128>>>(w, velocity, gradient, 0.5f);
      }
    });
    forward<<<(tests + 127) / 128, 128>>>(tests, tx, w, nullptr, tp);
    reached = accuracy(tp.download(), test.label);
    std::printf("epoch %4d: %.1f %% of the test set\n", epoch, reached);
  }
  const float ms = device_ms([&] { forward<<<(tests + 127) / 128, 128>>>(tests, tx, w, nullptr, tp); });
  reached = accuracy(tp.download(), test.label);
  std::printf(
      "mlp: %d points, %d epochs in %.3f ms (%.4f ms each); inference of %d points %.4f ms, %.1f M points/s, "
      "%.1f %%\n",
      n, epoch, train_ms, train_ms / epoch, tests, ms, tests / ms * 1e-3, reached);
  return finish(correct && (asked > 0 || reached > 95.0));
}
