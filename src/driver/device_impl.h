#pragma once
// Private to src/driver: the state behind Device.

#include <atomic>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "driver/device.h"
#include "energy/energy.h"
#include "engine/launch.h"
#include "support/units.h"

namespace wanren::driver {

inline constexpr std::uint32_t no_op = ~std::uint32_t{0};

struct StreamState {
  int id = 0;
  bool non_blocking = false;
  bool is_default = false;
  int priority = 0;
  std::uint32_t last_op = no_op;     ///< In the queue, or none pending.
  Picoseconds done;                  ///< End of the last executed op.
  std::vector<std::uint32_t> waits;  ///< Ops that the next op waits for besides last_op.
  Picoseconds not_before;            ///< From events already executed.
};

struct EventState {
  bool timing = true;
  bool recorded = false;
  std::uint32_t op = no_op;  ///< Pending marker, or none.
  Picoseconds time;
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

struct Device::Op {
  enum class Kind : std::uint8_t { kernel, copy, marker, host_function } kind = Kind::marker;
  Stream stream;
  std::vector<std::uint32_t> after;
  Picoseconds not_before;
  // kernel
  engine::Launch launch;
  const lower::MachineProgram* program = nullptr;
  lower::Occupancy occupancy;
  std::uint32_t static_shared_bytes = 0;
  double compile_wall_s = 0;
  // copy, host function
  timing::Copy copy;
  std::function<void()> effect;
  // marker
  Event event;
};

struct Device::Impl {
  explicit Impl(Device& device);

  Device& device;
  mutable std::recursive_mutex mutex;
  std::unique_ptr<energy::Governor> governor;
  std::unique_ptr<timing::Device> timing;  ///< Null with timing off.
  std::vector<std::unique_ptr<Module>> modules;
  std::map<const Function*, std::unique_ptr<FunctionLowered>> lowered;
  std::map<std::string, Prepared> prepared;  ///< By kernel address, shape and flavour.

  std::vector<Op> queue;
  std::vector<Picoseconds> ends;  ///< Of the ops of the last flush, in their order.
  std::vector<std::weak_ptr<StreamState>> streams;
  Stream default_stream;
  int next_stream = 1;
  std::uint64_t next_launch = 0;

  Status sticky = Status::cudaSuccess;
  std::string failure;
  Picoseconds host_now;
  Picoseconds device_end;
  double begin_wall_s = 0;
  report::Run run;
  bool finished = false;
  int executing = 0;  ///< Depth of flush(): host functions may call back into the API.

  Stream resolve(const Stream& stream) const { return stream ? stream : default_stream; }
  /// Adds the op behind everything its stream must wait for; may flush.
  Status enqueue(Op op);
  Status flush();
  void execute_untimed(std::vector<Op>& ops);
  void execute_timed(std::vector<Op>& ops);
  void settle(Op& op, Picoseconds begin, Picoseconds end);
  /// The engine could not start a grid.
  void refuse(const Error& error);
  void note_fault(const engine::FaultReport& fault);
  void wait_until(Picoseconds time);
  void charge_us(double microseconds);
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

/// The report's entry for one executed launch.
report::KernelRecord make_record(const chip::Spec& chip, const engine::Launch& launch,
                                 const lower::MachineProgram* program, const lower::Occupancy& occupancy,
                                 const engine::Execution& execution, const timing::Timed* timed);

}  // namespace wanren::driver
