// exp(mean + deviation * normal).
#ifndef WANREN_CURAND_LOGNORMAL_H
#define WANREN_CURAND_LOGNORMAL_H

#include "curand_normal.h"

#if defined(__cplusplus)

#define WANREN_LOG_NORMAL(STATE)                                                         \
  QUALIFIERS float curand_log_normal(STATE* state, float mean, float stddev) {           \
    return expf(mean + stddev * curand_normal(state));                                   \
  }                                                                                      \
  QUALIFIERS double curand_log_normal_double(STATE* state, double mean, double stddev) { \
    return exp(mean + stddev * curand_normal_double(state));                             \
  }
#define WANREN_LOG_NORMAL2(STATE)                                                          \
  QUALIFIERS float2 curand_log_normal2(STATE* state, float mean, float stddev) {           \
    const float2 n = curand_normal2(state);                                                \
    return make_float2(expf(mean + stddev * n.x), expf(mean + stddev * n.y));              \
  }                                                                                        \
  QUALIFIERS double2 curand_log_normal2_double(STATE* state, double mean, double stddev) { \
    const double2 n = curand_normal2_double(state);                                        \
    return make_double2(exp(mean + stddev * n.x), exp(mean + stddev * n.y));               \
  }
WANREN_LOG_NORMAL(curandStateXORWOW_t)
WANREN_LOG_NORMAL(curandStatePhilox4_32_10_t)
WANREN_LOG_NORMAL(curandStateMRG32k3a_t)
WANREN_LOG_NORMAL2(curandStateXORWOW_t)
WANREN_LOG_NORMAL2(curandStatePhilox4_32_10_t)
WANREN_LOG_NORMAL2(curandStateMRG32k3a_t)
#if defined(__CUDA_ARCH__)
WANREN_LOG_NORMAL(curandStateSobol32_t)
WANREN_LOG_NORMAL(curandStateScrambledSobol32_t)
WANREN_LOG_NORMAL(curandStateSobol64_t)
WANREN_LOG_NORMAL(curandStateScrambledSobol64_t)
#endif
QUALIFIERS float4 curand_log_normal4(curandStatePhilox4_32_10_t* state, float mean, float stddev) {
  const float4 n = curand_normal4(state);
  return make_float4(expf(mean + stddev * n.x), expf(mean + stddev * n.y), expf(mean + stddev * n.z),
                     expf(mean + stddev * n.w));
}

#endif
#endif
