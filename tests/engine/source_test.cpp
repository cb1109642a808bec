#include "engine/source.h"

#include <gtest/gtest.h>

#include <thread>

#include "engine/faults.h"
#include "harness.h"
#include "trace/trace.h"

namespace wanren::engine::test {
namespace {

void write_word(simt::WarpContext* ctx, std::uint64_t word) {
  if (ctx->trace_cursor > ctx->trace_limit) yield(ctx, simt::Yield::trace_full);
  *ctx->trace_cursor++ = word;
}

std::uint64_t tag(std::uint64_t cta, std::uint32_t warp, std::uint64_t n) {
  return cta << 40 | std::uint64_t{warp} << 32 | n;
}

struct Consumed {
  std::vector<std::uint64_t> words;
  std::vector<trace::Chunk::End> ends;
};

Consumed consume(trace::WarpSource& source, trace::CtaHandle cta, std::uint32_t warp,
                 std::size_t until = SIZE_MAX) {
  Consumed got;
  while (got.words.size() < until) {
    const trace::Chunk chunk = source.next(cta, warp, {});
    got.words.insert(got.words.end(), chunk.words.begin(), chunk.words.end());
    got.ends.push_back(chunk.end);
    if (chunk.end == trace::Chunk::End::exited) break;
    if (chunk.words.empty() && chunk.end == trace::Chunk::End::more) {
      ADD_FAILURE() << "an empty chunk";
      break;
    }
  }
  return got;
}

void many_words(simt::WarpContext* ctx) {
  for (std::uint64_t i = 0; i < 20000; ++i) write_word(ctx, tag(linear_cta(ctx), ctx->warp_in_cta, i));
  ctx->counts[0].warps += 1;
}

TEST(TraceSource, ALongTraceComesInChunksWithoutLoss) {
  const auto arena = make_arena();
  Program program(many_words, {3, 1, 1}, {64, 1, 1});
  const auto source = *trace_source(program.with(nullptr), *arena);
  EXPECT_EQ(source->ctas(), 3u);
  EXPECT_EQ(source->warps_per_cta(), 2u);
  EXPECT_FALSE(source->ordered());
  for (std::uint64_t linear : {2, 0, 1}) {
    const auto cta = source->begin_cta(linear, 1);
    for (std::uint32_t warp = 0; warp < 2; ++warp) {
      const Consumed got = consume(*source, cta, warp);
      ASSERT_EQ(got.words.size(), 20000u);
      for (std::uint64_t i = 0; i < 20000; ++i) ASSERT_EQ(got.words[i], tag(linear, warp, i));
      EXPECT_GT(got.ends.size(), 4u);
    }
    source->end_cta(cta);
  }
  const Execution done = source->execution();
  EXPECT_EQ(done.counts[0].warps, 6u);
  EXPECT_GT(done.wall_s, 0);
  EXPECT_EQ(done.fault.fault, simt::Fault::none);
}

// Twice the buffer and a barrier: asking for one warp makes the others run ahead.
void exchange(simt::WarpContext* ctx) {
  auto* shared = reinterpret_cast<std::uint32_t*>(ctx->shared_base);
  for (std::uint64_t i = 0; i < 9000; ++i) write_word(ctx, tag(0, ctx->warp_in_cta, i));
  shared[ctx->warp_in_cta] = ctx->warp_in_cta + 50;
  barrier(ctx);
  write_word(ctx, shared[(ctx->warp_in_cta + 1) % 4]);
}

TEST(TraceSource, PastABarrierTheOtherWarpsHaveRun) {
  const auto arena = make_arena();
  Program program(exchange, {}, {128, 1, 1});
  program.kernel->static_shared_bytes = 16;
  const auto source = *trace_source(program.with(nullptr), *arena);
  const auto cta = source->begin_cta(0, 0);
  for (const std::uint32_t warp : {3, 0, 2, 1}) {
    const Consumed got = consume(*source, cta, warp);
    ASSERT_EQ(got.words.size(), 9001u);
    for (std::uint64_t i = 0; i < 9000; ++i) ASSERT_EQ(got.words[i], tag(0, warp, i));
    EXPECT_EQ(got.words[9000], (warp + 1) % 4 + 50);
  }
  source->end_cta(cta);
}

void time_and_spin(simt::WarpContext* ctx) {
  write_word(ctx, 1);
  yield(ctx, simt::Yield::clock);
  write_word(ctx, ctx->clock_cycles);
  ctx->sleep_ns = 77;
  yield(ctx, simt::Yield::sleep);
  write_word(ctx, ctx->clock_ns);
  yield(ctx, simt::Yield::spin);
  write_word(ctx, 3);
}

TEST(TraceSource, CoupledWarpsStopWhereTheySeeTimeAndGetTheMoment) {
  const auto arena = make_arena();
  Program program(time_and_spin);
  program.kernel->needs_coupling = true;
  program.kernel->blocks[0].term.spins = true;
  program.kernel->waits_for_ctas = true;
  const auto source = *trace_source(program.with(nullptr), *arena);
  EXPECT_FALSE(source->ordered()) << "time is the unit's own";
  const auto cta = source->begin_cta(0, 0);
  using End = trace::Chunk::End;
  const auto expect = [&](trace::Moment now, std::uint64_t word, End end, std::uint64_t sleep) {
    const trace::Chunk chunk = source->next(cta, 0, now);
    ASSERT_EQ(chunk.words.size(), 1u);
    EXPECT_EQ(chunk.words[0], word);
    EXPECT_EQ(chunk.end, end);
    EXPECT_EQ(chunk.sleep_ns, sleep);
  };
  expect({1, 1}, 1, End::coupled, 0);
  expect({123, 456}, 123, End::coupled, 77);
  expect({999, 600}, 600, End::coupled, 0);
  expect({1000, 601}, 3, End::exited, 0);
  source->end_cta(cta);
}

TEST(TraceSource, OrderSensitiveKernelsArePulledInOrder) {
  const auto arena = make_arena();
  Program program(many_words);
  program.kernel->order_sensitive = true;
  EXPECT_TRUE((*trace_source(program.with(nullptr), *arena))->ordered());
}

TEST(TraceSource, CtasMayBePulledByDifferentThreads) {
  const auto arena = make_arena();
  Program program(many_words, {64, 1, 1}, {96, 1, 1});
  const auto source = *trace_source(program.with(nullptr), *arena);
  std::atomic<std::uint64_t> next{0}, sum{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&] {
      for (std::uint64_t linear; (linear = next++) < 64;) {
        const auto cta = source->begin_cta(linear, 0);
        for (std::uint32_t warp = 0; warp < 3; ++warp)
          for (const std::uint64_t word : consume(*source, cta, warp).words) sum += word;
        source->end_cta(cta);
      }
    });
  for (auto& thread : threads) thread.join();
  std::uint64_t expected = 0;
  for (std::uint64_t cta = 0; cta < 64; ++cta)
    for (std::uint32_t warp = 0; warp < 3; ++warp)
      expected += 20000 * tag(cta, warp, 0) + 19999ull * 20000 / 2;
  EXPECT_EQ(sum, expected);
  EXPECT_EQ(source->execution().counts[0].warps, 64u * 3);
}

void fault_in_second_chunk(simt::WarpContext* ctx) {
  write_word(ctx, 1);
  yield(ctx, simt::Yield::spin);
  *masked<volatile int>(ctx, 0x10) = 1;
}

void exit_at_once(simt::WarpContext* ctx) {
  ctx->counts[0].warps += 1;
}

/// Begins CTAs of `source` until one more would be more than `most`, then ends them all.
void fill_and_drain(TraceSource& source, std::uint64_t most) {
  std::vector<trace::CtaHandle> live;
  for (std::uint64_t i = 0; i < std::min(most, source.ctas()); ++i) live.push_back(source.begin_cta(i, 0));
  for (const trace::CtaHandle cta : live) {
    consume(source, cta, 0);
    source.end_cta(cta);
  }
}

TEST(TraceSource, AGridThatHasEndedKeepsNoWindows) {
  const auto arena = make_arena();
  const std::uint64_t ctas = arena->window_count();
  Program program(exit_at_once, {static_cast<std::uint32_t>(ctas), 1, 1});
  const auto first = *trace_source(program.with(nullptr), *arena);
  fill_and_drain(*first, ctas);
  // Every window is free again while `first` lives.
  std::vector<Window> windows;
  for (std::uint64_t i = 0; i < ctas; ++i) {
    auto window = arena->acquire_window(4096, 0);
    ASSERT_TRUE(window.has_value()) << i;
    windows.push_back(*window);
  }
  for (const Window& window : windows) arena->release_window(window);
  EXPECT_FALSE(first->failed());
}

TEST(TraceSource, ARunningGridGivesIdleWindowsToAnother) {
  const auto arena = make_arena();
  const std::uint32_t most = arena->window_count();
  Program program(exit_at_once, {2 * most, 1, 1});
  const auto first = *trace_source(program.with(nullptr), *arena);
  const auto second = *trace_source(program.with(nullptr), *arena);
  fill_and_drain(*first, most);   // Half of it: CTAs are still to come.
  fill_and_drain(*second, most);  // As many as there are windows.
  EXPECT_FALSE(first->failed());
  EXPECT_FALSE(second->failed());
  EXPECT_EQ(second->execution().counts[0].warps, most);
}

TEST(TraceSource, AFaultEndsEveryChunkAndIsInTheExecution) {
  const auto arena = make_arena();
  Program program(fault_in_second_chunk, {2, 1, 1});
  program.kernel->blocks[0].term.spins = true;
  program.kernel->waits_for_ctas = true;
  const auto source = *trace_source(program.with(nullptr), *arena);
  const auto one = source->begin_cta(0, 0), two = source->begin_cta(1, 0);
  EXPECT_EQ(source->next(one, 0, {}).words.size(), 1u);
  EXPECT_EQ(source->next(one, 0, {}).end, trace::Chunk::End::exited);
  EXPECT_TRUE(source->failed());
  EXPECT_EQ(source->next(two, 0, {}).end, trace::Chunk::End::exited);
  source->end_cta(one);
  source->end_cta(two);
  EXPECT_EQ(source->execution().fault.fault, simt::Fault::illegal_address);
  EXPECT_EQ(source->execution().fault.address, 0x10u);
}

void wait_at_counted_barrier(simt::WarpContext* ctx) {
  write_word(ctx, 5);
  if (ctx->warp_in_cta == 0) barrier(ctx, 1, 64);
}

TEST(TraceSource, ADeadlockIsFoundWhenTheWaitingWarpIsAsked) {
  const auto arena = make_arena();
  Program program(wait_at_counted_barrier, {}, {64, 1, 1});
  const auto source = *trace_source(program.with(nullptr), *arena);
  const auto cta = source->begin_cta(0, 0);
  EXPECT_EQ(source->next(cta, 0, {}).words.size(), 1u);
  EXPECT_EQ(source->next(cta, 0, {}).end, trace::Chunk::End::exited);
  EXPECT_EQ(source->execution().fault.fault, simt::Fault::deadlock);
  source->end_cta(cta);
}

void endless(simt::WarpContext*) {
  volatile bool forever = true;
  while (forever) {
  }
}

TEST(TraceSource, AnEndlessWarpEndsAtTheTimeLimit) {
  const auto arena = make_arena();
  set_kernel_time_limit_s(0.05);
  Program program(endless);
  const auto source = *trace_source(program.with(nullptr), *arena);
  const auto cta = source->begin_cta(0, 0);
  EXPECT_EQ(source->next(cta, 0, {}).end, trace::Chunk::End::exited);
  EXPECT_EQ(source->execution().fault.fault, simt::Fault::timeout);
  source->end_cta(cta);
  set_kernel_time_limit_s(0);
}

}  // namespace
}  // namespace wanren::engine::test
