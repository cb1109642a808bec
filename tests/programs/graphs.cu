// Graphs: built by hand, captured from two streams, updated, and run again; arguments are kept by value.
#include <cuda_runtime.h>

#include "check.h"

__global__ void add(int* p, int value) {
  p[threadIdx.x] += value;
}

__global__ void sum(const int* a, const int* b, int* out) {
  out[threadIdx.x] = a[threadIdx.x] + b[threadIdx.x];
}

void count(void* data) {
  ++*static_cast<int*>(data);
}

int main() {
  int *a = nullptr, *b = nullptr, *out = nullptr, host[32], calls = 0;
  CUDA(cudaMalloc(&a, sizeof host));
  CUDA(cudaMalloc(&b, sizeof host));
  CUDA(cudaMalloc(&out, sizeof host));
  cudaStream_t first = nullptr, second = nullptr;
  CUDA(cudaStreamCreateWithFlags(&first, cudaStreamNonBlocking));
  CUDA(cudaStreamCreateWithFlags(&second, cudaStreamNonBlocking));
  cudaEvent_t fork = nullptr, join = nullptr;
  CUDA(cudaEventCreate(&fork));
  CUDA(cudaEventCreate(&join));

  // Captured: nothing runs until the launch.
  cudaGraph_t graph = nullptr;
  CUDA(cudaStreamBeginCapture(first, cudaStreamCaptureModeGlobal));
  CUDA(cudaMemsetAsync(a, 0, sizeof host, first));
  CUDA(cudaEventRecord(fork, first));
  CUDA(cudaStreamWaitEvent(second, fork, 0));
  CUDA(cudaMemsetAsync(b, 0, sizeof host, second));
  for (int value = 1; value <= 3; ++value) add<<<1, 32, 0, first>>>(a, value);
  add<<<1, 32, 0, second>>>(b, 10);
  CUDA(cudaEventRecord(join, second));
  CUDA(cudaStreamWaitEvent(first, join, 0));
  sum<<<1, 32, 0, first>>>(a, b, out);
  CUDA(cudaMemcpyAsync(host, out, sizeof host, cudaMemcpyDeviceToHost, first));
  CUDA(cudaLaunchHostFunc(first, count, &calls));
  cudaStreamCaptureStatus status = cudaStreamCaptureStatusNone;
  CUDA(cudaStreamIsCapturing(second, &status));
  EXPECT(status == cudaStreamCaptureStatusActive);
  CUDA(cudaStreamEndCapture(first, &graph));
  CUDA(cudaStreamIsCapturing(second, &status));
  EXPECT(status == cudaStreamCaptureStatusNone && calls == 0);
  size_t nodes = 0;
  CUDA(cudaGraphGetNodes(graph, nullptr, &nodes));
  EXPECT(nodes == 9);
  cudaGraphExec_t exec = nullptr;
  CUDA(cudaGraphInstantiate(&exec, graph, 0));
  for (int i = 1; i <= 3; ++i) {
    CUDA(cudaMemset(out, 0, sizeof host));
    CUDA(cudaGraphLaunch(exec, first));
    CUDA(cudaStreamSynchronize(first));
    EXPECT(host[0] == 16 && host[31] == 16 && calls == i);
  }
  CUDA(cudaGraphExecDestroy(exec));
  CUDA(cudaGraphDestroy(graph));

  // A stream that took part may go before the capture ends; memory that the graph frees lasts from launch to
  // launch.
  cudaStream_t brief = nullptr;
  int* scratch = nullptr;
  CUDA(cudaStreamCreateWithFlags(&brief, cudaStreamNonBlocking));
  CUDA(cudaStreamBeginCapture(first, cudaStreamCaptureModeGlobal));
  CUDA(cudaMallocAsync(&scratch, sizeof host, first));
  CUDA(cudaMemsetAsync(scratch, 0, sizeof host, first));
  CUDA(cudaEventRecord(fork, first));
  CUDA(cudaStreamWaitEvent(brief, fork, 0));
  add<<<1, 32, 0, brief>>>(scratch, 3);
  CUDA(cudaEventRecord(join, brief));
  CUDA(cudaStreamWaitEvent(first, join, 0));
  CUDA(cudaStreamDestroy(brief));
  CUDA(cudaMemcpyAsync(host, scratch, sizeof host, cudaMemcpyDeviceToHost, first));
  CUDA(cudaFreeAsync(scratch, first));
  CUDA(cudaStreamEndCapture(first, &graph));
  CUDA(cudaGraphInstantiate(&exec, graph, 0));
  CUDA(cudaGraphDestroy(graph));
  for (int i = 0; i < 2; ++i) {
    host[5] = 0;
    CUDA(cudaGraphLaunch(exec, first));
    CUDA(cudaStreamSynchronize(first));
    EXPECT(host[5] == 3);
  }
  CUDA(cudaGraphExecDestroy(exec));
  // An event of a capture that has ended belongs to no capture.
  CUDA(cudaStreamWaitEvent(second, join, 0));
  CUDA(cudaStreamIsCapturing(second, &status));
  EXPECT(status == cudaStreamCaptureStatusNone);

  // By hand: memset -> add -> copy; then other arguments for the executable graph.
  CUDA(cudaGraphCreate(&graph, 0));
  cudaMemsetParams fill = {};
  fill.dst = a;
  fill.elementSize = 4;
  fill.value = 100;
  fill.width = 32;
  fill.height = 1;
  cudaGraphNode_t filled = nullptr, added = nullptr, copied = nullptr;
  CUDA(cudaGraphAddMemsetNode(&filled, graph, nullptr, 0, &fill));
  int value = 5;
  void* arguments[] = {&a, &value};
  cudaKernelNodeParams kernel = {};
  kernel.func = reinterpret_cast<void*>(add);
  kernel.gridDim = dim3(1);
  kernel.blockDim = dim3(32);
  kernel.kernelParams = arguments;
  CUDA(cudaGraphAddKernelNode(&added, graph, &filled, 1, &kernel));
  CUDA(cudaGraphAddMemcpyNode1D(&copied, graph, &added, 1, host, a, sizeof host, cudaMemcpyDeviceToHost));
  CUDA(cudaGraphInstantiate(&exec, graph, nullptr, nullptr, 0));
  value = 1000;  // Not seen by the node.
  CUDA(cudaGraphLaunch(exec, first));
  CUDA(cudaStreamSynchronize(first));
  EXPECT(host[0] == 105 && host[31] == 105);
  CUDA(cudaGraphExecKernelNodeSetParams(exec, added, &kernel));
  CUDA(cudaGraphLaunch(exec, first));
  CUDA(cudaStreamSynchronize(first));
  EXPECT(host[0] == 1100);
  // A cycle cannot be instantiated.
  CUDA(cudaGraphAddDependencies(graph, &copied, &filled, 1));
  cudaGraphExec_t bad = nullptr;
  EXPECT(cudaGraphInstantiate(&bad, graph, 0) == cudaErrorInvalidValue);
  std::printf("PASS\n");
}
