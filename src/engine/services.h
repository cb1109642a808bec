#pragma once
// What device code asks of the system: printf, malloc, free, assert.

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "engine/range_allocator.h"
#include "simt/warp_context.h"

namespace wanren::engine {

class Arena;

/// Device-wide state behind the system calls; one per Arena. Thread-safe.
class DeviceRuntime {
 public:
  static constexpr std::uint64_t default_printf_bytes = std::uint64_t{1} << 20;
  static constexpr std::uint64_t default_heap_bytes = std::uint64_t{8} << 20;

  explicit DeviceRuntime(Arena& arena) : arena_(arena) {}

  /// Output of device printf since the last call, in (grid, CTA, order of execution). Once more than the
  /// ring's bytes are pending the oldest lines are lost, as on hardware.
  std::string take_printf();
  void add_printf(std::uint64_t grid, std::uint64_t cta, std::string text);
  void set_printf_bytes(std::uint64_t bytes);
  std::uint64_t printf_bytes() const;

  /// cudaLimitStackSize: local memory per thread for calls of recursive kernels.
  void set_stack_bytes(std::uint32_t bytes) { stack_bytes_ = bytes; }
  std::uint32_t stack_bytes() const { return stack_bytes_; }
  /// cudaLimitMallocHeapSize; false once the heap is in use.
  bool set_heap_bytes(std::uint64_t bytes);
  std::uint64_t heap_bytes() const;
  /// Device malloc: 16-byte aligned; nullptr if the heap has no room.
  void* heap_allocate(std::uint64_t bytes);
  /// False: not a live block.
  bool heap_release(void* block);

  /// Clock of plain runs: goes on from launch to launch.
  std::uint64_t clock() const;
  void advance_clock(std::uint64_t to);

 private:
  struct Line {
    std::uint64_t grid, cta, sequence;
    std::string text;
  };
  Arena& arena_;
  mutable std::mutex lock_;
  std::deque<Line> lines_;
  std::uint64_t lines_made_ = 0;
  std::uint64_t line_bytes_ = 0, printf_bytes_ = default_printf_bytes;
  std::uint64_t heap_bytes_ = default_heap_bytes;
  std::atomic<std::uint32_t> stack_bytes_{simt::default_stack_bytes};
  bool heap_ready_ = false;
  RangeAllocator heap_;
  std::map<std::uint64_t, std::uint64_t> heap_blocks_;
  std::uint64_t clock_ = 0;
};

/// The table for WarpContext::services.
const simt::Services* services();
/// The same, but nothing is printed.
const simt::Services* silent_services();

/// Formats as device printf does: %[flags][width][.precision][size]type. `arguments` is the packed
/// buffer (null: none), `host` maps a pointer that device code made to host memory. `parsed` gets
/// the number of arguments used.
std::string format_printf(const char* format, const std::uint8_t* arguments,
                          const std::function<const char*(std::uint64_t)>& host, int& parsed);

}  // namespace wanren::engine
