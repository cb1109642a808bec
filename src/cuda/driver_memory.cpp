// The driver API: memory, copies, pools.

#include <algorithm>
#include <cstring>

#include "cuda/arrays.h"
#include "cuda/batch.h"
#include "cuda/driver_api.h"
#include "driver/pool.h"

using namespace wanren;
using namespace wanren::cuda;

namespace {

CUresult copy(void* to, const void* from, const driver::CopyShape& shape, driver::CopyDirection direction,
              CUstream stream, bool asynchronous) {
  WR_CURRENT(device);
  const driver::Status status =
      device_of(stream, *device).copy(to, from, shape, direction, stream_of(stream), asynchronous);
  if (!asynchronous) device->print_device_output();
  return code(status);
}

CUresult copy_linear(void* to, const void* from, size_t bytes, driver::CopyDirection direction,
                     CUstream stream, bool asynchronous) {
  return copy(to, from, driver::CopyShape::linear(bytes), direction, stream, asynchronous);
}

CUresult fill(CUdeviceptr to, size_t pitch, unsigned value, unsigned element, size_t width, size_t height,
              CUstream stream, bool asynchronous) {
  WR_CURRENT(device);
  driver::CopyShape shape;
  shape.width = width * element;
  shape.height = height;
  shape.destination_pitch = shape.source_pitch = height > 1 ? pitch : shape.width;
  shape.destination_slice = shape.source_slice = shape.destination_pitch * height;
  return code(device_of(stream, *device)
                  .fill(pointer_of(to), value, element, shape, stream_of(stream), asynchronous));
}

/// An array as what it is. False: the copy does not lie in it.
bool pitched(const cudaArray* array, size_t x, size_t y, size_t z, const CUDA_MEMCPY3D& p, CUdeviceptr& at,
             size_t& pitch, size_t& rows) {
  if (array == nullptr || !array->holds(x, y, p.WidthInBytes, p.Height) || z > array->slices() ||
      p.Depth > array->slices() - z)
    return false;
  at = address_of(array->memory);
  pitch = array->pitch;
  rows = array->rows();
  return true;
}

/// One side of a 3D copy.
bool side_of(CUmemorytype type, const void* host, CUdeviceptr device, size_t x, size_t y, size_t z,
             size_t pitch, size_t height, const char** at, bool* on_host) {
  const void* base = nullptr;
  switch (type) {
    case CU_MEMORYTYPE_HOST: base = host; break;
    case CU_MEMORYTYPE_DEVICE:
    case CU_MEMORYTYPE_UNIFIED: base = pointer_of(device); break;
    default: return false;
  }
  *on_host = type == CU_MEMORYTYPE_HOST;
  *at = static_cast<const char*>(base) + x + pitch * (y + height * z);
  return true;
}

CUDA_MEMCPY3D as_3d(const CUDA_MEMCPY2D& p) {
  CUDA_MEMCPY3D all{};
  all.srcXInBytes = p.srcXInBytes;
  all.srcY = p.srcY;
  all.srcMemoryType = p.srcMemoryType;
  all.srcHost = p.srcHost;
  all.srcDevice = p.srcDevice;
  all.srcArray = p.srcArray;
  all.srcPitch = p.srcPitch;
  all.dstXInBytes = p.dstXInBytes;
  all.dstY = p.dstY;
  all.dstMemoryType = p.dstMemoryType;
  all.dstHost = p.dstHost;
  all.dstDevice = p.dstDevice;
  all.dstArray = p.dstArray;
  all.dstPitch = p.dstPitch;
  all.WidthInBytes = p.WidthInBytes;
  all.Height = p.Height;
  all.Depth = 1;
  return all;
}

CUresult copy_3d(const CUDA_MEMCPY3D* parameters, CUstream stream, bool asynchronous) {
  driver::CopyCall call;
  if (const CUresult error = copy_call(parameters, call); error != CUDA_SUCCESS) return error;
  return copy(call.to, call.from, call.shape, call.direction, stream, asynchronous);
}

CUresult copy_2d(const CUDA_MEMCPY2D* parameters, CUstream stream, bool asynchronous) {
  if (parameters == nullptr) return invalid_value;
  const CUDA_MEMCPY3D all = as_3d(*parameters);
  return copy_3d(&all, stream, asynchronous);
}

/// The context stands where a copy of one device's has nothing.
CUresult without_contexts(const CUDA_MEMCPY3D_PEER* p, CUDA_MEMCPY3D& plain) {
  if (p == nullptr) return invalid_value;
  for (CUcontext context : {p->srcContext, p->dstContext})
    if (context != nullptr && !driver::is_context(context_of(context))) return CUDA_ERROR_INVALID_CONTEXT;
  static_assert(sizeof *p == sizeof plain);
  std::memcpy(&plain, p, sizeof plain);
  plain.reserved0 = plain.reserved1 = nullptr;
  return CUDA_SUCCESS;
}

driver::Pool* pool_of(CUmemoryPool handle) {
  return driver::is_pool(handle) ? reinterpret_cast<driver::Pool*>(handle) : nullptr;
}

CUresult allocate(driver::Pool& pool, size_t bytes, CUstream stream, CUdeviceptr* pointer) {
  if (pointer == nullptr || bytes == 0) return invalid_value;
  void* allocated = nullptr;
  const driver::Status status = driver::allocate_from_pool(pool, bytes, stream_of(stream), &allocated);
  *pointer = address_of(allocated);
  return code(status);
}

}  // namespace

