// The driver API: addresses and memory that the program manages apart.

#include <unistd.h>

#include <cstring>
#include <map>
#include <mutex>

#include "cuda/driver_api.h"
#include "support/log.h"

using namespace wanren;
using namespace wanren::cuda;

namespace {

using engine::Physical;
using Access = engine::VirtualMemory::Access;

/// What is known of memory as long as a handle or a mapping holds it; its handle is its address.
struct Known {
  std::weak_ptr<engine::PhysicalMemory> memory;
  CUmemAllocationProp properties;
  Physical held;  ///< While there are handles.
  int handles = 0;
};

std::mutex lock;
std::map<CUmemGenericAllocationHandle, Known> known;

CUmemGenericAllocationHandle remember(const Physical& memory, const CUmemAllocationProp& properties) {
  std::lock_guard guard(lock);
  std::erase_if(known, [](const auto& entry) { return entry.second.memory.expired(); });
  const auto handle = reinterpret_cast<CUmemGenericAllocationHandle>(memory.get());
  known[handle] = {memory, properties, memory, 1};
  return handle;
}

/// The memory of a live handle, or null.
Physical memory_of(CUmemGenericAllocationHandle handle) {
  std::lock_guard guard(lock);
  const auto it = known.find(handle);
  return it != known.end() && it->second.handles > 0 ? it->second.held : nullptr;
}

CUmemAllocationProp properties_of(const Physical& memory) {
  std::lock_guard guard(lock);
  return known.at(reinterpret_cast<CUmemGenericAllocationHandle>(memory.get())).properties;
}

CUresult refused(const Error& error) {
  log::warn(error.message());
  return invalid_value;
}

/// The device whose memory the properties describe, or null with `error` set.
driver::Device* device_of(const CUmemAllocationProp* properties, CUresult& error) {
  error = invalid_value;
  if (properties == nullptr || properties->type != CU_MEM_ALLOCATION_TYPE_PINNED) return nullptr;
  if (properties->location.type != CU_MEM_LOCATION_TYPE_DEVICE) {
    log::warn("memory that a program maps itself can be a device's only");
    error = CUDA_ERROR_NOT_SUPPORTED;
    return nullptr;
  }
  if ((properties->requestedHandleTypes & ~CU_MEM_HANDLE_TYPE_POSIX_FILE_DESCRIPTOR) != 0) {
    error = CUDA_ERROR_NOT_SUPPORTED;
    return nullptr;
  }
  return device_number(properties->location.id, error);
}

}  // namespace

