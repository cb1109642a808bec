#pragma once
// The 16-bit formats in vector code: bits, wider values, and back with one rounding.

#include "jit/alu.h"

namespace wanren::jit {

bool is_half(ptx::Type t);

/// Values of one 16-bit format, or of pairs of it: a pair's halves are neighbours in one vector of bits.
class Half {
 public:
  /// f32 values: one vector, or for pairs of bf16 the low halves and the high ones.
  using Floats = llvm::SmallVector<llvm::Value*, 2>;

  Half(Alu& a, ptx::Type t);

  llvm::Value* source(std::size_t i);  ///< Bits of an operand, i16.
  llvm::Value* input(std::size_t i);   ///< The same with the instruction's ftz applied.
  void result(llvm::Value* bits, std::size_t i = 0);
  /// NaN, ftz, sat and relu of a result.
  llvm::Value* finish(llvm::Value* bits);
  llvm::Value* flush(llvm::Value* bits);
  llvm::Value* is_nan(llvm::Value* bits);

  Floats widen(llvm::Value* bits);
  /// A NaN stays one if its lowest 16 bits are zero. rn, or rz; f16 rounds up and down as well.
  llvm::Value* narrow(const Floats& f, ptx::Round round = ptx::Round::rn);
  /// f32 that narrow() rounds to nearest as it would have the f64; to zero only below f32's range.
  llvm::Value* narrow_double(llvm::Value* d);
  /// x * y + z for narrow(); f32 that hold values of the format.
  llvm::Value* fused(llvm::Value* x, llvm::Value* y, llvm::Value* z);

  llvm::Constant* all(llvm::Value* v, std::uint64_t bits) const;
  llvm::Type* like(llvm::Value* v, llvm::Type* element) const;

  llvm::IRBuilder<>& b;

 private:
  llvm::Value* round_brain(llvm::Value* f, ptx::Round round);

  Alu& a_;
  const bool brain_, pair_;
};

bool emit_half(Alu& a);

}  // namespace wanren::jit
