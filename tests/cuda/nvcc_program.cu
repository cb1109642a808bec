// Compiled by nvcc against its own headers and shared runtime, run against Wanren's libraries.

#include <cstdio>
#include <cstdlib>
#include <vector>

#include <cuda_runtime.h>

#define CHECK(call)                                                                             \
  do {                                                                                          \
    const cudaError_t error = (call);                                                           \
    if (error != cudaSuccess) {                                                                 \
      std::printf("FAIL %s:%d %s: %s\n", __FILE__, __LINE__, #call, cudaGetErrorString(error)); \
      std::exit(1);                                                                             \
    }                                                                                           \
  } while (0)
#define EXPECT(condition)                                             \
  do {                                                                \
    if (!(condition)) {                                               \
      std::printf("FAIL %s:%d %s\n", __FILE__, __LINE__, #condition); \
      std::exit(1);                                                   \
    }                                                                 \
  } while (0)

__constant__ float factor;
__device__ int launches;

__global__ void scale(float* values, int n) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i == 0) atomicAdd(&launches, 1);
  if (i < n) values[i] *= factor;
}

int main() {
  int version = 0;
  CHECK(cudaRuntimeGetVersion(&version));
  EXPECT(version / 1000 == CUDART_VERSION / 1000);
  cudaDeviceProp properties;
  CHECK(cudaGetDeviceProperties(&properties, 0));
  int units = 0;
  CHECK(cudaDeviceGetAttribute(&units, cudaDevAttrMultiProcessorCount, 0));
  EXPECT(properties.multiProcessorCount == units && properties.warpSize == 32);
  EXPECT(properties.memoryPoolsSupported == 1);

  constexpr int n = 1000;
  std::vector<float> host(n, 1.0f);
  float* values = nullptr;
  CHECK(cudaMallocManaged(&values, n * sizeof(float)));
  const float two = 2.0f;
  CHECK(cudaMemcpyToSymbol(factor, &two, sizeof two));
  CHECK(cudaMemcpy(values, host.data(), n * sizeof(float), cudaMemcpyHostToDevice));
#if CUDART_VERSION >= 13000
  const cudaMemLocation place{cudaMemLocationTypeDevice, 0};
  CHECK(cudaMemAdvise(values, n * sizeof(float), cudaMemAdviseSetPreferredLocation, place));
  CHECK(cudaMemPrefetchAsync(values, n * sizeof(float), place, 0));
#endif
  scale<<<(n + 127) / 128, 128>>>(values, n);
  CHECK(cudaGetLastError());

  cudaStream_t stream;
  CHECK(cudaStreamCreate(&stream));
  CHECK(cudaDeviceSynchronize());
  CHECK(cudaStreamBeginCapture(stream, cudaStreamCaptureModeGlobal));
  scale<<<(n + 127) / 128, 128, 0, stream>>>(values, n);
  scale<<<(n + 127) / 128, 128, 0, stream>>>(values, n);
  cudaGraph_t graph;
  CHECK(cudaStreamEndCapture(stream, &graph));
  size_t count = 0;
#if CUDART_VERSION >= 13000
  CHECK(cudaGraphGetEdges(graph, nullptr, nullptr, nullptr, &count));
#else
  CHECK(cudaGraphGetEdges(graph, nullptr, nullptr, &count));
#endif
  EXPECT(count == 1);
  cudaGraphExec_t exec;
  CHECK(cudaGraphInstantiate(&exec, graph, 0));
  CHECK(cudaGraphLaunch(exec, stream));
  CHECK(cudaGraphLaunch(exec, stream));
  CHECK(cudaStreamSynchronize(stream));

  CHECK(cudaMemcpy(host.data(), values, n * sizeof(float), cudaMemcpyDeviceToHost));
  for (int i = 0; i < n; ++i) EXPECT(host[i] == 32.0f);
  int seen = 0;
  CHECK(cudaMemcpyFromSymbol(&seen, launches, sizeof seen));
  EXPECT(seen == 5);
  CHECK(cudaFree(values));
  std::printf("PASS\n");
}
