// Graphs and stream capture. External semaphores and launches from device code are not supported.

#include <cstring>

#include "cuda/arrays.h"
#include "cuda/graphs.h"
#include "cuda/runtime.h"

using namespace wanren;
using namespace wanren::cuda;

namespace {

/// Errors: as cudaMemcpy3D.
cudaError_t copy_of(const cudaMemcpy3DParms* p, driver::GraphNode::Work& work) {
  driver::CopyCall call;
  if (const cudaError_t error = copy_call(p, call); error != cudaSuccess) return error;
  work = call;
  return cudaSuccess;
}

driver::CopyCall linear_copy(void* to, const void* from, size_t bytes, cudaMemcpyKind kind) {
  driver::CopyCall call{to, from, driver::CopyShape::linear(bytes), driver::CopyDirection::automatic};
  (void)direction_of(kind, call.direction);
  return call;
}

bool fill_of(const cudaMemsetParams* p, driver::GraphNode::Work& work) {
  if (p == nullptr || (p->elementSize != 1 && p->elementSize != 2 && p->elementSize != 4)) return false;
  driver::FillCall call;
  call.to = p->dst;
  call.value = p->value;
  call.element = p->elementSize;
  call.shape.width = p->width * p->elementSize;
  call.shape.height = p->height;
  call.shape.destination_pitch = call.shape.source_pitch = p->height > 1 ? p->pitch : call.shape.width;
  call.shape.destination_slice = call.shape.source_slice = call.shape.destination_pitch * p->height;
  work = call;
  return true;
}

cudaError_t call_of(const cudaKernelNodeParams* p, driver::GraphNode::Work& work) {
  if (p == nullptr || p->func == nullptr) return note(cudaErrorInvalidValue);
  driver::LaunchRequest request;
  if (const cudaError_t error =
          request_of(p->func, p->gridDim, p->blockDim, p->kernelParams, p->sharedMemBytes, nullptr, request);
      error != cudaSuccess)
    return error;
  if (p->extra != nullptr) read_packed(p->extra, request);
  std::shared_ptr<const driver::KernelCall> call;
  WR_DEVICE(device);
  const driver::Status status = driver::make_call(request, *device, call);
  work = std::move(call);
  return note(status);
}

driver::HostCall host_call(const cudaHostNodeParams& p) {
  return {[p] { p.fn(p.userData); }, p.fn, p.userData};
}

template <class Call>
const Call* work_of(cudaGraphNode_t node) {
  return node != nullptr ? std::get_if<Call>(&node_of(node)->work) : nullptr;
}

}  // namespace

