// The transfer rules of transfer.h, one case an opcode.

#include "simt/transfer.h"

#include <algorithm>
#include <bit>
#include <optional>

#include "simt/analysis.h"
#include "simt/opcode_traits.h"

namespace wanren::simt {
namespace {

using ptx::Opcode;
using Kind = ValueShape::Kind;

std::uint64_t mask_of(int width) {
  return width >= 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << width) - 1;
}

std::int64_t sign_extend(std::uint64_t x, int width) {
  if (width >= 64) return static_cast<std::int64_t>(x);
  const int shift = 64 - width;
  return static_cast<std::int64_t>(x << shift) >> shift;
}

std::uint8_t align_of(std::uint64_t constant, int width) {
  constant &= mask_of(width);
  return constant == 0 ? 63 : static_cast<std::uint8_t>(std::countr_zero(constant));
}

std::uint8_t sum_align(int a, int b) {
  // 63 says that the value is 0.
  return static_cast<std::uint8_t>(a == 63 || b == 63 ? 63 : std::min(62, a + b));
}

bool is_integer(ptx::Type t) {
  using enum ptx::Type;
  switch (t) {
    case b16:
    case b32:
    case b64:
    case u16:
    case u32:
    case u64:
    case s16:
    case s32:
    case s64: return true;
    default: return false;
  }
}

ValueShape uniform_shape(std::uint8_t align = 0) {
  ValueShape s;
  s.kind = Kind::uniform;
  s.base_align = align;
  return s;
}

ValueShape constant_shape(std::uint64_t value, int width) {
  ValueShape s = uniform_shape(align_of(value, width));
  s.is_constant = true;
  s.constant = value & mask_of(width);
  return s;
}

class Transfer {
 public:
  Transfer(const Kernel& kernel, const Shapes& shapes, const Inst& inst, const BlockShape* block,
           const std::function<std::uint32_t(const LanePattern&)>& intern)
      : k_(kernel), shapes_(shapes), in_(inst), block_(block), intern_(intern) {
    for (const ValueId d : inst.dsts) {
      if (d == no_value) continue;
      width_ = bits(kernel.values[d].width);
      break;
    }
  }

  Transferred run() {
    Transferred t = unguarded();
    if (in_.guard == no_value || t.rule == Rule::vector) return t;
    ValueShape kept = shapes_[in_.guard];
    if (kept.kind == Kind::uniform) {
      for (std::size_t i = 0; i < in_.dsts.size(); ++i) {
        if (in_.dsts[i] == no_value) continue;
        const ValueShape prior = shape_of(shapes_, in_.prior[i]);
        if (i == 0) t.shape = meet(t.shape, prior);
        if (i > 0 && prior.kind != Kind::uniform) return {};
      }
      t.shape.is_constant = false;
    } else {
      t.shape = {};
    }
    return t.shape.kind == Kind::vector ? Transferred{} : t;
  }

 private:
  ValueShape source(std::size_t i) const { return shape_of(shapes_, in_.srcs[i]); }
  bool is_uniform(std::size_t i) const { return source(i).kind == Kind::uniform; }
  const LanePattern& pattern(const ValueShape& s) const { return shapes_.patterns[s.pattern]; }

  bool all_uniform() const {
    for (const Operand& o : in_.srcs)
      if (shape_of(shapes_, o).kind != Kind::uniform) return false;
    return true;
  }

  static Transferred uniform(ValueShape s = uniform_shape()) { return {Rule::uniform, s, false}; }

  // By value: interning moves the patterns. Interns them modulo the result's width and settles the kind.
  Transferred affine(Rule rule, LanePattern lanes, LanePattern scaled, int align) {
    Transferred t;
    t.rule = rule;
    t.shape.kind = Kind::affine;
    t.shape.base_align = static_cast<std::uint8_t>(align);
    auto number = [&](const LanePattern& p, std::uint32_t& index) {
      LanePattern canonical;
      bool zero = true;
      for (int l = 0; l < warp_size; ++l) {
        canonical[l] = sign_extend(static_cast<std::uint64_t>(p[l]), width_);
        zero &= canonical[l] == 0;
      }
      index = zero ? 0 : intern_(canonical);
      return zero || index != 0;
    };
    if (!number(lanes, t.shape.pattern) || !number(scaled, t.shape.scaled)) return {};
    if (t.shape.pattern == 0 && t.shape.scaled == 0) t.shape.kind = Kind::uniform;
    return t;
  }

