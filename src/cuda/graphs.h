#pragma once
// Private to src/cuda: what both APIs do with graph handles. A handle is the address of the driver's object.

#include <cstddef>

#include "driver/graph.h"

struct CUgraph_st;
struct CUgraphNode_st;
struct CUgraphExec_st;

namespace wanren::cuda {

inline driver::Graph* graph_of(CUgraph_st* handle) {
  return reinterpret_cast<driver::Graph*>(handle);
}
inline driver::GraphNode* node_of(CUgraphNode_st* handle) {
  return reinterpret_cast<driver::GraphNode*>(handle);
}
inline driver::ExecutableGraph* exec_of(CUgraphExec_st* handle) {
  return reinterpret_cast<driver::ExecutableGraph*>(handle);
}
inline CUgraph_st* handle_of(driver::Graph* graph) {
  return reinterpret_cast<CUgraph_st*>(graph);
}
inline CUgraphNode_st* handle_of(driver::GraphNode* node) {
  return reinterpret_cast<CUgraphNode_st*>(node);
}
inline CUgraphExec_st* handle_of(driver::ExecutableGraph* exec) {
  return reinterpret_cast<CUgraphExec_st*>(exec);
}

using GraphHandle = CUgraph_st*;
using NodeHandle = CUgraphNode_st*;
using ExecHandle = CUgraphExec_st*;

/// The node of an executable graph that was made of `node`, or null.
NodeHandle in_exec(ExecHandle exec, NodeHandle node);
/// CUDA's number of the node's type.
int node_type(const driver::GraphNode& node);

// All check their arguments and answer as CUDA does.
driver::Status graph_create(GraphHandle* graph, unsigned flags);
driver::Status graph_destroy(GraphHandle graph);
driver::Status graph_clone(GraphHandle* made, GraphHandle graph);
driver::Status graph_add(NodeHandle* made, GraphHandle graph, const NodeHandle* after, std::size_t count,
                         driver::GraphNode::Work work);
/// Exchanges what a node does; it stays of its type.
driver::Status graph_replace(NodeHandle node, driver::GraphNode::Work work);
driver::Status graph_add_child(NodeHandle* made, GraphHandle graph, const NodeHandle* after,
                               std::size_t count, GraphHandle child);
driver::Status graph_replace_child(NodeHandle node, GraphHandle child);
driver::Status graph_child(NodeHandle node, GraphHandle* child);
driver::Status graph_add_allocation(NodeHandle* made, GraphHandle graph, const NodeHandle* after,
                                    std::size_t count, driver::Device& device, std::size_t bytes,
                                    void** memory);
driver::Status graph_add_free(NodeHandle* made, GraphHandle graph, const NodeHandle* after, std::size_t count,
                              void* memory);
/// A value that device code sets through `handle`. `flags`: 1: each launch of the graph begins with
/// `initial`.
driver::Status graph_add_condition(unsigned long long* handle, GraphHandle graph, driver::Device& device,
                                   unsigned initial, unsigned flags);
/// `type` is CUDA's number; `*bodies` gets the graphs to be filled, which live as long as the node.
driver::Status graph_add_conditional(NodeHandle* made, GraphHandle graph, const NodeHandle* after,
                                     std::size_t count, unsigned long long handle, int type, unsigned size,
                                     GraphHandle** bodies);
/// A launch attribute of 64 bytes by CUDA's number. Errors: not a kernel; not one that is supported.
driver::Status kernel_node_attribute(NodeHandle node, int id, void* value);
driver::Status set_kernel_node_attribute(NodeHandle node, int id, const void* value);
driver::Status copy_kernel_node_attributes(NodeHandle to, NodeHandle from);
driver::Status graph_find_in_clone(NodeHandle* found, NodeHandle node, GraphHandle clone);
/// In Graphviz's language.
driver::Status graph_write(GraphHandle graph, const char* path);
driver::Status graph_destroy_node(NodeHandle node);
driver::Status graph_nodes(GraphHandle graph, NodeHandle* nodes, std::size_t* count);
driver::Status graph_roots(GraphHandle graph, NodeHandle* nodes, std::size_t* count);
driver::Status graph_edges(GraphHandle graph, NodeHandle* from, NodeHandle* to, std::size_t* count);
driver::Status node_dependencies(NodeHandle node, NodeHandle* nodes, std::size_t* count);
driver::Status node_dependents(NodeHandle node, NodeHandle* nodes, std::size_t* count);
driver::Status graph_connect(GraphHandle graph, const NodeHandle* from, const NodeHandle* to,
                             std::size_t count);
driver::Status graph_disconnect(GraphHandle graph, const NodeHandle* from, const NodeHandle* to,
                                std::size_t count);
driver::Status graph_instantiate(ExecHandle* exec, GraphHandle graph, unsigned long long flags);
/// `result` is CUDA's number, `node` where the graphs differ.
driver::Status graph_update(ExecHandle exec, GraphHandle graph, int* result, NodeHandle* node);
driver::Status graph_launch(ExecHandle exec, const driver::Stream& stream, driver::Device& device);
driver::Status graph_set_enabled(ExecHandle exec, NodeHandle node, bool enabled);
driver::Status graph_get_enabled(ExecHandle exec, NodeHandle node, unsigned* enabled);

/// Of the memory that graphs of a device hold, which is all in use; marks can be reset to it, by 0.
driver::Status graph_memory_attribute(const driver::Device& device, int attribute, void* value);
driver::Status set_graph_memory_attribute(const driver::Device& device, int attribute, const void* value);

// Capture.
driver::Status capture_begin(const driver::Stream& stream, int mode, GraphHandle into,
                             const NodeHandle* after, std::size_t count);
driver::Status capture_end(const driver::Stream& stream, GraphHandle* graph);
/// Out-pointers may be null, except status.
driver::Status capture_info(const driver::Stream& stream, int* status, unsigned long long* id,
                            GraphHandle* graph, const NodeHandle** tail, std::size_t* count);
driver::Status capture_update(const driver::Stream& stream, const NodeHandle* nodes, std::size_t count,
                              unsigned flags);
/// The calling thread's capture mode against `mode`.
void exchange_capture_mode(int* mode);

}  // namespace wanren::cuda
