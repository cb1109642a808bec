// Ranges and consistency of a complete spec.

#include <algorithm>
#include <bit>
#include <cmath>
#include <set>

#include <fmt/format.h>

#include "chip/table.h"

namespace wanren::chip {
namespace {

// Zero means "has none" for these; every other number must be positive.
const std::set<std::string, std::less<>>& may_be_zero() {
  static const std::set<std::string, std::less<>> keys = {"identity.compute_minor",
                                                          "subcore.fp64_lanes",
                                                          "subcore.fp64_emulation_instructions",
                                                          "subcore.instruction_fetch_latency",
                                                          "tensor.bf16",
                                                          "tensor.fp16",
                                                          "tensor.tf32",
                                                          "tensor.fp32",
                                                          "tensor.int8",
                                                          "tensor.fp8",
                                                          "tensor.fp64",
                                                          "unit.shared_reserved",
                                                          "unit.shared_atomic_cycles",
                                                          "unit.cta_launch_latency",
                                                          "d2d.bandwidth",
                                                          "d2d.latency",
                                                          "d2d.packet_payload_bytes",
                                                          "d2d.packet_header_bytes",
                                                          "hbm.turnaround",
                                                          "hbm.refresh_share",
                                                          "hbm.row_open",
                                                          "host.pcie_latency",
                                                          "host.launch_host",
                                                          "host.launch_latency",
                                                          "host.launch_gap",
                                                          "host.api_call",
                                                          "host.synchronize",
                                                          "host.event_resolution",
                                                          "power.idle",
                                                          "power.active_idle",
                                                          "power.instruction",
                                                          "power.fp32_flop",
                                                          "power.fp16_flop",
                                                          "power.fp64_flop",
                                                          "power.int_op",
                                                          "power.sfu_op",
                                                          "power.tensor_bf16_flop",
                                                          "power.tensor_tf32_flop",
                                                          "power.tensor_int8_op",
                                                          "power.tensor_fp64_flop",
                                                          "power.l1_byte",
                                                          "power.shared_byte",
                                                          "power.l2_byte",
                                                          "power.hbm_byte",
                                                          "power.d2d_byte",
                                                          "power.pcie_byte",
                                                          "power.voltage_exponent",
                                                          "cost.price",
                                                          "cost.defect_density",
                                                          "cost.wafer_price",
                                                          "peak.bf16_tensor",
                                                          "peak.tf32_tensor",
                                                          "peak.int8_tensor",
                                                          "peak.fp64"};
  return keys;
}

const std::set<std::string, std::less<>>& power_of_two() {
  static const std::set<std::string, std::less<>> keys = {"subcore.register_granularity",
                                                          "unit.shared_granularity",
                                                          "unit.l1_line_bytes",
                                                          "unit.l1_sector_bytes",
                                                          "unit.shared_banks",
                                                          "l2.partition_interleave",
                                                          "l2.die_interleave",
                                                          "hbm.row_bytes",
                                                          "hbm.access_bytes"};
  return keys;
}

}  // namespace

std::optional<Violation> find_violation(const Spec& spec) {
  Spec& s = const_cast<Spec&>(spec);  // reference() hands out members; nothing is written here.
  for (std::size_t i = 0; i < fields().size(); ++i) {
    const Field& f = fields()[i];
    const std::string key = f.key();
    const Reference r = reference(s, i);
    double number = 1;
    if (const auto* p = std::get_if<Spec::integer*>(&r)) number = static_cast<double>(**p);
    if (const auto* p = std::get_if<Spec::real*>(&r)) number = **p;
    if (!std::isfinite(number)) return Violation{key, "is not a finite number", {}};
    if (number < 0) return Violation{key, fmt::format("is {}, below zero", value_text(spec, f)), {}};
    if (number == 0 && !may_be_zero().contains(key))
      return Violation{key, "is zero, and must be positive", {}};
    if (power_of_two().contains(key)) {
      const auto value = static_cast<std::uint64_t>(number);
      if (!std::has_single_bit(value))
        return Violation{key, fmt::format("is {}, not a power of two", value),
                         fmt::format("{} and {} are", std::bit_floor(value), std::bit_ceil(value))};
    }
    if (const auto* p = std::get_if<Spec::text*>(&r)) {
      const std::span<const std::string> values = admitted(key);
      if (!values.empty() && std::find(values.begin(), values.end(), **p) == values.end()) {
        std::string all;
        for (const std::string& v : values) all += (all.empty() ? "" : ", ") + v;
        return Violation{key, fmt::format("is \"{}\", which is none of {}", **p, all),
                         did_you_mean(**p, values)};
      }
    }
  }

  struct Rule {
    bool holds;
    const char* key;
    std::string cause, remedy;
  };
  const auto at_most = [](const char* key, std::int64_t a, const char* other, std::int64_t b) {
    return Rule{a <= b, key, fmt::format("is {}, more than {} ({})", a, other, b),
                "lower it, or raise the other"};
  };
  const auto& u = spec.unit;
  const Rule rules[] = {
      at_most("unit.shared_bytes", u.shared_bytes, "unit.l1_bytes", u.l1_bytes),
      at_most("unit.shared_optin", u.shared_optin + u.shared_reserved, "unit.shared_bytes less the reserve",
              u.shared_bytes),
      at_most("unit.shared_static", u.shared_static, "unit.shared_optin", u.shared_optin),
      at_most("unit.max_threads_per_cta", u.max_threads_per_cta, "unit.max_threads", u.max_threads),
      at_most("unit.max_threads", u.max_threads, "32 lanes of all warps of the sub-cores",
              32 * spec.subcore.warps * spec.package.subcores_per_unit),
      at_most("unit.l1_sector_bytes", u.l1_sector_bytes, "unit.l1_line_bytes", u.l1_line_bytes),
      at_most("subcore.max_registers_per_thread", spec.subcore.max_registers_per_thread,
              "255, what code can name", 255),
      at_most("subcore.max_registers_per_thread", 32 * spec.subcore.max_registers_per_thread * 4,
              "subcore.register_bytes for one warp", spec.subcore.register_bytes),
      at_most("package.clusters_per_die", spec.package.clusters_per_die, "package.units_per_die",
              spec.package.units_per_die),
      at_most("l2.partitions_per_die", spec.l2.partitions_per_die, "l2.slices_per_die",
              spec.l2.slices_per_die),
      at_most("hbm.access_bytes", spec.hbm.access_bytes, "hbm.row_bytes", spec.hbm.row_bytes),
      {spec.l2.slices_per_die % spec.l2.partitions_per_die == 0, "l2.slices_per_die",
       "is no multiple of l2.partitions_per_die", "give each partition the same number of slices"},
      {spec.clock.core_min <= spec.clock.core, "clock.core_min", "is above clock.core", "lower it"},
      {spec.l2.near_latency <= spec.l2.far_latency, "l2.far_latency", "is below l2.near_latency",
       "the near partition can't be slower"},
      {u.l1_latency <= spec.l2.near_latency, "l2.near_latency", "is below unit.l1_latency",
       "it includes the L1 miss"},
      {spec.tensor.warp_mma_share <= 1, "tensor.warp_mma_share", "is above 1", "it is a share, 0..1"},
      {spec.hbm.refresh_share < 1, "hbm.refresh_share", "is not below 1", "it is a share of time"},
      {spec.power.active_idle >= spec.power.idle, "power.active_idle", "is below power.idle",
       "active idle includes the idle board"},
      {spec.power.active_idle < spec.power.board_limit, "power.board_limit",
       "leaves nothing above power.active_idle", "raise the limit"},
      {(spec.package.dies == 1) == (spec.d2d.topology == "none"), "d2d.topology",
       fmt::format("is \"{}\" in a package of {} dies", spec.d2d.topology, spec.package.dies),
       spec.package.dies == 1 ? "write \"none\"" : "write \"all\", \"ring\" or \"mesh\""},
      {spec.package.dies == 1 || (spec.d2d.bandwidth > 0 && spec.d2d.packet_payload_bytes > 0),
       "d2d.bandwidth", "or d2d.packet_payload_bytes is zero in a package of several dies",
       "give the link figures"},
      {spec.subcore.fp64_lanes > 0 || spec.subcore.fp64_emulation_instructions > 0,
       "subcore.fp64_emulation_instructions", "is zero in a chip without FP64 lanes",
       "give the length of the emulation sequence"},
  };
  for (const Rule& rule : rules)
    if (!rule.holds) return Violation{rule.key, rule.cause, rule.remedy};
  return std::nullopt;
}

}  // namespace wanren::chip
