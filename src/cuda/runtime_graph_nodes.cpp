// The runtime API: nodes by the one structure for all types, conditional nodes, attributes, events and
// symbols of nodes, and what lives as long as a graph.

#include "cuda/graphs.h"
#include "cuda/runtime.h"
#include "cuda/user_objects.h"

using namespace wanren;
using namespace wanren::cuda;

namespace {

cudaKernelNodeParams first_form(const cudaKernelNodeParamsV2& p) {
  return {p.func, p.gridDim, p.blockDim, p.sharedMemBytes, p.kernelParams, p.extra};
}
cudaMemsetParams first_form(const cudaMemsetParamsV2& p) {
  return {p.dst, p.pitch, p.value, p.elementSize, p.width, p.height};
}
cudaHostNodeParams first_form(const cudaHostNodeParamsV2& p) {
  return {p.fn, p.userData};
}

template <class Call>
cudaError_t event_of(cudaGraphNode_t node, cudaEvent_t* event) {
  const auto* call = node != nullptr ? std::get_if<Call>(&node_of(node)->work) : nullptr;
  if (call == nullptr || event == nullptr) return note(cudaErrorInvalidValue);
  *event = static_cast<cudaEvent_t>(call->handle);
  return cudaSuccess;
}

template <class Call>
cudaError_t set_event(cudaGraphNode_t node, cudaEvent_t event) {
  if (event == nullptr) return note(cudaErrorInvalidValue);
  return note(graph_replace(node, Call{event->event, event}));
}

}  // namespace

