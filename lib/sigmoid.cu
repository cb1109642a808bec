// Functions that level off, in single precision: an odd polynomial near zero, and beyond it the distance to
// one as a power of two. Coefficients are minimax fits of this project's own; tests/programs/math_ulp.cu
// holds CUDA's bounds.
#include "device.h"

DEVICE float __nv_tanhf(float x) {
  const float size = __builtin_fabsf(x), z = x * x;
  const float e = __nvvm_ex2_approx_ftz_f(size * 0x1.715476p1f);  // exp(2 |x|)
  const float far = __builtin_fmaf(-2.0f, __nvvm_rcp_approx_ftz_f(e + 1.0f), 1.0f);
  float p = __builtin_fmaf(-0.005819093901664019f, z, 0.0207347609102726f);
  p = __builtin_fmaf(p, z, -0.05376704782247543f);
  p = __builtin_fmaf(p, z, 0.13331745564937592f);
  p = __builtin_fmaf(p, z, -0.33333292603492737f);
  return __builtin_copysignf(size < 0.61f ? __builtin_fmaf(p * z, size, size) : far, x);
}

DEVICE float __nv_erff(float x) {
  const float size = __builtin_fabsf(x), z = x * x;
  float p = __builtin_fmaf(7.853851275285706e-05f, z, -0.0008010190795175731f);
  p = __builtin_fmaf(p, z, 0.00518832728266716f);
  p = __builtin_fmaf(p, z, -0.026853810995817184f);
  p = __builtin_fmaf(p, z, 0.1128358542919159f);
  p = __builtin_fmaf(p, z, -0.3761262595653534f);
  p = __builtin_fmaf(p, z, 0.12837916612625122f);
  const float a = __builtin_fminf(size, 4.0f);  // Nearer to one than to any other float.
  float q = __builtin_fmaf(-3.130294498987496e-05f, a, 0.0006369092734530568f);  // log2(erfc(a))
  q = __builtin_fmaf(q, a, -0.006066937930881977f);
  q = __builtin_fmaf(q, a, 0.03637081757187843f);
  q = __builtin_fmaf(q, a, -0.1564200073480606f);
  q = __builtin_fmaf(q, a, -0.9135381579399109f);
  q = __builtin_fmaf(q, a, -1.6296398639678955f);
  q = __builtin_fmaf(q, a, 0.00027189930551685393f);
  const float far = __builtin_copysignf(1.0f - __nvvm_ex2_approx_ftz_f(q), x);
  return size > 1.0f ? far : __builtin_fmaf(p, x, x);
}
