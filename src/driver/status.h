#pragma once
// CUDA error codes, one table for the runtime and the driver API.

#include <cstdint>

#include "simt/warp_context.h"

namespace wanren::driver {

/// The numeric value is the runtime's cudaError_t.
enum class Status : int {
#define WR_STATUS(value, runtime, driver, text) runtime = value,
#include "driver/status.def"
#undef WR_STATUS
};

const char* runtime_name(Status status);  ///< "cudaErrorInvalidValue"; null if unknown.
const char* driver_name(Status status);   ///< "CUDA_ERROR_INVALID_VALUE"
const char* text(Status status);          ///< CUDA's message.
/// The CUresult that the driver API returns for it.
int driver_value(Status status);
/// The first status whose driver value is `value`.
Status from_driver_value(int value);
/// What hardware reports for a fault in device code.
Status status_of(simt::Fault fault);

}  // namespace wanren::driver
