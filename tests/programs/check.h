#pragma once
// A check that names its line; a program that gets to the end prints PASS.
#include <cstdio>
#include <cstdlib>

#define EXPECT(condition)                                              \
  do {                                                                 \
    if (!(condition)) {                                                \
      std::printf("FAIL %s:%d: %s\n", __FILE__, __LINE__, #condition); \
      std::exit(1);                                                    \
    }                                                                  \
  } while (0)

#define CUDA(call)                                                                                   \
  do {                                                                                               \
    const cudaError_t wr_status = (call);                                                            \
    if (wr_status != cudaSuccess) {                                                                  \
      std::printf("FAIL %s:%d: %s: %s\n", __FILE__, __LINE__, #call, cudaGetErrorString(wr_status)); \
      std::exit(1);                                                                                  \
    }                                                                                                \
  } while (0)
