// The driver API: descriptions of tensors for bulk copies.

#include <cstring>
#include <string>

#include "cuda.h"
#include "simt/tensor_map.h"
#include "support/log.h"

using wanren::simt::TensorMap;

namespace {

using wanren::ptx::Type;

Type type_of(CUtensorMapDataType type) {
  switch (type) {
    case CU_TENSOR_MAP_DATA_TYPE_UINT8: return Type::u8;
    case CU_TENSOR_MAP_DATA_TYPE_UINT16: return Type::u16;
    case CU_TENSOR_MAP_DATA_TYPE_UINT32: return Type::u32;
    case CU_TENSOR_MAP_DATA_TYPE_INT32: return Type::s32;
    case CU_TENSOR_MAP_DATA_TYPE_UINT64: return Type::u64;
    case CU_TENSOR_MAP_DATA_TYPE_INT64: return Type::s64;
    case CU_TENSOR_MAP_DATA_TYPE_FLOAT16: return Type::f16;
    case CU_TENSOR_MAP_DATA_TYPE_FLOAT32: return Type::f32;
    case CU_TENSOR_MAP_DATA_TYPE_FLOAT64: return Type::f64;
    case CU_TENSOR_MAP_DATA_TYPE_BFLOAT16: return Type::bf16;
    default: return Type::none;
  }
}

CUresult refuse(const char* what) {
  wanren::log::warn(std::string("cuTensorMapEncodeTiled: ") + what + " is not supported");
  return CUDA_ERROR_NOT_SUPPORTED;
}

}  // namespace

extern "C" {

CUresult cuTensorMapEncodeTiled(CUtensorMap* map, CUtensorMapDataType type, cuuint32_t rank, void* address,
                                const cuuint64_t* size, const cuuint64_t* stride, const cuuint32_t* box,
                                const cuuint32_t* step, CUtensorMapInterleave interleave,
                                CUtensorMapSwizzle swizzle, CUtensorMapL2promotion promotion,
                                CUtensorMapFloatOOBfill fill) {
  static_assert(sizeof(TensorMap) <= sizeof(CUtensorMap));
  if (map == nullptr || reinterpret_cast<uintptr_t>(map) % 64 != 0 || rank < 1 ||
      rank > TensorMap::most_dimensions || address == nullptr ||
      reinterpret_cast<uintptr_t>(address) % 16 != 0 || size == nullptr || box == nullptr ||
      step == nullptr || (rank > 1 && stride == nullptr))
    return CUDA_ERROR_INVALID_VALUE;
  if (type > CU_TENSOR_MAP_DATA_TYPE_16U6_ALIGN16B || interleave > CU_TENSOR_MAP_INTERLEAVE_32B ||
      swizzle > CU_TENSOR_MAP_SWIZZLE_128B_ATOM_64B || promotion > CU_TENSOR_MAP_L2_PROMOTION_L2_256B ||
      fill > CU_TENSOR_MAP_FLOAT_OOB_FILL_NAN_REQUEST_ZERO_FMA)
    return CUDA_ERROR_INVALID_VALUE;
  TensorMap made;
  made.type = type_of(type);
  if (made.type == Type::none) return refuse("a data type that is rounded or packed on the way");
  if (interleave != CU_TENSOR_MAP_INTERLEAVE_NONE) return refuse("an interleaved layout");
  if (swizzle > CU_TENSOR_MAP_SWIZZLE_128B) return refuse("a swizzle of atoms above 16 bytes");
  if (fill != CU_TENSOR_MAP_FLOAT_OOB_FILL_NONE && !wanren::ptx::is_float(made.type))
    return CUDA_ERROR_INVALID_VALUE;
  made.magic = TensorMap::mark;
  made.dimensions = static_cast<std::uint8_t>(rank);
  made.element_bytes = static_cast<std::uint8_t>(wanren::ptx::bits(made.type) / 8);
  made.swizzle_bytes = static_cast<std::uint8_t>(swizzle == CU_TENSOR_MAP_SWIZZLE_NONE ? 0 : 16 << swizzle);
  made.nan_fill = fill != CU_TENSOR_MAP_FLOAT_OOB_FILL_NONE;
  made.address = reinterpret_cast<std::uint64_t>(address);
  for (cuuint32_t d = 0; d < rank; ++d) {
    if (size[d] == 0 || size[d] > cuuint64_t{1} << 32 || box[d] == 0 || box[d] > TensorMap::most_box ||
        step[d] == 0 || step[d] > TensorMap::most_step)
      return CUDA_ERROR_INVALID_VALUE;
    made.last[d] = static_cast<std::uint32_t>(size[d] - 1);
    made.box[d] = static_cast<std::uint16_t>(box[d]);
    // The innermost dimension has no step where nothing is interleaved.
    made.step[d] = static_cast<std::uint8_t>(d == 0 ? 1 : step[d]);
    if (d == 0) continue;
    if (stride[d - 1] % 16 != 0 || stride[d - 1] >= cuuint64_t{1} << 40) return CUDA_ERROR_INVALID_VALUE;
    made.stride[d - 1] = stride[d - 1];
  }
  const std::uint32_t row = box[0] * made.element_bytes;
  if (row % 16 != 0 || (made.swizzle_bytes != 0 && row > made.swizzle_bytes)) return CUDA_ERROR_INVALID_VALUE;
  if (made.swizzle_bytes != 0 && row < made.swizzle_bytes) return refuse("a box narrower than its swizzle");
  std::memset(map, 0, sizeof *map);
  std::memcpy(map, &made, sizeof made);
  return CUDA_SUCCESS;
}

CUresult cuTensorMapReplaceAddress(CUtensorMap* map, void* address) {
  if (map == nullptr || address == nullptr || reinterpret_cast<uintptr_t>(address) % 16 != 0)
    return CUDA_ERROR_INVALID_VALUE;
  TensorMap made;
  std::memcpy(static_cast<void*>(&made), map, sizeof made);
  if (!made.valid()) return CUDA_ERROR_INVALID_VALUE;
  made.address = reinterpret_cast<std::uint64_t>(address);
  std::memcpy(map, &made, sizeof made);
  return CUDA_SUCCESS;
}

}  // extern "C"
