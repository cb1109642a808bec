#include <fmt/format.h>

#include "lower/program.h"

namespace wanren::lower {
namespace {

constexpr const char* pipe_names[] = {"fp32",   "int",    "imul",    "fp16",   "fp64",    "sfu", "cvt",
                                      "tensor", "memory", "shuffle", "branch", "barrier", "none"};
constexpr const char* memory_names[] = {"",          "load",       "store",       "atomic",
                                        "reduction", "async_copy", "matrix_load", "phase",
                                        "group",     "bulk",       "product",     "product_group"};

std::string name_of(Register r, int count) {
  if (r >= 256) return fmt::format("p{}", r - 256);
  return count > 1 ? fmt::format("r{}:{}", r, r + count - 1) : fmt::format("r{}", r);
}

}  // namespace

std::string text(const MachineInst& m) {
  std::string line;
  if (m.guard != no_register) line += fmt::format("@{} ", name_of(m.guard, 1));
  line += pipe_names[static_cast<int>(m.pipe)];
  if (m.memory != Memory::none) line += fmt::format(".{}", memory_names[static_cast<int>(m.memory)]);
  if (m.dst != no_register) line += " " + name_of(m.dst, m.dst_count);
  if (m.dst_predicate != no_register) line += " " + name_of(m.dst_predicate, 1);
  line += " <-";
  for (int s = 0; s < m.src_count; ++s) line += " " + name_of(m.src[s], m.src_width[s]);
  return line;
}

std::string dump(const MachineProgram& program, const simt::Kernel& kernel) {
  std::string text = fmt::format("kernel {} registers {} spill {} code {}{}\n", kernel.name,
                                 program.registers_per_thread, program.spill_bytes, program.code_bytes,
                                 program.tensor_path.empty() ? "" : " path " + program.tensor_path);
  for (std::size_t b = 0; b < program.blocks.size(); ++b) {
    text +=
        fmt::format("block {} depth {} slots {}\n", b, kernel.blocks[b].loop_depth, kernel.blocks[b].slots);
    for (const MachineInst& m : program.blocks[b].insts) {
      std::string line = "  " + lower::text(m);
      line += fmt::format("  ; lat {} every {}", m.latency, m.interval);
      if (m.repeat != 1) line += fmt::format(" x{}", m.repeat);
      if (m.slot != simt::no_slot) line += fmt::format(" slot {}", m.slot);
      for (const std::uint16_t merged : m.merged_slots)
        if (merged != simt::no_slot) line += fmt::format(" and {}", merged);
      if (m.bytes != 0) line += fmt::format(" {}B", m.bytes);
      if (m.tensor_flops != 0) line += fmt::format(" {} tensor flop", m.tensor_flops);
      const auto& insts = kernel.blocks[b].insts;
      if (m.ptx_inst < insts.size())
        line +=
            fmt::format("  {} line {}", ptx::name(insts[m.ptx_inst].op), insts[m.ptx_inst].location.ptx_line);
      text += line + "\n";
    }
  }
  return text;
}

}  // namespace wanren::lower
