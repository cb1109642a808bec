// Phis and consecutive registers. Merging is tried in order of loop depth, so that the moves that remain
// lie where they run least.

#include <algorithm>
#include <numeric>

#include "lower/ir.h"

namespace wanren::lower {
namespace {

using Set = Liveness::Set;

void add(Set& s, Virtual v) {
  s[v >> 6] |= std::uint64_t{1} << (v & 63);
}

template <class F>
void for_each_use(const VirtualInst& inst, F f) {
  for (const Words& use : inst.uses)
    for (const Word& w : use)
      if (w.in_register()) f(w.id);
  if (inst.guard.in_register()) f(inst.guard.id);
  if (inst.keeps_old) {
    for (const Word& w : inst.defines)
      if (w.in_register()) f(w.id);
    if (inst.define_predicate.in_register()) f(inst.define_predicate.id);
  }
}

template <class F>
void for_each_definition(const VirtualInst& inst, F f) {
  for (const Word& w : inst.defines)
    if (w.in_register()) f(w.id);
  if (inst.define_predicate.in_register()) f(inst.define_predicate.id);
}

}  // namespace

Liveness liveness(const Code& code, const std::vector<Virtual>& web) {
  const std::size_t words = (code.virtuals.size() + 63) / 64;
  const std::size_t n = code.blocks.size();
  Liveness live;
  live.in.assign(n, Set(words));
  live.out.assign(n, Set(words));
  std::vector<Set> gen(n, Set(words)), kill(n, Set(words));
  for (std::size_t b = 0; b < n; ++b) {
    for (const VirtualInst& inst : code.blocks[b].insts) {
      for_each_use(inst, [&](Virtual v) {
        if (!Liveness::has(kill[b], web[v])) add(gen[b], web[v]);
      });
      for_each_definition(inst, [&](Virtual v) { add(kill[b], web[v]); });
    }
  }
  for (bool changed = true; changed;) {
    changed = false;
    for (std::size_t b = n; b-- > 0;) {
      Set out(words);
      for (const simt::BlockId s : code.kernel->blocks[b].term.targets)
        for (std::size_t w = 0; w < words; ++w) out[w] |= live.in[s][w];
      Set in(words);
      for (std::size_t w = 0; w < words; ++w) in[w] = gen[b][w] | (out[w] & ~kill[b][w]);
      if (in != live.in[b] || out != live.out[b]) {
        changed = true;
        live.in[b] = std::move(in);
        live.out[b] = std::move(out);
      }
    }
  }
  return live;
}

namespace {

class Coalescer {
 public:
  explicit Coalescer(Code& code) : code_(code) {}

  Grouping run() {
    grouping_.web.resize(code_.virtuals.size());
    std::iota(grouping_.web.begin(), grouping_.web.end(), Virtual{0});
    merge_copies();
    chain_accumulators();
    seat_all();
    insert_copies();
    finish();
    return std::move(grouping_);
  }

 private:
  struct Segment {
    simt::BlockId block;
    std::int32_t begin, end;  ///< Half-open, in instructions of the block; -1: from its start.
  };

  Virtual find(Virtual v) {
    while (grouping_.web[v] != v) v = grouping_.web[v] = grouping_.web[grouping_.web[v]];
    return v;
  }
  std::uint32_t depth(simt::BlockId b) const { return code_.kernel->blocks[b].loop_depth; }

