// Graphs and stream capture. Conditional nodes, external semaphores and launches from device code are refused
// by the generated entry points.

#include <algorithm>
#include <atomic>
#include <cstring>
#include <mutex>

#include "cuda/arrays.h"
#include "cuda/graph.h"
#include "cuda/runtime.h"

struct CUgraphExec_st {
  std::unique_ptr<CUgraph_st> graph;
  std::map<cudaGraphNode_t, cudaGraphNode_t> clones;  ///< By the node that they were made from.
  unsigned long long flags = 0;
};

using namespace wanren;
using namespace wanren::cuda;

namespace {

cudaError_t add(cudaGraphNode_t* made, cudaGraph_t graph, const cudaGraphNode_t* dependencies, size_t count,
                CUgraphNode_st node) {
  if (made == nullptr || graph == nullptr || (dependencies == nullptr && count != 0))
    return note(cudaErrorInvalidValue);
  for (size_t i = 0; i < count; ++i)
    if (!graph->owns(dependencies[i])) return note(cudaErrorInvalidValue);
  node.after.assign(dependencies, dependencies + count);
  *made = graph->add(std::move(node));
  return cudaSuccess;
}

CUgraphNode_st copy_node(const cudaMemcpy3DParms& copy) {
  CUgraphNode_st node;
  node.type = cudaGraphNodeTypeMemcpy;
  node.copy = copy;
  node.run = [copy](cudaStream_t stream) { return cudaMemcpy3DAsync(&copy, stream); };
  return node;
}

cudaMemcpy3DParms linear_copy(void* to, const void* from, size_t bytes, cudaMemcpyKind kind) {
  cudaMemcpy3DParms copy{};
  copy.srcPtr = {const_cast<void*>(from), bytes, bytes, 1};
  copy.dstPtr = {to, bytes, bytes, 1};
  copy.extent = {bytes, 1, 1};
  copy.kind = kind;
  return copy;
}

CUgraphNode_st fill_node(const cudaMemsetParams& fill) {
  CUgraphNode_st node;
  node.type = cudaGraphNodeTypeMemset;
  node.fill = fill;
  node.run = [fill](cudaStream_t stream) {
    WR_DEVICE(device);
    driver::CopyShape shape;
    shape.width = fill.width * fill.elementSize;
    shape.height = fill.height;
    shape.destination_pitch = shape.source_pitch = fill.height > 1 ? fill.pitch : shape.width;
    shape.destination_slice = shape.source_slice = shape.destination_pitch * fill.height;
    return note(device->fill(fill.dst, fill.value, fill.elementSize, shape, stream_of(stream), true));
  };
  return node;
}

bool valid(const cudaMemsetParams* fill) {
  return fill != nullptr && (fill->elementSize == 1 || fill->elementSize == 2 || fill->elementSize == 4);
}

cudaError_t call_of(const cudaKernelNodeParams* p, std::shared_ptr<KernelCall>& call) {
  if (p == nullptr || p->func == nullptr) return note(cudaErrorInvalidValue);
  if (p->extra != nullptr) return note(cudaErrorNotSupported);
  return make_call(p->func, p->gridDim, p->blockDim, p->kernelParams, p->sharedMemBytes, false, call);
}

/// Exchanges what a node does and keeps its place.
cudaError_t replace(cudaGraphNode_t node, cudaGraphNodeType type, CUgraphNode_st with) {
  if (node == nullptr || node->type != type) return note(cudaErrorInvalidValue);
  with.after = node->after;
  with.enabled = node->enabled;
  with.graph = node->graph;
  *node = std::move(with);
  return cudaSuccess;
}

cudaGraphNode_t in_exec(cudaGraphExec_t exec, cudaGraphNode_t node) {
  if (exec == nullptr) return nullptr;
  const auto it = exec->clones.find(node);
  return it != exec->clones.end() ? it->second : nullptr;
}

template <class T>
cudaError_t list(const std::vector<T>& values, T* out, size_t* count) {
  if (count == nullptr) return note(cudaErrorInvalidValue);
  if (out != nullptr) {
    const size_t written = std::min(*count, values.size());
    std::copy_n(values.begin(), written, out);
    std::fill(out + written, out + *count, T{});
    *count = written;
    return cudaSuccess;
  }
  *count = values.size();
  return cudaSuccess;
}

}  // namespace

