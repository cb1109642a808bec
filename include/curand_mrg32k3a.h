// MRG32k3a (L'Ecuyer, "Good parameters and implementations for combined multiple recursive random number
// generators", 1999). Subsequences lie 2^76 numbers apart, sequences 2^127.
#ifndef WANREN_CURAND_MRG32K3A_H
#define WANREN_CURAND_MRG32K3A_H

#include "curand_globals.h"

struct curandStateMRG32k3a {
  unsigned int s1[3], s2[3];
  int boxmuller_flag, boxmuller_flag_double;
  float boxmuller_extra;
  double boxmuller_extra_double;
};
typedef struct curandStateMRG32k3a curandStateMRG32k3a_t;

#if defined(__cplusplus)

#define MRG32K3A_MOD1 4294967087u
#define MRG32K3A_MOD2 4294944443u

/// A 3 by 3 matrix modulo one of the two moduli.
struct wanren_mrg_matrix {
  unsigned int a[3][3];
};
QUALIFIERS wanren_mrg_matrix wanren_mrg_product(const wanren_mrg_matrix& x, const wanren_mrg_matrix& y,
                                                unsigned long long modulus) {
  wanren_mrg_matrix z;
  for (int i = 0; i < 3; ++i)
    for (int j = 0; j < 3; ++j) {
      unsigned long long sum = 0;
      for (int k = 0; k < 3; ++k) sum = (sum + (unsigned long long)x.a[i][k] * y.a[k][j] % modulus) % modulus;
      z.a[i][j] = (unsigned int)sum;
    }
  return z;
}
QUALIFIERS void wanren_mrg_apply(const wanren_mrg_matrix& x, unsigned int* s, unsigned long long modulus) {
  unsigned int out[3];
  for (int i = 0; i < 3; ++i) {
    unsigned long long sum = 0;
    for (int k = 0; k < 3; ++k) sum = (sum + (unsigned long long)x.a[i][k] * s[k] % modulus) % modulus;
    out[i] = (unsigned int)sum;
  }
  s[0] = out[0], s[1] = out[1], s[2] = out[2];
}
/// s becomes step^n s.
QUALIFIERS void wanren_mrg_jump(wanren_mrg_matrix step, unsigned long long n, unsigned int* s,
                                unsigned long long modulus) {
  for (; n != 0; n >>= 1) {
    if (n & 1) wanren_mrg_apply(step, s, modulus);
    step = wanren_mrg_product(step, step, modulus);
  }
}

QUALIFIERS unsigned int wanren_mrg_next(curandStateMRG32k3a_t* state) {
  const unsigned long long one =
      (1403580ull * state->s1[1] + 810728ull * (MRG32K3A_MOD1 - state->s1[0])) % MRG32K3A_MOD1;
  const unsigned long long two =
      (527612ull * state->s2[2] + 1370589ull * (MRG32K3A_MOD2 - state->s2[0])) % MRG32K3A_MOD2;
  state->s1[0] = state->s1[1], state->s1[1] = state->s1[2], state->s1[2] = (unsigned int)one;
  state->s2[0] = state->s2[1], state->s2[1] = state->s2[2], state->s2[2] = (unsigned int)two;
  // In 1 to the first modulus.
  return (unsigned int)(one > two ? one - two : one + MRG32K3A_MOD1 - two);
}
QUALIFIERS unsigned int curand(curandStateMRG32k3a_t* state) {
  // 32 whole bits of it.
  return (unsigned int)((double)wanren_mrg_next(state) * 1.000000048662);
}
QUALIFIERS void skipahead(unsigned long long n, curandStateMRG32k3a_t* state) {
  wanren_mrg_jump({{{0, 1, 0}, {0, 0, 1}, {4294156359u, 1403580u, 0}}}, n, state->s1, MRG32K3A_MOD1);
  wanren_mrg_jump({{{0, 1, 0}, {0, 0, 1}, {4293573854u, 0, 527612u}}}, n, state->s2, MRG32K3A_MOD2);
}
QUALIFIERS void skipahead_subsequence(unsigned long long n, curandStateMRG32k3a_t* state) {
  wanren_mrg_jump({{{82758667u, 1871391091u, 4127413238u},
                    {3672831523u, 69195019u, 1871391091u},
                    {3672091415u, 3528743235u, 69195019u}}},
                  n, state->s1, MRG32K3A_MOD1);
  wanren_mrg_jump({{{1511326704u, 3759209742u, 1610795712u},
                    {4292754251u, 1511326704u, 3889917532u},
                    {3859662829u, 4292754251u, 3708466080u}}},
                  n, state->s2, MRG32K3A_MOD2);
}
QUALIFIERS void skipahead_sequence(unsigned long long n, curandStateMRG32k3a_t* state) {
  wanren_mrg_jump({{{2427906178u, 3580155704u, 949770784u},
                    {226153695u, 1230515664u, 3580155704u},
                    {1988835001u, 986791581u, 1230515664u}}},
                  n, state->s1, MRG32K3A_MOD1);
  wanren_mrg_jump({{{1464411153u, 277697599u, 1610723613u},
                    {32183930u, 1464411153u, 1022607788u},
                    {2824425944u, 32183930u, 2093834863u}}},
                  n, state->s2, MRG32K3A_MOD2);
}
QUALIFIERS void curand_init(unsigned long long seed, unsigned long long subsequence,
                            unsigned long long offset, curandStateMRG32k3a_t* state) {
  for (int i = 0; i < 3; ++i) state->s1[i] = state->s2[i] = 12345;
  if (seed != 0) {
    const unsigned long long x = (unsigned int)seed ^ 0x55555555u,
                             y = (unsigned int)(seed >> 32) ^ 0xaaaaaaaau;
    state->s1[0] = (unsigned int)(x * state->s1[0] % MRG32K3A_MOD1);
    state->s1[1] = (unsigned int)(y * state->s1[1] % MRG32K3A_MOD1);
    state->s1[2] = (unsigned int)(x * state->s1[2] % MRG32K3A_MOD1);
    state->s2[0] = (unsigned int)(y * state->s2[0] % MRG32K3A_MOD2);
    state->s2[1] = (unsigned int)(x * state->s2[1] % MRG32K3A_MOD2);
    state->s2[2] = (unsigned int)(y * state->s2[2] % MRG32K3A_MOD2);
  }
  state->boxmuller_flag = state->boxmuller_flag_double = 0;
  state->boxmuller_extra = 0;
  state->boxmuller_extra_double = 0;
  skipahead_subsequence(subsequence, state);
  skipahead(offset, state);
}

#endif
#endif
