// Thread frontiers: an abstract run of "lowest pending block first" over sets of possibly pending blocks.

#include <algorithm>
#include <bit>

#include "simt/analysis.h"

namespace wanren::simt {

bool BlockSet::add_above(const BlockSet& other, BlockId floor) {
  bool grew = false;
  for (std::size_t w = floor / 64; w < words_.size(); ++w) {
    std::uint64_t add = other.words_[w];
    if (w == floor / 64) add &= floor % 64 == 63 ? 0 : ~std::uint64_t{0} << (floor % 64 + 1);
    grew |= (add & ~words_[w]) != 0;
    words_[w] |= add;
  }
  return grew;
}

std::vector<BlockId> BlockSet::list() const {
  std::vector<BlockId> result;
  for (std::size_t w = 0; w < words_.size(); ++w)
    for (std::uint64_t rest = words_[w]; rest; rest &= rest - 1)
      result.push_back(static_cast<BlockId>(w * 64 + std::countr_zero(rest)));
  return result;
}

std::vector<BlockSet> pending_blocks(const Kernel& kernel, const std::vector<bool>& divergent,
                                     const BlockSet* split) {
  const std::size_t n = kernel.blocks.size();
  std::vector<BlockSet> pending(n, BlockSet(n));
  std::vector<bool> reached(n), queued(n);
  std::vector<BlockId> work{0};
  reached[0] = queued[0] = true;

  // Blocks in `set` may have lanes, those up to `certain` are sure to hold the lowest: each of them may be
  // next, and then all lower ones are empty.
  auto follow = [&](const BlockSet& set, BlockId certain) {
    for (const BlockId next : set.list()) {
      if (next > certain) break;
      const bool grew = pending[next].add_above(set, next);
      if ((grew || !reached[next]) && !queued[next]) {
        queued[next] = true;
        work.push_back(next);
      }
      reached[next] = true;
    }
  };
  while (!work.empty()) {
    const auto lowest = std::min_element(work.begin(), work.end());
    const BlockId b = *lowest;
    work.erase(lowest);
    queued[b] = false;
    const Terminator& term = kernel.blocks[b].term;
    switch (term.kind) {
      case Terminator::Kind::trap: break;  // The launch ends.
      case Terminator::Kind::exit: follow(pending[b], no_block); break;
      default:
        if (divergent[b]) {
          BlockSet set = pending[b];
          for (const BlockId t : term.targets) set.set(t);
          follow(set, *std::max_element(term.targets.begin(), term.targets.end()));
        } else {
          for (const BlockId t : term.targets) {
            BlockSet set = pending[b];
            set.set(t);
            follow(set, t);
          }
        }
    }
  }
  if (split)
    for (const BlockId b : split->list()) {
      pending[b] = *split;
      pending[b].clear(b);
    }
  return pending;
}

}  // namespace wanren::simt