extern "C" {

cudaError_t cudaGraphCreate(cudaGraph_t* graph, unsigned int flags) {
  return note(graph_create(graph, flags));
}
cudaError_t cudaGraphDestroy(cudaGraph_t graph) {
  return note(graph_destroy(graph));
}
cudaError_t cudaGraphClone(cudaGraph_t* made, cudaGraph_t graph) {
  return note(graph_clone(made, graph));
}

// Kernels.

cudaError_t cudaGraphAddKernelNode(cudaGraphNode_t* made, cudaGraph_t graph, const cudaGraphNode_t* after,
                                   size_t count, const cudaKernelNodeParams* p) {
  driver::GraphNode::Work work;
  if (const cudaError_t error = call_of(p, work); error != cudaSuccess) return error;
  return note(graph_add(made, graph, after, count, std::move(work)));
}

cudaError_t cudaGraphKernelNodeGetParams(cudaGraphNode_t node, cudaKernelNodeParams* p) {
  const auto* call = work_of<std::shared_ptr<const driver::KernelCall>>(node);
  if (call == nullptr || p == nullptr) return note(cudaErrorInvalidValue);
  const driver::LaunchRequest& request = (*call)->request;
  *p = cudaKernelNodeParams{};
  p->func = const_cast<void*>((*call)->handle);
  p->gridDim = {request.grid.x, request.grid.y, request.grid.z};
  p->blockDim = {request.block.x, request.block.y, request.block.z};
  p->sharedMemBytes = request.dynamic_shared_bytes;
  p->kernelParams = const_cast<void**>((*call)->arguments.data());
  return cudaSuccess;
}

cudaError_t cudaGraphKernelNodeSetParams(cudaGraphNode_t node, const cudaKernelNodeParams* p) {
  driver::GraphNode::Work work;
  if (const cudaError_t error = call_of(p, work); error != cudaSuccess) return error;
  return note(graph_replace(node, std::move(work)));
}

cudaError_t cudaGraphExecKernelNodeSetParams(cudaGraphExec_t exec, cudaGraphNode_t node,
                                             const cudaKernelNodeParams* p) {
  return cudaGraphKernelNodeSetParams(in_exec(exec, node), p);
}

// Copies.

cudaError_t cudaGraphAddMemcpyNode(cudaGraphNode_t* made, cudaGraph_t graph, const cudaGraphNode_t* after,
                                   size_t count, const cudaMemcpy3DParms* p) {
  driver::GraphNode::Work work;
  if (const cudaError_t error = copy_of(p, work); error != cudaSuccess) return error;
  return note(graph_add(made, graph, after, count, std::move(work)));
}

cudaError_t cudaGraphAddMemcpyNode1D(cudaGraphNode_t* made, cudaGraph_t graph, const cudaGraphNode_t* after,
                                     size_t count, void* to, const void* from, size_t bytes,
                                     cudaMemcpyKind kind) {
  return note(graph_add(made, graph, after, count, linear_copy(to, from, bytes, kind)));
}

cudaError_t cudaGraphAddMemcpyNodeToSymbol(cudaGraphNode_t* made, cudaGraph_t graph,
                                           const cudaGraphNode_t* after, size_t count, const void* symbol,
                                           const void* from, size_t bytes, size_t offset,
                                           cudaMemcpyKind kind) {
  void* at = nullptr;
  if (const cudaError_t error = symbol_place(symbol, bytes, offset, &at); error != cudaSuccess) return error;
  return cudaGraphAddMemcpyNode1D(made, graph, after, count, at, from, bytes, kind);
}

cudaError_t cudaGraphAddMemcpyNodeFromSymbol(cudaGraphNode_t* made, cudaGraph_t graph,
                                             const cudaGraphNode_t* after, size_t count, void* to,
                                             const void* symbol, size_t bytes, size_t offset,
                                             cudaMemcpyKind kind) {
  void* at = nullptr;
  if (const cudaError_t error = symbol_place(symbol, bytes, offset, &at); error != cudaSuccess) return error;
  return cudaGraphAddMemcpyNode1D(made, graph, after, count, to, at, bytes, kind);
}

// Arrays come back as the pitched memory that they are.
cudaError_t cudaGraphMemcpyNodeGetParams(cudaGraphNode_t node, cudaMemcpy3DParms* p) {
  const auto* call = work_of<driver::CopyCall>(node);
  if (call == nullptr || p == nullptr) return note(cudaErrorInvalidValue);
  const driver::CopyShape& shape = call->shape;
  const auto rows = [](size_t slice, size_t pitch) { return pitch != 0 ? slice / pitch : 0; };
  *p = cudaMemcpy3DParms{};
  p->srcPtr = {const_cast<void*>(call->from), shape.source_pitch, shape.width,
               rows(shape.source_slice, shape.source_pitch)};
  p->dstPtr = {call->to, shape.destination_pitch, shape.width,
               rows(shape.destination_slice, shape.destination_pitch)};
  p->extent = {shape.width, shape.height, shape.depth};
  p->kind = static_cast<cudaMemcpyKind>(call->direction);
  return cudaSuccess;
}

cudaError_t cudaGraphMemcpyNodeSetParams(cudaGraphNode_t node, const cudaMemcpy3DParms* p) {
  driver::GraphNode::Work work;
  if (const cudaError_t error = copy_of(p, work); error != cudaSuccess) return error;
  return note(graph_replace(node, std::move(work)));
}

cudaError_t cudaGraphExecMemcpyNodeSetParams(cudaGraphExec_t exec, cudaGraphNode_t node,
                                             const cudaMemcpy3DParms* p) {
  return cudaGraphMemcpyNodeSetParams(in_exec(exec, node), p);
}

cudaError_t cudaGraphMemcpyNodeSetParams1D(cudaGraphNode_t node, void* to, const void* from, size_t bytes,
                                           cudaMemcpyKind kind) {
  return note(graph_replace(node, linear_copy(to, from, bytes, kind)));
}

cudaError_t cudaGraphExecMemcpyNodeSetParams1D(cudaGraphExec_t exec, cudaGraphNode_t node, void* to,
                                               const void* from, size_t bytes, cudaMemcpyKind kind) {
  return cudaGraphMemcpyNodeSetParams1D(in_exec(exec, node), to, from, bytes, kind);
}

// Fills.

cudaError_t cudaGraphAddMemsetNode(cudaGraphNode_t* made, cudaGraph_t graph, const cudaGraphNode_t* after,
                                   size_t count, const cudaMemsetParams* p) {
  driver::GraphNode::Work work;
  if (!fill_of(p, work)) return note(cudaErrorInvalidValue);
  return note(graph_add(made, graph, after, count, std::move(work)));
}

cudaError_t cudaGraphMemsetNodeGetParams(cudaGraphNode_t node, cudaMemsetParams* p) {
  const auto* call = work_of<driver::FillCall>(node);
  if (call == nullptr || p == nullptr) return note(cudaErrorInvalidValue);
  *p = {call->to,      call->shape.destination_pitch,     call->value,
        call->element, call->shape.width / call->element, call->shape.height};
  return cudaSuccess;
}

cudaError_t cudaGraphMemsetNodeSetParams(cudaGraphNode_t node, const cudaMemsetParams* p) {
  driver::GraphNode::Work work;
  if (!fill_of(p, work)) return note(cudaErrorInvalidValue);
  return note(graph_replace(node, std::move(work)));
}

cudaError_t cudaGraphExecMemsetNodeSetParams(cudaGraphExec_t exec, cudaGraphNode_t node,
                                             const cudaMemsetParams* p) {
  return cudaGraphMemsetNodeSetParams(in_exec(exec, node), p);
}

// Host functions, other graphs, events.

cudaError_t cudaGraphAddHostNode(cudaGraphNode_t* made, cudaGraph_t graph, const cudaGraphNode_t* after,
                                 size_t count, const cudaHostNodeParams* p) {
  if (p == nullptr || p->fn == nullptr) return note(cudaErrorInvalidValue);
  return note(graph_add(made, graph, after, count, host_call(*p)));
}

cudaError_t cudaGraphHostNodeGetParams(cudaGraphNode_t node, cudaHostNodeParams* p) {
  const auto* call = work_of<driver::HostCall>(node);
  if (call == nullptr || p == nullptr) return note(cudaErrorInvalidValue);
  *p = {call->function, call->data};
  return cudaSuccess;
}

cudaError_t cudaGraphHostNodeSetParams(cudaGraphNode_t node, const cudaHostNodeParams* p) {
  if (p == nullptr || p->fn == nullptr) return note(cudaErrorInvalidValue);
  return note(graph_replace(node, host_call(*p)));
}

cudaError_t cudaGraphExecHostNodeSetParams(cudaGraphExec_t exec, cudaGraphNode_t node,
                                           const cudaHostNodeParams* p) {
  return cudaGraphHostNodeSetParams(in_exec(exec, node), p);
}

cudaError_t cudaGraphAddEmptyNode(cudaGraphNode_t* made, cudaGraph_t graph, const cudaGraphNode_t* after,
                                  size_t count) {
  return note(graph_add(made, graph, after, count, {}));
}

cudaError_t cudaGraphAddChildGraphNode(cudaGraphNode_t* made, cudaGraph_t graph, const cudaGraphNode_t* after,
                                       size_t count, cudaGraph_t child) {
  return note(graph_add_child(made, graph, after, count, child));
}

cudaError_t cudaGraphChildGraphNodeGetGraph(cudaGraphNode_t node, cudaGraph_t* graph) {
  return note(graph_child(node, graph));
}

cudaError_t cudaGraphExecChildGraphNodeSetParams(cudaGraphExec_t exec, cudaGraphNode_t node,
                                                 cudaGraph_t child) {
  return note(graph_replace_child(in_exec(exec, node), child));
}

cudaError_t cudaGraphAddEventRecordNode(cudaGraphNode_t* made, cudaGraph_t graph,
                                        const cudaGraphNode_t* after, size_t count, cudaEvent_t event) {
  if (event == nullptr) return note(cudaErrorInvalidValue);
  return note(graph_add(made, graph, after, count, driver::RecordCall{event->event, event}));
}

cudaError_t cudaGraphAddEventWaitNode(cudaGraphNode_t* made, cudaGraph_t graph, const cudaGraphNode_t* after,
                                      size_t count, cudaEvent_t event) {
  if (event == nullptr) return note(cudaErrorInvalidValue);
  return note(graph_add(made, graph, after, count, driver::WaitCall{event->event, event}));
}

// Memory.

cudaError_t cudaGraphAddMemAllocNode(cudaGraphNode_t* made, cudaGraph_t graph, const cudaGraphNode_t* after,
                                     size_t count, cudaMemAllocNodeParams* p) {
  if (p == nullptr) return note(cudaErrorInvalidValue);
  WR_DEVICE(device);
  return note(graph_add_allocation(made, graph, after, count, *device, p->bytesize, &p->dptr));
}

cudaError_t cudaGraphMemAllocNodeGetParams(cudaGraphNode_t node, cudaMemAllocNodeParams* p) {
  const auto* call = work_of<driver::AllocateCall>(node);
  if (call == nullptr || p == nullptr) return note(cudaErrorInvalidValue);
  *p = cudaMemAllocNodeParams{};
  p->poolProps.allocType = cudaMemAllocationTypePinned;
  p->poolProps.location = {cudaMemLocationTypeDevice, call->memory->device().index()};
  p->bytesize = call->memory->bytes();
  p->dptr = call->memory->memory();
  return cudaSuccess;
}

cudaError_t cudaGraphAddMemFreeNode(cudaGraphNode_t* made, cudaGraph_t graph, const cudaGraphNode_t* after,
                                    size_t count, void* memory) {
  return note(graph_add_free(made, graph, after, count, memory));
}

cudaError_t cudaGraphMemFreeNodeGetParams(cudaGraphNode_t node, void* pointer) {
  const auto* call = work_of<driver::FreeCall>(node);
  if (call == nullptr || pointer == nullptr) return note(cudaErrorInvalidValue);
  *static_cast<void**>(pointer) = call->memory->memory();
  return cudaSuccess;
}

cudaError_t cudaDeviceGraphMemTrim(int) {
  return cudaSuccess;
}
cudaError_t cudaDeviceGetGraphMemAttribute(int index, cudaGraphMemAttributeType attribute, void* value) {
  WR_DEVICE_AT(device, index);
  return note(graph_memory_attribute(*device, attribute, value));
}
cudaError_t cudaDeviceSetGraphMemAttribute(int index, cudaGraphMemAttributeType attribute, void* value) {
  WR_DEVICE_AT(device, index);
  return note(set_graph_memory_attribute(*device, attribute, value));
}

// Structure.

cudaError_t cudaGraphGetNodes(cudaGraph_t graph, cudaGraphNode_t* nodes, size_t* count) {
  return note(graph_nodes(graph, nodes, count));
}
cudaError_t cudaGraphGetRootNodes(cudaGraph_t graph, cudaGraphNode_t* nodes, size_t* count) {
  return note(graph_roots(graph, nodes, count));
}
cudaError_t cudaGraphGetEdges(cudaGraph_t graph, cudaGraphNode_t* from, cudaGraphNode_t* to, size_t* count) {
  return note(graph_edges(graph, from, to, count));
}
cudaError_t cudaGraphNodeGetDependencies(cudaGraphNode_t node, cudaGraphNode_t* nodes, size_t* count) {
  return note(node_dependencies(node, nodes, count));
}
cudaError_t cudaGraphNodeGetDependentNodes(cudaGraphNode_t node, cudaGraphNode_t* nodes, size_t* count) {
  return note(node_dependents(node, nodes, count));
}

cudaError_t cudaGraphNodeGetType(cudaGraphNode_t node, cudaGraphNodeType* type) {
  if (node == nullptr || type == nullptr) return note(cudaErrorInvalidValue);
  *type = static_cast<cudaGraphNodeType>(node_type(*node_of(node)));
  return cudaSuccess;
}

cudaError_t cudaGraphAddDependencies(cudaGraph_t graph, const cudaGraphNode_t* from,
                                     const cudaGraphNode_t* to, size_t count) {
  return note(graph_connect(graph, from, to, count));
}
cudaError_t cudaGraphRemoveDependencies(cudaGraph_t graph, const cudaGraphNode_t* from,
                                        const cudaGraphNode_t* to, size_t count) {
  return note(graph_disconnect(graph, from, to, count));
}
cudaError_t cudaGraphDestroyNode(cudaGraphNode_t node) {
  return note(graph_destroy_node(node));
}

// Execution.

cudaError_t cudaGraphInstantiate(cudaGraphExec_t* exec, cudaGraph_t graph, unsigned long long flags) {
  return note(graph_instantiate(exec, graph, flags));
}
cudaError_t cudaGraphInstantiateWithFlags(cudaGraphExec_t* exec, cudaGraph_t graph,
                                          unsigned long long flags) {
  return note(graph_instantiate(exec, graph, flags));
}

cudaError_t cudaGraphInstantiateWithParams(cudaGraphExec_t* exec, cudaGraph_t graph,
                                           cudaGraphInstantiateParams* p) {
  if (p == nullptr) return note(cudaErrorInvalidValue);
  const cudaError_t error = note(graph_instantiate(exec, graph, p->flags));
  p->errNode_out = nullptr;
  p->result_out = error == cudaSuccess             ? cudaGraphInstantiateSuccess
                  : error == cudaErrorInvalidValue ? cudaGraphInstantiateInvalidStructure
                                                   : cudaGraphInstantiateNodeOperationNotSupported;
  return error;
}

cudaError_t cudaGraphExecGetFlags(cudaGraphExec_t exec, unsigned long long* flags) {
  if (exec == nullptr || flags == nullptr) return note(cudaErrorInvalidValue);
  *flags = exec_of(exec)->flags;
  return cudaSuccess;
}

cudaError_t cudaGraphExecUpdate(cudaGraphExec_t exec, cudaGraph_t graph,
                                cudaGraphExecUpdateResultInfo* info) {
  if (info == nullptr) return note(cudaErrorInvalidValue);
  *info = {};
  int result = 0;
  const driver::Status status = graph_update(exec, graph, &result, &info->errorNode);
  info->result = static_cast<cudaGraphExecUpdateResult>(result);
  return note(status);
}

cudaError_t cudaGraphNodeSetEnabled(cudaGraphExec_t exec, cudaGraphNode_t node, unsigned int enabled) {
  return note(graph_set_enabled(exec, node, enabled != 0));
}
cudaError_t cudaGraphNodeGetEnabled(cudaGraphExec_t exec, cudaGraphNode_t node, unsigned int* enabled) {
  return note(graph_get_enabled(exec, node, enabled));
}

cudaError_t cudaGraphUpload(cudaGraphExec_t exec, cudaStream_t) {
  return exec != nullptr ? cudaSuccess : note(cudaErrorInvalidValue);
}

cudaError_t cudaGraphLaunch(cudaGraphExec_t exec, cudaStream_t stream) {
  WR_DEVICE(device);
  return note(graph_launch(exec, stream_of(stream), device_of(stream, *device)));
}

cudaError_t cudaGraphExecDestroy(cudaGraphExec_t exec) {
  if (exec == nullptr) return note(cudaErrorInvalidValue);
  delete exec_of(exec);
  return cudaSuccess;
}

// Capture.

cudaError_t cudaStreamBeginCapture(cudaStream_t stream, cudaStreamCaptureMode mode) {
  return note(capture_begin(stream_of(stream), mode, nullptr, nullptr, 0));
}

cudaError_t cudaStreamBeginCaptureToGraph(cudaStream_t stream, cudaGraph_t graph,
                                          const cudaGraphNode_t* after, const cudaGraphEdgeData*,
                                          size_t count, cudaStreamCaptureMode mode) {
  if (graph == nullptr) return note(cudaErrorInvalidValue);
  return note(capture_begin(stream_of(stream), mode, graph, after, count));
}

cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t* graph) {
  return note(capture_end(stream_of(stream), graph));
}

