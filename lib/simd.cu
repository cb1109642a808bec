// SIMD-in-a-word functions (CUDA Math API "SIMD Intrinsics"): two 16-bit or four 8-bit lanes, computed lane
// by lane.
#include "device.h"

template <int N, typename S, typename F>
INLINE u32 lanes(u32 a, u32 b, F f) {
  constexpr int width = 32 / N;
  constexpr u32 mask = N == 2 ? 0xffffu : 0xffu;
  u32 r = 0;
#pragma unroll
  for (int i = 0; i < N; ++i) {
    const int shift = i * width;
    r |= ((u32)f((int)(S)(a >> shift), (int)(S)(b >> shift)) & mask) << shift;
  }
  return r;
}
template <int N, typename S>
INLINE u32 sum_differences(u32 a, u32 b) {
  u32 r = 0;
#pragma unroll
  for (int i = 0; i < N; ++i) {
    const int x = (S)(a >> (i * 32 / N)), y = (S)(b >> (i * 32 / N));
    r += (u32)(x < y ? y - x : x - y);
  }
  return r;
}
INLINE int clamp(int x, int lo, int hi) {
  return x < lo ? lo : x > hi ? hi : x;
}

#define LANE(NAME, N, S, EXPR)                                                            \
  DEVICE u32 __nv_##NAME(u32 a, u32 b) {                                                  \
    return lanes<N, S>(a, b, [] __attribute__((device)) (int x, int y) { return EXPR; }); \
  }
#define LANE1(NAME, N, S, EXPR)                                                         \
  DEVICE u32 __nv_##NAME(u32 a) {                                                       \
    return lanes<N, S>(a, 0, [] __attribute__((device)) (int x, int) { return EXPR; }); \
  }

