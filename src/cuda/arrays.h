#pragma once
// Private to src/cuda: arrays, which are pitched device memory with a texel format.

#include <cstddef>

#include "cuda_runtime_api.h"
#include "driver/device.h"

struct cudaArray {
  void* memory = nullptr;
  cudaChannelFormatDesc format{};
  cudaExtent extent{};  ///< As given: zero for dimensions that the array has not.
  unsigned flags = 0;
  std::size_t pitch = 0;  ///< Bytes from row to row.

  std::size_t texel_bytes() const {
    return static_cast<std::size_t>(format.x + format.y + format.z + format.w) / 8;
  }
  std::size_t rows() const { return extent.height == 0 ? 1 : extent.height; }
  std::size_t slices() const { return extent.depth == 0 ? 1 : extent.depth; }
  std::size_t slice_bytes() const { return pitch * rows(); }
  char* at(std::size_t x_bytes, std::size_t y, std::size_t z) const {
    return static_cast<char*>(memory) + z * slice_bytes() + y * pitch + x_bytes;
  }
  bool holds(std::size_t x_bytes, std::size_t y, std::size_t width, std::size_t height) const {
    const std::size_t row = extent.width * texel_bytes();
    return x_bytes <= row && width <= row - x_bytes && y <= rows() && height <= rows() - y;
  }
};

namespace wanren::cuda {

/// Errors: no such texel format; the device's memory is full.
driver::Status make_array(driver::Device& device, const cudaChannelFormatDesc& format, cudaExtent extent,
                          unsigned flags, cudaArray** array);
driver::Status free_array(driver::Device& device, cudaArray* array);
/// Errors: what the device functions do not do, logged.
driver::Status make_texture(driver::Device& device, const cudaResourceDesc& resource,
                            const cudaTextureDesc& texture, unsigned long long* handle);
driver::Status make_surface(driver::Device& device, const cudaResourceDesc& resource,
                            unsigned long long* handle);
driver::Status destroy_object(driver::Device& device, unsigned long long handle);
/// What a texture or surface object was made of; null pointers are not asked for. False: no such object.
bool find_object(unsigned long long handle, cudaResourceDesc* resource, cudaTextureDesc* texture);

}  // namespace wanren::cuda
