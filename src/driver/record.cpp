// Facts of one launch for the report, which makes its figures of them.

#include "driver/device_impl.h"
#include "energy/energy.h"
#include "report/analysis.h"
#include "support/settings.h"
#include "timing/verify.h"

namespace wanren::driver {

report::KernelRecord make_record(const chip::Spec& chip, const engine::Launch& launch,
                                 const lower::MachineProgram* program, const lower::Occupancy& occupancy,
                                 const engine::Execution& execution, const timing::Timed* timed) {
  report::KernelRecord record;
  record.launch_id = launch.grid_id;
  record.name = launch.name;
  record.grid = launch.grid;
  record.block = launch.block;
  record.dynamic_shared_bytes = launch.dynamic_shared_bytes;
  record.static_shared_bytes = launch.kernel->static_shared_bytes;
  record.occupancy = occupancy.share;
  record.occupancy_limit = occupancy.limited_by;
  if (program != nullptr) {
    record.registers_per_thread = program->registers_per_thread;
    record.tensor_path = program->tensor_path;
    record.emulated = program->emulated;
  }
  for (std::size_t block = 0; block < execution.counts.size(); ++block) {
    const std::uint64_t instructions = launch.kernel->blocks[block].ptx_instructions;
    record.warp_instructions += execution.counts[block].warps * instructions;
    record.thread_instructions += execution.counts[block].threads * instructions;
  }
  if (timed == nullptr) {
    record.bound_by = "not timed";
    return record;
  }

  if (verifying() && execution.fault.fault == simt::Fault::none)
    verified("timing", launch.name, timing::verify(chip, *program, execution.counts, *timed));
  const energy::Breakdown energy = energy::estimate(chip, timed->phases);
  if (verifying())
    verified("energy", launch.name, energy::verify(timed->counters, timed->end - timed->begin, energy));
  report::analyse(chip, *timed, energy, record);
  return record;
}

report::LaunchProfile make_profile(const chip::Spec& chip, int device, const engine::Launch& launch,
                                   const lower::MachineProgram& program, const timing::Timed& timed) {
  report::LaunchProfile profile;
  profile.launch_id = launch.grid_id;
  profile.name = launch.name;
  profile.chip = chip.name;
  profile.device = device;
  profile.grid = launch.grid;
  profile.block = launch.block;
  profile.cycles = static_cast<std::uint64_t>(timed.cycles.value);
  const simt::Kernel& kernel = *launch.kernel;
  std::size_t at = 0;
  for (std::size_t b = 0; b < program.blocks.size(); ++b)
    for (std::size_t i = 0; i < program.blocks[b].insts.size() && at < timed.profile.size(); ++i, ++at) {
      const lower::MachineInst& inst = program.blocks[b].insts[i];
      report::ProfileRow& row = profile.rows.emplace_back();
      row.block = static_cast<std::uint32_t>(b);
      row.instruction = static_cast<std::uint32_t>(i);
      row.machine = lower::text(inst);
      row.counts = &timed.profile[at];
      const simt::Block& block = kernel.blocks[b];
      const simt::Inst* source = inst.ptx_inst < block.insts.size() ? &block.insts[inst.ptx_inst] : nullptr;
      const ptx::Location& location = source != nullptr ? source->location : block.term.location;
      if (source != nullptr) row.ptx = ptx::name(source->op);
      row.ptx_line = location.ptx_line;
      row.line = location.line;
      if (location.line != 0 && location.file < kernel.source_files.size())
        row.file = kernel.source_files[location.file];
    }
  return profile;
}

}  // namespace wanren::driver