  static LanePattern combine(const LanePattern& a, const LanePattern& b, std::uint64_t times) {
    LanePattern r;
    for (int l = 0; l < warp_size; ++l)
      r[l] = static_cast<std::int64_t>(static_cast<std::uint64_t>(a[l]) +
                                       static_cast<std::uint64_t>(b[l]) * times);
    return r;
  }
  static LanePattern times(const LanePattern& a, std::uint64_t factor) {
    return combine(LanePattern{}, a, factor);
  }

  Transferred linear(Rule rule, const ValueShape& a, const ValueShape& b, bool subtract) {
    if (a.kind == Kind::vector || b.kind == Kind::vector) return {};
    if (a.scaled && b.scaled && a.scaled != b.scaled) return {};
    const std::uint64_t sign = subtract ? ~std::uint64_t{0} : 1;
    return affine(rule, combine(pattern(a), pattern(b), sign),
                  shapes_.patterns[a.scaled ? a.scaled : b.scaled], std::min(a.base_align, b.base_align));
  }

  // Splits [base | pattern] at bit K: every pattern below 2^K, every base a multiple of 2^K (or known).
  std::optional<int> split(std::initializer_list<ValueShape> parts) const {
    std::uint64_t highest = 0;
    for (const ValueShape& s : parts) {
      if (s.kind == Kind::vector || s.scaled) return std::nullopt;
      for (const std::int64_t x : pattern(s)) {
        if (x < 0) return std::nullopt;
        highest |= static_cast<std::uint64_t>(x);
      }
    }
    const int cut = std::bit_width(highest);
    if (cut >= width_) return std::nullopt;
    for (const ValueShape& s : parts)
      if (!s.is_constant && s.base_align < cut) return std::nullopt;
    return cut;
  }

  template <class F>
  Transferred on_bases(const ValueShape& a, const ValueShape& b, int align, F&& f) {
    const auto cut = split({a, b});
    if (!cut) return {};
    const std::uint64_t low = mask_of(*cut);
    const std::uint64_t la = a.is_constant ? a.constant & low : 0, lb = b.is_constant ? b.constant & low : 0;
    LanePattern r;
    for (int l = 0; l < warp_size; ++l)
      r[l] = static_cast<std::int64_t>(
          f(la + static_cast<std::uint64_t>(pattern(a)[l]), lb + static_cast<std::uint64_t>(pattern(b)[l])) -
          f(la, lb));
    return affine(Rule::on_bases, r, LanePattern{}, align);
  }

  Transferred shift_right(const ValueShape& a, std::uint64_t by, bool is_signed) {
    if (by >= static_cast<std::uint64_t>(width_)) return {};
    const auto cut = split({a});
    if (!cut || (is_signed && *cut >= width_)) return {};
    LanePattern r;
    for (int l = 0; l < warp_size; ++l) r[l] = pattern(a)[l] >> by;
    const int align = a.base_align == 63 ? 63 : std::max(0, a.base_align - static_cast<int>(by));
    return affine(Rule::on_bases, r, LanePattern{}, align);
  }

  Transferred mask_low(const ValueShape& a, std::uint64_t mask) {
    const bool base_vanishes = a.base_align == 63 || (mask >> a.base_align) == 0;
    ValueShape m = constant_shape(mask, width_);
    return on_bases(a, m, base_vanishes ? 63 : a.base_align,
                    [](std::uint64_t x, std::uint64_t y) { return x & y; });
  }

  // The source of an extension stays affine if no lane wraps at its width.
  static bool proven(const Transfer& t, const ValueShape& s, int width, bool is_signed) {
    if (s.kind == Kind::uniform) return true;
    if (s.scaled) return false;
    std::uint64_t highest = 0;
    for (const std::int64_t x : t.pattern(s)) {
      if (x < 0) return false;
      highest |= static_cast<std::uint64_t>(x);
    }
    const int cut = std::bit_width(highest);
    return s.base_align >= cut && cut <= (is_signed ? width - 1 : width);
  }

  std::uint64_t extended(const ValueShape& constant, int width, bool is_signed) const {
    return is_signed ? static_cast<std::uint64_t>(sign_extend(constant.constant, width))
                     : constant.constant & mask_of(width);
  }

