#ifndef WANREN_SM_32_INTRINSICS_H
#define WANREN_SM_32_INTRINSICS_H
#include "cuda_runtime.h"
#endif