  // Live segments per virtual register, phi targets beginning at the start of their block.
  void build_segments() {
    const std::size_t n = code_.virtuals.size();
    std::vector<Virtual> identity(n);
    std::iota(identity.begin(), identity.end(), Virtual{0});
    // Without merging, a phi's target is defined at its block's start, so it is not live before it.
    Liveness live;
    const std::size_t words = (n + 63) / 64, blocks = code_.blocks.size();
    std::vector<Set> gen(blocks, Set(words)), kill(blocks, Set(words)), ends(blocks, Set(words));
    for (std::size_t b = 0; b < blocks; ++b)
      for (const VirtualInst& inst : code_.blocks[b].insts) {
        for_each_use(inst, [&](Virtual v) {
          if (!Liveness::has(kill[b], v)) add(gen[b], v);
        });
        for_each_definition(inst, [&](Virtual v) { add(kill[b], v); });
      }
    std::vector<Set> phi(blocks, Set(words));
    for (const Code::Copy& copy : code_.copies) {
      if (copy.to == simt::no_block) {
        for (const Word& w : copy.source)
          if (w.in_register() && !Liveness::has(kill[copy.from], w.id)) add(gen[copy.from], w.id);
        continue;
      }
      add(phi[copy.to], copy.target);
      for (const Word& w : copy.source)
        if (w.in_register()) add(ends[copy.from], w.id);
    }
    live.in.assign(blocks, Set(words));
    live.out.assign(blocks, Set(words));
    for (bool changed = true; changed;) {
      changed = false;
      for (std::size_t b = blocks; b-- > 0;) {
        Set out = ends[b];
        for (const simt::BlockId s : code_.kernel->blocks[b].term.targets)
          for (std::size_t w = 0; w < words; ++w) out[w] |= live.in[s][w] & ~phi[s][w];
        Set in(words);
        for (std::size_t w = 0; w < words; ++w) in[w] = gen[b][w] | (out[w] & ~kill[b][w]);
        if (in != live.in[b] || out != live.out[b]) {
          changed = true;
          live.in[b] = std::move(in);
          live.out[b] = std::move(out);
        }
      }
    }
    segments_.assign(n, {});
    std::vector<std::int32_t> begin(n), end(n);
    std::vector<Virtual> touched;
    std::vector<bool> seen(n), in_parts(n);
    for (std::size_t b = 0; b < blocks; ++b) {
      const auto size = static_cast<std::int32_t>(code_.blocks[b].insts.size());
      touched.clear();
      const auto touch = [&](Virtual v, std::int32_t from, std::int32_t to) {
        if (!seen[v]) {
          seen[v] = true;
          touched.push_back(v);
          begin[v] = from;
          end[v] = to;
        }
        begin[v] = std::min(begin[v], from);
        end[v] = std::max(end[v], to);
      };
      for (Virtual v = 0; v < n; ++v) {
        if (Liveness::has(live.in[b], v)) touch(v, -1, 0);
        if (Liveness::has(phi[b], v)) touch(v, -1, 0);
      }
      for (std::int32_t i = 0; i < size; ++i) {
        const VirtualInst& inst = code_.blocks[b].insts[static_cast<std::size_t>(i)];
        for_each_use(inst, [&](Virtual v) {
          touch(v, i, i);
          in_parts[v] = false;
        });
        for_each_definition(inst, [&](Virtual v) {
          // A 64-bit result made word by word counts from its last word: the words of the operands die
          // pairwise with it, so p += n may stay in place.
          const bool part = inst.defines.size() < code_.virtuals[v].words && !inst.keeps_old;
          if (part && (!seen[v] || in_parts[v])) {
            in_parts[v] = true;
            if (!seen[v]) touch(v, i, i + 1);
            begin[v] = i;
            end[v] = i + 1;
            return;
          }
          touch(v, i, i + 1);
        });
      }
      for (Virtual v = 0; v < n; ++v)
        if (Liveness::has(live.out[b], v)) touch(v, size, size + 1);
      for (const Virtual v : touched) {
        segments_[v].push_back({static_cast<simt::BlockId>(b), begin[v], end[v]});
        seen[v] = in_parts[v] = false;
      }
    }
  }

  // Segments of both lists are ordered by block.
  bool interfere(Virtual a, Virtual b) const {
    const auto& x = segments_[a];
    const auto& y = segments_[b];
    std::size_t i = 0, j = 0;
    while (i < x.size() && j < y.size()) {
      if (x[i].block < y[j].block) {
        ++i;
      } else if (y[j].block < x[i].block) {
        ++j;
      } else {
        if (x[i].begin < y[j].end && y[j].begin < x[i].end) return true;
        x[i].end < y[j].end ? ++i : ++j;
      }
    }
    return false;
  }