  // a * b with the rules of Rule::mul; shape only.
  std::optional<Transferred> product(ValueShape a, ValueShape b, int source_width, bool wide,
                                     bool is_signed) {
    if (a.kind == Kind::vector || b.kind == Kind::vector) return std::nullopt;
    if (a.kind == Kind::uniform && (b.kind != Kind::uniform || a.is_constant)) std::swap(a, b);
    if (b.kind != Kind::uniform) return std::nullopt;
    const int align = sum_align(a.base_align, b.base_align);
    if (a.kind == Kind::uniform) {
      ValueShape s = uniform_shape(static_cast<std::uint8_t>(align));
      if (a.is_constant && b.is_constant) {
        const int w = wide ? source_width : width_;
        s = constant_shape(extended(a, w, is_signed) * extended(b, w, is_signed), width_);
      }
      return Transferred{Rule::uniform, s, false};
    }
    const bool assumes = wide && !proven(*this, a, source_width, is_signed);
    Transferred t;
    if (b.is_constant) {
      const std::uint64_t c = wide ? extended(b, source_width, is_signed) : b.constant;
      t = affine(Rule::mul, times(pattern(a), c), shapes_.patterns[a.scaled], align);
    } else if (!a.scaled) {
      t = affine(Rule::mul, LanePattern{}, pattern(a), align);
    } else if (!a.pattern) {
      t = affine(Rule::mul, LanePattern{}, shapes_.patterns[a.scaled], align);
    } else {
      return std::nullopt;
    }
    if (t.rule == Rule::vector) return std::nullopt;
    t.assumes = assumes;
    return t;
  }

  Transferred special(ptx::SpecialRegister reg) {
    using S = ptx::SpecialRegister;
    LanePattern p{};
    auto lanes = [&](auto&& f) {
      for (int l = 0; l < warp_size; ++l) p[l] = static_cast<std::int64_t>(f(l));
    };
    const auto one = [](int l) { return std::uint32_t{1} << l; };
    switch (reg) {
      case S::laneid: lanes([](int l) { return l; }); return affine(Rule::lane_zero, p, LanePattern{}, 63);
      case S::lanemask_eq: lanes([&](int l) { return one(l) - 1; }); break;
      case S::lanemask_lt: lanes([&](int l) { return one(l) - 1; }); break;
      case S::lanemask_le: lanes([&](int l) { return (one(l) - 1) * 2; }); break;
      case S::lanemask_ge: lanes([&](int l) { return 0u - one(l) + 1; }); break;
      case S::lanemask_gt: lanes([&](int l) { return 0u - one(l) * 2 + 2; }); break;
      case S::tid_x: return thread_id(0);
      case S::tid_y: return thread_id(1);
      case S::tid_z: return thread_id(2);
      case S::ntid_x: return block_dimension(0);
      case S::ntid_y: return block_dimension(1);
      case S::ntid_z: return block_dimension(2);
      default: return uniform();
    }
    return affine(Rule::lane_zero, p, LanePattern{}, 0);
  }

  Transferred block_dimension(int axis) {
    if (!block_ || block_->generic) return uniform();
    const std::uint32_t n[] = {block_->block.x, block_->block.y, block_->block.z};
    return uniform(constant_shape(n[axis], 32));
  }

  // The same pattern in every warp of the block, or a vector. Lanes that do not exist do not count; the
  // formula gives them a value all the same.
  Transferred thread_id(int axis) {
    if (!block_ || block_->generic) return {};
    const std::uint64_t x = std::max(1u, block_->block.x), y = std::max(1u, block_->block.y);
    const std::uint64_t threads = block_->block.count();
    auto id = [&](std::uint64_t linear) {
      return static_cast<std::int64_t>(axis == 0   ? linear % x
                                       : axis == 1 ? linear / x % y
                                                   : linear / (x * y));
    };
    LanePattern p;
    for (int l = 0; l < warp_size; ++l) p[l] = id(static_cast<std::uint64_t>(l)) - id(0);
    int align = 63;
    for (std::uint64_t first = 0; first < threads; first += warp_size) {
      const std::int64_t base = id(first);
      align = std::min<int>(align, align_of(static_cast<std::uint64_t>(base), 32));
      for (std::uint64_t l = 0; l < warp_size && first + l < threads; ++l)
        if (id(first + l) - base != p[l]) return {};
    }
    Transferred t = affine(Rule::lane_zero, p, LanePattern{}, align);
    if (t.shape.kind == Kind::uniform && align == 63) t.shape = constant_shape(0, 32);
    return t;
  }

