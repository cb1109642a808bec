#pragma once
// PTX's approximate functions: double arithmetic without fused operations, one rounding at the end.
// The same bits on every host, whatever its vector width, and well inside the bounds of PTX ISA
// ch. 9.7.3 (the results are within 0.51 ulp of f32; the manual allows 2 ulp and more). Subnormal
// inputs are taken as they are and results rounded into the subnormals; `.ftz` is the caller's.

#include <cstdint>

extern "C" {

// in[32] -> out[32], all lanes. Compiled code calls these.
#define WR_APPROX(name) \
  __attribute__((visibility("default"))) void wr_##name##_f32(const float* in, float* out);
WR_APPROX(ex2)
WR_APPROX(lg2)
WR_APPROX(sin)
WR_APPROX(cos)
WR_APPROX(tanh)
WR_APPROX(rsqrt)
#undef WR_APPROX
/// Rounded to odd, for f16 and bf16: narrowing them rounds once.
__attribute__((visibility("default"))) void wr_ex2_odd_f32(const float* in, float* out);
__attribute__((visibility("default"))) void wr_tanh_odd_f32(const float* in, float* out);
}

namespace wanren::interp {

// The same functions of one value, before the final rounding; ex2.f16 and the like round these once.
double approximate_ex2(double x);
double approximate_lg2(double x);
double approximate_sin(double x);
double approximate_cos(double x);
double approximate_tanh(double x);
double approximate_rsqrt(double x);

}  // namespace wanren::interp
