// The runtime API: arrays, texture and surface objects.

#include <algorithm>

#include "cuda/arrays.h"
#include "cuda/runtime.h"
#include "support/log.h"

using namespace wanren;
using namespace wanren::cuda;

namespace {

/// `count` bytes between an array, row after row from (x, y), and linear memory, split where rows end.
template <class Copy>
cudaError_t copy_rows(const cudaArray& array, std::size_t x, std::size_t y, std::size_t count, Copy&& copy) {
  const std::size_t row = array.extent.width * array.texel_bytes();
  std::size_t done = 0;
  while (done < count) {
    const std::size_t bytes = std::min(row - x, count - done);
    if (x >= row || y >= array.rows()) return note(cudaErrorInvalidValue);
    if (const cudaError_t error = copy(array.at(x, y, 0), done, bytes); error != cudaSuccess) return error;
    done += bytes;
    x = 0;
    ++y;
  }
  return cudaSuccess;
}

}  // namespace

extern "C" {

cudaError_t cudaMalloc3DArray(cudaArray_t* array, const cudaChannelFormatDesc* format, cudaExtent extent,
                              unsigned int flags) {
  if (array == nullptr || format == nullptr) return note(cudaErrorInvalidValue);
  WR_DEVICE(device);
  return note(make_array(*device, *format, extent, flags, array));
}

cudaError_t cudaMallocArray(cudaArray_t* array, const cudaChannelFormatDesc* format, size_t width,
                            size_t height, unsigned int flags) {
  return cudaMalloc3DArray(array, format, cudaExtent{width, height, 0}, flags);
}

cudaError_t cudaFreeArray(cudaArray_t array) {
  if (array == nullptr) return cudaSuccess;
  WR_DEVICE(device);
  return note(free_array(*device, array));
}

cudaError_t cudaArrayGetInfo(cudaChannelFormatDesc* format, cudaExtent* extent, unsigned int* flags,
                             cudaArray_t array) {
  if (array == nullptr) return note(cudaErrorInvalidResourceHandle);
  if (format != nullptr) *format = array->format;
  if (extent != nullptr) *extent = array->extent;
  if (flags != nullptr) *flags = array->flags;
  return cudaSuccess;
}

cudaError_t cudaGetChannelDesc(cudaChannelFormatDesc* format, cudaArray_const_t array) {
  if (format == nullptr || array == nullptr) return note(cudaErrorInvalidValue);
  *format = array->format;
  return cudaSuccess;
}

cudaChannelFormatDesc cudaCreateChannelDesc(int x, int y, int z, int w, cudaChannelFormatKind kind) {
  return {x, y, z, w, kind};
}

// Copies: the driver sees pitched memory.

cudaError_t cudaMemcpy2DToArrayAsync(cudaArray_t to, size_t x, size_t y, const void* from, size_t from_pitch,
                                     size_t width, size_t height, cudaMemcpyKind kind, cudaStream_t stream) {
  if (to == nullptr || !to->holds(x, y, width, height)) return note(cudaErrorInvalidValue);
  return cudaMemcpy2DAsync(to->at(x, y, 0), to->pitch, from, from_pitch, width, height, kind, stream);
}

cudaError_t cudaMemcpy2DToArray(cudaArray_t to, size_t x, size_t y, const void* from, size_t from_pitch,
                                size_t width, size_t height, cudaMemcpyKind kind) {
  if (to == nullptr || !to->holds(x, y, width, height)) return note(cudaErrorInvalidValue);
  return cudaMemcpy2D(to->at(x, y, 0), to->pitch, from, from_pitch, width, height, kind);
}

cudaError_t cudaMemcpy2DFromArrayAsync(void* to, size_t to_pitch, cudaArray_const_t from, size_t x, size_t y,
                                       size_t width, size_t height, cudaMemcpyKind kind,
                                       cudaStream_t stream) {
  if (from == nullptr || !from->holds(x, y, width, height)) return note(cudaErrorInvalidValue);
  return cudaMemcpy2DAsync(to, to_pitch, from->at(x, y, 0), from->pitch, width, height, kind, stream);
}

cudaError_t cudaMemcpy2DFromArray(void* to, size_t to_pitch, cudaArray_const_t from, size_t x, size_t y,
                                  size_t width, size_t height, cudaMemcpyKind kind) {
  if (from == nullptr || !from->holds(x, y, width, height)) return note(cudaErrorInvalidValue);
  return cudaMemcpy2D(to, to_pitch, from->at(x, y, 0), from->pitch, width, height, kind);
}

cudaError_t cudaMemcpy2DArrayToArray(cudaArray_t to, size_t to_x, size_t to_y, cudaArray_const_t from,
                                     size_t from_x, size_t from_y, size_t width, size_t height,
                                     cudaMemcpyKind kind) {
  if (from == nullptr || !from->holds(from_x, from_y, width, height)) return note(cudaErrorInvalidValue);
  return cudaMemcpy2DToArray(to, to_x, to_y, from->at(from_x, from_y, 0), from->pitch, width, height, kind);
}

cudaError_t cudaMemcpyToArray(cudaArray_t to, size_t x, size_t y, const void* from, size_t bytes,
                              cudaMemcpyKind kind) {
  if (to == nullptr) return note(cudaErrorInvalidValue);
  return copy_rows(*to, x, y, bytes, [&](char* at, size_t done, size_t part) {
    return cudaMemcpy(at, static_cast<const char*>(from) + done, part, kind);
  });
}

cudaError_t cudaMemcpyFromArray(void* to, cudaArray_const_t from, size_t x, size_t y, size_t bytes,
                                cudaMemcpyKind kind) {
  if (from == nullptr) return note(cudaErrorInvalidValue);
  return copy_rows(*from, x, y, bytes, [&](char* at, size_t done, size_t part) {
    return cudaMemcpy(static_cast<char*>(to) + done, at, part, kind);
  });
}

// Objects.

cudaError_t cudaCreateTextureObject(cudaTextureObject_t* handle, const cudaResourceDesc* resource,
                                    const cudaTextureDesc* texture, const cudaResourceViewDesc* view) {
  if (handle == nullptr || resource == nullptr || texture == nullptr) return note(cudaErrorInvalidValue);
  WR_DEVICE(device);
  if (view != nullptr) {
    log::warn("cudaCreateTextureObject: resource views are not supported");
    return note(cudaErrorNotSupported);
  }
  return note(make_texture(*device, *resource, *texture, handle));
}

cudaError_t cudaDestroyTextureObject(cudaTextureObject_t handle) {
  WR_DEVICE(device);
  return note(destroy_object(*device, handle));
}

cudaError_t cudaGetTextureObjectResourceDesc(cudaResourceDesc* resource, cudaTextureObject_t handle) {
  const bool found = resource != nullptr && find_object(handle, resource, nullptr);
  return found ? cudaSuccess : note(cudaErrorInvalidValue);
}

cudaError_t cudaGetTextureObjectTextureDesc(cudaTextureDesc* texture, cudaTextureObject_t handle) {
  const bool found = texture != nullptr && find_object(handle, nullptr, texture);
  return found ? cudaSuccess : note(cudaErrorInvalidValue);
}

cudaError_t cudaCreateSurfaceObject(cudaSurfaceObject_t* handle, const cudaResourceDesc* resource) {
  if (handle == nullptr || resource == nullptr) return note(cudaErrorInvalidValue);
  WR_DEVICE(device);
  return note(make_surface(*device, *resource, handle));
}

cudaError_t cudaDestroySurfaceObject(cudaSurfaceObject_t handle) {
  return cudaDestroyTextureObject(handle);
}

cudaError_t cudaGetSurfaceObjectResourceDesc(cudaResourceDesc* resource, cudaSurfaceObject_t handle) {
  return cudaGetTextureObjectResourceDesc(resource, handle);
}

}  // extern "C"