  // Results of scalar operations: alignment, and values known at analysis time.
  Transferred scalar() {
    const ptx::Type type = in_.types[0];
    ValueShape s = uniform_shape();
    if (in_.dsts.size() != 1 || !is_integer(type) || in_.arithmetic().sat || in_.arithmetic().cc)
      return uniform(s);
    const ValueShape a = in_.srcs.empty() ? s : source(0);
    const ValueShape b = in_.srcs.size() > 1 ? source(1) : s;
    const bool known = a.is_constant && b.is_constant && in_.srcs.size() <= 2;
    switch (in_.op) {
      case Opcode::add:
        if (known) return uniform(constant_shape(a.constant + b.constant, width_));
        s.base_align = std::min(a.base_align, b.base_align);
        break;
      case Opcode::sub:
        if (known) return uniform(constant_shape(a.constant - b.constant, width_));
        s.base_align = std::min(a.base_align, b.base_align);
        break;
      case Opcode::shl:
        if (!b.is_constant || (b.constant & 0xffffffff) >= static_cast<std::uint64_t>(width_)) break;
        if (known) return uniform(constant_shape(a.constant << (b.constant & 63), width_));
        s.base_align = sum_align(a.base_align, static_cast<int>(b.constant & 63));
        break;
      case Opcode::and_:
        if (known) return uniform(constant_shape(a.constant & b.constant, width_));
        s.base_align = std::max(a.base_align, b.base_align);
        break;
      case Opcode::or_:
      case Opcode::xor_: s.base_align = std::min(a.base_align, b.base_align); break;
      case Opcode::cvt:
        if (is_integer(in_.types[1]) && ptx::bits(type) == width_ && ptx::bits(in_.types[1]) <= width_ &&
            a.base_align != 63)
          s.base_align = a.base_align;
        break;
      default: break;
    }
    return uniform(s);
  }

