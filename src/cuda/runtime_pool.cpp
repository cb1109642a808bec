// Stream-ordered allocation and its pools.

#include "cuda/runtime.h"
#include "driver/pool.h"

using namespace wanren;
using namespace wanren::cuda;

namespace {

driver::Pool* pool_of(cudaMemPool_t handle) {
  return driver::is_pool(handle) ? reinterpret_cast<driver::Pool*>(handle) : nullptr;
}
cudaMemPool_t handle_of(driver::Pool& pool) {
  return reinterpret_cast<cudaMemPool_t>(&pool);
}

}  // namespace

extern "C" {

cudaError_t cudaMallocFromPoolAsync(void** pointer, size_t bytes, cudaMemPool_t pool, cudaStream_t stream) {
  if (pool_of(pool) == nullptr || pointer == nullptr) return note(cudaErrorInvalidValue);
  return note(driver::allocate_from_pool(*pool_of(pool), bytes, stream_of(stream), pointer));
}

cudaError_t cudaMallocAsync(void** pointer, size_t bytes, cudaStream_t stream) {
  if (pointer == nullptr) return note(cudaErrorInvalidValue);
  WR_DEVICE(device);
  driver::Pool& pool = driver::current_pool(device_of(stream, *device));
  return note(driver::allocate_from_pool(pool, bytes, stream_of(stream), pointer));
}

cudaError_t cudaFreeAsync(void* pointer, cudaStream_t stream) {
  WR_DEVICE(device);
  return note(driver::free_async(device_of(stream, *device), pointer, stream_of(stream)));
}

cudaError_t cudaDeviceGetDefaultMemPool(cudaMemPool_t* pool, int index) {
  if (pool == nullptr) return note(cudaErrorInvalidValue);
  WR_DEVICE_AT(device, index);
  *pool = handle_of(driver::default_pool(*device));
  return cudaSuccess;
}

cudaError_t cudaDeviceGetMemPool(cudaMemPool_t* pool, int index) {
  if (pool == nullptr) return note(cudaErrorInvalidValue);
  WR_DEVICE_AT(device, index);
  *pool = handle_of(driver::current_pool(*device));
  return cudaSuccess;
}

cudaError_t cudaDeviceSetMemPool(int index, cudaMemPool_t pool) {
  WR_DEVICE_AT(device, index);
  if (pool_of(pool) == nullptr || &pool_of(pool)->device() != device) return note(cudaErrorInvalidValue);
  driver::set_current_pool(*device, pool_of(pool));
  return cudaSuccess;
}

cudaError_t cudaMemPoolCreate(cudaMemPool_t* pool, const cudaMemPoolProps* properties) {
  if (pool == nullptr || properties == nullptr) return note(cudaErrorInvalidValue);
  if (properties->handleTypes != cudaMemHandleTypeNone) return note(cudaErrorNotSupported);
  if (properties->location.type != cudaMemLocationTypeDevice) return note(cudaErrorInvalidDevice);
  WR_DEVICE_AT(device, properties->location.id);
  *pool = handle_of(*driver::create_pool(*device));
  return cudaSuccess;
}

cudaError_t cudaMemPoolDestroy(cudaMemPool_t pool) {
  return driver::destroy_pool(reinterpret_cast<driver::Pool*>(pool)) ? cudaSuccess
                                                                     : note(cudaErrorInvalidValue);
}

cudaError_t cudaMemPoolTrimTo(cudaMemPool_t pool, size_t) {
  return pool_of(pool) != nullptr ? cudaSuccess : note(cudaErrorInvalidValue);
}

cudaError_t cudaMemPoolSetAttribute(cudaMemPool_t pool, cudaMemPoolAttr attribute, void* value) {
  if (pool_of(pool) == nullptr || value == nullptr) return note(cudaErrorInvalidValue);
  return note(pool_of(pool)->set(static_cast<driver::PoolAttribute>(attribute), value));
}

cudaError_t cudaMemPoolGetAttribute(cudaMemPool_t pool, cudaMemPoolAttr attribute, void* value) {
  if (pool_of(pool) == nullptr || value == nullptr) return note(cudaErrorInvalidValue);
  return note(pool_of(pool)->get(static_cast<driver::PoolAttribute>(attribute), value));
}

cudaError_t cudaMemPoolSetAccess(cudaMemPool_t pool, const cudaMemAccessDesc* list, size_t count) {
  if (pool_of(pool) == nullptr || (list == nullptr && count != 0)) return note(cudaErrorInvalidValue);
  for (size_t i = 0; i < count; ++i) {
    if (list[i].location.type != cudaMemLocationTypeDevice) return note(cudaErrorInvalidDevice);
    WR_DEVICE_AT(peer, list[i].location.id);
    // A pool is all or nothing: read-only access exists for memory that the program maps itself.
    const bool access = list[i].flags == cudaMemAccessFlagsProtReadWrite;
    if (!access && list[i].flags != cudaMemAccessFlagsProtNone) return note(cudaErrorInvalidValue);
    const driver::Pool& own = *pool_of(pool);
    if (const driver::Status status = own.device().grant(own.domain(), *peer, access);
        status != driver::Status::cudaSuccess)
      return note(status);
  }
  return cudaSuccess;
}

cudaError_t cudaMemPoolGetAccess(cudaMemAccessFlags* flags, cudaMemPool_t pool, cudaMemLocation* location) {
  if (flags == nullptr || pool_of(pool) == nullptr || location == nullptr) return note(cudaErrorInvalidValue);
  if (location->type != cudaMemLocationTypeDevice) return note(cudaErrorInvalidValue);
  WR_DEVICE_AT(peer, location->id);
  *flags = pool_of(pool)->device().granted(pool_of(pool)->domain(), *peer) ? cudaMemAccessFlagsProtReadWrite
                                                                           : cudaMemAccessFlagsProtNone;
  return cudaSuccess;
}

}  // extern "C"
