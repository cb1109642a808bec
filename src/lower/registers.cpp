// Registers by first fit over exact live ranges. One bit per register and point says what is taken, so a
// group may fill the holes that others leave between two of their lives.

#include "lower/registers.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>

namespace wanren::lower {
namespace {

using Set = std::vector<std::uint64_t>;

bool has(const Set& s, std::uint32_t i) {
  return (s[i >> 6] >> (i & 63) & 1) != 0;
}
void add(Set& s, std::uint32_t i) {
  s[i >> 6] |= std::uint64_t{1} << (i & 63);
}

template <class F>
void each_use(const VirtualInst& inst, F f) {
  for (const Words& use : inst.uses)
    for (const Word& w : use)
      if (w.in_register()) f(w);
  if (inst.guard.in_register()) f(inst.guard);
}

template <class F>
void each_definition(const VirtualInst& inst, F f) {
  for (const Word& w : inst.defines)
    if (w.in_register()) f(w);
  if (inst.define_predicate.in_register()) f(inst.define_predicate);
}

/// Words live at the start and end of each block.
struct LiveWords {
  std::vector<Set> in, out;
};

template <class F>
LiveWords live_words(const Code& code, std::size_t count, F word_of) {
  const std::size_t n = code.blocks.size(), size = (count + 63) / 64;
  std::vector<Set> gen(n, Set(size)), kill(n, Set(size));
  for (std::size_t b = 0; b < n; ++b)
    for (const VirtualInst& inst : code.blocks[b].insts) {
      const auto use = [&](const Word& w) {
        if (!has(kill[b], word_of(w))) add(gen[b], word_of(w));
      };
      each_use(inst, use);
      if (inst.keeps_old) each_definition(inst, use);
      each_definition(inst, [&](const Word& w) { add(kill[b], word_of(w)); });
    }
  LiveWords live;
  live.in = gen;
  live.out.assign(n, Set(size));
  for (bool changed = true; changed;) {
    changed = false;
    for (std::size_t b = n; b-- > 0;) {
      for (const simt::BlockId s : code.kernel->blocks[b].term.targets)
        for (std::size_t w = 0; w < size; ++w) live.out[b][w] |= live.in[s][w];
      for (std::size_t w = 0; w < size; ++w) {
        const std::uint64_t in = live.in[b][w] | (live.out[b][w] & ~kill[b][w]);
        changed |= in != live.in[b][w];
        live.in[b][w] = in;
      }
    }
  }
  return live;
}

}  // namespace

Ranges live_ranges(const Code& code, const Grouping& grouping) {
  Ranges r;
  std::uint32_t count = 0;
  for (const Grouping::Group& g : grouping.groups) {
    r.first.push_back(count);
    count += g.words;
  }
  r.words.resize(count);
  r.weight.assign(grouping.groups.size(), 0);
  const auto word_of = [&](const Word& w) {
    const Grouping::Seat seat = grouping.seats[w.id];
    return r.first[seat.group] + seat.offset + w.index;
  };
  const LiveWords live = live_words(code, count, word_of);
  constexpr std::uint32_t closed = ~0u;
  std::vector<std::uint32_t> end(count, closed);
  std::vector<std::uint32_t> open;  // words that may be open in this block
  std::uint32_t entry = 0;          // of the block, in instructions
  for (std::size_t b = 0; b < code.blocks.size(); ++b) {
    const auto& insts = code.blocks[b].insts;
    const auto n = static_cast<std::uint32_t>(insts.size());
    const double weight = std::pow(10.0, std::min<std::uint32_t>(code.kernel->blocks[b].loop_depth, 6));
    open.clear();
    const auto use = [&](std::uint32_t w, std::uint32_t point) {
      if (end[w] != closed) return;
      end[w] = point;
      open.push_back(w);
    };
    for (std::size_t i = 0; i < live.out[b].size(); ++i)
      for (std::uint64_t rest = live.out[b][i]; rest != 0; rest &= rest - 1)
        use(static_cast<std::uint32_t>(i * 64 + static_cast<unsigned>(__builtin_ctzll(rest))),
            2 * (entry + n + 1));
    for (std::uint32_t i = n; i-- > 0;) {
      const VirtualInst& inst = insts[i];
      const std::uint32_t at = 2 * (entry + 1 + i);
      each_definition(inst, [&](const Word& v) {
        const std::uint32_t w = word_of(v);
        r.weight[grouping.seats[v.id].group] += weight;
        if (inst.keeps_old) {
          use(w, at + 1);
          return;
        }
        r.words[w].push_back({at + 1, end[w] == closed ? at + 1 : end[w]});
        end[w] = closed;
      });
      each_use(inst, [&](const Word& v) {
        r.weight[grouping.seats[v.id].group] += weight;
        use(word_of(v), at);
      });
    }
    for (const std::uint32_t w : open) {
      if (end[w] != closed) r.words[w].push_back({2 * entry, end[w]});
      end[w] = closed;
    }
    entry += n + 2;
  }
  r.points = 2 * entry;
  r.begin.assign(grouping.groups.size(), ~0u);
  r.length.assign(grouping.groups.size(), 0);
  for (std::size_t g = 0; g < grouping.groups.size(); ++g)
    for (std::uint32_t w = 0; w < grouping.groups[g].words; ++w)
      for (const Ranges::Segment& s : r.words[r.first[g] + w]) {
        r.begin[g] = std::min(r.begin[g], s.begin);
        r.length[g] += s.end - s.begin + 1;
      }
  return r;
}

namespace {

class Colourer {
 public:
  Colourer(const Ranges& ranges, const Grouping& grouping, std::uint32_t registers,
           const std::vector<bool>& cheap)
      : ranges_(ranges), grouping_(grouping), registers_(registers), cheap_(cheap) {
    taken_.resize(ranges.points);
    predicate_taken_.resize(ranges.points);
    result_.place.assign(grouping.groups.size(), nowhere);
  }