  void unite(Virtual a, Virtual b) {
    grouping_.web[b] = a;
    auto& into = segments_[a];
    std::vector<Segment> merged;
    std::merge(into.begin(), into.end(), segments_[b].begin(), segments_[b].end(), std::back_inserter(merged),
               [](const Segment& s, const Segment& t) {
                 return s.block != t.block ? s.block < t.block : s.begin < t.begin;
               });
    into = std::move(merged);
    segments_[b].clear();
  }

  void merge_copies() {
    build_segments();
    std::stable_sort(code_.copies.begin(), code_.copies.end(),
                     [&](const Code::Copy& a, const Code::Copy& b) { return depth(a.from) > depth(b.from); });
    std::erase_if(code_.copies, [&](const Code::Copy& copy) {
      const VirtualRegister& target = code_.virtuals[copy.target];
      if (copy.source.size() != target.words) return false;
      for (std::size_t i = 0; i < copy.source.size(); ++i) {
        const Word& w = copy.source[i];
        if (!w.in_register() || w.index != i || w.id != copy.source[0].id) return false;
      }
      if (copy.source.empty()) return true;
      const VirtualRegister& source = code_.virtuals[copy.source[0].id];
      if (source.words != target.words || source.predicate != target.predicate) return false;
      const Virtual a = find(copy.target), b = find(copy.source[0].id);
      if (a == b) return true;
      if (interfere(a, b)) return false;
      unite(a, b);
      return true;
    });
  }

  // A sum in a loop stays in one register from addition to addition: else the phi's register and those of
  // the partial sums would both be held for the whole loop.
  void chain_accumulators() {
    std::vector<std::uint32_t> members(code_.virtuals.size());
    for (Virtual v = 0; v < members.size(); ++v) ++members[find(v)];
    for (const VirtualBlock& block : code_.blocks)
      for (const VirtualInst& inst : block.insts) {
        if (inst.defines.empty() || inst.machine.memory != Memory::none || inst.uses.size() < 2) continue;
        const bool accumulates = inst.uses.size() == 3;
        for (std::size_t u = accumulates ? 2 : 0; u < inst.uses.size(); ++u) {
          const Words& use = inst.uses[u];
          if (use.size() != inst.defines.size()) continue;
          bool merged = false;
          for (std::size_t w = 0; w < use.size(); ++w) merged |= chain(use[w], inst.defines[w], members);
          if (!merged) continue;
          break;
        }
      }
  }

  bool chain(const Word& from, const Word& to, std::vector<std::uint32_t>& members) {
    if (!from.in_register() || !to.in_register() || from.index != 0 || to.index != 0) return false;
    const VirtualRegister& x = code_.virtuals[from.id];
    const VirtualRegister& y = code_.virtuals[to.id];
    if (x.predicate || y.predicate || x.words != y.words) return false;
    const Virtual a = find(from.id), b = find(to.id);
    if (a == b || (members[a] < 2 && members[b] < 2) || interfere(a, b)) return false;  // 1: not loop-carried
    unite(a, b);
    members[a] += members[b];
    return true;
  }

  struct Request {
    simt::BlockId block;
    std::size_t inst;
    int use;  ///< -1: the definition
  };

  Words& words_of(const Request& r) {
    VirtualInst& inst = code_.blocks[r.block].insts[r.inst];
    return r.use < 0 ? inst.defines : inst.uses[static_cast<std::size_t>(r.use)];
  }

