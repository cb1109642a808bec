#include "support/wall_clock.h"

#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

namespace wanren {

double wall_seconds() {
  timespec now{};
  // The system call itself: libc's clock_gettime may be interposed.
  syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

}  // namespace wanren
