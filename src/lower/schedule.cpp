// List scheduling within a block. Instructions leave in the order of their longest path to the block's
// end; while too many registers are live only those that free some, or the oldest, may leave.

#include <algorithm>
#include <map>

#include "lower/registers.h"

namespace wanren::lower {
namespace {

class BlockScheduler {
 public:
  BlockScheduler(VirtualBlock& block, const Code& code, const Grouping& grouping,
                 const Liveness::Set& live_in, const Liveness::Set& live_out, std::uint32_t budget)
      : block_(block),
        code_(code),
        web_(grouping.web),
        live_in_(live_in),
        live_out_(live_out),
        budget_(budget) {}

  /// General registers that are live at once in the block's order.
  std::uint32_t peak() {
    nodes_.resize(block_.insts.size());
    for (std::size_t i = 0; i < nodes_.size(); ++i) name_registers(i);
    number_instances();
    begin_pressure();
    int most = pressure_.general;
    for (std::uint32_t i = 0; i < nodes_.size(); ++i) {
      issue(i);
      most = std::max(most, pressure_.general);
    }
    return static_cast<std::uint32_t>(most);
  }

  void run() {
    const std::size_t n = block_.insts.size();
    if (n < 3) return;
    build();
    pick();
    std::vector<VirtualInst> ordered;
    ordered.reserve(n);
    for (const std::uint32_t i : order_) ordered.push_back(std::move(block_.insts[i]));
    block_.insts = std::move(ordered);
  }

 private:
  struct Edge {
    std::uint32_t to;
    std::uint32_t cycles;
  };
  struct Node {
    std::vector<Edge> next;
    std::uint32_t waits = 0;                   ///< Predecessors not yet issued.
    std::uint32_t ready = 0;                   ///< Earliest cycle.
    std::uint32_t priority = 0;                ///< Longest path to the end.
    std::vector<Virtual> reads, writes;        ///< Webs.
    std::vector<std::uint32_t> uses, defines;  ///< Instances of them.
  };
  /// What one write of a web leaves until the next write: the unit of register pressure.
  struct Instance {
    std::uint32_t words = 0;
    bool predicate = false;
    std::uint32_t reads = 0;  ///< Not yet issued.
    bool live_in = false, live_out = false, live = false;
  };

  // The instance of each web that the latest write, or the block's start, gave.
  void number_instances() {
    std::map<Virtual, std::uint32_t> current;
    const auto fresh = [&](Virtual v) {
      instances_.push_back({.words = code_.virtuals[v].words, .predicate = code_.virtuals[v].predicate});
      return current[v] = static_cast<std::uint32_t>(instances_.size() - 1);
    };
    for (Virtual v = 0; v < web_.size(); ++v)
      if (web_[v] == v && Liveness::has(live_in_, v)) instances_[fresh(v)].live_in = true;
    for (std::size_t i = 0; i < nodes_.size(); ++i) {
      Node& node = nodes_[i];
      for (const Virtual v : node.reads) {
        const auto it = current.find(v);
        node.uses.push_back(it == current.end() ? fresh(v) : it->second);
        ++instances_[node.uses.back()].reads;
      }
      for (const Virtual v : node.writes) {
        // Parts of one value, and writes under a guard, add to what is there.
        const auto it = current.find(v);
        const bool part = it != current.end() && !instances_[it->second].live_in &&
                          (instances_[it->second].reads == 0 || block_.insts[i].keeps_old);
        node.defines.push_back(part ? it->second : fresh(v));
      }
    }
    for (const auto& [v, instance] : current) instances_[instance].live_out = Liveness::has(live_out_, v);
  }

  struct Pressure {
    int general = 0, predicates = 0;
    int& of(const Instance& i) { return i.predicate ? predicates : general; }
  };

  void edge(std::uint32_t from, std::uint32_t to, std::uint32_t cycles) {
    if (from == to) return;
    nodes_[from].next.push_back({to, cycles});
    ++nodes_[to].waits;
  }

  static bool may_collide(const Access& a, const Access& b) {
    using S = Access::Space;
    if (a.fence || b.fence) return true;
    if (a.space == S::none || b.space == S::none) return false;
    if (!a.writes && !b.writes) return false;
    if ((a.space == S::spill) != (b.space == S::spill)) return false;  // no pointer leads there
    if (a.read_only || b.read_only) return false;
    if (a.space != b.space && a.space != S::generic && b.space != S::generic) return false;
    const bool same_base = a.base == b.base && a.space == b.space;
    if (same_base && a.bytes > 0 && b.bytes > 0)
      return a.offset < b.offset + static_cast<std::int64_t>(b.bytes) &&
             b.offset < a.offset + static_cast<std::int64_t>(a.bytes);
    return true;
  }

