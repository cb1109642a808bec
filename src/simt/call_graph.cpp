#include "simt/call_graph.h"

#include <algorithm>
#include <unordered_set>

#include "simt/draft.h"
#include "simt/opcode_traits.h"

namespace wanren::simt {
namespace {

using ptx::Opcode;
using Kind = ptx::Operand::Kind;

// A function of up to so many instructions is inlined wherever it is called …
constexpr std::size_t small_function = 1000;
// … and a larger one as long as all its copies together have no more than this.
constexpr std::size_t most_copied = 30'000;

// What another thread may be about to change the result of.
bool synchronises(const ptx::Instruction& in) {
  if (in.opcode == Opcode::atom || waits_for_phase(in.opcode)) return true;
  if (in.opcode != Opcode::ld) return false;
  return is_ordered(in.mods.semantics) || in.mods.cache == ptx::CacheOp::cv;
}

template <class F>
void each_symbol(const ptx::Operand& operand, F&& use) {
  if (!operand.symbol.empty() && operand.kind != Kind::reg) use(operand.symbol);
  for (const ptx::Operand& o : operand.elements) each_symbol(o, use);
}

}  // namespace

Width register_width(ptx::Type type) {
  switch (ptx::bits(type)) {
    case 1: return Width::pred;
    case 8:
    case 16: return Width::b16;
    case 64: return Width::b64;
    case 128: return Width::b128;
    default: return Width::b32;
  }
}

std::uint64_t alignment(const ptx::Variable& v) {
  const std::uint64_t natural = std::max<std::uint64_t>(1, static_cast<std::uint64_t>(ptx::bits(v.type)) / 8);
  return std::max<std::uint64_t>(natural,
                                 v.space == ptx::Space::param && v.type != ptx::Type::b8 ? natural : v.align);
}

Syscall syscall_of(const std::string& name) {
  if (name == "vprintf") return Syscall::vprintf;
  if (name == "malloc") return Syscall::malloc;
  if (name == "free") return Syscall::free;
  // operator new, new[], delete, delete[] that no object defines; the size that delete may pass is not
  // needed.
  if (name == "_Znwm" || name == "_Znam") return Syscall::malloc;
  if (name == "_ZdlPv" || name == "_ZdaPv" || name == "_ZdlPvm" || name == "_ZdaPvm") return Syscall::free;
  if (name == "__assertfail") return Syscall::assertfail;
  return Syscall::none;
}

Passing passing(const std::vector<ptx::Variable>& parameters, const std::vector<ptx::Variable>& results) {
  Passing p;
  std::uint64_t top = 0;
  auto place = [&](const std::vector<ptx::Variable>& list, std::vector<Passing::Item>& out) {
    for (const ptx::Variable& v : list) {
      Passing::Item item;
      item.bytes = v.bytes();
      item.by_value = v.count == 1 && v.vector == 1 && ptx::bits(v.type) <= 64;
      if (item.by_value) {
        item.width = register_width(v.type);
      } else {
        top = round_up(top, std::min<std::uint64_t>(16, std::max<std::uint64_t>(8, alignment(v))));
        item.offset = static_cast<std::uint32_t>(top);
        top += v.bytes();
      }
      out.push_back(item);
    }
  };
  place(parameters, p.parameters);
  place(results, p.results);
  p.area_bytes = static_cast<std::uint32_t>(round_up(top, 16));
  return p;
}

CallGraph::CallGraph(const ptx::Module& module, const ptx::Function& kernel) : module_(module) {
  for (const ptx::Function& f : module.functions) {
    const ptx::Function*& known = functions_[f.name];
    if (!known || (!known->has_body && f.has_body)) known = &f;
  }
  visit(kernel);
  std::unordered_set<const ptx::Function*> called;
  for (std::size_t i = 0; i < order_.size(); ++i)  // grows
    for (const ptx::Instruction* in : nodes_[order_[i]].indirect) {
      const ptx::Function* caller = order_[i];
      for (const ptx::Function* target : targets(*caller, *in)) {
        visit(*target);
        called.insert(target);
      }
    }

  // Who reaches himself by direct calls is not inlined: that would not end.
  for (const ptx::Function* f : order_) {
    std::unordered_set<const ptx::Function*> seen;
    std::vector<const ptx::Function*> work{f};
    while (!work.empty() && !nodes_[f].recursive) {
      const ptx::Function* at = work.back();
      work.pop_back();
      for (const ptx::Function* callee : nodes_[at].callees) {
        nodes_[f].recursive |= callee == f;
        if (seen.insert(callee).second) work.push_back(callee);
      }
    }
  }
  for (bool changed = true; changed;) {
    changed = false;
    for (const ptx::Function* f : order_) {
      Node& node = nodes_[f];
      bool waits = node.waits, exits = node.exits;
      for (const ptx::Function* callee : node.callees) {
        waits |= nodes_[callee].waits;
        exits |= nodes_[callee].exits;
      }
      for (const ptx::Instruction* in : node.indirect)
        for (const ptx::Function* target : targets(*f, *in)) exits |= nodes_[target].exits;
      changed |= waits != node.waits || exits != node.exits;
      node.waits = waits;
      node.exits = exits;
    }
  }
  for (const ptx::Function* f : order_)
    for (const ptx::Function* callee : nodes_[f].callees) ++nodes_[callee].calls;
  for (const ptx::Function* f : order_) expand(*f);
  for (const ptx::Function* f : order_)
    for (const ptx::Function* callee : nodes_[f].callees)
      if (!is_inlined(*callee)) called.insert(callee);
  for (const ptx::Function& f : module.functions)
    if (called.contains(&f)) kept_.push_back(&f);
}

const ptx::Function* CallGraph::find(const std::string& name) const {
  const auto it = functions_.find(name);
  return it == functions_.end() ? nullptr : it->second;
}

void CallGraph::visit(const ptx::Function& root) {
  std::vector<const ptx::Function*> work{&root};
  while (!work.empty()) {
    const ptx::Function* f = work.back();
    work.pop_back();
    const auto [it, fresh] = nodes_.try_emplace(f);
    if (!fresh) continue;
    order_.push_back(f);
    Node node;
    std::unordered_set<std::string> labels;
    bool loops = false, synchronised = false;
    for (const ptx::Statement& s : f->body) {
      if (s.kind == ptx::Statement::Kind::label) labels.insert(s.label);
      if (s.kind != ptx::Statement::Kind::instruction) continue;
      const ptx::Instruction& in = s.instruction;
      ++node.instructions;
      synchronised |= synchronises(in);
      node.exits |= in.opcode == Opcode::exit;
      if (in.opcode == Opcode::bra && !in.sources.empty()) loops |= labels.contains(in.sources[0].symbol);
      if (in.opcode != Opcode::call || in.sources.empty()) continue;
      if (in.sources[0].kind != Kind::symbol) {
        node.indirect.push_back(&in);
        take_addresses();
      } else if (const ptx::Function* callee = find(in.sources[0].symbol); callee && callee->has_body) {
        node.callees.push_back(callee);
        work.push_back(callee);
      }
    }
    node.waits = loops && synchronised;
    nodes_[f] = std::move(node);
  }
}

// A function's address is taken by an initial value, or by an operand that is no call's target.
void CallGraph::take_addresses() {
  if (addresses_known_) return;
  addresses_known_ = true;
  std::unordered_set<const ptx::Function*> taken;
  auto take = [&](const std::string& name) {
    if (const ptx::Function* f = find(name); f && f->has_body && !f->is_kernel) taken.insert(f);
  };
  for (const ptx::Variable& v : module_.variables)
    for (const ptx::Variable::Relocation& r : v.relocations) take(r.symbol);
  for (const ptx::Function& f : module_.functions) {
    for (const ptx::Variable& v : f.variables)
      for (const ptx::Variable::Relocation& r : v.relocations) take(r.symbol);
    for (const ptx::Statement& s : f.body) {
      if (s.kind != ptx::Statement::Kind::instruction) continue;
      const ptx::Instruction& in = s.instruction;
      for (std::size_t i = in.opcode == Opcode::call ? 1 : 0; i < in.sources.size(); ++i)
        each_symbol(in.sources[i], take);
    }
  }
  for (const ptx::Function& f : module_.functions)
    if (taken.contains(&f)) taken_.push_back(&f);
}

const ptx::Prototype* CallGraph::prototype(const ptx::Function& caller, const ptx::Instruction& in) const {
  for (const ptx::Prototype& p : caller.prototypes)
    if (p.name == in.prototype) return &p;
  return nullptr;
}

std::vector<const ptx::Function*> CallGraph::targets(const ptx::Function& caller,
                                                     const ptx::Instruction& in) const {
  std::vector<const ptx::Function*> result;
  for (const ptx::Statement& s : caller.body) {
    if (s.kind != ptx::Statement::Kind::branch_targets || s.label != in.prototype) continue;
    for (const std::string& name : s.targets)
      if (const ptx::Function* f = find(name); f && f->has_body) result.push_back(f);
    return result;
  }
  const ptx::Prototype* p = prototype(caller, in);
  if (!p) return result;
  const Passing wanted = passing(p->parameters, p->returns);
  for (const ptx::Function* f : taken_)
    if (passing(f->parameters, f->returns) == wanted) result.push_back(f);
  return result;
}

std::vector<FunctionId> CallGraph::candidates(const ptx::Function& caller, const ptx::Instruction& in) const {
  std::vector<FunctionId> result;
  for (const ptx::Function* f : targets(caller, in)) result.push_back(id(*f));
  std::sort(result.begin(), result.end());
  result.erase(std::unique(result.begin(), result.end()), result.end());
  return result;
}

FunctionId CallGraph::id(const ptx::Function& function) const {
  const auto it = std::find(kept_.begin(), kept_.end(), &function);
  WR_CHECK(it != kept_.end());
  return static_cast<FunctionId>(it - kept_.begin());
}

std::size_t CallGraph::expand(const ptx::Function& function) {
  Node& node = nodes_[&function];
  if (node.expanded != 0) return node.expanded;
  node.expanded = std::max<std::size_t>(node.instructions, 1);
  std::size_t total = node.expanded;
  for (const ptx::Function* callee : node.callees) {
    if (nodes_[callee].recursive) continue;
    const std::size_t size = expand(*callee);
    if (is_inlined(*callee)) total += size;
  }
  return nodes_[&function].expanded = total;
}

bool CallGraph::is_inlined(const ptx::Function& function) const {
  const auto it = nodes_.find(&function);
  if (it == nodes_.end()) return true;
  const Node& node = it->second;
  if (node.recursive) return false;
  return node.waits || node.calls <= 1 || node.expanded <= small_function ||
         node.expanded * node.calls <= most_copied;
}

bool CallGraph::may_exit(const ptx::Function& function) const {
  const auto it = nodes_.find(&function);
  return it != nodes_.end() && it->second.exits;
}

const FunctionAddresses& CallGraph::addresses() const {
  if (!addresses_) addresses_ = std::make_unique<FunctionAddresses>(module_);
  return *addresses_;
}

FunctionAddresses::FunctionAddresses(const ptx::Module& module) {
  // FNV-1a over what tells modules apart, so that a pointer made by another module is not taken for one of
  // this.
  std::uint64_t hash = 0xcbf29ce484222325;
  auto mix = [&](std::uint64_t byte) { hash = (hash ^ byte) * 0x100000001b3; };
  for (const ptx::Function& f : module.functions) {
    for (const char c : f.name) mix(static_cast<unsigned char>(c));
    for (const ptx::Statement& s : f.body) {
      mix(static_cast<std::uint64_t>(s.instruction.opcode));
      for (const ptx::Operand& o : s.instruction.sources) mix(o.bits + o.reg);
    }
  }
  const std::uint64_t base = (hash >> 25 | 1) << 24 & 0x7fff'ffff'ff00'0000;
  std::uint64_t index = 0;
  for (const ptx::Function& f : module.functions)
    if (f.has_body && !f.is_kernel) addresses_[f.name] = base + 16 * ++index;
}

std::uint64_t FunctionAddresses::of(const std::string& name) const {
  const auto it = addresses_.find(name);
  return it == addresses_.end() ? 0 : it->second;
}

}  // namespace wanren::simt
