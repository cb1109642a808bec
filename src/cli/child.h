#pragma once
// Runs a program on the virtual chip in a process of its own.

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "report/record.h"

namespace wanren::cli {

struct ChildOptions {
  std::vector<std::string> command;
  std::map<std::string, std::string> environment;  ///< Set in the child.
  bool model_host_clock = false;
  bool quiet = false;  ///< Standard output goes nowhere.
};

struct ChildResult {
  int exit_code = 0;               ///< 128 + signal if a signal ended it.
  std::string problem;             ///< Why it could not be started, or empty.
  std::optional<report::Run> run;  ///< Absent: the program made no CUDA call.
  std::string report_text;
};

/// Starts the command, waits, reads its report. Libraries are found beside this executable.
ChildResult run_child(const ChildOptions& options);

/// Folder with libcudart.so: <executable>/../lib.
std::string library_folder();

}  // namespace wanren::cli
