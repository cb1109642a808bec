#pragma once
// What an instruction does, beside its operands: an opcode, the types it reads registers as, and the few
// words that its family needs. Spellings of PTX that mean the same are one operation here; words that change
// neither results nor time (alignment of the warp, hints to caches) stay behind in ptx.

#include <array>
#include <cstdint>
#include <variant>

#include "ptx/module.h"

namespace wanren::simt {

/// Arithmetic, comparisons, conversions and moves of bits.
struct Arithmetic {
  ptx::Round round = ptx::Round::none;
  ptx::MulPart part = ptx::MulPart::none;
  ptx::Compare compare = ptx::Compare::none;
  ptx::BoolOp bool_op = ptx::BoolOp::none;
  ptx::TestOp test = ptx::TestOp::none;
  ptx::PrmtMode prmt = ptx::PrmtMode::none;
  ptx::ShiftMode shift = ptx::ShiftMode::none;      ///< clamp or wrap
  ptx::ShiftMode direction = ptx::ShiftMode::none;  ///< shf: left or right
  bool ftz = false, sat = false, satfinite = false, relu = false;
  bool approx = false, full = false;
  bool nan = false;       ///< min, max: a NaN wins.
  bool xorsign = false;   ///< min, max: of magnitudes, with the product's sign.
  bool cc = false;        ///< The last destination is the carry.
  bool shiftamt = false;  ///< bfind: counted from the top.
  friend bool operator==(const Arithmetic&, const Arithmetic&) = default;
};

/// Whatever has an address, or concerns one: loads to atomics, mbarriers, asynchronous copies, fences, cvta.
struct MemoryAccess {
  ptx::Space space = ptx::Space::none;              ///< none: generic
  ptx::Space source = ptx::Space::none;             ///< cp.async.bulk: of what is read.
  ptx::Semantics semantics = ptx::Semantics::none;  ///< none is weak, or relaxed for atomics.
  ptx::CacheOp cache = ptx::CacheOp::none;
  ptx::AtomOp atom = ptx::AtomOp::none;
  ptx::Variant variant = ptx::Variant::none;
  ptx::Completion completion = ptx::Completion::none;
  std::uint8_t dimensions = 0;  ///< cp.async.bulk.tensor: 1 to 5.
  ptx::TensorField field = ptx::TensorField::none;
  bool multicast = false;
  std::uint8_t vector = 1;      ///< Elements of each lane.
  std::uint8_t copy_bytes = 0;  ///< cp.async: 4, 8 or 16.
  bool cache_hint = false;      ///< The last operand is a cache policy.
  bool to = false;              ///< cvta: from generic.
  friend bool operator==(const MemoryAccess&, const MemoryAccess&) = default;
};

/// Lanes, or warps, meet in it: shuffles, votes, reductions, barriers.
struct Meeting {
  ptx::ShflMode shfl = ptx::ShflMode::none;
  ptx::VoteMode vote = ptx::VoteMode::none;
  ptx::AtomOp reduction = ptx::AtomOp::none;
  ptx::Barrier barrier = ptx::Barrier::none;
  bool sync = false;  ///< The last operand names the lanes that wait for each other.
  bool all = false;   ///< match: .all
  bool abs = false, nan = false;
  friend bool operator==(const Meeting&, const Meeting&) = default;
};

/// Products of matrices, and the loads and stores of their parts.
struct Tile {
  std::uint16_t m = 0, n = 0, k = 0;
  std::uint8_t count = 0;  ///< ldmatrix, stmatrix: 1, 2 or 4 matrices.
  char fragment = 0;       ///< wmma.load, wmma.store: 'a', 'b', 'c' or 'd'.
  bool a_col = false, b_col = false, trans = false, satfinite = false;
  bool a_in_registers = false;  ///< wgmma; else in shared memory, as B is.
  bool negated = false;         ///< wgmma: of A and B one is.
  ptx::Space space = ptx::Space::none;
  friend bool operator==(const Tile&, const Tile&) = default;
};

/// Parts of 32-bit words as whole numbers, PTX ISA 9.7.17 and 9.7.18.
struct Video {
  ptx::AtomOp secondary = ptx::AtomOp::none;  ///< add, min, max of the result and the third operand.
  ptx::Compare compare = ptx::Compare::none;
  ptx::ShiftMode shift = ptx::ShiftMode::none;
  std::uint8_t scale = 0;  ///< vmad: shift of the sum.
  bool sat = false, plus_one = false;
  // One number: bits of the part that is read or written, and which one it is.
  std::uint8_t a_bits = 32, b_bits = 32, d_bits = 32, d_index = 0;
  /// Which part each number comes from; two or four numbers: those of b follow those of a.
  std::array<std::uint8_t, 4> a{}, b{};
  std::uint8_t mask = 0;  ///< Two or four numbers: which are written.
  friend bool operator==(const Video&, const Video&) = default;
};

struct Operation {
  using Payload = std::variant<Arithmetic, MemoryAccess, Meeting, Tile, Video>;

  ptx::Opcode op{};
  std::array<ptx::Type, 4> types{};  ///< In written order: the destination's first where there are two.
  Payload payload;

  /// The family's words; another family's operation has none of them set.
  const Arithmetic& arithmetic() const { return get<Arithmetic>(); }
  const MemoryAccess& memory() const { return get<MemoryAccess>(); }
  const Meeting& meeting() const { return get<Meeting>(); }
  const Tile& tile() const { return get<Tile>(); }

  /// Of the address, where it has one; none: generic.
  ptx::Space space() const { return std::holds_alternative<Tile>(payload) ? tile().space : memory().space; }
  /// Makes an access to memory of what had no family yet.
  void set_space(ptx::Space space);
  Tile& set_tile() { return std::get<Tile>(payload); }
  void set_compare(ptx::Compare compare) { std::get<Arithmetic>(payload).compare = compare; }

 private:
  template <class Family>
  const Family& get() const {
    static constexpr Family nothing{};
    const auto* family = std::get_if<Family>(&payload);
    return family ? *family : nothing;
  }
};

/// What an instruction of PTX does.
Operation operation_of(ptx::Opcode op, const ptx::Modifiers& mods);

}  // namespace wanren::simt
