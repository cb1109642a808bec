// Both APIs: what a pointer points to.

#include <cstring>

#include "cuda/driver_api.h"
#include "driver/pool.h"

namespace wanren::cuda {

void* device_side(const engine::Arena::Allocation& found, const void* pointer) {
  const auto* const at = static_cast<const char*>(pointer);
  const auto* const host = static_cast<const char*>(found.host);
  const bool is_host = found.kind == engine::Arena::Kind::registered && at >= host && at < host + found.bytes;
  return static_cast<char*>(found.base) + (at - static_cast<const char*>(is_host ? found.host : found.base));
}

}  // namespace wanren::cuda

using namespace wanren;
using namespace wanren::cuda;

namespace {

/// Where the host sees what the pointer points to; null: nowhere.
void* host_side(const engine::Arena::Allocation& found, bool managed, void* pointer) {
  if (found.kind == engine::Arena::Kind::device) return managed ? pointer : nullptr;
  if (found.kind == engine::Arena::Kind::host) return pointer;
  const auto offset = static_cast<char*>(device_side(found, pointer)) - static_cast<const char*>(found.base);
  return static_cast<char*>(found.host) + offset;
}

/// What kernels of `device` may do with memory of the owner.
unsigned access_of(const engine::Arena::Allocation& found, driver::Device& device, driver::Device& owner,
                   bool managed) {
  if (found.physical != nullptr) {
    const auto mapped = device.arena().virtual_memory().find(found.base);
    const auto grant = mapped ? mapped->grants.find(device.index()) : decltype(mapped->grants.end()){};
    if (!mapped || grant == mapped->grants.end()) return CU_MEM_ACCESS_FLAGS_PROT_NONE;
    return grant->second == engine::VirtualMemory::Access::read_write ? CU_MEM_ACCESS_FLAGS_PROT_READWRITE
           : grant->second == engine::VirtualMemory::Access::read     ? CU_MEM_ACCESS_FLAGS_PROT_READ
                                                                      : CU_MEM_ACCESS_FLAGS_PROT_NONE;
  }
  const bool reached = found.kind != engine::Arena::Kind::device || managed || &device == &owner ||
                       owner.granted(found.domain, device);
  return reached ? CU_MEM_ACCESS_FLAGS_PROT_READWRITE : CU_MEM_ACCESS_FLAGS_PROT_NONE;
}

template <class T>
CUresult give(void* data, T value) {
  std::memcpy(data, &value, sizeof value);
  return CUDA_SUCCESS;
}

}  // namespace

