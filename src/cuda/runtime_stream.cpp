// Streams, events and host functions.

#include <algorithm>
#include <map>

#include "cuda/entry_points.h"
#include "cuda/runtime.h"

namespace wanren::cuda {
namespace {

/// The calling thread's own default stream on the device.
driver::Stream thread_stream(driver::Device& device) {
  thread_local std::map<const driver::Device*, driver::Stream> streams;
  driver::Stream& stream = streams[&device];
  if (stream == nullptr) stream = device.create_stream(false, 0);
  return stream;
}

}  // namespace

driver::Stream stream_of(cudaStream_t handle) {
  const bool per_thread =
      handle == cudaStreamPerThread || (handle == nullptr && NullStreamPerThread::is_active());
  if (per_thread) {
    const driver::Context* context = driver::current_context();
    return context != nullptr ? thread_stream(context->device) : nullptr;
  }
  if (handle == nullptr || handle == cudaStreamLegacy) return nullptr;
  return handle->stream;
}

driver::Device& device_of(cudaStream_t handle, driver::Device& current) {
  if (handle == nullptr || handle == cudaStreamLegacy || handle == cudaStreamPerThread) return current;
  return handle->device;
}

}  // namespace wanren::cuda

using namespace wanren;
using namespace wanren::cuda;

extern "C" {

cudaError_t cudaStreamCreateWithPriority(cudaStream_t* handle, unsigned int flags, int priority) {
  if (handle == nullptr || (flags & ~1u) != 0) return note(cudaErrorInvalidValue);
  WR_DEVICE(device);
  *handle = new CUstream_st{*device, device->create_stream(flags == cudaStreamNonBlocking, priority), flags,
                            std::clamp(priority, -5, 0)};
  return cudaSuccess;
}

cudaError_t cudaStreamCreateWithFlags(cudaStream_t* handle, unsigned int flags) {
  return cudaStreamCreateWithPriority(handle, flags, 0);
}

cudaError_t cudaStreamCreate(cudaStream_t* handle) {
  return cudaStreamCreateWithPriority(handle, 0, 0);
}

cudaError_t cudaStreamDestroy(cudaStream_t handle) {
  WR_DEVICE(device);
  if (handle == nullptr) return note(cudaErrorInvalidResourceHandle);
  const driver::Status status = handle->device.destroy_stream(handle->stream);
  delete handle;
  return note(status);
}

cudaError_t cudaStreamGetFlags(cudaStream_t handle, unsigned int* flags) {
  if (flags == nullptr) return note(cudaErrorInvalidValue);
  const bool is_default = handle == nullptr || handle == cudaStreamLegacy || handle == cudaStreamPerThread;
  *flags = is_default ? 0 : handle->flags;
  return cudaSuccess;
}

cudaError_t cudaStreamGetPriority(cudaStream_t handle, int* priority) {
  if (priority == nullptr) return note(cudaErrorInvalidValue);
  const bool is_default = handle == nullptr || handle == cudaStreamLegacy || handle == cudaStreamPerThread;
  *priority = is_default ? 0 : handle->priority;
  return cudaSuccess;
}

cudaError_t cudaStreamSynchronize(cudaStream_t handle) {
  WR_DEVICE(device);
  const driver::Status status = device_of(handle, *device).synchronize(stream_of(handle));
  device->print_device_output();
  return note(status);
}

cudaError_t cudaStreamQuery(cudaStream_t handle) {
  WR_DEVICE(device);
  return note(device_of(handle, *device).query(stream_of(handle)));
}

cudaError_t cudaStreamWaitEvent(cudaStream_t handle, cudaEvent_t event, unsigned int) {
  WR_DEVICE(device);
  if (event == nullptr) return note(cudaErrorInvalidResourceHandle);
  return note(device_of(handle, *device).wait_event(stream_of(handle), event->event));
}

cudaError_t cudaStreamAddCallback(cudaStream_t handle, cudaStreamCallback_t callback, void* data,
                                  unsigned int) {
  WR_DEVICE(device);
  if (callback == nullptr) return note(cudaErrorInvalidValue);
  return note(device_of(handle, *device).host_function(stream_of(handle), [=] {
    callback(handle, cudaSuccess, data);
  }));
}

cudaError_t cudaLaunchHostFunc(cudaStream_t handle, cudaHostFn_t function, void* data) {
  WR_DEVICE(device);
  if (function == nullptr) return note(cudaErrorInvalidValue);
  const driver::Stream stream = stream_of(handle);
  if (driver::CapturePoint* point = driver::capturing(stream)) {
    // With its address, which queries of the node return.
    point->add(driver::HostCall{[=] { function(data); }, function, data});
    return cudaSuccess;
  }
  return note(device_of(handle, *device).host_function(stream, [=] { function(data); }));
}

cudaError_t cudaEventCreateWithFlags(cudaEvent_t* handle, unsigned int flags) {
  if (handle == nullptr) return note(cudaErrorInvalidValue);
  WR_DEVICE(device);
  *handle = new CUevent_st{*device, device->create_event((flags & cudaEventDisableTiming) == 0,
                                                         (flags & cudaEventBlockingSync) != 0)};
  return cudaSuccess;
}

cudaError_t cudaEventCreate(cudaEvent_t* handle) {
  return cudaEventCreateWithFlags(handle, 0);
}

cudaError_t cudaEventRecord(cudaEvent_t handle, cudaStream_t stream) {
  WR_DEVICE(device);
  if (handle == nullptr) return note(cudaErrorInvalidResourceHandle);
  // An event is its device's.
  if (&device_of(stream, *device) != &handle->device) return note(cudaErrorInvalidResourceHandle);
  return note(device_of(stream, *device).record(handle->event, stream_of(stream)));
}

cudaError_t cudaEventRecordWithFlags(cudaEvent_t handle, cudaStream_t stream, unsigned int) {
  return cudaEventRecord(handle, stream);
}

cudaError_t cudaEventQuery(cudaEvent_t handle) {
  WR_DEVICE(device);
  if (handle == nullptr) return note(cudaErrorInvalidResourceHandle);
  return note(handle->device.query(handle->event));
}

cudaError_t cudaEventSynchronize(cudaEvent_t handle) {
  WR_DEVICE(device);
  if (handle == nullptr) return note(cudaErrorInvalidResourceHandle);
  const driver::Status status = handle->device.synchronize(handle->event);
  device->print_device_output();
  return note(status);
}

cudaError_t cudaEventDestroy(cudaEvent_t handle) {
  if (handle == nullptr) return note(cudaErrorInvalidResourceHandle);
  delete handle;
  return cudaSuccess;
}

cudaError_t cudaEventElapsedTime(float* milliseconds, cudaEvent_t begin, cudaEvent_t end) {
  WR_DEVICE(device);
  if (milliseconds == nullptr || begin == nullptr || end == nullptr)
    return note(cudaErrorInvalidResourceHandle);
  return note(begin->device.elapsed_ms(begin->event, end->event, *milliseconds));
}

}  // extern "C"
