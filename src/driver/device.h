#pragma once
// A virtual GPU of this process: streams, events and memory on a modelled timeline. Everything above
// (runtime API, driver API, embedding) goes through this class. Calls may come from any host thread.
//
// With timing on, work is admitted to a simulation of the chip that goes only as far as the host has
// come: a wait takes it to the end of what is waited for, a query to the host's own moment. With timing off,
// work queues until the host waits or asks and is executed in submission order.
// The host's own timeline advances by the modelled cost of API calls and by waits, never by host time.

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "chip/spec.h"
#include "driver/module.h"
#include "driver/status.h"
#include "lower/program.h"
#include "report/record.h"
#include "support/settings.h"
#include "support/units.h"
#include "timing/device.h"

namespace wanren::driver {

struct Advice;
struct Op;
struct Shared;
struct StreamState;
struct EventState;
using Stream = std::shared_ptr<StreamState>;
using Event = std::shared_ptr<EventState>;

struct LaunchRequest {
  Function* function = nullptr;
  Dim3 grid, block, cluster;
  std::uint32_t dynamic_shared_bytes = 0;
  const void* const* arguments = nullptr;  ///< One pointer per kernel parameter, or null with `packed`.
  const void* packed = nullptr;            ///< The parameter buffer itself.
  std::size_t packed_bytes = 0;
  Stream stream;
  bool cooperative = false;
  bool has_cluster = false;      ///< `cluster` is the launch's own wish; else the kernel's holds.
  const void* handle = nullptr;  ///< As the program named the kernel; for graphs' queries.
};

enum class CopyDirection : std::uint8_t {
  host_to_host,
  host_to_device,
  device_to_host,
  device_to_device,
  automatic
};

/// The numbers are CUDA's.
enum class ValueWait : std::uint8_t { at_least = 0, equal = 1, any_bit = 2, any_bit_off = 3 };

/// A rectangle of bytes: `height` rows of `width`, `depth` slices.
struct CopyShape {
  std::size_t width = 0, height = 1, depth = 1;
  std::size_t source_pitch = 0, destination_pitch = 0;
  std::size_t source_slice = 0, destination_slice = 0;
  static CopyShape linear(std::size_t bytes) { return {bytes, 1, 1, bytes, bytes, bytes, bytes}; }
  std::size_t bytes() const { return width * height * depth; }
};

class Device {
 public:
  /// The device's number in this process.
  int index() const { return index_; }
  const chip::Spec& chip() const { return chip_; }
  const Settings& settings() const;
  engine::Arena& arena() const;

  // Other devices.
  /// Whether the chips have links of the same kind, over which kernels of one reach the other's memory.
  bool linked_to(const Device& peer) const;
  /// Kernels of this device may touch the peer's memory, or no longer. Errors: not linked; it is so already.
  Status enable_peer(const Device& peer);
  Status disable_peer(const Device& peer);
  /// Memory of this device that others reach by grant() alone.
  int add_domain();
  Status grant(int domain, const Device& peer, bool access);
  bool granted(int domain, const Device& peer) const;

  // Errors: like CUDA's, a fault in device code sticks to the context.
  Status sticky() const;
  /// Waits, frees what was allocated, gives variables their first values and forgets the fault that stuck.
  /// Pinned memory, streams and events stay. Errors: a fault that nobody had been told of.
  Status reset();

  // Modules.
  Loaded<Module*> load_module(std::vector<std::string> ptx_texts, const std::string& name);
  void unload_module(Module* module);

  // Streams and events. A null Stream is the legacy default stream.
  Stream create_stream(bool non_blocking, int priority);
  Status destroy_stream(const Stream& stream);
  Status synchronize(const Stream& stream);
  Status query(const Stream& stream);
  Status wait_event(const Stream& stream, const Event& event);
  Status synchronize_device();
  Event create_event(bool timing, bool blocking);
  Status record(const Event& event, const Stream& stream);
  Status synchronize(const Event& event);
  Status query(const Event& event);
  Status elapsed_ms(const Event& begin, const Event& end, float& milliseconds);

