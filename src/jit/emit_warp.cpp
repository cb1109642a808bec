// Exchange between lanes, PTX ISA 9.7.9.6 and 9.7.13, as permutations and mask arithmetic. Lanes that take
// part are those that execute and are named in the member mask; a shfl from another lane gives the own value.

#include "jit/emitter.h"

namespace wanren::jit {

using llvm::Value;
using ptx::Opcode;
using ptx::ShflMode;
using ptx::VoteMode;

namespace {

bool constant(const simt::Operand& o) {
  return o.kind == simt::Operand::Kind::imm;
}

/// Members as a mask vector, or null if all 32 lanes take part.
Value* members(Emitter& e, const simt::Inst& inst, const Emitter::Mask& mask) {
  if (!inst.meeting().sync) return mask.full ? nullptr : mask.vector;
  const simt::Operand& o = inst.srcs.back();
  if (constant(o) && (o.bits & full_mask) == full_mask) return mask.full ? nullptr : mask.vector;
  // Lanes name the same set by the manual; the first active lane's is used.
  if (e.kind(o) == Lanes::Kind::vector) return nullptr;
  Value* who = e.to_vector(e.get(o, 32, Form::scalar));
  return mask.full ? who : e.b.CreateAnd(who, mask.vector);
}

bool members_vary(Emitter& e, const simt::Inst& inst) {
  return inst.meeting().sync && e.kind(inst.srcs.back()) == Lanes::Kind::vector;
}

bool shuffle(Emitter& e, const simt::Inst& inst) {
  if (!constant(inst.srcs[1]) || !constant(inst.srcs[2])) return false;
  auto& b = e.b;
  const int by = static_cast<int>(inst.srcs[1].bits & 31), clamp = static_cast<int>(inst.srcs[2].bits & 31);
  const int segment = static_cast<int>(inst.srcs[2].bits >> 8 & 31);
  llvm::SmallVector<int, 32> from;
  LaneMask inside = 0;
  for (int lane = 0; lane < warp_size; ++lane) {
    const int max_lane = (lane & segment) | (clamp & ~segment), min_lane = lane & segment;
    int j = lane;
    bool valid = false;
    switch (inst.meeting().shfl) {
      case ShflMode::up:
        j = lane - by;
        valid = j >= max_lane;
        break;
      case ShflMode::down:
        j = lane + by;
        valid = j <= max_lane;
        break;
      case ShflMode::bfly:
        j = lane ^ by;
        valid = j <= max_lane;
        break;
      default:
        j = min_lane | (by & ~segment);
        valid = j <= max_lane;
        break;
    }
    if (valid) inside |= LaneMask{1} << lane;
    from.push_back(valid ? j & 31 : lane);
  }
  const Emitter::Mask mask = e.inst_mask(inst);
  Value* v = e.get(inst.srcs[0], 32, Form::vector);
  Value* r = b.CreateShuffleVector(v, from);
  if (Value* who = members(e, inst, mask)) r = b.CreateSelect(b.CreateShuffleVector(who, from), r, v);
  e.define_from(inst, 0, r, Form::vector, false);
  if (inst.dsts.size() > 1) e.define_from(inst, 1, e.to_vector(b.getInt32(inside)), Form::vector, false);
  return true;
}

bool vote(Emitter& e, const simt::Inst& inst) {
  auto& b = e.b;
  const Emitter::Mask mask = e.inst_mask(inst);
  Value* who = members(e, inst, mask);
  Value* holds = e.get(inst.srcs[0], 1, Form::vector);
  Value* all = who ? e.to_bits(who) : static_cast<Value*>(b.getInt32(full_mask));
  Value* yes = e.to_bits(who ? b.CreateAnd(holds, who) : holds);
  Value* r;
  switch (inst.meeting().vote) {
    case VoteMode::all: r = b.CreateICmpEQ(yes, all); break;
    case VoteMode::any: r = b.CreateICmpNE(yes, b.getInt32(0)); break;
    case VoteMode::uni: r = b.CreateOr(b.CreateICmpEQ(yes, all), b.CreateICmpEQ(yes, b.getInt32(0))); break;
    default: r = yes; break;
  }
  e.define_from(inst, 0, r, Form::scalar, false);
  return true;
}

bool reduce(Emitter& e, const simt::Inst& inst) {
  using ptx::AtomOp;
  const ptx::Type t = inst.types[0];
  if (ptx::is_float(t)) return false;
  auto& b = e.b;
  const bool sign = ptx::is_signed(t);
  const Emitter::Mask mask = e.inst_mask(inst);
  Value* v = e.get(inst.srcs[0], 32, Form::vector);
  if (Value* who = members(e, inst, mask)) {
    std::uint64_t neutral = 0;
    switch (inst.meeting().reduction) {
      case AtomOp::and_: neutral = ~0u; break;
      case AtomOp::min: neutral = sign ? 0x7fffffffu : ~0u; break;
      case AtomOp::max: neutral = sign ? 0x80000000u : 0; break;
      default: break;
    }
    v = b.CreateSelect(who, v, e.imm(32, Form::vector, neutral));
  }
  Value* r;
  switch (inst.meeting().reduction) {
    case AtomOp::add: r = b.CreateAddReduce(v); break;
    case AtomOp::and_: r = b.CreateAndReduce(v); break;
    case AtomOp::or_: r = b.CreateOrReduce(v); break;
    case AtomOp::xor_: r = b.CreateXorReduce(v); break;
    case AtomOp::min: r = b.CreateIntMinReduce(v, sign); break;
    case AtomOp::max: r = b.CreateIntMaxReduce(v, sign); break;
    default: return false;
  }
  e.define_from(inst, 0, r, Form::scalar, false);
  return true;
}

}  // namespace

bool Emitter::emit_warp(const simt::Inst& inst) {
  if (inst.op == Opcode::activemask) {
    define_from(inst, 0, inst_mask(inst).bits, Form::scalar, false);
    return true;
  }
  if (inst.op != Opcode::shfl && inst.op != Opcode::vote && inst.op != Opcode::redux) return false;
  if (members_vary(*this, inst)) return false;
  if (inst.op == Opcode::shfl) return shuffle(*this, inst);
  if (inst.op == Opcode::vote) return vote(*this, inst);
  return reduce(*this, inst);
}

}  // namespace wanren::jit
