// Uniform numbers above 0, up to and including 1 (cuRAND's guide, "Distributions").
#ifndef WANREN_CURAND_UNIFORM_H
#define WANREN_CURAND_UNIFORM_H

#include "curand_mrg32k3a.h"
#include "curand_philox4x32_x.h"
#include "wanren/curand_sobol.h"
#include "wanren/curand_xorwow.h"

#if defined(__cplusplus)

// Half a step is added, so that 0 stays out.
QUALIFIERS float _curand_uniform(unsigned int x) {
  return (float)x * 2.3283064365386963e-10f + 1.16415321826934815e-10f;
}
QUALIFIERS double _curand_uniform_double(unsigned int x) {
  return x * 2.3283064365386963e-10 + 2.3283064365386963e-10;
}
QUALIFIERS double _curand_uniform_double_hq(unsigned int x, unsigned int y) {
  const unsigned long long z = (unsigned long long)x ^ ((unsigned long long)y << 21);
  return (double)z * 1.1102230246251565e-16 + 5.551115123125783e-17;
}

QUALIFIERS float curand_uniform(curandStateXORWOW_t* state) {
  return _curand_uniform(curand(state));
}
QUALIFIERS float curand_uniform(curandStatePhilox4_32_10_t* state) {
  return _curand_uniform(curand(state));
}
QUALIFIERS float curand_uniform(curandStateMRG32k3a_t* state) {
  return (float)(wanren_mrg_next(state) * 2.328306549295727688e-10);
}
QUALIFIERS double curand_uniform_double(curandStateXORWOW_t* state) {
  const unsigned int x = curand(state), y = curand(state);
  return _curand_uniform_double_hq(x, y);
}
QUALIFIERS double curand_uniform_double(curandStatePhilox4_32_10_t* state) {
  const unsigned int x = curand(state), y = curand(state);
  return _curand_uniform_double_hq(x, y);
}
QUALIFIERS double curand_uniform_double(curandStateMRG32k3a_t* state) {
  return wanren_mrg_next(state) * 2.328306549295727688e-10;
}
QUALIFIERS float4 curand_uniform4(curandStatePhilox4_32_10_t* state) {
  const uint4 x = curand4(state);
  return make_float4(_curand_uniform(x.x), _curand_uniform(x.y), _curand_uniform(x.z), _curand_uniform(x.w));
}
QUALIFIERS double2 curand_uniform2_double(curandStatePhilox4_32_10_t* state) {
  const uint4 x = curand4(state);
  return make_double2(_curand_uniform_double_hq(x.x, x.y), _curand_uniform_double_hq(x.z, x.w));
}

#define WANREN_SOBOL_UNIFORM(STATE)                       \
  QUALIFIERS float curand_uniform(STATE* state) {         \
    return _curand_uniform(curand(state));                \
  }                                                       \
  QUALIFIERS double curand_uniform_double(STATE* state) { \
    return _curand_uniform_double(curand(state));         \
  }
#define WANREN_SOBOL64_UNIFORM(STATE)                                                       \
  QUALIFIERS float curand_uniform(STATE* state) {                                           \
    return (float)((double)curand(state) * 5.421010862427522e-20 + 2.7105054312137611e-20); \
  }                                                                                         \
  QUALIFIERS double curand_uniform_double(STATE* state) {                                   \
    return (double)(curand(state) >> 11) * 1.1102230246251565e-16 + 5.551115123125783e-17;  \
  }
WANREN_SOBOL_UNIFORM(curandStateSobol32_t)
WANREN_SOBOL_UNIFORM(curandStateScrambledSobol32_t)
WANREN_SOBOL64_UNIFORM(curandStateSobol64_t)
WANREN_SOBOL64_UNIFORM(curandStateScrambledSobol64_t)

#endif
#endif
