#pragma once
// Private to src/driver: the state behind Device.

#include <algorithm>
#include <deque>
#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "driver/device.h"
#include "driver/graph.h"
#include "driver/progress.h"
#include "driver/shared.h"
#include "energy/energy.h"
#include "engine/launch.h"
#include "engine/source.h"
#include "support/units.h"

namespace wanren::driver {

using OpRef = std::shared_ptr<Op>;

/// One thing that a stream was told to do.
struct Op {
  enum class Kind : std::uint8_t { kernel, copy, marker, host_function } kind = Kind::marker;
  Stream stream;  ///< Until it has ended.
  Device* device = nullptr;
  std::vector<OpRef> after;
  Picoseconds not_before;
  std::uint64_t number = 0;
  // kernel
  engine::Launch launch;
  const lower::MachineProgram* program = nullptr;
  lower::Occupancy occupancy;
  std::uint32_t static_shared_bytes = 0;
  double compile_wall_s = 0;
  std::unique_ptr<engine::TraceSource> source;  ///< While it runs.
  trace::WarpSource* watched = nullptr;         ///< What Progress made of it.
  // copy, host function
  timing::Copy copy;
  int peer = -1;        ///< The other device of a copy between devices.
  bool abroad = false;  ///< `effect` may touch memory that kernels of this device may not.
  std::function<void()> effect;
  std::function<bool(Picoseconds)> gate;  ///< Says whether the op has ended; see gate.cpp.
  // since it was submitted
  timing::JobRef job;  ///< Null with timing off.
  bool ended = false;  ///< Executed; begin and end hold.
  Picoseconds begin, end;
};

struct StreamState {
  int id = 0;
  bool non_blocking = false;
  bool is_default = false;
  int priority = 0;
  OpRef last;                 ///< Submitted last; null: none yet.
  std::deque<OpRef> pending;  ///< Submitted and, when last looked at, not ended.
  std::vector<OpRef> waits;   ///< Ops that the next op waits for besides `last`.
  Picoseconds not_before;     ///< From events of other devices.
  CapturePoint captured;
};

struct EventState {
  bool timing = true;
  OpRef op;  ///< Of the last record; null: never recorded.
  CapturePoint captured;
};

/// What compiling a kernel for a launch shape gave; shared by launches.
struct Prepared {
  std::shared_ptr<const engine::KernelCode> code;
  double compile_wall_s = 0;
};

/// Machine programs of a function by register limit: a block too large for the registers that the code
/// would like gets code of its own.
struct FunctionLowered {
  std::map<std::uint32_t, lower::MachineProgram> by_limit;
};

/// Memory that a stream has freed: for its next allocation of that size, or for all once the stream is there.
struct FreedBlock {
  void* pointer = nullptr;
  std::size_t bytes = 0;
  int stream = 0, domain = 0;
  OpRef free;
};

struct Device::Impl {
  Impl(Device& device, Shared& shared);

  Device& device;
  Shared& shared;
  std::recursive_mutex& mutex = shared.mutex;
  Picoseconds& host_now = shared.host_now;
  std::unique_ptr<energy::Governor> governor;
  std::unique_ptr<timing::Device> timing;  ///< Null with timing off.
  std::vector<std::unique_ptr<Module>> modules;
  std::map<const Function*, std::unique_ptr<FunctionLowered>> lowered;
  std::map<std::string, Prepared> prepared;  ///< By kernel address, shape and flavour.

  std::deque<OpRef> queue;   ///< With timing off: not executed yet.
  std::vector<Op*> running;  ///< With timing on: kernels that have begun and not ended.
  std::vector<std::weak_ptr<StreamState>> streams;
  Stream default_stream;
  int next_stream = 1;
  std::uint64_t next_op = 0;
  std::size_t owned_bytes = 0;  ///< Of device memory.
  std::vector<FreedBlock> freed;

  Status sticky = Status::cudaSuccess;
  std::string failure;
  Picoseconds device_end;
  report::Run run;
  std::vector<std::pair<std::uint64_t, report::CopyRecord>> copies;  ///< By Op::number; not in order.
  std::unique_ptr<Progress> progress;
  std::deque<OpRef> held;  ///< With timing on: gates and what comes behind them, not admitted yet.
  bool asking = false, ask_again = false;
  int free_of_charge = 0;  ///< Depth: the device queues work itself, or the host has paid for all of a graph.
  int executing = 0;       ///< Depth of execution: host functions may call back into the API.

