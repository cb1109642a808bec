#pragma once
// Shared by the measuring kernels: errors, medians of event times, one CSV line per figure.
#include <cuda_runtime.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <vector>

#define CUDA(call)                                                         \
  do {                                                                     \
    const cudaError_t status = (call);                                     \
    if (status != cudaSuccess) {                                           \
      std::fprintf(stderr, "%s: %s\n", #call, cudaGetErrorString(status)); \
      std::exit(1);                                                        \
    }                                                                      \
  } while (0)

/// Milliseconds of one run of `work`.
template <class F>
double once_ms(F work) {
  cudaEvent_t begin, end;
  CUDA(cudaEventCreate(&begin));
  CUDA(cudaEventCreate(&end));
  CUDA(cudaEventRecord(begin));
  work();
  CUDA(cudaEventRecord(end));
  CUDA(cudaEventSynchronize(end));
  CUDA(cudaGetLastError());
  float ms = 0;
  CUDA(cudaEventElapsedTime(&ms, begin, end));
  CUDA(cudaEventDestroy(begin));
  CUDA(cudaEventDestroy(end));
  return ms;
}

/// Median milliseconds of `work` over `repeats` runs after one warm-up.
template <class F>
double median_ms(int repeats, F work) {
  work();
  std::vector<double> times;
  for (int i = 0; i < repeats; ++i) times.push_back(once_ms(work));
  std::sort(times.begin(), times.end());
  return times[times.size() / 2];
}

/// benchmark,parameter,value,unit
inline void csv(const char* benchmark, double parameter, double value, const char* unit) {
  std::printf("%s,%g,%.6g,%s\n", benchmark, parameter, value, unit);
}

/// Repeats from the command line: a simulator needs no more than one.
inline int repeats_from(int argc, char** argv, int otherwise) {
  return argc > 1 ? std::atoi(argv[1]) : otherwise;
}
