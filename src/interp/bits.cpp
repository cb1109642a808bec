// Logic, shifts, bit fields and moves, PTX ISA ch. 9.7.1, 9.7.8 and 9.7.9.

#include <algorithm>
#include <bit>

#include "interp/lane.h"
#include "interp/mbarrier.h"

namespace wanren::interp {
namespace {

using ptx::Opcode;
using ptx::PrmtMode;
using ptx::ShiftMode;
using ptx::Type;
using simt::Inst;

Type type_of(const Inst& i) {
  return i.types[0];
}
int width_of(const Inst& i) {
  return ptx::bits(type_of(i));
}
std::uint32_t u32(std::uint64_t x) {
  return static_cast<std::uint32_t>(x);
}

void and_(const Inst& i, const std::uint64_t* s, std::uint64_t* d) {
  d[0] = s[0] & s[1];
}
void or_(const Inst& i, const std::uint64_t* s, std::uint64_t* d) {
  d[0] = s[0] | s[1];
}
void xor_(const Inst& i, const std::uint64_t* s, std::uint64_t* d) {
  d[0] = s[0] ^ s[1];
}
void not_(const Inst& i, const std::uint64_t* s, std::uint64_t* d) {
  d[0] = low_bits(~s[0], width_of(i));
}
void cnot(const Inst& i, const std::uint64_t* s, std::uint64_t* d) {
  d[0] = low_bits(s[0], width_of(i)) == 0;
}

// lop3.BoolOp also gives a predicate: (d != 0) BoolOp q.
void lop3(const Inst& i, const std::uint64_t* s, std::uint64_t* d) {
  std::uint32_t r = 0;
  for (int k = 0; k < 8; ++k) {
    if (!(s[3] >> k & 1)) continue;
    r |= (k & 4 ? u32(s[0]) : ~u32(s[0])) & (k & 2 ? u32(s[1]) : ~u32(s[1])) &
         (k & 1 ? u32(s[2]) : ~u32(s[2]));
  }
  d[0] = r;
  if (i.arithmetic().bool_op == ptx::BoolOp::or_) d[1] = (r != 0) | (s[4] & 1);
  if (i.arithmetic().bool_op == ptx::BoolOp::and_) d[1] = (r != 0) & s[4] & 1;
}

// Amounts are unsigned 32-bit; past the width everything is shifted out.
void shl(const Inst& i, const std::uint64_t* s, std::uint64_t* d) {
  const std::uint32_t n = u32(s[1]);
  d[0] = n >= static_cast<std::uint32_t>(width_of(i)) ? 0 : low_bits(s[0] << n, width_of(i));
}

void shr(const Inst& i, const std::uint64_t* s, std::uint64_t* d) {
  const std::uint32_t n = u32(s[1]);
  const bool out = n >= static_cast<std::uint32_t>(width_of(i));
  const std::uint64_t a = read(s[0], type_of(i));
  if (ptx::is_signed(type_of(i))) {
    d[0] = static_cast<std::uint64_t>(static_cast<std::int64_t>(a) >> (out ? 63 : n));
  } else {
    d[0] = out ? 0 : a >> n;
  }
}

// Funnel shift of {b, a}: left keeps the upper word, right the lower.
void shf(const Inst& i, const std::uint64_t* s, std::uint64_t* d) {
  const std::uint64_t both = std::uint64_t{u32(s[1])} << 32 | u32(s[0]);
  std::uint32_t n = u32(s[2]);
  n = i.arithmetic().shift == ShiftMode::clamp ? (n < 32 ? n : 32) : n & 31;
  d[0] = i.arithmetic().direction == ShiftMode::left ? (both << n) >> 32 : low_bits(both >> n, 32);
}

void popc(const Inst& i, const std::uint64_t* s, std::uint64_t* d) {
  d[0] = static_cast<std::uint64_t>(std::popcount(low_bits(s[0], width_of(i))));
}
void clz(const Inst& i, const std::uint64_t* s, std::uint64_t* d) {
  d[0] = static_cast<std::uint64_t>(std::countl_zero(low_bits(s[0], width_of(i))) - (64 - width_of(i)));
}
void brev(const Inst& i, const std::uint64_t* s, std::uint64_t* d) {
  std::uint64_t r = 0;
  for (int k = 0; k < width_of(i); ++k) r |= (s[0] >> k & 1) << (width_of(i) - 1 - k);
  d[0] = r;
}

void bfind(const Inst& i, const std::uint64_t* s, std::uint64_t* d) {
  std::uint64_t a = read(s[0], type_of(i));
  if (ptx::is_signed(type_of(i)) && static_cast<std::int64_t>(a) < 0) a = ~a;
  const int position = 63 - std::countl_zero(a);
  d[0] = a == 0 ? 0xffffffff
                : static_cast<std::uint64_t>(i.arithmetic().shiftamt ? width_of(i) - 1 - position : position);
}

void bfe(const Inst& i, const std::uint64_t* s, std::uint64_t* d) {
  const int n = width_of(i);
  const int position = static_cast<int>(s[1] & 0xff), length = static_cast<int>(s[2] & 0xff);
  std::uint64_t sign = 0;
  if (ptx::is_signed(type_of(i)) && length != 0) {
    const int top = position + length - 1 < n - 1 ? position + length - 1 : n - 1;
    sign = s[0] >> top & 1;
  }
  std::uint64_t r = 0;
  for (int k = 0; k < n; ++k) {
    r |= (k < length && position + k < n ? s[0] >> (position + k) & 1 : sign) << k;
  }
  d[0] = read(r, type_of(i));
}

void bfi(const Inst& i, const std::uint64_t* s, std::uint64_t* d) {
  const int n = width_of(i);
  const int position = static_cast<int>(s[2] & 0xff), length = static_cast<int>(s[3] & 0xff);
  std::uint64_t r = low_bits(s[1], n);
  for (int k = 0; k < length && position + k < n; ++k) {
    r = (r & ~(std::uint64_t{1} << (position + k))) | (s[0] >> k & 1) << (position + k);
  }
  d[0] = r;
}

bool clamps(const Inst& i) {
  return i.arithmetic().shift == ShiftMode::clamp;
}

void bmsk(const Inst& i, const std::uint64_t* s, std::uint64_t* d) {
  const std::uint32_t a = u32(s[0]), b = u32(s[1]), a1 = a & 31, sum = a1 + (b & 31);
  std::uint32_t from = ~0u << a1, past = sum >= 32 ? 0 : ~0u << sum;
  if (clamps(i) && a >= 32) from = past = 0;
  if (clamps(i) && b >= 32) past = 0;
  d[0] = from & ~past;
}

void szext(const Inst& i, const std::uint64_t* s, std::uint64_t* d) {
  const std::uint32_t a = u32(s[0]), b = u32(s[1]), n = b & 31;
  const std::uint32_t above = clamps(i) && b >= 32 ? 0 : ~0u << n;
  const bool sign = ptx::is_signed(type_of(i)) && n != 0 && (a >> (n - 1) & 1);
  d[0] = (a & ~above) | (sign ? above : 0);
}

// The n-th set bit of the mask from a base on, upwards or downwards.
void fns(const Inst& i, const std::uint64_t* s, std::uint64_t* d) {
  const std::uint32_t mask = u32(s[0]);
  const auto base = static_cast<std::int64_t>(u32(s[1]) & 31),
             offset = std::int64_t{static_cast<std::int32_t>(s[2])};
  const std::int64_t step = offset < 0 ? -1 : 1;
  std::int64_t left = offset < 0 ? -offset : std::max<std::int64_t>(offset, 1);
  const std::int64_t end = offset == 0 ? base + 1 : step > 0 ? 32 : -1;
  d[0] = 0xffffffff;
  for (std::int64_t at = base; at != end; at += step)
    if (mask >> at & 1 && --left == 0) {
      d[0] = static_cast<std::uint64_t>(at);
      return;
    }
}

void prmt(const Inst& i, const std::uint64_t* s, std::uint64_t* d) {
  const std::uint64_t bytes = std::uint64_t{u32(s[1])} << 32 | u32(s[0]);
  const int c = static_cast<int>(s[2] & 3);
  std::uint32_t r = 0;
  for (int k = 0; k < 4; ++k) {
    int select = 0;
    switch (i.arithmetic().prmt) {
      case PrmtMode::none: select = static_cast<int>(s[2] >> (4 * k) & 15); break;
      case PrmtMode::f4e: select = c + k; break;
      case PrmtMode::b4e: select = (c - k) & 7; break;
      case PrmtMode::rc8: select = c; break;
      case PrmtMode::ecl: select = k < c ? c : k; break;
      case PrmtMode::ecr: select = k < c ? k : c; break;
      case PrmtMode::rc16: select = (c & 1) * 2 + (k & 1); break;
    }
    std::uint32_t byte = static_cast<std::uint32_t>(bytes >> (8 * (select & 7)) & 0xff);
    if (i.arithmetic().prmt == PrmtMode::none && (select & 8)) byte = byte & 0x80 ? 0xff : 0;
    r |= byte << (8 * k);
  }
  d[0] = r;
}

// mov copies, packs {a, b, …} into one register (first element lowest) or unpacks.
void mov(const Inst& i, const std::uint64_t* s, std::uint64_t* d) {
  const int n = width_of(i);
  if (i.srcs.size() > 1) {
    const int part = n / static_cast<int>(i.srcs.size());
    d[0] = d[1 * (n == 128)] = 0;
    for (std::size_t k = 0; k < i.srcs.size(); ++k) {
      const int at = static_cast<int>(k) * part;
      d[at / 64] |= low_bits(s[k], part) << (at % 64);
    }
  } else if (i.dsts.size() > 1) {
    const int part = n / static_cast<int>(i.dsts.size());
    for (std::size_t k = 0; k < i.dsts.size(); ++k) {
      const int at = static_cast<int>(k) * part;
      d[k] = low_bits(s[at / 64] >> (at % 64), part);
    }
  } else {
    d[0] = n == 128 ? s[0] : low_bits(s[0], n);
    if (n == 128) d[1] = s[1];
  }
}

void selp(const Inst& i, const std::uint64_t* s, std::uint64_t* d) {
  d[0] = s[2] & 1 ? s[0] : s[1];
}

// A cache policy has no effect on results.
void createpolicy(const Inst& i, const std::uint64_t* s, std::uint64_t* d) {
  d[0] = 0;
}

void pending_count(const Inst& i, const std::uint64_t* s, std::uint64_t* d) {
  d[0] = Mbarrier::from(s[0]).pending;
}

}  // namespace

LaneFunction find_bits(const Inst& i) {
  switch (i.op) {
    case Opcode::and_: return and_;
    case Opcode::or_: return or_;
    case Opcode::xor_: return xor_;
    case Opcode::not_: return not_;
    case Opcode::cnot: return cnot;
    case Opcode::lop3: return lop3;
    case Opcode::shl: return shl;
    case Opcode::shr: return shr;
    case Opcode::shf: return shf;
    case Opcode::popc: return popc;
    case Opcode::clz: return clz;
    case Opcode::brev: return brev;
    case Opcode::bfind: return bfind;
    case Opcode::bfe: return bfe;
    case Opcode::bfi: return bfi;
    case Opcode::bmsk: return bmsk;
    case Opcode::szext: return szext;
    case Opcode::fns: return fns;
    case Opcode::prmt: return prmt;
    case Opcode::mov: return mov;
    case Opcode::selp: return selp;
    case Opcode::createpolicy: return createpolicy;
    case Opcode::mbarrier_pending_count: return pending_count;
    default: return nullptr;
  }
}

}  // namespace wanren::interp
