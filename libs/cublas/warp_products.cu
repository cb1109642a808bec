// Products by warps: slices of both matrices go to a ring in shared memory by asynchronous copies, from there
// to registers. Layouts are in bytes, the same for all types: a product takes 32 bytes of k.
#include <algorithm>
#include <cstdint>
#include <iterator>
#include <type_traits>

#include "tensor.h"

namespace {

template <int rows_, int columns_, int warps_down_, int warps_across_, int depth_bytes_, int ring_, int ctas_>
struct Tile {
  static constexpr int rows = rows_, columns = columns_, depth_bytes = depth_bytes_, ring = ring_,
                       warps_down = warps_down_, warps_across = warps_across_, ctas_per_unit = ctas_;
  static constexpr int warps = warps_down * warps_across, threads = warps * 32;
  static constexpr int warp_rows = rows / warps_down, warp_columns = columns / warps_across;
  static constexpr int left_bytes = rows * depth_bytes, slice_bytes = left_bytes + columns * depth_bytes;
  static constexpr int shared_bytes = ring * slice_bytes;
  static constexpr int parts = depth_bytes / 32;  ///< Products along a slice's k.
};

template <typename Scale>
struct Task {
  Output<Scale> out;
  Operand left, right;
  int depth;
};

// --- a slice in shared memory: chunks of 16 bytes, exchanged so that reading them meets no bank twice ---

/// Chunk `part` along k of a line. `in` is the line but for a multiple of 8, which does not change the
/// pattern.
template <int depth_bytes>
__device__ int chunk_at(int line, int in, int part) {
  constexpr int chunks = depth_bytes / 16;
  return line * depth_bytes + (part ^ (chunks >= 8 ? in & 7 : in >> 1 & (chunks - 1))) * 16;
}
/// Chunk `part` along the lines of depth k, where k is the slower index; `in` as above, of k.
template <int lines, int element_bytes>
__device__ int chunk_across(int k, int in, int part) {
  return k * lines * element_bytes + (part ^ (element_bytes == 2 ? in & 7 : (in & 3) << 1)) * 16;
}

/// If `i` is below `count`, the bytes; else, and behind them, zeros. The comparison stays here, or a dozen of
/// its results would be kept in registers.
template <int i>
__device__ void copy(unsigned to, const void* from, int bytes, int count) {
  asm volatile(
      "{.reg .pred p; .reg .b32 b; setp.gt.s32 p, %3, %4; selp.b32 b, %2, 0, p; cp.async.cg.shared.global "
      "[%0], "
      "[%1], 16, b;}" ::"r"(to),
      "l"(from), "r"(bytes), "r"(count), "n"(i)
      : "memory");
}
template <int i, int count, typename F>
__device__ __forceinline__ void each_of(const F& f) {
  if constexpr (i < count) {
    f(std::integral_constant<int, i>());
    each_of<i + 1, count>(f);
  }
}

/// What a thread copies of each slice: the same chunks, `step` further on in each.
template <class T, typename In, bool across, int lines>
struct Copier {
  static constexpr int element_bytes = sizeof(In), per_chunk = 16 / element_bytes;
  static constexpr int depth = T::depth_bytes / element_bytes;
  static constexpr int chunks = lines * T::depth_bytes / 16, each = chunks / T::threads;
  static_assert(chunks % T::threads == 0);

  const char* at;
  long long step;
  int line, lines_in_all, depth_in_all;

  __device__ Copier(const Operand& operand, long long batch, int first, int in_all, int deep)
      : at(static_cast<const char*>(operand.at) + batch * operand.stride * element_bytes),
        step(static_cast<long long>(operand.ld) * element_bytes),
        line(first),
        lines_in_all(in_all),
        depth_in_all(deep) {}

  __device__ void operator()(unsigned slice, int k0) const {
    constexpr int in_row = across ? lines / per_chunk : T::depth_bytes / 16, rows = T::threads / in_row;
    static_assert(T::threads % in_row == 0);
    // A row of chunks is what lies together: k, or lines where k is the slower index.
    const int row0 = static_cast<int>(threadIdx.x) / in_row, part = static_cast<int>(threadIdx.x) % in_row;
    const int outer0 = (across ? k0 : line) + row0, inner = (across ? line : k0) + part * per_chunk;
    const int in_row_left = ((across ? lines_in_all : depth_in_all) - inner) * element_bytes,
              bytes = min(max(in_row_left, 0), 16),
              count = ((across ? depth_in_all : lines_in_all) - outer0 + rows - 1) / rows;
    const char* from = bytes > 0 ? at + outer0 * step + static_cast<long long>(inner) * element_bytes : at;
    const long long forth = bytes > 0 ? rows * step : 0;
    const auto to = [&](int i) {
      const int in = rows % 8 == 0 ? row0 : row0 + i * rows;
      return across ? chunk_across<lines, element_bytes>(row0 + i * rows, in, part)
                    : chunk_at<T::depth_bytes>(row0 + i * rows, in, part);
    };
    each_of<0, each>([&](auto i) {
      copy<i>(slice + to(i), from, bytes, count);
      from += forth;
    });
  }
};

// --- fragments ---

__device__ void load_matrices(unsigned (&r)[4], unsigned at) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
               : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
               : "r"(at)
               : "memory");
}
__device__ void load_transposed(unsigned (&r)[4], unsigned at) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];"
               : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
               : "r"(at)
               : "memory");
}
__device__ unsigned load_word(unsigned at) {
  unsigned v;
  asm volatile("ld.shared.b32 %0, [%1];" : "=r"(v) : "r"(at) : "memory");
  return v;
}

