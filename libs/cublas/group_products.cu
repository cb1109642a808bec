// Products by warpgroups. A cluster of CTAs stays and takes tile after tile: one warp loads slices of both
// matrices by tensor maps into a ring in shared memory, each slice once for all CTAs of the cluster that need
// it, two warpgroups multiply them; the ring fills for the next tile while they store the sums of the last.
#include <cuda.h>

#include <algorithm>
#include <iterator>
#include <type_traits>

#include "group_ptx.h"
#include "tensor.h"

namespace {

/// `down` CTAs of a cluster share the columns' slices, `across` the rows'. A slice is depth_bytes deep.
template <int rows_, int columns_, int depth_bytes_, int ring_, int down_, int across_>
struct Tile {
  static constexpr int rows = rows_, columns = columns_, depth_bytes = depth_bytes_, ring = ring_,
                       down = down_, across = across_;
  static constexpr int ctas = down * across, groups = rows / 64, threads = groups * 128 + 32;
  static constexpr int left_bytes = rows * depth_bytes, right_bytes = columns * depth_bytes;
  static constexpr int slice_bytes = left_bytes + right_bytes;
  /// Slices begin at multiples of 1024 bytes, where the swizzle's pattern does; two barriers a slice.
  static constexpr int shared_bytes = ring * slice_bytes + ring * 16 + 1024;
};

template <typename Scale>
struct Task {
  Output<Scale> out;
  int depth, count;
  int cluster_rows, cluster_columns;  ///< Tiles of a cluster that C has.
  bool left_repeats, right_repeats;   ///< The same for all products of a batch.
};

template <typename In>
constexpr int across_lines = 128 / static_cast<int>(sizeof(In));  ///< Of a box whose k is the slower index.

/// Where a group's products find `lines` lines of a slice that begins at `at`.
template <class T, bool across>
__device__ uint64_t descriptor(unsigned at) {
  const uint64_t start = (at & 0x3ffff) >> 4;
  if constexpr (across) {
    // Boxes of 64 lines, one behind the other; 8 steps of k a pattern.
    constexpr uint64_t box = T::depth_bytes / 2 * 128;
    return start | (box >> 4) << 16 | uint64_t{1024 >> 4} << 32 | uint64_t{1} << 62;
  } else {
    constexpr uint64_t mode = T::depth_bytes == 128 ? 1 : T::depth_bytes == 64 ? 2 : 3;
    return start | uint64_t{1} << 16 | uint64_t{8 * T::depth_bytes >> 4} << 32 | mode << 62;
  }
}

/// `lines` lines from `line` on, `k` deep, to the CTAs of `ranks`.
template <class T, typename In, bool across, int lines>
__device__ void load_slice(unsigned ranks, char* to, const CUtensorMap* map, int line, int k, int batch,
                           uint64_t* bar) {
  const auto one = [&](char* there, int x, int y) {
    if constexpr (T::ctas > 1)
      load(ranks, there, map, x, y, batch, bar);
    else
      load(there, map, x, y, batch, bar);
  };
  if constexpr (across) {
    constexpr int in_box = across_lines<In>, box = T::depth_bytes / static_cast<int>(sizeof(In)) * 128;
#pragma unroll
    for (int i = 0; i < lines / in_box; ++i) one(to + i * box, line + i * in_box, k);
  } else {
    one(to, k, line);
  }
}

struct Place {
  int batch, row, column;
};
/// Tiles go down a band of eight before they go right, so that those under way together share lines.
template <typename Scale>
__device__ Place place_of(const Task<Scale>& task, int tile) {
  constexpr int band = 8;
  const int each = task.cluster_rows * task.cluster_columns, batch = tile / each;
  tile -= batch * each;
  const int first = tile / (band * task.cluster_columns) * band,
            high = task.cluster_rows - first < band ? task.cluster_rows - first : band;
  tile -= first * task.cluster_columns;
  return {batch, first + tile % high, tile / high};
}

template <class T, typename In, typename Out, bool left_across, bool right_across>
__global__ void __launch_bounds__(T::threads, 1)
    multiply_tiles(const __grid_constant__ CUtensorMap left, const __grid_constant__ CUtensorMap right,
                   const __grid_constant__ Task<ScaleOf<Out>> task) {
#if !defined(__CUDA_ARCH__) || __CUDA_ARCH__ >= 900
  using Scale = ScaleOf<Out>;
  using Sum = std::conditional_t<sizeof(In) == 1, int, float>;
  constexpr int depth = T::depth_bytes / static_cast<int>(sizeof(In));
  extern __shared__ char memory[];
  char* const slices = memory + (1024 - shared_address(memory) % 1024) % 1024;
  uint64_t* const full = reinterpret_cast<uint64_t*>(slices + T::ring * T::slice_bytes);
  uint64_t* const empty = full + T::ring;
  const int thread = static_cast<int>(threadIdx.x), group = thread / 128;
  const int rank = T::ctas > 1 ? static_cast<int>(cluster_rank()) : 0;
  const int in_column = rank % T::down, in_row = rank / T::down;
  if (thread == 0) {
    for (int s = 0; s < T::ring; ++s) {
      init(&full[s], 1);
      init(&empty[s], T::groups * (T::down + T::across - 1));
    }
    asm volatile("fence.mbarrier_init.release.cluster;" ::: "memory");
  }
  if constexpr (T::ctas > 1)
    meet_cluster();
  else
    __syncthreads();
  const int clusters = static_cast<int>(gridDim.x) / T::ctas;
  const int tiles = task.cluster_rows * task.cluster_columns * task.count;
  // With alpha = 0 neither matrix is read.
  const int steps = task.out.alpha.get() == Scale{} ? 0 : (task.depth + depth - 1) / depth;
  int s = 0;
  unsigned round = 0;
  const auto next = [&] {
    if (++s == T::ring) s = 0, round ^= 1;
  };
  if (group == T::groups) {
    if (thread % 32 == 0) {
      constexpr int left_part = T::rows / T::across, right_part = T::columns / T::down;
      unsigned row_mates = 0;
      for (int i = 0; i < T::across; ++i) row_mates |= 1u << (in_column + i * T::down);
      const unsigned column_mates = ((1u << T::down) - 1) << (in_row * T::down);
      for (int tile = static_cast<int>(blockIdx.x) / T::ctas; tile < tiles; tile += clusters) {
        const Place place = place_of(task, tile);
        const int row = (place.row * T::down + in_column) * T::rows + in_row * left_part,
                  column = (place.column * T::across + in_row) * T::columns + in_column * right_part;
        for (int i = 0; i < steps; ++i) {
          wait(&empty[s], round ^ 1);
          expect(&full[s], T::slice_bytes);
          char* const slice = slices + s * T::slice_bytes;
          load_slice<T, In, left_across, left_part>(row_mates, slice + in_row * left_part * T::depth_bytes,
                                                    &left, row, i * depth,
                                                    task.left_repeats ? 0 : place.batch, &full[s]);
          load_slice<T, In, right_across, right_part>(
              column_mates, slice + T::left_bytes + in_column * right_part * T::depth_bytes, &right, column,
              i * depth, task.right_repeats ? 0 : place.batch, &full[s]);
          next();
        }
      }
    }
  } else {
    const int mate = thread % 128;
    const bool shares = mate < T::ctas && (mate / T::down == in_row || mate % T::down == in_column);
    for (int tile = static_cast<int>(blockIdx.x) / T::ctas; tile < tiles; tile += clusters) {
      const Place place = place_of(task, tile);
      Sum sum[T::columns / 2];
#pragma unroll
      for (int i = 0; i < T::columns / 2; ++i) sum[i] = 0;
      for (int i = 0; i < steps; ++i) {
        wait(&full[s], round);
        const unsigned at = shared_address(slices + s * T::slice_bytes);
        const uint64_t l = descriptor<T, left_across>(at + group * 64 * T::depth_bytes),
                       r = descriptor<T, right_across>(at + T::left_bytes);
        fence_sums();
#pragma unroll
        for (int k = 0; k < T::depth_bytes / 32; ++k)
          GroupProduct<In, T::columns, left_across, right_across>::add(
              sum, l + k * (left_across ? 16 * 128 : 32) / 16, r + k * (right_across ? 16 * 128 : 32) / 16);
        commit_products();
        await_products<0>();
        if (shares) arrive_at(&empty[s], static_cast<unsigned>(mate));
        next();
      }
      const int row = (place.row * T::down + in_column) * T::rows + group * 64 + mate / 32 * 16;
      store<Out, T::columns / 8>(task.out, place.batch, row, (place.column * T::across + in_row) * T::columns,
                                 sum);
    }
  }
  // Others may still write here, and tell this CTA's barriers.
  if constexpr (T::ctas > 1) meet_cluster();
#endif
}

// --- the host ---

using Wide = Tile<128, 256, 128, 4, 2, 2>;    // 193 KiB
using Shallow = Tile<128, 256, 32, 5, 2, 2>;  // 61 KiB
using Square = Tile<128, 128, 64, 3, 1, 1>;   // 49 KiB
constexpr TileChoice choices[] = {
    {Wide::rows, Wide::columns, 1, Wide::shared_bytes, 0.9},
    {Shallow::rows, Shallow::columns, 1, Shallow::shared_bytes, 0.8},
    {Square::rows, Square::columns, 1, Square::shared_bytes, 0.4},
};

bool encode(CUtensorMap& map, const TensorProduct& p, const Operand& operand, int lines, int box_lines,
            int box_depth) {
  static const auto encoder = [] {
    void* function = nullptr;
    cudaDriverEntryPointQueryResult found;
    const bool there = cudaGetDriverEntryPoint("cuTensorMapEncodeTiled", &function, cudaEnableDefault,
                                               &found) == cudaSuccess &&
                       found == cudaDriverEntryPointSuccess;
    return there ? reinterpret_cast<decltype(&cuTensorMapEncodeTiled)>(function) : nullptr;
  }();
  if (encoder == nullptr) return false;
  const CUtensorMapDataType type = p.in == CUDA_R_16F    ? CU_TENSOR_MAP_DATA_TYPE_FLOAT16
                                   : p.in == CUDA_R_16BF ? CU_TENSOR_MAP_DATA_TYPE_BFLOAT16
                                   : p.in == CUDA_R_32F  ? CU_TENSOR_MAP_DATA_TYPE_FLOAT32
                                                         : CU_TENSOR_MAP_DATA_TYPE_UINT8;
  const auto bytes = static_cast<cuuint64_t>(p.element_bytes());
  const bool repeats = p.count == 1 || operand.stride == 0;
  const auto n = [](int v) { return static_cast<cuuint64_t>(v > 1 ? v : 1); };
  const cuuint64_t size[3] = {n(operand.across ? lines : p.depth), n(operand.across ? p.depth : lines),
                              n(repeats ? 1 : p.count)};
  const cuuint64_t stride[2] = {static_cast<cuuint64_t>(operand.ld) * bytes,
                                repeats ? static_cast<cuuint64_t>(operand.ld) * bytes
                                        : static_cast<cuuint64_t>(operand.stride) * bytes};
  const cuuint32_t box[3] = {static_cast<cuuint32_t>(operand.across ? 128 / bytes : box_depth),
                             static_cast<cuuint32_t>(operand.across ? box_depth : box_lines), 1},
                   step[3] = {1, 1, 1};
  const cuuint64_t row = box[0] * bytes;
  const CUtensorMapSwizzle swizzle = row == 128  ? CU_TENSOR_MAP_SWIZZLE_128B
                                     : row == 64 ? CU_TENSOR_MAP_SWIZZLE_64B
                                                 : CU_TENSOR_MAP_SWIZZLE_32B;
  return encoder(&map, type, 3, const_cast<void*>(operand.at), size, stride, box, step,
                 CU_TENSOR_MAP_INTERLEAVE_NONE, swizzle, CU_TENSOR_MAP_L2_PROMOTION_NONE,
                 CU_TENSOR_MAP_FLOAT_OOB_FILL_NONE) == CUDA_SUCCESS;
}

template <class T, typename In, typename Out, bool left_across, bool right_across>
cublasStatus_t launch(const TensorProduct& p) {
  using Scale = ScaleOf<Out>;
  constexpr int depth = T::depth_bytes / static_cast<int>(sizeof(In));
  CUtensorMap left, right;
  if (!encode(left, p, p.left, p.rows, T::rows / T::across, depth) ||
      !encode(right, p, p.right, p.columns, T::columns / T::down, depth))
    return CUBLAS_STATUS_INTERNAL_ERROR;
  const Task<Scale> task{Output<Scale>(p),
                         p.depth,
                         p.count,
                         ctas(p.rows, T::rows * T::down),
                         ctas(p.columns, T::columns * T::across),
                         p.count == 1 || p.left.stride == 0,
                         p.count == 1 || p.right.stride == 0};
  const auto kernel = multiply_tiles<T, In, Out, left_across, right_across>;
  if (cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, T::shared_bytes) !=
      cudaSuccess)
    return CUBLAS_STATUS_EXECUTION_FAILED;
  cudaLaunchConfig_t config = {};
  cudaLaunchAttribute attribute = {};
  attribute.id = cudaLaunchAttributeClusterDimension;
  attribute.val.clusterDim.x = T::ctas;
  attribute.val.clusterDim.y = attribute.val.clusterDim.z = 1;
  config.blockDim = T::threads;
  config.dynamicSmemBytes = T::shared_bytes;
  config.stream = p.handle->stream;
  config.attrs = &attribute;
  config.numAttrs = T::ctas > 1 ? 1 : 0;
  config.gridDim = T::ctas;
  int clusters = 0;
  if constexpr (T::ctas > 1) {
    if (cudaOccupancyMaxActiveClusters(&clusters, kernel, &config) != cudaSuccess)
      return CUBLAS_STATUS_EXECUTION_FAILED;
  } else {
    int device = 0, each = 0;
    cudaGetDevice(&device);
    cudaDeviceGetAttribute(&clusters, cudaDevAttrMultiProcessorCount, device);
    cudaOccupancyMaxActiveBlocksPerMultiprocessor(&each, kernel, T::threads, T::shared_bytes);
    clusters *= each;
  }
  const long long tiles = 1ll * task.cluster_rows * task.cluster_columns * p.count;
  config.gridDim = static_cast<unsigned>(std::min<long long>(std::max(clusters, 1), tiles)) * T::ctas;
  return cudaLaunchKernelEx(&config, kernel, left, right, task) == cudaSuccess
             ? CUBLAS_STATUS_SUCCESS
             : CUBLAS_STATUS_EXECUTION_FAILED;
}

