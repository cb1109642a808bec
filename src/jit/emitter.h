#pragma once
// The state of emitting a kernel's body as the LLVM function `kernel(WarpContext*)` that runs one warp, or
// one of its functions as `functionN(WarpContext*, mask, arguments, results, frame offset)` that runs one
// call. One file per instruction family adds to the current block through this.

#include <span>
#include <string>
#include <vector>

#include "engine/launch.h"
#include "jit/llvm.h"
#include "simt/kernel.h"
#include "simt/shape.h"
#include "simt/warp_context.h"
#include "support/result.h"
#include "trace/trace.h"

namespace wanren::jit {

/// Lane values as emitted: uniform: a scalar; affine: scalar base (and scale); vector: <32 x iN>.
struct Lanes {
  using Kind = simt::ValueShape::Kind;
  Kind kind = Kind::vector;
  llvm::Value* bits = nullptr;
  llvm::Value* scale = nullptr;  ///< affine with a scaled term, else null
  std::uint32_t pattern = 0, scaled = 0;
};

/// scalar: lane 0 alone (all lanes where the value is uniform); vector: all 32 lanes.
enum class Form : std::uint8_t { scalar, vector };

struct EmitOptions {
  engine::Flavour flavour = engine::Flavour::plain;
  bool avx512 = true;
};

class Emitter {
 public:
  /// `body` is part(whole, function), `shapes` its analysis; `whole` itself where it has no functions.
  /// `patterns` begin with those of `shapes`.
  Emitter(llvm::Module& module, const simt::Kernel& whole, simt::FunctionId function,
          const simt::Kernel& body, const simt::Shapes& shapes, std::vector<simt::LanePattern> patterns,
          const simt::BlockShape& shape, EmitOptions options);
  /// Emits the function. Errors: an instruction without code.
  Result<void> run();

  // --- what every family uses ---
  using Value = llvm::Value;
  llvm::Type* int_type(int bits, Form form);
  llvm::Constant* imm(int bits, Form form, std::uint64_t value);
  llvm::Constant* lane_constants(int bits, std::span<const std::int64_t> values);
  llvm::Constant* pattern_vector(int bits, std::uint32_t pattern);
  const simt::LanePattern& pattern(std::uint32_t id) const { return patterns[id]; }
  std::uint32_t intern(const simt::LanePattern& p);

  /// The value as it stands in the current block.
  Lanes lanes(simt::ValueId v);
  /// An operand with its shape; immediates, symbols and special registers are `width` bits wide.
  Lanes lanes(const simt::Operand& o, int width);
  simt::ValueShape::Kind kind(const simt::Operand& o) const;
  /// The operand's low `width` bits as integers in the given form. width 1: predicate (i1), with
  /// Operand::negated applied.
  Value* get(const simt::Operand& o, int width, Form form);
  /// The same without making NaNs canonical: for those who only calculate with it or pass it on.
  Value* get_raw(const simt::Operand& o, int width, Form form);
  Value* materialise(const Lanes& l, int width);
  Value* lane0(const Lanes& l, int width);
  Value* resize(Value* v, int width, bool is_signed);
  Value* splat(Value* scalar);
  Value* canonical_nan(Value* float_bits);
  bool is_raw(simt::ValueId v) const { return raw_[v]; }
  /// Any active lane's element of a vector whose active lanes agree.
  Value* extract_active(Value* vector);

  /// Defines `v`; for affine shapes `bits` is the base.
  void define(simt::ValueId v, Lanes l);
  /// Defines `v` from all lanes (form vector) or lane 0 (form scalar) of its value; applies the
  /// guard's prior; extends to the value's width.
  void define_from(const simt::Inst& inst, std::size_t dst, Value* value, Form form, bool is_signed);

  // masks
  Value* mask_bits();    ///< i32, lanes that execute the current block
  Value* mask_vector();  ///< <32 x i1>
  bool mask_is_full() const { return full_; }
  /// Block mask and guard, i32 / <32 x i1>; `full` true if known to be all ones.
  struct Mask {
    Value* bits;
    Value* vector;
    bool full;
    bool nonempty;
  };
  Mask inst_mask(const simt::Inst& inst);
  Value* to_bits(Value* vector_of_i1);
  Value* to_vector(Value* bits);

