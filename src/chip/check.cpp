// Ranges and consistency of a complete spec. What lower, timing and energy cannot simulate is refused here,
// so that nothing a chip file says can end in one of their own checks.

#include <algorithm>
#include <bit>
#include <cmath>

#include <fmt/format.h>

#include "chip/policies.h"
#include "chip/table.h"
#include "support/units.h"

namespace wanren::chip {
namespace {

constexpr double most_units = 4096;
constexpr std::int64_t most_lines = std::int64_t{1} << 31;  // line numbers above are local memory's

std::string with_unit(double number, const Field& f) {
  return fmt::format("{:.15g}{}", number, f.unit.empty() ? "" : fmt::format(" {}", f.unit));
}

std::optional<Violation> outside(const Spec& spec, const Field& f, double number) {
  const std::string key = f.key();
  const Domain& d = f.domain;
  if (!std::isfinite(number)) return Violation{key, "is not a finite number", "write one"};
  if (number < 0)
    return Violation{key, fmt::format("is {}, below zero", value_text(spec, f)),
                     fmt::format("use at least {}", with_unit(d.low, f))};
  if (number == 0 && d.low > 0)
    return Violation{key, "is zero, and must be positive",
                     fmt::format("use at least {}", with_unit(d.low, f))};
  if (number < d.low || number > d.high)
    return Violation{key,
                     fmt::format("is {}, outside what the model simulates ({} to {})", value_text(spec, f),
                                 with_unit(d.low, f), with_unit(d.high, f)),
                     number < d.low ? fmt::format("use at least {}", with_unit(d.low, f))
                                    : fmt::format("use at most {}", with_unit(d.high, f))};
  const auto value = static_cast<std::uint64_t>(number);
  if (d.kind == Domain::Kind::power_of_two && !std::has_single_bit(value))
    return Violation{key, fmt::format("is {}, not a power of two", value),
                     fmt::format("{} and {} are", std::bit_floor(value), std::bit_ceil(value))};
  return std::nullopt;
}

std::optional<Violation> unknown_word(const std::string& key, const std::string& word) {
  const std::vector<std::string> values = admitted(key);
  if (std::find(values.begin(), values.end(), word) != values.end()) return std::nullopt;
  std::string all;
  for (const std::string& v : values) all += (all.empty() ? "" : ", ") + v;
  return Violation{key, fmt::format("is \"{}\", which is none of {}", word, all),
                   did_you_mean(word, values, "use one of them")};
}

struct Rule {
  bool holds;
  const char* key;
  std::string cause, remedy;
};

Rule at_most(const char* key, std::int64_t a, const char* other, std::int64_t b) {
  return {a <= b, key, fmt::format("is {}, more than {} ({})", a, other, b), "lower it, or raise the other"};
}

std::vector<Rule> compute_rules(const Spec& s) {
  const auto& u = s.unit;
  const auto& c = s.subcore;
  return {
      at_most("unit.shared_bytes", u.shared_bytes, "unit.l1_bytes", u.l1_bytes),
      at_most("unit.shared_optin", u.shared_optin + u.shared_reserved, "unit.shared_bytes less the reserve",
              u.shared_bytes),
      at_most("unit.shared_static", u.shared_static, "unit.shared_optin", u.shared_optin),
      at_most("unit.max_threads_per_cta", u.max_threads_per_cta, "unit.max_threads", u.max_threads),
      at_most("unit.max_threads", u.max_threads, "32 lanes of all warps of the sub-cores",
              warp_size * c.warps * s.package.subcores_per_unit),
      at_most("unit.l1_sector_bytes", u.l1_sector_bytes, "unit.l1_line_bytes", u.l1_line_bytes),
      {u.l1_line_bytes <= 4 * u.l1_sector_bytes, "unit.l1_sector_bytes",
       fmt::format("is {}, less than a quarter of unit.l1_line_bytes ({}); a line has four sectors at most",
                   u.l1_sector_bytes, u.l1_line_bytes),
       fmt::format("use at least {} B, or shorter lines", u.l1_line_bytes / 4)},
      {u.l1_bytes / u.l1_line_bytes < 65535, "unit.l1_bytes",
       fmt::format("is {} lines of {} B; the model tells 65534 apart", u.l1_bytes / u.l1_line_bytes,
                   u.l1_line_bytes),
       "lower it, or use longer lines"},
      at_most("unit.l1_ways", u.l1_ways, "the lines of unit.l1_bytes", u.l1_bytes / u.l1_line_bytes),
      at_most("subcore.max_registers_per_thread", warp_size * c.max_registers_per_thread * 4,
              "subcore.register_bytes for one warp", c.register_bytes),
      at_most("subcore.register_granularity", c.register_granularity * 4, "subcore.register_bytes",
              c.register_bytes),
      at_most("package.clusters_per_die", s.package.clusters_per_die, "package.units_per_die",
              s.package.units_per_die),
      {static_cast<double>(s.package.dies * s.package.units_per_die) <= most_units, "package.units_per_die",
       fmt::format("gives {} units in {} dies; the model simulates {}",
                   s.package.dies * s.package.units_per_die, s.package.dies, most_units),
       fmt::format("use at most {} a die, or fewer dies",
                   static_cast<std::int64_t>(most_units) / s.package.dies)},
      at_most("subcore.instruction_line_bytes", c.instruction_line_bytes, "subcore.instruction_cache_bytes",
              c.instruction_cache_bytes),
      {s.clock.core_min <= s.clock.core, "clock.core_min", "is above clock.core", "lower it"},
  };
}

std::vector<Rule> memory_rules(const Spec& s) {
  const auto& u = s.unit;
  const std::int64_t line = u.l1_line_bytes, dies = s.package.dies;
  constexpr double miss_cycles = 4;
  return {
      at_most("l2.partitions_per_die", s.l2.partitions_per_die, "l2.slices_per_die", s.l2.slices_per_die),
      at_most("l2.partitions_per_die", s.l2.partitions_per_die * dies, "what the model simulates in all dies",
              1024),
      {s.l2.slices_per_die % s.l2.partitions_per_die == 0, "l2.slices_per_die",
       "is no multiple of l2.partitions_per_die", "give each partition the same number of slices"},
      {s.l2.bytes_per_die / s.l2.slices_per_die / line / s.l2.ways >= 2, "l2.bytes_per_die",
       fmt::format("gives a slice less than two sets of {} lines of {} B", s.l2.ways, line),
       fmt::format("use at least {} B, or fewer slices or ways", 2 * s.l2.slices_per_die * line * s.l2.ways)},
      at_most("l2.bytes_per_die", s.l2.bytes_per_die * dies, "16 GiB, what the model simulates in all dies",
              std::int64_t{16} << 30),
      at_most("unit.l1_line_bytes", line, "l2.partition_interleave", s.l2.partition_interleave),
      at_most("unit.l1_line_bytes", line, "l2.die_interleave", s.l2.die_interleave),
      {s.l2.near_latency <= s.l2.far_latency, "l2.far_latency", "is below l2.near_latency",
       "the near partition can't be slower"},
      {u.l1_latency + miss_cycles <= s.l2.near_latency, "l2.near_latency",
       fmt::format("is {} cycles, with less than {} left beyond unit.l1_latency ({})", s.l2.near_latency,
                   miss_cycles, u.l1_latency),
       fmt::format("it includes the L1 miss: use at least {} cycles", u.l1_latency + miss_cycles)},
      {(dies == 1) == ((s.d2d.topology == "none")), "d2d.topology",
       fmt::format("is \"{}\" in a package of {} dies", s.d2d.topology, dies),
       dies == 1 ? "write \"none\"" : "write \"all\", \"ring\" or \"mesh\""},
      {dies == 1 || s.d2d.bandwidth >= 0.001, "d2d.bandwidth", "is zero in a package of several dies",
       "give the link figures"},
      {dies == 1 || s.d2d.packet_payload_bytes > 0, "d2d.packet_payload_bytes",
       "is zero in a package of several dies", "give the link figures"},
      {s.link.kind == "none" || s.link.bandwidth >= 0.001, "link.bandwidth",
       "is zero where link.kind names a link", "give the link figures, or write kind = \"none\""},
      {s.link.kind == "none" || s.link.packet_payload_bytes > 0, "link.packet_payload_bytes",
       "is zero where link.kind names a link", "give the link figures, or write kind = \"none\""},
      {s.hbm.channels_per_die % s.l2.partitions_per_die == 0, "hbm.channels_per_die",
       fmt::format("is {}, no multiple of l2.partitions_per_die ({})", s.hbm.channels_per_die,
                   s.l2.partitions_per_die),
       "give each partition the same number of channels"},
      at_most("hbm.access_bytes", s.hbm.access_bytes, "hbm.row_bytes", s.hbm.row_bytes),
      at_most("hbm.access_bytes", s.hbm.access_bytes, "unit.l1_line_bytes", line),
      {s.hbm.bytes_per_die / line * dies < most_lines, "hbm.bytes_per_die",
       fmt::format("gives {} lines of {} B in all dies; the model tells {} apart",
                   s.hbm.bytes_per_die / line * dies, line, most_lines),
       "lower it, or use longer lines"},
  };
}

/// Timing looks at what has ended, and takes new work, where units have been simulated alone for a while: no
/// longer than a way to L2 and back.
std::vector<Rule> host_rules(const Spec& s) {
  const double step = s.l2.near_latency / s.clock.core_min;
  const auto covers_step = [&](const char* key, double us) {
    return Rule{us >= step, key,
                fmt::format("is {} us, less than l2.near_latency at clock.core_min ({:.15g} us)", us, step),
                fmt::format("use at least {:.15g} us", std::ceil(step * 1e3) / 1e3)};
  };
  return {covers_step("host.launch_latency", s.host.launch_latency),
          covers_step("host.synchronize", s.host.synchronize)};
}

std::vector<Rule> power_rules(const Spec& s) {
  return {
      {s.power.active_idle < s.power.board_limit, "power.board_limit",
       "leaves nothing above power.active_idle", "raise the limit"},
  };
}

}  // namespace

std::optional<Violation> find_violation(const Spec& spec) {
  Spec& s = const_cast<Spec&>(spec);  // reference() hands out members; nothing is written here.
  for (std::size_t i = 0; i < fields().size(); ++i) {
    const Field& f = fields()[i];
    const Reference r = reference(s, i);
    std::optional<Violation> v;
    if (const auto* p = std::get_if<Spec::integer*>(&r)) v = outside(spec, f, static_cast<double>(**p));
    if (const auto* p = std::get_if<Spec::real*>(&r)) v = outside(spec, f, **p);
    if (const auto* p = std::get_if<Spec::text*>(&r); p && f.domain.kind == Domain::Kind::words)
      v = unknown_word(f.key(), **p);
    if (v) return v;
  }
  for (const auto& rules : {compute_rules(spec), memory_rules(spec), host_rules(spec), power_rules(spec)})
    for (const Rule& rule : rules)
      if (!rule.holds) return Violation{rule.key, rule.cause, rule.remedy};
  return std::nullopt;
}

}  // namespace wanren::chip
