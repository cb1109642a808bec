// cvt, PTX ISA 9.7.9.21, and cvta, isspacep. What returns false runs out of line.

#include "jit/alu.h"

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
  if (!a.inst.mods.sat) return a.e.resize(v, n, sign);
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
  switch (a.inst.mods.round) {
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

bool convert(Alu& a) {
  auto& b = a.b;
  const Type to = a.type(0), from = a.type(1);
  const auto& mods = a.inst.mods;
  const bool to_float = ptx::is_float(to), from_float = ptx::is_float(from);
  if (!to_float && !from_float) {
    a.result(integer_to_integer(a), ptx::is_signed(to));
    return true;
  }
  const bool nearest = mods.round == Round::none || mods.round == Round::rn;
  if (to_float && !from_float) {
    if (!wide(to) || mods.sat) return false;
    // Values that fit exactly have no rounding; others only the host's.
    if (!nearest && ptx::bits(from) > (to == Type::f64 ? 32 : 16)) return false;
    Value* v = a.src(0, ptx::bits(from));
    a.result(ptx::is_signed(from) ? b.CreateSIToFP(v, a.float_type(to))
                                  : b.CreateUIToFP(v, a.float_type(to)));
    return true;
  }
  if (!to_float) {
    if (!wide(from)) return false;
    const int n = ptx::bits(to);
    Value* v = a.float_src(0, from);
    if (mods.ftz && from == Type::f32) v = flush(a, v);
    Value* x = to_integral(a, v);
    llvm::Type* i = a.e.int_type(n, a.form);
    Value* r = b.CreateIntrinsic(ptx::is_signed(to) ? Intrinsic::fptosi_sat : Intrinsic::fptoui_sat,
                                 {i, x->getType()}, {x});
    if (from == Type::f64 || n == 64)
      r = b.CreateSelect(b.CreateFCmpUNO(v, v), a.constant(n, std::uint64_t{1} << (n - 1)), r);
    a.result(r, ptx::is_signed(to));
    return true;
  }
  const bool integral = mods.round == Round::rni || mods.round == Round::rzi || mods.round == Round::rmi ||
                        mods.round == Round::rpi;
  if (mods.relu || mods.satfinite || mods.sat) return false;
  if (wide(to) && (wide(from) || from == Type::f16 || from == Type::bf16)) {
    if (to == Type::f32 && from == Type::f64 && !nearest) return false;
    if (from == Type::bf16) {
      if (to != Type::f32 || integral) return false;
      Value* v = b.CreateShl(a.e.resize(a.src(0, 16), 32, false), a.constant(32, 16));
      Value* f = b.CreateBitCast(v, a.float_type(to));
      if (mods.ftz) f = flush(a, f);
      a.result(canonical(a, f, to));
      return true;
    }
    if (to == from && mods.round == Round::none && !mods.ftz) {
      a.result(a.src(0, ptx::bits(to)));
      return true;
    }
    Value* v = a.float_src(0, from);
    if (mods.ftz && from == Type::f32) v = flush(a, v);
    if (integral) v = b.CreateBinaryIntrinsic(Intrinsic::copysign, to_integral(a, v), v);
    if (to != from) v = b.CreateFPCast(v, a.float_type(to));
    if (mods.ftz && to == Type::f32) v = flush(a, v);
    a.result(canonical(a, v, to));
    return true;
  }
  if (from == Type::f32 && to == Type::f16 && nearest && !mods.ftz && a.inst.srcs.size() == 1) {
    Value* v = a.float_src(0, from);
    Value* r = b.CreateBitCast(b.CreateFPTrunc(v, a.float_type(to)), a.e.int_type(16, a.form));
    a.result(b.CreateSelect(b.CreateFCmpUNO(v, v), a.constant(16, 0x7fff), r));
    return true;
  }
  // bf16: round to nearest even in integers.
  auto to_bf16 = [&](Value* bits) {
    Value* f = b.CreateBitCast(bits, a.float_type(Type::f32));
    Value* odd = b.CreateAnd(b.CreateLShr(bits, a.constant(32, 16)), a.constant(32, 1));
    Value* up = b.CreateAdd(bits, b.CreateAdd(odd, a.constant(32, 0x7fff)));
    return b.CreateSelect(b.CreateFCmpUNO(f, f), a.constant(32, 0x7fff),
                          b.CreateLShr(up, a.constant(32, 16)));
  };
  if (from == Type::f32 && to == Type::bf16 && nearest && !mods.ftz && a.inst.srcs.size() == 1) {
    a.result(a.e.resize(to_bf16(a.raw(0, 32)), 16, false));
    return true;
  }
  if (from == Type::f32 && to == Type::bf16x2 && nearest && !mods.ftz && a.inst.srcs.size() == 2) {
    a.result(b.CreateOr(b.CreateShl(to_bf16(a.raw(0, 32)), a.constant(32, 16)), to_bf16(a.raw(1, 32))));
    return true;
  }
  return false;
}

}  // namespace

bool emit_convert(Alu& a) {
  auto& b = a.b;
  using simt::WarpContext;
  const auto space = a.inst.mods.space;
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
  a.result(a.inst.mods.to ? b.CreateSub(a.src(0, 64), base) : b.CreateAdd(a.src(0, 64), base));
  return true;
}

}  // namespace wanren::jit
