#ifndef WANREN_SURFACE_FUNCTIONS_H
#define WANREN_SURFACE_FUNCTIONS_H
#include "cuda_runtime.h"
#endif
