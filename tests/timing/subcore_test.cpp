#include <gtest/gtest.h>

#include "synthetic_source.h"

namespace wanren::timing::test {
namespace {

Words blocks(int times, std::uint32_t id = 0) {
  Words w;
  for (int i = 0; i < times; ++i) w.block(id);
  return w;
}

TEST(SubCore, ADependentFmaChainTakesTheAluLatencyPerInstruction) {
  Code code;
  code.fma(0, 0, 1, 2);
  for (const int n : {1, 10, 1000}) {
    SyntheticSource source(code, 1, 1, blocks(n));
    const Timed t = run_one(small_chip(), source);
    EXPECT_EQ(t.cycles.value, 4 * (n - 1) + 1);  // the last one's result is not waited for
    EXPECT_EQ(t.counters.flops_fp32, 64u * n);
  }
}

TEST(SubCore, IndependentFmasFromEnoughWarpsReachThePipeRate) {
  Code code;
  code.fma(0, 1, 2, 3).fma(4, 1, 2, 3);
  const int n = 500;
  SyntheticSource source(code, 1, 16, blocks(n));  // four warps per sub-core
  const Timed t = run_one(small_chip(), source);
  // 4 warps x 2n FMAs at one per 2 cycles; the last occupies one issue cycle.
  EXPECT_EQ(t.cycles.value, 4 * 2 * n * 2 - 1);
}

TEST(SubCore, OneInstructionIssuesPerCycleWhenPipesAreFree) {
  Code code;
  code.fma(0, 1, 2, 3, 1);
  const int n = 400;
  SyntheticSource source(code, 1, 16, blocks(n));
  const Timed t = run_one(small_chip(), source);
  EXPECT_EQ(t.cycles.value, 4 * n);
}

TEST(SubCore, ThreeSourcesInOneBankCostACycleBeyondASingleCycleInterval) {
  Code clean, conflict;
  clean.fma(0, 1, 2, 4, 1);
  conflict.fma(0, 2, 4, 6, 1);
  const int n = 400;
  SyntheticSource a(clean, 1, 16, blocks(n)), b(conflict, 1, 16, blocks(n));
  EXPECT_EQ(run_one(small_chip(), a).cycles.value, 4 * n);
  // Four warps share the pipe, which each conflict holds for two cycles.
  EXPECT_EQ(run_one(small_chip(), b).cycles.value, 2 * 4 * n - 1);
}

TEST(SubCore, AnExpandedInstructionTakesItsSlotsInARow) {
  Code code;
  code.fma(0, 0, 1, 2, 1);
  code.blocks[0][0].repeat = 50;
  const int n = 20;
  SyntheticSource source(code, 1, 1, blocks(n));
  const Timed t = run_one(small_chip(), source);
  EXPECT_EQ(t.cycles.value, (n - 1) * (49 + 4) + 50);
  EXPECT_EQ(t.counters.issue_slots, 50u * n);
  EXPECT_EQ(t.counters.warp_instructions, static_cast<std::uint64_t>(n));
}

TEST(SubCore, ATakenBranchCostsItsLatencyAndAFallThroughDoesNot) {
  Code code;
  code.fma(0, 1, 2, 3).branch().block().fma(4, 1, 2, 3).branch();
  const int n = 100;
  Words loop, straight;
  for (int i = 0; i < n; ++i) loop.block(0);               // 0 -> 0: taken
  for (int i = 0; i < n; ++i) straight.block(0).block(1);  // 0 -> 1 falls through, 1 -> 0 is taken
  SyntheticSource a(code, 1, 1, loop), b(code, 1, 1, straight);
  EXPECT_EQ(run_one(small_chip(), a).cycles.value, (n - 1) * (1 + 8) + 2);
  EXPECT_EQ(run_one(small_chip(), b).cycles.value, (n - 1) * (2 + 1 + 8) + 4);
}

TEST(SubCore, CodeThatFitsIsFetchedOnceAndCodeThatDoesNotEveryTime) {
  chip::Spec chip = small_chip();
  chip.subcore.instruction_fetch_latency = 30;
  chip.subcore.instruction_cache_bytes = 1024;  // 8 lines of 8 instructions
  for (const int lines : {6, 16}) {
    Code code;
    for (int i = 0; i < lines; ++i) {
      if (i) code.block();
      for (int k = 0; k < 8; ++k) code.fma(k, 20, 21, 22, 1);
    }
    Words w;
    const int rounds = 10;
    for (int r = 0; r < rounds; ++r)
      for (int i = 0; i < lines; ++i) w.block(static_cast<std::uint32_t>(i));
    SyntheticSource source(code, 1, 1, w);
    const int fetches = lines <= 8 ? lines : lines * rounds;
    EXPECT_EQ(run_one(chip, source).cycles.value, rounds * lines * 8 + fetches * 30) << lines;
  }
}

TEST(SubCore, ABarrierOpensItsLatencyAfterTheLastArrival) {
  Code code;
  code.barrier(0).block().fma(0, 0, 1, 2);
  code.block().fma(0, 0, 1, 2);
  const int late = 50;
  SyntheticSource source(code, 1, 4, [&](std::uint64_t, std::uint32_t warp) {
    Words first, second;
    if (warp == 3)
      for (int i = 0; i < late; ++i) first.block(2);
    first.block(0).barrier(0, 128);
    second.block(1);
    return std::vector<std::vector<std::uint64_t>>{first.words, second.words};
  });
  const Timed t = run_one(small_chip(), source);
  // Warp 3 arrives after a chain of `late` FMAs: its barrier issues right behind the last of them.
  const int arrival = 4 * (late - 1) + 1;
  EXPECT_EQ(t.cycles.value, arrival + 20 + 1);
  EXPECT_EQ(t.counters.stall_cycles[static_cast<int>(Stall::barrier)], 3u * (arrival - 1 + 20) + 19);
}

TEST(SubCore, ABarrierDoesNotWaitForWarpsThatHaveExited) {
  Code code;
  code.barrier(0).block().fma(0, 0, 1, 2);
  SyntheticSource source(code, 1, 4, [&](std::uint64_t, std::uint32_t warp) {
    Words first, second;
    if (warp == 2) return std::vector<std::vector<std::uint64_t>>(1, Words().block(1).words);
    first.block(0).barrier(0, 128);
    second.block(1);
    return std::vector<std::vector<std::uint64_t>>{first.words, second.words};
  });
  const Timed t = run_one(small_chip(), source);
  EXPECT_EQ(t.cycles.value, 20 + 1);
}

TEST(SubCore, NamedBarriersWaitForTheirOwnWarpsOnly) {
  Code code;
  code.barrier(0).block().fma(0, 0, 1, 2);
  SyntheticSource source(code, 1, 4, [&](std::uint64_t, std::uint32_t warp) {
    Words first, second;
    if (warp >= 2)
      for (int i = 0; i < 1000; ++i) first.block(1);
    first.block(0).barrier(warp / 2, 64);
    second.block(1);
    if (warp < 2)
      for (int i = 0; i < 10; ++i) second.block(1);
    return std::vector<std::vector<std::uint64_t>>{first.words, second.words};
  });
  const Timed t = run_one(small_chip(), source);
  // Only the second pair's own partner waits for it: 1 cycle of arrival + 20 of latency per warp, and
  // the pair 2, 3 arrives together.
  EXPECT_EQ(t.counters.stall_cycles[static_cast<int>(Stall::barrier)], 4u * 19);
}

TEST(SubCore, StallsAndIssueCyclesAddUpToResidency) {
  Code code;
  code.fma(0, 0, 1, 2).load(0, 5, 6).fma(7, 5, 1, 2).store(1, 6).branch();
  code.block().barrier(0);
  SyntheticSource source(code, 24, 6, [&](std::uint64_t cta, std::uint32_t warp) {
    std::vector<std::vector<std::uint64_t>> chunks;
    for (int i = 0; i < 10; ++i) {
      Words w;
      for (int k = 0; k < 3; ++k) {
        const std::uint64_t at =
            ((cta * 6 + warp) * 37 + static_cast<std::uint64_t>(i * 3 + k) * 1009) % 4096 * 128;
        w.block(0).affine(at, static_cast<std::uint16_t>(4 + warp)).affine(at + 4096 * 128, 4);
      }
      w.block(1).barrier(0, 192);
      chunks.push_back(w.words);
    }
    return chunks;
  });
  for (const char* scheduler : {"gto", "lrr", "youngest"}) {
    chip::Spec chip = small_chip();
    chip.subcore.scheduler = scheduler;
    const Timed t = run_one(chip, source, 3);
    std::uint64_t stalls = 0;
    for (const std::uint64_t s : t.counters.stall_cycles) stalls += s;
    EXPECT_EQ(stalls + t.counters.issue_slots, t.counters.warp_cycles) << scheduler;
    EXPECT_GT(t.counters.stall_cycles[static_cast<int>(Stall::long_scoreboard)], 0u);
    EXPECT_LE(t.counters.issue_slots, 16u * static_cast<std::uint64_t>(t.cycles.value));
  }
}

}  // namespace
}  // namespace wanren::timing::test
