// The modelled host clock, for the preloaded clock library of `wanren run`.

#include "driver/process.h"

/// Nanoseconds on the host's modelled timeline since the devices were made; 0 while there are none.
extern "C" unsigned long long wanren_host_clock_ns() {
  const wanren::driver::Process* process = wanren::driver::Process::made();
  return process != nullptr ? process->devices().front()->host_clock_ns() : 0;
}
