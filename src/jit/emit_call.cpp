// Calls of functions that stay functions: rows of lanes in memory, as the interpreter passes them, so that
// each can run what the other called.

#include "jit/emitter.h"

namespace wanren::jit {

using simt::WarpContext;

llvm::Function* Emitter::declare(simt::FunctionId f) {
  auto* ptr = b.getPtrTy();
  if (f == simt::no_function)
    return llvm::Function::Create(llvm::FunctionType::get(b.getVoidTy(), {ptr}, false),
                                  llvm::Function::ExternalLinkage, "kernel", m);
  const std::string name = "function" + std::to_string(f);
  if (llvm::Function* known = m.getFunction(name)) return known;
  auto* type = llvm::FunctionType::get(b.getVoidTy(), {ptr, b.getInt32Ty(), ptr, ptr, b.getInt64Ty()}, false);
  auto* made = llvm::Function::Create(type, llvm::Function::InternalLinkage, name, m);
  made->addFnAttr(llvm::Attribute::NoInline);
  return made;
}

llvm::Value* Emitter::frame_offset() {
  return function == simt::no_function ? static_cast<Value*>(b.getInt64(0)) : fn->getArg(4);
}

std::uint32_t Emitter::frame_bytes() const {
  return function == simt::no_function ? whole.frame_bytes : whole.functions[function].frame_bytes;
}

void Emitter::enter(const simt::Inst& inst, simt::FunctionId callee, Value* mask, Value* arguments,
                    Value* results) {
  Value* frame = b.CreateAdd(frame_offset(), b.getInt64(frame_bytes()));
  if (whole.recursive) {
    Value* end = b.CreateAdd(frame, b.getInt64(whole.functions[callee].frame_bytes));
    llvm::BasicBlock* full = new_block("stack_overflow");
    llvm::BasicBlock* on = new_block("on");
    branch_unlikely(b.CreateICmpUGT(end, b.getInt64(whole.local_bytes)), full, on);
    b.SetInsertPoint(full);
    raise(simt::Fault::stack_overflow, &inst, mask);
    b.SetInsertPoint(on);
  }
  b.CreateCall(declare(callee), {ctx_, mask, arguments, results, frame});
}

void Emitter::call_function(const simt::Inst& inst) {
  const std::size_t in = inst.srcs.size(), out = inst.dsts.size(), first = inst.indirect ? 1 : 0;
  Value* area = scratch((in + out + 1) * warp_size);
  auto row = [&](std::size_t r) { return b.CreateConstGEP1_64(b.getInt64Ty(), area, r * warp_size); };
  for (std::size_t i = first; i < in; ++i)
    b.CreateAlignedStore(get(inst.srcs[i], 64, Form::vector), row(i), llvm::Align(64));
  // Callees that never exit do not say who comes back.
  if (out > 0) b.CreateAlignedStore(imm(64, Form::vector, 1), row(in + out - 1), llvm::Align(64));
  if (cursor_) store_context(offsetof(WarpContext, trace_cursor), b.CreateLoad(b.getPtrTy(), cursor_));
  if (!inst.indirect) {
    enter(inst, inst.callees[0], mask_bits(), row(first), row(in));
  } else {
    // The lowest address that lanes still want to go to is next.
    Value* wanted = get(inst.srcs[0], 64, Form::vector);
    llvm::BasicBlock* before = b.GetInsertBlock();
    llvm::BasicBlock* loop = new_block("callee");
    llvm::BasicBlock* returned = new_block("returned");
    llvm::BasicBlock* on = new_block("on");
    Value* all = mask_bits();
    b.CreateBr(loop);
    b.SetInsertPoint(loop);
    auto* left = b.CreatePHI(b.getInt32Ty(), 2);
    left->addIncoming(all, before);
    Value* address = b.CreateIntMinReduce(
        b.CreateSelect(to_vector(left), wanted, imm(64, Form::vector, ~std::uint64_t{0})), false);
    Value* group = b.CreateAnd(left, to_bits(b.CreateICmpEQ(wanted, splat(address))));
    llvm::BasicBlock* wrong = new_block("no_function");
    auto* choice = b.CreateSwitch(address, wrong, static_cast<unsigned>(inst.callees.size()));
    b.SetInsertPoint(wrong);
    raise(simt::Fault::invalid_pc, &inst, group);
    for (const simt::FunctionId f : inst.callees) {
      llvm::BasicBlock* here = new_block("call");
      choice->addCase(b.getInt64(whole.functions[f].address), here);
      b.SetInsertPoint(here);
      enter(inst, f, group, row(first), row(in));
      b.CreateBr(returned);
    }
    b.SetInsertPoint(returned);
    Value* rest = b.CreateAnd(left, b.CreateNot(group));
    left->addIncoming(rest, returned);
    b.CreateCondBr(b.CreateICmpNE(rest, b.getInt32(0)), loop, on);
    b.SetInsertPoint(on);
  }
  if (cursor_) b.CreateStore(load_context_now(offsetof(WarpContext, trace_cursor), 0), cursor_);
  for (std::size_t i = 0; i < out; ++i)
    if (inst.dsts[i] != simt::no_value)
      define_from(inst, i, b.CreateAlignedLoad(int_type(64, Form::vector), row(in + i), llvm::Align(64)),
                  Form::vector, false);
}

// Other lanes may have left results there before.
void Emitter::emit_return(const simt::Inst& inst) {
  for (std::size_t i = 0; i < inst.srcs.size(); ++i) {
    const simt::Operand& o = inst.srcs[i];
    const bool is_predicate = i == whole.functions[function].results.size();
    Value* value = resize(get(o, is_predicate ? 1 : 64, Form::vector), 64, false);
    Value* row = b.CreateConstGEP1_64(b.getInt64Ty(), fn->getArg(3), std::uint64_t{i} * warp_size);
    if (!mask_is_full())
      value = b.CreateSelect(mask_vector(), value,
                             b.CreateAlignedLoad(int_type(64, Form::vector), row, llvm::Align(64)));
    b.CreateAlignedStore(value, row, llvm::Align(64));
  }
}

}  // namespace wanren::jit
