// Sobol' sequences in Gray code order (Antonov and Saleev, 1979) over direction vectors that the caller
// brings; libcurand has no table of them.
#ifndef WANREN_CURAND_SOBOL_H
#define WANREN_CURAND_SOBOL_H

#include "../curand_globals.h"

#define WANREN_SOBOL_STATE(NAME, WORD, BITS) \
  struct NAME {                              \
    WORD i, x, c;                            \
    WORD direction_vectors[BITS];            \
  };                                         \
  typedef struct NAME NAME##_t;
WANREN_SOBOL_STATE(curandStateSobol32, unsigned int, 32)
WANREN_SOBOL_STATE(curandStateScrambledSobol32, unsigned int, 32)
WANREN_SOBOL_STATE(curandStateSobol64, unsigned long long, 64)
WANREN_SOBOL_STATE(curandStateScrambledSobol64, unsigned long long, 64)

#if defined(__cplusplus)

#define WANREN_SOBOL(NAME, WORD, BITS, LOWEST_ZERO)                           \
  QUALIFIERS void skipahead(WORD n, NAME##_t* state) {                        \
    state->i += n;                                                            \
    state->x = state->c;                                                      \
    const WORD gray = state->i ^ (state->i >> 1);                             \
    for (int k = 0; k < BITS; ++k)                                            \
      if (gray >> k & 1) state->x ^= state->direction_vectors[k];             \
  }                                                                           \
  QUALIFIERS WORD curand(NAME##_t* state) {                                   \
    const WORD now = state->x;                                                \
    if (state->i + 1 != 0) state->x ^= state->direction_vectors[LOWEST_ZERO]; \
    ++state->i;                                                               \
    return now;                                                               \
  }
#define WANREN_SOBOL_PLAIN(NAME, WORD, BITS)                                           \
  QUALIFIERS void curand_init(WORD* direction_vectors, WORD offset, NAME##_t* state) { \
    for (int k = 0; k < BITS; ++k) state->direction_vectors[k] = direction_vectors[k]; \
    state->i = state->c = 0;                                                           \
    skipahead(offset, state);                                                          \
  }
#define WANREN_SOBOL_SCRAMBLED(NAME, WORD, BITS)                                                        \
  QUALIFIERS void curand_init(WORD* direction_vectors, WORD scramble_c, WORD offset, NAME##_t* state) { \
    for (int k = 0; k < BITS; ++k) state->direction_vectors[k] = direction_vectors[k];                  \
    state->i = 0;                                                                                       \
    state->c = scramble_c;                                                                              \
    skipahead(offset, state);                                                                           \
  }
WANREN_SOBOL(curandStateSobol32, unsigned int, 32, (__builtin_ctz(~state->i)))
WANREN_SOBOL(curandStateScrambledSobol32, unsigned int, 32, (__builtin_ctz(~state->i)))
WANREN_SOBOL(curandStateSobol64, unsigned long long, 64, (__builtin_ctzll(~state->i)))
WANREN_SOBOL(curandStateScrambledSobol64, unsigned long long, 64, (__builtin_ctzll(~state->i)))
WANREN_SOBOL_PLAIN(curandStateSobol32, unsigned int, 32)
WANREN_SOBOL_PLAIN(curandStateSobol64, unsigned long long, 64)
WANREN_SOBOL_SCRAMBLED(curandStateScrambledSobol32, unsigned int, 32)
WANREN_SOBOL_SCRAMBLED(curandStateScrambledSobol64, unsigned long long, 64)

#endif
#endif