  // The webs that an instruction reads and writes.
  void name_registers(std::size_t i) {
    const VirtualInst& inst = block_.insts[i];
    Node& node = nodes_[i];
    const auto read = [&](const Word& w) {
      if (w.in_register()) node.reads.push_back(web_[w.id]);
    };
    const auto write = [&](const Word& w) {
      if (w.in_register()) node.writes.push_back(web_[w.id]);
    };
    for (const Words& use : inst.uses)
      for (const Word& w : use) read(w);
    read(inst.guard);
    for (const Word& w : inst.defines) write(w);
    write(inst.define_predicate);
    const auto unique = [](std::vector<Virtual>& list) {
      std::sort(list.begin(), list.end());
      list.erase(std::unique(list.begin(), list.end()), list.end());
    };
    unique(node.reads);
    unique(node.writes);
  }

  void build() {
    const auto n = static_cast<std::uint32_t>(block_.insts.size());
    nodes_.resize(n);
    std::map<Virtual, std::uint32_t> writer;
    std::map<Virtual, std::vector<std::uint32_t>> readers;
    std::vector<std::uint32_t> accesses;  // since the last fence
    std::uint32_t fence = n;
    for (std::uint32_t i = 0; i < n; ++i) {
      const VirtualInst& inst = block_.insts[i];
      name_registers(i);
      const Node& node = nodes_[i];
      for (const Virtual v : node.reads) {
        if (const auto it = writer.find(v); it != writer.end())
          edge(it->second, i, std::max<std::uint32_t>(1, block_.insts[it->second].machine.latency));
        readers[v].push_back(i);
      }
      for (const Virtual v : node.writes) {
        if (const auto it = writer.find(v); it != writer.end()) edge(it->second, i, 1);
        for (const std::uint32_t r : readers[v])
          if (r != i) edge(r, i, 1);
        readers[v].clear();
        writer[v] = i;
      }
      const Access& a = inst.access;
      if (a.fence) {
        for (const std::uint32_t other : accesses) edge(other, i, 1);
        if (fence != n) edge(fence, i, 1);
        accesses.clear();
        fence = i;
      } else if (a.space != Access::Space::none) {
        if (fence != n && !a.read_only) edge(fence, i, 1);
        for (const std::uint32_t other : accesses)
          if (may_collide(block_.insts[other].access, a)) edge(other, i, 1);
        accesses.push_back(i);
      }
      if (inst.last)
        for (std::uint32_t before = 0; before < i; ++before) edge(before, i, 1);
    }
    for (std::uint32_t i = n; i-- > 0;)
      for (const Edge& e : nodes_[i].next)
        nodes_[i].priority = std::max(nodes_[i].priority, nodes_[e.to].priority + e.cycles);
  }

  // Registers that become live less those that die if node i issues now.
  Pressure pressure_change(std::uint32_t i) const {
    Pressure change;
    for (const std::uint32_t d : nodes_[i].defines)
      if (!instances_[d].live) change.of(instances_[d]) += static_cast<int>(instances_[d].words);
    for (const std::uint32_t u : nodes_[i].uses)
      if (instances_[u].live && instances_[u].reads == 1 && !instances_[u].live_out)
        change.of(instances_[u]) -= static_cast<int>(instances_[u].words);
    return change;
  }

  void issue(std::uint32_t i) {
    order_.push_back(i);
    for (const std::uint32_t u : nodes_[i].uses) {
      Instance& instance = instances_[u];
      if (--instance.reads != 0 || instance.live_out || !instance.live) continue;
      instance.live = false;
      pressure_.of(instance) -= static_cast<int>(instance.words);
    }
    for (const std::uint32_t d : nodes_[i].defines) {
      Instance& instance = instances_[d];
      if (instance.live || (instance.reads == 0 && !instance.live_out)) continue;
      instance.live = true;
      pressure_.of(instance) += static_cast<int>(instance.words);
    }
  }

  void begin_pressure() {
    pressure_ = {};
    for (Instance& instance : instances_) instance.live = instance.live_in, instance.reads = 0;
    for (const Node& node : nodes_)
      for (const std::uint32_t u : node.uses) ++instances_[u].reads;
    for (Instance& instance : instances_) {
      if (instance.live && instance.reads == 0 && !instance.live_out) instance.live = false;
      if (instance.live) pressure_.of(instance) += static_cast<int>(instance.words);
    }
  }

