// Real kernels, from PTX to results, through the interpreter.

#include <gtest/gtest.h>

#include "engine/faults.h"
#include "engine/interpreted.h"
#include "harness.h"
#include "ptx/module.h"
#include "trace/trace.h"

namespace wanren::engine::test {
namespace {

constexpr const char* module_text = R"(.version 7.8
.target sm_80
.address_size 64

.visible .entry reverse(.param .u64 out)
{
  .reg .pred %p<2>;
  .reg .b32 %r<12>;
  .reg .b64 %rd<6>;
  .shared .align 4 .b8 buffer[4096];
  mov.u32 %r1, %tid.x;
  mov.u32 %r2, %ntid.x;
  mov.u32 %r3, %ctaid.x;
  mad.lo.s32 %r4, %r3, %r2, %r1;
  shl.b32 %r5, %r1, 2;
  mov.u32 %r6, buffer;
  add.s32 %r7, %r6, %r5;
  st.shared.u32 [%r7], %r4;
  bar.sync 0;
  sub.s32 %r8, %r2, %r1;
  add.s32 %r8, %r8, -1;
  shl.b32 %r9, %r8, 2;
  add.s32 %r10, %r6, %r9;
  ld.shared.u32 %r11, [%r10];
  ld.param.u64 %rd1, [out];
  cvta.to.global.u64 %rd2, %rd1;
  mul.wide.s32 %rd3, %r4, 4;
  add.s64 %rd4, %rd2, %rd3;
  st.global.u32 [%rd4], %r11;
  ret;
}

.visible .entry wild(.param .u64 out)
{
  .reg .pred %p<2>;
  .reg .b32 %r<4>;
  .reg .b64 %rd<6>;
  mov.u32 %r1, %tid.x;
  ld.param.u64 %rd1, [out];
  setp.ne.u32 %p1, %r1, 70;
  @%p1 bra fine;
  mov.u64 %rd1, 24;
fine:
  st.global.u32 [%rd1], %r1;
  ret;
}

.visible .entry endless(.param .u64 out)
{
  .reg .b32 %r<4>;
  mov.u32 %r1, 1;
again:
  add.s32 %r1, %r1, 1;
  bra again;
}
)";

Launch launch_of(const std::string& kernel, Dim3 grid, Dim3 block, const void* parameter) {
  const auto module = ptx::parse(module_text, "test.ptx");
  WR_CHECK(module.has_value());
  auto built = simt::build(*module, kernel, "test.ptx");
  WR_CHECK(built.has_value());
  Launch launch;
  launch.kernel = std::make_shared<simt::Kernel>(std::move(*built));
  launch.code = interpreted(launch.kernel);
  launch.name = kernel;
  launch.grid = grid;
  launch.block = block;
  launch.parameters.resize(8);
  std::memcpy(launch.parameters.data(), &parameter, 8);
  return launch;
}

TEST(Kernel, SharedMemoryAndBarriersReverseEachCtaAtAnyThreadCount) {
  const auto arena = make_arena();
  constexpr std::uint32_t ctas = 7, threads = 200;
  auto* out = static_cast<std::uint32_t*>(*arena->allocate(ctas * threads * 4));
  const Launch launch = launch_of("reverse", {ctas, 1, 1}, {threads, 1, 1}, out);
  for (const int host_threads : {1, 2}) {
    std::memset(out, 0, ctas * threads * 4);
    const Execution done = execute(launch, *arena, host_threads);
    ASSERT_EQ(done.fault.fault, simt::Fault::none) << done.fault.message;
    for (std::uint32_t i = 0; i < ctas * threads; ++i)
      ASSERT_EQ(out[i], i / threads * threads + (threads - 1 - i % threads));
    EXPECT_EQ(done.counts[0].threads, ctas * threads);
  }
}

TEST(Kernel, ATracedRunGivesTheResultsAndCountsOfAPlainOne) {
  const auto arena = make_arena();
  constexpr std::uint32_t ctas = 3, threads = 100;
  auto* out = static_cast<std::uint32_t*>(*arena->allocate(ctas * threads * 4));
  const Launch launch = launch_of("reverse", {ctas, 1, 1}, {threads, 1, 1}, out);
  const Execution plain = execute(launch, *arena, 1);
  std::memset(out, 0, ctas * threads * 4);
  const auto source = *trace_source(launch, *arena);
  std::vector<simt::BlockCount> traced(launch.kernel->blocks.size());
  for (std::uint32_t linear = 0; linear < ctas; ++linear) {
    const auto cta = source->begin_cta(linear, 0);
    for (std::uint32_t warp = 0; warp < source->warps_per_cta(); ++warp) {
      for (bool more = true; more;) {
        const trace::Chunk chunk = source->next(cta, warp, {});
        more = chunk.end != trace::Chunk::End::exited;
        const std::uint64_t* at = chunk.words.data();
        const std::uint64_t* end = at + chunk.words.size();
        while (at != end) {
          const auto block = static_cast<simt::BlockId>(*at);
          const auto mask = static_cast<LaneMask>(*at >> 32);
          ++at;
          ++traced[block].warps;
          traced[block].threads += static_cast<std::uint64_t>(std::popcount(mask));
          trace::Record record;
          for (int slot = 0; slot < launch.kernel->blocks[block].slots; ++slot)
            at = trace::read_record(at, record);
        }
      }
    }
    source->end_cta(cta);
  }
  const Execution done = source->execution();
  for (std::uint32_t i = 0; i < ctas * threads; ++i)
    ASSERT_EQ(out[i], i / threads * threads + (threads - 1 - i % threads));
  for (std::size_t b = 0; b < traced.size(); ++b) {
    EXPECT_EQ(done.counts[b].warps, plain.counts[b].warps);
    EXPECT_EQ(done.counts[b].threads, plain.counts[b].threads);
    EXPECT_EQ(traced[b].warps, plain.counts[b].warps);
    EXPECT_EQ(traced[b].threads, plain.counts[b].threads);
  }
}

TEST(Kernel, AnIllegalAddressNamesThePtxLineAndTheExactThread) {
  const auto arena = make_arena();
  void* out = *arena->allocate(4);
  const FaultReport fault = execute(launch_of("wild", {2, 1, 1}, {96, 1, 1}, out), *arena, 1).fault;
  EXPECT_EQ(fault.fault, simt::Fault::illegal_address);
  EXPECT_EQ(fault.address, 24u);
  EXPECT_TRUE(fault.thread_known);
  EXPECT_EQ(fault.thread, (Dim3{70, 0, 0}));
  std::uint32_t line = 1;  // Of the st.global after `fine:`.
  const std::string_view text = module_text;
  for (const char c : text.substr(0, text.find("st.global.u32 [%rd1]"))) line += c == '\n';
  EXPECT_EQ(fault.ptx_line, line);
  EXPECT_NE(fault.message.find("thread (70,0,0), PTX line"), std::string::npos) << fault.message;
}

// What compiled code of `wild` does: all lanes of a warp in one store, the lane is lost.
[[gnu::noinline]] void compiled_wild(simt::WarpContext* ctx) {
  const auto out = reinterpret_cast<std::uint64_t>(parameter<void>(ctx));
  for (int lane = 0; lane < warp_size; ++lane)
    *masked<volatile std::uint32_t>(ctx, ctx->tid[lane] == 70 ? 24 : out) = ctx->tid[lane];
}

class CompiledWild final : public KernelCode {
 public:
  explicit CompiledWild(const simt::Kernel& kernel) : kernel_(kernel) {}
  simt::WarpEntry entry() const override { return compiled_wild; }
  std::span<const simt::LanePattern> patterns() const override { return {}; }
  std::size_t stack_bytes() const override { return 64 << 10; }
  bool locate(std::uintptr_t pc, simt::BlockId& block, std::uint32_t& inst) const override {
    const auto begin = reinterpret_cast<std::uintptr_t>(&compiled_wild);
    if (pc < begin || pc >= begin + 1024) return false;
    for (const simt::Block& b : kernel_.blocks)
      for (std::uint32_t i = 0; i < b.insts.size(); ++i)
        if (b.insts[i].op == ptx::Opcode::st) block = b.id, inst = i;
    return true;
  }
  double compile_seconds() const override { return 0; }

 private:
  const simt::Kernel& kernel_;
};

TEST(Kernel, TheThreadBehindAFaultOfCompiledCodeIsFoundByRunningItsCtaAgain) {
  const auto arena = make_arena();
  void* out = *arena->allocate(4);
  Launch launch = launch_of("wild", {2, 1, 1}, {96, 1, 1}, out);
  launch.code = std::make_shared<CompiledWild>(*launch.kernel);
  const FaultReport fault = execute(launch, *arena, 2).fault;
  EXPECT_EQ(fault.fault, simt::Fault::illegal_address);
  EXPECT_EQ(fault.address, 24u);
  EXPECT_TRUE(fault.thread_known) << fault.message;
  EXPECT_EQ(fault.thread, (Dim3{70, 0, 0}));
}

TEST(Kernel, AnEndlessLoopInTheInterpreterEndsAtTheTimeLimit) {
  const auto arena = make_arena();
  set_kernel_time_limit_s(0.1);
  const FaultReport fault = execute(launch_of("endless", {2, 1, 1}, {64, 1, 1}, nullptr), *arena, 2).fault;
  set_kernel_time_limit_s(0);
  EXPECT_EQ(fault.fault, simt::Fault::timeout);
}

}  // namespace
}  // namespace wanren::engine::test
