// Groups of asynchronous copies, and warps that wait for phases of mbarriers.

#include <gtest/gtest.h>

#include "synthetic_source.h"
#include "timing/copy_groups.h"
#include "timing/phases.h"

namespace wanren::timing::test {
namespace {

using lower::Memory;
using trace::PhaseOp;

std::uint64_t stalled(const Timed& t, Stall why) {
  return t.counters.stall_cycles[static_cast<int>(why)];
}

// Two copies, the second `apart` cycles behind the first, and a wait for all groups but the `newest` newest.
Timed two_copies(int apart, std::uint64_t wait) {
  Code code;
  code.memory(Memory::async_copy, 0, -1, 40, 16).group(1);
  for (int i = 0; i < apart / 4; ++i) code.fma(0, 0, 1, 2);
  code.memory(Memory::async_copy, 2, -1, 40, 16).group(3).group(4).fma(4, 4, 5, 6);
  Words words;
  words.block(0).affine(0, 16).group(0).affine(1 << 20, 16).group(0).group(wait);
  SyntheticSource source(code, 1, 1, words);
  return run_one(small_chip(), source);
}

TEST(CopyGroups, AWaitLeavesTheNewestGroupsInFlight) {
  const Timed all = two_copies(100, 1), older = two_copies(100, 2);
  // The wait for the older group ends as much sooner as that copy was issued earlier: itself, the group's
  // end, and 25 FMAs of four cycles, the last of which issues in one.
  EXPECT_EQ(stalled(all, Stall::long_scoreboard) - stalled(older, Stall::long_scoreboard), 2u + 4 * 24 + 1);
  EXPECT_EQ(two_copies(100, 3).counters.stall_cycles[static_cast<int>(Stall::long_scoreboard)], 0u);
  EXPECT_EQ(stalled(two_copies(100, trace::all_copies), Stall::long_scoreboard),
            stalled(all, Stall::long_scoreboard));
}

TEST(CopyGroups, KeepTheOrderOfIssue) {
  CopyGroups copies;
  std::vector<CopyGroups::Arrival> due;
  const std::uint32_t a = copies.begin_copy(0);
  copies.commit();
  const std::uint32_t b = copies.begin_copy(5);
  copies.owe(8, 3, 10, due);
  EXPECT_TRUE(due.empty());
  const std::uint32_t c = copies.begin_copy(20);
  copies.commit();
  EXPECT_EQ(copies.groups_done(2), 0);
  EXPECT_EQ(copies.groups_done(1), never);
  copies.end_copy(b, 50, due);
  EXPECT_TRUE(due.empty()) << "an older copy is under way";
  copies.end_copy(a, 70, due);
  ASSERT_EQ(due.size(), 1u);
  EXPECT_EQ(due[0].mbarrier, 8u);
  EXPECT_EQ(due[0].count, 3u);
  EXPECT_EQ(due[0].at, 70);
  EXPECT_EQ(copies.groups_done(1), 70);
  EXPECT_EQ(copies.groups_done(0), never);
  copies.end_copy(c, 90, due);
  EXPECT_EQ(copies.groups_done(0), 90);
  EXPECT_EQ(copies.all_done(), 90);
}

TEST(PhaseTable, APhaseIsOverWithItsArrivalsAndItsBytes) {
  PhaseTable t;
  t.apply(PhaseOp::init, 16, 2, 0);
  EXPECT_EQ(t.over(16, 0), 0);
  EXPECT_FALSE(t.apply(PhaseOp::arrive_expect, 16, 256 | 1u << 26, 5));
  EXPECT_FALSE(t.arrive(16, 1, 9));
  EXPECT_EQ(t.over(16, 1), never);
  EXPECT_TRUE(t.take_bytes(16, 256, 30));
  EXPECT_EQ(t.over(16, 1), 30);
  EXPECT_TRUE(t.arrive(16, 4, 40)) << "arrivals of two phases";
  EXPECT_EQ(t.over(16, 3), 40);
  EXPECT_FALSE(t.apply(PhaseOp::drop, 16, 1, 41));
  EXPECT_TRUE(t.arrive(16, 1, 42));
  EXPECT_TRUE(t.arrive(16, 1, 43)) << "one has dropped out";
}

// Warp 1 waits for a phase that warp 0 ends behind a chain of `late` FMAs.
TEST(Mbarrier, AWaitingWarpGoesOnOnceThePhaseIsOver) {
  Code code;
  code.phase(0).block().fma(0, 0, 1, 2).block().phase(0).block().phase(0).block().fma(4, 4, 5, 6);
  for (const int late : {50, 500}) {
    SyntheticSource source(code, 1, 2, [&](std::uint64_t, std::uint32_t warp) {
      Words w;
      if (warp == 0) {
        w.block(0).phase(PhaseOp::init, 8, 1);
        for (int i = 0; i < late; ++i) w.block(1);
        w.block(2).phase(PhaseOp::arrive, 8, 1);
      } else {
        w.block(3).phase(PhaseOp::wait, 8, 1).block(4);
      }
      return std::vector<std::vector<std::uint64_t>>{w.words};
    });
    const Timed t = run_one(small_chip(), source);
    // Issued at 0; the chain begins at 1 and the arrival issues behind its last FMA.
    const std::uint64_t arrival = 1 + 4 * (late - 1) + 1;
    EXPECT_EQ(stalled(t, Stall::mbarrier), arrival + 20 - 1) << late;
    EXPECT_EQ(t.cycles.value, static_cast<std::int64_t>(arrival + 20 + 1));
  }
}

TEST(Mbarrier, ArrivesWhenTheCopiesSoFarAreThere) {
  Code code;
  code.memory(Memory::async_copy, 0, -1, 40, 16).phase(1).phase(2).phase(3).block().fma(4, 4, 5, 6);
  Words words;
  words.block(0)
      .affine(0, 16)
      .phase(PhaseOp::init, 8, 1)
      .phase(PhaseOp::copy_arrive_in, 8, 1)
      .phase(PhaseOp::wait, 8, 1)
      .block(1);
  SyntheticSource source(code, 1, 1, words);
  const Timed t = run_one(small_chip(), source);
  SyntheticSource plain(Code().memory(Memory::async_copy, 0, -1, 40, 16), 1, 1,
                        Words().block(0).affine(0, 16));
  EXPECT_EQ(t.cycles.value, run_one(small_chip(), plain).cycles.value + 20 + 1);
}

// Thread 0 asks for `bytes` in bulk and waits for them.
Timed bulk_load(std::uint32_t bytes, double bytes_per_cycle) {
  Code code;
  code.phase(0).phase(1).bulk(2).phase(3).block().fma(4, 4, 5, 6);
  trace::BulkEntry entry;
  entry.row_bytes = entry.bytes = bytes;
  entry.mbarrier = 8;
  Words words;
  words.block(0)
      .phase(PhaseOp::init, 8, 1)
      .phase(PhaseOp::arrive_expect, 8, bytes | 1u << 26)
      .bulk(trace::BulkOp::load, entry)
      .phase(PhaseOp::wait, 8, 1)
      .block(1);
  SyntheticSource source(code, 1, 1, words);
  chip::Spec chip = small_chip();
  chip.unit.bulk_bytes_per_cycle = bytes_per_cycle;
  return run_one(chip, source);
}

TEST(BulkCopy, SendsItsLinesAtTheEnginesRateAndEndsThePhase) {
  const Timed one = bulk_load(128, 64), many = bulk_load(32 << 7, 64), slow = bulk_load(32 << 7, 8);
  EXPECT_EQ(one.counters.dram_read_bytes, 128u);
  EXPECT_EQ(many.counters.dram_read_bytes, 32u << 7);
  // Issue, the engine's latency, a way to memory, an mbarrier's latency; the first line leaves at once.
  EXPECT_GT(one.cycles.value, 60 + 205 + 20);
  EXPECT_GE(slow.cycles.value - many.cycles.value, 31 * (128 / 8 - 128 / 64) - 64);
  EXPECT_LT(slow.cycles.value, one.cycles.value + 32 * 128 / 8 + 64);
}

TEST(BulkCopy, AWaitForSourcesEndsBeforeTheDataHaveArrived) {
  const auto store = [](std::uint64_t wait) {
    Code code;
    code.bulk(0).group(1).group(2).fma(4, 4, 5, 6);
    trace::BulkEntry entry;
    entry.row_bytes = entry.bytes = 1024;
    Words words;
    words.block(0)
        .bulk(trace::BulkOp::store, entry)
        .group(trace::bulk_groups)
        .group(wait | trace::bulk_groups);
    SyntheticSource source(code, 1, 1, words);
    return stalled(run_one(small_chip(), source), Stall::long_scoreboard);
  };
  EXPECT_EQ(store(2), 0u);
  EXPECT_GT(store(1 | trace::sources_read), 60u);
  EXPECT_GT(store(1), store(1 | trace::sources_read) + 100);
}

}  // namespace
}  // namespace wanren::timing::test
