#include "simt/flow.h"

#include <algorithm>
#include <functional>
#include <utility>

namespace wanren::simt {

Graph successors(const std::vector<Block>& blocks) {
  Graph graph(blocks.size());
  for (std::size_t b = 0; b < blocks.size(); ++b)
    for (const BlockId target : blocks[b].term.targets)
      if (std::find(graph[b].begin(), graph[b].end(), target) == graph[b].end()) graph[b].push_back(target);
  return graph;
}

Graph reversed(const Graph& graph) {
  Graph result(graph.size());
  for (BlockId b = 0; b < graph.size(); ++b)
    for (const BlockId s : graph[b]) result[s].push_back(b);
  return result;
}

std::vector<BlockId> reverse_post_order(const Graph& graph, BlockId entry) {
  std::vector<BlockId> order;
  std::vector<bool> seen(graph.size());
  std::vector<std::pair<BlockId, std::size_t>> stack{{entry, 0}};
  seen[entry] = true;
  while (!stack.empty()) {
    auto& [node, next] = stack.back();
    if (next < graph[node].size()) {
      const BlockId s = graph[node][next++];
      if (!seen[s]) {
        seen[s] = true;
        stack.emplace_back(s, 0);
      }
    } else {
      order.push_back(node);
      stack.pop_back();
    }
  }
  std::reverse(order.begin(), order.end());
  return order;
}

// Cooper, Harvey, Kennedy: A Simple, Fast Dominance Algorithm (2001).
std::vector<BlockId> immediate_dominators(const Graph& graph, BlockId entry) {
  const std::vector<BlockId> order = reverse_post_order(graph, entry);
  const Graph preds = reversed(graph);
  std::vector<std::uint32_t> rank(graph.size(), ~0u);
  for (std::uint32_t i = 0; i < order.size(); ++i) rank[order[i]] = i;
  std::vector<BlockId> idom(graph.size(), no_block);
  idom[entry] = entry;
  for (bool changed = true; changed;) {
    changed = false;
    for (const BlockId node : order) {
      if (node == entry) continue;
      BlockId best = no_block;
      for (BlockId p : preds[node]) {
        if (idom[p] == no_block) continue;
        if (best == no_block) {
          best = p;
          continue;
        }
        BlockId q = best;
        while (p != q) {
          while (rank[p] > rank[q]) p = idom[p];
          while (rank[q] > rank[p]) q = idom[q];
        }
        best = p;
      }
      if (idom[node] != best) {
        idom[node] = best;
        changed = true;
      }
    }
  }
  idom[entry] = no_block;
  return idom;
}

std::vector<BlockId> immediate_post_dominators(const std::vector<Block>& blocks) {
  const auto n = static_cast<BlockId>(blocks.size());
  Graph back = reversed(successors(blocks));
  back.emplace_back();  // The virtual end.
  for (BlockId b = 0; b < n; ++b)
    if (blocks[b].term.kind == Terminator::Kind::exit) back[n].push_back(b);
  std::vector<BlockId> result = immediate_dominators(back, n);
  result.pop_back();
  for (BlockId& b : result)
    if (b == n) b = no_block;
  return result;
}

namespace {

// Strongly connected components of the nodes with `active[node] == mark`, without edges into `cut`.
void components(const Graph& graph, const std::vector<BlockId>& nodes, const std::vector<int>& active,
                int mark, BlockId cut, std::vector<std::vector<BlockId>>& out) {
  std::vector<std::uint32_t> index(graph.size(), 0), low(graph.size(), 0);
  std::vector<bool> on_stack(graph.size());
  std::vector<BlockId> stack;
  std::uint32_t counter = 0;
  struct Frame {
    BlockId node;
    std::size_t next;
  };
  std::vector<Frame> frames;
  for (const BlockId root : nodes) {
    if (index[root]) continue;
    frames.push_back({root, 0});
    while (!frames.empty()) {
      Frame& f = frames.back();
      const BlockId v = f.node;
      if (f.next == 0) {
        index[v] = low[v] = ++counter;
        stack.push_back(v);
        on_stack[v] = true;
      }
      bool descended = false;
      while (f.next < graph[v].size()) {
        const BlockId s = graph[v][f.next++];
        if (s == cut || active[s] != mark) continue;
        if (!index[s]) {
          frames.push_back({s, 0});
          descended = true;
          break;
        }
        if (on_stack[s]) low[v] = std::min(low[v], index[s]);
      }
      if (descended) continue;
      if (low[v] == index[v]) {
        std::vector<BlockId> component;
        for (;;) {
          const BlockId w = stack.back();
          stack.pop_back();
          on_stack[w] = false;
          component.push_back(w);
          if (w == v) break;
        }
        out.push_back(std::move(component));
      }
      frames.pop_back();
      if (!frames.empty()) low[frames.back().node] = std::min(low[frames.back().node], low[v]);
    }
  }
}

}  // namespace

Loops find_loops(const Graph& graph) {
  Loops result;
  result.innermost.assign(graph.size(), -1);
  const std::vector<BlockId> order = reverse_post_order(graph);
  std::vector<std::uint32_t> rank(graph.size(), ~0u);
  for (std::uint32_t i = 0; i < order.size(); ++i) rank[order[i]] = i;
  const Graph preds = reversed(graph);
  std::vector<int> active(graph.size(), -2);
  for (const BlockId b : order) active[b] = -1;

  struct Work {
    std::vector<BlockId> nodes;
    int loop;
    BlockId cut;
  };
  std::vector<Work> work{{order, -1, no_block}};
  for (std::size_t w = 0; w < work.size(); ++w) {
    const Work item = work[w];
    std::vector<std::vector<BlockId>> found;
    // Inner regions of different loops never touch: active[] names the loop that is being split.
    components(graph, item.nodes, active, item.loop, item.cut, found);
    for (std::vector<BlockId>& component : found) {
      const BlockId first = component.front();
      const bool self = std::find(graph[first].begin(), graph[first].end(), first) != graph[first].end();
      if (component.size() == 1 && (!self || first == item.cut)) continue;
      std::sort(component.begin(), component.end(), [&](BlockId a, BlockId b) { return rank[a] < rank[b]; });
      const int id = static_cast<int>(result.loops.size());
      Loop loop;
      loop.blocks = component;
      loop.parent = item.loop;
      loop.depth = item.loop < 0 ? 1 : result.loops[item.loop].depth + 1;
      for (const BlockId b : component) active[b] = id;
      int entries = 0;
      for (const BlockId b : component) {
        bool entered = b == 0;
        for (const BlockId p : preds[b]) entered |= active[p] != id && rank[p] != ~0u;
        if (!entered) continue;
        if (loop.header == no_block) loop.header = b;
        ++entries;
      }
      loop.irreducible = entries > 1;
      for (const BlockId b : component) result.innermost[b] = id;
      result.loops.push_back(loop);
      work.push_back({component, id, loop.header});
    }
  }
  return result;
}

}  // namespace wanren::simt
