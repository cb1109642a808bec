// cuFloatComplex and cuDoubleComplex.
#ifndef WANREN_CUCOMPLEX_H
#define WANREN_CUCOMPLEX_H

#include "cuda_runtime.h"

#include <math.h>

typedef float2 cuFloatComplex;
typedef double2 cuDoubleComplex;
typedef cuFloatComplex cuComplex;

#define WANREN_COMPLEX(C, T, N, SQRT)                                                                       \
  static __inline__ __host__ __device__ T cuCreal##N(C a) {                                                 \
    return a.x;                                                                                             \
  }                                                                                                         \
  static __inline__ __host__ __device__ T cuCimag##N(C a) {                                                 \
    return a.y;                                                                                             \
  }                                                                                                         \
  static __inline__ __host__ __device__ C wanren_complex##N(T re, T im) {                                   \
    C r;                                                                                                    \
    r.x = re, r.y = im;                                                                                     \
    return r;                                                                                               \
  }                                                                                                         \
  static __inline__ __host__ __device__ C cuConj##N(C a) {                                                  \
    return wanren_complex##N(a.x, -a.y);                                                                    \
  }                                                                                                         \
  static __inline__ __host__ __device__ C cuCadd##N(C a, C b) {                                             \
    return wanren_complex##N(a.x + b.x, a.y + b.y);                                                         \
  }                                                                                                         \
  static __inline__ __host__ __device__ C cuCsub##N(C a, C b) {                                             \
    return wanren_complex##N(a.x - b.x, a.y - b.y);                                                         \
  }                                                                                                         \
  static __inline__ __host__ __device__ C cuCmul##N(C a, C b) {                                             \
    return wanren_complex##N(a.x * b.x - a.y * b.y, a.x * b.y + a.y * b.x);                                 \
  }                                                                                                         \
  static __inline__ __host__ __device__ C cuCfma##N(C a, C b, C c) {                                        \
    return cuCadd##N(cuCmul##N(a, b), c);                                                                   \
  }                                                                                                         \
  static __inline__ __host__ __device__ C cuCdiv##N(C a, C b) {                                             \
    const T bx = b.x < 0 ? -b.x : b.x, by = b.y < 0 ? -b.y : b.y, s = 1 / (bx + by);                        \
    const T px = a.x * s, py = a.y * s, qx = b.x * s, qy = b.y * s, d = 1 / (qx * qx + qy * qy);            \
    return wanren_complex##N((px * qx + py * qy) * d, (py * qx - px * qy) * d);                             \
  }                                                                                                         \
  static __inline__ __host__ __device__ T cuCabs##N(C a) {                                                  \
    const T x = a.x < 0 ? -a.x : a.x, y = a.y < 0 ? -a.y : a.y, big = x > y ? x : y, small = x > y ? y : x; \
    if (big == 0) return small;                                                                             \
    const T t = small / big;                                                                                \
    return big * SQRT(1 + t * t);                                                                           \
  }
WANREN_COMPLEX(cuFloatComplex, float, f, sqrtf)
WANREN_COMPLEX(cuDoubleComplex, double, , sqrt)
#undef WANREN_COMPLEX
static __inline__ __host__ __device__ cuFloatComplex make_cuFloatComplex(float x, float y) {
  return wanren_complexf(x, y);
}
static __inline__ __host__ __device__ cuDoubleComplex make_cuDoubleComplex(double x, double y) {
  return wanren_complex(x, y);
}
static __inline__ __host__ __device__ cuComplex make_cuComplex(float x, float y) {
  return wanren_complexf(x, y);
}
static __inline__ __host__ __device__ cuDoubleComplex cuComplexFloatToDouble(cuFloatComplex c) {
  return wanren_complex(c.x, c.y);
}
static __inline__ __host__ __device__ cuFloatComplex cuComplexDoubleToFloat(cuDoubleComplex c) {
  return wanren_complexf((float)c.x, (float)c.y);
}

#endif
