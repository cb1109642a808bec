// Forms of libcudart's functions that CUDA 11 and 13 have and the program's headers, which are CUDA 12's,
// have not.

#include <cstring>

#include "cuda/device_properties.h"
#include "cuda/runtime.h"
#include "cuda/runtime_forms.h"

using namespace wanren;
using namespace wanren::cuda;

namespace {

cudaError_t version(int* out, int value) {
  if (out == nullptr) return note(cudaErrorInvalidValue);
  *out = value;
  return cudaSuccess;
}

/// Edges carry no data but the default here: kernels do not start before what they depend on has ended.
bool plain(const cudaGraphEdgeData* edges, size_t count) {
  for (size_t i = 0; edges != nullptr && i < count; ++i)
    if (edges[i].from_port != 0 || edges[i].to_port != 0 || edges[i].type != cudaGraphDependencyTypeDefault)
      return false;
  return true;
}

cudaError_t with_plain_edges(cudaError_t error, cudaGraphEdgeData* edges, const size_t* count) {
  if (error == cudaSuccess && edges != nullptr) std::memset(edges, 0, *count * sizeof *edges);
  return error;
}

}  // namespace

extern "C" {

cudaError_t cudaRuntimeGetVersion_v11(int* out) {
  return version(out, 11080);
}
cudaError_t cudaRuntimeGetVersion_v12(int* out) {
  return version(out, 12080);
}
cudaError_t cudaRuntimeGetVersion_v13(int* out) {
  return version(out, 13000);
}

cudaError_t cudaGetDeviceProperties_v11(void* properties, int device) {
  if (properties == nullptr) return note(cudaErrorInvalidValue);
  cudaDeviceProp all;
  const cudaError_t error = cudaGetDeviceProperties_v2(&all, device);
  if (error == cudaSuccess) std::memcpy(properties, &all, device_properties_11_bytes);
  return error;
}

cudaError_t cudaGetDeviceProperties_v13(DeviceProperties13* properties, int device) {
  if (properties == nullptr) return note(cudaErrorInvalidValue);
  cudaDeviceProp all;
  const cudaError_t error = cudaGetDeviceProperties_v2(&all, device);
  if (error != cudaSuccess) return error;
  *properties = {};
#define WR_PROPERTY(type, name, array) std::memcpy(&properties->name, &all.name, sizeof all.name);
  WR_PROPERTIES_13(WR_PROPERTY)
#undef WR_PROPERTY
  return cudaSuccess;
}

cudaError_t cudaStreamGetCaptureInfo_v1(cudaStream_t stream, cudaStreamCaptureStatus* status,
                                        unsigned long long* id) {
  return cudaStreamGetCaptureInfo_v2(stream, status, id, nullptr, nullptr, nullptr);
}

cudaError_t cudaStreamGetCaptureInfo_v3(cudaStream_t stream, cudaStreamCaptureStatus* status,
                                        unsigned long long* id, cudaGraph_t* graph,
                                        const cudaGraphNode_t** dependencies, const cudaGraphEdgeData** edges,
                                        size_t* count) {
  // Null: no edge has data.
  if (edges != nullptr) *edges = nullptr;
  return cudaStreamGetCaptureInfo_v2(stream, status, id, graph, dependencies, count);
}

cudaError_t cudaStreamUpdateCaptureDependencies_v2(cudaStream_t stream, cudaGraphNode_t* nodes,
                                                   const cudaGraphEdgeData* edges, size_t count,
                                                   unsigned int flags) {
  if (!plain(edges, count)) return note(cudaErrorNotSupported);
  return cudaStreamUpdateCaptureDependencies(stream, nodes, count, flags);
}

cudaError_t cudaMemcpyBatchAsync_v2(const void** to, const void** from, const size_t* bytes, size_t count,
                                    cudaMemcpyAttributes* attributes, size_t* first, size_t attribute_count,
                                    cudaStream_t stream) {
  return cudaMemcpyBatchAsync(const_cast<void**>(to), const_cast<void**>(from), const_cast<size_t*>(bytes),
                              count, attributes, first, attribute_count, nullptr, stream);
}

cudaError_t cudaMemcpy3DBatchAsync_v2(size_t count, cudaMemcpy3DBatchOp* list, unsigned long long flags,
                                      cudaStream_t stream) {
  return cudaMemcpy3DBatchAsync(count, list, nullptr, flags, stream);
}

cudaError_t cudaGraphAddNode_v2(cudaGraphNode_t* made, cudaGraph_t graph, const cudaGraphNode_t* after,
                                const cudaGraphEdgeData* edges, size_t count, cudaGraphNodeParams* params) {
  if (!plain(edges, count)) return note(cudaErrorNotSupported);
  return cudaGraphAddNode(made, graph, after, count, params);
}

cudaError_t cudaGraphAddDependencies_v2(cudaGraph_t graph, const cudaGraphNode_t* from,
                                        const cudaGraphNode_t* to, const cudaGraphEdgeData* edges,
                                        size_t count) {
  if (!plain(edges, count)) return note(cudaErrorNotSupported);
  return cudaGraphAddDependencies(graph, from, to, count);
}

cudaError_t cudaGraphRemoveDependencies_v2(cudaGraph_t graph, const cudaGraphNode_t* from,
                                           const cudaGraphNode_t* to, const cudaGraphEdgeData* edges,
                                           size_t count) {
  if (!plain(edges, count)) return note(cudaErrorNotSupported);
  return cudaGraphRemoveDependencies(graph, from, to, count);
}

cudaError_t cudaGraphGetEdges_v2(cudaGraph_t graph, cudaGraphNode_t* from, cudaGraphNode_t* to,
                                 cudaGraphEdgeData* edges, size_t* count) {
  return with_plain_edges(cudaGraphGetEdges(graph, from, to, count), edges, count);
}

cudaError_t cudaGraphNodeGetDependencies_v2(cudaGraphNode_t node, cudaGraphNode_t* nodes,
                                            cudaGraphEdgeData* edges, size_t* count) {
  return with_plain_edges(cudaGraphNodeGetDependencies(node, nodes, count), edges, count);
}

cudaError_t cudaGraphNodeGetDependentNodes_v2(cudaGraphNode_t node, cudaGraphNode_t* nodes,
                                              cudaGraphEdgeData* edges, size_t* count) {
  return with_plain_edges(cudaGraphNodeGetDependentNodes(node, nodes, count), edges, count);
}

cudaError_t cudaGraphInstantiate_v11(cudaGraphExec_t* exec, cudaGraph_t graph, cudaGraphNode_t* error_node,
                                     char* log, size_t log_bytes) {
  if (error_node != nullptr) *error_node = nullptr;
  if (log != nullptr && log_bytes != 0) *log = '\0';
  return cudaGraphInstantiateWithFlags(exec, graph, 0);
}

cudaError_t cudaGraphExecUpdate_v11(cudaGraphExec_t exec, cudaGraph_t graph, cudaGraphNode_t* error_node,
                                    cudaGraphExecUpdateResult* result) {
  cudaGraphExecUpdateResultInfo info{};
  cudaError_t (*update)(cudaGraphExec_t, cudaGraph_t, cudaGraphExecUpdateResultInfo*) = cudaGraphExecUpdate;
  const cudaError_t error = update(exec, graph, &info);
  if (error_node != nullptr) *error_node = info.errorNode;
  if (result != nullptr) *result = info.result;
  return error;
}

cudaError_t cudaGetDriverEntryPoint_v11(const char* symbol, void** function, unsigned long long flags) {
  return cudaGetDriverEntryPoint(symbol, function, flags, nullptr);
}

}  // extern "C"
