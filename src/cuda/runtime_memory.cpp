// Memory and copies; arrays and textures are in runtime_array.cpp.

#include <cstdlib>
#include <cstring>

#include "cuda/arrays.h"
#include "cuda/batch.h"
#include "cuda/registry.h"
#include "cuda/runtime.h"
#include "driver/pool.h"

using namespace wanren;
using namespace wanren::cuda;

namespace wanren::cuda {

bool direction_of(cudaMemcpyKind kind, driver::CopyDirection& direction) {
  switch (kind) {
    case cudaMemcpyHostToHost: direction = driver::CopyDirection::host_to_host; return true;
    case cudaMemcpyHostToDevice: direction = driver::CopyDirection::host_to_device; return true;
    case cudaMemcpyDeviceToHost: direction = driver::CopyDirection::device_to_host; return true;
    case cudaMemcpyDeviceToDevice: direction = driver::CopyDirection::device_to_device; return true;
    case cudaMemcpyDefault: direction = driver::CopyDirection::automatic; return true;
  }
  return false;
}

}  // namespace wanren::cuda

namespace {

cudaError_t copy(void* to, const void* from, const driver::CopyShape& shape, cudaMemcpyKind kind,
                 cudaStream_t stream, bool asynchronous) {
  WR_DEVICE(device);
  driver::CopyDirection direction;
  if (!direction_of(kind, direction)) return note(cudaErrorInvalidMemcpyDirection);
  const driver::Status status =
      device_of(stream, *device).copy(to, from, shape, direction, stream_of(stream), asynchronous);
  if (!asynchronous) device->print_device_output();
  return note(status);
}

driver::CopyShape shape_2d(size_t to_pitch, size_t from_pitch, size_t width, size_t height) {
  driver::CopyShape shape;
  shape.width = width;
  shape.height = height;
  shape.destination_pitch = to_pitch;
  shape.source_pitch = from_pitch;
  shape.destination_slice = to_pitch * height;
  shape.source_slice = from_pitch * height;
  return shape;
}

cudaError_t fill(void* to, int value, const driver::CopyShape& shape, cudaStream_t stream,
                 bool asynchronous) {
  WR_DEVICE(device);
  return note(device_of(stream, *device)
                  .fill(to, static_cast<unsigned>(value) & 0xffu, 1, shape, stream_of(stream), asynchronous));
}

/// One side of a 3D copy: where it begins, its pitch and slice. Positions and widths count texels in arrays
/// and bytes elsewhere; beside an array the width counts its texels.
struct Side {
  char* at = nullptr;
  size_t pitch = 0, slice = 0;
};

bool side_of(cudaArray_t array, const cudaPitchedPtr& pointer, const cudaPos& position, size_t width_bytes,
             const cudaExtent& extent, Side& side) {
  if (array != nullptr) {
    const size_t x = position.x * array->texel_bytes();
    if (!array->holds(x, position.y, width_bytes, extent.height) || position.z > array->slices() ||
        extent.depth > array->slices() - position.z)
      return false;
    side = {array->at(x, position.y, position.z), array->pitch, array->slice_bytes()};
    return true;
  }
  side = {static_cast<char*>(pointer.ptr) + position.x +
              pointer.pitch * (position.y + pointer.ysize * position.z),
          pointer.pitch, pointer.pitch * pointer.ysize};
  return true;
}

cudaError_t copy_3d(const cudaMemcpy3DParms* p, cudaStream_t stream, bool asynchronous) {
  driver::CopyCall call;
  if (const cudaError_t error = copy_call(p, call); error != cudaSuccess) return error;
  return copy(call.to, call.from, call.shape, p->kind, stream, asynchronous);
}

cudaError_t without_devices(const cudaMemcpy3DPeerParms* p, cudaMemcpy3DParms& plain) {
  cudaError_t error = cudaSuccess;
  if (p == nullptr) return note(cudaErrorInvalidValue);
  if (device_at(p->srcDevice, error) == nullptr || device_at(p->dstDevice, error) == nullptr)
    return note(error);
  plain = {p->srcArray, p->srcPos, p->srcPtr, p->dstArray,
           p->dstPos,   p->dstPtr, p->extent, cudaMemcpyDeviceToDevice};
  return cudaSuccess;
}

size_t pitch_of(size_t width) {
  return (width + 511) / 512 * 512;
}

}  // namespace

