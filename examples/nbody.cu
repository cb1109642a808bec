// Gravity among n bodies, all pairs, positions in shared-memory tiles; accelerations against the host's in
// double.
#include "common.h"

constexpr float softening = 1e-2f;

__global__ void accelerate(int n, const float4* body, float3* acceleration) {
  __shared__ float4 tile[256];
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  const float4 me = body[i < n ? i : 0];
  float ax = 0, ay = 0, az = 0;
  for (int t = 0; t < n; t += 256) {
    tile[threadIdx.x] = t + threadIdx.x < n ? body[t + threadIdx.x] : make_float4(0, 0, 0, 0);
    __syncthreads();
#pragma unroll 8
    for (int j = 0; j < 256; ++j) {
      const float dx = tile[j].x - me.x, dy = tile[j].y - me.y, dz = tile[j].z - me.z;
      const float r = rsqrtf(dx * dx + dy * dy + dz * dz + softening);
      const float f = tile[j].w * r * r * r;
      ax += f * dx, ay += f * dy, az += f * dz;
    }
    __syncthreads();
  }
  if (i < n) acceleration[i] = make_float3(ax, ay, az);
}

int main(int argc, char** argv) {
  const int n = (int)option(argc, argv, "-n", has_flag(argc, argv, "--large") ? 65536 : 2048);
  const std::vector<float> random = random_floats((size_t)n * 4, 8);
  std::vector<float4> body(n);
  for (int i = 0; i < n; ++i)
    body[i] =
        make_float4(random[4 * i], random[4 * i + 1], random[4 * i + 2], 1.0f + 0.5f * random[4 * i + 3]);
  Device<float4> dbody(body);
  Device<float3> dacceleration(n);
  const float ms = device_ms([&] { accelerate<<<(n + 255) / 256, 256>>>(n, dbody, dacceleration); });
  const std::vector<float3> got = dacceleration.download();
  double worst = 0;
  for (int s = 0; s < 32; ++s) {
    const int i = (int)((long long)s * 7919 % n);
    double ax = 0, ay = 0, az = 0, size = 0;
    for (int j = 0; j < n; ++j) {
      const double dx = (double)body[j].x - body[i].x, dy = (double)body[j].y - body[i].y,
                   dz = (double)body[j].z - body[i].z;
      const double r2 = dx * dx + dy * dy + dz * dz + softening, f = body[j].w / (r2 * std::sqrt(r2));
      ax += f * dx, ay += f * dy, az += f * dz, size += f * std::sqrt(dx * dx + dy * dy + dz * dz);
    }
    worst = std::fmax(
        worst, (std::fabs(ax - got[i].x) + std::fabs(ay - got[i].y) + std::fabs(az - got[i].z)) / size);
  }
  // 20 operations an interaction, as is the custom.
  std::printf("nbody: n = %d, %.4f ms, %.1f GFLOP/s (20 a pair), largest relative error %.2g\n", n, ms,
              20.0 * n * n / ms * 1e-6, worst);
  return finish(worst < 1e-5);
}
