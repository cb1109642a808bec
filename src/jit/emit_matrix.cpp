// mma and wmma.mma with f16, bf16 or tf32 operands, PTX ISA 9.7.14: each element of D is a chain of f32 FMAs
// over ascending k that starts from C (as interp/matrix.cpp). One D slot of all lanes is one vector; A and B
// come by constant permutations. Anything else runs out of line.

#include <map>

#include "jit/emitter.h"
#include "simt/fragments.h"

namespace wanren::jit {

using llvm::Value;
using ptx::Opcode;
using ptx::Type;
using simt::Matrix;

namespace {

struct Place {
  int lane = -1, slot = -1;
};

struct Fragment {
  Matrix which;
  Type type;
  int registers = 0, per_register = 1, slots = 0;
};

struct Product {
  int m, n, k;
  bool wmma;
  Fragment a, b, c, d;

  Fragment fragment(Matrix which, Type type) const {
    const int bits = ptx::bits(type);
    Fragment f{which, type};
    f.per_register = simt::elements_per_register(bits);
    f.registers =
        wmma ? simt::wmma_registers(which, m, n, k, type, bits) : simt::mma_registers(which, m, n, k, bits);
    f.slots = f.registers * f.per_register;
    return f;
  }
  simt::Element element(const Fragment& f, int lane, int slot) const {
    return wmma ? simt::wmma_element(f.which, m, n, k, f.slots, lane, slot)
                : simt::mma_element(f.which, m, ptx::bits(f.type), lane, slot);
  }
  std::map<std::pair<int, int>, Place> places(const Fragment& f) const {
    std::map<std::pair<int, int>, Place> p;
    for (int lane = warp_size - 1; lane >= 0; --lane)
      for (int slot = f.slots - 1; slot >= 0; --slot) {
        const simt::Element e = element(f, lane, slot);
        p[{e.row, e.column}] = {lane, slot};
      }
    return p;
  }
};

bool operand_type(Type t) {
  return t == Type::f16 || t == Type::bf16 || t == Type::tf32;
}
bool sum_type(Type t) {
  return t == Type::f32 || t == Type::f16;
}

/// A fragment's slots as <32 x float>.
std::vector<Value*> widen(Emitter& e, const simt::Inst& inst, std::size_t first, const Fragment& f) {
  auto& b = e.b;
  auto* real = llvm::FixedVectorType::get(b.getFloatTy(), warp_size);
  auto* half = llvm::FixedVectorType::get(b.getHalfTy(), warp_size);
  std::vector<Value*> slots;
  for (int r = 0; r < f.registers; ++r) {
    Value* v = e.get(inst.srcs[first + static_cast<std::size_t>(r)], 32, Form::vector);
    for (int i = 0; i < f.per_register; ++i) {
      if (f.type == Type::f16) {
        Value* low = i ? b.CreateLShr(v, e.imm(32, Form::vector, 16)) : v;
        slots.push_back(b.CreateFPExt(b.CreateBitCast(e.resize(low, 16, false), half), real));
        continue;
      }
      Value* bits = v;
      if (f.type == Type::bf16)
        bits = i ? b.CreateAnd(v, e.imm(32, Form::vector, 0xffff0000u))
                 : b.CreateShl(v, e.imm(32, Form::vector, 16));
      else if (f.type == Type::tf32)
        bits = b.CreateAnd(v, e.imm(32, Form::vector, 0xffffe000u));
      slots.push_back(b.CreateBitCast(bits, real));
    }
  }
  return slots;
}

}  // namespace

bool Emitter::emit_matrix(const simt::Inst& inst) {
  if (inst.op != Opcode::mma && inst.op != Opcode::wmma_mma) return false;
  if (!full_ || inst.guard != simt::no_value) return false;
  Product p{inst.tile().m, inst.tile().n, inst.tile().k, inst.op == Opcode::wmma_mma, {}, {}, {}, {}};
  Type a = Type::f16, bt = Type::f16, ct = inst.types[1];
  if (inst.types[2] != Type::none) {
    a = inst.types[1];
    bt = inst.types[2];
    ct = inst.types[3];
  }
  const Type dt = inst.types[0];
  if (!operand_type(a) || a != bt || !sum_type(ct) || !sum_type(dt)) return false;
  if (!p.wmma && a == Type::f16 && p.k == 4) return false;
  p.a = p.fragment(Matrix::a, a);
  p.b = p.fragment(Matrix::b, bt);
  p.c = p.fragment(Matrix::c, ct);
  p.d = p.fragment(Matrix::c, dt);
  const auto as = static_cast<std::size_t>(p.a.registers), bs = static_cast<std::size_t>(p.b.registers);
  if (inst.srcs.size() < as + bs + static_cast<std::size_t>(p.c.registers)) return false;

  const std::vector<Value*> va = widen(*this, inst, 0, p.a), vb = widen(*this, inst, as, p.b),
                            vc = widen(*this, inst, as + bs, p.c);
  const auto place_a = p.places(p.a), place_b = p.places(p.b);
  std::map<std::vector<int>, Value*> shuffled[2];
  bool regular = true;
  auto take = [&](int which, const std::vector<Value*>& from,
                  const std::map<std::pair<int, int>, Place>& places, auto where) -> Value* {
    std::vector<int> key{-1};
    for (int l = 0; l < warp_size; ++l) {
      const Place at = places.at(where(l));
      if (key[0] >= 0 && key[0] != at.slot) regular = false;
      key[0] = at.slot;
      key.push_back(at.lane);
    }
    Value*& known = shuffled[which][key];
    if (!known)
      known = b.CreateShuffleVector(from[static_cast<std::size_t>(key[0])],
                                    llvm::ArrayRef<int>(key).drop_front());
    return known;
  };
  auto* real = llvm::FixedVectorType::get(b.getFloatTy(), warp_size);
  std::vector<Value*> sums;
  sums.reserve(static_cast<std::size_t>(p.d.slots));
  for (int slot = 0; slot < p.d.slots; ++slot) sums.push_back(vc[static_cast<std::size_t>(slot)]);
  // k outermost: the chains of different slots are independent.
  for (int k = 0; k < p.k; ++k)
    for (int slot = 0; slot < p.d.slots; ++slot) {
      Value* x = take(0, va, place_a, [&](int l) { return std::pair(p.element(p.d, l, slot).row, k); });
      Value* y = take(1, vb, place_b, [&](int l) { return std::pair(k, p.element(p.d, l, slot).column); });
      if (!regular) return false;
      Value*& sum = sums[static_cast<std::size_t>(slot)];
      sum = b.CreateIntrinsic(llvm::Intrinsic::fma, {real}, {x, y, sum});
    }
  for (int r = 0; r < p.d.registers; ++r) {
    Value* packed = nullptr;
    for (int i = 0; i < p.d.per_register; ++i) {
      Value* sum = sums[static_cast<std::size_t>(r) * static_cast<std::size_t>(p.d.per_register) +
                        static_cast<std::size_t>(i)];
      Value* bits;
      if (dt == Type::f32) {
        bits = canonical_nan(b.CreateBitCast(sum, int_type(32, Form::vector)));
      } else {
        auto* half = llvm::FixedVectorType::get(b.getHalfTy(), warp_size);
        Value* narrow = b.CreateBitCast(b.CreateFPTrunc(sum, half), int_type(16, Form::vector));
        narrow = b.CreateSelect(b.CreateFCmpUNO(sum, sum), imm(16, Form::vector, 0x7fff), narrow);
        bits = resize(narrow, 32, false);
      }
      packed = i ? b.CreateOr(packed, b.CreateShl(bits, imm(32, Form::vector, 16))) : bits;
    }
    if (inst.dsts[static_cast<std::size_t>(r)] != simt::no_value)
      define_from(inst, static_cast<std::size_t>(r), packed, Form::vector, false);
  }
  return true;
}

}  // namespace wanren::jit
