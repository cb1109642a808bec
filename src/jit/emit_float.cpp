// Floating-point arithmetic with the host's IEEE operations, PTX ISA 9.7.3-9.7.5. Directed rounding and
// what else returns false run out of line.
//
// NaN results are canonical (as in interp/float.cpp), but only where somebody can see their bits: a value
// that arithmetic made may hold the host's NaN until something other than arithmetic reads it.

#include "jit/half.h"

namespace wanren::jit {

using llvm::Value;
using ptx::Opcode;
using ptx::Round;
using ptx::Type;
namespace Intrinsic = llvm::Intrinsic;

llvm::Type* Alu::float_type(Type t) {
  llvm::Type* s = t == Type::f64    ? b.getDoubleTy()
                  : t == Type::f16  ? b.getHalfTy()
                  : t == Type::bf16 ? b.getBFloatTy()
                                    : b.getFloatTy();
  return form == Form::scalar ? s : llvm::FixedVectorType::get(s, warp_size);
}

namespace {

bool host_type(Type t) {
  return t == Type::f32 || t == Type::f64;
}
bool nearest(const simt::Arithmetic& m) {
  return m.round == Round::none || m.round == Round::rn;
}
bool arithmetic(Opcode op) {
  switch (op) {
    case Opcode::add:
    case Opcode::sub:
    case Opcode::mul:
    case Opcode::fma:
    case Opcode::mad:
    case Opcode::div:
    case Opcode::rcp:
    case Opcode::sqrt: return true;
    default: return false;
  }
}

/// Subnormals become zeros of their sign.
Value* flush(Alu& a, Value* v) {
  Value* magnitude = a.b.CreateUnaryIntrinsic(Intrinsic::fabs, v);
  Value* small = a.b.CreateFCmpOLT(magnitude, llvm::ConstantFP::get(v->getType(), 0x1p-126));
  Value* zero = a.b.CreateBinaryIntrinsic(Intrinsic::copysign, llvm::ConstantFP::get(v->getType(), 0.0), v);
  return a.b.CreateSelect(small, zero, v);
}

bool flushes(const Alu& a) {
  return a.inst.arithmetic().ftz && a.type() == Type::f32;
}

Value* input(Alu& a, std::size_t i) {
  Value* v = a.float_src(i, a.type());
  return flushes(a) ? flush(a, v) : v;
}

Value* canonical(Alu& a, Value* v, Type t) {
  const std::uint64_t nan = t == Type::f64 ? 0xfff8000000000000u : 0x7fffffffu;
  Value* c = a.b.CreateBitCast(a.constant(ptx::bits(t), nan), v->getType());
  return a.b.CreateSelect(a.b.CreateFCmpUNO(v, v), c, v);
}

/// ftz and sat of a result.
void finish(Alu& a, Value* v) {
  if (flushes(a)) v = flush(a, v);
  if (a.inst.arithmetic().sat) {
    Value *zero = a.real(a.type(), 0.0), *one = a.real(a.type(), 1.0);
    v = a.b.CreateSelect(a.b.CreateFCmpOGT(v, zero), v, zero);  // NaN and -0 too
    v = a.b.CreateSelect(a.b.CreateFCmpOGT(v, one), one, v);
  }
  a.result(v);
}

/// A NaN loses to a number unless .NaN; -0 is less than +0.
Value* extreme(Alu& a, bool max, Value* x, Value* y) {
  auto& b = a.b;
  const Type t = a.type();
  auto pick = [&](Value* p, Value* q) {  // minps, maxps: q if equal or unordered
    return b.CreateSelect(max ? b.CreateFCmpOGT(p, q) : b.CreateFCmpOLT(p, q), p, q);
  };
  if (!a.inst.arithmetic().nan) {
    if (llvm::isa<llvm::Constant>(x)) std::swap(x, y);
    if (auto* c = llvm::dyn_cast<llvm::Constant>(y)) {
      if (c->getType()->isVectorTy()) c = c->getSplatValue();
      auto* f = llvm::dyn_cast_or_null<llvm::ConstantFP>(c);
      if (f && !f->isNaN() && (!f->isZero() || f->isNegative() != max)) return pick(x, y);
    }
  }
  llvm::Type* i = a.e.int_type(ptx::bits(t), a.form);
  auto bits = [&](Value* v) { return b.CreateBitCast(v, i); };
  Value *p = bits(pick(x, y)), *q = bits(pick(y, x));
  Value* r = b.CreateBitCast(max ? b.CreateAnd(p, q) : b.CreateOr(p, q), x->getType());
  Value *nx = b.CreateFCmpUNO(x, x), *ny = b.CreateFCmpUNO(y, y);
  if (a.inst.arithmetic().nan) {
    Value* nan = b.CreateBitCast(a.constant(ptx::bits(t), t == Type::f64 ? 0xfff8000000000000u : 0x7fffffffu),
                                 x->getType());
    return b.CreateSelect(b.CreateFCmpUNO(x, y), nan, r);
  }
  r = b.CreateSelect(nx, y, r);
  return b.CreateSelect(ny, x, r);
}

bool approximate(Alu& a, const char* name) {
  if (a.type() != Type::f32) return false;
  auto& b = a.b;
  auto* vector = llvm::FixedVectorType::get(b.getFloatTy(), warp_size);
  Value* area = a.e.scratch(warp_size);
  Value* out = b.CreateConstGEP1_64(b.getInt64Ty(), area, warp_size / 2);
  Value* v = input(a, 0);
  if (a.form == Form::scalar) v = b.CreateVectorSplat(warp_size, v);
  b.CreateAlignedStore(v, area, llvm::Align(64));
  auto* ptr = b.getPtrTy();
  b.CreateCall(a.e.runtime(name, llvm::FunctionType::get(b.getVoidTy(), {ptr, ptr}, false)), {area, out});
  if (a.form == Form::scalar)
    finish(a, b.CreateLoad(b.getFloatTy(), out));
  else
    finish(a, b.CreateAlignedLoad(vector, out, llvm::Align(64)));
  return true;
}

}  // namespace

bool leaves_raw_nan(const simt::Inst& inst) {
  return arithmetic(inst.op) && host_type(inst.types[0]) && nearest(inst.arithmetic()) &&
         !inst.arithmetic().sat && !inst.arithmetic().relu &&
         !(inst.arithmetic().approx && inst.types[0] == Type::f64);
}

bool makes_canonical_nan(const simt::Inst& inst) {
  const Type t = inst.types[0];
  if (!host_type(t)) return false;
  if (inst.op == Opcode::cvt) return !ptx::is_float(inst.types[1]) || inst.types[1] != t;
  switch (inst.op) {
    case Opcode::min:
    case Opcode::max:
    case Opcode::ex2:
    case Opcode::lg2:
    case Opcode::sin:
    case Opcode::cos:
    case Opcode::tanh:
    case Opcode::rsqrt: return true;
    default: return arithmetic(inst.op);
  }
}

bool carries_raw_nan(const simt::Inst& inst) {
  if (inst.op == Opcode::selp) return true;
  return inst.op == Opcode::mov && inst.srcs.size() == 1 && inst.dsts.size() == 1;
}

bool emit_float(Alu& a) {
  const Type t = a.type();
  auto& b = a.b;
  if (!ptx::is_float(t) && a.inst.op != Opcode::copysign) return false;
  if (is_half(t)) return emit_half(a);
  if (!host_type(t) || a.inst.arithmetic().relu || a.inst.arithmetic().xorsign) return false;
  const int n = ptx::bits(t);
  const std::uint64_t sign = std::uint64_t{1} << (n - 1);
  if (arithmetic(a.inst.op) &&
      (!nearest(a.inst.arithmetic()) || (a.inst.arithmetic().approx && t == Type::f64)))
    return false;
  switch (a.inst.op) {
    case Opcode::add: finish(a, b.CreateFAdd(input(a, 0), input(a, 1))); return true;
    case Opcode::sub: finish(a, b.CreateFSub(input(a, 0), input(a, 1))); return true;
    case Opcode::mul: finish(a, b.CreateFMul(input(a, 0), input(a, 1))); return true;
    case Opcode::fma:
    case Opcode::mad: {
      Value *x = input(a, 0), *y = input(a, 1), *z = input(a, 2);
      finish(a, b.CreateIntrinsic(Intrinsic::fma, {x->getType()}, {x, y, z}));
      return true;
    }
    case Opcode::div: finish(a, b.CreateFDiv(input(a, 0), input(a, 1))); return true;
    case Opcode::rcp: finish(a, b.CreateFDiv(a.real(t, 1.0), input(a, 0))); return true;
    case Opcode::sqrt: finish(a, b.CreateUnaryIntrinsic(Intrinsic::sqrt, input(a, 0))); return true;
    case Opcode::neg: {
      Value* v = a.src(0, n);
      if (flushes(a)) v = b.CreateBitCast(flush(a, b.CreateBitCast(v, a.float_type(t))), v->getType());
      a.result(b.CreateXor(v, a.constant(n, sign)));
      return true;
    }
    case Opcode::abs: {
      Value* v = a.src(0, n);
      if (flushes(a)) v = b.CreateBitCast(flush(a, b.CreateBitCast(v, a.float_type(t))), v->getType());
      a.result(b.CreateAnd(v, a.constant(n, sign - 1)));
      return true;
    }
    case Opcode::copysign:
      a.result(b.CreateOr(b.CreateAnd(a.src(0, n), a.constant(n, sign)),
                          b.CreateAnd(a.src(1, n), a.constant(n, sign - 1))));
      return true;
    case Opcode::min:
    case Opcode::max: {
      if (a.inst.srcs.size() != 2) return false;
      finish(a, canonical(a, extreme(a, a.inst.op == Opcode::max, input(a, 0), input(a, 1)), t));
      return true;
    }
    case Opcode::ex2: return approximate(a, "wr_ex2_f32");
    case Opcode::lg2: return approximate(a, "wr_lg2_f32");
    case Opcode::sin: return approximate(a, "wr_sin_f32");
    case Opcode::cos: return approximate(a, "wr_cos_f32");
    case Opcode::tanh: return approximate(a, "wr_tanh_f32");
    case Opcode::rsqrt: return approximate(a, "wr_rsqrt_f32");
    default: return false;
  }
}

// --- comparison ---

namespace {

llvm::CmpInst::Predicate predicate(ptx::Compare c, Type t) {
  using P = llvm::CmpInst;
  using C = ptx::Compare;
  if (ptx::is_float(t)) {
    switch (c) {
      case C::eq: return P::FCMP_OEQ;
      case C::ne: return P::FCMP_ONE;
      case C::lt:
      case C::lo: return P::FCMP_OLT;
      case C::le:
      case C::ls: return P::FCMP_OLE;
      case C::gt:
      case C::hi: return P::FCMP_OGT;
      case C::ge:
      case C::hs: return P::FCMP_OGE;
      case C::equ: return P::FCMP_UEQ;
      case C::neu: return P::FCMP_UNE;
      case C::ltu: return P::FCMP_ULT;
      case C::leu: return P::FCMP_ULE;
      case C::gtu: return P::FCMP_UGT;
      case C::geu: return P::FCMP_UGE;
      case C::num: return P::FCMP_ORD;
      case C::nan: return P::FCMP_UNO;
      case C::none: break;
    }
    return P::FCMP_FALSE;
  }
  const bool s = ptx::is_signed(t);
  switch (c) {
    case C::eq: return P::ICMP_EQ;
    case C::ne: return P::ICMP_NE;
    case C::lt: return s ? P::ICMP_SLT : P::ICMP_ULT;
    case C::le: return s ? P::ICMP_SLE : P::ICMP_ULE;
    case C::gt: return s ? P::ICMP_SGT : P::ICMP_UGT;
    case C::ge: return s ? P::ICMP_SGE : P::ICMP_UGE;
    case C::lo: return P::ICMP_ULT;
    case C::ls: return P::ICMP_ULE;
    case C::hi: return P::ICMP_UGT;
    case C::hs: return P::ICMP_UGE;
    default: return P::BAD_ICMP_PREDICATE;
  }
}

bool is_pair(Type t) {
  return t == Type::f16x2 || t == Type::bf16x2;
}

/// The comparison, or null. Of pairs: of their low or high halves.
Value* compare(Alu& a, Type t, bool high = false) {
  auto& b = a.b;
  const auto p = predicate(a.inst.arithmetic().compare, t);
  if (p == llvm::CmpInst::BAD_ICMP_PREDICATE) return nullptr;
  if (is_half(t)) {
    Half h(a, t == Type::bf16 || t == Type::bf16x2 ? Type::bf16 : Type::f16);
    auto operand = [&](std::size_t i) {
      Value* v = a.src(i, is_pair(t) ? 32 : 16);
      if (high) v = b.CreateLShr(v, a.constant(32, 16));
      v = a.e.resize(v, 16, false);
      return h.widen(a.inst.arithmetic().ftz ? h.flush(v) : v)[0];
    };
    Value* x = operand(0);
    return b.CreateFCmp(p, x, operand(1));
  }
  if (ptx::is_float(t)) {
    Value *x = a.float_src(0, t), *y = a.float_src(1, t);
    if (a.inst.arithmetic().ftz && t == Type::f32) {
      x = flush(a, x);
      y = flush(a, y);
    }
    return b.CreateFCmp(p, x, y);
  }
  const int n = ptx::bits(t);
  return b.CreateICmp(p, a.src(0, n), a.src(1, n));
}

Value* combine(Alu& a, Value* v, Value* c) {
  switch (a.inst.arithmetic().bool_op) {
    case ptx::BoolOp::and_: return a.b.CreateAnd(v, c);
    case ptx::BoolOp::or_: return a.b.CreateOr(v, c);
    case ptx::BoolOp::xor_: return a.b.CreateXor(v, c);
    case ptx::BoolOp::none: return v;
  }
  return v;
}

}  // namespace

bool emit_compare(Alu& a) {
  auto& b = a.b;
  switch (a.inst.op) {
    case Opcode::setp: {
      Value* v = compare(a, a.type());
      if (!v) return false;
      Value* c = a.inst.srcs.size() > 2 ? a.src(2, 1) : nullptr;
      a.result(combine(a, v, c));
      if (a.wants(1)) {
        Value* second = is_pair(a.type()) ? compare(a, a.type(), true) : b.CreateNot(v);
        a.result(combine(a, second, c), false, 1);
      }
      return true;
    }
    case Opcode::set: {
      Value* v = compare(a, a.type(1));
      if (!v) return false;
      Value* c = a.inst.srcs.size() > 2 ? a.src(2, 1) : nullptr;
      v = combine(a, v, c);
      const Type to = a.type(0);
      const bool brain = to == Type::bf16 || to == Type::bf16x2;
      auto half_truth = [&](Value* which, int n) {
        return b.CreateSelect(which,
                              a.constant(n, !is_half(to) ? 0xffff
                                            : brain      ? 0x3f80
                                                         : 0x3c00),
                              a.constant(n, 0));
      };
      if (is_pair(a.type(1))) {
        if (!is_half(to) && (ptx::is_float(to) || ptx::bits(to) != 32)) return false;
        Value* high = half_truth(combine(a, compare(a, a.type(1), true), c), 32);
        a.result(b.CreateOr(half_truth(v, 32), b.CreateShl(high, a.constant(32, 16))));
      } else if (ptx::bits(to) == 16) {
        a.result(half_truth(v, 16));
      } else if (to == Type::f32)
        a.result(b.CreateSelect(v, a.real(to, 1.0), a.real(to, 0.0)));
      else if (ptx::bits(to) == 32 && !ptx::is_float(to))
        a.result(a.e.resize(v, 32, true), true);
      else
        return false;
      return true;
    }
    case Opcode::slct: {
      const int n = ptx::bits(a.type());
      Value* first;
      if (a.type(1) == Type::f32) {
        Value* c = a.float_src(2, Type::f32);
        if (a.inst.arithmetic().ftz) c = flush(a, c);
        first = b.CreateFCmpOGE(c, a.real(Type::f32, 0.0));
      } else {
        first = b.CreateICmpSGE(a.src(2, 32), a.constant(32, 0));
      }
      a.result(b.CreateSelect(first, a.src(0, n), a.src(1, n)));
      return true;
    }
    default: return false;
  }
}

}  // namespace wanren::jit
