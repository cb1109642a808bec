// Products of matrices on the units for them: what is asked, and what all such kernels share. C lies by
// columns, so the kernels see it as its transpose: rows() of B's columns and columns() of A's rows, whose
// sums lie together in memory as they do in a warp.
#pragma once

#include <cuda_bf16.h>
#include <cuda_fp16.h>

#include <type_traits>

#include "handle.h"

/// row (of the kernel's: a column of C) i, depth k is at [i * ld + k], or across at [k * ld + i].
struct Operand {
  const void* at;
  int ld;
  long long stride;  ///< Elements from one product of a batch to the next.
  bool across;
};

struct TensorProduct {
  cublasHandle_t handle;
  cudaDataType in, out;
  bool integer_scalars;
  int rows, columns, depth, count;
  Operand left, right;  ///< Of `rows` and of `columns` lines.
  const void *alpha, *beta;
  void* c;
  int ldc;
  long long stride_c;

  int element_bytes() const { return in == CUDA_R_32F ? 4 : in == CUDA_R_8I ? 1 : 2; }
};

enum class Refused { no, yes };

/// Launches the kernel that the table has for this chip and shape, or refuses: the units do not take these
/// types, or the addresses lie so that they cannot be read 16 bytes at a time.
Refused multiply_by_tensor(const TensorProduct& product, cublasStatus_t& status);

/// What a chip has to choose by.
struct Abilities {
  int major, units, shared_bytes;
};

/// A CTA's tile of C, how many are on a unit at once, and the part of the units' peak that it reaches, which
/// decides between tiles: of the large ones by order of size, not to the point.
struct TileChoice {
  int rows, columns, ctas_per_unit, shared_bytes;
  double share_of_peak;
};

// group_products.cu: by warpgroups, operands from shared memory (compute capability 9.0).
const TileChoice* group_tiles(const TensorProduct& product, int& count);
cublasStatus_t launch_group(const TensorProduct& product, int tile);
// warp_products.cu: by warps, operands from registers (compute capability 8.0 and later).
const TileChoice* warp_tiles(const TensorProduct& product, int& count);
cublasStatus_t launch_warp(const TensorProduct& product, int tile);

/// What alpha and beta are: whole where C is.
template <typename Out>
using ScaleOf = std::conditional_t<std::is_same_v<Out, int>, int, float>;

/// Where sums go and what becomes of them on the way.
template <typename Scale>
struct Output {
  Scalar<Scale> alpha, beta;
  void* c;
  int rows, columns, ld;
  long long stride;
  bool by_16_bytes;  ///< Rows begin at multiples of 16 bytes.

  explicit Output(const TensorProduct& p);
};

template <typename Scale>
Output<Scale>::Output(const TensorProduct& p)
    : alpha(p.handle, static_cast<const Scale*>(p.alpha)),
      beta(p.handle, static_cast<const Scale*>(p.beta)),
      c(p.c),
      rows(p.rows),
      columns(p.columns),
      ld(p.ldc),
      stride(p.stride_c) {
  const long long bytes = p.out == CUDA_R_16F || p.out == CUDA_R_16BF ? 2 : 4;
  by_16_bytes = reinterpret_cast<unsigned long long>(p.c) % 16 == 0 && p.ldc * bytes % 16 == 0 &&
                (p.count == 1 || p.stride_c * bytes % 16 == 0);
}

// --- a warp's sums to C ---

inline __device__ unsigned packed(__half a, __half b) {
  return __half_as_ushort(a) | static_cast<unsigned>(__half_as_ushort(b)) << 16;
}
inline __device__ unsigned packed(__nv_bfloat16 a, __nv_bfloat16 b) {
  return __bfloat16_as_ushort(a) | static_cast<unsigned>(__bfloat16_as_ushort(b)) << 16;
}
inline __device__ float wide(float v) {
  return v;
}
inline __device__ int wide(int v) {
  return v;
}
inline __device__ float wide(__half v) {
  return __half2float(v);
}
inline __device__ float wide(__nv_bfloat16 v) {
  return __bfloat162float(v);
}
inline __device__ void narrow(float& to, float v) {
  to = v;
}
inline __device__ void narrow(int& to, int v) {
  to = v;
}
inline __device__ void narrow(__half& to, float v) {
  to = __float2half(v);
}
inline __device__ void narrow(__nv_bfloat16& to, float v) {
  to = __float2bfloat16(v);
}

