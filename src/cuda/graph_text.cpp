// Graphs as text for Graphviz.

#include <fstream>

#include "cuda/graphs.h"

namespace wanren::cuda {
namespace {

std::string label(const driver::GraphNode& node) {
  static constexpr const char* types[] = {"KERNEL",    "MEMCPY",     "MEMSET",       "HOST",       "GRAPH",
                                          "EMPTY",     "WAIT EVENT", "EVENT RECORD", "SIGNAL",     "WAIT",
                                          "MEM ALLOC", "MEM FREE",   "BATCH MEMOP",  "CONDITIONAL"};
  std::string text = types[node_type(node)];
  const auto shape = [](Dim3 d) {
    return std::to_string(d.x) + "," + std::to_string(d.y) + "," + std::to_string(d.z);
  };
  if (const auto* call = std::get_if<std::shared_ptr<const driver::KernelCall>>(&node.work)) {
    const driver::LaunchRequest& request = (*call)->request;
    text += "\\n" + request.function->display_name + "\\n<<<(" + shape(request.grid) + "),(" +
            shape(request.block) + ")," + std::to_string(request.dynamic_shared_bytes) + ">>>";
  } else if (const auto* copy = std::get_if<driver::CopyCall>(&node.work)) {
    text += "\\n" + std::to_string(copy->shape.bytes()) + " bytes";
  } else if (const auto* fill = std::get_if<driver::FillCall>(&node.work)) {
    text += "\\n" + std::to_string(fill->shape.bytes()) + " bytes";
  }
  return text;
}

void write(std::ostream& out, const driver::Graph& graph, const std::string& prefix) {
  std::map<const driver::GraphNode*, std::string> names;
  for (const auto& node : graph.nodes()) {
    const std::string name = prefix + std::to_string(names.size());
    names[node.get()] = name;
    out << "\"" << name << "\" [shape=\"record\" label=\"" << label(*node) << "\"];\n";
    const auto inner = [&](const driver::Graph& body, std::size_t number) {
      const std::string below = name + "_" + std::to_string(number) + "_";
      out << "subgraph \"cluster_" << below << "\" {\nlabel=\"" << name << "\";\n";
      write(out, body, below);
      out << "}\n";
    };
    if (const auto* child = std::get_if<driver::ChildCall>(&node->work)) inner(*child->graph, 0);
    if (const auto* conditional = std::get_if<driver::ConditionalCall>(&node->work))
      for (std::size_t i = 0; i < conditional->bodies.size(); ++i) inner(*conditional->bodies[i], i);
  }
  for (const auto& node : graph.nodes())
    for (const driver::GraphNode* before : node->after)
      out << "\"" << names[before] << "\" -> \"" << names[node.get()] << "\";\n";
}

}  // namespace

driver::Status graph_write(GraphHandle graph, const char* path) {
  if (graph == nullptr || path == nullptr) return driver::Status::cudaErrorInvalidValue;
  std::ofstream out(path);
  out << "digraph dot {\n";
  write(out, *graph_of(graph), "graph_");
  out << "}\n";
  return out ? driver::Status::cudaSuccess : driver::Status::cudaErrorFileNotFound;
}

}  // namespace wanren::cuda
