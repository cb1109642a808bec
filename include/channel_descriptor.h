// cudaCreateChannelDesc<T>() (CUDA Runtime API reference, "C++ API Routines").
#ifndef WANREN_CHANNEL_DESCRIPTOR_H
#define WANREN_CHANNEL_DESCRIPTOR_H
#define __CHANNEL_DESCRIPTOR_H__  // libraries ask for this name

#include "cuda_runtime_api.h"

#if defined(__cplusplus)
template <class T>
inline cudaChannelFormatDesc cudaCreateChannelDesc() {
  return cudaCreateChannelDesc(0, 0, 0, 0, cudaChannelFormatKindNone);
}
#define WANREN_CHANNEL(T, N, KIND)                                                                  \
  template <>                                                                                       \
  inline cudaChannelFormatDesc cudaCreateChannelDesc<T>() {                                         \
    const int bits = int(sizeof(T) / N * 8);                                                        \
    return cudaCreateChannelDesc(bits, N > 1 ? bits : 0, N > 2 ? bits : 0, N > 3 ? bits : 0, KIND); \
  }
#define WANREN_CHANNELS(S, V, KIND) \
  WANREN_CHANNEL(S, 1, KIND)        \
  WANREN_CHANNEL(V##1, 1, KIND) WANREN_CHANNEL(V##2, 2, KIND) WANREN_CHANNEL(V##4, 4, KIND)
WANREN_CHANNEL(char, 1, cudaChannelFormatKindSigned)
WANREN_CHANNELS(signed char, char, cudaChannelFormatKindSigned)
WANREN_CHANNELS(unsigned char, uchar, cudaChannelFormatKindUnsigned)
WANREN_CHANNELS(short, short, cudaChannelFormatKindSigned)
WANREN_CHANNELS(unsigned short, ushort, cudaChannelFormatKindUnsigned)
WANREN_CHANNELS(int, int, cudaChannelFormatKindSigned)
WANREN_CHANNELS(unsigned int, uint, cudaChannelFormatKindUnsigned)
WANREN_CHANNELS(float, float, cudaChannelFormatKindFloat)
#undef WANREN_CHANNELS
#undef WANREN_CHANNEL
#endif

#endif
