// Quick code gives way to the best: nothing but host time tells which of them ran.

#include <gtest/gtest.h>
#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "engine/grid.h"
#include "engine/source.h"
#include "harness.h"

namespace wanren::jit::test {
namespace {

/// Loops of a length that differs by lane, a gather, a barrier, a float sum by atomics; `salt` makes kernels
/// that no cache has seen.
std::string kernel_text(int salt) {
  std::string body;
  for (int i = 0; i < 12; ++i) {
    const std::string n = std::to_string(i);
    body += "  mov.u32 %r3, 0;\nL" + n + ":\n  mad.lo.s32 %r4, %r4, 5, " + std::to_string(salt + i) +
            ";\n  and.b32 %r5, %r4, 124;\n  cvt.u64.u32 %rd3, %r5;\n  add.s64 %rd3, %rd0, %rd3;\n"
            "  ld.global.u32 %r6, [%rd3];\n  xor.b32 %r4, %r4, %r6;\n  add.s32 %r3, %r3, 1;\n"
            "  setp.lt.u32 %p0, %r3, %r2;\n  @%p0 bra L" +
            n + ";\n  bar.sync 0;\n";
  }
  return R"(.version 7.8
.target sm_80
.address_size 64
.visible .entry k(.param .u64 in, .param .u64 out)
{
  .reg .pred %p<4>;
  .reg .b32 %r<12>;
  .reg .f32 %f<4>;
  .reg .b64 %rd<8>;
  ld.param.u64 %rd0, [in];
  ld.param.u64 %rd1, [out];
  mov.u32 %r0, %tid.x;
  mov.u32 %r1, %ctaid.x;
  and.b32 %r2, %r0, 3;
  add.s32 %r4, %r0, %r1;
)" + body +
         R"(
  cvt.rn.f32.u32 %f0, %r4;
  atom.global.add.f32 %f1, [%rd1], %f0;
  mad.lo.s32 %r7, %r1, 64, %r0;
  mul.wide.u32 %rd4, %r7, 4;
  add.s64 %rd4, %rd1, %rd4;
  st.global.u32 [%rd4+64], %r4;
  ret;
}
)";
}

constexpr std::uint32_t ctas = 6, threads = 64;

class Tiers : public testing::Test {
 protected:
  Tiers() {
    setenv("CUDA_CACHE_DISABLE", "1", 1);
    static int salt = 1;
    build(salt += 1000);
    in = device(32);
    out = device(16 + ctas * threads);
    for (std::uint32_t i = 0; i < 32; ++i) in[i] = i * 0x9e3779b9u;
  }
  ~Tiers() override { unsetenv("WANREN_JIT"); }

  void build(int salt) {
    auto built = semantics::build_kernel(kernel_text(salt), "tiers");
    WR_CHECK(built.has_value());
    kernel = std::make_shared<const simt::Kernel>(std::move(*built));
  }
  static std::uint32_t* device(std::size_t n) {
    auto p = arena().allocate(n * 4);
    WR_CHECK(p.has_value());
    return static_cast<std::uint32_t*>(*p);
  }
  std::shared_ptr<engine::KernelCode> code(const char* tiers, engine::Flavour flavour) {
    setenv("WANREN_JIT", tiers, 1);
    simt::BlockShape shape;
    shape.generic = false;
    shape.block = {threads, 1, 1};
    auto compiled = Compiler::compile(kernel, shape, flavour);
    WR_CHECK(compiled.has_value());
    return *compiled;
  }
  engine::Launch launch(std::shared_ptr<const engine::KernelCode> code) {
    std::memset(out, 0, (16 + ctas * threads) * 4);
    engine::Launch l;
    l.kernel = kernel;
    l.code = std::move(code);
    l.name = "k";
    l.grid = {ctas, 1, 1};
    l.block = {threads, 1, 1};
    l.parameters.resize(kernel->parameter_bytes);
    std::memcpy(&l.parameters[0], &in, 8);
    std::memcpy(&l.parameters[8], &out, 8);
    return l;
  }
  /// What a plain run leaves in memory, and its counts.
  std::vector<std::uint64_t> run(std::shared_ptr<const engine::KernelCode> code) {
    const engine::Execution done = engine::execute(launch(std::move(code)), arena(), 1);
    EXPECT_EQ(done.fault.fault, simt::Fault::none) << done.fault.message;
    std::vector<std::uint64_t> seen(out, out + 16 + ctas * threads);
    for (const simt::BlockCount& c : done.counts) seen.insert(seen.end(), {c.warps, c.threads});
    return seen;
  }
  /// Every word that a traced run writes, chunk by chunk; `between` is called after each CTA.
  template <class Between>
  std::vector<std::uint64_t> trace(std::shared_ptr<const engine::KernelCode> code, Between between) {
    auto source = engine::trace_source(launch(std::move(code)), arena());
    WR_CHECK(source.has_value());
    std::vector<std::uint64_t> words;
    for (std::uint64_t cta = 0; cta < ctas; ++cta) {
      const auto handle = (*source)->begin_cta(cta, 0);
      for (std::uint32_t w = 0; w < threads / warp_size; ++w)
        for (;;) {
          const trace::Chunk chunk = (*source)->next(handle, w, {});
          words.push_back(chunk.words.size());
          words.insert(words.end(), chunk.words.begin(), chunk.words.end());
          if (chunk.end == trace::Chunk::End::exited) break;
        }
      (*source)->end_cta(handle);
      between();
    }
    EXPECT_FALSE((*source)->failed());
    return words;
  }

  std::shared_ptr<const simt::Kernel> kernel;
  std::uint32_t *in = nullptr, *out = nullptr;
};