extern "C" {

cudaError_t cudaGraphAddNode(cudaGraphNode_t* made, cudaGraph_t graph, const cudaGraphNode_t* after,
                             size_t count, cudaGraphNodeParams* p) {
  if (p == nullptr) return note(cudaErrorInvalidValue);
  switch (p->type) {
    case cudaGraphNodeTypeKernel: {
      const cudaKernelNodeParams kernel = first_form(p->kernel);
      return cudaGraphAddKernelNode(made, graph, after, count, &kernel);
    }
    case cudaGraphNodeTypeMemcpy:
      return cudaGraphAddMemcpyNode(made, graph, after, count, &p->memcpy.copyParams);
    case cudaGraphNodeTypeMemset: {
      const cudaMemsetParams fill = first_form(p->memset);
      return cudaGraphAddMemsetNode(made, graph, after, count, &fill);
    }
    case cudaGraphNodeTypeHost: {
      const cudaHostNodeParams host = first_form(p->host);
      return cudaGraphAddHostNode(made, graph, after, count, &host);
    }
    case cudaGraphNodeTypeGraph: return cudaGraphAddChildGraphNode(made, graph, after, count, p->graph.graph);
    case cudaGraphNodeTypeEmpty: return cudaGraphAddEmptyNode(made, graph, after, count);
    case cudaGraphNodeTypeWaitEvent:
      return cudaGraphAddEventWaitNode(made, graph, after, count, p->eventWait.event);
    case cudaGraphNodeTypeEventRecord:
      return cudaGraphAddEventRecordNode(made, graph, after, count, p->eventRecord.event);
    case cudaGraphNodeTypeMemAlloc: {
      WR_DEVICE(device);
      return note(
          graph_add_allocation(made, graph, after, count, *device, p->alloc.bytesize, &p->alloc.dptr));
    }
    case cudaGraphNodeTypeMemFree: return cudaGraphAddMemFreeNode(made, graph, after, count, p->free.dptr);
    case cudaGraphNodeTypeConditional:
      return note(graph_add_conditional(made, graph, after, count, p->conditional.handle, p->conditional.type,
                                        p->conditional.size, &p->conditional.phGraph_out));
    default: return note(cudaErrorNotSupported);
  }
}

cudaError_t cudaGraphNodeSetParams(cudaGraphNode_t node, cudaGraphNodeParams* p) {
  if (p == nullptr) return note(cudaErrorInvalidValue);
  switch (p->type) {
    case cudaGraphNodeTypeKernel: {
      const cudaKernelNodeParams kernel = first_form(p->kernel);
      return cudaGraphKernelNodeSetParams(node, &kernel);
    }
    case cudaGraphNodeTypeMemcpy: return cudaGraphMemcpyNodeSetParams(node, &p->memcpy.copyParams);
    case cudaGraphNodeTypeMemset: {
      const cudaMemsetParams fill = first_form(p->memset);
      return cudaGraphMemsetNodeSetParams(node, &fill);
    }
    case cudaGraphNodeTypeHost: {
      const cudaHostNodeParams host = first_form(p->host);
      return cudaGraphHostNodeSetParams(node, &host);
    }
    case cudaGraphNodeTypeGraph: return note(graph_replace_child(node, p->graph.graph));
    case cudaGraphNodeTypeWaitEvent: return set_event<driver::WaitCall>(node, p->eventWait.event);
    case cudaGraphNodeTypeEventRecord: return set_event<driver::RecordCall>(node, p->eventRecord.event);
    default: return note(cudaErrorNotSupported);
  }
}

cudaError_t cudaGraphExecNodeSetParams(cudaGraphExec_t exec, cudaGraphNode_t node, cudaGraphNodeParams* p) {
  return cudaGraphNodeSetParams(in_exec(exec, node), p);
}

cudaError_t cudaGraphConditionalHandleCreate(cudaGraphConditionalHandle* handle, cudaGraph_t graph,
                                             unsigned int initial, unsigned int flags) {
  WR_DEVICE(device);
  return note(graph_add_condition(handle, graph, *device, initial, flags));
}

// Kernels' attributes.

cudaError_t cudaGraphKernelNodeGetAttribute(cudaGraphNode_t node, cudaLaunchAttributeID id,
                                            cudaLaunchAttributeValue* value) {
  return note(kernel_node_attribute(node, id, value));
}
cudaError_t cudaGraphKernelNodeSetAttribute(cudaGraphNode_t node, cudaLaunchAttributeID id,
                                            const cudaLaunchAttributeValue* value) {
  return note(set_kernel_node_attribute(node, id, value));
}
cudaError_t cudaGraphKernelNodeCopyAttributes(cudaGraphNode_t to, cudaGraphNode_t from) {
  return note(copy_kernel_node_attributes(to, from));
}

// Events.

cudaError_t cudaGraphEventRecordNodeGetEvent(cudaGraphNode_t node, cudaEvent_t* event) {
  return event_of<driver::RecordCall>(node, event);
}
cudaError_t cudaGraphEventWaitNodeGetEvent(cudaGraphNode_t node, cudaEvent_t* event) {
  return event_of<driver::WaitCall>(node, event);
}
cudaError_t cudaGraphEventRecordNodeSetEvent(cudaGraphNode_t node, cudaEvent_t event) {
  return set_event<driver::RecordCall>(node, event);
}
cudaError_t cudaGraphEventWaitNodeSetEvent(cudaGraphNode_t node, cudaEvent_t event) {
  return set_event<driver::WaitCall>(node, event);
}
cudaError_t cudaGraphExecEventRecordNodeSetEvent(cudaGraphExec_t exec, cudaGraphNode_t node,
                                                 cudaEvent_t event) {
  return cudaGraphEventRecordNodeSetEvent(in_exec(exec, node), event);
}
cudaError_t cudaGraphExecEventWaitNodeSetEvent(cudaGraphExec_t exec, cudaGraphNode_t node,
                                               cudaEvent_t event) {
  return cudaGraphEventWaitNodeSetEvent(in_exec(exec, node), event);
}

// Copies of symbols.

cudaError_t cudaGraphMemcpyNodeSetParamsToSymbol(cudaGraphNode_t node, const void* symbol, const void* from,
                                                 size_t bytes, size_t offset, cudaMemcpyKind kind) {
  void* at = nullptr;
  if (const cudaError_t error = symbol_place(symbol, bytes, offset, &at); error != cudaSuccess) return error;
  return cudaGraphMemcpyNodeSetParams1D(node, at, from, bytes, kind);
}
cudaError_t cudaGraphMemcpyNodeSetParamsFromSymbol(cudaGraphNode_t node, void* to, const void* symbol,
                                                   size_t bytes, size_t offset, cudaMemcpyKind kind) {
  void* at = nullptr;
  if (const cudaError_t error = symbol_place(symbol, bytes, offset, &at); error != cudaSuccess) return error;
  return cudaGraphMemcpyNodeSetParams1D(node, to, at, bytes, kind);
}
cudaError_t cudaGraphExecMemcpyNodeSetParamsToSymbol(cudaGraphExec_t exec, cudaGraphNode_t node,
                                                     const void* symbol, const void* from, size_t bytes,
                                                     size_t offset, cudaMemcpyKind kind) {
  return cudaGraphMemcpyNodeSetParamsToSymbol(in_exec(exec, node), symbol, from, bytes, offset, kind);
}
cudaError_t cudaGraphExecMemcpyNodeSetParamsFromSymbol(cudaGraphExec_t exec, cudaGraphNode_t node, void* to,
                                                       const void* symbol, size_t bytes, size_t offset,
                                                       cudaMemcpyKind kind) {
  return cudaGraphMemcpyNodeSetParamsFromSymbol(in_exec(exec, node), to, symbol, bytes, offset, kind);
}

// Copies, text, objects.

cudaError_t cudaGraphNodeFindInClone(cudaGraphNode_t* found, cudaGraphNode_t node, cudaGraph_t clone) {
  return note(graph_find_in_clone(found, node, clone));
}
cudaError_t cudaGraphDebugDotPrint(cudaGraph_t graph, const char* path, unsigned int) {
  return note(graph_write(graph, path));
}

cudaError_t cudaUserObjectCreate(cudaUserObject_t* made, void* object, cudaHostFn_t destroy,
                                 unsigned int count, unsigned int flags) {
  return note(user_object_create(made, object, destroy, count, flags));
}
cudaError_t cudaUserObjectRetain(cudaUserObject_t object, unsigned int count) {
  return note(user_object_retain(object, count));
}
cudaError_t cudaUserObjectRelease(cudaUserObject_t object, unsigned int count) {
  return note(user_object_release(object, count));
}
cudaError_t cudaGraphRetainUserObject(cudaGraph_t graph, cudaUserObject_t object, unsigned int count,
                                      unsigned int flags) {
  return note(graph_retain(graph, object, count, flags));
}
cudaError_t cudaGraphReleaseUserObject(cudaGraph_t graph, cudaUserObject_t object, unsigned int count) {
  return note(graph_release(graph, object, count));
}

}  // extern "C"
