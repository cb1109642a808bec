// Math overloads without suffix, called with float (CUDA Math API; [cmath.syn] asks for them too).
#include <cuda_runtime.h>

#include <cmath>

#include "check.h"

__global__ void evaluate(float x, float* out, long long* whole) {
  int quotient = 0;
  out[0] = erf(x), out[1] = erff(x);
  out[2] = std::erfc(x), out[3] = erfcf(x);
  out[4] = cbrt(x), out[5] = cbrtf(x);
  out[6] = std::log2(x), out[7] = log2f(x);
  out[8] = tgamma(x), out[9] = tgammaf(x);
  out[10] = fma(x, x, x), out[11] = fmaf(x, x, x);
  out[12] = std::fmax(x, 2.f), out[13] = fmaxf(x, 2.f);
  out[14] = hypot(x, 3.f), out[15] = hypotf(x, 3.f);
  out[16] = remquo(x, 0.5f, &quotient), out[17] = remquof(x, 0.5f, &quotient);
  out[18] = scalbn(x, 3), out[19] = x * 8;
  out[20] = std::round(x), out[21] = roundf(x);
  out[22] = isnan(nanf("")) && isnan(nan("1")), out[23] = 1;
  whole[0] = lround(x), whole[1] = lroundf(x);
  whole[2] = std::llrint(x), whole[3] = llrintf(x);
  whole[4] = ilogb(x), whole[5] = ilogbf(x);
}

int main() {
  float* out = nullptr;
  long long* whole = nullptr;
  CUDA(cudaMallocManaged(&out, 24 * sizeof *out));
  CUDA(cudaMallocManaged(&whole, 6 * sizeof *whole));
  evaluate<<<1, 1>>>(1.75f, out, whole);
  CUDA(cudaDeviceSynchronize());
  for (int i = 0; i < 24; i += 2) EXPECT(out[i] == out[i + 1]);
  for (int i = 0; i < 6; i += 2) EXPECT(whole[i] == whole[i + 1]);
  EXPECT(out[20] == 2 && whole[0] == 2 && whole[4] == 0);
  std::printf("PASS\n");
}