  /// The managed allocation that the range lies in, and where in it; null: in none.
  AdvisedRange* managed(const void* at, std::size_t bytes, std::size_t& offset) const;

  Stream resolve(const Stream& stream) const { return stream ? stream : default_stream; }
  /// Submits the op behind everything its stream must wait for; the host waits where the stream is full.
  OpRef submit(Op op);
  void admit(const OpRef& op);
  bool waits_at_gate(const Op& op) const;
  /// Whether all before the op has ended and its gate, if it is one, is open.
  bool passes(Op& op, Picoseconds at);
  /// Ends the gates that are open at this moment and admits what they held back.
  void ask_gates(Picoseconds at);
  /// Simulates or executes until the op (null: everything) has ended. False: a gate is closed, and nothing
  /// that is under way on the device can open it.
  bool go_on(const OpRef& op);
  void look_at_gates();
  /// Lets others do what opens a gate.
  void wait_at_gate(int pauses);
  trace::WarpSource* open(Op& op);
  void settle(Op& op, Picoseconds begin, Picoseconds end, const timing::Timed* timed);
  void record_kernel(Op& op, const engine::Execution& execution, const timing::Timed* timed);
  void execute_queue();
  /// The device goes on until the op (null: everything) has ended; the host's moment stays.
  void complete(const OpRef& op);
  /// The host waits for the op; null: nothing to wait for.
  void wait_for(const OpRef& op);
  void wait_for_all();
  /// The device catches up with the host's moment.
  void look();
  /// Whether the op has ended as far as the host can see.
  bool over(const OpRef& op) const { return op == nullptr || (op->ended && op->end <= host_now); }
  /// Device memory of this device. Errors: its chip's memory is full; as the arena's.
  /// Errors: several devices share the arena, and this one's memory is full.
  Result<void> has_room(std::size_t bytes) const;
  Result<void*> allocate(std::size_t bytes, int domain);
  Status allocate(std::size_t bytes, void** pointer, int domain);
  void run_effect(const Op& op);
  Reach reach_of_running() const;
  Result<void> release(void* pointer);
  /// Gives memory back whose stream-ordered free the host has waited for.
  void release_freed();

  /// A kernel has failed: work behind it has no effect.
  bool lost() const;
  /// The engine could not start a grid.
  void refuse(const Error& error);
  /// Somebody will read the records of kernels.
  bool reported() const {
    return timing || shared.profile || !shared.settings.report.empty() || !shared.settings.trace.empty() ||
           shared.settings.summary != 0;
  }
  void note_fault(const engine::FaultReport& fault);
  void charge_us(double microseconds);
  /// A query costs something on every chip: a loop that polls gets ahead.
  void charge_poll() { charge_us(std::max(device.chip_.host.api_call, device.chip_.host.clock_read)); }
  Result<Prepared*> prepare(const std::shared_ptr<const simt::Kernel>& kernel, Dim3 block);
  /// The program that a launch with blocks of this many threads runs.
  Loaded<const lower::MachineProgram*> lower_function(Function& function, std::uint32_t threads);
  Loaded<const lower::MachineProgram*> lower_within(Function& function, std::uint32_t registers);
};

inline Picoseconds from_us(double us) {
  return Picoseconds(static_cast<std::int64_t>(us * 1e6 + 0.5));
}
inline double to_us(Picoseconds time) {
  return static_cast<double>(time.value) * 1e-6;
}
inline Picoseconds later(Picoseconds a, Picoseconds b) {
  return a < b ? b : a;
}

/// The report's entry for one executed launch.
report::KernelRecord make_record(const chip::Spec& chip, const engine::Launch& launch,
                                 const lower::MachineProgram* program, const lower::Occupancy& occupancy,
                                 const engine::Execution& execution, const timing::Timed* timed);

/// The profile's entry for it: what each instruction did, and where it comes from.
report::LaunchProfile make_profile(const chip::Spec& chip, int device, const engine::Launch& launch,
                                   const lower::MachineProgram& program, const timing::Timed& timed);

}  // namespace wanren::driver
