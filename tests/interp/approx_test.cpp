// The approximate functions against the C library in long double.

#include "interp/approx.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <random>

#include "interp/formats.h"

namespace wanren::interp {
namespace {

using Rows = void (*)(const float*, float*);

/// Largest error in ulp of the f32 result over random bit patterns in [low, high].
double worst_ulp(Rows function, long double (*exact)(long double), float low, float high) {
  std::mt19937 random(1);
  std::uniform_real_distribution<float> uniform(low, high);
  double worst = 0;
  for (int round = 0; round < 4000; ++round) {
    float in[32], out[32];
    for (float& x : in) x = uniform(random);
    function(in, out);
    for (int i = 0; i < 32; ++i) {
      const long double want = exact(static_cast<long double>(in[i]));
      const float nearest = static_cast<float>(want);
      if (std::isinf(nearest)) continue;
      const float step =
          std::nextafter(std::fabs(nearest), std::numeric_limits<float>::infinity()) - std::fabs(nearest);
      worst = std::max(worst, static_cast<double>(std::fabs(static_cast<long double>(out[i]) - want) / step));
    }
  }
  return worst;
}

long double exact_ex2(long double x) {
  return std::exp2(x);
}
long double exact_lg2(long double x) {
  return std::log2(x);
}
long double exact_sin(long double x) {
  return std::sin(x);
}
long double exact_cos(long double x) {
  return std::cos(x);
}
long double exact_tanh(long double x) {
  return std::tanh(x);
}
long double exact_rsqrt(long double x) {
  return 1 / std::sqrt(x);
}

// Double arithmetic and one rounding: half an ulp and a little. PTX allows 2 ulp and more.
TEST(Approximations, AreWithinALittleOverHalfAnUlp) {
  EXPECT_LT(worst_ulp(wr_ex2_f32, exact_ex2, -140, 128), 0.501);
  EXPECT_LT(worst_ulp(wr_lg2_f32, exact_lg2, 1e-30f, 4), 0.501);
  EXPECT_LT(worst_ulp(wr_lg2_f32, exact_lg2, 0.999f, 1.001f), 0.501);
  EXPECT_LT(worst_ulp(wr_sin_f32, exact_sin, -300, 300), 0.501);
  EXPECT_LT(worst_ulp(wr_cos_f32, exact_cos, -300, 300), 0.501);
  EXPECT_LT(worst_ulp(wr_tanh_f32, exact_tanh, -10, 10), 0.501);
  EXPECT_LT(worst_ulp(wr_tanh_f32, exact_tanh, -2e-3f, 2e-3f), 0.501);
  EXPECT_LT(worst_ulp(wr_rsqrt_f32, exact_rsqrt, 1e-38f, 1e6f), 0.501);
}

// The vector clones of this host against the scalar functions: any bit pattern, the same bits.
TEST(Approximations, OfWholeWarpsAreTheBitsOfSingleLanes) {
  std::mt19937 random(2);
  const struct {
    Rows rows;
    double (*scalar)(double);
  } functions[] = {{wr_ex2_f32, approximate_ex2},   {wr_lg2_f32, approximate_lg2},
                   {wr_sin_f32, approximate_sin},   {wr_cos_f32, approximate_cos},
                   {wr_tanh_f32, approximate_tanh}, {wr_rsqrt_f32, approximate_rsqrt}};
  for (const auto& f : functions) {
    for (int round = 0; round < 3000; ++round) {
      float in[32], out[32];
      for (float& x : in) x = std::bit_cast<float>(static_cast<std::uint32_t>(random()));
      f.rows(in, out);
      for (int i = 0; i < 32; ++i)
        ASSERT_EQ(bits_of(out[i]), from_double(f.scalar(in[i]), f32_format)) << in[i];
    }
  }
}

TEST(Approximations, OfHugeAnglesStayInRange) {
  float in[32], out[32];
  for (int i = 0; i < 32; ++i) in[i] = std::ldexp(1.7f, 60 + 2 * i);
  wr_sin_f32(in, out);
  for (const float x : out) EXPECT_LE(std::fabs(x), 1.0f);
}

}  // namespace
}  // namespace wanren::interp
