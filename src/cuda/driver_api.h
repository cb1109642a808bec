#pragma once
// Private to src/cuda: what the files of the driver API share. It answers errors as CUresult and needs a
// current context where the runtime API makes one.

#include "cuda.h"
#include "cuda/runtime.h"

namespace wanren::cuda {

inline CUresult code(driver::Status status) {
  return static_cast<CUresult>(driver::driver_value(status));
}
inline constexpr CUresult invalid_value = CUDA_ERROR_INVALID_VALUE;

/// The device of the current context, or null with `error` set: not initialised, no context, a destroyed one.
driver::Device* current_device(CUresult& error);
/// The device of this number, or null with `error` set.
driver::Device* device_number(CUdevice number, CUresult& error);

inline driver::Context* context_of(CUcontext handle) {
  return reinterpret_cast<driver::Context*>(handle);
}
inline CUcontext handle_of(driver::Context* context) {
  return reinterpret_cast<CUcontext>(context);
}
/// A CUarray is the runtime's cudaArray_t.
inline cudaArray* array_of(CUarray handle) {
  return reinterpret_cast<cudaArray*>(handle);
}
inline void* pointer_of(CUdeviceptr pointer) {
  return reinterpret_cast<void*>(pointer);
}
inline CUdeviceptr address_of(const void* pointer) {
  return reinterpret_cast<CUdeviceptr>(pointer);
}

/// A launch of a CUfunction or CUkernel on the current device.
CUresult launch_request(const void* handle, Dim3 grid, Dim3 block, unsigned shared_bytes, CUstream stream,
                        void** arguments, void** extra, driver::LaunchRequest& request);
/// What a 3D copy moves. Errors: outside of its arrays; no memory type.
CUresult copy_call(const CUDA_MEMCPY3D* parameters, driver::CopyCall& call);

/// Edges carry no data but the default here: kernels do not start before what they depend on has ended.
inline bool plain(const CUgraphEdgeData* edges, std::size_t count) {
  for (std::size_t i = 0; edges != nullptr && i < count; ++i)
    if (edges[i].from_port != 0 || edges[i].to_port != 0 || edges[i].type != 0) return false;
  return true;
}

}  // namespace wanren::cuda

/// Gets the current context's device into `device`, or returns the error that says why there is none.
#define WR_CURRENT(device)                                                      \
  CUresult wr_result = CUDA_SUCCESS;                                            \
  ::wanren::driver::Device* device = ::wanren::cuda::current_device(wr_result); \
  if (device == nullptr) return wr_result
/// The same for the device of a number.
#define WR_NUMBER(device, number)                                                      \
  CUresult wr_result = CUDA_SUCCESS;                                                   \
  ::wanren::driver::Device* device = ::wanren::cuda::device_number(number, wr_result); \
  if (device == nullptr) return wr_result