  void pick() {
    const auto n = static_cast<std::uint32_t>(block_.insts.size());
    number_instances();
    const int limit = static_cast<int>(budget_);
    const auto exceeds = [&](const Pressure& change) {
      return (change.general > 0 && pressure_.general + change.general > limit) ||
             (change.predicates > 0 &&
              pressure_.predicates + change.predicates > static_cast<int>(predicate_registers));
    };
    begin_pressure();

    std::vector<std::uint32_t> ready;
    for (std::uint32_t i = 0; i < n; ++i)
      if (nodes_[i].waits == 0) ready.push_back(i);
    std::uint32_t now = 0;
    while (!ready.empty()) {
      std::size_t best = ready.size();
      const auto better = [&](std::size_t a, std::size_t b) {  // a before b
        const Node& x = nodes_[ready[a]];
        const Node& y = nodes_[ready[b]];
        const bool x_now = x.ready <= now, y_now = y.ready <= now;
        if (x_now != y_now) return x_now;
        if (!x_now && x.ready != y.ready) return x.ready < y.ready;
        if (x.priority != y.priority) return x.priority > y.priority;
        return ready[a] < ready[b];
      };
      bool tight = false;
      for (std::size_t k = 0; k < ready.size(); ++k) {
        if (exceeds(pressure_change(ready[k]))) {
          tight = true;
          continue;
        }
        if (best == ready.size() || better(k, best)) best = k;
      }
      if (tight && best != ready.size() && nodes_[ready[best]].ready > now + 1) {
        // Nothing useful fits: the oldest goes, whatever it needs, only if nothing frees registers.
        std::size_t freeing = ready.size();
        for (std::size_t k = 0; k < ready.size(); ++k) {
          const Pressure change = pressure_change(ready[k]);
          if (change.general <= 0 && change.predicates <= 0 &&
              (freeing == ready.size() || better(k, freeing)))
            freeing = k;
        }
        if (freeing != ready.size()) best = freeing;
      }
      if (best == ready.size())
        best = static_cast<std::size_t>(std::min_element(ready.begin(), ready.end()) - ready.begin());
      const std::uint32_t i = ready[best];
      ready.erase(ready.begin() + static_cast<std::ptrdiff_t>(best));
      now = std::max(now, nodes_[i].ready);
      issue(i);
      const std::uint32_t slots = std::max<std::uint32_t>(1, block_.insts[i].machine.repeat);
      for (const Edge& e : nodes_[i].next) {
        Node& to = nodes_[e.to];
        to.ready = std::max(to.ready, now + slots - 1 + e.cycles);
        if (--to.waits == 0) ready.push_back(e.to);
      }
      now += slots;
    }
    WR_CHECK(order_.size() == n);
  }

  VirtualBlock& block_;
  const Code& code_;
  const std::vector<Virtual>& web_;
  const Liveness::Set& live_in_;
  const Liveness::Set& live_out_;
  std::uint32_t budget_;
  std::vector<Node> nodes_;
  std::vector<std::uint32_t> order_;
  std::vector<Instance> instances_;
  Pressure pressure_;
};

}  // namespace

std::uint32_t peak(const Code& code, const Grouping& grouping) {
  const Liveness live = liveness(code, grouping.web);
  std::uint32_t most = 0;
  for (std::size_t b = 0; b < code.blocks.size(); ++b) {
    VirtualBlock block = code.blocks[b];
    most = std::max(most, BlockScheduler(block, code, grouping, live.in[b], live.out[b], 0).peak());
  }
  return most;
}

std::uint32_t live_between_blocks(const Code& code, const Grouping& grouping) {
  const Liveness live = liveness(code, grouping.web);
  std::uint32_t most = 0;
  for (const Liveness::Set& set : live.in) {
    std::uint32_t words = 0;
    for (Virtual v = 0; v < grouping.web.size(); ++v)
      if (grouping.web[v] == v && !code.virtuals[v].predicate && Liveness::has(set, v))
        words += code.virtuals[v].words;
    most = std::max(most, words);
  }
  return most;
}

void schedule(Code& code, const Grouping& grouping, std::uint32_t budget) {
  const Liveness live = liveness(code, grouping.web);
  for (std::size_t b = 0; b < code.blocks.size(); ++b)
    BlockScheduler(code.blocks[b], code, grouping, live.in[b], live.out[b], budget).run();
}

}  // namespace wanren::lower
