// Sine, cosine and tangent. Arguments are reduced by multiples of pi/2 with three fused multiply-adds, large
// ones with the bits of 2/pi that matter (Payne and Hanek). On [-pi/4, pi/4] Taylor's polynomials suffice.
#include "device.h"

// 2/pi after 64 zero bits.
__attribute__((device)) static const u64 two_over_pi_bits[] = {0,
                                                               0xa2f9836e4e441529ull,
                                                               0xfc2757d1f534ddc0ull,
                                                               0xdb6295993c439041ull,
                                                               0xfe5163abdebbc561ull,
                                                               0xb7246e3a424dd2e0ull,
                                                               0x06492eea09d1921cull,
                                                               0xfe1deb1cb129a73eull,
                                                               0xe88235f52ebb4484ull,
                                                               0xe99c7026b45f7e41ull,
                                                               0x3991d639835339f4ull,
                                                               0x9c845f8bbdf9283bull,
                                                               0x1ff897ffde05980full,
                                                               0xef2f118b5a0a6d1full,
                                                               0x6d367ecf27cb09b7ull,
                                                               0x4f463f669e5fea2dull,
                                                               0x7527bac7ebe5f17bull,
                                                               0x3d0739f78a5292eaull,
                                                               0x6bfb5fb11f8d5d08ull,
                                                               0x56033046fc7b6babull,
                                                               0xf0cfbc209af4361dull,
                                                               0xa9e391615ee61b08ull,
                                                               0x6599855f14a06840ull};

// r = |x| - q pi/2 from m 2^s, m of 53 bits; exact to 2^-60.
INLINE double reduce_large(u64 m, int s, int& q) {
  // The product's bits of weight 4 and more fall away, so the window begins at the bit of 2/pi whose weight
  // times 2^s is 2.
  const int first = s - 2 + 64, word = first >> 6, shift = first & 63;
  u64 w[3];
#pragma unroll
  for (int i = 0; i < 3; ++i) {
    const u64 a = two_over_pi_bits[word + i], b = two_over_pi_bits[word + i + 1];
    w[i] = shift ? (a << shift) | (b >> (64 - shift)) : a;
  }
  const unsigned __int128 low = (unsigned __int128)m * w[2];
  const unsigned __int128 middle = (unsigned __int128)m * w[1] + (u64)(low >> 64);
  const u64 high = m * w[0] + (u64)(middle >> 64);
  q = (int)(high >> 62);
  const u64 top = (high << 2) | ((u64)middle >> 62), next = (u64)middle << 2;
  // The fraction as a signed number of 128 bits in [-1/2, 1/2).
  __int128 f = (__int128)(((unsigned __int128)top << 64) | next);
  if (f < 0) ++q;
  const bool negative = f < 0;
  unsigned __int128 size = negative ? (unsigned __int128)0 - (unsigned __int128)f : (unsigned __int128)f;
  const u64 upper = (u64)(size >> 64), lower = (u64)size;
  double v;
  if (upper) {
    const int zeros = __builtin_clzll(upper);
    const u64 head = zeros ? (upper << zeros) | (lower >> (64 - zeros)) : upper;
    v = (double)head * from_bits((u64)(1023 - 64 - zeros) << 52);
  } else {
    v = (double)lower * 0x1p-128;
  }
  const double r = v * 1.5707963267948966;
  return negative ? -r : r;
}

