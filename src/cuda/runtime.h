#pragma once
// Private to src/cuda: what the files of both APIs share.

#include <string>

#include "cuda_runtime_api.h"
#include "driver/context.h"
#include "driver/device.h"
#include "driver/graph.h"
#include "driver/process.h"

struct CUstream_st {
  wanren::driver::Device& device;
  wanren::driver::Stream stream;
  unsigned flags = 0;
  int priority = 0;
};

struct CUevent_st {
  wanren::driver::Device& device;
  wanren::driver::Event event;
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

/// The device of the thread's context; the first device's primary context becomes current if there is none.
/// Null with `error` set: no device.
driver::Device* device(cudaError_t& error);
/// The device of this number. Null with `error` set: none.
driver::Device* device_at(int index, cudaError_t& error);

/// The driver's stream behind a handle; legacy, per-thread and null handles included.
driver::Stream stream_of(cudaStream_t handle);
/// The device that the handle's stream belongs to: `current` for the default streams.
driver::Device& device_of(cudaStream_t handle, driver::Device& current);

/// The kernel behind a host function pointer, cudaFunction_t or cudaKernel_t; loads its module on first use.
driver::Loaded<driver::Function*> function_of(const void* handle);
/// A launch of the kernel behind `handle`.
cudaError_t request_of(const void* handle, dim3 grid, dim3 block, void** arguments, size_t shared_bytes,
                       cudaStream_t stream, driver::LaunchRequest& request);
/// Arguments as one buffer: CU_LAUNCH_PARAM_BUFFER_POINTER and _SIZE of `extra`.
void read_packed(void** extra, driver::LaunchRequest& request);

/// Where `bytes` at `offset` of a registered variable are.
cudaError_t symbol_place(const void* symbol, size_t bytes, size_t offset, void** at);

bool direction_of(cudaMemcpyKind kind, driver::CopyDirection& direction);
/// What a 3D copy moves. Errors: outside its arrays, no direction.
cudaError_t copy_call(const cudaMemcpy3DParms* parameters, driver::CopyCall& call);

/// From one device's memory to another's, behind all that both have been told; the host waits.
driver::Status copy_between(driver::Device& target, void* to, driver::Device& source, const void* from,
                            size_t bytes);

/// Where device code sees what lies at `pointer`, which is the device's or, of registered memory, the host's.
void* device_side(const engine::Arena::Allocation& allocation, const void* pointer);

void fill_properties(const driver::Device& device, cudaDeviceProp& properties);
/// False: no such attribute. The numbers are those of both APIs.
bool device_attribute(const driver::Device& device, int attribute, int& value);
/// Limits have the same numbers in both APIs.
driver::Status get_limit(driver::Device& device, int limit, size_t& value);
driver::Status set_limit(driver::Device& device, int limit, size_t value);
/// "0000:01:00.0"
std::string pci_bus_id(const driver::Device& device);

}  // namespace wanren::cuda

/// Gets the current device into `device`, or returns the error that says why there is none.
#define WR_DEVICE(name)                                              \
  cudaError_t wr_error = cudaSuccess;                                \
  ::wanren::driver::Device* name = ::wanren::cuda::device(wr_error); \
  if (name == nullptr) return ::wanren::cuda::note(wr_error)
/// The same for the device of a number.
#define WR_DEVICE_AT(device, index)                                              \
  cudaError_t wr_error = cudaSuccess;                                            \
  ::wanren::driver::Device* device = ::wanren::cuda::device_at(index, wr_error); \
  if (device == nullptr) return ::wanren::cuda::note(wr_error)
