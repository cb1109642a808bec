// Several devices in one process: br100, br100 and a100.

#include <chrono>
#include <cstring>
#include <string>
#include <vector>

#include <cuda.h>
#include <cuda_runtime.h>

#include "check.h"

namespace {

constexpr int n = 1 << 16;
constexpr size_t bytes = n * sizeof(int);

__device__ int offset = 1;

__global__ void add(int* values, int by) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) values[i] += by + offset;
}

__global__ void wild() {
  *reinterpret_cast<volatile int*>(16) = 1;
}

__global__ void spin(float* out, int steps) {
  float x = static_cast<float>(threadIdx.x);
  for (int i = 0; i < steps; ++i) x = x * 0.5f + 1.0f;
  out[blockIdx.x * blockDim.x + threadIdx.x] = x;
}

bool all(const std::vector<int>& values, int wanted) {
  for (const int value : values)
    if (value != wanted) return false;
  return true;
}

void each_is_itself() {
  int count = 0;
  CUDA(cudaGetDeviceCount(&count));
  EXPECT(count == 3);
  cudaDeviceProp properties[3];
  for (int i = 0; i < 3; ++i) CUDA(cudaGetDeviceProperties(&properties[i], i));
  EXPECT(std::strcmp(properties[0].name, properties[1].name) == 0);
  EXPECT(std::strstr(properties[2].name, "A100") != nullptr);
  EXPECT(properties[0].multiProcessorCount == 128 && properties[2].multiProcessorCount == 108);
  EXPECT(std::memcmp(&properties[0].uuid, &properties[1].uuid, sizeof properties[0].uuid) != 0);
  EXPECT(cudaSetDevice(3) == cudaErrorInvalidDevice);
  EXPECT(cudaGetLastError() == cudaErrorInvalidDevice);
  for (int i = 0; i < 3; ++i) {
    char id[16];
    int found = -1;
    CUDA(cudaDeviceGetPCIBusId(id, sizeof id, i));
    CUDA(cudaDeviceGetByPCIBusId(&found, id));
    EXPECT(found == i);
  }

  // Memory, modules and events of each.
  std::vector<int> host(n, 10);
  int* memory[3];
  for (int i = 0; i < 3; ++i) {
    CUDA(cudaSetDevice(i));
    size_t before = 0, after = 0, total = 0;
    CUDA(cudaMemGetInfo(&before, &total));
    EXPECT(total == properties[i].totalGlobalMem);
    CUDA(cudaMalloc(&memory[i], bytes));
    CUDA(cudaMemGetInfo(&after, &total));
    EXPECT(before - after == bytes);
    cudaPointerAttributes attributes;
    CUDA(cudaPointerGetAttributes(&attributes, memory[i] + 5));
    EXPECT(attributes.device == i && attributes.type == cudaMemoryTypeDevice);
    const int mine = 100 * i;
    CUDA(cudaMemcpyToSymbol(offset, &mine, sizeof mine));  // each device has its own variable
  }
  for (int i = 0; i < 3; ++i) {
    int current = -1;
    CUDA(cudaSetDevice(i));
    CUDA(cudaGetDevice(&current));
    EXPECT(current == i);
    cudaEvent_t begin, end;
    CUDA(cudaEventCreate(&begin));
    CUDA(cudaEventCreate(&end));
    CUDA(cudaMemcpy(memory[i], host.data(), bytes, cudaMemcpyHostToDevice));
    CUDA(cudaEventRecord(begin));
    add<<<n / 256, 256>>>(memory[i], i);
    CUDA(cudaEventRecord(end));
    CUDA(cudaEventSynchronize(end));
    float ms = -1;
    CUDA(cudaEventElapsedTime(&ms, begin, end));
    EXPECT(ms >= 0);
    std::vector<int> result(n);
    CUDA(cudaMemcpy(result.data(), memory[i], bytes, cudaMemcpyDeviceToHost));
    EXPECT(all(result, 10 + i + 100 * i));
    CUDA(cudaEventDestroy(begin));
    CUDA(cudaEventDestroy(end));
  }

  // A stream is its device's.
  CUDA(cudaSetDevice(1));
  cudaStream_t stream;
  CUDA(cudaStreamCreate(&stream));
  CUDA(cudaSetDevice(0));
  add<<<1, 1, 0, stream>>>(memory[0], 0);
  EXPECT(cudaGetLastError() == cudaErrorInvalidResourceHandle);
  int of_stream = -1;
  CUDA(cudaStreamGetDevice(stream, &of_stream));
  EXPECT(of_stream == 1);
  CUDA(cudaStreamDestroy(stream));
  for (int i = 0; i < 3; ++i) CUDA(cudaFree(memory[i]));  // from device 0
}

