// ld and st, PTX ISA 9.7.9. What is known of the address at compile time picks the access: a scalar, a few
// vector windows with constant shuffles, or a gather.

#include <algorithm>

#include "interp/callbacks.h"
#include "jit/address.h"
#include "simt/opcode_traits.h"

namespace wanren::jit {

using llvm::Value;
using ptx::Opcode;
using ptx::Semantics;
using ptx::Space;
using Mask = Emitter::Mask;

namespace {

llvm::Align natural(int bytes) {
  return llvm::Align(static_cast<std::uint64_t>(bytes));
}

Value* pointer(Emitter& e, Value* host, std::int64_t offset) {
  Value* p = e.b.CreateIntToPtr(host, e.b.getPtrTy());
  return offset ? e.b.CreateConstGEP1_64(e.b.getInt8Ty(), p, static_cast<std::uint64_t>(offset)) : p;
}

llvm::Constant* owner_mask(Emitter& e, const Window& w) {
  llvm::SmallVector<llvm::Constant*, 64> bits;
  for (int l : w.lane) bits.push_back(e.b.getInt1(l >= 0));
  return llvm::ConstantVector::get(bits);
}

bool whole(const Window& w) {
  return std::find(w.lane.begin(), w.lane.end(), -1) == w.lane.end();
}

/// Whether the window is lane l's element at l.
bool identity(const std::vector<Window>& windows) {
  if (windows.size() != 1 || windows[0].elements != warp_size) return false;
  for (int l = 0; l < warp_size; ++l)
    if (windows[0].lane[static_cast<std::size_t>(l)] != l) return false;
  return true;
}

struct Access {
  Emitter& e;
  const simt::Inst& inst;
  int bytes, items;
  Address address;
  Mask mask;
  std::vector<Group> groups;
  std::vector<Window> windows;

