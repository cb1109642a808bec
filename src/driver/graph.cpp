#include "driver/graph.h"

#include <algorithm>
#include <cstring>
#include <mutex>
#include <set>

#include "driver/device_impl.h"
#include "support/log.h"

namespace wanren::driver {
namespace {

std::mutex memory_mutex;
std::map<void*, std::weak_ptr<GraphMemory>>& graph_memory() {
  static auto* all = new std::map<void*, std::weak_ptr<GraphMemory>>;  // Outlives static destructors.
  return *all;
}

std::map<const Device*, GraphMemory::Usage>& usages() {
  static auto* all = new std::map<const Device*, GraphMemory::Usage>;
  return *all;
}

std::map<void*, std::weak_ptr<Condition>>& conditions() {
  static auto* all = new std::map<void*, std::weak_ptr<Condition>>;  // Outlives static destructors.
  return *all;
}

Status launch_graph(const Graph& graph, Device& device, const Stream& stream);
bool has_ended(const Event& event);

/// Queues one node's work.
struct Submit {
  Device& device;
  const Stream& stream;

  Status operator()(std::monostate) const { return Status::cudaSuccess; }
  Status operator()(const std::shared_ptr<const KernelCall>& call) const {
    if (call->device != &device) {
      log::warn("a graph has a kernel of device " + std::to_string(call->device->index()) +
                " and is launched on device " + std::to_string(device.index()) +
                "; graphs across devices are not supported");
      return Status::cudaErrorNotSupported;
    }
    LaunchRequest request = call->request;
    request.stream = stream;
    return device.launch(request);
  }
  Status operator()(const CopyCall& call) const {
    return device.copy(call.to, call.from, call.shape, call.direction, stream, true);
  }
  Status operator()(const FillCall& call) const {
    return device.fill(call.to, call.value, call.element, call.shape, stream, true);
  }
  Status operator()(const HostCall& call) const { return device.host_function(stream, call.call); }
  Status operator()(const RecordCall& call) const { return device.record(call.event, stream); }
  Status operator()(const WaitCall& call) const { return device.wait_event(stream, call.event); }
  Status operator()(const ChildCall& call) const { return launch_graph(*call.graph, device, stream); }
  Status operator()(const ValueCall& call) const { return device.values(stream, call.ops); }
  Status operator()(const ConditionalCall& call) const {
    if (&call.condition->device != &device) return Status::cudaErrorNotSupported;
    struct Run {
      Stream stream;
      Event end;
    };
    // Asked when the node's turn comes: starts a body, and opens once there is none to run any more.
    auto run = std::make_shared<Run>();
    run->stream = device.create_stream(true, 0);
    return device.gate(stream, [&device = device, call, run](Picoseconds now) {
      if (run->end) {
        if (!has_ended(run->end)) return false;
        run->end = nullptr;
        if (call.kind != ConditionalKind::loop) return true;
      }
      const std::uint32_t value = __atomic_load_n(call.condition->at, __ATOMIC_ACQUIRE);
      std::size_t chosen = call.bodies.size();
      switch (call.kind) {
        case ConditionalKind::branch: chosen = value != 0 ? 0 : 1; break;
        case ConditionalKind::loop: chosen = value != 0 ? 0 : chosen; break;
        case ConditionalKind::choice: chosen = value; break;
      }
      if (chosen >= call.bodies.size()) return true;
      run->end = device.create_event(false, false);
      const Status status = device.from_device(now, [&] {
        const Status launched = launch_graph(*call.bodies[chosen], device, run->stream);
        return launched != Status::cudaSuccess ? launched : device.record(run->end, run->stream);
      });
      return status != Status::cudaSuccess;
    });
  }
  // The memory is there before the node runs, and stays as long as the graph.
  Status operator()(const AllocateCall&) const { return Status::cudaSuccess; }
  Status operator()(const FreeCall&) const { return Status::cudaSuccess; }
};

bool has_ended(const Event& event) {
  return event->op != nullptr && event->op->ended;
}

Status launch_graph(const Graph& graph, Device& device, const Stream& stream) {
  for (const auto& condition : graph.conditions)
    if (condition->assign)
      if (const Status status =
              device.values(stream, {{.write = true, .at = condition->at, .value = condition->initial}});
          status != Status::cudaSuccess)
        return status;
  // A node goes on in the stream of its first dependency that nobody has followed yet; else a branch begins.
  std::map<const GraphNode*, Stream> place;
  std::map<const GraphNode*, Event> done;
  std::set<const GraphNode*> followed;
  const Event begin = device.create_event(false, false);
  if (const Status status = device.record(begin, stream); status != Status::cudaSuccess) return status;
  bool root_taken = false;
  for (const GraphNode* node : graph.order()) {
    Stream at;
    bool chosen = false;
    for (const GraphNode* before : node->after)
      if (!chosen && followed.insert(before).second) at = place[before], chosen = true;
    if (!chosen && !root_taken) {
      at = stream;
      root_taken = true;
    } else if (!chosen) {
      at = device.create_stream(true, 0);
      (void)device.wait_event(at, begin);
    }
    place[node] = at;
    for (const GraphNode* before : node->after)
      if (place[before] != at) (void)device.wait_event(at, done[before]);
    if (node->enabled)
      if (const Status status = std::visit(Submit{device, at}, node->work); status != Status::cudaSuccess)
        return status;
    done[node] = device.create_event(false, false);
    (void)device.record(done[node], at);
  }
  for (const auto& [node, at] : place)
    if (at != stream && !followed.contains(node)) (void)device.wait_event(stream, done[node]);
  // The stream's later work waits for the branches.
  return device.record(device.create_event(false, false), stream);
}

}  // namespace

std::shared_ptr<KernelCall> copy_of(const KernelCall& call) {
  auto made = std::make_shared<KernelCall>(call);
  made->arguments.clear();
  for (auto& value : made->values) made->arguments.push_back(value.data());
  made->request.arguments = made->arguments.data();
  return made;
}

Status make_call(const LaunchRequest& request, const Device& device,
                 std::shared_ptr<const KernelCall>& call) {
  auto made = std::make_shared<KernelCall>();
  made->request = request;
  made->handle = request.handle;
  made->device = &device;
  const auto& parameters = request.function->kernel->parameters;
  if (request.arguments == nullptr && request.packed == nullptr && !parameters.empty())
    return Status::cudaErrorInvalidValue;
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    std::vector<std::byte> value(parameters[i].bytes);
    if (request.packed == nullptr) {
      std::memcpy(value.data(), request.arguments[i], value.size());
    } else if (parameters[i].offset < request.packed_bytes) {
      std::memcpy(value.data(), static_cast<const std::byte*>(request.packed) + parameters[i].offset,
                  std::min<std::size_t>(value.size(), request.packed_bytes - parameters[i].offset));
    }
    made->values.push_back(std::move(value));
  }
  for (auto& value : made->values) made->arguments.push_back(value.data());
  made->request.arguments = made->arguments.data();
  made->request.packed = nullptr;
  made->request.stream = nullptr;
  call = std::move(made);
  return Status::cudaSuccess;
}

