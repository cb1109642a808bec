// The time limit of kernels: one host thread that signals threads whose deadline has passed, again and
// again until they have left device code.

#include <pthread.h>
#include <signal.h>

#include <atomic>
#include <condition_variable>
#include <cstdlib>
#include <mutex>
#include <thread>
#include <vector>

#include "engine/faults.h"
#include "support/settings.h"

namespace wanren::engine {
namespace {

double limit_from_environment() {
  const std::string text = text_of(Setting::kernel_timeout);
  char* end = nullptr;
  const double seconds = std::strtod(text.c_str(), &end);
  return end != text.c_str() && *end == '\0' && seconds > 0 ? seconds : 0;
}

std::atomic<double>& limit() {
  static std::atomic<double> value{limit_from_environment()};
  return value;
}

class Watchdog {
 public:
  static Watchdog& instance() {
    // Leaked on purpose: its thread may outlive static destructors.
    static Watchdog* watchdog = new Watchdog;
    return *watchdog;
  }

  void add(ThreadState* state, WatchdogScope::Clock::time_point deadline) {
    std::lock_guard lock(lock_);
    watched_.push_back({state, pthread_self(), deadline});
    if (!started_) {
      started_ = true;
      std::thread([this] { run(); }).detach();
    }
    wake_.notify_one();
  }

  void remove(ThreadState* state) {
    std::lock_guard lock(lock_);
    for (auto it = watched_.begin(); it != watched_.end(); ++it) {
      if (it->state != state) continue;
      watched_.erase(it);
      break;
    }
    state->expired = 0;
  }

 private:
  struct Watched {
    ThreadState* state;
    pthread_t thread;
    WatchdogScope::Clock::time_point deadline;
  };

  void run() {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, nullptr);
    std::unique_lock lock(lock_);
    for (;;) {
      if (watched_.empty()) wake_.wait(lock, [this] { return !watched_.empty(); });
      const auto now = WatchdogScope::Clock::now();
      for (const Watched& one : watched_) {
        if (now < one.deadline) continue;
        one.state->expired = 1;
        pthread_kill(one.thread, watchdog_signal());
      }
      // Not a timed wait: that asks the host clock, which may be the modelled one.
      lock.unlock();
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
      lock.lock();
    }
  }

  std::mutex lock_;
  std::condition_variable wake_;
  std::vector<Watched> watched_;
  bool started_ = false;
};

}  // namespace

double kernel_time_limit_s() {
  return limit().load();
}
void set_kernel_time_limit_s(double seconds) {
  limit().store(seconds > 0 ? seconds : 0);
}

WatchdogScope::WatchdogScope(ThreadState& state, Clock::time_point deadline)
    : state_(deadline == Clock::time_point::max() ? nullptr : &state) {
  if (state_ != nullptr) Watchdog::instance().add(state_, deadline);
}

WatchdogScope::~WatchdogScope() {
  if (state_ != nullptr) Watchdog::instance().remove(state_);
}

}  // namespace wanren::engine