extern "C" {

cudaError_t cudaGraphCreate(cudaGraph_t* graph, unsigned int flags) {
  if (graph == nullptr || flags != 0) return note(cudaErrorInvalidValue);
  *graph = new CUgraph_st;
  return cudaSuccess;
}

cudaError_t cudaGraphDestroy(cudaGraph_t graph) {
  if (graph == nullptr) return note(cudaErrorInvalidValue);
  delete graph;
  return cudaSuccess;
}

cudaError_t cudaGraphClone(cudaGraph_t* made, cudaGraph_t graph) {
  if (made == nullptr || graph == nullptr) return note(cudaErrorInvalidValue);
  std::map<cudaGraphNode_t, cudaGraphNode_t> clones;
  *made = clone(*graph, clones).release();
  return cudaSuccess;
}

cudaError_t cudaGraphAddKernelNode(cudaGraphNode_t* made, cudaGraph_t graph, const cudaGraphNode_t* after,
                                   size_t count, const cudaKernelNodeParams* p) {
  std::shared_ptr<KernelCall> call;
  if (const cudaError_t error = call_of(p, call); error != cudaSuccess) return error;
  return add(made, graph, after, count, kernel_node(call));
}

cudaError_t cudaGraphKernelNodeGetParams(cudaGraphNode_t node, cudaKernelNodeParams* p) {
  if (node == nullptr || p == nullptr || !node->kernel) return note(cudaErrorInvalidValue);
  KernelCall& call = *node->kernel;
  *p = cudaKernelNodeParams{};
  p->func = const_cast<void*>(call.function);
  p->gridDim = call.grid;
  p->blockDim = call.block;
  p->sharedMemBytes = static_cast<unsigned>(call.shared_bytes);
  p->kernelParams = call.arguments.data();
  return cudaSuccess;
}

cudaError_t cudaGraphKernelNodeSetParams(cudaGraphNode_t node, const cudaKernelNodeParams* p) {
  std::shared_ptr<KernelCall> call;
  if (const cudaError_t error = call_of(p, call); error != cudaSuccess) return error;
  return replace(node, cudaGraphNodeTypeKernel, kernel_node(call));
}

cudaError_t cudaGraphExecKernelNodeSetParams(cudaGraphExec_t exec, cudaGraphNode_t node,
                                             const cudaKernelNodeParams* p) {
  return cudaGraphKernelNodeSetParams(in_exec(exec, node), p);
}

cudaError_t cudaGraphAddMemcpyNode(cudaGraphNode_t* made, cudaGraph_t graph, const cudaGraphNode_t* after,
                                   size_t count, const cudaMemcpy3DParms* p) {
  if (p == nullptr) return note(cudaErrorInvalidValue);
  return add(made, graph, after, count, copy_node(*p));
}

cudaError_t cudaGraphAddMemcpyNode1D(cudaGraphNode_t* made, cudaGraph_t graph, const cudaGraphNode_t* after,
                                     size_t count, void* to, const void* from, size_t bytes,
                                     cudaMemcpyKind kind) {
  return add(made, graph, after, count, copy_node(linear_copy(to, from, bytes, kind)));
}

cudaError_t cudaGraphMemcpyNodeGetParams(cudaGraphNode_t node, cudaMemcpy3DParms* p) {
  if (node == nullptr || p == nullptr || node->type != cudaGraphNodeTypeMemcpy)
    return note(cudaErrorInvalidValue);
  *p = node->copy;
  return cudaSuccess;
}

cudaError_t cudaGraphMemcpyNodeSetParams(cudaGraphNode_t node, const cudaMemcpy3DParms* p) {
  if (p == nullptr) return note(cudaErrorInvalidValue);
  return replace(node, cudaGraphNodeTypeMemcpy, copy_node(*p));
}

cudaError_t cudaGraphExecMemcpyNodeSetParams(cudaGraphExec_t exec, cudaGraphNode_t node,
                                             const cudaMemcpy3DParms* p) {
  return cudaGraphMemcpyNodeSetParams(in_exec(exec, node), p);
}

cudaError_t cudaGraphMemcpyNodeSetParams1D(cudaGraphNode_t node, void* to, const void* from, size_t bytes,
                                           cudaMemcpyKind kind) {
  return replace(node, cudaGraphNodeTypeMemcpy, copy_node(linear_copy(to, from, bytes, kind)));
}

cudaError_t cudaGraphExecMemcpyNodeSetParams1D(cudaGraphExec_t exec, cudaGraphNode_t node, void* to,
                                               const void* from, size_t bytes, cudaMemcpyKind kind) {
  return cudaGraphMemcpyNodeSetParams1D(in_exec(exec, node), to, from, bytes, kind);
}

cudaError_t cudaGraphAddMemsetNode(cudaGraphNode_t* made, cudaGraph_t graph, const cudaGraphNode_t* after,
                                   size_t count, const cudaMemsetParams* p) {
  if (!valid(p)) return note(cudaErrorInvalidValue);
  return add(made, graph, after, count, fill_node(*p));
}

cudaError_t cudaGraphMemsetNodeGetParams(cudaGraphNode_t node, cudaMemsetParams* p) {
  if (node == nullptr || p == nullptr || node->type != cudaGraphNodeTypeMemset)
    return note(cudaErrorInvalidValue);
  *p = node->fill;
  return cudaSuccess;
}

cudaError_t cudaGraphMemsetNodeSetParams(cudaGraphNode_t node, const cudaMemsetParams* p) {
  if (!valid(p)) return note(cudaErrorInvalidValue);
  return replace(node, cudaGraphNodeTypeMemset, fill_node(*p));
}

cudaError_t cudaGraphExecMemsetNodeSetParams(cudaGraphExec_t exec, cudaGraphNode_t node,
                                             const cudaMemsetParams* p) {
  return cudaGraphMemsetNodeSetParams(in_exec(exec, node), p);
}

cudaError_t cudaGraphAddHostNode(cudaGraphNode_t* made, cudaGraph_t graph, const cudaGraphNode_t* after,
                                 size_t count, const cudaHostNodeParams* p) {
  if (p == nullptr || p->fn == nullptr) return note(cudaErrorInvalidValue);
  return add(made, graph, after, count, host_node(p->fn, p->userData));
}

cudaError_t cudaGraphHostNodeGetParams(cudaGraphNode_t node, cudaHostNodeParams* p) {
  if (node == nullptr || p == nullptr || node->type != cudaGraphNodeTypeHost)
    return note(cudaErrorInvalidValue);
  *p = node->host;
  return cudaSuccess;
}

cudaError_t cudaGraphHostNodeSetParams(cudaGraphNode_t node, const cudaHostNodeParams* p) {
  if (p == nullptr || p->fn == nullptr) return note(cudaErrorInvalidValue);
  return replace(node, cudaGraphNodeTypeHost, host_node(p->fn, p->userData));
}

cudaError_t cudaGraphExecHostNodeSetParams(cudaGraphExec_t exec, cudaGraphNode_t node,
                                           const cudaHostNodeParams* p) {
  return cudaGraphHostNodeSetParams(in_exec(exec, node), p);
}

cudaError_t cudaGraphAddEmptyNode(cudaGraphNode_t* made, cudaGraph_t graph, const cudaGraphNode_t* after,
                                  size_t count) {
  return add(made, graph, after, count, CUgraphNode_st{});
}

cudaError_t cudaGraphAddChildGraphNode(cudaGraphNode_t* made, cudaGraph_t graph, const cudaGraphNode_t* after,
                                       size_t count, cudaGraph_t child) {
  if (child == nullptr) return note(cudaErrorInvalidValue);
  std::map<cudaGraphNode_t, cudaGraphNode_t> clones;
  CUgraphNode_st node;
  node.type = cudaGraphNodeTypeGraph;
  node.child = clone(*child, clones);
  node.run = [inner = node.child](cudaStream_t stream) { return run_graph(*inner, stream); };
  return add(made, graph, after, count, std::move(node));
}

cudaError_t cudaGraphChildGraphNodeGetGraph(cudaGraphNode_t node, cudaGraph_t* graph) {
  if (node == nullptr || graph == nullptr || !node->child) return note(cudaErrorInvalidValue);
  *graph = node->child.get();
  return cudaSuccess;
}

cudaError_t cudaGraphAddEventRecordNode(cudaGraphNode_t* made, cudaGraph_t graph,
                                        const cudaGraphNode_t* after, size_t count, cudaEvent_t event) {
  CUgraphNode_st node;
  node.type = cudaGraphNodeTypeEventRecord;
  node.run = [event](cudaStream_t stream) { return cudaEventRecord(event, stream); };
  return add(made, graph, after, count, std::move(node));
}

cudaError_t cudaGraphAddEventWaitNode(cudaGraphNode_t* made, cudaGraph_t graph, const cudaGraphNode_t* after,
                                      size_t count, cudaEvent_t event) {
  CUgraphNode_st node;
  node.type = cudaGraphNodeTypeWaitEvent;
  node.run = [event](cudaStream_t stream) { return cudaStreamWaitEvent(stream, event, 0); };
  return add(made, graph, after, count, std::move(node));
}

cudaError_t cudaGraphAddMemAllocNode(cudaGraphNode_t* made, cudaGraph_t graph, const cudaGraphNode_t* after,
                                     size_t count, cudaMemAllocNodeParams* p) {
  if (p == nullptr || graph == nullptr) return note(cudaErrorInvalidValue);
  // The address is fixed now, and memory is there before the node runs.
  if (const cudaError_t error = cudaMalloc(&p->dptr, p->bytesize); error != cudaSuccess) return error;
  graph->memory.push_back(GraphMemory::make(p->dptr));
  CUgraphNode_st node;
  node.type = cudaGraphNodeTypeMemAlloc;
  return add(made, graph, after, count, std::move(node));
}

cudaError_t cudaGraphAddMemFreeNode(cudaGraphNode_t* made, cudaGraph_t graph, const cudaGraphNode_t* after,
                                    size_t count, void* memory) {
  if (graph == nullptr || memory == nullptr) return note(cudaErrorInvalidValue);
  std::shared_ptr<GraphMemory> owned = GraphMemory::find(memory);
  if (owned == nullptr) return note(cudaErrorInvalidValue);
  owned->freed = true;
  graph->memory.push_back(std::move(owned));
  CUgraphNode_st node;
  node.type = cudaGraphNodeTypeMemFree;
  return add(made, graph, after, count, std::move(node));
}

cudaError_t cudaDeviceGraphMemTrim(int) {
  return cudaSuccess;
}

// Structure.

cudaError_t cudaGraphGetNodes(cudaGraph_t graph, cudaGraphNode_t* nodes, size_t* count) {
  if (graph == nullptr) return note(cudaErrorInvalidValue);
  std::vector<cudaGraphNode_t> all;
  for (const auto& node : graph->nodes) all.push_back(node.get());
  return list(all, nodes, count);
}

cudaError_t cudaGraphGetRootNodes(cudaGraph_t graph, cudaGraphNode_t* nodes, size_t* count) {
  if (graph == nullptr) return note(cudaErrorInvalidValue);
  std::vector<cudaGraphNode_t> roots;
  for (const auto& node : graph->nodes)
    if (node->after.empty()) roots.push_back(node.get());
  return list(roots, nodes, count);
}

cudaError_t cudaGraphNodeGetDependencies(cudaGraphNode_t node, cudaGraphNode_t* nodes, size_t* count) {
  if (node == nullptr) return note(cudaErrorInvalidValue);
  return list(node->after, nodes, count);
}

cudaError_t cudaGraphNodeGetDependentNodes(cudaGraphNode_t node, cudaGraphNode_t* nodes, size_t* count) {
  if (node == nullptr) return note(cudaErrorInvalidValue);
  std::vector<cudaGraphNode_t> dependent;
  for (const auto& other : node->graph->nodes)
    if (std::find(other->after.begin(), other->after.end(), node) != other->after.end())
      dependent.push_back(other.get());
  return list(dependent, nodes, count);
}

cudaError_t cudaGraphGetEdges(cudaGraph_t graph, cudaGraphNode_t* from, cudaGraphNode_t* to, size_t* count) {
  if (graph == nullptr || count == nullptr || (from == nullptr) != (to == nullptr))
    return note(cudaErrorInvalidValue);
  std::vector<cudaGraphNode_t> tails, heads;
  for (const auto& node : graph->nodes)
    for (const cudaGraphNode_t before : node->after) {
      tails.push_back(before);
      heads.push_back(node.get());
    }
  size_t written = *count;
  if (const cudaError_t error = list(tails, from, &written); error != cudaSuccess) return error;
  return list(heads, to, count);
}

cudaError_t cudaGraphNodeGetType(cudaGraphNode_t node, cudaGraphNodeType* type) {
  if (node == nullptr || type == nullptr) return note(cudaErrorInvalidValue);
  *type = node->type;
  return cudaSuccess;
}

cudaError_t cudaGraphAddDependencies(cudaGraph_t graph, const cudaGraphNode_t* from,
                                     const cudaGraphNode_t* to, size_t count) {
  if (graph == nullptr) return note(cudaErrorInvalidValue);
  for (size_t i = 0; i < count; ++i) {
    if (!graph->owns(from[i]) || !graph->owns(to[i])) return note(cudaErrorInvalidValue);
    to[i]->after.push_back(from[i]);
  }
  return cudaSuccess;
}

cudaError_t cudaGraphRemoveDependencies(cudaGraph_t graph, const cudaGraphNode_t* from,
                                        const cudaGraphNode_t* to, size_t count) {
  if (graph == nullptr) return note(cudaErrorInvalidValue);
  for (size_t i = 0; i < count; ++i) {
    if (!graph->owns(to[i]) || std::erase(to[i]->after, from[i]) == 0) return note(cudaErrorInvalidValue);
  }
  return cudaSuccess;
}

// Execution.

cudaError_t cudaGraphInstantiate(cudaGraphExec_t* exec, cudaGraph_t graph, unsigned long long flags) {
  if (exec == nullptr || graph == nullptr) return note(cudaErrorInvalidValue);
  if ((flags & cudaGraphInstantiateFlagDeviceLaunch) != 0) return note(cudaErrorNotSupported);
  if (!graph->nodes.empty() && graph->order().empty()) return note(cudaErrorInvalidValue);
  auto made = std::make_unique<CUgraphExec_st>();
  made->graph = clone(*graph, made->clones);
  made->flags = flags;
  *exec = made.release();
  return cudaSuccess;
}

cudaError_t cudaGraphInstantiateWithFlags(cudaGraphExec_t* exec, cudaGraph_t graph,
                                          unsigned long long flags) {
  return cudaGraphInstantiate(exec, graph, flags);
}

cudaError_t cudaGraphExecGetFlags(cudaGraphExec_t exec, unsigned long long* flags) {
  if (exec == nullptr || flags == nullptr) return note(cudaErrorInvalidValue);
  *flags = exec->flags;
  return cudaSuccess;
}

cudaError_t cudaGraphExecUpdate(cudaGraphExec_t exec, cudaGraph_t graph,
                                cudaGraphExecUpdateResultInfo* info) {
  if (exec == nullptr || graph == nullptr || info == nullptr) return note(cudaErrorInvalidValue);
  *info = {};
  const auto fail_with = [&](cudaGraphExecUpdateResult result, cudaGraphNode_t node) {
    info->result = result;
    info->errorNode = node;
    return note(cudaErrorGraphExecUpdateFailure);
  };
  auto& nodes = exec->graph->nodes;
  if (nodes.size() != graph->nodes.size()) return fail_with(cudaGraphExecUpdateErrorTopologyChanged, nullptr);
  for (size_t i = 0; i < nodes.size(); ++i) {
    if (nodes[i]->type != graph->nodes[i]->type)
      return fail_with(cudaGraphExecUpdateErrorNodeTypeChanged, graph->nodes[i].get());
    if (nodes[i]->after.size() != graph->nodes[i]->after.size())
      return fail_with(cudaGraphExecUpdateErrorTopologyChanged, graph->nodes[i].get());
  }
  exec->clones.clear();
  exec->graph = clone(*graph, exec->clones);
  return cudaSuccess;
}

cudaError_t cudaGraphNodeSetEnabled(cudaGraphExec_t exec, cudaGraphNode_t node, unsigned int enabled) {
  const cudaGraphNode_t mine = in_exec(exec, node);
  if (mine == nullptr) return note(cudaErrorInvalidValue);
  mine->enabled = enabled != 0;
  return cudaSuccess;
}

cudaError_t cudaGraphNodeGetEnabled(cudaGraphExec_t exec, cudaGraphNode_t node, unsigned int* enabled) {
  const cudaGraphNode_t mine = in_exec(exec, node);
  if (mine == nullptr || enabled == nullptr) return note(cudaErrorInvalidValue);
  *enabled = mine->enabled ? 1 : 0;
  return cudaSuccess;
}

cudaError_t cudaGraphUpload(cudaGraphExec_t exec, cudaStream_t) {
  return exec != nullptr ? cudaSuccess : note(cudaErrorInvalidValue);
}

cudaError_t cudaGraphLaunch(cudaGraphExec_t exec, cudaStream_t stream) {
  if (exec == nullptr) return note(cudaErrorInvalidValue);
  return run_graph(*exec->graph, stream);
}

cudaError_t cudaGraphExecDestroy(cudaGraphExec_t exec) {
  if (exec == nullptr) return note(cudaErrorInvalidValue);
  delete exec;
  return cudaSuccess;
}

// Capture.

cudaError_t cudaStreamBeginCapture(cudaStream_t stream, cudaStreamCaptureMode) {
  if (stream == nullptr || stream == cudaStreamLegacy || stream == cudaStreamPerThread)
    return note(cudaErrorStreamCaptureUnsupported);
  if (stream->captured.capture) return note(cudaErrorIllegalState);
  static std::atomic<unsigned long long> next_id{0};
  auto capture = std::make_shared<Capture>();
  capture->origin = stream;
  capture->id = ++next_id;
  capture->streams = {stream};
  stream->captured = {std::move(capture), {}};
  return cudaSuccess;
}

cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t* graph) {
  if (graph == nullptr) return note(cudaErrorInvalidValue);
  *graph = nullptr;
  CapturePoint* point = capturing(stream);
  if (point == nullptr) return note(cudaErrorIllegalState);
  const std::shared_ptr<Capture> capture = point->capture;
  if (capture->origin != stream) return note(cudaErrorStreamCaptureUnmatched);
  // Work of other streams that the origin has not waited for is lost to it.
  std::vector<cudaGraphNode_t> reached = point->tail;
  for (size_t i = 0; i < reached.size(); ++i)
    for (const cudaGraphNode_t before : reached[i]->after)
      if (std::find(reached.begin(), reached.end(), before) == reached.end()) reached.push_back(before);
  const bool joined = reached.size() == capture->graph->nodes.size();
  for (const cudaStream_t other : capture->streams) other->captured = {};
  if (!joined) return note(cudaErrorStreamCaptureUnjoined);
  *graph = capture->graph.release();
  return cudaSuccess;
}