  Transferred unguarded() {
    const ptx::Type type = in_.types[0];
    const bool plain = is_integer(type) && !in_.arithmetic().sat && !in_.arithmetic().cc &&
                       in_.dsts.size() == 1 && ptx::bits(type) <= 64;
    const OpcodeFlags f = traits(in_.op);
    switch (in_.op) {
      case Opcode::mov:
        if (in_.srcs.size() == 1 && in_.dsts.size() == 1) {
          const Operand& o = in_.srcs[0];
          if (o.kind == Operand::Kind::special) return special(o.special);
          ValueShape s = source(0);
          if (s.kind == Kind::vector) return {};
          if (o.kind == Operand::Kind::value && bits(k_.values[o.value].width) != width_)
            return s.kind == Kind::uniform ? uniform() : Transferred{};
          if (s.is_constant) s = constant_shape(s.constant, width_);
          return {Rule::copy, s, false};
        }
        return all_uniform() ? uniform() : Transferred{};
      case Opcode::ld:
      case Opcode::ldu: {
        if (in_.space() == ptx::Space::local) return {};
        return !is_ordered(in_) && in_.memory().cache != ptx::CacheOp::cv && is_uniform(0) ? uniform()
                                                                                           : Transferred{};
      }
      case Opcode::vote:
      case Opcode::redux:
        // Lanes may name different member masks in one execution; then the results differ.
        return !in_.meeting().sync || is_uniform(in_.srcs.size() - 1) ? uniform() : Transferred{};
      case Opcode::activemask: return uniform();
      case Opcode::bar:
      case Opcode::barrier: return uniform();
      case Opcode::cvta: return address_conversion();
      default: break;
    }
    if (f.memory || f.control || f.collective || !f.has_destination) return {};
    if (plain && (in_.op == Opcode::mul || in_.op == Opcode::mad)) {
      if (auto t = multiply()) return *t;
    }
    if (all_uniform()) return scalar();
    if (in_.op == Opcode::selp && in_.dsts.size() == 1 && is_uniform(2)) {
      ValueShape s = meet(source(0), source(1));
      s.is_constant = false;
      return s.kind == Kind::vector ? Transferred{} : Transferred{Rule::select, s, false};
    }
    if (!plain) return {};
    switch (in_.op) {
      case Opcode::add: return linear(Rule::add, source(0), source(1), false);
      case Opcode::sub: return linear(Rule::sub, source(0), source(1), true);
      case Opcode::neg: {
        const ValueShape a = source(0);
        if (a.kind == Kind::vector) return {};
        return affine(Rule::neg, times(pattern(a), ~std::uint64_t{0}), shapes_.patterns[a.scaled],
                      a.base_align);
      }
      case Opcode::not_: {
        const ValueShape a = source(0);
        if (a.kind == Kind::vector) return {};
        return affine(Rule::not_, times(pattern(a), ~std::uint64_t{0}), shapes_.patterns[a.scaled], 0);
      }
      case Opcode::shl: {
        const ValueShape a = source(0), c = source(1);
        const std::uint64_t by = c.constant & 0xffffffff;
        if (a.kind == Kind::vector || !c.is_constant || by >= static_cast<std::uint64_t>(width_)) return {};
        // The scale takes the factor, so the scaled pattern stays.
        return affine(Rule::shl, times(pattern(a), std::uint64_t{1} << by), shapes_.patterns[a.scaled],
                      sum_align(a.base_align, static_cast<int>(by)));
      }
      case Opcode::cvt: return convert();
      case Opcode::shr: {
        const ValueShape c = source(1);
        return c.is_constant ? shift_right(source(0), c.constant & 0xffffffff, ptx::is_signed(type))
                             : Transferred{};
      }
      case Opcode::and_: {
        const ValueShape a = source(0), b = source(1);
        if (b.is_constant) return mask_low(a, b.constant & mask_of(width_));
        if (a.is_constant) return mask_low(b, a.constant & mask_of(width_));
        return on_bases(a, b, std::max(a.base_align, b.base_align),
                        [](std::uint64_t x, std::uint64_t y) { return x & y; });
      }
      case Opcode::or_:
      case Opcode::xor_: {
        const bool is_or = in_.op == Opcode::or_;
        const ValueShape a = source(0), b = source(1);
        return on_bases(a, b, std::min(a.base_align, b.base_align),
                        [is_or](std::uint64_t x, std::uint64_t y) { return is_or ? x | y : x ^ y; });
      }
      case Opcode::div:
      case Opcode::rem: {
        const ValueShape c = source(1);
        if (!c.is_constant || ptx::is_signed(type) || !std::has_single_bit(c.constant & mask_of(width_)))
          return {};
        const std::uint64_t d = c.constant & mask_of(width_);
        return in_.op == Opcode::div
                   ? shift_right(source(0), static_cast<std::uint64_t>(std::countr_zero(d)), false)
                   : mask_low(source(0), d - 1);
      }
      case Opcode::bfe: {
        const ValueShape at = source(1), length = source(2);
        if (!at.is_constant || !length.is_constant || ptx::is_signed(type)) return {};
        return bit_field(source(0), at.constant & 0xff, length.constant & 0xff);
      }
      default: return {};
    }
  }

  Transferred bit_field(const ValueShape& a, std::uint64_t at, std::uint64_t length) {
    if (at >= static_cast<std::uint64_t>(width_)) return {};
    const auto cut = split({a});
    if (!cut) return {};
    const std::uint64_t mask = mask_of(static_cast<int>(std::min<std::uint64_t>(length, 64)));
    LanePattern r;
    for (int l = 0; l < warp_size; ++l)
      r[l] = static_cast<std::int64_t>(static_cast<std::uint64_t>(pattern(a)[l]) >> at & mask);
    const int align = a.base_align == 63 ? 63 : std::max(0, a.base_align - static_cast<int>(at));
    const bool vanishes = align == 63 || static_cast<std::uint64_t>(align) >= length;
    return affine(Rule::on_bases, r, LanePattern{}, vanishes ? 63 : align);
  }

