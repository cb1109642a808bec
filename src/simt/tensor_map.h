#pragma once
// What cuTensorMapEncodeTiled leaves in a CUtensorMap, 128 bytes that are opaque to programs, and where the
// bytes of a box lie: PTX ISA 5.5 (tensors), 9.7.9.25 (asynchronous copies).

#include <array>
#include <cstdint>

#include "ptx/types.h"

namespace wanren::simt {

struct TensorMap {
  static constexpr std::uint32_t mark = 0x574d4154;
  static constexpr int most_dimensions = 5;
  static constexpr std::uint32_t most_box = 256, most_step = 8;

  std::uint32_t magic = 0;         ///< `mark`: it has been encoded.
  std::uint8_t dimensions = 0;     ///< 1 to 5, the innermost first.
  std::uint8_t element_bytes = 0;  ///< 1, 2, 4 or 8
  std::uint8_t swizzle_bytes = 0;  ///< 0, 32, 64 or 128
  std::uint8_t nan_fill = 0;       ///< Elements outside are NaN, not zero.
  ptx::Type type = ptx::Type::none;
  std::uint64_t address = 0;
  std::array<std::uint64_t, 4> stride{};  ///< Bytes, of the dimensions above the innermost.
  std::array<std::uint32_t, 5> last{};    ///< Sizes, less one.
  std::array<std::uint16_t, 5> box{1, 1, 1, 1, 1};
  std::array<std::uint8_t, 5> step{1, 1, 1, 1, 1};  ///< Distance of neighbours in the box.

  /// Memory that a program has made up or changed is no map.
  bool valid() const {
    const bool sizes = element_bytes == 1 || element_bytes == 2 || element_bytes == 4 || element_bytes == 8;
    const bool swizzles =
        swizzle_bytes == 0 || swizzle_bytes == 32 || swizzle_bytes == 64 || swizzle_bytes == 128;
    if (magic != mark || dimensions < 1 || dimensions > most_dimensions || !sizes || !swizzles) return false;
    for (std::size_t d = 0; d < box.size(); ++d)
      if (box[d] < 1 || box[d] > most_box || step[d] < 1 || step[d] > most_step) return false;
    return ptx::bits(type) == 8 * element_bytes && box[0] * element_bytes % 16 == 0;
  }
  /// Elements of the box along one dimension.
  std::uint32_t count(int dimension) const {
    const auto d = static_cast<std::size_t>(dimension);
    return (std::uint32_t{box[d]} + step[d] - 1) / step[d];
  }
  std::uint64_t box_bytes() const {
    std::uint64_t bytes = element_bytes;
    for (int d = 0; d < most_dimensions; ++d) bytes *= count(d);
    return bytes;
  }
};
static_assert(sizeof(TensorMap) <= 128);

/// Where a byte of a box that begins at a multiple of 1024 lies: chunks of 16 bytes are exchanged with those
/// of other rows, so that columns meet different banks. `address`: in the CTA's shared window.
constexpr std::uint32_t swizzled(std::uint32_t address, unsigned swizzle_bytes) {
  return swizzle_bytes == 0 ? address : address ^ ((address >> 3) & (swizzle_bytes - 16));
}

}  // namespace wanren::simt
