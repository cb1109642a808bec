// atom and red, PTX ISA 9.7.13, lane by lane in ascending order, in one helper per operation. Shared memory
// belongs to one CTA and a CTA's warps take turns on one host thread, so accesses known to be shared need no
// lock prefix. What returns false runs out of line.

#include <algorithm>

#include "jit/address.h"

namespace wanren::jit {

using llvm::Value;
using ptx::AtomOp;
using ptx::Opcode;
using ptx::Type;

namespace {

using Rmw = llvm::AtomicRMWInst;

struct Plan {
  Rmw::BinOp op = Rmw::BAD_BINOP;
  bool cas = false;
  bool real = false;  ///< add of f32 or f64
  int bits = 0;
};

bool plan(const simt::Inst& inst, Plan& p) {
  const Type t = inst.types[0];
  p.bits = ptx::bits(t);
  if ((p.bits != 32 && p.bits != 64) || inst.memory().vector != 1) return false;
  if (ptx::is_float(t)) {
    p.real = inst.memory().atom == AtomOp::add && (t == Type::f32 || t == Type::f64);
    return p.real;
  }
  const bool sign = ptx::is_signed(t);
  switch (inst.memory().atom) {
    case AtomOp::add: p.op = Rmw::Add; return true;
    case AtomOp::and_: p.op = Rmw::And; return true;
    case AtomOp::or_: p.op = Rmw::Or; return true;
    case AtomOp::xor_: p.op = Rmw::Xor; return true;
    case AtomOp::exch: p.op = Rmw::Xchg; return true;
    case AtomOp::min: p.op = sign ? Rmw::Min : Rmw::UMin; return true;
    case AtomOp::max: p.op = sign ? Rmw::Max : Rmw::UMax; return true;
    case AtomOp::inc: p.op = Rmw::UIncWrap; return true;
    case AtomOp::dec: p.op = Rmw::UDecWrap; return true;
    case AtomOp::cas: p.cas = true; return true;
    default: return false;
  }
}

/// Sums in global memory flush f32 subnormals, those in shared memory keep them. `flush`: i1, null for never.
Value* add_real(Emitter& e, Value* x, Value* y, int bits, Value* flush) {
  auto& b = e.b;
  auto flushed = [&](Value* v) {
    if (!flush) return v;
    Value* magnitude = b.CreateAnd(v, b.getInt32(0x7fffffff));
    Value* small = b.CreateAnd(b.CreateICmpULT(magnitude, b.getInt32(0x00800000)), flush);
    return b.CreateSelect(small, b.CreateAnd(v, b.getInt32(0x80000000u)), v);
  };
  llvm::Type* f = bits == 64 ? b.getDoubleTy() : b.getFloatTy();
  Value* sum = b.CreateFAdd(b.CreateBitCast(flushed(x), f), b.CreateBitCast(flushed(y), f));
  return flushed(e.canonical_nan(b.CreateBitCast(sum, x->getType())));
}

/// Whether a host address is in global memory, as far as sums care.
Value* in_global(Emitter& e, Value* host) {
  using simt::WarpContext;
  auto& b = e.b;
  Value* at = b.CreatePtrToInt(host, b.getInt64Ty());
  auto outside = [&](std::size_t base, Value* bytes) {
    return b.CreateICmpUGE(b.CreateSub(at, b.CreatePtrToInt(e.load_context(base, 0), b.getInt64Ty())), bytes);
  };
  Value* shared = b.CreateZExt(e.load_context(offsetof(WarpContext, total_shared_bytes), 32), b.getInt64Ty());
  return b.CreateAnd(outside(offsetof(WarpContext, shared_base), shared),
                     outside(offsetof(WarpContext, local_base),
                             b.getInt64(std::uint64_t{e.kernel.local_bytes} * warp_size)));
}

/// The new value, for memory that nobody else touches meanwhile.
Value* combine(Emitter& e, const Plan& p, Value* old, Value* v) {
  auto& b = e.b;
  Value *zero = llvm::ConstantInt::get(old->getType(), 0), *one = llvm::ConstantInt::get(old->getType(), 1);
  if (p.real) return add_real(e, old, v, p.bits, nullptr);
  switch (p.op) {
    case Rmw::Add: return b.CreateAdd(old, v);
    case Rmw::And: return b.CreateAnd(old, v);
    case Rmw::Or: return b.CreateOr(old, v);
    case Rmw::Xor: return b.CreateXor(old, v);
    case Rmw::Min: return b.CreateBinaryIntrinsic(llvm::Intrinsic::smin, old, v);
    case Rmw::Max: return b.CreateBinaryIntrinsic(llvm::Intrinsic::smax, old, v);
    case Rmw::UMin: return b.CreateBinaryIntrinsic(llvm::Intrinsic::umin, old, v);
    case Rmw::UMax: return b.CreateBinaryIntrinsic(llvm::Intrinsic::umax, old, v);
    case Rmw::UIncWrap: return b.CreateSelect(b.CreateICmpUGE(old, v), zero, b.CreateAdd(old, one));
    case Rmw::UDecWrap:
      return b.CreateSelect(b.CreateOr(b.CreateICmpEQ(old, zero), b.CreateICmpUGT(old, v)), v,
                            b.CreateSub(old, one));
    default: return v;
  }
}

/// One lane's operation; its old value.
Value* perform(Emitter& e, const Plan& p, Value* at, Value* v, Value* desired, bool alone, ptx::Space space) {
  auto& b = e.b;
  const auto order = llvm::AtomicOrdering::SequentiallyConsistent;
  const llvm::Align align(static_cast<std::uint64_t>(p.bits / 8));
  if (alone) {
    Value* old = b.CreateAlignedLoad(v->getType(), at, align);
    Value* next = p.cas ? b.CreateSelect(b.CreateICmpEQ(old, v), desired, old) : combine(e, p, old, v);
    b.CreateAlignedStore(next, at, align);
    return old;
  }
  if (p.cas) return b.CreateExtractValue(b.CreateAtomicCmpXchg(at, v, desired, align, order, order), 0);
  if (!p.real) return b.CreateAtomicRMW(p.op, at, v, align, order);
  Value* flush = nullptr;
  if (p.bits == 32) flush = space == ptx::Space::none ? in_global(e, at) : static_cast<Value*>(b.getTrue());
  llvm::BasicBlock* from = b.GetInsertBlock();
  llvm::BasicBlock* again = e.new_block("again");
  llvm::BasicBlock* done = e.new_block("done");
  Value* first = b.CreateAlignedLoad(v->getType(), at, align);
  b.CreateBr(again);
  b.SetInsertPoint(again);
  llvm::PHINode* old = b.CreatePHI(v->getType(), 2);
  old->addIncoming(first, from);
  Value* pair = b.CreateAtomicCmpXchg(at, old, add_real(e, old, v, p.bits, flush), align, order, order);
  old->addIncoming(b.CreateExtractValue(pair, 0), again);
  b.CreateCondBr(b.CreateExtractValue(pair, 1), done, again);
  b.SetInsertPoint(done);
  return old;
}

/// All lanes' values of a reduction at one address as one; null if the operation has no such form.
Value* reduce_lanes(Emitter& e, const Plan& p, Value* v, const Emitter::Mask& mask) {
  auto& b = e.b;
  std::uint64_t neutral = 0;
  const std::uint64_t ones = p.bits == 64 ? ~std::uint64_t{0} : 0xffffffffu;
  switch (p.op) {
    case Rmw::Add:
    case Rmw::Or:
    case Rmw::Xor:
    case Rmw::UMax: break;
    case Rmw::And:
    case Rmw::UMin: neutral = ones; break;
    case Rmw::Min: neutral = ones >> 1; break;
    case Rmw::Max: neutral = ones ^ (ones >> 1); break;
    default: return nullptr;
  }
  if (!mask.full) v = b.CreateSelect(mask.vector, v, e.imm(p.bits, Form::vector, neutral));
  switch (p.op) {
    case Rmw::Add: return b.CreateAddReduce(v);
    case Rmw::Or: return b.CreateOrReduce(v);
    case Rmw::Xor: return b.CreateXorReduce(v);
    case Rmw::And: return b.CreateAndReduce(v);
    case Rmw::UMax: return b.CreateIntMaxReduce(v, false);
    case Rmw::UMin: return b.CreateIntMinReduce(v, false);
    case Rmw::Max: return b.CreateIntMaxReduce(v, true);
    default: return b.CreateIntMinReduce(v, true);
  }
}

/// Calls `one_lane` for each set bit of `mask`, which has some, in ascending order.
void each_of(Emitter& e, Value* mask, llvm::function_ref<void(Value*)> one_lane) {
  auto& b = e.b;
  llvm::BasicBlock *entry = b.GetInsertBlock(), *loop = e.new_block("lane"), *end = e.new_block("end");
  b.CreateBr(loop);
  b.SetInsertPoint(loop);
  llvm::PHINode* left = b.CreatePHI(b.getInt32Ty(), 2);
  left->addIncoming(mask, entry);
  one_lane(b.CreateZExt(b.CreateBinaryIntrinsic(llvm::Intrinsic::cttz, left, b.getTrue()), b.getInt64Ty()));
  Value* next = b.CreateAnd(left, b.CreateSub(left, b.getInt32(1)));
  left->addIncoming(next, b.GetInsertBlock());
  b.CreateCondBr(b.CreateICmpNE(next, b.getInt32(0)), loop, end);
  b.SetInsertPoint(end);
}

/// Calls it for all lanes and returns if `mask` is full; goes on here if not.
void each_of_all(Emitter& e, Value* mask, llvm::function_ref<void(Value*)> one_lane) {
  constexpr unsigned at_once = 8;
  auto& b = e.b;
  llvm::BasicBlock *all = e.new_block("all"), *loop = e.new_block("lanes"), *done = e.new_block("done"),
                   *some = e.new_block("some");
  b.CreateCondBr(b.CreateICmpEQ(mask, b.getInt32(0xffffffffu)), all, some);
  b.SetInsertPoint(all);
  b.CreateBr(loop);
  b.SetInsertPoint(loop);
  llvm::PHINode* first = b.CreatePHI(b.getInt64Ty(), 2);
  first->addIncoming(b.getInt64(0), all);
  for (unsigned i = 0; i < at_once; ++i) one_lane(b.CreateAdd(first, b.getInt64(i)));
  Value* next = b.CreateAdd(first, b.getInt64(at_once));
  first->addIncoming(next, b.GetInsertBlock());
  b.CreateCondBr(b.CreateICmpULT(next, b.getInt64(warp_size)), loop, done);
  b.SetInsertPoint(done);
  b.CreateRetVoid();
  b.SetInsertPoint(some);
}

/// What makes one helper serve two instructions.
std::string name_of(const Plan& p, const simt::Inst& inst, bool alone, bool wanted, bool same) {
  const char* where = alone ? "_alone" : p.real && inst.space() == ptx::Space::none ? "_generic" : "";
  return "atom" + std::to_string(static_cast<int>(inst.memory().atom)) + "_" +
         std::to_string(static_cast<int>(inst.types[0])) + where + (wanted ? "_get" : "") +
         (same ? "_same" : "");
}

}  // namespace

bool Emitter::emit_atomic(const simt::Inst& inst) {
  if (inst.op != Opcode::atom && inst.op != Opcode::red) return false;
  Plan p;
  if (!plan(inst, p)) return false;
  const auto space = inst.space();
  const bool alone = space == ptx::Space::shared;
  const bool wanted = !inst.dsts.empty() && inst.dsts[0] != simt::no_value;
  const Mask mask = inst_mask(inst);
  const Address a = address_of(*this, inst, inst.srcs[0], inst.offset, space);
  Value* v = get(inst.srcs[1], p.bits, Form::vector);
  Value* desired = p.cas ? get(inst.srcs[2], p.bits, Form::vector) : nullptr;
  check_lanes_aligned(*this, a, p.bits / 8, mask);
  compiler_fence();
  llvm::BasicBlock* on = new_block("on");
  llvm::BasicBlock* start = new_block("atomic");
  if (mask.nonempty)
    b.CreateBr(start);
  else
    b.CreateCondBr(b.CreateICmpNE(mask.bits, b.getInt32(0)), start, on);
  b.SetInsertPoint(start);

  const bool one_place =
      a.regular && !a.scale && space != ptx::Space::local &&
      std::all_of(a.offsets.begin(), a.offsets.end(), [&](auto o) { return o == a.offsets[0]; });
  Value* total = one_place && !wanted && !p.cas && !p.real ? reduce_lanes(*this, p, v, mask) : nullptr;
  if (total) {
    Value* host = b.CreateExtractElement(host_lanes(*this, a), std::uint64_t{0});
    perform(*this, p, b.CreateIntToPtr(host, b.getPtrTy()), total, nullptr, alone, space);
    b.CreateBr(on);
    b.SetInsertPoint(on);
    compiler_fence();
    return true;
  }

  // Rows of 32 elements each: addresses, values, desired values, results.
  Value* const area = scratch(4 * warp_size);
  llvm::Type* element = b.getIntNTy(static_cast<unsigned>(p.bits));
  auto row_of = [&](Value* rows, unsigned r) {
    return b.CreateConstGEP1_64(b.getInt64Ty(), rows, std::uint64_t{r} * warp_size);
  };
  auto row = [&](unsigned r) { return row_of(area, r); };
  const bool same = kind(inst.srcs[1]) == simt::ValueShape::Kind::uniform && !p.cas;
  b.CreateAlignedStore(host_lanes(*this, a), row(0), llvm::Align(64));
  if (!same) b.CreateAlignedStore(v, row(1), llvm::Align(64));
  if (desired) b.CreateAlignedStore(desired, row(2), llvm::Align(64));
  llvm::SmallVector<Value*, 4> arguments = {ctx_, area, mask.bits};
  if (same) arguments.push_back(b.CreateExtractElement(v, std::uint64_t{0}));
  call_helper(
      name_of(p, inst, alone, wanted, same), b.getVoidTy(), arguments, [&](llvm::ArrayRef<Value*> taken) {
        auto one_lane = [&](Value* lane) {
          auto at = [&](unsigned r, llvm::Type* t) { return b.CreateGEP(t, row_of(taken[1], r), lane); };
          Value* host = b.CreateLoad(b.getPtrTy(), at(0, b.getInt64Ty()));
          Value* mine = same ? taken[3] : b.CreateLoad(element, at(1, element));
          Value* wish = desired ? b.CreateLoad(element, at(2, element)) : nullptr;
          Value* old = perform(*this, p, host, mine, wish, alone, space);
          if (wanted) b.CreateStore(old, at(3, element));
        };
        // A plain operation costs less than finding the next lane.
        if (alone) each_of_all(*this, taken[2], one_lane);
        each_of(*this, taken[2], one_lane);
        b.CreateRetVoid();
      });
  b.CreateBr(on);
  b.SetInsertPoint(on);
  compiler_fence();
  if (wanted)
    define_from(inst, 0, b.CreateAlignedLoad(int_type(p.bits, Form::vector), row(3), llvm::Align(64)),
                Form::vector, false);
  return true;
}

}  // namespace wanren::jit
