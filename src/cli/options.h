#pragma once
// What `run` and `compare` have in common.

#include <string>
#include <vector>

#include "chip/spec.h"
#include "cli/child.h"
#include "support/settings.h"

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace wanren::cli {

struct RunOptions {
  std::string timing = text_of(Setting::timing), host_clock = "model";
  std::vector<std::string> set;  ///< KEY=VALUE
  int threads = 0;
  double sensitivity_pct = 0;
  int sensitivity_runs = 32;
  std::vector<std::string> command;
};

void add_run_options(CLI::App& app, RunOptions& options);

/// A setting as an option: its name, help and allowed words are the table's.
CLI::Option* add_setting(CLI::App& app, Setting setting, std::string& value);
CLI::Option* add_setting(CLI::App& app, Setting setting, std::vector<std::string>& values);
CLI::Option* add_setting(CLI::App& app, Setting setting, int& value);

/// What `wanren --help` says about the environment.
std::string settings_text();

/// The child's options on `chip`, with more changes after those of --set.
ChildOptions child_options(const RunOptions& options, const std::string& chip,
                           const std::vector<chip::Change>& moved = {});

/// The chip with the --set changes.
Result<chip::Spec> load_chip(const std::string& name, const RunOptions& options);

/// Why that cannot be done, or empty.
std::string check_chip(const std::string& chip, const RunOptions& options);

}  // namespace wanren::cli
