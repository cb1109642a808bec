#pragma once
// Graphs: work to be queued later, as nodes with dependencies. Both APIs build them, or capture them from
// streams.

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <thread>
#include <variant>
#include <vector>

#include "driver/device.h"

namespace wanren::driver {

class Graph;

/// A kernel launch with its own copy of the arguments.
struct KernelCall {
  LaunchRequest request;  ///< `arguments` points into `values`; its stream is that of the graph's launch.
  const void* handle = nullptr;    ///< As the program named the kernel.
  const Device* device = nullptr;  ///< Whose module the kernel is of.
  std::vector<std::vector<std::byte>> values;
  std::vector<void*> arguments;
  /// What was set of launch attributes, by CUDA's numbers; `request` holds what has an effect.
  std::map<int, std::array<std::byte, 64>> attributes;
};
/// Another with the same arguments.
std::shared_ptr<KernelCall> copy_of(const KernelCall& call);
/// Copies the arguments. Errors: no arguments where the kernel has parameters.
Status make_call(const LaunchRequest& request, const Device& device, std::shared_ptr<const KernelCall>& call);

struct CopyCall {
  void* to = nullptr;
  const void* from = nullptr;
  CopyShape shape;
  CopyDirection direction = CopyDirection::automatic;
};
struct FillCall {
  void* to = nullptr;
  std::uint32_t value = 0;
  unsigned element = 1;
  CopyShape shape;
};
struct HostCall {
  std::function<void()> call;
  void (*function)(void*) = nullptr;  ///< Where it is one: what queries return.
  void* data = nullptr;
};
struct RecordCall {
  Event event;
  void* handle = nullptr;  ///< As the program named it.
};
struct WaitCall {
  Event event;
  void* handle = nullptr;
};
struct ValueCall {
  std::vector<Device::ValueOp> ops;
  std::shared_ptr<void> given;  ///< As the program gave them; for queries.
  unsigned given_count = 0;
};
struct ChildCall {
  std::shared_ptr<Graph> graph;
};

/// Memory of an allocation node: the address stays taken while a graph with the node is alive, so a launch
/// after a free finds it again.
class GraphMemory {
 public:
  GraphMemory(Device& device, void* memory, std::size_t bytes);
  ~GraphMemory();
  GraphMemory(const GraphMemory&) = delete;
  GraphMemory& operator=(const GraphMemory&) = delete;
  /// The graph memory at this address, or null.
  static std::shared_ptr<GraphMemory> find(void* memory);
  static Status make(Device& device, std::size_t bytes, std::shared_ptr<GraphMemory>& made);

  /// Bytes of a device that graphs hold, now and at most since the mark was reset.
  struct Usage {
    std::uint64_t current = 0, high = 0;
  };
  static Usage usage(const Device& device);
  static void reset_high(const Device& device);

  void* memory() const { return memory_; }
  std::size_t bytes() const { return bytes_; }
  Device& device() const { return device_; }
  bool freed = false;  ///< By the program or by a node: goes with the last graph.

 private:
  Device& device_;
  void* memory_;
  std::size_t bytes_;
};
/// A value that device code sets and a conditional node reads; its handle is its address.
class Condition {
 public:
  /// Errors: no memory.
  static Status make(Device& device, std::uint32_t initial, bool assign, std::shared_ptr<Condition>& made);
  /// The condition of this address, or null.
  static std::shared_ptr<Condition> find(void* at);
  Condition(Device& device, std::uint32_t* at, std::uint32_t initial, bool assign)
      : device(device), at(at), initial(initial), assign(assign) {}
  ~Condition();
  Condition(const Condition&) = delete;
  Condition& operator=(const Condition&) = delete;