  std::optional<Transferred> multiply() {
    const bool wide = in_.arithmetic().part == ptx::MulPart::wide;
    if (in_.arithmetic().part == ptx::MulPart::hi || in_.srcs.size() < 2) return std::nullopt;
    const int source_width = ptx::bits(in_.types[0]);
    if (width_ != (wide ? 2 * source_width : source_width)) return std::nullopt;
    auto p = product(source(0), source(1), source_width, wide, ptx::is_signed(in_.types[0]));
    if (!p) return std::nullopt;
    if (in_.op == Opcode::mul) return p;
    Transferred t = linear(Rule::mad, p->shape, source(2), false);
    if (t.rule == Rule::vector) return std::nullopt;
    if (t.shape.kind == Kind::uniform && p->shape.kind == Kind::uniform && is_uniform(2))
      t.rule = Rule::uniform;
    t.assumes = p->assumes;
    return t;
  }

  Transferred convert() {
    const ptx::Type to = in_.types[0], from = in_.types[1];
    if (!is_integer(from) || in_.srcs.size() != 1 || in_.srcs[0].kind != Operand::Kind::value) return {};
    const int wide = ptx::bits(to), narrow = ptx::bits(from);
    const int held = bits(k_.values[in_.srcs[0].value].width);
    if (width_ != wide) return {};
    const ValueShape a = source(0);
    if (a.kind == Kind::vector) return {};
    if (wide <= narrow) return affine(Rule::narrow, pattern(a), shapes_.patterns[a.scaled], a.base_align);
    if (held != narrow) return {};
    Transferred t = affine(Rule::extend, pattern(a), shapes_.patterns[a.scaled], a.base_align);
    t.assumes = !proven(*this, a, narrow, ptx::is_signed(from));
    return t;
  }

  Transferred address_conversion() {
    const ValueShape a = source(0);
    if (a.kind == Kind::vector || width_ != 64 || in_.dsts.size() != 1) return {};
    const bool local = in_.space() == ptx::Space::local;
    if (!local && a.kind == Kind::uniform) return uniform(uniform_shape());
    const std::uint64_t frame = local ? k_.local_bytes : 0;
    LanePattern lanes;
    for (int l = 0; l < warp_size; ++l)
      lanes[l] =
          static_cast<std::int64_t>(static_cast<std::uint64_t>(pattern(a)[l]) +
                                    (in_.memory().to ? 0 - frame : frame) * static_cast<std::uint64_t>(l));
    return affine(in_.memory().to ? Rule::from_generic : Rule::to_generic, lanes, shapes_.patterns[a.scaled],
                  0);
  }

  const Kernel& k_;
  const Shapes& shapes_;
  const Inst& in_;
  const BlockShape* block_;
  const std::function<std::uint32_t(const LanePattern&)>& intern_;
  int width_ = 32;
};

}  // namespace

ValueShape shape_of(const Shapes& shapes, const Operand& o) {
  switch (o.kind) {
    case Operand::Kind::value: {
      ValueShape s = shapes[o.value];
      if (o.negated) s.is_constant = false;
      return s;
    }
    case Operand::Kind::imm: return constant_shape(o.bits, 64);
    case Operand::Kind::none:
    case Operand::Kind::undefined: return constant_shape(0, 64);
    case Operand::Kind::special: return {};
    case Operand::Kind::argument:
      return o.index < shapes.uniform_arguments.size() && shapes.uniform_arguments[o.index] ? uniform_shape()
                                                                                            : ValueShape{};
    case Operand::Kind::frame_address: {
      ValueShape s = uniform_shape();
      s.base_align = static_cast<std::uint8_t>(o.bits % 16 == 0 ? 4 : std::countr_zero(o.bits));
      return s;
    }
    case Operand::Kind::global_symbol:
    case Operand::Kind::param_address: return uniform_shape();
  }
  return {};
}

ValueShape meet(const ValueShape& a, const ValueShape& b) {
  if (a.kind == Kind::vector || b.kind == Kind::vector || a.pattern != b.pattern || a.scaled != b.scaled)
    return {};
  ValueShape r = a;
  r.base_align = std::min(a.base_align, b.base_align);
  r.is_constant = a.is_constant && b.is_constant && a.constant == b.constant;
  if (!r.is_constant) r.constant = 0;
  return r;
}

Transferred transfer(const Kernel& kernel, const Shapes& shapes, const Inst& inst, const BlockShape* block,
                     const std::function<std::uint32_t(const LanePattern&)>& intern) {
  return Transfer(kernel, shapes, inst, block, intern).run();
}

}  // namespace wanren::simt
