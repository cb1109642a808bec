// Random control flow, run lane by lane in priority order: what analyse() promises must hold in every run.

#include <algorithm>
#include <bit>
#include <map>
#include <random>

#include "kernels.h"

namespace wanren::simt::test {
namespace {

using ptx::Opcode;

// Writes PTX with if, if-else, loops (break, continue) and arithmetic on eight registers.
class Structured {
 public:
  Structured(std::uint32_t seed, bool jumps) : random_(seed), jumps_(jumps) {}

  std::string text() {
    std::string body =
        "mov.u32 %r0, %tid.x;\nld.param.u32 %r1, [k_param_1];\nmov.u32 %r2, 3;\nmov.u32 %r3, 0;\nmov.u32 "
        "%r4, "
        "%laneid;\nmov.u32 %r5, %ctaid.x;\nshl.b32 %r6, %r0, 2;\nmov.u32 %r7, 1;\n";
    body += statements(0, "", "");
    body += "END:\nld.param.u64 %rd0, [k_param_0];\n";
    for (int i = 0; i < 8; ++i)
      body += "st.global.u32 [%rd0+" + std::to_string(4 * i) + "], " + reg(i) + ";\n";
    return kernel_text(body + "ret;");
  }

 private:
  int pick(int n) { return static_cast<int>(random_() % static_cast<unsigned>(n)); }
  static std::string reg(int i) { return "%r" + std::to_string(i); }
  std::string label() { return "L" + std::to_string(labels_++); }

  std::string arithmetic() {
    const std::string d = reg(pick(8)), a = reg(pick(8)),
                      b = pick(2) ? reg(pick(8)) : std::to_string(pick(40));
    switch (pick(9)) {
      case 0: return "sub.s32 " + d + ", " + a + ", " + b + ";\n";
      case 1: return "mul.lo.s32 " + d + ", " + a + ", " + b + ";\n";
      case 2: return "and.b32 " + d + ", " + a + ", " + b + ";\n";
      case 3: return "shl.b32 " + d + ", " + a + ", " + std::to_string(pick(5)) + ";\n";
      case 4: return "mad.lo.s32 " + d + ", " + a + ", " + b + ", " + reg(pick(8)) + ";\n";
      case 5: return "shr.u32 " + d + ", " + a + ", " + std::to_string(pick(5)) + ";\n";
      case 6: return "or.b32 " + d + ", " + a + ", " + b + ";\n";
      case 7: return "mov.u32 " + d + ", " + b + ";\n";
      default: return "add.s32 " + d + ", " + a + ", " + b + ";\n";
    }
  }

  std::string compare(std::string& predicate) {
    predicate = "%p" + std::to_string(1 + pick(30));
    static const char* const how[] = {"eq", "ne", "lt", "gt"};
    std::string text;
    std::string a = reg(pick(8));
    if (pick(2)) {
      text = "and.b32 %r50, " + a + ", 7;\n";
      a = "%r50";
    }
    return text + "setp." + how[pick(4)] + ".s32 " + predicate + ", " + a + ", " +
           (pick(2) ? std::to_string(pick(8)) : reg(pick(8))) + ";\n";
  }

  std::string statements(int depth, const std::string& onward, const std::string& out) {
    std::string text;
    for (int n = 1 + pick(4); n > 0; --n) text += statement(depth, onward, out);
    return text;
  }

  std::string statement(int depth, const std::string& onward, const std::string& out) {
    if (depth > 3 || size_ > 60) return arithmetic();
    ++size_;
    std::string p;
    switch (pick(jumps_ ? 8 : 5)) {
      case 0: {
        const std::string skip = label();
        std::string text = compare(p) + "@" + p + " bra " + skip + ";\n";
        return text + statements(depth + 1, onward, out) + skip + ":\n";
      }
      case 1: {
        const std::string otherwise = label(), join = label();
        std::string text = compare(p) + "@!" + p + " bra " + otherwise + ";\n";
        text += statements(depth + 1, onward, out) + "bra " + join + ";\n" + otherwise + ":\n";
        return text + statements(depth + 1, onward, out) + join + ":\n";
      }
      case 2: {
        // At most 6 rounds, or as many as a register says; the counter is the loop's own.
        const std::string top = label(), next = label(), after = label(), i = reg(20 + loops_++ % 30);
        std::string text = "mov.u32 " + i + ", 0;\n" + top + ":\n";
        text += statements(depth + 1, next, after);
        text += next + ":\nadd.s32 " + i + ", " + i + ", 1;\n";
        text += "and.b32 %r51, " + reg(pick(8)) + ", 5;\n";
        text += "setp.lt.u32 %p0, " + i + ", " +
                (pick(2) ? std::string("%r51") : std::to_string(1 + pick(5))) + ";\n";
        return text + "@%p0 bra " + top + ";\n" + after + ":\n";
      }
      case 5:
      case 6:
        if (out.empty()) return arithmetic();
        return compare(p) + "@" + p + " bra " + (pick(2) ? onward : out) + ";\n";
      case 7: return pick(4) ? arithmetic() : compare(p) + "@" + p + " bra END;\n";
      default: return arithmetic();
    }
  }

