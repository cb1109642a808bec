// wgmma.mma_async, PTX ISA 9.7.15: at issue. Each warp multiplies the 16 rows that are its own, so that warps
// of the group need not meet. Sums as in matrix.cpp.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <memory>

#include "interp/callbacks.h"
#include "interp/formats.h"
#include "interp/interp.h"
#include "interp/lane.h"
#include "interp/warpgroup.h"
#include "simt/fragments.h"
#include "simt/matrix_descriptor.h"

namespace wanren::interp {
namespace {

using ptx::Type;
using simt::Element;
using simt::Matrix;
using simt::MatrixDescriptor;

constexpr std::uint32_t chunk_bytes = MatrixDescriptor::chunk_bytes;
constexpr int rows = 16;

/// A chunk; the descriptor may lead out of the CTA's shared memory.
const std::uint8_t* chunk_at(const WarpOp& op, std::uint32_t address) {
  if (std::uint64_t{address} + chunk_bytes > op.ctx.total_shared_bytes)
    raise_fault(op.ctx, op.inst, simt::Fault::illegal_address, op.mask);
  return op.ctx.shared_base + address;
}

/// `count` lines from `first` on, 32 bytes of k each.
void gather_lines(const WarpOp& op, std::uint64_t descriptor, bool across, std::uint32_t first,
                  std::uint32_t count, std::uint8_t* out) {
  const MatrixDescriptor m = MatrixDescriptor::from(descriptor);
  if (!across) {
    for (std::uint32_t line = 0; line < count; ++line)
      for (std::uint32_t part = 0; part < 2; ++part, out += chunk_bytes)
        std::memcpy(out, chunk_at(op, m.chunk(first + line, part)), chunk_bytes);
    return;
  }
  constexpr std::uint32_t in_chunk = 8, depth = 16;  // only elements of 16 bits are transposed
  for (std::uint32_t k = 0; k < depth; ++k)
    for (std::uint32_t part = 0; part < count / in_chunk; ++part) {
      std::uint16_t elements[in_chunk];
      std::memcpy(elements, chunk_at(op, m.chunk_across(k, first / in_chunk + part)), chunk_bytes);
      for (std::uint32_t i = 0; i < in_chunk; ++i)
        std::memcpy(out + (part * in_chunk + i) * product_line_bytes + k * 2, &elements[i], 2);
    }
}

std::uint64_t element_of(const std::uint8_t* lines, int line, int k, int width) {
  const int bit = k * width;
  std::uint64_t word = 0;
  std::memcpy(&word, lines + static_cast<std::size_t>(line) * product_line_bytes + bit / 8,
              static_cast<std::size_t>(std::max(1, width / 8)));
  return low_bits(word >> bit % 8, width);
}

struct Shape {
  int n, k;
  Type d, a, b;
};

// Operands as their types read them: exact in each.
template <class T>
struct Operands {
  static constexpr int most_depth = 256;
  T a[rows][most_depth], b[256][most_depth];
};

template <class T>
T value_of(Type type, std::uint64_t bits) {
  if (!ptx::is_float(type)) return static_cast<T>(static_cast<std::int64_t>(read(bits, type)));
  if (type == Type::tf32) return static_cast<T>(as_f32(bits & 0xffffe000u));
  return static_cast<T>(to_double(bits, format_of(type)));
}

template <class T>
const Operands<T>& read_operands(const Shape& s, const ProductOperands& from, bool negated) {
  // On the heap: thread storage of this size keeps libcuda from being loaded late.
  static thread_local const auto held = std::make_unique<Operands<T>>();
  Operands<T>& x = *held;
  for (int k = 0; k < s.k; ++k) {
    for (int row = 0; row < rows; ++row) {
      const T value = value_of<T>(s.a, element_of(from.a, row, k, ptx::bits(s.a)));
      x.a[row][k] = negated ? -value : value;
    }
    for (int column = 0; column < s.n; ++column)
      x.b[column][k] = value_of<T>(s.b, element_of(from.b, column, k, ptx::bits(s.b)));
  }
  return x;
}

std::uint64_t sum_of(const Shape& s, const Operands<std::int32_t>& x, const Element& at, std::uint64_t old,
                     bool saturates) {
  std::int64_t sum = static_cast<std::int32_t>(old);
  for (int k = 0; k < s.k; ++k) sum += x.a[at.row][k] * x.b[at.column][k];
  if (saturates) sum = std::clamp<std::int64_t>(sum, INT32_MIN, INT32_MAX);
  return static_cast<std::uint32_t>(sum);
}

std::uint64_t sum_of(const Shape& s, const Operands<float>& x, const Element& at, std::uint64_t old, bool) {
  auto sum = static_cast<float>(to_double(old, format_of(s.d)));
  for (int k = 0; k < s.k; ++k) sum = std::fmaf(x.a[at.row][k], x.b[at.column][k], sum);
  return from_double(sum, format_of(s.d));
}

template <class T>
void multiply(const WarpOp& op) {
  const simt::Tile& tile = op.inst.tile();
  const Shape s{tile.n, tile.k, op.inst.types[0], op.inst.types[1], op.inst.types[2]};
  const Operands<T>& x = read_operands<T>(s, gather_product(op), tile.negated);
  const Row* const scale = op.srcs + (tile.a_in_registers ? 5 : 2);
  const Row* const c = scale + 1;
  const bool keeps = ((*scale)[0] & 1) != 0;
  const int width = ptx::bits(s.d), each = simt::elements_per_register(width);
  for (int r = 0; r < s.n / 2 / each; ++r)
    for (int lane = 0; lane < warp_size; ++lane) {
      std::uint64_t sums = 0;
      for (int i = 0; i < each; ++i) {
        // Blocks of eight columns, each an accumulator of m16n8.
        const int slot = r * each + i;
        Element e = simt::mma_element(Matrix::c, rows, width, lane, slot % 4);
        e.column += slot / 4 * 8;
        const std::uint64_t old = keeps ? low_bits(c[r][lane] >> (i * width), width) : 0;
        sums |= sum_of(s, x, e, old, tile.satfinite) << (i * width);
      }
      op.dsts[r][lane] = sums;
    }
}

}  // namespace

ProductOperands gather_product(const WarpOp& op) {
  using A = std::array<std::uint8_t, rows * product_line_bytes>;
  using B = std::array<std::uint8_t, 256 * product_line_bytes>;
  static thread_local const auto held_a = std::make_unique<A>();
  static thread_local const auto held_b = std::make_unique<B>();
  A& a = *held_a;
  B& b = *held_b;
  const simt::Tile& tile = op.inst.tile();
  if (op.mask != full_mask) raise_fault(op.ctx, op.inst, simt::Fault::illegal_instruction, op.mask);
  if (tile.a_in_registers) {
    const int width = ptx::bits(op.inst.types[1]), each = simt::elements_per_register(width);
    for (int lane = 0; lane < warp_size; ++lane)
      for (int r = 0; r < 4; ++r) {
        const Element e = simt::mma_element(Matrix::a, rows, width, lane, r * each);
        const auto word = static_cast<std::uint32_t>(op.srcs[r][lane]);
        std::memcpy(a.data() + static_cast<std::size_t>(e.row) * product_line_bytes + e.column * width / 8,
                    &word, sizeof word);
      }
  } else {
    gather_lines(op, op.srcs[0][0], tile.a_col, op.ctx.warp_in_cta % 4 * rows, rows, a.data());
  }
  gather_lines(op, op.srcs[tile.a_in_registers ? 4 : 1][0], !tile.b_col, 0, tile.n, b.data());
  return {a.data(), b.data()};
}

// Sources: A, B's descriptor, scale-d, accumulators.
void multiply_warpgroup(const WarpOp& op) {
  op.inst.types[0] == Type::s32 ? multiply<std::int32_t>(op) : multiply<float>(op);
}

}  // namespace wanren::interp

