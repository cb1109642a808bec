#include "timing/decoded.h"

#include <algorithm>

#include "support/result.h"

namespace wanren::timing {
namespace {

using lower::MachineInst;
using lower::Memory;
using lower::Pipe;
using lower::TensorType;

constexpr lower::Register first_predicate = 256;

Stall stall_of(const MachineInst& inst) {
  switch (inst.pipe) {
    case Pipe::memory:
      return inst.memory == Memory::matrix_load || inst.memory == Memory::phase ? Stall::short_scoreboard
                                                                                : Stall::long_scoreboard;
    case Pipe::sfu:
    case Pipe::convert:
    case Pipe::shuffle: return Stall::short_scoreboard;
    default: return Stall::wait;
  }
}

/// Cycles that reading the operands takes: a bank gives two 32-bit registers a cycle (it is 64 bits
/// wide), so only three or more sources in one bank cost, and only beyond the pipe's own interval.
int operand_cycles(const MachineInst& inst, int banks) {
  std::array<int, 64> load{};
  WR_CHECK(banks <= 64);
  for (int s = 0; s < inst.src_count && s < 4; ++s) {
    if (inst.src[s] == lower::no_register || inst.src[s] >= first_predicate) continue;
    for (int k = 0; k < std::max<int>(1, inst.src_width[s]); ++k) ++load[(inst.src[s] + k) % banks];
  }
  return (*std::max_element(load.begin(), load.end()) + 1) / 2;
}

void count(const MachineInst& inst, DecodedBlock& block) {
  ++block.warp_instructions;
  ++block.thread_instructions;
  block.issue_slots += inst.repeat;
  block.pipe_busy[static_cast<int>(inst.pipe)] += std::uint64_t{inst.interval} * inst.repeat;
  const std::uint64_t flops = inst.flops_per_lane;
  switch (inst.pipe) {
    case Pipe::fp16: block.flops_fp16 += flops; break;
    case Pipe::fp32: block.flops_fp32 += flops; break;
    case Pipe::fp64: block.flops_fp64 += flops; break;
    case Pipe::integer:
    case Pipe::imul:
      block.int_ops += inst.repeat;
      block.flops_fp64 += flops;  // emulated: integer work, FP64 results
      break;
    case Pipe::sfu:
    case Pipe::convert: block.sfu_ops += inst.repeat; break;
    default: break;
  }
  switch (static_cast<TensorType>(inst.tensor_type)) {
    case TensorType::bf16:
    case TensorType::fp16: block.tensor_flops_bf16 += inst.tensor_flops; break;
    case TensorType::tf32:
    case TensorType::fp32: block.tensor_flops_tf32 += inst.tensor_flops; break;
    case TensorType::int8:
    case TensorType::fp8: block.tensor_ops_int8 += inst.tensor_flops; break;
    case TensorType::fp64: block.tensor_flops_fp64 += inst.tensor_flops; break;
    case TensorType::none: break;
  }
}

}  // namespace

Decoded::Decoded(const lower::MachineProgram& program, const simt::Kernel& kernel, const Parameters& p) {
  std::uint32_t registers = 1;
  std::size_t total = 0;
  for (const auto& block : program.blocks)
    for (const MachineInst& inst : block.insts) {
      ++total;
      const auto see = [&](lower::Register r, int width) {
        if (r != lower::no_register && r < first_predicate)
          registers = std::max<std::uint32_t>(registers, r + static_cast<std::uint32_t>(std::max(1, width)));
      };
      see(inst.dst, inst.dst_count);
      for (int s = 0; s < inst.src_count && s < 4; ++s) see(inst.src[s], inst.src_width[s]);
    }
  scoreboard = registers + 8;
  registers_per_thread = std::max(1u, program.registers_per_thread);
  local_bytes = kernel.local_bytes;
  spill_first = (local_bytes + 3) / 4;
  frame_lines = spill_first + (program.spill_bytes + 3) / 4 + 1;
  const std::uint32_t inst_bytes =
      total ? std::max<std::uint32_t>(1, program.code_bytes / static_cast<std::uint32_t>(total)) : 16;

  const auto dense = [&](lower::Register r) {
    return static_cast<std::uint16_t>(r >= first_predicate ? registers + (r - first_predicate) : r);
  };
  WR_CHECK(program.blocks.size() == kernel.blocks.size());
  const auto code_line_bytes = static_cast<std::uint32_t>(p.fetch_line_bytes);
  std::uint32_t code = 0;
  for (std::size_t b = 0; b < program.blocks.size(); ++b) {
    DecodedBlock block;
    block.first = static_cast<std::uint32_t>(insts.size());
    block.count = static_cast<std::uint32_t>(program.blocks[b].insts.size());
    block.slots = kernel.blocks[b].slots;
    block.waits_at_barrier = kernel.blocks[b].suspend == simt::Suspend::barrier;
    block.code_line = code / code_line_bytes;
    code += block.count * inst_bytes;
    block.code_lines = block.count ? (code - 1) / code_line_bytes - block.code_line + 1 : 0;
    most_slots = std::max<std::uint32_t>(most_slots, block.slots);
    for (const MachineInst& inst : program.blocks[b].insts) {
      count(inst, block);
      DecodedInst d;
      d.local = inst.memory == Memory::none && inst.pipe != Pipe::barrier &&
                &inst != &program.blocks[b].insts.back();
      d.pipe = inst.pipe;
      d.memory = inst.memory;
      d.stall = stall_of(inst);
      d.repeat = std::max<std::uint16_t>(1, inst.repeat);
      const int interval = std::max<int>(1, inst.interval);
      d.occupancy = static_cast<std::uint32_t>(interval) * d.repeat;
      d.latency = std::max<std::uint32_t>(1, inst.latency) + (d.repeat - 1u) * interval;
      d.bank_conflict = static_cast<std::uint16_t>(
          std::max(0, operand_cycles(inst, p.register_banks) - interval) * d.repeat);
      d.occupancy += d.bank_conflict;
      if (inst.memory == Memory::product) {
        d.product_cycles = static_cast<std::uint16_t>(d.occupancy);
        d.occupancy = 1;
      }
      d.slot = inst.slot;
      d.bytes = inst.bytes;
      d.bypass_l1 = inst.bypass_l1;
      d.first_source = static_cast<std::uint32_t>(sources.size());
      for (int s = 0; s < inst.src_count && s < 4; ++s) {
        if (inst.src[s] == lower::no_register) continue;
        for (int k = 0; k < std::max<int>(1, inst.src_width[s]); ++k)
          sources.push_back(static_cast<std::uint16_t>(dense(inst.src[s]) + k));
      }
      if (inst.guard != lower::no_register) sources.push_back(dense(inst.guard));
      d.sources = static_cast<std::uint8_t>(sources.size() - d.first_source);
      if (inst.dst != lower::no_register) {
        d.dst = dense(inst.dst);
        d.dst_count = std::max<std::uint8_t>(1, inst.dst_count);
      }
      if (inst.dst_predicate != lower::no_register) d.dst_predicate = dense(inst.dst_predicate);
      d.spill = inst.spill;
      d.spill_word = inst.spill_word;
      insts.push_back(d);
    }
    blocks.push_back(block);
  }
  code_lines = code / code_line_bytes + 1;
}

void DecodedBlock::count_runs(std::uint64_t runs, std::uint64_t lanes, Counters& to) const {
#define WR_RUN_COUNTER(id, doc) to.id += runs * id;
#define WR_LANE_COUNTER(id, doc) to.id += lanes * id;
#include "timing/counters.def"
  for (int i = 0; i < lower::pipe_count; ++i) to.pipe_busy_cycles[i] += runs * pipe_busy[i];
}

}  // namespace wanren::timing