  Colouring run(bool wide_first) {
    std::vector<std::uint32_t> order;
    for (std::uint32_t g = 0; g < grouping_.groups.size(); ++g)
      if (ranges_.length[g] > 0) order.push_back(g);
    std::stable_sort(order.begin(), order.end(), [&](std::uint32_t a, std::uint32_t b) {
      if (wide_first && (words(a) > 1) != (words(b) > 1)) return words(a) > 1;
      return ranges_.begin[a] < ranges_.begin[b];
    });
    for (const std::uint32_t g : order) seat(g);
    for (const std::uint32_t g : order)
      if (!grouping_.groups[g].predicate && result_.place[g] != nowhere)
        result_.used = std::max(result_.used, result_.place[g] + words(g));
    return std::move(result_);
  }

 private:
  static constexpr std::uint32_t nowhere = ~0u;
  static constexpr std::uint32_t lanes = 4;  // of 64 registers
  using File = std::array<std::uint64_t, lanes>;

  std::uint32_t words(std::uint32_t g) const { return grouping_.groups[g].words; }
  std::uint32_t step(std::uint32_t g) const { return words(g) >= 3 ? 4 : words(g); }
  bool predicate(std::uint32_t g) const { return grouping_.groups[g].predicate; }
  std::uint32_t size(std::uint32_t g) const { return predicate(g) ? predicate_registers : registers_; }

  double cost(std::uint32_t g) const {
    if (grouping_.groups[g].brief) return std::numeric_limits<double>::infinity();
    return ranges_.weight[g] * (cheap_[g] ? 0.25 : 1.0) / ranges_.length[g];
  }

  template <class F>
  void each_point(std::uint32_t g, std::uint32_t word, F f) const {
    for (const Ranges::Segment& s : ranges_.words[ranges_.first[g] + word])
      for (std::uint32_t p = s.begin; p <= s.end; ++p) f(p);
  }

