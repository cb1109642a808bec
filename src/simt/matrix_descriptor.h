#pragma once
// Where wgmma finds a matrix in shared memory, PTX ISA 9.7.15.5.1: its descriptor, and the canonical layouts
// of chunks of 16 bytes. Rows of A and columns of B are lines; k runs along a line or, transposed, across.

#include <cstdint>

#include "simt/tensor_map.h"

namespace wanren::simt {

struct MatrixDescriptor {
  static constexpr std::uint32_t chunk_bytes = 16;

  std::uint32_t start = 0;                ///< In the CTA's shared window.
  std::uint32_t leading = 0, stride = 0;  ///< Bytes.
  std::uint32_t base = 0;                 ///< Rows of 128 bytes that the swizzle's pattern begins late by.
  std::uint32_t swizzle_bytes = 0;        ///< 0, 32, 64 or 128

  static constexpr MatrixDescriptor from(std::uint64_t bits) {
    constexpr std::uint32_t swizzles[] = {0, 128, 64, 32};
    const auto field = [&](int at) { return static_cast<std::uint32_t>(bits >> at & 0x3fff) << 4; };
    return {field(0), field(16), field(32), static_cast<std::uint32_t>(bits >> 49 & 7), swizzles[bits >> 62]};
  }

  /// Chunk `part` (along k) of a line.
  constexpr std::uint32_t chunk(std::uint32_t line, std::uint32_t part) const {
    const std::uint32_t pitch = swizzle_bytes ? swizzle_bytes : chunk_bytes;
    return place(line % 8 * pitch + line / 8 * stride + part * (swizzle_bytes ? chunk_bytes : leading));
  }
  /// Chunk `part` (along the lines' numbers) at depth `k`: transposed.
  constexpr std::uint32_t chunk_across(std::uint32_t k, std::uint32_t part) const {
    if (swizzle_bytes == 0) return place(part * stride + k % 8 * chunk_bytes + k / 8 * leading);
    const std::uint32_t in_row = swizzle_bytes / chunk_bytes;
    return place(part % in_row * chunk_bytes + part / in_row * leading + k % 8 * swizzle_bytes +
                 k / 8 * stride);
  }

 private:
  constexpr std::uint32_t place(std::uint32_t offset) const {
    const std::uint32_t at = start + offset, pattern = at - base * 128;
    return at ^ pattern ^ swizzled(pattern, swizzle_bytes);
  }
};

}  // namespace wanren::simt
