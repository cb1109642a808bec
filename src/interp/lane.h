#pragma once
// Per-lane semantics: one function per instruction, found once from opcode and type. A lane's sources
// and destinations are contiguous here: s[row], d[row] (see callbacks.h for rows).

#include <cstdint>

#include "simt/kernel.h"

namespace wanren::interp {

using LaneFunction = void (*)(const simt::Inst& inst, const std::uint64_t* s, std::uint64_t* d);

// By family; null if the instruction is not of it. Results may carry sign bits above the type's width:
// whoever writes a register truncates to the register.
LaneFunction find_integer(const simt::Inst& inst);     ///< integer.cpp
LaneFunction find_bits(const simt::Inst& inst);        ///< bits.cpp: logic, shifts, fields, moves
LaneFunction find_float(const simt::Inst& inst);       ///< float.cpp
LaneFunction find_comparison(const simt::Inst& inst);  ///< compare.cpp
LaneFunction find_conversion(const simt::Inst& inst);  ///< convert.cpp
LaneFunction find_video(const simt::Inst& inst);       ///< video.cpp

/// The family's function; null if the instruction is not a per-lane ALU instruction.
LaneFunction find_lane_function(const simt::Inst& inst);

/// One lane of an ALU instruction.
void evaluate_lane(const simt::Inst& inst, const std::uint64_t* srcs, std::uint64_t* dsts);

inline std::uint64_t low_bits(std::uint64_t x, int n) {
  return n >= 64 ? x : x & ((std::uint64_t{1} << n) - 1);
}
inline std::uint64_t sign_extend(std::uint64_t x, int n) {
  return n >= 64 ? x : static_cast<std::uint64_t>(static_cast<std::int64_t>(x << (64 - n)) >> (64 - n));
}
/// The operand as its type reads it: sign- or zero-extended to 64 bits.
inline std::uint64_t read(std::uint64_t x, ptx::Type t) {
  const int n = ptx::bits(t);
  return ptx::is_signed(t) ? sign_extend(x, n) : low_bits(x, n);
}

/// One comparison of two operands of `type` (scalar). Signedness comes from the type, or from lo/ls/hi/hs.
bool compare(ptx::Compare how, ptx::Type type, std::uint64_t a, std::uint64_t b, bool ftz);

/// Float add, multiply, fused multiply-add, min, max on scalar or packed types, shared with atomics.
enum class FloatOp : std::uint8_t { add, sub, mul, fma, min, max };
std::uint64_t float_operation(FloatOp op, ptx::Type type, const simt::Arithmetic& how, std::uint64_t a,
                              std::uint64_t b, std::uint64_t c);

}  // namespace wanren::interp
