#include "support/wall_clock.h"

#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

namespace wanren {

WallClock::time_point WallClock::now() noexcept {
  timespec now{};
  // The system call itself: libc's clock_gettime may be interposed.
  syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &now);
  return time_point(std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec));
}

double wall_seconds() {
  return std::chrono::duration<double>(WallClock::now().time_since_epoch()).count();
}

}  // namespace wanren
