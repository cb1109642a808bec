#pragma once
// The instruction stream that a chip would really issue for a SIMT kernel, block by frozen block.

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "chip/spec.h"
#include "simt/kernel.h"

namespace wanren::lower {

/// Issue ports and execution pipes of a sub-core. One warp instruction occupies its pipe for
/// `interval` cycles.
enum class Pipe : std::uint8_t {
  fp32,
  integer,
  imul,
  fp16,
  fp64,
  sfu,
  convert,
  tensor,
  memory,
  shuffle,
  branch,
  barrier,
  none
};
inline constexpr int pipe_count = 13;

enum class Memory : std::uint8_t {
  none,
  load,
  store,
  atomic,
  reduction,
  async_copy,
  matrix_load,
  phase,    ///< On mbarriers: its record is of kind phase.
  group,    ///< On groups of asynchronous copies: its record is of kind group.
  bulk,     ///< A bulk copy: its record is of kind bulk.
  product,  ///< wgmma: the matrix unit does it later, with `bytes` from shared memory in `interval` cycles.
  product_group  ///< Ends a group of products, or waits for all but the `bytes` - 1 newest.
};

/// Register number in the machine program: 0..255 general, 256..263 predicates.
using Register = std::uint16_t;
inline constexpr Register no_register = 0xffff;
inline constexpr int register_slots = 264;

struct MachineInst {
  Pipe pipe = Pipe::none;
  Memory memory = Memory::none;
  std::uint8_t dst_count = 0;  ///< Consecutive registers from dst.
  std::uint8_t src_count = 0;
  Register dst = no_register, dst_predicate = no_register;
  std::uint8_t src_width[4] = {0, 0, 0, 0};  ///< Consecutive registers per source.
  Register src[4] = {no_register, no_register, no_register, no_register};
  Register guard = no_register;
  std::uint16_t latency = 0;   ///< Cycles to dependent issue; for memory: set by the memory system.
  std::uint16_t interval = 1;  ///< Cycles the pipe is taken.
  std::uint16_t repeat = 1;    ///< Expansion of an emulated operation: this many issue slots in a row.
  /// Trace record it consumes. Records of one execution of a block are in frozen order; instructions
  /// consume them in any order, so a reader takes a block's records into an array indexed by slot first.
  std::uint16_t slot = simt::no_slot;
  /// Loads of neighbouring words that this one (with `bytes` for all of them) replaces: their records are
  /// consumed too and say nothing new.
  std::uint16_t merged_slots[3] = {simt::no_slot, simt::no_slot, simt::no_slot};
  std::uint16_t bytes = 0;       ///< Memory: per lane.
  bool spill = false;            ///< Load or store of the thread's spill space, which has no trace record.
  std::uint16_t spill_word = 0;  ///< First word of it.
  std::uint32_t flops_per_lane = 0;  ///< Counted only where lanes are active.
  std::uint32_t tensor_flops = 0;    ///< Per warp.
  std::uint8_t tensor_type = 0;      ///< TensorType
  bool bypass_l1 = false;      ///< Loads that only L2 may answer: .cg, .cv, volatile, relaxed and stronger.
  std::uint16_t ptx_inst = 0;  ///< Index in the simt block (the last, where several were fused).
};

enum class TensorType : std::uint8_t { none, bf16, fp16, tf32, fp32, int8, fp8, fp64 };

struct MachineBlock {
  std::vector<MachineInst> insts;
};

struct MachineProgram {
  std::vector<MachineBlock> blocks;        ///< By frozen BlockId.
  std::uint32_t registers_per_thread = 0;  ///< At launch; warps may have more after setmaxnreg.
  std::uint32_t named_registers = 0;       ///< That instructions name.
  std::uint32_t spill_bytes = 0;           ///< Spill space per thread.
  std::uint32_t code_bytes = 0;
  std::string tensor_path;            ///< "", "warp mma", "tile mma"
  std::vector<std::string> emulated;  ///< Features lowered to a sequence: "fp64"
};

inline constexpr std::uint32_t any_registers = ~0u;

/// Fuses, folds, removes dead moves, schedules within blocks, allocates registers: at most
/// `register_limit` per thread, and no more than the kernel's own bounds allow, with spills where needed.
/// Errors: a feature that this chip refuses (place: PTX line).
Result<MachineProgram> lower(const simt::Kernel& kernel, const chip::Spec& chip,
                             std::uint32_t register_limit = any_registers);

/// Every trace slot of every block is consumed exactly once and in an order that keeps memory and
/// barrier order; registers are in range. First broken rule, or empty.
std::string verify(const MachineProgram& program, const simt::Kernel& kernel);

std::string dump(const MachineProgram& program, const simt::Kernel& kernel);
/// "memory.load r4:5 <- r2:3"
std::string text(const MachineInst& inst);

/// How many CTAs of this shape fit one compute unit, and what limits it.
struct Occupancy {
  int ctas_per_unit = 0;  ///< 0: the launch cannot run.
  int warps_per_unit = 0;
  double share = 0;        ///< Of the unit's warp slots.
  std::string limited_by;  ///< "registers", "shared memory", "warps", "CTAs"
};
Occupancy occupancy(const chip::Spec& chip, std::uint32_t registers_per_thread, std::uint32_t threads_per_cta,
                    std::uint32_t shared_bytes_per_cta);

/// Registers per thread with which `ctas` CTAs of this size just fit one compute unit.
std::uint32_t registers_that_fit(const chip::Spec& chip, std::uint64_t threads_per_cta,
                                 std::uint64_t ctas = 1);

}  // namespace wanren::lower
