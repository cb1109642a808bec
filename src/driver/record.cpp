// What the report says of one launch: rates against the roofs that the chip file implies.

#include <algorithm>

#include "driver/device_impl.h"
#include "support/settings.h"
#include "timing/verify.h"

namespace wanren::driver {
namespace {

struct Roof {
  const char* name;
  double share;  ///< Achieved over roof, 0..1
};

/// Peak rates that follow from the chip's structure, per second at `hz`.
struct Peaks {
  double fp32_flops, tensor_bf16_flops, tensor_tf32_flops, tensor_int8_ops, fp64_flops, int_ops, sfu_ops,
      issue, dram_bytes, l2_bytes, shared_bytes, d2d_bytes;
};

Peaks peaks(const chip::Spec& chip, double hz) {
  const double subcores =
      static_cast<double>(chip.units()) * static_cast<double>(chip.package.subcores_per_unit);
  const double dies = static_cast<double>(chip.package.dies);
  Peaks p{};
  p.fp32_flops = subcores * static_cast<double>(chip.subcore.fp32_lanes) * 2 * hz;
  p.tensor_bf16_flops = subcores * static_cast<double>(chip.tensor.bf16) * 2 * hz;
  p.tensor_tf32_flops = subcores * static_cast<double>(chip.tensor.tf32) * 2 * hz;
  p.tensor_int8_ops = subcores * static_cast<double>(chip.tensor.int8) * 2 * hz;
  p.fp64_flops = subcores * static_cast<double>(chip.subcore.fp64_lanes) * 2 * hz;
  p.int_ops = subcores * static_cast<double>(chip.subcore.int_lanes) * hz;
  p.sfu_ops = subcores * static_cast<double>(chip.subcore.sfu_lanes) * hz;
  p.issue = subcores * hz;
  p.dram_bytes = dies * chip.hbm.bandwidth_per_die * 1e9;
  p.l2_bytes = dies * static_cast<double>(chip.l2.slices_per_die) * chip.l2.slice_bytes_per_cycle * hz;
  p.shared_bytes = chip.units() * chip.unit.l1_bytes_per_cycle * hz;
  p.d2d_bytes = dies > 1 ? dies * chip.d2d.bandwidth * 1e9 : 0;
  return p;
}

double ratio(double part, double whole) {
  return whole > 0 ? part / whole : 0;
}

}  // namespace

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
  record.registers_per_thread = program->registers_per_thread;
  record.occupancy = occupancy.share;
  record.occupancy_limit = occupancy.limited_by;
  record.tensor_path = program->tensor_path;
  record.emulated = program->emulated;
  for (std::size_t block = 0; block < execution.counts.size(); ++block) {
    const std::uint64_t instructions = launch.kernel->blocks[block].ptx_instructions;
    record.warp_instructions += execution.counts[block].warps * instructions;
    record.thread_instructions += execution.counts[block].threads * instructions;
  }
  if (timed == nullptr) {
    record.bound_by = "not timed";
    return record;
  }

  const timing::Counters& c = timed->counters;
  if (verifying() && execution.fault.fault == simt::Fault::none)
    verified("timing", launch.name, timing::verify(chip, *program, execution.counts, *timed));
  const Picoseconds duration = timed->end - timed->begin;
  // A kernel that faults at once may take no time; its rates must stay numbers.
  const double seconds = static_cast<double>(std::max<std::int64_t>(duration.value, 1)) * 1e-12;
  record.start_us = to_us(timed->begin);
  record.end_us = to_us(timed->end);
  record.time_us = to_us(duration);
  record.cycles = static_cast<std::uint64_t>(timed->cycles.value);
  record.clock_mhz = timed->clock_mhz;
  record.lowered_warp_instructions = c.warp_instructions;
  record.fp32_flops = static_cast<double>(c.flops_fp32);
  record.tensor_flops = static_cast<double>(c.tensor_flops_bf16 + c.tensor_flops_tf32 + c.tensor_flops_fp64 +
                                            c.tensor_ops_int8);
  record.flops = record.fp32_flops + record.tensor_flops + static_cast<double>(c.flops_fp16 + c.flops_fp64);
  record.dram_read_bytes = c.dram_read_bytes;
  record.dram_write_bytes = c.dram_write_bytes;
  record.l2_read_bytes = c.l2_read_sectors * 32;
  record.l1_hit_pct = 100 * ratio(static_cast<double>(c.l1_hit_sectors), static_cast<double>(c.l1_sectors));
  record.l2_hit_pct =
      100 * ratio(static_cast<double>(c.l2_hit_sectors),
                  static_cast<double>(c.l2_read_sectors + c.l2_write_sectors + c.l2_atomic_sectors));
  record.d2d_bytes = c.d2d_bytes;
  record.d2d_link_bytes = c.d2d_link_bytes;
#define WR_COUNTER(id, doc) record.counters[#id] = c.id;
#include "timing/counters.def"
  const energy::Breakdown energy = energy::estimate(chip, timed->phases);
  record.energy_j = energy.energy_j;
  record.average_power_w = energy.average_power_w;
  for (const auto& [name, joules] : energy.parts()) record.energy_parts_j[std::string(name)] = joules;
  if (verifying()) verified("energy", launch.name, energy::verify(c, duration, energy));

