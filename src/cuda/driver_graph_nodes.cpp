// The driver API: nodes by the one structure for all types, conditional nodes, values in memory that streams
// and graphs write and wait for, attributes of nodes, and what lives as long as a graph.

#include "cuda/driver_api.h"
#include "cuda/graphs.h"
#include "cuda/user_objects.h"

using namespace wanren;
using namespace wanren::cuda;

namespace {

template <class Call>
CUresult event_of(CUgraphNode node, CUevent* event) {
  const auto* call = node != nullptr ? std::get_if<Call>(&node_of(node)->work) : nullptr;
  if (call == nullptr || event == nullptr) return invalid_value;
  *event = static_cast<CUevent>(call->handle);
  return CUDA_SUCCESS;
}

template <class Call>
CUresult set_event(CUgraphNode node, CUevent event) {
  return event != nullptr ? code(graph_replace(node, Call{event->event, event})) : invalid_value;
}

using ValueOp = driver::Device::ValueOp;

bool wait_of(CUdeviceptr at, unsigned bytes, std::uint64_t value, unsigned flags, ValueOp& op) {
  // Remote writes need no flush: all of them are in one memory.
  const unsigned condition = flags & ~static_cast<unsigned>(CU_STREAM_WAIT_VALUE_FLUSH);
  op = {false, pointer_of(at), bytes, value, static_cast<driver::ValueWait>(condition & 3)};
  return condition <= CU_STREAM_WAIT_VALUE_NOR;
}

CUresult submit(CUstream stream, bool well_formed, std::vector<ValueOp> ops) {
  if (!well_formed) return invalid_value;
  WR_CURRENT(device);
  return code(device_of(stream, *device).values(stream_of(stream), std::move(ops)));
}

bool ops_of(unsigned count, const CUstreamBatchMemOpParams* list, std::vector<ValueOp>& ops) {
  if (list == nullptr || count == 0 || count > 256) return false;
  for (unsigned i = 0; i < count; ++i) {
    const CUstreamBatchMemOpParams& p = list[i];
    const bool wide =
        p.operation == CU_STREAM_MEM_OP_WAIT_VALUE_64 || p.operation == CU_STREAM_MEM_OP_WRITE_VALUE_64;
    ValueOp op;
    switch (p.operation) {
      case CU_STREAM_MEM_OP_WAIT_VALUE_32:
      case CU_STREAM_MEM_OP_WAIT_VALUE_64:
        if (!wait_of(p.waitValue.address, wide ? 8 : 4, wide ? p.waitValue.value64 : p.waitValue.value,
                     p.waitValue.flags, op))
          return false;
        break;
      case CU_STREAM_MEM_OP_WRITE_VALUE_32:
      case CU_STREAM_MEM_OP_WRITE_VALUE_64:
        op = {true, pointer_of(p.writeValue.address), wide ? 8u : 4u,
              wide ? p.writeValue.value64 : p.writeValue.value};
        break;
      // Operations of a stream take effect one after the other anyhow.
      case CU_STREAM_MEM_OP_BARRIER:
      case CU_STREAM_MEM_OP_FLUSH_REMOTE_WRITES: continue;
      default: return false;
    }
    ops.push_back(op);
  }
  return true;
}

bool value_call(const CUDA_BATCH_MEM_OP_NODE_PARAMS* p, driver::ValueCall& call) {
  if (p == nullptr || !ops_of(p->count, p->paramArray, call.ops)) return false;
  auto kept =
      std::make_shared<std::vector<CUstreamBatchMemOpParams>>(p->paramArray, p->paramArray + p->count);
  call.given = std::shared_ptr<void>(kept, kept->data());
  call.given_count = p->count;
  return true;
}

CUDA_MEMSET_NODE_PARAMS first_form(const CUDA_MEMSET_NODE_PARAMS_v2& p) {
  return {p.dst, p.pitch, p.value, p.elementSize, p.width, p.height};
}

}  // namespace

