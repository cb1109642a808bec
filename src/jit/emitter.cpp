// The function around the blocks: entry, context, yields, helpers, trace, calls out of line.

#include "jit/emitter.h"

#include <algorithm>
#include <utility>

#include "interp/callbacks.h"
#include "interp/interp.h"
#include "simt/opcode_traits.h"

namespace wanren::jit {

using simt::WarpContext;
using Kind = simt::ValueShape::Kind;
using ptx::Opcode;

Emitter::Emitter(llvm::Module& module, const simt::Kernel& w, simt::FunctionId f, const simt::Kernel& k,
                 const simt::Shapes& s, std::vector<simt::LanePattern> known, const simt::BlockShape& bs,
                 EmitOptions o)
    : c(module.getContext()),
      m(module),
      b(module.getContext()),
      whole(w),
      function(f),
      kernel(k),
      extent(simt::extent(w, f)),
      shapes(s),
      shape(bs),
      options(o),
      patterns(std::move(known)) {
  find_raw_values();
  for (const simt::Block& of : whole.blocks)
    for (const simt::Inst& inst : of.insts)
      maps_cluster |=
          inst.op == ptx::Opcode::mapa || (inst.op == ptx::Opcode::cvta && simt::reaches_cluster(inst));
}

std::uint32_t Emitter::intern(const simt::LanePattern& p) {
  for (std::uint32_t i = 0; i < patterns.size(); ++i)
    if (patterns[i] == p) return i;
  patterns.push_back(p);
  return static_cast<std::uint32_t>(patterns.size() - 1);
}

Result<void> Emitter::run() {
  fn = declare(function);
  fn->addFnAttr(llvm::Attribute::NoUnwind);
  fn->addFnAttr(llvm::Attribute::NoRedZone);  // the fiber switch pushes
  const char* width = options.avx512 ? "512" : "256";
  fn->addFnAttr("prefer-vector-width", width);
  fn->addFnAttr("min-legal-vector-width", width);
  fn->addParamAttr(0, llvm::Attribute::NoAlias);
  fn->addParamAttr(0, llvm::Attribute::NonNull);
  fn->addParamAttr(0, llvm::Attribute::getWithDereferenceableBytes(c, sizeof(WarpContext)));
  ctx_ = fn->getArg(0);

  // A line of the table is an instruction: see code.cpp, which maps it back.
  if (!m.getModuleFlag("Debug Info Version"))
    m.addModuleFlag(llvm::Module::Warning, "Debug Info Version", llvm::DEBUG_METADATA_VERSION);
  llvm::DIBuilder di(m);
  auto* file = di.createFile("kernel.ptx", ".");
  di.createCompileUnit(llvm::dwarf::DW_LANG_C, file, "wanren", true, "", 0, "",
                       llvm::DICompileUnit::LineTablesOnly);
  subprogram_ = di.createFunction(file, "kernel", "kernel", file, 1,
                                  di.createSubroutineType(di.getOrCreateTypeArray({})), 1,
                                  llvm::DINode::FlagZero, llvm::DISubprogram::SPFlagDefinition);
  fn->setSubprogram(subprogram_);
  std::uint32_t line = 1;
  for (simt::BlockId before = 0; before < extent.first_block; ++before)
    line += static_cast<std::uint32_t>(whole.blocks[before].insts.size()) + 1;
  for (const simt::Block& blk : kernel.blocks) {
    first_line_.push_back(line);
    line += static_cast<std::uint32_t>(blk.insts.size()) + 1;
  }

  entry_ = llvm::BasicBlock::Create(c, "entry", fn);
  b.SetInsertPoint(entry_);
  b.SetCurrentDebugLocation(llvm::DILocation::get(c, 1, 0, subprogram_));
  kept_.resize(kernel.blocks.size());
  emit_entry();
  for (const simt::Block& blk : kernel.blocks) {
    for (const bool together : {true, false})
      if (has_version_[together ? 0 : 1][blk.id] && error.empty()) emit_block(blk, together);
    if (!error.empty())
      return fail(kernel.name + ":" + std::to_string(error_location.ptx_line), error,
                  "run it with the interpreter");
  }
  if (hub_) emit_hub();
  emit_exit();
  scratch_->setOperand(0, b.getInt64(scratch_words_));
  b.SetInsertPoint(entry_);
  if (!has_version_[0][0] || !has_version_[1][0])
    b.CreateBr(heads_[has_version_[0][0] ? 0 : 1][0]);
  else
    b.CreateCondBr(b.CreateICmpEQ(entry_mask_, b.getInt32(full_mask)), heads_[0][0], heads_[1][0]);
  di.finalize();
  return {};
}

void Emitter::emit_entry() {
  scratch_ = b.CreateAlloca(b.getInt64Ty(), b.getInt64(1));
  scratch_->setAlignment(llvm::Align(64));
  const auto blocks = kernel.blocks.size();
  plan_hub();
  for (std::size_t i = 0; i < blocks; ++i) {
    pending_.push_back(slot(b.getInt32Ty()));
    b.CreateStore(b.getInt32(0), pending_.back());
  }
  exit_ = llvm::BasicBlock::Create(c, "exit", fn);
  const bool called = function != simt::no_function;
  full_entry_ = !called && !shape.generic && shape.block.count() % warp_size == 0;
  entry_mask_ = full_entry_ ? static_cast<Value*>(b.getInt32(full_mask))
                : called    ? static_cast<Value*>(fn->getArg(1))
                            : load_context(offsetof(WarpContext, entry_mask), 32);
  b.CreateStore(entry_mask_, pending_[0]);
  plan_versions();
  for (int version : {0, 1})
    for (const simt::Block& blk : kernel.blocks)
      heads_[version].push_back(
          has_version_[version][blk.id]
              ? llvm::BasicBlock::Create(c, (version ? "general" : "b") + std::to_string(blk.id), fn)
              : nullptr);
  warp_count_.resize(blocks);
  thread_count_.resize(blocks);
  full_count_.resize(blocks);
  // Blocks in loops count in registers, others in memory.
  for (const simt::Block& blk : kernel.blocks) {
    if (blk.loop_depth == 0 || hub_) continue;
    for (auto* counter : {&warp_count_, &thread_count_, &full_count_}) {
      (*counter)[blk.id] = b.CreateAlloca(b.getInt64Ty());
      b.CreateStore(b.getInt64(0), (*counter)[blk.id]);
    }
  }
  if (traced()) {
    cursor_ = slot(b.getPtrTy());
    b.CreateStore(b.CreateLoad(b.getPtrTy(), context_pointer(offsetof(WarpContext, trace_cursor))), cursor_);
  }
  declare_variables();
}

void Emitter::set_location(std::uint32_t inst) {
  b.SetCurrentDebugLocation(llvm::DILocation::get(c, first_line_[block->id] + inst, 0, subprogram_));
}

// --- context ---

llvm::Value* Emitter::context_pointer(std::size_t offset) {
  return b.CreateConstGEP1_64(b.getInt8Ty(), ctx_, offset);
}

/// bits 0: a pointer.
llvm::Value* Emitter::load_context(std::size_t offset, int bits) {
  Value*& known = context_values_[offset << 8 | static_cast<unsigned>(bits)];
  if (!known) {
    llvm::IRBuilder<>::InsertPointGuard guard(b);
    b.SetInsertPoint(entry_);
    llvm::Type* type =
        bits ? static_cast<llvm::Type*>(b.getIntNTy(static_cast<unsigned>(bits))) : b.getPtrTy();
    auto* load = b.CreateLoad(type, context_pointer(offset));
    load->setMetadata(llvm::LLVMContext::MD_invariant_load, llvm::MDNode::get(c, {}));
    known = load;
  }
  return known;
}

llvm::Value* Emitter::load_context_now(std::size_t offset, int bits) {
  llvm::Type* type = bits ? static_cast<llvm::Type*>(b.getIntNTy(static_cast<unsigned>(bits))) : b.getPtrTy();
  return b.CreateLoad(type, context_pointer(offset));
}

void Emitter::store_context(std::size_t offset, Value* v) {
  b.CreateStore(v, context_pointer(offset));
}

llvm::FunctionCallee Emitter::runtime(const char* name, llvm::FunctionType* type) {
  return m.getOrInsertFunction(name, type);
}

llvm::CallInst* Emitter::call_helper(const std::string& name, llvm::Type* result,
                                     llvm::ArrayRef<Value*> arguments,
                                     llvm::function_ref<void(llvm::ArrayRef<Value*>)> body) {
  // Whole registers: of one that is passed in part, LLVM 19 takes the rest to be kept, though the helper may
  // use it.
  llvm::SmallVector<Value*, 8> passed;
  for (Value* v : arguments) passed.push_back(v->getType()->isIntegerTy() ? resize(v, 64, false) : v);
  llvm::Function* helper = m.getFunction(name);
  if (!helper) {
    llvm::SmallVector<llvm::Type*, 8> types;
    for (Value* v : passed) types.push_back(v->getType());
    helper = llvm::Function::Create(llvm::FunctionType::get(result, types, false),
                                    llvm::Function::InternalLinkage, name, m);
    helper->addFnAttr(llvm::Attribute::NoUnwind);
    helper->addFnAttr(llvm::Attribute::NoInline);
    helper->addFnAttr(llvm::Attribute::NoRedZone);
    helper->addFnAttr("no_caller_saved_registers");
    for (const char* width : {"prefer-vector-width", "min-legal-vector-width"})
      helper->addFnAttr(width, fn->getFnAttribute(width).getValueAsString());
    llvm::IRBuilder<>::InsertPointGuard guard(b);
    auto values = std::exchange(context_values_, decltype(context_values_)());
    llvm::Function* outer = std::exchange(fn, helper);
    llvm::BasicBlock* outer_entry = std::exchange(entry_, llvm::BasicBlock::Create(c, "entry", helper));
    Value* outer_ctx = std::exchange(ctx_, helper->getArg(0));
    llvm::BasicBlock* start = llvm::BasicBlock::Create(c, "start", helper);
    b.SetCurrentDebugLocation(llvm::DebugLoc());
    b.SetInsertPoint(start);
    llvm::SmallVector<Value*, 8> taken;
    for (std::size_t i = 0; i < arguments.size(); ++i)
      taken.push_back(
          b.CreateTruncOrBitCast(helper->getArg(static_cast<unsigned>(i)), arguments[i]->getType()));
    body(taken);
    b.SetInsertPoint(entry_);
    b.CreateBr(start);
    fn = outer;
    entry_ = outer_entry;
    ctx_ = outer_ctx;
    context_values_ = std::move(values);
  }
  llvm::CallInst* call = b.CreateCall(helper, passed);
  call->addFnAttr(llvm::Attribute::get(c, "no_caller_saved_registers"));
  return call;
}

llvm::Value* Emitter::inst_pointer(const simt::Inst& inst) {
  auto* table = m.getOrInsertGlobal("wanren_insts", b.getPtrTy());
  llvm::cast<llvm::GlobalVariable>(table)->setConstant(true);
  return b.CreateLoad(b.getPtrTy(),
                      b.CreateConstGEP1_64(b.getPtrTy(), table, first_line_[block->id] + inst_index_));
}

llvm::Value* Emitter::scratch(std::size_t words) {
  scratch_words_ = std::max(scratch_words_, words);
  return scratch_;
}

llvm::BasicBlock* Emitter::new_block(const char* name) {
  return llvm::BasicBlock::Create(c, name, fn);
}

llvm::BranchInst* Emitter::branch_unlikely(Value* cond, llvm::BasicBlock* unlikely,
                                           llvm::BasicBlock* likely) {
  return b.CreateCondBr(cond, unlikely, likely, llvm::MDBuilder(c).createBranchWeights(1, 1 << 20));
}

void Emitter::compiler_fence() {
  b.CreateFence(llvm::AtomicOrdering::SequentiallyConsistent, llvm::SyncScope::SingleThread);
}

// --- giving way ---

namespace {

/// All registers but rdi, rsi, rbx and rbp.
std::string clobbers(bool avx512) {
  std::string list = "~{rax},~{rcx},~{rdx},~{r8},~{r9},~{r10},~{r11},~{r12},~{r13},~{r14},~{r15}";
  for (int i = 0; i < (avx512 ? 32 : 16); ++i)
    list += (avx512 ? ",~{zmm" : ",~{ymm") + std::to_string(i) + "}";
  if (avx512)
    for (int i = 0; i < 8; ++i) list += ",~{k" + std::to_string(i) + "}";
  return list + ",~{memory},~{dirflag},~{fpsr},~{flags}";
}

}  // namespace

void Emitter::pass_on() {
#if defined(__x86_64__)
  static_assert(offsetof(WarpContext, engine_stack) == 0 && offsetof(WarpContext, warp_stack) == 8);
  Value* next = load_context_now(offsetof(WarpContext, ring_next), 0);
  Value* running = load_context_now(offsetof(WarpContext, running), 0);
  llvm::BasicBlock* hand_over = new_block("hand_over");
  llvm::BasicBlock* alone = new_block("alone");
  llvm::BasicBlock* on = new_block("on");
  b.CreateCondBr(b.CreateIsNull(next), alone, hand_over);
  b.SetInsertPoint(hand_over);
  // As in yield(), but on to another warp's stack: rdi is this warp, rsi the next.
  auto* pair = llvm::StructType::get(c, {b.getPtrTy(), b.getPtrTy(), b.getPtrTy()});
  auto* type = llvm::FunctionType::get(pair, {b.getPtrTy(), b.getPtrTy(), b.getPtrTy()}, false);
  std::string list = clobbers(options.avx512);
  list.erase(list.find("~{rcx},"), 7);
  b.CreateCall(type,
               llvm::InlineAsm::get(type,
                                    "pushq %rbp\npushq %rbx\nleaq 1f(%rip), %rax\npushq %rax\n"
                                    "movq (%rdi), %rax\nmovq %rax, (%rsi)\nmovq %rsi, (%rcx)\n"
                                    "movq %rsp, 8(%rdi)\nmovq 8(%rsi), %rsp\npopq %rax\njmpq *%rax\n"
                                    "1:\npopq %rbx\npopq %rbp",
                                    "={rdi},={rsi},={rcx},0,1,2," + list, true),
               {ctx_, next, running});
  b.CreateBr(on);
  b.SetInsertPoint(alone);
  yield(simt::Yield::barrier);
  b.CreateBr(on);
  b.SetInsertPoint(on);
#else
  yield(simt::Yield::barrier);
#endif
}

void Emitter::yield(simt::Yield why) {
  store_context(offsetof(WarpContext, yield), b.getInt32(static_cast<std::uint32_t>(why)));
  if (cursor_) store_context(offsetof(WarpContext, trace_cursor), b.CreateLoad(b.getPtrTy(), cursor_));
  suspend();
  if (cursor_) b.CreateStore(load_context_now(offsetof(WarpContext, trace_cursor), 0), cursor_);
}

/// Leaves the fiber and comes back.
void Emitter::suspend() {
#if defined(__x86_64__)
  // The layout that engine/fiber.h shares: continuation address on top of the saved stack. Every
  // register is clobbered, so that only live ones are saved; rbx and rbp may address the frame.
  const std::string constraints = "={rdi},0,~{rsi}," + clobbers(options.avx512);
  auto* type = llvm::FunctionType::get(b.getPtrTy(), {b.getPtrTy()}, false);
  b.CreateCall(type,
               llvm::InlineAsm::get(type,
                                    "pushq %rbp\npushq %rbx\nleaq 1f(%rip), %rax\npushq %rax\n"
                                    "movq %rsp, 8(%rdi)\nmovq (%rdi), %rsp\npopq %rax\njmpq *%rax\n"
                                    "1:\npopq %rbx\npopq %rbp",
                                    constraints, true),
               {ctx_});
#else
  Value* services = load_context(offsetof(WarpContext, services), 0);
  Value* suspend = b.CreateLoad(b.getPtrTy(), services);
  b.CreateCall(llvm::FunctionType::get(b.getVoidTy(), {b.getPtrTy()}, false), suspend, {ctx_});
#endif
}

void Emitter::yield_outlined(simt::Yield why) {
  if (cursor_) store_context(offsetof(WarpContext, trace_cursor), b.CreateLoad(b.getPtrTy(), cursor_));
  call_helper("give_way", b.getVoidTy(), {ctx_, b.getInt32(static_cast<std::uint32_t>(why))},
              [&](llvm::ArrayRef<Value*> taken) {
                store_context(offsetof(WarpContext, yield), taken[1]);
                suspend();
                b.CreateRetVoid();
              });
  if (cursor_) b.CreateStore(load_context_now(offsetof(WarpContext, trace_cursor), 0), cursor_);
}

void Emitter::raise(simt::Fault fault, const simt::Inst* inst, Value* mask) {
  (void)inst;
  if (cursor_) store_context(offsetof(WarpContext, trace_cursor), b.CreateLoad(b.getPtrTy(), cursor_));
  Value* services = load_context(offsetof(WarpContext, services), 0);
  Value* callee = b.CreateLoad(
      b.getPtrTy(), b.CreateConstGEP1_64(b.getInt8Ty(), services, offsetof(simt::Services, fault)));
  auto* i32 = b.getInt32Ty();
  auto* call =
      b.CreateCall(llvm::FunctionType::get(b.getVoidTy(), {b.getPtrTy(), i32, i32, i32, i32}, false), callee,
                   {ctx_, b.getInt32(static_cast<std::uint32_t>(fault)),
                    b.getInt32(extent.first_block + block->id), b.getInt32(inst_index_), mask});
  call->setDoesNotReturn();
  b.CreateUnreachable();
}

// --- trace ---

void Emitter::trace_word(Value* word) {
  Value* at = b.CreateLoad(b.getPtrTy(), cursor_);
  b.CreateAlignedStore(word, at, llvm::Align(8));
  b.CreateStore(b.CreateConstGEP1_64(b.getInt64Ty(), at, 1), cursor_);
}

void Emitter::trace_words(Value* vector, int words) {
  Value* at = b.CreateLoad(b.getPtrTy(), cursor_);
  b.CreateAlignedStore(vector, at, llvm::Align(8));
  b.CreateStore(b.CreateConstGEP1_64(b.getInt64Ty(), at, static_cast<std::uint64_t>(words)), cursor_);
}

void Emitter::begin_block_trace() {
  if (block->ordered) {
    yield(simt::Yield::order);
  } else {
    Value* at = b.CreateLoad(b.getPtrTy(), cursor_);
    Value* limit = load_context_now(offsetof(WarpContext, trace_limit), 0);
    llvm::BasicBlock* wait = new_block("trace_full");
    llvm::BasicBlock* on = new_block("on");
    branch_unlikely(b.CreateICmpUGT(at, limit), wait, on);
    b.SetInsertPoint(wait);
    yield_outlined(simt::Yield::trace_full);
    b.CreateBr(on);
    b.SetInsertPoint(on);
  }
  Value* mask = b.CreateShl(b.CreateZExt(mask_bits(), b.getInt64Ty()), b.getInt64(32));
  trace_word(b.CreateOr(mask, b.getInt64(extent.first_block + block->id)));
}

// --- out of line ---

void Emitter::call_alu(const simt::Inst& inst) {
  call_out(inst, interp::is_alu(inst) ? "wanren_interp_alu" : "wanren_interp_warp_op");
}

void Emitter::call_out(const simt::Inst& inst, const char* function) {
  const std::uint32_t in = interp::source_rows(inst), out = interp::destination_rows(inst);
  Value* area = scratch(std::size_t{in + out} * warp_size);
  auto row = [&](std::uint32_t r) {
    return b.CreateConstGEP1_64(b.getInt64Ty(), area, std::uint64_t{r} * warp_size);
  };
  std::uint32_t r = 0;
  for (const simt::Operand& o : inst.srcs) {
    const bool wide =
        o.kind == simt::Operand::Kind::value && kernel.values[o.value].width == simt::Width::b128;
    const bool pred =
        o.kind == simt::Operand::Kind::value && kernel.values[o.value].width == simt::Width::pred;
    Value* v = get(o, wide ? 128 : pred ? 1 : 64, Form::vector);
    b.CreateAlignedStore(resize(v, 64, false), row(r++), llvm::Align(64));
    if (wide)
      b.CreateAlignedStore(resize(b.CreateLShr(v, imm(128, Form::vector, 64)), 64, false), row(r++),
                           llvm::Align(64));
  }
  const bool alu = interp::is_alu(inst);
  Mask mask = alu ? Mask{b.getInt32(full_mask), nullptr, true, true} : inst_mask(inst);
  auto* ptr = b.getPtrTy();
  if (cursor_ && !alu) store_context(offsetof(WarpContext, trace_cursor), b.CreateLoad(ptr, cursor_));
  if (alu)
    b.CreateCall(
        runtime(function, llvm::FunctionType::get(b.getVoidTy(), {ptr, ptr, ptr, b.getInt32Ty()}, false)),
        {inst_pointer(inst), row(0), row(in), mask.bits});
  else
    b.CreateCall(runtime(function,
                         llvm::FunctionType::get(b.getVoidTy(), {ptr, ptr, ptr, ptr, b.getInt32Ty()}, false)),
                 {ctx_, inst_pointer(inst), row(0), row(in), mask.bits});
  if (cursor_ && !alu) b.CreateStore(load_context_now(offsetof(WarpContext, trace_cursor), 0), cursor_);
  r = in;
  for (std::size_t i = 0; i < inst.dsts.size(); ++i) {
    const bool wide =
        inst.dsts[i] != simt::no_value && kernel.values[inst.dsts[i]].width == simt::Width::b128;
    Value* v = b.CreateAlignedLoad(int_type(64, Form::vector), row(r++), llvm::Align(64));
    if (wide) {
      Value* high = b.CreateAlignedLoad(int_type(64, Form::vector), row(r++), llvm::Align(64));
      v = b.CreateOr(resize(v, 128, false),
                     b.CreateShl(resize(high, 128, false), imm(128, Form::vector, 64)));
    }
    if (inst.dsts[i] != simt::no_value) define_from(inst, i, v, Form::vector, false);
  }
}

void Emitter::call_syscall(const simt::Inst& inst) {
  const std::size_t in = inst.srcs.size();
  Value* area = scratch((in + 1) * warp_size);
  auto row = [&](std::size_t r) { return b.CreateConstGEP1_64(b.getInt64Ty(), area, r * warp_size); };
  for (std::size_t i = 0; i < in; ++i)
    b.CreateAlignedStore(get(inst.srcs[i], 64, Form::vector), row(i), llvm::Align(64));
  Mask mask = inst_mask(inst);
  llvm::BasicBlock* call = new_block("syscall");
  llvm::BasicBlock* on = new_block("on");
  if (mask.nonempty)
    b.CreateBr(call);
  else
    b.CreateCondBr(b.CreateICmpNE(mask.bits, b.getInt32(0)), call, on);
  b.SetInsertPoint(call);
  if (cursor_) store_context(offsetof(WarpContext, trace_cursor), b.CreateLoad(b.getPtrTy(), cursor_));
  Value* services = load_context(offsetof(WarpContext, services), 0);
  Value* callee = b.CreateLoad(
      b.getPtrTy(), b.CreateConstGEP1_64(b.getInt8Ty(), services, offsetof(simt::Services, syscall)));
  auto* ptr = b.getPtrTy();
  auto* i32 = b.getInt32Ty();
  b.CreateCall(llvm::FunctionType::get(b.getVoidTy(), {ptr, i32, i32, ptr, ptr}, false), callee,
               {ctx_, b.getInt32(static_cast<std::uint32_t>(inst.syscall)), mask.bits, row(0), row(in)});
  b.CreateBr(on);
  b.SetInsertPoint(on);
  if (!inst.dsts.empty() && inst.dsts[0] != simt::no_value)
    define_from(inst, 0, b.CreateAlignedLoad(int_type(64, Form::vector), row(in), llvm::Align(64)),
                Form::vector, false);
}

}  // namespace wanren::jit
