// Arrays, texture and surface objects. A texture handle is the address of a __wanren_texture in device
// memory, which the device functions in include/wanren/texture.h read.

#include <algorithm>
#include <cstring>
#include <map>
#include <mutex>
#include <string>

#include "cuda/arrays.h"
#include "cuda/runtime.h"
#include "support/log.h"
#include "wanren/texture_descriptor.h"

using namespace wanren;
using namespace wanren::cuda;

namespace {

struct TextureObject {
  cudaResourceDesc resource;
  cudaTextureDesc texture;
};
std::mutex objects_mutex;
std::map<unsigned long long, TextureObject>& objects() {
  static auto* map = new std::map<unsigned long long, TextureObject>;  // Outlives static destructors.
  return *map;
}

/// Channels and their size, into `texture`. False: no such texel format.
bool set_format(const cudaChannelFormatDesc& format, __wanren_texture& texture) {
  const int bits[4] = {format.x, format.y, format.z, format.w};
  unsigned channels = 0;
  while (channels < 4 && bits[channels] != 0) {
    if (bits[channels] != bits[0]) return false;
    ++channels;
  }
  for (unsigned i = channels; i < 4; ++i)
    if (bits[i] != 0) return false;
  if (channels == 0 || channels == 3 || (bits[0] != 8 && bits[0] != 16 && bits[0] != 32)) return false;
  if (format.f > cudaChannelFormatKindFloat || (format.f == cudaChannelFormatKindFloat && bits[0] == 8))
    return false;
  texture.channels = channels;
  texture.channel_bytes = static_cast<unsigned>(bits[0]) / 8;
  texture.kind = format.f;
  return true;
}

cudaError_t bad(const char* what) {
  log::warn(what);
  return note(cudaErrorInvalidValue);
}

/// Memory and extent of a resource, into `texture`.
cudaError_t set_resource(const cudaResourceDesc& resource, __wanren_texture& texture) {
  texture.height = texture.depth = 1;
  switch (resource.resType) {
    case cudaResourceTypeArray: {
      const cudaArray* array = resource.res.array.array;
      if (array == nullptr) return bad("texture object: no array");
      if (!set_format(array->format, texture)) return bad("texture object: texel format not supported");
      texture.base = reinterpret_cast<unsigned long long>(array->memory);
      texture.pitch = array->pitch;
      texture.slice = array->slice_bytes();
      texture.width = static_cast<unsigned>(array->extent.width);
      texture.height = static_cast<unsigned>(array->rows());
      texture.depth = static_cast<unsigned>(array->slices());
      return cudaSuccess;
    }
    case cudaResourceTypeLinear:
      if (resource.res.linear.devPtr == nullptr || !set_format(resource.res.linear.desc, texture))
        return bad("texture object: no memory, or a texel format that is not supported");
      texture.base = reinterpret_cast<unsigned long long>(resource.res.linear.devPtr);
      texture.width =
          static_cast<unsigned>(resource.res.linear.sizeInBytes / (texture.channels * texture.channel_bytes));
      return cudaSuccess;
    case cudaResourceTypePitch2D:
      if (resource.res.pitch2D.devPtr == nullptr || !set_format(resource.res.pitch2D.desc, texture))
        return bad("texture object: no memory, or a texel format that is not supported");
      texture.base = reinterpret_cast<unsigned long long>(resource.res.pitch2D.devPtr);
      texture.pitch = resource.res.pitch2D.pitchInBytes;
      texture.width = static_cast<unsigned>(resource.res.pitch2D.width);
      texture.height = static_cast<unsigned>(resource.res.pitch2D.height);
      return cudaSuccess;
    default:
      log::warn("texture object: mipmapped arrays are not supported");
      return note(cudaErrorNotSupported);
  }
}

cudaError_t place(driver::Device& device, const __wanren_texture& texture, unsigned long long* handle) {
  void* memory = nullptr;
  if (const driver::Status status = device.allocate(sizeof texture, &memory);
      status != driver::Status::cudaSuccess)
    return note(status);
  std::memcpy(memory, &texture, sizeof texture);
  *handle = reinterpret_cast<unsigned long long>(memory);
  return cudaSuccess;
}

cudaError_t destroy(unsigned long long handle) {
  WR_DEVICE(device);
  {
    std::lock_guard lock(objects_mutex);
    if (objects().erase(handle) == 0) return note(cudaErrorInvalidValue);
  }
  return note(device->free(reinterpret_cast<void*>(handle)));
}

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
  if (array == nullptr || format == nullptr || extent.width == 0) return note(cudaErrorInvalidValue);
  WR_DEVICE(device);
  __wanren_texture probe{};
  if (!set_format(*format, probe))
    return bad("cudaMallocArray: a texel has 1, 2 or 4 channels of 8, 16 or 32 bits");
  auto* made = new cudaArray;
  made->format = *format;
  made->extent = extent;
  made->flags = flags;
  made->pitch = (extent.width * made->texel_bytes() + 511) / 512 * 512;
  const driver::Status status = device->allocate(made->slice_bytes() * made->slices(), &made->memory);
  if (status != driver::Status::cudaSuccess) {
    delete made;
    return note(status);
  }
  *array = made;
  return cudaSuccess;
}

