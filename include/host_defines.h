#ifndef WANREN_HOST_DEFINES_H
#define WANREN_HOST_DEFINES_H
#include "crt/host_defines.h"
#endif