  void occupy(std::uint32_t g, bool on) {
    for (std::uint32_t w = 0; w < words(g); ++w) {
      const std::uint32_t r = result_.place[g] + w;
      const std::uint64_t bit = std::uint64_t{1} << (r & 63);
      each_point(g, w, [&](std::uint32_t p) {
        std::uint64_t& set = predicate(g) ? predicate_taken_[p] : taken_[p][r >> 6];
        set = on ? set | bit : set & ~bit;
      });
    }
  }

  std::uint32_t first_fit(std::uint32_t g) const {
    std::vector<File> taken(words(g));
    for (std::uint32_t w = 0; w < words(g); ++w)
      each_point(g, w, [&](std::uint32_t p) {
        if (predicate(g))
          taken[w][0] |= predicate_taken_[p];
        else
          for (std::uint32_t i = 0; i < lanes; ++i) taken[w][i] |= taken_[p][i];
      });
    for (std::uint32_t r = 0; r + words(g) <= size(g); r += step(g)) {
      bool free = true;
      for (std::uint32_t w = 0; w < words(g) && free; ++w)
        free = (taken[w][(r + w) >> 6] >> ((r + w) & 63) & 1) == 0;
      if (free) return r;
    }
    return nowhere;
  }

  void seat(std::uint32_t g) {
    result_.place[g] = first_fit(g);
    if (result_.place[g] == nowhere) evict_for(g);
    if (result_.place[g] == nowhere) return;
    occupy(g, true);
    seated_.push_back(g);
  }

  // Frees the registers whose holders are the cheapest to spill, unless g itself is cheaper still.
  void evict_for(std::uint32_t g) {
    // By word of g: the points before each at which it lives, so that a long range is asked at its ends.
    std::vector<std::vector<std::uint32_t>> before(words(g), std::vector<std::uint32_t>(ranges_.points + 1));
    for (std::uint32_t w = 0; w < words(g); ++w) {
      each_point(g, w, [&](std::uint32_t p) { before[w][p + 1] = 1; });
      std::partial_sum(before[w].begin(), before[w].end(), before[w].begin());
    }
    std::vector<double> price(size(g));
    std::vector<std::vector<std::uint32_t>> holders(size(g));
    for (const std::uint32_t other : seated_) {
      if (predicate(other) != predicate(g)) continue;
      for (std::uint32_t j = 0; j < words(other); ++j) {
        std::uint32_t hit = 0;
        for (const Ranges::Segment& s : ranges_.words[ranges_.first[other] + j])
          for (std::uint32_t w = 0; w < words(g); ++w)
            if (before[w][s.end + 1] != before[w][s.begin]) hit |= 1u << w;
        for (std::uint32_t i = 0; i < words(g); ++i) {
          const std::uint32_t r = result_.place[other] + j - i;
          if ((hit >> i & 1) == 0 || r >= size(g)) continue;
          if (!holders[r].empty() && holders[r].back() == other) continue;
          holders[r].push_back(other);
          price[r] += cost(other);
        }
      }
    }
    std::uint32_t best = nowhere;
    double least = cost(g);
    for (std::uint32_t r = 0; r + words(g) <= size(g); r += step(g))
      if (price[r] < least) least = price[r], best = r;
    if (best == nowhere) {
      if (grouping_.groups[g].brief)
        result_.possible = false;
      else
        result_.spilled.push_back(g);
      return;
    }
    for (const std::uint32_t other : holders[best]) {
      occupy(other, false);
      result_.place[other] = nowhere;
      result_.spilled.push_back(other);
      std::erase(seated_, other);
    }
    result_.place[g] = best;
  }

  const Ranges& ranges_;
  const Grouping& grouping_;
  std::uint32_t registers_;
  const std::vector<bool>& cheap_;
  std::vector<File> taken_;
  std::vector<std::uint64_t> predicate_taken_;
  std::vector<std::uint32_t> seated_;
  Colouring result_;
};

}  // namespace

Colouring colour(const Ranges& ranges, const Grouping& grouping, std::uint32_t registers, bool wide_first,
                 const std::vector<bool>& cheap) {
  return Colourer(ranges, grouping, registers, cheap).run(wide_first);
}

}  // namespace wanren::lower
