#ifndef WANREN_TEXTURE_FETCH_FUNCTIONS_H
#define WANREN_TEXTURE_FETCH_FUNCTIONS_H
#include "cuda_runtime.h"
#endif
