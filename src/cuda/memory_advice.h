#pragma once
// Private to src/cuda: advice about managed memory, for both APIs. A place is a device's number, -1 for the
// host, -2 for none.

#include <cstddef>

#include "driver/device.h"

namespace wanren::cuda {

/// The place of a CUmemLocation or cudaMemLocation.
int place_of(int type, int id);
/// `advice` is CUDA's number. Errors: no managed memory, no such place.
driver::Status advise(driver::Device& device, const void* at, std::size_t bytes, int advice, int place);
driver::Status prefetch(driver::Device& device, const void* at, std::size_t bytes, int place);
driver::Status range_attribute(const driver::Device& device, void* data, std::size_t data_bytes,
                               int attribute, const void* at, std::size_t bytes);

}  // namespace wanren::cuda