namespace wanren::cuda {

CUresult copy_call(const CUDA_MEMCPY3D* given, driver::CopyCall& call) {
  if (given == nullptr) return invalid_value;
  CUDA_MEMCPY3D plain = *given;
  const bool from_array = plain.srcMemoryType == CU_MEMORYTYPE_ARRAY,
             to_array = plain.dstMemoryType == CU_MEMORYTYPE_ARRAY;
  // Arrays are pitched memory.
  if (from_array && !pitched(array_of(plain.srcArray), plain.srcXInBytes, plain.srcY, plain.srcZ, plain,
                             plain.srcDevice, plain.srcPitch, plain.srcHeight))
    return invalid_value;
  if (to_array && !pitched(array_of(plain.dstArray), plain.dstXInBytes, plain.dstY, plain.dstZ, plain,
                           plain.dstDevice, plain.dstPitch, plain.dstHeight))
    return invalid_value;
  if (from_array) plain.srcMemoryType = CU_MEMORYTYPE_DEVICE;
  if (to_array) plain.dstMemoryType = CU_MEMORYTYPE_DEVICE;
  const CUDA_MEMCPY3D* const p = &plain;
  const char *from = nullptr, *to = nullptr;
  bool from_host = false, to_host = false;
  driver::CopyShape& shape = call.shape;
  shape = {p->WidthInBytes, p->Height, p->Depth};
  const size_t rows = p->Depth > 1 ? 0 : p->Height;
  const size_t from_rows = p->srcHeight != 0 ? p->srcHeight : rows;
  const size_t to_rows = p->dstHeight != 0 ? p->dstHeight : rows;
  // A single row needs no pitch.
  shape.source_pitch = p->srcPitch != 0 ? p->srcPitch : p->WidthInBytes;
  shape.destination_pitch = p->dstPitch != 0 ? p->dstPitch : p->WidthInBytes;
  shape.source_slice = shape.source_pitch * from_rows;
  shape.destination_slice = shape.destination_pitch * to_rows;
  if (!side_of(p->srcMemoryType, p->srcHost, p->srcDevice, p->srcXInBytes, p->srcY, p->srcZ,
               shape.source_pitch, from_rows, &from, &from_host) ||
      !side_of(p->dstMemoryType, p->dstHost, p->dstDevice, p->dstXInBytes, p->dstY, p->dstZ,
               shape.destination_pitch, to_rows, &to, &to_host))
    return invalid_value;
  call.from = from;
  call.to = const_cast<char*>(to);
  if (p->srcMemoryType == CU_MEMORYTYPE_UNIFIED || p->dstMemoryType == CU_MEMORYTYPE_UNIFIED)
    call.direction = driver::CopyDirection::automatic;
  else if (from_host)
    call.direction = to_host ? driver::CopyDirection::host_to_host : driver::CopyDirection::host_to_device;
  else
    call.direction =
        to_host ? driver::CopyDirection::device_to_host : driver::CopyDirection::device_to_device;
  return CUDA_SUCCESS;
}

}  // namespace wanren::cuda