  // Whether the words lie, or can be made to lie, in consecutive registers.
  bool seat(const Words& words) {
    if (words.size() > 16) return false;
    const auto count = static_cast<std::uint8_t>(words.size());
    std::vector<std::pair<Virtual, std::uint8_t>> pieces;  // web, place wanted
    for (std::uint8_t i = 0; i < count; ++i) {
      if (!words[i].in_register()) return false;
      const Virtual w = find(words[i].id);
      if (code_.virtuals[words[i].id].predicate) return false;
      if (words[i].index > i) {
        if (i != 0) return false;
      }
      const int at = i - words[i].index;
      bool known = false;
      for (auto& [v, place] : pieces)
        if (v == w) {
          known = true;
          if (place != at) return false;
        }
      if (!known) {
        if (at < 0 && pieces.empty() && count <= code_.virtuals[words[0].id].words) {
          // A run inside one register: fine if it is a run.
          for (std::uint8_t k = 0; k < count; ++k)
            if (find(words[k].id) != w || words[k].index != words[0].index + k) return false;
          return true;
        }
        if (at < 0) return false;
        pieces.emplace_back(w, static_cast<std::uint8_t>(at));
      }
    }
    // All in one group already?
    const auto first = seats_[pieces[0].first];
    bool any_seated = false;
    for (const auto& [v, place] : pieces) any_seated |= seats_[v].group != 0;
    if (any_seated) {
      for (const auto& [v, place] : pieces)
        if (seats_[v].group == 0 || seats_[v].group != first.group ||
            seats_[v].offset - place != first.offset - pieces[0].second)
          return false;
      return (first.offset - pieces[0].second) % std::min<int>(count, 4) == 0;
    }
    if (pieces.size() == 1 && code_.virtuals[words[0].id].words == count) return true;
    const auto group = static_cast<std::uint32_t>(sizes_.size());
    sizes_.push_back(count);
    for (const auto& [v, place] : pieces) seats_[v] = {group, place};
    return true;
  }

  void seat_all() {
    seats_.assign(code_.virtuals.size(), {});
    sizes_.assign(1, 0);
    std::vector<Request> requests;
    for (std::size_t b = 0; b < code_.blocks.size(); ++b)
      for (std::size_t i = 0; i < code_.blocks[b].insts.size(); ++i) {
        const VirtualInst& inst = code_.blocks[b].insts[i];
        if (inst.defines.size() > 1) requests.push_back({static_cast<simt::BlockId>(b), i, -1});
        for (std::size_t u = 0; u < inst.uses.size(); ++u)
          if (inst.uses[u].size() > 1)
            requests.push_back({static_cast<simt::BlockId>(b), i, static_cast<int>(u)});
      }
    std::stable_sort(requests.begin(), requests.end(), [&](const Request& a, const Request& b) {
      const std::size_t x = words_of(a).size(), y = words_of(b).size();
      const bool wide_a = x > 2, wide_b = y > 2;
      if (depth(a.block) != depth(b.block)) return depth(a.block) > depth(b.block);
      return wide_a > wide_b;
    });
    std::vector<Request> failed;
    for (const Request& r : requests)
      if (!seat(words_of(r))) failed.push_back(r);
    // Moves for the rest.
    struct Addition {
      simt::BlockId block;
      std::size_t inst;
      bool after;
      VirtualInst move;
    };
    std::vector<Addition> additions;
    for (const Request& r : failed) {
      const Words old = words_of(r);
      const Virtual fresh = make(static_cast<std::uint8_t>(old.size()));
      words_of(r) = code_.words_of(fresh);
      VirtualInst move;
      set_move(move, static_cast<std::uint16_t>(old.size()));
      move.machine.ptx_inst = code_.blocks[r.block].insts[r.inst].machine.ptx_inst;
      if (r.use < 0) {
        move.machine.repeat = 1;
        for (std::uint8_t i = 0; const Word& w : old) {
          move.defines = {w};
          move.uses = {{Code::word_of(fresh, i++)}};
          additions.push_back({r.block, r.inst, true, move});
        }
      } else {
        move.defines = code_.words_of(fresh);
        for (const Word& w : old) move.uses.push_back({w});
        additions.push_back({r.block, r.inst, false, std::move(move)});
      }
    }
    std::stable_sort(additions.begin(), additions.end(), [](const Addition& x, const Addition& y) {
      if (x.block != y.block) return x.block < y.block;
      return x.inst != y.inst ? x.inst < y.inst : x.after < y.after;
    });
    for (std::size_t i = 0; i < additions.size();) {
      const simt::BlockId block = additions[i].block;
      std::vector<VirtualInst> rebuilt;
      auto& insts = code_.blocks[block].insts;
      for (std::size_t at = 0; at < insts.size(); ++at) {
        for (; i < additions.size() && additions[i].block == block && additions[i].inst == at &&
               !additions[i].after;
             ++i)
          rebuilt.push_back(std::move(additions[i].move));
        rebuilt.push_back(std::move(insts[at]));
        for (; i < additions.size() && additions[i].block == block && additions[i].inst == at; ++i)
          rebuilt.push_back(std::move(additions[i].move));
      }
      insts = std::move(rebuilt);
    }
  }