  // context
  Value* context_pointer(std::size_t offset);
  Value* load_context(std::size_t offset, int bits);      ///< constant during the warp's life: loaded once
  Value* load_context_now(std::size_t offset, int bits);  ///< loaded here
  void store_context(std::size_t offset, Value* v);
  llvm::FunctionCallee runtime(const char* name, llvm::FunctionType* type);
  /// The module's own function `name`, written by `body`, which gets its arguments, on first use. It keeps
  /// every register that it does not return in, so that a call costs its caller no spills; its first argument
  /// is the context, which the context's accessors read from while `body` runs.
  llvm::CallInst* call_helper(const std::string& name, llvm::Type* result, llvm::ArrayRef<Value*> arguments,
                              llvm::function_ref<void(llvm::ArrayRef<Value*>)> body);
  Value* inst_pointer(const simt::Inst& inst);
  Value* scratch(std::size_t words64);  ///< entry-block array, reused by all
  void yield(simt::Yield why);
  /// The same where it is rare: no register is live across it but in the helper's own frame.
  void yield_outlined(simt::Yield why);
  /// At a bar.sync 0 of the whole CTA: continues with the next warp of the ring, or yields.
  void pass_on();
  void raise(simt::Fault fault, const simt::Inst* inst, Value* mask_bits);
  void compiler_fence();
  llvm::BasicBlock* new_block(const char* name);
  llvm::BranchInst* branch_unlikely(Value* cond, llvm::BasicBlock* unlikely, llvm::BasicBlock* likely);
  Value* special(ptx::SpecialRegister reg, int width, Form form);

  /// Notes that the block's lanes have had `v` + `offset` checked to be a multiple of `bytes`; true if that
  /// follows from a check before.
  bool known_aligned(simt::ValueId v, int bytes, std::int64_t offset);

  // leaving compiled code
  void assume_no_wrap(const simt::Inst& inst, std::uint32_t index);
  void flush_assumptions();
  /// Emits what the block's assumptions depend on, as far as it is known at the block's start, and checks
  /// those there: one way out for all of them, with nothing but the block's live values to hand over.
  void check_assumptions_early();

  // trace
  bool traced() const { return options.flavour == engine::Flavour::traced; }
  void trace_word(Value* word);
  void trace_words(Value* vector, int words);

  // --- families: false if the instruction is not theirs or has no inline code ---
  void emit(const simt::Inst& inst, std::uint32_t index);
  bool emit_pure(const simt::Inst& inst);
  Value* affine_scale(const simt::Inst& inst);
  void define_affine(const simt::Inst& inst, Value* base);
  bool emit_memory(const simt::Inst& inst);
  bool emit_atomic(const simt::Inst& inst);
  bool emit_warp(const simt::Inst& inst);
  bool emit_matrix(const simt::Inst& inst);
  bool emit_product(const simt::Inst& inst);
  bool emit_barrier(const simt::Inst& inst);
  void call_alu(const simt::Inst& inst);
  /// The same, by a function that may write trace records and suspend the warp.
  void call_out(const simt::Inst& inst, const char* function);
  void trace_operand(const simt::Inst& inst);
  void call_syscall(const simt::Inst& inst);
  void call_function(const simt::Inst& inst);
  void emit_return(const simt::Inst& inst);

  llvm::LLVMContext& c;
  llvm::Module& m;
  llvm::IRBuilder<> b;
  const simt::Kernel& whole;
  const simt::FunctionId function;
  const simt::Kernel& kernel;  ///< What is emitted; ids count from `extent`'s.
  const simt::Extent extent;
  const simt::Shapes& shapes;
  const simt::BlockShape& shape;
  bool maps_cluster = false;  ///< Generic addresses may be of another CTA's shared memory.
  const EmitOptions options;
  const simt::Block* block = nullptr;  ///< the one being emitted
  llvm::Function* fn = nullptr;
  std::vector<simt::LanePattern> patterns;  ///< Those of `shapes`, then what records add.
  /// Values of loads further down the block that are there already.
  llvm::DenseMap<const simt::Inst*, Value*> early_loads;
  std::string error;
  ptx::Location error_location;

 private:
  struct Variable {
    Value* bits = nullptr;
    Value* scale = nullptr;
    llvm::Type* type = nullptr;  ///< Of each.
  };
  /// A slot of the entry block. Kernels that jump through the hub keep it in memory: as registers, every slot
  /// would meet itself there from every block. So do vectors of kernels that have too many.
  Value* slot(llvm::Type* type);
  void declare_variables();
  void emit_entry();
  void emit_block(const simt::Block& blk, bool together);
  void plan_versions();
  void plan_hub();
  /// With a hub: `lanes` go to this block, or none does.
  void mark_pending(simt::BlockId id, Value* lanes);
  void emit_hub();
  std::vector<simt::BlockId> dispatch_order(std::span<const simt::BlockId> certain, bool exits,
                                            bool patient) const;
  bool waits_for_spinning(simt::BlockId id, bool patient) const;
  llvm::Value* take_turn();
  void go_first(std::span<const simt::BlockId> order, std::span<const simt::BlockId> certain, bool exits,
                bool split);
  std::span<const simt::BlockId> frontier() const;  ///< of the block being emitted
  void go(simt::BlockId to, bool split);
  void emit_terminator();
  void begin_block_trace();
  void edge(simt::BlockId to, std::size_t target_index, Value* edge_bits, bool divergent);
  void write_phis(simt::BlockId to, std::size_t occurrence, Value* edge_bits, bool divergent,
                  std::span<const simt::BlockId> others);
  void dispatch(std::span<const simt::BlockId> certain, bool exits, bool split);
  void store_variable(simt::ValueId v, const Lanes& l, Value* blend_mask);
  Lanes coerce(const Lanes& l, simt::ValueId target);
  const llvm::DenseSet<simt::ValueId>& kept(simt::BlockId block);
  bool is_kept(simt::ValueId v) { return !together_ && kept(block->id).contains(v); }
  llvm::Type* value_type(simt::ValueId v, bool vector);
  void count_block();
  void suspend();
  void emit_exit();
  void emit_leave(simt::BlockId block, std::uint32_t inst, llvm::ArrayRef<simt::ValueId> locals);
  void set_location(std::uint32_t inst);

