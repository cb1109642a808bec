#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "synthetic_source.h"
#include "timing/verify.h"

namespace wanren::timing::test {
namespace {

constexpr std::uint32_t warps = 4;

/// A CTA streams through memory of its own and computes; `iterations(cta)` times.
std::unique_ptr<SyntheticSource> stream(std::uint64_t ctas, std::function<int(std::uint64_t)> iterations,
                                        std::uint64_t footprint = ~0ull) {
  Code code;
  code.load(0, 8, 2).fma(4, 8, 1, 4).fma(5, 4, 1, 5).store(1, 2).branch();
  return std::make_unique<SyntheticSource>(code, ctas, warps, [=](std::uint64_t cta, std::uint32_t warp) {
    Words w;
    for (int i = 0; i < iterations(cta); ++i) {
      const std::uint64_t at = ((cta * 16 + static_cast<std::uint64_t>(i)) * warps + warp) * 128 % footprint;
      w.block(0).affine((1 << 30) + at, 4).affine((2u << 30) + at, 4);
    }
    return std::vector<std::vector<std::uint64_t>>{w.words};
  });
}

int always(std::uint64_t) {
  return 8;
}

Timed run(SyntheticSource& source, bool sampled, int threads = 1, Cycle quantum = 0) {
  Device device(small_chip(2), threads, nullptr, quantum, sampled);
  return run_all(device, {source.work(8)}).front();
}

double off(const Timed& a, const Timed& b) {
  return std::abs(static_cast<double>(a.cycles.value) / static_cast<double>(b.cycles.value) - 1);
}

std::vector<simt::BlockCount> executed(SyntheticSource& source) {
  std::vector<simt::BlockCount> counts(source.kernel().blocks.size());
  const trace::CtaRange all{0, source.ctas()};
  source.run_untraced({&all, 1}, counts);
  return counts;
}

TEST(Sampling, ALargeRegularGridIsSimulatedInPartAndTakesItsTime) {
  const auto whole = stream(40'000, always), part = stream(40'000, always);
  const Timed full = run(*whole, false), sampled = run(*part, true);
  EXPECT_EQ(whole->untraced, 0u);
  EXPECT_GT(part->untraced, 20'000u);
  EXPECT_EQ(part->untraced + part->ended, 40'000u);
  EXPECT_GE(sampled.ctas_passed_over, part->untraced);  // Some only for L2.
  EXPECT_LT(off(sampled, full), 0.02);
  EXPECT_LT(sampled.sampling_error, 0.05);
  EXPECT_EQ(full.ctas_passed_over, 0u);
  EXPECT_EQ(full.sampling_error, 0);
}

TEST(Sampling, CountersAddUpAndAgreeWithAFullRun) {
  const auto whole = stream(40'000, always), part = stream(40'000, always);
  const Timed full = run(*whole, false), sampled = run(*part, true);
  EXPECT_EQ(verify(small_chip(2), part->program(), executed(*part), sampled), "");
  EXPECT_EQ(sampled.counters.warp_instructions, full.counters.warp_instructions);
  EXPECT_EQ(sampled.counters.ctas, full.counters.ctas);
  const auto close = [](std::uint64_t a, std::uint64_t b) {
    EXPECT_NEAR(static_cast<double>(a), static_cast<double>(b), 0.03 * static_cast<double>(b));
  };
  close(sampled.counters.dram_read_bytes, full.counters.dram_read_bytes);
  close(sampled.counters.l2_read_sectors, full.counters.l2_read_sectors);
  close(sampled.counters.d2d_wire_bytes, full.counters.d2d_wire_bytes);
  close(sampled.counters.warp_cycles, full.counters.warp_cycles);
}

TEST(Sampling, CtasOfUnequalLengthTakeTheirTime) {
  const auto uneven = [](std::uint64_t cta) { return static_cast<int>(2 + (cta * 2654435761u >> 7) % 14); };
  const auto whole = stream(60'000, uneven), part = stream(60'000, uneven);
  const Timed full = run(*whole, false), sampled = run(*part, true);
  EXPECT_GT(sampled.ctas_passed_over, 10'000u);
  EXPECT_LT(off(sampled, full), 0.03);
  EXPECT_EQ(sampled.counters.warp_instructions, full.counters.warp_instructions);
}

TEST(Sampling, AGridThatChangesInTheMiddleIsOffByNoMoreThanItSays) {
  // Its second half computes longer on the same data.
  const auto change = [](std::uint64_t cta) { return cta < 40'000 ? 8 : 16; };
  const auto whole = stream(80'000, change), part = stream(80'000, change);
  const Timed full = run(*whole, false), sampled = run(*part, true);
  EXPECT_GT(sampled.ctas_passed_over, 0u);
  EXPECT_LT(off(sampled, full), std::max(sampled.sampling_error, 0.02));
}

TEST(Sampling, ShortAndCoupledGridsAreSimulatedWhole) {
  const auto few = stream(200, always);
  EXPECT_EQ(run(*few, true).ctas_passed_over, 0u);
  const auto coupled = stream(20'000, always);
  coupled->coupled_ = true;
  EXPECT_EQ(run(*coupled, true).ctas_passed_over, 0u);
}

TEST(Sampling, NothingDependsOnThreadsOrTheQuantum) {
  const auto first = stream(30'000, always);
  const Timed expected = run(*first, true);
  ASSERT_GT(expected.ctas_passed_over, 0u);
  for (const int threads : {1, 3})
    for (const Cycle quantum : {Cycle{0}, Cycle{37}, Cycle{113}}) {
      const auto again = stream(30'000, always);
      const Timed t = run(*again, true, threads, quantum);
      EXPECT_EQ(t.end.value, expected.end.value) << threads << " threads, quantum " << quantum;
      EXPECT_EQ(t.counters.dram_read_bytes, expected.counters.dram_read_bytes);
      EXPECT_EQ(t.counters.stall_cycles, expected.counters.stall_cycles);
    }
}

/// Two grids with other work beside them; the host looks at some moments, or at none.
std::vector<std::int64_t> ends(const std::vector<std::int64_t>& looks_us) {
  const auto first = stream(30'000, always), second = stream(30'000, always);
  Device device(small_chip(2), 1, nullptr, 0, true);
  std::vector<JobRef> jobs = {device.admit(first->work(8))};
  Work next = second->work(8);
  next.after = {jobs[0]};
  jobs.push_back(device.admit(std::move(next)));
  for (const std::int64_t at : {5, 150, 310}) {
    for (const std::int64_t look : looks_us)
      if (look < at) device.advance_to(Picoseconds(look * 1'000'000));
    Work copy;
    copy.copy.kind = CopyKind::fill;
    copy.copy.bytes = 1 << 20;
    copy.not_before = Picoseconds(at * 1'000'000);
    jobs.push_back(device.admit(std::move(copy)));
  }
  device.advance_all();
  EXPECT_GT(jobs[0]->timed.ctas_passed_over + jobs[1]->timed.ctas_passed_over, 0u);
  std::vector<std::int64_t> result;
  for (const JobRef& job : jobs) result.push_back(job->timed.end.value);
  return result;
}

TEST(Sampling, NothingDependsOnWhenTheHostLooks) {
  const auto expected = ends({});
  EXPECT_EQ(ends({1, 4, 90, 149}), expected);
  std::minstd_rand random(7);
  for (int run = 0; run < 6; ++run) {
    std::vector<std::int64_t> looks;
    for (int i = 0; i < 8; ++i) looks.push_back(static_cast<std::int64_t>(random() % 310));
    std::sort(looks.begin(), looks.end());
    EXPECT_EQ(ends(looks), expected);
  }
}

/// A second grid over the same data finds in L2 what it would have found.
TEST(Sampling, L2HoldsAfterwardsWhatAFullRunLeaves) {
  for (const std::uint64_t footprint : {std::uint64_t{3} << 20, ~std::uint64_t{0}}) {
    std::vector<double> hits;
    for (const bool sampled : {false, true}) {
      const auto first = stream(30'000, always, footprint), second = stream(2'000, always, footprint);
      Device device(small_chip(1), 1, nullptr, 0, sampled);
      const auto timed = run_all(device, {first->work(8), second->work(8)}, {{}, {0}});
      EXPECT_EQ(timed[0].ctas_passed_over > 0, sampled);
      const Counters& c = timed[1].counters;
      hits.push_back(static_cast<double>(c.l2_hit_sectors) /
                     static_cast<double>(c.l2_read_sectors + c.l2_write_sectors));
    }
    EXPECT_NEAR(hits[1], hits[0], 0.03);
  }
}

}  // namespace
}  // namespace wanren::timing::test
