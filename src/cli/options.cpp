#include "cli/options.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <ranges>

#include "chip/spec.h"

namespace wanren::cli {
namespace {

template <class T>
CLI::Option* add(CLI::App& app, Setting setting, T& value) {
  const SettingInfo& row = info(setting);
  CLI::Option* option = app.add_option(std::string(row.option), value, std::string(row.doc));
  std::vector<std::string> words;
  for (const auto part : std::views::split(row.words, '|')) words.emplace_back(part.begin(), part.end());
  if (!words.empty()) option->check(CLI::IsMember(words));
  return option;
}

}  // namespace

CLI::Option* add_setting(CLI::App& app, Setting setting, std::string& value) {
  return add(app, setting, value)->capture_default_str();
}
CLI::Option* add_setting(CLI::App& app, Setting setting, std::vector<std::string>& values) {
  return add(app, setting, values);
}
CLI::Option* add_setting(CLI::App& app, Setting setting, int& value) {
  return add(app, setting, value)->capture_default_str();
}

std::string settings_text() {
  std::string text = "Settings, read from the environment (docs/settings.md):\n";
  for (const SettingInfo& setting : setting_table()) {
    text += fmt::format("  {:<22} {}", setting.variable, setting.doc);
    if (!setting.words.empty()) text += fmt::format(" ({})", setting.words);
    if (!setting.default_text.empty()) text += fmt::format(" [{}]", setting.default_text);
    text += '\n';
  }
  return text;
}

void add_run_options(CLI::App& app, RunOptions& options) {
  add_setting(app, Setting::timing, options.timing);
  app.add_option("--host-clock", options.host_clock,
                 "model: host clocks answer from the modelled timeline; real: they are left alone")
      ->check(CLI::IsMember({"model", "real"}))
      ->capture_default_str();
  add_setting(app, Setting::chip_set, options.set);
  add_setting(app, Setting::threads, options.threads)->check(CLI::NonNegativeNumber);
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
  const auto tell = [&](Setting setting, std::string value) {
    child.environment[std::string(info(setting).variable)] = std::move(value);
  };
  tell(Setting::chip, chip);
  tell(Setting::timing, options.timing);
  std::string set;
  for (const std::string& item : options.set) set += (set.empty() ? "" : ";") + item;
  tell(Setting::chip_set, set);
  tell(Setting::assumed_shift, std::to_string(static_cast<int>(std::lround(shift_pct))));
  if (options.threads > 0) tell(Setting::threads, std::to_string(options.threads));
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
