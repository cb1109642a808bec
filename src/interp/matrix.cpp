// ldmatrix, mma and wmma, PTX ISA ch. 9.7.14. Layouts: simt/fragments.h.
//
// Each element of D is a chain over ascending k that starts from C: exact conversions of A and B, fused
// multiply-adds in f32 (f64 for f64, integers modulo 2^32), and for f16 results one rounding at the end.
// tf32 operands are read without their lower 13 bits.

#include <algorithm>
#include <cmath>
#include <cstring>
#include <utility>

#include "interp/formats.h"
#include "interp/lane.h"
#include "interp/warp_ops.h"
#include "interp/warpgroup.h"
#include "simt/fragments.h"

namespace wanren::interp {
namespace {

using ptx::Opcode;
using ptx::Type;
using simt::Element;
using simt::Matrix;

[[noreturn]] void refuse(const WarpOp& op) {
  raise_fault(op.ctx, op.inst, simt::Fault::illegal_instruction, op.mask);
}

struct Shape {
  int m, n, k;
  Type a, b, c, d;
  bool wmma;
};

Shape shape_of(const WarpOp& op) {
  Shape s{op.inst.tile().m, op.inst.tile().n, op.inst.tile().k, Type::f16,
          Type::f16,        Type::f32,        op.inst.types[0], op.inst.op == Opcode::wmma_mma};
  if (op.inst.types[2] == Type::none) {  // wmma f16: .dtype.ctype
    s.c = op.inst.types[1];
  } else {
    s.a = op.inst.types[1];
    s.b = op.inst.types[2];
    s.c = op.inst.types[3];
  }
  return s;
}

/// Where a slot of a lane lies in the matrix, and how many slots a lane has.
Element element(const Shape& s, Matrix which, Type type, int slots, int lane, int slot) {
  return s.wmma ? simt::wmma_element(which, s.m, s.n, s.k, slots, lane, slot)
                : simt::mma_element(which, s.m, ptx::bits(type), lane, slot);
}
int registers(const Shape& s, Matrix which, Type type) {
  return s.wmma ? simt::wmma_registers(which, s.m, s.n, s.k, type, ptx::bits(type))
                : simt::mma_registers(which, s.m, s.n, s.k, ptx::bits(type));
}

/// The bits of each element of a fragment, by row and column.
template <class Store>
void gather(const Shape& s, Matrix which, Type type, const Row* rows, Store store) {
  const int n = ptx::bits(type), w = simt::elements_per_register(n), slots = registers(s, which, type) * w;
  for (int lane = 0; lane < warp_size; ++lane) {
    for (int slot = 0; slot < slots; ++slot) {
      const Element e = element(s, which, type, slots, lane, slot);
      store(e.row, e.column, low_bits(rows[slot / w][lane] >> (slot % w * n), n));
    }
  }
}

double value(Type type, std::uint64_t bits) {
  if (type == Type::tf32) return as_f32(bits & 0xffffe000u);
  if (type == Type::f32) return as_f32(bits);
  if (type == Type::f64) return as_f64(bits);
  return to_double(bits, format_of(type));
}

template <class T>
struct Operands {
  T a[32][64], b[64][32], c[32][32];
};

std::uint64_t result(Type type, double x) {
  if (type == Type::f64) return std::isnan(x) ? f64_format.nan : bits_of(x);
  return from_double(x, format_of(type));
}

void multiply(const WarpOp& op) {
  const Shape s = shape_of(op);
  const bool integer = !ptx::is_float(s.a);
  // A fragment of m8n8k4 f16 is spread over quads (Volta); one-bit products are not sums of products.
  const bool volta = !s.wmma && s.a == Type::f16 && s.k == 4;
  if (volta || s.a == Type::b1 || s.m > 32 || s.n > 32 || s.k > 64 || op.mask != full_mask) refuse(op);
  const int a_rows = registers(s, Matrix::a, s.a), b_rows = registers(s, Matrix::b, s.b);
  const int c_rows = registers(s, Matrix::c, s.c);
  if (std::cmp_less(op.inst.srcs.size(), a_rows + b_rows + c_rows)) refuse(op);
  const Row *a = op.srcs, *b = a + a_rows, *c = b + b_rows;

  std::uint64_t d[32][32];
  if (integer) {
    Operands<std::int64_t> x;
    gather(s, Matrix::a, s.a, a,
           [&](int i, int j, auto v) { x.a[i][j] = static_cast<std::int64_t>(read(v, s.a)); });
    gather(s, Matrix::b, s.b, b,
           [&](int i, int j, auto v) { x.b[i][j] = static_cast<std::int64_t>(read(v, s.b)); });
    gather(s, Matrix::c, s.c, c, [&](int i, int j, auto v) { x.c[i][j] = static_cast<std::int32_t>(v); });
    for (int i = 0; i < s.m; ++i) {
      for (int j = 0; j < s.n; ++j) {
        std::int64_t sum = x.c[i][j];
        for (int k = 0; k < s.k; ++k) sum += x.a[i][k] * x.b[k][j];
        if (op.inst.tile().satfinite) sum = std::clamp<std::int64_t>(sum, INT32_MIN, INT32_MAX);
        d[i][j] = static_cast<std::uint32_t>(sum);
      }
    }
  } else {
    Operands<double> x;
    gather(s, Matrix::a, s.a, a, [&](int i, int j, auto v) { x.a[i][j] = value(s.a, v); });
    gather(s, Matrix::b, s.b, b, [&](int i, int j, auto v) { x.b[i][j] = value(s.b, v); });
    gather(s, Matrix::c, s.c, c, [&](int i, int j, auto v) { x.c[i][j] = value(s.c, v); });
    for (int i = 0; i < s.m; ++i) {
      for (int j = 0; j < s.n; ++j) {
        double sum = x.c[i][j];
        for (int k = 0; k < s.k; ++k) {
          if (s.a == Type::f64) {
            sum = std::fma(x.a[i][k], x.b[k][j], sum);
          } else {
            sum = std::fmaf(static_cast<float>(x.a[i][k]), static_cast<float>(x.b[k][j]),
                            static_cast<float>(sum));
          }
        }
        d[i][j] = result(s.d, sum);
      }
    }
  }

  const int n = ptx::bits(s.d), w = simt::elements_per_register(n), slots = registers(s, Matrix::c, s.d) * w;
  for (int lane = 0; lane < warp_size; ++lane) {
    for (int r = 0; r < slots / w; ++r) op.dsts[r][lane] = 0;
    for (int slot = 0; slot < slots; ++slot) {
      const Element e = element(s, Matrix::c, s.d, slots, lane, slot);
      op.dsts[slot / w][lane] |= d[e.row][e.column] << (slot % w * n);
    }
  }
}

// Eight rows of eight 16-bit elements per matrix; lanes 8i..8i+7 hold the row addresses of matrix i.
void load_matrix(const WarpOp& op) {
  const int count = op.inst.tile().count;
  if (op.mask != full_mask || op.inst.types[0] != Type::b16 || count == 0) refuse(op);
  std::uint64_t loaded[4][warp_size];
  for (int i = 0; i < count; ++i) {
    std::uint16_t rows[8][8];
    for (int r = 0; r < 8; ++r) std::memcpy(rows[r], access(op, 8 * i + r, 16), 16);
    for (int lane = 0; lane < warp_size; ++lane) {
      const int r = lane / 4, c = lane % 4 * 2;
      const std::uint32_t low = op.inst.tile().trans ? rows[c][r] : rows[r][c];
      const std::uint32_t high = op.inst.tile().trans ? rows[c + 1][r] : rows[r][c + 1];
      loaded[i][lane] = low | high << 16;
    }
  }
  for (int i = 0; i < count; ++i) std::copy_n(loaded[i], warp_size, op.dsts[i]);
}

void store_matrix(const WarpOp& op) {
  const int count = op.inst.tile().count;
  if (op.mask != full_mask || op.inst.types[0] != Type::b16 || count == 0) refuse(op);
  for (int i = 0; i < count; ++i) {
    std::uint16_t rows[8][8];
    for (int lane = 0; lane < warp_size; ++lane) {
      const int r = lane / 4, c = lane % 4 * 2;
      const auto pair = static_cast<std::uint32_t>(op.srcs[1 + i][lane]);
      for (int k = 0; k < 2; ++k)
        (op.inst.tile().trans ? rows[c + k][r] : rows[r][c + k]) = static_cast<std::uint16_t>(pair >> 16 * k);
    }
    for (int r = 0; r < 8; ++r) std::memcpy(access(op, 8 * i + r, 16), rows[r], 16);
  }
}

/// The transposed matrix, in the layout of the other.
void transpose_matrix(const WarpOp& op) {
  if (op.mask != full_mask || !op.inst.tile().trans || op.inst.types[0] != Type::b16) refuse(op);
  const auto element = [&](int row, int column) {
    return static_cast<std::uint16_t>(op.srcs[0][4 * row + column / 2] >> 16 * (column % 2));
  };
  Row result;
  for (int lane = 0; lane < warp_size; ++lane) {
    const int r = lane / 4, c = lane % 4 * 2;
    result[lane] = element(c, r) | std::uint32_t{element(c + 1, r)} << 16;
  }
  std::copy_n(result, warp_size, op.dsts[0]);
}

/// The matrix that a wmma.load or store moves, with the registers of its fragment.
struct Transfer {
  Matrix which;
  int registers, width, per_register, slots, leading;
  bool by_column;
};

Transfer transfer_of(const WarpOp& op, std::size_t fragment_registers, std::size_t stride_at) {
  Transfer t;
  t.which = op.inst.tile().fragment == 'a'   ? Matrix::a
            : op.inst.tile().fragment == 'b' ? Matrix::b
                                             : Matrix::c;
  t.width = ptx::bits(op.inst.types[0]);
  if (t.width < 8 || op.mask != full_mask) refuse(op);
  t.registers = simt::wmma_registers(t.which, op.inst.tile().m, op.inst.tile().n, op.inst.tile().k,
                                     op.inst.types[0], t.width);
  if (static_cast<std::size_t>(t.registers) != fragment_registers) refuse(op);
  t.per_register = simt::elements_per_register(t.width);
  t.slots = t.registers * t.per_register;
  t.by_column = op.inst.tile().a_col || op.inst.tile().b_col;
  const int rows = t.which == Matrix::b ? op.inst.tile().k : op.inst.tile().m,
            columns = t.which == Matrix::a ? op.inst.tile().k : op.inst.tile().n;
  t.leading = t.by_column ? rows : columns;
  if (op.inst.srcs.size() > stride_at) t.leading = static_cast<int>(op.srcs[stride_at][0]);
  return t;
}

/// Address of one element; the base and the stride are the same in all lanes.
std::uint8_t* element_address(const WarpOp& op, const Transfer& t, int lane, int slot) {
  const Element e =
      simt::wmma_element(t.which, op.inst.tile().m, op.inst.tile().n, op.inst.tile().k, t.slots, lane, slot);
  const std::int64_t at =
      t.by_column ? std::int64_t{e.column} * t.leading + e.row : std::int64_t{e.row} * t.leading + e.column;
  const int bytes = t.width / 8;
  return access(op, lane, op.inst.space(),
                op.srcs[0][lane] + static_cast<std::uint64_t>(op.inst.offset + at * bytes),
                static_cast<std::uint64_t>(bytes));
}

void load_fragment(const WarpOp& op) {
  const Transfer t = transfer_of(op, op.inst.dsts.size(), 1);
  Row loaded[8] = {};
  for (int lane = 0; lane < warp_size; ++lane)
    for (int slot = 0; slot < t.slots; ++slot)
      loaded[slot / t.per_register][lane] |= load_element(element_address(op, t, lane, slot), t.width / 8)
                                             << (slot % t.per_register * t.width);
  for (int r = 0; r < t.registers; ++r) std::copy_n(loaded[r], warp_size, op.dsts[r]);
}

// Sources: address, fragment, stride if given.
void store_fragment(const WarpOp& op) {
  const int n = ptx::bits(op.inst.types[0]);
  const auto fragment =
      static_cast<std::size_t>(op.inst.tile().m * op.inst.tile().n / 32 / simt::elements_per_register(n));
  const Transfer t = transfer_of(op, fragment, 1 + fragment);
  for (int lane = 0; lane < warp_size; ++lane)
    for (int slot = 0; slot < t.slots; ++slot)
      store_element(element_address(op, t, lane, slot), t.width / 8,
                    op.srcs[1 + slot / t.per_register][lane] >> (slot % t.per_register * t.width));
}

}  // namespace

bool run_matrix(const WarpOp& op) {
  switch (op.inst.op) {
    case Opcode::ldmatrix: load_matrix(op); break;
    case Opcode::stmatrix: store_matrix(op); break;
    case Opcode::movmatrix: transpose_matrix(op); break;
    case Opcode::mma:
    case Opcode::wmma_mma: multiply(op); break;
    case Opcode::wgmma_mma_async: multiply_warpgroup(op); break;
    case Opcode::wmma_load: load_fragment(op); break;
    case Opcode::wmma_store: store_fragment(op); break;
    default: return false;
  }
  access_done();
  return true;
}

}  // namespace wanren::interp
