// threadIdx and its kin come with cuda_runtime.h.
#ifndef WANREN_DEVICE_LAUNCH_PARAMETERS_H
#define WANREN_DEVICE_LAUNCH_PARAMETERS_H
#include "cuda_runtime.h"
#endif
