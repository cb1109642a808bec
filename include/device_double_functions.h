#ifndef WANREN_DEVICE_DOUBLE_FUNCTIONS_H
#define WANREN_DEVICE_DOUBLE_FUNCTIONS_H
#include "cuda_runtime.h"
#endif
