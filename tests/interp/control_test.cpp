// Control flow, suspension, traces and hand-over on one warp.

#include <gtest/gtest.h>

#include <algorithm>

#include "../semantics/harness.h"
#include "interp/interp.h"
#include "trace/trace.h"

namespace wanren {
namespace {

using semantics::SingleWarp;
using simt::Fault;
using simt::Yield;

simt::Kernel kernel_of(const std::string& body) {
  const std::string text =
      ".version 8.0\n.target sm_80\n.address_size 64\n"
      ".extern .func (.param .b32 r) vprintf (.param .b64 f, .param .b64 a);\n"
      ".visible .entry k(.param .u64 out)\n{\n"
      ".reg .u32 %r<20>;\n.reg .u64 %rd<20>;\n.reg .pred %p<10>;\n"
      "ld.param.u64 %rd1, [out];\nmov.u32 %r1, %laneid;\nmad.wide.u32 %rd2, %r1, 4, %rd1;\n" +
      body + "\n}\n";
  auto kernel = semantics::build_kernel(text, "k");
  EXPECT_TRUE(kernel) << kernel.error().message();
  EXPECT_EQ(simt::verify(*kernel), "");
  return std::move(*kernel);
}

struct Launch {
  SingleWarp warp;
  std::uint32_t* out;

