// cvt, PTX ISA 9.7.9.21, and cvta, isspacep. What returns false runs out of line.

#include "jit/half.h"

namespace wanren::jit {

using llvm::Value;
using ptx::Opcode;
using ptx::Round;
using ptx::Type;
namespace Intrinsic = llvm::Intrinsic;

namespace {

Value* integer_to_integer(Alu& a) {
  auto& b = a.b;
  const Type to = a.type(0), from = a.type(1);
  const int n = ptx::bits(to), m = ptx::bits(from);
  const bool sign = ptx::is_signed(from);
  Value* v = a.src(0, m);
  if (!a.inst.arithmetic().sat) return a.e.resize(v, n, sign);
  const bool to_sign = ptx::is_signed(to);
  const int w = std::max(n, m) + 1;
  v = a.e.resize(v, w, sign);
  auto limit = [&](bool low) {
    llvm::APInt k = low ? (to_sign ? llvm::APInt::getSignedMinValue(n) : llvm::APInt(n, 0))
                        : (to_sign ? llvm::APInt::getSignedMaxValue(n) : llvm::APInt::getMaxValue(n));
    k = to_sign ? k.sext(w) : k.zext(w);
    return llvm::ConstantInt::get(v->getType(), k);
  };
  v = b.CreateBinaryIntrinsic(Intrinsic::smax, v, limit(true));
  v = b.CreateBinaryIntrinsic(Intrinsic::smin, v, limit(false));
  return a.e.resize(v, n, false);
}

Value* to_integral(Alu& a, Value* v) {
  switch (a.inst.arithmetic().round) {
    case Round::rzi:
    case Round::rz: return a.b.CreateUnaryIntrinsic(Intrinsic::trunc, v);
    case Round::rmi:
    case Round::rm: return a.b.CreateUnaryIntrinsic(Intrinsic::floor, v);
    case Round::rpi:
    case Round::rp: return a.b.CreateUnaryIntrinsic(Intrinsic::ceil, v);
    default: return a.b.CreateUnaryIntrinsic(Intrinsic::roundeven, v);
  }
}

Value* flush(Alu& a, Value* v) {
  Value* small = a.b.CreateFCmpOLT(a.b.CreateUnaryIntrinsic(Intrinsic::fabs, v),
                                   llvm::ConstantFP::get(v->getType(), 0x1p-126));
  Value* zero = a.b.CreateBinaryIntrinsic(Intrinsic::copysign, llvm::ConstantFP::get(v->getType(), 0.0), v);
  return a.b.CreateSelect(small, zero, v);
}

Value* canonical(Alu& a, Value* v, Type t) {
  const std::uint64_t nan = t == Type::f64 ? 0xfff8000000000000u : 0x7fffffffu;
  return a.b.CreateSelect(a.b.CreateFCmpUNO(v, v),
                          a.b.CreateBitCast(a.constant(ptx::bits(t), nan), v->getType()), v);
}

bool wide(Type t) {
  return t == Type::f32 || t == Type::f64;
}

bool is_nearest(Round r) {
  return r == Round::none || r == Round::rn;
}
bool is_integral(Round r) {
  return r == Round::rni || r == Round::rzi || r == Round::rmi || r == Round::rpi;
}

/// f16: what f32 rounds is out of range already. bf16: f64 holds 32 bits exactly.
bool integer_to_half(Alu& a) {
  auto& b = a.b;
  const Type to = a.type(0), from = a.type(1);
  const Round round = a.inst.arithmetic().round;
  Half h(a, to);
  const bool brain = to == Type::bf16;
  if ((to != Type::f16 && !brain) ||
      (brain && (ptx::bits(from) > 32 || (!is_nearest(round) && round != Round::rz))))
    return false;
  Value* v = a.src(0, ptx::bits(from));
  llvm::Type* real = a.float_type(brain ? Type::f64 : Type::f32);
  v = ptx::is_signed(from) ? b.CreateSIToFP(v, real) : b.CreateUIToFP(v, real);
  a.result(h.narrow({brain ? h.narrow_double(v) : v}, round));
  return true;
}

/// One number, or two into a pair: the first becomes the upper half.
bool float_to_half(Alu& a) {
  auto& b = a.b;
  const Type to = a.type(0), from = a.type(1);
  const bool brain = to == Type::bf16 || to == Type::bf16x2, pair = ptx::bits(to) == 32;
  const bool from_half = from == Type::f16 || from == Type::bf16;
  const bool integral = is_integral(a.inst.arithmetic().round);
  const Round round = integral ? Round::rn : a.inst.arithmetic().round;
  if ((!wide(from) && !from_half) || a.inst.srcs.size() != (pair ? 2 : 1)) return false;
  if (!is_nearest(round) && (from == Type::f64 || (brain && round != Round::rz))) return false;
  if (to == from && a.inst.arithmetic().round == Round::none && !a.inst.arithmetic().sat &&
      !a.inst.arithmetic().ftz && !a.inst.arithmetic().relu) {
    a.result(a.src(0, 16));
    return true;
  }
  Half h(a, brain ? Type::bf16 : Type::f16), source(a, from);
  auto one = [&](std::size_t i) {
    Value* v = wide(from) ? a.float_src(i, from) : source.widen(source.source(i))[0];
    if (a.inst.arithmetic().ftz && from == Type::f32) v = flush(a, v);
    Value* nan = b.CreateFCmpUNO(v, v);
    auto number = [&](double x) { return llvm::ConstantFP::get(v->getType(), x); };
    if (integral) v = b.CreateBinaryIntrinsic(Intrinsic::copysign, to_integral(a, v), v);
    if (a.inst.arithmetic().sat || a.inst.arithmetic().relu)
      v = b.CreateSelect(b.CreateFCmpOGT(v, number(0)), v, number(0));
    if (a.inst.arithmetic().sat) v = b.CreateSelect(b.CreateFCmpOGT(v, number(1)), number(1), v);
    if (from == Type::f64) v = h.narrow_double(v);
    return b.CreateSelect(nan, a.constant(16, a.inst.arithmetic().sat ? 0 : 0x7fff), h.narrow({v}, round));
  };
  if (!pair) {
    a.result(one(0));
    return true;
  }
  Value* high = b.CreateShl(a.e.resize(one(0), 32, false), a.constant(32, 16));
  a.result(b.CreateOr(high, a.e.resize(one(1), 32, false)));
  return true;
}

/// Carries of the significand into the exponent round up to the next number, at last to infinity.
bool float_to_tf32(Alu& a) {
  auto& b = a.b;
  if (a.type(1) != Type::f32 || a.inst.arithmetic().sat || a.inst.arithmetic().ftz) return false;
  Value* v = a.raw(0, 32);
  Value* f = b.CreateBitCast(v, a.float_type(Type::f32));
  Value* r = v;
  if (a.inst.arithmetic().round == Round::rna)
    r = b.CreateAdd(v, a.constant(32, 0x1000));
  else if (is_nearest(a.inst.arithmetic().round))
    r = b.CreateAdd(v, b.CreateAdd(a.constant(32, 0xfff),
                                   b.CreateAnd(b.CreateLShr(v, a.constant(32, 13)), a.constant(32, 1))));
  else if (a.inst.arithmetic().round != Round::rz)
    return false;
  r = b.CreateAnd(r, a.constant(32, 0xffffe000u));
  if (a.inst.arithmetic().relu)
    r = b.CreateSelect(b.CreateFCmpOGT(f, a.real(Type::f32, 0.0)), r, a.constant(32, 0));
  a.result(b.CreateSelect(b.CreateFCmpUNO(f, f), a.constant(32, 0x7fffe000u), r));
  return true;
}

bool convert(Alu& a) {
  auto& b = a.b;
  const Type to = a.type(0), from = a.type(1);
  const bool to_float = ptx::is_float(to), from_float = ptx::is_float(from);
  if (!to_float && !from_float) {
    a.result(integer_to_integer(a), ptx::is_signed(to));
    return true;
  }
  const bool nearest = is_nearest(a.inst.arithmetic().round);
  if (to_float && !from_float) {
    if (a.inst.arithmetic().sat) return false;
    if (is_half(to)) return integer_to_half(a);
    if (!wide(to)) return false;
    // Values that fit exactly have no rounding; others only the host's.
    if (!nearest && ptx::bits(from) > (to == Type::f64 ? 32 : 16)) return false;
    Value* v = a.src(0, ptx::bits(from));
    a.result(ptx::is_signed(from) ? b.CreateSIToFP(v, a.float_type(to))
                                  : b.CreateUIToFP(v, a.float_type(to)));
    return true;
  }
  if (!to_float) {
    if (!wide(from) && from != Type::f16 && from != Type::bf16) return false;
    const int n = ptx::bits(to);
    Half h(a, from);
    Value* v = wide(from) ? a.float_src(0, from) : h.widen(h.source(0))[0];
    if (a.inst.arithmetic().ftz && from == Type::f32) v = flush(a, v);
    Value* x = to_integral(a, v);
    llvm::Type* i = a.e.int_type(n, a.form);
    Value* r = b.CreateIntrinsic(ptx::is_signed(to) ? Intrinsic::fptosi_sat : Intrinsic::fptoui_sat,
                                 {i, x->getType()}, {x});
    if (from == Type::f64 || n == 64)
      r = b.CreateSelect(b.CreateFCmpUNO(v, v), a.constant(n, std::uint64_t{1} << (n - 1)), r);
    a.result(r, ptx::is_signed(to));
    return true;
  }
  const bool integral = is_integral(a.inst.arithmetic().round);
  if (a.inst.arithmetic().satfinite) return false;
  if (is_half(to)) return float_to_half(a);
  if (to == Type::tf32) return float_to_tf32(a);
  if (a.inst.arithmetic().relu || a.inst.arithmetic().sat) return false;
  if (wide(to) && (wide(from) || from == Type::f16 || from == Type::bf16)) {
    if (to == Type::f32 && from == Type::f64 && !nearest) return false;
    if (from == Type::bf16) {
      if (to != Type::f32 || integral) return false;
      Value* v = b.CreateShl(a.e.resize(a.src(0, 16), 32, false), a.constant(32, 16));
      Value* f = b.CreateBitCast(v, a.float_type(to));
      if (a.inst.arithmetic().ftz) f = flush(a, f);
      a.result(canonical(a, f, to));
      return true;
    }
    if (to == from && a.inst.arithmetic().round == Round::none && !a.inst.arithmetic().ftz) {
      a.result(a.src(0, ptx::bits(to)));
      return true;
    }
    Value* v = a.float_src(0, from);
    if (a.inst.arithmetic().ftz && from == Type::f32) v = flush(a, v);
    if (integral) v = b.CreateBinaryIntrinsic(Intrinsic::copysign, to_integral(a, v), v);
    if (to != from) v = b.CreateFPCast(v, a.float_type(to));
    if (a.inst.arithmetic().ftz && to == Type::f32) v = flush(a, v);
    a.result(canonical(a, v, to));
    return true;
  }
  return false;
}

}  // namespace

bool emit_convert(Alu& a) {
  auto& b = a.b;
  using simt::WarpContext;
  const auto space = a.inst.space();
  if (a.inst.op == Opcode::cvt) return convert(a);
  if (a.inst.op != Opcode::cvta) return false;
  const int n = ptx::bits(a.type()) ? ptx::bits(a.type()) : 64;
  const bool shared = space == ptx::Space::shared || space == ptx::Space::shared_cluster;
  if (!shared && space != ptx::Space::local) {
    a.result(a.src(0, n));
    return true;
  }
  if (n != 64) return false;
  Value* base = b.CreatePtrToInt(
      a.e.load_context(shared ? offsetof(WarpContext, shared_base) : offsetof(WarpContext, local_base), 0),
      b.getInt64Ty());
  if (a.form == Form::vector) base = a.e.splat(base);
  if (!shared && a.form == Form::vector) {
    std::array<std::int64_t, warp_size> lane{};
    for (int l = 0; l < warp_size; ++l)
      lane[static_cast<std::size_t>(l)] = l * static_cast<std::int64_t>(a.e.kernel.local_bytes);
    base = b.CreateAdd(base, a.e.lane_constants(64, lane));
  }
  a.result(a.inst.memory().to ? b.CreateSub(a.src(0, 64), base) : b.CreateAdd(a.src(0, 64), base));
  return true;
}

}  // namespace wanren::jit
