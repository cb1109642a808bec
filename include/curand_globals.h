// What every generator of curand_kernel.h shares: where its functions run.
#ifndef WANREN_CURAND_GLOBALS_H
#define WANREN_CURAND_GLOBALS_H

#include <cuda_runtime.h>

// libcurand defines it so that its host generators run the same code.
#ifndef QUALIFIERS
#define QUALIFIERS static __forceinline__ __device__
#endif

typedef enum curandMethod {
  CURAND_CHOOSE_BEST = 0,
  CURAND_ITR = 1,
  CURAND_KNUTH = 2,
  CURAND_HITR = 3,
  CURAND_M1 = 4,
  CURAND_M2 = 5,
  CURAND_BINARY_SEARCH = 6,
  CURAND_DISCRETE_GAUSS = 7,
  CURAND_REJECTION = 8,
  CURAND_DEVICE_API = 9,
  CURAND_FAST_REJECTION = 10,
  CURAND_3RD = 11,
  CURAND_DEFINITION = 12,
  CURAND_POISSON = 13
} curandMethod_t;

#endif
