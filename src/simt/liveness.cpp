#include <algorithm>

#include "simt/analysis.h"

namespace wanren::simt {

std::vector<std::vector<ValueId>> live_values(const Kernel& kernel) {
  const std::size_t n = kernel.blocks.size();
  // From each use that is not in the defining block, upwards until the definition. Paths are marked per
  // value, so every (value, block) pair is visited once.
  std::vector<std::vector<ValueId>> live(n);
  std::vector<std::vector<BlockId>> uses(kernel.values.size());  // Blocks at whose start it must be live.
  auto use = [&](ValueId v, BlockId b) {
    if (kernel.values[v].block == b) return;
    if (uses[v].empty() || uses[v].back() != b) uses[v].push_back(b);
  };
  for (const Block& block : kernel.blocks) {
    for (const Inst& inst : block.insts) {
      for (const auto* operands : {&inst.srcs, &inst.prior})
        for (const Operand& o : *operands)
          if (o.kind == Operand::Kind::value) use(o.value, block.id);
      if (inst.guard != no_value) use(inst.guard, block.id);
    }
    if (block.term.cond != no_value) use(block.term.cond, block.id);
    for (const Phi& phi : block.phis)
      for (std::size_t i = 0; i < phi.incoming.size(); ++i)
        if (phi.incoming[i].kind == Operand::Kind::value) use(phi.incoming[i].value, block.preds[i]);
  }
  std::vector<ValueId> marked(n, no_value);
  for (ValueId v = 0; v < uses.size(); ++v) {
    std::vector<BlockId>& work = uses[v];
    while (!work.empty()) {
      const BlockId b = work.back();
      work.pop_back();
      if (marked[b] == v) continue;
      marked[b] = v;
      live[b].push_back(v);
      for (const BlockId p : kernel.blocks[b].preds)
        if (p != kernel.values[v].block && marked[p] != v) work.push_back(p);
    }
  }
  return live;
}

}  // namespace wanren::simt
