#pragma once
// Which matrix element each lane's registers hold. mma: the layouts that PTX ISA ch. 9.7.14.5 draws.
// wmma: PTX leaves the layout open; here each lane holds consecutive elements of the row-major matrix.
//
// An element's place in a lane is its slot: register * elements per register + position, lowest bits
// first. A is m x k, B is k x n, C and D are m x n.

#include <cstdint>

#include "ptx/types.h"

namespace wanren::simt {

struct Element {
  int row, column;
};
enum class Matrix : std::uint8_t { a, b, c };

/// Elements that one register holds; f64 and 32-bit types: 1.
constexpr int elements_per_register(int element_bits) {
  return element_bits >= 32 ? 1 : 32 / element_bits;
}

/// mma.m16n8k* and mma.m8n8k* (not the m8n8k4 of f16).
constexpr Element mma_element(Matrix matrix, int m, int element_bits, int lane, int slot) {
  const int group = lane / 4, in_group = lane % 4, w = elements_per_register(element_bits);
  const int reg = slot / w, position = slot % w;
  const int halves = m / 8;  // of the rows of A
  switch (matrix) {
    case Matrix::a: return {group + 8 * (reg % halves), (reg / halves * 4 + in_group) * w + position};
    case Matrix::b: return {(reg * 4 + in_group) * w + position, group};
    case Matrix::c: return {group + 8 * (slot / 2), in_group * 2 + slot % 2};
  }
  return {};
}
constexpr int mma_registers(Matrix matrix, int m, int n, int k, int element_bits) {
  const int elements = matrix == Matrix::a ? m * k : matrix == Matrix::b ? k * n : m * n;
  return elements / 32 / elements_per_register(element_bits);
}

/// k of wgmma: 32 bytes of a row.
inline int product_depth(ptx::Type type) {
  const int element_bits = ptx::bits(type);
  return element_bits == 32 ? 8 : 256 / element_bits;
}

/// Registers of a wmma fragment: f16 A and B have eight in every shape, so that elements repeat.
constexpr int wmma_registers(Matrix matrix, int m, int n, int k, ptx::Type type, int element_bits) {
  if (type == ptx::Type::f16 && matrix != Matrix::c) return 8;
  return mma_registers(matrix, m, n, k, element_bits);
}
/// Lanes past the end of the matrix repeat it from the beginning.
constexpr Element wmma_element(Matrix matrix, int m, int n, int k, int slots, int lane, int slot) {
  const int rows = matrix == Matrix::b ? k : m, columns = matrix == Matrix::a ? k : n;
  const int linear = (lane * slots + slot) % (rows * columns);
  return {linear / columns, linear % columns};
}

}  // namespace wanren::simt
