// A kernel's body and its functions as one kernel, and back: block ids, values and module variables are
// renumbered, nothing else changes.

#include <algorithm>

#include "simt/draft.h"
#include "simt/flow.h"

namespace wanren::simt {
namespace {

// A frame of a recursive kernel is never empty, so that its stack bounds the depth of calls: a return address
// and a saved register (assumed).
constexpr std::uint32_t least_recursive_frame = 16;

// Adds the offsets to every id in `block`.
void shift(Block& block, BlockId blocks, ValueId values) {
  auto move_block = [&](BlockId& b) {
    if (b != no_block) b += blocks;
  };
  auto move_value = [&](ValueId& v) {
    if (v != no_value) v += values;
  };
  auto move_operand = [&](Operand& o) {
    if (o.kind == Operand::Kind::value) o.value += values;
  };
  move_block(block.id);
  move_block(block.loop_header);
  move_block(block.immediate_post_dominator);
  for (BlockId& p : block.preds) move_block(p);
  for (BlockId& t : block.term.targets) move_block(t);
  move_value(block.term.cond);
  for (Phi& phi : block.phis) {
    move_value(phi.dst);
    for (Operand& o : phi.incoming) move_operand(o);
  }
  for (Inst& inst : block.insts) {
    for (ValueId& d : inst.dsts) move_value(d);
    for (Operand& o : inst.srcs) move_operand(o);
    for (Operand& o : inst.prior) move_operand(o);
    move_value(inst.guard);
  }
}

// Who calls whom: by FunctionId, the body last.
Graph calls(const Kernel& kernel) {
  Graph graph(kernel.functions.size() + 1);
  for (FunctionId f = 0; f <= kernel.functions.size(); ++f) {
    const Extent e = extent(kernel, f == kernel.functions.size() ? no_function : f);
    for (BlockId b = e.first_block; b < e.end_block; ++b)
      for (const Inst& inst : kernel.blocks[b].insts)
        graph[f].insert(graph[f].end(), inst.callees.begin(), inst.callees.end());
  }
  return graph;
}

struct Chain {
  std::uint32_t bytes = 0, calls = 0;
};

// The deepest chain of calls below each function that calls none twice.
class Depth {
 public:
  explicit Depth(const Kernel& kernel) : kernel_(kernel), graph_(calls(kernel)) {
    below_.resize(graph_.size());
    state_.resize(graph_.size());
  }

  Chain below(FunctionId f) {
    if (state_[f] != State::fresh) return below_[f];
    state_[f] = State::active;
    Chain deepest;
    for (const FunctionId callee : graph_[f]) {
      recursive |= state_[callee] == State::active;
      if (state_[callee] == State::active) continue;
      const Chain chain = below(callee);
      deepest.bytes = std::max(deepest.bytes, chain.bytes + kernel_.functions[callee].frame_bytes);
      deepest.calls = std::max(deepest.calls, chain.calls + 1);
    }
    state_[f] = State::done;
    return below_[f] = deepest;
  }

  bool recursive = false;

