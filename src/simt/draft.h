#pragma once
// What the passes of build() hand to each other before a kernel is in SSA form. Instructions are already
// simt::Inst, but their ValueIds number variables (PTX registers of every inlined body), not SSA values.

#include <cstdint>
#include <string>
#include <vector>

#include "simt/kernel.h"

namespace wanren::simt {

using VariableId = ValueId;
using LabelId = std::uint32_t;
inline constexpr std::uint32_t no_parameter = ~0u;

/// One step of the flat, inlined instruction list.
struct Item {
  enum class Kind : std::uint8_t { label, inst, terminator, no_unroll };
  Kind kind = Kind::inst;
  LabelId label = 0;
  Inst inst;
  Terminator term;  ///< targets are LabelIds
  /// ld/st of a call's .param variable; inst.offset is the byte offset in it.
  std::uint32_t parameter = no_parameter;
  /// Executed PTX instructions that this stands for: 1, or 0 for call plumbing and helper moves.
  std::uint32_t counts = 1;
};

/// A .param variable that carries an argument or a result of a call.
struct CallParameter {
  std::uint64_t bytes = 0;
  std::uint32_t align = 1;
  bool address_taken = false;
  bool outgoing = false;           ///< frame_offset counts from the callee's frame.
  std::int64_t frame_offset = -1;  ///< Where memory of the frame holds it; -1: not decided.
  ptx::Location location;
};

/// Marks in Operand::index of an imm whose value is known only after all variables have been placed.
inline constexpr std::uint32_t dynamic_shared_mark = 1;
inline constexpr std::uint32_t call_parameter_mark = 0x80000000u;  ///< | parameter

/// A kernel's body, or a function.
struct Draft {
  Kernel kernel;  ///< name, parameters, shared, frame, globals, bounds; blocks from make_blocks() on.
  bool is_function = false;
  Function function;  ///< All but where it lies in the kernel.
  std::vector<Item> items;
  std::vector<Width> variables;
  std::vector<CallParameter> parameters;
  LabelId labels = 0;
  std::string module_name;

  VariableId new_variable(Width width) {
    variables.push_back(width);
    return static_cast<VariableId>(variables.size() - 1);
  }
};

inline std::string place(const std::string& module_name, const ptx::Location& location) {
  return module_name + ":" + std::to_string(location.ptx_line);
}
inline constexpr std::uint64_t round_up(std::uint64_t n, std::uint64_t align) {
  return align ? (n + align - 1) / align * align : n;
}

// The passes, in the order build() runs them.

/// The kernel's body, then the functions that it calls, each with what is inlined into it as one flat list;
/// variables become offsets. (inline_calls.cpp)
Result<std::vector<Draft>> inline_calls(const ptx::Module& module, const std::string& name,
                                        const std::string& module_name);
/// Call parameters become variables, or slots of the local frame. (place_parameters.cpp)
Result<void> place_parameters(Draft& draft);
/// Items to blocks, split at suspending instructions, unreachable code gone. (make_blocks.cpp)
void make_blocks(Draft& draft);
/// Blocks that only one block jumps to join it; what nobody reaches goes. (make_blocks.cpp)
void join_blocks(std::vector<Block>& blocks);
/// Short sides of a branch become guarded instructions; true if any did. (convert_branches.cpp)
bool convert_branches(Draft& draft);
/// Counted loops of one block run several iterations a round; true if any does. (unroll_loops.cpp)
bool unroll_loops(Draft& draft);
/// One latch for each loop header. (loops.cpp)
void merge_latches(Draft& draft);
/// Renumbers blocks in priority order, fills preds, loop and post-dominator fields. (order_blocks.cpp)
void order_blocks(Draft& draft);
/// Pruned SSA; the draft's variables are gone afterwards. (construct_ssa.cpp)
void construct_ssa(Draft& draft);
/// Copies, trivial phis and dead arithmetic go. (fold_copies.cpp)
void fold_copies(Kernel& kernel);
/// Some result depends on what other CTAs have done so far. (split_ordered.cpp)
bool sees_other_ctas(const Kernel& kernel);
/// Blocks begin where a warp must wait for its turn among CTAs. (split_ordered.cpp)
void split_ordered(Kernel& kernel);
/// The finished body and functions as one kernel; how much local memory they take. (link_functions.cpp)
Kernel link_functions(std::vector<Kernel> parts, std::vector<Function> functions);
/// Trace slots per block. (annotate.cpp)
void number_slots(Kernel& kernel);
/// Terminator::spins, needs_coupling, waits_for_ctas, meets_at_barriers, prints. (annotate.cpp)
/// `callees_synchronise`: what a called function returns may depend on another thread.
void mark_dependence(Kernel& kernel, bool callees_synchronise);
/// Has loads or atomics that others' writes are meant to reach, or waits for phases. (annotate.cpp)
bool synchronises(const Kernel& kernel);

}  // namespace wanren::simt