  llvm::Type* element() const { return e.b.getIntNTy(static_cast<unsigned>(bytes * 8)); }
  llvm::Type* lanes_type() const { return llvm::FixedVectorType::get(element(), warp_size); }
};

/// Every lane's elements through the windows; no lane may be inactive.
llvm::SmallVector<Value*, 8> load_windows(Access& a) {
  auto& b = a.e.b;
  llvm::SmallVector<Value*, 8> result(static_cast<std::size_t>(a.items), nullptr);
  for (const Window& w : a.windows) {
    Value* p = pointer(a.e, a.groups[w.group].host, w.offset);
    Value* v;
    auto* type = llvm::FixedVectorType::get(a.element(), static_cast<unsigned>(w.elements));
    if (w.elements == 1)
      v = b.CreateVectorSplat(1, b.CreateAlignedLoad(a.element(), p, natural(a.bytes)));
    else if (w.lane.back() >= 0)
      v = b.CreateAlignedLoad(type, p, natural(a.bytes));
    else
      v = b.CreateMaskedLoad(type, p, natural(a.bytes), owner_mask(a.e, w),
                             llvm::Constant::getNullValue(type));
    // Which element each lane takes: by its offset, as several lanes may share one.
    for (int item = 0; item < a.items; ++item) {
      llvm::SmallVector<int, 32> take(warp_size, -1);
      bool any = false;
      for (int l : a.groups[w.group].lanes) {
        const std::int64_t at = a.address.offsets[static_cast<std::size_t>(l)] + item * a.bytes - w.offset;
        if (at < 0 || at % a.bytes || at / a.bytes >= w.elements ||
            w.lane[static_cast<std::size_t>(at / a.bytes)] < 0)
          continue;
        take[static_cast<std::size_t>(l)] = static_cast<int>(at / a.bytes);
        any = true;
      }
      if (!any) continue;
      Value* t = b.CreateShuffleVector(v, take);
      Value*& r = result[static_cast<std::size_t>(item)];
      if (r) {
        llvm::SmallVector<int, 32> blend;
        for (int l = 0; l < warp_size; ++l)
          blend.push_back(take[static_cast<std::size_t>(l)] >= 0 ? l + warp_size : l);
        r = b.CreateShuffleVector(r, t, blend);
      } else {
        r = t;
      }
    }
  }
  return result;
}

llvm::SmallVector<Value*, 8> gather(Access& a) {
  auto& b = a.e.b;
  Value* host = host_lanes(a.e, a.address);
  check_lanes_aligned(a.e, a.address, a.bytes * a.items, a.mask);
  llvm::SmallVector<Value*, 8> result;
  auto* pointers = llvm::FixedVectorType::get(b.getPtrTy(), warp_size);
  for (int i = 0; i < a.items; ++i) {
    Value* at =
        i ? b.CreateAdd(host, a.e.imm(64, Form::vector,
                                      static_cast<std::uint64_t>(i) * static_cast<std::uint64_t>(a.bytes)))
          : host;
    result.push_back(b.CreateMaskedGather(a.lanes_type(), b.CreateIntToPtr(at, pointers), natural(a.bytes),
                                          a.mask.vector, llvm::Constant::getNullValue(a.lanes_type())));
  }
  return result;
}

/// A plain 32-bit load of every lane of the block, as gathers come in pairs of.
bool may_pair(const simt::Inst& inst) {
  return inst.op == Opcode::ld && inst.guard == simt::no_value && inst.memory().vector == 1 &&
         ptx::bits(inst.types[0]) == 32 && !simt::is_ordered(inst) &&
         (inst.space() == Space::none || inst.space() == Space::global || inst.space() == Space::constant) &&
         inst.srcs[0].kind == simt::Operand::Kind::value;
}

/// A later load of the block that reads the word before or after this one's, with nothing between that writes
/// memory or gives way.
const simt::Inst* neighbour(const Emitter& e, const simt::Inst& inst) {
  if (!may_pair(inst)) return nullptr;
  const auto& insts = e.block->insts;
  for (auto i = static_cast<std::size_t>(&inst - insts.data()) + 1; i < insts.size(); ++i) {
    const simt::Inst& next = insts[i];
    if (may_pair(next) && next.srcs[0].value == inst.srcs[0].value && next.space() == inst.space() &&
        (next.offset == inst.offset + 4 || next.offset == inst.offset - 4) && !e.early_loads.contains(&next))
      return &next;
    if (next.op != Opcode::ld && next.op != Opcode::cvta && !interp::is_alu(next)) return nullptr;
    if (next.op == Opcode::ld && simt::is_ordered(next)) return nullptr;
  }
  return nullptr;
}

/// This load and its neighbour in one gather of 64-bit elements: a gather costs by the element.
Value* gather_pair(Access& a, const simt::Inst& other) {
  auto& b = a.e.b;
  const bool first = other.offset > a.inst.offset;
  Value* host = host_lanes(a.e, a.address);
  check_lanes_aligned(a.e, a.address, a.bytes, a.mask);
  if (!first) host = b.CreateSub(host, a.e.imm(64, Form::vector, 4));
  llvm::Type* words = a.e.int_type(64, Form::vector);
  Value* both =
      b.CreateMaskedGather(words, b.CreateIntToPtr(host, llvm::FixedVectorType::get(b.getPtrTy(), warp_size)),
                           natural(a.bytes), a.mask.vector, llvm::Constant::getNullValue(words));
  both = b.CreateBitCast(both, llvm::FixedVectorType::get(b.getInt32Ty(), 2 * warp_size));
  llvm::SmallVector<int, 32> even, odd;
  for (int l = 0; l < warp_size; ++l) {
    even.push_back(2 * l);
    odd.push_back(2 * l + 1);
  }
  Value *low = b.CreateShuffleVector(both, even), *high = b.CreateShuffleVector(both, odd);
  a.e.early_loads[&other] = first ? high : low;
  return first ? low : high;
}

void store_windows(Access& a, llvm::ArrayRef<Value*> values) {
  auto& b = a.e.b;
  for (const Window& w : a.windows) {
    Value* v = nullptr;
    for (int item = 0; item < a.items; ++item) {
      llvm::SmallVector<int, 64> take;
      bool any = false;
      for (std::size_t k = 0; k < w.lane.size(); ++k) {
        const bool mine = w.lane[k] >= 0 && w.item[k] == item;
        take.push_back(mine ? w.lane[k] : -1);
        any |= mine;
      }
      if (!any) continue;
      Value* t = b.CreateShuffleVector(values[static_cast<std::size_t>(item)], take);
      if (v) {
        llvm::SmallVector<int, 64> blend;
        for (int k = 0; k < w.elements; ++k)
          blend.push_back(take[static_cast<std::size_t>(k)] >= 0 ? k + w.elements : k);
        v = b.CreateShuffleVector(v, t, blend);
      } else {
        v = t;
      }
    }
    Value* p = pointer(a.e, a.groups[w.group].host, w.offset);
    if (w.elements == 1)
      b.CreateAlignedStore(b.CreateExtractElement(v, std::uint64_t{0}), p, natural(a.bytes));
    else if (whole(w))
      b.CreateAlignedStore(v, p, natural(a.bytes));
    else
      b.CreateMaskedStore(v, p, natural(a.bytes), owner_mask(a.e, w));
  }
}

void scatter(Access& a, llvm::ArrayRef<Value*> values) {
  auto& b = a.e.b;
  Value* host = host_lanes(a.e, a.address);
  check_lanes_aligned(a.e, a.address, a.bytes * a.items, a.mask);
  auto* pointers = llvm::FixedVectorType::get(b.getPtrTy(), warp_size);
  for (int i = 0; i < a.items; ++i) {
    Value* at =
        i ? b.CreateAdd(host, a.e.imm(64, Form::vector,
                                      static_cast<std::uint64_t>(i) * static_cast<std::uint64_t>(a.bytes)))
          : host;
    b.CreateMaskedScatter(values[static_cast<std::size_t>(i)], b.CreateIntToPtr(at, pointers),
                          natural(a.bytes), a.mask.vector);
  }
}

/// Runs `body` if any lane is active.
template <class Body>
void if_any(Access& a, Body body) {
  auto& b = a.e.b;
  if (a.mask.nonempty) {
    body();
    return;
  }
  llvm::BasicBlock* some = a.e.new_block("some");
  llvm::BasicBlock* on = a.e.new_block("on");
  b.CreateCondBr(b.CreateICmpNE(a.mask.bits, b.getInt32(0)), some, on);
  b.SetInsertPoint(some);
  body();
  b.CreateBr(on);
  b.SetInsertPoint(on);
}

bool one_address(const Address& a) {
  if (!a.regular || a.scale) return false;
  return std::all_of(a.offsets.begin(), a.offsets.end(), [&](std::int64_t o) { return o == a.offsets[0]; });
}

void load(Access& a) {
  auto& e = a.e;
  auto& b = e.b;
  const bool sign = ptx::is_signed(a.inst.types[0]);
  auto define = [&](int item, Value* v, Form form) {
    e.define_from(a.inst, static_cast<std::size_t>(item), v, form, sign);
  };
  if (one_address(a.address)) {
    a.groups = groups_of(e, a.address);
    llvm::SmallVector<Value*, 8> values(static_cast<std::size_t>(a.items), nullptr);
    llvm::BasicBlock* from = b.GetInsertBlock();
    llvm::BasicBlock* end = nullptr;
    if_any(a, [&] {
      check_group_aligned(e, a.address, a.groups[0], a.bytes * a.items, a.mask);
      for (int i = 0; i < a.items; ++i)
        values[static_cast<std::size_t>(i)] = b.CreateAlignedLoad(
            a.element(), pointer(e, a.groups[0].host, a.address.offsets[0] + i * a.bytes), natural(a.bytes));
      end = b.GetInsertBlock();
    });
    for (Value*& v : values) {
      if (a.mask.nonempty) break;
      auto* phi = b.CreatePHI(v->getType(), 2);
      phi->addIncoming(v, end);
      phi->addIncoming(llvm::Constant::getNullValue(v->getType()), from);
      v = phi;
    }
    for (int i = 0; i < a.items; ++i) define(i, values[static_cast<std::size_t>(i)], Form::scalar);
    return;
  }
  llvm::SmallVector<Value*, 8> values;
  if (!a.address.regular) {
    if (auto early = e.early_loads.find(&a.inst); early != e.early_loads.end()) {
      define(0, early->second, Form::vector);
      return;
    }
    if (const simt::Inst* other = neighbour(e, a.inst)) {
      define(0, gather_pair(a, *other), Form::vector);
      return;
    }
  }
  if (a.address.regular) {
    a.groups = groups_of(e, a.address);
    if (!a.groups.empty()) a.windows = windows_of(a.address, a.groups, a.bytes, a.items, false);
  }
  // Under a mask a window could touch what no active lane does.
  if (a.windows.empty() || !(a.mask.full || (a.items == 1 && identity(a.windows)))) {
    values = gather(a);
  } else if (a.items == 1 && identity(a.windows)) {
    check_group_aligned(e, a.address, a.groups[0], a.bytes, a.mask);
    Value* p = pointer(e, a.groups[0].host, a.windows[0].offset);
    values.push_back(a.mask.full
                         ? static_cast<Value*>(b.CreateAlignedLoad(a.lanes_type(), p, natural(a.bytes)))
                         : b.CreateMaskedLoad(a.lanes_type(), p, natural(a.bytes), a.mask.vector,
                                              llvm::Constant::getNullValue(a.lanes_type())));
  } else {
    for (const Group& g : a.groups) check_group_aligned(e, a.address, g, a.bytes * a.items, a.mask);
    values = load_windows(a);
  }
  for (int i = 0; i < a.items; ++i) define(i, values[static_cast<std::size_t>(i)], Form::vector);
}

void store(Access& a) {
  auto& e = a.e;
  auto& b = e.b;
  llvm::SmallVector<Value*, 8> values;
  const bool scalar = one_address(a.address);
  bool uniform = scalar;
  for (int i = 0; i < a.items; ++i)
    if (e.kind(a.inst.srcs[static_cast<std::size_t>(i) + 1]) != Lanes::Kind::uniform) uniform = false;
  for (int i = 0; i < a.items; ++i)
    values.push_back(e.get(a.inst.srcs[static_cast<std::size_t>(i) + 1], a.bytes * 8,
                           uniform ? Form::scalar : Form::vector));
  if (a.address.regular) {
    a.groups = groups_of(e, a.address);
    if (!a.groups.empty() && !scalar) a.windows = windows_of(a.address, a.groups, a.bytes, a.items, true);
  }
  if (scalar) {
    if_any(a, [&] {
      check_group_aligned(e, a.address, a.groups[0], a.bytes * a.items, a.mask);
      // The highest lane wins.
      Value* last = uniform ? nullptr
                            : b.CreateSub(b.getInt32(31), b.CreateBinaryIntrinsic(llvm::Intrinsic::ctlz,
                                                                                  a.mask.bits, b.getTrue()));
      for (int i = 0; i < a.items; ++i) {
        Value* v = values[static_cast<std::size_t>(i)];
        if (!uniform) v = b.CreateExtractElement(v, last);
        b.CreateAlignedStore(v, pointer(e, a.groups[0].host, a.address.offsets[0] + i * a.bytes),
                             natural(a.bytes));
      }
    });
  } else if (a.windows.empty() || !(a.mask.full || (a.items == 1 && identity(a.windows)))) {
    scatter(a, values);
  } else if (a.items == 1 && identity(a.windows)) {
    check_group_aligned(e, a.address, a.groups[0], a.bytes, a.mask);
    Value* p = pointer(e, a.groups[0].host, a.windows[0].offset);
    if (a.mask.full)
      b.CreateAlignedStore(values[0], p, natural(a.bytes));
    else
      b.CreateMaskedStore(values[0], p, natural(a.bytes), a.mask.vector);
  } else {
    for (const Group& g : a.groups) check_group_aligned(e, a.address, g, a.bytes * a.items, a.mask);
    store_windows(a, values);
  }
}

/// A kernel parameter at a constant offset: the buffer lies in the arena and is not written.
void load_parameter(Emitter& e, const simt::Inst& inst, int bytes, int items) {
  auto& b = e.b;
  Value* base = e.load_context(offsetof(simt::WarpContext, parameters), 0);
  for (int i = 0; i < items; ++i) {
    const auto offset = static_cast<std::uint64_t>(inst.offset + i * bytes) + inst.srcs[0].bits;
    auto* v = b.CreateAlignedLoad(b.getIntNTy(static_cast<unsigned>(bytes * 8)),
                                  b.CreateConstGEP1_64(b.getInt8Ty(), base, offset), llvm::Align(1));
    v->setMetadata(llvm::LLVMContext::MD_invariant_load, llvm::MDNode::get(e.c, {}));
    e.define_from(inst, static_cast<std::size_t>(i), v, Form::scalar, ptx::is_signed(inst.types[0]));
  }
}

}  // namespace

bool Emitter::emit_memory(const simt::Inst& inst) {
  switch (inst.op) {
    case Opcode::ld:
    case Opcode::ldu:
    case Opcode::st: break;
    case Opcode::prefetch:
    case Opcode::prefetchu:
    case Opcode::discard:
    case Opcode::applypriority:
      if (traced() && inst.slot != simt::no_slot)
        trace_access(*this, address_of(*this, inst, inst.srcs[0], inst.offset, inst.space()),
                     inst_mask(inst));
      return true;
    default: return false;
  }
  const int bytes = ptx::bits(inst.types[0]) / 8, items = inst.memory().vector;
  if (inst.op == Opcode::ld && inst.space() == Space::param &&
      inst.srcs[0].kind == simt::Operand::Kind::imm) {
    load_parameter(*this, inst, bytes, items);
    return true;
  }
  Access a{
      *this,           inst, bytes, items, address_of(*this, inst, inst.srcs[0], inst.offset, inst.space()),
      inst_mask(inst), {},   {}};
  if (traced() && inst.slot != simt::no_slot) trace_access(*this, a.address, a.mask);
  const bool ordered = simt::is_ordered(inst);
  if (ordered) compiler_fence();
  if (inst.op == Opcode::st)
    store(a);
  else
    load(a);
  if (ordered) compiler_fence();
  if (inst.memory().semantics == Semantics::sc) b.CreateFence(llvm::AtomicOrdering::SequentiallyConsistent);
  return true;
}

}  // namespace wanren::jit
