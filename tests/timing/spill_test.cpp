#include <gtest/gtest.h>

#include "synthetic_source.h"

namespace wanren::timing::test {
namespace {

Code spilled(int words) {
  Code code;
  code.fma(0, 0, 1, 2).memory(lower::Memory::store, 0, -1, 0, 4 * words);
  code.memory(lower::Memory::load, 0, 4, 0, 4 * words).fma(0, 4, 1, 2);
  for (auto& inst : code.blocks[0])
    if (inst.memory != lower::Memory::none)
      inst.spill = true, inst.slot = simt::no_slot, inst.src_width[0] = 1;
  return code;
}

// FMA, its result 4 cycles later to the store, which leaves for L1; the load behind it takes one trip
// through L1, the FMA that waits for it 4 cycles more, per run of the block.
TEST(Spill, AReloadTakesOneL1LatencyAndNothingLeavesTheUnit) {
  const chip::Spec chip = small_chip();
  const auto cycles = [&](int runs) {
    Words w;
    for (int i = 0; i < runs; ++i) w.block(0);
    SyntheticSource source(spilled(1), 1, 1, w);
    const Timed t = run_one(chip, source);
    EXPECT_EQ(t.counters.l2_read_sectors + t.counters.l2_write_sectors, 0u);
    EXPECT_EQ(t.counters.l1_store_sectors, 4u * static_cast<unsigned>(runs));
    EXPECT_EQ(t.counters.l1_hit_sectors, 4u * static_cast<unsigned>(runs));
    return t.cycles.value;
  };
  const auto per_run = static_cast<double>(cycles(101) - cycles(1)) / 100;
  EXPECT_GE(per_run, 4 + chip.unit.l1_latency + 4);
  EXPECT_LE(per_run, 4 + chip.unit.l1_latency + 4 + 4);
}

TEST(Spill, AWordOfAllLanesIsOneLine) {
  Words w;
  w.block(0);
  SyntheticSource source(spilled(4), 1, 1, w);
  EXPECT_EQ(run_one(small_chip(), source).counters.l1_hit_sectors, 16u);
}

}  // namespace
}  // namespace wanren::timing::test