/// 16 lines from `line` on, the 32 bytes of k at `part`: of lines 0 to 7 and 8 to 15 the first half of k,
/// then of both the second.
template <class T, typename In, bool across, int lines>
__device__ void load_fragment(unsigned (&r)[4], unsigned slice, int line, int part) {
  const int lane = static_cast<int>(threadIdx.x) % 32, in = lane % 8, matrix = lane / 8;
  if constexpr (!across) {
    load_matrices(r, slice + chunk_at<T::depth_bytes>(line + in + matrix % 2 * 8, in + matrix % 2 * 8,
                                                      part * 2 + matrix / 2));
  } else if constexpr (sizeof(In) == 2) {
    load_transposed(
        r, slice + chunk_across<lines, 2>(part * 16 + matrix / 2 * 8 + in, in, line / 8 + matrix % 2));
  } else {
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      const int k = part * 8 + i / 2 * 4 + lane % 4, l = line + i % 2 * 8 + lane / 4;
      r[i] = load_word(slice + chunk_across<lines, 4>(k, k, l / 4) + l % 4 * 4);
    }
  }
}

template <typename In>
__device__ void add(float* d, const unsigned (&a)[4], unsigned b0, unsigned b1) {
#define WARP_PRODUCT(SHAPE)                                                   \
  asm volatile("mma.sync.aligned." SHAPE                                      \
               " {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, " \
               "%3};"                                                         \
               : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])               \
               : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1))
  if constexpr (std::is_same_v<In, __half>)
    WARP_PRODUCT("m16n8k16.row.col.f32.f16.f16.f32");
  else if constexpr (std::is_same_v<In, __nv_bfloat16>)
    WARP_PRODUCT("m16n8k16.row.col.f32.bf16.bf16.f32");
  else
    WARP_PRODUCT("m16n8k8.row.col.f32.tf32.tf32.f32");