LANE(vadd2, 2, unsigned short, (x + y))
LANE(vsub2, 2, unsigned short, (x - y))
LANE(vaddss2, 2, short, (clamp(x + y, -32768, 32767)))
LANE(vsubss2, 2, short, (clamp(x - y, -32768, 32767)))
LANE(vaddus2, 2, unsigned short, (clamp(x + y, 0, 65535)))
LANE(vsubus2, 2, unsigned short, (clamp(x - y, 0, 65535)))
LANE(vavgs2, 2, short, ((x + y + (x + y >= 0)) >> 1))
LANE(vavgu2, 2, unsigned short, ((x + y + 1) >> 1))
LANE(vhaddu2, 2, unsigned short, ((x + y) >> 1))
LANE(vmaxs2, 2, short, (x > y ? x : y))
LANE(vmins2, 2, short, (x < y ? x : y))
LANE(vmaxu2, 2, unsigned short, (x > y ? x : y))
LANE(vminu2, 2, unsigned short, (x < y ? x : y))
LANE(vabsdiffs2, 2, short, (x > y ? x - y : y - x))
LANE(vabsdiffu2, 2, unsigned short, (x > y ? x - y : y - x))
LANE1(vabs2, 2, short, (x < 0 ? -x : x))
LANE1(vabsss2, 2, short, (clamp(x < 0 ? -x : x, 0, 32767)))
LANE1(vneg2, 2, short, (-x))
LANE1(vnegss2, 2, short, (clamp(-x, -32768, 32767)))
LANE(vcmpeq2, 2, unsigned short, (x == y ? -1 : 0))
LANE(vseteq2, 2, unsigned short, (x == y ? 1 : 0))
LANE(vcmpne2, 2, unsigned short, (x != y ? -1 : 0))
LANE(vsetne2, 2, unsigned short, (x != y ? 1 : 0))
LANE(vcmpges2, 2, short, (x >= y ? -1 : 0))
LANE(vsetges2, 2, short, (x >= y ? 1 : 0))
LANE(vcmpgeu2, 2, unsigned short, (x >= y ? -1 : 0))
LANE(vsetgeu2, 2, unsigned short, (x >= y ? 1 : 0))
LANE(vcmpgts2, 2, short, (x > y ? -1 : 0))
LANE(vsetgts2, 2, short, (x > y ? 1 : 0))
LANE(vcmpgtu2, 2, unsigned short, (x > y ? -1 : 0))
LANE(vsetgtu2, 2, unsigned short, (x > y ? 1 : 0))
LANE(vcmples2, 2, short, (x <= y ? -1 : 0))
LANE(vsetles2, 2, short, (x <= y ? 1 : 0))
LANE(vcmpleu2, 2, unsigned short, (x <= y ? -1 : 0))
LANE(vsetleu2, 2, unsigned short, (x <= y ? 1 : 0))
LANE(vcmplts2, 2, short, (x < y ? -1 : 0))
LANE(vsetlts2, 2, short, (x < y ? 1 : 0))
LANE(vcmpltu2, 2, unsigned short, (x < y ? -1 : 0))
LANE(vsetltu2, 2, unsigned short, (x < y ? 1 : 0))
DEVICE u32 __nv_vsads2(u32 a, u32 b) {
  return sum_differences<2, short>(a, b);
}
DEVICE u32 __nv_vsadu2(u32 a, u32 b) {
  return sum_differences<2, unsigned short>(a, b);
}
LANE(vadd4, 4, unsigned char, (x + y))
LANE(vsub4, 4, unsigned char, (x - y))
LANE(vaddss4, 4, signed char, (clamp(x + y, -128, 127)))
LANE(vsubss4, 4, signed char, (clamp(x - y, -128, 127)))
LANE(vaddus4, 4, unsigned char, (clamp(x + y, 0, 255)))
LANE(vsubus4, 4, unsigned char, (clamp(x - y, 0, 255)))
LANE(vavgs4, 4, signed char, ((x + y + (x + y >= 0)) >> 1))
LANE(vavgu4, 4, unsigned char, ((x + y + 1) >> 1))
LANE(vhaddu4, 4, unsigned char, ((x + y) >> 1))
LANE(vmaxs4, 4, signed char, (x > y ? x : y))
LANE(vmins4, 4, signed char, (x < y ? x : y))
LANE(vmaxu4, 4, unsigned char, (x > y ? x : y))
LANE(vminu4, 4, unsigned char, (x < y ? x : y))
LANE(vabsdiffs4, 4, signed char, (x > y ? x - y : y - x))
LANE(vabsdiffu4, 4, unsigned char, (x > y ? x - y : y - x))
LANE1(vabs4, 4, signed char, (x < 0 ? -x : x))
LANE1(vabsss4, 4, signed char, (clamp(x < 0 ? -x : x, 0, 127)))
LANE1(vneg4, 4, signed char, (-x))
LANE1(vnegss4, 4, signed char, (clamp(-x, -128, 127)))
LANE(vcmpeq4, 4, unsigned char, (x == y ? -1 : 0))
LANE(vseteq4, 4, unsigned char, (x == y ? 1 : 0))
LANE(vcmpne4, 4, unsigned char, (x != y ? -1 : 0))
LANE(vsetne4, 4, unsigned char, (x != y ? 1 : 0))
LANE(vcmpges4, 4, signed char, (x >= y ? -1 : 0))
LANE(vsetges4, 4, signed char, (x >= y ? 1 : 0))
LANE(vcmpgeu4, 4, unsigned char, (x >= y ? -1 : 0))
LANE(vsetgeu4, 4, unsigned char, (x >= y ? 1 : 0))
LANE(vcmpgts4, 4, signed char, (x > y ? -1 : 0))
LANE(vsetgts4, 4, signed char, (x > y ? 1 : 0))
LANE(vcmpgtu4, 4, unsigned char, (x > y ? -1 : 0))
LANE(vsetgtu4, 4, unsigned char, (x > y ? 1 : 0))
LANE(vcmples4, 4, signed char, (x <= y ? -1 : 0))
LANE(vsetles4, 4, signed char, (x <= y ? 1 : 0))
LANE(vcmpleu4, 4, unsigned char, (x <= y ? -1 : 0))
LANE(vsetleu4, 4, unsigned char, (x <= y ? 1 : 0))
LANE(vcmplts4, 4, signed char, (x < y ? -1 : 0))
LANE(vsetlts4, 4, signed char, (x < y ? 1 : 0))
LANE(vcmpltu4, 4, unsigned char, (x < y ? -1 : 0))
LANE(vsetltu4, 4, unsigned char, (x < y ? 1 : 0))
DEVICE u32 __nv_vsads4(u32 a, u32 b) {
  return sum_differences<4, signed char>(a, b);
}
DEVICE u32 __nv_vsadu4(u32 a, u32 b) {
  return sum_differences<4, unsigned char>(a, b);
}
