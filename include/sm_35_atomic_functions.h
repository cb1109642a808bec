#ifndef WANREN_SM_35_ATOMIC_FUNCTIONS_H
#define WANREN_SM_35_ATOMIC_FUNCTIONS_H
#include "cuda_runtime.h"
#endif
