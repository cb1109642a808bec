// One latch per loop: all back edges meet in one block, where lanes that `continue` reconverge.

#include <algorithm>

#include "simt/draft.h"
#include "simt/flow.h"

namespace wanren::simt {

void merge_latches(Draft& draft) {
  std::vector<Block>& blocks = draft.kernel.blocks;
  const Loops loops = find_loops(successors(blocks));
  for (const Loop& loop : loops.loops) {
    std::vector<BlockId> latches;
    for (const BlockId b : loop.blocks) {
      const auto& t = blocks[b].term.targets;
      if (std::find(t.begin(), t.end(), loop.header) != t.end()) latches.push_back(b);
    }
    if (latches.size() < 2) continue;
    const auto merged = static_cast<BlockId>(blocks.size());
    Block latch;
    latch.term.kind = Terminator::Kind::jump;
    latch.term.targets = {loop.header};
    latch.term.location = blocks[loop.header].term.location;
    for (const BlockId b : latches)
      std::replace(blocks[b].term.targets.begin(), blocks[b].term.targets.end(), loop.header, merged);
    blocks.push_back(std::move(latch));
  }
}

}  // namespace wanren::simt
