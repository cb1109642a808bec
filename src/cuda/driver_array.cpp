// The driver API: arrays, texture and surface objects.

#include <cstring>

#include "cuda/arrays.h"
#include "cuda/driver_api.h"

using namespace wanren;
using namespace wanren::cuda;

namespace {

struct Format {
  CUarray_format format;
  int bits;
  cudaChannelFormatKind kind;
};
constexpr Format formats[] = {
    {CU_AD_FORMAT_UNSIGNED_INT8, 8, cudaChannelFormatKindUnsigned},
    {CU_AD_FORMAT_UNSIGNED_INT16, 16, cudaChannelFormatKindUnsigned},
    {CU_AD_FORMAT_UNSIGNED_INT32, 32, cudaChannelFormatKindUnsigned},
    {CU_AD_FORMAT_SIGNED_INT8, 8, cudaChannelFormatKindSigned},
    {CU_AD_FORMAT_SIGNED_INT16, 16, cudaChannelFormatKindSigned},
    {CU_AD_FORMAT_SIGNED_INT32, 32, cudaChannelFormatKindSigned},
    {CU_AD_FORMAT_HALF, 16, cudaChannelFormatKindFloat},
    {CU_AD_FORMAT_FLOAT, 32, cudaChannelFormatKindFloat},
};

/// False: no such format.
bool channels_of(CUarray_format format, unsigned channels, cudaChannelFormatDesc& made) {
  for (const Format& row : formats)
    if (row.format == format && (channels == 1 || channels == 2 || channels == 4)) {
      const auto bits = [&](unsigned channel) { return channel < channels ? row.bits : 0; };
      made = {bits(0), bits(1), bits(2), bits(3), row.kind};
      return true;
    }
  return false;
}

void format_of(const cudaChannelFormatDesc& channels, CUarray_format& format, unsigned& count) {
  count = 1 + (channels.y != 0) + (channels.z != 0) + (channels.w != 0);
  for (const Format& row : formats)
    if (row.bits == channels.x && row.kind == channels.f) format = row.format;
}

/// Errors: a format that there is not.
bool resource_of(const CUDA_RESOURCE_DESC& p, cudaResourceDesc& made) {
  made = {};
  made.resType = static_cast<cudaResourceType>(p.resType);
  switch (p.resType) {
    case CU_RESOURCE_TYPE_ARRAY: made.res.array.array = array_of(p.res.array.hArray); return true;
    case CU_RESOURCE_TYPE_MIPMAPPED_ARRAY: return true;
    case CU_RESOURCE_TYPE_LINEAR: {
      auto& to = made.res.linear;
      to.devPtr = pointer_of(p.res.linear.devPtr);
      to.sizeInBytes = p.res.linear.sizeInBytes;
      return channels_of(p.res.linear.format, p.res.linear.numChannels, to.desc);
    }
    case CU_RESOURCE_TYPE_PITCH2D: {
      auto& to = made.res.pitch2D;
      to.devPtr = pointer_of(p.res.pitch2D.devPtr);
      to.width = p.res.pitch2D.width;
      to.height = p.res.pitch2D.height;
      to.pitchInBytes = p.res.pitch2D.pitchInBytes;
      return channels_of(p.res.pitch2D.format, p.res.pitch2D.numChannels, to.desc);
    }
  }
  return false;
}

/// Bytes at `offset` of a one-dimensional array.
bool place(CUarray handle, size_t offset, size_t bytes, void** at) {
  const cudaArray* const array = array_of(handle);
  if (array == nullptr || array->rows() != 1 || array->slices() != 1 || !array->holds(offset, 0, bytes, 1))
    return false;
  *at = array->at(offset, 0, 0);
  return true;
}

CUresult copy(void* to, const void* from, size_t bytes, driver::CopyDirection direction, CUstream stream,
              bool asynchronous) {
  WR_CURRENT(device);
  return code(
      device_of(stream, *device)
          .copy(to, from, driver::CopyShape::linear(bytes), direction, stream_of(stream), asynchronous));
}

}  // namespace