  std::mt19937 random_;
  bool jumps_;
  int labels_ = 0, loops_ = 0, size_ = 0;
};

// Blocks that jump anywhere; each lane has fuel for so many.
std::string unstructured(std::uint32_t seed) {
  std::mt19937 random(seed);
  auto pick = [&](int n) { return static_cast<int>(random() % static_cast<unsigned>(n)); };
  const int n = 3 + pick(8);
  std::string body =
      "mov.u32 %r0, %tid.x;\nld.param.u32 %r1, [k_param_1];\nmov.u32 %r2, 5;\nmov.u32 %r3, %laneid;\n"
      "mov.u32 %r40, 25;\n";
  for (int b = 0; b < n; ++b) {
    body += "B" + std::to_string(b) + ":\nsub.s32 %r40, %r40, 1;\nsetp.le.s32 %p1, %r40, 0;\n@%p1 bra END;\n";
    const std::string d = std::to_string(pick(4)), a = std::to_string(pick(4)), c = std::to_string(pick(4));
    body += "add.s32 %r" + d + ", %r" + a + ", %r" + c + ";\n";
    body += "and.b32 %r41, %r" + std::to_string(pick(4)) + ", " + std::to_string(1 + pick(7)) + ";\n";
    body += "setp.gt.s32 %p2, %r41, " + std::to_string(pick(3)) + ";\n";
    body += "@%p2 bra B" + std::to_string(pick(n)) + ";\n";
    if (pick(2)) body += "bra B" + std::to_string(pick(n)) + ";\n";
  }
  return kernel_text(body +
                     "END:\nld.param.u64 %rd0, [k_param_0];\nst.global.u32 [%rd0], %r0;\n"
                     "st.global.u32 [%rd0+4], %r2;\nret;");
}

// Runs one warp lane by lane; beside each scalar value runs the register that compiled code would keep.
class Walk {
 public:
  Walk(const Kernel& kernel, const Shapes& shapes, const BlockShape& block, std::uint32_t warp,
       std::uint32_t argument, bool structured)
      : k_(kernel), s_(shapes), block_(block), warp_(warp), argument_(argument), structured_(structured) {
    lanes_.assign(k_.values.size(), {});
    scalar_.assign(k_.values.size(), 0);
    scale_.assign(k_.values.size(), 0);
  }

  std::map<Rule, int> rules_;  ///< How often each was applied.

  std::string run() {
    std::vector<LaneMask> pending(k_.blocks.size());
    pending[0] = full_mask;
    for (int steps = 0; steps < 200000; ++steps) {
      std::vector<BlockId> waiting;
      for (BlockId b = 0; b < pending.size(); ++b)
        if (pending[b]) waiting.push_back(b);
      if (waiting.empty()) return error_;
      // Once a lane has spun while others wait, nobody's turn is certain.
      overtaken_ |= spun_ && waiting.size() > 1;
      const BlockId b = waiting[overtaken_ ? random_() % waiting.size() : 0];
      const LaneMask mask = pending[b];
      pending[b] = 0;
      for (BlockId other = 0; other < pending.size(); ++other)
        if (pending[other] && !std::binary_search(s_.frontier[b].begin(), s_.frontier[b].end(), other))
          fail("block " + std::to_string(other) + " is pending while " + std::to_string(b) + " runs");
      if (s_.whole[b] && mask != full_mask) fail("block " + std::to_string(b) + " is not whole");
      std::erase_if(splits_, [&](const auto& split) {
        if (split.first != b) return false;
        if ((mask & split.second) != split.second)
          fail("lanes of a split did not meet at block " + std::to_string(b));
        return true;
      });
      execute(k_.blocks[b], mask, pending);
      if (!error_.empty()) return error_;
    }
    return "runs too long";
  }

