#pragma once
// All memory that device code can reach, in one reserved range of host addresses whose size is a
// power of two and whose base is a multiple of it. A device pointer is a host address inside it.
//
//   [0, 1 GiB)   never mapped: NULL plus an offset faults
//   device       cudaMalloc and what programs map; 2 MiB granules, small allocations share granules
//   heap         device-side malloc
//   host         pinned and registered host memory
//   parameters   one buffer per live launch
//   shared       one window per resident CTA, 2 GiB of inaccessible reserve between two windows
//   local        one area per resident CTA, likewise
//
// Pages without an allocation are inaccessible. Offsets (DeviceAddress) depend on allocation order only.

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <vector>

#include "engine/range_allocator.h"
#include "engine/virtual_memory.h"
#include "support/result.h"
#include "support/units.h"

namespace wanren::engine {

class DeviceRuntime;

/// What a CTA occupies while it is resident.
struct Window {
  std::uint32_t index = 0;
  std::uint8_t* shared = nullptr;  ///< Host address of shared offset 0.
  std::uint8_t* local = nullptr;   ///< Frames of the CTA's warps, one after the other.
};

class Arena {
 public:
  struct Limits {
    std::uint64_t capacity_bytes = std::uint64_t{32} << 30;  ///< Of the virtual chip.
    std::uint64_t host_bytes = 0;  ///< 0: WANREN_MEMORY_LIMIT, else 80 % of what the host has available.
  };
  enum class Kind : std::uint8_t { device, host, registered };
  struct Allocation {
    Kind kind = Kind::device;
    void* base = nullptr;     ///< As device code sees it.
    std::uint64_t bytes = 0;  ///< As requested.
    void* host = nullptr;     ///< As the host sees it; differs from base if registered.
    Physical physical;        ///< What is mapped there, if the program mapped it itself.
    int domain = -1;          ///< Of device memory that allocate() gave.
  };
  /// Device memory in whole granules: of one domain, or one mapping of the program's.
  struct Region {
    std::uint64_t begin, bytes;
    int domain;  ///< -1: mapped.
    Physical physical;
    VirtualMemory::Grants grants;  ///< Of a mapping.
  };

  static constexpr std::uint64_t granule_bytes = std::uint64_t{2} << 20;
  static constexpr std::uint64_t minimum_bytes = 512;
  static constexpr std::uint64_t shared_window_bytes = std::uint64_t{2} << 20;
  static constexpr std::uint64_t local_window_bytes = std::uint64_t{512} << 20;
  static constexpr std::uint64_t reserve_bytes = std::uint64_t{2} << 30;
  /// Inaccessible on either side of the arena: device code adds small constants after masking.
  static constexpr std::uint64_t fence_bytes = std::uint64_t{2} << 20;
  static constexpr std::uint64_t parameter_slot_bytes = std::uint64_t{64} << 10;

  /// Errors: no address space, WANREN_MEMORY_LIMIT malformed.
  static Result<std::unique_ptr<Arena>> create(const Limits& limits);
  ~Arena();
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;

  /// `bytes` > 0 of device memory, zero at first touch, 512-byte aligned (256 as CUDA promises). Memory of
  /// different domains lies in different granules, so that protect() can tell them apart.
  /// Errors (distinct): the chip's memory is full; the host's limit is reached; no address space.
  Result<void*> allocate(std::uint64_t bytes, int domain = 0);
  /// Errors: not the base of a live allocation.
  Result<void> release(void* base);

  /// Pinned host memory that host and device reach by the same pointer. Errors: host limit.
  Result<void*> allocate_host(std::uint64_t bytes);
  Result<void> release_host(void* base);

  /// Makes existing host memory visible inside the arena and returns the device's pointer to `host`.
  /// Ranges may share a page. engine/host_memory.h says what becomes of the pages.
  /// Errors: not plain readable and writable memory, on a stack, or overlapping an earlier range.
  Result<void*> map_host(void* host, std::uint64_t bytes);
  /// Also after the program has unmapped `host`. Errors: not the start of registered memory.
  Result<void> unmap_host(void* host);

  /// The live allocation that `pointer` (device's or, if registered, host's) lies in.
  std::optional<Allocation> find(const void* pointer) const;
  /// Every live allocation, ascending.
  std::vector<Allocation> allocations() const;
  /// All device memory, ascending; neighbours of one domain are one region.
  std::vector<Region> regions() const;
  /// What code may do with the region from now on.
  void protect(const Region& region, VirtualMemory::Access access);

  /// Memory whose addresses the program manages; find() knows the accessible part of it.
  VirtualMemory& virtual_memory() { return virtual_; }