namespace wanren::cuda {

driver::Status copy_between(driver::Device& target, void* to, driver::Device& source, const void* from,
                            size_t bytes) {
  if (const driver::Status status = target.synchronize_device(); status != driver::Status::cudaSuccess)
    return status;
  const driver::Status status = source.copy(to, from, driver::CopyShape::linear(bytes),
                                            driver::CopyDirection::device_to_device, nullptr, true);
  return status != driver::Status::cudaSuccess ? status : source.synchronize_device();
}

cudaError_t copy_call(const cudaMemcpy3DParms* p, driver::CopyCall& call) {
  if (p == nullptr) return note(cudaErrorInvalidValue);
  if (!direction_of(p->kind, call.direction)) return note(cudaErrorInvalidMemcpyDirection);
  driver::CopyShape& shape = call.shape;
  shape.width = p->extent.width;
  if (p->srcArray != nullptr)
    shape.width *= p->srcArray->texel_bytes();
  else if (p->dstArray != nullptr)
    shape.width *= p->dstArray->texel_bytes();
  shape.height = p->extent.height;
  shape.depth = p->extent.depth;
  Side from, to;
  if (!side_of(p->srcArray, p->srcPtr, p->srcPos, shape.width, p->extent, from) ||
      !side_of(p->dstArray, p->dstPtr, p->dstPos, shape.width, p->extent, to))
    return note(cudaErrorInvalidValue);
  shape.source_pitch = from.pitch;
  shape.destination_pitch = to.pitch;
  shape.source_slice = from.slice;
  shape.destination_slice = to.slice;
  call.to = to.at;
  call.from = from.at;
  return cudaSuccess;
}

}  // namespace wanren::cuda

