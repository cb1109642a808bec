#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "synthetic_source.h"

namespace wanren::timing::test {
namespace {

Words chain(int n) {
  Words w;
  for (int i = 0; i < n; ++i) w.block(0);
  return w;
}

Code fma_code() {
  Code code;
  code.fma(0, 0, 1, 2);
  return code;
}

/// A grid that uses every part of the chip, irregular in space and time.
std::unique_ptr<SyntheticSource> mixed(std::uint64_t ctas, std::uint32_t warps, std::uint64_t seed) {
  Code code;
  code.load(0, 8, 2).load(1, 9, 3).fma(4, 8, 9, 4).store(2, 2).branch();
  code.block().memory(lower::Memory::atomic, 0, 10, 2).fma(4, 10, 1, 4).barrier(1);
  return std::make_unique<SyntheticSource>(code, ctas, warps, [=](std::uint64_t cta, std::uint32_t warp) {
    std::vector<std::vector<std::uint64_t>> chunks;
    std::uint64_t x = seed + cta * 1000 + warp;
    const auto random = [&] { return x = x * 6364136223846793005u + 1442695040888963407u, x >> 33; };
    for (int i = 0; i < 4; ++i) {
      Words w;
      for (int k = 0; k < 4; ++k) {
        std::array<std::uint64_t, warp_size> lanes;
        for (auto& lane : lanes) lane = random() % (8 << 20) & ~3ull;
        w.block(0).affine(random() % (8 << 20) & ~127ull, 4).gather(lanes, static_cast<LaneMask>(random()));
        w.affine(random() % (8 << 20) & ~127ull, 8);
      }
      w.block(1).affine(random() % 4096 * 4, 0).barrier(0, warps * 32);
      chunks.push_back(w.words);
    }
    return chunks;
  });
}

TEST(Dispatch, CtasSpreadOverDiesThenClustersThenUnits) {
  SyntheticSource source(fma_code(), 8, 1, chain(100));
  run_one(small_chip(2), source);
  std::vector<std::uint32_t> units;
  for (const auto& [cta, unit] : source.placed) units.push_back(unit);
  // Units 0..3 are die 0 (clusters 0 0 1 1), 4..7 die 1.
  EXPECT_EQ(units, (std::vector<std::uint32_t>{0, 4, 2, 6, 1, 5, 3, 7}));
}

TEST(Dispatch, DieContiguousGivesEachDieItsShareOfTheGrid) {
  chip::Spec chip = small_chip(2);
  chip.package.cta_schedule = "die_contiguous";
  SyntheticSource source(fma_code(), 30, 1, chain(10));
  run_one(chip, source);
  EXPECT_EQ(source.placed.size(), 30u);
  for (const auto& [cta, unit] : source.placed) EXPECT_EQ(cta / 15, unit / 4) << cta;
}

TEST(Dispatch, OccupancyBoundsResidentCtasAndWavesFollowTheLaunchLatency) {
  // 4 units x 2 CTAs hold 8; 24 CTAs are three waves of a chain of 250 FMAs.
  SyntheticSource source(fma_code(), 24, 1, chain(250));
  const Timed t = run_one(small_chip(), source, 2);
  const int wave = 4 * 249 + 1;
  EXPECT_EQ(t.cycles.value, 3 * wave + 2 * 100);
  EXPECT_EQ(t.counters.ctas, 24u);
  EXPECT_EQ(source.ended, 24u);
}

TEST(Dispatch, SharedMemoryAndWarpSlotsBoundWhatLivesTogether) {
  // Two grids whose CTAs take 100 of 164 KiB each cannot share a unit; without shared memory they do.
  for (const std::uint32_t shared : {100u << 10, 0u}) {
    SyntheticSource a(fma_code(), 4, 1, chain(500)), b(fma_code(), 4, 1, chain(500));
    Device device(small_chip(), 1, nullptr);
    const std::vector<Work> work = {a.work(1, shared), b.work(1, shared)};
    const auto t = device.run(work);
    const int once = 4 * 499 + 1;
    EXPECT_EQ(t[0].cycles.value, once);
    EXPECT_EQ(t[1].cycles.value, shared ? 2 * once + 100 : once);
  }
}

TEST(Dispatch, TwoGridsShareTheChip) {
  // Each grid has two CTAs of one warp per sub-core that fill the FMA pipe; alone each takes n * 2 cycles.
  Code code;
  code.fma(0, 1, 2, 3).fma(4, 1, 2, 3);
  const int n = 500;
  SyntheticSource a(code, 4, 4, chain(n)), b(code, 4, 4, chain(n));
  Device device(small_chip(), 1, nullptr);
  const std::vector<Work> work = {a.work(), b.work()};
  const auto t = device.run(work);
  const auto together = std::max(t[0].end, t[1].end) - t[0].begin;
  EXPECT_EQ(together.value, (2 * 2 * 2 * n - 1) * 1000);
  EXPECT_EQ(t[0].counters.flops_fp32, t[1].counters.flops_fp32);
}

TEST(Timeline, AKernelBeginsItsLaunchLatencyAfterSubmissionAndTheGapAfterItsPredecessor) {
  SyntheticSource a(fma_code(), 1, 1, chain(1000)), b(fma_code(), 1, 1, chain(10));
  Device device(small_chip(), 1, nullptr);
  std::vector<Work> work = {a.work(), b.work()};
  work[0].not_before = Picoseconds(5'000'000);
  work[1].after = {0};
  const auto t = device.run(work);
  EXPECT_EQ(t[0].begin.value, 7'000'000);  // + 2 us
  EXPECT_EQ(t[0].end.value, 7'000'000 + (4 * 999 + 1) * 1000);
  EXPECT_EQ(t[1].begin.value, t[0].end.value + 1'000'000);  // + 1 us
  EXPECT_EQ(device.now(), t[1].end);
}

TEST(Timeline, CopiesTakeTheirEnginesRateAndQueueOnIt) {
  Device device(small_chip(), 1, nullptr);
  std::vector<std::string> order;
  const auto copy = [&](CopyKind kind, std::uint64_t bytes, bool pageable, const char* name) {
    Work w;
    w.copy.kind = kind;
    w.copy.bytes = bytes;
    w.copy.pageable = pageable;
    w.on_begin = [&order, name] { order.emplace_back(name); };
    return w;
  };
  std::vector<Work> work;
  work.push_back(copy(CopyKind::host_to_device, 25'000'000, false, "up"));
  work.push_back(copy(CopyKind::host_to_device, 5'000'000, true, "up, pageable"));
  work.push_back(copy(CopyKind::device_to_host, 25'000'000, false, "down"));
  work.push_back(copy(CopyKind::fill, 256'000, false, "fill"));
  work.push_back(copy(CopyKind::none, 0, false, "mark"));
  work.back().after = {3};
  const auto t = device.run(work);
  const std::int64_t us = 1'000'000;
  EXPECT_EQ(t[0].end.value, 1004 * us);
  EXPECT_EQ(t[1].begin.value, 1004 * us);  // the same engine
  EXPECT_EQ(t[1].end.value, (1004 + 1004) * us);
  EXPECT_EQ(t[2].end.value, 1004 * us);    // another one
  EXPECT_EQ(t[3].end.value, 1150 * 1000);  // 150 ns + 256 kB at 256 GB/s
  EXPECT_EQ(t[4].begin, t[3].end);
  EXPECT_EQ(t[4].end, t[3].end);
  EXPECT_EQ(order, (std::vector<std::string>{"up", "down", "fill", "mark", "up, pageable"}));
}

TEST(Timeline, LaterRunsGoOnWhereTheLastEndedWithAWarmL2) {
  Code code;
  code.load(0, 2, 2, 8);
  SyntheticSource a(code, 1, 1, Words().block(0).affine(0, 0, 1)),
      b(code, 1, 1, Words().block(0).affine(0, 0, 1));
  Device device(small_chip(), 1, nullptr);
  const Work first = a.work(), second = b.work();
  const auto s = device.run(std::span(&first, 1)).front();
  const auto t = device.run(std::span(&second, 1)).front();
  EXPECT_EQ(s.cycles.value, 205 + 150 + 28);
  EXPECT_EQ(t.cycles.value, 205);
  EXPECT_EQ(t.begin.value, s.end.value + 2'000'000);
}

TEST(Coupled, AWarpIsAskedAgainWhenItsInstructionsHaveIssued) {
  Code code = fma_code();
  SyntheticSource source(code, 1, 1, [](std::uint64_t, std::uint32_t) {
    return std::vector<std::vector<std::uint64_t>>(5, Words().block(0).block(0).words);
  });
  source.coupled_ = true;
  const Timed t = run_one(small_chip(), source);
  ASSERT_EQ(source.asked.size(), 5u);
  const std::uint64_t begin = source.asked[0].unit_cycles;
  EXPECT_EQ(begin, 2000u);  // launch latency at 1 GHz
  for (std::uint64_t i = 1; i < 5; ++i) {
    // After the issue of the 2i-th FMA of a chain.
    EXPECT_EQ(source.asked[i].unit_cycles, begin + 4 * (2 * i - 1));
    EXPECT_EQ(source.asked[i].nanoseconds, begin + 4 * (2 * i - 1));
  }
  EXPECT_EQ(t.cycles.value, 4 * 9 + 1);
}

TEST(Coupled, SleepPassesBeforeAWarpIsAskedAgain) {
  Code code = fma_code();
  SyntheticSource source(code, 1, 1, [](std::uint64_t, std::uint32_t) {
    return std::vector<std::vector<std::uint64_t>>(3, Words().block(0).words);
  });
  source.coupled_ = true;
  source.sleep_ns = 500;
  const Timed t = run_one(small_chip(), source);
  EXPECT_EQ(t.cycles.value, 2 * 501 + 1);
  EXPECT_EQ(t.counters.stall_cycles[static_cast<int>(Stall::sleep)], 2u * 500);
}

TEST(Coupled, UnitsAskInTheOrderOfTime) {
  Code code = fma_code();
  SyntheticSource source(code, 8, 3, [](std::uint64_t cta, std::uint32_t warp) {
    std::vector<std::vector<std::uint64_t>> chunks;
    for (std::uint64_t i = 0; i < 20; ++i) {
      Words w;
      for (std::uint64_t k = 0; k < 1 + (cta * 7 + warp * 3 + i * 5) % 11; ++k) w.block(0);
      chunks.push_back(w.words);
    }
    return chunks;
  });
  source.coupled_ = true;
  run_one(small_chip(2), source);
  ASSERT_GT(source.asked.size(), 400u);
  // The first questions come when CTAs are placed; from then on time never goes back.
  for (std::size_t i = 1; i < source.asked.size(); ++i)
    EXPECT_GE(source.asked[i].unit_cycles, source.asked[i - 1].unit_cycles);
}

TEST(Determinism, TheSameCyclesAndCountersAtAnyNumberOfThreads) {
  std::set<std::string> results;
  for (int i = 0; i < 10; ++i)
    for (const int threads : {1, 2}) {
      chip::Spec chip = small_chip(2);
      chip.l2.partitions_per_die = 2;
      chip.l2.replication = "near";
      chip.l2.bytes_per_die = 1 << 20;
      auto a = mixed(40, 6, 1), b = mixed(30, 4, 2), c = mixed(20, 8, 3);
      Device device(chip, threads, nullptr);
      std::vector<Work> work = {a->work(3), b->work(4), c->work(2)};
      work[2].after = {0};
      std::string text;
      for (const Timed& t : device.run(work)) {
        text += std::to_string(t.begin.value) + " " + std::to_string(t.end.value) + ":";
#define WR_COUNTER(id, doc) text += " " + std::to_string(t.counters.id);
#include "timing/counters.def"
#undef WR_COUNTER
        for (const auto s : t.counters.stall_cycles) text += " " + std::to_string(s);
        text += "\n";
      }
      results.insert(text);
    }
  EXPECT_EQ(results.size(), 1u);
}

TEST(Determinism, StallsAndIssueAddUpAndSectorsAreConservedInAMixedRun) {
  chip::Spec chip = small_chip(2);
  auto a = mixed(60, 6, 7);
  const Timed t = run_one(chip, *a, 4);
  std::uint64_t stalls = 0;
  for (const auto s : t.counters.stall_cycles) stalls += s;
  EXPECT_EQ(stalls + t.counters.issue_slots, t.counters.warp_cycles);
  EXPECT_EQ(t.counters.l1_sectors - t.counters.l1_hit_sectors, t.counters.l2_read_sectors);
  // Whole writes need no fetch, so DRAM is read for misses of reads and atomics only.
  const std::uint64_t misses = t.counters.l2_read_sectors + t.counters.l2_atomic_sectors +
                               t.counters.l2_write_sectors - t.counters.l2_hit_sectors;
  EXPECT_LE(t.counters.dram_read_bytes, misses * 32);
  EXPECT_GE(t.counters.dram_read_bytes + t.counters.l2_write_sectors * 32, misses * 32);
}

/// Power goes with the clock: `watts` at full clock.
class Linear : public ClockGovernor {
 public:
  Linear(double joules, double watts) : joules_(joules), watts_(watts) {}
  double clock_mhz(const Counters&, Picoseconds duration, double mhz) const override {
    const double power = joules_ / (static_cast<double>(duration.value) * 1e-12);
    return mhz * watts_ / power;
  }

 private:
  double joules_, watts_;
};

TEST(PowerCap, ACoreBoundKernelSlowsDownWithItsClock) {
  SyntheticSource source(fma_code(), 1, 1, chain(100'000));
  const double seconds = (4 * 99'999 + 1) * 1e-9;
  const Linear governor(seconds * 400, 200);  // 400 W where 200 are allowed
  Device device(small_chip(), 1, &governor);
  const Work work = source.work();
  const Timed t = device.run(std::span(&work, 1)).front();
  EXPECT_NEAR(t.clock_mhz, 500, 1);
  EXPECT_NEAR(static_cast<double>((t.end - t.begin).value) * 1e-12, 2 * seconds, 0.01 * seconds);
  EXPECT_NEAR(static_cast<double>(t.cycles.value), 4 * 99'999 + 1, 10);  // core cycles stay
}

TEST(PowerCap, TimeSpentInDramStays) {
  Code code;
  code.load(0, 2, 2, 8);
  Words w;
  for (std::uint64_t i = 0; i < 2000; ++i) w.block(0).affine(i * (8192 + 64) * 128, 0, 1);
  SyntheticSource source(code, 1, 1, w);
  class Half : public ClockGovernor {
    double clock_mhz(const Counters&, Picoseconds, double) const override { return 500; }
  } governor;
  Device device(small_chip(), 1, &governor);
  const Work work = source.work();
  const Timed t = device.run(std::span(&work, 1)).front();
  // Of 383 cycles a load, 178 are DRAM's and stay; the other 205 double.
  EXPECT_NEAR(static_cast<double>((t.end - t.begin).value) / 2000 / 1000, 178 + 2 * 205, 2);
}

}  // namespace
}  // namespace wanren::timing::test