cudaError_t cudaStreamIsCapturing(cudaStream_t stream, cudaStreamCaptureStatus* status) {
  return cudaStreamGetCaptureInfo_v2(stream, status, nullptr, nullptr, nullptr, nullptr);
}

cudaError_t cudaStreamGetCaptureInfo_v2(cudaStream_t stream, cudaStreamCaptureStatus* status,
                                        unsigned long long* id, cudaGraph_t* graph,
                                        const cudaGraphNode_t** dependencies, size_t* count) {
  if (status == nullptr) return note(cudaErrorInvalidValue);
  int active = 0;
  const driver::Status done = capture_info(stream_of(stream), &active, id, graph, dependencies, count);
  *status = static_cast<cudaStreamCaptureStatus>(active);
  return note(done);
}

cudaError_t cudaStreamUpdateCaptureDependencies(cudaStream_t stream, cudaGraphNode_t* nodes, size_t count,
                                                unsigned int flags) {
  return note(capture_update(stream_of(stream), nodes, count, flags));
}

cudaError_t cudaThreadExchangeStreamCaptureMode(cudaStreamCaptureMode* mode) {
  if (mode == nullptr) return note(cudaErrorInvalidValue);
  int value = *mode;
  exchange_capture_mode(&value);
  *mode = static_cast<cudaStreamCaptureMode>(value);
  return cudaSuccess;
}

}  // extern "C"
