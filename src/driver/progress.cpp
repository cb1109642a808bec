#include "driver/progress.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>

#include "support/wall_clock.h"

namespace wanren::driver {

class Progress::Watched final : public trace::WarpSource {
 public:
  Watched(Progress& progress, trace::WarpSource& source) : progress_(progress), source_(source) {}

  const simt::Kernel& kernel() const override { return source_.kernel(); }
  std::span<const simt::LanePattern> patterns() const override { return source_.patterns(); }
  std::uint64_t ctas() const override { return source_.ctas(); }
  std::uint32_t warps_per_cta() const override { return source_.warps_per_cta(); }
  std::uint32_t ctas_per_cluster() const override { return source_.ctas_per_cluster(); }
  std::uint64_t cta_of(trace::ClusterPlace place) const override { return source_.cta_of(place); }
  trace::ClusterPlace place_of(std::uint64_t cta) const override { return source_.place_of(cta); }
  bool ordered() const override { return source_.ordered(); }
  trace::CtaHandle begin_cta(std::uint64_t linear, std::uint32_t unit) override {
    return source_.begin_cta(linear, unit);
  }
  trace::Chunk next(trace::CtaHandle cta, std::uint32_t warp, trace::Moment now) override {
    return source_.next(cta, warp, now);
  }
  void end_cta(trace::CtaHandle cta) override {
    progress_.done_.fetch_add(1, std::memory_order_relaxed);
    source_.end_cta(cta);
  }
  bool failed() const override { return source_.failed(); }
  bool skippable() const override { return source_.skippable(); }
  bool run_untraced(std::span<const trace::CtaRange> ctas, std::span<simt::BlockCount> done) override {
    if (!source_.run_untraced(ctas, done)) return false;
    for (const trace::CtaRange range : ctas)
      progress_.done_.fetch_add(range.count(), std::memory_order_relaxed);
    return true;
  }

 private:
  Progress& progress_;
  trace::WarpSource& source_;
};

bool Progress::wanted(bool summary) {
  return summary && isatty(STDERR_FILENO) != 0;
}

Progress::Progress() {
  thread_ = std::thread([this] { talk(); });
}

Progress::~Progress() {
  {
    std::lock_guard lock(mutex_);
    stop_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

trace::WarpSource* Progress::watch(trace::WarpSource* source, const std::string& name) {
  sources_.push_back(std::make_unique<Watched>(*this, *source));
  std::lock_guard lock(mutex_);
  current_ = name.substr(0, name.find('('));
  return sources_.back().get();
}

void Progress::forget(trace::WarpSource* watched) {
  std::erase_if(sources_, [&](const auto& source) { return source.get() == watched; });
}

void Progress::expect(std::uint64_t ctas) {
  std::lock_guard lock(mutex_);
  if (done_ >= total_) {
    // What is to come is another job.
    done_ = total_ = 0;
    active_s_ = 0;
  }
  total_ += ctas;
}

void Progress::resume() {
  {
    std::lock_guard lock(mutex_);
    active_ = true;
    resumed_s_ = wall_seconds();
  }
  changed_.notify_all();
}

void Progress::pause() {
  std::lock_guard lock(mutex_);
  active_ = false;
  active_s_ += wall_seconds() - resumed_s_;
  if (shown_) std::fputs("\r\033[K", stderr);
  shown_ = false;
}

void Progress::talk() {
  constexpr std::chrono::milliseconds tick(50);
  std::unique_lock lock(mutex_);
  for (int ticks = 0; !stop_;) {
    if (!active_) {
      changed_.wait(lock, [this] { return stop_ || active_; });
      ticks = 0;
      continue;
    }
    // Not wait_for(): it asks a clock that a modelled host answers, and the driver waits for its own lock.
    lock.unlock();
    std::this_thread::sleep_for(tick);
    lock.lock();
    // The first line after a second: short work shows nothing.
    if (++ticks % 20 == 0 && active_) show();
  }
}

void Progress::show() {
  const double elapsed_s = active_s_ + wall_seconds() - resumed_s_;
  const std::uint64_t done = done_, total = std::max<std::uint64_t>(done_, total_);
  if (done == 0) return;
  const double rate = static_cast<double>(done) / elapsed_s;
  const std::string line =
      fmt::format("\r\033[Kwanren: simulating {}: {} of {} CTAs, {:.0f} CTAs/s, {:.0f} s to go", current_,
                  done, total, rate, static_cast<double>(total - done) / rate);
  std::fputs(line.c_str(), stderr);
  std::fflush(stderr);
  shown_ = true;
}

}  // namespace wanren::driver
