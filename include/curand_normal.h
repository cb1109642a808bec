// Normal numbers: Box and Muller's pairs from pseudorandom numbers, the second of a pair kept in the state;
// the inverse of the distribution function from quasirandom ones.
#ifndef WANREN_CURAND_NORMAL_H
#define WANREN_CURAND_NORMAL_H

#include "curand_uniform.h"

#if defined(__cplusplus)

QUALIFIERS float2 _curand_box_muller(unsigned int x, unsigned int y) {
  const float u = _curand_uniform(x), angle = (float)y * 1.46291807e-09f + 7.31459035e-10f;
  const float radius = sqrtf(-2.0f * logf(u));
  float2 pair;
  sincosf(angle, &pair.x, &pair.y);
  pair.x *= radius;
  pair.y *= radius;
  return pair;
}
QUALIFIERS double2 wanren_box_muller_double(double u, double turns) {
  const double radius = sqrt(-2.0 * log(u)), angle = turns * 6.283185307179586477;
  return make_double2(radius * sin(angle), radius * cos(angle));
}
QUALIFIERS double2 _curand_box_muller_double(unsigned int x0, unsigned int x1, unsigned int y0,
                                             unsigned int y1) {
  return wanren_box_muller_double(_curand_uniform_double_hq(x0, x1), _curand_uniform_double_hq(y0, y1));
}

QUALIFIERS float2 curand_normal2(curandStateXORWOW_t* state) {
  const unsigned int x = curand(state), y = curand(state);
  return _curand_box_muller(x, y);
}
QUALIFIERS float2 curand_normal2(curandStatePhilox4_32_10_t* state) {
  const unsigned int x = curand(state), y = curand(state);
  return _curand_box_muller(x, y);
}
QUALIFIERS float2 curand_normal2(curandStateMRG32k3a_t* state) {
  const float u = curand_uniform(state), angle = curand_uniform(state) * 6.2831853f;
  const float radius = sqrtf(-2.0f * logf(u));
  float2 pair;
  sincosf(angle, &pair.x, &pair.y);
  return make_float2(radius * pair.x, radius * pair.y);
}
QUALIFIERS float4 curand_normal4(curandStatePhilox4_32_10_t* state) {
  const uint4 x = curand4(state);
  const float2 a = _curand_box_muller(x.x, x.y), b = _curand_box_muller(x.z, x.w);
  return make_float4(a.x, a.y, b.x, b.y);
}
QUALIFIERS double2 curand_normal2_double(curandStateXORWOW_t* state) {
  const double u = curand_uniform_double(state), turns = curand_uniform_double(state);
  return wanren_box_muller_double(u, turns);
}
QUALIFIERS double2 curand_normal2_double(curandStatePhilox4_32_10_t* state) {
  const uint4 x = curand4(state);
  return _curand_box_muller_double(x.x, x.y, x.z, x.w);
}
QUALIFIERS double2 curand_normal2_double(curandStateMRG32k3a_t* state) {
  const double u = curand_uniform_double(state), turns = curand_uniform_double(state);
  return wanren_box_muller_double(u, turns);
}

#define WANREN_NORMAL(STATE)                             \
  QUALIFIERS float curand_normal(STATE* state) {         \
    if (state->boxmuller_flag) {                         \
      state->boxmuller_flag = 0;                         \
      return state->boxmuller_extra;                     \
    }                                                    \
    const float2 pair = curand_normal2(state);           \
    state->boxmuller_flag = 1;                           \
    state->boxmuller_extra = pair.y;                     \
    return pair.x;                                       \
  }                                                      \
  QUALIFIERS double curand_normal_double(STATE* state) { \
    if (state->boxmuller_flag_double) {                  \
      state->boxmuller_flag_double = 0;                  \
      return state->boxmuller_extra_double;              \
    }                                                    \
    const double2 pair = curand_normal2_double(state);   \
    state->boxmuller_flag_double = 1;                    \
    state->boxmuller_extra_double = pair.y;              \
    return pair.x;                                       \
  }
WANREN_NORMAL(curandStateXORWOW_t)
WANREN_NORMAL(curandStatePhilox4_32_10_t)
WANREN_NORMAL(curandStateMRG32k3a_t)

#if defined(__CUDA_ARCH__)
#define WANREN_SOBOL_NORMAL(STATE)                       \
  QUALIFIERS float curand_normal(STATE* state) {         \
    return normcdfinvf(curand_uniform(state));           \
  }                                                      \
  QUALIFIERS double curand_normal_double(STATE* state) { \
    return normcdfinv(curand_uniform_double(state));     \
  }
#else
#define WANREN_SOBOL_NORMAL(STATE)              \
  QUALIFIERS float curand_normal(STATE* state); \
  QUALIFIERS double curand_normal_double(STATE* state);
#endif
WANREN_SOBOL_NORMAL(curandStateSobol32_t)
WANREN_SOBOL_NORMAL(curandStateScrambledSobol32_t)
WANREN_SOBOL_NORMAL(curandStateSobol64_t)
WANREN_SOBOL_NORMAL(curandStateScrambledSobol64_t)

#endif
#endif
