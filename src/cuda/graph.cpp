#include "cuda/graph.h"

#include <algorithm>
#include <mutex>
#include <set>

#include "cuda/runtime.h"

cudaGraphNode_t CUgraph_st::add(CUgraphNode_st node) {
  nodes.push_back(std::make_unique<CUgraphNode_st>(std::move(node)));
  nodes.back()->graph = this;
  return nodes.back().get();
}

bool CUgraph_st::owns(cudaGraphNode_t node) const {
  return std::any_of(nodes.begin(), nodes.end(), [&](const auto& n) { return n.get() == node; });
}

std::vector<cudaGraphNode_t> CUgraph_st::order() const {
  std::vector<cudaGraphNode_t> sorted;
  std::set<cudaGraphNode_t> done;
  while (sorted.size() < nodes.size()) {
    const std::size_t before = sorted.size();
    for (const auto& node : nodes) {
      if (done.contains(node.get())) continue;
      if (!std::all_of(node->after.begin(), node->after.end(),
                       [&](cudaGraphNode_t n) { return done.contains(n); }))
        continue;
      done.insert(node.get());
      sorted.push_back(node.get());
    }
    if (sorted.size() == before) return {};
  }
  return sorted;
}

namespace wanren::cuda {
namespace {

std::mutex memory_mutex;
std::map<void*, std::weak_ptr<GraphMemory>>& graph_memory() {
  static auto* all = new std::map<void*, std::weak_ptr<GraphMemory>>;  // Outlives static destructors.
  return *all;
}

}  // namespace

GraphMemory::GraphMemory(void* memory) : memory_(memory) {}

GraphMemory::~GraphMemory() {
  {
    std::lock_guard lock(memory_mutex);
    graph_memory().erase(memory_);
  }
  if (freed) (void)cudaFree(memory_);
}

std::shared_ptr<GraphMemory> GraphMemory::find(void* memory) {
  std::lock_guard lock(memory_mutex);
  const auto it = graph_memory().find(memory);
  return it != graph_memory().end() ? it->second.lock() : nullptr;
}

std::shared_ptr<GraphMemory> GraphMemory::make(void* memory) {
  auto made = std::make_shared<GraphMemory>(memory);
  std::lock_guard lock(memory_mutex);
  graph_memory()[memory] = made;
  return made;
}

std::unique_ptr<CUgraph_st> clone(const CUgraph_st& graph,
                                  std::map<cudaGraphNode_t, cudaGraphNode_t>& clones) {
  auto copy = std::make_unique<CUgraph_st>();
  copy->memory = graph.memory;
  for (const auto& node : graph.nodes) clones[node.get()] = copy->add(*node);
  for (const auto& node : copy->nodes)
    for (cudaGraphNode_t& before : node->after) before = clones[before];
  return copy;
}

cudaError_t run_graph(const CUgraph_st& graph, cudaStream_t stream) {
  WR_DEVICE(device);
  // A node goes on in the stream of its first dependency that nobody has followed yet; else a branch begins.
  const driver::Stream root = stream_of(stream);
  std::map<cudaGraphNode_t, std::unique_ptr<CUstream_st>> branches;
  std::map<cudaGraphNode_t, cudaStream_t> place;
  std::map<cudaGraphNode_t, driver::Event> done;
  std::set<cudaGraphNode_t> followed;
  const driver::Event begin = device->create_event(false, false);
  if (const driver::Status status = device->record(begin, root); status != driver::Status::cudaSuccess)
    return note(status);
  bool root_taken = false;
  for (const cudaGraphNode_t node : graph.order()) {
    cudaStream_t at = nullptr;
    bool chosen = false;
    for (const cudaGraphNode_t before : node->after)
      if (!chosen && followed.insert(before).second) at = place[before], chosen = true;
    if (!chosen && !root_taken) {
      at = stream;
      root_taken = true;
    } else if (!chosen) {
      branches[node] = std::make_unique<CUstream_st>();
      at = branches[node].get();
      at->stream = device->create_stream(true, 0);
      (void)device->wait_event(at->stream, begin);
    }
    place[node] = at;
    for (const cudaGraphNode_t before : node->after)
      if (place[before] != at) (void)device->wait_event(stream_of(at), done[before]);
    if (node->run && node->enabled)
      if (const cudaError_t error = node->run(at); error != cudaSuccess) return error;
    done[node] = device->create_event(false, false);
    (void)device->record(done[node], stream_of(at));
  }
  for (const auto& [node, at] : place)
    if (at != stream && !followed.contains(node)) (void)device->wait_event(root, done[node]);
  // The stream's later work waits for the branches.
  return note(device->record(device->create_event(false, false), root));
}

CapturePoint* capturing(cudaStream_t stream) {
  if (stream == nullptr || stream == cudaStreamLegacy || stream == cudaStreamPerThread) return nullptr;
  return stream->captured.capture ? &stream->captured : nullptr;
}

void capture_node(CapturePoint& point, CUgraphNode_st node) {
  node.after = point.tail;
  point.tail = {point.capture->graph->add(std::move(node))};
}

cudaError_t make_call(const void* function, dim3 grid, dim3 block, void** arguments, std::size_t shared_bytes,
                      bool cooperative, std::shared_ptr<KernelCall>& call) {
  auto found = function_of(function);
  if (!found) return note(found.error().status);
  call = std::make_shared<KernelCall>();
  call->function = function;
  call->grid = grid;
  call->block = block;
  call->shared_bytes = shared_bytes;
  call->cooperative = cooperative;
  const auto& parameters = (*found)->kernel->parameters;
  if (arguments == nullptr && !parameters.empty()) return note(cudaErrorInvalidValue);
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    const auto* value = static_cast<const unsigned char*>(arguments[i]);
    call->values.emplace_back(value, value + parameters[i].bytes);
  }
  for (auto& value : call->values) call->arguments.push_back(value.data());
  return cudaSuccess;
}

CUgraphNode_st kernel_node(std::shared_ptr<KernelCall> call) {
  CUgraphNode_st node;
  node.type = cudaGraphNodeTypeKernel;
  node.kernel = call;
  node.run = [call](cudaStream_t stream) {
    return (call->cooperative ? cudaLaunchCooperativeKernel : cudaLaunchKernel)(
        call->function, call->grid, call->block, call->arguments.data(), call->shared_bytes, stream);
  };
  return node;
}

CUgraphNode_st host_node(cudaHostFn_t function, void* data) {
  CUgraphNode_st node;
  node.type = cudaGraphNodeTypeHost;
  node.host = {function, data};
  node.run = [function, data](cudaStream_t stream) { return cudaLaunchHostFunc(stream, function, data); };
  return node;
}

}  // namespace wanren::cuda
