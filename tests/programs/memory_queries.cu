// What programs can ask about memory and devices, nodes by the one structure, batches of 3D copies.

#include <cstdio>

#include <cuda.h>
#include <cuda_runtime.h>

#include "check.h"

namespace {

#define DRIVER(call) EXPECT((call) == CUDA_SUCCESS)

void devices() {
  int value = 0, major = 0;
  DRIVER(cuDeviceGetAttribute(&value, CU_DEVICE_ATTRIBUTE_MAXIMUM_TEXTURE2D_WIDTH, 0));
  EXPECT(value == 131072);
  DRIVER(cuDeviceGetAttribute(&major, CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR, 0));
  CUDA(cudaDeviceGetAttribute(&value, cudaDevAttrClusterLaunch, 0));
  EXPECT(value == (major >= 9));
  EXPECT(cuDeviceGetAttribute(&value, static_cast<CUdevice_attribute>(9999), 0) == CUDA_ERROR_INVALID_VALUE);
}

void managed() {
  constexpr size_t bytes = 1 << 20, half = bytes / 2;
  char* memory = nullptr;
  CUDA(cudaMallocManaged(&memory, bytes));
  cudaPointerAttributes about{};
  CUDA(cudaPointerGetAttributes(&about, memory + 5));
  EXPECT(about.type == cudaMemoryTypeManaged && about.hostPointer == memory + 5);
  const auto at = reinterpret_cast<CUdeviceptr>(memory);
  unsigned is_managed = 0;
  DRIVER(cuPointerGetAttribute(&is_managed, CU_POINTER_ATTRIBUTE_IS_MANAGED, at));
  EXPECT(is_managed == 1);
  CUDA(cudaMemAdvise(memory, half, cudaMemAdviseSetReadMostly, 0));
  CUDA(cudaMemAdvise(memory, bytes, cudaMemAdviseSetPreferredLocation, cudaCpuDeviceId));
  CUDA(cudaMemAdvise(memory, bytes, cudaMemAdviseSetAccessedBy, 0));
  CUDA(cudaMemPrefetchAsync(memory, half, 0, nullptr));
  const auto asked = [&](CUmem_range_attribute attribute, size_t count) {
    int value = -99;
    DRIVER(cuMemRangeGetAttribute(&value, sizeof value, attribute, at, count));
    return value;
  };
  EXPECT(asked(CU_MEM_RANGE_ATTRIBUTE_READ_MOSTLY, half) == 1);
  EXPECT(asked(CU_MEM_RANGE_ATTRIBUTE_READ_MOSTLY, bytes) == 0);
  EXPECT(asked(CU_MEM_RANGE_ATTRIBUTE_PREFERRED_LOCATION, bytes) == CU_DEVICE_CPU);
  EXPECT(asked(CU_MEM_RANGE_ATTRIBUTE_LAST_PREFETCH_LOCATION, half) == 0);
  EXPECT(asked(CU_MEM_RANGE_ATTRIBUTE_LAST_PREFETCH_LOCATION, bytes) == CU_DEVICE_INVALID);
  int places[2] = {};
  CUDA(cudaMemRangeGetAttribute(places, sizeof places, cudaMemRangeAttributeAccessedBy, memory, bytes));
  EXPECT(places[0] == 0 && places[1] == CU_DEVICE_INVALID);
  CUDA(cudaFree(memory));
  CUDA(cudaMalloc(&memory, bytes));
  EXPECT(cudaMemPrefetchAsync(memory, bytes, 0, nullptr) == cudaErrorInvalidValue);
  cudaIpcMemHandle_t handle;
  EXPECT(cudaIpcGetMemHandle(&handle, memory) == cudaErrorNotSupported);
  CUDA(cudaFree(memory));
}

void nodes() {
  CUcontext context = nullptr;
  DRIVER(cuCtxGetCurrent(&context));
  CUgraph graph = nullptr;
  DRIVER(cuGraphCreate(&graph, 0));
  CUdeviceptr memory = 0;
  DRIVER(cuMemAlloc(&memory, 64));
  DRIVER(cuMemsetD32(memory, 1, 16));
  CUgraphConditionalHandle condition = 0;
  DRIVER(cuGraphConditionalHandleCreate(&condition, graph, context, 1, CU_GRAPH_COND_ASSIGN_DEFAULT));
  CUgraphNodeParams p{};
  p.type = CU_GRAPH_NODE_TYPE_CONDITIONAL;
  p.conditional.handle = condition;
  p.conditional.type = CU_GRAPH_COND_TYPE_IF;
  p.conditional.size = 1;
  p.conditional.ctx = context;
  CUgraphNode branch = nullptr, fill = nullptr;
  DRIVER(cuGraphAddNode(&branch, graph, nullptr, 0, &p));
  const CUgraph body = p.conditional.phGraph_out[0];
  CUgraphNodeParams f{};
  f.type = CU_GRAPH_NODE_TYPE_MEMSET;
  f.memset = {memory, 64, 7, 4, 16, 1, context};
  DRIVER(cuGraphAddNode_v2(&fill, body, nullptr, nullptr, 0, &f));
  f.memset.value = 9;
  DRIVER(cuGraphNodeSetParams(fill, &f));
  CUgraphExec exec = nullptr;
  DRIVER(cuGraphInstantiateWithFlags(&exec, graph, 0));
  DRIVER(cuGraphLaunch(exec, nullptr));
  unsigned value = 0;
  DRIVER(cuMemcpyDtoH(&value, memory + 60, 4));
  EXPECT(value == 9);
  DRIVER(cuGraphExecDestroy(exec));
  DRIVER(cuGraphDestroy(graph));
  DRIVER(cuMemFree(memory));
}

void batches() {
  int host[2][3][4], back[2][3][4] = {};
  for (int i = 0; i < 24; ++i) (&host[0][0][0])[i] = i;
  const cudaChannelFormatDesc format = cudaCreateChannelDesc<int>();
  cudaArray_t array = nullptr;
  CUDA(cudaMalloc3DArray(&array, &format, cudaExtent{4, 3, 2}));
  cudaStream_t stream = nullptr;
  CUDA(cudaStreamCreate(&stream));
  cudaMemcpy3DBatchOp ops[2] = {};
  for (cudaMemcpy3DBatchOp& op : ops) {
    op.extent = {4, 3, 2};
    op.srcAccessOrder = cudaMemcpySrcAccessOrderStream;
  }
  ops[0].src.type = ops[1].dst.type = cudaMemcpyOperandTypePointer;
  ops[0].dst.type = ops[1].src.type = cudaMemcpyOperandTypeArray;
  ops[0].src.op.ptr.ptr = host;
  ops[1].dst.op.ptr.ptr = back;
  ops[0].dst.op.array.array = ops[1].src.op.array.array = array;
  size_t failed = 0;
  CUDA(cudaMemcpy3DBatchAsync(2, ops, &failed, 0, stream));
  CUDA(cudaStreamSynchronize(stream));
  EXPECT(back[1][2][3] == 23 && back[0][1][0] == 4);
  ops[1].extent.depth = 3;
  EXPECT(cudaMemcpy3DBatchAsync(2, ops, &failed, 0, stream) == cudaErrorInvalidValue && failed == 1);
  CUDA(cudaFreeArray(array));
}

}  // namespace

int main() {
  CUDA(cudaFree(nullptr));
  devices();
  managed();
  nodes();
  batches();
  std::printf("PASS\n");
}
