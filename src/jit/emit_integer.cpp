// Integer arithmetic, PTX ISA 9.7.1 and 9.7.2. What returns false runs out of line.

#include "jit/alu.h"

namespace wanren::jit {

using llvm::Value;
using ptx::MulPart;
using ptx::Opcode;
using ptx::Type;
namespace Intrinsic = llvm::Intrinsic;

namespace {

int width(const Alu& a) {
  return ptx::bits(a.type());
}
bool is_packed(Type t) {
  return t == Type::u16x2 || t == Type::s16x2;
}

/// Low, high or wide product.
Value* product(Alu& a) {
  const int n = width(a);
  const bool sign = ptx::is_signed(a.type());
  Value *x = a.src(0, n), *y = a.src(1, n);
  if (a.inst.arithmetic().part == MulPart::lo || a.inst.arithmetic().part == MulPart::none)
    return a.b.CreateMul(x, y);
  Value* p = a.b.CreateMul(a.e.resize(x, 2 * n, sign), a.e.resize(y, 2 * n, sign));
  if (a.inst.arithmetic().part == MulPart::wide) return p;
  return a.e.resize(a.b.CreateLShr(p, a.constant(2 * n, static_cast<std::uint64_t>(n))), n, false);
}

/// Quotient of integers of at most 32 bits: exact in double precision, without a trap.
Value* narrow_quotient(Alu& a, Value* x, Value* y, bool sign) {
  auto& b = a.b;
  llvm::Type* f64 = a.float_type(Type::f64);
  llvm::Type* i = x->getType();
  Value* p = sign ? b.CreateSIToFP(x, f64) : b.CreateUIToFP(x, f64);
  Value* q = sign ? b.CreateSIToFP(y, f64) : b.CreateUIToFP(y, f64);
  Value* d = b.CreateFDiv(p, q);
  // -2^31 / -1 leaves the range: go through 64 bits, which wraps as PTX does.
  llvm::Type* i64 = a.form == Form::vector ? llvm::FixedVectorType::get(b.getInt64Ty(), warp_size)
                                           : static_cast<llvm::Type*>(b.getInt64Ty());
  return b.CreateTrunc(b.CreateFPToSI(d, i64), i);
}

bool divide(Alu& a) {
  auto& b = a.b;
  const int n = width(a);
  const bool sign = ptx::is_signed(a.type()), quotient = a.inst.op == Opcode::div;
  Value *x = a.src(0, n), *y = a.src(1, n);
  Value* zero = b.CreateICmpEQ(y, a.constant(n, 0));
  Value* safe = b.CreateSelect(zero, a.constant(n, 1), y);
  Value* r;
  const bool constant = llvm::isa<llvm::Constant>(y);
  if (n <= 32 && !(constant || (a.form == Form::scalar && !sign))) {
    Value *wx = a.e.resize(x, 32, sign), *wy = a.e.resize(safe, 32, sign);
    Value* q = narrow_quotient(a, wx, wy, sign);
    r = a.e.resize(quotient ? q : b.CreateSub(wx, b.CreateMul(q, wy)), n, sign);
  } else if (!sign) {
    r = quotient ? b.CreateUDiv(x, safe) : b.CreateURem(x, safe);
  } else {
    // The least number over -1 traps on the host; PTX wraps.
    Value* minus = b.CreateICmpEQ(y, a.constant(n, ~std::uint64_t{0}));
    safe = b.CreateSelect(minus, a.constant(n, 1), safe);
    r = quotient ? b.CreateSelect(minus, b.CreateNeg(x), b.CreateSDiv(x, safe))
                 : b.CreateSelect(minus, a.constant(n, 0), b.CreateSRem(x, safe));
  }
  a.result(b.CreateSelect(zero, a.constant(n, ~std::uint64_t{0}), r), sign);
  return true;
}

}  // namespace

bool emit_integer(Alu& a) {
  const Type t = a.type();
  if (ptx::is_float(t) || is_packed(t)) return false;
  auto& b = a.b;
  const int n = width(a);
  const bool sign = ptx::is_signed(t);
  switch (a.inst.op) {
    case Opcode::add:
    case Opcode::sub: {
      Value *x = a.src(0, n), *y = a.src(1, n);
      const bool add = a.inst.op == Opcode::add;
      if (a.inst.arithmetic().sat) {
        a.result(b.CreateBinaryIntrinsic(add ? Intrinsic::sadd_sat : Intrinsic::ssub_sat, x, y), true);
        return true;
      }
      Value* r = add ? b.CreateAdd(x, y) : b.CreateSub(x, y);
      a.result(r, sign);
      if (a.inst.arithmetic().cc) a.result(add ? b.CreateICmpULT(r, x) : b.CreateICmpULT(x, y), false, 1);
      return true;
    }
    case Opcode::addc:
    case Opcode::subc: {
      Value *x = a.src(0, n), *y = a.src(1, n), *carry = a.e.resize(a.src(2, 1), n, false);
      if (a.inst.op == Opcode::addc) {
        Value* s = b.CreateAdd(x, y);
        Value* r = b.CreateAdd(s, carry);
        a.result(r, sign);
        if (a.inst.arithmetic().cc)
          a.result(b.CreateOr(b.CreateICmpULT(s, x), b.CreateICmpULT(r, s)), false, 1);
      } else {
        Value* s = b.CreateSub(x, y);
        a.result(b.CreateSub(s, carry), sign);
        if (a.inst.arithmetic().cc)
          a.result(b.CreateOr(b.CreateICmpULT(x, y), b.CreateICmpULT(s, carry)), false, 1);
      }
      return true;
    }
    case Opcode::mul: a.result(product(a), sign); return true;
    case Opcode::mad:
    case Opcode::madc: {
      if (a.inst.arithmetic().sat) return false;
      const int m = a.inst.arithmetic().part == MulPart::wide ? 2 * n : n;
      Value *p = product(a), *c = a.src(2, m);
      Value* s = b.CreateAdd(p, c);
      Value* r = s;
      Value* over = a.inst.arithmetic().cc ? b.CreateICmpULT(s, p) : nullptr;
      if (a.inst.op == Opcode::madc) {
        r = b.CreateAdd(s, a.e.resize(a.src(3, 1), m, false));
        if (a.inst.arithmetic().cc) over = b.CreateOr(over, b.CreateICmpULT(r, s));
      }
      a.result(r, sign);
      if (over) a.result(over, false, 1);
      return true;
    }
    case Opcode::mul24:
    case Opcode::mad24: {
      if (a.inst.arithmetic().sat) return false;
      auto low24 = [&](Value* v) {
        Value* up = b.CreateShl(v, a.constant(32, 8));
        return sign ? b.CreateAShr(up, a.constant(32, 8)) : b.CreateLShr(up, a.constant(32, 8));
      };
      Value *x = low24(a.src(0, 32)), *y = low24(a.src(1, 32)), *p;
      if (a.inst.arithmetic().part == MulPart::hi) {
        Value* wide = b.CreateMul(a.e.resize(x, 64, sign), a.e.resize(y, 64, sign));
        p = a.e.resize(b.CreateLShr(wide, a.constant(64, 16)), 32, false);
      } else {
        p = b.CreateMul(x, y);
      }
      a.result(a.inst.op == Opcode::mad24 ? b.CreateAdd(p, a.src(2, 32)) : p, sign);
      return true;
    }
    case Opcode::div:
    case Opcode::rem: return divide(a);
    case Opcode::abs:
      a.result(b.CreateBinaryIntrinsic(Intrinsic::abs, a.src(0, n), b.getFalse()), sign);
      return true;
    case Opcode::neg: a.result(b.CreateNeg(a.src(0, n)), sign); return true;
    case Opcode::min:
    case Opcode::max: {
      const auto id = a.inst.op == Opcode::min ? (sign ? Intrinsic::smin : Intrinsic::umin)
                                               : (sign ? Intrinsic::smax : Intrinsic::umax);
      Value* r = b.CreateBinaryIntrinsic(id, a.src(0, n), a.src(1, n));
      if (a.inst.arithmetic().relu) r = b.CreateBinaryIntrinsic(Intrinsic::smax, r, a.constant(n, 0));
      a.result(r, sign);
      return true;
    }
    case Opcode::sad: {
      Value *x = a.src(0, n), *y = a.src(1, n);
      Value* less = sign ? b.CreateICmpSLT(x, y) : b.CreateICmpULT(x, y);
      a.result(b.CreateAdd(a.src(2, n), b.CreateSelect(less, b.CreateSub(y, x), b.CreateSub(x, y))), sign);
      return true;
    }
    case Opcode::dp4a: {
      Value *x = a.src(0, 32), *y = a.src(1, 32), *sum = a.src(2, 32);
      auto byte = [&](Value* v, int k, bool is_signed) {
        Value* up = b.CreateShl(v, a.constant(32, static_cast<std::uint64_t>(24 - 8 * k)));
        return is_signed ? b.CreateAShr(up, a.constant(32, 24)) : b.CreateLShr(up, a.constant(32, 24));
      };
      for (int k = 0; k < 4; ++k)
        sum = b.CreateAdd(
            sum, b.CreateMul(byte(x, k, ptx::is_signed(a.type(0))), byte(y, k, ptx::is_signed(a.type(1)))));
      a.result(sum);
      return true;
    }
    default: return false;
  }
}

}  // namespace wanren::jit
