// What the device library's sources share. The functions carry libdevice's public names (libdevice User's
// Guide), which clang's CUDA headers and other front ends call.
#ifndef WANREN_LIB_DEVICE_H
#define WANREN_LIB_DEVICE_H

#define DEVICE extern "C" __attribute__((device))
#define INLINE static __attribute__((device, always_inline)) inline

typedef unsigned int u32;
typedef unsigned long long u64;
typedef long long s64;

INLINE u32 bits(float x) {
  return __builtin_bit_cast(u32, x);
}
INLINE u64 bits(double x) {
  return __builtin_bit_cast(u64, x);
}
INLINE float from_bits(u32 x) {
  return __builtin_bit_cast(float, x);
}
INLINE double from_bits(u64 x) {
  return __builtin_bit_cast(double, x);
}

#endif
