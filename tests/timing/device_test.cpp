#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "energy/energy.h"
#include "synthetic_source.h"
#include "timing/clock.h"

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
  std::sort(source.placed.begin(), source.placed.end());
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
    const auto t = run_all(device, {a.work(1, shared), b.work(1, shared)});
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
  const auto t = run_all(device, {a.work(), b.work()});
  const auto together = std::max(t[0].end, t[1].end) - t[0].begin;
  EXPECT_EQ(together.value, (2 * 2 * 2 * n - 1) * 1000);
  EXPECT_EQ(t[0].counters.flops_fp32, t[1].counters.flops_fp32);
}

TEST(Dispatch, AGridLivesUntilItsStoresHaveLeftTheUnit) {
  // Room for one store at a time: that of `b` waits behind those of `a` when its only warp is long gone.
  chip::Spec chip = small_chip();
  chip.package.units_per_die = chip.package.clusters_per_die = 1;
  chip.unit.l1_miss_sectors = 4;
  Code code;
  code.store(0, 2);
  Words many, one;
  for (std::uint64_t i = 0; i < 40; ++i) many.block(0).affine(i * 128, 4);
  one.block(0).affine(1 << 20, 4);
  SyntheticSource a(code, 1, 4, many), b(code, 1, 1, one);
  Device device(chip, 1, nullptr);
  const auto t = run_all(device, {a.work(), b.work()});
  EXPECT_EQ(t[0].counters.l2_write_sectors, 4u * 4 * 40);
  EXPECT_EQ(t[1].counters.l2_write_sectors, 4u);
}

