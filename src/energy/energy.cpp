#include "energy/energy.h"

#include <algorithm>
#include <cmath>

namespace wanren::energy {
namespace {

constexpr double pico = 1e-12;

double seconds(Picoseconds duration) {
  return static_cast<double>(duration.value) * pico;
}

}  // namespace

std::array<Breakdown::Part, 15> Breakdown::parts() const {
  return {{{"idle", idle_j},
           {"instruction", instruction_j},
           {"fp32", fp32_j},
           {"fp16", fp16_j},
           {"fp64", fp64_j},
           {"integer", integer_j},
           {"sfu", sfu_j},
           {"tensor", tensor_j},
           {"l1", l1_j},
           {"shared", shared_j},
           {"l2", l2_j},
           {"hbm", hbm_j},
           {"d2d", d2d_j},
           {"link", link_j},
           {"pcie", pcie_j}}};
}

Breakdown estimate(const chip::Spec& chip, const timing::Counters& c, Picoseconds duration,
                   double clock_mhz) {
  const auto& p = chip.power;
  const auto sector = static_cast<double>(chip.unit.l1_sector_bytes);
  const double core = pico * std::pow(clock_mhz / chip.clock.core, p.voltage_exponent);
  const auto events = [](std::uint64_t count, double energy) { return static_cast<double>(count) * energy; };
  Breakdown b;
  b.idle_j = p.active_idle * seconds(duration);
  b.instruction_j = core * events(c.issue_slots, p.instruction);
  b.fp32_j = core * events(c.flops_fp32, p.fp32_flop);
  b.fp16_j = core * events(c.flops_fp16, p.fp16_flop);
  b.fp64_j = core * events(c.flops_fp64, p.fp64_flop);
  b.integer_j = core * events(c.int_ops, p.int_op);
  b.sfu_j = core * events(c.sfu_ops, p.sfu_op);
  b.tensor_j =
      core *
      (events(c.tensor_flops_bf16, p.tensor_bf16_flop) + events(c.tensor_flops_tf32, p.tensor_tf32_flop) +
       events(c.tensor_ops_int8, p.tensor_int8_op) + events(c.tensor_flops_fp64, p.tensor_fp64_flop));
  b.l1_j = core * events(c.l1_sectors + c.l1_store_sectors, sector * p.l1_byte);
  b.shared_j = core * events(c.shared_bytes, p.shared_byte);
  b.l2_j = core * events(c.l2_read_sectors + c.l2_write_sectors + c.l2_atomic_sectors, sector * p.l2_byte);
  b.hbm_j = pico * events(c.dram_read_bytes + c.dram_write_bytes, p.hbm_byte);
  b.d2d_j = pico * events(c.d2d_wire_bytes, p.d2d_byte);
  b.link_j = pico * events(c.peer_wire_bytes, p.link_byte);
  b.pcie_j = pico * events(c.pcie_bytes, p.pcie_byte);
  for (const Breakdown::Part& part : b.parts()) b.energy_j += part.joules;
  if (duration.value > 0) b.average_power_w = b.energy_j / seconds(duration);
  return b;
}

void Breakdown::add(const Breakdown& other) {
  idle_j += other.idle_j;
  instruction_j += other.instruction_j;
  fp32_j += other.fp32_j;
  fp16_j += other.fp16_j;
  fp64_j += other.fp64_j;
  integer_j += other.integer_j;
  sfu_j += other.sfu_j;
  tensor_j += other.tensor_j;
  l1_j += other.l1_j;
  shared_j += other.shared_j;
  l2_j += other.l2_j;
  hbm_j += other.hbm_j;
  d2d_j += other.d2d_j;
  link_j += other.link_j;
  pcie_j += other.pcie_j;
  energy_j += other.energy_j;
}

Breakdown estimate(const chip::Spec& chip, std::span<const timing::Phase> phases) {
  Breakdown sum;
  Picoseconds duration;
  for (const timing::Phase& phase : phases) {
    sum.add(estimate(chip, phase.counters, phase.duration, phase.clock_mhz));
    duration += phase.duration;
  }
  if (duration.value > 0) sum.average_power_w = sum.energy_j / seconds(duration);
  return sum;
}

std::string verify(const timing::Counters& c, Picoseconds duration, const Breakdown& b) {
  const std::uint64_t events[] = {
      static_cast<std::uint64_t>(duration.value),
      c.issue_slots,
      c.flops_fp32,
      c.flops_fp16,
      c.flops_fp64,
      c.int_ops,
      c.sfu_ops,
      c.tensor_flops_bf16 + c.tensor_flops_tf32 + c.tensor_ops_int8 + c.tensor_flops_fp64,
      c.l1_sectors + c.l1_store_sectors,
      c.shared_bytes,
      c.l2_read_sectors + c.l2_write_sectors + c.l2_atomic_sectors,
      c.dram_read_bytes + c.dram_write_bytes,
      c.d2d_wire_bytes,
      c.peer_wire_bytes,
      c.pcie_bytes,
  };
  const auto parts = b.parts();
  static_assert(std::size(events) == std::tuple_size_v<decltype(b.parts())>);
  double sum = 0;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const Breakdown::Part& part = parts[i];
    if (!(part.joules >= 0)) return std::string(part.name) + " has negative energy";
    // An event may cost nothing where a chip file says so; energy without events is never right.
    if (events[i] == 0 && part.joules > 0) return std::string(part.name) + " has energy without events";
    sum += part.joules;
  }
  if (std::abs(sum - b.energy_j) > 1e-9 * b.energy_j) return "the parts are not the whole";
  if (std::abs(b.average_power_w * seconds(duration) - b.energy_j) > 1e-9 * b.energy_j)
    return "power times time is not the energy";
  return {};
}

double Governor::power_w(const timing::Counters& counters, Picoseconds duration, double mhz, double f) const {
  const double bandwidth = chip_.hbm.bandwidth_per_die * 1e9 * static_cast<double>(chip_.package.dies);
  const double total = seconds(duration);
  const double transfer =
      std::min(total, static_cast<double>(counters.dram_read_bytes + counters.dram_write_bytes) / bandwidth);
  const double at_f = transfer + (total - transfer) * mhz / f;
  const Breakdown b = estimate(chip_, counters, duration, f);
  return chip_.power.active_idle + (b.energy_j - b.idle_j) / at_f;
}

double Governor::clock_mhz(const timing::Counters& counters, Picoseconds duration, double mhz) const {
  const double highest = chip_.clock.core, lowest = chip_.clock.core_min;
  if (duration.value <= 0 || power_w(counters, duration, mhz, highest) <= chip_.power.board_limit)
    return highest;
  if (power_w(counters, duration, mhz, lowest) > chip_.power.board_limit) return lowest;
  // Power rises with the clock, so one crossing lies between.
  double low = lowest, high = highest;
  for (int i = 0; i < 60; ++i) {
    const double middle = (low + high) / 2;
    (power_w(counters, duration, mhz, middle) <= chip_.power.board_limit ? low : high) = middle;
  }
  return low;
}

}  // namespace wanren::energy
