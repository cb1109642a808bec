// Affine values that widen stay affine while no executing lane wraps: checking that, and leaving for the
// interpreter where one does.

#include <algorithm>

#include "interp/callbacks.h"
#include "interp/interp.h"
#include "jit/emitter.h"
#include "simt/opcode_traits.h"

namespace wanren::jit {

using simt::WarpContext;
using Kind = simt::ValueShape::Kind;
using ptx::Opcode;

void Emitter::assume_no_wrap(const simt::Inst& inst, std::uint32_t index) {
  using namespace ptx;
  const Type type = inst.op == Opcode::cvt ? inst.types[1] : inst.types[0];
  const int width = ptx::bits(type);
  const bool sign = ptx::is_signed(type);
  const std::size_t sources = inst.op == Opcode::mad ? 2 : inst.srcs.size();
  for (std::size_t i = 0; i < sources; ++i) {
    if (kind(inst.srcs[i]) != Kind::affine) continue;
    const simt::ValueId v = inst.srcs[i].value;
    const std::uint64_t key = std::uint64_t{v} << 1 | sign;
    if (!assumed_.insert(key).second) continue;
    const Lanes l = lanes(v);
    auto range = [&](std::uint32_t id) {
      const auto& p = pattern(id);
      return std::pair(*std::min_element(p.begin(), p.end()), *std::max_element(p.begin(), p.end()));
    };
    Value* base = resize(resize(l.bits, width, false), 64, sign);
    const auto [low, high] = range(l.pattern);
    Value* lowest = b.CreateAdd(base, b.getInt64(static_cast<std::uint64_t>(low)));
    Value* highest = b.CreateAdd(base, b.getInt64(static_cast<std::uint64_t>(high)));
    if (l.scale) {
      Value* scale = resize(resize(l.scale, width, false), 64, true);
      const auto [slow, shigh] = range(l.scaled);
      Value* x = b.CreateMul(scale, b.getInt64(static_cast<std::uint64_t>(slow)));
      Value* y = b.CreateMul(scale, b.getInt64(static_cast<std::uint64_t>(shigh)));
      lowest = b.CreateAdd(lowest, b.CreateBinaryIntrinsic(llvm::Intrinsic::smin, x, y));
      highest = b.CreateAdd(highest, b.CreateBinaryIntrinsic(llvm::Intrinsic::smax, x, y));
    }
    const std::int64_t least = sign ? -(std::int64_t{1} << (width - 1)) : 0;
    const std::int64_t most = (std::int64_t{1} << (width - (sign ? 1 : 0))) - 1;
    Value* broken = nullptr;
    if (low < 0 || l.scale) broken = b.CreateICmpSLT(lowest, b.getInt64(static_cast<std::uint64_t>(least)));
    if (high > 0 || l.scale) {
      Value* over = b.CreateICmpSGT(highest, b.getInt64(static_cast<std::uint64_t>(most)));
      broken = broken ? b.CreateOr(broken, over) : over;
    }
    if (!broken) continue;
    if (assumptions_.empty()) {
      assumption_inst_ = index;
      assumption_locals_ = local_order_.size();
    }
    Value* scale = l.scale ? resize(resize(l.scale, width, false), 64, true) : b.getInt64(0);
    assumptions_.push_back({key, broken, base, scale, l.pattern, l.scaled, least, most, &inst});
  }
}

/// i32: the lanes that execute the instruction and are not `base` plus the pattern.
llvm::Value* Emitter::wrapping_lanes(const Assumption& a, Value* base) {
  auto table = [&](std::uint32_t id) {
    auto* data = llvm::ConstantDataArray::get(c, llvm::ArrayRef<std::int64_t>(pattern(id)));
    auto* global =
        new llvm::GlobalVariable(m, data->getType(), true, llvm::GlobalValue::PrivateLinkage, data);
    global->setUnnamedAddr(llvm::GlobalValue::UnnamedAddr::Global);
    global->setAlignment(llvm::Align(64));
    return global;
  };
  Value* wraps = call_helper(
      "wrapping_lanes", b.getInt32Ty(),
      {ctx_, base, a.scale, table(a.pattern), table(a.scaled),
       b.getInt64(static_cast<std::uint64_t>(a.least)), b.getInt64(static_cast<std::uint64_t>(a.most))},
      [&](llvm::ArrayRef<Value*> taken) {
        llvm::Type* vector = int_type(64, Form::vector);
        auto row = [&](unsigned i) { return b.CreateAlignedLoad(vector, taken[i], llvm::Align(64)); };
        Value* v = b.CreateAdd(splat(taken[1]), row(3));
        v = b.CreateAdd(v, b.CreateMul(splat(taken[2]), row(4)));
        b.CreateRet(
            to_bits(b.CreateOr(b.CreateICmpSLT(v, splat(taken[5])), b.CreateICmpSGT(v, splat(taken[6])))));
      });
  const Mask mask = inst_mask(*a.inst);
  return mask.full ? wraps : b.CreateAnd(wraps, mask.bits);
}

void Emitter::flush_assumptions() {
  if (assumptions_.empty()) return;
  Value* broken = assumptions_[0].broken;
  for (std::size_t i = 1; i < assumptions_.size(); ++i) broken = b.CreateOr(broken, assumptions_[i].broken);
  llvm::BasicBlock* check = b.GetInsertBlock();
  llvm::BasicBlock* look = new_block("look");
  llvm::BasicBlock* leave = new_block("leave");
  llvm::BasicBlock* on = new_block("on");
  branch_unlikely(broken, look, on);
  b.SetInsertPoint(look);
  Value *none = b.getInt32(0), *wrong = b.getFalse();
  llvm::SmallVector<Value*, 8> corrections;
  for (const Assumption& a : assumptions_) {
    Value* wraps = b.CreateICmpNE(wrapping_lanes(a, a.base), none);
    if (a.least == 0) {
      // As tid - 1 without lane 0 does: the lanes that execute are all beyond the wrap.
      Value* less = b.getInt64(static_cast<std::uint64_t>(-a.most - 1));
      corrections.push_back(b.CreateSelect(wraps, less, b.getInt64(0)));
      wraps = b.CreateAnd(wraps, b.CreateICmpNE(wrapping_lanes(a, b.CreateAdd(a.base, less)), none));
    }
    wrong = b.CreateOr(wrong, wraps);
  }
  branch_unlikely(wrong, leave, on);
  b.SetInsertPoint(leave);
  emit_leave(block->id, assumption_inst_,
             llvm::ArrayRef<simt::ValueId>(local_order_).take_front(assumption_locals_));
  b.SetInsertPoint(on);
  std::size_t next = 0;
  for (const Assumption& a : assumptions_) {
    if (a.least != 0) continue;
    llvm::PHINode* phi = b.CreatePHI(b.getInt64Ty(), 2);
    phi->addIncoming(b.getInt64(0), check);
    phi->addIncoming(corrections[next++], look);
    corrections_[a.key] = phi;
  }
  assumptions_.clear();
}

/// i64: what the wide base of an instruction's affine source is off by; null if nothing.
llvm::Value* Emitter::correction(const simt::Inst& inst) {
  if (corrections_.empty()) return nullptr;
  const ptx::Type type = inst.op == Opcode::cvt ? inst.types[1] : inst.types[0];
  const std::size_t sources = inst.op == Opcode::mad ? 2 : inst.srcs.size();
  for (std::size_t i = 0; i < sources; ++i) {
    if (kind(inst.srcs[i]) != Kind::affine) continue;
    const auto found = corrections_.find(std::uint64_t{inst.srcs[i].value} << 1 | ptx::is_signed(type));
    if (found != corrections_.end() && simt::assumes_no_wrap(kernel, shapes, inst)) return found->second;
  }
  return nullptr;
}

void Emitter::check_assumptions_early() {
  const auto& insts = block->insts;
  early_.assign(insts.size(), false);
  // What scalars at the block's start decide.
  std::vector<bool> known(insts.size(), false), assumes(insts.size(), false);
  llvm::DenseMap<simt::ValueId, std::size_t> made_by;
  bool any = false;
  auto scalar = [&](const simt::Operand& o) {
    if (o.kind == simt::Operand::Kind::special) return !simt::reads_time(o.special);
    if (o.kind != simt::Operand::Kind::value) return true;
    if (shapes[o.value].kind == Kind::vector) return false;
    const auto made = made_by.find(o.value);
    return made == made_by.end() || known[made->second];
  };
  for (std::size_t i = 0; i < insts.size(); ++i) {
    const simt::Inst& inst = insts[i];
    for (simt::ValueId v : inst.dsts)
      if (v != simt::no_value) made_by[v] = i;
    bool good = interp::is_alu(inst);
    for (simt::ValueId v : inst.dsts) good = good && v != simt::no_value && shapes[v].kind != Kind::vector;
    for (const simt::Operand& o : inst.srcs) good = good && scalar(o);
    for (const simt::Operand& o : inst.prior) good = good && scalar(o);
    if (inst.guard != simt::no_value) good = good && scalar(simt::Operand::of(inst.guard));
    // Their results wait for the check.
    assumes[i] = good && simt::assumes_no_wrap(kernel, shapes, inst);
    known[i] = good && !assumes[i];
    any = any || assumes[i];
  }
  if (!any) return;
  auto need = [&](simt::ValueId v) {
    if (const auto made = made_by.find(v); made != made_by.end()) early_[made->second] = true;
  };
  for (std::size_t i = insts.size(); i-- > 0;) {
    if (!early_[i] && !assumes[i]) continue;
    for (const auto* operands : {&insts[i].srcs, &insts[i].prior})
      for (const simt::Operand& o : *operands)
        if (o.kind == simt::Operand::Kind::value) need(o.value);
    if (insts[i].guard != simt::no_value) need(insts[i].guard);
  }
  for (std::size_t i = 0; i < insts.size() && error.empty(); ++i) {
    if (!early_[i] && !assumes[i]) continue;
    inst_index_ = static_cast<std::uint32_t>(i);
    set_location(inst_index_);
    if (assumes[i])
      assume_no_wrap(insts[i], 0);
    else
      emit_pure(insts[i]);
  }
  assumption_inst_ = 0;
  assumption_locals_ = 0;
  flush_assumptions();
}

/// What the block reads, and until when: other values need not be handed over to the interpreter.
void Emitter::find_uses(const simt::Block& blk) {
  constexpr std::uint32_t outside = ~0u;
  last_use_.clear();
  auto use = [&](simt::ValueId v, std::uint32_t at) {
    std::uint32_t& last = last_use_[v];
    last = std::max(last, at);
  };
  for (std::uint32_t i = 0; i < blk.insts.size(); ++i) {
    const simt::Inst& inst = blk.insts[i];
    for (const auto* operands : {&inst.srcs, &inst.prior})
      for (const simt::Operand& o : *operands)
        if (o.kind == simt::Operand::Kind::value) use(o.value, i);
    if (inst.guard != simt::no_value) use(inst.guard, i);
  }
  if (blk.term.cond != simt::no_value) use(blk.term.cond, outside);
  for (simt::BlockId to : blk.term.targets) {
    const simt::Block& target = kernel.blocks[to];
    for (const simt::Phi& phi : target.phis)
      for (std::size_t i = 0; i < phi.incoming.size(); ++i)
        if (target.preds[i] == blk.id && phi.incoming[i].kind == simt::Operand::Kind::value)
          use(phi.incoming[i].value, outside);
    // Of the values that live on, only this block's own are not in their variables already.
    for (simt::ValueId v : shapes.live_in[to])
      if (kernel.values[v].block == blk.id) use(v, outside);
  }
}

void Emitter::emit_leave(simt::BlockId id, std::uint32_t inst, llvm::ArrayRef<simt::ValueId> locals) {
  Value* services = load_context(offsetof(WarpContext, services), 0);
  auto service = [&](std::size_t offset) {
    return b.CreateLoad(b.getPtrTy(), b.CreateConstGEP1_64(b.getInt8Ty(), services, offset));
  };
  if (cursor_) store_context(offsetof(WarpContext, trace_cursor), b.CreateLoad(b.getPtrTy(), cursor_));
  Value* frame = call_helper(
      "leave_begin", b.getPtrTy(), {ctx_, b.getInt32(function)}, [&](llvm::ArrayRef<Value*> taken) {
        Value* table = load_context(offsetof(WarpContext, services), 0);
        Value* callee = b.CreateLoad(
            b.getPtrTy(), b.CreateConstGEP1_64(b.getInt8Ty(), table, offsetof(simt::Services, leave_begin)));
        b.CreateRet(b.CreateCall(llvm::FunctionType::get(b.getPtrTy(), {b.getPtrTy(), b.getInt32Ty()}, false),
                                 callee, {ctx_, taken[1]}));
      });
  llvm::DenseSet<simt::ValueId> done;
  auto save = [&](simt::ValueId v, const Lanes& l) {
    if (!done.insert(v).second) return;
    const int width = simt::bits(kernel.values[v].width);
    Value* wide = materialise(l, width);
    if (raw_[v]) wide = canonical_nan(wide);
    auto store = [&](Value* words, std::uint32_t row) {
      b.CreateAlignedStore(words, b.CreateConstGEP1_64(b.getInt64Ty(), frame, std::uint64_t{row} * warp_size),
                           llvm::Align(8));
    };
    store(resize(wide, 64, false), interp::value_row(kernel, 0, v));
    if (width == 128)
      store(resize(b.CreateLShr(wide, imm(128, Form::vector, 64)), 64, false),
            interp::value_row(kernel, 0, v) + 1);
  };
  const simt::Block& blk = kernel.blocks[id];
  const auto saved = local_;
  // In the frontier, lanes that run here have the old value or none: read the variable, not the local one.
  for (simt::ValueId v : locals) {
    if (is_kept(v) && variables_[v].bits) continue;
    if (const auto last = last_use_.find(v); last == last_use_.end() || last->second < inst) continue;
    save(v, saved.lookup(v));
  }
  for (const simt::Phi& phi : blk.phis) save(phi.dst, saved.lookup(phi.dst));
  for (simt::ValueId v : shapes.live_in[id]) save(v, lanes(v));
  local_.clear();
  if (!together_)
    for (simt::ValueId v : kept(id)) save(v, lanes(v));
  local_ = saved;
  const auto count = static_cast<simt::ValueId>(kernel.values.size());
  const bool wide_last = count && kernel.values[count - 1].width == simt::Width::b128;
  const std::uint32_t rows = count ? interp::value_row(kernel, 0, count - 1) + (wide_last ? 2 : 1) : 0;
  for (simt::BlockId f : frontier()) {
    Value* bits = b.CreateZExt(b.CreateLoad(b.getInt32Ty(), pending_[f]), b.getInt64Ty());
    b.CreateStore(bits, b.CreateConstGEP1_64(b.getInt64Ty(), frame, std::uint64_t{rows} * warp_size + f));
  }
  if (function != simt::no_function) {
    const std::uint64_t activation = std::uint64_t{rows} * warp_size + kernel.blocks.size();
    auto word = [&](std::size_t offset) {
      return b.CreateConstGEP1_64(b.getInt8Ty(), frame, activation * sizeof(std::uint64_t) + offset);
    };
    b.CreateStore(fn->getArg(2), word(offsetof(interp::Activation, arguments)));
    b.CreateStore(fn->getArg(3), word(offsetof(interp::Activation, results)));
    b.CreateStore(fn->getArg(4), word(offsetof(interp::Activation, frame_offset)));
  }
  auto* i32 = b.getInt32Ty();
  b.CreateCall(llvm::FunctionType::get(b.getVoidTy(), {b.getPtrTy(), i32, i32, i32}, false),
               service(offsetof(simt::Services, leave_run)),
               {ctx_, b.getInt32(extent.first_block + id), b.getInt32(inst), mask_bits()});
  if (cursor_) b.CreateStore(load_context_now(offsetof(WarpContext, trace_cursor), 0), cursor_);
  b.CreateBr(exit_);
}

}  // namespace wanren::jit
