// Graphs: conditional nodes, nodes by the one structure for all types, attributes, events, symbols, objects.

#include <cstring>
#include <fstream>
#include <sstream>
#include <string>

#include <cuda_runtime.h>

#include "check.h"

namespace {

__device__ int symbol = 3;

__global__ void add(int* to, int by) {
  *to += by;
}
/// Counts down, and says whether to go on.
__global__ void count_down(int* left, cudaGraphConditionalHandle handle) {
  cudaGraphSetConditional(handle, --*left > 0);
}
__global__ void choose(cudaGraphConditionalHandle handle, const int* value) {
  cudaGraphSetConditional(handle, *value);
}

struct Memory {
  int* at = nullptr;
  Memory() {
    CUDA(cudaMallocManaged(&at, 4096));
    std::memset(at, 0, 4096);
  }
  ~Memory() { (void)cudaFree(at); }
};

template <class... A>
cudaGraphNode_t kernel(cudaGraph_t graph, cudaGraphNode_t after, void (*function)(A...), A... arguments) {
  void* list[] = {&arguments...};
  cudaGraphNodeParams p{};
  p.type = cudaGraphNodeTypeKernel;
  p.kernel.func = reinterpret_cast<void*>(function);
  p.kernel.gridDim = p.kernel.blockDim = dim3(1);
  p.kernel.kernelParams = list;
  cudaGraphNode_t node;
  CUDA(cudaGraphAddNode(&node, graph, &after, after != nullptr, &p));
  return node;
}

cudaGraphNode_t conditional(cudaGraph_t graph, cudaGraphNode_t after, cudaGraphConditionalHandle handle,
                            cudaGraphConditionalNodeType type, unsigned size, cudaGraph_t* bodies) {
  cudaGraphNodeParams p{};
  p.type = cudaGraphNodeTypeConditional;
  p.conditional.handle = handle;
  p.conditional.type = type;
  p.conditional.size = size;
  cudaGraphNode_t node;
  CUDA(cudaGraphAddNode(&node, graph, &after, after != nullptr, &p));
  std::memcpy(bodies, p.conditional.phGraph_out, size * sizeof *bodies);
  return node;
}

void run(cudaGraph_t graph, int times = 1) {
  cudaGraphExec_t exec;
  CUDA(cudaGraphInstantiate(&exec, graph, 0));
  for (int i = 0; i < times; ++i) CUDA(cudaGraphLaunch(exec, nullptr));
  CUDA(cudaDeviceSynchronize());
  CUDA(cudaGraphExecDestroy(exec));
}

void loops() {
  Memory m;
  int *left = m.at, *rounds = m.at + 1, *behind = m.at + 2;
  cudaGraph_t graph, body;
  cudaGraphConditionalHandle handle;
  CUDA(cudaGraphCreate(&graph, 0));
  CUDA(cudaGraphConditionalHandleCreate(&handle, graph, 1, cudaGraphCondAssignDefault));
  const cudaGraphNode_t loop = conditional(graph, nullptr, handle, cudaGraphCondTypeWhile, 1, &body);
  kernel(body, kernel(body, nullptr, add, rounds, 1), count_down, left, handle);
  kernel(graph, loop, add, behind, 1);  // Once, behind the loop.
  cudaGraphNodeType type;
  CUDA(cudaGraphNodeGetType(loop, &type));
  EXPECT(type == cudaGraphNodeTypeConditional);
  *left = 10;
  run(graph);
  EXPECT(*left == 0 && *rounds == 10 && *behind == 1);
  // The default at each launch: a round that finds nothing left ends it again.
  *left = 4;
  run(graph, 2);
  EXPECT(*left == -1 && *rounds == 15 && *behind == 3);
  CUDA(cudaGraphDestroy(graph));
}

void branches() {
  Memory m;
  int *value = m.at, *then = m.at + 1, *otherwise = m.at + 2, *inner = m.at + 3;
  cudaGraph_t graph, bodies[2], nested;
  cudaGraphConditionalHandle handle, second;
  CUDA(cudaGraphCreate(&graph, 0));
  CUDA(cudaGraphConditionalHandleCreate(&handle, graph, 0, 0));
  CUDA(cudaGraphConditionalHandleCreate(&second, graph, 1, cudaGraphCondAssignDefault));
  const cudaGraphNode_t set =
      kernel<cudaGraphConditionalHandle, const int*>(graph, nullptr, choose, handle, value);
  conditional(graph, set, handle, cudaGraphCondTypeIf, 2, bodies);
  const cudaGraphNode_t first = kernel(bodies[0], nullptr, add, then, 1);
  kernel(bodies[1], nullptr, add, otherwise, 1);
  conditional(bodies[0], first, second, cudaGraphCondTypeIf, 1, &nested);
  kernel(nested, nullptr, add, inner, 1);
  *value = 1;
  run(graph);
  EXPECT(*then == 1 && *otherwise == 0 && *inner == 1);
  *value = 0;
  run(graph);
  EXPECT(*then == 1 && *otherwise == 1 && *inner == 1);
  CUDA(cudaGraphDestroy(graph));
}

void choices() {
  Memory m;
  int *value = m.at, *hits = m.at + 1;
  cudaGraph_t graph, bodies[3];
  cudaGraphConditionalHandle handle;
  CUDA(cudaGraphCreate(&graph, 0));
  CUDA(cudaGraphConditionalHandleCreate(&handle, graph, 0, 0));
  const cudaGraphNode_t set =
      kernel<cudaGraphConditionalHandle, const int*>(graph, nullptr, choose, handle, value);
  conditional(graph, set, handle, cudaGraphCondTypeSwitch, 3, bodies);
  for (int i = 0; i < 3; ++i) kernel(bodies[i], nullptr, add, hits + i, 1);
  for (const int which : {2, 0, 2, 7}) {  // 7: none of them
    *value = which;
    run(graph);
  }
  EXPECT(hits[0] == 1 && hits[1] == 0 && hits[2] == 2);
  // Wrong sizes, handles.
  cudaGraphNodeParams p{};
  cudaGraphNode_t node;
  p.type = cudaGraphNodeTypeConditional;
  p.conditional.handle = handle;
  p.conditional.type = cudaGraphCondTypeWhile;
  p.conditional.size = 2;
  EXPECT(cudaGraphAddNode(&node, graph, nullptr, 0, &p) == cudaErrorInvalidValue);
  p.conditional.size = 1;
  p.conditional.handle = 1234;
  EXPECT(cudaGraphAddNode(&node, graph, nullptr, 0, &p) == cudaErrorInvalidValue);
  (void)cudaGetLastError();
  CUDA(cudaGraphDestroy(graph));
}

void all_types() {
  Memory m;
  cudaGraph_t graph, child;
  cudaEvent_t event, other, got;
  CUDA(cudaEventCreate(&event));
  CUDA(cudaEventCreate(&other));
  CUDA(cudaGraphCreate(&graph, 0));
  CUDA(cudaGraphCreate(&child, 0));
  kernel(child, nullptr, add, m.at, 100);
  cudaGraphNode_t last = nullptr, node;
  const auto next = [&](cudaGraphNodeParams& p) {
    CUDA(cudaGraphAddNode(&node, graph, &last, last != nullptr, &p));
    last = node;
  };
  cudaGraphNodeParams p{};
  p.type = cudaGraphNodeTypeMemset;
  p.memset = {m.at, 0, 0, 4, 16, 1};
  next(p);
  const cudaGraphNode_t fill = node;
  p = {};
  p.type = cudaGraphNodeTypeGraph;
  p.graph.graph = child;
  next(p);
  p = {};
  p.type = cudaGraphNodeTypeEventRecord;
  p.eventRecord.event = event;
  next(p);
  const cudaGraphNode_t record = node;
  CUDA(cudaGraphEventRecordNodeGetEvent(record, &got));
  EXPECT(got == event);
  CUDA(cudaGraphEventRecordNodeSetEvent(record, other));
  CUDA(cudaGraphEventRecordNodeGetEvent(record, &got));
  EXPECT(got == other);
  EXPECT(cudaGraphEventWaitNodeGetEvent(record, &got) == cudaErrorInvalidValue);
  p = {};
  p.type = cudaGraphNodeTypeEmpty;
  next(p);
  p = {};
  p.type = cudaGraphNodeTypeHost;
  p.host.fn = [](void* at) { static_cast<int*>(at)[8] = 8; };
  p.host.userData = m.at;
  next(p);
  void* from = nullptr;
  CUDA(cudaGetSymbolAddress(&from, symbol));
  p = {};
  p.type = cudaGraphNodeTypeMemcpy;
  p.memcpy.copyParams.srcPtr = {from, 4, 4, 1};
  p.memcpy.copyParams.dstPtr = {m.at + 1, 4, 4, 1};
  p.memcpy.copyParams.extent = {4, 1, 1};
  p.memcpy.copyParams.kind = cudaMemcpyDefault;
  next(p);
  const cudaGraphNode_t copy = node;
  run(graph);
  EXPECT(m.at[0] == 100 && m.at[1] == 3 && m.at[8] == 8);
  CUDA(cudaEventQuery(other));

  // Changes, in the graph and in an executable one.
  p = {};
  p.type = cudaGraphNodeTypeMemset;
  p.memset = {m.at, 0, 5, 4, 16, 1};
  CUDA(cudaGraphNodeSetParams(fill, &p));
  CUDA(cudaGraphMemcpyNodeSetParamsFromSymbol(copy, m.at + 2, symbol, 4, 0, cudaMemcpyDefault));
  run(graph);
  EXPECT(m.at[0] == 105 && m.at[1] == 5 && m.at[2] == 3);
  cudaGraphExec_t exec;
  CUDA(cudaGraphInstantiate(&exec, graph, 0));
  p.memset.value = 6;
  CUDA(cudaGraphExecNodeSetParams(exec, fill, &p));
  const int seven = 7;
  CUDA(cudaGraphExecMemcpyNodeSetParamsToSymbol(exec, copy, symbol, &seven, 4, 0, cudaMemcpyHostToDevice));
  CUDA(cudaGraphLaunch(exec, nullptr));
  CUDA(cudaDeviceSynchronize());
  EXPECT(m.at[0] == 106 && m.at[2] == 6);
  int value = 0;
  CUDA(cudaMemcpyFromSymbol(&value, symbol, sizeof value));
  EXPECT(value == 7);

  // A clone's nodes; text.
  cudaGraph_t clone;
  cudaGraphNode_t found = nullptr;
  CUDA(cudaGraphClone(&clone, graph));
  CUDA(cudaGraphNodeFindInClone(&found, record, clone));
  EXPECT(found != nullptr && found != record);
  EXPECT(cudaGraphNodeFindInClone(&found, record, child) == cudaErrorInvalidValue);
  const std::string path = "graph_nodes.dot";
  CUDA(cudaGraphDebugDotPrint(graph, path.c_str(), 0));
  std::stringstream text;
  text << std::ifstream(path).rdbuf();
  std::remove(path.c_str());
  EXPECT(text.str().rfind("digraph dot {", 0) == 0 && text.str().find("MEMSET") != std::string::npos);
  EXPECT(text.str().find("add(int*, int)") != std::string::npos &&
         text.str().find(" -> ") != std::string::npos);
  (void)cudaGetLastError();
  CUDA(cudaGraphExecDestroy(exec));
  for (cudaGraph_t g : {graph, child, clone}) CUDA(cudaGraphDestroy(g));
  CUDA(cudaEventDestroy(event));
  CUDA(cudaEventDestroy(other));
}

void attributes() {
  Memory m;
  cudaGraph_t graph;
  CUDA(cudaGraphCreate(&graph, 0));
  const cudaGraphNode_t one = kernel(graph, nullptr, add, m.at, 1), two = kernel(graph, one, add, m.at, 2);
  cudaLaunchAttributeValue value{}, got{};
  CUDA(cudaGraphKernelNodeGetAttribute(one, cudaLaunchAttributeCooperative, &got));
  EXPECT(got.cooperative == 0);
  value.cooperative = 1;
  CUDA(cudaGraphKernelNodeSetAttribute(one, cudaLaunchAttributeCooperative, &value));
  CUDA(cudaGraphKernelNodeCopyAttributes(two, one));
  CUDA(cudaGraphKernelNodeGetAttribute(two, cudaLaunchAttributeCooperative, &got));
  EXPECT(got.cooperative == 1);
  value = {};
  value.priority = -3;
  CUDA(cudaGraphKernelNodeSetAttribute(two, cudaLaunchAttributePriority, &value));
  CUDA(cudaGraphKernelNodeGetAttribute(two, cudaLaunchAttributePriority, &got));
  EXPECT(got.priority == -3);
  EXPECT(cudaGraphKernelNodeSetAttribute(one, cudaLaunchAttributeProgrammaticStreamSerialization, &value) ==
         cudaErrorNotSupported);
  (void)cudaGetLastError();
  run(graph);  // The arguments have come along.
  EXPECT(*m.at == 3);
  CUDA(cudaGraphDestroy(graph));
}

int destroyed;

void objects() {
  const auto destroy = [](void* count) { ++*static_cast<int*>(count); };
  cudaUserObject_t object;
  cudaGraph_t graph;
  cudaGraphExec_t exec;
  destroyed = 0;
  EXPECT(cudaUserObjectCreate(&object, &destroyed, destroy, 1, 0) == cudaErrorInvalidValue);
  (void)cudaGetLastError();
  CUDA(cudaUserObjectCreate(&object, &destroyed, destroy, 1, cudaUserObjectNoDestructorSync));
  CUDA(cudaUserObjectRetain(object, 2));
  CUDA(cudaGraphCreate(&graph, 0));
  CUDA(cudaGraphRetainUserObject(graph, object, 1, cudaGraphUserObjectMove));
  CUDA(cudaUserObjectRelease(object, 2));
  EXPECT(destroyed == 0);
  CUDA(cudaGraphRetainUserObject(graph, object, 1, 0));
  CUDA(cudaGraphReleaseUserObject(graph, object, 1));
  EXPECT(cudaGraphReleaseUserObject(graph, object, 2) == cudaErrorInvalidValue);
  (void)cudaGetLastError();
  CUDA(cudaGraphInstantiate(&exec, graph, 0));
  CUDA(cudaGraphDestroy(graph));
  EXPECT(destroyed == 0);  // The executable graph holds it.
  CUDA(cudaGraphExecDestroy(exec));
  EXPECT(destroyed == 1);
}

}  // namespace

int main() {
  loops();
  branches();
  choices();
  all_types();
  attributes();
  objects();
  std::printf("PASS\n");
}
