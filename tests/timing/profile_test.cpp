// Counts of single instructions: exact ones where a formula gives them, none where nobody asks.

#include <gtest/gtest.h>

#include "synthetic_source.h"

namespace wanren::timing::test {
namespace {

constexpr auto at(Stall stall) {
  return static_cast<std::size_t>(stall);
}

Timed profiled(const chip::Spec& chip, SyntheticSource& source, bool ask) {
  Device device(chip, 1, nullptr);
  Work work = source.work();
  work.kernel.profiled = ask;
  return run_all(device, {work}).front();
}

// Load, then a use of it, n times: the load issues at once, its use waits for L1's 33 cycles less the load's
// own.
TEST(Profile, TheWaitForALoadBelongsToItsFirstUse) {
  Code code;
  code.load(0, 8, 2).fma(4, 8, 9, 4);
  const std::uint64_t n = 50;
  Words w;
  for (std::uint64_t i = 0; i < n; ++i) w.block(0, 0xff).affine(0, 4, 0xff);
  SyntheticSource source(code, 1, 1, w);
  const Timed t = profiled(small_chip(), source, true);
  ASSERT_EQ(t.profile.size(), 2u);
  const InstructionProfile &load = t.profile[0], &use = t.profile[1];
  EXPECT_EQ(load.issues, n);
  EXPECT_EQ(load.lanes, 8 * n);
  EXPECT_EQ(load.l1_sectors, n);  // 8 lanes of 4 bytes
  EXPECT_EQ(load.l2_sectors, 1u);
  EXPECT_EQ(load.stall_cycles[at(Stall::long_scoreboard)], 0u);
  EXPECT_EQ(use.issues, n);
  EXPECT_EQ(use.l1_sectors, 0u);
  const std::uint64_t first = 205 + 150 + 28;  // L2, DRAM and its row
  EXPECT_EQ(use.stall_cycles[at(Stall::long_scoreboard)], (n - 1) * (33 - 1) + first - 1);
}

TEST(Profile, BankConflictsAndBarriersStandWhereTheyAre) {
  Code code;
  code.load(0, 8, 2).barrier(1);
  Words w;
  w.block(0).affine(0, 128, full_mask, trace::Space::shared).barrier(0, 64);
  SyntheticSource source(code, 1, 2, w);
  const Timed t = profiled(small_chip(), source, true);
  EXPECT_EQ(t.profile[0].shared_wavefronts, 2u * 32);  // all lanes in one bank
  EXPECT_EQ(t.profile[1].shared_wavefronts, 0u);
  EXPECT_EQ(t.profile[1].issues, 2u);
}

TEST(Profile, CountingChangesNothing) {
  Code code;
  code.load(0, 8, 2).load(1, 9, 3).fma(4, 8, 9, 4).store(2, 2);
  const auto make = [](std::uint64_t cta, std::uint32_t warp) {
    Words w;
    for (std::uint64_t i = 0; i < 20; ++i) {
      const std::uint64_t where = (cta * 7919 + warp * 131 + i * 17) % 4096 * 128;
      w.block(0).affine(where, 4).affine(where * 3 % (1 << 20), 8).affine(where + 64, 4);
    }
    return std::vector<std::vector<std::uint64_t>>{w.words};
  };
  SyntheticSource a(code, 40, 8, make), b(code, 40, 8, make);
  const Timed with = profiled(small_chip(2), a, true), without = profiled(small_chip(2), b, false);
  EXPECT_TRUE(without.profile.empty());
  EXPECT_EQ(with.cycles.value, without.cycles.value);
  EXPECT_EQ(with.end.value, without.end.value);
#define WR_COUNTER(id, doc) EXPECT_EQ(with.counters.id, without.counters.id) << #id;
#include "timing/counters.def"
  InstructionProfile sum;
  for (const InstructionProfile& row : with.profile) sum.add(row);
  EXPECT_EQ(sum.issues, with.counters.warp_instructions);
  EXPECT_EQ(sum.lanes, with.counters.thread_instructions);
  EXPECT_EQ(sum.stall_cycles, with.counters.stall_cycles);
  EXPECT_EQ(sum.l2_sectors, with.counters.l2_read_sectors + with.counters.l2_write_sectors);
}

}  // namespace
}  // namespace wanren::timing::test
