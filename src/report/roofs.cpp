#include "report/roofs.h"

#include <algorithm>

namespace wanren::report {
namespace {

/// Rates that follow from the chip's structure, per second at `hz`.
struct Peaks {
  double tensor_bf16_flops, tensor_tf32_flops, tensor_int8_ops, issue, dram_bytes, l2_bytes, link_bytes;
};

Peaks peaks(const chip::Spec& chip, double hz) {
  const double subcores =
      static_cast<double>(chip.units()) * static_cast<double>(chip.package.subcores_per_unit);
  const auto dies = static_cast<double>(chip.package.dies);
  Peaks p{};
  p.tensor_bf16_flops = subcores * static_cast<double>(chip.tensor.bf16) * 2 * hz;
  p.tensor_tf32_flops = subcores * static_cast<double>(chip.tensor.tf32) * 2 * hz;
  p.tensor_int8_ops = subcores * static_cast<double>(chip.tensor.int8) * 2 * hz;
  p.issue = subcores * hz;
  p.dram_bytes = dies * chip.hbm.bandwidth_per_die * 1e9;
  p.l2_bytes = dies * static_cast<double>(chip.l2.slices_per_die) * chip.l2.slice_bytes_per_cycle * hz;
  p.link_bytes = chip.package.dies > 1 ? chip.d2d.bandwidth * 1e9 : 0;
  return p;
}

}  // namespace

std::vector<Roof> roofs(const chip::Spec& chip, const timing::Timed& timed, double seconds) {
  const timing::Counters& c = timed.counters;
  const double hz = timed.clock_mhz * 1e6;
  const Peaks p = peaks(chip, hz);
  const auto per_second = [&](std::uint64_t count) { return static_cast<double>(count) / seconds; };
  const auto sector = static_cast<double>(chip.unit.l1_sector_bytes);
  std::uint64_t busiest_link = 0;
  for (const std::uint64_t bytes : c.d2d_link_bytes) busiest_link = std::max(busiest_link, bytes);
  const double tensor = ratio(per_second(c.tensor_flops_bf16), p.tensor_bf16_flops) +
                        ratio(per_second(c.tensor_flops_tf32), p.tensor_tf32_flops) +
                        ratio(per_second(c.tensor_ops_int8), p.tensor_int8_ops);
  const auto pipe = [&](lower::Pipe which) {
    return ratio(per_second(c.pipe_busy_cycles[static_cast<std::size_t>(which)]), p.issue);
  };
  using lower::Pipe;
  return {
      {"DRAM bandwidth", ratio(per_second(c.dram_read_bytes + c.dram_write_bytes), p.dram_bytes)},
      {"die-to-die link", ratio(per_second(busiest_link), p.link_bytes)},
      {"L2 bandwidth", ratio(per_second(c.l2_read_sectors + c.l2_write_sectors) * sector, p.l2_bytes)},
      {"FP32 pipe", pipe(Pipe::fp32)},
      {"integer pipe", std::max(pipe(Pipe::integer), pipe(Pipe::imul))},
      {"half pipe", pipe(Pipe::fp16)},
      {"FP64 pipe", pipe(Pipe::fp64)},
      {"special-function pipe", pipe(Pipe::sfu)},
      {"tensor pipe", std::max(pipe(Pipe::tensor), tensor)},
      {"shared-memory bandwidth", ratio(per_second(c.shared_wavefronts), chip.units() * hz)},
      {"instruction issue", ratio(per_second(c.issue_slots), p.issue)},
  };
}

}  // namespace wanren::report
