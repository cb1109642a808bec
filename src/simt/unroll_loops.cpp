// Loops of one block whose count is known, or can be asked for at run time, do several iterations a round.
// Limits are those that ptxas 13 keeps for sm_80, found by giving it loops of every size.

#include <algorithm>
#include <map>
#include <optional>

#include "simt/draft.h"
#include "simt/flow.h"
#include "simt/opcode_traits.h"

namespace wanren::simt {
namespace {

using ptx::Compare;
using ptx::Opcode;
using ptx::Type;

constexpr std::uint32_t whole_limit = 450;  // instructions of a loop that goes away
// The same within another loop, where ptxas goes to some 2,700; what a longer body gains is little.
constexpr std::uint32_t whole_limit_nested = 800;
constexpr std::uint32_t small_body = 20;  // short bodies may grow further
constexpr std::uint32_t whole_limit_small = 1000;
constexpr std::uint32_t part_limit = 260;       // of one round where the count is a constant
constexpr std::uint32_t round_at_run_time = 4;  // iterations of one round where it is not
constexpr std::uint32_t most_iterations = 1024;
constexpr std::size_t kernel_limit = 16384;  // instructions; beyond, nothing is unrolled

// What a variable holds, seen from the block's start: base + offset, or offset alone.
struct Linear {
  VariableId base = no_value;
  std::uint64_t offset = 0;
};

bool is_integer(Type t) {
  using enum Type;
  return t == s32 || t == u32 || t == b32 || t == s64 || t == u64 || t == b64;
}

class Evaluation {
 public:
  std::optional<Linear> of(const Operand& o) const {
    if (o.kind == Operand::Kind::imm && o.index == 0) return Linear{no_value, o.bits};
    if (o.kind != Operand::Kind::value || o.negated) return std::nullopt;
    const auto it = known_.find(o.value);
    if (it == known_.end()) return Linear{o.value, 0};
    return it->second;
  }
  bool written(VariableId v) const { return known_.contains(v); }

  void run(const Inst& inst) {
    std::optional<Linear> result;
    if (inst.guard == no_value && inst.dsts.size() == 1 && !inst.arithmetic().sat && !inst.arithmetic().cc) {
      if (inst.op == Opcode::mov && inst.srcs.size() == 1) result = of(inst.srcs[0]);
      if ((inst.op == Opcode::add || inst.op == Opcode::sub) && is_integer(inst.types[0])) {
        auto a = of(inst.srcs[0]), b = of(inst.srcs[1]);
        if (inst.op == Opcode::add && a && a->base == no_value) std::swap(a, b);
        if (a && b && b->base == no_value)
          result = Linear{a->base, inst.op == Opcode::add ? a->offset + b->offset : a->offset - b->offset};
      }
    }
    for (const VariableId d : inst.dsts)
      if (d != no_value) known_[d] = inst.dsts.size() == 1 ? result : std::nullopt;
  }

