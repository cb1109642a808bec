// Time per empty kernel, back to back in a stream and as nodes of a graph, us. Arguments: repeats.
#include "common.h"

__global__ void empty() {}

int main(int argc, char** argv) {
  const int repeats = repeats_from(argc, argv, 21);
  constexpr int kernels = 1000;
  cudaStream_t stream;
  CUDA(cudaStreamCreate(&stream));
  const auto launch_all = [&] {
    for (int i = 0; i < kernels; ++i) empty<<<1, 32, 0, stream>>>();
  };
  cudaGraph_t graph;
  cudaGraphExec_t executable;
  CUDA(cudaStreamBeginCapture(stream, cudaStreamCaptureModeGlobal));
  launch_all();
  CUDA(cudaStreamEndCapture(stream, &graph));
  CUDA(cudaGraphInstantiate(&executable, graph, 0));
  csv("stream_launch", kernels, 1e3 * median_ms(repeats, launch_all) / kernels, "us");
  csv("graph_launch", kernels,
      1e3 * median_ms(repeats, [&] { CUDA(cudaGraphLaunch(executable, stream)); }) / kernels, "us");
  return 0;
}
