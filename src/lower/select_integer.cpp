// Recipes: integer arithmetic, logic, moves, predicates. Counts of multi-instruction sequences follow
// what ptxas emits for sm_80 in kind; they are not copies of any one listing.

#include <algorithm>
#include <bit>

#include "lower/selector.h"

namespace wanren::lower {

using ptx::MulPart;
using ptx::Opcode;
using simt::no_value;

// a * b of which all 64 bits count: mul.wide, or a widened 32-bit value times or shifted by a constant.
bool Selector::wide_product(const Operand& o, std::vector<Words>& factors) {
  const Inst* d = definition(o);
  if (d == nullptr) return false;
  if (d->op == Opcode::mul && d->arithmetic().part == MulPart::wide && ptx::bits(d->types[0]) == 32) {
    factors = {words(d->srcs[0], 1), words(d->srcs[1], 1)};
    return true;
  }
  const bool scaled =
      (d->op == Opcode::shl || (d->op == Opcode::mul && d->arithmetic().part == MulPart::lo)) &&
      words_of(d->dsts[0]) == 2 && d->srcs[1].kind == Operand::Kind::imm;
  if (!scaled) return false;
  const Inst* widening = definition(d->srcs[0]);
  if (widening == nullptr || widening->op != Opcode::cvt || ptx::bits(widening->types[1]) != 32 ||
      ptx::is_float(widening->types[1]))
    return false;
  const std::uint64_t factor =
      d->op == Opcode::shl ? std::uint64_t{1} << (d->srcs[1].bits & 63) : d->srcs[1].bits;
  if (factor > 0x7fffffff) return false;
  factors = {words(widening->srcs[0], 1), words(Operand::imm(factor), 1)};
  return true;
}

void Selector::add(const Inst& inst) {
  const Words dst = destination(inst);
  const bool subtract = inst.op == Opcode::sub || inst.op == Opcode::subc;
  const bool carries = inst.arithmetic().cc || inst.op == Opcode::addc || inst.op == Opcode::subc;
  if (dst.size() == 1 || ptx::bits(inst.types[0]) <= 32) {
    std::vector<Words> sources;
    if (!carries) {
      // mul + add is one IMAD; add + add one IADD3; shift + add one LEA.
      for (std::size_t i = 0; i < 2; ++i) {
        const Inst* d = sole_use(inst.srcs[i]);
        if (d == nullptr || d->dsts.size() != 1 || words_of(d->dsts[0]) != 1) continue;
        const Operand& other = inst.srcs[1 - i];
        const bool low = ptx::bits(d->types[0]) <= 32 || narrow_[d->dsts[0]];
        if (d->op == Opcode::mul && low && !(subtract && i == 0)) {
          multiply(dst, {words(d->srcs[0], 1), words(d->srcs[1], 1), words(other, 1)});
          return;
        }
        if (d->op == Opcode::shl && low && d->srcs[1].kind == Operand::Kind::imm && !(subtract && i == 0)) {
          integer(dst, {words(d->srcs[0], 1), words(other, 1)});
          return;
        }
        if ((d->op == Opcode::add || d->op == Opcode::sub) && low && !d->arithmetic().cc) {
          integer(dst, {words(d->srcs[0], 1), words(d->srcs[1], 1), words(other, 1)});
          return;
        }
      }
    }
    for (const Operand& o : inst.srcs) {
      const bool carry = o.kind == Operand::Kind::value && kernel_.values[o.value].width == simt::Width::pred;
      sources.push_back(carry ? Words{predicate(o)} : words(o, 1));
    }
    VirtualInst& i = integer(dst, sources);
    if (inst.arithmetic().cc && inst.dsts.size() > 1 && inst.dsts[1] != no_value)
      i.define_predicate = place(inst.dsts[1])[0];
    return;
  }
  // 64 bits: one IMAD.WIDE if one side is a wide product, else IADD3 and IADD3.X.
  if (!carries && !subtract) {
    for (std::size_t i = 0; i < 2; ++i) {
      std::vector<Words> factors;
      if (!wide_product(inst.srcs[i], factors)) continue;
      factors.push_back(words(inst.srcs[1 - i], 2));
      // An addend that is two launch constants is one constant-bank operand.
      if (!factors[2][0].in_register()) factors[2].resize(1);
      multiply(dst, std::move(factors));
      return;
    }
  }
  const Words a = words(inst.srcs[0], 2), b = words(inst.srcs[1], 2);
  Word carry_in{};
  if (inst.srcs.size() > 2) carry_in = predicate(inst.srcs[2]);
  const Word carry = temporary_predicate();
  std::vector<Words> low = {{a[0]}, {b[0]}}, high = {{a[1]}, {b[1]}, {carry}};
  if (carry_in.in_register()) low.push_back({carry_in});
  integer(dst.empty() ? Words{} : Words{dst[0]}, low).define_predicate = carry;
  VirtualInst& i = integer(dst.empty() ? Words{} : Words{dst[1]}, high);
  if (inst.arithmetic().cc && inst.dsts.size() > 1 && inst.dsts[1] != no_value)
    i.define_predicate = place(inst.dsts[1])[0];
}

void Selector::multiply_add(const Inst& inst) {
  const Words dst = destination(inst);
  const bool has_addend = inst.op != Opcode::mul && inst.op != Opcode::mul24;
  const int source_bits = ptx::bits(inst.types[0]);
  if (inst.op == Opcode::mul24 || inst.op == Opcode::mad24) {
    const Words low = temporary();
    integer(low, {words(inst.srcs[0], 1), words(inst.srcs[1], 1)});
    std::vector<Words> sources = {low, words(inst.srcs[1], 1)};
    if (has_addend) sources.push_back(words(inst.srcs[2], 1));
    multiply(dst, std::move(sources));
    return;
  }
  if (source_bits <= 32 || dst.size() == 1) {
    std::vector<Words> sources = {words(inst.srcs[0], 1), words(inst.srcs[1], 1)};
    if (has_addend) {
      Words addend = words(inst.srcs[2], static_cast<int>(std::max<std::size_t>(dst.size(), 1)));
      if (!addend[0].in_register()) addend.resize(1);
      sources.push_back(addend);
    }
    for (std::size_t i = 3; i < inst.srcs.size(); ++i) sources.push_back({predicate(inst.srcs[i])});
    const bool power_of_two = inst.op == Opcode::mul && inst.srcs[1].kind == Operand::Kind::imm &&
                              dst.size() == 1 && inst.arithmetic().part == MulPart::lo &&
                              std::has_single_bit(inst.srcs[1].bits);
    VirtualInst& i = power_of_two ? integer(dst, {sources[0]}) : multiply(dst, std::move(sources));
    if (inst.arithmetic().part == MulPart::hi)
      i.machine.interval = static_cast<std::uint16_t>(2 * i.machine.interval);
    if (inst.arithmetic().cc && inst.dsts.size() > 1 && inst.dsts[1] != no_value)
      i.define_predicate = place(inst.dsts[1])[0];
    return;
  }
  // 64 x 64 bits from 32-bit products: three for the low half, eight for the high one.
  const Words a = words(inst.srcs[0], 2), b = words(inst.srcs[1], 2);
  const Words cross = temporary(), cross2 = temporary();
  multiply(cross, {{a[1]}, {b[0]}});
  multiply(cross2, {{a[0]}, {b[1]}, cross});
  const Words low = temporary(2);
  std::vector<Words> wide = {{a[0]}, {b[0]}};
  if (has_addend) {
    Words addend = words(inst.srcs[2], 2);
    if (!addend[0].in_register()) addend.resize(1);
    wide.push_back(addend);
  }
  if (inst.arithmetic().part == MulPart::hi) {
    multiply(low, wide);
    chain(dst, {low, cross2}, 5, Pipe::imul);
    return;
  }
  multiply(dst, wide);
  integer(dst.empty() ? Words{} : Words{dst[1]}, {dst.empty() ? Words{} : Words{dst[1]}, cross2});
}

// and, or, xor, not of up to three inputs are one LOP3.
void Selector::logic(const Inst& inst) {
  const Words dst = destination(inst);
  if (!dst.empty() && kernel_.values[inst.dsts[0]].width == simt::Width::pred) {
    predicate_logic(inst);
    return;
  }
  const int count = static_cast<int>(std::max<std::size_t>(dst.size(), 1));
  if (inst.op == Opcode::lop3) {
    std::vector<Words> sources;
    sources.reserve(3);
    for (std::size_t i = 0; i < 3; ++i) sources.push_back(words(inst.srcs[i], 1));
    VirtualInst& i = integer(dst, std::move(sources));
    if (inst.dsts.size() > 1 && inst.dsts[1] != no_value) i.define_predicate = place(inst.dsts[1])[0];
    return;
  }
  // Leaves of the expression, at most three, inner nodes needed only here.
  std::vector<Operand> leaves(inst.srcs.begin(), inst.srcs.end());
  const auto is_logic = [](Opcode op) {
    return op == Opcode::and_ || op == Opcode::or_ || op == Opcode::xor_ || op == Opcode::not_;
  };
  for (std::size_t i = 0; i < leaves.size();) {
    const Inst* d = sole_use(leaves[i]);
    if (d == nullptr || !is_logic(d->op) || leaves.size() - 1 + d->srcs.size() > 3) {
      ++i;
      continue;
    }
    leaves.erase(leaves.begin() + static_cast<std::ptrdiff_t>(i));
    leaves.insert(leaves.begin() + static_cast<std::ptrdiff_t>(i), d->srcs.begin(), d->srcs.end());
  }
  for (int w = 0; w < count; ++w) {
    std::vector<Words> sources;
    sources.reserve(leaves.size());
    for (const Operand& leaf : leaves) sources.push_back({words(leaf, count)[static_cast<std::size_t>(w)]});
    integer(dst.empty() ? Words{} : Words{dst[static_cast<std::size_t>(w)]}, std::move(sources));
  }
}

// Comparisons take one predicate along (ISETP … .AND p), so logic on a fresh comparison is free.
void Selector::predicate_logic(const Inst& inst) {
  std::vector<Words> sources;
  for (const Operand& o : inst.srcs)
    if (const Word p = predicate(o); p.in_register()) sources.push_back({p});
  integer({}, std::move(sources)).define_predicate = destination(inst)[0];
}

void Selector::set_predicate(const Inst& inst) {
  const ptx::Type type = inst.types[inst.op == Opcode::set ? 1 : 0];
  const int count = ptx::bits(type) == 64 ? 2 : 1;
  Words a = words(inst.srcs[0], count), b = words(inst.srcs[1], count);
  Word extra{};
  if (inst.srcs.size() > 2) extra = predicate(inst.srcs[2]);
  Word result{}, complement{};
  if (inst.op == Opcode::setp) {
    if (!inst.dsts.empty() && inst.dsts[0] != no_value) result = place(inst.dsts[0])[0];
    if (inst.dsts.size() > 1 && inst.dsts[1] != no_value) complement = place(inst.dsts[1])[0];
    if (!result.in_register()) std::swap(result, complement);
  } else {
    result = temporary_predicate();
  }
  if (type == ptx::Type::f64) {
    fp64({}, {a, b}, 1, chip_.sequence.fp64_compare);
    out_->back().define_predicate = result;
  } else if (type == ptx::Type::f16 || type == ptx::Type::bf16 || type == ptx::Type::f16x2 ||
             type == ptx::Type::bf16x2) {
    fp16({}, {a, b}, 1).define_predicate = result;
  } else if (count == 2) {
    const Word low = temporary_predicate();
    compare(low, {{a[0]}, {b[0]}}, {});
    std::vector<Words> high = {{a[1]}, {b[1]}, {low}};
    compare(result, std::move(high), extra);
  } else {
    compare(result, {a, b}, extra);
  }
  if (complement.in_register()) integer({}, {{result}}).define_predicate = complement;
  if (inst.op == Opcode::set) integer(destination(inst), {{result}});
}

void Selector::shift(const Inst& inst) {
  const Words dst = destination(inst);
  if (dst.size() <= 1) {
    integer(dst, {words(inst.srcs[0], 1), words(inst.srcs[1], 1)});
    return;
  }
  // SHF funnels across the words; a variable distance adds the case of 32 and more.
  const Words a = words(inst.srcs[0], 2), n = words(inst.srcs[1], 1);
  integer({dst[0]}, {{a[0]}, {a[1]}, n});
  integer({dst[1]}, {{a[0]}, {a[1]}, n});
  if (inst.srcs[1].kind != Operand::Kind::imm) {
    const Word far = temporary_predicate();
    compare(far, {n}, {});
    integer({dst[0]}, {{dst[0]}, {far}});
  }
}

void Selector::divide_integer(const Inst& inst) {
  const Words dst = destination(inst);
  const int count = static_cast<int>(std::max<std::size_t>(dst.size(), 1));
  const bool remainder = inst.op == Opcode::rem;
  const bool is_signed = ptx::is_signed(inst.types[0]);
  const Operand& by = inst.srcs[1];
  const Words a = words(inst.srcs[0], count);
  if (by.kind == Operand::Kind::imm) {
    const std::uint64_t n = count == 1 ? by.bits & 0xffffffffu : by.bits;
    if (std::has_single_bit(n)) {  // shifts and masks
      chain(dst, {a}, (is_signed ? 3 : 1) * count + (remainder && is_signed ? count : 0));
      return;
    }
    // High product with the reciprocal, shift, correction; 64 bits need the four-product high half.
    const Words high = temporary(count);
    chain(high, {a}, count == 1 ? 1 : 8, Pipe::imul);
    const Words quotient = remainder ? temporary(count) : dst;
    chain(quotient, {high, {a[0]}}, (is_signed ? 2 : 1) * count);
    if (remainder) chain(dst, {quotient, {a[0]}}, count == 1 ? 1 : 4, Pipe::imul);
    return;
  }
  const Words b = words(by, count);
  if (count == 2) {
    // A called subroutine: two reciprocal refinements in 128-bit fixed point.
    const Words estimate = temporary();
    convert(estimate, {{b[1]}});
    const Words reciprocal = temporary();
    mufu(reciprocal, {estimate});
    const Words fixed = temporary(2);
    convert(fixed, {reciprocal});
    const Words refined = temporary(2);
    chain(refined, {{fixed[0]}, {b[0]}}, static_cast<int>(chip_.sequence.int64_divide_multiplies),
          Pipe::imul);
    chain(dst, {{refined[0]}, {a[0]}},
          static_cast<int>(chip_.sequence.int64_divide_adds) + (is_signed ? 8 : 0));
    return;
  }
  Words x = a, y = b;
  if (is_signed) {
    x = temporary();
    y = temporary();
    integer(x, {a});
    integer(y, {b});
  }
  const Words as_float = temporary(), reciprocal = temporary(), scaled = temporary(), estimate = temporary();
  convert(as_float, {y});
  mufu(reciprocal, {as_float});
  integer(scaled, {reciprocal});
  convert(estimate, {scaled});
  const Words error = temporary(), better = temporary(), quotient = temporary(), rest = temporary();
  multiply(error, {estimate, y});
  multiply(better, {estimate, error, estimate}).machine.interval *= 2;
  multiply(quotient, {better, x}).machine.interval *= 2;
  multiply(rest, {quotient, y, x});
  // Two conditional corrections, the check for zero, and the sign.
  const Word low = temporary_predicate();
  compare(low, {rest, y}, {});
  const Words fixed = temporary();
  integer(fixed, {remainder ? rest : quotient, {low}});
  chain(dst, {fixed, y}, 4 + (is_signed ? 3 : 0));
}

Result<void> Selector::recipe_integer(const Inst& inst, bool& known) {
  known = true;
  const ptx::Type type = inst.types[0];
  const bool floating = ptx::is_float(type);
  const Words dst = inst.dsts.empty() || inst.dsts[0] == no_value ? Words{} : place(inst.dsts[0]);
  const int count = static_cast<int>(std::max<std::size_t>(dst.size(), 1));
  const auto simple = [&](int sources) {
    std::vector<Words> list;
    list.reserve(static_cast<std::size_t>(sources));
    for (int i = 0; i < sources; ++i) list.push_back(words(inst.srcs[static_cast<std::size_t>(i)], 1));
    integer(dst, std::move(list));
  };
  switch (inst.op) {
    case Opcode::add:
    case Opcode::sub:
      if (floating) break;
      if (ptx::bits(type) == 32 && (type == ptx::Type::u16x2 || type == ptx::Type::s16x2)) {
        chain(dst, {words(inst.srcs[0], 1), words(inst.srcs[1], 1)}, 2);
        return {};
      }
      add(inst);
      return {};
    case Opcode::addc:
    case Opcode::subc: add(inst); return {};
    case Opcode::mul:
    case Opcode::mad:
      if (floating) break;
      multiply_add(inst);
      return {};
    case Opcode::mul24:
    case Opcode::mad24:
    case Opcode::madc: multiply_add(inst); return {};
    case Opcode::div:
    case Opcode::rem:
      if (floating) break;
      divide_integer(inst);
      return {};
    case Opcode::and_:
    case Opcode::or_:
    case Opcode::xor_:
    case Opcode::not_:
    case Opcode::lop3: logic(inst); return {};
    case Opcode::cnot: {
      const Word zero = temporary_predicate();
      compare(zero, {words(inst.srcs[0], 1)}, {});
      integer(dst, {{zero}});
      return {};
    }
    case Opcode::shl:
    case Opcode::shr: shift(inst); return {};
    case Opcode::prmt: simple(inst.arithmetic().prmt == ptx::PrmtMode::none ? 3 : 2); return {};
    case Opcode::setp:
    case Opcode::set: set_predicate(inst); return {};
    case Opcode::selp: {
      if (!dst.empty() && kernel_.values[inst.dsts[0]].width == simt::Width::pred) {
        predicate_logic(inst);
        return {};
      }
      const Words a = words(inst.srcs[0], count), b = words(inst.srcs[1], count);
      const Word p = predicate(inst.srcs[2]);
      for (int w = 0; w < count; ++w) {
        const auto i = static_cast<std::size_t>(w);
        integer(dst.empty() ? Words{} : Words{dst[i]}, {{a[i]}, {b[i]}, {p}});
      }
      return {};
    }
    case Opcode::slct: {
      const Word p = temporary_predicate();
      compare(p, {words(inst.srcs[2], 1)}, {});
      const Words a = words(inst.srcs[0], count), b = words(inst.srcs[1], count);
      for (int w = 0; w < count; ++w) {
        const auto i = static_cast<std::size_t>(w);
        integer(dst.empty() ? Words{} : Words{dst[i]}, {{a[i]}, {b[i]}, {p}});
      }
      return {};
    }
    case Opcode::min:
    case Opcode::max:
      if (floating) break;
      if (count == 2) {
        const Words a = words(inst.srcs[0], 2), b = words(inst.srcs[1], 2);
        const Word low = temporary_predicate(), less = temporary_predicate();
        compare(low, {{a[0]}, {b[0]}}, {});
        compare(less, {{a[1]}, {b[1]}, {low}}, {});
        integer({dst[0]}, {{a[0]}, {b[0]}, {less}});
        integer({dst[1]}, {{a[1]}, {b[1]}, {less}});
      } else {
        simple(static_cast<int>(inst.srcs.size()));
      }
      return {};
    case Opcode::abs:
    case Opcode::neg:
      if (floating) break;
      if (count == 2)
        chain(dst, {words(inst.srcs[0], 2)}, inst.op == Opcode::abs ? 4 : 2);
      else
        simple(1);
      return {};
    case Opcode::bfe: {
      const bool fixed = inst.srcs[1].kind == Operand::Kind::imm && inst.srcs[2].kind == Operand::Kind::imm;
      chain(dst, {words(inst.srcs[0], count), words(inst.srcs[1], 1), words(inst.srcs[2], 1)},
            (fixed ? 2 : 5) * count);
      return {};
    }
    case Opcode::bfi: {
      const bool fixed = inst.srcs[2].kind == Operand::Kind::imm && inst.srcs[3].kind == Operand::Kind::imm;
      chain(dst, {words(inst.srcs[0], count), words(inst.srcs[1], count), words(inst.srcs[2], 1)},
            (fixed ? 2 : 5) * count);
      return {};
    }
    case Opcode::popc:
    case Opcode::brev:
    case Opcode::clz:
    case Opcode::bfind: {
      const int source_words = ptx::bits(type) == 64 ? 2 : 1;
      const Words a = words(inst.srcs[0], source_words);
      Words last = a;
      for (int w = 0; w < source_words; ++w) {
        last = source_words == 1 && inst.op != Opcode::clz ? dst : temporary();
        convert(last, {{a[static_cast<std::size_t>(w)]}});
      }
      if (source_words == 2 || inst.op == Opcode::clz) chain(dst, {{last[0]}}, source_words == 1 ? 1 : 2);
      return {};
    }
    case Opcode::isspacep: {
      const Words a = words(inst.srcs[0], 2);
      const Word low = temporary_predicate();
      compare(low, {{a[0]}}, {});
      compare(dst.empty() ? temporary_predicate() : dst[0], {{a[1]}, {low}}, {});
      return {};
    }
    case Opcode::cvta: move(dst, words(inst.srcs[0], count)); return {};  // guarded: a predicated move
    case Opcode::mov: {
      if (inst.srcs.size() == 1 && inst.srcs[0].kind == Operand::Kind::argument) {  // from its register
        if (!dst.empty()) move(dst, {});
        return {};
      }
      if (inst.srcs.size() == 1 && inst.srcs[0].kind == Operand::Kind::special &&
          !launch_constant(inst.srcs[0])) {
        VirtualInst& i = convert(dst, {});
        i.machine.latency = static_cast<std::uint16_t>(chip_.subcore.special_latency);
        if (ptx::name(inst.srcs[0].special).find("clock") != std::string_view::npos ||
            ptx::name(inst.srcs[0].special).find("timer") != std::string_view::npos)
          i.access.fence = i.last = true;
        return {};
      }
      if (!dst.empty() && kernel_.values[inst.dsts[0]].width == simt::Width::pred) {
        predicate_logic(inst);
        return {};
      }
      if (inst.dsts.size() > 1) {  // unpack to less than a word, or under a guard
        const int n = inst.srcs[0].kind == Operand::Kind::value ? words_of(inst.srcs[0].value) : 1;
        const Words a = words(inst.srcs[0], n);
        for (std::size_t d = 0; d < inst.dsts.size(); ++d)
          if (inst.dsts[d] != no_value && definitions_[inst.dsts[d]].inst == &inst)
            integer(place(inst.dsts[d]), {{a[d * a.size() / inst.dsts.size()]}});
        return {};
      }
      std::vector<Words> parts;
      parts.reserve(inst.srcs.size());
      for (const Operand& o : inst.srcs)
        parts.push_back(words(o, std::max(1, count / static_cast<int>(inst.srcs.size()))));
      if (inst.srcs.size() > static_cast<std::size_t>(count)) {  // halves into one word: PRMT
        integer(dst, std::move(parts));
        return {};
      }
      Words all;
      for (const Words& part : parts) all.insert(all.end(), part.begin(), part.end());
      move(dst, std::move(all));
      return {};
    }
    default: break;
  }
  known = false;
  return {};
}

}  // namespace wanren::lower