  // Memory.
  Status allocate(std::size_t bytes, void** pointer);
  /// The same for every device's kernels and the host.
  Status allocate_managed(std::size_t bytes, void** pointer);
  bool is_managed(const void* pointer) const;
  /// Of the device allocation that the pointer lies in, never given twice; 0: in none.
  std::uint64_t allocation_id(const void* pointer) const;
  /// See driver/managed.h. Errors: the range does not lie in one managed allocation.
  Status advise(const void* at, std::size_t bytes, const std::function<void(Advice&)>& how);
  Status advice(const void* at, std::size_t bytes, std::vector<Advice>& pieces) const;
  Status free(void* pointer);
  /// In stream order: memory that the stream has freed at this size is used again without waiting.
  Status allocate_async(std::size_t bytes, void** pointer, const Stream& stream, int domain);
  /// Frees once the stream gets there; the host does not wait.
  Status free_async(void* pointer, const Stream& stream);
  /// Memory without an address, for engine::VirtualMemory to map. `file`: a file of such memory to share, or
  /// -1.
  Status create_physical(std::size_t bytes, int file, engine::Physical* memory);
  /// Takes mappings away when nothing that was submitted needs them any more.
  Status unmap(void* at, std::size_t bytes);
  Status allocate_host(std::size_t bytes, void** pointer);
  Status free_host(void* pointer);
  Status register_host(void* host, std::size_t bytes);
  Status unregister_host(void* host);
  void memory_info(std::size_t& free_bytes, std::size_t& total_bytes) const;
  Status copy(void* destination, const void* source, const CopyShape& shape, CopyDirection direction,
              const Stream& stream, bool asynchronous);
  /// Fills with a value of `element` bytes (1, 2 or 4).
  Status fill(void* destination, std::uint32_t value, unsigned element, const CopyShape& shape,
              const Stream& stream, bool asynchronous);
  Status host_function(const Stream& stream, std::function<void()> function);
  /// What comes behind it in the stream waits until `open`, asked with the device's time, says yes. It is
  /// asked once all before it has ended, again and again, and may submit work through from_device().
  Status gate(const Stream& stream, std::function<bool(Picoseconds)> open);
  /// Work that the device gives itself at this time: the host's timeline takes no part.
  Status from_device(Picoseconds at, const std::function<Status()>& submit);
  /// An integer of 4 or 8 bytes in memory that the device reaches: written or waited for in stream order.
  struct ValueOp {
    bool write = false;
    void* at = nullptr;
    unsigned bytes = 4;
    std::uint64_t value = 0;
    ValueWait wait = ValueWait::at_least;
  };
  Status values(const Stream& stream, std::vector<ValueOp> ops);
  bool is_device_pointer(const void* pointer) const;

  // Kernels.
  Status launch(const LaunchRequest& request);
  /// The host pays for one launch, whatever `submit` queues.
  Status launch_as_one(const std::function<Status()>& submit);
  /// Registers, local and shared memory, as this chip would have them.
  /// `threads`: of the blocks it would be launched with; 1: what the code itself would like.
  Status attributes(Function& function, lower::MachineProgram const** program, std::uint32_t threads = 1);
  /// The chip's limit and the kernel's own; registers do not limit it, code is made to fit.
  int max_threads_per_cta(const Function& function) const;
  lower::Occupancy occupancy(Function& function, std::uint32_t threads, std::uint32_t dynamic_shared_bytes);
  /// The cluster that a launch has: its own, or the kernel's. Errors, logged: they contradict each other, the
  /// chip has no clusters, they are too large or do not divide the grid.
  Status cluster_of(const LaunchRequest& request, Dim3& cluster) const;
  /// Clusters of `ctas` that fit the chip at once, with so many CTAs to a unit. One lies in one of the
  /// chip's.
  std::uint64_t active_clusters(int ctas_per_unit, std::uint64_t ctas) const;
  /// Clusters up to this many CTAs run on every chip that has any; the chip's own limit is the larger one.
  static constexpr std::uint64_t portable_cluster = 8, most_cluster = 16;

  /// Modelled host time in nanoseconds since the device was made; reading it costs a little, so that a
  /// program that polls a clock gets ahead.
  std::uint64_t host_clock_ns();
  /// Charges the modelled cost of one API call to the host's timeline.
  void api_call();

  /// Adds what the device did to the report, with everything that is queued.
  void add_to(report::Run& run);
  /// Writes what device printf has left to standard output.
  void print_device_output();

 private:
  friend class Process;
  Device(chip::Spec chip, Shared& shared, int index);
  /// The chip of this name as the settings change it.
  static Result<chip::Spec> chip_of(const std::string& name, const Settings& settings);
  struct Impl;
  friend struct Impl;

  chip::Spec chip_;
  Shared& shared_;
  int index_;
  std::unique_ptr<Impl> impl_;
};

}  // namespace wanren::driver
