// f16, bf16 and their pairs, PTX ISA 9.7.4, as f32 vectors. Sums and products of either format in f32 round
// to it as if once: 24 bits are at least 2 * 11 + 2, products of f16 are exact, and those of bf16 that are
// subnormal in f32 lie below half its smallest number. Fused operations go through f64 (fused()).
//
// Results are finished as integers, in the order of interp/float.cpp: NaN, ftz, sat, relu.

#include "interp/approx.h"
#include "jit/half.h"

namespace wanren::jit {

using llvm::Value;
using ptx::Opcode;
using ptx::Round;
using ptx::Type;
namespace Intrinsic = llvm::Intrinsic;

bool is_half(Type t) {
  return t == Type::f16 || t == Type::bf16 || t == Type::f16x2 || t == Type::bf16x2;
}

Half::Half(Alu& a, Type t)
    : b(a.b),
      a_(a),
      brain_(t == Type::bf16 || t == Type::bf16x2),
      pair_(t == Type::f16x2 || t == Type::bf16x2) {}

llvm::Type* Half::like(Value* v, llvm::Type* element) const {
  auto* vector = llvm::dyn_cast<llvm::FixedVectorType>(v->getType());
  return vector ? llvm::FixedVectorType::get(element, vector->getNumElements()) : element;
}

llvm::Constant* Half::all(Value* v, std::uint64_t bits) const {
  return llvm::ConstantInt::get(v->getType(), bits);
}

Value* Half::source(std::size_t i) {
  Value* v = a_.src(i, pair_ ? 32 : 16);
  if (!pair_) return v;
  const unsigned n = a_.form == Form::vector ? 2 * warp_size : 2;
  return b.CreateBitCast(v, llvm::FixedVectorType::get(b.getInt16Ty(), n));
}

Value* Half::input(std::size_t i) {
  Value* v = source(i);
  return a_.inst.arithmetic().ftz ? flush(v) : v;
}

void Half::result(Value* bits, std::size_t i) {
  a_.result(pair_ ? b.CreateBitCast(bits, a_.e.int_type(32, a_.form)) : bits, false, i);
}

Value* Half::flush(Value* v) {
  Value* small = b.CreateICmpULT(b.CreateAnd(v, all(v, 0x7fff)), all(v, brain_ ? 0x80 : 0x400));
  return b.CreateSelect(small, b.CreateAnd(v, all(v, 0x8000)), v);
}

Value* Half::is_nan(Value* v) {
  return b.CreateICmpUGT(b.CreateAnd(v, all(v, 0x7fff)), all(v, brain_ ? 0x7f80 : 0x7c00));
}

Value* Half::finish(Value* v) {
  Value *nan = is_nan(v), *zero = all(v, 0);
  if (a_.inst.arithmetic().ftz) v = flush(v);
  // As signed integers: negative numbers and -0 are below 0.
  if (a_.inst.arithmetic().sat || a_.inst.arithmetic().relu)
    v = b.CreateBinaryIntrinsic(Intrinsic::smax, v, zero);
  if (a_.inst.arithmetic().sat)
    v = b.CreateBinaryIntrinsic(Intrinsic::smin, v, all(v, brain_ ? 0x3f80 : 0x3c00));
  return b.CreateSelect(nan, all(v, a_.inst.arithmetic().sat ? 0 : 0x7fff), v);
}

Half::Floats Half::widen(Value* v) {
  if (!brain_) return {b.CreateFPExt(b.CreateBitCast(v, like(v, b.getHalfTy())), like(v, b.getFloatTy()))};
  if (!pair_) {
    Value* bits = b.CreateShl(b.CreateZExt(v, like(v, b.getInt32Ty())), std::uint64_t{16});
    return {b.CreateBitCast(bits, like(v, b.getFloatTy()))};
  }
  Value* both = b.CreateBitCast(v, a_.e.int_type(32, a_.form));
  llvm::Type* real = like(both, b.getFloatTy());
  return {b.CreateBitCast(b.CreateShl(both, std::uint64_t{16}), real),
          b.CreateBitCast(b.CreateAnd(both, all(both, 0xffff0000u)), real)};
}

Value* Half::round_brain(Value* f, Round round) {
  Value* bits = b.CreateBitCast(f, like(f, b.getInt32Ty()));
  if (round == Round::rz) return bits;
  Value* odd = b.CreateAnd(b.CreateLShr(bits, std::uint64_t{16}), all(bits, 1));
  return b.CreateAdd(bits, b.CreateAdd(odd, all(bits, 0x7fff)));
}

Value* Half::narrow(const Floats& f, Round round) {
  if (!brain_) {
    Value* r = b.CreateFPTrunc(f[0], like(f[0], b.getHalfTy()));
    Value* bits = b.CreateBitCast(r, like(f[0], b.getInt16Ty()));
    if (round == Round::none || round == Round::rn) return bits;
    // One step back where rounding to nearest went the wrong way.
    Value* back = b.CreateFPExt(r, f[0]->getType());
    Value *up = b.CreateFCmpOGT(back, f[0]), *down = b.CreateFCmpOLT(back, f[0]);
    Value* negative = b.CreateICmpSLT(bits, all(bits, 0));
    Value *away = b.CreateAdd(bits, all(bits, 1)), *toward = b.CreateSub(bits, all(bits, 1));
    if (round == Round::rz) return b.CreateSelect(b.CreateSelect(negative, down, up), toward, bits);
    if (round == Round::rm) return b.CreateSelect(up, b.CreateSelect(negative, away, toward), bits);
    return b.CreateSelect(down, b.CreateSelect(negative, toward, away), bits);
  }
  Value* low = b.CreateLShr(round_brain(f[0], round), std::uint64_t{16});
  if (!pair_) return b.CreateTrunc(low, like(low, b.getInt16Ty()));
  Value* high = round_brain(f[1], round);
  Value* both = b.CreateOr(low, b.CreateAnd(high, all(high, 0xffff0000u)));
  const unsigned n = a_.form == Form::vector ? 2 * warp_size : 2;
  return b.CreateBitCast(both, llvm::FixedVectorType::get(b.getInt16Ty(), n));
}

Value* Half::narrow_double(Value* d) {
  // To so few bits, the last one sticky, that f32 holds them exactly wherever a later rounding can tell.
  const int dropped = brain_ ? 43 : 40;
  const std::uint64_t unit = std::uint64_t{1} << dropped;
  Value* bits = b.CreateBitCast(d, like(d, b.getInt64Ty()));
  Value* lost = b.CreateICmpNE(b.CreateAnd(bits, all(bits, unit - 1)), all(bits, 0));
  Value* kept = b.CreateAnd(bits, all(bits, ~(unit - 1)));
  kept = b.CreateSelect(lost, b.CreateOr(kept, all(bits, unit)), kept);
  return b.CreateFPTrunc(b.CreateBitCast(kept, d->getType()), like(d, b.getFloatTy()));
}

/// x * y is exact in f64. Its sum with z is inexact only where it rounds like an exact one - except for a
/// product half way between two bf16 numbers with a z too small to show: that moves it by one unit.
Value* Half::fused(Value* x, Value* y, Value* z) {
  llvm::Type* wide = like(x, b.getDoubleTy());
  Value* product = b.CreateFMul(b.CreateFPExt(x, wide), b.CreateFPExt(y, wide));
  Value* added = b.CreateFPExt(z, wide);
  Value* sum = b.CreateFAdd(product, added);
  if (brain_) {
    Value* zero = llvm::ConstantFP::get(wide, 0.0);
    Value* hidden = b.CreateAnd(b.CreateFCmpOEQ(sum, product), b.CreateFCmpONE(added, zero));
    hidden = b.CreateAnd(hidden, b.CreateFCmpONE(b.CreateUnaryIntrinsic(Intrinsic::fabs, sum),
                                                 llvm::ConstantFP::getInfinity(wide)));
    llvm::Type* words = like(x, b.getInt64Ty());
    Value *bits = b.CreateBitCast(sum, words), *other = b.CreateBitCast(added, words);
    // +1 where the signs agree, else -1.
    Value* step = b.CreateOr(b.CreateAShr(b.CreateXor(bits, other), std::uint64_t{63}), all(bits, 1));
    bits = b.CreateSelect(hidden, b.CreateAdd(bits, step), bits);
    sum = b.CreateBitCast(bits, wide);
  }
  return narrow_double(sum);
}

namespace {

/// Sign and magnitude to an order of integers that puts -0 before +0; its own inverse.
Value* order(Half& h, Value* v) {
  auto& b = h.b;
  return b.CreateSelect(b.CreateICmpSLT(v, h.all(v, 0)), b.CreateXor(v, h.all(v, 0x7fff)), v);
}

Value* extreme(Half& h, const simt::Arithmetic& how, bool max, Value* x, Value* y) {
  auto& b = h.b;
  Value* sign = nullptr;
  if (how.xorsign) {
    sign = b.CreateAnd(b.CreateXor(x, y), h.all(x, 0x8000));
    x = b.CreateAnd(x, h.all(x, 0x7fff));
    y = b.CreateAnd(y, h.all(y, 0x7fff));
  }
  Value *nan_x = h.is_nan(x), *nan_y = h.is_nan(y);
  Value* r =
      order(h, b.CreateBinaryIntrinsic(max ? Intrinsic::smax : Intrinsic::smin, order(h, x), order(h, y)));
  r = b.CreateSelect(nan_x, y, b.CreateSelect(nan_y, x, r));
  Value* nan = how.nan ? b.CreateOr(nan_x, nan_y) : b.CreateAnd(nan_x, nan_y);
  if (sign) r = b.CreateOr(r, sign);
  return b.CreateSelect(nan, h.all(r, 0x7fff), r);
}

/// A function of f32 whose results are rounded to odd, so that narrowing them rounds once.
Half::Floats call_odd(Alu& a, const char* name, const Half::Floats& f) {
  auto& b = a.b;
  auto* ptr = b.getPtrTy();
  auto callee = a.e.runtime(name, llvm::FunctionType::get(b.getVoidTy(), {ptr, ptr}, false));
  auto* row = llvm::FixedVectorType::get(b.getFloatTy(), warp_size);
  Value* area = a.e.scratch(warp_size);
  Value* out = b.CreateConstGEP1_64(b.getInt64Ty(), area, warp_size / 2);
  Half::Floats results;
  for (Value* v : f) {
    auto* vector = llvm::dyn_cast<llvm::FixedVectorType>(v->getType());
    const unsigned n = vector ? vector->getNumElements() : 1;
    Value* r = nullptr;
    for (unsigned first = 0; first < n; first += warp_size) {
      llvm::SmallVector<int, 32> take, give;
      for (unsigned i = 0; i < warp_size; ++i) take.push_back(static_cast<int>((first + i) % n));
      Value* in = vector ? b.CreateShuffleVector(v, take) : b.CreateVectorSplat(warp_size, v);
      b.CreateAlignedStore(in, area, llvm::Align(64));
      b.CreateCall(callee, {area, out});
      Value* part = b.CreateAlignedLoad(row, out, llvm::Align(64));
      if (!vector) {
        r = b.CreateExtractElement(part, std::uint64_t{0});
      } else if (n <= warp_size) {
        for (unsigned i = 0; i < n; ++i) give.push_back(static_cast<int>(i));
        r = b.CreateShuffleVector(part, give);
      } else {
        llvm::SmallVector<int, 64> both;
        for (unsigned i = 0; i < n; ++i) both.push_back(static_cast<int>(i));
        r = r ? b.CreateShuffleVector(r, part, both) : part;
      }
    }
    results.push_back(r);
  }
  return results;
}

}  // namespace

bool emit_half(Alu& a) {
  auto& b = a.b;
  if (a.inst.arithmetic().round != Round::none && a.inst.arithmetic().round != Round::rn) return false;
  Half h(a, a.type());
  auto combine = [&](auto operation) {
    const Half::Floats x = h.widen(h.input(0)), y = h.widen(h.input(1));
    Half::Floats r;
    for (std::size_t i = 0; i < x.size(); ++i) r.push_back(operation(x[i], y[i]));
    h.result(h.finish(h.narrow(r)));
    return true;
  };
  switch (a.inst.op) {
    case Opcode::add: return combine([&](Value* x, Value* y) { return b.CreateFAdd(x, y); });
    case Opcode::sub: return combine([&](Value* x, Value* y) { return b.CreateFSub(x, y); });
    case Opcode::mul: return combine([&](Value* x, Value* y) { return b.CreateFMul(x, y); });
    case Opcode::fma: {
      const Half::Floats x = h.widen(h.input(0)), y = h.widen(h.input(1)), z = h.widen(h.input(2));
      Half::Floats r;
      for (std::size_t i = 0; i < x.size(); ++i) r.push_back(h.fused(x[i], y[i], z[i]));
      h.result(h.finish(h.narrow(r)));
      return true;
    }
    case Opcode::neg: {
      Value* v = h.input(0);
      h.result(b.CreateXor(v, h.all(v, 0x8000)));
      return true;
    }
    case Opcode::abs: {
      Value* v = h.input(0);
      h.result(b.CreateAnd(v, h.all(v, 0x7fff)));
      return true;
    }
    case Opcode::min:
    case Opcode::max:
      if (a.inst.srcs.size() != 2) return false;
      h.result(h.finish(extreme(h, a.inst.arithmetic(), a.inst.op == Opcode::max, h.input(0), h.input(1))));
      return true;
    case Opcode::ex2:
    case Opcode::tanh: {
      const char* name = a.inst.op == Opcode::ex2 ? "wr_ex2_odd_f32" : "wr_tanh_odd_f32";
      h.result(h.finish(h.narrow(call_odd(a, name, h.widen(h.input(0))))));
      return true;
    }
    default: return false;
  }
}

}  // namespace wanren::jit
