#include "cli/options.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>

#include "chip/spec.h"

namespace wanren::cli {

void add_run_options(CLI::App& app, RunOptions& options) {
  app.add_option("--timing", options.timing,
                 "off: results only; fast, full: simulate every CTA; predict as fast")
      ->check(CLI::IsMember({"off", "fast", "full", "predict"}))
      ->capture_default_str();
  app.add_option("--host-clock", options.host_clock,
                 "model: host clocks answer from the modelled timeline; real: they are left alone")
      ->check(CLI::IsMember({"model", "real"}))
      ->capture_default_str();
  app.add_option("--set", options.set,
                 "Change one figure of the chip: KEY=VALUE, such as d2d.bandwidth=224GB/s");
  app.add_option("--threads", options.threads, "Host threads for everything (default: all cores)")
      ->check(CLI::PositiveNumber);
  app.add_flag(
         "--sensitivity{30}", options.sensitivity_pct,
         "Run twice more with all assumed figures this many percent worse and better, and give the range")
      ->check(CLI::Range(1.0, 90.0));
  app.add_option("command", options.command, "Program and its arguments, after --")->required();
  app.positionals_at_end();
}

ChildOptions child_options(const RunOptions& options, const std::string& chip, double shift_pct) {
  ChildOptions child;
  child.command = options.command;
  child.environment["WANREN_CHIP"] = chip;
  child.environment["WANREN_TIMING"] = options.timing;
  std::string set;
  for (const std::string& item : options.set) set += (set.empty() ? "" : ";") + item;
  child.environment["WANREN_CHIP_SET"] = set;
  child.environment["WANREN_ASSUMED_SHIFT"] = std::to_string(static_cast<int>(std::lround(shift_pct)));
  if (options.threads > 0) child.environment["WANREN_THREADS"] = std::to_string(options.threads);
  child.model_host_clock = options.timing != "off" && options.host_clock == "model";
  return child;
}

std::string check_chip(const std::string& name, const RunOptions& options) {
  Result<chip::Spec> chip = chip::load(name);
  if (!chip) return chip.error().message();
  for (const std::string& item : options.set) {
    const std::size_t equals = item.find('=');
    if (equals == std::string::npos)
      return "--set " + item + ": write KEY=VALUE, such as d2d.bandwidth=224GB/s";
    if (Result<void> done = chip::set(*chip, item.substr(0, equals), item.substr(equals + 1)); !done)
      return "--set " + item + ": " + done.error().message();
  }
  return "";
}

Range sensitivity(const RunOptions& options, const std::string& chip, double nominal_us) {
  Range range;
  range.low_us = range.high_us = nominal_us;
  for (const double shift : {-options.sensitivity_pct, options.sensitivity_pct}) {
    ChildOptions child = child_options(options, chip, shift);
    child.quiet = true;
    const ChildResult result = run_child(child);
    if (!result.run || result.exit_code != 0) return Range{};
    range.low_us = std::min(range.low_us, result.run->busy_us);
    range.high_us = std::max(range.high_us, result.run->busy_us);
  }
  range.known = true;
  return range;
}

}  // namespace wanren::cli