// Memory.

GraphMemory::GraphMemory(Device& device, void* memory, std::size_t bytes)
    : device_(device), memory_(memory), bytes_(bytes) {
  std::lock_guard lock(memory_mutex);
  Usage& usage = usages()[&device];
  usage.current += bytes;
  usage.high = std::max(usage.high, usage.current);
}

GraphMemory::Usage GraphMemory::usage(const Device& device) {
  std::lock_guard lock(memory_mutex);
  return usages()[&device];
}
void GraphMemory::reset_high(const Device& device) {
  std::lock_guard lock(memory_mutex);
  Usage& usage = usages()[&device];
  usage.high = usage.current;
}

GraphMemory::~GraphMemory() {
  {
    std::lock_guard lock(memory_mutex);
    usages()[&device_].current -= bytes_;
    graph_memory().erase(memory_);
  }
  if (freed) (void)device_.free(memory_);
}

std::shared_ptr<GraphMemory> GraphMemory::find(void* memory) {
  std::lock_guard lock(memory_mutex);
  const auto it = graph_memory().find(memory);
  return it != graph_memory().end() ? it->second.lock() : nullptr;
}

Status GraphMemory::make(Device& device, std::size_t bytes, std::shared_ptr<GraphMemory>& made) {
  void* memory = nullptr;
  if (const Status status = device.allocate(bytes, &memory); status != Status::cudaSuccess) return status;
  made = std::make_shared<GraphMemory>(device, memory, bytes);
  std::lock_guard lock(memory_mutex);
  graph_memory()[memory] = made;
  return Status::cudaSuccess;
}

// Conditions.

Status Condition::make(Device& device, std::uint32_t initial, bool assign, std::shared_ptr<Condition>& made) {
  void* memory = nullptr;
  if (const Status status = device.allocate(sizeof initial, &memory); status != Status::cudaSuccess)
    return status;
  std::memcpy(memory, &initial, sizeof initial);
  made = std::make_shared<Condition>(device, static_cast<std::uint32_t*>(memory), initial, assign);
  std::lock_guard lock(memory_mutex);
  conditions()[memory] = made;
  return Status::cudaSuccess;
}

