#pragma once
// Stream-ordered memory pools. Memory goes back to the device once the host has waited for the free, whatever
// the release threshold: the arena hands out pages lazily, so keeping it would save nothing.

#include <cstdint>
#include <map>

#include "driver/device.h"

namespace wanren::driver {

/// The numbers are those of both APIs' attributes.
enum class PoolAttribute : int {
  reuse_follow_event_dependencies = 1,
  reuse_allow_opportunistic = 2,
  reuse_allow_internal_dependencies = 3,
  release_threshold = 4,
  reserved_current = 5,
  reserved_high = 6,
  used_current = 7,
  used_high = 8
};

class Pool {
 public:
  explicit Pool(Device& device, bool is_default = false)
      : device_(device), domain_(device.add_domain()), is_default_(is_default) {}

  Device& device() const { return device_; }
  bool is_default() const { return is_default_; }
  /// What other devices may touch it is the domain's matter, see Device::grant.
  int domain() const { return domain_; }
  /// Attributes up to reuse_allow_internal_dependencies are an int, the others 64 bits wide.
  Status set(PoolAttribute attribute, const void* value);
  Status get(PoolAttribute attribute, void* value) const;

 private:
  friend struct Pools;
  Device& device_;
  int domain_;
  bool is_default_;
  std::map<PoolAttribute, std::uint64_t> settings_;
  std::uint64_t used_ = 0, used_high_ = 0;
};

Pool& default_pool(Device& device);
/// What allocations that name no pool come from.
Pool& current_pool(Device& device);
void set_current_pool(Device& device, Pool* pool);
Pool* create_pool(Device& device);
/// False: not a pool that create_pool made. Blocks in use outlive it.
bool destroy_pool(Pool* pool);
bool is_pool(const void* handle);

/// In stream order; while the stream captures, a node of its graph.
Status allocate_from_pool(Pool& pool, std::size_t bytes, const Stream& stream, void** pointer);
Status free_async(Device& device, void* pointer, const Stream& stream);
/// Frees at once what allocations, pools or graphs gave.
Status free_memory(Device& device, void* pointer);
/// The pool that the block came from, or null.
Pool* pool_of_block(void* pointer);
/// A block that somebody else frees.
void forget_block(void* pointer);

}  // namespace wanren::driver
