#include "jit/tiers.h"

#include <pthread.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <csignal>
#include <deque>
#include <functional>
#include <mutex>
#include <system_error>
#include <thread>

namespace wanren::jit {

namespace {

/// What the best tier takes to compile, by the size of the quick one's object.
constexpr double compile_s_per_byte = 4e-6;

/// One thread for what nobody waits for. It ends with its work, since a process lives as long as any of its
/// threads, and is never joined: a process that exits does not wait for it, wherever it is (exit.cpp).
class Background {
 public:
  static Background& instance() {
    static auto* background = new Background;
    return *background;
  }

  void add(std::function<void()> job) {
    std::lock_guard guard(lock_);
    jobs_.push_back(std::move(job));
    if (!working_) start();
  }

  void finish() {
    std::unique_lock guard(lock_);
    changed_.wait(guard, [&] { return !working_; });
  }

 private:
  Background() {
    // A child has the caller's thread only.
    pthread_atfork([] { instance().lock_.lock(); }, [] { instance().lock_.unlock(); },
                   [] {
                     instance().working_ = false;
                     instance().jobs_.clear();
                     instance().lock_.unlock();
                   });
  }

  /// The program's signals are for the program's threads.
  void start() {
    sigset_t all, before;
    sigfillset(&all);
    for (const int fault : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT}) sigdelset(&all, fault);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    try {
      std::thread([this] { work(); }).detach();
      working_ = true;
    } catch (const std::system_error&) {
      jobs_.clear();  // A process that may have no more threads goes on with the quick tier.
    }
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
  }

  void work() {
    std::unique_lock guard(lock_);
    while (!jobs_.empty()) {
      std::function<void()> job = std::move(jobs_.front());
      jobs_.pop_front();
      guard.unlock();
      job();
      job = nullptr;
      guard.lock();
    }
    working_ = false;
    changed_.notify_all();
  }

  std::mutex lock_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> jobs_;
  bool working_ = false;
};

class TieredCode final : public engine::KernelCode, public std::enable_shared_from_this<TieredCode> {
 public:
  TieredCode(std::shared_ptr<CompiledCode> quick, Wanted wanted)
      : wanted_(std::move(wanted)),
        quick_(std::move(quick)),
        worth_ns_(static_cast<std::int64_t>(static_cast<double>(quick_->object_bytes()) * compile_s_per_byte *
                                            1e9)) {}

  simt::WarpEntry entry() const override { return latest().entry(); }
  std::span<const simt::LanePattern> patterns() const override { return quick_->patterns(); }
  std::size_t stack_bytes() const override { return std::max(quick_->stack_bytes(), latest().stack_bytes()); }
  bool locate(std::uintptr_t pc, simt::BlockId& block, std::uint32_t& inst) const override {
    return quick_->locate(pc, block, inst) || (best() != nullptr && best()->locate(pc, block, inst));
  }
  double compile_seconds() const override { return quick_->compile_seconds(); }
  bool never_yields() const override { return quick_->never_yields(); }

  const KernelCode& begin(std::size_t stack_bytes) const override {
    const KernelCode& code = latest();
    return code.stack_bytes() <= stack_bytes ? code : *quick_;
  }

  bool wants_time() const override { return !asked_.load(std::memory_order_relaxed); }
  void ran(double seconds) const override {
    if (asked_.load(std::memory_order_relaxed)) return;
    const auto ns = static_cast<std::int64_t>(seconds * 1e9);
    if (ran_ns_.fetch_add(ns, std::memory_order_relaxed) + ns < worth_ns_) return;
    if (asked_.exchange(true)) return;
    Background::instance().add([code = weak_from_this()] {
      if (const auto alive = code.lock()) alive->improve();
    });
  }

 private:
  const CompiledCode* best() const { return published_.load(std::memory_order_acquire); }
  const CompiledCode& latest() const { return best() != nullptr ? *best() : *quick_; }

  void improve() const {
    auto code = find_code(wanted_, Tier::best);
    if (!code) {
      auto made = make_code(wanted_, Tier::best);
      if (!made) return;  // What the quick tier could compile it can go on with.
      code = std::move(*made);
    }
    WR_CHECK(std::equal(code->patterns().begin(), code->patterns().end(), quick_->patterns().begin(),
                        quick_->patterns().end()));
    best_ = std::move(code);
    published_.store(best_.get(), std::memory_order_release);
  }

  const Wanted wanted_;
  const std::shared_ptr<CompiledCode> quick_;
  const std::int64_t worth_ns_;
  mutable std::shared_ptr<CompiledCode> best_;  ///< Written once, before published_.
  mutable std::atomic<const CompiledCode*> published_{nullptr};
  mutable std::atomic<std::int64_t> ran_ns_{0};
  mutable std::atomic<bool> asked_{false};
};

}  // namespace

std::shared_ptr<engine::KernelCode> tiered(std::shared_ptr<CompiledCode> quick, Wanted wanted) {
  return std::make_shared<TieredCode>(std::move(quick), std::move(wanted));
}

void finish_background() {
  Background::instance().finish();
}

}  // namespace wanren::jit