 private:
  void fail(const std::string& what) {
    if (error_.empty()) error_ = what;
  }

  std::uint64_t truncate(ValueId v, std::uint64_t x) const {
    const int n = bits(k_.values[v].width);
    return n >= 64 ? x : x & ((std::uint64_t{1} << n) - 1);
  }

  // What compiled code would hold for this lane of a value that is no vector.
  std::uint64_t expanded(ValueId v, int lane) const {
    const ValueShape& s = s_[v];
    return truncate(v, scalar_[v] + static_cast<std::uint64_t>(s_.patterns[s.pattern][lane]) +
                           scale_[v] * static_cast<std::uint64_t>(s_.patterns[s.scaled][lane]));
  }

  bool is_vector(ValueId v) const { return s_[v].kind == ValueShape::Kind::vector; }

  // lane < 0: the base.
  std::uint64_t read(const Operand& o, int lane) {
    if (o.kind == Operand::Kind::imm) return o.bits;
    if (o.kind != Operand::Kind::value) return 0;
    const std::uint64_t x = lane < 0 ? scalar_[o.value] : lanes_[o.value][lane];
    if (lane >= 0 && !is_vector(o.value) && expanded(o.value, lane) != x)
      fail("v" + std::to_string(o.value) + " is no longer what its scalars say");
    return o.negated ? x ^ 1 : x;
  }
  std::uint64_t scale(const Operand& o) const { return o.kind == Operand::Kind::value ? scale_[o.value] : 0; }

  void set_scalars(ValueId v, std::uint64_t base, std::uint64_t scale) {
    scalar_[v] = truncate(v, base);
    scale_[v] = truncate(v, scale);
    const ValueShape& s = s_[v];
    if (!s.scaled) scale_[v] = 0;
    base = scalar_[v];
    if (s.base_align < 63 ? (base & ((std::uint64_t{1} << s.base_align) - 1)) != 0 : base != 0)
      fail("v" + std::to_string(v) + " has a base that is not aligned");
    if (s.is_constant && base != s.constant) fail("v" + std::to_string(v) + " is not that constant");
  }

  void write(ValueId v, LaneMask mask, const std::array<std::uint64_t, 32>& x) {
    for (int l = 0; l < warp_size; ++l) {
      if (!(mask >> l & 1)) continue;
      lanes_[v][l] = truncate(v, x[l]);
      if (!is_vector(v) && lanes_[v][l] != expanded(v, l))
        fail("v" + std::to_string(v) + " breaks its shape");
    }
  }

  // base and scale by the rules of simt/transfer.h.
  void apply_rule(const Inst& inst, std::uint64_t any_lane) {
    const ValueId v = inst.dsts[0];
    if (is_vector(v)) return;
    ++rules_[rule(k_, s_, inst)];
    auto base = [&](std::size_t i) { return read(inst.srcs[i], -1); };
    auto scaled = [&](std::size_t i) { return scale(inst.srcs[i]); };
    switch (rule(k_, s_, inst)) {
      case Rule::uniform: return set_scalars(v, any_lane, 0);
      case Rule::lane_zero: return set_scalars(v, compute(inst, 0), 0);
      case Rule::copy: return set_scalars(v, base(0), scaled(0));
      case Rule::add: return set_scalars(v, base(0) + base(1), scaled(0) + scaled(1));
      case Rule::sub: return set_scalars(v, base(0) - base(1), scaled(0) - scaled(1));
      case Rule::shl: return set_scalars(v, base(0) << inst.srcs[1].bits, scaled(0) << inst.srcs[1].bits);
      case Rule::on_bases: return set_scalars(v, compute(inst, -1), 0);
      case Rule::mul:
      case Rule::mad: {
        std::size_t a = 0, f = 1;
        if (shape_of(s_, inst.srcs[0]).kind == ValueShape::Kind::uniform) std::swap(a, f);
        const ValueShape sa = shape_of(s_, inst.srcs[a]), sf = shape_of(s_, inst.srcs[f]);
        std::uint64_t product_scale = 0;
        if (sa.scaled)
          product_scale = scaled(a) * base(f);
        else if (sa.kind == ValueShape::Kind::affine && !sf.is_constant)
          product_scale = base(f);
        const bool adds = rule(k_, s_, inst) == Rule::mad;
        return set_scalars(v, base(a) * base(f) + (adds ? base(2) : 0),
                           product_scale + (adds ? scaled(2) : 0));
      }
      default: fail("a rule that these programs do not use");
    }
  }