  const double resident = std::max<double>(static_cast<double>(c.warp_cycles), 1);
  const char* top_stall = "";
  double top_share = 0;
  for (int i = 0; i < timing::stall_count; ++i) {
    const auto stall = static_cast<timing::Stall>(i);
    const double share = static_cast<double>(c.stall_cycles[static_cast<std::size_t>(i)]) / resident;
    if (share > 0) record.stalls[std::string(name(stall))] = share;
    if (share > top_share && stall != timing::Stall::not_selected) {
      top_share = share;
      top_stall = name(stall).data();
    }
  }

  const Peaks p = peaks(chip, timed->clock_mhz * 1e6);
  const double dram = static_cast<double>(c.dram_read_bytes + c.dram_write_bytes);
  std::uint64_t busiest_link = 0;
  for (std::uint64_t bytes : c.d2d_link_bytes) busiest_link = std::max(busiest_link, bytes);
  const double tensor_time = ratio(static_cast<double>(c.tensor_flops_bf16), p.tensor_bf16_flops) +
                             ratio(static_cast<double>(c.tensor_flops_tf32), p.tensor_tf32_flops) +
                             ratio(static_cast<double>(c.tensor_ops_int8), p.tensor_int8_ops);
  const double subcores = static_cast<double>(chip.units() * chip.package.subcores_per_unit);
  const double pipe_cycles = subcores * seconds * timed->clock_mhz * 1e6;
  auto pipe = [&](lower::Pipe which) {
    return ratio(static_cast<double>(c.pipe_busy_cycles[static_cast<std::size_t>(which)]), pipe_cycles);
  };
  const Roof roofs[] = {
      {"DRAM bandwidth", ratio(dram / seconds, p.dram_bytes)},
      {"die-to-die link", chip.package.dies > 1
                              ? ratio(static_cast<double>(busiest_link) / seconds, chip.d2d.bandwidth * 1e9)
                              : 0},
      {"L2 bandwidth",
       ratio(static_cast<double>(c.l2_read_sectors + c.l2_write_sectors) * 32 / seconds, p.l2_bytes)},
      {"FP32 pipe", pipe(lower::Pipe::fp32)},
      {"integer pipe", std::max(pipe(lower::Pipe::integer), pipe(lower::Pipe::imul))},
      {"half pipe", pipe(lower::Pipe::fp16)},
      {"FP64 pipe", pipe(lower::Pipe::fp64)},
      {"special-function pipe", pipe(lower::Pipe::sfu)},
      {"tensor pipe", std::max(pipe(lower::Pipe::tensor), ratio(tensor_time, seconds))},
      {"shared-memory bandwidth",
       ratio(static_cast<double>(c.shared_wavefronts), chip.units() * seconds * timed->clock_mhz * 1e6)},
      {"instruction issue", ratio(static_cast<double>(c.issue_slots) / seconds, p.issue)},
  };
  const Roof* top = std::max_element(std::begin(roofs), std::end(roofs),
                                     [](const Roof& a, const Roof& b) { return a.share < b.share; });
  record.roof_pct = 100 * top->share;
  // Below 60 % of every roof it is not throughput but waiting that limits.
  record.bound_by = top->share >= 0.6 ? top->name : std::string("latency: ") + top_stall;
  record.fp32_peak_pct = 100 * ratio(record.fp32_flops / seconds, chip.peak.fp32 * 1e12);
  record.tensor_peak_pct =
      100 * ratio(static_cast<double>(c.tensor_flops_bf16) / seconds, chip.peak.bf16_tensor * 1e12) +
      100 * ratio(static_cast<double>(c.tensor_flops_tf32) / seconds, chip.peak.tf32_tensor * 1e12) +
      100 * ratio(static_cast<double>(c.tensor_ops_int8) / seconds, chip.peak.int8_tensor * 1e12);
  record.fp64_peak_pct = 100 * ratio(static_cast<double>(c.flops_fp64) / seconds, chip.peak.fp64 * 1e12);
  record.dram_peak_pct = 100 * ratio(dram / seconds, p.dram_bytes);
  return record;
}

}  // namespace wanren::driver
