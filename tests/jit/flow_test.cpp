// Control flow that needs more than masks: locks between lanes, leaving for the interpreter, faults, the
// cache.

#include <gtest/gtest.h>

#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>

#include "engine/grid.h"
#include "harness.h"

namespace wanren::jit::test {
namespace {

template <class T>
T* device(std::size_t n) {
  auto p = arena().allocate(n * sizeof(T));
  WR_CHECK(p.has_value());
  return static_cast<T*>(*p);
}

std::string kernel_text(const std::string& body) {
  return R"(.version 7.8
.target sm_80
.address_size 64
.visible .entry k(.param .u64 out, .param .u32 n)
{
  .reg .pred %p<4>;
  .reg .b32 %r<12>;
  .reg .b64 %rd<8>;
  ld.param.u64 %rd0, [out];
  ld.param.u32 %r10, [n];
  mov.u32 %r0, %tid.x;
)" + body +
         "}\n";
}

struct Program {
  explicit Program(const std::string& text) {
    auto built = semantics::build_kernel(text, "flow");
    WR_CHECK(built.has_value());
    kernel = std::make_shared<const simt::Kernel>(std::move(*built));
  }
  engine::Execution run(Dim3 grid, Dim3 block, void* out, std::uint32_t n) {
    simt::BlockShape shape;
    shape.generic = false;
    shape.block = block;
    auto compiled = Compiler::compile(kernel, shape, engine::Flavour::plain);
    WR_CHECK(compiled.has_value());
    engine::Launch launch;
    launch.kernel = kernel;
    launch.code = *compiled;
    launch.name = "k";
    launch.grid = grid;
    launch.block = block;
    launch.parameters.resize(kernel->parameter_bytes);
    std::memcpy(&launch.parameters[0], &out, 8);
    std::memcpy(&launch.parameters[8], &n, 4);
    return engine::execute(launch, arena(), 1);
  }
  std::shared_ptr<const simt::Kernel> kernel;
};

TEST(Flow, ASpinLockTakenByEveryLaneOfAWarpOpensForAll) {
  // while (atomicCAS(lock, 0, 1)); *sum += 1; atomicExch(lock, 0)
  Program program(kernel_text(R"(
again:
  atom.global.cas.b32 %r1, [%rd0], 0, 1;
  setp.ne.s32 %p0, %r1, 0;
  @%p0 bra again;
  ld.volatile.global.u32 %r2, [%rd0+4];
  add.s32 %r2, %r2, 1;
  st.volatile.global.u32 [%rd0+4], %r2;
  atom.global.exch.b32 %r3, [%rd0], 0;
  ret;
)"));
  auto* words = device<std::uint32_t>(64);
  words[0] = words[1] = 0;
  const auto done = program.run({3, 1, 1}, {64, 1, 1}, words, 0);
  EXPECT_EQ(done.fault.fault, simt::Fault::none) << done.fault.message;
  EXPECT_EQ(words[1], 192u);
}

TEST(Flow, ABlockThatNoLaneGoesToDoesNotRun) {
  // So many loops that spin that lanes may wait nearly everywhere: the pending blocks are bits of a map.
  // Lanes leave the last loop one after the other.
  std::string body = "mul.wide.u32 %rd1, %r0, 4;\nadd.s64 %rd2, %rd0, %rd1;\n";
  for (int i = 0; i < 70; ++i) {
    const std::string n = std::to_string(i);
    body += "S" + n + ":\nld.volatile.global.u32 %r4, [%rd2];\nsetp.ne.u32 %p0, %r4, 0;\n@%p0 bra S" + n +
            ";\nsetp.lt.u32 %p1, %r0, " + n + ";\n@%p1 bra E" + n +
            ";\nld.volatile.global.u32 %r5, [%rd2];\nE" + n + ":\n";
  }
  Program program(kernel_text(body + R"(
  mul.lo.u32 %r1, %r0, 7;
  mov.u32 %r2, 0;
  setp.ge.u32 %p2, %r1, %r10;
  @%p2 bra done;
round:
  .pragma "nounroll";
  add.u32 %r2, %r2, 1;
  add.u32 %r1, %r1, 32;
  setp.lt.u32 %p2, %r1, %r10;
  @%p2 bra round;
done:
  st.global.u32 [%rd2], %r2;
  ret;
)"));
  auto* out = device<std::uint32_t>(32);
  std::fill_n(out, 32, 0u);
  const auto done = program.run({1, 1, 1}, {32, 1, 1}, out, 200);
  EXPECT_EQ(done.fault.fault, simt::Fault::none) << done.fault.message;
  for (std::uint32_t t = 0; t < 32; ++t) EXPECT_EQ(out[t], 7 * t < 200 ? (200 - 7 * t + 31) / 32 : 0) << t;
}

TEST(Flow, ALaneThatWrapsLeavesForTheInterpreter) {
  // (n + tid) wraps in the middle of the warp: out[(u64)(u32)(n + tid) & 63] = tid
  Program program(kernel_text(R"(
  add.u32 %r1, %r10, %r0;
  cvt.u64.u32 %rd1, %r1;
  shr.u64 %rd2, %rd1, 28;
  mul.wide.u32 %rd3, %r0, 8;
  add.s64 %rd4, %rd0, %rd3;
  add.s64 %rd5, %rd2, %rd1;
  st.global.u64 [%rd4], %rd5;
  ret;
)"));
  auto* out = device<std::uint64_t>(64);
  for (const std::uint32_t n : {5u, 0xfffffff0u, 0xffffffc0u}) {
    const auto done = program.run({1, 1, 1}, {64, 1, 1}, out, n);
    EXPECT_EQ(done.fault.fault, simt::Fault::none) << done.fault.message;
    for (std::uint32_t t = 0; t < 64; ++t) {
      const std::uint64_t x = static_cast<std::uint32_t>(n + t);
      EXPECT_EQ(out[t], (x >> 28) + x) << n << " " << t;
    }
    EXPECT_EQ(done.counts[0].threads, 64u);
  }
}

TEST(Flow, LanesThatWrapWithoutExecutingStay) {
  // The edge of a stencil: if (tid != 0 && n > 0) out[tid] = out[(u32)(tid - 1 + n - n)] ...
  Program program(kernel_text(R"(
  mul.wide.u32 %rd3, %r0, 4;
  add.s64 %rd4, %rd0, %rd3;
  add.u32 %r3, %r0, 100;
  st.global.u32 [%rd4], %r3;
  bar.sync 0;
  mov.u32 %r6, 0;
  setp.eq.u32 %p0, %r0, 0;
  @%p0 bra edge;
  sub.u32 %r1, %r0, 1;
  mul.wide.u32 %rd5, %r1, 4;
  add.s64 %rd6, %rd0, %rd5;
  ld.global.u32 %r6, [%rd6];
edge:
  bar.sync 0;
  setp.lt.u32 %p1, %r0, %r10;
  @%p1 bra done;
  sub.u32 %r7, %r0, %r10;
  mul.wide.u32 %rd7, %r7, 4;
  add.s64 %rd7, %rd0, %rd7;
  ld.global.u32 %r8, [%rd7];
  add.u32 %r6, %r6, %r8;
done:
  bar.sync 0;
  st.global.u32 [%rd4], %r6;
  ret;
)"));
  auto* out = device<std::uint32_t>(64);
  for (const std::uint32_t n : {0u, 1u, 5u, 40u}) {
    const auto done = program.run({1, 1, 1}, {64, 1, 1}, out, n);
    EXPECT_EQ(done.fault.fault, simt::Fault::none) << done.fault.message;
    EXPECT_EQ(done.handed_over, 0u) << n;
    for (std::uint32_t t = 0; t < 64; ++t)
      EXPECT_EQ(out[t], (t ? t - 1 + 100 : 0) + (t >= n ? t - n + 100 : 0)) << n << " " << t;
  }
}

TEST(Flow, ALaneThatWrapsUnderAMaskLeavesForTheInterpreter) {
  // if (tid > 3) out[tid] = (u64)(u32)(tid - n) >> 30, which wraps for 3 < tid < n
  Program program(kernel_text(R"(
  mul.wide.u32 %rd3, %r0, 8;
  add.s64 %rd4, %rd0, %rd3;
  mov.u64 %rd5, 9;
  setp.le.u32 %p0, %r0, 3;
  @%p0 bra done;
  sub.u32 %r1, %r0, %r10;
  cvt.u64.u32 %rd5, %r1;
  add.s64 %rd5, %rd5, %rd5;
  shr.u64 %rd5, %rd5, 31;
  membar.cta;
done:
  st.global.u64 [%rd4], %rd5;
  ret;
)"));
  auto* out = device<std::uint64_t>(64);
  for (const std::uint32_t n : {2u, 4u, 7u}) {
    const auto done = program.run({1, 1, 1}, {64, 1, 1}, out, n);
    EXPECT_EQ(done.fault.fault, simt::Fault::none) << done.fault.message;
    EXPECT_EQ(done.handed_over, n > 4 ? 1u : 0u) << n;
    for (std::uint32_t t = 0; t < 64; ++t)
      EXPECT_EQ(out[t], t <= 3 ? 9u : std::uint64_t{static_cast<std::uint32_t>(t - n)} * 2 >> 31)
          << n << " " << t;
    EXPECT_EQ(done.counts[0].threads, 64u);
  }
}

TEST(Flow, AFaultNamesItsInstructionAndThread) {
  Program program(kernel_text(R"(
  mov.u64 %rd1, %rd0;
  setp.ne.u32 %p0, %r0, 37;
  @%p0 bra fine;
  mov.u64 %rd1, 24;
fine:
  st.global.u32 [%rd1], %r0;
  ret;
)"));
  auto* out = device<std::uint32_t>(64);
  const auto done = program.run({1, 1, 1}, {64, 1, 1}, out, 0);
  EXPECT_EQ(done.fault.fault, simt::Fault::illegal_address);
  EXPECT_EQ(done.fault.ptx_line, 18u);
}

TEST(Flow, AMisalignedStoreIsAFault) {
  Program program(kernel_text("  st.global.u32 [%rd0+2], %r0;\n  ret;\n"));
  auto* out = device<std::uint32_t>(64);
  EXPECT_EQ(program.run({1, 1, 1}, {32, 1, 1}, out, 0).fault.fault, simt::Fault::misaligned_address);
}

TEST(Cache, ADamagedEntryIsCompiledAnew) {
  const auto folder =
      std::filesystem::temp_directory_path() / ("wanren-jit-test-" + std::to_string(getpid()));
  setenv("CUDA_CACHE_PATH", folder.c_str(), 1);
  setenv("CUDA_CACHE_DISABLE", "0", 1);
  const std::string text = kernel_text("  st.global.u32 [%rd0], 77;\n  ret;\n");
  auto* out = device<std::uint32_t>(1);
  auto run = [&] {
    Compiler::forget();
    Program program(text);
    *out = 0;
    program.run({1, 1, 1}, {32, 1, 1}, out, 0);
    return *out;
  };
  EXPECT_EQ(run(), 77u);
  std::filesystem::path entry;
  for (const auto& f : std::filesystem::directory_iterator(folder / "wanren")) entry = f.path();
  ASSERT_FALSE(entry.empty());
  EXPECT_EQ(run(), 77u);
  const auto bytes = std::filesystem::file_size(entry);
  for (const std::uintmax_t at : {std::uintmax_t{3}, std::uintmax_t{60}, bytes / 2, bytes - 1}) {
    {
      std::fstream file(entry, std::ios::in | std::ios::out | std::ios::binary);
      file.seekg(static_cast<std::streamoff>(at));
      const char c = static_cast<char>(~file.get());
      file.seekp(static_cast<std::streamoff>(at));
      file.put(c);
    }
    EXPECT_EQ(run(), 77u) << at;
  }
  std::filesystem::resize_file(entry, bytes / 3);
  EXPECT_EQ(run(), 77u);
  std::filesystem::remove_all(folder);
  setenv("CUDA_CACHE_DISABLE", "1", 1);
}

TEST(Cache, AKernelThatIsLoadedAgainIsNotCompiledAgain) {
  setenv("CUDA_CACHE_DISABLE", "1", 1);
  std::string body;
  for (int i = 0; i < 400; ++i)
    body += "  mad.lo.s32 %r" + std::to_string(1 + i % 7) + ", %r0, %r" + std::to_string(1 + (i + 3) % 7) +
            ", " + std::to_string(i) + ";\n  st.global.u32 [%rd0], %r" + std::to_string(1 + i % 7) + ";\n";
  const std::string text = kernel_text(body + "  ret;\n");
  auto seconds = [&] {
    Program program(text);
    simt::BlockShape shape;
    shape.generic = false;
    shape.block = {64, 1, 1};
    timespec before{}, after{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &before);
    EXPECT_TRUE(Compiler::compile(program.kernel, shape, engine::Flavour::plain));
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &after);
    return static_cast<double>(after.tv_sec - before.tv_sec) +
           1e-9 * static_cast<double>(after.tv_nsec - before.tv_nsec);
  };
  Compiler::forget();
  const double first_s = seconds(), again_s = seconds();
  EXPECT_LT(again_s, first_s / 2);
}

}  // namespace
}  // namespace wanren::jit::test
