#pragma once
// Contract 1: the SIMT kernel. SSA over a control-flow graph that is frozen once build() returns:
// block ids and payload slots are the common language of interp, jit, trace, lower and timing.

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "ptx/module.h"
#include "simt/operation.h"
#include "support/result.h"
#include "support/units.h"

namespace wanren::simt {

using ValueId = std::uint32_t;
using BlockId = std::uint32_t;
inline constexpr ValueId no_value = ~ValueId{0};
inline constexpr BlockId no_block = ~BlockId{0};
inline constexpr std::uint16_t no_slot = 0xffff;
using FunctionId = std::uint32_t;  ///< Index into Kernel::functions.
inline constexpr FunctionId no_function = ~FunctionId{0};

/// Registers hold bits; the instruction says how to read them.
enum class Width : std::uint8_t { pred, b16, b32, b64, b128 };
int bits(Width width);

struct Operand {
  enum class Kind : std::uint8_t {
    none,           ///< absent, or a sink `_`
    value,          ///< value
    imm,            ///< bits, truncated to the width the instruction reads (f32 operands: f32 pattern)
    special,        ///< special; only as the source of mov
    global_symbol,  ///< index into Kernel::globals: device address known at launch, plus bits
    param_address,  ///< generic address of the kernel's parameter buffer, plus bits
    frame_address,  ///< address in local memory of the running function's frame, plus bits
    argument,       ///< index: a parameter of the running function; only as the source of mov
    undefined,      ///< a register that no path has written: reads as 0
  };
  Kind kind = Kind::none;
  bool negated = false;  ///< !p; only with predicates
  ValueId value = no_value;
  ptx::SpecialRegister special{};
  std::uint32_t index = 0;
  std::uint64_t bits = 0;