extern "C" {

CUresult cuMemGetAllocationGranularity(size_t* granularity, const CUmemAllocationProp* properties,
                                       CUmemAllocationGranularity_flags) {
  if (granularity == nullptr) return invalid_value;
  CUresult error = CUDA_SUCCESS;
  if (device_of(properties, error) == nullptr) return error;
  *granularity = engine::Arena::granule_bytes;
  return CUDA_SUCCESS;
}

CUresult cuMemAddressReserve(CUdeviceptr* pointer, size_t bytes, size_t alignment, CUdeviceptr,
                             unsigned long long flags) {
  if (pointer == nullptr || flags != 0) return invalid_value;
  WR_CURRENT(device);
  const Result<void*> reserved = device->arena().virtual_memory().reserve(bytes, alignment);
  if (!reserved) return refused(reserved.error());
  *pointer = address_of(*reserved);
  return CUDA_SUCCESS;
}

CUresult cuMemAddressFree(CUdeviceptr pointer, size_t bytes) {
  WR_CURRENT(device);
  const Result<void> freed = device->arena().virtual_memory().free(pointer_of(pointer), bytes);
  return freed ? CUDA_SUCCESS : refused(freed.error());
}

CUresult cuMemCreate(CUmemGenericAllocationHandle* handle, size_t bytes,
                     const CUmemAllocationProp* properties, unsigned long long flags) {
  if (handle == nullptr || flags != 0 || bytes == 0 || bytes % engine::Arena::granule_bytes != 0)
    return invalid_value;
  CUresult error = CUDA_SUCCESS;
  driver::Device* device = device_of(properties, error);
  if (device == nullptr) return error;
  Physical memory;
  const driver::Status status = device->create_physical(bytes, -1, &memory);
  if (status == driver::Status::cudaSuccess) *handle = remember(memory, *properties);
  return code(status);
}

CUresult cuMemRelease(CUmemGenericAllocationHandle handle) {
  Physical last;  // Ends without the lock.
  std::lock_guard guard(lock);
  const auto it = known.find(handle);
  if (it == known.end() || it->second.handles == 0) return invalid_value;
  if (--it->second.handles == 0) last = std::move(it->second.held);
  return CUDA_SUCCESS;
}

CUresult cuMemRetainAllocationHandle(CUmemGenericAllocationHandle* handle, void* address) {
  if (handle == nullptr) return invalid_value;
  WR_CURRENT(device);
  const auto mapped = device->arena().virtual_memory().find(address);
  if (!mapped) return invalid_value;
  std::lock_guard guard(lock);
  *handle = reinterpret_cast<CUmemGenericAllocationHandle>(mapped->physical.get());
  Known& entry = known.at(*handle);
  entry.held = mapped->physical;
  ++entry.handles;
  return CUDA_SUCCESS;
}

CUresult cuMemGetAllocationPropertiesFromHandle(CUmemAllocationProp* properties,
                                                CUmemGenericAllocationHandle handle) {
  const Physical memory = memory_of(handle);
  if (properties == nullptr || memory == nullptr) return invalid_value;
  *properties = properties_of(memory);
  return CUDA_SUCCESS;
}

CUresult cuMemMap(CUdeviceptr pointer, size_t bytes, size_t offset, CUmemGenericAllocationHandle handle,
                  unsigned long long flags) {
  if (offset != 0 || flags != 0) return invalid_value;
  WR_CURRENT(device);
  Physical memory = memory_of(handle);
  if (memory == nullptr) return invalid_value;
  const Result<void> mapped =
      device->arena().virtual_memory().map(pointer_of(pointer), bytes, std::move(memory));
  return mapped ? CUDA_SUCCESS : refused(mapped.error());
}

CUresult cuMemUnmap(CUdeviceptr pointer, size_t bytes) {
  WR_CURRENT(device);
  return code(device->unmap(pointer_of(pointer), bytes));
}

CUresult cuMemSetAccess(CUdeviceptr pointer, size_t bytes, const CUmemAccessDesc* list, size_t count) {
  if (list == nullptr || count == 0) return invalid_value;
  WR_CURRENT(device);
  engine::VirtualMemory& space = device->arena().virtual_memory();
  const auto mapped = space.find(pointer_of(pointer));
  if (!mapped) return invalid_value;
  const int own = properties_of(mapped->physical).location.id;
  CUresult error = CUDA_SUCCESS;
  const driver::Device* const owner = device_number(own, error);
  if (owner == nullptr) return error;
  for (size_t i = 0; i < count; ++i) {
    const CUmemLocation& where = list[i].location;
    const driver::Device* const peer =
        where.type == CU_MEM_LOCATION_TYPE_DEVICE ? device_number(where.id, error) : nullptr;
    if (peer == nullptr || (peer != owner && !owner->linked_to(*peer))) return CUDA_ERROR_INVALID_DEVICE;
    Access access = Access::none;
    switch (list[i].flags) {
      case CU_MEM_ACCESS_FLAGS_PROT_NONE: break;
      case CU_MEM_ACCESS_FLAGS_PROT_READ: access = Access::read; break;
      case CU_MEM_ACCESS_FLAGS_PROT_READWRITE: access = Access::read_write; break;
      default: return invalid_value;
    }
    if (const Result<void> set = space.set_access(pointer_of(pointer), bytes, where.id, access); !set)
      return refused(set.error());
  }
  return CUDA_SUCCESS;
}

CUresult cuMemGetAccess(unsigned long long* flags, const CUmemLocation* location, CUdeviceptr pointer) {
  if (flags == nullptr || location == nullptr) return invalid_value;
  WR_CURRENT(device);
  const auto mapped = device->arena().virtual_memory().find(pointer_of(pointer));
  if (!mapped) return invalid_value;
  const auto grant = location->type == CU_MEM_LOCATION_TYPE_DEVICE ? mapped->grants.find(location->id)
                                                                   : mapped->grants.end();
  const Access access = grant != mapped->grants.end() ? grant->second : Access::none;
  *flags = access == Access::none   ? CU_MEM_ACCESS_FLAGS_PROT_NONE
           : access == Access::read ? CU_MEM_ACCESS_FLAGS_PROT_READ
                                    : CU_MEM_ACCESS_FLAGS_PROT_READWRITE;
  return CUDA_SUCCESS;
}

CUresult cuMemExportToShareableHandle(void* shareable, CUmemGenericAllocationHandle handle,
                                      CUmemAllocationHandleType type, unsigned long long flags) {
  const Physical memory = memory_of(handle);
  if (shareable == nullptr || memory == nullptr || flags != 0) return invalid_value;
  if (type != CU_MEM_HANDLE_TYPE_POSIX_FILE_DESCRIPTOR) return CUDA_ERROR_NOT_SUPPORTED;
  if ((properties_of(memory).requestedHandleTypes & type) == 0) return invalid_value;
  const int file = dup(memory->file());
  if (file < 0) return CUDA_ERROR_OPERATING_SYSTEM;
  std::memcpy(shareable, &file, sizeof file);
  return CUDA_SUCCESS;
}

// The file's number comes in place of the pointer.
CUresult cuMemImportFromShareableHandle(CUmemGenericAllocationHandle* handle, void* shareable,
                                        CUmemAllocationHandleType type) {
  if (handle == nullptr) return invalid_value;
  if (type != CU_MEM_HANDLE_TYPE_POSIX_FILE_DESCRIPTOR) return CUDA_ERROR_NOT_SUPPORTED;
  const auto file = static_cast<int>(reinterpret_cast<std::intptr_t>(shareable));
  WR_CURRENT(device);
  if (file < 0) return CUDA_ERROR_INVALID_HANDLE;
  Physical memory;
  const driver::Status status = device->create_physical(0, file, &memory);
  if (status != driver::Status::cudaSuccess) return code(status);
  CUmemAllocationProp properties{};
  properties.type = CU_MEM_ALLOCATION_TYPE_PINNED;
  properties.requestedHandleTypes = CU_MEM_HANDLE_TYPE_POSIX_FILE_DESCRIPTOR;
  properties.location = {CU_MEM_LOCATION_TYPE_DEVICE, device->index()};
  *handle = remember(memory, properties);
  return CUDA_SUCCESS;
}

}  // extern "C"
