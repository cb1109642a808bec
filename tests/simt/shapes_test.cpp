// What analyse() says of the values of small kernels.

#include <gmock/gmock.h>

#include "kernels.h"

namespace wanren::simt::test {
namespace {

using ptx::Opcode;
using S = ptx::SpecialRegister;
using Kind = ValueShape::Kind;
using ::testing::IsEmpty;

LanePattern pattern(const std::function<int(int)>& f) {
  LanePattern p;
  for (int l = 0; l < warp_size; ++l) p[l] = f(l);
  return p;
}

Kernel coordinates() {
  return must_build(kernel_text(R"(
    ld.param.u64 %rd1, [k_param_0];
    mov.u32 %r1, %tid.x;
    mov.u32 %r2, %tid.y;
    mov.u32 %r3, %tid.z;
    st.global.v4.u32 [%rd1], {%r1, %r2, %r3, 0};
    ret;)"));
}

struct Seen {
  Kind kind;
  LanePattern lanes;
  int align;
};

Seen seen(const Kernel& k, const Shapes& s, S reg) {
  const ValueShape& v = s[special(k, reg)];
  return {v.kind, s.patterns[v.pattern], v.base_align};
}

TEST(Shapes, ThreadIndicesOfAFlatBlockAreAffineInTheLane) {
  const Kernel k = coordinates();
  for (const std::uint32_t n : {32u, 64u, 96u, 1024u}) {
    const Shapes s = analyse(k, block_of(n));
    const Seen x = seen(k, s, S::tid_x);
    EXPECT_EQ(x.kind, Kind::affine);
    EXPECT_EQ(x.lanes, pattern([](int l) { return l; }));
    EXPECT_EQ(x.align, n == 32 ? 63 : 5) << "warps begin at multiples of 32";
    EXPECT_EQ(seen(k, s, S::tid_y).kind, Kind::uniform);
    EXPECT_EQ(seen(k, s, S::tid_z).kind, Kind::uniform);
  }
}

TEST(Shapes, ThreadIndicesOfASquareBlockRepeatInTheWarp) {
  const Kernel k = coordinates();
  const Shapes s = analyse(k, block_of(16, 16));
  const Seen x = seen(k, s, S::tid_x), y = seen(k, s, S::tid_y);
  EXPECT_EQ(x.lanes, pattern([](int l) { return l % 16; }));
  EXPECT_EQ(x.align, 63) << "every warp begins at x = 0";
  EXPECT_EQ(y.kind, Kind::affine);
  EXPECT_EQ(y.lanes, pattern([](int l) { return l / 16; }));
  EXPECT_EQ(y.align, 1) << "two rows a warp";
}

TEST(Shapes, ThreadIndicesThatDifferFromWarpToWarpAreVectors) {
  const Kernel k = coordinates();
  const Shapes s = analyse(k, block_of(24, 4));
  EXPECT_EQ(seen(k, s, S::tid_x).kind, Kind::vector);
  EXPECT_EQ(seen(k, s, S::tid_y).kind, Kind::vector);
  EXPECT_EQ(seen(k, s, S::tid_z).kind, Kind::uniform);
  EXPECT_EQ(seen(k, analyse(k, {}), S::tid_x).kind, Kind::vector) << "generic code serves every shape";
}

TEST(Shapes, SaxpyAddressesAreAffineAndNeedNoCheckUnderUnsignedWidening) {
  const Kernel k = must_build(kernel_text(R"(
    ld.param.u64 %rd1, [k_param_0];
    ld.param.u32 %r5, [k_param_1];
    mov.u32 %r1, %ctaid.x;
    mov.u32 %r2, %ntid.x;
    mov.u32 %r3, %tid.x;
    mad.lo.s32 %r4, %r1, %r2, %r3;
    setp.ge.s32 %p1, %r4, %r5;
    @%p1 bra END;
    mul.wide.s32 %rd2, %r4, 4;
    add.s64 %rd3, %rd1, %rd2;
    ld.global.f32 %f1, [%rd3];
    add.f32 %f2, %f1, %f1;
    st.global.f32 [%rd3], %f2;
  END:
    ret;)"));
  const Shapes s = analyse(k, block_of(256));
  const Inst& mad = find(k, Opcode::mad);
  const Inst& wide = find(k, Opcode::mul);
  EXPECT_EQ(rule(k, s, mad), Rule::mad);
  EXPECT_EQ(s[mad.dsts[0]].base_align, 5);
  EXPECT_EQ(rule(k, s, wide), Rule::mul);
  EXPECT_EQ(s.patterns[s[wide.dsts[0]].pattern], pattern([](int l) { return 4 * l; }));
  EXPECT_FALSE(assumes_no_wrap(k, s, wide)) << "base is a multiple of 32, lanes stay below the next";
  EXPECT_TRUE(s.divergent[0]);
  // A block of 96 threads: ctaid * 96 is a multiple of 32 all the same.
  EXPECT_FALSE(assumes_no_wrap(k, analyse(k, block_of(96)), wide));
  // With an odd base nothing is proven.
  const Kernel odd = must_build(kernel_text(R"(
    ld.param.u64 %rd1, [k_param_0];
    ld.param.u32 %r5, [k_param_1];
    mov.u32 %r3, %tid.x;
    add.s32 %r4, %r3, %r5;
    mul.wide.s32 %rd2, %r4, 4;
    add.s64 %rd3, %rd1, %rd2;
    st.global.u32 [%rd3], 0;
    ret;)"));
  const Shapes t = analyse(odd, block_of(256));
  EXPECT_TRUE(assumes_no_wrap(odd, t, find(odd, Opcode::mul)));
  EXPECT_EQ(t[find(odd, Opcode::mul).dsts[0]].kind, Kind::affine);
}

TEST(Shapes, ARowTimesAnUnknownStrideIsAScaledTerm) {
  const Kernel k = must_build(kernel_text(R"(
    ld.param.u64 %rd1, [k_param_0];
    ld.param.u32 %r1, [k_param_1];
    mov.u32 %r2, %tid.x;
    mov.u32 %r3, %tid.y;
    mad.lo.s32 %r4, %r3, %r1, %r2;
    mul.wide.s32 %rd2, %r4, 4;
    add.s64 %rd3, %rd1, %rd2;
    st.global.u32 [%rd3], 0;
    ret;)"));
  const Shapes s = analyse(k, block_of(16, 16));
  const ValueShape& v = s[find(k, Opcode::add).dsts[0]];
  EXPECT_EQ(v.kind, Kind::affine);
  EXPECT_EQ(s.patterns[v.pattern], pattern([](int l) { return 4 * (l % 16); }));
  EXPECT_EQ(s.patterns[v.scaled], pattern([](int l) { return l / 16; })) << "scale is 4 * stride";
  EXPECT_TRUE(assumes_no_wrap(k, s, find(k, Opcode::mul)));
}

TEST(Shapes, BitFieldsOfAlignedIndicesStayAffine) {
  const Kernel k = must_build(kernel_text(R"(
    ld.param.u64 %rd1, [k_param_0];
    mov.u32 %r1, %tid.x;
    and.b32 %r2, %r1, 31;
    shr.u32 %r3, %r1, 5;
    shr.u32 %r4, %r1, 3;
    or.b32 %r5, %r2, 64;
    xor.b32 %r6, %r1, 1;
    st.global.v4.u32 [%rd1], {%r2, %r3, %r4, %r5};
    st.global.u32 [%rd1], %r6;
    ret;)"));
  const Shapes s = analyse(k, block_of(256));
  auto lanes = [&](Opcode op, int skip = 0) { return s.patterns[s[find(k, op, skip).dsts[0]].pattern]; };
  EXPECT_EQ(lanes(Opcode::and_), pattern([](int l) { return l; }));
  EXPECT_EQ(s[find(k, Opcode::and_).dsts[0]].base_align, 63) << "the lane number itself";
  EXPECT_EQ(s[find(k, Opcode::shr).dsts[0]].kind, Kind::uniform) << "the warp number";
  EXPECT_EQ(lanes(Opcode::shr, 1), pattern([](int l) { return l / 8; }));
  EXPECT_EQ(lanes(Opcode::or_), pattern([](int l) { return l; }));
  // base = lane 0 of the xor: base ^ 1.
  EXPECT_EQ(lanes(Opcode::xor_), pattern([](int l) { return (l ^ 1) - 1; }));
  EXPECT_EQ(rule(k, s, find(k, Opcode::xor_)), Rule::on_bases);
}

TEST(Shapes, ALoadFromOneAddressIsUniformUnlessOthersMayOrderIt) {
  const Kernel k = must_build(kernel_text(R"(
    ld.param.u64 %rd1, [k_param_0];
    ld.global.u32 %r1, [%rd1];
    ld.volatile.global.u32 %r2, [%rd1];
    atom.global.add.u32 %r3, [%rd1], 1;
    ld.local.u32 %r4, [0];
    st.global.v4.u32 [%rd1], {%r1, %r2, %r3, %r4};
    ret;)"));
  const Shapes s = analyse(k, block_of(32));
  EXPECT_EQ(s[find(k, Opcode::ld, 1).dsts[0]].kind, Kind::uniform);
  EXPECT_EQ(s[find(k, Opcode::ld, 2).dsts[0]].kind, Kind::vector);
  EXPECT_EQ(s[find(k, Opcode::atom).dsts[0]].kind, Kind::vector);
  EXPECT_EQ(s[find(k, Opcode::ld, 3).dsts[0]].kind, Kind::vector) << "each lane has a frame of its own";
}

TEST(Shapes, AVoteIsUniformIfAllNameTheSameLanes) {
  const Kernel k = must_build(kernel_text(R"(
    ld.param.u64 %rd1, [k_param_0];
    mov.u32 %r1, %tid.x;
    setp.lt.u32 %p1, %r1, 7;
    vote.sync.ballot.b32 %r2, %p1, -1;
    vote.sync.ballot.b32 %r3, %p1, %r1;
    st.global.v2.u32 [%rd1], {%r2, %r3};
    ret;)"));
  const Shapes s = analyse(k, block_of(32));
  EXPECT_EQ(s[find(k, Opcode::vote, 0).dsts[0]].kind, Kind::uniform);
  EXPECT_EQ(s[find(k, Opcode::vote, 1).dsts[0]].kind, Kind::vector);
}

TEST(Shapes, ACounterIsUniformInALoopThatLanesLeaveApart) {
  const Kernel k = must_build(kernel_text(R"(
    ld.param.u64 %rd1, [k_param_0];
    mov.u32 %r1, %tid.x;
    mov.u32 %r2, 0;
    mov.u32 %r4, 0;
  TOP:
    .pragma "nounroll";
    add.s32 %r2, %r2, 1;
    add.s32 %r4, %r4, 3;
    st.global.u32 [%rd1], %r2;
    setp.lt.u32 %p1, %r2, %r1;
    @%p1 bra TOP;
    st.global.u32 [%rd1], %r4;
    ret;)"));
  const Shapes s = analyse(k, block_of(32));
  EXPECT_TRUE(s.divergent[1]);
  EXPECT_EQ(s[find(k, Opcode::add, 0).dsts[0]].kind, Kind::uniform)
      << "lanes in the loop are in one iteration";
  EXPECT_EQ(s[find(k, Opcode::add, 1).dsts[0]].kind, Kind::vector) << "read after the loop";
}

TEST(Shapes, APhiOfLanesThatTookDifferentWaysIsAVector) {
  const std::string text = R"(
    ld.param.u64 %rd1, [k_param_0];
    ld.param.u32 %r1, [k_param_1];
    mov.u32 %r5, %tid.x;
    setp.lt.u32 %p1, CONDITION, 7;
    mov.u32 %r2, 1;
    @%p1 bra JOIN;
    mov.u32 %r2, 2;
    st.global.u32 [%rd1+8], %r1;
    membar.gl;
  JOIN:
    st.global.u32 [%rd1], %r2;
    ret;)";
  auto kind = [&](const std::string& condition) {
    std::string body = text;
    body.replace(body.find("CONDITION"), 9, condition);
    const Kernel k = must_build(kernel_text(body));
    EXPECT_EQ(phis(k), 1u);
    const Shapes s = analyse(k, block_of(64));
    return s[k.blocks.back().phis.at(0).dst].kind;
  };
  EXPECT_EQ(kind("%r1"), Kind::uniform);
  EXPECT_EQ(kind("%r5"), Kind::vector);
}

TEST(Shapes, TheTiledMatrixProductIsAffineThroughout) {
  const Kernel k = must_build(kernel_text(R"(
    .shared .align 4 .b8 tile[1024];
    ld.param.u64 %rd1, [k_param_0];
    ld.param.u32 %r1, [k_param_1];
    mov.u32 %r2, %tid.x;
    mov.u32 %r3, %tid.y;
    mov.u32 %r4, 0;
    mov.u32 %r9, tile;
    shl.b32 %r5, %r3, 6;
    add.s32 %r6, %r9, %r5;
    shl.b32 %r7, %r2, 2;
    add.s32 %r8, %r6, %r7;
    mad.lo.s32 %r10, %r3, %r1, %r2;
    mov.f32 %f3, 0f00000000;
  TOP:
    mul.wide.s32 %rd2, %r10, 4;
    add.s64 %rd3, %rd1, %rd2;
    ld.global.f32 %f1, [%rd3];
    st.shared.f32 [%r8], %f1;
    bar.sync 0;
    ld.shared.f32 %f2, [%r6];
    fma.rn.f32 %f3, %f1, %f2, %f3;
    add.s32 %r10, %r10, 16;
    add.s32 %r4, %r4, 16;
    setp.lt.s32 %p1, %r4, %r1;
    @%p1 bra TOP;
    st.global.f32 [%rd1], %f3;
    ret;)"));
  const Shapes s = analyse(k, block_of(16, 16));
  for (const Block& b : k.blocks) {
    EXPECT_THAT(s.frontier[b.id], IsEmpty());
    EXPECT_TRUE(s.whole[b.id]);
    for (const Inst& i : b.insts)
      if (i.slot != no_slot && i.op != Opcode::bar && i.srcs[0].kind == Operand::Kind::value) {
        EXPECT_NE(s[i.srcs[0].value].kind, Kind::vector) << dump(k);
      }
  }
  EXPECT_EQ(k.static_shared_bytes, 1024u);
}

TEST(Shapes, LocalFramesAreAStrideApart) {
  const Kernel k = must_build(kernel_text(R"(
    .local .align 16 .b8 depot[48];
    mov.u64 %rd1, depot;
    cvta.local.u64 %rd2, %rd1;
    st.u32 [%rd2+4], 7;
    ret;)"));
  const Shapes s = analyse(k, {});
  const Inst& cvta = find(k, Opcode::cvta);
  EXPECT_EQ(rule(k, s, cvta), Rule::to_generic);
  EXPECT_EQ(s.patterns[s[cvta.dsts[0]].pattern], pattern([](int l) { return 48 * l; }));
}

}  // namespace
}  // namespace wanren::simt::test
