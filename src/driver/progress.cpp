#include "driver/progress.h"

#include <fmt/format.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>

#include "support/wall_clock.h"

namespace wanren::driver {

class Progress::Watched final : public trace::WarpSource {
 public:
  Watched(Progress& progress, trace::WarpSource& source, std::string name)
      : progress_(progress), source_(source), name_(std::move(name)) {}

  const simt::Kernel& kernel() const override { return source_.kernel(); }
  std::span<const simt::LanePattern> patterns() const override { return source_.patterns(); }
  std::uint64_t ctas() const override { return source_.ctas(); }
  std::uint32_t warps_per_cta() const override { return source_.warps_per_cta(); }
  bool coupled() const override { return source_.coupled(); }
  trace::CtaHandle begin_cta(std::uint64_t linear, std::uint32_t unit) override {
    progress_.current_.store(this, std::memory_order_relaxed);
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
  const std::string& name() const { return name_; }

 private:
  Progress& progress_;
  trace::WarpSource& source_;
  std::string name_;
};

bool Progress::wanted(bool summary) {
  return summary && isatty(STDERR_FILENO) != 0;
}

Progress::Progress() : begin_s_(wall_seconds()) {
  thread_ = std::thread([this] {
    // The first line after a second: short work shows nothing.
    for (int tick = 1; !stop_; ++tick) {
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
      if (tick % 20 == 0) show();
    }
  });
}

Progress::~Progress() {
  stop_ = true;
  thread_.join();
  if (shown_) std::fputs("\r\033[K", stderr);
}

trace::WarpSource* Progress::watch(trace::WarpSource* source, std::string name) {
  total_ += source->ctas();
  sources_.push_back(std::make_unique<Watched>(*this, *source, std::move(name)));
  return sources_.back().get();
}

void Progress::show() {
  const Watched* current = current_;
  const double elapsed_s = wall_seconds() - begin_s_;
  const std::uint64_t done = done_, total = total_;
  if (current == nullptr || done == 0) return;
  const double rate = static_cast<double>(done) / elapsed_s;
  const std::string line =
      fmt::format("\r\033[Kwanren: simulating {}: {} of {} CTAs, {:.0f} CTAs/s, {:.0f} s to go",
                  current->name().substr(0, current->name().find('(')), done, total, rate,
                  static_cast<double>(total - done) / rate);
  std::fputs(line.c_str(), stderr);
  std::fflush(stderr);
  shown_ = true;
}

}  // namespace wanren::driver
