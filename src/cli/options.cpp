#include "cli/options.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <ranges>

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
  app.add_flag("--sensitivity{30}", options.sensitivity_pct,
               "Run again with all assumed figures this many percent worse and better and with the other "
               "choices of "
               "assumed policies; give the range and what matters most")
      ->check(CLI::Range(1.0, 90.0));
  app.add_option("--sensitivity-runs", options.sensitivity_runs,
                 "Runs that may go into finding what matters most; 0: the range alone")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  app.add_option("command", options.command, "Program and its arguments, after --")->required();
  app.positionals_at_end();
}

ChildOptions child_options(const RunOptions& options, const std::string& chip,
                           const std::vector<chip::Change>& moved) {
  ChildOptions child;
  child.command = options.command;
  const auto tell = [&](Setting setting, std::string value) {
    child.environment[std::string(info(setting).variable)] = std::move(value);
  };
  tell(Setting::chip, chip);
  tell(Setting::timing, options.timing);
  std::string set;
  for (const std::string& item : options.set) set += (set.empty() ? "" : ";") + item;
  for (const chip::Change& item : moved) set += (set.empty() ? "" : ";") + item.key + "=" + item.value;
  tell(Setting::chip_set, set);
  if (options.threads > 0) tell(Setting::threads, std::to_string(options.threads));
  child.model_host_clock = options.timing != "off" && options.host_clock == "model";
  return child;
}

Result<chip::Spec> load_chip(const std::string& name, const RunOptions& options) {
  Result<chip::Spec> chip = chip::load(name);
  if (!chip) return chip;
  std::vector<chip::Change> changes;
  for (const std::string& item : options.set) {
    Result<chip::Change> change = chip::parse_change(item);
    if (!change) return std::unexpected(change.error());
    changes.push_back(std::move(*change));
  }
  if (const Result<void> done = chip::set(*chip, changes); !done) {
    Error error = done.error();
    error.place = "--set " + error.place;
    return std::unexpected(error);
  }
  return chip;
}

std::string check_chip(const std::string& names, const RunOptions& options) {
  const std::vector<std::string> list = split_list(names);
  if (list.size() > 1 && options.sensitivity_pct > 0)
    return Error{"--sensitivity", "moves the figures of one chip, and " + names + " are several",
                 "give one chip"}
        .message();
  for (const std::string& name : list)
    if (const Result<chip::Spec> chip = load_chip(name, options); !chip) return chip.error().message();
  return "";
}

}  // namespace wanren::cli
