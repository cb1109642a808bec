#pragma once
// The first pass: PTX of a kernel, or of one function that stays a function, and of everything inlined into
// it, as one flat list. inline_calls.cpp has the flow, pass_arguments.cpp the calls, translate.cpp the rest.

#include <optional>
#include <unordered_map>

#include "simt/call_graph.h"
#include "simt/draft.h"

namespace wanren::simt {

/// What the drafts of one kernel share: shared variables have one place, whoever names them.
struct SharedWindow {
  std::unordered_map<const ptx::Variable*, std::uint64_t> offsets;
  std::uint64_t bytes = 0;
  std::uint32_t align = 16, dynamic_align = 16;
};

/// One inlined copy of a function, or the root.
struct Instance {
  const ptx::Function* function = nullptr;
  VariableId first_register = 0;
  std::uint64_t frame = 0;      // Where its locals begin.
  std::uint64_t frame_end = 0;  // Where a callee's may begin.
  LabelId return_label = 0;
  bool is_kernel = false, is_root = false;
  std::optional<bool> short_parameter_addresses;  // Asked for first by cvta.param.
  std::unordered_map<std::string, LabelId> labels;
  std::unordered_map<std::string, std::uint64_t> locals;
  std::unordered_map<std::string, std::uint32_t> formals;  // Call parameters bound by the caller.
  std::unordered_map<std::string, std::uint32_t> actuals;  // Of calls made here: the current binding.
  std::unordered_map<std::string, const ptx::Statement*> targets;
};

class Inliner {
 public:
  Inliner(const ptx::Module& module, const CallGraph& graph, SharedWindow& shared, Draft& draft);
  Result<void> run_kernel(const ptx::Function& kernel);
  Result<void> run_function(const ptx::Function& function);

 private:
  using Opcode = ptx::Opcode;
  using Kind = ptx::Operand::Kind;
  using Operands = std::vector<const ptx::Operand*>;

  std::unexpected<Error> error(const ptx::Location& at, std::string cause, std::string remedy = {}) {
    return fail(place(draft_.module_name, at), std::move(cause), std::move(remedy));
  }
  static void collect(const ptx::Operand& operand, Operands& out);

  // Items (inline_calls.cpp).
  void emit_label(LabelId label);
  void emit_jump(LabelId target, const ptx::Location& at, std::uint32_t counts);
  void emit_branch(VariableId cond, bool negated, LabelId yes, LabelId no, const ptx::Location& at,
                   std::uint32_t counts);
  void emit_end(Terminator::Kind kind, const ptx::Location& at, std::uint32_t counts);
  Item& emit_inst(Opcode op, const ptx::Location& at, std::uint32_t counts);
  bool has_short_parameter_addresses(Instance& self);
  void restore_parameter_address(Inst& inst);
  void emit_access(Opcode op, std::uint32_t parameter, ptx::Type type, VariableId variable,
                   const ptx::Location& at);
  /// Lanes end here: the thread, not the function.
  void emit_exit(const ptx::Location& at, std::uint32_t counts);

  // Flow (inline_calls.cpp).
  Result<void> expand(Instance& self);
  Result<void> instruction(Instance& self, const ptx::Instruction& in);
  Result<void> control(Instance& self, const ptx::Instruction& in);
  Result<void> indexed_branch(Instance& self, const ptx::Instruction& in);
  Result<LabelId> label(Instance& self, const std::string& name, const ptx::Location& at);
  void move_register_parameters(Instance& self, const std::vector<ptx::Variable>& list, Opcode op);

  // Calls (pass_arguments.cpp).
  Result<void> call(Instance& self, const ptx::Instruction& in);
  Result<void> inlined_call(Instance& self, const ptx::Instruction& in, const ptx::Function& callee,
                            const Operands& arguments, const Operands& results);
  /// A call that stays one; `callee` null: indirect.
  Result<void> kept_call(Instance& self, const ptx::Instruction& in, const ptx::Function* callee,
                         const Operands& arguments, const Operands& results);
  Result<void> system_call(const ptx::Instruction& in, const ptx::Function& callee, Instance& inner);
  Result<std::uint32_t> argument(Instance& self, const ptx::Operand& operand, const ptx::Variable& formal,
                                 const ptx::Location& at);
  /// The argument `parameter` where the callee's frame will have it.
  void at_callee(Instance& self, std::uint32_t parameter, const Passing::Item& item,
                 const ptx::Variable& formal, const ptx::Location& at);
  void bind_result(Instance& self, const ptx::Operand& operand, const ptx::Variable& formal,
                   std::uint32_t parameter, const ptx::Location& at);
  std::uint32_t new_parameter(const ptx::Variable& formal, const ptx::Location& at);
  /// The call parameter that `name` stands for here, if it is one.
  std::optional<std::uint32_t> call_parameter(Instance& self, const std::string& name,
                                              const ptx::Location& at);

  // Everything else (translate.cpp).
  Result<void> plain(Instance& self, const ptx::Instruction& in, bool keep_guard);
  Result<void> product_operands(Inst& inst);
  Result<void> video_parts(const ptx::Instruction& in, Inst& inst);
  Operand shared_offset(const ptx::Variable& v);
  Operand frame_offset(std::uint64_t offset) const;
  Operand global(const std::string& name);
  Result<Operand> symbol(Instance& self, const std::string& name, const ptx::Location& at);
  Operand move_special(ptx::SpecialRegister reg, const ptx::Location& at);
  Result<Operand> value(Instance& self, const ptx::Operand& o, const std::array<ptx::Type, 4>& types,
                        const ptx::Location& at);
  Result<Operand> address(Instance& self, const ptx::Operand& o, std::int64_t& offset,
                          const ptx::Location& at);
  Result<bool> parameter_access(Instance& self, const ptx::Instruction& in, Item& item);

  const CallGraph& graph_;
  SharedWindow& shared_;
  Draft& draft_;
  std::unordered_map<std::string, const ptx::Variable*> variables_;
  std::unordered_map<std::string, std::uint64_t> kernel_parameters_;
  VariableId carry_ = 0;
  VariableId alive_ = no_value;  ///< Of a function that may exit: do the lanes return?
  LabelId end_label_ = 0;        ///< Of a function: behind its results.
};

}  // namespace wanren::simt
