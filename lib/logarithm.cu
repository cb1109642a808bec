// Logarithms and powers in single precision: the exponent, and a series for the rest of the number.
// Coefficients are minimax fits of this project's own; tests/programs/math_ulp.cu holds CUDA's bounds.
#include "device.h"

// x = 2^e (1 + f), 1 + f in [sqrt 1/2, sqrt 2), for positive finite x.
INLINE float split(float x, float& e) {
  const bool subnormal = x < 0x1p-126f;
  const float scaled = subnormal ? x * 0x1p23f : x;
  const u32 power = (bits(scaled) - 0x3f3504f3u) & 0xff800000u;
  e = __builtin_fmaf((float)(int)power, 0x1p-23f, subnormal ? -23.0f : 0.0f);
  return from_bits(bits(scaled) - power) - 1.0f;
}

// log(1 + f) - f, of relative error 2^-28 in log(1 + f).
INLINE float beyond_linear(float f) {
  float p = __builtin_fmaf(-0.0762183740735054f, f, 0.1290448009967804f);
  p = __builtin_fmaf(p, f, -0.13242985308170319f);
  p = __builtin_fmaf(p, f, 0.14181818068027496f);
  p = __builtin_fmaf(p, f, -0.16609081625938416f);
  p = __builtin_fmaf(p, f, 0.2000197470188141f);
  p = __builtin_fmaf(p, f, -0.25001582503318787f);
  p = __builtin_fmaf(p, f, 0.33333325386047363f);
  p = __builtin_fmaf(p, f, -0.49999988079071045f);
  return f * f * p;
}

// Beside the positive finite numbers.
INLINE float logarithm_at(float x, float r) {
  if (bits(x) >= 0x7f800000u) r = __builtin_fmaf(x, __builtin_inff(), __builtin_inff());
  return x == 0.0f ? -__builtin_inff() : r;
}

DEVICE float __nv_logf(float x) {
  float e;
  const float f = split(x, e);
  return logarithm_at(x, __builtin_fmaf(e, 0x1.62e43p-1f, f + beyond_linear(f)));
}
DEVICE float __nv_log2f(float x) {
  float e;
  const float f = split(x, e);
  const float low = __builtin_fmaf(f, 0x1.4ae0cp-26f, beyond_linear(f) * 0x1.715476p0f);
  return logarithm_at(x, e + __builtin_fmaf(f, 0x1.715476p0f, low));
}
DEVICE float __nv_log10f(float x) {
  float e;
  const float f = split(x, e);
  const float low = __builtin_fmaf(e, -0x1.ec10cp-27f, (f + beyond_linear(f)) * 0x1.bcb7b2p-2f);
  return logarithm_at(x, __builtin_fmaf(e, 0x1.344136p-2f, low));
}

// |a|^b for finite a other than 0: log2 |a| = high + low, from atanh(f / (2 + f)).
INLINE float power(float a, float b) {
  float e;
  const float f = split(a, e);
  const float d = 2.0f + f, inverse = __nvvm_rcp_approx_ftz_f(d), s = f * inverse;
  const float s_low = __builtin_fmaf(-s, f - (d - 2.0f), __builtin_fmaf(-s, d, f)) * inverse;
  const float z = s * s;
  float p = __builtin_fmaf(0.12049254029989243f, z, 0.14253564178943634f);
  p = __builtin_fmaf(p, z, 0.20000430941581726f);
  p = __builtin_fmaf(p, z, 0.3333333134651184f);
  const float cubic = __builtin_fmaf(s, z * p, __builtin_fmaf(s_low, z, s_low));
  // Times 2 log2 e, in two parts. mul.rn, which no back end fuses: what rounds off counts once.
  const float h = __nvvm_mul_rn_f(s, 0x1.715476p1f);
  const float l = __builtin_fmaf(cubic, 0x1.715476p1f,
                                 __builtin_fmaf(s, 0x1.4ae0cp-25f, __builtin_fmaf(s, 0x1.715476p1f, -h)));
  const float sum = e + h, tail = l + ((e - sum) + h);
  const float high = sum + tail, low = (sum - high) + tail;

  const float y = __nvvm_mul_rn_f(b, high);
  const float within = __builtin_fminf(__builtin_fmaxf(y, -200.0f), 200.0f), n = __builtin_rintf(within);
  const float y_low = within == y ? __builtin_fmaf(b, low, __builtin_fmaf(b, high, -y)) : 0.0f;
  const int whole = (int)n, half = whole / 2;
  return __nvvm_ex2_approx_ftz_f((within - n) + y_low) * from_bits((u32)(127 + half) << 23) *
         from_bits((u32)(127 + whole - half) << 23);
}

DEVICE float __nv_powf(float a, float b) {
  if (a == 1.0f || b == 0.0f) return 1.0f;
  if (a != a || b != b) return a + b;
  const float size = __builtin_fabsf(a);
  float r = power(size, b);
  if (size == 0.0f || size == __builtin_inff()) r = (size == 0.0f) == (b < 0.0f) ? __builtin_inff() : 0.0f;
  if (size == 1.0f) r = 1.0f;
  if ((int)bits(a) < 0) {
    const bool odd = __builtin_fabsf(__builtin_fmaf(-2.0f, __builtin_truncf(0.5f * b), b)) == 1.0f;
    if (odd) r = -r;
    if (__builtin_truncf(b) != b && a < 0.0f && size < __builtin_inff()) r = __builtin_nanf("");
  }
  return r;
}