  bool contains(const void* pointer) const { return offset(pointer) < bytes_ && inside(pointer); }
  std::uint64_t offset(const void* pointer) const {
    return reinterpret_cast<std::uint64_t>(pointer) & (bytes_ - 1);
  }
  DeviceAddress to_device(const void* pointer) const { return DeviceAddress(offset(pointer)); }
  void* to_host(DeviceAddress address) const {
    return reinterpret_cast<void*>(base_ | (address.value & (bytes_ - 1)));
  }
  std::uint64_t base() const { return base_; }
  std::uint64_t mask() const { return bytes_ - 1; }
  std::uint64_t guard_bytes() const { return layout_.device; }

  /// Bytes in use and in total, as cudaMemGetInfo counts: in granules.
  std::uint64_t used_bytes() const;
  std::uint64_t capacity_bytes() const { return limits_.capacity_bytes; }
  std::uint64_t host_limit_bytes() const { return limits_.host_bytes; }

  std::uint32_t window_count() const { return layout_.windows; }
  /// Host addresses of all windows' shared memory.
  std::uint64_t windows_begin() const { return base_ + layout_.shared; }
  std::uint64_t windows_bytes() const { return layout_.windows * (reserve_bytes + shared_window_bytes); }
  /// Somebody who keeps windows at hand for CTAs to come, and gives them up when another needs one.
  class WindowHolder {
   public:
    virtual ~WindowHolder() = default;
    virtual void release_idle_windows() = 0;
  };
  void add_holder(WindowHolder* holder);
  void remove_holder(WindowHolder* holder);
  /// A free window with exactly these bytes accessible (rounded up to pages).
  /// Errors: none is free, even with holders asked; more bytes than a window has; the host refuses to map.
  Result<Window> acquire_window(std::uint64_t shared_bytes, std::uint64_t local_bytes);
  void release_window(const Window& window);
  /// Takes the window's shared memory out of device code's reach, or gives it back.
  void seal_shared(const Window& window, bool sealed);

  /// Copies a launch's parameters into the arena. Errors: too many live launches.
  Result<std::uint8_t*> acquire_parameters(std::span<const std::byte> parameters);
  void release_parameters(std::uint8_t* buffer);

  /// Region of device-side malloc, nothing mapped.
  std::uint8_t* heap_begin() const { return at(layout_.heap); }
  std::uint64_t heap_room_bytes() const { return layout_.host - layout_.heap; }
  /// Makes [begin, begin + bytes) of the arena readable and writable, or inaccessible and empty again.
  bool commit(void* begin, std::uint64_t bytes);
  void decommit(void* begin, std::uint64_t bytes);

  /// Device printf, malloc: what device code asks of the system.
  DeviceRuntime& runtime() { return *runtime_; }

 private:
  friend class VirtualMemory;
  struct Layout {
    std::uint64_t device, heap, host, parameters, shared, local;
    std::uint32_t windows;
  };
  struct Block {
    std::uint64_t bytes;  ///< As requested.
    std::uint64_t taken;  ///< Of the range allocator.
    Kind kind;
    std::uint64_t host;  ///< registered: address that the host uses.
    bool pooled;
    int domain = -1;
  };
  struct Granule {
    std::uint32_t live = 0;  ///< Allocations that touch it.
    int domain;
  };
  struct WindowState {
    std::uint64_t shared_bytes = 0, local_bytes = 0;
  };

  Arena(std::uint64_t base, std::uint64_t bytes, const Limits& limits);
  bool inside(const void* pointer) const {
    return (reinterpret_cast<std::uint64_t>(pointer) & ~mask()) == base_;
  }
  std::uint8_t* at(std::uint64_t offset) const { return reinterpret_cast<std::uint8_t*>(base_ + offset); }
  Result<void> charge(std::uint64_t device_bytes, std::uint64_t host_bytes);
  Result<void*> allocate_pooled(std::uint64_t bytes, int domain);

  std::uint64_t base_, bytes_;
  Limits limits_;
  Layout layout_;
  std::unique_ptr<DeviceRuntime> runtime_;

  mutable std::mutex memory_lock_;
  RangeAllocator device_, host_;
  std::map<int, RangeAllocator> pools_;                ///< Free bytes of pool granules, by domain.
  std::map<std::uint64_t, Granule> granules_;          ///< Of the pools.
  std::map<std::uint64_t, Block> blocks_;              ///< By offset.
  std::map<std::uint64_t, std::uint64_t> registered_;  ///< Host address -> offset.
  std::uint64_t device_used_ = 0, host_used_ = 0;
  VirtualMemory virtual_{*this};

  std::mutex holder_lock_;  ///< Taken before window_lock_.
  std::vector<WindowHolder*> holders_;
  std::mutex window_lock_;
  std::vector<WindowState> windows_;
  std::vector<std::uint32_t> free_windows_;  ///< Lowest on top.
  std::vector<std::uint32_t> free_parameters_;
};

/// Bytes of "4096", "512M", "8GiB", "2GB"; K, M, G, T mean powers of 1024.
std::optional<std::uint64_t> parse_bytes(const char* text);

}  // namespace wanren::engine
