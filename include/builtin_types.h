#ifndef WANREN_BUILTIN_TYPES_H
#define WANREN_BUILTIN_TYPES_H
#define __BUILTIN_TYPES_H__  // libraries ask for this name
#include "driver_types.h"
#include "vector_types.h"
#endif
