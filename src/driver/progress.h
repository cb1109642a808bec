#pragma once
// A line on the terminal while a simulation runs: what, how far, how fast, how much longer.

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "trace/warp_source.h"

namespace wanren::driver {

class Progress {
 public:
  /// True if standard error is a terminal and the run is asked to talk (WANREN_SUMMARY).
  static bool wanted(bool summary);

  Progress();
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  /// A source that passes everything on to `source` and counts CTAs. Both must outlive the simulation.
  trace::WarpSource* watch(trace::WarpSource* source, std::string name);

 private:
  class Watched;
  void show();

  std::vector<std::unique_ptr<Watched>> sources_;
  std::atomic<std::uint64_t> done_{0}, total_{0};
  std::atomic<const Watched*> current_{nullptr};
  std::atomic<bool> stop_{false};
  bool shown_ = false;
  double begin_s_;
  std::thread thread_;
};

}  // namespace wanren::driver
