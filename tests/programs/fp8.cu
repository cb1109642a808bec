// 8-bit floating point: every code to half and back, rounding against the two neighbours, host and device
// alike.

#include <cuda_fp8.h>
#include <cuda_runtime.h>

#include <cmath>
#include <vector>

#include "check.h"

namespace {

// By the definition: sign, exponent, fraction.
double value_of(unsigned code, int fraction_bits, int bias) {
  const unsigned size = code & 0x7f, exponent = size >> fraction_bits,
                 fraction = size & ((1u << fraction_bits) - 1);
  const double one = 1 << fraction_bits;
  const double v = exponent == 0 ? std::ldexp(fraction / one, 1 - bias)
                                 : std::ldexp(1 + fraction / one, static_cast<int>(exponent) - bias);
  return code & 0x80 ? -v : v;
}

template <class Number>
struct Format;
template <>
struct Format<__nv_fp8_e4m3> {
  static constexpr int fraction_bits = 3, bias = 7;
  static constexpr unsigned largest = 0x7e;
  static constexpr __nv_fp8_interpretation_t kind = __NV_E4M3;
};
template <>
struct Format<__nv_fp8_e5m2> {
  static constexpr int fraction_bits = 2, bias = 15;
  static constexpr unsigned largest = 0x7b;
  static constexpr __nv_fp8_interpretation_t kind = __NV_E5M2;
};

template <class Number>
__global__ void convert(const float* in, unsigned char* out, float* back, int n) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= n) return;
  const Number v(in[i]);
  out[i] = v.__x;
  back[i] = float(v);
}

template <class Number>
void check() {
  using F = Format<Number>;
  std::vector<float> inputs;
  const auto value = [](unsigned code) { return value_of(code, F::fraction_bits, F::bias); };
  for (unsigned code = 0; code <= F::largest; ++code) {
    Number v;
    v.__x = static_cast<unsigned char>(code);
    EXPECT(float(v) == static_cast<float>(value(code)));
    EXPECT(Number(float(v)).__x == code && Number(double(v)).__x == code && Number(__half(v)).__x == code);
    EXPECT(Number(-float(v)).__x == (code | 0x80));
    inputs.push_back(float(v));
    if (code == F::largest) break;
    // A tie goes to the even code, what is off it by an ulp to the nearer one.
    const float middle = static_cast<float>((value(code) + value(code + 1)) / 2);
    EXPECT(Number(middle).__x == (code % 2 == 0 ? code : code + 1));
    EXPECT(Number(std::nextafter(middle, 0.0f)).__x == code);
    EXPECT(Number(std::nextafter(middle, 1e9f)).__x == code + 1);
    EXPECT(Number(std::nextafter(static_cast<double>(middle), 1e9)).__x == code + 1);
    for (const float x : {middle, std::nextafter(middle, 0.0f), std::nextafter(middle, 1e9f)})
      inputs.push_back(-x);
  }
  const float infinity = INFINITY;
  EXPECT(Number(infinity).__x == F::largest && Number(-1e30f).__x == (F::largest | 0x80));
  EXPECT(std::isnan(float(Number(NAN))));
  const unsigned beyond = F::kind == __NV_E4M3 ? 0x7f : 0x7c;
  EXPECT(__nv_cvt_float_to_fp8(infinity, __NV_NOSAT, F::kind) == beyond);
  EXPECT(__nv_cvt_float_to_fp8(1e30f, __NV_NOSAT, F::kind) == beyond);
  EXPECT(Number(1e-30f).__x == 0 && Number(-1e-320).__x == 0x80);
  for (const float x : {infinity, -infinity, 1e30f, 1e-30f, -0.0f, 3.14159f}) inputs.push_back(x);

  const int n = static_cast<int>(inputs.size());
  float *in = nullptr, *back = nullptr;
  unsigned char* out = nullptr;
  CUDA(cudaMallocManaged(&in, n * sizeof(float)));
  CUDA(cudaMallocManaged(&back, n * sizeof(float)));
  CUDA(cudaMallocManaged(&out, n));
  for (int i = 0; i < n; ++i) in[i] = inputs[i];
  convert<Number><<<(n + 127) / 128, 128>>>(in, out, back, n);
  CUDA(cudaDeviceSynchronize());
  for (int i = 0; i < n; ++i) {
    EXPECT(out[i] == Number(inputs[i]).__x);
    EXPECT(back[i] == float(Number(inputs[i])));
  }
}

}  // namespace

int main() {
  check<__nv_fp8_e4m3>();
  check<__nv_fp8_e5m2>();
  const float4 four = float4(__nv_fp8x4_e4m3(make_float4(1.0f, -2.0f, 500.0f, 0.3f)));
  EXPECT(four.x == 1.0f && four.y == -2.0f && four.z == 448.0f && four.w == 0.3125f);
  const __half2 two = __half2(__nv_fp8x2_e5m2(make_float2(3.0f, 1e9f)));
  EXPECT(float(two.x) == 3.0f && float(two.y) == 57344.0f);
  static_assert(sizeof(__nv_fp8_e4m3) == 1 && sizeof(__nv_fp8x2_e4m3) == 2 && sizeof(__nv_fp8x4_e5m2) == 4);
  std::puts("PASS");
}