  std::uint64_t compute(const Inst& inst, int lane) {
    auto at = [&](std::size_t i) { return read(inst.srcs[i], lane); };
    const auto word = [](std::uint64_t x) { return static_cast<std::uint32_t>(x); };
    switch (inst.op) {
      case Opcode::mov:
        if (inst.srcs[0].kind != Operand::Kind::special) return at(0);
        switch (inst.srcs[0].special) {
          case ptx::SpecialRegister::tid_x:
            return (warp_ * 32 + static_cast<std::uint32_t>(lane)) % block_.block.x;
          case ptx::SpecialRegister::laneid: return static_cast<std::uint64_t>(lane);
          default: return 11;  // %ctaid.x
        }
      case Opcode::ld: return argument_;
      case Opcode::add: return at(0) + at(1);
      case Opcode::sub: return at(0) - at(1);
      case Opcode::mul: return at(0) * at(1);
      case Opcode::mad: return at(0) * at(1) + at(2);
      case Opcode::and_: return at(0) & at(1);
      case Opcode::or_: return at(0) | at(1);
      case Opcode::shl: return std::uint64_t{word(at(0))} << word(at(1));
      case Opcode::shr: return word(at(0)) >> word(at(1));
      case Opcode::setp: {
        const std::uint32_t a = word(at(0)), b = word(at(1));
        const auto sa = static_cast<std::int32_t>(a), sb = static_cast<std::int32_t>(b);
        const bool is_signed = inst.types[0] == ptx::Type::s32;
        switch (inst.arithmetic().compare) {
          case ptx::Compare::eq: return a == b;
          case ptx::Compare::ne: return a != b;
          case ptx::Compare::lt: return is_signed ? sa < sb : a < b;
          case ptx::Compare::gt: return is_signed ? sa > sb : a > b;
          default: return is_signed ? sa <= sb : a <= b;
        }
      }
      default: fail("the walk does not know this instruction"); return 0;
    }
  }

  void execute(const Block& b, LaneMask mask, std::vector<LaneMask>& pending) {
    for (const Inst& inst : b.insts) {
      std::array<std::uint64_t, 32> x{};
      for (int l = 0; l < warp_size; ++l) {
        if (!(mask >> l & 1)) continue;
        if (inst.dsts.empty())
          for (const Operand& o : inst.srcs) read(o, l);
        else
          x[l] = compute(inst, l);
      }
      if (inst.dsts.empty()) continue;
      apply_rule(inst, x[std::countr_zero(mask)]);
      write(inst.dsts[0], mask, x);
    }
    spun_ = b.term.spins;
    std::map<BlockId, LaneMask> taken;
    for (int l = 0; l < warp_size; ++l) {
      if (!(mask >> l & 1)) continue;
      if (b.term.kind == Terminator::Kind::jump) taken[b.term.targets[0]] |= 1u << l;
      if (b.term.kind == Terminator::Kind::branch) {
        const bool yes = (read(Operand::of(b.term.cond), l) != 0) != b.term.negated;
        taken[b.term.targets[yes ? 0 : 1]] |= 1u << l;
      }
    }
    if (taken.size() > 1) {
      if (!s_.divergent[b.id]) fail("block " + std::to_string(b.id) + " diverges");
      if (structured_ && b.immediate_post_dominator != no_block)
        splits_.emplace_back(b.immediate_post_dominator, mask);
    }
    for (const auto& [target, lanes] : taken) {
      pending[target] |= lanes;
      move_phis(b.id, target, lanes);
    }
  }

  void move_phis(BlockId from, BlockId to, LaneMask mask) {
    const Block& b = k_.blocks[to];
    const auto slot =
        static_cast<std::size_t>(std::find(b.preds.begin(), b.preds.end(), from) - b.preds.begin());
    std::vector<std::array<std::uint64_t, 32>> incoming;
    for (const Phi& phi : b.phis) {
      auto& x = incoming.emplace_back();
      for (int l = 0; l < warp_size; ++l)
        if (mask >> l & 1) x[l] = read(phi.incoming[slot], l);
    }
    std::vector<std::pair<std::uint64_t, std::uint64_t>> scalars;
    for (const Phi& phi : b.phis)
      scalars.emplace_back(read(phi.incoming[slot], -1), scale(phi.incoming[slot]));
    for (std::size_t i = 0; i < b.phis.size(); ++i) {
      if (!is_vector(b.phis[i].dst)) set_scalars(b.phis[i].dst, scalars[i].first, scalars[i].second);
      write(b.phis[i].dst, mask, incoming[i]);
    }
  }

