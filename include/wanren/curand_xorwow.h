// XORWOW (Marsaglia, "Xorshift RNGs", 2003, section 3.1): five words of xorshift and a Weyl sequence.
// Subsequences lie 2^67 numbers apart, as cuRAND's guide says. A jump by k is the polynomial x^k modulo the
// characteristic polynomial of the xorshift part, applied to the state; wanren/curand_xorwow_jumps.inc holds
// the polynomials.
#ifndef WANREN_CURAND_XORWOW_H
#define WANREN_CURAND_XORWOW_H

#include "../curand_globals.h"

struct curandStateXORWOW {
  unsigned int d, v[5];
  int boxmuller_flag, boxmuller_flag_double;
  float boxmuller_extra;
  double boxmuller_extra_double;
};
typedef struct curandStateXORWOW curandStateXORWOW_t;
typedef struct curandStateXORWOW curandState_t;
typedef struct curandStateXORWOW curandState;

#if defined(__cplusplus)

// [0]: digits of an offset, [1]: of a subsequence; per hexadecimal digit of weight 16^i its values 1 to 15.
#if defined(__CUDA_ARCH__)
static __device__ const unsigned int wanren_xorwow_jumps[2][16][15][5] = {
#else
static const unsigned int wanren_xorwow_jumps[2][16][15][5] = {
#endif
#include "curand_xorwow_jumps.inc"
};

QUALIFIERS void wanren_xorwow_step(unsigned int* v) {
  const unsigned int t = v[0] ^ (v[0] >> 2);
  v[0] = v[1], v[1] = v[2], v[2] = v[3], v[3] = v[4];
  v[4] = (v[4] ^ (v[4] << 4)) ^ (t ^ (t << 1));
}
QUALIFIERS void wanren_xorwow_jump(unsigned int* v, int which, unsigned long long n) {
  for (int digit = 0; n != 0; ++digit, n >>= 4) {
    const int value = (int)(n & 15);
    if (value == 0) continue;
    const unsigned int* polynomial = wanren_xorwow_jumps[which][digit][value - 1];
    unsigned int sum[5] = {0, 0, 0, 0, 0};
    for (int word = 0; word < 5; ++word) {
      unsigned int bits = polynomial[word];
      for (int i = 0; i < 32; ++i, bits >>= 1) {
        const unsigned int mask = 0u - (bits & 1);
        sum[0] ^= v[0] & mask, sum[1] ^= v[1] & mask, sum[2] ^= v[2] & mask, sum[3] ^= v[3] & mask,
            sum[4] ^= v[4] & mask;
        wanren_xorwow_step(v);
      }
    }
    v[0] = sum[0], v[1] = sum[1], v[2] = sum[2], v[3] = sum[3], v[4] = sum[4];
  }
}

QUALIFIERS unsigned int curand(curandStateXORWOW_t* state) {
  wanren_xorwow_step(state->v);
  state->d += 362437;
  return state->v[4] + state->d;
}
QUALIFIERS void skipahead(unsigned long long n, curandStateXORWOW_t* state) {
  wanren_xorwow_jump(state->v, 0, n);
  state->d += 362437u * (unsigned int)n;
}
// The Weyl sequence has a period of 2^32, which divides 2^67.
QUALIFIERS void skipahead_sequence(unsigned long long n, curandStateXORWOW_t* state) {
  wanren_xorwow_jump(state->v, 1, n);
}
QUALIFIERS void curand_init(unsigned long long seed, unsigned long long subsequence,
                            unsigned long long offset, curandStateXORWOW_t* state) {
  const unsigned int low = (unsigned int)seed ^ 0xaad26b49u, high = (unsigned int)(seed >> 32) ^ 0xf7dcefddu,
                     t0 = 1099087573u * low, t1 = 2591861531u * high;
  state->d = 6615241u + t1 + t0;
  state->v[0] = 123456789u + t0;
  state->v[1] = 362436069u ^ t0;
  state->v[2] = 521288629u + t1;
  state->v[3] = 88675123u ^ t1;
  state->v[4] = 5783321u + t0;
  state->boxmuller_flag = state->boxmuller_flag_double = 0;
  state->boxmuller_extra = 0;
  state->boxmuller_extra_double = 0;
  skipahead_sequence(subsequence, state);
  skipahead(offset, state);
}

#endif
#endif
