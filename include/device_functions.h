#ifndef WANREN_DEVICE_FUNCTIONS_H
#define WANREN_DEVICE_FUNCTIONS_H
#include "cuda_runtime.h"
#endif
