#pragma once
// What a result owes to what nobody outside has said: its range, and the assumptions that matter most.

#include <string>
#include <vector>

#include "chip/spec.h"
#include "cli/options.h"

namespace wanren::cli {

/// One assumption made differently, and the device time in kernels that follows.
struct Move {
  chip::Change setting;
  bool policy = false;
  double us = 0;
};

struct Range {
  bool known = false;
  double low_us = 0, high_us = 0;
  std::vector<Move> matters;  ///< At most three, the largest first.
  int runs = 0;               ///< Of the program, in all.
  bool complete = true;       ///< False: the budget ended before the three were certain.
};

/// Runs the program with the assumed figures worse and better and the assumed policies at their slowest
/// and fastest words, then finds the moves that change most by halving the set of figures.
Range sensitivity(const RunOptions& options, const std::string& chip, double nominal_us);

/// "d2d.cache = replicate -38 %, hbm.latency 30 % worse +9 %", or empty.
std::string matters_text(const Range& range, double nominal_us, double share_pct);

}  // namespace wanren::cli