  void find_raw_values();
  llvm::Function* declare(simt::FunctionId f);
  Value* frame_offset();  ///< of this activation in a thread's local memory
  std::uint32_t frame_bytes() const;
  void enter(const simt::Inst& inst, simt::FunctionId callee, Value* mask, Value* arguments, Value* results);

  std::vector<bool> raw_;                       // by ValueId: a NaN here may not be canonical
  std::vector<Variable> variables_;             // by ValueId
  llvm::DenseMap<simt::ValueId, Lanes> local_;  // values known in the current block
  std::vector<simt::ValueId> local_order_;      // defined in the current block so far
  std::vector<llvm::BasicBlock*> heads_[2];     // together, general; by BlockId
  std::vector<bool> has_version_[2];
  bool together_ = false;
  std::vector<Value*> pending_;      // by BlockId
  Value* pending_words_ = nullptr;   // with a hub: bit BlockId is set where lanes are pending
  Value* passed_over_ = nullptr;     // with a hub: those to run last
  llvm::BasicBlock* hub_ = nullptr;  // jumps to the lowest pending block
  llvm::BasicBlock* hub_for_others_ = nullptr;
  bool crowded_ = false;
  std::vector<llvm::AllocaInst*> warp_count_, thread_count_,
      full_count_;                         // by BlockId; null: not counted that way
  std::vector<std::uint32_t> first_line_;  // by BlockId: line of instruction 0
  std::vector<std::unique_ptr<llvm::DenseSet<simt::ValueId>>> kept_;
  llvm::DenseMap<std::uint64_t, Value*> context_values_;
  llvm::BasicBlock* entry_ = nullptr;
  llvm::BasicBlock* exit_ = nullptr;
  Value* ctx_ = nullptr;
  Value* entry_mask_ = nullptr;
  bool full_entry_ = false;
  Value* mask_ = nullptr;
  Value* mask_vector_ = nullptr;
  bool full_ = false;
  Value* cursor_ = nullptr;
  llvm::AllocaInst* scratch_ = nullptr;
  std::size_t scratch_words_ = 0;
  llvm::AllocaInst* sums_ = nullptr;          ///< Accumulators of products.
  const simt::Inst* held_product_ = nullptr;  ///< Whose results they are, in held_block_.
  const simt::Block* held_block_ = nullptr;
  llvm::DISubprogram* subprogram_ = nullptr;
  struct Assumption {
    std::uint64_t key;    ///< As in assumed_.
    Value* broken;        ///< i1: some lane may wrap, executing or not.
    Value *base, *scale;  ///< i64
    std::uint32_t pattern, scaled;
    std::int64_t least, most;
    const simt::Inst* inst;
  };
  Value* wrapping_lanes(const Assumption& a, Value* base);
  Value* correction(const simt::Inst& inst);
  void find_uses(const simt::Block& blk);
  std::vector<Assumption> assumptions_;
  std::uint32_t assumption_inst_ = 0;
  std::vector<bool> early_;  ///< By instruction of the block: emitted already.
  llvm::DenseMap<simt::ValueId, std::uint32_t>
      last_use_;  ///< Of the values that this block or its edges read.
  std::size_t assumption_locals_ = 0;
  llvm::DenseMap<simt::ValueId, std::pair<int, std::int64_t>> aligned_;  ///< Bytes and offset, this block.
  llvm::DenseSet<std::uint64_t> assumed_;  // value << 1 | signed, checked in this block
  /// i64, by the same keys: what to add to the wide base, where the lanes that execute are those that wrap.
  llvm::DenseMap<std::uint64_t, Value*> corrections_;
  std::uint32_t inst_index_ = 0;
};

// Integer, float and conversion families: see alu.h.

}  // namespace wanren::jit
