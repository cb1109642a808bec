#include "engine/grid.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <numeric>

#include "harness.h"

namespace wanren::engine::test {
namespace {

std::uint64_t resident_bytes() {
  std::FILE* file = std::fopen("/proc/self/statm", "r");
  unsigned long long all = 0, resident = 0;
  const int got = std::fscanf(file, "%llu %llu", &all, &resident);
  std::fclose(file);
  return got == 2 ? resident * 4096 : 0;
}

// A hand-made grid barrier: every warp adds one, then all spin until the last has come.
void grid_barrier(simt::WarpContext* ctx) {
  auto* words = parameter<std::uint64_t>(ctx);
  const std::uint64_t warps_per_cta = (ctx->ntid[0] + 31) / 32;
  const std::uint64_t all = std::uint64_t{ctx->nctaid[0]} * warps_per_cta;
  std::atomic_ref arrived(words[0]);
  ++arrived;
  while (arrived.load() < all) yield(ctx, simt::Yield::spin);
  words[1 + linear_cta(ctx) * warps_per_cta + ctx->warp_in_cta] = arrived.load();
}

TEST(Grid, AHandMadeGridBarrierEnds) {
  const auto arena = make_arena();
  auto* words = static_cast<std::uint64_t*>(*arena->allocate(8 * (1 + 100 * 3)));
  Program program(grid_barrier, {100, 1, 1}, {96, 1, 1});
  program.kernel->blocks[0].term.spins = true;
  program.kernel->waits_for_ctas = true;
  program.kernel->needs_coupling = true;
  const Execution done = execute(program.with(words), *arena, 2);
  ASSERT_EQ(done.fault.fault, simt::Fault::none) << done.fault.message;
  for (int i = 1; i <= 300; ++i) ASSERT_EQ(words[i], 300u);
}

TEST(Grid, ACooperativeGridOf264000ThreadsFitsIn2Gib) {
  const auto arena = make_arena();
  constexpr std::uint32_t ctas = 4125, threads = 64;
  static_assert(ctas * threads == 264000);
  auto* words = static_cast<std::uint64_t*>(*arena->allocate(8 * (1 + ctas * 2)));
  Program program(grid_barrier, {ctas, 1, 1}, {threads, 1, 1});
  program.kernel->blocks[0].term.spins = true;
  program.kernel->waits_for_ctas = true;
  program.kernel->static_shared_bytes = 1024;
  program.kernel->local_bytes = 64;
  program.launch.cooperative = true;
  const std::uint64_t before = resident_bytes();
  const Execution done = execute(program.with(words), *arena, 2);
  ASSERT_FALSE(done.refused) << done.refused->message();
  ASSERT_EQ(done.fault.fault, simt::Fault::none) << done.fault.message;
  for (std::uint32_t i = 1; i <= ctas * 2; ++i) ASSERT_EQ(words[i], ctas * 2);
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  EXPECT_LT(static_cast<std::uint64_t>(usage.ru_maxrss) * 1024, before + (std::uint64_t{2} << 30));
  RecordProperty("peak_bytes", std::to_string(static_cast<std::uint64_t>(usage.ru_maxrss) * 1024));
}

// Decoupled look-back, one warp per CTA: wait for the sum of the CTA before, then publish.
void look_back(simt::WarpContext* ctx) {
  auto* words = parameter<std::uint64_t>(ctx);
  const std::uint64_t cta = linear_cta(ctx);
  std::uint64_t before = 0;
  if (cta > 0) {
    std::atomic_ref flag(words[cta - 1]);
    while ((before = flag.load()) == 0) yield(ctx, simt::Yield::spin);
  }
  std::atomic_ref(words[cta]).store(before + cta + 1);
}

TEST(Grid, ALookBackScanOverMoreCtasThanAreResidentEnds) {
  const auto arena = make_arena();
  constexpr std::uint64_t ctas = 5000;
  auto* words = static_cast<std::uint64_t*>(*arena->allocate(8 * ctas));
  Program program(look_back, {ctas, 1, 1});
  program.kernel->blocks[0].term.spins = true;
  program.kernel->waits_for_ctas = true;
  program.launch.resident_ctas = 8;
  const Execution done = execute(program.with(words), *arena, 2);
  ASSERT_EQ(done.fault.fault, simt::Fault::none) << done.fault.message;
  EXPECT_EQ(words[ctas - 1], ctas * (ctas + 1) / 2);
}

void take_ticket(simt::WarpContext* ctx) {
  auto* words = parameter<std::uint64_t>(ctx);
  const std::uint64_t ticket = words[0]++;
  words[1 + ticket] = linear_cta(ctx);
  ctx->counts[0].warps += 1;
  ctx->counts[0].threads += static_cast<std::uint64_t>(std::popcount(ctx->entry_mask));
}

TEST(Grid, OrderSensitiveCtasRunInAscendingOrderAtAnyThreadCount) {
  const auto arena = make_arena();
  auto* words = static_cast<std::uint64_t*>(*arena->allocate(8 * 1001));
  for (const int threads : {1, 2, 8}) {
    words[0] = 0;
    Program program(take_ticket, {10, 20, 5}, {7, 1, 1});
    program.kernel->order_sensitive = true;
    const Execution done = execute(program.with(words), *arena, threads);
    for (std::uint64_t i = 0; i < 1000; ++i) ASSERT_EQ(words[1 + i], i);
    ASSERT_EQ(done.counts.size(), 1u);
    EXPECT_EQ(done.counts[0].warps, 1000u);
    EXPECT_EQ(done.counts[0].threads, 7000u);
  }
}

struct Seen {
  std::uint32_t runs, x, y, z;
  std::uint64_t clock;
};
void record_cta(simt::WarpContext* ctx) {
  Seen& seen = parameter<Seen>(ctx)[linear_cta(ctx)];
  ++seen.runs;
  seen.x = ctx->ctaid[0], seen.y = ctx->ctaid[1], seen.z = ctx->ctaid[2];
  yield(ctx, simt::Yield::clock);
  const std::uint64_t first = ctx->clock_cycles;
  yield(ctx, simt::Yield::clock);
  seen.clock = ctx->clock_cycles - first;
  ctx->counts[0].warps += 1;
}

TEST(Grid, EveryCtaRunsOnceAndResultsDoNotDependOnThreads) {
  const auto arena = make_arena();
  constexpr std::uint32_t x = 37, y = 11, z = 5;
  auto* seen = static_cast<Seen*>(*arena->allocate(sizeof(Seen) * x * y * z));
  std::vector<Seen> one;
  for (const int threads : {1, 2}) {
    std::memset(static_cast<void*>(seen), 0, sizeof(Seen) * x * y * z);
    Program program(record_cta, {x, y, z});
    const Execution done = execute(program.with(seen), *arena, threads);
    ASSERT_EQ(done.fault.fault, simt::Fault::none) << done.fault.message;
    EXPECT_EQ(done.counts[0].warps, x * y * z);
    EXPECT_GT(done.wall_s, 0);
    for (std::uint32_t i = 0; i < x * y * z; ++i) {
      ASSERT_EQ(seen[i].runs, 1u);
      ASSERT_EQ(seen[i].x, i % x);
      ASSERT_EQ(seen[i].y, i / x % y);
      ASSERT_EQ(seen[i].z, i / x / y);
      ASSERT_GT(seen[i].clock, 0u);
    }
    if (threads == 1)
      one.assign(seen, seen + x * y * z);
    else
      EXPECT_EQ(std::memcmp(one.data(), seen, sizeof(Seen) * one.size()), 0);
  }
}

void wait_for_clock(simt::WarpContext* ctx) {
  yield(ctx, simt::Yield::clock);
  const std::uint64_t start = ctx->clock_cycles;
  do yield(ctx, simt::Yield::clock);
  while (ctx->clock_cycles - start < 100000);
  ctx->sleep_ns = 1000000;
  const std::uint64_t before = ctx->clock_ns;
  yield(ctx, simt::Yield::sleep);
  yield(ctx, simt::Yield::clock);
  *parameter<std::uint64_t>(ctx) = ctx->clock_ns - before;
}

TEST(Grid, LoopsThatWaitForTheClockEndAndSleepLetsTimePass) {
  const auto arena = make_arena();
  auto* slept = static_cast<std::uint64_t*>(*arena->allocate(8));
  Program program(wait_for_clock);
  ASSERT_EQ(execute(program.with(slept), *arena, 1).fault.fault, simt::Fault::none);
  EXPECT_GE(*slept, 1000000u);
}

void write_local(simt::WarpContext* ctx) {
  auto* wrong = parameter<std::uint32_t>(ctx);
  for (std::uint32_t lane = 0; lane < 32; ++lane)
    std::memset(ctx->local_base + lane * ctx->local_bytes, static_cast<int>(ctx->warp_in_cta + 1),
                ctx->local_bytes);
  barrier(ctx);
  for (std::uint32_t i = 0; i < 32 * ctx->local_bytes; ++i)
    if (ctx->local_base[i] != ctx->warp_in_cta + 1) ++*wrong;
}

TEST(Grid, WarpsHaveLocalFramesOfTheirOwn) {
  const auto arena = make_arena();
  auto* wrong = static_cast<std::uint32_t*>(*arena->allocate(4));
  Program program(write_local, {3, 1, 1}, {256, 1, 1});
  program.kernel->local_bytes = 4112;
  ASSERT_EQ(execute(program.with(wrong), *arena, 1).fault.fault, simt::Fault::none);
  EXPECT_EQ(*wrong, 0u);
}

void nothing(simt::WarpContext*) {}

TEST(Grid, ShapesThatCannotRunAreRefusedWithAReason) {
  const auto arena = make_arena();
  Program too_many(nothing, {}, {1025, 1, 1});
  EXPECT_NE(execute(too_many.with(nullptr), *arena, 1).refused->cause.find("1024"), std::string::npos);
  Program none(nothing, {0, 1, 1});
  EXPECT_TRUE(execute(none.with(nullptr), *arena, 1).refused);
  Program shared(nothing);
  shared.launch.dynamic_shared_bytes = 3 << 20;
  EXPECT_NE(execute(shared.with(nullptr), *arena, 1).refused->cause.find("shared memory"), std::string::npos);
}

}  // namespace
}  // namespace wanren::engine::test