extern "C" {

CUresult cuPointerGetAttribute(void* data, CUpointer_attribute attribute, CUdeviceptr address) {
  if (data == nullptr) return invalid_value;
  WR_CURRENT(device);
  void* const pointer = pointer_of(address);
  const auto found = device->arena().find(pointer);
  if (!found) return invalid_value;
  driver::Device& owner = driver::Process::made()->owner_of(pointer, *device);
  const bool on_device = found->kind == engine::Arena::Kind::device;
  const bool managed = device->is_managed(pointer);
  switch (attribute) {
    case CU_POINTER_ATTRIBUTE_CONTEXT: return give(data, handle_of(&driver::primary_context(owner)));
    case CU_POINTER_ATTRIBUTE_MEMORY_TYPE:
      return give<unsigned>(data, on_device ? CU_MEMORYTYPE_DEVICE : CU_MEMORYTYPE_HOST);
    case CU_POINTER_ATTRIBUTE_DEVICE_POINTER: return give(data, address_of(device_side(*found, pointer)));
    case CU_POINTER_ATTRIBUTE_HOST_POINTER: {
      void* const host = host_side(*found, managed, pointer);
      return host != nullptr ? give(data, host) : invalid_value;
    }
    // Copies that the host does not wait for it does not wait for, however the memory is marked.
    case CU_POINTER_ATTRIBUTE_SYNC_MEMOPS: return give<unsigned>(data, 0);
    case CU_POINTER_ATTRIBUTE_BUFFER_ID:
    case CU_POINTER_ATTRIBUTE_MEMORY_BLOCK_ID: {
      const std::uint64_t id = device->allocation_id(pointer);
      return id != 0 ? give(data, id) : CUDA_ERROR_NOT_SUPPORTED;
    }
    case CU_POINTER_ATTRIBUTE_IS_MANAGED: return give<unsigned>(data, managed);
    case CU_POINTER_ATTRIBUTE_DEVICE_ORDINAL: return give(data, owner.index());
    case CU_POINTER_ATTRIBUTE_RANGE_START_ADDR: return give(data, address_of(found->base));
    case CU_POINTER_ATTRIBUTE_RANGE_SIZE: return give<size_t>(data, found->bytes);
    case CU_POINTER_ATTRIBUTE_MAPPED: return give<unsigned>(data, 1);
    case CU_POINTER_ATTRIBUTE_ALLOWED_HANDLE_TYPES:
      return give<unsigned long long>(data, found->physical != nullptr
                                                ? CU_MEM_HANDLE_TYPE_POSIX_FILE_DESCRIPTOR
                                                : CU_MEM_HANDLE_TYPE_NONE);
    case CU_POINTER_ATTRIBUTE_ACCESS_FLAGS: return give(data, access_of(*found, *device, owner, managed));
    case CU_POINTER_ATTRIBUTE_MEMPOOL_HANDLE: return give(data, driver::pool_of_block(found->base));
    case CU_POINTER_ATTRIBUTE_MAPPING_SIZE: return give<size_t>(data, found->bytes);
    case CU_POINTER_ATTRIBUTE_MAPPING_BASE_ADDR: return give(data, address_of(found->base));
    case CU_POINTER_ATTRIBUTE_IS_LEGACY_CUDA_IPC_CAPABLE:
    case CU_POINTER_ATTRIBUTE_IS_GPU_DIRECT_RDMA_CAPABLE:
    case CU_POINTER_ATTRIBUTE_IS_HW_DECOMPRESS_CAPABLE: return give<unsigned>(data, 0);
    case CU_POINTER_ATTRIBUTE_P2P_TOKENS: return CUDA_ERROR_NOT_SUPPORTED;
  }
  return invalid_value;
}

// Attributes that the pointer has not are null, as CUDA has it.
CUresult cuPointerGetAttributes(unsigned int count, CUpointer_attribute* attributes, void** data,
                                CUdeviceptr pointer) {
  if (attributes == nullptr || data == nullptr) return invalid_value;
  WR_CURRENT(device);
  for (unsigned i = 0; i < count; ++i) {
    const CUresult error = cuPointerGetAttribute(data[i], attributes[i], pointer);
    if (error == CUDA_ERROR_NOT_SUPPORTED) return error;
    if (error == CUDA_SUCCESS) continue;
    switch (attributes[i]) {
      case CU_POINTER_ATTRIBUTE_DEVICE_ORDINAL: give(data[i], CU_DEVICE_INVALID); break;
      case CU_POINTER_ATTRIBUTE_MEMORY_TYPE:
      case CU_POINTER_ATTRIBUTE_SYNC_MEMOPS:
      case CU_POINTER_ATTRIBUTE_IS_MANAGED:
      case CU_POINTER_ATTRIBUTE_MAPPED:
      case CU_POINTER_ATTRIBUTE_ACCESS_FLAGS:
      case CU_POINTER_ATTRIBUTE_IS_LEGACY_CUDA_IPC_CAPABLE:
      case CU_POINTER_ATTRIBUTE_IS_GPU_DIRECT_RDMA_CAPABLE:
      case CU_POINTER_ATTRIBUTE_IS_HW_DECOMPRESS_CAPABLE: give<unsigned>(data[i], 0); break;
      default: give<CUdeviceptr>(data[i], 0);
    }
  }
  return CUDA_SUCCESS;
}

cudaError_t cudaPointerGetAttributes(cudaPointerAttributes* attributes, const void* given) {
  if (attributes == nullptr) return note(cudaErrorInvalidValue);
  WR_DEVICE(device);
  std::memset(attributes, 0, sizeof *attributes);
  void* const pointer = const_cast<void*>(given);
  const auto found = device->arena().find(pointer);
  if (!found) {
    attributes->type = cudaMemoryTypeUnregistered;
    attributes->device = -2;
    attributes->hostPointer = pointer;
    return cudaSuccess;
  }
  const bool managed = device->is_managed(pointer);
  attributes->device = driver::Process::made()->owner_of(pointer, *device).index();
  attributes->type = managed                                      ? cudaMemoryTypeManaged
                     : found->kind == engine::Arena::Kind::device ? cudaMemoryTypeDevice
                                                                  : cudaMemoryTypeHost;
  attributes->devicePointer = device_side(*found, pointer);
  attributes->hostPointer = host_side(*found, managed, pointer);
  return cudaSuccess;
}

}  // extern "C"