  static Operand of(ValueId v) {
    Operand o;
    o.kind = Kind::value;
    o.value = v;
    return o;
  }
  static Operand imm(std::uint64_t b) {
    Operand o;
    o.kind = Kind::imm;
    o.bits = b;
    return o;
  }
};

/// What the system does for device code. Operands in the order of the C signature; pointers are generic.
enum class Syscall : std::uint8_t { none, vprintf, malloc, free, assertfail };

struct Inst : Operation {
  Syscall syscall = Syscall::none;  ///< op == call
  /// op == call without syscall: who may be called, ascending. Direct calls have one. Operands are the
  /// callee's parameters and results; where some callee may exit, a last result (pred) tells which lanes came
  /// back.
  std::vector<FunctionId> callees;
  bool indirect = false;  ///< srcs[0] is the callee's address in each lane, arguments follow.
  /// Destinations in text order; `d|p` pairs are two; vectors one each; `.cc` appends a pred value.
  /// no_value where the text has `_` or nobody reads it.
  std::vector<ValueId> dsts;
  /// Sources in text order, vectors flattened; addc/subc/madc append the carry.
  /// Memory instructions: srcs[0] is the address base, `offset` is added to it; then data operands.
  /// ld.param of a kernel parameter: srcs[0] is imm 0 and `offset` the byte offset in the buffer.
  /// Shared and local variables are already offsets in the CTA's window and the thread's frame.
  std::vector<Operand> srcs;
  std::int64_t offset = 0;
  /// Lanes where the guard is false keep `prior[i]` in dsts[i] and have no other effect.
  ValueId guard = no_value;
  bool guard_negated = false;
  std::vector<Operand> prior;
  /// Index of the record that this instruction adds to the trace, counted within its block.
  /// Every access to global, shared, local, constant or generic memory has one; barriers too.
  /// ld.param does not.
  std::uint16_t slot = no_slot;
  ptx::Location location;
};

struct Phi {
  ValueId dst = no_value;
  std::vector<Operand> incoming;  ///< Parallel to Block::preds.
};

struct Terminator {
  enum class Kind : std::uint8_t {
    jump,    ///< targets[0]
    branch,  ///< lanes where cond (xor negated) holds go to targets[0], others to targets[1]
    index,   ///< brx.idx: lane goes to targets[cond value]
    exit,    ///< lanes end, or leave the function
    trap,    ///< lanes raise a launch failure
  };
  Kind kind = Kind::exit;
  ValueId cond = no_value;
  bool negated = false;
  std::vector<BlockId> targets;
  /// A back edge of a loop whose exit may wait for another warp (it depends on an atomic, volatile
  /// or acquire/relaxed load, or on an mbarrier's phase): the warp suspends here once per iteration when
  /// coupled, and lanes of the same warp get their turn (forward progress).
  bool spins = false;
  ptx::Location location;
};

/// How a block ends the warp's turn; the suspending instruction is always the block's last.
enum class Suspend : std::uint8_t {
  none,
  barrier,   ///< bar/barrier that may wait
  clock,     ///< reads clock or globaltimer: needs time from the timing model
  phase,     ///< mbarrier.try_wait
  products,  ///< wgmma.wait_group: the warpgroup meets
  sleep,     ///< nanosleep
  call,      ///< of a function: the callee may suspend
};

struct Block {
  BlockId id = no_block;
  std::vector<Phi> phis;
  std::vector<Inst> insts;
  Terminator term;
  std::vector<BlockId> preds;
  Suspend suspend = Suspend::none;
  /// Begins with an access whose place in the order among CTAs matters: a traced warp suspends before it
  /// until that place is known.
  bool ordered = false;
  std::uint16_t slots = 0;             ///< Trace records that one execution adds.
  std::uint32_t ptx_instructions = 0;  ///< Executed PTX instructions, the terminator included.
  bool no_unroll = false;              ///< Heads a loop that keeps its form.
  std::uint32_t loop_depth = 0;
  BlockId loop_header = no_block;  ///< Innermost loop's header; itself for a header.
  BlockId immediate_post_dominator = no_block;
};

struct Value {
  Width width = Width::b32;
  BlockId block = no_block;  ///< Where it is defined.
};

struct KernelParameter {
  std::uint32_t offset, bytes, align;
  ptx::Type type;  ///< b8 for structures
};

/// A device function that is called, not inlined. Its blocks, first of them the entry, and its values are
/// consecutive in the kernel's; no edge and no use crosses functions. The last instruction before its exit is
/// `ret` with the results of the lanes that return (and, if it may exit, a predicate: they do return).
///
/// A call runs the callee for the calling lanes until all of them have left it; the lanes that wait elsewhere
/// in the caller stay there. Lanes of an indirect call run the callees one after the other, in ascending
/// order of address. Each activation has its own values and its own frame of local memory, behind the
/// caller's.
struct Function {
  std::string name;
  std::uint64_t address = 0;  ///< What a pointer to it holds.
  BlockId first_block = 0;
  ValueId first_value = 0;
  std::vector<Width> parameters, results;  ///< Those passed by value; others lie at the start of the frame.
  std::uint32_t frame_bytes = 0;           ///< 16-byte multiple.
  bool may_exit = false;                   ///< Lanes may end in it instead of returning.
  ptx::Location location;
};

/// One kernel and the device functions that it calls. Blocks of the kernel's body, and of each function, are
/// in priority order: reverse post-order with loops contiguous, every loop with one latch, so that running
/// the lowest pending block first reconverges structured flow at the immediate post-dominator.
struct Kernel {
  std::string name;
  std::vector<Block> blocks;  ///< blocks[i].id == i; 0 is the entry. Entries have no predecessor.
  std::vector<Value> values;
  std::vector<Function> functions;  ///< In the order of their blocks, behind the body's; often none.
  std::vector<KernelParameter> parameters;
  std::uint32_t parameter_bytes = 0;
  std::uint32_t static_shared_bytes = 0;  ///< Dynamic shared memory begins here (16-byte aligned).
  std::uint32_t shared_align = 16;
  std::uint32_t frame_bytes = 0;     ///< Of the body, per thread, 16-byte multiple.
  std::uint32_t local_bytes = 0;     ///< Frames of the body and of all calls, per thread, 16-byte multiple.
  std::uint32_t call_depth = 0;      ///< Most calls that can be active at once.
  bool recursive = false;            ///< local_bytes is a limit, checked at each call: see with_stack().
  std::vector<std::string> globals;  ///< Module variables that operands refer to by index.
  std::vector<std::string> source_files;  ///< Location::file indexes this.
  ptx::LaunchBounds bounds;
  int target_sm = 0;
  /// Some block suspends for time or waits for other CTAs: a warp's next step may depend on when it is taken.
  bool needs_coupling = false;
  /// Some loop spins on more than the phases of mbarriers: other CTAs may have to end it.
  bool waits_for_ctas = false;
  /// Uses results of global atomics, or strong loads, or the heap: what a CTA sees may depend on what
  /// another does in the same launch. CTAs then run in one fixed order, traced warps in the order of time.
  bool order_sensitive = false;
  bool meets_at_barriers = false;  ///< Some block waits at a barrier of the CTA.
  bool prints = false;             ///< Calls printf.
};

/// Builds the kernel `name` of `module`: inlines calls by budget, builds the CFG, splits at suspending
/// instructions, canonicalises loops, constructs SSA, folds copies, numbers slots.
/// Errors (place = module_name:ptx_line): unknown kernel, unresolved function, an instruction that is parsed
/// but not executed.
Result<Kernel> build(const ptx::Module& module, const std::string& name, const std::string& module_name);

/// Bytes of local memory for calls of a recursive kernel that nobody asked to change (cudaLimitStackSize).
inline constexpr std::uint32_t default_stack_bytes = 1024;
/// The recursive kernel `kernel` with `bytes` of local memory per thread for its calls.
Kernel with_stack(const Kernel& kernel, std::uint32_t bytes);

/// The blocks and values of a function, or of the kernel's body (no_function).
struct Extent {
  BlockId first_block = 0, end_block = 0;
  ValueId first_value = 0, end_value = 0;
};
Extent extent(const Kernel& kernel, FunctionId function);
/// Whose block it is; no_function: the body's.
FunctionId function_at(const Kernel& kernel, BlockId block);
/// A function, or the body, as a kernel of its own without functions: ids count from 0.
Kernel part(const Kernel& kernel, FunctionId function);

/// Addresses of a module's functions, as device pointers to them hold: multiples of 16 that hardly any other
/// module has.
class FunctionAddresses {
 public:
  explicit FunctionAddresses(const ptx::Module& module);
  std::uint64_t of(const std::string& name) const;  ///< 0: no such function with a body.

 private:
  std::unordered_map<std::string, std::uint64_t> addresses_;
};

/// What build() promises, checked; the first broken rule, or empty.
std::string verify(const Kernel& kernel);

/// Readable text, for people and tests.
std::string dump(const Kernel& kernel);

}  // namespace wanren::simt
