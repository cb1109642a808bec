// Compiled warps hold on to their lanes and values across atomics, and, traced, while they wait for their
// turn among CTAs.

#include <gtest/gtest.h>

#include "harness.h"
#include "interp/interp.h"

namespace wanren::jit::test {
namespace {

// Breadth-first search: each node has five neighbours, and who reaches one first appends it.
std::string frontier() {
  std::string text = R"(.version 7.8
.target sm_80
.address_size 64
.visible .entry k(.param .u64 from, .param .u32 n_from, .param .u64 to, .param .u64 n_to, .param .u64 level,
                  .param .u32 nodes)
{
  .reg .pred %p<4>;
  .reg .b32 %r<12>;
  .reg .b64 %rd<12>;
  ld.param.u32 %r1, [n_from];
  mov.u32 %r0, %tid.x;
  setp.ge.s32 %p0, %r0, %r1;
  @%p0 bra END;
  ld.param.u32 %r9, [nodes];
  ld.param.u64 %rd0, [from];
  ld.param.u64 %rd1, [level];
  ld.param.u64 %rd2, [n_to];
  ld.param.u64 %rd3, [to];
  mul.wide.s32 %rd4, %r0, 4;
  add.s64 %rd5, %rd0, %rd4;
  ld.global.u32 %r2, [%rd5];
  mul.lo.s32 %r3, %r2, 5;
)";
  for (int e = 1; e <= 5; ++e) {
    const std::string n = std::to_string(e);
    text += "  add.s32 %r4, %r3, " + std::to_string(e * e * 31) + R"(;
  rem.s32 %r5, %r4, %r9;
  mul.wide.s32 %rd6, %r5, 4;
  add.s64 %rd7, %rd1, %rd6;
  atom.global.cas.b32 %r6, [%rd7], -1, 7;
  setp.ne.s32 %p1, %r6, -1;
  @%p1 bra NEXT)" +
            n + R"(;
  atom.global.add.u32 %r7, [%rd2], 1;
  mul.wide.s32 %rd8, %r7, 4;
  add.s64 %rd9, %rd3, %rd8;
  st.global.u32 [%rd9], %r5;
NEXT)" + n + ":\n";
  }
  return text + "END:\n  ret;\n}\n";
}

/// What a warp leaves in memory, whose first `n_from` lanes search on; its trace goes to `words`.
std::vector<std::uint8_t> search(const simt::Kernel& kernel, std::uint32_t n_from, simt::WarpEntry run,
                                 simt::WarpEntry fiber, std::vector<std::uint64_t>* words = nullptr) {
  semantics::SingleWarp warp(kernel, 32, {64, 1, 1});
  constexpr std::uint32_t nodes = 90, bytes = 4096;
  std::uint8_t *from = warp.allocate(4 * 32), *out = warp.allocate(bytes);
  for (std::uint32_t i = 0; i < 32; ++i) std::memcpy(from + 4 * i, &i, 4);
  std::memset(out + 1024, 0xff, nodes * 4);
  warp.parameter(0, reinterpret_cast<std::uint64_t>(from));
  warp.parameter(1, n_from);
  warp.parameter(2, reinterpret_cast<std::uint64_t>(out + 2048));
  warp.parameter(3, reinterpret_cast<std::uint64_t>(out));
  warp.parameter(4, reinterpret_cast<std::uint64_t>(out + 1024));
  warp.parameter(5, nodes);
  if (words) {
    words->resize(1 << 16);
    warp.trace_into(*words, 4096);
  }
  fiber_entry = fiber;
  EXPECT_EQ(warp.run(run), simt::Fault::none);
  if (words) words->resize(static_cast<std::size_t>(warp.context().trace_cursor - words->data()));
  return {out, out + bytes};
}

TEST(Order, AWarpKeepsItsLanesAcrossAtomics) {
  auto kernel = semantics::build_kernel(frontier(), "frontier");
  ASSERT_TRUE(kernel) << kernel.error().message();
  const auto code = compile(*kernel, {64, 1, 1});
  ASSERT_TRUE(code);
  for (const std::uint32_t n_from : {1u, 2u, 20u, 32u})
    EXPECT_TRUE(search(*kernel, n_from, interp::run_warp, nullptr) ==
                search(*kernel, n_from, run_as_fiber, code->entry()));
}

TEST(Order, AWarpKeepsWhatItHoldsWhileItWaitsForItsTurn) {
  auto kernel = semantics::build_kernel(frontier(), "frontier");
  ASSERT_TRUE(kernel) << kernel.error().message();
  const auto code = compile(*kernel, {64, 1, 1}, engine::Flavour::traced);
  ASSERT_TRUE(code);
  for (const std::uint32_t n_from : {1u, 2u, 20u, 32u}) {
    std::vector<std::uint64_t> words[2];
    const auto expected = search(*kernel, n_from, interp::run_warp, nullptr, &words[0]);
    EXPECT_TRUE(expected == search(*kernel, n_from, run_as_fiber, code->entry(), &words[1])) << n_from;
    EXPECT_EQ(expand(words[0], *kernel, interp::patterns()), expand(words[1], *kernel, code->patterns()))
        << n_from;
  }
}

}  // namespace
}  // namespace wanren::jit::test