TEST(Timeline, AKernelBeginsItsLaunchLatencyAfterSubmissionAndTheGapAfterItsPredecessor) {
  SyntheticSource a(fma_code(), 1, 1, chain(1000)), b(fma_code(), 1, 1, chain(10));
  Device device(small_chip(), 1, nullptr);
  std::vector<Work> work = {a.work(), b.work()};
  work[0].not_before = Picoseconds(5'000'000);
  const auto t = run_all(device, work, {{}, {0}});
  EXPECT_EQ(t[0].begin.value, 7'000'000);  // + 2 us
  EXPECT_EQ(t[0].end.value, 7'000'000 + (4 * 999 + 1) * 1000);
  EXPECT_EQ(t[1].begin.value, t[0].end.value + 1'000'000);  // + 1 us
  EXPECT_GE(device.now(), t[1].end);
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
  const auto t = run_all(device, work, {{}, {}, {}, {}, {3}});
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

TEST(Timeline, LaterWorkFindsAWarmL2) {
  Code code;
  code.load(0, 2, 2, 8);
  SyntheticSource a(code, 1, 1, Words().block(0).affine(0, 0, 1)),
      b(code, 1, 1, Words().block(0).affine(0, 0, 1));
  Device device(small_chip(), 1, nullptr);
  const auto s = run_all(device, {a.work()}).front();
  Work second = b.work();
  second.not_before = s.end + Picoseconds(3'000'000);
  const auto t = run_all(device, {second}).front();
  EXPECT_EQ(s.cycles.value, 205 + 150 + 28);
  EXPECT_EQ(t.cycles.value, 205);
  EXPECT_EQ(t.begin.value, s.end.value + 5'000'000);
}

TEST(Timeline, AKernelFollowsAfterItsGapHoweverShortThatIs) {
  for (const std::int64_t gap_ns : {0, 1, 7, 60, 300})
    for (const std::int64_t quantum : {0, 40, 3, 1}) {
      chip::Spec chip = small_chip();
      chip.host.launch_latency = 0;
      chip.host.launch_gap = static_cast<double>(gap_ns) * 1e-3;
      SyntheticSource a(fma_code(), 4, 2, chain(33)), b(fma_code(), 1, 1, chain(10));
      Device device(chip, 1, nullptr, quantum);
      std::vector<JobRef> jobs{device.admit(a.work())};
      Work mark;
      mark.after = {jobs[0]};
      jobs.push_back(device.admit(mark));
      Work last = b.work();
      last.after = {jobs[1]};
      jobs.push_back(device.admit(last));
      device.advance_all();
      // A CTA a unit; 32 dependent FMAs of 4 cycles, and the last.
      EXPECT_EQ(jobs[0]->timed.cycles.value, 4 * 32 + 1);
      EXPECT_EQ((jobs[2]->timed.begin - jobs[0]->timed.end).value, gap_ns * 1000) << gap_ns << " " << quantum;
    }
}

// What a look in between can change is nothing: the same jobs, once run to the end and once stopped at random
// moments, each job admitted when the host gets to its submission.
TEST(Timeline, DoesNotDependOnWhoLooksWhen) {
  for (std::uint64_t seed = 1; seed <= 8; ++seed) {
    std::vector<std::string> texts;
    for (const bool looks : {false, true}) {
      std::uint64_t x = seed * 7919, y = seed * 104729;
      const auto next = [](std::uint64_t& state) {
        return state = state * 6364136223846793005u + 1442695040888963407u, state >> 33;
      };
      chip::Spec chip = small_chip(2);
      chip.host.launch_latency = 0.4;
      chip.host.launch_gap = 0.1;
      Device device(chip, 1, nullptr);
      std::vector<std::unique_ptr<SyntheticSource>> sources;
      std::vector<JobRef> jobs;
      std::int64_t host_ps = 0;
      for (int i = 0; i < 14; ++i) {
        host_ps += static_cast<std::int64_t>(next(x) % 3'000'000);
        Work work;
        if (const std::uint64_t kind = next(x) % 8; kind < 4) {
          sources.push_back(mixed(5 + next(x) % 20, 1 + next(x) % 6, next(x)));
          if (kind == 0) {
            sources.push_back(std::make_unique<SyntheticSource>(
                fma_code(), 3, 2, [](std::uint64_t cta, std::uint32_t warp) {
                  return std::vector<std::vector<std::uint64_t>>(
                      5 + cta, chain(20 + 7 * static_cast<int>(warp)).words);
                }));
            sources.back()->coupled_ = true;
          }
          work = sources.back()->work(2);
        } else {
          work.copy.kind = static_cast<CopyKind>(kind - 4);
          work.copy.bytes = next(x) % 60'000;
        }
        for (const JobRef& before : jobs)
          if (next(x) % 5 == 0) work.after.push_back(before);
        work.not_before = Picoseconds(host_ps);
        while (looks && next(y) % 3 != 0) {
          const std::int64_t look = host_ps - static_cast<std::int64_t>(next(y) % 2'000'000);
          device.advance_to(Picoseconds(look));
        }
        jobs.push_back(device.admit(std::move(work)));
      }
      if (looks) device.advance_until(jobs[next(y) % jobs.size()]);
      device.advance_all();
      std::string text;
      for (const JobRef& job : jobs) {
        ASSERT_TRUE(job->ended);
        text += std::to_string(job->timed.begin.value) + " " + std::to_string(job->timed.end.value) + " " +
                std::to_string(job->timed.counters.l2_hit_sectors) + " " +
                std::to_string(job->timed.counters.warp_cycles) + "\n";
      }
      texts.push_back(text);
    }
    EXPECT_EQ(texts[0], texts[1]) << seed;
  }
}

TEST(Timeline, ALookGoesNoFurtherThanItsMoment) {
  SyntheticSource source(fma_code(), 1, 1, chain(10'000));
  Device device(small_chip(), 1, nullptr);
  const JobRef job = device.admit(source.work());
  for (std::int64_t us = 1; us < 42; ++us) {
    device.advance_to(Picoseconds(us * 1'000'000));
    EXPECT_LE(device.now().value, us * 1'000'000);
    EXPECT_EQ(job->ended, false) << us;
  }
  // It begins at 2 us and takes 4 * 9999 + 1 cycles of a nanosecond; the step around its end is 205 cycles at
  // most.
  device.advance_to(Picoseconds(42'300'000));
  ASSERT_TRUE(job->ended);
  EXPECT_EQ(job->timed.end.value, 2'000'000 + (4 * 9'999 + 1) * 1000);
}

TEST(Timeline, WorkAdmittedForAMomentThatIsOverBeginsWhereTheHostHadWaited) {
  for (const std::int64_t quantum : {0, 3}) {
    SyntheticSource source(fma_code(), 1, 1, chain(1000)), other(fma_code(), 1, 1, chain(10));
    Device device(small_chip(), 1, nullptr, quantum);
    const JobRef job = device.admit(source.work());
    device.advance_until(job);
    Work mark;
    const JobRef late = device.admit(mark), kernel = device.admit(other.work());
    device.advance_all();
    EXPECT_EQ(late->timed.begin, job->timed.end);
    EXPECT_EQ(kernel->timed.begin.value, job->timed.end.value + 2'000'000);
  }
}

TEST(Timeline, ACallbackMayAdmitMoreWork) {
  Device device(small_chip(), 1, nullptr);
  std::vector<JobRef> made;
  Work first;
  first.copy.kind = CopyKind::fill;
  first.copy.bytes = 256'000;
  first.on_end = [&](const Timed&) {
    Work second;
    second.copy.kind = CopyKind::fill;
    second.copy.bytes = 256'000;
    made.push_back(device.admit(second));
  };
  const JobRef job = device.admit(first);
  device.advance_all();
  ASSERT_EQ(made.size(), 1u);
  EXPECT_TRUE(made[0]->ended);
  EXPECT_EQ(made[0]->timed.begin, job->timed.end);
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
  for (std::size_t i = 1; i < source.asked.size(); ++i)
    EXPECT_GE(source.asked[i].unit_cycles, source.asked[i - 1].unit_cycles);
}

/// Chunks of different lengths, so that units, CTAs and warps drift apart.
std::unique_ptr<SyntheticSource> ragged(std::uint64_t ctas) {
  Code code;
  code.fma(4, 4, 1, 4).memory(lower::Memory::atomic, 0, 10, 2).fma(4, 10, 1, 4);
  auto source = std::make_unique<SyntheticSource>(code, ctas, 3, [](std::uint64_t cta, std::uint32_t warp) {
    std::vector<std::vector<std::uint64_t>> chunks;
    for (std::uint64_t i = 0; i < 12; ++i) {
      Words w;
      for (std::uint64_t k = 0; k < 1 + (cta * 7 + warp * 3 + i * 5) % 4; ++k)
        w.block(0).affine((cta * 5 + i * 3) % 64 * 128, 0, 1);
      chunks.push_back(w.words);
    }
    return chunks;
  });
  source->coupled_ = true;
  return source;
}

TEST(Determinism, OrderedGridsAreAskedInOneOrderAtAnyNumberOfThreadsAndAnyQuantum) {
  const auto first = ragged(40);
  const Timed expected = run_one(small_chip(2), *first, 2);
  for (const int threads : {1, 2, 8})
    for (const std::int64_t quantum : {0, 40, 7, 6, 1}) {
      const auto source = ragged(40);
      EXPECT_EQ(run_one(small_chip(2), *source, 2, 0, threads, quantum).cycles.value, expected.cycles.value);
      EXPECT_EQ(source->askers, first->askers) << threads << " threads, quantum " << quantum;
    }
}

TEST(Determinism, TheSameCyclesAndCountersAtAnyNumberOfThreadsAndAnyQuantum) {
  std::set<std::string> results;
  for (const std::int64_t quantum : {0, 0, 90, 31, 2})
    for (const int threads : {1, 2, 8}) {
      chip::Spec chip = small_chip(2);
      chip.l2.partitions_per_die = 2;
      chip.l2.replication = "near";
      chip.l2.bytes_per_die = 1 << 20;
      auto a = mixed(40, 6, 1), b = mixed(30, 4, 2), c = mixed(20, 8, 3);
      Device device(chip, threads, nullptr, quantum);
      std::string text;
      for (const Timed& t : run_all(device, {a->work(3), b->work(4), c->work(2)}, {{}, {}, {0}})) {
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

/// The clock of each window in turn, and what it was asked.
class Script : public ClockGovernor {
 public:
  explicit Script(std::vector<double> mhz) : mhz_(std::move(mhz)) {}
  double clock_mhz(const Counters& counters, Picoseconds duration, double) const override {
    asked.push_back(counters.flops_fp32);
    EXPECT_EQ(duration.value, 10'000'000);
    return mhz_[std::min(asked.size(), mhz_.size()) - 1];
  }
  mutable std::vector<std::uint64_t> asked;

 private:
  std::vector<double> mhz_;
};

TEST(PowerWindow, TheNextWindowRunsAtTheClockThatTheLastOneAllows) {
  // An FMA every 4 cycles from 2 us on: 8000 cycles in the first window, 5000 in the second at half clock …
  SyntheticSource source(fma_code(), 1, 1, chain(100'000));
  const Script governor({500, 800, 1000});
  Device device(small_chip(), 1, &governor);
  const Timed t = run_all(device, {source.work()}).front();
  EXPECT_EQ(t.cycles.value, 4 * 99'999 + 1);  // core cycles stay
  const std::int64_t slow = 8'000 + 5'000 + 8'000;
  EXPECT_EQ(t.end.value, 30'000'000 + (4 * 99'999 + 1 - slow) * 1000);
  ASSERT_GE(governor.asked.size(), 4u);
  EXPECT_EQ(governor.asked[0], 2'001 * 64);  // counted as a warp gets to a block
  EXPECT_EQ(governor.asked[1], 1'250 * 64);
  EXPECT_EQ(governor.asked[2], 2'000 * 64);
  EXPECT_EQ(governor.asked[3], 2'500 * 64);
  ASSERT_EQ(t.phases.size(), 3u);
  EXPECT_EQ(t.phases[1].clock_mhz, 500);
  EXPECT_EQ(t.phases[1].duration.value, 10'000'000);
  EXPECT_EQ(t.phases[1].counters.flops_fp32, 1'250u * 64);
  Counters sum;
  Picoseconds time;
  for (const Phase& phase : t.phases) sum.add(phase.counters), time += phase.duration;
  EXPECT_EQ(sum.flops_fp32, t.counters.flops_fp32);
  EXPECT_EQ(time, t.end - t.begin);
  EXPECT_NEAR(t.clock_mhz, static_cast<double>(t.cycles.value) / (static_cast<double>(time.value) * 1e-6),
              1e-6);
}

TEST(PowerWindow, TheClockMovesInStepsWithinItsRange) {
  SyntheticSource source(fma_code(), 1, 1, chain(50'000));
  const Script governor({733, 1, 5000});
  Device device(small_chip(), 1, &governor);
  const Timed t = run_all(device, {source.work()}).front();
  ASSERT_EQ(t.phases.size(), 3u);
  EXPECT_EQ(t.phases[1].clock_mhz, 730);
  EXPECT_EQ(t.phases[2].clock_mhz, 200);
  EXPECT_EQ(t.phases[0].clock_mhz, 1000);
}

TEST(PowerWindow, TimeSpentInDramStays) {
  Code code;
  code.load(0, 2, 2, 8);
  Words w;
  for (std::uint64_t i = 0; i < 2000; ++i) w.block(0).affine(i * (8192 + 64) * 128, 0, 1);
  SyntheticSource source(code, 1, 1, w);
  const Script governor({500});
  Device device(small_chip(), 1, &governor);
  const Timed t = run_all(device, {source.work()}).front();
  // Of 383 cycles a load, 178 are DRAM's and stay; the other 205 double. The first window is at full clock.
  const double loads = 8'000 / 383.0;
  EXPECT_NEAR(static_cast<double>(t.end.value - 10'000'000) / (2000 - loads) / 1000, 178 + 2 * 205, 1);
}

TEST(PowerWindow, ClockReadsAndTheTimelineAgree) {
  Code code = fma_code();
  SyntheticSource source(code, 1, 1, [](std::uint64_t, std::uint32_t) {
    return std::vector<std::vector<std::uint64_t>>(60, chain(1000).words);
  });
  source.coupled_ = true;
  const Script governor({500, 700});
  Device device(small_chip(), 1, &governor);
  const Timed t = run_all(device, {source.work()}).front();
  const auto& first = source.asked.front();
  const auto& last = source.asked.back();
  // The last question comes 1000 FMAs before the end.
  EXPECT_NEAR(static_cast<double>(first.nanoseconds), static_cast<double>(t.begin.value) / 1000, 1);
  EXPECT_NEAR(static_cast<double>(last.nanoseconds),
              static_cast<double>(t.end.value) / 1000 - 4 * 1000 / t.phases.back().clock_mhz * 1000, 10);
  EXPECT_NEAR(static_cast<double>(last.unit_cycles - first.unit_cycles), 4 * 59'000, 10);
  const double mhz = static_cast<double>(last.unit_cycles - first.unit_cycles) /
                     static_cast<double>(last.nanoseconds - first.nanoseconds) * 1000;
  EXPECT_NEAR(mhz, t.clock_mhz, 0.01 * t.clock_mhz);
}

TEST(PowerWindow, AnIdleDeviceGoesBackToTheFullClock) {
  SyntheticSource a(fma_code(), 1, 1, chain(10'000)), b(fma_code(), 1, 1, chain(10));
  class WhenBusy : public ClockGovernor {
    double clock_mhz(const Counters& c, Picoseconds, double) const override {
      return c.issue_slots ? 500 : 1000;
    }
  } governor;
  Device device(small_chip(), 1, &governor);
  const Timed slow = run_all(device, {a.work()}).front();
  Work late = b.work();
  late.not_before = slow.end + Picoseconds(1'000'000'000'000);  // a second later
  const Timed t = run_all(device, {late}).front();
  EXPECT_LT(slow.clock_mhz, 1000);
  EXPECT_EQ(t.clock_mhz, 1000);
  EXPECT_EQ(t.begin, late.not_before + Picoseconds(2'000'000));
}

TEST(PowerWindow, FromTheSecondOnWindowsOfABurstKeepToTheBoardsLimit) {
  // Every sub-core multiplies all the time, one wave of CTAs; a few loads on the way.
  chip::Spec chip = small_chip();
  chip.power.active_idle = 20;
  chip.power.instruction = 300;
  chip.power.fp32_flop = 2;
  chip.power.l1_byte = chip.power.l2_byte = 5;
  chip.power.hbm_byte = 20;
  chip.power.voltage_exponent = 1;
  chip.power.board_limit = 1e6;
  Code code;
  code.load(0, 8, 2, 16);
  for (int i = 0; i < 60; ++i) code.fma(4 + i % 4, 1, 2, 3);
  code.branch();
  const auto run = [&](double limit, int threads) {
    chip.power.board_limit = limit;
    struct Watching : public ClockGovernor {
      explicit Watching(const chip::Spec& spec) : chip(spec), governor(spec) {}
      double clock_mhz(const Counters& c, Picoseconds duration, double mhz) const override {
        watts.push_back(energy::estimate(chip, c, duration, mhz).average_power_w);
        return governor.clock_mhz(c, duration, mhz);
      }
      chip::Spec chip;
      energy::Governor governor;
      mutable std::vector<double> watts;
    } governor(chip);
    SyntheticSource source(code, 8, 8, [](std::uint64_t cta, std::uint32_t warp) {
      Words w;
      for (std::uint64_t i = 0; i < 350; ++i) w.block(0).affine(((i * 8 + cta) * 8 + warp) * 512, 16);
      return std::vector<std::vector<std::uint64_t>>{w.words};
    });
    Device device(chip, threads, &governor);
    const Timed t = run_all(device, {source.work(2)}).front();
    return std::pair(governor.watts, t);
  };
  const auto [free_watts, free_run] = run(1e6, 1);
  ASSERT_GT(free_watts.size(), 4u);
  const double limit = 20 + 0.6 * (free_watts[1] - 20);
  const auto [watts, capped] = run(limit, 1);
  ASSERT_GT(watts.size(), 6u);
  EXPECT_GT(watts[0], limit);
  EXPECT_LT(watts[1], 1.1 * limit);  // The first one, which it goes by, began with empty caches.
  for (std::size_t i = 2; i < watts.size(); ++i) EXPECT_LT(watts[i], 1.02 * limit) << i;
  // Rate and energy per event both go with the clock: 0.6 of the dynamic power at the root of 0.6.
  EXPECT_NEAR(capped.phases[1].clock_mhz, 1000 * std::sqrt(0.6), 50);
  const auto joules = energy::estimate(chip, capped.phases);
  double windows = 0;
  for (const double w : watts) windows += w * 10e-6;
  EXPECT_NEAR(joules.average_power_w, windows / (10e-6 * static_cast<double>(watts.size())), 0.1 * limit);
  // Whole counts, whole kilohertz: the same at any number of host threads.
  EXPECT_EQ(run(limit, 2).second.end, capped.end);
}

TEST(CoreClock, CyclesAndPicosecondsMapBothWays) {
  CoreClock clock(1410);
  for (const Cycle c : {Cycle{0}, Cycle{1}, Cycle{47}, Cycle{1'000'003}, Cycle{1} << 46}) {
    EXPECT_EQ(clock.from(clock.at(c)), c);
    EXPECT_EQ(clock.upto(clock.at(c)), c);
    EXPECT_EQ(clock.from(Picoseconds(clock.at(c).value + 1)), c + 1);
  }
  EXPECT_EQ(clock.at(1'410'000'000).value, 1'000'000'000'000);
  clock.change(1'410'000'000, 705);
  EXPECT_EQ(clock.at(1'410'000'000 + 705).value, 1'000'001'000'000);
  EXPECT_EQ(clock.from(Picoseconds(1'000'001'000'000)), 1'410'000'000 + 705);
  EXPECT_EQ(clock.cycles_in(Picoseconds(1'000'000)), 705);
}

}  // namespace
}  // namespace wanren::timing::test
