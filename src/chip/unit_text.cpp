#include "chip/unit_text.h"

#include <cctype>
#include <charconv>
#include <utility>

namespace wanren::chip {
namespace {

enum Dimension { byte, second, cycle, joule, flop, op, dollar, metre };

struct Base {
  std::string_view text;
  double factor;
  std::array<std::pair<Dimension, int>, 2> powers;
  bool prefixed;  ///< Takes SI prefixes.
};

// Longer spellings stand before those that end like them.
constexpr Base bases[] = {
    {"cycles", 1, {{{cycle, 1}, {cycle, 0}}}, false},
    {"cycle", 1, {{{cycle, 1}, {cycle, 0}}}, false},
    {"clk", 1, {{{cycle, 1}, {cycle, 0}}}, false},
    {"FLOPS", 1, {{{flop, 1}, {second, -1}}}, true},
    {"FLOP", 1, {{{flop, 1}, {flop, 0}}}, true},
    {"OPS", 1, {{{op, 1}, {second, -1}}}, true},
    {"OP", 1, {{{op, 1}, {op, 0}}}, true},
    {"USD", 1, {{{dollar, 1}, {dollar, 0}}}, false},
    {"bits", 0.125, {{{byte, 1}, {byte, 0}}}, true},
    {"bit", 0.125, {{{byte, 1}, {byte, 0}}}, true},
    {"mm2", 1e-6, {{{metre, 2}, {metre, 0}}}, false},
    {"mm²", 1e-6, {{{metre, 2}, {metre, 0}}}, false},
    {"cm2", 1e-4, {{{metre, 2}, {metre, 0}}}, false},
    {"cm²", 1e-4, {{{metre, 2}, {metre, 0}}}, false},
    {"Hz", 1, {{{second, -1}, {second, 0}}}, true},
    {"W", 1, {{{joule, 1}, {second, -1}}}, true},
    {"J", 1, {{{joule, 1}, {joule, 0}}}, true},
    {"B", 1, {{{byte, 1}, {byte, 0}}}, true},
    {"b", 0.125, {{{byte, 1}, {byte, 0}}}, true},
    {"s", 1, {{{second, 1}, {second, 0}}}, true},
};

std::optional<double> prefix_factor(std::string_view prefix) {
  static constexpr std::pair<std::string_view, double> prefixes[] = {
      {"", 1},      {"p", 1e-12},      {"n", 1e-9},          {"u", 1e-6},
      {"µ", 1e-6},  {"m", 1e-3},       {"k", 1e3},           {"K", 1e3},
      {"M", 1e6},   {"G", 1e9},        {"T", 1e12},          {"P", 1e15},
      {"Ki", 1024}, {"Mi", 1048576.0}, {"Gi", 1073741824.0}, {"Ti", 1099511627776.0}};
  for (const auto& [text, factor] : prefixes)
    if (prefix == text) return factor;
  return std::nullopt;
}

bool apply(std::string_view term, int sign, Unit& unit) {
  for (const Base& base : bases) {
    if (!term.ends_with(base.text)) continue;
    const std::string_view prefix = term.substr(0, term.size() - base.text.size());
    if (!prefix.empty() && !base.prefixed) continue;
    const std::optional<double> scale = prefix_factor(prefix);
    if (!scale) continue;
    const double factor = *scale * base.factor;
    unit.factor = sign > 0 ? unit.factor * factor : unit.factor / factor;
    for (const auto& [dimension, power] : base.powers)
      unit.powers[static_cast<std::size_t>(dimension)] += sign * power;
    return true;
  }
  return false;
}

}  // namespace

std::optional<Unit> parse_unit(std::string_view text) {
  Unit unit;
  if (text.empty()) return unit;
  const std::size_t slash = text.find('/');
  const std::string_view numerator = text.substr(0, slash);
  if (numerator != "1" || slash == std::string_view::npos)
    if (!apply(numerator, +1, unit)) return std::nullopt;
  if (slash != std::string_view::npos && !apply(text.substr(slash + 1), -1, unit)) return std::nullopt;
  return unit;
}

std::optional<Quantity> parse_quantity(std::string_view text) {
  const auto blank = [](char c) { return std::isspace(static_cast<unsigned char>(c)) != 0; };
  while (!text.empty() && blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && blank(text.back())) text.remove_suffix(1);
  Quantity q;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), q.number);
  if (error != std::errc{}) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  while (!text.empty() && blank(text.front())) text.remove_prefix(1);
  q.unit = text;
  return q;
}

std::vector<std::string> spellings(std::string_view canonical) {
  static constexpr std::string_view common[] = {
      "MHz",  "GHz",   "kHz",   "Hz",      "B",       "kB",      "KiB",       "MB",        "MiB",   "GB",
      "GiB",  "TB",    "TiB",   "cycles",  "clk",     "B/cycle", "KiB/cycle", "bit/cycle", "B/clk", "MB/s",
      "GB/s", "TB/s",  "GiB/s", "Gbit/s",  "ps",      "ns",      "us",        "µs",        "ms",    "s",
      "mW",   "W",     "kW",    "pJ",      "nJ",      "pJ/B",    "pJ/bit",    "nJ/B",      "USD",   "mm2",
      "cm2",  "1/cm2", "1/mm2", "GFLOP/s", "TFLOP/s", "TFLOPS",  "PFLOP/s",   "GOP/s",     "TOP/s", "TOPS"};
  std::vector<std::string> result;
  const std::optional<Unit> wanted = parse_unit(canonical);
  if (!wanted) return result;
  for (const std::string_view text : common)
    if (const std::optional<Unit> u = parse_unit(text); u && u->same_dimension(*wanted))
      result.emplace_back(text);
  return result;
}

}  // namespace wanren::chip