INLINE double reduce(double x, int& q) {
  const double a = __builtin_fabs(x);
  double r;
  if (a < 1.0e6) {
    const double k = __builtin_rint(x * 0.6366197723675814);
    q = (int)k;
    r = __builtin_fma(-k, 1.5707963267948966, x);
    r = __builtin_fma(-k, 6.123233995736766e-17, r);
    return __builtin_fma(-k, -1.4973849048591698e-33, r);
  }
  const int e = (int)(bits(a) >> 52);
  if (e == 2047) {
    q = 0;
    return __builtin_nan("");
  }
  r = reduce_large((bits(a) & 0xfffffffffffffull) | 0x10000000000000ull, e - 1075, q);
  if (x < 0.0) r = -r, q = -q;
  return r;
}
INLINE float reduce(float x, int& q) {
  if (__builtin_fabsf(x) < 65536.0f) {
    const float k = __builtin_rintf(x * 0.6366197466850281f);
    q = (int)k;
    float r = __builtin_fmaf(-k, 1.5707963705062866f, x);
    r = __builtin_fmaf(-k, -4.371138828673793e-08f, r);
    return __builtin_fmaf(-k, -1.7151245100058819e-15f, r);
  }
  return (float)reduce((double)x, q);
}

INLINE double sine(double r) {
  const double z = r * r;
  return __builtin_fma(
      r * z,
      __builtin_fma(
          __builtin_fma(
              __builtin_fma(
                  __builtin_fma(
                      __builtin_fma(__builtin_fma(__builtin_fma(__builtin_fma(-8.22063524662433e-18, z,
                                                                              2.8114572543455206e-15),
                                                                z, -7.647163731819816e-13),
                                                  z, 1.6059043836821613e-10),
                                    z, -2.505210838544172e-08),
                      z, 2.7557319223985893e-06),
                  z, -0.0001984126984126984),
              z, 0.008333333333333333),
          z, -0.16666666666666666),
      r);
}
INLINE double cosine(double r) {
  const double z = r * r;
  return __builtin_fma(
      z * z,
      __builtin_fma(
          __builtin_fma(
              __builtin_fma(__builtin_fma(__builtin_fma(__builtin_fma(__builtin_fma(-1.5619206968586225e-16,
                                                                                    z, 4.779477332387385e-14),
                                                                      z, -1.1470745597729725e-11),
                                                        z, 2.08767569878681e-09),
                                          z, -2.755731922398589e-07),
                            z, 2.48015873015873e-05),
              z, -0.001388888888888889),
          z, 0.041666666666666664),
      __builtin_fma(-0.5, z, 1.0));
}
INLINE float sine(float r) {
  const float z = r * r;
  return __builtin_fmaf(
      r * z,
      __builtin_fmaf(
          __builtin_fmaf(__builtin_fmaf(__builtin_fmaf(-2.5052107943679403e-08f, z, 2.7557318844628753e-06f),
                                        z, -0.00019841270113829523f),
                         z, 0.008333333767950535f),
          z, -0.1666666716337204f),
      r);
}
INLINE float cosine(float r) {
  const float z = r * r;
  return __builtin_fmaf(
      z * z,
      __builtin_fmaf(
          __builtin_fmaf(__builtin_fmaf(__builtin_fmaf(2.0876755879584152e-09f, z, -2.755731998149713e-07f),
                                        z, 2.4801587642286904e-05f),
                         z, -0.0013888889225199819f),
          z, 0.0416666679084301f),
      __builtin_fmaf(-0.5f, z, 1.0f));
}
INLINE float sine_at(float r, int q) {
  const float v = q & 1 ? cosine(r) : sine(r);
  return q & 2 ? -v : v;
}
DEVICE float __nv_sinf(float x) {
  int q;
  const float r = reduce(x, q);
  return x == 0 ? x : sine_at(r, q);
}
DEVICE float __nv_cosf(float x) {
  int q;
  const float r = reduce(x, q);
  return sine_at(r, q + 1);
}
DEVICE void __nv_sincosf(float x, float* s, float* c) {
  int q;
  const float r = reduce(x, q);
  const float a = sine(r), b = cosine(r);
  const float u = q & 1 ? b : a, v = q & 1 ? a : b;
  *s = x == 0 ? x : q & 2 ? -u : u;
  *c = (q + 1) & 2 ? -v : v;
}
DEVICE float __nv_tanf(float x) {
  int q;
  const float r = reduce(x, q);
  const float a = sine(r), b = cosine(r);
  return x == 0 ? x : q & 1 ? -b / a : a / b;
}
INLINE double sine_at(double r, int q) {
  const double v = q & 1 ? cosine(r) : sine(r);
  return q & 2 ? -v : v;
}
DEVICE double __nv_sin(double x) {
  int q;
  const double r = reduce(x, q);
  return x == 0 ? x : sine_at(r, q);
}
DEVICE double __nv_cos(double x) {
  int q;
  const double r = reduce(x, q);
  return sine_at(r, q + 1);
}
DEVICE void __nv_sincos(double x, double* s, double* c) {
  int q;
  const double r = reduce(x, q);
  const double a = sine(r), b = cosine(r);
  const double u = q & 1 ? b : a, v = q & 1 ? a : b;
  *s = x == 0 ? x : q & 2 ? -u : u;
  *c = (q + 1) & 2 ? -v : v;
}
// The product is mul.rn, which no back end fuses. The rest of the reduction beyond double precision counts
// twice near the poles of the derivative.
DEVICE double __nv_tan(double x) {
  int q;
  double r, low = 0.0;
  if (__builtin_fabs(x) < 1.0e6) {
    const double k = __builtin_rint(x * 0.6366197723675814);
    q = (int)k;
    const double p = __nvvm_mul_rn_d(k, 1.5707963267948966), pe = __builtin_fma(k, 1.5707963267948966, -p),
                 d = x - p, head = d - pe;
    const double tail = __builtin_fma(-k, 6.123233995736766e-17, (d - head) - pe);
    r = head + tail;
    low = (head - r) + tail;
  } else {
    r = reduce(x, q);
  }
  const double a = sine(r), b = cosine(r), t = q & 1 ? -b / a : a / b;
  return x == 0 ? x : __builtin_fma(__builtin_fma(t, t, 1.0), low, t);
}
// sin(pi x) from the exact remainder of x by 1/2.
INLINE float sine_pi(float x, int quarter) {
  const float y = x - 2 * __builtin_rintf(x * 0.5f), k = __builtin_rintf(2 * y),
              r = __builtin_fmaf(k, -0.5f, y);
  const float a = r * 3.1415927410125732f,
              low = __builtin_fmaf(r, 3.1415927410125732f, -a) + r * -8.742277657347586e-08f;
  const int q = (int)k + quarter;
  const float v = q & 1 ? __builtin_fmaf(-low, a, cosine(a)) : sine(a) + low;
  return q & 2 ? -v : v;
}
DEVICE float __nv_sinpif(float x) {
  return __builtin_rintf(x) == x ? x * 0 : sine_pi(x, 0);
}
DEVICE float __nv_cospif(float x) {
  return sine_pi(x, 1) + 0.0f;  // Every zero of the cosine is positive.
}
DEVICE void __nv_sincospif(float x, float* s, float* c) {
  *s = __nv_sinpif(x);
  *c = __nv_cospif(x);
}
// sin(pi x) from the exact remainder of x by 1/2.
INLINE double sine_pi(double x, int quarter) {
  const double y = x - 2 * __builtin_rint(x * 0.5), k = __builtin_rint(2 * y), r = __builtin_fma(k, -0.5, y);
  const double a = r * 3.141592653589793,
               low = __builtin_fma(r, 3.141592653589793, -a) + r * 1.2246467991473532e-16;
  const int q = (int)k + quarter;
  const double v = q & 1 ? __builtin_fma(-low, a, cosine(a)) : sine(a) + low;
  return q & 2 ? -v : v;
}
DEVICE double __nv_sinpi(double x) {
  return __builtin_rint(x) == x ? x * 0 : sine_pi(x, 0);
}
DEVICE double __nv_cospi(double x) {
  return sine_pi(x, 1) + 0.0;
}
DEVICE void __nv_sincospi(double x, double* s, double* c) {
  *s = __nv_sinpi(x);
  *c = __nv_cospi(x);
}