void copies_between() {
  int *a = nullptr, *b = nullptr, *c = nullptr;
  CUDA(cudaSetDevice(0));
  CUDA(cudaMalloc(&a, bytes));
  CUDA(cudaSetDevice(1));
  CUDA(cudaMalloc(&b, bytes));
  CUDA(cudaSetDevice(2));
  CUDA(cudaMalloc(&c, bytes));
  int can = -1;
  CUDA(cudaDeviceCanAccessPeer(&can, 0, 1));
  EXPECT(can == 1);
  EXPECT(cudaDeviceEnablePeerAccess(0, 0) == cudaErrorPeerAccessUnsupported);
  EXPECT(cudaGetLastError() == cudaErrorPeerAccessUnsupported);

  // Fill on 0, copy to 1, add there, copy to 2: events order streams of different devices.
  const int zero = 0;
  cudaStream_t stream[3];
  cudaEvent_t done[3];
  for (int i = 0; i < 3; ++i) {
    CUDA(cudaSetDevice(i));
    CUDA(cudaMemcpyToSymbol(offset, &zero, sizeof zero));
    CUDA(cudaStreamCreateWithFlags(&stream[i], cudaStreamNonBlocking));
    CUDA(cudaEventCreateWithFlags(&done[i], cudaEventDisableTiming));
  }
  CUDA(cudaSetDevice(0));
  CUDA(cudaMemsetAsync(a, 0, bytes, stream[0]));
  add<<<n / 256, 256, 0, stream[0]>>>(a, 5);
  CUDA(cudaMemcpyPeerAsync(b, 1, a, 0, bytes, stream[0]));
  CUDA(cudaEventRecord(done[0], stream[0]));
  EXPECT(cudaEventRecord(done[1], stream[0]) == cudaErrorInvalidResourceHandle);
  EXPECT(cudaGetLastError() == cudaErrorInvalidResourceHandle);
  CUDA(cudaSetDevice(1));
  CUDA(cudaStreamWaitEvent(stream[1], done[0], 0));
  add<<<n / 256, 256, 0, stream[1]>>>(b, 7);
  CUDA(cudaEventRecord(done[1], stream[1]));
  CUDA(cudaSetDevice(2));
  CUDA(cudaStreamWaitEvent(stream[2], done[1], 0));
  CUDA(cudaMemcpyAsync(c, b, bytes, cudaMemcpyDefault, stream[2]));
  add<<<n / 256, 256, 0, stream[2]>>>(c, 1);
  std::vector<int> host(n);
  CUDA(cudaMemcpyAsync(host.data(), c, bytes, cudaMemcpyDeviceToHost, stream[2]));
  CUDA(cudaStreamSynchronize(stream[2]));
  EXPECT(all(host, 13));
  CUDA(cudaMemcpyPeer(a, 0, c, 2, bytes));
  CUDA(cudaMemcpy(host.data(), a, bytes, cudaMemcpyDeviceToHost));
  EXPECT(all(host, 13));

  // Pinned and managed memory is everybody's.
  int *pinned = nullptr, *managed = nullptr;
  CUDA(cudaMallocHost(&pinned, bytes));
  CUDA(cudaMallocManaged(&managed, bytes));
  std::memset(pinned, 0, bytes);
  std::memset(managed, 0, bytes);
  for (int i = 0; i < 3; ++i) {
    CUDA(cudaSetDevice(i));
    add<<<n / 256, 256>>>(pinned, 1);
    add<<<n / 256, 256>>>(managed, 2);
    CUDA(cudaDeviceSynchronize());
  }
  EXPECT(pinned[n - 1] == 3 && managed[n - 1] == 6);
  CUDA(cudaFreeHost(pinned));
  CUDA(cudaFree(managed));
  for (int i = 0; i < 3; ++i) {
    CUDA(cudaStreamDestroy(stream[i]));
    CUDA(cudaEventDestroy(done[i]));
  }
  CUDA(cudaFree(a));
  CUDA(cudaFree(b));
  CUDA(cudaFree(c));
}