/// Words 0 to 3 of each lane of a quad become those of lane 0 to 3 with the lane's number.
inline __device__ void transpose_quad(unsigned (&w)[4], int lane) {
  const auto exchange = [&](unsigned& a, unsigned& b, int mask) {
    const bool second = (lane & mask) != 0;
    const unsigned x = a, y = b, got = __shfl_xor_sync(~0u, second ? x : y, mask);
    a = second ? got : x;
    b = second ? y : got;
  };
  exchange(w[0], w[1], 1), exchange(w[2], w[3], 1);
  exchange(w[0], w[2], 2), exchange(w[1], w[3], 2);
}

/// Inlined, for the sums are registers only where nobody takes their address. 16 rows from `row` and 8
/// `groups` columns from `column`, as mma leaves them: sums 4 g and 4 g + 1 of a lane are those of row lane /
/// 4 and columns 8 g + lane % 4 * 2, the next two of the row 8 further down.
template <typename Out, int groups, typename Scale, typename Sum>
__device__ __forceinline__ void store(const Output<Scale>& out, long long batch, int row, int column,
                                      const Sum (&sum)[groups * 4]) {
  constexpr int some = 16;  // at a time: few registers beside the sums
  static_assert(groups * 4 % some == 0);
  const int lane = static_cast<int>(threadIdx.x) % 32, quad = lane % 4, first = row + lane / 4;
  const Scale alpha = out.alpha.get(), beta = out.beta.get();
  const bool inside = out.by_16_bytes && row + 16 <= out.rows && column + groups * 8 <= out.columns;
  Out* const c = static_cast<Out*>(out.c) + batch * out.stride;
  Out* const line = c + static_cast<long long>(first) * out.ld + column;
  const long long below = 8ll * out.ld;
#pragma unroll
  for (int begin = 0; begin < groups * 4; begin += some) {
    Scale v[some];
#pragma unroll
    for (int i = 0; i < some; ++i) v[i] = alpha * static_cast<Scale>(sum[begin + i]);
    const auto row_of = [&](int i) { return first + i / 2 % 2 * 8; };
    const auto column_of = [&](int i) { return column + (begin + i) / 4 * 8 + quad * 2 + i % 2; };
    // With beta = 0 the old C is not read: it may be NaN. What lies outside of it is read at its edge, and
    // dropped.
    if (beta != Scale{}) {
#pragma unroll
      for (int i = 0; i < some; ++i) {
        const int r = min(row_of(i), out.rows - 1), j = min(column_of(i), out.columns - 1);
        v[i] += beta * wide(c[static_cast<long long>(r) * out.ld + j]);
      }
    }
    const auto narrowed = [&](int i) {
      Out n;
      narrow(n, v[i]);
      return n;
    };
    if (!inside) {
#pragma unroll
      for (int i = 0; i < some; ++i) {
        const int r = row_of(i), j = column_of(i);
        if (r < out.rows && j < out.columns) c[static_cast<long long>(r) * out.ld + j] = narrowed(i);
      }
      continue;
    }
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      Out* const to = line + half * below + begin / 4 * 8;
      if constexpr (sizeof(Out) == 4) {
        struct alignas(8) Two {
          Out a, b;
        };
#pragma unroll
        for (int g = 0; g < some / 4; ++g)
          *reinterpret_cast<Two*>(to + g * 8 + quad * 2) =
              Two{narrowed(g * 4 + half * 2), narrowed(g * 4 + half * 2 + 1)};
      } else {
        unsigned words[4];
#pragma unroll
        for (int q = 0; q < 4; ++q)
          words[q] = packed(narrowed(q * 4 + half * 2), narrowed(q * 4 + half * 2 + 1));
        transpose_quad(words, lane);
        *reinterpret_cast<uint4*>(to + quad * 8) = make_uint4(words[0], words[1], words[2], words[3]);
      }
    }
  }
}