#undef WARP_PRODUCT
}
template <typename In>
__device__ void add(int* d, const unsigned (&a)[4], unsigned b0, unsigned b1) {
  asm volatile(
      "mma.sync.aligned.m16n8k32.row.col.s32.s8.s8.s32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, "
      "%1, "
      "%2, %3};"
      : "+r"(d[0]), "+r"(d[1]), "+r"(d[2]), "+r"(d[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
}

template <class T, typename In, typename Out, bool left_across, bool right_across>
__global__ void __launch_bounds__(T::threads, T::ctas_per_unit)
    multiply_tiles(const __grid_constant__ Task<ScaleOf<Out>> task, int down) {
  using Scale = ScaleOf<Out>;
  using Sum = std::conditional_t<sizeof(In) == 1, int, float>;
  constexpr int depth = T::depth_bytes / static_cast<int>(sizeof(In));
  constexpr int left_parts = T::warp_rows / 16, right_parts = T::warp_columns / 16;
  extern __shared__ __align__(128) char memory[];
  const auto slices = static_cast<unsigned>(__cvta_generic_to_shared(memory));
  // Tiles go down a band of eight before they go right, so that those under way together share lines.
  constexpr int band = 8;
  const int across = static_cast<int>(gridDim.x) / down;
  int tile = static_cast<int>(blockIdx.x);
  const int first = tile / (band * across) * band, high = min(down - first, band);
  tile -= first * across;
  const int row0 = (first + tile % high) * T::rows, column0 = tile / high * T::columns;
  const long long batch = blockIdx.z;
  const int warp = static_cast<int>(threadIdx.x) / 32;
  const int warp_row = warp % T::warps_down * T::warp_rows,
            warp_column = warp / T::warps_down * T::warp_columns;

  const Copier<T, In, left_across, T::rows> copy_left(task.left, batch, row0, task.out.rows, task.depth);
  const Copier<T, In, right_across, T::columns> copy_right(task.right, batch, column0, task.out.columns,
                                                           task.depth);
  // With alpha = 0 neither matrix is read.
  const int steps = task.out.alpha.get() == Scale{} ? 0 : (task.depth + depth - 1) / depth;
  const auto copy_step = [&](int step) {
    if (step < steps) {
      const unsigned slice = slices + step % T::ring * T::slice_bytes;
      copy_left(slice, step * depth);
      copy_right(slice + T::left_bytes, step * depth);
    }
    asm volatile("cp.async.commit_group;" ::: "memory");
  };
  const auto await_step = [&] {
    asm volatile("cp.async.wait_group %0;" ::"n"(T::ring - 2) : "memory");
    __syncthreads();
  };
  Sum sum[left_parts][right_parts * 8] = {};
  if (steps > 0) {
#pragma unroll
    for (int i = 0; i < T::ring - 1; ++i) copy_step(i);
    for (int step = 0; step < steps; ++step) {
      // All warps have read the slice before, which the next copies write over.
      await_step();
      copy_step(step + T::ring - 1);
      const unsigned slice = slices + step % T::ring * T::slice_bytes;
#pragma unroll
      for (int part = 0; part < T::parts; ++part) {
        unsigned left[left_parts][4], right[right_parts][4];
#pragma unroll
        for (int i = 0; i < left_parts; ++i)
          load_fragment<T, In, left_across, T::rows>(left[i], slice, warp_row + i * 16, part);
#pragma unroll
        for (int j = 0; j < right_parts; ++j)
          load_fragment<T, In, right_across, T::columns>(right[j], slice + T::left_bytes,
                                                         warp_column + j * 16, part);
#pragma unroll
        for (int i = 0; i < left_parts; ++i)
#pragma unroll
          for (int j = 0; j < right_parts; ++j) {
            add<In>(&sum[i][j * 8], left[i], right[j][0], right[j][2]);
            add<In>(&sum[i][j * 8 + 4], left[i], right[j][1], right[j][3]);
          }
      }
    }
  }
#pragma unroll
  for (int i = 0; i < left_parts; ++i)
    store<Out, T::warp_columns / 8>(task.out, batch, row0 + warp_row + i * 16, column0 + warp_column, sum[i]);
}

// --- the host ---

using Wide = Tile<128, 256, 2, 4, 128, 3, 1>;   // 144 KiB
using Square = Tile<128, 128, 2, 2, 64, 3, 2>;  // 48 KiB
using Small = Tile<64, 64, 2, 2, 64, 3, 4>;     // 24 KiB
constexpr TileChoice choices[] = {
    {Wide::rows, Wide::columns, Wide::ctas_per_unit, Wide::shared_bytes, 0.9},
    {Square::rows, Square::columns, Square::ctas_per_unit, Square::shared_bytes, 0.8},
    {Small::rows, Small::columns, Small::ctas_per_unit, Small::shared_bytes, 0.4},
};

template <class T, typename In, typename Out, bool left_across, bool right_across>
cublasStatus_t launch(const TensorProduct& p) {
  using Scale = ScaleOf<Out>;
  const auto kernel = multiply_tiles<T, In, Out, left_across, right_across>;
  if (cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, T::shared_bytes) !=
      cudaSuccess)
    return CUBLAS_STATUS_EXECUTION_FAILED;
  const long long tiles = 1ll * ctas(p.rows, T::rows) * ctas(p.columns, T::columns);
  if (tiles > 0x7fffffff) return CUBLAS_STATUS_NOT_SUPPORTED;
  Task<Scale> task{Output<Scale>(p), p.left, p.right, p.depth};
  // gridDim.z ends at 65,535.
  for (int done = 0; done < p.count; done += 65535) {
    const int now = std::min(p.count - done, 65535);
    kernel<<<dim3(static_cast<unsigned>(tiles), 1, now), T::threads, T::shared_bytes, p.handle->stream>>>(
        task, ctas(p.rows, T::rows));
    const auto forth = [&](Operand& o) {
      o.at = static_cast<const char*>(o.at) + o.stride * now * p.element_bytes();
    };
    forth(task.left), forth(task.right);
    const int bytes = p.out == CUDA_R_16F || p.out == CUDA_R_16BF ? 2 : 4;
    task.out.c = static_cast<char*>(task.out.c) + task.out.stride * now * bytes;
  }
  return launched();
}

template <class T, typename In, typename Out>
cublasStatus_t launch_layout(const TensorProduct& p) {
  if (p.left.across)
    return p.right.across ? launch<T, In, Out, true, true>(p) : launch<T, In, Out, true, false>(p);
  return p.right.across ? launch<T, In, Out, false, true>(p) : launch<T, In, Out, false, false>(p);
}
template <class T>
cublasStatus_t launch_as(const TensorProduct& p) {
  switch (p.in) {
    case CUDA_R_16F:
      return p.out == CUDA_R_32F ? launch_layout<T, __half, float>(p) : launch_layout<T, __half, __half>(p);
    case CUDA_R_16BF:
      return p.out == CUDA_R_32F ? launch_layout<T, __nv_bfloat16, float>(p)
                                 : launch_layout<T, __nv_bfloat16, __nv_bfloat16>(p);
    case CUDA_R_32F: return launch_layout<T, float, float>(p);
    default:
      return p.integer_scalars ? launch<T, signed char, int, false, false>(p)
                               : launch<T, signed char, float, false, false>(p);
  }
}

}  // namespace

const TileChoice* warp_tiles(const TensorProduct& p, int& count) {
  // Bytes cannot be transposed on the way to registers.
  count = p.element_bytes() == 1 && (p.left.across || p.right.across) ? 0 : std::size(choices);
  return choices;
}

cublasStatus_t launch_warp(const TensorProduct& p, int tile) {
  return tile == 0 ? launch_as<Wide>(p) : tile == 1 ? launch_as<Square>(p) : launch_as<Small>(p);
}
