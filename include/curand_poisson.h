// Poisson numbers: products of uniform numbers (Knuth) below a mean of 64, transformed rejection above
// (Hoermann, "The transformed rejection method for generating Poisson random variables", 1993, PTRS), a
// rounded normal number above 4,000, as cuRAND's guide allows for.
#ifndef WANREN_CURAND_POISSON_H
#define WANREN_CURAND_POISSON_H

#include "curand_normal.h"

#if defined(__cplusplus)

template <typename State>
QUALIFIERS unsigned int wanren_poisson(State* state, double lambda) {
  if (lambda < 64) {
    const double limit = exp(-lambda);
    double product = curand_uniform_double(state);
    unsigned int k = 0;
    for (; product > limit; ++k) product *= curand_uniform_double(state);
    return k;
  }
  if (lambda > 4000) {
    const double value = lambda + sqrt(lambda) * curand_normal_double(state) + 0.5;
    return value > 0 ? (unsigned int)value : 0;
  }
  const double b = 0.931 + 2.53 * sqrt(lambda), a = -0.059 + 0.02483 * b,
               inverse_alpha = 1.1239 + 1.1328 / (b - 3.4), right = 0.9277 - 3.6224 / (b - 2),
               log_lambda = log(lambda);
  for (;;) {
    const double u = curand_uniform_double(state) - 0.5, v = curand_uniform_double(state);
    const double us = 0.5 - fabs(u), k = floor((2 * a / us + b) * u + lambda + 0.43);
    if (us >= 0.07 && v <= right) return (unsigned int)k;
    if (k < 0 || (us < 0.013 && v > us)) continue;
    if (log(v) + log(inverse_alpha) - log(a / (us * us) + b) <= k * log_lambda - lambda - lgamma(k + 1))
      return (unsigned int)k;
  }
}
QUALIFIERS unsigned int curand_poisson(curandStateXORWOW_t* state, double lambda) {
  return wanren_poisson(state, lambda);
}
QUALIFIERS unsigned int curand_poisson(curandStatePhilox4_32_10_t* state, double lambda) {
  return wanren_poisson(state, lambda);
}
QUALIFIERS unsigned int curand_poisson(curandStateMRG32k3a_t* state, double lambda) {
  return wanren_poisson(state, lambda);
}
QUALIFIERS uint4 curand_poisson4(curandStatePhilox4_32_10_t* state, double lambda) {
  const unsigned int a = wanren_poisson(state, lambda), b = wanren_poisson(state, lambda),
                     c = wanren_poisson(state, lambda), d = wanren_poisson(state, lambda);
  return make_uint4(a, b, c, d);
}

#endif
#endif
