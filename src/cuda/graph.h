#pragma once
// Private to src/cuda: graphs and stream capture. A node is a closure that queues its work on a stream.

#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "cuda_runtime_api.h"

namespace wanren::cuda {

/// A kernel launch with its own copy of the arguments.
struct KernelCall {
  const void* function = nullptr;
  dim3 grid, block;
  std::size_t shared_bytes = 0;
  bool cooperative = false;
  std::vector<std::vector<unsigned char>> values;
  std::vector<void*> arguments;  ///< Into `values`.
};

}  // namespace wanren::cuda

struct CUgraphNode_st {
  cudaGraphNodeType type = cudaGraphNodeTypeEmpty;
  std::vector<cudaGraphNode_t> after;                   ///< Dependencies; in the same graph.
  std::function<cudaError_t(cudaStream_t stream)> run;  ///< Empty: nothing to do.
  bool enabled = true;
  CUgraph_st* graph = nullptr;  ///< That it is in.
  // What the queries return, by type.
  std::shared_ptr<wanren::cuda::KernelCall> kernel;
  cudaMemcpy3DParms copy{};
  cudaMemsetParams fill{};
  cudaHostNodeParams host{};
  std::shared_ptr<CUgraph_st> child;
};

struct CUgraph_st {
  std::vector<std::unique_ptr<CUgraphNode_st>> nodes;
  std::vector<std::shared_ptr<void>> memory;  ///< Of allocation nodes: lives as long as graphs that use it.

  cudaGraphNode_t add(CUgraphNode_st node);
  bool owns(cudaGraphNode_t node) const;
  /// Nodes such that each comes after its dependencies; empty if there is a cycle.
  std::vector<cudaGraphNode_t> order() const;
};

namespace wanren::cuda {

/// A copy of `graph`; `clones` gets each node's copy.
std::unique_ptr<CUgraph_st> clone(const CUgraph_st& graph,
                                  std::map<cudaGraphNode_t, cudaGraphNode_t>& clones);

/// Queues the graph's work behind `stream`'s; independent branches overlap.
cudaError_t run_graph(const CUgraph_st& graph, cudaStream_t stream);

/// One capture, shared by the streams that take part.
struct Capture {
  std::unique_ptr<CUgraph_st> graph = std::make_unique<CUgraph_st>();
  cudaStream_t origin = nullptr;
  unsigned long long id = 0;
  std::vector<cudaStream_t> streams;
};

/// What a stream or event has captured so far.
struct CapturePoint {
  std::shared_ptr<Capture> capture;
  std::vector<cudaGraphNode_t> tail;
};

/// The stream's capture, or null.
CapturePoint* capturing(cudaStream_t stream);
/// Adds a node behind what the stream has captured.
void capture_node(CapturePoint& point, CUgraphNode_st node);

CUgraphNode_st kernel_node(std::shared_ptr<KernelCall> call);
/// Copies the arguments. Fails if `function` is no kernel.
cudaError_t make_call(const void* function, dim3 grid, dim3 block, void** arguments, std::size_t shared_bytes,
                      bool cooperative, std::shared_ptr<KernelCall>& call);
CUgraphNode_st host_node(cudaHostFn_t function, void* data);

/// Memory of an allocation node: the address stays taken while a graph with the node is alive, so a launch
/// after a free finds it again.
class GraphMemory {
 public:
  explicit GraphMemory(void* memory);
  ~GraphMemory();
  GraphMemory(const GraphMemory&) = delete;
  GraphMemory& operator=(const GraphMemory&) = delete;
  /// The graph memory at this address, or null.
  static std::shared_ptr<GraphMemory> find(void* memory);
  static std::shared_ptr<GraphMemory> make(void* memory);

  bool freed = false;  ///< By the program or by a node: goes with the last graph.

 private:
  void* memory_;
};

}  // namespace wanren::cuda
