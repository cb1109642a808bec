// Programs include it for cufft.h alone; of cuFFT's functions for several devices and other types none is
// declared.
#ifndef WANREN_CUFFTXT_H
#define WANREN_CUFFTXT_H

#include "cufft.h"

#endif
