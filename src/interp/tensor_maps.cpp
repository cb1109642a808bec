// tensormap.replace and tensormap.cp_fenceproxy, PTX ISA 9.7.9.27: descriptions of tensors that kernels
// change.

#include <cstring>

#include "interp/async.h"
#include "interp/warp_ops.h"
#include "simt/tensor_map.h"

namespace wanren::interp {
namespace {

using ptx::TensorField;
using ptx::Type;
using simt::TensorMap;

constexpr std::uint64_t map_bytes = 128, map_align = 64;

/// The manual's numbers of element types that maps may have; others are refused as the driver does.
Type type_of(std::uint64_t number) {
  constexpr Type types[] = {Type::u8,  Type::u16, Type::u32,  Type::s32, Type::u64, Type::s64,
                            Type::f16, Type::f32, Type::none, Type::f64, Type::bf16};
  return number < std::size(types) ? types[number] : Type::none;
}

bool replaced(TensorMap& map, TensorField field, std::uint64_t index, std::uint64_t value) {
  switch (field) {
    case TensorField::global_address: map.address = value; return value % 16 == 0;
    case TensorField::rank:
      map.dimensions = static_cast<std::uint8_t>(value + 1);
      return value < TensorMap::most_dimensions;
    case TensorField::elemtype:
      map.type = type_of(value);
      map.element_bytes = static_cast<std::uint8_t>(ptx::bits(map.type) / 8);
      return map.type != Type::none;
    case TensorField::interleave_layout: return value == 0;
    case TensorField::swizzle_mode:
      map.swizzle_bytes = value == 0 ? 0 : static_cast<std::uint8_t>(16 << value);
      return value < 4;
    case TensorField::fill_mode: map.nan_fill = value == 1; return value < 2;
    default: break;
  }
  const auto d = static_cast<std::size_t>(index);
  if (d >= TensorMap::most_dimensions) return false;
  switch (field) {
    case TensorField::box_dim:
      map.box[d] = static_cast<std::uint16_t>(value);
      return value <= TensorMap::most_box;
    case TensorField::global_dim: map.last[d] = static_cast<std::uint32_t>(value - 1); return true;
    case TensorField::element_stride:
      map.step[d] = static_cast<std::uint8_t>(value);
      return value <= TensorMap::most_step;
    case TensorField::global_stride:
      if (d >= map.stride.size()) return false;
      map.stride[d] = value;
      return value % 16 == 0;
    default: return false;
  }
}

}  // namespace

// Sources: address, dimension where the field has several, value.
void replace_field(const WarpOp& op) {
  for_each_lane(op.mask, [&](int lane) {
    std::uint8_t* at = access(op, lane, map_align);
    TensorMap map;
    std::memcpy(static_cast<void*>(&map), at, sizeof map);
    const std::size_t last = op.inst.srcs.size() - 1;
    const int bits = ptx::bits(op.inst.types[0]);
    const std::uint64_t value =
        bits == 32 ? static_cast<std::uint32_t>(op.srcs[last][lane]) : op.srcs[last][lane];
    insist(op, lane,
           map.magic == TensorMap::mark && replaced(map, op.inst.memory().field, op.srcs[1][lane], value));
    std::memcpy(at, static_cast<const void*>(&map), sizeof map);
  });
}

// Sources: where to, where from, the size.
void publish_map(const WarpOp& op) {
  for_each_lane(op.mask, [&](int lane) {
    const std::uint8_t* from = access(op, lane, op.inst.memory().source, op.srcs[1][lane], map_align);
    std::uint8_t bytes[map_bytes];
    std::memcpy(bytes, from, map_bytes);
    std::memcpy(access(op, lane, map_align), bytes, map_bytes);
  });
}

}  // namespace wanren::interp