TEST_F(Tiers, GiveTheSameResultsCountsAndTraces) {
  const auto quick = run(code("quick", engine::Flavour::plain));
  EXPECT_EQ(quick, run(code("best", engine::Flavour::plain)));
  const auto nothing = [] {};
  const auto quick_trace = trace(code("quick", engine::Flavour::traced), nothing);
  EXPECT_GT(quick_trace.size(), 1000u);
  EXPECT_EQ(quick_trace, trace(code("best", engine::Flavour::traced), nothing));
}

TEST_F(Tiers, BestCodeTakesOverWithinAGrid) {
  const auto expected = trace(code("quick", engine::Flavour::traced), [] {});
  const auto tiered = code("tiers", engine::Flavour::traced);
  const engine::KernelCode* first = &tiered->begin(tiered->stack_bytes());
  int ended = 0;
  const auto words = trace(tiered, [&] {
    if (++ended != 2) return;
    tiered->ran(10);  // as a long run would tell it
    Compiler::finish_background();
    EXPECT_NE(&tiered->begin(1 << 20), first);
  });
  EXPECT_EQ(words, expected);
  EXPECT_EQ(&tiered->begin(0), first) << "code that needs more stack than the grid gives";
}

TEST_F(Tiers, AShortRunIsNotCompiledTwice) {
  const auto tiered = code("tiers", engine::Flavour::plain);
  const engine::KernelCode* first = &tiered->begin(1 << 20);
  tiered->ran(1e-4);
  Compiler::finish_background();
  EXPECT_EQ(&tiered->begin(1 << 20), first);
}

TEST_F(Tiers, CodeMayGoWhileItsSuccessorIsMade) {
  for (int i = 0; i < 3; ++i) {
    code("tiers", i % 2 ? engine::Flavour::traced : engine::Flavour::plain)->ran(10);
    Compiler::forget();
  }
  Compiler::finish_background();
}

/// Quick code comes from disk, so that nothing of LLVM has run in a child before its background compilation.
class TiersAtExit : public Tiers {
 protected:
  TiersAtExit() {
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    // The child, which comes here too, has its parent's.
    const char* mine = std::getenv(variable);
    const auto fresh = std::filesystem::temp_directory_path() / ("wanren-tiers-" + std::to_string(getpid()));
    folder = mine != nullptr ? std::filesystem::path(mine) : fresh;
    owner = mine == nullptr;
    setenv(variable, folder.c_str(), 1);
    setenv("CUDA_CACHE_PATH", folder.c_str(), 1);
    setenv("CUDA_CACHE_DISABLE", "0", 1);
    build(0);
    if (owner) code("quick", engine::Flavour::plain);
  }
  ~TiersAtExit() override {
    std::error_code ignored;
    if (owner) std::filesystem::remove_all(folder, ignored);
    unsetenv(variable);
    unsetenv("CUDA_CACHE_PATH");
    setenv("CUDA_CACHE_DISABLE", "1", 1);
  }
  /// Begins a compilation that goes on when this returns.
  std::shared_ptr<engine::KernelCode> begin() {
    auto tiered = code("tiers", engine::Flavour::plain);
    tiered->ran(10);
    return tiered;
  }

  static constexpr const char* variable = "WANREN_TIERS_TEST_CACHE";
  std::filesystem::path folder;
  bool owner = false;
};

TEST_F(TiersAtExit, FindsTheCompilationAnywhere) {
  // What is destroyed is no more what it was. Children take the parent's word for the time.
  constexpr const char* time = "WANREN_TIERS_TEST_US";
  if (owner) {
    setenv("CUDA_CACHE_DISABLE", "1", 1);
    const auto start = std::chrono::steady_clock::now();
    const auto kept = begin();
    Compiler::finish_background();
    const std::chrono::duration<double, std::micro> took = std::chrono::steady_clock::now() - start;
    setenv("CUDA_CACHE_DISABLE", "0", 1);
    setenv(time, std::to_string(static_cast<int>(took.count())).c_str(), 1);
    setenv("MALLOC_PERTURB_", "165", 1);
  }
  const int whole_us = std::atoi(std::getenv(time));
  constexpr int steps = 24;
  for (int step = 0; step < steps; ++step) {
    // None finds the code that another has made.
    const auto own = folder / std::to_string(step);
    if (owner) std::filesystem::create_directory(own);
    if (owner) std::filesystem::copy(folder / "wanren", own / "wanren");
    setenv("CUDA_CACHE_PATH", own.c_str(), 1);
    EXPECT_EXIT(
        {
          alarm(60);
          // The first to be registered is the last to run.
          std::atexit([] { usleep(100'000); });
          const auto kept = begin();
          // Closer together where passes over the IR first make what they use.
          usleep(static_cast<useconds_t>(static_cast<double>(whole_us) * step * step / (steps * steps)));
          std::exit(0);
        },
        testing::ExitedWithCode(0), "")
        << step;
  }
  unsetenv(time);
  unsetenv("MALLOC_PERTURB_");
}

TEST_F(TiersAtExit, DoesNotWaitForTheCompilation) {
  // Nor does a second thread's exit(), nor that of a forked child, which has no such thread.
  EXPECT_EXIT(
      {
        const auto kept = begin();
        std::thread([] { std::exit(0); }).join();
      },
      testing::ExitedWithCode(0), "");
  EXPECT_EXIT(
      {
        const auto kept = begin();
        const pid_t child = fork();
        if (child == 0) {
          kept->ran(10);
          std::exit(7);
        }
        int status = 0;
        waitpid(child, &status, 0);
        std::exit(WIFEXITED(status) ? WEXITSTATUS(status) : 1);
      },
      testing::ExitedWithCode(7), "");
}

}  // namespace
}  // namespace wanren::jit::test
