#ifndef WANREN_COMMON_FUNCTIONS_H
#define WANREN_COMMON_FUNCTIONS_H
#include "cuda_runtime.h"
#endif
