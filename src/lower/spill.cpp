// Code for groups without a register: each use gets a short-lived one.

#include <algorithm>
#include <map>
#include <tuple>

#include "lower/registers.h"

namespace wanren::lower {
namespace {

bool reads_registers(const VirtualInst& inst) {
  for (const Words& use : inst.uses)
    for (const Word& w : use)
      if (w.in_register()) return true;
  return inst.guard.in_register();
}

class Spiller {
 public:
  Spiller(Code& code, Grouping& grouping, const Ranges& ranges, std::uint32_t& spill_words)
      : code_(code), grouping_(grouping), ranges_(ranges), spill_words_(spill_words) {}

  void run(const std::vector<std::uint32_t>& spilled) {
    const std::vector<bool> again = remade(code_, grouping_);
    homes_.resize(grouping_.groups.size());
    std::vector<std::uint32_t> in_memory;
    for (const std::uint32_t g : spilled) {
      Home& home = homes_[g];
      if (again[g]) {
        home.kind = Home::Kind::definition;
      } else if (grouping_.groups[g].predicate) {
        home.kind = Home::Kind::carrier;
        home.carrier = fresh(1, false, false);
      } else {
        home.kind = Home::Kind::memory;
        in_memory.push_back(g);
      }
    }
    homes_.resize(grouping_.groups.size());
    assign_slots(std::move(in_memory));
    for (VirtualBlock& block : code_.blocks)
      for (VirtualInst& inst : block.insts)
        if (const std::uint32_t g = made_group(inst); g != nobody && homes_[g].kind == Home::Kind::definition)
          homes_[g].definition = inst;
    for (VirtualBlock& block : code_.blocks) rewrite(block);
  }

 private:
  static constexpr std::uint32_t nobody = ~0u;

  struct Home {
    enum class Kind : std::uint8_t { registers, memory, carrier, definition } kind = Kind::registers;
    std::uint32_t slot = 0;
    Virtual carrier = no_virtual;
    VirtualInst definition;
  };

  std::uint32_t group_of(const Word& w) const { return grouping_.seats[w.id].group; }
  std::uint32_t made_group(const VirtualInst& inst) const {
    return inst.defines.size() == 1 && inst.defines[0].in_register() ? group_of(inst.defines[0]) : nobody;
  }

  Virtual fresh(std::uint8_t words, bool predicate, bool brief) {
    const Virtual v = code_.make(words, predicate);
    grouping_.web.push_back(v);
    grouping_.seats.push_back({static_cast<std::uint32_t>(grouping_.groups.size()), 0});
    grouping_.groups.push_back({words, predicate, brief});
    return v;
  }

  // Groups whose hulls do not overlap share their space.
  void assign_slots(std::vector<std::uint32_t> groups) {
    const auto end_of = [&](std::uint32_t g) {
      std::uint32_t end = 0;
      for (std::uint32_t w = 0; w < grouping_.groups[g].words; ++w)
        for (const Ranges::Segment& s : ranges_.words[ranges_.first[g] + w]) end = std::max(end, s.end);
      return end;
    };
    std::stable_sort(groups.begin(), groups.end(),
                     [&](std::uint32_t a, std::uint32_t b) { return ranges_.begin[a] < ranges_.begin[b]; });
    std::vector<std::uint32_t> busy_until;
    for (const std::uint32_t g : groups) {
      const std::uint32_t words = grouping_.groups[g].words;
      std::uint32_t at = 0;
      for (std::uint32_t k = 0; k < words && at + k < busy_until.size();)
        if (busy_until[at + k] >= ranges_.begin[g])
          at += k + 1, k = 0;
        else
          ++k;
      if (at + words > busy_until.size()) busy_until.resize(at + words);
      std::fill_n(busy_until.begin() + at, words, end_of(g));
      homes_[g].slot = spill_words_ + at;
    }
    spill_words_ += static_cast<std::uint32_t>(busy_until.size());
  }

  VirtualInst integer() const {
    const auto& s = code_.chip->subcore;
    VirtualInst inst;
    inst.machine.pipe = Pipe::integer;
    inst.machine.latency = static_cast<std::uint16_t>(s.alu_latency);
    inst.machine.interval = static_cast<std::uint16_t>((warp_size + s.int_lanes - 1) / s.int_lanes);
    return inst;
  }

  VirtualInst access(Memory kind, const Words& words, std::uint32_t slot) const {
    const auto& s = code_.chip->subcore;
    VirtualInst inst;
    inst.machine.pipe = Pipe::memory;
    inst.machine.memory = kind;
    inst.machine.spill = true;
    inst.machine.spill_word = static_cast<std::uint16_t>(slot);
    inst.machine.bytes = static_cast<std::uint16_t>(4 * words.size());
    inst.machine.interval = static_cast<std::uint16_t>((warp_size + s.ldst_lanes - 1) / s.ldst_lanes);
    inst.machine.latency = static_cast<std::uint16_t>(code_.chip->unit.l1_latency);
    inst.access = {.space = Access::Space::spill,
                   .reads = kind == Memory::load,
                   .writes = kind == Memory::store,
                   .offset = 4 * std::int64_t{slot},
                   .bytes = inst.machine.bytes};
    if (kind == Memory::load)
      inst.defines = words;
    else
      inst.uses = {words};
    return inst;
  }