void graphs() {
  int* memory = nullptr;
  cudaStream_t first, second;
  cudaGraph_t graph;
  cudaGraphExec_t exec;
  CUDA(cudaSetDevice(1));
  CUDA(cudaStreamCreate(&second));
  CUDA(cudaSetDevice(0));
  CUDA(cudaStreamCreate(&first));
  CUDA(cudaMalloc(&memory, bytes));
  CUDA(cudaMemset(memory, 0, bytes));
  CUDA(cudaStreamBeginCapture(first, cudaStreamCaptureModeGlobal));
  add<<<n / 256, 256, 0, first>>>(memory, 3);
  CUDA(cudaStreamEndCapture(first, &graph));
  CUDA(cudaGraphInstantiate(&exec, graph, 0));
  CUDA(cudaSetDevice(2));
  CUDA(cudaGraphLaunch(exec, first));  // the stream says where
  EXPECT(cudaGraphLaunch(exec, second) == cudaErrorNotSupported);
  EXPECT(cudaGetLastError() == cudaErrorNotSupported);
  CUDA(cudaStreamSynchronize(first));
  int value = 0;
  CUDA(cudaMemcpy(&value, memory, sizeof value, cudaMemcpyDeviceToHost));
  EXPECT(value == 3);
  CUDA(cudaGraphExecDestroy(exec));
  CUDA(cudaGraphDestroy(graph));
  CUDA(cudaStreamDestroy(first));
  CUDA(cudaStreamDestroy(second));
  CUDA(cudaFree(memory));
}

void driver_contexts() {
  CUdevice device = -1;
  CUcontext second = nullptr, top = nullptr;
  EXPECT(cuCtxCreate(&second, 0, 1) == CUDA_SUCCESS);
  EXPECT(cuCtxGetDevice(&device) == CUDA_SUCCESS && device == 1);
  CUdeviceptr memory = 0;
  EXPECT(cuMemAlloc(&memory, bytes) == CUDA_SUCCESS);
  int ordinal = -1, current = -1;
  EXPECT(cuPointerGetAttribute(&ordinal, CU_POINTER_ATTRIBUTE_DEVICE_ORDINAL, memory) == CUDA_SUCCESS);
  EXPECT(ordinal == 1);
  CUDA(cudaGetDevice(&current));  // the runtime goes with the current context
  EXPECT(current == 1);
  EXPECT(cuCtxPopCurrent(&top) == CUDA_SUCCESS && top == second);
  CUDA(cudaGetDevice(&current));
  EXPECT(current == 2);
  EXPECT(cuMemFree(memory) == CUDA_SUCCESS);
  EXPECT(cuCtxDestroy(second) == CUDA_SUCCESS);
}

double both(float* out[2], bool at_once) {
  using clock = std::chrono::steady_clock;
  const auto begin = clock::now();
  for (int i = 0; i < 2; ++i) {
    CUDA(cudaSetDevice(i));
    spin<<<128, 256>>>(out[i], 4000);
    if (!at_once) CUDA(cudaDeviceSynchronize());
  }
  for (int i = 0; i < 2; ++i) {
    CUDA(cudaSetDevice(i));
    CUDA(cudaDeviceSynchronize());
  }
  return std::chrono::duration<double>(clock::now() - begin).count();
}

/// By the modelled host clock.
void at_the_same_time() {
  float* out[2];
  for (int i = 0; i < 2; ++i) {
    CUDA(cudaSetDevice(i));
    CUDA(cudaMalloc(&out[i], 128 * 256 * sizeof(float)));
  }
  const double in_turn = both(out, false), at_once = both(out, true);
  if (at_once > 0.6 * in_turn) {
    std::printf("FAIL two devices take %g us at once, %g us in turn\n", at_once * 1e6, in_turn * 1e6);
    std::exit(1);
  }
}

void faults_stay_apart() {
  CUDA(cudaSetDevice(1));
  wild<<<1, 1>>>();
  EXPECT(cudaDeviceSynchronize() == cudaErrorIllegalAddress);
  int* memory = nullptr;
  EXPECT(cudaMalloc(&memory, bytes) == cudaErrorIllegalAddress);
  CUDA(cudaSetDevice(0));
  (void)cudaGetLastError();
  CUDA(cudaMalloc(&memory, bytes));
  CUDA(cudaMemset(memory, 0, bytes));
  add<<<n / 256, 256>>>(memory, 2);
  CUDA(cudaDeviceSynchronize());
  CUDA(cudaFree(memory));
}

}  // namespace

int main(int count, char** arguments) {
  if (count > 1 && std::string(arguments[1]) == "clock") {
    at_the_same_time();
  } else {
    each_is_itself();
    copies_between();
    graphs();
    driver_contexts();
    faults_stay_apart();
  }
  std::printf("PASS\n");
}
