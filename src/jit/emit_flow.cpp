// Blocks, terminators and the thread-frontier dispatch between them.

#include <algorithm>

#include "jit/emitter.h"
#include "simt/opcode_traits.h"

namespace wanren::jit {

using simt::BlockId;
using simt::Terminator;
using Kind = simt::ValueShape::Kind;

namespace {

/// More blocks to ask than this go through the hub, in kernels that have one.
constexpr std::size_t longest_dispatch = 8;

void set_bit(llvm::IRBuilder<>& b, llvm::Value* words, BlockId id, bool on) {
  llvm::Value* where = b.CreateConstGEP1_64(b.getInt64Ty(), words, id / 64);
  llvm::Value* old = b.CreateLoad(b.getInt64Ty(), where);
  const std::uint64_t bit = std::uint64_t{1} << id % 64;
  b.CreateStore(on ? b.CreateOr(old, b.getInt64(bit)) : b.CreateAnd(old, b.getInt64(~bit)), where);
}

}  // namespace

// Two versions of a block: `together`, where all 32 lanes run it and none is anywhere else, and the general
// one under a mask. A branch that splits the warp goes from the first to the second; the way back is at loop
// headers and outside loops.

void Emitter::plan_versions() {
  const auto n = kernel.blocks.size();
  std::size_t instructions = 0;
  for (const simt::Block& blk : kernel.blocks) instructions += blk.insts.size();
  const bool small_block = !shape.generic && shape.block.count() < warp_size;
  // Very long kernels are compiled once.
  const bool together = !small_block && instructions <= 6000;
  has_version_[0].assign(n, together);
  has_version_[1].assign(n, false);
  std::vector<BlockId> work;
  auto need = [&](BlockId id) {
    if (together && full_entry_ && shapes.whole[id]) return;
    if (has_version_[1][id]) return;
    has_version_[1][id] = true;
    work.push_back(id);
  };
  if (!together || !full_entry_) need(0);
  for (const simt::Block& blk : kernel.blocks)
    if (together && shapes.divergent[blk.id])
      for (BlockId t : blk.term.targets) need(t);
  while (!work.empty()) {
    const BlockId id = work.back();
    work.pop_back();
    for (BlockId t : kernel.blocks[id].term.targets) need(t);
    for (BlockId t : shapes.frontier[id]) need(t);
  }
}

// Where many blocks may be pending at once, as behind a loop that spins, a chain of questions at the end of
// each would make the code quadratic. Such kernels ask one hub, which finds the lowest pending block in a bit
// map.
void Emitter::plan_hub() {
  std::size_t questions = 0;
  for (const simt::Block& blk : kernel.blocks) {
    const auto& waiting = shapes.frontier[blk.id];
    if (waiting.size() <= longest_dispatch) continue;
    const auto& targets = blk.term.targets;
    const BlockId last = targets.empty() || blk.term.spins
                             ? static_cast<BlockId>(kernel.blocks.size())
                             : *std::max_element(targets.begin(), targets.end());
    questions += static_cast<std::size_t>(
        std::count_if(waiting.begin(), waiting.end(), [&](BlockId id) { return id < last; }));
  }
  if (questions < 2000) return;
  hub_ = llvm::BasicBlock::Create(c, "hub", fn);
  hub_for_others_ = llvm::BasicBlock::Create(c, "hub_for_others", fn);
  auto* words = llvm::ArrayType::get(b.getInt64Ty(), (kernel.blocks.size() + 63) / 64);
  for (Value** bits : {&pending_words_, &passed_over_}) {
    *bits = slot(words);
    b.CreateStore(llvm::Constant::getNullValue(words), *bits);
  }
  set_bit(b, pending_words_, 0, true);
}

void Emitter::mark_pending(BlockId id, Value* lanes) {
  if (!hub_) return;
  Value* where = b.CreateConstGEP1_64(b.getInt64Ty(), pending_words_, id / 64);
  Value* bit = b.CreateSelect(b.CreateICmpNE(lanes, b.getInt32(0)), b.getInt64(std::uint64_t{1} << id % 64),
                              b.getInt64(0));
  b.CreateStore(b.CreateOr(b.CreateLoad(b.getInt64Ty(), where), bit), where);
}

void Emitter::emit_hub() {
  const auto n = static_cast<BlockId>(kernel.blocks.size());
  const unsigned words = (n + 63) / 64;
  b.SetCurrentDebugLocation(llvm::DILocation::get(c, 1, 0, subprogram_));
  auto word = [&](Value* bits, unsigned i) { return b.CreateConstGEP1_64(b.getInt64Ty(), bits, i); };
  auto lowest = [&](llvm::function_ref<Value*(Value*, unsigned)> among) {
    Value* id = b.getInt64(n);
    for (unsigned i = words; i-- > 0;) {
      Value* w = among(b.CreateLoad(b.getInt64Ty(), word(pending_words_, i)), i);
      Value* here = b.CreateAdd(b.CreateBinaryIntrinsic(llvm::Intrinsic::cttz, w, b.getFalse()),
                                b.getInt64(std::uint64_t{i} * 64));
      id = b.CreateSelect(b.CreateICmpNE(w, b.getInt64(0)), here, id);
    }
    return id;
  };
  llvm::BasicBlock* jump = new_block("jump");
  b.SetInsertPoint(hub_for_others_);
  // First who neither spins nor is where lanes meet, then who spins.
  Value* impatient = take_turn();
  auto apart = [&](Value* w, unsigned i) {
    std::uint64_t patient = 0, barriers = 0;
    for (BlockId id = i * 64; id < std::min<BlockId>(n, i * 64 + 64); ++id) {
      patient |= std::uint64_t{waits_for_spinning(id, true)} << id % 64;
      barriers |= std::uint64_t{waits_for_spinning(id, false)} << id % 64;
    }
    return b.CreateAnd(w, b.CreateSelect(impatient, b.getInt64(~barriers), b.getInt64(~patient)));
  };
  Value* free = lowest([&](Value* w, unsigned i) {
    return b.CreateAnd(apart(w, i), b.CreateNot(b.CreateLoad(b.getInt64Ty(), word(passed_over_, i))));
  });
  Value* other = b.CreateSelect(b.CreateICmpNE(free, b.getInt64(n)), free, lowest(apart));
  for (unsigned i = 0; i < words; ++i) b.CreateStore(b.getInt64(0), word(passed_over_, i));
  b.CreateCondBr(b.CreateICmpEQ(other, b.getInt64(n)), hub_, jump);
  b.SetInsertPoint(hub_);
  Value* any = lowest([](Value* w, unsigned) { return w; });
  b.CreateBr(jump);
  b.SetInsertPoint(jump);
  llvm::PHINode* id = b.CreatePHI(b.getInt64Ty(), 2);
  id->addIncoming(other, hub_for_others_);
  id->addIncoming(any, hub_);
  llvm::SwitchInst* to = b.CreateSwitch(id, exit_, n);
  together_ = false;
  for (BlockId target = 0; target < n; ++target) {
    llvm::BasicBlock* way = new_block("way");
    to->addCase(b.getInt64(target), way);
    b.SetInsertPoint(way);
    go(target, false);
  }
}

std::span<const BlockId> Emitter::frontier() const {
  if (together_) return {};
  return shapes.frontier[block->id];
}

void Emitter::emit_block(const simt::Block& blk, bool together) {
  block = &blk;
  together_ = together;
  local_.clear();
  local_order_.clear();
  assumed_.clear();
  corrections_.clear();
  aligned_.clear();
  early_loads.clear();
  assumptions_.clear();
  mask_vector_ = nullptr;
  inst_index_ = 0;
  b.SetInsertPoint(heads_[together ? 0 : 1][blk.id]);
  set_location(0);
  if (together) {
    mask_ = b.getInt32(full_mask);
    full_ = true;
  } else if (shapes.whole[blk.id]) {
    mask_ = entry_mask_;
    full_ = full_entry_;
  } else {
    mask_ = b.CreateLoad(b.getInt32Ty(), pending_[blk.id]);
    full_ = false;
  }
  b.CreateStore(b.getInt32(0), pending_[blk.id]);
  if (hub_) set_bit(b, pending_words_, blk.id, false);
  mask_vector_ = full_ ? static_cast<Value*>(imm(1, Form::vector, 1)) : to_vector(mask_);
  // Values live at the start are read here, where they dominate every inner block.
  find_uses(blk);
  for (simt::ValueId v : shapes.live_in[blk.id])
    if (last_use_.contains(v)) lanes(v);
  for (const simt::Phi& phi : blk.phis) lanes(phi.dst);
  count_block();
  if (traced()) begin_block_trace();
  check_assumptions_early();
  for (std::uint32_t i = 0; i < blk.insts.size() && error.empty(); ++i) {
    if (early_[i]) continue;
    inst_index_ = i;
    set_location(i);
    emit(blk.insts[i], i);
  }
  if (!error.empty()) return;
  inst_index_ = static_cast<std::uint32_t>(blk.insts.size());
  set_location(inst_index_);
  emit_terminator();
}

void Emitter::count_block() {
  const BlockId id = block->id;
  Value* threads =
      full_ ? nullptr : b.CreateZExt(b.CreateUnaryIntrinsic(llvm::Intrinsic::ctpop, mask_), b.getInt64Ty());
  auto bump = [&](Value* where, Value* by) {
    b.CreateStore(b.CreateAdd(b.CreateLoad(b.getInt64Ty(), where), by), where);
  };
  if (warp_count_[id]) {
    if (!threads) {
      bump(full_count_[id], b.getInt64(1));
      return;
    }
    bump(warp_count_[id], b.getInt64(1));
    bump(thread_count_[id], threads);
    return;
  }
  Value* counts = load_context(offsetof(simt::WarpContext, counts), 0);
  const BlockId frozen = extent.first_block + id;
  bump(b.CreateConstGEP1_32(b.getInt64Ty(), counts, frozen * 2), b.getInt64(1));
  bump(b.CreateConstGEP1_32(b.getInt64Ty(), counts, frozen * 2 + 1),
       threads ? threads : b.getInt64(warp_size));
}

void Emitter::write_phis(BlockId to, std::size_t occurrence, Value* edge_bits, bool divergent,
                         std::span<const BlockId> others) {
  const simt::Block& target = kernel.blocks[to];
  if (target.phis.empty()) return;
  std::size_t incoming = 0, seen = 0;
  for (; incoming < target.preds.size(); ++incoming)
    if (target.preds[incoming] == block->id && seen++ == occurrence) break;
  WR_CHECK(incoming < target.preds.size());
  const auto waiting = frontier();
  const bool lanes_wait_there = std::binary_search(waiting.begin(), waiting.end(), to);
  std::vector<Lanes> values;
  for (const simt::Phi& phi : target.phis) {
    const int width = simt::bits(kernel.values[phi.dst].width);
    values.push_back(coerce(
        [&] {
          simt::Operand o = phi.incoming[incoming];
          Lanes l = lanes(o, width);
          if (o.kind == simt::Operand::Kind::value && raw_[o.value] && !raw_[phi.dst])
            l.bits = canonical_nan(l.bits);
          if (o.negated) {
            l.bits = b.CreateNot(materialise(l, width));
            l.kind = Kind::vector;
          }
          return l;
        }(),
        phi.dst));
  }
  Value* edge_vector = nullptr;
  for (std::size_t i = 0; i < target.phis.size(); ++i) {
    const simt::ValueId v = target.phis[i].dst;
    bool blend = lanes_wait_there || is_kept(v);
    if (divergent && !blend)
      for (BlockId other : others) {
        const auto& live = shapes.live_in[other];
        // A target that stands twice in a table keeps what the other occurrence wrote.
        if (other == to || std::find(live.begin(), live.end(), v) != live.end()) blend = true;
      }
    if (blend && full_ && !divergent) blend = false;
    if (blend && !edge_vector) edge_vector = to_vector(edge_bits);
    store_variable(v, values[i], blend ? edge_vector : nullptr);
  }
}

void Emitter::edge(BlockId to, std::size_t occurrence, Value* edge_bits, bool divergent) {
  (void)occurrence;
  const auto others = frontier();
  Value* bits = edge_bits;
  const bool waiting = std::binary_search(others.begin(), others.end(), to);
  if (waiting || divergent) bits = b.CreateOr(bits, b.CreateLoad(b.getInt32Ty(), pending_[to]));
  b.CreateStore(bits, pending_[to]);
  mark_pending(to, bits);
}

/// Jumps to a block where lanes are pending; `split`: some lanes are elsewhere for certain.
void Emitter::go(BlockId to, bool split) {
  const bool together = has_version_[0][to], general = has_version_[1][to];
  if (!general || (together && together_ && !split)) {
    b.CreateBr(heads_[0][to]);
    return;
  }
  // Entering loops elsewhere than at their header would make them irreducible.
  const simt::Block& target = kernel.blocks[to];
  if (!together || split || (target.loop_depth != 0 && target.loop_header != to)) {
    b.CreateBr(heads_[1][to]);
    return;
  }
  Value* all = b.CreateICmpEQ(b.CreateLoad(b.getInt32Ty(), pending_[to]), b.getInt32(full_mask));
  b.CreateCondBr(all, heads_[0][to], heads_[1][to]);
}

/// Lanes that spin are waited for at this block: a barrier of the CTA, or, as long as patience lasts, any
/// place where lanes meet.
bool Emitter::waits_for_spinning(BlockId id, bool patient) const {
  const simt::Block& at = kernel.blocks[id];
  return simt::warps_meet(at) || (patient && simt::lanes_meet(at));
}

/// Counts a spin; true where patience has come to an end.
llvm::Value* Emitter::take_turn() {
  Value* turns = b.CreateAdd(load_context_now(offsetof(simt::WarpContext, turns), 32), b.getInt32(1));
  store_context(offsetof(simt::WarpContext, turns), turns);
  return b.CreateICmpEQ(b.CreateURem(turns, b.getInt32(simt::meeting_patience)), b.getInt32(0));
}

/// The blocks where lanes may be pending, in the order in which they run next.
std::vector<BlockId> Emitter::dispatch_order(std::span<const BlockId> certain, bool exits,
                                             bool patient) const {
  const auto waiting = frontier();
  std::vector<BlockId> order(waiting.begin(), waiting.end());
  order.insert(order.end(), certain.begin(), certain.end());
  std::sort(order.begin(), order.end());
  order.erase(std::unique(order.begin(), order.end()), order.end());
  auto is_certain = [&](BlockId id) {
    return std::find(certain.begin(), certain.end(), id) != certain.end();
  };
  if (block->term.spins) {
    // Lanes that spin let every other pending lane run first, or a lock held by one would never open; but
    // where lanes meet, the others wait for them.
    const auto rank = [&](BlockId id) {
      if (is_certain(id) && id <= block->id) return 1;
      return waits_for_spinning(id, patient) ? 2 : 0;
    };
    std::stable_sort(order.begin(), order.end(), [&](BlockId x, BlockId y) { return rank(x) < rank(y); });
  } else if (!exits) {
    while (!order.empty() && !is_certain(order.back())) order.pop_back();
  }
  return order;
}

/// Jumps to the lowest pending block of `certain` and the frontier. Somebody is pending in
/// `certain` unless the block exits.
void Emitter::dispatch(std::span<const BlockId> certain, bool exits, bool split) {
  const std::vector<BlockId> order = dispatch_order(certain, exits, true);
  if (hub_ && order.size() > longest_dispatch && !(certain.size() == 1 && order[0] == certain[0])) {
    bool pass_over = false;
    for (BlockId id : certain) {
      if (!block->term.spins || id > block->id) continue;
      set_bit(b, passed_over_, id, true);
      pass_over = true;
    }
    b.CreateBr(pass_over ? hub_for_others_ : hub_);
    return;
  }
  if (const std::vector<BlockId> impatient = dispatch_order(certain, exits, false); impatient != order) {
    llvm::BasicBlock* pass = new_block("pass");
    llvm::BasicBlock* on = new_block("on");
    branch_unlikely(take_turn(), pass, on);
    b.SetInsertPoint(pass);
    go_first(impatient, certain, exits, split);
    b.SetInsertPoint(on);
  }
  go_first(order, certain, exits, split);
}

/// Jumps to the first block of `order` where lanes are pending.
void Emitter::go_first(std::span<const BlockId> order, std::span<const BlockId> certain, bool exits,
                       bool split) {
  for (std::size_t i = 0; i < order.size(); ++i) {
    const BlockId id = order[i];
    const bool sure = !exits && (i + 1 == order.size() || (certain.size() == 1 && certain[0] == id));
    if (sure) {
      go(id, split);
      return;
    }
    Value* any = b.CreateICmpNE(b.CreateLoad(b.getInt32Ty(), pending_[id]), b.getInt32(0));
    llvm::BasicBlock* here = new_block("go");
    llvm::BasicBlock* next = new_block("next");
    b.CreateCondBr(any, here, next);
    b.SetInsertPoint(here);
    go(id, split);
    b.SetInsertPoint(next);
  }
  b.CreateBr(exit_);
}

void Emitter::emit_terminator() {
  const Terminator& t = block->term;
  if (t.spins) {
    Value* coupled = b.CreateICmpNE(load_context(offsetof(simt::WarpContext, coupled), 32), b.getInt32(0));
    llvm::BasicBlock* wait = new_block("spin");
    llvm::BasicBlock* on = new_block("on");
    branch_unlikely(coupled, wait, on);
    b.SetInsertPoint(wait);
    yield_outlined(simt::Yield::spin);
    b.CreateBr(on);
    b.SetInsertPoint(on);
  }
  switch (t.kind) {
    case Terminator::Kind::exit: dispatch({}, true, false); return;
    case Terminator::Kind::trap: raise(simt::Fault::trap, nullptr, mask_bits()); return;
    case Terminator::Kind::jump: {
      const BlockId to = t.targets[0];
      write_phis(to, 0, mask_bits(), false, {});
      edge(to, 0, mask_bits(), false);
      const BlockId certain[] = {to};
      dispatch(certain, false, false);
      return;
    }
    case Terminator::Kind::branch: {
      simt::Operand cond = simt::Operand::of(t.cond);
      cond.negated = t.negated;
      const BlockId targets[2] = {t.targets[0], t.targets[1]};
      const std::size_t second = targets[0] == targets[1] ? 1 : 0;
      if (!shapes.divergent[block->id]) {
        Value* taken = kind(cond) == Kind::vector ? extract_active(get(cond, 1, Form::vector))
                                                  : get(cond, 1, Form::scalar);
        llvm::BasicBlock* ways[2] = {new_block("taken"), new_block("fall")};
        b.CreateCondBr(taken, ways[0], ways[1]);
        for (int i = 0; i < 2; ++i) {
          b.SetInsertPoint(ways[i]);
          const auto saved = local_;
          write_phis(targets[i], i ? second : 0, mask_bits(), false, {});
          edge(targets[i], 0, mask_bits(), false);
          const BlockId certain[] = {targets[i]};
          dispatch(certain, false, false);
          local_ = saved;
        }
        return;
      }
      Value* c1 = get(cond, 1, Form::vector);
      Value* taken = to_bits(full_ ? c1 : b.CreateAnd(mask_vector(), c1));
      Value* fall = b.CreateAnd(mask_bits(), b.CreateNot(taken));
      if (together_) {
        // All one way: stay together.
        llvm::BasicBlock* ways[2] = {new_block("all"), new_block("none")};
        llvm::BasicBlock* some = new_block("some");
        llvm::BasicBlock* mixed = new_block("mixed");
        b.CreateCondBr(b.CreateICmpEQ(taken, b.getInt32(full_mask)), ways[0], some);
        b.SetInsertPoint(some);
        b.CreateCondBr(b.CreateICmpEQ(taken, b.getInt32(0)), ways[1], mixed);
        for (int i = 0; i < 2; ++i) {
          b.SetInsertPoint(ways[i]);
          write_phis(targets[i], i ? second : 0, mask_bits(), false, {});
          const BlockId certain[] = {targets[i]};
          dispatch(certain, false, false);
        }
        b.SetInsertPoint(mixed);
      }
      const BlockId other0[] = {targets[1]}, other1[] = {targets[0]};
      write_phis(targets[0], 0, taken, true, other0);
      write_phis(targets[1], second, fall, true, other1);
      edge(targets[0], 0, taken, true);
      edge(targets[1], second, fall, true);
      dispatch(targets, false, together_);
      return;
    }
    case Terminator::Kind::index: {
      // Lanes beyond the table are undefined behaviour; they take the last target.
      simt::Operand cond = simt::Operand::of(t.cond);
      const int width = simt::bits(kernel.values[t.cond].width);
      Value* index = get(cond, width, Form::vector);
      Value* left = mask_vector();
      std::vector<Value*> bits;
      std::vector<std::size_t> occurrences;
      for (std::size_t i = 0; i < t.targets.size(); ++i) {
        Value* here = left;
        if (i + 1 < t.targets.size())
          here = b.CreateAnd(left, b.CreateICmpEQ(index, imm(width, Form::vector, i)));
        left = b.CreateAnd(left, b.CreateNot(here));
        bits.push_back(to_bits(here));
        occurrences.push_back(static_cast<std::size_t>(
            std::count(t.targets.begin(), t.targets.begin() + static_cast<std::ptrdiff_t>(i), t.targets[i])));
      }
      std::vector<BlockId> all(t.targets);
      for (std::size_t i = 0; i < t.targets.size(); ++i) {
        std::vector<BlockId> others;
        for (BlockId o : all)
          if (o != t.targets[i]) others.push_back(o);
        if (std::count(all.begin(), all.end(), t.targets[i]) > 1) others.push_back(t.targets[i]);
        write_phis(t.targets[i], occurrences[i], bits[i], true, others);
        edge(t.targets[i], 0, bits[i], true);
      }
      std::sort(all.begin(), all.end());
      all.erase(std::unique(all.begin(), all.end()), all.end());
      dispatch(all, false, false);
      return;
    }
  }
}

void Emitter::emit_exit() {
  b.SetInsertPoint(exit_);
  Value* counts = load_context(offsetof(simt::WarpContext, counts), 0);
  for (const simt::Block& blk : kernel.blocks) {
    if (!warp_count_[blk.id]) continue;
    auto add = [&](std::uint32_t index, Value* by) {
      Value* where = b.CreateConstGEP1_32(b.getInt64Ty(), counts, index);
      b.CreateStore(b.CreateAdd(b.CreateLoad(b.getInt64Ty(), where), by), where);
    };
    Value* full = b.CreateLoad(b.getInt64Ty(), full_count_[blk.id]);
    const BlockId frozen = extent.first_block + blk.id;
    add(frozen * 2, b.CreateAdd(full, b.CreateLoad(b.getInt64Ty(), warp_count_[blk.id])));
    add(frozen * 2 + 1,
        b.CreateAdd(b.CreateShl(full, b.getInt64(5)), b.CreateLoad(b.getInt64Ty(), thread_count_[blk.id])));
  }
  if (cursor_) store_context(offsetof(simt::WarpContext, trace_cursor), b.CreateLoad(b.getPtrTy(), cursor_));
  b.CreateRetVoid();
}

}  // namespace wanren::jit
