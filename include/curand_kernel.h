// cuRAND's device functions: XORWOW, Philox4x32-10 and MRG32k3a from the papers that define them, seeded and
// cut into subsequences as cuRAND's guide says; Sobol' over the caller's direction vectors. Integers and
// uniform numbers follow from those definitions; normal and Poisson numbers have the right distribution, and
// need not equal the vendor's to the bit. MTGP32 needs the vendor's parameter sets and is not there.
#ifndef WANREN_CURAND_KERNEL_H
#define WANREN_CURAND_KERNEL_H
#define CURAND_KERNEL_H_  // libraries ask for this name

#include "curand.h"
#include "curand_lognormal.h"
#include "curand_mrg32k3a.h"
#include "curand_normal.h"
#include "curand_philox4x32_x.h"
#include "curand_poisson.h"
#include "curand_uniform.h"

#endif
