// Streams, events and host functions.

#include <algorithm>

#include "cuda/entry_points.h"
#include "cuda/runtime.h"

namespace wanren::cuda {
namespace {

/// The calling thread's own default stream, or null without a device.
driver::Stream thread_stream() {
  thread_local driver::Stream stream;
  if (stream == nullptr)
    if (driver::Device* device = driver::Device::get()) stream = device->create_stream(false, 0);
  return stream;
}

}  // namespace

driver::Stream stream_of(cudaStream_t handle) {
  const bool per_thread =
      handle == cudaStreamPerThread || (handle == nullptr && NullStreamPerThread::is_active());
  if (per_thread) return thread_stream();
  if (handle == nullptr || handle == cudaStreamLegacy) return nullptr;
  return handle->stream;
}

}  // namespace wanren::cuda

using namespace wanren;
using namespace wanren::cuda;

extern "C" {

cudaError_t cudaStreamCreateWithPriority(cudaStream_t* handle, unsigned int flags, int priority) {
  if (handle == nullptr || (flags & ~1u) != 0) return note(cudaErrorInvalidValue);
  WR_DEVICE(device);
  *handle = new CUstream_st{device->create_stream(flags == cudaStreamNonBlocking, priority), flags, {}};
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
  if (handle->captured.capture) std::erase(handle->captured.capture->streams, handle);
  const driver::Status status = device->destroy_stream(handle->stream);
  delete handle;
  return note(status);
}

cudaError_t cudaStreamGetFlags(cudaStream_t handle, unsigned int* flags) {
  if (flags == nullptr) return note(cudaErrorInvalidValue);
  *flags = stream_of(handle) ? handle->flags : 0;
  return cudaSuccess;
}

cudaError_t cudaStreamGetPriority(cudaStream_t, int* priority) {
  if (priority == nullptr) return note(cudaErrorInvalidValue);
  *priority = 0;
  return cudaSuccess;
}

cudaError_t cudaStreamSynchronize(cudaStream_t handle) {
  WR_DEVICE(device);
  const driver::Status status = device->synchronize(stream_of(handle));
  device->print_device_output();
  return note(status);
}

cudaError_t cudaStreamQuery(cudaStream_t handle) {
  WR_DEVICE(device);
  return note(device->query(stream_of(handle)));
}

cudaError_t cudaStreamWaitEvent(cudaStream_t handle, cudaEvent_t event, unsigned int) {
  WR_DEVICE(device);
  if (event == nullptr) return note(cudaErrorInvalidResourceHandle);
  if (event->captured.capture && event->captured.capture->graph && handle != nullptr) {
    // The stream joins the capture that recorded the event.
    CapturePoint& point = handle->captured;
    if (!point.capture) {
      point.capture = event->captured.capture;
      point.capture->streams.push_back(handle);
    }
    if (point.capture != event->captured.capture) return note(cudaErrorStreamCaptureMerge);
    for (const cudaGraphNode_t node : event->captured.tail)
      if (std::find(point.tail.begin(), point.tail.end(), node) == point.tail.end())
        point.tail.push_back(node);
    return cudaSuccess;
  }
  return note(device->wait_event(stream_of(handle), event->event));
}

cudaError_t cudaStreamAddCallback(cudaStream_t handle, cudaStreamCallback_t callback, void* data,
                                  unsigned int) {
  WR_DEVICE(device);
  if (callback == nullptr) return note(cudaErrorInvalidValue);
  return note(device->host_function(stream_of(handle), [=] { callback(handle, cudaSuccess, data); }));
}

cudaError_t cudaLaunchHostFunc(cudaStream_t handle, cudaHostFn_t function, void* data) {
  WR_DEVICE(device);
  if (function == nullptr) return note(cudaErrorInvalidValue);
  if (CapturePoint* point = capturing(handle)) {
    capture_node(*point, host_node(function, data));
    return cudaSuccess;
  }
  return note(device->host_function(stream_of(handle), [=] { function(data); }));
}

cudaError_t cudaEventCreateWithFlags(cudaEvent_t* handle, unsigned int flags) {
  if (handle == nullptr) return note(cudaErrorInvalidValue);
  WR_DEVICE(device);
  *handle = new CUevent_st{
      device->create_event((flags & cudaEventDisableTiming) == 0, (flags & cudaEventBlockingSync) != 0), {}};
  return cudaSuccess;
}

cudaError_t cudaEventCreate(cudaEvent_t* handle) {
  return cudaEventCreateWithFlags(handle, 0);
}

cudaError_t cudaEventRecord(cudaEvent_t handle, cudaStream_t stream) {
  WR_DEVICE(device);
  if (handle == nullptr) return note(cudaErrorInvalidResourceHandle);
  if (const CapturePoint* point = capturing(stream)) {
    handle->captured = *point;
    return cudaSuccess;
  }
  handle->captured = {};
  return note(device->record(handle->event, stream_of(stream)));
}

cudaError_t cudaEventRecordWithFlags(cudaEvent_t handle, cudaStream_t stream, unsigned int) {
  return cudaEventRecord(handle, stream);
}

cudaError_t cudaEventQuery(cudaEvent_t handle) {
  WR_DEVICE(device);
  if (handle == nullptr) return note(cudaErrorInvalidResourceHandle);
  return note(device->query(handle->event));
}

cudaError_t cudaEventSynchronize(cudaEvent_t handle) {
  WR_DEVICE(device);
  if (handle == nullptr) return note(cudaErrorInvalidResourceHandle);
  const driver::Status status = device->synchronize(handle->event);
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
  return note(device->elapsed_ms(begin->event, end->event, *milliseconds));
}

}  // extern "C"
