#ifndef WANREN_DEVICE_TYPES_H
#define WANREN_DEVICE_TYPES_H
#define __DEVICE_TYPES_H__  // libraries ask for this name
enum cudaRoundMode { cudaRoundNearest, cudaRoundZero, cudaRoundPosInf, cudaRoundMinInf };
#endif