void wanren_interp_product_lines(wanren::simt::WarpContext* ctx, const wanren::simt::Inst* inst,
                                 std::uint64_t descriptor, std::uint32_t is_a,
                                 wanren::interp::ProductLines* lines) {
  using namespace wanren::interp;
  using wanren::simt::MatrixDescriptor;
  const MatrixDescriptor m = MatrixDescriptor::from(descriptor);
  const wanren::simt::Tile& tile = inst->tile();
  const std::uint32_t count = is_a ? rows : tile.n;
  const std::uint32_t first = is_a ? ctx->warp_in_cta % 4 * rows : 0;
  const std::uint32_t pitch = m.swizzle_bytes ? m.swizzle_bytes : chunk_bytes;
  const std::uint32_t part = m.swizzle_bytes ? chunk_bytes : m.leading;
  // Exchanged chunks stay within 128 bytes.
  const std::uint64_t end = std::uint64_t{m.start} + 7 * pitch + (first + count) / 8 * m.stride + part + 128;
  if ((is_a ? tile.a_col : !tile.b_col) || end > ctx->total_shared_bytes) {
    using Copy = std::array<std::uint8_t, (rows + 256) * product_line_bytes>;
    static thread_local const auto copy = std::make_unique<Copy>();
    std::uint8_t* const out = copy->data() + (is_a ? 256 * product_line_bytes : 0);
    const WarpOp op{*ctx, *inst, nullptr, nullptr, wanren::full_mask};
    gather_lines(op, descriptor, is_a ? tile.a_col : !tile.b_col, first, count, out);
    *lines = {out, 0, product_line_bytes, 8 * product_line_bytes, chunk_bytes, 0, 0};
    return;
  }
  *lines = {ctx->shared_base,
            m.start + first / 8 * m.stride,
            pitch,
            m.stride,
            part,
            m.swizzle_bytes ? m.swizzle_bytes - 16 : 0,
            m.base * 128};
}