extern "C" {

cudaError_t cudaMalloc(void** pointer, size_t bytes) {
  if (const auto status = driver::unsafe_in_capture(); status != driver::Status::cudaSuccess)
    return note(status);
  if (pointer == nullptr) return note(cudaErrorInvalidValue);
  WR_DEVICE(device);
  return note(device->allocate(bytes, pointer));
}

cudaError_t cudaMallocManaged(void** pointer, size_t bytes, unsigned int flags) {
  if (const auto status = driver::unsafe_in_capture(); status != driver::Status::cudaSuccess)
    return note(status);
  if (pointer == nullptr || bytes == 0 || (flags != cudaMemAttachGlobal && flags != cudaMemAttachHost))
    return note(cudaErrorInvalidValue);
  // Device memory is host memory of this process: one pointer serves both sides.
  WR_DEVICE(device);
  return note(device->allocate_managed(bytes, pointer));
}

cudaError_t cudaFree(void* pointer) {
  if (const auto status = driver::unsafe_in_capture(); status != driver::Status::cudaSuccess)
    return note(status);
  WR_DEVICE(device);
  return note(driver::free_memory(*device, pointer));
}

cudaError_t cudaMallocHost(void** pointer, size_t bytes) {
  if (const auto status = driver::unsafe_in_capture(); status != driver::Status::cudaSuccess)
    return note(status);
  if (pointer == nullptr) return note(cudaErrorInvalidValue);
  WR_DEVICE(device);
  return note(device->allocate_host(bytes, pointer));
}

cudaError_t cudaHostAlloc(void** pointer, size_t bytes, unsigned int) {
  return cudaMallocHost(pointer, bytes);
}

cudaError_t cudaFreeHost(void* pointer) {
  if (const auto status = driver::unsafe_in_capture(); status != driver::Status::cudaSuccess)
    return note(status);
  WR_DEVICE(device);
  return note(device->free_host(pointer));
}

cudaError_t cudaHostRegister(void* pointer, size_t bytes, unsigned int) {
  WR_DEVICE(device);
  if (pointer == nullptr || bytes == 0) return note(cudaErrorInvalidValue);
  return note(device->register_host(pointer, bytes));
}

cudaError_t cudaHostUnregister(void* pointer) {
  WR_DEVICE(device);
  return note(device->unregister_host(pointer));
}

cudaError_t cudaHostGetDevicePointer(void** device_pointer, void* host, unsigned int) {
  if (device_pointer == nullptr) return note(cudaErrorInvalidValue);
  WR_DEVICE(device);
  const auto found = device->arena().find(host);
  if (!found) return note(cudaErrorInvalidValue);
  *device_pointer = device_side(*found, host);
  return cudaSuccess;
}

cudaError_t cudaHostGetFlags(unsigned int* flags, void* host) {
  if (flags == nullptr) return note(cudaErrorInvalidValue);
  WR_DEVICE(device);
  if (!device->arena().find(host)) return note(cudaErrorInvalidValue);
  *flags = cudaHostAllocMapped;
  return cudaSuccess;
}

cudaError_t cudaMallocPitch(void** pointer, size_t* pitch, size_t width, size_t height) {
  if (pointer == nullptr || pitch == nullptr) return note(cudaErrorInvalidValue);
  *pitch = pitch_of(width);
  return cudaMalloc(pointer, *pitch * height);
}

cudaError_t cudaMalloc3D(cudaPitchedPtr* pitched, cudaExtent extent) {
  if (pitched == nullptr) return note(cudaErrorInvalidValue);
  pitched->pitch = pitch_of(extent.width);
  pitched->xsize = extent.width;
  pitched->ysize = extent.height;
  return cudaMalloc(&pitched->ptr, pitched->pitch * extent.height * extent.depth);
}

cudaError_t cudaMemGetInfo(size_t* free_bytes, size_t* total_bytes) {
  if (free_bytes == nullptr || total_bytes == nullptr) return note(cudaErrorInvalidValue);
  WR_DEVICE(device);
  device->memory_info(*free_bytes, *total_bytes);
  return cudaSuccess;
}

cudaError_t cudaMemcpy(void* to, const void* from, size_t bytes, cudaMemcpyKind kind) {
  return copy(to, from, driver::CopyShape::linear(bytes), kind, nullptr, false);
}

cudaError_t cudaMemcpyAsync(void* to, const void* from, size_t bytes, cudaMemcpyKind kind,
                            cudaStream_t stream) {
  return copy(to, from, driver::CopyShape::linear(bytes), kind, stream, true);
}

cudaError_t cudaMemcpyPeer(void* to, int to_device, const void* from, int from_device, size_t bytes) {
  cudaError_t error = cudaSuccess;
  driver::Device *target = device_at(to_device, error), *source = device_at(from_device, error);
  if (target == nullptr || source == nullptr) return note(error);
  return note(copy_between(*target, to, *source, from, bytes));
}

cudaError_t cudaMemcpyBatchAsync(void** to, void** from, size_t* bytes, size_t count,
                                 cudaMemcpyAttributes* attributes, size_t* first, size_t attribute_count,
                                 size_t* failed, cudaStream_t handle) {
  std::vector<BatchCopy> copies;
  if (!batch_of(to, from, bytes, count, attributes, first, attribute_count, copies)) {
    if (failed != nullptr) *failed = static_cast<size_t>(-1);
    return note(cudaErrorInvalidValue);
  }
  WR_DEVICE(device);
  const driver::Stream stream = stream_of(handle);
  return note(copy_batch(device_of(handle, *device), stream, stream == nullptr, copies, failed));
}

cudaError_t cudaMemcpy3DBatchAsync(size_t count, cudaMemcpy3DBatchOp* list, size_t* failed,
                                   unsigned long long flags, cudaStream_t handle) {
  std::vector<BatchCopy> copies;
  if (flags != 0 || !batch_3d(list, count, copies, failed)) return note(cudaErrorInvalidValue);
  WR_DEVICE(device);
  const driver::Stream stream = stream_of(handle);
  return note(copy_batch(device_of(handle, *device), stream, stream == nullptr, copies, failed));
}

cudaError_t cudaMemcpy3DPeerAsync(const cudaMemcpy3DPeerParms* p, cudaStream_t stream) {
  cudaMemcpy3DParms plain;
  if (const cudaError_t error = without_devices(p, plain); error != cudaSuccess) return error;
  return copy_3d(&plain, stream, true);
}
cudaError_t cudaMemcpy3DPeer(const cudaMemcpy3DPeerParms* p) {
  cudaMemcpy3DParms plain;
  if (const cudaError_t error = without_devices(p, plain); error != cudaSuccess) return error;
  return copy_3d(&plain, nullptr, false);
}

cudaError_t cudaMemcpyPeerAsync(void* to, int to_device, const void* from, int from_device, size_t bytes,
                                cudaStream_t stream) {
  cudaError_t error = cudaSuccess;
  if (device_at(to_device, error) == nullptr || device_at(from_device, error) == nullptr) return note(error);
  return cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToDevice, stream);
}

cudaError_t cudaMemcpy2D(void* to, size_t to_pitch, const void* from, size_t from_pitch, size_t width,
                         size_t height, cudaMemcpyKind kind) {
  return copy(to, from, shape_2d(to_pitch, from_pitch, width, height), kind, nullptr, false);
}

