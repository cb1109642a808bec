// Streams that write values to memory and wait for them.

#include <atomic>
#include <chrono>
#include <cstring>
#include <thread>

#include <cuda.h>
#include <cuda_runtime.h>

#include "check.h"

namespace {

#define DRIVER(call) EXPECT((call) == CUDA_SUCCESS)

__global__ void set(int* at, int value) {
  *at = value;
}
__global__ void copy_out(const int* from, int* to) {
  *to = *from;
}
/// Tells the host side of the stream that it has begun, and goes on when the answer has come.
__global__ void ask(volatile int* asked, volatile int* answer, int* seen) {
  *asked = 1;
  while (*answer == 0) {
  }
  *seen = *answer;
}

CUdeviceptr address(const void* pointer) {
  return reinterpret_cast<CUdeviceptr>(pointer);
}

struct Streams {
  cudaStream_t a, b;
  Streams() {
    CUDA(cudaStreamCreateWithFlags(&a, cudaStreamNonBlocking));
    CUDA(cudaStreamCreateWithFlags(&b, cudaStreamNonBlocking));
  }
  ~Streams() {
    (void)cudaStreamDestroy(a);
    (void)cudaStreamDestroy(b);
  }
};

/// b waits for what a does later, in the order of submission.
void between_streams() {
  Streams s;
  int *flag, *data, *out;
  CUDA(cudaMalloc(&flag, 64));
  CUDA(cudaMalloc(&data, 64));
  CUDA(cudaMalloc(&out, 64));
  CUDA(cudaMemset(flag, 0, 64));
  CUDA(cudaMemset(data, 0, 64));
  CUDA(cudaDeviceSynchronize());
  DRIVER(cuStreamWaitValue32(s.b, address(flag), 7, CU_STREAM_WAIT_VALUE_EQ));
  copy_out<<<1, 1, 0, s.b>>>(data, out);
  EXPECT(cudaStreamQuery(s.b) == cudaErrorNotReady);
  set<<<1, 1, 0, s.a>>>(data, 42);
  EXPECT(cudaStreamQuery(s.b) == cudaErrorNotReady);
  DRIVER(cuStreamWriteValue32(s.a, address(flag), 7, 0));
  CUDA(cudaStreamSynchronize(s.b));
  int value = 0;
  CUDA(cudaMemcpy(&value, out, sizeof value, cudaMemcpyDeviceToHost));
  EXPECT(value == 42);

  // Set by a kernel; seen by the event behind the wait.
  cudaEvent_t passed;
  CUDA(cudaEventCreate(&passed));
  DRIVER(cuStreamWaitValue32(s.b, address(flag), 100, CU_STREAM_WAIT_VALUE_GEQ));
  CUDA(cudaEventRecord(passed, s.b));
  set<<<1, 1, 0, s.a>>>(flag, 100);
  CUDA(cudaEventSynchronize(passed));
  CUDA(cudaEventDestroy(passed));
  for (int* memory : {flag, data, out}) CUDA(cudaFree(memory));
}

bool passes(CUdeviceptr at, bool wide, cuuint64_t value, unsigned condition) {
  Streams s;
  if (wide)
    DRIVER(cuStreamWaitValue64(s.a, at, value, condition));
  else
    DRIVER(cuStreamWaitValue32(s.a, at, static_cast<cuuint32_t>(value), condition));
  const cudaError_t now = cudaStreamQuery(s.a);
  EXPECT(now == cudaSuccess || now == cudaErrorNotReady);
  return now == cudaSuccess;
}

/// Nobody else writes: what is not passed at once is not passed. The streams are given up.
void conditions() {
  cuuint64_t* pinned;
  CUDA(cudaMallocHost(&pinned, 64));
  const CUdeviceptr at = address(pinned);
  const auto holds = [&](cuuint64_t value) { *pinned = value; };
  holds(5);
  EXPECT(passes(at, false, 5, CU_STREAM_WAIT_VALUE_GEQ) && passes(at, false, 4, CU_STREAM_WAIT_VALUE_GEQ));
  EXPECT(passes(at, false, 5, CU_STREAM_WAIT_VALUE_EQ));
  EXPECT(passes(at, false, 4, CU_STREAM_WAIT_VALUE_AND) && passes(at, false, 5, CU_STREAM_WAIT_VALUE_NOR));
  holds(0xfffffffeull);
  EXPECT(passes(at, false, 0xfffffff0u, CU_STREAM_WAIT_VALUE_GEQ));
  holds(3);  // Counters may wrap: 3 comes after 0xfffffff0.
  EXPECT(passes(at, false, 0xfffffff0u, CU_STREAM_WAIT_VALUE_GEQ));
  holds(0x500000000ull);
  EXPECT(passes(at, true, 0x500000000ull, CU_STREAM_WAIT_VALUE_EQ));
  EXPECT(passes(at, true, 0x400000000ull, CU_STREAM_WAIT_VALUE_AND));
  EXPECT(passes(at, false, 0, CU_STREAM_WAIT_VALUE_EQ));  // The low half.
  EXPECT(cuStreamWaitValue32(nullptr, 12345, 0, 0) == CUDA_ERROR_INVALID_VALUE);
  EXPECT(cuStreamWaitValue32(nullptr, at + 2, 0, 0) == CUDA_ERROR_INVALID_VALUE);
  EXPECT(cuStreamWaitValue32(nullptr, at, 0, 77) == CUDA_ERROR_INVALID_VALUE);
  int supported = 0;
  DRIVER(cuDeviceGetAttribute(&supported, static_cast<CUdevice_attribute>(122), 0));
  EXPECT(supported == 1);

  // Closed until somebody writes; a stream that is closed holds its own work back only.
  Streams s;
  holds(0);
  int* out;
  CUDA(cudaMalloc(&out, 64));
  CUDA(cudaMemset(out, 0, 64));
  CUDA(cudaDeviceSynchronize());
  DRIVER(cuStreamWaitValue32(s.a, at, 1, CU_STREAM_WAIT_VALUE_GEQ));
  set<<<1, 1, 0, s.a>>>(out, 1);
  set<<<1, 1, 0, s.b>>>(out + 1, 2);
  CUDA(cudaStreamSynchronize(s.b));
  int values[2] = {9, 9};
  CUDA(cudaMemcpyAsync(values, out, sizeof values, cudaMemcpyDeviceToHost, s.b));
  CUDA(cudaStreamSynchronize(s.b));
  EXPECT(values[0] == 0 && values[1] == 2);
  holds(1);
  CUDA(cudaDeviceSynchronize());
  CUDA(cudaMemcpy(values, out, sizeof values, cudaMemcpyDeviceToHost));
  EXPECT(values[0] == 1);

  // While this thread waits for the stream, another opens it: by writing, and by another stream.
  for (const bool by_stream : {false, true}) {
    holds(0);
    DRIVER(cuStreamWaitValue32(s.a, at, 1, CU_STREAM_WAIT_VALUE_EQ));
    std::thread other([&] {
      CUDA(cudaFree(nullptr));  // The driver API needs a context.
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
      if (by_stream)
        DRIVER(cuStreamWriteValue32(s.b, at, 1, 0));
      else
        reinterpret_cast<std::atomic<int>*>(pinned)->store(1);
    });
    CUDA(cudaStreamSynchronize(s.a));
    EXPECT(*pinned == 1);
    other.join();
  }
  CUDA(cudaFree(out));
  CUDA(cudaFreeHost(pinned));
}

/// A kernel that runs and a stream answer each other.
void with_a_running_kernel() {
  Streams s;
  int* memory;
  CUDA(cudaMalloc(&memory, 64));
  CUDA(cudaMemset(memory, 0, 64));
  CUDA(cudaDeviceSynchronize());
  ask<<<1, 1, 0, s.a>>>(memory, memory + 4, memory + 8);
  DRIVER(cuStreamWaitValue32(s.b, address(memory), 1, CU_STREAM_WAIT_VALUE_EQ));
  DRIVER(cuStreamWriteValue32(s.b, address(memory + 4), 17, 0));
  CUDA(cudaStreamSynchronize(s.a));
  int seen = 0;
  CUDA(cudaMemcpy(&seen, memory + 8, sizeof seen, cudaMemcpyDeviceToHost));
  EXPECT(seen == 17);
  CUDA(cudaFree(memory));
}

void batches_and_graphs() {
  Streams s;
  cuuint32_t* memory;
  CUDA(cudaMalloc(&memory, 64));
  CUDA(cudaMemset(memory, 0, 64));
  CUDA(cudaDeviceSynchronize());
  CUstreamBatchMemOpParams ops[4];
  std::memset(ops, 0, sizeof ops);
  ops[0].operation = CU_STREAM_MEM_OP_WRITE_VALUE_32;
  ops[0].writeValue.address = address(memory);
  ops[0].writeValue.value = 5;
  ops[1].operation = CU_STREAM_MEM_OP_BARRIER;
  ops[2].operation = CU_STREAM_MEM_OP_WAIT_VALUE_32;
  ops[2].waitValue.address = address(memory);
  ops[2].waitValue.value = 5;
  ops[2].waitValue.flags = CU_STREAM_WAIT_VALUE_EQ;
  ops[3].operation = CU_STREAM_MEM_OP_WRITE_VALUE_64;
  ops[3].writeValue.address = address(memory + 2);
  ops[3].writeValue.value64 = 0x100000002ull;
  DRIVER(cuStreamBatchMemOp(s.a, 4, ops, 0));
  CUDA(cudaStreamSynchronize(s.a));
  cuuint32_t values[4];
  CUDA(cudaMemcpy(values, memory, sizeof values, cudaMemcpyDeviceToHost));
  EXPECT(values[0] == 5 && values[2] == 2 && values[3] == 1);
  EXPECT(cuStreamBatchMemOp(s.a, 0, ops, 0) == CUDA_ERROR_INVALID_VALUE);

  // Captured, they are nodes.
  cudaGraph_t graph;
  cudaGraphExec_t exec;
  CUDA(cudaStreamBeginCapture(s.a, cudaStreamCaptureModeGlobal));
  DRIVER(cuStreamWriteValue32(s.a, address(memory), 8, 0));
  DRIVER(cuStreamWaitValue32(s.a, address(memory), 8, CU_STREAM_WAIT_VALUE_EQ));
  copy_out<<<1, 1, 0, s.a>>>(reinterpret_cast<int*>(memory), reinterpret_cast<int*>(memory + 1));
  CUDA(cudaStreamEndCapture(s.a, &graph));
  CUgraphNode node;
  CUDA_BATCH_MEM_OP_NODE_PARAMS p{};
  p.count = 1;
  p.paramArray = ops + 3;
  ops[3].writeValue.value64 = 99;
  DRIVER(cuGraphAddBatchMemOpNode(&node, graph, nullptr, 0, &p));
  CUgraphNodeType type;
  DRIVER(cuGraphNodeGetType(node, &type));
  EXPECT(type == CU_GRAPH_NODE_TYPE_BATCH_MEM_OP);
  CUDA(cudaGraphInstantiate(&exec, graph, 0));
  CUDA(cudaGraphLaunch(exec, s.a));
  CUDA(cudaStreamSynchronize(s.a));
  CUDA(cudaMemcpy(values, memory, sizeof values, cudaMemcpyDeviceToHost));
  EXPECT(values[0] == 8 && values[1] == 8 && values[2] == 99);
  CUDA(cudaGraphExecDestroy(exec));
  CUDA(cudaGraphDestroy(graph));
  CUDA(cudaFree(memory));
}

}  // namespace

int main(int count, char**) {
  CUDA(cudaFree(nullptr));
  between_streams();
  conditions();
  batches_and_graphs();
  // Without timing, kernels of several streams run one after the other.
  if (count > 1) with_a_running_kernel();
  // A stream that nothing opens does not hold up the end of the program.
  int* never;
  CUDA(cudaMalloc(&never, 64));
  CUDA(cudaMemset(never, 0, 64));
  CUDA(cudaDeviceSynchronize());
  DRIVER(cuStreamWaitValue32(cudaStreamPerThread, address(never), 1, CU_STREAM_WAIT_VALUE_EQ));
  std::printf("PASS\n");
}
