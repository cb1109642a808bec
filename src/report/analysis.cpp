#include "report/analysis.h"

#include <algorithm>
#include <string>

#include "energy/energy.h"
#include "report/roofs.h"

namespace wanren::report {
namespace {

/// Below this share of every roof it is not throughput but waiting that limits.
constexpr double bound_share = 0.6;

double microseconds(Picoseconds time) {
  return static_cast<double>(time.value) * 1e-6;
}

/// Shares of the warps' residency; returns the name of the largest that is a reason to wait.
std::string_view fill_stalls(const timing::Counters& c, KernelRecord& record) {
  const double resident = std::max<double>(static_cast<double>(c.warp_cycles), 1);
  std::string_view top;
  double top_share = 0;
  for (int i = 0; i < timing::stall_count; ++i) {
    const auto stall = static_cast<timing::Stall>(i);
    const double share = static_cast<double>(c.stall_cycles[static_cast<std::size_t>(i)]) / resident;
    if (share > 0) record.stalls[std::string(name(stall))] = share;
    if (share > top_share && stall != timing::Stall::not_selected) {
      top_share = share;
      top = name(stall);
    }
  }
  return top;
}

void fill_rates(const chip::Spec& chip, const timing::Counters& c, double seconds, KernelRecord& record) {
  const auto pct = [](std::uint64_t part, double whole) {
    return 100 * ratio(static_cast<double>(part), whole);
  };
  record.fp32_flops = static_cast<double>(c.flops_fp32);
  record.tensor_flops = static_cast<double>(c.tensor_flops_bf16 + c.tensor_flops_tf32 + c.tensor_flops_fp64 +
                                            c.tensor_ops_int8);
  record.flops = record.fp32_flops + record.tensor_flops + static_cast<double>(c.flops_fp16 + c.flops_fp64);
  record.dram_read_bytes = c.dram_read_bytes;
  record.dram_write_bytes = c.dram_write_bytes;
  record.l2_read_bytes = c.l2_read_sectors * static_cast<std::uint64_t>(chip.unit.l1_sector_bytes);
  record.l1_hit_pct = pct(c.l1_hit_sectors, static_cast<double>(c.l1_sectors));
  record.l2_hit_pct = pct(c.l2_hit_sectors,
                          static_cast<double>(c.l2_read_sectors + c.l2_write_sectors + c.l2_atomic_sectors));
  record.d2d_bytes = c.d2d_bytes;
  record.d2d_link_bytes = c.d2d_link_bytes;
  const double tera_seconds = seconds * 1e12;
  record.fp32_peak_pct = pct(c.flops_fp32, chip.peak.fp32 * tera_seconds);
  record.fp64_peak_pct = pct(c.flops_fp64, chip.peak.fp64 * tera_seconds);
  record.tensor_peak_pct = pct(c.tensor_flops_bf16, chip.peak.bf16_tensor * tera_seconds) +
                           pct(c.tensor_flops_tf32, chip.peak.tf32_tensor * tera_seconds) +
                           pct(c.tensor_ops_int8, chip.peak.int8_tensor * tera_seconds);
  record.dram_peak_pct =
      pct(c.dram_read_bytes + c.dram_write_bytes,
          static_cast<double>(chip.package.dies) * chip.hbm.bandwidth_per_die * 1e9 * seconds);
}

}  // namespace

void analyse(const chip::Spec& chip, const timing::Timed& timed, const energy::Breakdown& energy,
             KernelRecord& record) {
  const timing::Counters& c = timed.counters;
  const Picoseconds duration = timed.end - timed.begin;
  // A kernel that faults at once may take no time; its rates must stay numbers.
  const double seconds = static_cast<double>(std::max<std::int64_t>(duration.value, 1)) * 1e-12;
  record.start_us = microseconds(timed.begin);
  record.end_us = microseconds(timed.end);
  record.time_us = microseconds(duration);
  record.cycles = static_cast<std::uint64_t>(timed.cycles.value);
  record.clock_mhz = timed.clock_mhz;
  record.sampled = timed.ctas_passed_over > 0;
  record.simulated_ctas = record.grid.count() - timed.ctas_passed_over;
  record.sampling_error_pct = 100 * timed.sampling_error;
  record.lowered_warp_instructions = c.warp_instructions;
#define WR_COUNTER(id, doc) record.counters[#id] = c.id;
#include "timing/counters.def"
  record.energy_j = energy.energy_j;
  record.average_power_w = energy.average_power_w;
  for (const auto& [name, joules] : energy.parts()) record.energy_parts_j[std::string(name)] = joules;
  fill_rates(chip, c, seconds, record);
  const std::string_view top_stall = fill_stalls(c, record);
  const std::vector<Roof> all = roofs(chip, timed, seconds);
  const Roof& top = *std::max_element(all.begin(), all.end(),
                                      [](const Roof& a, const Roof& b) { return a.share < b.share; });
  record.roof_pct = 100 * top.share;
  record.bound_by = top.share >= bound_share ? std::string(top.name) : "latency: " + std::string(top_stall);
}

}  // namespace wanren::report
