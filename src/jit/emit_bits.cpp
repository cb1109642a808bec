// Logic, shifts, bit fields and moves, PTX ISA 9.7.1, 9.7.8, 9.7.9. What returns false runs out of line.

#include "jit/alu.h"

namespace wanren::jit {

using llvm::Value;
using ptx::Opcode;
using ptx::ShiftMode;
using ptx::Type;
namespace Intrinsic = llvm::Intrinsic;

namespace {

int width(const Alu& a) {
  return ptx::bits(a.type());
}

/// Minimal sum of the truth table's minterms, with the common tables as one operation.
Value* lop3_value(Alu& a, unsigned table) {
  auto& b = a.b;
  Value* in[3] = {a.src(0, 32), a.src(1, 32), a.src(2, 32)};
  // Shannon expansion on the first operand: f = x ? f1 : f0, each a function of two.
  auto two = [&](unsigned t) -> Value* {  // bit index = y * 2 + z
    Value *y = in[1], *z = in[2];
    switch (t & 15) {
      case 0x0: return a.constant(32, 0);
      case 0xf: return a.constant(32, ~0u);
      case 0xc: return y;
      case 0xa: return z;
      case 0x3: return b.CreateNot(y);
      case 0x5: return b.CreateNot(z);
      case 0x8: return b.CreateAnd(y, z);
      case 0xe: return b.CreateOr(y, z);
      case 0x6: return b.CreateXor(y, z);
      case 0x7: return b.CreateNot(b.CreateAnd(y, z));
      case 0x1: return b.CreateNot(b.CreateOr(y, z));
      case 0x9: return b.CreateNot(b.CreateXor(y, z));
      case 0x4: return b.CreateAnd(y, b.CreateNot(z));
      case 0x2: return b.CreateAnd(b.CreateNot(y), z);
      case 0xd: return b.CreateOr(y, b.CreateNot(z));
      default: return b.CreateOr(b.CreateNot(y), z);
    }
  };
  const unsigned low = table & 15, high = table >> 4 & 15;
  if (low == high) return two(low);
  if (low == 0) return b.CreateAnd(in[0], two(high));
  if (high == 0) return b.CreateAnd(b.CreateNot(in[0]), two(low));
  if (high == 15) return b.CreateOr(in[0], two(low));
  if (low == 15) return b.CreateOr(b.CreateNot(in[0]), two(high));
  if ((low ^ high) == 15) return b.CreateXor(in[0], two(low));
  return b.CreateOr(b.CreateAnd(in[0], two(high)), b.CreateAnd(b.CreateNot(in[0]), two(low)));
}

bool move(Alu& a) {
  auto& b = a.b;
  const int n = width(a);
  const auto& i = a.inst;
  if (i.srcs.size() > 1) {
    const int part = n / static_cast<int>(i.srcs.size());
    Value* r = nullptr;
    for (std::size_t k = 0; k < i.srcs.size(); ++k) {
      Value* v = a.e.resize(a.src(k, part), n, false);
      if (k) {
        llvm::Constant* by = llvm::ConstantInt::get(v->getType(), k * static_cast<std::size_t>(part));
        r = b.CreateOr(r, b.CreateShl(v, by));
      } else {
        r = v;
      }
    }
    a.result(r);
    return true;
  }
  if (i.dsts.size() > 1) {
    const int part = n / static_cast<int>(i.dsts.size());
    Value* v = a.src(0, n);
    for (std::size_t k = 0; k < i.dsts.size(); ++k) {
      llvm::Constant* by = llvm::ConstantInt::get(v->getType(), k * static_cast<std::size_t>(part));
      a.result(a.e.resize(b.CreateLShr(v, by), part, false), false, k);
    }
    return true;
  }
  a.result(a.moved(0, n));
  return true;
}

bool permute(Alu& a) {
  if (a.inst.arithmetic().prmt != ptx::PrmtMode::none) return false;
  if (a.inst.srcs[2].kind != simt::Operand::Kind::imm || a.form != Form::vector) return false;
  auto& b = a.b;
  const auto select = a.inst.srcs[2].bits;
  for (int k = 0; k < 4; ++k)
    if (select >> (4 * k) & 8) return false;
  auto* bytes = llvm::FixedVectorType::get(b.getInt8Ty(), warp_size * 4);
  Value* low = b.CreateBitCast(a.src(0, 32), bytes);
  Value* high = b.CreateBitCast(a.src(1, 32), bytes);
  llvm::SmallVector<int, 128> mask;
  for (int lane = 0; lane < warp_size; ++lane)
    for (int k = 0; k < 4; ++k) {
      const int from = static_cast<int>(select >> (4 * k) & 7);
      mask.push_back(lane * 4 + (from & 3) + (from & 4 ? warp_size * 4 : 0));
    }
  a.result(b.CreateBitCast(b.CreateShuffleVector(low, high, mask), a.e.int_type(32, Form::vector)));
  return true;
}

}  // namespace

bool emit_bits(Alu& a) {
  auto& b = a.b;
  const int n = width(a);
  switch (a.inst.op) {
    case Opcode::and_: a.result(b.CreateAnd(a.src(0, n), a.src(1, n))); return true;
    case Opcode::or_: a.result(b.CreateOr(a.src(0, n), a.src(1, n))); return true;
    case Opcode::xor_: a.result(b.CreateXor(a.src(0, n), a.src(1, n))); return true;
    case Opcode::not_: a.result(b.CreateNot(a.src(0, n))); return true;
    case Opcode::cnot:
      a.result(a.e.resize(b.CreateICmpEQ(a.src(0, n), a.constant(n, 0)), n, false));
      return true;
    case Opcode::lop3: {
      if (a.inst.srcs.size() < 4 || a.inst.srcs[3].kind != simt::Operand::Kind::imm) return false;
      Value* r = lop3_value(a, static_cast<unsigned>(a.inst.srcs[3].bits));
      a.result(r);
      if (a.inst.arithmetic().bool_op != ptx::BoolOp::none) {
        Value *any = b.CreateICmpNE(r, a.constant(32, 0)), *q = a.src(4, 1);
        if (a.inst.arithmetic().bool_op == ptx::BoolOp::or_)
          a.result(b.CreateOr(any, q), false, 1);
        else if (a.inst.arithmetic().bool_op == ptx::BoolOp::and_)
          a.result(b.CreateAnd(any, q), false, 1);
        else
          return false;
      }
      return true;
    }
    case Opcode::shl:
    case Opcode::shr: {
      Value *x = a.src(0, n), *by = a.src(1, 32);
      const bool left = a.inst.op == Opcode::shl, sign = !left && ptx::is_signed(a.type());
      Value* most = a.constant(32, static_cast<std::uint64_t>(sign ? n - 1 : n));
      Value* over = b.CreateICmpUGE(by, a.constant(32, static_cast<std::uint64_t>(n)));
      if (sign) {
        Value* amount = a.e.resize(b.CreateBinaryIntrinsic(Intrinsic::umin, by, most), n, false);
        a.result(b.CreateAShr(x, amount), true);
        return true;
      }
      // The amount is kept in range, so that no lane is poison.
      Value* amount =
          a.e.resize(b.CreateAnd(by, a.constant(32, static_cast<std::uint64_t>(n - 1))), n, false);
      Value* r = left ? b.CreateShl(x, amount) : b.CreateLShr(x, amount);
      a.result(b.CreateSelect(over, a.constant(n, 0), r));
      return true;
    }
    case Opcode::shf: {
      Value *low = a.src(0, 32), *high = a.src(1, 32), *by = a.src(2, 32);
      if (a.inst.arithmetic().shift == ShiftMode::clamp) {
        Value* both = b.CreateOr(b.CreateShl(a.e.resize(high, 64, false), a.constant(64, 32)),
                                 a.e.resize(low, 64, false));
        Value* amount =
            a.e.resize(b.CreateBinaryIntrinsic(Intrinsic::umin, by, a.constant(32, 32)), 64, false);
        Value* r = a.inst.arithmetic().direction == ShiftMode::left
                       ? b.CreateLShr(b.CreateShl(both, amount), a.constant(64, 32))
                       : b.CreateLShr(both, amount);
        a.result(a.e.resize(r, 32, false));
        return true;
      }
      const auto id = a.inst.arithmetic().direction == ShiftMode::left ? Intrinsic::fshl : Intrinsic::fshr;
      a.result(b.CreateIntrinsic(id, {low->getType()}, {high, low, by}));
      return true;
    }
    case Opcode::popc:
      a.result(a.e.resize(b.CreateUnaryIntrinsic(Intrinsic::ctpop, a.src(0, n)), 32, false));
      return true;
    case Opcode::clz:
      a.result(a.e.resize(b.CreateBinaryIntrinsic(Intrinsic::ctlz, a.src(0, n), b.getFalse()), 32, false));
      return true;
    case Opcode::brev: a.result(b.CreateUnaryIntrinsic(Intrinsic::bitreverse, a.src(0, n))); return true;
    case Opcode::bfind: {
      Value* x = a.src(0, n);
      if (ptx::is_signed(a.type())) {
        Value* sign = b.CreateAShr(x, a.constant(n, static_cast<std::uint64_t>(n - 1)));
        x = b.CreateXor(x, sign);
      }
      Value* zeros = a.e.resize(b.CreateBinaryIntrinsic(Intrinsic::ctlz, x, b.getFalse()), 32, false);
      Value* position = a.inst.arithmetic().shiftamt
                            ? zeros
                            : b.CreateSub(a.constant(32, static_cast<std::uint64_t>(n - 1)), zeros);
      a.result(b.CreateSelect(b.CreateICmpEQ(x, a.constant(n, 0)), a.constant(32, ~0u), position));
      return true;
    }
    case Opcode::bfe: {
      const auto &p = a.inst.srcs[1], &l = a.inst.srcs[2];
      if (p.kind != simt::Operand::Kind::imm || l.kind != simt::Operand::Kind::imm) return false;
      const int position = static_cast<int>(p.bits & 0xff), length = static_cast<int>(l.bits & 0xff);
      if (length == 0 || position + length > n) return false;
      Value* up = b.CreateShl(a.src(0, n), a.constant(n, static_cast<std::uint64_t>(n - position - length)));
      Value* down = a.constant(n, static_cast<std::uint64_t>(n - length));
      a.result(ptx::is_signed(a.type()) ? b.CreateAShr(up, down) : b.CreateLShr(up, down),
               ptx::is_signed(a.type()));
      return true;
    }
    case Opcode::bfi: {
      const auto &p = a.inst.srcs[2], &l = a.inst.srcs[3];
      if (p.kind != simt::Operand::Kind::imm || l.kind != simt::Operand::Kind::imm) return false;
      const int position = static_cast<int>(p.bits & 0xff), length = static_cast<int>(l.bits & 0xff);
      if (position >= n || length == 0) {
        a.result(a.src(1, n));
        return true;
      }
      const std::uint64_t field = (length >= 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << length) - 1)
                                  << position;
      Value* moved = b.CreateShl(a.src(0, n), a.constant(n, static_cast<std::uint64_t>(position)));
      a.result(b.CreateOr(b.CreateAnd(moved, a.constant(n, field)),
                          b.CreateAnd(a.src(1, n), a.constant(n, ~field))));
      return true;
    }
    case Opcode::prmt: return permute(a);
    case Opcode::mov: return move(a);
    case Opcode::selp: a.result(b.CreateSelect(a.src(2, 1), a.moved(0, n), a.moved(1, n))); return true;
    case Opcode::createpolicy: a.result(a.constant(64, 0)); return true;
    default: return false;
  }
}

}  // namespace wanren::jit
