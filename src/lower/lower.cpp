#include <algorithm>

#include "lower/ir.h"
#include "support/settings.h"

namespace wanren::lower {
namespace {

// Fewer are not asked for: compilers ignore such limits as well.
constexpr std::uint32_t fewest_registers = 16;

/// General registers that a thread of this kernel may have on this chip.
std::uint32_t register_budget(const simt::Kernel& kernel, const chip::Spec& chip, std::uint32_t limit) {
  limit = std::min({limit, static_cast<std::uint32_t>(chip.subcore.max_registers_per_thread), 255u});
  const auto& bounds = kernel.bounds;
  if (bounds.max_registers > 0) limit = std::min(limit, bounds.max_registers);
  const std::uint32_t* shape = bounds.required_threads[0] > 0 ? bounds.required_threads : bounds.max_threads;
  if (shape[0] > 0)
    limit = std::min(
        limit,
        registers_that_fit(chip, std::uint64_t{shape[0]} * std::max(1u, shape[1]) * std::max(1u, shape[2]),
                           std::max(1u, bounds.min_ctas)));
  return std::max(limit, fewest_registers) - abi_registers;
}

/// What a warp has after the most generous setmaxnreg.inc; 0 without one.
std::uint32_t raised_registers(const simt::Kernel& kernel) {
  std::uint32_t most = 0;
  for (const simt::Block& block : kernel.blocks)
    for (const simt::Inst& inst : block.insts)
      if (inst.op == ptx::Opcode::setmaxnreg && !inst.srcs.empty())
        most = std::max(most, static_cast<std::uint32_t>(std::min<std::uint64_t>(inst.srcs[0].bits, 255)));
  return most;
}

}  // namespace

Result<MachineProgram> lower(const simt::Kernel& kernel, const chip::Spec& chip,
                             std::uint32_t register_limit) {
  Result<Code> code = select(kernel, chip);
  if (!code) return std::unexpected(code.error());
  merge_loads(*code);
  Grouping grouping = coalesce(*code);
  MachineProgram program;
  const std::uint32_t budget = register_budget(kernel, chip, register_limit);
  const std::uint32_t raised = raised_registers(kernel);
  allocate(*code, grouping, std::max(budget, raised - std::min(raised, abi_registers)), program);
  const auto step =
      static_cast<std::uint32_t>(std::max<std::int64_t>(1, chip.subcore.register_granularity / warp_size));
  program.registers_per_thread = (program.registers_per_thread + abi_registers + step - 1) / step * step;
  program.named_registers = program.registers_per_thread;
  if (raised > 0)
    program.registers_per_thread =
        std::min(program.registers_per_thread, std::max(step, (budget + abi_registers) / step * step));
  for (const MachineBlock& block : program.blocks)
    program.code_bytes += static_cast<std::uint32_t>(block.insts.size()) *
                          static_cast<std::uint32_t>(chip.subcore.instruction_bytes);
  program.tensor_path = code->tensor_path;
  program.emulated = code->emulated;
  if (verifying()) verified("lower", kernel.name + " for " + chip.name, verify(program, kernel));
  return program;
}

}  // namespace wanren::lower