  const Kernel& k_;
  const Shapes& s_;
  BlockShape block_;
  std::uint32_t warp_, argument_;
  bool structured_;
  std::vector<std::array<std::uint64_t, 32>> lanes_;
  std::vector<std::uint64_t> scalar_, scale_;
  std::vector<std::pair<BlockId, LaneMask>> splits_;
  bool spun_ = false, overtaken_ = false;
  std::mt19937 random_{1};
  std::string error_;
};

// Counts of what the programs exercised, so that the test cannot pass by testing nothing.
struct Seen {
  int divergent = 0, scalars = 0, affine = 0;
  std::map<Rule, int> rules;
};

void check(const std::string& text, bool structured, std::uint32_t seed, Seen& seen, bool spin = false) {
  Kernel k = must_build(text);
  if (k.blocks.empty()) return;
  if (spin) {
    // As if the exit of some loops waited for another thread.
    std::mt19937 random(seed);
    for (Block& b : k.blocks)
      for (const BlockId t : b.term.targets)
        if (t <= b.id && random() % 2) b.term.spins = true;
  }
  for (const BlockShape shape : {block_of(64), block_of(24), block_of(16, 4)}) {
    const Shapes s = analyse(k, shape);
    for (const bool d : s.divergent) seen.divergent += d;
    for (const ValueShape& v : s.values) {
      seen.scalars += v.kind == ValueShape::Kind::uniform;
      seen.affine += v.kind == ValueShape::Kind::affine;
    }
    for (const std::uint32_t warp : {0u, 1u}) {
      if (warp * 32 >= shape.block.count()) continue;
      // The last warp of a small block has fewer lanes; all 32 walk here only where all exist.
      if (shape.block.count() % 32 != 0) continue;
      Walk walk(k, s, shape, warp, seed % 9, structured);
      const std::string error = walk.run();
      for (const auto& [rule, times] : walk.rules_) seen.rules[rule] += times;
      ASSERT_EQ(error, "") << "seed " << seed << "\n" << text << "\n" << dump(k);
    }
  }
}

TEST(RandomPrograms, StructuredFlowMeetsAtTheImmediatePostDominatorAndScalarsHold) {
  Seen seen;
  for (std::uint32_t seed = 0; seed < 400 && !HasFatalFailure(); ++seed)
    check(Structured(seed, false).text(), true, seed, seen);
  EXPECT_GT(seen.divergent, 400);
  EXPECT_GT(seen.scalars, 4000);
  EXPECT_GT(seen.affine, 1000);
  for (const Rule r : {Rule::uniform, Rule::lane_zero, Rule::add, Rule::sub, Rule::mul, Rule::mad, Rule::shl,
                       Rule::on_bases})
    EXPECT_GT(seen.rules[r], 20) << static_cast<int>(r);
}

TEST(RandomPrograms, ScalarsHoldUnderBreakContinueAndEarlyReturn) {
  Seen seen;
  for (std::uint32_t seed = 0; seed < 600 && !HasFatalFailure(); ++seed)
    check(Structured(seed, true).text(), false, seed, seen);
  EXPECT_GT(seen.divergent, 600);
  EXPECT_GT(seen.scalars, 6000);
}

TEST(RandomPrograms, ScalarsAndFrontiersHoldOnIrreducibleFlow) {
  Seen seen;
  for (std::uint32_t seed = 0; seed < 400 && !HasFatalFailure(); ++seed)
    check(unstructured(seed), false, seed, seen);
  EXPECT_GT(seen.divergent, 400);
  EXPECT_GT(seen.scalars, 400);
}

TEST(RandomPrograms, ScalarsHoldWhenSpinningLanesAreOvertakenInAnyOrder) {
  Seen seen;
  for (std::uint32_t seed = 0; seed < 500 && !HasFatalFailure(); ++seed)
    check(Structured(seed, seed % 2 != 0).text(), false, seed, seen, true);
  for (std::uint32_t seed = 0; seed < 200 && !HasFatalFailure(); ++seed)
    check(unstructured(seed), false, seed, seen, true);
  EXPECT_GT(seen.divergent, 700);
}

}  // namespace
}  // namespace wanren::simt::test