template <class T, typename In, typename Out>
cublasStatus_t launch_halves(const TensorProduct& p) {
  if (p.left.across)
    return p.right.across ? launch<T, In, Out, true, true>(p) : launch<T, In, Out, true, false>(p);
  return p.right.across ? launch<T, In, Out, false, true>(p) : launch<T, In, Out, false, false>(p);
}
template <class T>
cublasStatus_t launch_as(const TensorProduct& p) {
  switch (p.in) {
    case CUDA_R_16F:
      return p.out == CUDA_R_32F ? launch_halves<T, __half, float>(p) : launch_halves<T, __half, __half>(p);
    case CUDA_R_16BF:
      return p.out == CUDA_R_32F ? launch_halves<T, __nv_bfloat16, float>(p)
                                 : launch_halves<T, __nv_bfloat16, __nv_bfloat16>(p);
    case CUDA_R_32F: return launch<T, float, float, false, false>(p);
    default:
      return p.integer_scalars ? launch<T, signed char, int, false, false>(p)
                               : launch<T, signed char, float, false, false>(p);
  }
}

}  // namespace

const TileChoice* group_tiles(const TensorProduct& p, int& count) {
  // Only of 16-bit elements may k be the slower index.
  count = p.element_bytes() != 2 && (p.left.across || p.right.across) ? 0 : std::size(choices);
  return choices;
}

cublasStatus_t launch_group(const TensorProduct& p, int tile) {
  return tile == 0 ? launch_as<Wide>(p) : tile == 1 ? launch_as<Shallow>(p) : launch_as<Square>(p);
}
