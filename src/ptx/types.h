#pragma once
// The vocabulary of PTX: types, state spaces, modifiers, special registers. PTX ISA 8.x, ch. 4-9.

#include <array>
#include <cstdint>
#include <string_view>

namespace wanren::ptx {

enum class Type : std::uint8_t {
  none,
  pred,
  b8,
  b16,
  b32,
  b64,
  b128,
  u8,
  u16,
  u32,
  u64,
  s8,
  s16,
  s32,
  s64,
  f16,
  f16x2,
  bf16,
  bf16x2,
  tf32,
  f32,
  f32x2,
  f64,
  e4m3,
  e5m2,
  e4m3x2,
  e5m2x2,
  s4,
  u4,
  b1,
  u16x2,
  s16x2,
};

int bits(Type type);  ///< Width in bits; pred is 1, none is 0.
bool is_float(Type type);
bool is_signed(Type type);
std::string_view name(Type type);  ///< Without the dot: "u32".

/// `none` is the generic address space.
enum class Space : std::uint8_t {
  none,
  reg,
  sreg,
  constant,
  global,
  local,
  param,
  shared,
  shared_cluster,
  tex
};

enum class Round : std::uint8_t { none, rn, rz, rm, rp, rna, rni, rzi, rmi, rpi };
enum class Compare : std::uint8_t {
  none,
  eq,
  ne,
  lt,
  le,
  gt,
  ge,
  lo,
  ls,
  hi,
  hs,
  equ,
  neu,
  ltu,
  leu,
  gtu,
  geu,
  num,
  nan,
};
enum class BoolOp : std::uint8_t { none, and_, or_, xor_ };
enum class MulPart : std::uint8_t { none, lo, hi, wide };
enum class Semantics : std::uint8_t { none, weak, relaxed, acquire, release, acq_rel, sc, volatile_, mmio };
enum class Scope : std::uint8_t { none, cta, cluster, gpu, sys };
enum class CacheOp : std::uint8_t { none, ca, cg, cs, lu, cv, wb, wt, nc };
enum class AtomOp : std::uint8_t { none, and_, or_, xor_, cas, exch, add, inc, dec, min, max };
enum class ShflMode : std::uint8_t { none, up, down, bfly, idx };
enum class VoteMode : std::uint8_t { none, all, any, uni, ballot };
enum class PrmtMode : std::uint8_t { none, f4e, b4e, rc8, ecl, ecr, rc16 };
/// warp_sync is `bar.warp.sync`, which spans the lanes of a warp only.
enum class Barrier : std::uint8_t { none, sync, arrive, red_popc, red_and, red_or, warp_sync };
enum class ShiftMode : std::uint8_t { none, clamp, wrap, left, right };
/// What a cache is told about a line's future: .L1::evict_first, .L2::evict_last …
enum class Evict : std::uint8_t { none, normal, first, last, unchanged, no_allocate };
/// Words that one mnemonic alone has.
enum class Variant : std::uint8_t {
  none,
  launch_dependents,  ///< griddepcontrol
  wait,               ///< griddepcontrol
  fractional,         ///< createpolicy
  range,              ///< createpolicy
  cvt,                ///< createpolicy
  proxy_async,        ///< fence
  proxy_alias,        ///< fence
  proxy_tensormap,    ///< fence
  mbarrier_init,      ///< fence
  tensormap,          ///< prefetch
  mask,               ///< pmevent
  idx,                ///< brx
  expect_tx,          ///< mbarrier.arrive
  no_complete,        ///< mbarrier.arrive
  parity,             ///< mbarrier.test_wait, mbarrier.try_wait
  noinc,              ///< cp.async.mbarrier.arrive
  tensor,             ///< cp.async.bulk.prefetch, cp.reduce.async.bulk
  im2col,             ///< cp.async.bulk.tensor
  read,               ///< cp.async.bulk.wait_group
};
enum class TestOp : std::uint8_t { none, finite, infinite, number, notanumber, normal, subnormal };

/// What tensormap.replace writes.
enum class TensorField : std::uint8_t {
  none,
  global_address,
  rank,
  box_dim,
  global_dim,
  global_stride,
  element_stride,
  elemtype,
  interleave_layout,
  swizzle_mode,
  fill_mode
};

/// Who is told that a bulk copy has ended.
enum class Completion : std::uint8_t { none, mbarrier, group };

/// Everything that follows a mnemonic, whatever order it was written in.
struct Modifiers {
  std::array<Type, 4> types{};  ///< In written order: destination type first where there are two.
  Space space = Space::none;    ///< For cvta: the space converted from or to.
  Space space2 = Space::none;   ///< cp.async.bulk: the source's space.
  Round round = Round::none;
  Compare compare = Compare::none;
  BoolOp bool_op = BoolOp::none;
  MulPart part = MulPart::none;
  Semantics semantics = Semantics::none;
  Scope scope = Scope::none;
  CacheOp cache = CacheOp::none;
  AtomOp atom = AtomOp::none;
  ShflMode shfl = ShflMode::none;
  VoteMode vote = VoteMode::none;
  PrmtMode prmt = PrmtMode::none;
  Barrier barrier = Barrier::none;
  ShiftMode shift = ShiftMode::none;
  ShiftMode direction = ShiftMode::none;  ///< shf: left or right; `shift` is then clamp or wrap.
  TestOp test = TestOp::none;
  Evict l1_evict = Evict::none;
  Evict l2_evict = Evict::none;
  Variant variant = Variant::none;
  std::uint16_t l2_prefetch = 0;  ///< Bytes of .L2::64B, .L2::128B, .L2::256B.
  std::uint8_t level = 0;         ///< prefetch, discard: cache level 1 or 2.
  std::uint8_t vector = 1;        ///< 1, 2, 4 or 8 elements of .v2/.v4/.v8.
  Completion completion = Completion::none;
  std::uint8_t dimensions = 0;  ///< cp.async.bulk.tensor: 1 to 5.
  std::uint8_t copy_bytes = 0;  ///< cp.async: 4, 8 or 16 (an operand in the text).
  TensorField field = TensorField::none;
  std::uint8_t scale = 0;  ///< vmad: .shr7, .shr15
  // Matrix instructions: .m16n8k16, layouts and so on.
  std::uint16_t m = 0, n = 0, k = 0;
  bool a_col = false, b_col = false;
  std::uint8_t matrix_count = 0;  ///< ldmatrix .x1/.x2/.x4.
  char fragment = 0;              ///< wmma.load/store: 'a', 'b', 'c' or 'd'.
  bool ftz : 1 = false, sat : 1 = false, approx : 1 = false, full : 1 = false, cc : 1 = false,
             uni : 1 = false, to : 1 = false, sync : 1 = false, aligned : 1 = false, trans : 1 = false,
             noftz : 1 = false, relu : 1 = false, satfinite : 1 = false, xorsign : 1 = false,
             nan_ : 1 = false, shiftamt : 1 = false, all_ : 1 = false, any_ : 1 = false, abs_ : 1 = false,
             popc : 1 = false, multicast : 1 = false, plus_one : 1 = false,
             cache_hint : 1 = false;  ///< .L2::cache_hint: the last operand is a cache policy.

  friend bool operator==(const Modifiers&, const Modifiers&) = default;
};

/// Special registers. Vector ones carry the component in the name, as in the text: tid_x.
enum class SpecialRegister : std::uint8_t {
#define WR_SPECIAL(id, text, type) id,
#include "ptx/special_registers.def"
#undef WR_SPECIAL
};
std::string_view name(SpecialRegister reg);  ///< "%tid.x"
Type type(SpecialRegister reg);

}  // namespace wanren::ptx
