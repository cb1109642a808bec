#pragma once
// Execution pipes of one sub-core, the matrix unit among them: each takes one warp instruction at a time for
// its interval.

#include <algorithm>
#include <array>
#include <cstdint>

#include "lower/program.h"
#include "timing/time.h"

namespace wanren::timing {

class Pipes {
 public:
  /// `int_shares_fp32`: one port feeds integer and half of FP32.
  explicit Pipes(bool int_shares_fp32 = false) : int_shares_fp32_(int_shares_fp32) {}

  Cycle free(lower::Pipe pipe) const { return free_[static_cast<std::size_t>(pipe)]; }
  const Cycle* free() const { return free_.data(); }
  /// An instruction enters at `now` and keeps the pipe for `occupancy` cycles.
  void take(lower::Pipe pipe, Cycle now, Cycle occupancy) {
    if (pipe == lower::Pipe::none) return;
    at(pipe) = now + occupancy;
    if (!int_shares_fp32_) return;
    // An integer instruction takes half of what an FP32 one of the same length would, and an FP32 one keeps
    // the port for its own length.
    if (pipe == lower::Pipe::fp32)
      at(lower::Pipe::integer) = std::max(at(lower::Pipe::integer), now + occupancy);
    if (pipe == lower::Pipe::integer)
      at(lower::Pipe::fp32) = std::max(at(lower::Pipe::fp32), now + (occupancy + 1) / 2);
  }
  /// What is outside says when it takes the next.
  void hold(lower::Pipe pipe, Cycle until) { at(pipe) = until; }

 private:
  Cycle& at(lower::Pipe pipe) { return free_[static_cast<std::size_t>(pipe)]; }

  std::array<Cycle, lower::pipe_count> free_{};
  bool int_shares_fp32_;
};

}  // namespace wanren::timing