  std::uint32_t slot_of(const Word& w) const {
    return homes_[group_of(w)].slot + grouping_.seats[w.id].offset + w.index;
  }

  /// A register that holds `words`, all in the home of one group, at this instruction.
  Words reload(const Words& words, const VirtualInst& at) {
    const Home& home = homes_[group_of(words[0])];
    const std::tuple key(group_of(words[0]), grouping_.seats[words[0].id].offset + words[0].index,
                         words.size());
    if (const auto it = loaded_.find(key); it != loaded_.end()) return it->second;
    const bool predicate = code_.virtuals[words[0].id].predicate;
    const Words here = code_.words_of(fresh(static_cast<std::uint8_t>(words.size()), predicate, true));
    VirtualInst inst;
    switch (home.kind) {
      case Home::Kind::memory: inst = access(Memory::load, here, slot_of(words[0])); break;
      case Home::Kind::carrier:
        inst = integer();
        inst.uses = {{Code::word_of(home.carrier)}};
        inst.define_predicate = here[0];
        break;
      default: inst = home.definition; inst.defines = here;
    }
    inst.machine.ptx_inst = at.machine.ptx_inst;
    out_.push_back(std::move(inst));
    return loaded_[key] = here;
  }

  bool away(const Word& w) const {
    return w.in_register() && group_of(w) < homes_.size() &&
           homes_[group_of(w)].kind != Home::Kind::registers;
  }

  void read(Words& use, const VirtualInst& inst) {
    Words in_registers;
    for (const Word& w : use)
      if (w.in_register()) in_registers.push_back(w);
    if (in_registers.empty() || !away(in_registers[0])) return;
    use = reload(in_registers, inst);
  }

  void write(Words& defines, VirtualInst& inst, std::vector<VirtualInst>& after) {
    if (defines.empty() || !away(defines[0])) return;
    const Words old = defines;
    const Home& home = homes_[group_of(old[0])];
    if (inst.keeps_old) {
      defines = reload(old, inst);
    } else {
      const bool predicate = code_.virtuals[old[0].id].predicate;
      defines = code_.words_of(fresh(static_cast<std::uint8_t>(old.size()), predicate, true));
    }
    VirtualInst save;
    if (homes_[group_of(old[0])].kind == Home::Kind::memory) {
      save = access(Memory::store, defines, slot_of(old[0]));
    } else {
      save = integer();
      save.uses = {defines};
      save.defines = {Code::word_of(home.carrier)};
    }
    save.machine.ptx_inst = inst.machine.ptx_inst;
    after.push_back(std::move(save));
  }

  void rewrite(VirtualBlock& block) {
    out_.clear();
    for (VirtualInst& inst : block.insts) {
      loaded_.clear();
      if (const std::uint32_t g = made_group(inst); g != nobody && homes_[g].kind == Home::Kind::definition)
        continue;
      std::vector<VirtualInst> after;
      for (Words& use : inst.uses) read(use, inst);
      if (away(inst.guard)) inst.guard = reload({inst.guard}, inst)[0];
      write(inst.defines, inst, after);
      if (away(inst.define_predicate)) {
        Words predicate = {inst.define_predicate};
        write(predicate, inst, after);
        inst.define_predicate = predicate[0];
      }
      out_.push_back(std::move(inst));
      std::move(after.begin(), after.end(), std::back_inserter(out_));
    }
    block.insts = std::move(out_);
  }

  Code& code_;
  Grouping& grouping_;
  const Ranges& ranges_;
  std::uint32_t& spill_words_;
  std::vector<Home> homes_;  ///< By group.
  std::vector<VirtualInst> out_;
  std::map<std::tuple<std::uint32_t, std::uint32_t, std::size_t>, Words> loaded_;  ///< For this instruction.
};

}  // namespace

std::vector<bool> remade(const Code& code, const Grouping& grouping) {
  std::vector<int> definitions(grouping.groups.size());
  std::vector<bool> simple(grouping.groups.size(), true);
  const auto define = [&](const Word& w, const VirtualInst& inst) {
    if (!w.in_register()) return;
    const std::uint32_t g = grouping.seats[w.id].group;
    ++definitions[g];
    simple[g] = simple[g] && inst.machine.pipe == Pipe::integer && !inst.keeps_old && !inst.last &&
                inst.defines.size() == 1 && !inst.define_predicate.in_register() && !reads_registers(inst) &&
                grouping.groups[g].words == 1 && !grouping.groups[g].predicate;
  };
  for (const VirtualBlock& block : code.blocks)
    for (const VirtualInst& inst : block.insts) {
      for (const Word& w : inst.defines) define(w, inst);
      define(inst.define_predicate, inst);
    }
  for (std::size_t g = 0; g < simple.size(); ++g) simple[g] = simple[g] && definitions[g] == 1;
  return simple;
}

void insert_spills(Code& code, Grouping& grouping, const Ranges& ranges,
                   const std::vector<std::uint32_t>& spilled, std::uint32_t& spill_words) {
  Spiller(code, grouping, ranges, spill_words).run(spilled);
}

}  // namespace wanren::lower
