// Functions that libclc lacks, built on those that it has.
#include "device.h"

DEVICE float __nv_cbrtf(float);
DEVICE double __nv_cbrt(double);

DEVICE float __nv_rcbrtf(float a) { return 1.0f / __nv_cbrtf(a); }
DEVICE double __nv_rcbrt(double a) { return 1.0 / __nv_cbrt(a); }
