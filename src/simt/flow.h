#pragma once
// Graph facts about a CFG: dominators, post-dominators, nested loops. For drafts and kernels alike.

#include <vector>

#include "simt/kernel.h"

namespace wanren::simt {

using Graph = std::vector<std::vector<BlockId>>;

Graph successors(const std::vector<Block>& blocks);  ///< Without duplicates, in target order.
Graph reversed(const Graph& graph);

/// Reverse post-order from node 0; unreachable nodes are absent.
std::vector<BlockId> reverse_post_order(const Graph& graph, BlockId entry = 0);
/// Immediate dominator of each node (entry and unreachable nodes: no_block).
std::vector<BlockId> immediate_dominators(const Graph& graph, BlockId entry = 0);
/// Immediate post-dominators. Traps are not exits: an edge into blocks that never reach an exit does not
/// count. no_block where the next common point is the end of the kernel, or there is none.
std::vector<BlockId> immediate_post_dominators(const std::vector<Block>& blocks);

/// A strongly connected region, nested by removing the header (or, where irreducible, the chosen one).
struct Loop {
  BlockId header = no_block;
  std::vector<BlockId> blocks;  ///< Inner loops included.
  int parent = -1;              ///< Index of the enclosing loop.
  int depth = 1;
  bool irreducible = false;
};

/// Outer loops before inner ones.
struct Loops {
  std::vector<Loop> loops;
  std::vector<int> innermost;  ///< By block; -1: none.

  bool contains(int loop, BlockId block) const {
    for (int l = innermost[block]; l >= 0; l = loops[l].parent)
      if (l == loop) return true;
    return false;
  }
};
Loops find_loops(const Graph& graph);

}  // namespace wanren::simt