 private:
  std::map<VariableId, std::optional<Linear>> known_;
};

struct Counted {
  VariableId counter = no_value;
  std::int64_t step = 0;
  Operand bound;      ///< An imm, or a variable that the loop does not write.
  Compare compare{};  ///< The loop goes on where counter (after its step) compares so with the bound.
  Type type{};
};

Compare inverse(Compare c) {
  switch (c) {
    case Compare::eq: return Compare::ne;
    case Compare::ne: return Compare::eq;
    case Compare::lt: return Compare::ge;
    case Compare::le: return Compare::gt;
    case Compare::gt: return Compare::le;
    case Compare::ge: return Compare::lt;
    default: return Compare::none;
  }
}
Compare mirrored(Compare c) {
  switch (c) {
    case Compare::lt: return Compare::gt;
    case Compare::le: return Compare::ge;
    case Compare::gt: return Compare::lt;
    case Compare::ge: return Compare::le;
    default: return c;
  }
}
// lo, ls, hi, hs are unsigned forms; types say so too.
Compare plain(Compare c) {
  switch (c) {
    case Compare::lo: return Compare::lt;
    case Compare::ls: return Compare::le;
    case Compare::hi: return Compare::gt;
    case Compare::hs: return Compare::ge;
    default: return c;
  }
}

std::int64_t extend(std::uint64_t bits_value, Type t) {
  if (ptx::bits(t) == 64) return static_cast<std::int64_t>(bits_value);
  return ptx::is_signed(t) ? static_cast<std::int32_t>(bits_value)
                           : static_cast<std::int64_t>(static_cast<std::uint32_t>(bits_value));
}

bool holds(Compare c, std::uint64_t x, std::uint64_t y, Type t) {
  const std::int64_t a = extend(x, t), b = extend(y, t);
  const bool below = ptx::bits(t) == 64 && !ptx::is_signed(t)
                         ? static_cast<std::uint64_t>(a) < static_cast<std::uint64_t>(b)
                         : a < b;
  switch (c) {
    case Compare::eq: return a == b;
    case Compare::ne: return a != b;
    case Compare::lt: return below;
    case Compare::le: return below || a == b;
    case Compare::gt: return !below && a != b;
    case Compare::ge: return !below;
    default: return false;
  }
}

// Others may see, or wait for, how often these run.
bool may_repeat(const Inst& inst) {
  if (inst.op == Opcode::atom || inst.syscall != Syscall::none || inst.op == Opcode::call) return false;
  if (traits(inst.op).memory) return !is_ordered(inst);
  return !traits(inst.op).suspends;
}

class Unroller {
 public:
  explicit Unroller(Draft& draft)
      : draft_(draft), blocks_(draft.kernel.blocks), loops_(find_loops(successors(blocks_))) {
    for (const Block& b : blocks_) instructions_ += b.insts.size();
  }

  bool run() {
    bool any = false;
    const auto n = static_cast<BlockId>(blocks_.size());
    for (BlockId b = 0; b < n && instructions_ < kernel_limit; ++b)
      if (goes_on(b)) any |= unroll(b);
    return any;
  }

 private:
  // A loop of this block alone: which of the branch's targets leads back.
  std::optional<int> goes_on(BlockId b) const {
    const Block& block = blocks_[b];
    const auto& t = block.term.targets;
    if (block.term.kind != Terminator::Kind::branch || block.no_unroll || block.suspend != Suspend::none ||
        (t[0] == b) == (t[1] == b) || !std::all_of(block.insts.begin(), block.insts.end(), may_repeat))
      return std::nullopt;
    return t[0] == b ? 0 : 1;
  }

  std::optional<Counted> counted(BlockId b) const {
    const Block& block = blocks_[b];
    Evaluation values;
    const Inst* test = nullptr;
    std::optional<Linear> left, right;
    for (const Inst& inst : block.insts) {
      if (std::find(inst.dsts.begin(), inst.dsts.end(), block.term.cond) != inst.dsts.end()) {
        test = &inst;
        if (inst.srcs.size() == 2) left = values.of(inst.srcs[0]), right = values.of(inst.srcs[1]);
      }
      values.run(inst);
    }
    if (!test || test->op != Opcode::setp || test->guard != no_value || test->dsts.size() != 1 ||
        test->srcs.size() != 2 || !is_integer(test->types[0]) || !left || !right)
      return std::nullopt;
    Counted c;
    c.type = test->types[0];
    c.compare = plain(test->arithmetic().compare);
    if (c.compare != test->arithmetic().compare) c.type = ptx::bits(c.type) == 64 ? Type::u64 : Type::u32;
    const bool leaves_where_true = *goes_on(b) != (block.term.negated ? 1 : 0);
    if (leaves_where_true) c.compare = inverse(c.compare);
    if (left->base == no_value ||
        (right->base != no_value && values.written(left->base) == values.written(right->base)))
      return std::nullopt;
    if (!values.written(left->base)) {
      std::swap(left, right);
      c.compare = mirrored(c.compare);
    }
    if (left->base == no_value || !values.written(left->base)) return std::nullopt;
    c.counter = left->base;
    const Width width = draft_.variables[c.counter];
    if (bits(width) != ptx::bits(c.type)) return std::nullopt;
    const auto end = values.of(Operand::of(c.counter));
    if (!end || end->base != c.counter) return std::nullopt;
    const Type stepped = bits(width) == 64 ? Type::s64 : Type::s32;
    c.step = extend(end->offset, stepped);
    if (c.step == 0 || extend(left->offset, stepped) != c.step) return std::nullopt;
    if (right->base == no_value) {
      c.bound = Operand::imm(right->offset);
    } else {
      if (right->offset != 0 || values.written(right->base)) return std::nullopt;
      c.bound = Operand::of(right->base);
    }
    return c;
  }

