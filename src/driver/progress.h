#pragma once
// A line on the terminal while a simulation runs: what, how far, how fast, how much longer.

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
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

  /// So many CTAs have been submitted.
  void expect(std::uint64_t ctas);
  /// A source that passes everything on to `source` and counts CTAs; until forget().
  trace::WarpSource* watch(trace::WarpSource* source, const std::string& name);
  void forget(trace::WarpSource* watched);
  /// The device goes on; it stands still. The line shows in between only.
  void resume();
  void pause();

 private:
  class Watched;
  void show();
  void talk();

  std::vector<std::unique_ptr<Watched>> sources_;
  std::atomic<std::uint64_t> done_{0}, total_{0};
  std::mutex mutex_;  ///< Of what follows.
  std::condition_variable changed_;
  std::string current_;
  bool active_ = false, stop_ = false, shown_ = false;
  double active_s_ = 0, resumed_s_ = 0;
  std::thread thread_;
};

}  // namespace wanren::driver