  Device& device;
  std::uint32_t* const at;
  const std::uint32_t initial;
  const bool assign;  ///< Each launch of the graph begins with `initial`.
};
enum class ConditionalKind : std::uint8_t { branch, loop, choice };
struct ConditionalCall {
  std::shared_ptr<Condition> condition;
  ConditionalKind kind = ConditionalKind::branch;
  std::vector<std::shared_ptr<Graph>> bodies;
  std::shared_ptr<std::vector<void*>> handles;  ///< Of the bodies, for the program to read.
};
struct AllocateCall {
  std::shared_ptr<GraphMemory> memory;
};
struct FreeCall {
  std::shared_ptr<GraphMemory> memory;
};

struct GraphNode {
  using Work =
      std::variant<std::monostate, std::shared_ptr<const KernelCall>, CopyCall, FillCall, HostCall,
                   RecordCall, WaitCall, ChildCall, AllocateCall, FreeCall, ValueCall, ConditionalCall>;
  Work work;
  std::vector<GraphNode*> after;  ///< Dependencies; in the same graph.
  bool enabled = true;
  Graph* graph = nullptr;  ///< That it is in.
};

class Graph {
 public:
  GraphNode* add(GraphNode::Work work, std::span<GraphNode* const> after);
  bool owns(const GraphNode* node) const;
  /// Takes the node out, with the edges from and to it.
  void remove(GraphNode* node);
  const std::vector<std::unique_ptr<GraphNode>>& nodes() const { return nodes_; }
  std::vector<GraphNode*> dependents(const GraphNode* node) const;
  /// Nodes such that each comes after its dependencies; empty if there is a cycle.
  std::vector<GraphNode*> order() const;
  /// A copy; `clones` gets each node's copy.
  std::unique_ptr<Graph> clone(std::map<const GraphNode*, GraphNode*>& clones) const;

  std::vector<std::shared_ptr<Condition>> conditions;
  /// What the program wants to live as long as the graph and its copies.
  std::vector<std::shared_ptr<void>> kept;
  /// Of a copy: the nodes that they are copies of, which may be gone.
  std::map<const GraphNode*, GraphNode*> originals;

 private:
  std::vector<std::unique_ptr<GraphNode>> nodes_;
};

/// A graph that can be launched: a copy of the one that it was made of.
class ExecutableGraph {
 public:
  /// Errors: the dependencies have a cycle.
  static Status make(const Graph& graph, unsigned long long flags, std::unique_ptr<ExecutableGraph>& made);

  enum class Change : std::uint8_t { none, topology, node_type };
  /// Takes over the parameters of a graph of the same shape; `node` is where it differs.
  Change update(const Graph& graph, const GraphNode*& node);
  /// The copy of a node of the graph that it was made of, or null.
  GraphNode* find(const GraphNode* node) const;
  /// Queues the work behind the stream's; independent branches overlap.
  Status launch(Device& device, const Stream& stream) const;

  unsigned long long flags = 0;

 private:
  std::unique_ptr<Graph> graph_;
  std::map<const GraphNode*, GraphNode*> clones_;
};

// Capture.

enum class CaptureMode : std::uint8_t { global, thread_local_, relaxed };

/// One capture, shared by the streams that take part.
struct Capture {
  std::unique_ptr<Graph> owned = std::make_unique<Graph>();
  Graph* graph = owned.get();  ///< Or a graph of the program's that gets more nodes.
  const StreamState* origin = nullptr;
  CaptureMode mode = CaptureMode::global;
  std::thread::id thread;  ///< That began it.
  bool invalid = false;    ///< Something has happened meanwhile that no graph can hold.
  unsigned long long id = 0;
  std::vector<std::weak_ptr<StreamState>> streams;
};

/// What a stream or event has captured so far.
struct CapturePoint {
  std::shared_ptr<Capture> capture;
  std::vector<GraphNode*> tail;

  /// Adds a node behind what the stream has captured.
  void add(GraphNode::Work work) { tail = {capture->graph->add(std::move(work), tail)}; }
};

/// What the calling thread lets captures forbid it; see unsafe_in_capture().
CaptureMode& thread_capture_mode();
/// Before a call that would do at once what may belong into a graph (allocating, waiting, copying while the
/// host waits). Errors: a capture forbids it: of this thread, or of any where both have the global mode. The
/// capture is invalid then.
Status unsafe_in_capture();
/// Before work in the legacy default stream. Errors: a stream that would have to wait for it is capturing.
Status implicit_in_capture(const Stream& stream, std::span<const std::weak_ptr<StreamState>> streams);
/// What the stream is capturing, or null.
CapturePoint* capturing(const Stream& stream);
/// Into `graph` behind `after`, or into a new graph. Errors: the default stream; a capture under way.
Status begin_capture(const Stream& stream, CaptureMode mode, Graph* graph, std::span<GraphNode* const> after);
/// `graph` is the program's from now on. Errors: no capture, begun on another stream, work not joined.
Status end_capture(const Stream& stream, Graph** graph);
/// The stream joins the capture that recorded the event. False: the event was not captured.
bool join_capture(const Stream& stream, const Event& event, Status& status);

}  // namespace wanren::driver
