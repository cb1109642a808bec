#include "device.h"

DEVICE int __nv_abs(int a) {
  return a < 0 ? -a : a;
}
DEVICE s64 __nv_llabs(s64 a) {
  return a < 0 ? -a : a;
}
DEVICE int __nv_min(int a, int b) {
  return b < a ? b : a;
}
DEVICE int __nv_max(int a, int b) {
  return a < b ? b : a;
}
DEVICE u32 __nv_umin(u32 a, u32 b) {
  return b < a ? b : a;
}
DEVICE u32 __nv_umax(u32 a, u32 b) {
  return a < b ? b : a;
}
DEVICE s64 __nv_llmin(s64 a, s64 b) {
  return b < a ? b : a;
}
DEVICE s64 __nv_llmax(s64 a, s64 b) {
  return a < b ? b : a;
}
DEVICE u64 __nv_ullmin(u64 a, u64 b) {
  return b < a ? b : a;
}
DEVICE u64 __nv_ullmax(u64 a, u64 b) {
  return a < b ? b : a;
}
DEVICE int __nv_brev(int a) {
  return (int)__builtin_bitreverse32((u32)a);
}
DEVICE s64 __nv_brevll(s64 a) {
  return (s64)__builtin_bitreverse64((u64)a);
}
DEVICE int __nv_clz(int a) {
  return a ? __builtin_clz((u32)a) : 32;
}
DEVICE int __nv_clzll(s64 a) {
  return a ? __builtin_clzll((u64)a) : 64;
}
DEVICE int __nv_popc(u32 a) {
  return __builtin_popcount(a);
}
DEVICE int __nv_popcll(u64 a) {
  return __builtin_popcountll(a);
}
DEVICE int __nv_ffs(int a) {
  return a ? __builtin_ctz((u32)a) + 1 : 0;
}
DEVICE int __nv_ffsll(s64 a) {
  return a ? __builtin_ctzll((u64)a) + 1 : 0;
}
DEVICE int __nv_byte_perm(int a, int b, int s) {
  return (int)__nvvm_prmt((u32)a, (u32)b, (u32)s);
}
DEVICE int __nv_hadd(int a, int b) {
  return (int)(((s64)a + b) >> 1);
}
DEVICE int __nv_rhadd(int a, int b) {
  return (int)(((s64)a + b + 1) >> 1);
}
DEVICE u32 __nv_uhadd(u32 a, u32 b) {
  return (a & b) + ((a ^ b) >> 1);
}
DEVICE u32 __nv_urhadd(u32 a, u32 b) {
  return (a | b) - ((a ^ b) >> 1);
}
DEVICE int __nv_mul24(int a, int b) {
  int r;
  asm("mul24.lo.s32 %0, %1, %2;" : "=r"(r) : "r"(a), "r"(b));
  return r;
}
DEVICE u32 __nv_umul24(u32 a, u32 b) {
  u32 r;
  asm("mul24.lo.u32 %0, %1, %2;" : "=r"(r) : "r"(a), "r"(b));
  return r;
}
DEVICE int __nv_mulhi(int a, int b) {
  return (int)(((s64)a * b) >> 32);
}
DEVICE u32 __nv_umulhi(u32 a, u32 b) {
  return (u32)(((u64)a * b) >> 32);
}
DEVICE s64 __nv_mul64hi(s64 a, s64 b) {
  return (s64)(((__int128)a * b) >> 64);
}
DEVICE u64 __nv_umul64hi(u64 a, u64 b) {
  return (u64)(((unsigned __int128)a * b) >> 64);
}
DEVICE u32 __nv_sad(int a, int b, u32 c) {
  u32 r;
  asm("sad.s32 %0, %1, %2, %3;" : "=r"(r) : "r"(a), "r"(b), "r"(c));
  return r;
}
DEVICE u32 __nv_usad(u32 a, u32 b, u32 c) {
  u32 r;
  asm("sad.u32 %0, %1, %2, %3;" : "=r"(r) : "r"(a), "r"(b), "r"(c));
  return r;
}
