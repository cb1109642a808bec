#pragma once
// One per-lane instruction in one form: the families ask for sources and leave results.

#include "jit/emitter.h"

namespace wanren::jit {

struct Alu {
  Emitter& e;
  const simt::Inst& inst;
  Form form;
  llvm::IRBuilder<>& b;
  struct Result {
    llvm::Value* value = nullptr;
    bool is_signed = false;
  };
  llvm::SmallVector<Result, 4> results;  ///< By destination; integers or floats of any width.

  using Value = llvm::Value;
  ptx::Type type(std::size_t i = 0) const { return inst.types[i]; }
  /// Source i's low `bits` bits. NaNs that arithmetic made are canonical.
  Value* src(std::size_t i, int bits) { return e.get(inst.srcs[i], bits, form); }
  /// The same without making NaNs canonical.
  Value* raw(std::size_t i, int bits) { return e.get_raw(inst.srcs[i], bits, form); }
  /// Source i of an instruction that only moves it.
  Value* moved(std::size_t i, int bits) {
    return inst.dsts[0] != simt::no_value && e.is_raw(inst.dsts[0]) ? raw(i, bits) : src(i, bits);
  }
  /// Source i as f16, bf16, f32 or f64; raw.
  Value* float_src(std::size_t i, ptx::Type t) {
    return b.CreateBitCast(raw(i, ptx::bits(t)), float_type(t));
  }
  llvm::Type* float_type(ptx::Type t);
  Value* constant(int bits, std::uint64_t v) { return e.imm(bits, form, v); }
  Value* real(ptx::Type t, double v) { return llvm::ConstantFP::get(float_type(t), v); }
  void result(Value* v, bool is_signed = false, std::size_t i = 0) {
    if (results.size() <= i) results.resize(i + 1);
    results[i] = {v, is_signed};
  }
  bool wants(std::size_t i) const { return inst.dsts.size() > i && inst.dsts[i] != simt::no_value; }
};

bool emit_integer(Alu& a);
bool emit_bits(Alu& a);
bool emit_float(Alu& a);
bool emit_compare(Alu& a);
bool emit_convert(Alu& a);

/// True if emit_float() gives NaNs whose payload is the host's (see Emitter::get_raw).
bool leaves_raw_nan(const simt::Inst& inst);
/// True if every NaN that `inst` gives is canonical.
bool makes_canonical_nan(const simt::Inst& inst);
/// True if `inst` only moves its sources' bits, so that raw ones make raw results.
bool carries_raw_nan(const simt::Inst& inst);

}  // namespace wanren::jit
