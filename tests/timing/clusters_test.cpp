// Clusters of CTAs: where they start, and what their CTAs tell each other.

#include <gtest/gtest.h>

#include <map>

#include "synthetic_source.h"
#include "timing/parameters.h"

namespace wanren::timing::test {
namespace {

using trace::PhaseOp;

chip::Spec with_latency(double cycles) {
  chip::Spec chip = small_chip();
  chip.unit.cluster_latency = cycles;
  return chip;
}

/// Two CTAs of one cluster that run `code`, each its own words.
std::int64_t pair_of(const Code& code, const Words& first, const Words& second, double latency) {
  SyntheticSource source(code, 2, 1, [&](std::uint64_t cta, std::uint32_t) {
    return std::vector<std::vector<std::uint64_t>>{cta == 0 ? first.words : second.words};
  });
  source.cluster = 2;
  return run_one(with_latency(latency), source).cycles.value;
}

TEST(Clusters, LieInOneOfTheChipsAndStartTogether) {
  Code code;
  for (int i = 0; i < 40; ++i) code.fma(0, 0, 1, 2);
  SyntheticSource source(code, 24, 2, Words().block(0));
  source.cluster = 3;
  const chip::Spec chip = small_chip(2);
  run_one(chip, source, 2);
  const Parameters p = parameters(chip, 1000);
  ASSERT_EQ(source.placed.size(), 24u);
  std::map<std::uint64_t, std::vector<int>> homes;
  for (const auto& [cta, unit] : source.placed)
    homes[cta / 3].push_back(p.cluster_of(static_cast<int>(unit)));
  ASSERT_EQ(homes.size(), 8u);
  for (const auto& [cluster, home] : homes)
    EXPECT_TRUE(home.size() == 3 && home[0] == home[1] && home[1] == home[2]) << "cluster " << cluster;
}

TEST(Clusters, ABarrierOpensALatencyAfterTheLastHasArrived) {
  Code code;
  code.barrier(0).block().fma(4, 4, 5, 6);
  code.blocks.insert(code.blocks.begin(), std::vector<lower::MachineInst>{});
  code.suspends = {{1, simt::Suspend::barrier}};
  // The arrival does not end its block.
  Code arrive;
  arrive.barrier(0);
  code.blocks[0] = arrive.blocks[0];
  Words words;
  words.block(0).cluster(trace::cluster_arrive, 1).block(1).cluster(trace::cluster_wait, 1).block(2);
  const std::int64_t near = pair_of(code, words, words, 200), far = pair_of(code, words, words, 300);
  EXPECT_EQ(far - near, 100);
  Words early = words, late = words;
  early.words.insert(early.words.begin(), trace::block_word(2, full_mask));
  for (int i = 0; i < 50; ++i) late.words.insert(late.words.begin(), trace::block_word(2, full_mask));
  const std::int64_t apart = pair_of(code, early, late, 200);
  EXPECT_GT(apart, near + 49) << "who comes early waits";
  EXPECT_EQ(pair_of(code, late, early, 200), apart);
}

TEST(Clusters, ALoadFromAnothersSharedMemoryTakesTheLatency) {
  Code code;
  code.load(0, 8, 40).fma(4, 8, 5, 6);
  Words own, other;
  own.block(0).affine(0, 4, full_mask, trace::Space::shared);
  other.block(0).affine(1 << 20, 4, full_mask, trace::Space::cluster);
  const chip::Spec chip = small_chip();
  const auto extra = pair_of(code, other, own, 200) - pair_of(code, own, own, 200);
  EXPECT_EQ(extra, 200 - static_cast<std::int64_t>(chip.unit.shared_latency));
  EXPECT_EQ(pair_of(code, other, own, 300) - pair_of(code, other, own, 200), 100);
}

TEST(Clusters, AnArrivalAtAnothersMbarrierTakesTheLatency) {
  Code code;
  code.phase(0).phase(1).phase(2).block().fma(4, 4, 5, 6);
  Words waits, arrives;
  waits.block(0).phase(PhaseOp::init, 8, 1).phase(PhaseOp::arrive, 16, 0).phase(PhaseOp::wait, 8, 1).block(1);
  // To rank 0.
  arrives.block(0)
      .phase(PhaseOp::init, 8, 1)
      .phase(PhaseOp::arrive, 1u << 24 | 8, 1)
      .phase(PhaseOp::wait, 8, 0);
  arrives.block(1);
  const auto near = pair_of(code, waits, arrives, 200), far = pair_of(code, waits, arrives, 300);
  EXPECT_EQ(far - near, 100);
}

}  // namespace
}  // namespace wanren::timing::test
