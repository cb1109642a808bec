// fmod and remainder in double: exact, as IEEE 754 has them.
#include "device.h"

// Finite a >= 0, b > 0. The quotient rounded towards zero never passes the next integer, so each step is
// exact.
INLINE double modulus(double a, double b) {
  while (a >= b) {
    // b scaled so that the quotient stays below 2^52.
    const int distance = (int)(bits(a) >> 52) - (int)(bits(b) >> 52);
    const double scaled =
        distance > 50 ? b * from_bits((u64)(1023 + (distance - 50 > 1000 ? 1000 : distance - 50)) << 52) : b;
    a = __builtin_fma(-__builtin_trunc(__nvvm_div_rz_d(a, scaled)), scaled, a);
  }
  return a;
}
DEVICE double __nv_fmod(double x, double y) {
  const double a = __builtin_fabs(x), b = __builtin_fabs(y);
  if (!(a < __builtin_inf()) || b != b || b == 0.0) return __builtin_nan("");
  if (b == __builtin_inf()) return x;
  return from_bits(bits(modulus(a, b)) | (bits(x) & 0x8000000000000000ull));
}
DEVICE double __nv_remainder(double x, double y) {
  double a = __builtin_fabs(x);
  const double b = __builtin_fabs(y);
  if (!(a < __builtin_inf()) || b != b || b == 0.0) return __builtin_nan("");
  if (b == __builtin_inf()) return x;
  if (b <= 0x1p1022) a = modulus(a, b + b);
  // Now a < 2 b: take b away until the rest is at most half of it; a tie goes to the even quotient.
  const double half = 0.5 * b;
  const bool tiny = b < 0x1p-1021;
  if (tiny ? a + a > b : a > half) {
    a -= b;
    if (tiny ? a + a >= b : a >= half) a -= b;
  }
  return from_bits(bits(a) ^ (bits(x) & 0x8000000000000000ull));
}
