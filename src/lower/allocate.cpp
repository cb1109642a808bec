// Linear scan over live intervals of register groups. An interval is the hull of a group's live range in
// block order; blocks are in priority order with loops contiguous, so a hull wastes little.

#include <algorithm>
#include <array>
#include <bitset>
#include <cmath>

#include "lower/ir.h"

namespace wanren::lower {
namespace {

constexpr std::uint32_t predicate_registers = 7;  // P7 is the constant true
constexpr Register first_predicate = 256;

struct Interval {
  std::uint32_t group = 0;
  std::uint32_t begin = ~0u, end = 0;
  double weight = 0;                         ///< Accesses, times ten per loop level.
  std::array<std::uint32_t, 16> word_end{};  ///< Words of a group become free one by one.
};

class Allocator {
 public:
  Allocator(const Code& code, const Grouping& grouping, std::uint32_t budget)
      : code_(code), grouping_(grouping), budget_(budget) {}

  void run(MachineProgram& program) {
    intervals();
    spilled_.assign(grouping_.groups.size(), false);
    place_.assign(grouping_.groups.size(), 0);
    spill_slot_.assign(grouping_.groups.size(), 0);
    bool any = false;
    while (!scan(any)) any = true;
    emit(program);
    program.spill_bytes = spill_words_ * 4;
  }

 private:
  void intervals() {
    const Liveness live = liveness(code_, grouping_.web);
    list_.resize(grouping_.groups.size());
    for (std::uint32_t g = 0; g < list_.size(); ++g) list_[g].group = g;
    std::uint32_t at = 1;
    const auto touch = [&](Virtual v, std::uint32_t position) {
      Interval& i = list_[grouping_.seats[v].group];
      i.begin = std::min(i.begin, position);
      i.end = std::max(i.end, position);
      const std::size_t first = grouping_.seats[v].offset;
      for (std::size_t w = first;
           w < std::min<std::size_t>(first + code_.virtuals[v].words, i.word_end.size()); ++w)
        i.word_end[w] = std::max(i.word_end[w], position);
    };
    for (std::size_t b = 0; b < code_.blocks.size(); ++b) {
      const double weight = std::pow(10.0, std::min<std::uint32_t>(code_.kernel->blocks[b].loop_depth, 6));
      const auto each = [&](const Liveness::Set& set, std::uint32_t position) {
        for (std::size_t w = 0; w < set.size(); ++w)
          for (std::uint64_t rest = set[w]; rest != 0; rest &= rest - 1)
            touch(static_cast<Virtual>(w * 64 + static_cast<unsigned>(__builtin_ctzll(rest))), position);
      };
      each(live.in[b], at);
      for (const VirtualInst& inst : code_.blocks[b].insts) {
        // Sources are read at an odd position, results written at the even one after it.
        at += 2;
        const auto access = [&](const Word& w, std::uint32_t position) {
          if (!w.in_register()) return;
          touch(w.id, position);
          list_[grouping_.seats[w.id].group].weight += weight;
        };
        for (const Words& use : inst.uses)
          for (const Word& w : use) access(w, at);
        access(inst.guard, at);
        for (const Word& w : inst.defines) access(w, at + 1);
        access(inst.define_predicate, at + 1);
      }
      at += 2;
      each(live.out[b], at);
    }
    order_.clear();
    for (const Interval& i : list_)
      if (i.begin != ~0u) order_.push_back(i.group);
    std::stable_sort(order_.begin(), order_.end(),
                     [&](std::uint32_t a, std::uint32_t b) { return list_[a].begin < list_[b].begin; });
  }

  std::uint32_t words(std::uint32_t g) const { return grouping_.groups[g].words; }

