// atom and red, PTX ISA ch. 9.7.13: lane by lane in ascending order, each a compare-and-swap loop.

#include <cstring>

#include "interp/lane.h"
#include "interp/warp_ops.h"

namespace wanren::interp {
namespace {

using ptx::AtomOp;
using ptx::Opcode;
using ptx::Type;

std::uint64_t apply(AtomOp what, Type t, bool flush, std::uint64_t old, std::uint64_t b, std::uint64_t c) {
  const int n = ptx::bits(t);
  switch (what) {
    case AtomOp::and_: return old & b;
    case AtomOp::or_: return old | b;
    case AtomOp::xor_: return old ^ b;
    case AtomOp::exch: return b;
    case AtomOp::cas: return old == low_bits(b, n) ? c : old;
    case AtomOp::inc: return old >= b ? 0 : old + 1;
    case AtomOp::dec: return old == 0 || old > b ? b : old - 1;
    default: break;
  }
  const bool add = what == AtomOp::add, max = what == AtomOp::max;
  if (ptx::is_float(t)) {
    simt::Arithmetic how;
    how.round = ptx::Round::rn;
    how.ftz = flush;
    return float_operation(add ? FloatOp::add : max ? FloatOp::max : FloatOp::min, t, how, old, b, 0);
  }
  if (add) return old + b;
  const std::uint64_t x = read(old, t), y = read(b, t);
  const bool less = ptx::is_signed(t) ? static_cast<std::int64_t>(x) < static_cast<std::int64_t>(y) : x < y;
  return less == max ? b : old;
}

template <class T>
std::uint64_t update(AtomOp what, Type t, bool flush, std::uint8_t* at, std::uint64_t b, std::uint64_t c) {
  auto* p = reinterpret_cast<T*>(at);
  T old = __atomic_load_n(p, __ATOMIC_RELAXED);
  while (!__atomic_compare_exchange_n(p, &old, static_cast<T>(apply(what, t, flush, old, b, c)), false,
                                      __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) {
  }
  return old;
}

struct Wide {
  std::uint64_t low, high;
};

#if defined(__x86_64__)
__attribute__((target("cx16"))) Wide swap_wide(std::uint8_t* at, bool always, Wide expected, Wide desired) {
  using U128 = unsigned __int128;
  const auto pack = [](Wide w) { return U128{w.high} << 64 | w.low; };
  auto* p = reinterpret_cast<U128*>(at);
  U128 old = pack(expected);
  if (always) std::memcpy(&old, at, 16);
  for (;;) {
    const U128 seen = __sync_val_compare_and_swap(p, old, pack(desired));
    if (seen == old || !always) {
      return {static_cast<std::uint64_t>(seen), static_cast<std::uint64_t>(seen >> 64)};
    }
    old = seen;
  }
}
#else
#error "128-bit atomics: this host needs an implementation"
#endif

// Sources: address, b (two rows), for cas also the new value (two rows).
void wide(const WarpOp& op, int lane) {
  std::uint8_t* at = access(op, lane, 16);
  const bool always = op.inst.memory().atom == AtomOp::exch;
  const Wide b{op.srcs[1][lane], op.srcs[2][lane]};
  const Wide old =
      always ? swap_wide(at, true, {}, b) : swap_wide(at, false, b, {op.srcs[3][lane], op.srcs[4][lane]});
  if (op.inst.op == Opcode::atom) {
    op.dsts[0][lane] = old.low;
    op.dsts[1][lane] = old.high;
  }
}

}  // namespace

std::uint64_t update_element(AtomOp what, Type t, bool flush, std::uint8_t* at, std::uint64_t b,
                             std::uint64_t c) {
  switch (ptx::bits(t)) {
    case 16: return update<std::uint16_t>(what, t, flush, at, b, c);
    case 32: return update<std::uint32_t>(what, t, flush, at, b, c);
    default: return update<std::uint64_t>(what, t, flush, at, b, c);
  }
}

bool run_atomic(const WarpOp& op) {
  if (op.inst.op != Opcode::atom && op.inst.op != Opcode::red) return false;
  const Type t = op.inst.types[0];
  const int bytes = ptx::bits(t) / 8, elements = op.inst.memory().vector;
  for_each_lane(op.mask, [&](int lane) {
    if (bytes == 16) {
      wide(op, lane);
      return;
    }
    std::uint8_t* at =
        access(op, lane, static_cast<std::uint64_t>(bytes) * static_cast<std::uint64_t>(elements));
    // f32 sums in global memory flush subnormals, those in shared memory keep them.
    const bool flush = t == Type::f32 && place_of(op.ctx, at).space == trace::Space::global;
    for (int e = 0; e < elements; ++e) {
      const std::uint64_t b = op.srcs[1 + e][lane];
      const std::uint64_t c = op.inst.memory().atom == AtomOp::cas ? op.srcs[2][lane] : 0;
      std::uint8_t* element = at + e * bytes;
      const std::uint64_t old = update_element(op.inst.memory().atom, t, flush, element, b, c);
      if (op.inst.op == Opcode::atom) op.dsts[e][lane] = old;
    }
  });
  access_done();
  return true;
}

}  // namespace wanren::interp