cudaError_t cudaStreamIsCapturing(cudaStream_t stream, cudaStreamCaptureStatus* status) {
  if (status == nullptr) return note(cudaErrorInvalidValue);
  *status = capturing(stream) != nullptr ? cudaStreamCaptureStatusActive : cudaStreamCaptureStatusNone;
  return cudaSuccess;
}

cudaError_t cudaStreamGetCaptureInfo_v2(cudaStream_t stream, cudaStreamCaptureStatus* status,
                                        unsigned long long* id, cudaGraph_t* graph,
                                        const cudaGraphNode_t** dependencies, size_t* count) {
  if (status == nullptr) return note(cudaErrorInvalidValue);
  CapturePoint* point = capturing(stream);
  *status = point != nullptr ? cudaStreamCaptureStatusActive : cudaStreamCaptureStatusNone;
  if (point == nullptr) return cudaSuccess;
  if (id != nullptr) *id = point->capture->id;
  if (graph != nullptr) *graph = point->capture->graph.get();
  if (dependencies != nullptr) *dependencies = point->tail.data();
  if (count != nullptr) *count = point->tail.size();
  return cudaSuccess;
}

cudaError_t cudaStreamUpdateCaptureDependencies(cudaStream_t stream, cudaGraphNode_t* nodes, size_t count,
                                                unsigned int flags) {
  CapturePoint* point = capturing(stream);
  if (point == nullptr || (nodes == nullptr && count != 0)) return note(cudaErrorInvalidValue);
  if (flags == 1) point->tail.clear();  // cudaStreamSetCaptureDependencies
  point->tail.insert(point->tail.end(), nodes, nodes + count);
  return cudaSuccess;
}

cudaError_t cudaThreadExchangeStreamCaptureMode(cudaStreamCaptureMode* mode) {
  if (mode == nullptr) return note(cudaErrorInvalidValue);
  thread_local cudaStreamCaptureMode current = cudaStreamCaptureModeGlobal;
  std::swap(current, *mode);
  return cudaSuccess;
}

}  // extern "C"