extern "C" {

CUresult cuMemAlloc_v2(CUdeviceptr* pointer, size_t bytes) {
  if (const auto status = driver::unsafe_in_capture(); status != driver::Status::cudaSuccess)
    return code(status);
  if (bytes == 0 || pointer == nullptr) return invalid_value;
  WR_CURRENT(device);
  void* allocated = nullptr;
  const driver::Status status = device->allocate(bytes, &allocated);
  *pointer = address_of(allocated);
  return code(status);
}

CUresult cuMemAllocPitch_v2(CUdeviceptr* pointer, size_t* pitch, size_t width, size_t height,
                            unsigned int element) {
  if (pitch == nullptr || (element != 4 && element != 8 && element != 16)) return invalid_value;
  *pitch = (width + 511) / 512 * 512;
  return cuMemAlloc_v2(pointer, *pitch * height);
}

CUresult cuMemAllocManaged(CUdeviceptr* pointer, size_t bytes, unsigned int flags) {
  if (const auto status = driver::unsafe_in_capture(); status != driver::Status::cudaSuccess)
    return code(status);
  if (flags != CU_MEM_ATTACH_GLOBAL && flags != CU_MEM_ATTACH_HOST) return invalid_value;
  if (bytes == 0 || pointer == nullptr) return invalid_value;
  // Device memory is host memory of this process: one pointer serves both sides.
  WR_CURRENT(device);
  void* allocated = nullptr;
  const driver::Status status = device->allocate_managed(bytes, &allocated);
  *pointer = address_of(allocated);
  return code(status);
}

CUresult cuMemFree_v2(CUdeviceptr pointer) {
  if (const auto status = driver::unsafe_in_capture(); status != driver::Status::cudaSuccess)
    return code(status);
  WR_CURRENT(device);
  return code(driver::free_memory(*device, pointer_of(pointer)));
}

CUresult cuMemAllocHost_v2(void** pointer, size_t bytes) {
  if (pointer == nullptr || bytes == 0) return invalid_value;
  WR_CURRENT(device);
  return code(device->allocate_host(bytes, pointer));
}
CUresult cuMemHostAlloc(void** pointer, size_t bytes, unsigned int) {
  if (const auto status = driver::unsafe_in_capture(); status != driver::Status::cudaSuccess)
    return code(status);
  return cuMemAllocHost_v2(pointer, bytes);
}

CUresult cuMemFreeHost(void* pointer) {
  if (const auto status = driver::unsafe_in_capture(); status != driver::Status::cudaSuccess)
    return code(status);
  WR_CURRENT(device);
  return code(device->free_host(pointer));
}

CUresult cuMemHostRegister_v2(void* pointer, size_t bytes, unsigned int) {
  if (pointer == nullptr || bytes == 0) return invalid_value;
  WR_CURRENT(device);
  return code(device->register_host(pointer, bytes));
}
CUresult cuMemHostUnregister(void* pointer) {
  WR_CURRENT(device);
  return code(device->unregister_host(pointer));
}

CUresult cuMemHostGetDevicePointer_v2(CUdeviceptr* pointer, void* host, unsigned int flags) {
  if (pointer == nullptr || flags != 0) return invalid_value;
  WR_CURRENT(device);
  const auto found = device->arena().find(host);
  if (!found) return invalid_value;
  *pointer = address_of(device_side(*found, host));
  return CUDA_SUCCESS;
}

CUresult cuMemHostGetFlags(unsigned int* flags, void* host) {
  if (flags == nullptr) return invalid_value;
  WR_CURRENT(device);
  if (!device->arena().find(host)) return invalid_value;
  *flags = CU_MEMHOSTALLOC_DEVICEMAP;
  return CUDA_SUCCESS;
}

CUresult cuMemGetInfo_v2(size_t* free_bytes, size_t* total_bytes) {
  if (free_bytes == nullptr || total_bytes == nullptr) return invalid_value;
  WR_CURRENT(device);
  device->memory_info(*free_bytes, *total_bytes);
  return CUDA_SUCCESS;
}

CUresult cuMemGetAddressRange_v2(CUdeviceptr* base, size_t* bytes, CUdeviceptr pointer) {
  WR_CURRENT(device);
  const auto found = device->arena().find(pointer_of(pointer));
  if (!found) return CUDA_ERROR_NOT_FOUND;
  if (base != nullptr) *base = address_of(found->base);
  if (bytes != nullptr) *bytes = found->bytes;
  return CUDA_SUCCESS;
}

// Copies.

CUresult cuMemcpyHtoD_v2(CUdeviceptr to, const void* from, size_t bytes) {
  return copy_linear(pointer_of(to), from, bytes, driver::CopyDirection::host_to_device, nullptr, false);
}
CUresult cuMemcpyDtoH_v2(void* to, CUdeviceptr from, size_t bytes) {
  return copy_linear(to, pointer_of(from), bytes, driver::CopyDirection::device_to_host, nullptr, false);
}
CUresult cuMemcpyDtoD_v2(CUdeviceptr to, CUdeviceptr from, size_t bytes) {
  return copy_linear(pointer_of(to), pointer_of(from), bytes, driver::CopyDirection::device_to_device,
                     nullptr, false);
}
CUresult cuMemcpy(CUdeviceptr to, CUdeviceptr from, size_t bytes) {
  return copy_linear(pointer_of(to), pointer_of(from), bytes, driver::CopyDirection::automatic, nullptr,
                     false);
}
CUresult cuMemcpyHtoDAsync_v2(CUdeviceptr to, const void* from, size_t bytes, CUstream stream) {
  return copy_linear(pointer_of(to), from, bytes, driver::CopyDirection::host_to_device, stream, true);
}
CUresult cuMemcpyDtoHAsync_v2(void* to, CUdeviceptr from, size_t bytes, CUstream stream) {
  return copy_linear(to, pointer_of(from), bytes, driver::CopyDirection::device_to_host, stream, true);
}
CUresult cuMemcpyDtoDAsync_v2(CUdeviceptr to, CUdeviceptr from, size_t bytes, CUstream stream) {
  return copy_linear(pointer_of(to), pointer_of(from), bytes, driver::CopyDirection::device_to_device, stream,
                     true);
}
CUresult cuMemcpyAsync(CUdeviceptr to, CUdeviceptr from, size_t bytes, CUstream stream) {
  return copy_linear(pointer_of(to), pointer_of(from), bytes, driver::CopyDirection::automatic, stream, true);
}

CUresult cuMemcpy2D_v2(const CUDA_MEMCPY2D* p) {
  return copy_2d(p, nullptr, false);
}
CUresult cuMemcpy2DUnaligned_v2(const CUDA_MEMCPY2D* p) {
  return copy_2d(p, nullptr, false);
}
CUresult cuMemcpy2DAsync_v2(const CUDA_MEMCPY2D* p, CUstream stream) {
  return copy_2d(p, stream, true);
}
CUresult cuMemcpy3D_v2(const CUDA_MEMCPY3D* p) {
  return copy_3d(p, nullptr, false);
}
CUresult cuMemcpy3DAsync_v2(const CUDA_MEMCPY3D* p, CUstream stream) {
  return copy_3d(p, stream, true);
}

CUresult cuMemcpy3DPeerAsync(const CUDA_MEMCPY3D_PEER* p, CUstream stream) {
  CUDA_MEMCPY3D plain;
  if (const CUresult error = without_contexts(p, plain); error != CUDA_SUCCESS) return error;
  return copy_3d(&plain, stream, true);
}
CUresult cuMemcpy3DPeer(const CUDA_MEMCPY3D_PEER* p) {
  CUDA_MEMCPY3D plain;
  if (const CUresult error = without_contexts(p, plain); error != CUDA_SUCCESS) return error;
  return copy_3d(&plain, nullptr, false);
}

CUresult cuMemcpyBatchAsync(CUdeviceptr* to, CUdeviceptr* from, size_t* bytes, size_t count,
                            CUmemcpyAttributes* attributes, size_t* first, size_t attribute_count,
                            size_t* failed, CUstream handle) {
  std::vector<BatchCopy> copies;
  if (!batch_of(to, from, bytes, count, attributes, first, attribute_count, copies)) {
    if (failed != nullptr) *failed = static_cast<size_t>(-1);
    return invalid_value;
  }
  WR_CURRENT(device);
  const driver::Stream stream = stream_of(handle);
  return code(copy_batch(device_of(handle, *device), stream, stream == nullptr, copies, failed));
}
CUresult cuMemcpyBatchAsync_v2(CUdeviceptr* to, CUdeviceptr* from, size_t* bytes, size_t count,
                               CUmemcpyAttributes* attributes, size_t* first, size_t attribute_count,
                               CUstream handle) {
  return cuMemcpyBatchAsync(to, from, bytes, count, attributes, first, attribute_count, nullptr, handle);
}

CUresult cuMemcpy3DBatchAsync(size_t count, CUDA_MEMCPY3D_BATCH_OP* list, size_t* failed,
                              unsigned long long flags, CUstream handle) {
  std::vector<BatchCopy> copies;
  if (flags != 0 || !batch_3d(list, count, copies, failed)) return invalid_value;
  WR_CURRENT(device);
  const driver::Stream stream = stream_of(handle);
  return code(copy_batch(device_of(handle, *device), stream, stream == nullptr, copies, failed));
}
CUresult cuMemcpy3DBatchAsync_v2(size_t count, CUDA_MEMCPY3D_BATCH_OP* list, unsigned long long flags,
                                 CUstream handle) {
  return cuMemcpy3DBatchAsync(count, list, nullptr, flags, handle);
}

CUresult cuMemcpyPeerAsync(CUdeviceptr to, CUcontext to_context, CUdeviceptr from, CUcontext from_context,
                           size_t bytes, CUstream stream) {
  if (!driver::is_context(context_of(to_context)) || !driver::is_context(context_of(from_context)))
    return CUDA_ERROR_INVALID_CONTEXT;
  return cuMemcpyDtoDAsync_v2(to, from, bytes, stream);
}

CUresult cuMemcpyPeer(CUdeviceptr to, CUcontext to_context, CUdeviceptr from, CUcontext from_context,
                      size_t bytes) {
  if (!driver::is_context(context_of(to_context)) || !driver::is_context(context_of(from_context)))
    return CUDA_ERROR_INVALID_CONTEXT;
  return code(copy_between(context_of(to_context)->device, pointer_of(to), context_of(from_context)->device,
                           pointer_of(from), bytes));
}

// Fills.

CUresult cuMemsetD8_v2(CUdeviceptr to, unsigned char value, size_t count) {
  return fill(to, 0, value, 1, count, 1, nullptr, false);
}
CUresult cuMemsetD16_v2(CUdeviceptr to, unsigned short value, size_t count) {
  return fill(to, 0, value, 2, count, 1, nullptr, false);
}
CUresult cuMemsetD32_v2(CUdeviceptr to, unsigned int value, size_t count) {
  return fill(to, 0, value, 4, count, 1, nullptr, false);
}
CUresult cuMemsetD8Async(CUdeviceptr to, unsigned char value, size_t count, CUstream stream) {
  return fill(to, 0, value, 1, count, 1, stream, true);
}
CUresult cuMemsetD16Async(CUdeviceptr to, unsigned short value, size_t count, CUstream stream) {
  return fill(to, 0, value, 2, count, 1, stream, true);
}
CUresult cuMemsetD32Async(CUdeviceptr to, unsigned int value, size_t count, CUstream stream) {
  return fill(to, 0, value, 4, count, 1, stream, true);
}
CUresult cuMemsetD2D8_v2(CUdeviceptr to, size_t pitch, unsigned char value, size_t width, size_t height) {
  return fill(to, pitch, value, 1, width, height, nullptr, false);
}
CUresult cuMemsetD2D16_v2(CUdeviceptr to, size_t pitch, unsigned short value, size_t width, size_t height) {
  return fill(to, pitch, value, 2, width, height, nullptr, false);
}
CUresult cuMemsetD2D32_v2(CUdeviceptr to, size_t pitch, unsigned int value, size_t width, size_t height) {
  return fill(to, pitch, value, 4, width, height, nullptr, false);
}
CUresult cuMemsetD2D8Async(CUdeviceptr to, size_t pitch, unsigned char value, size_t width, size_t height,
                           CUstream stream) {
  return fill(to, pitch, value, 1, width, height, stream, true);
}
CUresult cuMemsetD2D16Async(CUdeviceptr to, size_t pitch, unsigned short value, size_t width, size_t height,
                            CUstream stream) {
  return fill(to, pitch, value, 2, width, height, stream, true);
}
CUresult cuMemsetD2D32Async(CUdeviceptr to, size_t pitch, unsigned int value, size_t width, size_t height,
                            CUstream stream) {
  return fill(to, pitch, value, 4, width, height, stream, true);
}

// Pools.

CUresult cuMemAllocAsync(CUdeviceptr* pointer, size_t bytes, CUstream stream) {
  WR_CURRENT(device);
  return allocate(driver::current_pool(device_of(stream, *device)), bytes, stream, pointer);
}

CUresult cuMemAllocFromPoolAsync(CUdeviceptr* pointer, size_t bytes, CUmemoryPool pool, CUstream stream) {
  WR_CURRENT(device);
  return pool_of(pool) != nullptr ? allocate(*pool_of(pool), bytes, stream, pointer) : invalid_value;
}

CUresult cuMemFreeAsync(CUdeviceptr pointer, CUstream stream) {
  WR_CURRENT(device);
  return code(driver::free_async(device_of(stream, *device), pointer_of(pointer), stream_of(stream)));
}

CUresult cuDeviceGetDefaultMemPool(CUmemoryPool* pool, CUdevice number) {
  if (pool == nullptr) return invalid_value;
  WR_NUMBER(device, number);
  *pool = reinterpret_cast<CUmemoryPool>(&driver::default_pool(*device));
  return CUDA_SUCCESS;
}

CUresult cuDeviceGetMemPool(CUmemoryPool* pool, CUdevice number) {
  if (pool == nullptr) return invalid_value;
  WR_NUMBER(device, number);
  *pool = reinterpret_cast<CUmemoryPool>(&driver::current_pool(*device));
  return CUDA_SUCCESS;
}

CUresult cuDeviceSetMemPool(CUdevice number, CUmemoryPool pool) {
  WR_NUMBER(device, number);
  if (pool_of(pool) == nullptr || &pool_of(pool)->device() != device) return invalid_value;
  driver::set_current_pool(*device, pool_of(pool));
  return CUDA_SUCCESS;
}

CUresult cuMemPoolCreate(CUmemoryPool* pool, const CUmemPoolProps* properties) {
  if (pool == nullptr || properties == nullptr) return invalid_value;
  if (properties->handleTypes != CU_MEM_HANDLE_TYPE_NONE) return CUDA_ERROR_NOT_SUPPORTED;
  if (properties->location.type != CU_MEM_LOCATION_TYPE_DEVICE) return CUDA_ERROR_INVALID_DEVICE;
  WR_NUMBER(device, properties->location.id);
  *pool = reinterpret_cast<CUmemoryPool>(driver::create_pool(*device));
  return CUDA_SUCCESS;
}

CUresult cuMemPoolDestroy(CUmemoryPool pool) {
  return driver::destroy_pool(reinterpret_cast<driver::Pool*>(pool)) ? CUDA_SUCCESS : invalid_value;
}
CUresult cuMemPoolTrimTo(CUmemoryPool pool, size_t) {
  return pool_of(pool) != nullptr ? CUDA_SUCCESS : invalid_value;
}

CUresult cuMemPoolSetAttribute(CUmemoryPool pool, CUmemPool_attribute attribute, void* value) {
  if (pool_of(pool) == nullptr || value == nullptr) return invalid_value;
  return code(pool_of(pool)->set(static_cast<driver::PoolAttribute>(attribute), value));
}
CUresult cuMemPoolGetAttribute(CUmemoryPool pool, CUmemPool_attribute attribute, void* value) {
  if (pool_of(pool) == nullptr || value == nullptr) return invalid_value;
  return code(pool_of(pool)->get(static_cast<driver::PoolAttribute>(attribute), value));
}

CUresult cuMemPoolSetAccess(CUmemoryPool pool, const CUmemAccessDesc* list, size_t count) {
  if (pool_of(pool) == nullptr || (list == nullptr && count != 0)) return invalid_value;
  const driver::Pool& own = *pool_of(pool);
  for (size_t i = 0; i < count; ++i) {
    if (list[i].location.type != CU_MEM_LOCATION_TYPE_DEVICE) return CUDA_ERROR_INVALID_DEVICE;
    WR_NUMBER(peer, list[i].location.id);
    // A pool is all or nothing: read-only access exists for memory that the program maps itself.
    const bool access = list[i].flags == CU_MEM_ACCESS_FLAGS_PROT_READWRITE;
    if (!access && list[i].flags != CU_MEM_ACCESS_FLAGS_PROT_NONE) return invalid_value;
    if (const driver::Status status = own.device().grant(own.domain(), *peer, access);
        status != driver::Status::cudaSuccess)
      return code(status);
  }
  return CUDA_SUCCESS;
}

CUresult cuMemPoolGetAccess(CUmemAccess_flags* flags, CUmemoryPool pool, CUmemLocation* location) {
  if (flags == nullptr || location == nullptr || pool_of(pool) == nullptr) return invalid_value;
  if (location->type != CU_MEM_LOCATION_TYPE_DEVICE) return invalid_value;
  WR_NUMBER(peer, location->id);
  const driver::Pool& own = *pool_of(pool);
  *flags = own.device().granted(own.domain(), *peer) ? CU_MEM_ACCESS_FLAGS_PROT_READWRITE
                                                     : CU_MEM_ACCESS_FLAGS_PROT_NONE;
  return CUDA_SUCCESS;
}

}  // extern "C"
