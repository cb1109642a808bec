#pragma once
// What `run` and `compare` have in common.

#include <string>
#include <vector>

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
  std::vector<std::string> command;
};

void add_run_options(CLI::App& app, RunOptions& options);

/// A setting as an option: its name, help and allowed words are the table's.
CLI::Option* add_setting(CLI::App& app, Setting setting, std::string& value);
CLI::Option* add_setting(CLI::App& app, Setting setting, std::vector<std::string>& values);
CLI::Option* add_setting(CLI::App& app, Setting setting, int& value);

/// What `wanren --help` says about the environment.
std::string settings_text();

/// The child's options on `chip`; assumed figures shifted by `shift_pct`.
ChildOptions child_options(const RunOptions& options, const std::string& chip, double shift_pct);

/// Checks a chip by loading it with the --set changes; the message, or empty.
std::string check_chip(const std::string& chip, const RunOptions& options);

/// Device time in kernels when the assumed figures shift towards a slower and a faster chip.
struct Range {
  bool known = false;
  double low_us = 0, high_us = 0;
};
Range sensitivity(const RunOptions& options, const std::string& chip, double nominal_us);

}  // namespace wanren::cli
