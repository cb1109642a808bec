// Recipes: floating point, conversions, special functions.

#include <algorithm>

#include "lower/selector.h"

namespace wanren::lower {

using ptx::Opcode;
using ptx::Type;
using simt::no_value;

namespace {

bool is_half(Type t) {
  return t == Type::f16 || t == Type::f16x2 || t == Type::bf16 || t == Type::bf16x2;
}
bool is_packed(Type t) {
  return t == Type::f16x2 || t == Type::bf16x2;
}

}  // namespace

void Selector::half(const Inst& inst, int operations) {
  std::vector<Words> sources;
  sources.reserve(inst.srcs.size());
  for (const Operand& o : inst.srcs) sources.push_back(words(o, 1));
  fp16(destination(inst), std::move(sources), is_packed(inst.types[0]) ? 2 * operations : operations);
}

// MUFU with what brings the argument into its range: subnormals are scaled unless flushed.
void Selector::approximate(const Inst& inst) {
  const Words dst = destination(inst);
  const Words a = words(inst.srcs[0], 1);
  const bool whole_range = !inst.arithmetic().ftz && inst.types[0] == Type::f32;
  switch (inst.op) {
    case Opcode::sin:
    case Opcode::cos: {
      const Words turns = temporary();
      fp32(turns, {a}, 1);
      mufu(dst, {turns});
      return;
    }
    case Opcode::tanh: mufu(dst, {a}); return;
    default: break;
  }
  if (!whole_range) {
    mufu(dst, {a});
    return;
  }
  const Word tiny = temporary_predicate();
  compare(tiny, {a}, {});
  const Words scaled = temporary(), raw = temporary();
  fp32(scaled, {a, {tiny}}, 1);
  mufu(raw, {scaled});
  fp32(dst, {raw, {tiny}}, 1);
}

// Correctly rounded division, reciprocal and square root: a MUFU seed, Newton steps, and a check that
// leaves for a subroutine on arguments near the ends of the range (that branch is not taken here).
void Selector::divide_float(const Inst& inst) {
  const Words dst = destination(inst);
  const bool quotient = inst.op == Opcode::div;
  const Words a = words(inst.srcs[0], 1), b = quotient ? words(inst.srcs[1], 1) : a;
  if (inst.arithmetic().approx || inst.arithmetic().full) {
    if (!quotient) {
      approximate(inst);
      return;
    }
    const Words r = temporary();
    if (inst.arithmetic().ftz) {
      mufu(r, {b});
    } else {
      const Word big = temporary_predicate();
      compare(big, {b}, {});
      const Words scaled = temporary();
      fp32(scaled, {b, {big}}, 1);
      mufu(r, {scaled});
    }
    fp32(dst, {a, r}, 1);
    return;
  }
  const auto& sequence = chip_.sequence;
  const auto steps = quotient                  ? sequence.fp32_divide_steps
                     : inst.op == Opcode::sqrt ? sequence.fp32_sqrt_steps
                                               : sequence.fp32_reciprocal_steps;
  const Words seed = temporary();
  mufu(seed, {b});
  const Word special = temporary_predicate();
  compare(special, {a, b}, {});
  Words x = seed;
  for (std::int64_t i = 0; i < steps; ++i) {
    const Words next = i + 1 == steps ? dst : temporary();
    fp32(next, {i % 2 == 0 ? b : a, x, seed}, 2);
    x = next;
  }
  VirtualInst& slow = emit(Pipe::branch, 1, {}, {{special}});
  static_cast<void>(slow);
}

void Selector::conversion(const Inst& inst) {
  const Words dst = destination(inst);
  const Type to = inst.types[0], from = inst.types[1];
  const int from_words = ptx::bits(from) == 64 ? 2 : 1;
  const Words a = words(inst.srcs[0], from_words);
  if (from == Type::f64 || to == Type::f64) {
    if (chip_.subcore.fp64_lanes > 0) {
      convert(dst, {a}).machine.interval *= 2;
      return;
    }
    fp64(dst, {a}, 0, chip_.sequence.fp64_convert);
    return;
  }
  if (!ptx::is_float(to) && !ptx::is_float(from)) {
    if (dst.size() == 2) {  // sign into the high word
      const Words low = from_words == 2 ? Words{a[0]} : a;
      integer({dst[1]}, {low});
      move({dst[0]}, low);
      return;
    }
    integer(dst, {{a[0]}});  // sign or zero extension, saturation
    return;
  }
  if (ptx::is_float(to) && ptx::is_float(from)) {
    const bool rounds_to_integer =
        inst.arithmetic().round == ptx::Round::rni || inst.arithmetic().round == ptx::Round::rzi ||
        inst.arithmetic().round == ptx::Round::rmi || inst.arithmetic().round == ptx::Round::rpi;
    if (rounds_to_integer) {
      convert(dst, {a});
      return;
    }
    if (to == from) {
      fp32(dst, {a}, 1);
      return;
    }
    if (from == Type::bf16 && to == Type::f32) {
      integer(dst, {a});  // a shift
      return;
    }
    std::vector<Words> sources = {a};
    if (inst.srcs.size() > 1) sources.push_back(words(inst.srcs[1], 1));
    fp16(dst, std::move(sources), 0);  // pack or unpack
    return;
  }
  VirtualInst& i = convert(dst, {a});
  if (ptx::bits(from) == 64 || ptx::bits(to) == 64) i.machine.interval *= 2;
}

Result<void> Selector::recipe_float(const Inst& inst, bool& known) {
  known = true;
  const Type type = inst.types[0];
  const Words dst = inst.dsts.empty() || inst.dsts[0] == no_value ? Words{} : place(inst.dsts[0]);
  // Signs and absolute values are operand modifiers.
  const auto source = [&](std::size_t i, int count) {
    const Inst* d = sole_use(inst.srcs[i]);
    if (d != nullptr && (d->op == Opcode::neg || d->op == Opcode::abs) && d->types[0] == type &&
        !d->arithmetic().ftz)
      return words(d->srcs[0], count);
    return words(inst.srcs[i], count);
  };
  const auto sources = [&](int count) {
    std::vector<Words> list;
    list.reserve(inst.srcs.size());
    for (std::size_t i = 0; i < inst.srcs.size(); ++i) list.push_back(source(i, count));
    return list;
  };
  if (inst.op == Opcode::cvt) {
    conversion(inst);
    return {};
  }
  if (type == Type::f64 && (ptx::flags(inst.op) & ptx::accesses_memory) == 0) {
    if (const Result<void> r = require("fp64", inst); !r) return r;
    switch (inst.op) {
      case Opcode::add:
      case Opcode::sub: fp64(dst, sources(2), 1, chip_.sequence.fp64_add); return {};
      case Opcode::mul: fp64(dst, sources(2), 1, chip_.sequence.fp64_multiply); return {};
      case Opcode::fma:
      case Opcode::mad: fp64(dst, sources(2), 2, chip_.sequence.fp64_fma); return {};
      case Opcode::min:
      case Opcode::max: {
        const Words a = words(inst.srcs[0], 2), b = words(inst.srcs[1], 2);
        fp64({}, {a, b}, 1, chip_.sequence.fp64_compare);
        const Word less = out_->back().define_predicate = temporary_predicate();
        integer({dst[0]}, {{a[0]}, {b[0]}, {less}});
        integer({dst[1]}, {{a[1]}, {b[1]}, {less}});
        return {};
      }
      case Opcode::abs:
      case Opcode::neg:
      case Opcode::copysign: {
        Words a = words(inst.srcs[inst.op == Opcode::copysign ? 1 : 0], 2);
        move({dst[0]}, {a[0]});
        std::vector<Words> high = {{a[1]}};
        if (inst.op == Opcode::copysign) high.push_back({words(inst.srcs[0], 2)[1]});
        integer({dst[1]}, std::move(high));
        return {};
      }
      case Opcode::testp: {
        compare(dst[0], {{words(inst.srcs[0], 2)[1]}}, {});
        return {};
      }
      case Opcode::div:
      case Opcode::rcp:
      case Opcode::sqrt:
      case Opcode::rsqrt: {
        const Words b = words(inst.srcs[inst.op == Opcode::div ? 1 : 0], 2);
        const Words seed = temporary(2);
        mufu({seed[1]}, {{b[1]}});  // MUFU.RCP64H, .RSQ64H
        if (inst.arithmetic().approx && inst.op != Opcode::div) {
          move(dst, seed);
          return {};
        }
        const auto& sequence = chip_.sequence;
        const auto steps = inst.op == Opcode::div   ? sequence.fp64_divide_steps
                           : inst.op == Opcode::rcp ? sequence.fp64_reciprocal_steps
                                                    : sequence.fp64_sqrt_steps;
        Words x = seed;
        for (std::int64_t i = 0; i < steps; ++i) {
          const Words next = i + 1 == steps ? dst : temporary(2);
          fp64(next, {i % 2 == 0 ? b : words(inst.srcs[0], 2), x, x}, 2, chip_.sequence.fp64_fma);
          x = next;
        }
        emit(Pipe::branch, 1, {}, {});
        return {};
      }
      default: known = false; return {};
    }
  }
  if (is_half(type)) {
    switch (inst.op) {
      case Opcode::add:
      case Opcode::sub:
      case Opcode::mul:
      case Opcode::min:
      case Opcode::max: half(inst, 1); return {};
      case Opcode::fma:
      case Opcode::mad: half(inst, 2); return {};
      case Opcode::abs:
      case Opcode::neg: half(inst, 0); return {};
      case Opcode::ex2:
      case Opcode::tanh: {
        mufu(dst, {words(inst.srcs[0], 1)});
        if (is_packed(type)) mufu(temporary(), {words(inst.srcs[0], 1)});
        return {};
      }
      default: break;
    }
  }
  switch (inst.op) {
    case Opcode::add:
    case Opcode::sub:
    case Opcode::mul: fp32(dst, sources(1), 1); return {};
    case Opcode::fma:
    case Opcode::mad: fp32(dst, sources(1), 2); return {};
    case Opcode::min:
    case Opcode::max: {
      std::vector<Words> list = sources(1);
      if (list.size() > 2) {
        const Words first = temporary();
        integer(first, {list[0], list[1]});
        list = {first, list[2]};
      }
      integer(dst, std::move(list));
      return {};
    }
    case Opcode::abs:
    case Opcode::neg: fp32(dst, {words(inst.srcs[0], 1)}, 1); return {};
    case Opcode::copysign: integer(dst, {words(inst.srcs[0], 1), words(inst.srcs[1], 1)}); return {};
    case Opcode::testp: {
      const Word half_way = temporary_predicate();
      compare(half_way, {words(inst.srcs[0], 1)}, {});
      compare(dst.empty() ? temporary_predicate() : dst[0], {words(inst.srcs[0], 1)}, half_way);
      return {};
    }
    case Opcode::div:
    case Opcode::rcp:
    case Opcode::sqrt: divide_float(inst); return {};
    case Opcode::rsqrt:
    case Opcode::ex2:
    case Opcode::lg2:
    case Opcode::sin:
    case Opcode::cos:
    case Opcode::tanh: approximate(inst); return {};
    default: known = false; return {};
  }
}

}  // namespace wanren::lower
