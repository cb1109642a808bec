// Parts of a compute unit by themselves.

#include <gtest/gtest.h>

#include "synthetic_source.h"
#include "timing/matrix_units.h"
#include "timing/phases.h"
#include "timing/subcore.h"

namespace wanren::timing::test {
namespace {

using lower::Pipe;

TEST(Pipes, TheMatrixUnitTakesAnInstructionPerIntervalAndLeavesTheOthersAlone) {
  Pipes pipes;
  pipes.take(Pipe::tensor, 10, 8);
  EXPECT_EQ(pipes.free(Pipe::tensor), 18);
  pipes.take(Pipe::tensor, 18, 8);
  EXPECT_EQ(pipes.free(Pipe::tensor), 26);
  for (const Pipe other : {Pipe::fp32, Pipe::integer, Pipe::memory}) EXPECT_EQ(pipes.free(other), 0);
}

TEST(Pipes, ASharedPortGivesAnIntegerInstructionHalfOfWhatFp32Takes) {
  Pipes shared(true);
  shared.take(Pipe::integer, 0, 2);
  EXPECT_EQ(shared.free(Pipe::fp32), 1);
  shared.take(Pipe::fp32, 1, 2);
  EXPECT_EQ(shared.free(Pipe::integer), 3);
}

struct MatrixUnitsAlone : testing::Test {
  Parameters p = [] {
    chip::Spec chip = small_chip();
    chip.tensor.operand_bytes_per_cycle = 64;
    chip.tensor.product_queue = 2;
    chip.tensor.latency = 30;
    return parameters(chip);
  }();
  MatrixUnits units{p};
};

TEST_F(MatrixUnitsAlone, ProductsOfASubCoreFollowEachOtherAndTheQueueHoldsTwo) {
  // 128 cycles each; 2,560 bytes come in 40.
  const MatrixUnits::Issued first = units.issue(0, 100, 128, 2560);
  EXPECT_EQ(first.done, 100 + 128 + 30);
  EXPECT_EQ(first.accepts, 101);
  const MatrixUnits::Issued second = units.issue(0, 101, 128, 2560);
  EXPECT_EQ(second.done, first.done + 128);
  EXPECT_EQ(second.accepts, 102) << "one is under way, one waits: room for another";
  const MatrixUnits::Issued third = units.issue(0, 102, 128, 2560);
  EXPECT_EQ(third.done, second.done + 128);
  EXPECT_EQ(third.accepts, 100 + 128) << "two wait until the first is over";
}

TEST_F(MatrixUnitsAlone, OperandsThatAllSubCoresReadLimitShortProducts) {
  // Eight cycles of arithmetic, 640 bytes: ten cycles of the port for each sub-core's.
  Cycle done = 0;
  for (int i = 0; i < 8; ++i) done = units.issue(i % 2, 0, 8, 640).done;
  EXPECT_EQ(done, 8 * 10 + 30);
}

struct AloneSubCore : testing::Test {
  Parameters p = parameters(small_chip());
  SubCore sub{p};
  const std::uint16_t sources[2] = {1, 2};
  DecodedInst insts[2];

  void SetUp() override {
    sub.fit(8, 1);
    for (DecodedInst& i : insts) i.pipe = Pipe::fp32, i.occupancy = 2, i.latency = 4, i.dst_count = 1;
    insts[1].sources = 2;  // reads what insts[0] writes
    insts[0].dst = 1;
  }
  int begin(std::uint64_t age) {
    const int w = sub.begin_warp(age);
    sub.warp(w).next = insts;
    sub.warp(w).end = insts + 2;
    sub.set_ready(w, sources);
    return w;
  }
};

TEST_F(AloneSubCore, ADependentInstructionWaitsForTheLatencyAnotherWarpForThePipe) {
  const int first = begin(0), second = begin(1);
  ASSERT_EQ(sub.pick(0, false), first);
  sub.issue(first, 0);
  ++sub.warp(first).next;
  sub.set_ready(first, sources);
  EXPECT_EQ(sub.ready(first), 4);
  EXPECT_EQ(sub.pick(1, false), WarpScheduler::none) << "the pipe is taken for two cycles";
  EXPECT_EQ(sub.next(), 2);
  ASSERT_EQ(sub.pick(2, false), second);
  sub.issue(second, 2);
  sub.park(second);
  EXPECT_EQ(sub.pick(3, false), WarpScheduler::none);
  EXPECT_EQ(sub.next(), 4);
  EXPECT_EQ(sub.pick(4, false), first);
}

TEST_F(AloneSubCore, ALoadsResultIsThereWhenLoadStoreSaysSo) {
  const int w = begin(0);
  const Load load{.warp = static_cast<std::uint16_t>(w), .dst = 2, .dst_count = 1};
  sub.set_results(load, never);
  ++sub.warp(w).next;
  sub.set_ready(w, sources);
  EXPECT_EQ(sub.ready(w), never);
  sub.set_results(load, 77);
  sub.set_ready(w, sources);
  EXPECT_EQ(sub.ready(w), 77);
}

TEST_F(AloneSubCore, NothingThatConcernsOthersIsPickedAlone) {
  begin(0);
  EXPECT_EQ(sub.pick(5, true), WarpScheduler::none);
  EXPECT_EQ(sub.next(), 5) << "it can issue, but the unit must look first";
  insts[0].local = true;
  EXPECT_EQ(sub.pick(5, true), 0);
}

struct AloneLoadStore : testing::Test {
  chip::Spec chip = small_chip();
  AloneLoadStore() { chip.unit.l1_miss_sectors = 4; }
  Parameters p = parameters(small_chip());
  GridCounters counters = GridCounters(1);