cudaError_t cudaMemcpy2DAsync(void* to, size_t to_pitch, const void* from, size_t from_pitch, size_t width,
                              size_t height, cudaMemcpyKind kind, cudaStream_t stream) {
  return copy(to, from, shape_2d(to_pitch, from_pitch, width, height), kind, stream, true);
}

cudaError_t cudaMemcpy3D(const cudaMemcpy3DParms* p) {
  return copy_3d(p, nullptr, false);
}
cudaError_t cudaMemcpy3DAsync(const cudaMemcpy3DParms* p, cudaStream_t stream) {
  return copy_3d(p, stream, true);
}

cudaError_t cudaMemset(void* to, int value, size_t bytes) {
  return fill(to, value, driver::CopyShape::linear(bytes), nullptr, false);
}

cudaError_t cudaMemsetAsync(void* to, int value, size_t bytes, cudaStream_t stream) {
  return fill(to, value, driver::CopyShape::linear(bytes), stream, true);
}

cudaError_t cudaMemset2D(void* to, size_t pitch, int value, size_t width, size_t height) {
  return fill(to, value, shape_2d(pitch, pitch, width, height), nullptr, false);
}

cudaError_t cudaMemset2DAsync(void* to, size_t pitch, int value, size_t width, size_t height,
                              cudaStream_t stream) {
  return fill(to, value, shape_2d(pitch, pitch, width, height), stream, true);
}

static driver::CopyShape shape_3d(const cudaPitchedPtr& to, const cudaExtent& extent) {
  driver::CopyShape shape = shape_2d(to.pitch, to.pitch, extent.width, extent.height);
  shape.depth = extent.depth;
  shape.destination_slice = shape.source_slice = to.pitch * to.ysize;
  return shape;
}

cudaError_t cudaMemset3D(cudaPitchedPtr to, int value, cudaExtent extent) {
  return fill(to.ptr, value, shape_3d(to, extent), nullptr, false);
}

cudaError_t cudaMemset3DAsync(cudaPitchedPtr to, int value, cudaExtent extent, cudaStream_t stream) {
  return fill(to.ptr, value, shape_3d(to, extent), stream, true);
}

cudaError_t cudaGetSymbolAddress(void** pointer, const void* symbol) {
  return pointer == nullptr ? note(cudaErrorInvalidValue) : symbol_place(symbol, 0, 0, pointer);
}

cudaError_t cudaGetSymbolSize(size_t* bytes, const void* symbol) {
  void* pointer = nullptr;
  if (bytes == nullptr) return note(cudaErrorInvalidValue);
  WR_DEVICE(device);
  return Registry::instance().variable(symbol, *device, &pointer, bytes) ? cudaSuccess
                                                                         : note(cudaErrorInvalidSymbol);
}

cudaError_t cudaMemcpyToSymbol(const void* symbol, const void* from, size_t bytes, size_t offset,
                               cudaMemcpyKind kind) {
  void* at = nullptr;
  if (cudaError_t error = symbol_place(symbol, bytes, offset, &at); error != cudaSuccess) return error;
  return cudaMemcpy(at, from, bytes, kind);
}

cudaError_t cudaMemcpyFromSymbol(void* to, const void* symbol, size_t bytes, size_t offset,
                                 cudaMemcpyKind kind) {
  void* at = nullptr;
  if (cudaError_t error = symbol_place(symbol, bytes, offset, &at); error != cudaSuccess) return error;
  return cudaMemcpy(to, at, bytes, kind);
}

cudaError_t cudaMemcpyToSymbolAsync(const void* symbol, const void* from, size_t bytes, size_t offset,
                                    cudaMemcpyKind kind, cudaStream_t stream) {
  void* at = nullptr;
  if (cudaError_t error = symbol_place(symbol, bytes, offset, &at); error != cudaSuccess) return error;
  return cudaMemcpyAsync(at, from, bytes, kind, stream);
}

cudaError_t cudaMemcpyFromSymbolAsync(void* to, const void* symbol, size_t bytes, size_t offset,
                                      cudaMemcpyKind kind, cudaStream_t stream) {
  void* at = nullptr;
  if (cudaError_t error = symbol_place(symbol, bytes, offset, &at); error != cudaSuccess) return error;
  return cudaMemcpyAsync(to, at, bytes, kind, stream);
}

}  // extern "C"
