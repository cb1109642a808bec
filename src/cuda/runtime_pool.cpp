// Stream-ordered memory pools. Memory goes back to the device once the host has waited for the free, whatever
// the release threshold: the arena hands out pages lazily, so keeping it would save nothing.

#include <algorithm>
#include <map>
#include <mutex>

#include "cuda/runtime.h"

struct CUmemPoolHandle_st {
  bool is_default = false;
  cudaMemAccessFlags access = cudaMemAccessFlagsProtReadWrite;
  std::map<cudaMemPoolAttr, unsigned long long> settings;
  unsigned long long used = 0, used_high = 0;
};

using namespace wanren;
using namespace wanren::cuda;

namespace {

struct Pools {
  std::mutex mutex;
  CUmemPoolHandle_st* standard = new CUmemPoolHandle_st{.is_default = true, .settings = {}};
  CUmemPoolHandle_st* current = standard;
  std::map<void*, std::pair<CUmemPoolHandle_st*, size_t>> blocks;  ///< What came from which pool.
};
Pools& pools() {
  static auto* all = new Pools;  // Outlives static destructors.
  return *all;
}

}  // namespace

extern "C" {

cudaError_t cudaMallocFromPoolAsync(void** pointer, size_t bytes, cudaMemPool_t pool, cudaStream_t stream) {
  if (pool == nullptr || pointer == nullptr) return note(cudaErrorInvalidValue);
  if (CapturePoint* point = capturing(stream)) {
    cudaMemAllocNodeParams parameters{};
    parameters.bytesize = bytes;
    cudaGraphNode_t node = nullptr;
    const cudaError_t error = cudaGraphAddMemAllocNode(&node, point->capture->graph.get(), point->tail.data(),
                                                       point->tail.size(), &parameters);
    if (error != cudaSuccess) return error;
    point->tail = {node};
    *pointer = parameters.dptr;
    return cudaSuccess;
  }
  WR_DEVICE(device);
  const driver::Status allocated = device->allocate_async(bytes, pointer, stream_of(stream));
  if (allocated != driver::Status::cudaSuccess) return note(allocated);
  std::lock_guard lock(pools().mutex);
  pools().blocks[*pointer] = {pool, bytes};
  pool->used += bytes;
  pool->used_high = std::max(pool->used_high, pool->used);
  return cudaSuccess;
}

cudaError_t cudaMallocAsync(void** pointer, size_t bytes, cudaStream_t stream) {
  return cudaMallocFromPoolAsync(pointer, bytes, pools().current, stream);
}

cudaError_t cudaFreeAsync(void* pointer, cudaStream_t stream) {
  if (CapturePoint* point = capturing(stream)) {
    cudaGraphNode_t node = nullptr;
    const cudaError_t error = cudaGraphAddMemFreeNode(&node, point->capture->graph.get(), point->tail.data(),
                                                      point->tail.size(), pointer);
    if (error == cudaSuccess) point->tail = {node};
    return error;
  }
  {
    std::lock_guard lock(pools().mutex);
    if (const auto it = pools().blocks.find(pointer); it != pools().blocks.end()) {
      it->second.first->used -= it->second.second;
      pools().blocks.erase(it);
    }
  }
  if (GraphMemory::find(pointer)) return cudaFree(pointer);
  WR_DEVICE(device);
  return note(device->free_async(pointer, stream_of(stream)));
}

cudaError_t cudaDeviceGetDefaultMemPool(cudaMemPool_t* pool, int index) {
  if (pool == nullptr) return note(cudaErrorInvalidValue);
  if (index != 0) return note(cudaErrorInvalidDevice);
  *pool = pools().standard;
  return cudaSuccess;
}

cudaError_t cudaDeviceGetMemPool(cudaMemPool_t* pool, int index) {
  if (pool == nullptr) return note(cudaErrorInvalidValue);
  if (index != 0) return note(cudaErrorInvalidDevice);
  std::lock_guard lock(pools().mutex);
  *pool = pools().current;
  return cudaSuccess;
}

cudaError_t cudaDeviceSetMemPool(int index, cudaMemPool_t pool) {
  if (pool == nullptr) return note(cudaErrorInvalidValue);
  if (index != 0) return note(cudaErrorInvalidDevice);
  std::lock_guard lock(pools().mutex);
  pools().current = pool;
  return cudaSuccess;
}

cudaError_t cudaMemPoolCreate(cudaMemPool_t* pool, const cudaMemPoolProps* properties) {
  if (pool == nullptr || properties == nullptr) return note(cudaErrorInvalidValue);
  if (properties->handleTypes != cudaMemHandleTypeNone) return note(cudaErrorNotSupported);
  if (properties->location.type != cudaMemLocationTypeDevice || properties->location.id != 0)
    return note(cudaErrorInvalidDevice);
  *pool = new CUmemPoolHandle_st;
  return cudaSuccess;
}

cudaError_t cudaMemPoolDestroy(cudaMemPool_t pool) {
  if (pool == nullptr || pool->is_default) return note(cudaErrorInvalidValue);
  std::lock_guard lock(pools().mutex);
  if (pools().current == pool) pools().current = pools().standard;
  // Blocks in use outlive the pool.
  std::erase_if(pools().blocks, [&](const auto& entry) { return entry.second.first == pool; });
  delete pool;
  return cudaSuccess;
}

cudaError_t cudaMemPoolTrimTo(cudaMemPool_t pool, size_t) {
  return pool != nullptr ? cudaSuccess : note(cudaErrorInvalidValue);
}

cudaError_t cudaMemPoolSetAttribute(cudaMemPool_t pool, cudaMemPoolAttr attribute, void* value) {
  if (pool == nullptr || value == nullptr) return note(cudaErrorInvalidValue);
  std::lock_guard lock(pools().mutex);
  switch (attribute) {
    case cudaMemPoolReuseFollowEventDependencies:
    case cudaMemPoolReuseAllowOpportunistic:
    case cudaMemPoolReuseAllowInternalDependencies:
      pool->settings[attribute] = static_cast<unsigned long long>(*static_cast<int*>(value));
      return cudaSuccess;
    case cudaMemPoolAttrReleaseThreshold:
      pool->settings[attribute] = *static_cast<unsigned long long*>(value);
      return cudaSuccess;
    case cudaMemPoolAttrReservedMemHigh:
    case cudaMemPoolAttrUsedMemHigh:
      // The high-water marks can be reset only.
      if (*static_cast<unsigned long long*>(value) != 0) return note(cudaErrorInvalidValue);
      pool->used_high = pool->used;
      return cudaSuccess;
    default: return note(cudaErrorInvalidValue);
  }
}

cudaError_t cudaMemPoolGetAttribute(cudaMemPool_t pool, cudaMemPoolAttr attribute, void* value) {
  if (pool == nullptr || value == nullptr) return note(cudaErrorInvalidValue);
  std::lock_guard lock(pools().mutex);
  auto& wide = *static_cast<unsigned long long*>(value);
  switch (attribute) {
    case cudaMemPoolReuseFollowEventDependencies:
    case cudaMemPoolReuseAllowOpportunistic:
    case cudaMemPoolReuseAllowInternalDependencies: {
      const auto it = pool->settings.find(attribute);
      *static_cast<int*>(value) = it == pool->settings.end() ? 1 : static_cast<int>(it->second);
      return cudaSuccess;
    }
    case cudaMemPoolAttrReleaseThreshold: wide = pool->settings[attribute]; return cudaSuccess;
    case cudaMemPoolAttrReservedMemCurrent:
    case cudaMemPoolAttrUsedMemCurrent: wide = pool->used; return cudaSuccess;
    case cudaMemPoolAttrReservedMemHigh:
    case cudaMemPoolAttrUsedMemHigh: wide = pool->used_high; return cudaSuccess;
    default: return note(cudaErrorInvalidValue);
  }
}

cudaError_t cudaMemPoolSetAccess(cudaMemPool_t pool, const cudaMemAccessDesc* list, size_t count) {
  if (pool == nullptr || (list == nullptr && count != 0)) return note(cudaErrorInvalidValue);
  for (size_t i = 0; i < count; ++i) {
    if (list[i].location.type != cudaMemLocationTypeDevice || list[i].location.id != 0)
      return note(cudaErrorInvalidDevice);
    // The device that owns a pool keeps its access.
    if (list[i].flags != cudaMemAccessFlagsProtReadWrite) return note(cudaErrorInvalidValue);
  }
  return cudaSuccess;
}

cudaError_t cudaMemPoolGetAccess(cudaMemAccessFlags* flags, cudaMemPool_t pool, cudaMemLocation* location) {
  if (flags == nullptr || pool == nullptr || location == nullptr) return note(cudaErrorInvalidValue);
  *flags = location->type == cudaMemLocationTypeDevice && location->id == 0 ? pool->access
                                                                            : cudaMemAccessFlagsProtNone;
  return cudaSuccess;
}

}  // extern "C"
