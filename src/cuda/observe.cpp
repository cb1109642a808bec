// What Wanren's own parts ask of a running process: the preloaded clock library, and the Python package.

#include <algorithm>
#include <cstring>
#include <string>

#include "driver/process.h"

namespace wanren::cuda {
namespace {

/// As much of `text` as fits, always ended by NUL; the bytes that all of it needs.
std::size_t give(const std::string& text, char* out, std::size_t bytes) {
  if (out != nullptr && bytes > 0) {
    const std::size_t some = std::min(text.size(), bytes - 1);
    std::memcpy(out, text.data(), some);
    out[some] = '\0';
  }
  return text.size() + 1;
}

}  // namespace
}  // namespace wanren::cuda

/// Nanoseconds on the host's modelled timeline since the devices were made; 0 while there are none.
extern "C" unsigned long long wanren_host_clock_ns() {
  const wanren::driver::Process* process = wanren::driver::Process::made();
  return process != nullptr ? process->devices().front()->host_clock_ns() : 0;
}

/// Waits for all devices. `launches`: how many there were so far; `host_us`: the host's modelled timeline;
/// all are 0 while there are no devices.
extern "C" void wanren_mark(unsigned long long* launches, double* host_us) {
  *launches = 0;
  *host_us = 0;
  wanren::driver::Process* process = wanren::driver::Process::made();
  if (process == nullptr) return;
  for (wanren::driver::Device* device : process->devices()) device->synchronize_device();
  *launches = process->launches();
  *host_us = static_cast<double>(process->devices().front()->host_clock_ns()) * 1e-3;
}

/// The run from a mark on: report.json as text, or the table where `table` is not 0. Writes at most `bytes`
/// and returns how many there are; 0 while there are no devices.
extern "C" std::size_t wanren_report(unsigned long long launches, double host_us, int table, char* out,
                                     std::size_t bytes) {
  wanren::driver::Process* process = wanren::driver::Process::made();
  if (process == nullptr) return 0;
  const wanren::report::Run run = process->run_record({launches, host_us});
  return wanren::cuda::give(table != 0 ? wanren::report::table(run) : wanren::report::to_json(run), out,
                            bytes);
}
