// ldexp and scalbn: products with powers of two that round once. libclc's round subnormal results twice.
#include "device.h"

// Steps down stop a significand's length short, so that only the last product rounds.
template <typename T>
INLINE T scaled(T x, int n, T up, int up_by, T down, int down_by) {
  for (int i = 0; i < 2 && n > up_by; ++i) x *= up, n -= up_by;
  for (int i = 0; i < 2 && n < 1 - up_by; ++i) x *= down, n += down_by;
  n = n > up_by ? up_by : n < 1 - up_by ? 1 - up_by : n;
  if constexpr (sizeof(T) == 4)
    return x * from_bits((u32)(127 + n) << 23);
  else
    return x * from_bits((u64)(1023 + n) << 52);
}
DEVICE float __nv_ldexpf(float x, int n) {
  return scaled(x, n, 0x1p127f, 127, 0x1p-102f, 102);
}
DEVICE double __nv_ldexp(double x, int n) {
  return scaled(x, n, 0x1p1023, 1023, 0x1p-969, 969);
}
DEVICE float __nv_scalbnf(float x, int n) {
  return __nv_ldexpf(x, n);
}
DEVICE double __nv_scalbn(double x, int n) {
  return __nv_ldexp(x, n);
}