  Virtual make(std::uint8_t words, bool predicate = false) {
    const Virtual v = code_.make(words, predicate);
    grouping_.web.push_back(v);
    seats_.push_back({});
    return v;
  }

  void set_move(VirtualInst& move, std::uint16_t words) const {
    const auto& s = code_.chip->subcore;
    move.machine.pipe = Pipe::integer;
    move.machine.latency = static_cast<std::uint16_t>(s.alu_latency);
    move.machine.interval = static_cast<std::uint16_t>((warp_size + s.int_lanes - 1) / s.int_lanes);
    move.machine.repeat = words;
  }

  // Copies that could not be merged become moves: at the end of the predecessor, before its branch; a
  // guarded instruction's old value right before it.
  void insert_copies() {
    for (const Code::Copy& copy : code_.copies) {
      auto& insts = code_.blocks[copy.from].insts;
      VirtualInst move;
      const VirtualRegister target = code_.virtuals[copy.target];
      set_move(move, target.words);
      for (const Word& w : copy.source)
        if (w.kind != Word::Kind::none) move.uses.push_back({w});
      if (target.predicate)
        move.define_predicate = Code::word_of(copy.target);
      else
        move.defines = code_.words_of(copy.target);
      std::size_t at = insts.size();
      if (copy.to == simt::no_block) {
        for (std::size_t i = 0; i < insts.size(); ++i) {
          bool defines = false;
          for_each_definition(insts[i], [&](Virtual v) { defines |= v == copy.target; });
          if (defines) {
            at = i;
            break;
          }
        }
      } else {
        while (at > 0 && insts[at - 1].last) --at;
      }
      insts.insert(insts.begin() + static_cast<std::ptrdiff_t>(at), std::move(move));
    }
    code_.copies.clear();
  }

  void finish() {
    const std::size_t n = code_.virtuals.size();
    for (Virtual v = 0; v < n; ++v) grouping_.web[v] = find(v);
    grouping_.groups.clear();
    for (std::size_t g = 1; g < sizes_.size(); ++g) grouping_.groups.push_back({sizes_[g]});
    grouping_.seats.resize(n);
    for (Virtual v = 0; v < n; ++v) {
      if (grouping_.web[v] != v) continue;
      if (seats_[v].group != 0) {
        grouping_.seats[v] = {seats_[v].group - 1, seats_[v].offset};
        std::uint8_t& wide = grouping_.groups[seats_[v].group - 1].words;
        wide = std::max<std::uint8_t>(wide, seats_[v].offset + code_.virtuals[v].words);
      } else {
        grouping_.seats[v] = {static_cast<std::uint32_t>(grouping_.groups.size()), 0};
        grouping_.groups.push_back({code_.virtuals[v].words, code_.virtuals[v].predicate});
      }
    }
    for (Virtual v = 0; v < n; ++v) grouping_.seats[v] = grouping_.seats[grouping_.web[v]];
  }

  Code& code_;
  Grouping grouping_;
  std::vector<std::vector<Segment>> segments_;
  std::vector<Grouping::Seat> seats_;  ///< Group 0: not seated.
  std::vector<std::uint8_t> sizes_;    ///< Words of each group; 0 is unused.
};

}  // namespace

Grouping coalesce(Code& code) {
  return Coalescer(code).run();
}

}  // namespace wanren::lower
