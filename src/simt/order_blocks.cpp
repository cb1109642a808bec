// Priority order: topological on the loop nest, loops contiguous, the exit block last. Blocks that only
// lead to a trap follow their branch at once, so that nobody waits for them.

#include <algorithm>
#include <unordered_map>

#include "simt/draft.h"
#include "simt/flow.h"

namespace wanren::simt {
namespace {

class Order {
 public:
  explicit Order(const std::vector<Block>& blocks) : graph_(successors(blocks)), loops_(find_loops(graph_)) {
    const auto n = static_cast<BlockId>(blocks.size());
    reaches_exit_.assign(n, false);
    const Graph preds = reversed(graph_);
    std::vector<BlockId> work;
    for (BlockId b = 0; b < n; ++b)
      if (blocks[b].term.kind == Terminator::Kind::exit) {
        exit_ = b;
        work.push_back(b);
        reaches_exit_[b] = true;
      }
    while (!work.empty()) {
      const BlockId b = work.back();
      work.pop_back();
      for (const BlockId p : preds[b])
        if (!reaches_exit_[p]) {
          reaches_exit_[p] = true;
          work.push_back(p);
        }
    }
    for (const BlockId b : reverse_post_order(graph_)) {
      if (reaches_exit_[b] || loops_.innermost[b] >= 0 || preds[b].empty()) continue;
      const int loop = loops_.innermost[preds[b][0]];
      if (std::all_of(preds[b].begin(), preds[b].end(),
                      [&](BlockId p) { return loops_.innermost[p] == loop; }))
        loops_.innermost[b] = loop;
    }
    members_.resize(loops_.loops.size());
    for (BlockId b = 0; b < n; ++b)
      for (int l = loops_.innermost[b]; l >= 0; l = loops_.loops[l].parent) members_[l].push_back(b);
    level(-1, 0);
  }

  std::vector<BlockId> result;

 private:
  // The node that stands for `b` among the direct parts of `loop`: itself, or an inner loop's header.
  BlockId representative(int loop, BlockId b) const {
    int l = loops_.innermost[b];
    if (l == loop) return b;
    for (; l >= 0; l = loops_.loops[l].parent)
      if (loops_.loops[l].parent == loop) return loops_.loops[l].header;
    return no_block;  // Outside.
  }

  void level(int loop, BlockId header) {
    auto inner_of = [&](BlockId node) {
      int l = loops_.innermost[node];
      if (l == loop) return -1;
      while (loops_.loops[l].parent != loop) l = loops_.loops[l].parent;
      return l;
    };
    auto children = [&](BlockId node) {
      std::vector<BlockId> list;
      auto add = [&](BlockId b) {
        for (const BlockId s : graph_[b]) {
          const BlockId r = representative(loop, s);
          if (r == no_block || r == node || r == header) continue;
          if (std::find(list.begin(), list.end(), r) == list.end()) list.push_back(r);
        }
      };
      if (const int inner = inner_of(node); inner >= 0) {
        for (const BlockId b : members_[inner]) add(b);
      } else {
        add(node);
      }
      // Visited last, dead ends come first.
      std::vector<BlockId> sorted;
      for (const bool alive : {true, false})
        for (const BlockId b : list)
          if (reaches_exit_[b] == alive) sorted.push_back(b);
      return sorted;
    };
    struct Frame {
      BlockId node;
      std::vector<BlockId> children;
      std::size_t next = 0;
    };
    std::vector<BlockId> order;
    std::unordered_map<BlockId, bool> seen;
    std::vector<Frame> stack;
    auto visit = [&](BlockId root) {
      if (!seen.emplace(root, true).second) return;
      stack.push_back({root, children(root)});
      while (!stack.empty()) {
        Frame& f = stack.back();
        if (f.next == f.children.size()) {
          order.push_back(f.node);
          stack.pop_back();
          continue;
        }
        const BlockId s = f.children[f.next++];
        if (seen.emplace(s, true).second) stack.push_back({s, children(s)});
      }
    };
    if (loop < 0 && exit_ != no_block && exit_ != 0) visit(exit_);
    visit(header);
    for (auto it = order.rbegin(); it != order.rend(); ++it) {
      const int inner = inner_of(*it);
      if (inner >= 0)
        level(inner, *it);
      else
        result.push_back(*it);
    }
  }

  Graph graph_;
  Loops loops_;
  std::vector<bool> reaches_exit_;
  std::vector<std::vector<BlockId>> members_;
  BlockId exit_ = no_block;
};

}  // namespace

void order_blocks(Draft& draft) {
  std::vector<Block>& blocks = draft.kernel.blocks;
  const std::vector<BlockId> order = Order(blocks).result;
  WR_CHECK(order.size() == blocks.size());
  std::vector<BlockId> renamed(blocks.size());
  for (BlockId i = 0; i < order.size(); ++i) renamed[order[i]] = i;
  std::vector<Block> sorted(blocks.size());
  for (BlockId b = 0; b < blocks.size(); ++b) sorted[renamed[b]] = std::move(blocks[b]);
  blocks = std::move(sorted);
  for (BlockId b = 0; b < blocks.size(); ++b) {
    blocks[b].id = b;
    for (BlockId& t : blocks[b].term.targets) t = renamed[t];
  }
  const Graph graph = successors(blocks);
  const Graph preds = reversed(graph);
  const Loops loops = find_loops(graph);
  const std::vector<BlockId> post = immediate_post_dominators(blocks);
  for (BlockId b = 0; b < blocks.size(); ++b) {
    Block& block = blocks[b];
    block.preds = preds[b];
    const int loop = loops.innermost[b];
    block.loop_depth = loop < 0 ? 0 : static_cast<std::uint32_t>(loops.loops[loop].depth);
    block.loop_header = loop < 0 ? no_block : loops.loops[loop].header;
    block.immediate_post_dominator = post[b];
  }
}

}  // namespace wanren::simt
