// Where a kernel sees what other CTAs do, its accesses that they may see, or that may see theirs, each
// begin a block: when traced, a warp suspends there until its turn in modelled time has come.

#include <algorithm>

#include "simt/draft.h"
#include "simt/flow.h"
#include "simt/opcode_traits.h"

namespace wanren::simt {
namespace {

using ptx::Opcode;
using S = ptx::Semantics;

/// Memory that another CTA may reach.
bool is_common(ptx::Space space) {
  return space == ptx::Space::none || space == ptx::Space::global || space == ptx::Space::shared_cluster;
}

bool is_strong(const Inst& inst) {
  const S s = inst.memory().semantics;
  return s == S::relaxed || s == S::acquire || s == S::release || s == S::volatile_ || s == S::mmio ||
         s == S::sc || s == S::acq_rel;
}

bool is_used(const Inst& inst) {
  return std::any_of(inst.dsts.begin(), inst.dsts.end(), [](ValueId d) { return d != no_value; });
}

bool is_heap_call(const Inst& inst) {
  return inst.op == Opcode::call && (inst.syscall == Syscall::malloc || inst.syscall == Syscall::free);
}

/// Its result depends on what other CTAs have done so far.
bool sees_others(const Inst& inst) {
  if (is_heap_call(inst)) return true;
  if (!is_common(inst.space()) || !is_used(inst)) return false;
  if (inst.op == Opcode::ld) return is_strong(inst) || inst.memory().cache == ptx::CacheOp::cv;
  return inst.op == Opcode::atom;
}

/// Others may see it at once, or it sees them.
bool takes_its_turn(const Inst& inst) {
  if (sees_others(inst)) return true;
  if (!is_common(inst.space())) return false;
  if (inst.op == Opcode::st) return is_strong(inst);
  return inst.op == Opcode::atom || inst.op == Opcode::red;
}

/// Moves everything from instruction `at` of `head` on into a block of its own.
Block split(Block& head, std::size_t at) {
  Block tail;
  tail.insts.assign(std::make_move_iterator(head.insts.begin() + static_cast<std::ptrdiff_t>(at)),
                    std::make_move_iterator(head.insts.end()));
  head.insts.resize(at);
  tail.term = std::move(head.term);
  tail.suspend = head.suspend;
  tail.loop_depth = head.loop_depth;
  tail.loop_header = head.loop_header;
  // All of the block's instructions run the same number of times; how they are shared out shows nowhere.
  const auto kept = std::min(head.ptx_instructions, static_cast<std::uint32_t>(at));
  tail.ptx_instructions = head.ptx_instructions - kept;
  head.ptx_instructions = kept;
  head.suspend = Suspend::none;
  head.term = {};
  head.term.kind = Terminator::Kind::jump;
  head.term.location = tail.insts.front().location;
  return tail;
}

}  // namespace

bool sees_other_ctas(const Kernel& kernel) {
  return std::any_of(kernel.blocks.begin(), kernel.blocks.end(),
                     [](const Block& b) { return std::any_of(b.insts.begin(), b.insts.end(), sees_others); });
}

void split_ordered(Kernel& kernel) {
  std::vector<Block> blocks;
  std::vector<BlockId> first, last;  // By old id: its first and its last part.
  for (Block& old : kernel.blocks) {
    first.push_back(static_cast<BlockId>(blocks.size()));
    blocks.push_back(std::move(old));
    for (std::size_t i = 0; i < blocks.back().insts.size(); ++i) {
      if (!takes_its_turn(blocks.back().insts[i])) continue;
      if (i > 0) {
        blocks.push_back(split(blocks.back(), i));
        i = 0;
      }
      blocks.back().ordered = true;
    }
    last.push_back(static_cast<BlockId>(blocks.size() - 1));
  }
  for (std::size_t old = 0; old < first.size(); ++old) {
    for (BlockId& p : blocks[first[old]].preds) p = last[p];
    for (BlockId& t : blocks[last[old]].term.targets) t = first[t];
    for (BlockId b = first[old]; b < last[old]; ++b) {
      blocks[b].term.targets = {b + 1};
      blocks[b + 1].preds = {b};
    }
  }
  kernel.blocks = std::move(blocks);
  const std::vector<BlockId> post = immediate_post_dominators(kernel.blocks);
  for (BlockId b = 0; b < kernel.blocks.size(); ++b) {
    Block& block = kernel.blocks[b];
    block.id = b;
    if (block.loop_header != no_block) block.loop_header = first[block.loop_header];
    block.immediate_post_dominator = post[b];
    for (const Inst& inst : block.insts)
      for (const ValueId d : inst.dsts)
        if (d != no_value) kernel.values[d].block = b;
    for (const Phi& phi : block.phis) kernel.values[phi.dst].block = b;
  }
}

}  // namespace wanren::simt
