#ifndef WANREN_MATH_FUNCTIONS_H
#define WANREN_MATH_FUNCTIONS_H
#include "cuda_runtime.h"
#endif