 private:
  enum class State : std::uint8_t { fresh, active, done };
  const Kernel& kernel_;
  Graph graph_;
  std::vector<Chain> below_;
  std::vector<State> state_;
};

void size_stack(Kernel& kernel, std::uint32_t stack_bytes) {
  Depth depth(kernel);
  const Chain chain = depth.below(static_cast<FunctionId>(kernel.functions.size()));
  kernel.recursive = depth.recursive;
  kernel.local_bytes = kernel.frame_bytes + chain.bytes;
  kernel.call_depth = chain.calls;
  if (!kernel.recursive) return;
  kernel.local_bytes += static_cast<std::uint32_t>(round_up(stack_bytes, 16));
  kernel.call_depth = (kernel.local_bytes - kernel.frame_bytes) / least_recursive_frame;
}

}  // namespace

Kernel link_functions(std::vector<Kernel> parts, std::vector<Function> functions) {
  WR_CHECK(parts.size() == functions.size() + 1);
  Kernel kernel = std::move(parts[0]);
  for (std::size_t f = 0; f < functions.size(); ++f) {
    Kernel& part = parts[f + 1];
    Function& function = functions[f];
    function.first_block = static_cast<BlockId>(kernel.blocks.size());
    function.first_value = static_cast<ValueId>(kernel.values.size());
    function.frame_bytes = part.frame_bytes;
    std::vector<std::uint32_t> globals;
    for (const std::string& name : part.globals) {
      auto at = std::find(kernel.globals.begin(), kernel.globals.end(), name);
      if (at == kernel.globals.end()) at = kernel.globals.insert(at, name);
      globals.push_back(static_cast<std::uint32_t>(at - kernel.globals.begin()));
    }
    for (Block& block : part.blocks) {
      shift(block, function.first_block, function.first_value);
      auto rename = [&](std::vector<Operand>& operands) {
        for (Operand& o : operands)
          if (o.kind == Operand::Kind::global_symbol) o.index = globals[o.index];
      };
      for (Phi& phi : block.phis) rename(phi.incoming);
      for (Inst& inst : block.insts) {
        rename(inst.srcs);
        rename(inst.prior);
      }
      kernel.blocks.push_back(std::move(block));
    }
    for (Value v : part.values) {
      v.block += function.first_block;
      kernel.values.push_back(v);
    }
  }
  kernel.functions = std::move(functions);
  size_stack(kernel, default_stack_bytes);
  if (kernel.recursive) {
    for (Function& f : kernel.functions) f.frame_bytes = std::max(f.frame_bytes, least_recursive_frame);
    size_stack(kernel, default_stack_bytes);
  }
  return kernel;
}

Kernel with_stack(const Kernel& kernel, std::uint32_t bytes) {
  WR_CHECK(kernel.recursive);
  Kernel result = kernel;
  size_stack(result, bytes);
  return result;
}

Extent extent(const Kernel& kernel, FunctionId function) {
  const FunctionId next = function == no_function ? 0 : function + 1;
  Extent e;
  if (function != no_function) {
    e.first_block = kernel.functions[function].first_block;
    e.first_value = kernel.functions[function].first_value;
  }
  const bool last = next >= kernel.functions.size();
  e.end_block = last ? static_cast<BlockId>(kernel.blocks.size()) : kernel.functions[next].first_block;
  e.end_value = last ? static_cast<ValueId>(kernel.values.size()) : kernel.functions[next].first_value;
  return e;
}

FunctionId function_at(const Kernel& kernel, BlockId block) {
  FunctionId result = no_function;
  for (FunctionId f = 0; f < kernel.functions.size() && kernel.functions[f].first_block <= block; ++f)
    result = f;
  return result;
}

Kernel part(const Kernel& kernel, FunctionId function) {
  const Extent e = extent(kernel, function);
  Kernel result;
  result.name = kernel.name;
  result.parameters = kernel.parameters;
  result.parameter_bytes = kernel.parameter_bytes;
  result.static_shared_bytes = kernel.static_shared_bytes;
  result.shared_align = kernel.shared_align;
  result.frame_bytes = function == no_function ? kernel.frame_bytes : kernel.functions[function].frame_bytes;
  result.local_bytes = kernel.local_bytes;
  result.globals = kernel.globals;
  result.bounds = kernel.bounds;
  result.target_sm = kernel.target_sm;
  for (BlockId b = e.first_block; b < e.end_block; ++b) {
    result.blocks.push_back(kernel.blocks[b]);
    shift(result.blocks.back(), 0 - e.first_block, 0 - e.first_value);
  }
  for (ValueId v = e.first_value; v < e.end_value; ++v) {
    result.values.push_back(kernel.values[v]);
    result.values.back().block -= e.first_block;
  }
  return result;
}

}  // namespace wanren::simt