extern "C" {

CUresult cuArray3DCreate_v2(CUarray* array, const CUDA_ARRAY3D_DESCRIPTOR* p) {
  cudaChannelFormatDesc format;
  if (array == nullptr || p == nullptr || !channels_of(p->Format, p->NumChannels, format))
    return invalid_value;
  constexpr unsigned known =
      CUDA_ARRAY3D_LAYERED | CUDA_ARRAY3D_SURFACE_LDST | CUDA_ARRAY3D_CUBEMAP | CUDA_ARRAY3D_TEXTURE_GATHER;
  if ((p->Flags & ~known) != 0) return CUDA_ERROR_NOT_SUPPORTED;
  WR_CURRENT(device);
  cudaArray* made = nullptr;
  const driver::Status status =
      make_array(*device, format, cudaExtent{p->Width, p->Height, p->Depth}, p->Flags, &made);
  if (status == driver::Status::cudaSuccess) *array = reinterpret_cast<CUarray>(made);
  return code(status);
}

CUresult cuArrayCreate_v2(CUarray* array, const CUDA_ARRAY_DESCRIPTOR* p) {
  if (p == nullptr) return invalid_value;
  const CUDA_ARRAY3D_DESCRIPTOR all{p->Width, p->Height, 0, p->Format, p->NumChannels, 0};
  return cuArray3DCreate_v2(array, &all);
}

CUresult cuArray3DGetDescriptor_v2(CUDA_ARRAY3D_DESCRIPTOR* p, CUarray handle) {
  const cudaArray* const array = array_of(handle);
  if (p == nullptr) return invalid_value;
  if (array == nullptr) return CUDA_ERROR_INVALID_HANDLE;
  *p = {};
  p->Width = array->extent.width;
  p->Height = array->extent.height;
  p->Depth = array->extent.depth;
  format_of(array->format, p->Format, p->NumChannels);
  p->Flags = array->flags;
  return CUDA_SUCCESS;
}

CUresult cuArrayGetDescriptor_v2(CUDA_ARRAY_DESCRIPTOR* p, CUarray handle) {
  CUDA_ARRAY3D_DESCRIPTOR all;
  if (p == nullptr) return invalid_value;
  const CUresult error = cuArray3DGetDescriptor_v2(&all, handle);
  if (error == CUDA_SUCCESS) *p = {all.Width, all.Height, all.Format, all.NumChannels};
  return error;
}

CUresult cuArrayDestroy(CUarray array) {
  if (array == nullptr) return CUDA_ERROR_INVALID_HANDLE;
  WR_CURRENT(device);
  return code(free_array(*device, array_of(array)));
}

// Copies of one-dimensional arrays; the others are cuMemcpy2D's and cuMemcpy3D's.

CUresult cuMemcpyHtoAAsync_v2(CUarray to, size_t offset, const void* from, size_t bytes, CUstream stream) {
  void* at = nullptr;
  if (!place(to, offset, bytes, &at)) return invalid_value;
  return copy(at, from, bytes, driver::CopyDirection::host_to_device, stream, true);
}
CUresult cuMemcpyHtoA_v2(CUarray to, size_t offset, const void* from, size_t bytes) {
  void* at = nullptr;
  if (!place(to, offset, bytes, &at)) return invalid_value;
  return copy(at, from, bytes, driver::CopyDirection::host_to_device, nullptr, false);
}
CUresult cuMemcpyAtoHAsync_v2(void* to, CUarray from, size_t offset, size_t bytes, CUstream stream) {
  void* at = nullptr;
  if (!place(from, offset, bytes, &at)) return invalid_value;
  return copy(to, at, bytes, driver::CopyDirection::device_to_host, stream, true);
}
CUresult cuMemcpyAtoH_v2(void* to, CUarray from, size_t offset, size_t bytes) {
  void* at = nullptr;
  if (!place(from, offset, bytes, &at)) return invalid_value;
  return copy(to, at, bytes, driver::CopyDirection::device_to_host, nullptr, false);
}
CUresult cuMemcpyDtoA_v2(CUarray to, size_t offset, CUdeviceptr from, size_t bytes) {
  void* at = nullptr;
  if (!place(to, offset, bytes, &at)) return invalid_value;
  return copy(at, pointer_of(from), bytes, driver::CopyDirection::device_to_device, nullptr, false);
}
CUresult cuMemcpyAtoD_v2(CUdeviceptr to, CUarray from, size_t offset, size_t bytes) {
  void* at = nullptr;
  if (!place(from, offset, bytes, &at)) return invalid_value;
  return copy(pointer_of(to), at, bytes, driver::CopyDirection::device_to_device, nullptr, false);
}
CUresult cuMemcpyAtoA_v2(CUarray to, size_t to_offset, CUarray from, size_t from_offset, size_t bytes) {
  void *at = nullptr, *source = nullptr;
  if (!place(to, to_offset, bytes, &at) || !place(from, from_offset, bytes, &source)) return invalid_value;
  return copy(at, source, bytes, driver::CopyDirection::device_to_device, nullptr, false);
}

// Objects.

CUresult cuTexObjectCreate(CUtexObject* handle, const CUDA_RESOURCE_DESC* resource,
                           const CUDA_TEXTURE_DESC* p, const CUDA_RESOURCE_VIEW_DESC* view) {
  cudaResourceDesc from;
  if (handle == nullptr || resource == nullptr || p == nullptr || resource->flags != 0 ||
      !resource_of(*resource, from))
    return invalid_value;
  constexpr unsigned known = CU_TRSF_READ_AS_INTEGER | CU_TRSF_NORMALIZED_COORDINATES | CU_TRSF_SRGB;
  if (view != nullptr || (p->flags & ~known) != 0) return CUDA_ERROR_NOT_SUPPORTED;
  cudaTextureDesc texture{};
  for (int i = 0; i < 3; ++i) texture.addressMode[i] = static_cast<cudaTextureAddressMode>(p->addressMode[i]);
  texture.filterMode = static_cast<cudaTextureFilterMode>(p->filterMode);
  texture.normalizedCoords = (p->flags & CU_TRSF_NORMALIZED_COORDINATES) != 0;
  texture.sRGB = (p->flags & CU_TRSF_SRGB) != 0;
  // Integers of 8 and 16 bits are read as fractions unless the flag says otherwise, wider ones never are.
  const cudaChannelFormatDesc* format =
      from.resType == cudaResourceTypeLinear    ? &from.res.linear.desc
      : from.resType == cudaResourceTypePitch2D ? &from.res.pitch2D.desc
      : from.resType == cudaResourceTypeArray && from.res.array.array != nullptr
          ? &from.res.array.array->format
          : nullptr;
  const bool fractions = format != nullptr && format->f != cudaChannelFormatKindFloat && format->x < 32 &&
                         (p->flags & CU_TRSF_READ_AS_INTEGER) == 0;
  texture.readMode = fractions ? cudaReadModeNormalizedFloat : cudaReadModeElementType;
  std::memcpy(texture.borderColor, p->borderColor, sizeof texture.borderColor);
  WR_CURRENT(device);
  return code(make_texture(*device, from, texture, handle));
}

CUresult cuTexObjectDestroy(CUtexObject handle) {
  WR_CURRENT(device);
  return code(destroy_object(*device, handle));
}

CUresult cuTexObjectGetResourceDesc(CUDA_RESOURCE_DESC* p, CUtexObject handle) {
  cudaResourceDesc from;
  if (p == nullptr || !find_object(handle, &from, nullptr)) return invalid_value;
  *p = {};
  p->resType = static_cast<CUresourcetype>(from.resType);
  if (from.resType == cudaResourceTypeArray) {
    p->res.array.hArray = reinterpret_cast<CUarray>(from.res.array.array);
  } else if (from.resType == cudaResourceTypeLinear) {
    p->res.linear.devPtr = address_of(from.res.linear.devPtr);
    p->res.linear.sizeInBytes = from.res.linear.sizeInBytes;
    format_of(from.res.linear.desc, p->res.linear.format, p->res.linear.numChannels);
  } else {
    p->res.pitch2D.devPtr = address_of(from.res.pitch2D.devPtr);
    p->res.pitch2D.width = from.res.pitch2D.width;
    p->res.pitch2D.height = from.res.pitch2D.height;
    p->res.pitch2D.pitchInBytes = from.res.pitch2D.pitchInBytes;
    format_of(from.res.pitch2D.desc, p->res.pitch2D.format, p->res.pitch2D.numChannels);
  }
  return CUDA_SUCCESS;
}

CUresult cuTexObjectGetTextureDesc(CUDA_TEXTURE_DESC* p, CUtexObject handle) {
  cudaTextureDesc texture;
  if (p == nullptr || !find_object(handle, nullptr, &texture)) return invalid_value;
  *p = {};
  for (int i = 0; i < 3; ++i) p->addressMode[i] = static_cast<CUaddress_mode>(texture.addressMode[i]);
  p->filterMode = static_cast<CUfilter_mode>(texture.filterMode);
  p->flags = (texture.normalizedCoords != 0 ? CU_TRSF_NORMALIZED_COORDINATES : 0) |
             (texture.readMode == cudaReadModeElementType ? CU_TRSF_READ_AS_INTEGER : 0);
  std::memcpy(p->borderColor, texture.borderColor, sizeof p->borderColor);
  return CUDA_SUCCESS;
}

CUresult cuSurfObjectCreate(CUsurfObject* handle, const CUDA_RESOURCE_DESC* resource) {
  cudaResourceDesc from;
  if (handle == nullptr || resource == nullptr || !resource_of(*resource, from)) return invalid_value;
  WR_CURRENT(device);
  return code(make_surface(*device, from, handle));
}
CUresult cuSurfObjectDestroy(CUsurfObject handle) {
  return cuTexObjectDestroy(handle);
}
CUresult cuSurfObjectGetResourceDesc(CUDA_RESOURCE_DESC* p, CUsurfObject handle) {
  return cuTexObjectGetResourceDesc(p, handle);
}

}  // extern "C"
