#pragma once
// Private to src/cuda: what the runtime API's files share.

#include "cuda/graph.h"
#include "cuda_runtime_api.h"
#include "driver/device.h"

struct CUstream_st {
  wanren::driver::Stream stream;
  unsigned flags = 0;
  wanren::cuda::CapturePoint captured;
};

struct CUevent_st {
  wanren::driver::Event event;
  wanren::cuda::CapturePoint captured;
};

namespace wanren::cuda {

/// What the driver API answers: the newest version whose runtime library there is.
inline constexpr int driver_version = 13000;

/// Remembers `error` for cudaGetLastError and returns it.
cudaError_t note(cudaError_t error);
inline cudaError_t note(driver::Status status) {
  return note(static_cast<cudaError_t>(status));
}
/// The error that cudaGetLastError would return; cleared with `clear`.
cudaError_t last_error(bool clear);

/// The device, or null with `error` set.
driver::Device* device(cudaError_t& error);

/// The driver's stream behind a handle; legacy, per-thread and null handles included.
driver::Stream stream_of(cudaStream_t handle);

/// The kernel behind a host function pointer or cudaFunction_t; loads its module on first use.
driver::Loaded<driver::Function*> function_of(const void* host_function);

/// Device address and size of a registered variable. False: unknown symbol.
bool symbol_of(const void* host_variable, void** address, size_t* bytes);

void fill_properties(const chip::Spec& chip, cudaDeviceProp& properties);

}  // namespace wanren::cuda

/// Gets the device into `device`, or returns the error that says why there is none.
#define WR_DEVICE(device)                                              \
  cudaError_t wr_error = cudaSuccess;                                  \
  ::wanren::driver::Device* device = ::wanren::cuda::device(wr_error); \
  if (device == nullptr) return ::wanren::cuda::note(wr_error)