extern "C" {

CUresult cuStreamWaitValue32_v2(CUstream stream, CUdeviceptr at, cuuint32_t value, unsigned int flags) {
  ValueOp op;
  const bool well_formed = wait_of(at, 4, value, flags, op);
  return submit(stream, well_formed, {op});
}
CUresult cuStreamWaitValue64_v2(CUstream stream, CUdeviceptr at, cuuint64_t value, unsigned int flags) {
  ValueOp op;
  const bool well_formed = wait_of(at, 8, value, flags, op);
  return submit(stream, well_formed, {op});
}
CUresult cuStreamWriteValue32_v2(CUstream stream, CUdeviceptr at, cuuint32_t value, unsigned int flags) {
  return submit(stream, flags <= CU_STREAM_WRITE_VALUE_NO_MEMORY_BARRIER, {{true, pointer_of(at), 4, value}});
}
CUresult cuStreamWriteValue64_v2(CUstream stream, CUdeviceptr at, cuuint64_t value, unsigned int flags) {
  return submit(stream, flags <= CU_STREAM_WRITE_VALUE_NO_MEMORY_BARRIER, {{true, pointer_of(at), 8, value}});
}
CUresult cuStreamBatchMemOp_v2(CUstream stream, unsigned int count, CUstreamBatchMemOpParams* list,
                               unsigned int flags) {
  std::vector<ValueOp> ops;
  const bool well_formed = flags == 0 && ops_of(count, list, ops);
  return submit(stream, well_formed, std::move(ops));
}

#undef cuStreamWaitValue32
#undef cuStreamWaitValue64
#undef cuStreamWriteValue32
#undef cuStreamWriteValue64
#undef cuStreamBatchMemOp
CUresult cuStreamWaitValue32(CUstream stream, CUdeviceptr at, cuuint32_t value, unsigned int flags) {
  return cuStreamWaitValue32_v2(stream, at, value, flags);
}
CUresult cuStreamWaitValue64(CUstream stream, CUdeviceptr at, cuuint64_t value, unsigned int flags) {
  return cuStreamWaitValue64_v2(stream, at, value, flags);
}
CUresult cuStreamWriteValue32(CUstream stream, CUdeviceptr at, cuuint32_t value, unsigned int flags) {
  return cuStreamWriteValue32_v2(stream, at, value, flags);
}
CUresult cuStreamWriteValue64(CUstream stream, CUdeviceptr at, cuuint64_t value, unsigned int flags) {
  return cuStreamWriteValue64_v2(stream, at, value, flags);
}
CUresult cuStreamBatchMemOp(CUstream stream, unsigned int count, CUstreamBatchMemOpParams* list,
                            unsigned int flags) {
  return cuStreamBatchMemOp_v2(stream, count, list, flags);
}

CUresult cuGraphAddBatchMemOpNode(CUgraphNode* made, CUgraph graph, const CUgraphNode* after, size_t count,
                                  const CUDA_BATCH_MEM_OP_NODE_PARAMS* p) {
  driver::ValueCall call;
  if (!value_call(p, call)) return invalid_value;
  return code(graph_add(made, graph, after, count, std::move(call)));
}

CUresult cuGraphBatchMemOpNodeGetParams(CUgraphNode node, CUDA_BATCH_MEM_OP_NODE_PARAMS* p) {
  const auto* call = node != nullptr ? std::get_if<driver::ValueCall>(&node_of(node)->work) : nullptr;
  if (call == nullptr || p == nullptr) return invalid_value;
  // What the node says lives as long as it does.
  auto* const list = static_cast<CUstreamBatchMemOpParams*>(call->given.get());
  *p = {handle_of(driver::current_context()), call->given_count, list, 0};
  return CUDA_SUCCESS;
}
CUresult cuGraphBatchMemOpNodeSetParams(CUgraphNode node, const CUDA_BATCH_MEM_OP_NODE_PARAMS* p) {
  driver::ValueCall call;
  return value_call(p, call) ? code(graph_replace(node, std::move(call))) : invalid_value;
}
CUresult cuGraphExecBatchMemOpNodeSetParams(CUgraphExec exec, CUgraphNode node,
                                            const CUDA_BATCH_MEM_OP_NODE_PARAMS* p) {
  return cuGraphBatchMemOpNodeSetParams(in_exec(exec, node), p);
}

// One structure for nodes of all types.

CUresult cuGraphAddNode(CUgraphNode* made, CUgraph graph, const CUgraphNode* after, size_t count,
                        CUgraphNodeParams* p) {
  if (p == nullptr) return invalid_value;
  switch (p->type) {
    case CU_GRAPH_NODE_TYPE_KERNEL: return cuGraphAddKernelNode_v2(made, graph, after, count, &p->kernel);
    case CU_GRAPH_NODE_TYPE_MEMCPY:
      return cuGraphAddMemcpyNode(made, graph, after, count, &p->memcpy.copyParams, p->memcpy.copyCtx);
    case CU_GRAPH_NODE_TYPE_MEMSET: {
      const CUDA_MEMSET_NODE_PARAMS fill = first_form(p->memset);
      return cuGraphAddMemsetNode(made, graph, after, count, &fill, p->memset.ctx);
    }
    case CU_GRAPH_NODE_TYPE_HOST: return cuGraphAddHostNode(made, graph, after, count, &p->host);
    case CU_GRAPH_NODE_TYPE_GRAPH: return cuGraphAddChildGraphNode(made, graph, after, count, p->graph.graph);
    case CU_GRAPH_NODE_TYPE_EMPTY: return cuGraphAddEmptyNode(made, graph, after, count);
    case CU_GRAPH_NODE_TYPE_WAIT_EVENT:
      return cuGraphAddEventWaitNode(made, graph, after, count, p->eventWait.event);
    case CU_GRAPH_NODE_TYPE_EVENT_RECORD:
      return cuGraphAddEventRecordNode(made, graph, after, count, p->eventRecord.event);
    case CU_GRAPH_NODE_TYPE_MEM_ALLOC: return cuGraphAddMemAllocNode(made, graph, after, count, &p->alloc);
    case CU_GRAPH_NODE_TYPE_MEM_FREE: return cuGraphAddMemFreeNode(made, graph, after, count, p->free.dptr);
    case CU_GRAPH_NODE_TYPE_BATCH_MEM_OP:
      return cuGraphAddBatchMemOpNode(made, graph, after, count, &p->memOp);
    case CU_GRAPH_NODE_TYPE_CONDITIONAL:
      return code(graph_add_conditional(made, graph, after, count, p->conditional.handle, p->conditional.type,
                                        p->conditional.size, &p->conditional.phGraph_out));
  }
  return CUDA_ERROR_NOT_SUPPORTED;
}
CUresult cuGraphAddNode_v2(CUgraphNode* made, CUgraph graph, const CUgraphNode* after,
                           const CUgraphEdgeData* edges, size_t count, CUgraphNodeParams* p) {
  return plain(edges, count) ? cuGraphAddNode(made, graph, after, count, p) : CUDA_ERROR_NOT_SUPPORTED;
}

CUresult cuGraphNodeSetParams(CUgraphNode node, CUgraphNodeParams* p) {
  if (p == nullptr) return invalid_value;
  switch (p->type) {
    case CU_GRAPH_NODE_TYPE_KERNEL: return cuGraphKernelNodeSetParams_v2(node, &p->kernel);
    case CU_GRAPH_NODE_TYPE_MEMCPY: return cuGraphMemcpyNodeSetParams(node, &p->memcpy.copyParams);
    case CU_GRAPH_NODE_TYPE_MEMSET: {
      const CUDA_MEMSET_NODE_PARAMS fill = first_form(p->memset);
      return cuGraphMemsetNodeSetParams(node, &fill);
    }
    case CU_GRAPH_NODE_TYPE_HOST: return cuGraphHostNodeSetParams(node, &p->host);
    case CU_GRAPH_NODE_TYPE_GRAPH: return code(graph_replace_child(node, p->graph.graph));
    case CU_GRAPH_NODE_TYPE_WAIT_EVENT: return set_event<driver::WaitCall>(node, p->eventWait.event);
    case CU_GRAPH_NODE_TYPE_EVENT_RECORD: return set_event<driver::RecordCall>(node, p->eventRecord.event);
    case CU_GRAPH_NODE_TYPE_BATCH_MEM_OP: return cuGraphBatchMemOpNodeSetParams(node, &p->memOp);
    default: return CUDA_ERROR_NOT_SUPPORTED;
  }
}
CUresult cuGraphExecNodeSetParams(CUgraphExec exec, CUgraphNode node, CUgraphNodeParams* p) {
  return cuGraphNodeSetParams(in_exec(exec, node), p);
}

// Conditions.

CUresult cuGraphConditionalHandleCreate(CUgraphConditionalHandle* handle, CUgraph graph, CUcontext context,
                                        unsigned int initial, unsigned int flags) {
  if (!driver::is_context(context_of(context))) return CUDA_ERROR_INVALID_CONTEXT;
  return code(graph_add_condition(handle, graph, context_of(context)->device, initial, flags));
}

// Attributes of kernels.

CUresult cuGraphKernelNodeGetAttribute(CUgraphNode node, CUlaunchAttributeID id,
                                       CUlaunchAttributeValue* value) {
  return code(kernel_node_attribute(node, id, value));
}
CUresult cuGraphKernelNodeSetAttribute(CUgraphNode node, CUlaunchAttributeID id,
                                       const CUlaunchAttributeValue* value) {
  return code(set_kernel_node_attribute(node, id, value));
}
CUresult cuGraphKernelNodeCopyAttributes(CUgraphNode to, CUgraphNode from) {
  return code(copy_kernel_node_attributes(to, from));
}

// Events, memory.

CUresult cuGraphEventRecordNodeGetEvent(CUgraphNode node, CUevent* event) {
  return event_of<driver::RecordCall>(node, event);
}
CUresult cuGraphEventWaitNodeGetEvent(CUgraphNode node, CUevent* event) {
  return event_of<driver::WaitCall>(node, event);
}
CUresult cuGraphEventRecordNodeSetEvent(CUgraphNode node, CUevent event) {
  return set_event<driver::RecordCall>(node, event);
}
CUresult cuGraphEventWaitNodeSetEvent(CUgraphNode node, CUevent event) {
  return set_event<driver::WaitCall>(node, event);
}
CUresult cuGraphExecEventRecordNodeSetEvent(CUgraphExec exec, CUgraphNode node, CUevent event) {
  return set_event<driver::RecordCall>(in_exec(exec, node), event);
}
CUresult cuGraphExecEventWaitNodeSetEvent(CUgraphExec exec, CUgraphNode node, CUevent event) {
  return set_event<driver::WaitCall>(in_exec(exec, node), event);
}

CUresult cuDeviceGetGraphMemAttribute(CUdevice number, CUgraphMem_attribute attribute, void* value) {
  WR_NUMBER(device, number);
  return code(graph_memory_attribute(*device, attribute, value));
}
CUresult cuDeviceSetGraphMemAttribute(CUdevice number, CUgraphMem_attribute attribute, void* value) {
  WR_NUMBER(device, number);
  return code(set_graph_memory_attribute(*device, attribute, value));
}
CUresult cuGraphMemAllocNodeGetParams(CUgraphNode node, CUDA_MEM_ALLOC_NODE_PARAMS* p) {
  const auto* call = node != nullptr ? std::get_if<driver::AllocateCall>(&node_of(node)->work) : nullptr;
  if (call == nullptr || p == nullptr) return invalid_value;
  *p = {};
  p->poolProps.allocType = CU_MEM_ALLOCATION_TYPE_PINNED;
  p->poolProps.location = {CU_MEM_LOCATION_TYPE_DEVICE, call->memory->device().index()};
  p->bytesize = call->memory->bytes();
  p->dptr = address_of(call->memory->memory());
  return CUDA_SUCCESS;
}
CUresult cuGraphMemFreeNodeGetParams(CUgraphNode node, CUdeviceptr* memory) {
  const auto* call = node != nullptr ? std::get_if<driver::FreeCall>(&node_of(node)->work) : nullptr;
  if (call == nullptr || memory == nullptr) return invalid_value;
  *memory = address_of(call->memory->memory());
  return CUDA_SUCCESS;
}

// Copies, text, objects.

CUresult cuGraphNodeFindInClone(CUgraphNode* found, CUgraphNode node, CUgraph clone) {
  return code(graph_find_in_clone(found, node, clone));
}
CUresult cuGraphDebugDotPrint(CUgraph graph, const char* path, unsigned int) {
  return code(graph_write(graph, path));
}
CUresult cuUserObjectCreate(CUuserObject* made, void* object, CUhostFn destroy, unsigned int count,
                            unsigned int flags) {
  return code(user_object_create(made, object, destroy, count, flags));
}
CUresult cuUserObjectRetain(CUuserObject object, unsigned int count) {
  return code(user_object_retain(object, count));
}
CUresult cuUserObjectRelease(CUuserObject object, unsigned int count) {
  return code(user_object_release(object, count));
}
CUresult cuGraphRetainUserObject(CUgraph graph, CUuserObject object, unsigned int count, unsigned int flags) {
  return code(graph_retain(graph, object, count, flags));
}
CUresult cuGraphReleaseUserObject(CUgraph graph, CUuserObject object, unsigned int count) {
  return code(graph_release(graph, object, count));
}

}  // extern "C"