  /// One pass. False: something more had to be spilled.
  bool scan(bool spilling) {
    const std::uint32_t registers = spilling ? budget_ - scratch_words() : budget_;
    const std::uint32_t predicates = predicate_registers - (spilling ? 1 : 0);
    std::vector<bool> taken(registers), predicate_taken(predicates);
    std::vector<std::uint32_t> active;
    std::vector<std::bitset<16>> released(list_.size());
    used_ = 0;
    scratch_ = registers;
    for (const std::uint32_t g : order_) {
      if (spilled_[g]) continue;
      // A result may take the register of a source that dies in the same instruction.
      std::erase_if(active, [&](std::uint32_t a) {
        auto& file = grouping_.groups[a].predicate ? predicate_taken : taken;
        for (std::uint32_t w = 0; w < words(a); ++w)
          if (!released[a][w] && list_[a].word_end[w] < list_[g].begin) {
            released[a][w] = true;
            file[place_[a] + w] = false;
          }
        return list_[a].end < list_[g].begin;
      });
      const bool predicate = grouping_.groups[g].predicate;
      auto& file = predicate ? predicate_taken : taken;
      const std::uint32_t step = predicate ? 1 : words(g) >= 3 ? 4 : words(g);
      bool found = false;
      for (std::uint32_t r = 0; r + words(g) <= file.size() && !found; r += step) {
        bool free = true;
        for (std::uint32_t w = 0; w < words(g); ++w) free &= !file[r + w];
        if (!free) continue;
        found = true;
        place_[g] = r;
        for (std::uint32_t w = 0; w < words(g); ++w) file[r + w] = true;
        if (!predicate) used_ = std::max(used_, r + words(g));
      }
      if (found) {
        active.push_back(g);
        continue;
      }
      // The cheapest per cycle of residence leaves: long intervals with few accesses.
      const auto cost = [&](std::uint32_t a) {
        return list_[a].weight / (1.0 + list_[a].end - list_[a].begin) / words(a);
      };
      std::uint32_t victim = g;
      for (const std::uint32_t a : active)
        if (grouping_.groups[a].predicate == predicate && words(a) >= words(g) && cost(a) < cost(victim))
          victim = a;
      spilled_[victim] = true;
      spill_slot_[victim] = spill_words_;
      if (!predicate) spill_words_ += words(victim);
      return false;
    }
    return true;
  }

  /// Registers kept for reloads once something is spilled.
  std::uint32_t scratch_words() const { return budget_ >= 48 ? 16 : 8; }

  Register general(std::uint32_t r) const { return static_cast<Register>(r); }

  struct Slots {
    std::uint32_t next = 0;
  };

  std::uint32_t scratch(Slots& slots, std::uint32_t count) {
    const std::uint32_t step = count >= 3 ? 4 : count;
    std::uint32_t at = (scratch_ + step - 1) / step * step + slots.next;
    at = (at + step - 1) / step * step;
    if (at + count > scratch_ + scratch_words()) {
      at = (scratch_ + step - 1) / step * step;
      slots.next = 0;
    }
    slots.next = at + count - scratch_;
    used_ = std::max(used_, at + count);
    return at;
  }

  MachineInst spill(Memory kind, Register r, std::uint32_t count) const {
    MachineInst m;
    m.pipe = Pipe::memory;
    m.memory = kind;
    m.bytes = static_cast<std::uint16_t>(4 * count);
    m.interval = static_cast<std::uint16_t>((warp_size + code_.chip->subcore.ldst_lanes - 1) /
                                            code_.chip->subcore.ldst_lanes);
    m.latency = static_cast<std::uint16_t>(code_.chip->unit.l1_latency);
    if (kind == Memory::load) {
      m.dst = r;
      m.dst_count = static_cast<std::uint8_t>(count);
    } else {
      m.src[0] = r;
      m.src_width[0] = static_cast<std::uint8_t>(count);
      m.src_count = 1;
    }
    return m;
  }

