#pragma once
// How an instruction makes the lane shape of its result from those of its sources, so that a code generator
// computes base and scale of exactly the values that analyse() calls uniform or affine.
//
// Every pattern has 0 in lane 0, so base is what lane 0 holds, or would hold if it ran. Notation: for source
// i, b_i is its base (a uniform source's value; an imm's bits), s_i its scale (0 if it has no scaled term).
// All arithmetic is modulo the destination's width; scale has the destination's width too.

#include "simt/shape.h"

namespace wanren::simt {

enum class Rule : std::uint8_t {
  vector,     ///< Lane by lane (uniform and affine sources are expanded).
  uniform,    ///< Once for the warp: scalar operation, one load, one vote. dsts of shape vector take a splat.
  lane_zero,  ///< mov from a special register: base = its value in lane 0 of the warp; no scale.
  copy,       ///< base = b0, scale = s0.
  add,        ///< base = b0 + b1, scale = s0 + s1.
  sub,        ///< base = b0 - b1, scale = s0 - s1.
  neg,        ///< base = -b0, scale = -s0.
  not_,       ///< base = ~b0, scale = -s0.
  mul,        ///< One factor f is uniform, the other is a. base = b_a * b_f. If the destination has a scaled
              ///< term: scale = s_a * b_f where a has one, else b_f. mul.wide: b_a, b_f and s_a are first
              ///< extended as the type says.
  mad,        ///< The same product (both factors may be uniform) plus source 2: base adds b2, scale adds s2.
              ///< The product has a scaled term if a has one, or if a is affine and f's shape is no constant.
  shl,        ///< Source 1 is a constant c: base = b0 << c, scale = s0 << c.
  extend,     ///< Integer cvt to a wider type: base and scale are extended as the source type says.
  narrow,     ///< Integer cvt to a narrower (or equal) width: base and scale are truncated.
  on_bases,   ///< and, or, xor, shr, div, rem, bfe: base = the operation on the bases; no scale.
  select,     ///< selp with a uniform predicate: base and scale are selected.
  to_generic,    ///< cvta.shared / cvta.local: base = b0 + shared_base or local_base, scale = s0.
  from_generic,  ///< cvta.to.shared / .local: base = b0 - shared_base or local_base, scale = s0.
};
// A guard of a non-vector result is uniform and prior has the same pattern and scaled term:
// base and scale of prior are kept where it is false. A phi of affine values: base and scale are uniform
// phis.

// Under any rule the result may be uniform (equal patterns cancel): then there is no scale.
// Rule::uniform of vote, redux and bar.red: the sources are per lane, the result is one.

/// The rule by which `inst.dsts[0]` got its shape.
Rule rule(const Kernel& kernel, const Shapes& shapes, const Inst& inst);

/// The shape of an operand as it is read; immediates are constants, undefined is 0, special registers
/// vectors.
ValueShape shape_of(const Shapes& shapes, const Operand& operand);

}  // namespace wanren::simt
