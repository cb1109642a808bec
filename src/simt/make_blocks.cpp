// Items to basic blocks. A suspending instruction ends its block; all exits share one block.

#include <algorithm>

#include "simt/draft.h"
#include "simt/flow.h"
#include "simt/opcode_traits.h"

namespace wanren::simt {
namespace {

Suspend suspend_of(const Inst& inst) {
  if (waits_at_barrier(inst) || inst.op == ptx::Opcode::barrier_cluster_wait) return Suspend::barrier;
  if (inst.op == ptx::Opcode::nanosleep) return Suspend::sleep;
  if (inst.op == ptx::Opcode::mbarrier_try_wait) return Suspend::phase;
  if (inst.op == ptx::Opcode::wgmma_wait_group) return Suspend::products;
  if (inst.op == ptx::Opcode::call && inst.syscall == Syscall::none) return Suspend::call;
  for (const Operand& o : inst.srcs)
    if (o.kind == Operand::Kind::special && reads_time(o.special)) return Suspend::clock;
  return Suspend::none;
}

bool forwards(const Block& b) {
  return b.insts.empty() && b.ptx_instructions == 0 && b.term.kind == Terminator::Kind::jump &&
         b.suspend == Suspend::none;
}

// Where a jump to `b` really leads, past blocks that do nothing.
BlockId final_target(const std::vector<Block>& blocks, BlockId b) {
  const BlockId start = b;
  for (std::size_t steps = 0; forwards(blocks[b]) && steps <= blocks.size(); ++steps) {
    b = blocks[b].term.targets[0];
    if (b == start) return start;
  }
  return b;
}

void drop_unreachable(std::vector<Block>& blocks) {
  const std::vector<BlockId> order = reverse_post_order(successors(blocks));
  std::vector<BlockId> renamed(blocks.size(), no_block);
  std::vector<bool> keep(blocks.size());
  for (const BlockId b : order) keep[b] = true;
  std::vector<Block> kept;
  for (BlockId b = 0; b < blocks.size(); ++b) {
    if (!keep[b]) continue;
    renamed[b] = static_cast<BlockId>(kept.size());
    kept.push_back(std::move(blocks[b]));
  }
  for (Block& b : kept)
    for (BlockId& t : b.term.targets) t = renamed[t];
  blocks = std::move(kept);
}

void join_chains(std::vector<Block>& blocks) {
  std::vector<std::uint32_t> preds(blocks.size());
  preds[0] = 1;
  for (const auto& list : successors(blocks))
    for (const BlockId s : list) ++preds[s];
  std::vector<bool> gone(blocks.size());
  for (BlockId b = 0; b < blocks.size(); ++b) {
    if (gone[b]) continue;
    while (blocks[b].term.kind == Terminator::Kind::jump && blocks[b].suspend == Suspend::none) {
      const BlockId t = blocks[b].term.targets[0];
      if (t == b || preds[t] != 1 || gone[t]) break;
      Block& to = blocks[b];
      Block& from = blocks[t];
      std::move(from.insts.begin(), from.insts.end(), std::back_inserter(to.insts));
      to.ptx_instructions += from.ptx_instructions;
      to.suspend = from.suspend;
      to.term = std::move(from.term);
      from.term = {};
      gone[t] = true;
    }
  }
}

}  // namespace

void join_blocks(std::vector<Block>& blocks) {
  drop_unreachable(blocks);
  join_chains(blocks);
  drop_unreachable(blocks);
}

void make_blocks(Draft& draft) {
  std::vector<Block>& blocks = draft.kernel.blocks;
  std::vector<BlockId> at(draft.labels, no_block);  // Block that a label begins.
  blocks.emplace_back();
  bool open = true;
  // Targets hold labels until the end; a fall-through gets a label of its own.
  auto begin_block = [&](LabelId label) {
    if (open) {
      blocks.back().term.kind = Terminator::Kind::jump;
      blocks.back().term.targets = {label};
    }
    at[label] = static_cast<BlockId>(blocks.size());
    blocks.emplace_back();
    open = true;
  };
  auto fresh_label = [&] {
    at.push_back(no_block);
    return draft.labels++;
  };
  const LabelId end = fresh_label();
  for (Item& item : draft.items) {
    if (item.kind == Item::Kind::label) {
      begin_block(item.label);
      continue;
    }
    if (!open) begin_block(fresh_label());
    if (item.kind == Item::Kind::no_unroll) {
      blocks.back().no_unroll = true;
      continue;
    }
    if (item.kind == Item::Kind::inst) {
      Block& b = blocks.back();
      b.ptx_instructions += item.counts;
      b.insts.push_back(std::move(item.inst));
      b.suspend = suspend_of(b.insts.back());
      if (b.suspend != Suspend::none) begin_block(fresh_label());
      continue;
    }
    Block& b = blocks.back();
    b.ptx_instructions += item.counts;
    b.term = std::move(item.term);
    if (b.term.kind == Terminator::Kind::exit) {
      b.term.kind = Terminator::Kind::jump;
      b.term.targets = {end};
    }
    open = false;
  }
  draft.items.clear();
  begin_block(end);
  blocks.back().term.kind = Terminator::Kind::exit;

  for (Block& b : blocks)
    for (BlockId& t : b.term.targets) t = at[t];
  for (Block& b : blocks) {
    for (BlockId& t : b.term.targets) t = final_target(blocks, t);
    auto& targets = b.term.targets;
    if (b.term.kind != Terminator::Kind::jump && !targets.empty() &&
        std::all_of(targets.begin(), targets.end(), [&](BlockId t) { return t == targets[0]; })) {
      targets.resize(1);
      b.term.kind = Terminator::Kind::jump;
      b.term.cond = no_value;
      b.term.negated = false;
    }
  }
  join_blocks(blocks);
  bool entry_is_target = false;
  for (const Block& b : blocks)
    for (const BlockId t : b.term.targets) entry_is_target |= t == 0;
  if (entry_is_target) {
    Block entry;
    entry.term.kind = Terminator::Kind::jump;
    entry.term.targets = {0};
    blocks.insert(blocks.begin(), std::move(entry));
    for (Block& b : blocks)
      for (BlockId& t : b.term.targets) ++t;
  }
}

}  // namespace wanren::simt