std::shared_ptr<Condition> Condition::find(void* at) {
  std::lock_guard lock(memory_mutex);
  const auto it = conditions().find(at);
  return it != conditions().end() ? it->second.lock() : nullptr;
}

Condition::~Condition() {
  {
    std::lock_guard lock(memory_mutex);
    conditions().erase(at);
  }
  (void)device.free(at);
}

// Graphs.

GraphNode* Graph::add(GraphNode::Work work, std::span<GraphNode* const> after) {
  nodes_.push_back(std::make_unique<GraphNode>());
  GraphNode& node = *nodes_.back();
  node.work = std::move(work);
  node.after.assign(after.begin(), after.end());
  node.graph = this;
  return &node;
}

bool Graph::owns(const GraphNode* node) const {
  return std::any_of(nodes_.begin(), nodes_.end(), [&](const auto& n) { return n.get() == node; });
}

void Graph::remove(GraphNode* node) {
  for (const auto& other : nodes_) std::erase(other->after, node);
  std::erase_if(nodes_, [&](const auto& n) { return n.get() == node; });
}

std::vector<GraphNode*> Graph::dependents(const GraphNode* node) const {
  std::vector<GraphNode*> found;
  for (const auto& other : nodes_)
    if (std::find(other->after.begin(), other->after.end(), node) != other->after.end())
      found.push_back(other.get());
  return found;
}

std::vector<GraphNode*> Graph::order() const {
  std::vector<GraphNode*> sorted;
  std::set<const GraphNode*> done;
  while (sorted.size() < nodes_.size()) {
    const std::size_t before = sorted.size();
    for (const auto& node : nodes_) {
      if (done.contains(node.get())) continue;
      if (!std::all_of(node->after.begin(), node->after.end(),
                       [&](const GraphNode* n) { return done.contains(n); }))
        continue;
      done.insert(node.get());
      sorted.push_back(node.get());
    }
    if (sorted.size() == before) return {};
  }
  return sorted;
}

std::unique_ptr<Graph> Graph::clone(std::map<const GraphNode*, GraphNode*>& clones) const {
  auto copy = std::make_unique<Graph>();
  for (const auto& node : nodes_) {
    GraphNode* made = copy->add(node->work, node->after);
    made->enabled = node->enabled;
    if (auto* child = std::get_if<ChildCall>(&made->work)) {
      std::map<const GraphNode*, GraphNode*> inner;
      child->graph = child->graph->clone(inner);
    }
    if (auto* conditional = std::get_if<ConditionalCall>(&made->work))
      for (std::shared_ptr<Graph>& body : conditional->bodies) {
        std::map<const GraphNode*, GraphNode*> inner;
        body = body->clone(inner);
      }
    clones[node.get()] = made;
  }
  for (const auto& node : copy->nodes_)
    for (GraphNode*& before : node->after) before = clones[before];
  copy->conditions = conditions;
  copy->kept = kept;
  copy->originals = clones;
  return copy;
}

Status ExecutableGraph::make(const Graph& graph, unsigned long long flags,
                             std::unique_ptr<ExecutableGraph>& made) {
  if (!graph.nodes().empty() && graph.order().empty()) return Status::cudaErrorInvalidValue;
  made = std::make_unique<ExecutableGraph>();
  made->graph_ = graph.clone(made->clones_);
  made->flags = flags;
  return Status::cudaSuccess;
}

ExecutableGraph::Change ExecutableGraph::update(const Graph& graph, const GraphNode*& node) {
  node = nullptr;
  const auto& mine = graph_->nodes();
  const auto& theirs = graph.nodes();
  if (mine.size() != theirs.size()) return Change::topology;
  for (std::size_t i = 0; i < mine.size(); ++i) {
    node = theirs[i].get();
    if (mine[i]->work.index() != theirs[i]->work.index()) return Change::node_type;
    if (mine[i]->after.size() != theirs[i]->after.size()) return Change::topology;
  }
  node = nullptr;
  clones_.clear();
  graph_ = graph.clone(clones_);
  return Change::none;
}

GraphNode* ExecutableGraph::find(const GraphNode* node) const {
  const auto it = clones_.find(node);
  return it != clones_.end() ? it->second : nullptr;
}

Status ExecutableGraph::launch(Device& device, const Stream& stream) const {
  if (CapturePoint* point = capturing(stream)) {
    std::map<const GraphNode*, GraphNode*> clones;
    point->add(ChildCall{graph_->clone(clones)});
    return Status::cudaSuccess;
  }
  return device.launch_as_one([&] { return launch_graph(*graph_, device, stream); });
}

}  // namespace wanren::driver
