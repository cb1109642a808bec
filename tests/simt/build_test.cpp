// What build() makes of small kernels.

#include <gmock/gmock.h>

#include "kernels.h"

namespace wanren::simt::test {
namespace {

using ptx::Opcode;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(Build, ACopyLeavesNoTraceButCountsAsAnInstruction) {
  const Kernel k = must_build(kernel_text(R"(
    ld.param.u64 %rd1, [k_param_0];
    cvta.to.global.u64 %rd2, %rd1;
    ld.param.u32 %r1, [k_param_1];
    mov.b32 %r2, %r1;
    st.global.u32 [%rd2+8], %r2;
    ret;)"));
  ASSERT_EQ(k.blocks.size(), 1u);
  const Block& b = k.blocks[0];
  EXPECT_EQ(b.ptx_instructions, 6u);
  ASSERT_EQ(b.insts.size(), 3u);
  EXPECT_EQ(b.insts[0].op, Opcode::ld);
  EXPECT_EQ(b.insts[0].offset, 0);
  EXPECT_EQ(b.insts[0].slot, no_slot);
  EXPECT_EQ(b.insts[1].offset, 8) << "the u32 parameter follows the pointer";
  EXPECT_EQ(b.insts[2].op, Opcode::st);
  EXPECT_EQ(b.insts[2].offset, 8);
  EXPECT_EQ(b.insts[2].slot, 0);
  EXPECT_EQ(b.insts[2].srcs[0].value, b.insts[0].dsts[0]);
  EXPECT_EQ(b.insts[2].srcs[1].value, b.insts[1].dsts[0]);
  EXPECT_EQ(k.parameter_bytes, 12u);
  EXPECT_EQ(b.slots, 1);
}

TEST(Build, SpellingsOfOneOperationAreEqual) {
  const Kernel k = must_build(kernel_text(R"(
    ld.param.u64 %rd1, [k_param_0];
    ld.global.u32 %r1, [%rd1];
    ld.weak.global.L1::evict_last.u32 %r2, [%rd1];
    ld.relaxed.gpu.global.u32 %r3, [%rd1];
    shfl.sync.down.b32 %r4, %r1, 1, 31, -1;
    add.u32 %r5, %r1, %r2;
    add.u32 %r5, %r5, %r3;
    add.u32 %r5, %r5, %r4;
    st.global.u32 [%rd1], %r5;
    ret;)"));
  std::vector<Inst> insts;  // An ordered load begins a block.
  for (const Block& b : k.blocks) insts.insert(insts.end(), b.insts.begin(), b.insts.end());
  ASSERT_EQ(insts.size(), 9u);
  EXPECT_EQ(insts[1].payload, insts[2].payload)
      << ".weak is what a plain load is, and nobody follows the hint";
  EXPECT_NE(insts[1].payload, insts[3].payload);
  EXPECT_TRUE(std::holds_alternative<Meeting>(insts[4].payload));
  EXPECT_EQ(insts[4].space(), ptx::Space::none) << "another family's words are not set";
  EXPECT_EQ(insts[4].memory().vector, 1);
  EXPECT_TRUE(std::holds_alternative<Arithmetic>(insts[5].payload));
  static_assert(sizeof(Operation) <= 32, "every instruction of every kernel has one");
}

TEST(Build, AGuardedInstructionKeepsWhatItsRegisterHeld) {
  const Kernel k = must_build(kernel_text(R"(
    mov.u32 %r1, %tid.x;
    ld.param.u64 %rd1, [k_param_0];
    add.s32 %r2, %r1, 5;
    setp.lt.s32 %p1, %r1, 7;
    @!%p1 sub.s32 %r2, %r1, 1;
    @%p1 st.global.u32 [%rd1], %r2;
    ret;)"));
  ASSERT_EQ(k.blocks.size(), 1u) << "guards do not branch";
  const Inst& sub = find(k, Opcode::sub);
  const ValueId predicate = find(k, Opcode::setp).dsts[0];
  EXPECT_EQ(sub.guard, predicate);
  EXPECT_TRUE(sub.guard_negated);
  ASSERT_EQ(sub.prior.size(), 1u);
  EXPECT_EQ(sub.prior[0].value, find(k, Opcode::add).dsts[0]);
  EXPECT_EQ(find(k, Opcode::st).guard, predicate);
}

TEST(Build, ARegisterNobodyWroteIsUndefined) {
  const Kernel k = must_build(kernel_text(R"(
    ld.param.u64 %rd1, [k_param_0];
    st.global.u32 [%rd1], %r9;
    ret;)"));
  EXPECT_EQ(find(k, Opcode::st).srcs[1].kind, Operand::Kind::undefined);
}

TEST(Build, IfElseJoinsInOnePhiAtThePostDominator) {
  const Kernel k = must_build(kernel_text(R"(
    mov.u32 %r1, %tid.x;
    setp.lt.s32 %p1, %r1, 7;
    @%p1 bra YES;
    mov.u32 %r2, 1;
    membar.gl;
    bra JOIN;
  YES:
    add.s32 %r2, %r1, 3;
    membar.gl;
  JOIN:
    ld.param.u64 %rd1, [k_param_0];
    st.global.u32 [%rd1], %r2;
    ret;)"));
  ASSERT_EQ(k.blocks.size(), 4u);
  EXPECT_EQ(phis(k), 1u);
  EXPECT_EQ(k.blocks[0].immediate_post_dominator, 3u);
  EXPECT_EQ(k.blocks[3].immediate_post_dominator, no_block);
  EXPECT_EQ(k.blocks[3].preds.size(), 2u);
  const Shapes s = analyse(k, {});
  EXPECT_TRUE(s.divergent[0]);
  EXPECT_THAT(s.frontier[1], ElementsAre(2));
  EXPECT_THAT(s.frontier[2], ElementsAre(3));
  EXPECT_TRUE(s.whole[0]);
  EXPECT_FALSE(s.whole[1]);
  EXPECT_TRUE(s.whole[3]);
}

TEST(Build, LanesThatReturnEarlyLeaveALaterBlockNotWhole) {
  const Kernel k = must_build(kernel_text(R"(
    mov.u32 %r1, %tid.x;
    ld.param.u64 %rd1, [k_param_0];
    setp.lt.s32 %p1, %r1, 7;
    @%p1 ret;
    st.global.u32 [%rd1], %r1;
    membar.gl;
    ret;)"));
  ASSERT_EQ(k.blocks.size(), 3u);
  const Shapes s = analyse(k, {});
  EXPECT_THAT(s.frontier[1], ElementsAre(2));
  EXPECT_FALSE(s.whole[1]);
  EXPECT_EQ(k.blocks[0].ptx_instructions, 4u);
  EXPECT_EQ(k.blocks[1].ptx_instructions, 3u);
  EXPECT_EQ(k.blocks[2].ptx_instructions, 0u) << "each ret was counted where it stands";
}

TEST(Build, TwoContinuesShareOneLatch) {
  const Kernel k = must_build(kernel_text(R"(
    ld.param.u64 %rd1, [k_param_0];
    mov.u32 %r1, 0;
  TOP:
    add.s32 %r1, %r1, 1;
    setp.eq.s32 %p1, %r1, 3;
    @%p1 bra TOP;
    st.global.u32 [%rd1], %r1;
    setp.lt.s32 %p2, %r1, 9;
    @%p2 bra TOP;
    ret;)"));
  int latches = 0;
  for (const Block& b : k.blocks)
    for (const BlockId t : b.term.targets) latches += t <= b.id;
  EXPECT_EQ(latches, 1);
  EXPECT_EQ(k.blocks[1].loop_header, 1u);
  EXPECT_EQ(k.blocks[1].loop_depth, 1u);
  EXPECT_EQ(k.blocks.back().loop_depth, 0u);
  EXPECT_FALSE(k.needs_coupling);
}

TEST(Build, BarriersAndClocksEndTheirBlocks) {
  const Kernel k = must_build(kernel_text(R"(
    ld.param.u64 %rd1, [k_param_0];
    bar.sync 0;
    mov.u64 %rd2, %clock64;
    bar.warp.sync -1;
    bar.arrive 1, 64;
    st.global.u64 [%rd1], %rd2;
    ret;)"));
  ASSERT_EQ(k.blocks.size(), 3u);
  EXPECT_EQ(k.blocks[0].suspend, Suspend::barrier);
  EXPECT_EQ(k.blocks[0].slots, 1);
  EXPECT_EQ(k.blocks[1].suspend, Suspend::clock);
  EXPECT_EQ(k.blocks[2].suspend, Suspend::none);
  EXPECT_EQ(k.blocks[2].slots, 2) << "the arrival and the store; bar.warp.sync leaves no record";
  EXPECT_TRUE(k.needs_coupling);
}

TEST(Build, AGuardedBarrierBecomesABranchAround) {
  const Kernel k = must_build(kernel_text(R"(
    mov.u32 %r1, %tid.x;
    setp.lt.s32 %p1, %r1, 32;
    @%p1 bar.sync 1, 32;
    ret;)"));
  ASSERT_EQ(k.blocks.size(), 3u);
  EXPECT_EQ(find(k, Opcode::bar).guard, no_value);
  EXPECT_EQ(k.blocks[1].suspend, Suspend::barrier);
  EXPECT_EQ(k.blocks[0].ptx_instructions + k.blocks[1].ptx_instructions + k.blocks[2].ptx_instructions, 4u);
}

TEST(Build, ASwitchHasOneTargetPerEntry) {
  const Kernel k = must_build(kernel_text(R"(
    ld.param.u64 %rd1, [k_param_0];
    mov.u32 %r1, %tid.x;
    and.b32 %r2, %r1, 3;
  table: .branchtargets A, B, A, C;
    brx.idx %r2, table;
  A: mov.u32 %r3, 10; bra JOIN;
  B: mov.u32 %r3, 20; bra JOIN;
  C: mov.u32 %r3, 30;
  JOIN:
    st.global.u32 [%rd1], %r3;
    ret;)"));
  ASSERT_EQ(k.blocks.size(), 5u);
  const Terminator& t = k.blocks[0].term;
  EXPECT_EQ(t.kind, Terminator::Kind::index);
  ASSERT_EQ(t.targets.size(), 4u);
  EXPECT_EQ(t.targets[0], t.targets[2]);
  ASSERT_EQ(k.blocks[4].phis.size(), 1u);
  EXPECT_EQ(k.blocks[4].phis[0].incoming.size(), 3u);
  EXPECT_EQ(k.blocks[0].immediate_post_dominator, 4u);
}

TEST(Build, SharedVariablesLieInTheOrderMetAndDynamicMemoryFollows) {
  const Kernel k = must_build(header() + R"(
    .extern .shared .align 16 .b8 dynamic[];
    .shared .align 4 .b8 unused[512];
    .shared .align 8 .b8 second[24];
    .visible .entry k() {
    .reg .b32 %r<4>; .reg .b64 %rd<4>;
    .shared .align 4 .u32 first;
    st.shared.u32 [first], 1;
    st.shared.u32 [second+4], 2;
    mov.u64 %rd1, dynamic;
    st.shared.u32 [%rd1+4], 3;
    ret; })");
  EXPECT_EQ(k.static_shared_bytes, 32u) << "4 bytes, then 24 at 8, rounded to 16";
  auto address = [&](int i) {
    const Inst& st = find(k, Opcode::st, i);
    EXPECT_EQ(st.srcs[0].kind, Operand::Kind::imm);
    return st.srcs[0].bits + static_cast<std::uint64_t>(st.offset);
  };
  EXPECT_EQ(address(0), 0u);
  EXPECT_EQ(address(1), 12u);
  EXPECT_EQ(address(2), 36u);
}

TEST(Build, ModuleVariablesAreSymbols) {
  const Kernel k = must_build(header() + R"(
    .visible .global .align 4 .u32 counter;
    .visible .const .align 4 .f32 table[4];
    .visible .entry k() {
    .reg .b32 %r<4>; .reg .b64 %rd<4>; .reg .f32 %f<2>;
    mov.u64 %rd1, counter;
    cvta.global.u64 %rd2, %rd1;
    ld.const.f32 %f1, [table+8];
    st.f32 [%rd2], %f1;
    ret; })");
  EXPECT_THAT(k.globals, ::testing::UnorderedElementsAre("counter", "table"));
  const Inst& st = find(k, Opcode::st);
  EXPECT_EQ(st.srcs[0].kind, Operand::Kind::global_symbol);
  EXPECT_EQ(k.globals[st.srcs[0].index], "counter");
  EXPECT_EQ(find(k, Opcode::ld).offset, 8);
}

const char* const linked = R"(
  .visible .func (.param .b32 result) twice(.param .b32 x) {
    .reg .b32 %r<4>;
    ld.param.u32 %r1, [x];
    add.s32 %r2, %r1, %r1;
    st.param.b32 [result+0], %r2;
    ret;
  }
  .visible .entry k(.param .u64 out) {
    .reg .b32 %r<4>; .reg .b64 %rd<4>;
    mov.u32 %r1, %tid.x;
    ld.param.u64 %rd1, [out];
    { .param .b32 param0; st.param.b32 [param0+0], %r1;
      .param .b32 retval0; call.uni (retval0), twice, (param0);
      ld.param.b32 %r2, [retval0+0]; }
    { .param .b32 param0; st.param.b32 [param0+0], %r2;
      .param .b32 retval0; call.uni (retval0), twice, (param0);
      ld.param.b32 %r3, [retval0+0]; }
    st.global.u32 [%rd1], %r3;
    ret; })";

TEST(Build, CallsAreInlinedAndTheirPlumbingIsGone) {
  const Kernel k = must_build(header() + ".extern .func (.param .b32 r) twice(.param .b32 x);" + linked);
  ASSERT_EQ(k.blocks.size(), 1u);
  EXPECT_EQ(k.blocks[0].insts.size(), 5u) << "tid, parameter, two additions, store\n" << dump(k);
  const Inst& first = find(k, Opcode::add, 0);
  const Inst& second = find(k, Opcode::add, 1);
  EXPECT_EQ(second.srcs[0].value, first.dsts[0]);
  EXPECT_EQ(find(k, Opcode::st).srcs[1].value, second.dsts[0]);
  EXPECT_EQ(k.local_bytes, 0u);
  EXPECT_EQ(k.blocks[0].ptx_instructions, 6u) << "mov, ld, add, add, st, ret";
}

TEST(Build, AParameterReadAtTwoWidthsLivesInTheFrame) {
  const Kernel k = must_build(header() + R"(
  .visible .func low(.param .align 8 .b8 x[8], .param .b64 out) {
    .reg .b32 %r<4>; .reg .b64 %rd<4>;
    ld.param.u32 %r1, [x+4];
    ld.param.u64 %rd1, [out];
    st.u32 [%rd1], %r1;
    ret;
  }
  .visible .entry k(.param .u64 out) {
    .reg .b64 %rd<4>;
    ld.param.u64 %rd1, [out];
    { .param .align 8 .b8 param0[8]; st.param.b64 [param0+0], %rd1;
      .param .b64 param1; st.param.b64 [param1+0], %rd1;
      call.uni low, (param0, param1); }
    ret; })");
  EXPECT_EQ(k.local_bytes, 16u);
  const Inst& store = find(k, Opcode::st, 0);
  EXPECT_EQ(store.space(), ptx::Space::local);
  const Inst& load = find(k, Opcode::ld, 1);
  EXPECT_EQ(load.space(), ptx::Space::local);
  EXPECT_EQ(load.offset, store.offset + 4);
}

TEST(Build, FramesOfCalleesFollowTheCallers) {
  const Kernel k = must_build(header() + R"(
  .visible .func leaf() {
    .local .align 8 .b8 depot[24]; .reg .b64 %rd<3>;
    mov.u64 %rd1, depot;
    st.local.u32 [%rd1], 1;
    ret; }
  .visible .entry k() {
    .local .align 16 .b8 depot[20]; .reg .b64 %rd<4>;
    mov.u64 %rd1, depot;
    cvta.local.u64 %rd2, %rd1;
    st.u32 [%rd2], 2;
    call.uni leaf, ();
    call.uni leaf, ();
    ret; })");
  EXPECT_EQ(k.local_bytes, 48u);
  EXPECT_EQ(find(k, Opcode::cvta).srcs[0].bits, 0u);
  EXPECT_EQ(find(k, Opcode::st, 1).srcs[0].bits, 24u);
  EXPECT_EQ(find(k, Opcode::st, 2).srcs[0].bits, 24u) << "two calls in a row share their frame";
}

TEST(Build, PrintfIsASystemCallWithItsArguments) {
  const Kernel k = must_build(header() + R"(
  .extern .func (.param .b32 r) vprintf(.param .b64 format, .param .b64 arguments);
  .global .align 1 .b8 text[4] = {104, 105, 10, 0};
  .visible .entry k() {
    .reg .b32 %r<4>; .reg .b64 %rd<4>;
    mov.u64 %rd1, text;
    cvta.global.u64 %rd2, %rd1;
    { .param .b64 param0; st.param.b64 [param0+0], %rd2;
      .param .b64 param1; st.param.b64 [param1+0], 0;
      .param .b32 retval0; call.uni (retval0), vprintf, (param0, param1);
      ld.param.b32 %r1, [retval0+0]; }
    ret; })");
  const Inst& call = find(k, Opcode::call);
  EXPECT_EQ(call.syscall, Syscall::vprintf);
  ASSERT_EQ(call.srcs.size(), 2u);
  EXPECT_EQ(call.srcs[0].kind, Operand::Kind::global_symbol);
  EXPECT_EQ(call.srcs[1].kind, Operand::Kind::imm);
}

TEST(Build, AFailedAssertionEndsItsLanesAtOnce) {
  const Kernel k = must_build(header() + R"(
  .extern .func __assertfail(.param .b64 m, .param .b64 f, .param .b32 l, .param .b64 n, .param .b64 c);
  .visible .entry k(.param .u64 out) {
    .reg .pred %p<3>; .reg .b32 %r<4>; .reg .b64 %rd<4>;
    ld.param.u64 %rd1, [out];
    mov.u32 %r1, 0;
  TOP:
    ld.global.u32 %r2, [%rd1];
    mov.u32 %r3, %tid.x;
    setp.eq.s32 %p1, %r2, %r3;
    @%p1 bra BAD;
    add.s32 %r1, %r1, 1;
    setp.lt.s32 %p2, %r1, 9;
    @%p2 bra TOP;
    ret;
  BAD:
    { .param .b64 a; st.param.b64 [a], 0; .param .b64 b; st.param.b64 [b], 0;
      .param .b32 c; st.param.b32 [c], 7; .param .b64 d; st.param.b64 [d], 0;
      .param .b64 e; st.param.b64 [e], 1;
      call.uni __assertfail, (a, b, c, d, e); }
    ret; })");
  ASSERT_EQ(k.blocks.size(), 5u);
  EXPECT_EQ(k.blocks[2].term.kind, Terminator::Kind::trap) << dump(k);
  EXPECT_EQ(k.blocks[1].immediate_post_dominator, 3u) << "a trap is no way to the end";
  const Shapes s = analyse(k, block_of(64));
  EXPECT_TRUE(s.divergent[1]);
  EXPECT_TRUE(s.whole[3]) << "whoever is here, nobody trapped";
}

TEST(Build, CarryIsAPredicateValue) {
  const Kernel k = must_build(kernel_text(R"(
    ld.param.u32 %r1, [k_param_1];
    ld.param.u64 %rd1, [k_param_0];
    add.cc.u32 %r2, %r1, %r1;
    addc.u32 %r3, %r1, 0;
    st.global.v2.u32 [%rd1], {%r2, %r3};
    ret;)"));
  const Inst& add = find(k, Opcode::add);
  ASSERT_EQ(add.dsts.size(), 2u);
  EXPECT_EQ(k.values[add.dsts[1]].width, Width::pred);
  const Inst& addc = find(k, Opcode::addc);
  ASSERT_EQ(addc.srcs.size(), 3u);
  EXPECT_EQ(addc.srcs[2].value, add.dsts[1]);
  EXPECT_EQ(find(k, Opcode::st).srcs.size(), 3u);
}

TEST(Build, WhatCannotRunIsRefusedWithItsLine) {
  auto message = [](const std::string& text, const std::string& name = "k") {
    const auto k = try_build(text, name);
    return k ? std::string("built") : k.error().message();
  };
  EXPECT_THAT(message(kernel_text("ret;"), "other"), HasSubstr("no kernel 'other'"));
  EXPECT_THAT(
      message(kernel_text("\ntcgen05.alloc.cta_group::1.sync.aligned.shared::cta.b32 [%r1], 64;\nret;")),
      AllOf(HasSubstr("t.ptx:12"), HasSubstr("tcgen05")));
  EXPECT_THAT(
      message(kernel_text("\ncp.async.bulk.tensor.3d.shared::cluster.global.im2col.mbarrier::complete_tx::"
                          "bytes [%r1], [%rd1, {%r2, %r2, %r2}], [%r1], {%r1};\nret;")),
      AllOf(HasSubstr("t.ptx:12"), HasSubstr("im2col"), HasSubstr("tiled")));
  EXPECT_THAT(message(header() + ".extern .func lost();\n.visible .entry k() {\ncall.uni lost, ();\nret; }"),
              AllOf(HasSubstr("t.ptx:6"), HasSubstr("'lost'")));
  EXPECT_THAT(
      message(header() + ".visible .entry f() { ret; }\n.visible .entry k() {\ncall.uni f, ();\nret; }"),
      AllOf(HasSubstr("t.ptx:6"), HasSubstr("kernel 'f'")));
  EXPECT_THAT(message(header() + ".extern .func f();\n.visible .entry k() { .reg .b64 %rd<2>;\n"
                                 "mov.u64 %rd1, f;\nst.u64 [%rd1], %rd1;\nret; }"),
              AllOf(HasSubstr("t.ptx:6"), HasSubstr("address of function 'f'")));
}

TEST(Build, ASpinLockSpinsAndIsOrderSensitive) {
  const Kernel k = must_build(kernel_text(R"(
    ld.param.u64 %rd1, [k_param_0];
  TRY:
    atom.global.cas.b32 %r1, [%rd1], 0, 1;
    setp.ne.s32 %p1, %r1, 0;
    @%p1 bra TRY;
    atom.global.exch.b32 %r2, [%rd1], 0;
    ret;)"));
  EXPECT_TRUE(k.blocks[1].term.spins);
  EXPECT_TRUE(k.needs_coupling);
  EXPECT_TRUE(k.order_sensitive);
  const Shapes s = analyse(k, {});
  EXPECT_THAT(s.frontier[2], ElementsAre(1)) << "lanes may still spin while one holds the lock";
  EXPECT_EQ(find(k, Opcode::atom, 1).dsts[0], no_value);
}

TEST(Build, AHistogramDoesNotSpin) {
  const Kernel k = must_build(kernel_text(R"(
    ld.param.u64 %rd1, [k_param_0];
    mov.u32 %r1, 0;
  TOP:
    atom.global.add.u32 %r2, [%rd1], 1;
    add.s32 %r1, %r1, 1;
    setp.lt.s32 %p1, %r1, 8;
    @%p1 bra TOP;
    st.global.u32 [%rd1+4], %r2;
    ret;)"));
  EXPECT_FALSE(k.needs_coupling);
  EXPECT_TRUE(k.order_sensitive) << "what is stored depends on who came first";
}

TEST(Build, ATicketThatReachesTheOthersThroughSharedMemoryIsOrderSensitive) {
  const Kernel k = must_build(kernel_text(R"(
    .shared .align 4 .b8 buffer[16];
    ld.param.u64 %rd1, [k_param_0];
    mov.u32 %r1, %tid.x;
    setp.ne.s32 %p1, %r1, 0;
    @%p1 bra MEET;
    st.global.u32 [%rd1+8], %r1;
    atom.global.inc.u32 %r2, [%rd1], 7;
    st.shared.u32 [buffer], %r2;
  MEET:
    bar.sync 0;
    ld.shared.u32 %r3, [buffer];
    setp.ne.s32 %p2, %r3, 7;
    @%p2 bra END;
    ld.global.u32 %r4, [%rd1+8];
    st.global.u32 [%rd1+4], %r4;
  END:
    ret;)"));
  EXPECT_TRUE(k.order_sensitive);
  int ordered = 0;
  for (const Block& b : k.blocks)
    if (b.ordered) {
      ++ordered;
      EXPECT_EQ(b.insts.at(0).op, Opcode::atom);
      EXPECT_THAT(b.preds, ElementsAre(b.id - 1));
    }
  EXPECT_EQ(ordered, 1);
}

TEST(Build, EachAccessThatTakesItsTurnBeginsABlock) {
  const Kernel k = must_build(kernel_text(R"(
    ld.param.u64 %rd1, [k_param_0];
    atom.global.add.u32 %r1, [%rd1], 1;
    red.global.add.u32 [%rd1+4], %r1;
    st.volatile.global.u32 [%rd1+8], %r1;
    ld.volatile.global.u32 %r2, [%rd1+12];
    ld.global.u32 %r3, [%rd1+16];
    st.global.u32 [%rd1+20], %r3;
    st.global.u32 [%rd1+24], %r2;
    ret;)"));
  std::vector<Opcode> first;
  std::uint32_t counted = 0;
  for (const Block& b : k.blocks) {
    if (b.ordered) first.push_back(b.insts.at(0).op);
    counted += b.ptx_instructions;
  }
  EXPECT_THAT(first, ElementsAre(Opcode::atom, Opcode::red, Opcode::st, Opcode::ld));
  EXPECT_EQ(counted, 9u);
}

TEST(Build, WhatStaysInTheCtaOrIsNotReadIsNotOrderSensitive) {
  // Shared atomics with results, shared volatile loads, global atomics without results.
  const Kernel k = must_build(kernel_text(R"(
    .shared .align 4 .b8 buffer[16];
    ld.param.u64 %rd1, [k_param_0];
    atom.shared.add.u32 %r1, [buffer], 1;
    ld.volatile.shared.u32 %r2, [buffer+4];
    setp.lt.u32 %p1, %r1, %r2;
    @%p1 bra END;
    atom.global.add.u32 %r3, [%rd1], %r2;
    red.global.add.u32 [%rd1+4], %r1;
  END:
    ret;)"));
  EXPECT_FALSE(k.order_sensitive);
  for (const Block& b : k.blocks) EXPECT_FALSE(b.ordered);
}

TEST(Build, ATicketThatReachesTheOthersThroughMemoryIsOrderSensitive) {
  for (const char* space : {"shared", "local", "global"}) {
    const std::string at = space == std::string("global") ? "[%rd1+16]" : "[buffer]";
    const std::string variable =
        space == std::string("global") ? "" : "." + std::string(space) + " .align 4 .b8 buffer[16];\n";
    const Kernel k = must_build(kernel_text((variable + R"(
    ld.param.u64 %rd1, [k_param_0];
    atom.global.inc.u32 %r2, [%rd1], 7;
    st.)" + space + ".u32 " + at + R"(, %r2;
    bar.sync 0;
    ld.)" + space + ".u32 %r3, " + at + R"(;
    setp.ne.s32 %p2, %r3, 7;
    @%p2 bra END;
    ld.global.u32 %r4, [%rd1+8];
    st.global.u32 [%rd1+4], %r4;
  END:
    ret;)")
                                                .c_str()));
    EXPECT_TRUE(k.order_sensitive) << space;
  }
}

TEST(Build, WhatStaysInTheCtaIsNotOrderSensitive) {
  const Kernel k = must_build(kernel_text(R"(
    .shared .align 4 .b8 buffer[16];
    ld.param.u64 %rd1, [k_param_0];
    atom.shared.add.u32 %r1, [buffer], 1;
    st.shared.u32 [buffer+8], %r1;
    ld.shared.u32 %r2, [buffer+8];
    setp.lt.u32 %p1, %r1, %r2;
    @%p1 bra END;
    red.global.add.u32 [%rd1+4], %r1;
  END:
    ret;)"));
  EXPECT_FALSE(k.order_sensitive);
}

TEST(Build, ALoopThatALockedBranchEndsSpins) {
  const Kernel k = must_build(kernel_text(R"(
    ld.param.u64 %rd1, [k_param_0];
    mov.u32 %r3, 0;
  TRY:
    atom.global.cas.b32 %r1, [%rd1], 0, 1;
    setp.ne.s32 %p1, %r1, 0;
    @%p1 bra NEXT;
    atom.global.exch.b32 %r2, [%rd1], 0;
    mov.u32 %r3, 1;
  NEXT:
    setp.eq.s32 %p2, %r3, 0;
    @%p2 bra TRY;
    ret;)"));
  EXPECT_TRUE(k.needs_coupling);
}

}  // namespace
}  // namespace wanren::simt::test
