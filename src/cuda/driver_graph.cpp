// The driver API: graphs.

#include <cstring>

#include "cuda/driver_api.h"
#include "cuda/graphs.h"

using namespace wanren;
using namespace wanren::cuda;

namespace {

using Work = driver::GraphNode::Work;

/// CUDA 12 appended the library's kernel and the context to the parameters.
CUDA_KERNEL_NODE_PARAMS appended(const CUDA_KERNEL_NODE_PARAMS_v1* p) {
  CUDA_KERNEL_NODE_PARAMS all{};
  std::memcpy(&all, p, sizeof *p);
  return all;
}

CUresult call_of(const CUDA_KERNEL_NODE_PARAMS* p, Work& work) {
  if (p == nullptr) return invalid_value;
  const void* handle = p->func != nullptr ? static_cast<const void*>(p->func) : p->kern;
  driver::LaunchRequest request;
  if (const CUresult error = launch_request(handle, {p->gridDimX, p->gridDimY, p->gridDimZ},
                                            {p->blockDimX, p->blockDimY, p->blockDimZ}, p->sharedMemBytes,
                                            nullptr, p->kernelParams, p->extra, request);
      error != CUDA_SUCCESS)
    return error;
  std::shared_ptr<const driver::KernelCall> call;
  const driver::Status status = driver::make_call(request, driver::current_context()->device, call);
  work = std::move(call);
  return code(status);
}

CUresult copy_of(const CUDA_MEMCPY3D* p, Work& work) {
  driver::CopyCall call;
  const CUresult error = copy_call(p, call);
  work = call;
  return error;
}

bool fill_of(const CUDA_MEMSET_NODE_PARAMS* p, Work& work) {
  if (p == nullptr || (p->elementSize != 1 && p->elementSize != 2 && p->elementSize != 4)) return false;
  driver::FillCall call;
  call.to = pointer_of(p->dst);
  call.value = p->value;
  call.element = p->elementSize;
  call.shape.width = p->width * p->elementSize;
  call.shape.height = p->height;
  call.shape.destination_pitch = call.shape.source_pitch = p->height > 1 ? p->pitch : call.shape.width;
  call.shape.destination_slice = call.shape.source_slice = call.shape.destination_pitch * p->height;
  work = call;
  return true;
}

driver::HostCall host_call(const CUDA_HOST_NODE_PARAMS& p) {
  return {[p] { p.fn(p.userData); }, p.fn, p.userData};
}

template <class Call>
const Call* work_of(CUgraphNode node) {
  return node != nullptr ? std::get_if<Call>(&node_of(node)->work) : nullptr;
}

CUresult without_data(CUresult error, CUgraphEdgeData* edges, const size_t* count) {
  if (error == CUDA_SUCCESS && edges != nullptr) std::memset(edges, 0, *count * sizeof *edges);
  return error;
}

}  // namespace

