#pragma once
// Small programs by name: each launches kernels, checks what it can and prints a sum of what they left.
#include <cuda_runtime.h>

#include <cstring>
#include <vector>

#include "../check.h"

template <class T>
struct Buffer {
  explicit Buffer(std::size_t n) : size(n) {
    CUDA(cudaMalloc(&data, n * sizeof(T)));
    CUDA(cudaMemset(data, 0, n * sizeof(T)));
  }
  template <class F>
  Buffer(std::size_t n, F&& value) : Buffer(n) {
    std::vector<T> host(n);
    for (std::size_t i = 0; i < n; ++i) host[i] = static_cast<T>(value(i));
    CUDA(cudaMemcpy(data, host.data(), n * sizeof(T), cudaMemcpyHostToDevice));
  }
  ~Buffer() { cudaFree(data); }
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;
  operator T*() const { return data; }
  std::vector<T> host() const {
    std::vector<T> out(size);
    CUDA(cudaMemcpy(out.data(), data, size * sizeof(T), cudaMemcpyDeviceToHost));
    return out;
  }
  T* data = nullptr;
  std::size_t size;
};

inline unsigned scramble(std::size_t i) {
  unsigned x = static_cast<unsigned>(i) * 2654435761u;
  x ^= x >> 15;
  x *= 2246822519u;
  return x ^ x >> 13;
}

/// Every byte counts, and where it is.
template <class T>
void print_sum(const Buffer<T>& buffer) {
  const std::vector<T> values = buffer.host();
  std::vector<unsigned char> bytes(values.size() * sizeof(T));
  std::memcpy(bytes.data(), values.data(), bytes.size());
  unsigned long long sum = 1469598103934665603ull;
  for (const unsigned char b : bytes) sum = (sum ^ b) * 1099511628211ull;
  std::printf("%016llx\n", sum);
}

struct Case {
  const char* name;
  void (*run)();
};

/// No argument: lists the names.
inline int run_case(int count, char** arguments, const std::vector<Case>& cases) {
  if (count < 2) {
    for (const Case& c : cases) std::printf("%s\n", c.name);
    return 0;
  }
  for (const Case& c : cases)
    if (std::strcmp(c.name, arguments[1]) == 0) {
      c.run();
      CUDA(cudaDeviceSynchronize());
      std::printf("PASS\n");
      return 0;
    }
  std::printf("FAIL: no case %s\n", arguments[1]);
  return 1;
}