cudaError_t cudaMallocArray(cudaArray_t* array, const cudaChannelFormatDesc* format, size_t width,
                            size_t height, unsigned int flags) {
  return cudaMalloc3DArray(array, format, cudaExtent{width, height, 0}, flags);
}

cudaError_t cudaFreeArray(cudaArray_t array) {
  if (array == nullptr) return cudaSuccess;
  WR_DEVICE(device);
  const driver::Status status = device->free(array->memory);
  delete array;
  return note(status);
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
  __wanren_texture made{};
  if (const cudaError_t error = set_resource(*resource, made); error != cudaSuccess) return error;
  const bool is_float = made.kind == cudaChannelFormatKindFloat;
  made.normalized_coordinates = texture->normalizedCoords != 0;
  made.normalized_float = !is_float && texture->readMode == cudaReadModeNormalizedFloat;
  if (made.normalized_float && made.channel_bytes == 4)
    return bad("cudaCreateTextureObject: 32-bit integers cannot be read as normalized floats");
  made.linear = texture->filterMode == cudaFilterModeLinear;
  if (made.linear && !is_float && !made.normalized_float)
    return bad("cudaCreateTextureObject: linear filtering needs texels that are read as floats");
  for (int i = 0; i < 3; ++i) {
    made.address[i] = texture->addressMode[i];
    // Wrap and mirror are defined for normalized coordinates only; otherwise hardware clamps.
    if (!texture->normalizedCoords && texture->addressMode[i] != cudaAddressModeBorder)
      made.address[i] = cudaAddressModeClamp;
  }
  // A cube's faces are separate layers; coordinates stay on the face.
  if (resource->resType == cudaResourceTypeArray &&
      (resource->res.array.array->flags & cudaArrayCubemap) != 0) {
    made.address[0] = made.address[1] = cudaAddressModeClamp;
    made.normalized_coordinates = 1;
  }
  for (int i = 0; i < 4; ++i) {
    if (is_float || made.normalized_float)
      std::memcpy(&made.border[i], &texture->borderColor[i], sizeof made.border[i]);
    else
      made.border[i] = static_cast<unsigned>(static_cast<long long>(texture->borderColor[i]));
  }
  if (const cudaError_t error = place(*device, made, handle); error != cudaSuccess) return error;
  std::lock_guard lock(objects_mutex);
  objects()[*handle] = TextureObject{*resource, *texture};
  return cudaSuccess;
}

cudaError_t cudaDestroyTextureObject(cudaTextureObject_t handle) {
  return destroy(handle);
}

cudaError_t cudaGetTextureObjectResourceDesc(cudaResourceDesc* resource, cudaTextureObject_t handle) {
  std::lock_guard lock(objects_mutex);
  const auto it = objects().find(handle);
  if (resource == nullptr || it == objects().end()) return note(cudaErrorInvalidValue);
  *resource = it->second.resource;
  return cudaSuccess;
}

cudaError_t cudaGetTextureObjectTextureDesc(cudaTextureDesc* texture, cudaTextureObject_t handle) {
  std::lock_guard lock(objects_mutex);
  const auto it = objects().find(handle);
  if (texture == nullptr || it == objects().end()) return note(cudaErrorInvalidValue);
  *texture = it->second.texture;
  return cudaSuccess;
}

cudaError_t cudaCreateSurfaceObject(cudaSurfaceObject_t* handle, const cudaResourceDesc* resource) {
  if (handle == nullptr || resource == nullptr || resource->resType != cudaResourceTypeArray)
    return note(cudaErrorInvalidValue);
  WR_DEVICE(device);
  __wanren_texture made{};
  if (const cudaError_t error = set_resource(*resource, made); error != cudaSuccess) return error;
  if (const cudaError_t error = place(*device, made, handle); error != cudaSuccess) return error;
  std::lock_guard lock(objects_mutex);
  objects()[*handle] = TextureObject{*resource, {}};
  return cudaSuccess;
}

cudaError_t cudaDestroySurfaceObject(cudaSurfaceObject_t handle) {
  return destroy(handle);
}

cudaError_t cudaGetSurfaceObjectResourceDesc(cudaResourceDesc* resource, cudaSurfaceObject_t handle) {
  return cudaGetTextureObjectResourceDesc(resource, handle);
}

}  // extern "C"
