// What it costs the engine to let a warp give way: the path of a barrier, of a bare switch, of a new CTA.

#include <benchmark/benchmark.h>

#include <cstring>

#include "engine/arena.h"
#include "engine/cta.h"
#include "engine/fiber.h"
#include "engine/grid.h"
#include "support/result.h"

namespace {

using namespace wanren;

class HostCode final : public engine::KernelCode {
 public:
  explicit HostCode(simt::WarpEntry entry) : entry_(entry) {}
  simt::WarpEntry entry() const override { return entry_; }
  std::span<const simt::LanePattern> patterns() const override { return {}; }
  std::size_t stack_bytes() const override { return 64 << 10; }
  bool locate(std::uintptr_t, simt::BlockId&, std::uint32_t&) const override { return false; }
  double compile_seconds() const override { return 0; }

 private:
  simt::WarpEntry entry_;
};

std::uint64_t barriers_per_warp;

void cross_barriers(simt::WarpContext* ctx) {
  for (std::uint64_t i = 0; i < barriers_per_warp; ++i) {
    ctx->barrier_id = 0;
    ctx->barrier_threads = 0;
    ctx->barrier_kind = static_cast<std::uint32_t>(ptx::Barrier::sync);
    ctx->barrier_mask = ctx->entry_mask;
    ctx->yield = simt::Yield::barrier;
    engine::switch_to_engine(ctx);
  }
}

void give_way_for_ever(simt::WarpContext* ctx) {
  for (;;) engine::switch_to_engine(ctx);
}

engine::Launch launch(simt::WarpEntry entry, Dim3 grid, Dim3 block) {
  engine::Launch what;
  auto kernel = std::make_shared<simt::Kernel>();
  kernel->blocks.resize(1);
  what.kernel = kernel;
  what.code = std::make_shared<HostCode>(entry);
  what.name = "bench";
  what.grid = grid;
  what.block = block;
  return what;
}

std::unique_ptr<engine::Arena> make_arena() {
  auto arena = engine::Arena::create({std::uint64_t{1} << 30, std::uint64_t{1} << 30});
  WR_CHECK(arena.has_value());
  return std::move(*arena);
}

void bare_switch_pair(benchmark::State& state) {
  const auto warps = static_cast<std::size_t>(state.range(0));
  std::vector<simt::WarpContext> contexts(warps);
  std::vector<engine::Stack> stacks;
  for (auto& ctx : contexts) {
    std::memset(static_cast<void*>(&ctx), 0, sizeof ctx);
    stacks.push_back(*engine::StackPool::instance().take(64 << 10));
    engine::prepare_fiber(&ctx, stacks.back(), give_way_for_ever);
  }
  std::size_t w = 0;
  for (auto _ : state) {
    engine::switch_to_warp(&contexts[w]);
    w = w + 1 == warps ? 0 : w + 1;
  }
  for (const auto& stack : stacks) engine::StackPool::instance().give(stack);
}
BENCHMARK(bare_switch_pair)->Arg(1)->Arg(8)->Arg(32);

void barrier_crossing_per_warp(benchmark::State& state) {
  const auto arena = make_arena();
  const auto warps = static_cast<std::uint32_t>(state.range(0));
  barriers_per_warp = 20000;
  const auto what = launch(cross_barriers, {}, {warps * 32, 1, 1});
  for (auto _ : state) WR_CHECK(engine::execute(what, *arena, 1).fault.fault == simt::Fault::none);
  state.counters["per_crossing"] =
      benchmark::Counter(static_cast<double>(state.iterations() * warps * barriers_per_warp),
                         benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}
BENCHMARK(barrier_crossing_per_warp)->Arg(2)->Arg(8)->Arg(32);

void empty_cta(benchmark::State& state) {
  const auto arena = make_arena();
  barriers_per_warp = 0;
  constexpr std::uint32_t ctas = 10000;
  const auto warps = static_cast<std::uint32_t>(state.range(0));
  const auto what = launch(cross_barriers, {ctas, 1, 1}, {warps * 32, 1, 1});
  for (auto _ : state) WR_CHECK(engine::execute(what, *arena, 1).fault.fault == simt::Fault::none);
  state.counters["per_cta"] = benchmark::Counter(static_cast<double>(state.iterations() * ctas),
                                                 benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}
BENCHMARK(empty_cta)->Arg(1)->Arg(8)->Arg(32);

}  // namespace

BENCHMARK_MAIN();
