#pragma once
// The virtual chip in time: a simulation that lives as long as the device. Work is admitted with the
// moment of its submission and what must end before it; time advances only as far as somebody asks.
// Same input, same cycles, at any number of host threads, with steps of any length and wherever the asking
// stops: whoever looks in between sees a prefix of the same history.

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "chip/spec.h"
#include "lower/program.h"
#include "support/units.h"
#include "timing/counters.h"
#include "timing/profile.h"
#include "timing/time.h"
#include "trace/warp_source.h"

namespace wanren::timing {

/// energy to timing: the clock that a power budget allows.
class ClockGovernor {
 public:
  virtual ~ClockGovernor() = default;
  /// MHz for the next window, after one in which the whole device did `counters` in `duration` at `mhz`.
  virtual double clock_mhz(const Counters& counters, Picoseconds duration, double mhz) const = 0;
};

struct Kernel {
  const lower::MachineProgram* program = nullptr;
  /// Called when the kernel begins; the source lives until on_end. Null: it could not start.
  std::function<trace::WarpSource*()> open;
  lower::Occupancy occupancy;
  std::uint32_t dynamic_and_static_shared_bytes = 0;
  bool profiled = false;  ///< Counts each instruction, see Timed::profile.
};

enum class CopyKind : std::uint8_t {
  host_to_device,
  device_to_host,
  device_to_device,
  fill,
  none,  ///< A marker that takes no time (event record, host function).
  peer   ///< To or from another chip, over the links between them.
};

struct Copy {
  CopyKind kind = CopyKind::none;
  std::uint64_t bytes = 0;
  DeviceAddress source, destination;  ///< Of the device side(s).
  bool pageable = false;
  double far_bandwidth = 0;  ///< GB/s of the other chip's link, or host link, on the way; 0: none.
};

struct MemoryRange {
  DeviceAddress begin;
  std::uint64_t bytes = 0;
};

/// What a piece of work did at one clock.
struct Phase {
  double clock_mhz = 0;
  Picoseconds duration;
  Counters counters;
};

struct Timed {
  Picoseconds begin, end;
  double clock_mhz = 0;  ///< Mean: cycles over time.
  Cycles cycles;
  Counters counters;
  std::vector<Phase> phases;  ///< Of a kernel, one per clock that it ran at; they add up to `counters`.
  std::vector<InstructionProfile> profile;  ///< Of a profiled kernel, by instruction in order of blocks.
  double wall_s = 0;                        ///< Host seconds spent on it in the timing model itself.
  std::uint64_t ctas_passed_over = 0;       ///< Not simulated; `cycles` and `counters` include them.
  double sampling_error = 0;                ///< Of `cycles` for that reason: bound at 95 %, as a share.
};

/// A piece of work on the timeline, from admit() on.
struct Job {
  bool ended = false;  ///< In the simulation; `timed` holds from then on.
  Timed timed;

 protected:
  ~Job() = default;
};
using JobRef = std::shared_ptr<Job>;

struct Work {
  Kernel kernel;  ///< kernel.program == nullptr: it is a copy
  Copy copy;
  std::vector<JobRef> after;  ///< Of the same device; must end first.
  /// Submission. No earlier than the end of what was waited for, or, in a callback, its own moment.
  Picoseconds not_before;
  /// Called when a copy begins, in timing order: performs its effect on memory. May admit more work.
  std::function<void()> on_begin;
  /// Called once `timed` holds.
  std::function<void(const Timed&)> on_end;
};

class Device {
 public:
  /// `threads`: host threads for compute units. `governor` (may be null: no power cap) must outlive the
  /// device. `most_quantum`: cycles that units are simulated alone at most; 0: as many as the chip's
  /// latencies allow. The result depends on neither threads nor quantum. `sampled`: of large grids that have
  /// come to a steady rate only a part is simulated (sampler.h).
  Device(const chip::Spec& chip, int threads, const ClockGovernor* governor, Cycle most_quantum = 0,
         bool sampled = false);
  ~Device();
  Device(const Device&) = delete;
  Device& operator=(const Device&) = delete;

  /// Which memory is other chips': for kernels that begin from now on, so callable from Kernel::open.
  void set_peer_memory(std::vector<MemoryRange> ranges);
  JobRef admit(Work work);
  /// Simulates until the job has ended.
  void advance_until(const JobRef& job);
  /// Simulates what happens up to `time`, as far as whole steps go: now() <= time afterwards. What is
  /// admitted later with not_before >= time cannot have mattered.
  void advance_to(Picoseconds time);
  /// Simulates until everything admitted has ended.
  void advance_all();
  /// Nothing that was admitted is left.
  bool idle() const;
  /// How far the simulation has got.
  Picoseconds now() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace wanren::timing