  MachineInst predicate_move(bool to_general) const {
    MachineInst m;
    m.pipe = Pipe::integer;
    m.latency = static_cast<std::uint16_t>(code_.chip->subcore.alu_latency);
    m.interval = static_cast<std::uint16_t>((warp_size + code_.chip->subcore.int_lanes - 1) /
                                            code_.chip->subcore.int_lanes);
    const Register p = static_cast<Register>(first_predicate + predicate_registers - 1);
    if (to_general) {
      m.src[0] = p;
      m.src_width[0] = 1;
      m.src_count = 1;
    } else {
      m.dst_predicate = p;
    }
    return m;
  }

  void emit(MachineProgram& program) {
    program.blocks.resize(code_.blocks.size());
    for (std::size_t b = 0; b < code_.blocks.size(); ++b) {
      std::vector<MachineInst>& out = program.blocks[b].insts;
      for (const VirtualInst& inst : code_.blocks[b].insts) {
        MachineInst m = inst.machine;
        Slots slots;
        std::vector<MachineInst> after;
        const auto read_predicate = [&](const Word& w) -> Register {
          const std::uint32_t g = grouping_.seats[w.id].group;
          if (!spilled_[g]) return static_cast<Register>(first_predicate + place_[g]);
          out.push_back(predicate_move(false));
          return static_cast<Register>(first_predicate + predicate_registers - 1);
        };
        const auto write_predicate = [&](const Word& w) -> Register {
          const std::uint32_t g = grouping_.seats[w.id].group;
          if (!spilled_[g]) return static_cast<Register>(first_predicate + place_[g]);
          after.push_back(predicate_move(true));
          return static_cast<Register>(first_predicate + predicate_registers - 1);
        };
        for (const Words& use : inst.uses) {
          std::uint32_t count = 0;
          const Word* first = nullptr;
          for (const Word& w : use)
            if (w.in_register()) {
              ++count;
              if (first == nullptr) first = &w;
            }
          if (count == 0 || m.src_count == 4) continue;
          const Grouping::Seat seat = grouping_.seats[first->id];
          Register r;
          if (code_.virtuals[first->id].predicate) {
            r = read_predicate(*first);
          } else if (spilled_[seat.group]) {
            r = general(scratch(slots, count));
            out.push_back(spill(Memory::load, r, count));
          } else {
            r = general(place_[seat.group] + seat.offset + first->index);
          }
          m.src[m.src_count] = r;
          m.src_width[m.src_count] = static_cast<std::uint8_t>(count);
          ++m.src_count;
        }
        if (inst.guard.in_register()) m.guard = read_predicate(inst.guard);
        if (!inst.defines.empty() && inst.defines[0].in_register()) {
          const Word& w = inst.defines[0];
          if (code_.virtuals[w.id].predicate) {
            m.dst_predicate = write_predicate(w);
          } else {
            const Grouping::Seat seat = grouping_.seats[w.id];
            m.dst_count = static_cast<std::uint8_t>(inst.defines.size());
            if (spilled_[seat.group]) {
              m.dst = general(scratch(slots, m.dst_count));
              after.push_back(spill(Memory::store, m.dst, m.dst_count));
            } else {
              m.dst = general(place_[seat.group] + seat.offset + w.index);
            }
          }
        }
        if (inst.define_predicate.in_register()) m.dst_predicate = write_predicate(inst.define_predicate);
        out.push_back(m);
        out.insert(out.end(), after.begin(), after.end());
      }
    }
    program.registers_per_thread = used_;
  }

  const Code& code_;
  const Grouping& grouping_;
  std::uint32_t budget_;
  std::vector<Interval> list_;
  std::vector<std::uint32_t> order_, place_, spill_slot_;
  std::vector<bool> spilled_;
  std::uint32_t used_ = 0, scratch_ = 0, spill_words_ = 0;
};

}  // namespace

void allocate(const Code& code, const Grouping& grouping, std::uint32_t budget, MachineProgram& program) {
  Allocator(code, grouping, budget).run(program);
}

}  // namespace wanren::lower
