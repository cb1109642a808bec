// What a cuFFT plan holds.
#pragma once

#include <cufft.h>

#include <vector>

/// Where element (b, x0, x1, x2) of a batch lies: b * distance + ((x0 * embed[1] + x1) * embed[2] + x2) *
/// stride.
struct Layout {
  long long embed[3], stride, distance;
};

/// One pass over all lines of a dimension: butterflies of `radix` elements, `done` being the product of the
/// radices before.
struct Pass {
  int dimension, radix;
  long long done;
};

struct Plan {
  bool made = false, automatic = true;
  bool single = false;  ///< float, else double.
  cufftType type{};
  int rank = 0;
  long long n[3] = {1, 1, 1};  ///< Lengths, the last dimension being n[2]: missing ones come first and are 1.
  long long batch = 1;
  bool plain =
      true;  ///< No embedding was given: contiguous, and padded rows where a real transform is in place.
  Layout in{}, out{};
  std::vector<Pass> passes;
  /// exp(-2 pi i k / n) of each dimension, at `roots[d]`: whole, or the product of two tables for long lines.
  void* roots[3] = {nullptr, nullptr, nullptr};
  std::size_t work_bytes = 0;
  void* work = nullptr;  ///< Two buffers of all elements, complex.
  bool owns_work = false;
  cudaStream_t stream = nullptr;

  long long elements() const { return batch * n[0] * n[1] * n[2]; }
};

/// Lines up to this length have a whole table of roots; of longer ones, one for every `coarse`-th and one for
/// the rest.
constexpr long long whole_table = 1 << 18, coarse = 1024;

/// The plan of a handle, or null.
Plan* find_plan(cufftHandle handle);