  // A variable's value where the loop begins, if one chain of blocks says it.
  std::optional<std::uint64_t> initial(VariableId v, BlockId b) const {
    BlockId from = b;
    std::uint64_t offset = 0;
    for (int steps = 0; steps < 16; ++steps) {
      BlockId only = no_block;
      for (BlockId p = 0; p < blocks_.size(); ++p) {
        const auto& t = blocks_[p].term.targets;
        if ((p == b && from == b) || std::find(t.begin(), t.end(), from) == t.end()) continue;
        if (only != no_block) return std::nullopt;
        only = p;
      }
      if (only == no_block) return std::nullopt;
      Evaluation values;
      for (const Inst& inst : blocks_[only].insts) values.run(inst);
      const auto value = values.of(Operand::of(v));
      if (!value) return std::nullopt;
      offset += value->offset;
      if (value->base == no_value) return offset;
      v = value->base;
      from = only;
      if (only == 0) return std::nullopt;
    }
    return std::nullopt;
  }

  std::optional<std::uint32_t> constant_count(const Counted& c, BlockId b) const {
    const auto begin = initial(c.counter, b);
    const auto bound =
        c.bound.kind == Operand::Kind::imm ? std::optional(c.bound.bits) : initial(c.bound.value, b);
    if (!begin || !bound) return std::nullopt;
    std::uint64_t at = *begin;
    for (std::uint32_t n = 1; n <= most_iterations; ++n) {
      at += static_cast<std::uint64_t>(c.step);
      if (!holds(c.compare, at, *bound, c.type)) return n;
    }
    return std::nullopt;
  }

  void repeat(Block& block, std::uint32_t times) {
    const std::vector<Inst> once = block.insts;
    for (std::uint32_t i = 1; i < times; ++i) block.insts.insert(block.insts.end(), once.begin(), once.end());
    block.ptx_instructions *= times;
    instructions_ += once.size() * (times - 1);
  }

  bool unroll(BlockId b) {
    const std::optional<Counted> c = counted(b);
    if (!c) return false;
    const auto size = static_cast<std::uint32_t>(blocks_[b].insts.size() + 1);
    const int back = *goes_on(b);
    if (const auto count = constant_count(*c, b)) {
      const bool nested = loops_.loops[static_cast<std::size_t>(loops_.innermost[b])].depth > 1;
      const std::uint32_t whole = nested               ? whole_limit_nested
                                  : size <= small_body ? whole_limit_small
                                                       : whole_limit;
      if (*count * size <= whole) {
        Block& block = blocks_[b];
        repeat(block, *count);
        Terminator jump;
        jump.kind = Terminator::Kind::jump;
        jump.targets = {block.term.targets[1 - back]};
        jump.location = block.term.location;
        block.term = std::move(jump);
        return true;
      }
      for (std::uint32_t round = std::min(*count, part_limit / size); round >= 2; --round)
        if (*count % round == 0) {
          repeat(blocks_[b], round);
          blocks_[b].no_unroll = true;
          return true;
        }
      return false;
    }
    if (size > run_time_limit(blocks_[b]) || lanes_exchange(blocks_[b])) return false;
    return unroll_at_run_time(*c, b);
  }

  // Lanes with few iterations left would do them apart from the others, whom they are to meet in each.
  static bool lanes_exchange(const Block& block) {
    return lanes_meet(block) || std::any_of(block.insts.begin(), block.insts.end(),
                                            [](const Inst& inst) { return traits(inst.op).collective; });
  }

