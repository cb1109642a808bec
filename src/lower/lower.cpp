#include <algorithm>

#include "lower/ir.h"

namespace wanren::lower {
namespace {

// The stack pointer, and one register that calling conventions keep free.
constexpr std::uint32_t abi_registers = 2;
constexpr std::uint32_t instruction_bytes = 16;

}  // namespace

std::uint32_t register_budget(const simt::Kernel& kernel, const chip::Spec& chip) {
  auto limit = static_cast<std::uint32_t>(std::min<std::int64_t>(chip.subcore.max_registers_per_thread, 255));
  const auto& bounds = kernel.bounds;
  if (bounds.max_registers > 0) limit = std::min(limit, bounds.max_registers);
  const std::uint32_t* shape = bounds.required_threads[0] > 0 ? bounds.required_threads : bounds.max_threads;
  if (shape[0] > 0) {
    const std::uint64_t threads = std::uint64_t{shape[0]} * std::max(1u, shape[1]) * std::max(1u, shape[2]);
    const std::uint64_t warps = (threads + warp_size - 1) / warp_size * std::max(1u, bounds.min_ctas);
    const auto subcores = static_cast<std::uint64_t>(chip.package.subcores_per_unit);
    const std::uint64_t per_subcore = std::max<std::uint64_t>(1, (warps + subcores - 1) / subcores);
    const auto granularity =
        static_cast<std::uint64_t>(std::max<std::int64_t>(1, chip.subcore.register_granularity));
    const std::uint64_t per_warp =
        static_cast<std::uint64_t>(chip.subcore.register_bytes) / 4 / per_subcore / granularity * granularity;
    limit = std::min(limit, static_cast<std::uint32_t>(std::max<std::uint64_t>(per_warp / warp_size, 16)));
  }
  return std::max<std::uint32_t>(limit, 16) - abi_registers;
}

Result<MachineProgram> lower(const simt::Kernel& kernel, const chip::Spec& chip) {
  Result<Code> code = select(kernel, chip);
  if (!code) return std::unexpected(code.error());
  const std::uint32_t budget = register_budget(kernel, chip);
  merge_loads(*code);
  const Grouping grouping = coalesce(*code);
  schedule(*code, grouping, budget);
  MachineProgram program;
  allocate(*code, grouping, budget, program);
  const auto step =
      static_cast<std::uint32_t>(std::max<std::int64_t>(1, chip.subcore.register_granularity / warp_size));
  program.registers_per_thread = (program.registers_per_thread + abi_registers + step - 1) / step * step;
  for (const MachineBlock& block : program.blocks)
    program.code_bytes += static_cast<std::uint32_t>(block.insts.size()) * instruction_bytes;
  program.tensor_path = code->tensor_path;
  program.emulated = code->emulated;
  return program;
}

}  // namespace wanren::lower
