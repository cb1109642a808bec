// Preloaded by `wanren run --host-clock=model`: host clocks answer from the modelled timeline, so programs
// that time with host clocks print the virtual chip's figures. Host code between API calls costs nothing.
#define _GNU_SOURCE
#include <stddef.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

extern unsigned long long wanren_host_clock_ns(void) __attribute__((weak));

// Time at which the process began, on each clock; model time is added to it.
static struct timespec begin[16];

static int real(clockid_t clock, struct timespec* now) {
  return (int)syscall(SYS_clock_gettime, clock, now);
}

__attribute__((constructor)) static void remember(void) {
  for (int clock = 0; clock < 16; ++clock) real(clock, &begin[clock]);
}

__attribute__((visibility("default"))) int clock_gettime(clockid_t clock, struct timespec* now) {
  // CPU-time clocks and others keep their meaning.
  const int wall = clock == CLOCK_REALTIME || clock == CLOCK_MONOTONIC || clock == CLOCK_MONOTONIC_RAW ||
                   clock == CLOCK_REALTIME_COARSE || clock == CLOCK_MONOTONIC_COARSE ||
                   clock == CLOCK_BOOTTIME;
  if (!wall || !wanren_host_clock_ns) return real(clock, now);
  const unsigned long long ns = wanren_host_clock_ns();
  if (ns == 0) return real(clock, now) ? -1 : (*now = begin[clock], 0);
  const unsigned long long total = (unsigned long long)begin[clock].tv_nsec + ns;
  now->tv_sec = begin[clock].tv_sec + (time_t)(total / 1000000000ull);
  now->tv_nsec = (long)(total % 1000000000ull);
  return 0;
}

__attribute__((visibility("default"))) int gettimeofday(struct timeval* restrict now, void* restrict zone) {
  struct timespec time;
  (void)zone;
  if (clock_gettime(CLOCK_REALTIME, &time)) return -1;
  now->tv_sec = time.tv_sec;
  now->tv_usec = time.tv_nsec / 1000;
  return 0;
}

__attribute__((visibility("default"))) time_t time(time_t* out) {
  struct timespec now;
  if (clock_gettime(CLOCK_REALTIME, &now)) return (time_t)-1;
  if (out) *out = now.tv_sec;
  return now.tv_sec;
}

// clock() measures this process's CPU time, most of it Wanren's own work: under the model it is the host
// timeline too.
__attribute__((visibility("default"))) clock_t clock(void) {
  if (!wanren_host_clock_ns) {
    struct timespec now;
    real(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (clock_t)(now.tv_sec * CLOCKS_PER_SEC + now.tv_nsec / (1000000000L / CLOCKS_PER_SEC));
  }
  return (clock_t)(wanren_host_clock_ns() / (1000000000ull / CLOCKS_PER_SEC));
}