  // Loads that wait for each other pay for more.
  static std::uint32_t run_time_limit(const Block& block) {
    std::uint32_t limit = 20;
    for (const Inst& inst : block.insts)
      if (inst.op == Opcode::ld && inst.space() == ptx::Space::shared)
        limit = std::max(limit, 68u);
      else if (loads_from_afar(inst))
        limit = std::max(limit, 28u);
    return limit;
  }

  // Appends to `block` a branch: to `round` where all tests but the last of the next round succeed.
  void ask(Block& block, const Counted& c, const ptx::Location& location, BlockId round, BlockId otherwise) {
    const bool wide = ptx::bits(c.type) == 64;
    const bool up = c.step > 0;
    const std::uint64_t far = static_cast<std::uint64_t>(up ? c.step : -c.step) * (round_at_run_time - 1);
    const Width width = wide ? Width::b64 : Width::b32;
    const auto add = [&](Opcode op, Type type, VariableId dst, std::vector<Operand> srcs) -> Inst& {
      Inst inst;
      inst.op = op;
      inst.types[0] = type;
      inst.dsts = {dst};
      inst.srcs = std::move(srcs);
      inst.location = location;
      block.insts.push_back(std::move(inst));
      return block.insts.back();
    };
    const Operand counter = Operand::of(c.counter);
    const VariableId left = draft_.new_variable(width), enough = draft_.new_variable(Width::pred);
    add(Opcode::sub, wide ? Type::u64 : Type::u32, left,
        up ? std::vector{c.bound, counter} : std::vector{counter, c.bound});
    Inst& test =
        add(Opcode::setp, wide ? Type::u64 : Type::u32, enough, {Operand::of(left), Operand::imm(far)});
    test.set_compare(c.compare == Compare::le || c.compare == Compare::ge ? Compare::ge : Compare::gt);
    if (c.compare != Compare::ne) {
      // The distance is one only where the bound lies ahead.
      const VariableId ahead = draft_.new_variable(Width::pred), both = draft_.new_variable(Width::pred);
      add(Opcode::setp, c.type, ahead, {counter, c.bound}).set_compare(c.compare);
      add(Opcode::and_, Type::pred, both, {Operand::of(enough), Operand::of(ahead)});
      block.term.cond = both;
    } else {
      block.term.cond = enough;
    }
    block.term.kind = Terminator::Kind::branch;
    block.term.negated = false;
    block.term.targets = {round, otherwise};
    block.term.location = location;
  }

  bool unroll_at_run_time(const Counted& c, BlockId b) {
    const bool up = c.step > 0;
    const bool fits = c.compare == Compare::ne || (up ? c.compare == Compare::lt || c.compare == Compare::le
                                                      : c.compare == Compare::gt || c.compare == Compare::ge);
    const std::uint64_t step = static_cast<std::uint64_t>(up ? c.step : -c.step);
    if (!fits || step > (1u << 20)) return false;
    const auto entry = static_cast<BlockId>(blocks_.size()), rounds = entry + 1, rest = entry + 2;
    for (BlockId p = 0; p < entry; ++p)
      if (p != b) std::replace(blocks_[p].term.targets.begin(), blocks_[p].term.targets.end(), b, entry);
    const ptx::Location location = blocks_[b].term.location;
    Block head, round, tail;
    ask(head, c, location, rounds, b);
    round.insts = blocks_[b].insts;
    round.ptx_instructions = blocks_[b].ptx_instructions;
    repeat(round, round_at_run_time);
    ask(round, c, location, rounds, rest);
    tail.term = blocks_[b].term;
    blocks_[b].no_unroll = true;
    round.no_unroll = true;
    blocks_.push_back(std::move(head));
    blocks_.push_back(std::move(round));
    blocks_.push_back(std::move(tail));
    return true;
  }

  Draft& draft_;
  std::vector<Block>& blocks_;
  Loops loops_;
  std::size_t instructions_ = 0;
};

}  // namespace

bool unroll_loops(Draft& draft) {
  return Unroller(draft).run();
}

}  // namespace wanren::simt
