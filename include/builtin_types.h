#ifndef WANREN_BUILTIN_TYPES_H
#define WANREN_BUILTIN_TYPES_H
#include "driver_types.h"
#include "vector_types.h"
#endif