extern "C" {

CUresult cuGraphCreate(CUgraph* graph, unsigned int flags) {
  return code(graph_create(graph, flags));
}
CUresult cuGraphDestroy(CUgraph graph) {
  return code(graph_destroy(graph));
}
CUresult cuGraphClone(CUgraph* made, CUgraph graph) {
  return code(graph_clone(made, graph));
}

// Kernels.

CUresult cuGraphAddKernelNode_v2(CUgraphNode* made, CUgraph graph, const CUgraphNode* after, size_t count,
                                 const CUDA_KERNEL_NODE_PARAMS* p) {
  Work work;
  if (const CUresult error = call_of(p, work); error != CUDA_SUCCESS) return error;
  return code(graph_add(made, graph, after, count, std::move(work)));
}

CUresult cuGraphKernelNodeGetParams_v2(CUgraphNode node, CUDA_KERNEL_NODE_PARAMS* p) {
  const auto* call = work_of<std::shared_ptr<const driver::KernelCall>>(node);
  if (call == nullptr || p == nullptr) return invalid_value;
  const driver::LaunchRequest& request = (*call)->request;
  *p = CUDA_KERNEL_NODE_PARAMS{};
  p->func = reinterpret_cast<CUfunction>(request.function);
  p->gridDimX = request.grid.x;
  p->gridDimY = request.grid.y;
  p->gridDimZ = request.grid.z;
  p->blockDimX = request.block.x;
  p->blockDimY = request.block.y;
  p->blockDimZ = request.block.z;
  p->sharedMemBytes = request.dynamic_shared_bytes;
  p->kernelParams = const_cast<void**>((*call)->arguments.data());
  return CUDA_SUCCESS;
}

CUresult cuGraphKernelNodeSetParams_v2(CUgraphNode node, const CUDA_KERNEL_NODE_PARAMS* p) {
  Work work;
  if (const CUresult error = call_of(p, work); error != CUDA_SUCCESS) return error;
  return code(graph_replace(node, std::move(work)));
}

CUresult cuGraphExecKernelNodeSetParams_v2(CUgraphExec exec, CUgraphNode node,
                                           const CUDA_KERNEL_NODE_PARAMS* p) {
  return cuGraphKernelNodeSetParams_v2(in_exec(exec, node), p);
}

#undef cuGraphAddKernelNode
#undef cuGraphKernelNodeGetParams
#undef cuGraphKernelNodeSetParams
#undef cuGraphExecKernelNodeSetParams
CUresult cuGraphAddKernelNode(CUgraphNode* made, CUgraph graph, const CUgraphNode* after, size_t count,
                              const CUDA_KERNEL_NODE_PARAMS_v1* p) {
  if (p == nullptr) return invalid_value;
  const CUDA_KERNEL_NODE_PARAMS all = appended(p);
  return cuGraphAddKernelNode_v2(made, graph, after, count, &all);
}
CUresult cuGraphKernelNodeGetParams(CUgraphNode node, CUDA_KERNEL_NODE_PARAMS_v1* p) {
  if (p == nullptr) return invalid_value;
  CUDA_KERNEL_NODE_PARAMS all{};
  const CUresult error = cuGraphKernelNodeGetParams_v2(node, &all);
  std::memcpy(p, &all, sizeof *p);
  return error;
}
CUresult cuGraphKernelNodeSetParams(CUgraphNode node, const CUDA_KERNEL_NODE_PARAMS_v1* p) {
  if (p == nullptr) return invalid_value;
  const CUDA_KERNEL_NODE_PARAMS all = appended(p);
  return cuGraphKernelNodeSetParams_v2(node, &all);
}
CUresult cuGraphExecKernelNodeSetParams(CUgraphExec exec, CUgraphNode node,
                                        const CUDA_KERNEL_NODE_PARAMS_v1* p) {
  return cuGraphKernelNodeSetParams(in_exec(exec, node), p);
}

// Copies and fills.

CUresult cuGraphAddMemcpyNode(CUgraphNode* made, CUgraph graph, const CUgraphNode* after, size_t count,
                              const CUDA_MEMCPY3D* p, CUcontext) {
  Work work;
  if (const CUresult error = copy_of(p, work); error != CUDA_SUCCESS) return error;
  return code(graph_add(made, graph, after, count, std::move(work)));
}

CUresult cuGraphMemcpyNodeGetParams(CUgraphNode node, CUDA_MEMCPY3D* p) {
  const auto* call = work_of<driver::CopyCall>(node);
  if (call == nullptr || p == nullptr) return invalid_value;
  const driver::CopyShape& shape = call->shape;
  *p = CUDA_MEMCPY3D{};
  p->srcMemoryType = p->dstMemoryType = CU_MEMORYTYPE_UNIFIED;
  p->srcDevice = address_of(call->from);
  p->dstDevice = address_of(call->to);
  p->srcPitch = shape.source_pitch;
  p->dstPitch = shape.destination_pitch;
  if (shape.source_pitch != 0) p->srcHeight = shape.source_slice / shape.source_pitch;
  if (shape.destination_pitch != 0) p->dstHeight = shape.destination_slice / shape.destination_pitch;
  p->WidthInBytes = shape.width;
  p->Height = shape.height;
  p->Depth = shape.depth;
  return CUDA_SUCCESS;
}

CUresult cuGraphMemcpyNodeSetParams(CUgraphNode node, const CUDA_MEMCPY3D* p) {
  Work work;
  if (const CUresult error = copy_of(p, work); error != CUDA_SUCCESS) return error;
  return code(graph_replace(node, std::move(work)));
}

CUresult cuGraphExecMemcpyNodeSetParams(CUgraphExec exec, CUgraphNode node, const CUDA_MEMCPY3D* p,
                                        CUcontext) {
  return cuGraphMemcpyNodeSetParams(in_exec(exec, node), p);
}

CUresult cuGraphAddMemsetNode(CUgraphNode* made, CUgraph graph, const CUgraphNode* after, size_t count,
                              const CUDA_MEMSET_NODE_PARAMS* p, CUcontext) {
  Work work;
  if (!fill_of(p, work)) return invalid_value;
  return code(graph_add(made, graph, after, count, std::move(work)));
}

CUresult cuGraphMemsetNodeGetParams(CUgraphNode node, CUDA_MEMSET_NODE_PARAMS* p) {
  const auto* call = work_of<driver::FillCall>(node);
  if (call == nullptr || p == nullptr) return invalid_value;
  *p = {address_of(call->to), call->shape.destination_pitch,     call->value,
        call->element,        call->shape.width / call->element, call->shape.height};
  return CUDA_SUCCESS;
}

CUresult cuGraphMemsetNodeSetParams(CUgraphNode node, const CUDA_MEMSET_NODE_PARAMS* p) {
  Work work;
  if (!fill_of(p, work)) return invalid_value;
  return code(graph_replace(node, std::move(work)));
}

CUresult cuGraphExecMemsetNodeSetParams(CUgraphExec exec, CUgraphNode node, const CUDA_MEMSET_NODE_PARAMS* p,
                                        CUcontext) {
  return cuGraphMemsetNodeSetParams(in_exec(exec, node), p);
}

// Host functions, other graphs, events, memory.

CUresult cuGraphAddHostNode(CUgraphNode* made, CUgraph graph, const CUgraphNode* after, size_t count,
                            const CUDA_HOST_NODE_PARAMS* p) {
  if (p == nullptr || p->fn == nullptr) return invalid_value;
  return code(graph_add(made, graph, after, count, host_call(*p)));
}

CUresult cuGraphHostNodeGetParams(CUgraphNode node, CUDA_HOST_NODE_PARAMS* p) {
  const auto* call = work_of<driver::HostCall>(node);
  if (call == nullptr || p == nullptr) return invalid_value;
  *p = {call->function, call->data};
  return CUDA_SUCCESS;
}

CUresult cuGraphHostNodeSetParams(CUgraphNode node, const CUDA_HOST_NODE_PARAMS* p) {
  if (p == nullptr || p->fn == nullptr) return invalid_value;
  return code(graph_replace(node, host_call(*p)));
}

CUresult cuGraphExecHostNodeSetParams(CUgraphExec exec, CUgraphNode node, const CUDA_HOST_NODE_PARAMS* p) {
  return cuGraphHostNodeSetParams(in_exec(exec, node), p);
}

CUresult cuGraphAddChildGraphNode(CUgraphNode* made, CUgraph graph, const CUgraphNode* after, size_t count,
                                  CUgraph child) {
  return code(graph_add_child(made, graph, after, count, child));
}
CUresult cuGraphChildGraphNodeGetGraph(CUgraphNode node, CUgraph* child) {
  return code(graph_child(node, child));
}
CUresult cuGraphExecChildGraphNodeSetParams(CUgraphExec exec, CUgraphNode node, CUgraph child) {
  return code(graph_replace_child(in_exec(exec, node), child));
}

CUresult cuGraphAddEmptyNode(CUgraphNode* made, CUgraph graph, const CUgraphNode* after, size_t count) {
  return code(graph_add(made, graph, after, count, {}));
}

CUresult cuGraphAddEventRecordNode(CUgraphNode* made, CUgraph graph, const CUgraphNode* after, size_t count,
                                   CUevent event) {
  if (event == nullptr) return invalid_value;
  return code(graph_add(made, graph, after, count, driver::RecordCall{event->event, event}));
}
CUresult cuGraphAddEventWaitNode(CUgraphNode* made, CUgraph graph, const CUgraphNode* after, size_t count,
                                 CUevent event) {
  if (event == nullptr) return invalid_value;
  return code(graph_add(made, graph, after, count, driver::WaitCall{event->event, event}));
}

CUresult cuGraphAddMemAllocNode(CUgraphNode* made, CUgraph graph, const CUgraphNode* after, size_t count,
                                CUDA_MEM_ALLOC_NODE_PARAMS* p) {
  if (p == nullptr) return invalid_value;
  WR_CURRENT(device);
  void* memory = nullptr;
  const driver::Status status =
      graph_add_allocation(made, graph, after, count, *device, p->bytesize, &memory);
  p->dptr = address_of(memory);
  return code(status);
}
CUresult cuGraphAddMemFreeNode(CUgraphNode* made, CUgraph graph, const CUgraphNode* after, size_t count,
                               CUdeviceptr memory) {
  return code(graph_add_free(made, graph, after, count, pointer_of(memory)));
}

// Structure.

CUresult cuGraphNodeGetType(CUgraphNode node, CUgraphNodeType* type) {
  if (node == nullptr || type == nullptr) return invalid_value;
  *type = static_cast<CUgraphNodeType>(node_type(*node_of(node)));
  return CUDA_SUCCESS;
}
CUresult cuGraphGetNodes(CUgraph graph, CUgraphNode* nodes, size_t* count) {
  return code(graph_nodes(graph, nodes, count));
}
CUresult cuGraphGetRootNodes(CUgraph graph, CUgraphNode* nodes, size_t* count) {
  return code(graph_roots(graph, nodes, count));
}
CUresult cuGraphGetEdges(CUgraph graph, CUgraphNode* from, CUgraphNode* to, size_t* count) {
  return code(graph_edges(graph, from, to, count));
}
CUresult cuGraphGetEdges_v2(CUgraph graph, CUgraphNode* from, CUgraphNode* to, CUgraphEdgeData* edges,
                            size_t* count) {
  return without_data(cuGraphGetEdges(graph, from, to, count), edges, count);
}
CUresult cuGraphNodeGetDependencies(CUgraphNode node, CUgraphNode* nodes, size_t* count) {
  return code(node_dependencies(node, nodes, count));
}
CUresult cuGraphNodeGetDependencies_v2(CUgraphNode node, CUgraphNode* nodes, CUgraphEdgeData* edges,
                                       size_t* count) {
  return without_data(cuGraphNodeGetDependencies(node, nodes, count), edges, count);
}
CUresult cuGraphNodeGetDependentNodes(CUgraphNode node, CUgraphNode* nodes, size_t* count) {
  return code(node_dependents(node, nodes, count));
}
CUresult cuGraphNodeGetDependentNodes_v2(CUgraphNode node, CUgraphNode* nodes, CUgraphEdgeData* edges,
                                         size_t* count) {
  return without_data(cuGraphNodeGetDependentNodes(node, nodes, count), edges, count);
}
CUresult cuGraphAddDependencies(CUgraph graph, const CUgraphNode* from, const CUgraphNode* to, size_t count) {
  return code(graph_connect(graph, from, to, count));
}
CUresult cuGraphAddDependencies_v2(CUgraph graph, const CUgraphNode* from, const CUgraphNode* to,
                                   const CUgraphEdgeData* edges, size_t count) {
  return plain(edges, count) ? cuGraphAddDependencies(graph, from, to, count) : CUDA_ERROR_NOT_SUPPORTED;
}
CUresult cuGraphRemoveDependencies(CUgraph graph, const CUgraphNode* from, const CUgraphNode* to,
                                   size_t count) {
  return code(graph_disconnect(graph, from, to, count));
}
CUresult cuGraphRemoveDependencies_v2(CUgraph graph, const CUgraphNode* from, const CUgraphNode* to,
                                      const CUgraphEdgeData* edges, size_t count) {
  return plain(edges, count) ? cuGraphRemoveDependencies(graph, from, to, count) : CUDA_ERROR_NOT_SUPPORTED;
}
CUresult cuGraphDestroyNode(CUgraphNode node) {
  return code(graph_destroy_node(node));
}

// Execution.

CUresult cuGraphInstantiateWithFlags(CUgraphExec* exec, CUgraph graph, unsigned long long flags) {
  return code(graph_instantiate(exec, graph, flags));
}

// The forms of CUDA 10 and 11, with a place for a log.
#undef cuGraphInstantiate
CUresult cuGraphInstantiate(CUgraphExec* exec, CUgraph graph, CUgraphNode* error_node, char* log,
                            size_t bytes) {
  if (error_node != nullptr) *error_node = nullptr;
  if (log != nullptr && bytes != 0) *log = '\0';
  return cuGraphInstantiateWithFlags(exec, graph, 0);
}
CUresult cuGraphInstantiate_v2(CUgraphExec* exec, CUgraph graph, CUgraphNode* error_node, char* log,
                               size_t bytes) {
  return cuGraphInstantiate(exec, graph, error_node, log, bytes);
}

CUresult cuGraphInstantiateWithParams(CUgraphExec* exec, CUgraph graph, CUDA_GRAPH_INSTANTIATE_PARAMS* p) {
  if (p == nullptr) return invalid_value;
  const CUresult error = cuGraphInstantiateWithFlags(exec, graph, p->flags);
  p->hErrNode_out = nullptr;
  p->result_out = error == CUDA_SUCCESS    ? CUDA_GRAPH_INSTANTIATE_SUCCESS
                  : error == invalid_value ? CUDA_GRAPH_INSTANTIATE_INVALID_STRUCTURE
                                           : CUDA_GRAPH_INSTANTIATE_NODE_OPERATION_NOT_SUPPORTED;
  return error;
}

CUresult cuGraphExecGetFlags(CUgraphExec exec, cuuint64_t* flags) {
  if (exec == nullptr || flags == nullptr) return invalid_value;
  *flags = exec_of(exec)->flags;
  return CUDA_SUCCESS;
}

CUresult cuGraphExecUpdate_v2(CUgraphExec exec, CUgraph graph, CUgraphExecUpdateResultInfo* info) {
  if (info == nullptr) return invalid_value;
  *info = {};
  int result = 0;
  const driver::Status status = graph_update(exec, graph, &result, &info->errorNode);
  info->result = static_cast<CUgraphExecUpdateResult>(result);
  return code(status);
}
#undef cuGraphExecUpdate
CUresult cuGraphExecUpdate(CUgraphExec exec, CUgraph graph, CUgraphNode* error_node,
                           CUgraphExecUpdateResult* result) {
  CUgraphExecUpdateResultInfo info{};
  const CUresult error = cuGraphExecUpdate_v2(exec, graph, &info);
  if (error_node != nullptr) *error_node = info.errorNode;
  if (result != nullptr) *result = info.result;
  return error;
}

CUresult cuGraphNodeSetEnabled(CUgraphExec exec, CUgraphNode node, unsigned int enabled) {
  return code(graph_set_enabled(exec, node, enabled != 0));
}
CUresult cuGraphNodeGetEnabled(CUgraphExec exec, CUgraphNode node, unsigned int* enabled) {
  return code(graph_get_enabled(exec, node, enabled));
}

CUresult cuGraphUpload(CUgraphExec exec, CUstream) {
  return exec != nullptr ? CUDA_SUCCESS : invalid_value;
}

CUresult cuGraphLaunch(CUgraphExec exec, CUstream stream) {
  WR_CURRENT(device);
  return code(graph_launch(exec, stream_of(stream), device_of(stream, *device)));
}

CUresult cuGraphExecDestroy(CUgraphExec exec) {
  if (exec == nullptr) return invalid_value;
  delete exec_of(exec);
  return CUDA_SUCCESS;
}

}  // extern "C"
