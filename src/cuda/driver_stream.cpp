// The driver API: streams, events and capture. The handles are the runtime's.

#include <algorithm>

#include "cuda/driver_api.h"
#include "cuda/graphs.h"

using namespace wanren;
using namespace wanren::cuda;

namespace {

bool is_default(CUstream stream) {
  return stream == nullptr || stream == CU_STREAM_LEGACY || stream == CU_STREAM_PER_THREAD;
}

}  // namespace

extern "C" {

CUresult cuStreamCreateWithPriority(CUstream* stream, unsigned int flags, int priority) {
  if (stream == nullptr || (flags & ~static_cast<unsigned>(CU_STREAM_NON_BLOCKING)) != 0)
    return invalid_value;
  WR_CURRENT(device);
  *stream = new CUstream_st{*device, device->create_stream(flags == CU_STREAM_NON_BLOCKING, priority), flags,
                            std::clamp(priority, -5, 0)};
  return CUDA_SUCCESS;
}
CUresult cuStreamCreate(CUstream* stream, unsigned int flags) {
  return cuStreamCreateWithPriority(stream, flags, 0);
}

CUresult cuStreamDestroy_v2(CUstream stream) {
  if (is_default(stream)) return CUDA_ERROR_INVALID_HANDLE;
  const driver::Status status = stream->device.destroy_stream(stream->stream);
  delete stream;
  return code(status);
}

CUresult cuStreamSynchronize(CUstream stream) {
  WR_CURRENT(device);
  const driver::Status status = device_of(stream, *device).synchronize(stream_of(stream));
  device->print_device_output();
  return code(status);
}
CUresult cuStreamQuery(CUstream stream) {
  WR_CURRENT(device);
  return code(device_of(stream, *device).query(stream_of(stream)));
}

CUresult cuStreamWaitEvent(CUstream stream, CUevent event, unsigned int) {
  WR_CURRENT(device);
  if (event == nullptr) return CUDA_ERROR_INVALID_HANDLE;
  return code(device_of(stream, *device).wait_event(stream_of(stream), event->event));
}

CUresult cuStreamAddCallback(CUstream stream, CUstreamCallback callback, void* data, unsigned int flags) {
  if (callback == nullptr || flags != 0) return invalid_value;
  WR_CURRENT(device);
  return code(device_of(stream, *device).host_function(stream_of(stream), [=] {
    callback(stream, CUDA_SUCCESS, data);
  }));
}

CUresult cuLaunchHostFunc(CUstream stream, CUhostFn function, void* data) {
  if (function == nullptr) return invalid_value;
  WR_CURRENT(device);
  const driver::Stream at = stream_of(stream);
  if (driver::CapturePoint* point = driver::capturing(at)) {
    // With its address, which queries of the node return.
    point->add(driver::HostCall{[=] { function(data); }, function, data});
    return CUDA_SUCCESS;
  }
  return code(device_of(stream, *device).host_function(at, [=] { function(data); }));
}

CUresult cuStreamGetFlags(CUstream stream, unsigned int* flags) {
  if (flags == nullptr) return invalid_value;
  *flags = is_default(stream) ? 0 : stream->flags;
  return CUDA_SUCCESS;
}
CUresult cuStreamGetPriority(CUstream stream, int* priority) {
  if (priority == nullptr) return invalid_value;
  *priority = is_default(stream) ? 0 : stream->priority;
  return CUDA_SUCCESS;
}
CUresult cuStreamGetId(CUstream stream, unsigned long long* id) {
  if (id == nullptr) return invalid_value;
  *id = reinterpret_cast<unsigned long long>(stream);
  return CUDA_SUCCESS;
}
CUresult cuStreamGetDevice(CUstream stream, CUdevice* number) {
  if (number == nullptr) return invalid_value;
  WR_CURRENT(device);
  *number = device_of(stream, *device).index();
  return CUDA_SUCCESS;
}

CUresult cuStreamGetCtx(CUstream stream, CUcontext* context) {
  if (context == nullptr) return invalid_value;
  WR_CURRENT(device);
  driver::Device& owner = device_of(stream, *device);
  *context = handle_of(&owner == device ? driver::current_context() : &driver::primary_context(owner));
  return CUDA_SUCCESS;
}

// There are no green contexts.
CUresult cuStreamGetCtx_v2(CUstream stream, CUcontext* context, CUgreenCtx* green) {
  if (green != nullptr) *green = nullptr;
  return cuStreamGetCtx(stream, context);
}

// Hints for caches and schedulers that the modelled chip does not have.
CUresult cuStreamAttachMemAsync(CUstream, CUdeviceptr, size_t, unsigned int) {
  return CUDA_SUCCESS;
}
CUresult cuStreamCopyAttributes(CUstream, CUstream) {
  return CUDA_SUCCESS;
}
CUresult cuStreamSetAttribute(CUstream, CUstreamAttrID, const CUstreamAttrValue* value) {
  return value != nullptr ? CUDA_SUCCESS : invalid_value;
}

// Events.

CUresult cuEventCreate(CUevent* event, unsigned int flags) {
  if (event == nullptr) return invalid_value;
  if ((flags & CU_EVENT_INTERPROCESS) != 0) return CUDA_ERROR_NOT_SUPPORTED;
  WR_CURRENT(device);
  *event = new CUevent_st{*device, device->create_event((flags & CU_EVENT_DISABLE_TIMING) == 0,
                                                        (flags & CU_EVENT_BLOCKING_SYNC) != 0)};
  return CUDA_SUCCESS;
}

CUresult cuEventRecord(CUevent event, CUstream stream) {
  WR_CURRENT(device);
  if (event == nullptr) return CUDA_ERROR_INVALID_HANDLE;
  // An event is its device's.
  if (&device_of(stream, *device) != &event->device) return CUDA_ERROR_INVALID_HANDLE;
  return code(device_of(stream, *device).record(event->event, stream_of(stream)));
}
CUresult cuEventRecordWithFlags(CUevent event, CUstream stream, unsigned int) {
  return cuEventRecord(event, stream);
}

CUresult cuEventSynchronize(CUevent event) {
  if (event == nullptr) return CUDA_ERROR_INVALID_HANDLE;
  const driver::Status status = event->device.synchronize(event->event);
  event->device.print_device_output();
  return code(status);
}
CUresult cuEventQuery(CUevent event) {
  return event != nullptr ? code(event->device.query(event->event)) : CUDA_ERROR_INVALID_HANDLE;
}

CUresult cuEventElapsedTime_v2(float* ms, CUevent begin, CUevent end) {
  if (ms == nullptr) return invalid_value;
  if (begin == nullptr || end == nullptr) return CUDA_ERROR_INVALID_HANDLE;
  return code(begin->device.elapsed_ms(begin->event, end->event, *ms));
}
CUresult cuEventElapsedTime(float* ms, CUevent begin, CUevent end) {
  return cuEventElapsedTime_v2(ms, begin, end);
}

CUresult cuEventDestroy_v2(CUevent event) {
  if (event == nullptr) return CUDA_ERROR_INVALID_HANDLE;
  delete event;
  return CUDA_SUCCESS;
}

// Capture.

CUresult cuStreamBeginCapture_v2(CUstream stream, CUstreamCaptureMode mode) {
  WR_CURRENT(device);
  return code(capture_begin(stream_of(stream), mode, nullptr, nullptr, 0));
}
#undef cuStreamBeginCapture
CUresult cuStreamBeginCapture(CUstream stream) {
  return cuStreamBeginCapture_v2(stream, CU_STREAM_CAPTURE_MODE_GLOBAL);
}

CUresult cuStreamBeginCaptureToGraph(CUstream stream, CUgraph graph, const CUgraphNode* after,
                                     const CUgraphEdgeData* edges, size_t count, CUstreamCaptureMode mode) {
  if (graph == nullptr) return invalid_value;
  if (!plain(edges, count)) return CUDA_ERROR_NOT_SUPPORTED;
  WR_CURRENT(device);
  return code(capture_begin(stream_of(stream), mode, graph, after, count));
}

CUresult cuStreamEndCapture(CUstream stream, CUgraph* graph) {
  WR_CURRENT(device);
  return code(capture_end(stream_of(stream), graph));
}

CUresult cuStreamGetCaptureInfo_v2(CUstream stream, CUstreamCaptureStatus* status, cuuint64_t* id,
                                   CUgraph* graph, const CUgraphNode** tail, size_t* count) {
  if (status == nullptr) return invalid_value;
  WR_CURRENT(device);
  int active = 0;
  unsigned long long number = 0;
  const driver::Status done = capture_info(stream_of(stream), &active, &number, graph, tail, count);
  *status = static_cast<CUstreamCaptureStatus>(active);
  if (id != nullptr && active != 0) *id = number;
  return code(done);
}
#undef cuStreamGetCaptureInfo
CUresult cuStreamGetCaptureInfo(CUstream stream, CUstreamCaptureStatus* status, cuuint64_t* id) {
  return cuStreamGetCaptureInfo_v2(stream, status, id, nullptr, nullptr, nullptr);
}
CUresult cuStreamGetCaptureInfo_v3(CUstream stream, CUstreamCaptureStatus* status, cuuint64_t* id,
                                   CUgraph* graph, const CUgraphNode** tail, const CUgraphEdgeData** edges,
                                   size_t* count) {
  // Null: no edge has data.
  if (edges != nullptr) *edges = nullptr;
  return cuStreamGetCaptureInfo_v2(stream, status, id, graph, tail, count);
}

CUresult cuStreamIsCapturing(CUstream stream, CUstreamCaptureStatus* status) {
  return cuStreamGetCaptureInfo_v2(stream, status, nullptr, nullptr, nullptr, nullptr);
}

CUresult cuStreamUpdateCaptureDependencies(CUstream stream, CUgraphNode* nodes, size_t count,
                                           unsigned int flags) {
  WR_CURRENT(device);
  return code(capture_update(stream_of(stream), nodes, count, flags));
}
CUresult cuStreamUpdateCaptureDependencies_v2(CUstream stream, CUgraphNode* nodes,
                                              const CUgraphEdgeData* edges, size_t count,
                                              unsigned int flags) {
  if (!plain(edges, count)) return CUDA_ERROR_NOT_SUPPORTED;
  return cuStreamUpdateCaptureDependencies(stream, nodes, count, flags);
}

CUresult cuThreadExchangeStreamCaptureMode(CUstreamCaptureMode* mode) {
  if (mode == nullptr) return invalid_value;
  int value = *mode;
  exchange_capture_mode(&value);
  *mode = static_cast<CUstreamCaptureMode>(value);
  return CUDA_SUCCESS;
}

}  // extern "C"
