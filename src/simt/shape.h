#pragma once
// What is known of each value across a warp's lanes, and of which blocks may be pending when.
// Depends on the block shape, so it is computed per code variant; the CFG itself is frozen.

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "simt/kernel.h"

namespace wanren::simt {

/// Integers per lane; compared and added modulo 2^64.
using LanePattern = std::array<std::int64_t, warp_size>;

/// value[lane] = base + pattern[lane] + scale * scaled[lane], modulo the value's width.
/// base and scale are warp-uniform and known at run time only.
struct ValueShape {
  enum class Kind : std::uint8_t { uniform, affine, vector };
  Kind kind = Kind::vector;
  std::uint32_t pattern = 0;  ///< Index into Shapes::patterns; 0 is all zero.
  std::uint32_t scaled = 0;   ///< Index into Shapes::patterns; 0: no scaled term.
  /// log2 of a power of two that divides base; 63 for base == 0.
  std::uint8_t base_align = 0;
  /// uniform: the same value in every launch of this block shape.
  bool is_constant = false;
  std::uint64_t constant = 0;
};

/// The block shape that code is specialised on; `generic` code serves every shape (tid is then read
/// from the context and is a vector).
struct BlockShape {
  bool generic = true;
  Dim3 block;
  friend bool operator==(const BlockShape&, const BlockShape&) = default;
};

struct Shapes {
  std::vector<LanePattern> patterns;  ///< Interned; patterns[0] is all zero.
  std::vector<ValueShape> values;     ///< By ValueId.
  /// By BlockId: lanes may leave this block for different targets.
  std::vector<bool> divergent;
  /// By BlockId: blocks other than itself where lanes may be pending while it runs, ascending.
  std::vector<std::vector<BlockId>> frontier;
  /// By BlockId: the mask there is always the warp's entry mask (no divergence, nobody exited).
  std::vector<bool> whole;
  /// By BlockId: values live at its start (phi results excluded, phi inputs count in predecessors).
  std::vector<std::vector<ValueId>> live_in;

  /// By parameter of the function that this is about: the lanes of a call pass one value.
  std::vector<bool> uniform_arguments;

  const ValueShape& operator[](ValueId v) const { return values[v]; }
};

/// 32-bit affine values widened to 64 bits (cvt.s64.s32, mul.wide …) stay affine only while no lane
/// wraps. The analysis assumes it; whoever generates code must check at run time at each instruction
/// listed by assumes_no_wrap() and leave for the interpreter where it fails.
/// `kernel` has no functions: see analyse_parts(). `known` patterns keep their numbers.
Shapes analyse(const Kernel& kernel, const BlockShape& shape, std::vector<LanePattern> known = {},
               std::vector<bool> uniform_arguments = {});

/// The shapes of a kernel's body and functions, each as a part() of its own, with one numbering of patterns.
/// What every call passes uniform is uniform in the callee.
std::vector<Shapes> analyse_parts(const Kernel& kernel, std::span<const Kernel> parts,
                                  const BlockShape& shape);

/// True where `inst`'s result is affine only if its 32- (or 16-) bit source does not wrap in any lane.
bool assumes_no_wrap(const Kernel& kernel, const Shapes& shapes, const Inst& inst);

}  // namespace wanren::simt
