#include "energy/energy.h"

#include <algorithm>
#include <cmath>

namespace wanren::energy {
namespace {

constexpr double sector_bytes = 32;

double seconds(Picoseconds duration) {
  return static_cast<double>(duration.value) * 1e-12;
}

double joules(double events, double pj) {
  return events * pj * 1e-12;
}

template <class T>
double real(T count) {
  return static_cast<double>(count);
}

}  // namespace

std::vector<std::pair<std::string_view, double>> Breakdown::parts() const {
  return {{"instructions", instructions_j},
          {"floating_point", fp_j},
          {"integer", integer_j},
          {"special", special_j},
          {"tensor", tensor_j},
          {"l1", l1_j},
          {"shared", shared_j},
          {"l2", l2_j},
          {"hbm", hbm_j},
          {"d2d", d2d_j},
          {"pcie", pcie_j},
          {"idle", idle_j}};
}

Breakdown estimate(const chip::Spec& chip, const timing::Counters& c, Picoseconds duration,
                   double clock_mhz) {
  const auto& p = chip.power;
  const double on_chip = std::pow(clock_mhz / chip.clock.core, p.voltage_exponent);
  Breakdown b;
  b.instructions_j = on_chip * joules(real(c.issue_slots), p.instruction);
  b.fp_j = on_chip * (joules(real(c.flops_fp16), p.fp16_flop) + joules(real(c.flops_fp32), p.fp32_flop) +
                      joules(real(c.flops_fp64), p.fp64_flop));
  b.integer_j = on_chip * joules(real(c.int_ops), p.int_op);
  b.special_j = on_chip * joules(real(c.sfu_ops), p.sfu_op);
  b.tensor_j = on_chip * (joules(real(c.tensor_flops_bf16), p.tensor_bf16_flop) +
                          joules(real(c.tensor_flops_tf32), p.tensor_tf32_flop) +
                          joules(real(c.tensor_ops_int8), p.tensor_int8_op) +
                          joules(real(c.tensor_flops_fp64), p.tensor_fp64_flop));
  b.l1_j = on_chip * joules(real(c.l1_sectors + c.l1_store_sectors) * sector_bytes, p.l1_byte);
  b.shared_j = on_chip * joules(real(c.shared_bytes), p.shared_byte);
  b.l2_j = on_chip * joules(real(c.l2_read_sectors + c.l2_write_sectors + c.l2_atomic_sectors) * sector_bytes,
                            p.l2_byte);
  b.hbm_j = joules(real(c.dram_read_bytes + c.dram_write_bytes), p.hbm_byte);
  b.d2d_j = joules(real(c.d2d_wire_bytes), p.d2d_byte);
  b.pcie_j = joules(real(c.pcie_bytes), p.pcie_byte);
  b.idle_j = p.active_idle * seconds(duration);
  for (const auto& [name, part] : b.parts()) b.energy_j += part;
  if (duration.value > 0) b.average_power_w = b.energy_j / seconds(duration);
  return b;
}

double Governor::clock_mhz(const timing::Counters& counters, Picoseconds duration, double mhz) const {
  if (duration.value <= 0) return mhz;
  const double limit_w = chip_.power.board_limit;
  const double pins = chip_.hbm.bandwidth_per_die * static_cast<double>(chip_.package.dies) * 1e9;
  const double dram_share =
      std::min(1.0, real(counters.dram_read_bytes + counters.dram_write_bytes) / pins / seconds(duration));
  auto power_w = [&](double f) {
    const double stretched = seconds(duration) * (dram_share + (1 - dram_share) * mhz / f);
    return estimate(chip_, counters, Picoseconds(static_cast<std::int64_t>(stretched * 1e12)), f)
        .average_power_w;
  };
  if (power_w(mhz) <= limit_w) return mhz;
  double low = std::min(chip_.clock.core_min, mhz), high = mhz;
  if (power_w(low) > limit_w) return low;
  for (int i = 0; i < 40; ++i) {
    const double middle = (low + high) / 2;
    (power_w(middle) <= limit_w ? low : high) = middle;
  }
  return low;
}

}  // namespace wanren::energy
