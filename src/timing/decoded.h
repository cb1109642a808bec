#pragma once
// A machine program laid out for issue: flat source lists, dense scoreboard numbers, what each block
// counts. One per grid, shared by all units.

#include <array>
#include <cstdint>
#include <vector>

#include "lower/program.h"
#include "simt/kernel.h"
#include "timing/counters.h"
#include "timing/parameters.h"

namespace wanren::timing {

struct DecodedInst {
  std::uint32_t first_source = 0;  ///< Into Decoded::sources.
  std::uint8_t sources = 0;
  lower::Pipe pipe = lower::Pipe::none;
  lower::Memory memory = lower::Memory::none;
  Stall stall = Stall::wait;  ///< What a consumer of its result waits for.
  std::uint16_t dst = 0;      ///< Dense.
  std::uint8_t dst_count = 0;
  bool bypass_l1 = false;
  bool local = false;  ///< Concerns its sub-core alone: no memory, no barrier, not a block's last.
  std::uint16_t dst_predicate = 0xffff;
  std::uint16_t repeat = 1;
  std::uint32_t occupancy = 1;  ///< Cycles the pipe is taken, repeats included.
  std::uint32_t latency = 1;    ///< Issue of the first repeat to dependent issue.
  std::uint16_t bank_conflict = 0;
  std::uint16_t product_cycles = 0;  ///< What a product takes in the matrix unit.
  std::uint16_t slot = simt::no_slot;
  std::uint16_t bytes = 0;
  bool spill = false;
  std::uint16_t spill_word = 0;
};

struct DecodedBlock {
  std::uint32_t first = 0, count = 0;
  std::uint16_t slots = 0;
  bool waits_at_barrier = false;
  std::uint32_t code_line = 0, code_lines = 0;
  // Per run of the block: by warp and, times active lanes, by lane.
#define WR_RUN_COUNTER(id, doc) std::uint64_t id = 0;
#define WR_LANE_COUNTER(id, doc) std::uint64_t id = 0;
#include "timing/counters.def"
  std::array<std::uint64_t, lower::pipe_count> pipe_busy{};
  /// Adds what `runs` of it, with `lanes` active in all, count.
  void count_runs(std::uint64_t runs, std::uint64_t lanes, Counters& to) const;
};

struct Decoded {
  Decoded(const lower::MachineProgram& program, const simt::Kernel& kernel, const Parameters& p);

  std::vector<DecodedInst> insts;
  std::vector<std::uint16_t> sources;
  std::vector<DecodedBlock> blocks;
  std::uint32_t scoreboard = 0;  ///< Entries per warp: registers, 8 predicates.
  std::uint32_t most_slots = 0;
  std::uint32_t code_lines = 0;
  std::uint32_t frame_lines = 0;  ///< L1 lines of one warp's local frame and spill space.
  std::uint32_t spill_first = 0;  ///< First of them used for spills.
  std::uint32_t local_bytes = 0;
  std::uint32_t registers_per_thread = 0;
};

}  // namespace wanren::timing