  static void read(LoadStore& to, std::uint32_t line, std::uint8_t sectors, Cycle now) {
    MemoryAccess a;
    a.load = to.begin_load({.dst = static_cast<std::uint16_t>(line)});
    a.lines = 1;
    a.cost = one_cycle;
    a.line[0] = line;
    a.sectors[0] = sectors;
    to.issue(a, now);
  }
};

TEST_F(AloneLoadStore, AMissLeavesHalfWayAndAHitTakesTheLatency) {
  LoadStore to(p, counters);
  to.leave_l1(0);
  read(to, 7, 1, 10);
  ASSERT_EQ(to.outbox().size(), 1u);
  EXPECT_TRUE(to.loaded().empty());
  const Request r = to.outbox()[0];
  EXPECT_EQ(r.leaves, 10 + p.l1_to_noc);
  to.deliver({start_of(200), r.token, r.slot, r.sectors});
  ASSERT_EQ(to.loaded().size(), 1u);
  EXPECT_EQ(to.loaded()[0].at, 200 + 33 - p.l1_to_noc);
  to.loaded().clear();
  read(to, 7, 1, 300);
  ASSERT_EQ(to.loaded().size(), 1u);
  EXPECT_EQ(to.loaded()[0].at, 333);
  EXPECT_EQ(to.outbox().size(), 1u);
}

TEST_F(AloneLoadStore, AFillTakesThePortForOnePass) {
  LoadStore to(p, counters);
  to.leave_l1(0);
  read(to, 7, 1, 0);
  read(to, 8, 0xf, 1);
  const std::vector<Request> sent = to.outbox();
  ASSERT_EQ(sent.size(), 2u);
  for (const Request& r : sent) to.deliver({start_of(200), r.token, r.slot, r.sectors});
  ASSERT_EQ(to.loaded().size(), 2u);
  EXPECT_EQ(to.loaded()[0].at, 200 + 33 - p.l1_to_noc);
  EXPECT_EQ(to.loaded()[1].at, 201 + 33 - p.l1_to_noc) << "four sectors as one, after the other's";
  to.loaded().clear();
  read(to, 7, 1, 200);
  ASSERT_EQ(to.loaded().size(), 1u);
  EXPECT_EQ(to.loaded()[0].at, 202 + 33);
}

TEST_F(AloneLoadStore, LoadsOfASectorThatIsComingWaitForTheSameReply) {
  LoadStore to(p, counters);
  to.leave_l1(0);
  read(to, 7, 1, 0);
  read(to, 7, 1, 5);
  ASSERT_EQ(to.outbox().size(), 1u);
  const Request r = to.outbox()[0];
  to.deliver({start_of(200), r.token, r.slot, r.sectors});
  ASSERT_EQ(to.loaded().size(), 2u);
  EXPECT_EQ(to.loaded()[1].at, to.loaded()[0].at);
}

TEST_F(AloneLoadStore, AFullMissTableHoldsTheQueueUntilAReply) {
  const Parameters few = parameters(chip);
  LoadStore to(few, counters);
  to.leave_l1(0);
  read(to, 0, 0xf, 0);
  read(to, 1, 0xf, 1);  // has left the queue, finds no room
  for (std::uint32_t line = 2; line < 6; ++line) read(to, line, 0xf, line);
  EXPECT_EQ(to.outbox().size(), 1u);
  EXPECT_EQ(to.accepts(0), 1) << "the entry that comes next left for L1 at 1";
  read(to, 6, 0xf, 6);
  EXPECT_EQ(to.accepts(0), never);
  const Request r = to.outbox()[0];
  to.deliver({start_of(200), r.token, r.slot, r.sectors});
  EXPECT_EQ(to.outbox().size(), 2u);
  EXPECT_EQ(to.moved(), 1u);
  EXPECT_EQ(to.accepts(0), 201) << "line 2 has begun behind the fill, and found no room either";
  EXPECT_EQ(to.moved(), 0u);
}

TEST(Phases, WaitingWarpsAreLetGoOnceWhenTheirPhaseIsOver) {
  PhaseTable t;
  t.apply(trace::PhaseOp::init, 64, 1, 0);
  Words one, two;
  one.phase(trace::PhaseOp::wait, 64, 1);
  two.phase(trace::PhaseOp::wait, 64, 2);
  t.wait(3, one.words.data());
  t.wait(5, two.words.data());
  std::vector<std::pair<std::uint32_t, Cycle>> gone;
  const auto release = [&] { t.release([&](std::uint32_t warp, Cycle at) { gone.emplace_back(warp, at); }); };
  release();
  EXPECT_TRUE(gone.empty());
  EXPECT_TRUE(t.arrive(64, 1, 40));
  release();
  release();
  ASSERT_EQ(gone.size(), 1u);
  EXPECT_EQ(gone[0], (std::pair<std::uint32_t, Cycle>{3, 40}));
  EXPECT_TRUE(t.arrive(64, 1, 90));
  release();
  ASSERT_EQ(gone.size(), 2u);
  EXPECT_EQ(gone[1], (std::pair<std::uint32_t, Cycle>{5, 90}));
}

}  // namespace
}  // namespace wanren::timing::test
