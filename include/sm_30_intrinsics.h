#ifndef WANREN_SM_30_INTRINSICS_H
#define WANREN_SM_30_INTRINSICS_H
#include "cuda_runtime.h"
#endif
