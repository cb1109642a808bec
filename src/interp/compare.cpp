// Comparison and selection, PTX ISA ch. 9.7.6, and testp.

#include "interp/formats.h"
#include "interp/lane.h"

namespace wanren::interp {
namespace {

using ptx::BoolOp;
using ptx::Compare;
using ptx::Opcode;
using ptx::TestOp;
using ptx::Type;
using simt::Inst;

bool combine(BoolOp op, bool a, bool b) {
  switch (op) {
    case BoolOp::and_: return a && b;
    case BoolOp::or_: return a || b;
    case BoolOp::xor_: return a != b;
    case BoolOp::none: return a;
  }
  return a;
}

bool is_pair(Type t) {
  return t == Type::f16x2 || t == Type::bf16x2;
}
Type half(Type t) {
  return t == Type::f16x2 ? Type::f16 : t == Type::bf16x2 ? Type::bf16 : t;
}

// setp p|q: q is the same with the comparison negated. Packed types: p is the low half, q the high half.
void setp(const Inst& i, const std::uint64_t* s, std::uint64_t* d) {
  const Type t = i.types[0];
  const bool c = i.srcs.size() > 2 && (s[2] & 1);
  const bool first = compare(i.arithmetic().compare, half(t), s[0], s[1], i.arithmetic().ftz);
  const bool second =
      is_pair(t) ? compare(i.arithmetic().compare, half(t), s[0] >> 16, s[1] >> 16, i.arithmetic().ftz)
                 : !first;
  d[0] = combine(i.arithmetic().bool_op, first, c);
  if (i.dsts.size() > 1) d[1] = combine(i.arithmetic().bool_op, second, c);
}

std::uint64_t truth(Type t, bool value) {
  if (!value) return 0;
  switch (t) {
    case Type::f32: return 0x3f800000;
    case Type::f16:
    case Type::f16x2: return 0x3c00;
    case Type::bf16:
    case Type::bf16x2: return 0x3f80;
    case Type::u16:
    case Type::s16: return 0xffff;
    default: return 0xffffffff;
  }
}

void set(const Inst& i, const std::uint64_t* s, std::uint64_t* d) {
  const Type to = i.types[0], t = i.types[1];
  const bool c = i.srcs.size() > 2 && (s[2] & 1);
  const bool first = combine(i.arithmetic().bool_op,
                             compare(i.arithmetic().compare, half(t), s[0], s[1], i.arithmetic().ftz), c);
  if (!is_pair(t)) {
    d[0] = truth(to, first);
    return;
  }
  const bool second =
      combine(i.arithmetic().bool_op,
              compare(i.arithmetic().compare, half(t), s[0] >> 16, s[1] >> 16, i.arithmetic().ftz), c);
  d[0] = low_bits(truth(to, first), 16) | low_bits(truth(to, second), 16) << 16;
}

// slct: the first if the third is at least zero; NaN is not, -0 is.
void slct(const Inst& i, const std::uint64_t* s, std::uint64_t* d) {
  const Type t = i.types[1];
  bool first;
  if (t == Type::f32) {
    first = as_f32(i.arithmetic().ftz ? flush(low_bits(s[2], 32), f32_format) : s[2]) >= 0.0f;
  } else {
    first = !(s[2] >> 31 & 1);
  }
  d[0] = first ? s[0] : s[1];
}

void testp(const Inst& i, const std::uint64_t* s, std::uint64_t* d) {
  const Format& f = format_of(i.types[0]);
  const std::uint64_t x = low_bits(s[0], f.width()), magnitude = x & (f.sign() - 1);
  const bool finite = magnitude <= f.largest, nan = is_nan(x, f);
  bool r = false;
  switch (i.arithmetic().test) {
    case TestOp::finite: r = finite; break;
    case TestOp::infinite: r = !finite && !nan; break;
    case TestOp::number: r = !nan; break;
    case TestOp::notanumber: r = nan; break;
    case TestOp::normal: r = finite && magnitude >> f.mantissa != 0; break;
    case TestOp::subnormal: r = is_subnormal(x, f); break;
    case TestOp::none: break;
  }
  d[0] = r;
}

template <class T>
bool ordered(Compare how, T a, T b) {
  switch (how) {
    case Compare::eq:
    case Compare::equ: return a == b;
    case Compare::ne:
    case Compare::neu: return a != b;
    case Compare::lt:
    case Compare::ltu:
    case Compare::lo: return a < b;
    case Compare::le:
    case Compare::leu:
    case Compare::ls: return a <= b;
    case Compare::gt:
    case Compare::gtu:
    case Compare::hi: return a > b;
    case Compare::ge:
    case Compare::geu:
    case Compare::hs: return a >= b;
    case Compare::num: return true;
    case Compare::nan:
    case Compare::none: return false;
  }
  return false;
}

}  // namespace

bool compare(Compare how, Type t, std::uint64_t a, std::uint64_t b, bool ftz) {
  if (ptx::is_float(t)) {
    const Format& f = format_of(t);
    a = low_bits(a, f.width());
    b = low_bits(b, f.width());
    if (is_nan(a, f) || is_nan(b, f)) {
      switch (how) {
        case Compare::equ:
        case Compare::neu:
        case Compare::ltu:
        case Compare::leu:
        case Compare::gtu:
        case Compare::geu:
        case Compare::nan: return true;
        default: return false;
      }
    }
    if (ftz && t != Type::f64) {
      a = flush(a, f);
      b = flush(b, f);
    }
    return ordered(how, to_double(a, f), to_double(b, f));
  }
  const bool as_unsigned =
      how == Compare::lo || how == Compare::ls || how == Compare::hi || how == Compare::hs;
  if (ptx::is_signed(t) && !as_unsigned) {
    const auto x = static_cast<std::int64_t>(read(a, t)), y = static_cast<std::int64_t>(read(b, t));
    return ordered(how, x, y);
  }
  return ordered(how, low_bits(a, ptx::bits(t)), low_bits(b, ptx::bits(t)));
}

LaneFunction find_comparison(const Inst& i) {
  switch (i.op) {
    case Opcode::setp: return setp;
    case Opcode::set: return set;
    case Opcode::slct: return slct;
    case Opcode::testp: return testp;
    default: return nullptr;
  }
}

}  // namespace wanren::interp
