#ifndef WANREN_SM_60_ATOMIC_FUNCTIONS_H
#define WANREN_SM_60_ATOMIC_FUNCTIONS_H
#include "cuda_runtime.h"
#endif
