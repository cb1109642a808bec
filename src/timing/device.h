#pragma once
// The virtual chip in time. Runs a DAG of kernels and copies as one simulation and says when each
// began and ended and what it did. Same input, same cycles, at any number of host threads.

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "chip/spec.h"
#include "lower/program.h"
#include "support/units.h"
#include "timing/counters.h"
#include "trace/warp_source.h"

namespace wanren::timing {

/// energy to timing: the clock that a power budget allows.
class ClockGovernor {
 public:
  virtual ~ClockGovernor() = default;
  /// MHz at which work with these counters, timed at `mhz` over `duration`, meets the budget.
  virtual double clock_mhz(const Counters& counters, Picoseconds duration, double mhz) const = 0;
};

struct Kernel {
  const lower::MachineProgram* program = nullptr;
  trace::WarpSource* source = nullptr;
  lower::Occupancy occupancy;
  std::uint32_t dynamic_and_static_shared_bytes = 0;
};

enum class CopyKind : std::uint8_t { host_to_device, device_to_host, device_to_device, fill, none };

struct Copy {
  CopyKind kind = CopyKind::none;  ///< none: a marker that takes no time (event record, host wait)
  std::uint64_t bytes = 0;
  DeviceAddress source, destination;  ///< Of the device side(s).
  bool pageable = false;
};

struct Work {
  Kernel kernel;  ///< kernel.source == nullptr: it is a copy
  Copy copy;
  std::vector<std::uint32_t> after;  ///< Indices of earlier items in the same span that must end first.
  Picoseconds not_before;            ///< Submission time on the device's timeline.
  /// Called when the item begins, in timing order: performs a copy's effect on memory.
  std::function<void()> on_begin;
};

struct Timed {
  Picoseconds begin, end;
  double clock_mhz = 0;
  Cycles cycles;
  Counters counters;
  double wall_s = 0;  ///< Host seconds spent on it in the timing model itself.
};

class Device {
 public:
  /// `threads`: host threads for compute units; the result does not depend on it.
  Device(const chip::Spec& chip, int threads, const ClockGovernor* governor);
  ~Device();
  Device(const Device&) = delete;
  Device& operator=(const Device&) = delete;

  /// Simulates the items; caches stay warm from one call to the next. Returns one entry per item.
  std::vector<Timed> run(std::span<const Work> work);

  /// End of everything run so far.
  Picoseconds now() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace wanren::timing
