#pragma once
// Private to src/cuda: batches of copies, for both APIs.

#include <cstddef>
#include <vector>

#include "cuda/arrays.h"
#include "driver/device.h"

namespace wanren::cuda {

struct BatchCopy {
  void* to;
  const void* from;
  driver::CopyShape shape;
  bool read_now;  ///< The source may change once the call has returned.
};

/// One after the other, which any order allows. Errors: the legacy stream; a stream that captures; a copy
/// that cannot be, whose number goes to `failed` if all before it have been submitted.
driver::Status copy_batch(driver::Device& device, const driver::Stream& stream, bool legacy,
                          const std::vector<BatchCopy>& copies, std::size_t* failed);

/// The copies of parallel arrays; attribute i holds from the copy numbered first[i] on. False: they do not
/// fit.
template <class Pointer, class Attributes>
bool batch_of(Pointer* to, Pointer* from, const std::size_t* bytes, std::size_t count,
              const Attributes* attributes, const std::size_t* first, std::size_t attribute_count,
              std::vector<BatchCopy>& copies) {
  constexpr int orders = 3, during_call = 2;
  if (to == nullptr || from == nullptr || bytes == nullptr || count == 0 || attributes == nullptr ||
      first == nullptr || attribute_count == 0 || attribute_count > count || first[0] != 0)
    return false;
  std::size_t attribute = 0;
  for (std::size_t i = 0; i < count; ++i) {
    while (attribute + 1 < attribute_count && first[attribute + 1] <= i) ++attribute;
    const auto order = static_cast<int>(attributes[attribute].srcAccessOrder);
    if (order < 1 || order > orders) return false;
    copies.push_back({reinterpret_cast<void*>(to[i]), reinterpret_cast<const void*>(from[i]),
                      driver::CopyShape::linear(bytes[i]), order == during_call});
  }
  return true;
}

/// A side of a 3D copy of a batch: where it begins, its pitch and slice. Extents and offsets count an array's
/// texels; where both sides are pointers, bytes. False: outside the array, no such type.
struct BatchSide {
  char* at;
  std::size_t pitch, slice;
};
template <class Operand>
bool side_of_batch(const Operand& operand, const driver::CopyShape& shape, BatchSide& side) {
  constexpr int pointer = 1, in_array = 2;
  if (operand.type == pointer) {
    // Length and height that are not given are the copy's.
    const auto& p = operand.op.ptr;
    side.pitch = p.rowLength != 0 ? p.rowLength : shape.width;
    side.slice = side.pitch * (p.layerHeight != 0 ? p.layerHeight : shape.height);
    side.at = reinterpret_cast<char*>(p.ptr);
    return side.pitch >= shape.width;
  }
  if (operand.type != in_array || operand.op.array.array == nullptr) return false;
  const auto* const array = reinterpret_cast<const cudaArray*>(operand.op.array.array);
  const auto& offset = operand.op.array.offset;
  const std::size_t x = offset.x * array->texel_bytes();
  if (!array->holds(x, offset.y, shape.width, shape.height) || offset.z > array->slices() ||
      shape.depth > array->slices() - offset.z)
    return false;
  side = {array->at(x, offset.y, offset.z), array->pitch, array->slice_bytes()};
  return true;
}

/// The copies of a list of 3D ones, which both APIs lay out alike. False: one cannot be, `failed` says which.
template <class Op>
bool batch_3d(const Op* list, std::size_t count, std::vector<BatchCopy>& copies, std::size_t* failed) {
  constexpr int orders = 3, during_call = 2, in_array = 2;
  if (failed != nullptr) *failed = static_cast<std::size_t>(-1);
  if (list == nullptr || count == 0) return false;
  for (std::size_t i = 0; i < count; ++i) {
    const Op& op = list[i];
    std::size_t texel = 1;
    for (const auto* operand : {&op.src, &op.dst})
      if (operand->type == in_array && operand->op.array.array != nullptr)
        texel = reinterpret_cast<const cudaArray*>(operand->op.array.array)->texel_bytes();
    driver::CopyShape shape{op.extent.width * texel, op.extent.height, op.extent.depth};
    BatchSide from, to;
    const auto order = static_cast<int>(op.srcAccessOrder);
    if (order < 1 || order > orders || shape.bytes() == 0 || !side_of_batch(op.src, shape, from) ||
        !side_of_batch(op.dst, shape, to)) {
      if (failed != nullptr) *failed = i;
      return false;
    }
    shape.source_pitch = from.pitch;
    shape.source_slice = from.slice;
    shape.destination_pitch = to.pitch;
    shape.destination_slice = to.slice;
    copies.push_back({to.at, from.at, shape, order == during_call});
  }
  return true;
}

}  // namespace wanren::cuda
