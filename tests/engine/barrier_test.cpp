#include <gtest/gtest.h>

#include "harness.h"

namespace wanren::engine::test {
namespace {

class Barriers : public testing::TestWithParam<std::uint32_t> {};

// Each thread writes its index to shared memory; after the barrier each reads its mirror image.
void reverse_through_shared(simt::WarpContext* ctx) {
  auto* out = parameter<std::uint32_t>(ctx);
  auto* shared = reinterpret_cast<std::uint32_t*>(ctx->shared_base);
  const std::uint32_t threads = ctx->ntid[0];
  for (LaneMask left = ctx->entry_mask; left != 0; left &= left - 1) {
    const std::uint32_t t = ctx->tid[std::countr_zero(left)];
    shared[t] = t + 1000;
  }
  barrier(ctx);
  for (LaneMask left = ctx->entry_mask; left != 0; left &= left - 1) {
    const std::uint32_t t = ctx->tid[std::countr_zero(left)];
    out[linear_cta(ctx) * threads + t] = shared[threads - 1 - t];
  }
}

TEST_P(Barriers, ABarrierOrdersWritesBeforeReadsOfOtherWarps) {
  const std::uint32_t threads = GetParam();
  const auto arena = make_arena();
  Program program(reverse_through_shared, {5, 1, 1}, {threads, 1, 1});
  program.kernel->static_shared_bytes = threads * 4;
  auto* out = static_cast<std::uint32_t*>(*arena->allocate(5 * threads * 4));
  for (const int host_threads : {1, 2}) {
    std::memset(out, 0, 5 * threads * 4);
    const Execution done = execute(program.with(out), *arena, host_threads);
    ASSERT_EQ(done.fault.fault, simt::Fault::none) << done.fault.message;
    for (std::uint32_t i = 0; i < 5 * threads; ++i)
      ASSERT_EQ(out[i], threads - 1 - i % threads + 1000) << "at " << i;
  }
}

INSTANTIATE_TEST_SUITE_P(two_to_thirty_two_warps_and_partial_ones, Barriers,
                         testing::Values(1, 31, 33, 64, 100, 128, 1000, 1024));

void reduce(simt::WarpContext* ctx) {
  auto* out = parameter<std::uint32_t>(ctx);
  LaneMask odd = 0;  // Predicate: the thread's index is odd.
  for (LaneMask left = ctx->entry_mask; left != 0; left &= left - 1)
    if (ctx->tid[std::countr_zero(left)] % 2 == 1) odd |= left & -left;
  const std::uint32_t count = barrier(ctx, 0, 0, ptx::Barrier::red_popc, odd);
  const std::uint32_t all = barrier(ctx, 0, 0, ptx::Barrier::red_and, odd);
  const std::uint32_t any = barrier(ctx, 0, 0, ptx::Barrier::red_or, odd);
  const std::uint32_t truly_all = barrier(ctx, 0, 0, ptx::Barrier::red_and, full_mask);
  const std::uint32_t none = barrier(ctx, 0, 0, ptx::Barrier::red_or, 0);
  const std::uint32_t got[] = {count, all, any, truly_all, none};
  std::memcpy(out + 5 * ctx->warp_in_cta, got, sizeof got);
}

TEST(Barrier, RedCountsAndCombinesThePredicatesOfExistingThreads) {
  const auto arena = make_arena();
  Program program(reduce, {}, {75, 1, 1});
  auto* out = static_cast<std::uint32_t*>(*arena->allocate(3 * 5 * 4));
  const Execution done = execute(program.with(out), *arena, 1);
  ASSERT_EQ(done.fault.fault, simt::Fault::none) << done.fault.message;
  for (int w = 0; w < 3; ++w) {
    EXPECT_EQ(out[5 * w + 0], 75u / 2);
    EXPECT_EQ(out[5 * w + 1], 0u);
    EXPECT_EQ(out[5 * w + 2], 1u);
    EXPECT_EQ(out[5 * w + 3], 1u);
    EXPECT_EQ(out[5 * w + 4], 0u);
  }
}

void last_warps_leave_early(simt::WarpContext* ctx) {
  if (ctx->warp_in_cta >= 2) return;
  barrier(ctx);
  parameter<std::uint32_t>(ctx)[ctx->warp_in_cta] = 1;
}

TEST(Barrier, WarpsThatExitedAreNotWaitedFor) {
  const auto arena = make_arena();
  Program program(last_warps_leave_early, {}, {128, 1, 1});
  auto* out = static_cast<std::uint32_t*>(*arena->allocate(8));
  const Execution done = execute(program.with(out), *arena, 1);
  ASSERT_EQ(done.fault.fault, simt::Fault::none) << done.fault.message;
  EXPECT_EQ(out[0], 1u);
  EXPECT_EQ(out[1], 1u);
}

// Warp 0 produces, warps 1 and 2 consume: bar.arrive on one named barrier, bar.sync on it.
void producer_consumer(simt::WarpContext* ctx) {
  auto* out = parameter<std::uint32_t>(ctx);
  auto* shared = reinterpret_cast<std::uint32_t*>(ctx->shared_base);
  for (std::uint32_t round = 0; round < 3; ++round) {
    if (ctx->warp_in_cta == 0) {
      barrier(ctx, 2, 96);  // Wait until the buffer is free.
      *shared = round + 1;
      barrier(ctx, 1, 96, ptx::Barrier::arrive);
    } else {
      barrier(ctx, 2, 96, ptx::Barrier::arrive);
      barrier(ctx, 1, 96);
      out[ctx->warp_in_cta] += *shared;
    }
  }
}

TEST(Barrier, ArriveDoesNotWaitAndNamedBarriersAreApart) {
  const auto arena = make_arena();
  Program program(producer_consumer, {}, {96, 1, 1});
  program.kernel->static_shared_bytes = 4;
  auto* out = static_cast<std::uint32_t*>(*arena->allocate(12));
  const Execution done = execute(program.with(out), *arena, 1);
  ASSERT_EQ(done.fault.fault, simt::Fault::none) << done.fault.message;
  EXPECT_EQ(out[1], 1u + 2 + 3);
  EXPECT_EQ(out[2], 1u + 2 + 3);
}

void one_warp_misses_a_counted_barrier(simt::WarpContext* ctx) {
  if (ctx->warp_in_cta != 3) barrier(ctx, 5, 128);
}

TEST(Barrier, ACountThatIsNeverReachedIsReportedAsDeadlock) {
  const auto arena = make_arena();
  Program program(one_warp_misses_a_counted_barrier, {}, {128, 1, 1});
  const Execution done = execute(program.with(nullptr), *arena, 1);
  EXPECT_EQ(done.fault.fault, simt::Fault::deadlock);
  EXPECT_NE(done.fault.message.find("barrier 5 has 3 of 4 warps"), std::string::npos) << done.fault.message;
}

void different_barriers(simt::WarpContext* ctx) {
  barrier(ctx, ctx->warp_in_cta);
}

TEST(Barrier, WarpsAtDifferentBarriersAreADeadlock) {
  const auto arena = make_arena();
  Program program(different_barriers, {}, {64, 1, 1});
  EXPECT_EQ(execute(program.with(nullptr), *arena, 1).fault.fault, simt::Fault::deadlock);
}

}  // namespace
}  // namespace wanren::engine::test
