#include "driver/pool.h"

#include <algorithm>
#include <mutex>
#include <set>

#include "driver/device_impl.h"
#include "driver/graph.h"

namespace wanren::driver {

struct Pools {
  std::recursive_mutex mutex;
  std::map<const Device*, Pool*> standard, current;
  std::set<const void*> live;
  std::map<void*, std::pair<Pool*, std::size_t>> blocks;  ///< What came from which pool.

  static Pools& all() {
    static auto* pools = new Pools;  // Outlives static destructors.
    return *pools;
  }
  void took(Pool& pool, void* pointer, std::size_t bytes) {
    std::lock_guard lock(mutex);
    blocks[pointer] = {&pool, bytes};
    pool.used_ += bytes;
    pool.used_high_ = std::max(pool.used_high_, pool.used_);
  }
  void gave_back(void* pointer) {
    std::lock_guard lock(mutex);
    const auto it = blocks.find(pointer);
    if (it == blocks.end()) return;
    it->second.first->used_ -= it->second.second;
    blocks.erase(it);
  }
};

Status Pool::set(PoolAttribute attribute, const void* value) {
  std::lock_guard lock(Pools::all().mutex);
  switch (attribute) {
    case PoolAttribute::reuse_follow_event_dependencies:
    case PoolAttribute::reuse_allow_opportunistic:
    case PoolAttribute::reuse_allow_internal_dependencies:
      settings_[attribute] = static_cast<std::uint64_t>(*static_cast<const int*>(value));
      return Status::cudaSuccess;
    case PoolAttribute::release_threshold:
      settings_[attribute] = *static_cast<const std::uint64_t*>(value);
      return Status::cudaSuccess;
    case PoolAttribute::reserved_high:
    case PoolAttribute::used_high:
      // The high-water marks can be reset only.
      if (*static_cast<const std::uint64_t*>(value) != 0) return Status::cudaErrorInvalidValue;
      used_high_ = used_;
      return Status::cudaSuccess;
    default: return Status::cudaErrorInvalidValue;
  }
}

Status Pool::get(PoolAttribute attribute, void* value) const {
  std::lock_guard lock(Pools::all().mutex);
  auto& wide = *static_cast<std::uint64_t*>(value);
  const auto it = settings_.find(attribute);
  switch (attribute) {
    case PoolAttribute::reuse_follow_event_dependencies:
    case PoolAttribute::reuse_allow_opportunistic:
    case PoolAttribute::reuse_allow_internal_dependencies:
      *static_cast<int*>(value) = it == settings_.end() ? 1 : static_cast<int>(it->second);
      return Status::cudaSuccess;
    case PoolAttribute::release_threshold:
      wide = it == settings_.end() ? 0 : it->second;
      return Status::cudaSuccess;
    case PoolAttribute::reserved_current:
    case PoolAttribute::used_current: wide = used_; return Status::cudaSuccess;
    case PoolAttribute::reserved_high:
    case PoolAttribute::used_high: wide = used_high_; return Status::cudaSuccess;
  }
  return Status::cudaErrorInvalidValue;
}

Pool& default_pool(Device& device) {
  Pools& pools = Pools::all();
  std::lock_guard lock(pools.mutex);
  Pool*& pool = pools.standard[&device];
  if (pool == nullptr) {
    pool = new Pool(device, true);
    pools.live.insert(pool);
  }
  return *pool;
}

Pool& current_pool(Device& device) {
  Pools& pools = Pools::all();
  std::lock_guard lock(pools.mutex);
  const auto it = pools.current.find(&device);
  return it != pools.current.end() ? *it->second : default_pool(device);
}

void set_current_pool(Device& device, Pool* pool) {
  std::lock_guard lock(Pools::all().mutex);
  Pools::all().current[&device] = pool;
}

Pool* create_pool(Device& device) {
  auto* pool = new Pool(device);
  std::lock_guard lock(Pools::all().mutex);
  Pools::all().live.insert(pool);
  return pool;
}

bool destroy_pool(Pool* pool) {
  Pools& pools = Pools::all();
  std::lock_guard lock(pools.mutex);
  if (!pools.live.contains(pool) || pool->is_default()) return false;
  std::erase_if(pools.current, [&](const auto& entry) { return entry.second == pool; });
  std::erase_if(pools.blocks, [&](const auto& entry) { return entry.second.first == pool; });
  pools.live.erase(pool);
  delete pool;
  return true;
}

bool is_pool(const void* handle) {
  std::lock_guard lock(Pools::all().mutex);
  return Pools::all().live.contains(handle);
}

Status allocate_from_pool(Pool& pool, std::size_t bytes, const Stream& stream, void** pointer) {
  if (CapturePoint* point = capturing(stream)) {
    std::shared_ptr<GraphMemory> memory;
    if (const Status status = GraphMemory::make(pool.device(), bytes, memory); status != Status::cudaSuccess)
      return status;
    *pointer = memory->memory();
    point->add(AllocateCall{std::move(memory)});
    return Status::cudaSuccess;
  }
  if (const Status status = pool.device().allocate_async(bytes, pointer, stream, pool.domain());
      status != Status::cudaSuccess)
    return status;
  if (*pointer != nullptr) Pools::all().took(pool, *pointer, bytes);
  return Status::cudaSuccess;
}

Status free_async(Device& device, void* pointer, const Stream& stream) {
  if (CapturePoint* point = capturing(stream)) {
    std::shared_ptr<GraphMemory> memory = GraphMemory::find(pointer);
    if (memory == nullptr) return Status::cudaErrorInvalidValue;
    memory->freed = true;
    point->add(FreeCall{std::move(memory)});
    return Status::cudaSuccess;
  }
  if (GraphMemory::find(pointer)) return free_memory(device, pointer);
  const Status status = device.free_async(pointer, stream);
  if (status == Status::cudaSuccess) Pools::all().gave_back(pointer);
  return status;
}

Pool* pool_of_block(void* pointer) {
  std::lock_guard lock(Pools::all().mutex);
  const auto it = Pools::all().blocks.find(pointer);
  return it != Pools::all().blocks.end() ? it->second.first : nullptr;
}

void forget_block(void* pointer) {
  Pools::all().gave_back(pointer);
}

Status free_memory(Device& device, void* pointer) {
  if (const auto owned = GraphMemory::find(pointer)) {
    owned->freed = true;
    return device.synchronize_device();
  }
  Pools::all().gave_back(pointer);
  return device.free(pointer);
}

}  // namespace wanren::driver
