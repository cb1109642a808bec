// Arrays, texture and surface objects, for both APIs. A texture handle is the address of a __wanren_texture
// in device memory, which the device functions in include/wanren/texture.h read.

#include "cuda/arrays.h"

#include <cstring>
#include <map>
#include <mutex>

#include "support/log.h"
#include "wanren/texture_descriptor.h"

namespace wanren::cuda {
namespace {

using driver::Status;

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

Status bad(const char* what) {
  log::warn(what);
  return Status::cudaErrorInvalidValue;
}

/// Memory and extent of a resource, into `texture`.
Status set_resource(const cudaResourceDesc& resource, __wanren_texture& texture) {
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
      return Status::cudaSuccess;
    }
    case cudaResourceTypeLinear:
      if (resource.res.linear.devPtr == nullptr || !set_format(resource.res.linear.desc, texture))
        return bad("texture object: no memory, or a texel format that is not supported");
      texture.base = reinterpret_cast<unsigned long long>(resource.res.linear.devPtr);
      texture.width =
          static_cast<unsigned>(resource.res.linear.sizeInBytes / (texture.channels * texture.channel_bytes));
      return Status::cudaSuccess;
    case cudaResourceTypePitch2D:
      if (resource.res.pitch2D.devPtr == nullptr || !set_format(resource.res.pitch2D.desc, texture))
        return bad("texture object: no memory, or a texel format that is not supported");
      texture.base = reinterpret_cast<unsigned long long>(resource.res.pitch2D.devPtr);
      texture.pitch = resource.res.pitch2D.pitchInBytes;
      texture.width = static_cast<unsigned>(resource.res.pitch2D.width);
      texture.height = static_cast<unsigned>(resource.res.pitch2D.height);
      return Status::cudaSuccess;
    default:
      log::warn("texture object: mipmapped arrays are not supported");
      return Status::cudaErrorNotSupported;
  }
}

Status place(driver::Device& device, const __wanren_texture& texture, const TextureObject& object,
             unsigned long long* handle) {
  void* memory = nullptr;
  if (const Status status = device.allocate(sizeof texture, &memory); status != Status::cudaSuccess)
    return status;
  std::memcpy(memory, &texture, sizeof texture);
  *handle = reinterpret_cast<unsigned long long>(memory);
  std::lock_guard lock(objects_mutex);
  objects()[*handle] = object;
  return Status::cudaSuccess;
}

}  // namespace

Status make_array(driver::Device& device, const cudaChannelFormatDesc& format, cudaExtent extent,
                  unsigned flags, cudaArray** array) {
  if (extent.width == 0) return Status::cudaErrorInvalidValue;
  __wanren_texture probe{};
  if (!set_format(format, probe)) return bad("array: a texel has 1, 2 or 4 channels of 8, 16 or 32 bits");
  auto* made = new cudaArray;
  made->format = format;
  made->extent = extent;
  made->flags = flags;
  made->pitch = (extent.width * made->texel_bytes() + 511) / 512 * 512;
  const Status status = device.allocate(made->slice_bytes() * made->slices(), &made->memory);
  if (status != Status::cudaSuccess) {
    delete made;
    return status;
  }
  *array = made;
  return Status::cudaSuccess;
}

Status free_array(driver::Device& device, cudaArray* array) {
  const Status status = device.free(array->memory);
  delete array;
  return status;
}

Status make_texture(driver::Device& device, const cudaResourceDesc& resource, const cudaTextureDesc& texture,
                    unsigned long long* handle) {
  if (texture.sRGB != 0) {
    log::warn("texture object: conversion from sRGB is not supported");
    return Status::cudaErrorNotSupported;
  }
  __wanren_texture made{};
  if (const Status status = set_resource(resource, made); status != Status::cudaSuccess) return status;
  const bool is_float = made.kind == cudaChannelFormatKindFloat;
  made.normalized_coordinates = texture.normalizedCoords != 0;
  made.normalized_float = !is_float && texture.readMode == cudaReadModeNormalizedFloat;
  if (made.normalized_float && made.channel_bytes == 4)
    return bad("texture object: 32-bit integers cannot be read as normalized floats");
  made.linear = texture.filterMode == cudaFilterModeLinear;
  if (made.linear && !is_float && !made.normalized_float)
    return bad("texture object: linear filtering needs texels that are read as floats");
  for (int i = 0; i < 3; ++i) {
    made.address[i] = texture.addressMode[i];
    // Wrap and mirror are defined for normalized coordinates only; otherwise hardware clamps.
    if (!texture.normalizedCoords && texture.addressMode[i] != cudaAddressModeBorder)
      made.address[i] = cudaAddressModeClamp;
  }
  // A cube's faces are separate layers; coordinates stay on the face.
  if (resource.resType == cudaResourceTypeArray &&
      (resource.res.array.array->flags & cudaArrayCubemap) != 0) {
    made.address[0] = made.address[1] = cudaAddressModeClamp;
    made.normalized_coordinates = 1;
  }
  for (int i = 0; i < 4; ++i) {
    if (is_float || made.normalized_float)
      std::memcpy(&made.border[i], &texture.borderColor[i], sizeof made.border[i]);
    else
      made.border[i] = static_cast<unsigned>(static_cast<long long>(texture.borderColor[i]));
  }
  return place(device, made, {resource, texture}, handle);
}

Status make_surface(driver::Device& device, const cudaResourceDesc& resource, unsigned long long* handle) {
  if (resource.resType != cudaResourceTypeArray) return Status::cudaErrorInvalidValue;
  __wanren_texture made{};
  if (const Status status = set_resource(resource, made); status != Status::cudaSuccess) return status;
  return place(device, made, {resource, {}}, handle);
}

Status destroy_object(driver::Device& device, unsigned long long handle) {
  {
    std::lock_guard lock(objects_mutex);
    if (objects().erase(handle) == 0) return Status::cudaErrorInvalidValue;
  }
  return device.free(reinterpret_cast<void*>(handle));
}

bool find_object(unsigned long long handle, cudaResourceDesc* resource, cudaTextureDesc* texture) {
  std::lock_guard lock(objects_mutex);
  const auto it = objects().find(handle);
  if (it == objects().end()) return false;
  if (resource != nullptr) *resource = it->second.resource;
  if (texture != nullptr) *texture = it->second.texture;
  return true;
}

}  // namespace wanren::cuda