  explicit Launch(const simt::Kernel& kernel, int lanes = 32) : warp(kernel, lanes) {
    out = reinterpret_cast<std::uint32_t*>(warp.allocate(4096));
    warp.parameter(0, reinterpret_cast<std::uint64_t>(out));
  }
  Fault go() { return warp.run(interp::run_warp); }
};

TEST(Control, LanesWithDifferentTripCountsEachRunTheirOwn) {
  const auto k = kernel_of(R"(
    mov.u32 %r2, 0; mov.u32 %r3, 0;
  L: setp.ge.u32 %p1, %r2, %r1;
    @%p1 bra D;
    add.u32 %r3, %r3, %r2;
    add.u32 %r2, %r2, 1;
    bra L;
  D: st.global.u32 [%rd2], %r3;
    ret;)");
  Launch run(k);
  ASSERT_EQ(run.go(), Fault::none);
  for (std::uint32_t l = 0; l < 32; ++l) EXPECT_EQ(run.out[l], l ? l * (l - 1) / 2 : 0);
}

TEST(Control, BothSidesOfABranchReconvergeBeforeTheJoin) {
  const auto k = kernel_of(R"(
    and.b32 %r2, %r1, 1;
    setp.eq.u32 %p1, %r2, 0;
    @%p1 bra E;
    mov.u32 %r3, 7;
    bra J;
  E: mov.u32 %r3, 9;
  J: activemask.b32 %r4;
    add.u32 %r5, %r3, 0;
    st.global.u32 [%rd2], %r5;
    st.global.u32 [%rd2+128], %r4;
    ret;)");
  Launch run(k);
  ASSERT_EQ(run.go(), Fault::none);
  for (int l = 0; l < 32; ++l) {
    EXPECT_EQ(run.out[l], l % 2 ? 7u : 9u);
    EXPECT_EQ(run.out[32 + l], full_mask);
  }
}

TEST(Control, PhisOfOneEdgeAreReadBeforeAnyIsWritten) {
  // a, b swap once per iteration: phis that name each other.
  const auto k = kernel_of(R"(
    mov.u32 %r2, 1; mov.u32 %r3, 2; mov.u32 %r4, 0;
  L: mov.u32 %r5, %r2;
    mov.u32 %r2, %r3;
    mov.u32 %r3, %r5;
    add.u32 %r4, %r4, 1;
    setp.le.u32 %p1, %r4, %r1;
    @%p1 bra L;
    st.global.u32 [%rd2], %r2;
    ret;)");
  Launch run(k);
  ASSERT_EQ(run.go(), Fault::none);
  for (int l = 0; l < 32; ++l) EXPECT_EQ(run.out[l], l % 2 ? 1u : 2u);  // l + 1 swaps
}

TEST(Control, IndexedBranchesSendEachLaneItsOwnWay) {
  const auto k = kernel_of(R"(
    and.b32 %r2, %r1, 3;
  T: .branchtargets A, B, C, A;
    brx.idx %r2, T;
  A: mov.u32 %r3, 10; bra D;
  B: mov.u32 %r3, 11; bra D;
  C: mov.u32 %r3, 12;
  D: st.global.u32 [%rd2], %r3;
    ret;)");
  Launch run(k);
  ASSERT_EQ(run.go(), Fault::none);
  const std::uint32_t expected[] = {10, 11, 12, 10};
  for (int l = 0; l < 32; ++l) EXPECT_EQ(run.out[l], expected[l % 4]);
}

TEST(Control, ALockBetweenLanesOfOneWarpIsPassedOn) {
  const auto k = kernel_of(R"(
  L: atom.global.cas.b32 %r2, [%rd1], 0, 1;
    setp.ne.u32 %p1, %r2, 0;
    @%p1 bra L;
    ld.volatile.global.u32 %r3, [%rd1+4];
    add.u32 %r3, %r3, 1;
    st.volatile.global.u32 [%rd1+4], %r3;
    membar.gl;
    atom.global.exch.b32 %r4, [%rd1], 0;
    bar.warp.sync 0xffffffff;
    ret;)");
  for (const std::uint32_t coupled : {0u, 1u}) {
    Launch run(k);
    run.warp.context().coupled = coupled;
    ASSERT_EQ(run.go(), Fault::none);
    EXPECT_EQ(run.out[1], 32u);
    const bool spun = std::count(run.warp.yields.begin(), run.warp.yields.end(), Yield::spin) > 0;
    EXPECT_EQ(spun, coupled == 1);
  }
}

TEST(Control, ALaneThatWaitsForALaterOneInAPlainLoopGetsItsSignal) {
  // Lane 0 spins on a flag that lane 1 sets behind the loop, read by an ordinary load.
  const auto k = kernel_of(R"(
    setp.ne.u32 %p1, %r1, 0;
    @%p1 bra S;
  L: ld.global.u32 %r2, [%rd1];
    setp.eq.u32 %p2, %r2, 0;
    @%p2 bra L;
    bra D;
  S: mov.u32 %r3, 5;
    st.global.u32 [%rd1], %r3;
  D: st.global.u32 [%rd2+128], %r1;
    ret;)");
  Launch run(k, 2);
  ASSERT_EQ(run.go(), Fault::none);
  EXPECT_EQ(run.out[0], 5u);
}

TEST(Control, GuardedInstructionsKeepTheEarlierValueElsewhere) {
  const auto k = kernel_of(R"(
    mov.u32 %r2, 3;
    setp.lt.u32 %p1, %r1, 4;
    @!%p1 add.u32 %r2, %r1, 100;
    @%p1 st.global.u32 [%rd2+128], %r1;
    st.global.u32 [%rd2], %r2;
    ret;)");
  Launch run(k);
  for (int l = 0; l < 32; ++l) run.out[32 + l] = 77;
  ASSERT_EQ(run.go(), Fault::none);
  for (std::uint32_t l = 0; l < 32; ++l) {
    EXPECT_EQ(run.out[l], l < 4 ? 3 : l + 100);
    EXPECT_EQ(run.out[32 + l], l < 4 ? l : 77);
  }
}

TEST(Control, LanesThatLeaveEarlyDoNotHoldTheOthers) {
  const auto k = kernel_of(R"(
    setp.lt.u32 %p1, %r1, 30;
    @%p1 exit;
    st.global.u32 [%rd2], %r1;
    ret;)");
  Launch run(k);
  ASSERT_EQ(run.go(), Fault::none);
  EXPECT_EQ(run.out[29], 0u);
  EXPECT_EQ(run.out[31], 31u);
}

TEST(Suspend, BarriersTellWhoArrives) {
  const auto k = kernel_of(R"(
    bar.sync 0;
    bar.sync 4, 64;
    barrier.arrive 5, 96;
    ret;)");
  Launch run(k, 20);
  ASSERT_EQ(run.go(), Fault::none);
  ASSERT_EQ(run.warp.yields, (std::vector<Yield>{Yield::barrier, Yield::barrier, Yield::barrier}));
  const auto& at = run.warp.at_yield;
  EXPECT_EQ(at[0].barrier_id, 0u);
  EXPECT_EQ(at[0].barrier_threads, 0u);
  EXPECT_EQ(at[0].barrier_mask, 0xfffffu);
  EXPECT_EQ(at[0].barrier_kind, static_cast<std::uint32_t>(ptx::Barrier::sync));
  EXPECT_EQ(at[1].barrier_id, 4u);
  EXPECT_EQ(at[1].barrier_threads, 64u);
  EXPECT_EQ(at[2].barrier_kind, static_cast<std::uint32_t>(ptx::Barrier::arrive));
  EXPECT_EQ(at[2].barrier_id, 5u);
  EXPECT_EQ(at[2].barrier_threads, 96u);
}

TEST(Suspend, ReducingBarriersOfferPredicatesAndTakeTheResult) {
  const auto k = kernel_of(R"(
    setp.lt.u32 %p1, %r1, 10;
    bar.red.popc.u32 %r2, 3, 64, %p1;
    st.global.u32 [%rd2], %r2;
    bar.red.or.pred %p2, 1, !%p1;
    selp.u32 %r3, 1, 0, %p2;
    st.global.u32 [%rd2+128], %r3;
    ret;)");
  Launch run(k);
  ASSERT_EQ(run.go(), Fault::none);
  ASSERT_EQ(run.warp.yields, (std::vector<Yield>{Yield::barrier, Yield::barrier}));
  const auto& at = run.warp.at_yield;
  EXPECT_EQ(at[0].barrier_id, 3u);
  EXPECT_EQ(at[0].barrier_threads, 64u);
  EXPECT_EQ(at[0].barrier_predicate, 0x3ffu);
  EXPECT_EQ(at[1].barrier_id, 1u);
  EXPECT_EQ(at[1].barrier_predicate, ~0x3ffu);
  EXPECT_EQ(run.out[17], 10u);
  EXPECT_EQ(run.out[32], 1u);
}

TEST(Suspend, ClocksAreReadAfterTheWarpHasGivenWay) {
  const auto k = kernel_of(R"(
    mov.u64 %rd3, %clock64;
    mov.u32 %r2, %globaltimer_lo;
    st.global.u64 [%rd1], %rd3;
    st.global.u32 [%rd1+8], %r2;
    mov.u32 %r3, 250;
    nanosleep.u32 %r3;
    ret;)");
  Launch run(k);
  ASSERT_EQ(run.go(), Fault::none);
  EXPECT_EQ(run.warp.yields, (std::vector<Yield>{Yield::clock, Yield::clock, Yield::sleep}));
  EXPECT_EQ(run.out[0], 1000u);
  EXPECT_EQ(run.out[2], 1001u);
  EXPECT_EQ(run.warp.at_yield[2].sleep_ns, 250u);
}

TEST(Suspend, SystemCallsSeeTheirArgumentsAndReturnResults) {
  const auto k = kernel_of(R"(
    setp.lt.u32 %p1, %r1, 2;
    @!%p1 bra D;
    { .param .b64 a0; .param .b64 a1; .param .b32 r;
      st.param.b64 [a0], %rd2; st.param.b64 [a1], %rd1;
      call.uni (r), vprintf, (a0, a1);
      ld.param.b32 %r2, [r]; }
    st.global.u32 [%rd2], %r2;
  D: ret;)");
  Launch run(k);
  ASSERT_EQ(run.go(), Fault::none);
  EXPECT_EQ(run.warp.syscalls,
            (std::vector<std::uint32_t>{static_cast<std::uint32_t>(simt::Syscall::vprintf)}));
  const auto base = reinterpret_cast<std::uint64_t>(run.out);
  EXPECT_EQ(run.warp.syscall_arguments, (std::vector<std::uint64_t>{base, base + 4}));
  EXPECT_EQ(run.out[0], 100u);
  EXPECT_EQ(run.out[1], 101u);
  EXPECT_EQ(run.out[2], 0u);
}

TEST(Faults, AMisalignedAccessNamesItsInstructionAndLane) {
  const auto k = kernel_of(R"(
    mad.wide.u32 %rd3, %r1, 5, %rd1;
    st.global.u32 [%rd3], %r1;
    ret;)");
  Launch run(k);
  ASSERT_EQ(run.go(), Fault::misaligned_address);
  EXPECT_EQ(run.warp.fault_mask, 2u);  // lane 0 is aligned
  const auto& inst = k.blocks[run.warp.fault_block].insts[run.warp.fault_inst];
  EXPECT_EQ(inst.op, ptx::Opcode::st);
}

TEST(Faults, ATrapEndsTheWarpForItsLanes) {
  const auto k = kernel_of("setp.eq.u32 %p1, %r1, 3;\n @%p1 trap;\n ret;");
  Launch run(k);
  ASSERT_EQ(run.go(), Fault::trap);
  EXPECT_EQ(run.warp.fault_mask, 8u);
}

TEST(Counts, EachExecutionOfABlockIsCountedWithItsLanes) {
  const auto k = kernel_of(R"(
    mov.u32 %r2, 0;
  L: .pragma "nounroll";
    add.u32 %r2, %r2, 1;
    setp.lt.u32 %p1, %r2, 3;
    @%p1 bra L;
    st.global.u32 [%rd2], %r2;
    ret;)");
  Launch run(k, 7);
  ASSERT_EQ(run.go(), Fault::none);
  std::uint64_t most = 0;
  for (const auto& c : run.warp.counts()) {
    EXPECT_EQ(c.threads, c.warps * 7);
    most = std::max(most, c.warps);
  }
  EXPECT_EQ(most, 3u);
}

TEST(Traces, RecordsFollowTheirBlockInSlotOrder) {
  const auto k = kernel_of(R"(
    ld.global.u32 %r2, [%rd1+8];
    setp.lt.u32 %p1, %r1, 4;
    @%p1 st.global.u32 [%rd2], %r2;
    bar.sync 2, 32;
    ret;)");
  std::vector<std::uint64_t> words(4096);
  Launch run(k);
  run.warp.trace_into(words, 512);
  ASSERT_EQ(run.go(), Fault::none);
  const std::uint64_t offset = reinterpret_cast<std::uint64_t>(run.out) & run.warp.context().arena_mask;
  const std::uint64_t* at = words.data();
  EXPECT_EQ(*at++, trace::block_word(0, full_mask));
  trace::Record r;
  at = trace::read_record(at, r);
  EXPECT_EQ(r.kind, trace::Kind::affine);
  EXPECT_EQ(r.space, trace::Space::global);
  EXPECT_EQ(r.base, offset + 8);
  EXPECT_EQ(r.mask, full_mask);
  at = trace::read_record(at, r);
  EXPECT_EQ(r.kind, trace::Kind::gather);
  EXPECT_EQ(r.mask, 15u);
  const auto addresses = trace::addresses(r, interp::patterns());
  for (std::uint64_t l = 0; l < 4; ++l) EXPECT_EQ(addresses[l], offset + 4 * l);
  at = trace::read_record(at, r);
  EXPECT_EQ(r.kind, trace::Kind::barrier);
  EXPECT_EQ(r.base, 2u | std::uint64_t{32} << 32);
  while (at < run.warp.context().trace_cursor) {  // the rest: blocks without slots
    const auto block = static_cast<std::uint32_t>(*at++);
    EXPECT_EQ(k.blocks[block].slots, 0);
  }
  EXPECT_EQ(at, run.warp.context().trace_cursor);
}

TEST(Traces, AFullBufferIsYieldedBeforeTheNextBlock) {
  const auto k = kernel_of(R"(
    mov.u32 %r2, 0;
  L: .pragma "nounroll";
    add.u32 %r2, %r2, 1;
    st.global.u32 [%rd2], %r2;
    setp.lt.u32 %p1, %r2, 20;
    @%p1 bra L;
    ret;)");
  std::vector<std::uint64_t> words(4096);
  Launch run(k);
  run.warp.trace_into(words, words.size() - 200);
  ASSERT_EQ(run.go(), Fault::none);
  ASSERT_FALSE(run.warp.yields.empty());
  EXPECT_EQ(run.warp.yields[0], Yield::trace_full);
  // 35 words an iteration: never more than one block past the limit of 200.
  EXPECT_LE(run.warp.at_yield[0].trace_cursor, words.data() + 200 + 36);
}

// Compiled code hands over in the middle of a block: values in the frame, other lanes pending elsewhere.
TEST(HandOver, AWarpContinuesFromAFrameInTheMiddleOfABlock) {
  const auto k = kernel_of(R"(
    setp.lt.u32 %p1, %r1, 8;
    @%p1 bra S;
    add.u32 %r2, %r1, 1000;
    st.global.u32 [%rd2], %r2;
    membar.cta;
    bra D;
  S: mul.lo.u32 %r2, %r1, 3;
    st.global.u32 [%rd2], %r2;
    membar.cta;
  D: ret;)");
  Launch run(k);
  auto& ctx = run.warp.context();
  std::vector<std::uint64_t> frame(interp::frame_words(k));
  // The entry block has run for all lanes; the block of `mul` has run as far as its store, where the
  // frame holds 555 as the product; the block of `add` is pending.
  const auto rows = interp::value_row(k, 0, static_cast<simt::ValueId>(k.values.size()));
  simt::BlockId product = 0, sum = 0;
  std::uint32_t store = 0;
  for (const simt::Block& b : k.blocks)
    for (std::size_t i = 0; i < b.insts.size(); ++i) {
      const simt::Inst& inst = b.insts[i];
      const auto set = [&](auto value) {
        for (std::uint32_t l = 0; l < 32; ++l)
          frame[interp::value_row(k, 0, inst.dsts[0]) * 32 + l] = value(std::uint64_t{l});
      };
      const auto base = reinterpret_cast<std::uint64_t>(run.out);
      if (inst.op == ptx::Opcode::ld) set([&](auto) { return base; });
      if (inst.op == ptx::Opcode::mov) set([](auto l) { return l; });
      if (inst.op == ptx::Opcode::mad) set([&](auto l) { return base + 4 * l; });
      if (inst.op == ptx::Opcode::mul) {
        product = b.id;
        set([](auto) { return std::uint64_t{555}; });
      }
      if (inst.op == ptx::Opcode::add) sum = b.id;
      if (inst.op == ptx::Opcode::st && b.id == product) store = static_cast<std::uint32_t>(i);
    }
  ASSERT_NE(product, sum);
  frame[rows * 32 + sum] = 0xffffff00u;
  interp::run_from(&ctx, frame.data(), product, store, 0xff);
  for (std::uint32_t l = 0; l < 32; ++l) EXPECT_EQ(run.out[l], l < 8 ? 555 : l + 1000);
  EXPECT_EQ(run.warp.counts()[product].warps, 0u);  // counted by whoever entered it
  EXPECT_EQ(run.warp.counts()[sum].warps, 1u);
}

}  // namespace
}  // namespace wanren
