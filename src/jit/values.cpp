// Lane values: where they live, how they widen, how they are written under a mask.

#include <algorithm>

#include "jit/emitter.h"
#include "support/result.h"

namespace wanren::jit {

using simt::ValueShape;
using Kind = ValueShape::Kind;

namespace {

/// Vector registers live at block starts, summed over a kernel's blocks, beyond which vectors that cross
/// blocks stay in memory: merging and splitting their live ranges would take longer than linear time.
constexpr std::size_t most_registers = 6000;

}  // namespace

llvm::Type* Emitter::int_type(int bits, Form form) {
  llvm::Type* t = llvm::Type::getIntNTy(c, static_cast<unsigned>(bits));
  return form == Form::scalar ? t : llvm::FixedVectorType::get(t, warp_size);
}

llvm::Constant* Emitter::imm(int bits, Form form, std::uint64_t value) {
  if (bits < 64) value &= (std::uint64_t{1} << bits) - 1;
  return llvm::ConstantInt::get(int_type(bits, form), value);
}

llvm::Constant* Emitter::lane_constants(int bits, std::span<const std::int64_t> values) {
  llvm::SmallVector<llvm::Constant*, 32> elements;
  for (std::int64_t v : values)
    elements.push_back(llvm::ConstantInt::get(
        c, llvm::APInt(64, static_cast<std::uint64_t>(v), true).sextOrTrunc(static_cast<unsigned>(bits))));
  return llvm::ConstantVector::get(elements);
}

llvm::Constant* Emitter::pattern_vector(int bits, std::uint32_t id) {
  return lane_constants(bits, pattern(id));
}

llvm::Type* Emitter::value_type(simt::ValueId v, bool vector) {
  return int_type(simt::bits(kernel.values[v].width), vector ? Form::vector : Form::scalar);
}

Lanes Emitter::lanes(simt::ValueId v) {
  if (auto known = local_.find(v); known != local_.end()) return known->second;
  const ValueShape& s = shapes[v];
  const Variable& var = variables_[v];
  WR_CHECK(var.bits && "a value that crosses blocks is live-in somewhere");
  Lanes l;
  l.kind = s.kind;
  l.bits = b.CreateLoad(var.type, var.bits);
  if (s.kind == Kind::affine) {
    l.pattern = s.pattern;
    l.scaled = s.scaled;
    if (s.scaled) l.scale = b.CreateLoad(var.type, var.scale);
  }
  local_[v] = l;
  return l;
}

Lanes Emitter::lanes(const simt::Operand& o, int width) {
  using K = simt::Operand::Kind;
  Lanes l;
  l.kind = Kind::uniform;
  switch (o.kind) {
    case K::value: return lanes(o.value);
    case K::imm: l.bits = imm(width, Form::scalar, o.bits); return l;
    case K::none:
    case K::undefined: l.bits = imm(width, Form::scalar, 0); return l;
    case K::global_symbol: {
      Value* table = load_context(offsetof(simt::WarpContext, global_addresses), 0);
      auto* load = b.CreateLoad(b.getInt64Ty(), b.CreateConstGEP1_32(b.getInt64Ty(), table, o.index));
      load->setMetadata(llvm::LLVMContext::MD_invariant_load, llvm::MDNode::get(c, {}));
      l.bits = resize(b.CreateAdd(load, b.getInt64(o.bits)), width, false);
      return l;
    }
    case K::param_address: {
      Value* base =
          b.CreatePtrToInt(load_context(offsetof(simt::WarpContext, parameters), 0), b.getInt64Ty());
      l.bits = resize(b.CreateAdd(base, b.getInt64(o.bits)), width, false);
      return l;
    }
    case K::frame_address:
      l.bits = resize(b.CreateAdd(frame_offset(), b.getInt64(o.bits)), width, false);
      return l;
    case K::argument: {
      Value* row = b.CreateConstGEP1_64(b.getInt64Ty(), fn->getArg(2), std::uint64_t{o.index} * warp_size);
      l.kind = kind(o);
      const Form form = l.kind == Kind::vector ? Form::vector : Form::scalar;  // lane 0 has what all have
      l.bits = resize(b.CreateAlignedLoad(int_type(64, form), row, llvm::Align(8)), width, false);
      return l;
    }
    case K::special:
      l.kind = Kind::vector;
      l.bits = special(o.special, width, Form::vector);
      return l;
  }
  return l;
}

Kind Emitter::kind(const simt::Operand& o) const {
  if (o.kind == simt::Operand::Kind::value) return shapes[o.value].kind;
  if (o.kind == simt::Operand::Kind::argument && !shapes.uniform_arguments[o.index]) return Kind::vector;
  return Kind::uniform;
}

llvm::Value* Emitter::resize(Value* v, int width, bool is_signed) {
  llvm::Type* t = v->getType();
  const int have = static_cast<int>(t->getScalarSizeInBits());
  if (have == width) return v;
  llvm::Type* to = int_type(width, t->isVectorTy() ? Form::vector : Form::scalar);
  if (have > width) return b.CreateTrunc(v, to);
  return is_signed ? b.CreateSExt(v, to) : b.CreateZExt(v, to);
}

llvm::Value* Emitter::splat(Value* scalar) {
  return b.CreateVectorSplat(warp_size, scalar);
}

llvm::Value* Emitter::materialise(const Lanes& l, int width) {
  if (l.kind == Kind::vector) return resize(l.bits, width, false);
  Value* v = splat(resize(l.bits, width, false));
  if (l.kind == Kind::affine) {
    if (l.pattern) v = b.CreateAdd(v, pattern_vector(width, l.pattern));
    if (l.scale)
      v = b.CreateAdd(v, b.CreateMul(splat(resize(l.scale, width, true)), pattern_vector(width, l.scaled)));
  }
  return v;
}

llvm::Value* Emitter::lane0(const Lanes& l, int width) {
  if (l.kind == Kind::vector) return resize(b.CreateExtractElement(l.bits, std::uint64_t{0}), width, false);
  Value* v = resize(l.bits, width, false);
  if (l.kind == Kind::affine) {
    if (const auto p = pattern(l.pattern)[0])
      v = b.CreateAdd(v, imm(width, Form::scalar, static_cast<std::uint64_t>(p)));
    if (l.scale)
      if (const auto p = pattern(l.scaled)[0])
        v = b.CreateAdd(v, b.CreateMul(resize(l.scale, width, true),
                                       imm(width, Form::scalar, static_cast<std::uint64_t>(p))));
  }
  return v;
}

llvm::Value* Emitter::canonical_nan(Value* v) {
  const bool vector = v->getType()->isVectorTy();
  const unsigned width = v->getType()->getScalarSizeInBits();
  llvm::Type* f = width == 64 ? b.getDoubleTy() : b.getFloatTy();
  if (vector) f = llvm::FixedVectorType::get(f, warp_size);
  Value* x = b.CreateBitCast(v, f);
  return b.CreateSelect(b.CreateFCmpUNO(x, x),
                        llvm::ConstantInt::get(v->getType(), width == 64 ? 0xfff8000000000000u : 0x7fffffffu),
                        v);
}

llvm::Value* Emitter::get(const simt::Operand& o, int width, Form form) {
  Value* v = get_raw(o, width, form);
  if (o.kind == simt::Operand::Kind::value && raw_[o.value]) {
    const int own = simt::bits(kernel.values[o.value].width);
    v = own == width ? canonical_nan(v) : resize(canonical_nan(get_raw(o, own, form)), width, false);
  }
  return v;
}

llvm::Value* Emitter::get_raw(const simt::Operand& o, int width, Form form) {
  if (o.kind == simt::Operand::Kind::special) return special(o.special, width, form);
  const Lanes l = lanes(o, width);
  // A widened source would be a narrower affine value: widen lane by lane.
  Value* v;
  const int have = static_cast<int>(l.bits->getType()->getScalarSizeInBits());
  if (have < width) {
    v = form == Form::vector ? materialise(l, have) : lane0(l, have);
    v = resize(v, width, false);
  } else {
    v = form == Form::vector ? materialise(l, width) : lane0(l, width);
  }
  if (o.negated) v = b.CreateNot(v);
  return v;
}

llvm::Value* Emitter::extract_active(Value* vector) {
  if (full_) return b.CreateExtractElement(vector, std::uint64_t{0});
  Value* first = b.CreateBinaryIntrinsic(llvm::Intrinsic::cttz, mask_bits(), b.getTrue());
  return b.CreateExtractElement(vector, first);
}

Lanes Emitter::coerce(const Lanes& l, simt::ValueId target) {
  const ValueShape& s = shapes[target];
  const int width = simt::bits(kernel.values[target].width);
  Lanes r;
  r.kind = s.kind;
  if (s.kind == Kind::vector) {
    r.bits = materialise(l, width);
    return r;
  }
  if (s.kind == Kind::uniform) {
    r.bits = l.kind == Kind::vector ? extract_active(resize(l.bits, width, false)) : lane0(l, width);
    return r;
  }
  r.pattern = s.pattern;
  r.scaled = s.scaled;
  r.bits = lane0(l, width);
  if (s.scaled) {
    WR_CHECK(!l.scale || l.scaled == s.scaled);
    r.scale = l.scale ? resize(l.scale, width, true) : imm(width, Form::scalar, 0);
    if (const auto p = pattern(s.scaled)[0])
      r.bits =
          b.CreateSub(r.bits, b.CreateMul(r.scale, imm(width, Form::scalar, static_cast<std::uint64_t>(p))));
  }
  if (const auto p = pattern(s.pattern)[0])
    r.bits = b.CreateSub(r.bits, imm(width, Form::scalar, static_cast<std::uint64_t>(p)));
  return r;
}

const llvm::DenseSet<simt::ValueId>& Emitter::kept(simt::BlockId id) {
  auto& set = kept_[id];
  if (!set) {
    set = std::make_unique<llvm::DenseSet<simt::ValueId>>();
    for (simt::BlockId f : shapes.frontier[id]) {
      set->insert(shapes.live_in[f].begin(), shapes.live_in[f].end());
      for (const simt::Phi& phi : kernel.blocks[f].phis) set->insert(phi.dst);
    }
  }
  return *set;
}

void Emitter::store_variable(simt::ValueId v, const Lanes& l, Value* blend_mask) {
  const Variable& var = variables_[v];
  Value* bits = l.bits;
  if (blend_mask && l.kind == Kind::vector)
    bits = b.CreateSelect(blend_mask, bits, b.CreateLoad(var.type, var.bits));
  b.CreateStore(bits, var.bits);
  if (var.scale) b.CreateStore(l.scale, var.scale);
}

void Emitter::define(simt::ValueId v, Lanes l) {
  local_[v] = l;
  local_order_.push_back(v);
  if (!variables_[v].bits) return;
  const bool blend = l.kind == Kind::vector && !full_ && is_kept(v);
  store_variable(v, l, blend ? mask_vector() : nullptr);
}

void Emitter::define_from(const simt::Inst& inst, std::size_t dst, Value* value, Form form, bool is_signed) {
  const simt::ValueId v = inst.dsts[dst];
  if (v == simt::no_value) return;
  const int width = simt::bits(kernel.values[v].width);
  const ValueShape& s = shapes[v];
  if (value->getType()->isFPOrFPVectorTy())
    value = b.CreateBitCast(value, int_type(static_cast<int>(value->getType()->getScalarSizeInBits()), form));
  value = resize(value, width, is_signed);
  if (s.kind == Kind::vector && form == Form::scalar) {
    value = splat(value);
    form = Form::vector;
  }
  if (inst.guard != simt::no_value) {
    simt::Operand guard = simt::Operand::of(inst.guard);
    guard.negated = inst.guard_negated;
    // A non-vector result under a varying guard: the prior value is the same or undefined.
    if (form == Form::vector || kind(guard) != Kind::vector)
      value =
          b.CreateSelect(get(guard, 1, form), value,
                         raw_[v] ? get_raw(inst.prior[dst], width, form) : get(inst.prior[dst], width, form));
  }
  Lanes l;
  l.kind = form == Form::vector ? Kind::vector : Kind::uniform;
  l.bits = value;
  define(v, s.kind == l.kind ? l : coerce(l, v));
}

llvm::Value* Emitter::slot(llvm::Type* type) {
  Value* v = b.CreateAlloca(type);
  if (hub_ || (crowded_ && type->isVectorTy())) {
    auto* escape = llvm::FunctionType::get(b.getVoidTy(), {b.getPtrTy()}, false);
    b.CreateCall(escape, llvm::InlineAsm::get(escape, "", "r,~{memory}", true), {v});
  }
  return v;
}

void Emitter::declare_variables() {
  std::vector<bool> crosses(kernel.values.size());
  for (const auto& live : shapes.live_in)
    for (simt::ValueId v : live) crosses[v] = true;
  for (const simt::Block& blk : kernel.blocks)
    for (const simt::Phi& phi : blk.phis) crosses[phi.dst] = true;
  variables_.resize(kernel.values.size());
  // Registers that vectors take at the starts of blocks.
  const int bytes = options.avx512 ? 64 : 32;
  std::size_t registers = 0;
  for (const auto& live : shapes.live_in)
    for (simt::ValueId v : live)
      if (shapes[v].kind == Kind::vector)
        registers += static_cast<std::size_t>(simt::bits(kernel.values[v].width) * warp_size / 8 / bytes);
  // The accumulators of a product pass through memory anyway.
  const bool multiplies = std::ranges::any_of(kernel.blocks, [](const simt::Block& blk) {
    return std::ranges::any_of(
        blk.insts, [](const simt::Inst& inst) { return inst.op == ptx::Opcode::wgmma_mma_async; });
  });
  crowded_ = registers > most_registers || multiplies;
  std::vector<bool> blended(kernel.values.size());
  for (const simt::Block& blk : kernel.blocks)
    for (simt::ValueId v : kept(blk.id)) blended[v] = true;
  for (simt::ValueId v = 0; v < kernel.values.size(); ++v) {
    if (!crosses[v]) continue;
    const bool vector = shapes[v].kind == Kind::vector;
    llvm::Type* type = value_type(v, vector);
    variables_[v].type = type;
    variables_[v].bits = slot(type);
    if (shapes[v].kind == Kind::affine && shapes[v].scaled) variables_[v].scale = slot(type);
    // A blend reads lanes that nothing has written yet.
    if (vector && blended[v]) b.CreateStore(llvm::Constant::getNullValue(type), variables_[v].bits);
  }
}

// --- masks ---

llvm::Value* Emitter::mask_bits() {
  return mask_;
}

llvm::Value* Emitter::mask_vector() {
  if (!mask_vector_) mask_vector_ = to_vector(mask_);
  return mask_vector_;
}

llvm::Value* Emitter::to_bits(Value* v) {
  return b.CreateBitCast(v, b.getInt32Ty());
}

llvm::Value* Emitter::to_vector(Value* bits) {
  return b.CreateBitCast(bits, llvm::FixedVectorType::get(b.getInt1Ty(), warp_size));
}

bool Emitter::known_aligned(simt::ValueId v, int bytes, std::int64_t offset) {
  const auto found = aligned_.find(v);
  if (found != aligned_.end() && found->second.first >= bytes && (offset - found->second.second) % bytes == 0)
    return true;
  aligned_[v] = {bytes, offset};
  return false;
}

Emitter::Mask Emitter::inst_mask(const simt::Inst& inst) {
  if (inst.guard == simt::no_value) return {mask_bits(), mask_vector(), full_, true};
  simt::Operand guard = simt::Operand::of(inst.guard);
  guard.negated = inst.guard_negated;
  Value* g = get(guard, 1, Form::vector);
  Value* v = full_ ? g : b.CreateAnd(mask_vector(), g);
  return {to_bits(v), v, false, false};
}

}  // namespace wanren::jit
