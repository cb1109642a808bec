#include "cuda/graphs.h"

#include <algorithm>
#include <cstring>
#include <iterator>

namespace wanren::cuda {
namespace {

using driver::GraphNode;
using driver::Status;

constexpr Status invalid = Status::cudaErrorInvalidValue;
// CUDA's numbers of launch attributes.
constexpr int cooperative_attribute = 2, cluster_attribute = 4;

/// Those without an effect here are hints: windows of L2, policies, priorities, domains, carve-outs. The
/// others would let a kernel begin before what it depends on has ended, or be changed by device code.
bool is_node_attribute(int id) {
  constexpr int known[] = {1, cooperative_attribute, 3, cluster_attribute, 5, 8, 9, 10, 11, 14};
  return std::find(std::begin(known), std::end(known), id) != std::end(known);
}

Status list(const std::vector<GraphNode*>& values, NodeHandle* out, std::size_t* count) {
  if (count == nullptr) return invalid;
  if (out == nullptr) {
    *count = values.size();
    return Status::cudaSuccess;
  }
  const std::size_t written = std::min(*count, values.size());
  std::transform(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(written), out,
                 [](GraphNode* node) { return handle_of(node); });
  std::fill(out + written, out + *count, nullptr);
  *count = written;
  return Status::cudaSuccess;
}

bool owns(GraphHandle graph, const NodeHandle* nodes, std::size_t count) {
  if (graph == nullptr || (nodes == nullptr && count != 0)) return false;
  return std::all_of(nodes, nodes + count,
                     [&](NodeHandle node) { return graph_of(graph)->owns(node_of(node)); });
}

std::vector<GraphNode*> nodes_of(const NodeHandle* handles, std::size_t count) {
  std::vector<GraphNode*> nodes;
  nodes.reserve(count);
  for (std::size_t i = 0; i < count; ++i) nodes.push_back(node_of(handles[i]));
  return nodes;
}

std::shared_ptr<driver::Graph> copy_of(GraphHandle graph) {
  std::map<const GraphNode*, GraphNode*> clones;
  return graph_of(graph)->clone(clones);
}

}  // namespace

NodeHandle in_exec(ExecHandle exec, NodeHandle node) {
  return exec != nullptr ? handle_of(exec_of(exec)->find(node_of(node))) : nullptr;
}

int node_type(const GraphNode& node) {
  // By the alternatives of GraphNode::Work: empty, kernel, copy, fill, host, record, wait, child, allocate,
  // free, values, conditional.
  constexpr int types[] = {5, 0, 1, 2, 3, 7, 6, 4, 10, 11, 12, 13};
  return types[node.work.index()];
}

Status graph_create(GraphHandle* graph, unsigned flags) {
  if (graph == nullptr || flags != 0) return invalid;
  *graph = handle_of(new driver::Graph);
  return Status::cudaSuccess;
}

Status graph_destroy(GraphHandle graph) {
  if (graph == nullptr) return invalid;
  delete graph_of(graph);
  return Status::cudaSuccess;
}

Status graph_clone(GraphHandle* made, GraphHandle graph) {
  if (made == nullptr || graph == nullptr) return invalid;
  std::map<const GraphNode*, GraphNode*> clones;
  *made = handle_of(graph_of(graph)->clone(clones).release());
  return Status::cudaSuccess;
}

Status graph_add(NodeHandle* made, GraphHandle graph, const NodeHandle* after, std::size_t count,
                 GraphNode::Work work) {
  if (made == nullptr || !owns(graph, after, count)) return invalid;
  *made = handle_of(graph_of(graph)->add(std::move(work), nodes_of(after, count)));
  return Status::cudaSuccess;
}

Status graph_replace(NodeHandle node, GraphNode::Work work) {
  if (node == nullptr || node_of(node)->work.index() != work.index()) return invalid;
  node_of(node)->work = std::move(work);
  return Status::cudaSuccess;
}

Status graph_add_child(NodeHandle* made, GraphHandle graph, const NodeHandle* after, std::size_t count,
                       GraphHandle child) {
  if (child == nullptr) return invalid;
  return graph_add(made, graph, after, count, driver::ChildCall{copy_of(child)});
}

Status graph_replace_child(NodeHandle node, GraphHandle child) {
  if (child == nullptr) return invalid;
  return graph_replace(node, driver::ChildCall{copy_of(child)});
}

Status graph_child(NodeHandle node, GraphHandle* child) {
  const auto* call = node != nullptr ? std::get_if<driver::ChildCall>(&node_of(node)->work) : nullptr;
  if (call == nullptr || child == nullptr) return invalid;
  *child = handle_of(call->graph.get());
  return Status::cudaSuccess;
}

Status graph_add_allocation(NodeHandle* made, GraphHandle graph, const NodeHandle* after, std::size_t count,
                            driver::Device& device, std::size_t bytes, void** memory) {
  if (made == nullptr || !owns(graph, after, count)) return invalid;
  // The address is fixed now, and memory is there before the node runs.
  std::shared_ptr<driver::GraphMemory> owned;
  if (const Status status = driver::GraphMemory::make(device, bytes, owned); status != Status::cudaSuccess)
    return status;
  *memory = owned->memory();
  return graph_add(made, graph, after, count, driver::AllocateCall{std::move(owned)});
}

Status graph_add_free(NodeHandle* made, GraphHandle graph, const NodeHandle* after, std::size_t count,
                      void* memory) {
  std::shared_ptr<driver::GraphMemory> owned = driver::GraphMemory::find(memory);
  if (owned == nullptr || made == nullptr || !owns(graph, after, count)) return invalid;
  owned->freed = true;
  return graph_add(made, graph, after, count, driver::FreeCall{std::move(owned)});
}

Status graph_add_condition(unsigned long long* handle, GraphHandle graph, driver::Device& device,
                           unsigned initial, unsigned flags) {
  constexpr unsigned assign_default = 1;
  if (handle == nullptr || graph == nullptr || flags > assign_default) return invalid;
  std::shared_ptr<driver::Condition> made;
  if (const Status status = driver::Condition::make(device, initial, flags == assign_default, made);
      status != Status::cudaSuccess)
    return status;
  *handle = reinterpret_cast<unsigned long long>(made->at);
  graph_of(graph)->conditions.push_back(std::move(made));
  return Status::cudaSuccess;
}

Status graph_add_conditional(NodeHandle* made, GraphHandle graph, const NodeHandle* after, std::size_t count,
                             unsigned long long handle, int type, unsigned size, GraphHandle** bodies) {
  if (graph == nullptr || type < 0 || type > 2 || size == 0) return invalid;
  const auto kind = static_cast<driver::ConditionalKind>(type);
  if ((kind == driver::ConditionalKind::branch && size > 2) ||
      (kind == driver::ConditionalKind::loop && size > 1))
    return invalid;
  driver::ConditionalCall call;
  // The handle's graph may be one around this one.
  call.condition = driver::Condition::find(reinterpret_cast<void*>(handle));
  if (call.condition == nullptr) return invalid;
  call.kind = kind;
  call.handles = std::make_shared<std::vector<void*>>();
  for (unsigned i = 0; i < size; ++i) {
    call.bodies.push_back(std::make_shared<driver::Graph>());
    call.handles->push_back(call.bodies.back().get());
  }
  *bodies = reinterpret_cast<GraphHandle*>(call.handles->data());
  return graph_add(made, graph, after, count, std::move(call));
}

Status kernel_node_attribute(NodeHandle node, int id, void* value) {
  const auto* call = node != nullptr
                         ? std::get_if<std::shared_ptr<const driver::KernelCall>>(&node_of(node)->work)
                         : nullptr;
  if (call == nullptr || value == nullptr) return invalid;
  if (!is_node_attribute(id)) return Status::cudaErrorNotSupported;
  const auto it = (*call)->attributes.find(id);
  std::memset(value, 0, sizeof it->second);
  if (it != (*call)->attributes.end()) {
    std::memcpy(value, it->second.data(), sizeof it->second);
  } else if (id == cooperative_attribute) {
    const int cooperative = (*call)->request.cooperative;
    std::memcpy(value, &cooperative, sizeof cooperative);
  } else if (id == cluster_attribute && (*call)->request.has_cluster) {
    const Dim3& cluster = (*call)->request.cluster;
    const unsigned extents[] = {cluster.x, cluster.y, cluster.z};
    std::memcpy(value, extents, sizeof extents);
  }
  return Status::cudaSuccess;
}

Status set_kernel_node_attribute(NodeHandle node, int id, const void* value) {
  const auto* call = node != nullptr
                         ? std::get_if<std::shared_ptr<const driver::KernelCall>>(&node_of(node)->work)
                         : nullptr;
  if (call == nullptr || value == nullptr) return invalid;
  if (!is_node_attribute(id)) return Status::cudaErrorNotSupported;
  const std::shared_ptr<driver::KernelCall> changed = driver::copy_of(**call);
  auto& held = changed->attributes[id];
  std::memcpy(held.data(), value, sizeof held);
  if (id == cooperative_attribute) {
    int cooperative = 0;
    std::memcpy(&cooperative, value, sizeof cooperative);
    changed->request.cooperative = cooperative != 0;
  } else if (id == cluster_attribute) {
    unsigned extents[3];
    std::memcpy(extents, value, sizeof extents);
    changed->request.has_cluster = true;
    changed->request.cluster = Dim3{extents[0], extents[1], extents[2]};
  }
  return graph_replace(node, std::shared_ptr<const driver::KernelCall>(changed));
}

Status copy_kernel_node_attributes(NodeHandle to, NodeHandle from) {
  const auto* call = from != nullptr
                         ? std::get_if<std::shared_ptr<const driver::KernelCall>>(&node_of(from)->work)
                         : nullptr;
  const auto* mine =
      to != nullptr ? std::get_if<std::shared_ptr<const driver::KernelCall>>(&node_of(to)->work) : nullptr;
  if (call == nullptr || mine == nullptr) return invalid;
  const std::shared_ptr<driver::KernelCall> changed = driver::copy_of(**mine);
  const driver::LaunchRequest& request = (*call)->request;
  changed->attributes = (*call)->attributes;
  changed->request.cooperative = request.cooperative;
  changed->request.has_cluster = request.has_cluster;
  changed->request.cluster = request.cluster;
  return graph_replace(to, std::shared_ptr<const driver::KernelCall>(changed));
}

Status graph_find_in_clone(NodeHandle* found, NodeHandle node, GraphHandle clone) {
  if (found == nullptr || node == nullptr || clone == nullptr) return invalid;
  const auto& originals = graph_of(clone)->originals;
  const auto it = originals.find(node_of(node));
  if (it == originals.end() || !graph_of(clone)->owns(it->second)) return invalid;
  *found = handle_of(it->second);
  return Status::cudaSuccess;
}

Status graph_destroy_node(NodeHandle node) {
  if (node == nullptr) return invalid;
  node_of(node)->graph->remove(node_of(node));
  return Status::cudaSuccess;
}

Status graph_nodes(GraphHandle graph, NodeHandle* nodes, std::size_t* count) {
  if (graph == nullptr) return invalid;
  std::vector<GraphNode*> all;
  for (const auto& node : graph_of(graph)->nodes()) all.push_back(node.get());
  return list(all, nodes, count);
}

Status graph_roots(GraphHandle graph, NodeHandle* nodes, std::size_t* count) {
  if (graph == nullptr) return invalid;
  std::vector<GraphNode*> roots;
  for (const auto& node : graph_of(graph)->nodes())
    if (node->after.empty()) roots.push_back(node.get());
  return list(roots, nodes, count);
}

Status graph_edges(GraphHandle graph, NodeHandle* from, NodeHandle* to, std::size_t* count) {
  if (graph == nullptr || count == nullptr || (from == nullptr) != (to == nullptr)) return invalid;
  std::vector<GraphNode*> tails, heads;
  for (const auto& node : graph_of(graph)->nodes())
    for (GraphNode* before : node->after) {
      tails.push_back(before);
      heads.push_back(node.get());
    }
  std::size_t room = *count;
  (void)list(tails, from, &room);
  return list(heads, to, count);
}

Status node_dependencies(NodeHandle node, NodeHandle* nodes, std::size_t* count) {
  return node == nullptr ? invalid : list(node_of(node)->after, nodes, count);
}

Status node_dependents(NodeHandle node, NodeHandle* nodes, std::size_t* count) {
  if (node == nullptr) return invalid;
  return list(node_of(node)->graph->dependents(node_of(node)), nodes, count);
}

Status graph_connect(GraphHandle graph, const NodeHandle* from, const NodeHandle* to, std::size_t count) {
  if (!owns(graph, from, count) || !owns(graph, to, count)) return invalid;
  for (std::size_t i = 0; i < count; ++i) node_of(to[i])->after.push_back(node_of(from[i]));
  return Status::cudaSuccess;
}

Status graph_disconnect(GraphHandle graph, const NodeHandle* from, const NodeHandle* to, std::size_t count) {
  if (!owns(graph, from, count) || !owns(graph, to, count)) return invalid;
  for (std::size_t i = 0; i < count; ++i)
    if (std::erase(node_of(to[i])->after, node_of(from[i])) == 0) return invalid;
  return Status::cudaSuccess;
}

Status graph_instantiate(ExecHandle* exec, GraphHandle graph, unsigned long long flags) {
  constexpr unsigned long long device_launch = 4;
  if (exec == nullptr || graph == nullptr) return invalid;
  if ((flags & device_launch) != 0) return Status::cudaErrorNotSupported;
  std::unique_ptr<driver::ExecutableGraph> made;
  if (const Status status = driver::ExecutableGraph::make(*graph_of(graph), flags, made);
      status != Status::cudaSuccess)
    return status;
  *exec = handle_of(made.release());
  return Status::cudaSuccess;
}

Status graph_update(ExecHandle exec, GraphHandle graph, int* result, NodeHandle* node) {
  if (exec == nullptr || graph == nullptr) return invalid;
  const GraphNode* differs = nullptr;
  const auto change = exec_of(exec)->update(*graph_of(graph), differs);
  // cudaGraphExecUpdateSuccess, …ErrorTopologyChanged, …ErrorNodeTypeChanged.
  constexpr int results[] = {0, 2, 3};
  *result = results[static_cast<int>(change)];
  *node = handle_of(const_cast<GraphNode*>(differs));
  return *result == 0 ? Status::cudaSuccess : Status::cudaErrorGraphExecUpdateFailure;
}

Status graph_launch(ExecHandle exec, const driver::Stream& stream, driver::Device& device) {
  return exec == nullptr ? invalid : exec_of(exec)->launch(device, stream);
}

Status graph_set_enabled(ExecHandle exec, NodeHandle node, bool enabled) {
  const NodeHandle mine = in_exec(exec, node);
  if (mine == nullptr) return invalid;
  node_of(mine)->enabled = enabled;
  return Status::cudaSuccess;
}

Status graph_get_enabled(ExecHandle exec, NodeHandle node, unsigned* enabled) {
  const NodeHandle mine = in_exec(exec, node);
  if (mine == nullptr || enabled == nullptr) return invalid;
  *enabled = node_of(mine)->enabled ? 1 : 0;
  return Status::cudaSuccess;
}

// CUDA's numbers: used, reserved; now, at most.
Status graph_memory_attribute(const driver::Device& device, int attribute, void* value) {
  if (value == nullptr || attribute < 0 || attribute > 3) return invalid;
  const driver::GraphMemory::Usage usage = driver::GraphMemory::usage(device);
  const std::uint64_t bytes = attribute % 2 == 0 ? usage.current : usage.high;
  std::memcpy(value, &bytes, sizeof bytes);
  return Status::cudaSuccess;
}

Status set_graph_memory_attribute(const driver::Device& device, int attribute, const void* value) {
  std::uint64_t bytes = 1;
  if (value != nullptr) std::memcpy(&bytes, value, sizeof bytes);
  if (bytes != 0 || (attribute != 1 && attribute != 3)) return invalid;
  driver::GraphMemory::reset_high(device);
  return Status::cudaSuccess;
}

// Capture.

Status capture_begin(const driver::Stream& stream, int mode, GraphHandle into, const NodeHandle* after,
                     std::size_t count) {
  if (mode < 0 || mode > 2 || (after == nullptr && count != 0)) return invalid;
  return driver::begin_capture(stream, static_cast<driver::CaptureMode>(mode), graph_of(into),
                               nodes_of(after, count));
}

Status capture_end(const driver::Stream& stream, GraphHandle* graph) {
  if (graph == nullptr) return invalid;
  driver::Graph* made = nullptr;
  const Status status = driver::end_capture(stream, &made);
  *graph = handle_of(made);
  return status;
}

Status capture_info(const driver::Stream& stream, int* status, unsigned long long* id, GraphHandle* graph,
                    const NodeHandle** tail, std::size_t* count) {
  if (status == nullptr) return invalid;
  driver::CapturePoint* point = driver::capturing(stream);
  *status = point == nullptr ? 0 : point->capture->invalid ? 2 : 1;
  if (point == nullptr) return Status::cudaSuccess;
  if (id != nullptr) *id = point->capture->id;
  if (graph != nullptr) *graph = handle_of(point->capture->graph);
  if (tail != nullptr) *tail = reinterpret_cast<const NodeHandle*>(point->tail.data());
  if (count != nullptr) *count = point->tail.size();
  return Status::cudaSuccess;
}

Status capture_update(const driver::Stream& stream, const NodeHandle* nodes, std::size_t count,
                      unsigned flags) {
  constexpr unsigned set = 1;
  driver::CapturePoint* point = driver::capturing(stream);
  if (point == nullptr) return Status::cudaErrorIllegalState;
  if (flags > set || !owns(handle_of(point->capture->graph), nodes, count)) return invalid;
  if (flags == set) point->tail.clear();
  const std::vector<GraphNode*> more = nodes_of(nodes, count);
  point->tail.insert(point->tail.end(), more.begin(), more.end());
  return Status::cudaSuccess;
}

void exchange_capture_mode(int* mode) {
  const int before = static_cast<int>(driver::thread_capture_mode());
  driver::thread_capture_mode() = static_cast<driver::CaptureMode>(*mode);
  *mode = before;
}

}  // namespace wanren::cuda
