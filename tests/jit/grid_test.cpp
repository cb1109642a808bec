// Whole grids of compiled code under the engine, against the interpreter's results and counts.

#include <gtest/gtest.h>

#include <cstring>

#include "engine/arena.h"
#include "engine/faults.h"
#include "engine/grid.h"
#include "engine/interpreted.h"
#include "harness.h"
#include "ptx/module.h"

namespace wanren::jit::test {
namespace {

constexpr const char* module_text = R"(.version 7.8
.target sm_80
.address_size 64

.visible .entry steps(.param .u64 out)
{
  .reg .pred %p<12>;
  .reg .b32 %r<32>;
  .reg .b64 %rd<6>;
  .shared .align 4 .b8 cells[128];
  mov.u32 %r1, %tid.x;
  mov.u32 %r2, %ntid.x;
  mov.u32 %r3, %ctaid.x;
  shr.u32 %r4, %r1, 5;
  add.s32 %r5, %r2, 31;
  shr.u32 %r5, %r5, 5;
  mov.u32 %r6, cells;
  shl.b32 %r7, %r4, 2;
  add.s32 %r7, %r6, %r7;
  add.s32 %r8, %r4, 1;
  rem.u32 %r8, %r8, %r5;
  shl.b32 %r8, %r8, 2;
  add.s32 %r8, %r6, %r8;
  and.b32 %r9, %r4, 1;
  mul.lo.s32 %r10, %r4, 3;
  and.b32 %r11, %r1, 1;
  setp.ne.u32 %p1, %r11, 0;
  mov.u32 %r12, 0;
  mov.u32 %r13, %r1;
  st.shared.u32 [%r7], %r3;
again:
  mul.lo.s32 %r14, %r12, 100;
  add.s32 %r14, %r14, %r4;
  st.shared.u32 [%r7], %r14;
  bar.sync 0;
  ld.shared.u32 %r15, [%r8];
  mad.lo.s32 %r13, %r13, 31, %r15;
  bar.sync 0;
  rem.u32 %r16, %r12, 5;
  setp.ne.u32 %p2, %r16, 2;
  @%p2 bra no_reduction;
  barrier.red.popc.aligned.u32 %r17, 0, %p1;
  add.s32 %r13, %r13, %r17;
no_reduction:
  rem.u32 %r18, %r12, 4;
  setp.ne.u32 %p3, %r18, 1;
  setp.ne.u32 %p4, %r9, 0;
  setp.gt.u32 %p5, %r4, 2;
  or.pred %p3, %p3, %p4;
  or.pred %p3, %p3, %p5;
  @%p3 bra no_pair;
  bar.sync 1, 64;
no_pair:
  rem.u32 %r19, %r12, 7;
  setp.ne.u32 %p6, %r19, 3;
  @%p6 bra no_arrival;
  setp.eq.u32 %p7, %r4, 2;
  @%p7 bra arrival;
  setp.ne.u32 %p8, %r4, 0;
  @%p8 bra no_arrival;
  bar.sync 2, 64;
  bra no_arrival;
arrival:
  bar.arrive 2, 64;
no_arrival:
  setp.ne.u32 %p9, %r9, 0;
  setp.eq.u32 %p10, %r12, %r10;
  and.pred %p9, %p9, %p10;
  @%p9 bra done;
  add.s32 %r12, %r12, 1;
  setp.lt.u32 %p11, %r12, 20;
  @%p11 bra again;
done:
  mad.lo.s32 %r20, %r3, %r2, %r1;
  ld.param.u64 %rd1, [out];
  mul.wide.u32 %rd2, %r20, 4;
  add.s64 %rd3, %rd1, %rd2;
  st.global.u32 [%rd3], %r13;
  ret;
}

.visible .entry coordinates(.param .u64 out)
{
  .reg .b32 %r<16>;
  .reg .b64 %rd<6>;
  mov.u32 %r1, %ctaid.x;
  mov.u32 %r2, %ctaid.y;
  mov.u32 %r3, %ctaid.z;
  mov.u32 %r4, %nctaid.x;
  mov.u32 %r5, %nctaid.y;
  mov.u32 %r6, %ntid.x;
  mov.u32 %r7, %tid.x;
  mov.u32 %r8, %smid;
  mad.lo.s32 %r9, %r3, %r5, %r2;
  mad.lo.s32 %r9, %r9, %r4, %r1;
  mad.lo.s32 %r10, %r9, %r6, %r7;
  mad.lo.s32 %r11, %r2, 100, %r1;
  mad.lo.s32 %r11, %r3, 10000, %r11;
  mad.lo.s32 %r11, %r8, 1000000, %r11;
  ld.param.u64 %rd1, [out];
  mul.wide.u32 %rd2, %r10, 4;
  add.s64 %rd3, %rd1, %rd2;
  st.global.u32 [%rd3], %r11;
  ret;
}

.visible .entry neighbours(.param .u64 out)
{
  .reg .pred %p<4>;
  .reg .b32 %r<20>;
  .reg .b64 %rd<8>;
  mov.u32 %r1, %tid.x;
  mov.u32 %r2, %ntid.x;
  mov.u32 %r3, %ctaid.x;
  ld.param.u64 %rd1, [out];
  mad.lo.s32 %r4, %r3, %r2, %r1;
  mul.wide.u32 %rd2, %r4, 4;
  add.s64 %rd3, %rd1, %rd2;
  mul.lo.s32 %r5, %r4, 40503;
  st.global.u32 [%rd3], %r5;
  bar.sync 0;
  mul.lo.s32 %r6, %r1, %r1;
  add.s32 %r7, %r2, -4;
  rem.u32 %r6, %r6, %r7;
  mad.lo.s32 %r6, %r3, %r2, %r6;
  mul.wide.u32 %rd4, %r6, 4;
  add.s64 %rd5, %rd1, %rd4;
  and.b32 %r8, %r1, 3;
  setp.eq.u32 %p1, %r8, 3;
  mov.u32 %r15, 0;
  @%p1 bra done;
  ld.global.u32 %r9, [%rd5+4];
  ld.global.u32 %r10, [%rd5];
  ld.global.u32 %r11, [%rd5+8];
  add.s32 %r12, %r9, 1;
  ld.global.s32 %rd6, [%rd5+12];
  cvt.u32.u64 %r13, %rd6;
  mad.lo.s32 %r15, %r12, 7, %r10;
  mad.lo.s32 %r15, %r15, 11, %r11;
  mad.lo.s32 %r15, %r15, 13, %r13;
  ld.global.u32 %r9, [%rd5];
  st.global.u32 [%rd5+4], %r15;
  ld.global.u32 %r10, [%rd5+4];
  mad.lo.s32 %r15, %r9, 17, %r10;
done:
  bar.sync 0;
  st.global.u32 [%rd3], %r15;
  ret;
}

.visible .entry wild(.param .u64 out)
{
  .reg .pred %p<4>;
  .reg .b32 %r<4>;
  .reg .b64 %rd<6>;
  mov.u32 %r1, %tid.x;
  mov.u32 %r2, %ctaid.x;
  ld.param.u64 %rd1, [out];
  setp.ne.u32 %p1, %r1, 70;
  setp.ne.u32 %p2, %r2, 2;
  or.pred %p1, %p1, %p2;
  @%p1 bra fine;
  mov.u64 %rd1, 24;
fine:
  st.global.u32 [%rd1], %r1;
  ret;
}

.visible .entry wild_later(.param .u64 out)
{
  .reg .pred %p<4>;
  .reg .b32 %r<4>;
  .reg .b64 %rd<6>;
  mov.u32 %r1, %tid.x;
  ld.param.u64 %rd1, [out];
  bar.sync 0;
  bar.sync 0;
  setp.ne.u32 %p1, %r1, 70;
  @%p1 bra fine;
  mov.u64 %rd1, 24;
fine:
  st.global.u32 [%rd1], %r1;
  bar.sync 0;
  ret;
}

.visible .entry endless(.param .u64 out)
{
again:
  bar.sync 0;
  bra again;
}
)";

struct Case {
  explicit Case(const char* name, Dim3 grid, Dim3 block)
      : arena(*engine::Arena::create({std::uint64_t{1} << 30, std::uint64_t{8} << 30})),
        words(grid.count() * block.count()) {
    const auto module = ptx::parse(module_text, "test.ptx");
    WR_CHECK(module.has_value());
    auto built = simt::build(*module, name, "test.ptx");
    WR_CHECK(built.has_value());
    launch.kernel = std::make_shared<simt::Kernel>(std::move(*built));
    launch.name = name;
    launch.grid = grid;
    launch.block = block;
    launch.units = 3;
    out = static_cast<std::uint32_t*>(*arena->allocate(words * 4));
    launch.parameters.resize(8);
    std::memcpy(launch.parameters.data(), &out, 8);
    compiled = compile(*launch.kernel, block);
  }
  engine::Execution run(bool jit, int threads) {
    std::memset(out, 0, words * 4);
    launch.code = jit ? compiled : engine::interpreted(launch.kernel);
    return engine::execute(launch, *arena, threads);
  }
  std::unique_ptr<engine::Arena> arena;
  std::uint64_t words;
  engine::Launch launch;
  std::shared_ptr<const engine::KernelCode> compiled;
  std::uint32_t* out = nullptr;
};

void compare(Case& c) {
  const engine::Execution expected = c.run(false, 1);
  ASSERT_EQ(expected.fault.fault, simt::Fault::none) << expected.fault.message;
  const std::vector<std::uint32_t> words(c.out, c.out + c.words);
  for (const int threads : {1, 2}) {
    const engine::Execution done = c.run(true, threads);
    ASSERT_EQ(done.fault.fault, simt::Fault::none) << done.fault.message;
    for (std::uint64_t i = 0; i < c.words; ++i) ASSERT_EQ(c.out[i], words[i]) << "at " << i;
    for (std::size_t b = 0; b < done.counts.size(); ++b) {
      EXPECT_EQ(done.counts[b].warps, expected.counts[b].warps) << "block " << b;
      EXPECT_EQ(done.counts[b].threads, expected.counts[b].threads) << "block " << b;
    }
  }
}

class Steps : public testing::TestWithParam<std::uint32_t> {};
TEST_P(Steps, BarriersOfEveryKindAndEarlyExitsMixAsInTheInterpreter) {
  Case c("steps", {5, 1, 1}, {GetParam(), 1, 1});
  compare(c);
}
INSTANTIATE_TEST_SUITE_P(three_to_thirty_two_warps_and_partial_ones, Steps,
                         testing::Values(96, 150, 160, 256, 1000, 1024));

class Straight : public testing::TestWithParam<std::uint32_t> {};
TEST_P(Straight, EveryWarpOfEveryCtaKnowsItsPlace) {
  Case c("coordinates", {3, 4, 50}, {GetParam(), 1, 1});
  EXPECT_TRUE(c.compiled->never_yields());
  compare(c);
}
INSTANTIATE_TEST_SUITE_P(partial_and_whole_warps, Straight, testing::Values(7, 32, 80, 256));

// One warp per CTA: lanes collide, and the order among warps between barriers is not defined.
TEST(CompiledGrid, LoadsOfNeighbouringWordsSeeTheStoresBetweenThem) {
  Case c("neighbours", {40, 1, 1}, {32, 1, 1});
  compare(c);
}

TEST(CompiledGrid, AFaultOfCodeThatNeverYieldsNamesCtaAndThread) {
  Case c("wild", {6, 1, 1}, {96, 1, 1});
  EXPECT_TRUE(c.compiled->never_yields());
  const engine::FaultReport fault = c.run(true, 1).fault;
  EXPECT_EQ(fault.fault, simt::Fault::illegal_address);
  EXPECT_EQ(fault.address, 24u);
  EXPECT_EQ(fault.cta, (Dim3{2, 0, 0}));
  EXPECT_EQ(fault.thread, (Dim3{70, 0, 0}));
}

TEST(CompiledGrid, AFaultAfterBarriersNamesTheWarpThatRan) {
  Case c("wild_later", {2, 1, 1}, {128, 1, 1});
  const engine::FaultReport fault = c.run(true, 1).fault;
  EXPECT_EQ(fault.fault, simt::Fault::illegal_address);
  EXPECT_EQ(fault.address, 24u);
  EXPECT_EQ(fault.thread, (Dim3{70, 0, 0}));
}

TEST(CompiledGrid, EndlessBarriersEndAtTheTimeLimit) {
  Case c("endless", {1, 1, 1}, {128, 1, 1});
  engine::set_kernel_time_limit_s(0.05);
  const engine::FaultReport fault = c.run(true, 1).fault;
  engine::set_kernel_time_limit_s(0);
  EXPECT_EQ(fault.fault, simt::Fault::timeout) << fault.message;
}

}  // namespace
}  // namespace wanren::jit::test
