// One instruction: to its family, or out of line.

#include <algorithm>

#include "interp/callbacks.h"
#include "interp/trace_writer.h"
#include "jit/address.h"
#include "jit/alu.h"
#include "simt/fragments.h"
#include "simt/opcode_traits.h"
#include "simt/transfer.h"

namespace wanren::jit {

using Kind = simt::ValueShape::Kind;
using ptx::Opcode;
using simt::Rule;
using simt::WarpContext;

// A value may hold the host's NaN ("raw") if every NaN it can hold came from arithmetic, so that making
// it canonical later changes nothing else: bits that were loaded or calculated as integers must stay.
void Emitter::find_raw_values() {
  std::vector<bool> arithmetic(kernel.values.size(), false);
  auto from_arithmetic = [&](const simt::Operand& o) {
    switch (o.kind) {
      case simt::Operand::Kind::value: return static_cast<bool>(arithmetic[o.value]);
      case simt::Operand::Kind::undefined: return true;
      case simt::Operand::Kind::imm: {
        const std::uint64_t m = o.bits & 0x7fffffffffffffff;
        return (o.bits >> 32 == 0 && (o.bits & 0x7fffffff) <= 0x7f800000) ||
               (o.bits >> 32 != 0 && m <= 0x7ff0000000000000);
      }
      default: return false;
    }
  };
  auto source = [](const simt::Inst& inst) { return leaves_raw_nan(inst) || makes_canonical_nan(inst); };
  for (const simt::Block& blk : kernel.blocks) {
    for (const simt::Phi& phi : blk.phis) arithmetic[phi.dst] = true;
    for (const simt::Inst& inst : blk.insts)
      if (!inst.dsts.empty() && inst.dsts[0] != simt::no_value && (source(inst) || carries_raw_nan(inst)))
        arithmetic[inst.dsts[0]] = true;
  }
  auto until_stable = [&](auto visit) {
    for (bool changed = true; changed;) {
      changed = false;
      for (const simt::Block& blk : kernel.blocks) {
        for (const simt::Phi& phi : blk.phis) changed |= visit(phi.dst, phi.incoming, nullptr);
        for (const simt::Inst& inst : blk.insts)
          if (!inst.dsts.empty() && inst.dsts[0] != simt::no_value)
            changed |= visit(inst.dsts[0], inst.srcs, &inst);
      }
    }
  };
  until_stable([&](simt::ValueId v, const std::vector<simt::Operand>& from, const simt::Inst* inst) {
    if (!arithmetic[v]) return false;
    bool good = true;
    if (!inst || carries_raw_nan(*inst)) {
      const std::size_t n = inst && inst->op == Opcode::selp ? 2 : from.size();
      for (std::size_t i = 0; i < n; ++i) good = good && from_arithmetic(from[i]);
    }
    if (inst && !inst->prior.empty()) good = good && from_arithmetic(inst->prior[0]);
    arithmetic[v] = good;
    return !good;
  });
  raw_.assign(kernel.values.size(), false);
  auto raw = [&](const simt::Operand& o) { return o.kind == simt::Operand::Kind::value && raw_[o.value]; };
  until_stable([&](simt::ValueId v, const std::vector<simt::Operand>& from, const simt::Inst* inst) {
    if (!arithmetic[v] || raw_[v]) return false;
    const bool moved = (!inst || carries_raw_nan(*inst)) && std::any_of(from.begin(), from.end(), raw);
    const bool kept = inst && !inst->prior.empty() && raw(inst->prior[0]);
    if (!moved && !kept && !(inst && leaves_raw_nan(*inst))) return false;
    raw_[v] = true;
    return true;
  });
}

llvm::Value* Emitter::affine_scale(const simt::Inst& inst) {
  const simt::ValueId v = inst.dsts[0];
  if (!shapes[v].scaled) return nullptr;
  const int width = simt::bits(kernel.values[v].width);
  const int type_bits = ptx::bits(inst.types[0]);
  auto scale_of = [&](std::size_t i) -> Value* {
    const Lanes l = lanes(inst.srcs[i], width);
    return l.scale ? resize(l.scale, width, true) : nullptr;
  };
  auto sum = [&](Value* x, Value* y, bool minus) -> Value* {
    if (!y) return x;
    if (!x) return minus ? b.CreateNeg(y) : y;
    return minus ? b.CreateSub(x, y) : b.CreateAdd(x, y);
  };
  // The product's scale: the factors are read at the source's width and extended as the type says.
  auto product = [&]() -> Value* {
    std::size_t a = 0, f = 1;
    if (kind(inst.srcs[a]) == Kind::uniform) std::swap(a, f);
    const bool sign = ptx::is_signed(inst.types[0]);
    if (kind(inst.srcs[a]) == Kind::uniform) return nullptr;
    Value* factor = resize(get(inst.srcs[f], type_bits, Form::scalar), width, sign);
    const Lanes la = lanes(inst.srcs[a], type_bits);
    if (la.scale) return b.CreateMul(resize(resize(la.scale, type_bits, false), width, true), factor);
    return inst.srcs[f].kind == simt::Operand::Kind::imm ? nullptr : factor;
  };
  switch (simt::rule(kernel, shapes, inst)) {
    case Rule::copy:
    case Rule::extend:
    case Rule::narrow:
    case Rule::to_generic:
    case Rule::from_generic: return scale_of(0);
    case Rule::add: return sum(scale_of(0), scale_of(1), false);
    case Rule::sub: return sum(scale_of(0), scale_of(1), true);
    case Rule::neg:
    case Rule::not_: return b.CreateNeg(scale_of(0));
    case Rule::mul: return product();
    case Rule::mad: return sum(product(), scale_of(2), false);
    case Rule::shl: return b.CreateShl(scale_of(0), imm(width, Form::scalar, inst.srcs[1].bits));
    case Rule::select: {
      Value *x = scale_of(0), *y = scale_of(1), *zero = imm(width, Form::scalar, 0);
      return b.CreateSelect(get(inst.srcs[2], 1, Form::scalar), x ? x : zero, y ? y : zero);
    }
    default: return nullptr;
  }
}

void Emitter::define_affine(const simt::Inst& inst, Value* base) {
  const simt::ValueId v = inst.dsts[0];
  const simt::ValueShape& s = shapes[v];
  const int width = simt::bits(kernel.values[v].width);
  Lanes l;
  l.kind = Kind::affine;
  l.pattern = s.pattern;
  l.scaled = s.scaled;
  l.bits = resize(base, width, ptx::is_signed(inst.types[0]));
  if (Value* by = correction(inst)) {
    by = resize(by, width, true);
    if (inst.op != Opcode::cvt) {
      const std::size_t factor = kind(inst.srcs[0]) == Kind::uniform ? 0 : 1;
      const int type_bits = ptx::bits(inst.types[0]);
      by = b.CreateMul(
          by, resize(get(inst.srcs[factor], type_bits, Form::scalar), width, ptx::is_signed(inst.types[0])));
    }
    l.bits = b.CreateAdd(l.bits, by);
  }
  l.scale = affine_scale(inst);
  if (s.scaled && !l.scale) l.scale = imm(width, Form::scalar, 0);
  if (inst.guard != simt::no_value) {
    simt::Operand guard = simt::Operand::of(inst.guard);
    guard.negated = inst.guard_negated;
    if (kind(guard) != Kind::vector) {
      Value* g = get(guard, 1, Form::scalar);
      const Lanes old = lanes(inst.prior[0], width);
      l.bits = b.CreateSelect(g, l.bits, resize(old.bits, width, false));
      if (l.scale)
        l.scale = b.CreateSelect(g, l.scale,
                                 old.scale ? resize(old.scale, width, true) : imm(width, Form::scalar, 0));
    }
  }
  define(v, l);
}

bool Emitter::emit_pure(const simt::Inst& inst) {
  if ((inst.op != Opcode::cvta || simt::reaches_cluster(inst)) && !interp::is_alu(inst)) return false;
  bool wanted = false, vector = false;
  for (simt::ValueId v : inst.dsts) {
    if (v == simt::no_value) continue;
    wanted = true;
    if (shapes[v].kind == Kind::vector) vector = true;
  }
  if (!wanted) return true;
  for (const simt::Operand& o : inst.srcs)
    if (kind(o) == Kind::vector) vector = true;
  const bool affine_result = inst.dsts[0] != simt::no_value && shapes[inst.dsts[0]].kind == Kind::affine;
  // A uniform result of affine sources (a difference of equal patterns, a comparison) has lane 0's value.
  Alu a{*this, inst, vector ? Form::vector : Form::scalar, b, {}};
  if (!emit_float(a) && !emit_compare(a) && !emit_convert(a) && !emit_integer(a) && !emit_bits(a)) {
    if (inst.op == Opcode::cvta) return false;
    call_alu(inst);
    return true;
  }
  if (leaves_raw_nan(inst) && inst.dsts[0] != simt::no_value && !raw_[inst.dsts[0]] && a.results[0].value) {
    Value* v = a.results[0].value;
    a.results[0].value = canonical_nan(
        b.CreateBitCast(v, int_type(static_cast<int>(v->getType()->getScalarSizeInBits()), a.form)));
  }
  for (std::size_t i = 0; i < a.results.size() && i < inst.dsts.size(); ++i) {
    if (!a.results[i].value || inst.dsts[i] == simt::no_value) continue;
    if (i == 0 && affine_result && !vector)
      define_affine(inst, a.results[0].value);
    else
      define_from(inst, i, a.results[i].value, a.form, a.results[i].is_signed);
  }
  return true;
}

void Emitter::trace_operand(const simt::Inst& inst) {
  if (!traced() || inst.slot == simt::no_slot) return;
  Mask mask = inst_mask(inst);
  if (inst.op == Opcode::cp_async) {
    trace_access(*this, address_of(*this, inst, inst.srcs[1], 0, ptx::Space::global), mask);
    return;
  }
  Address a = address_of(*this, inst, inst.srcs[0], inst.offset, inst.space());
  if ((inst.op == Opcode::ldmatrix || inst.op == Opcode::stmatrix) && inst.tile().count < 4) {
    const LaneMask rows = (LaneMask{1} << (8 * inst.tile().count)) - 1;
    mask.bits = b.CreateAnd(mask.bits, b.getInt32(rows));
    mask.vector = to_vector(mask.bits);
    mask.full = false;
  }
  const bool load = inst.op == Opcode::wmma_load, store = inst.op == Opcode::wmma_store;
  if (load || store) {  // the first element that each lane moves
    const simt::Matrix which = inst.tile().fragment == 'a'   ? simt::Matrix::a
                               : inst.tile().fragment == 'b' ? simt::Matrix::b
                                                             : simt::Matrix::c;
    const int width = ptx::bits(inst.types[0]), w = simt::elements_per_register(width);
    const int registers =
        simt::wmma_registers(which, inst.tile().m, inst.tile().n, inst.tile().k, inst.types[0], width);
    const bool by_column = inst.tile().a_col || inst.tile().b_col;
    const int rows = which == simt::Matrix::b ? inst.tile().k : inst.tile().m;
    const int columns = which == simt::Matrix::a ? inst.tile().k : inst.tile().n;
    simt::LanePattern outer{}, inner{};
    for (int l = 0; l < warp_size; ++l) {
      const simt::Element e =
          simt::wmma_element(which, inst.tile().m, inst.tile().n, inst.tile().k, registers * w, l, 0);
      outer[static_cast<std::size_t>(l)] = (by_column ? e.column : e.row) * (width / 8);
      inner[static_cast<std::size_t>(l)] = (by_column ? e.row : e.column) * (width / 8);
    }
    const std::size_t stride_at = 1 + static_cast<std::size_t>(store ? registers : 0);
    Value* leading =
        inst.srcs.size() > stride_at
            ? b.CreateSExt(get(inst.srcs[stride_at], 32, Form::vector), int_type(64, Form::vector))
            : static_cast<Value*>(
                  imm(64, Form::vector, static_cast<std::uint64_t>(by_column ? rows : columns)));
    Value* start = a.lanes;
    if (a.regular) {
      start = b.CreateAdd(splat(a.base), lane_constants(64, a.offsets));
      if (a.scale) start = b.CreateAdd(start, b.CreateMul(splat(a.scale), lane_constants(64, a.factors)));
    }
    a.lanes = b.CreateAdd(b.CreateAdd(start, lane_constants(64, inner)),
                          b.CreateMul(leading, lane_constants(64, outer)));
    a.regular = false;
  }
  trace_access(*this, a, mask);
}

bool Emitter::emit_barrier(const simt::Inst& inst) {
  if (inst.op != Opcode::bar && inst.op != Opcode::barrier) return false;
  const ptx::Barrier kind_of = inst.meeting().barrier;
  if (kind_of == ptx::Barrier::warp_sync) {
    compiler_fence();
    return true;
  }
  const bool reduces = kind_of == ptx::Barrier::red_popc || kind_of == ptx::Barrier::red_and ||
                       kind_of == ptx::Barrier::red_or;
  const std::size_t plain = inst.srcs.size() - (reduces ? 1 : 0);
  const Mask mask = inst_mask(inst);
  auto operand = [&](std::size_t i) -> Value* {
    if (i >= plain) return b.getInt32(0);
    if (kind(inst.srcs[i]) != Kind::vector) return get(inst.srcs[i], 32, Form::scalar);
    return extract_active(get(inst.srcs[i], 32, Form::vector));
  };
  Value *id = operand(0), *threads = operand(1);
  store_context(offsetof(WarpContext, barrier_kind), b.getInt32(static_cast<std::uint32_t>(kind_of)));
  store_context(offsetof(WarpContext, barrier_id), id);
  store_context(offsetof(WarpContext, barrier_threads), threads);
  store_context(offsetof(WarpContext, barrier_mask), mask.bits);
  Value* predicate = b.getInt32(0);
  if (reduces) {
    Value* p = get(inst.srcs[plain], 1, Form::vector);
    predicate = to_bits(mask.full ? p : b.CreateAnd(p, mask.vector));
  }
  store_context(offsetof(WarpContext, barrier_predicate), predicate);
  if (traced() && inst.slot != simt::no_slot) {
    trace_word(b.CreateOr(b.CreateZExt(id, b.getInt64Ty()),
                          b.CreateShl(b.CreateZExt(threads, b.getInt64Ty()), b.getInt64(32))));
    const auto head = std::uint64_t(trace::Kind::barrier) << 48 | std::uint64_t(trace::Space::none) << 56;
    trace_word(b.CreateOr(b.CreateZExt(mask.bits, b.getInt64Ty()), b.getInt64(head)));
  }
  const bool plain_sync = kind_of == ptx::Barrier::sync && inst.guard == simt::no_value && plain == 1 &&
                          inst.srcs[0].kind == simt::Operand::Kind::imm && inst.srcs[0].bits == 0;
  if (plain_sync && !traced())
    pass_on();
  else
    yield(simt::Yield::barrier);
  if (!inst.dsts.empty() && inst.dsts[0] != simt::no_value) {
    Value* r = load_context_now(offsetof(WarpContext, barrier_result), 32);
    if (kernel.values[inst.dsts[0]].width == simt::Width::pred) r = b.CreateICmpNE(r, b.getInt32(0));
    define_from(inst, 0, r, Form::scalar, false);
  }
  return true;
}

void Emitter::emit(const simt::Inst& inst, std::uint32_t index) {
  if (simt::assumes_no_wrap(kernel, shapes, inst)) {
    assume_no_wrap(inst, index);
    flush_assumptions();
  }
  const bool reads_time = inst.op == Opcode::mov && inst.srcs.size() == 1 &&
                          inst.srcs[0].kind == simt::Operand::Kind::special &&
                          block->suspend == simt::Suspend::clock && index + 1 == block->insts.size();
  if (reads_time) yield(simt::Yield::clock);
  if (emit_pure(inst)) return;
  switch (inst.op) {
    case Opcode::cp_async_commit_group:
    case Opcode::cp_async_wait_group:
    case Opcode::cp_async_wait_all:
    case Opcode::cp_async_bulk_commit_group:
    case Opcode::cp_async_bulk_wait_group:  // copies are done when issued
      if (traced()) {
        const auto head = std::uint64_t(trace::Kind::group) << 48 | std::uint64_t(trace::Space::none) << 56;
        trace_word(b.getInt64(interp::group_base(inst)));
        trace_word(b.CreateOr(b.CreateZExt(inst_mask(inst).bits, b.getInt64Ty()), b.getInt64(head)));
      }
      return;
    case Opcode::griddepcontrol:
    case Opcode::setmaxnreg:
    case Opcode::wgmma_commit_group:  // products are done when issued
    case Opcode::wgmma_fence:
    case Opcode::pmevent: return;
    case Opcode::wgmma_wait_group: yield(simt::Yield::products); return;
    case Opcode::membar:
    case Opcode::fence: b.CreateFence(llvm::AtomicOrdering::SequentiallyConsistent); return;
    case Opcode::call:
      if (inst.syscall == simt::Syscall::none)
        call_function(inst);
      else
        call_syscall(inst);
      return;
    case Opcode::ret: emit_return(inst); return;
    case Opcode::nanosleep: {
      const Mask mask = inst_mask(inst);
      Value* ns = get(inst.srcs[0], 32, Form::vector);
      ns = b.CreateIntMaxReduce(mask.full ? ns : b.CreateSelect(mask.vector, ns, imm(32, Form::vector, 0)));
      store_context(offsetof(WarpContext, sleep_ns), b.CreateZExt(ns, b.getInt64Ty()));
      yield(simt::Yield::sleep);
      return;
    }
    default: break;
  }
  if (simt::is_asynchronous(inst.op) || simt::reaches_cluster(inst)) {
    compiler_fence();
    call_out(inst, "wanren_interp_async_op");
    return;
  }
  if (emit_barrier(inst) || emit_memory(inst)) return;
  if (inst.op == Opcode::cvta || inst.op == Opcode::isspacep) {
    call_alu(inst);
    return;
  }
  trace_operand(inst);
  if (emit_atomic(inst) || emit_warp(inst) || emit_matrix(inst) || emit_product(inst)) return;
  compiler_fence();
  call_alu(inst);
}

}  // namespace wanren::jit
