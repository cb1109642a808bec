// Compiled code against the interpreter on generated kernels: memory, block counts and traces.

#include <gtest/gtest.h>

#include <fstream>
#include <random>

#include "engine/grid.h"
#include "engine/interpreted.h"
#include "harness.h"
#include "trace/trace.h"

namespace wanren::jit::test {
namespace {

/// A structured random kernel `k(in, out, n)`: `in` has 1024 words, `out` 16 words per thread of the grid.
class Generator {
 public:
  explicit Generator(unsigned seed) : random_(seed) {}

  std::string kernel() {
    body_.clear();
    for (int i = 0; i < 6; ++i) statement(2);
    line("bar.sync 0;");
    line("mov.u32 %t6, buffer;");
    line("shl.b32 %t0, %t7, 2;");
    line("add.u32 %t0, %t0, %t6;");
    line("st.shared.u32 [%t0], " + reg() + ";");
    line("bar.sync 0;");
    line("sub.u32 %t0, %t2, %t7;");
    line("shl.b32 %t0, %t0, 2;");
    line("add.u32 %t0, %t0, %t6;");
    line("ld.shared.u32 " + reg() + ", [%t0+-4];");
    line("shfl.sync.bfly.b32 " + reg() + ", " + reg() + ", " + std::to_string(pick(32)) + ", 31, -1;");
    for (int i = 0; i < 6; ++i) statement(2);
    std::string text = R"(.version 7.8
.target sm_80
.address_size 64
.visible .entry k(.param .u64 in, .param .u64 out, .param .u32 n)
{
  .reg .pred %p<40>;
  .reg .b32 %r<8>, %t<8>, %n, %c<40>;
  .reg .b64 %rd<8>;
  .reg .f32 %f<4>;
  .shared .align 4 .b8 buffer[4224];
  ld.param.u64 %rd0, [in];
  ld.param.u64 %rd1, [out];
  ld.param.u32 %n, [n];
  mov.u32 %r0, %tid.x;
  mov.u32 %r1, %tid.y;
  mov.u32 %r2, %ctaid.x;
  mov.u32 %r3, %ntid.x;
  mov.u32 %r4, %laneid;
  mad.lo.s32 %r5, %r2, %r3, %r0;
  mov.u32 %t0, %tid.z;
  mov.u32 %t1, %ntid.y;
  mad.lo.s32 %t7, %t0, %t1, %r1;
  mad.lo.s32 %t7, %t7, %r3, %r0;
  mov.u32 %t0, %ntid.z;
  mul.lo.s32 %t2, %r3, %t1;
  mul.lo.s32 %t2, %t2, %t0;
  mad.lo.s32 %t3, %r2, %t2, %t7;
  mul.wide.u32 %rd2, %t3, 64;
  add.s64 %rd2, %rd1, %rd2;
  and.b32 %t4, %t3, 1023;
  mul.wide.u32 %rd3, %t4, 4;
  add.s64 %rd3, %rd0, %rd3;
  ld.global.u32 %r6, [%rd3];
  mov.u32 %r7, %n;
  mov.f32 %f0, 0f3F800000;
  cvt.rn.f32.s32 %f1, %r6;
  mov.f32 %f2, 0f40490FDB;
  mov.f32 %f3, 0fBF000000;
)" + body_;
    for (int i = 0; i < 8; ++i)
      text += "  st.global.u32 [%rd2+" + std::to_string(4 * i) + "], %r" + std::to_string(i) + ";\n";
    for (int i = 0; i < 4; ++i)
      text += "  st.global.f32 [%rd2+" + std::to_string(32 + 4 * i) + "], %f" + std::to_string(i) + ";\n";
    return text + "  ret;\n}\n";
  }

 private:
  unsigned pick(unsigned n) { return static_cast<unsigned>(random_() % n); }
  std::string reg() { return "%r" + std::to_string(pick(8)); }
  std::string source() {
    switch (pick(5)) {
      case 0: return std::to_string(static_cast<int>(pick(65)) - 32);
      default: return reg();
    }
  }
  std::string real() { return "%f" + std::to_string(pick(4)); }
  std::string fresh(const char* prefix) { return prefix + std::to_string(++names_); }
  void line(const std::string& s) { body_ += "  " + s + "\n"; }

  std::string condition() {
    const std::string p = "%p" + std::to_string(predicates_++ % 40);
    static const char* const how[] = {"lt", "le", "eq", "ne", "gt", "ge"};
    if (pick(4) == 0)
      line("setp." + std::string(how[pick(6)]) + ".f32 " + p + ", " + real() + ", " + real() + ";");
    else
      line("setp." + std::string(how[pick(6)]) + (pick(2) ? ".s32 " : ".u32 ") + p + ", " + reg() + ", " +
           source() + ";");
    return p;
  }

  void arithmetic() {
    static const char* const two[] = {"add.s32",    "sub.s32", "mul.lo.s32", "and.b32", "or.b32",
                                      "xor.b32",    "min.s32", "max.u32",    "min.u32", "mul.hi.u32",
                                      "mul.hi.s32", "shl.b32", "shr.u32",    "shr.s32", "div.s32",
                                      "rem.u32",    "div.u32"};
    const std::string guard = pick(5) == 0 ? "@" + std::string(pick(2) ? "!" : "") + condition() + " " : "";
    switch (pick(9)) {
      case 0:
        line(guard + "mad.lo.s32 " + reg() + ", " + reg() + ", " + source() + ", " + reg() + ";");
        break;
      case 1: {
        const std::string p = condition();
        line(guard + "selp.b32 " + reg() + ", " + source() + ", " + reg() + ", " + p + ";");
        break;
      }
      case 2:
        line(guard + "fma.rn.f32 " + real() + ", " + real() + ", " + real() + ", " + real() + ";");
        break;
      case 3: {
        static const char* const ops[] = {"add.rn.f32", "mul.rn.f32", "sub.rn.f32",
                                          "min.f32",    "max.f32",    "div.rn.f32"};
        line(guard + ops[pick(6)] + " " + real() + ", " + real() + ", " + real() + ";");
        break;
      }
      case 4:
        line(guard +
             (pick(2) ? "cvt.rzi.s32.f32 " + reg() + ", " + real()
                      : "cvt.rn.f32.s32 " + real() + ", " + reg()) +
             ";");
        break;
      case 5:
        line(guard + (pick(2) ? "mov.b32 " + reg() + ", " + real() : "mov.b32 " + real() + ", " + reg()) +
             ";");
        break;
      default: line(guard + two[pick(17)] + " " + reg() + ", " + reg() + ", " + source() + ";"); break;
    }
  }

  void load() {
    line("and.b32 %t5, " + reg() + ", " + (pick(2) ? "1023" : "255") + ";");
    line(pick(2) ? "mul.wide.u32 %rd4, %t5, 4;" : "mul.wide.s32 %rd4, %t5, 4;");
    line("add.s64 %rd5, %rd0, %rd4;");
    const std::string guard = pick(3) == 0 ? "@" + condition() + " " : "";
    switch (pick(4)) {
      case 0: line(guard + "ld.global.u8 " + reg() + ", [%rd5+1];"); break;
      case 1: line(guard + "ld.global.s16 " + reg() + ", [%rd5+2];"); break;
      default: line(guard + "ld.global.u32 " + reg() + ", [%rd5];"); break;
    }
  }
  void store() {
    const std::string guard = pick(2) == 0 ? "@" + condition() + " " : "";
    line(guard + "st.global.u32 [%rd2+" + std::to_string(48 + 4 * pick(4)) + "], " + reg() + ";");
  }

  void statement(int depth) {
    switch (depth == 0 ? pick(8) : pick(11)) {
      default: arithmetic(); break;
      case 6: load(); break;
      case 7: store(); break;
      case 8: {
        const std::string p = condition(), other = fresh("E"), end = fresh("J");
        line("@" + p + " bra " + other + ";");
        for (unsigned i = 0; i <= pick(3); ++i) statement(depth - 1);
        const bool early = pick(8) == 0 && depth == 1;
        if (early) line("@" + condition() + " bra " + end + ";");
        line("bra " + end + ";");
        body_ += other + ":\n";
        for (unsigned i = 0; i <= pick(2); ++i) statement(depth - 1);
        body_ += end + ":\n";
        break;
      }
      case 9:
      case 10: {
        const std::string c = "%c" + std::to_string(counters_++ % 40), head = fresh("L"), out = fresh("O");
        line(pick(2) ? "mov.u32 " + c + ", " + std::to_string(1 + pick(4)) + ";"
                     : "and.b32 " + c + ", " + reg() + ", 3;");
        body_ += head + ":\n";
        for (unsigned i = 0; i <= pick(3); ++i) statement(depth - 1);
        if (pick(3) == 0) line("@" + condition() + " bra " + out + ";");
        line("sub.s32 " + c + ", " + c + ", 1;");
        const std::string p = "%p" + std::to_string(predicates_++ % 40);
        line("setp.gt.s32 " + p + ", " + c + ", 0;");
        line("@" + p + " bra " + head + ";");
        body_ += out + ":\n";
        break;
      }
    }
  }

  std::mt19937 random_;
  std::string body_;
  int names_ = 0, predicates_ = 0, counters_ = 0;
};

struct Case {
  unsigned seed;
  Dim3 block;
};

class Differential : public testing::TestWithParam<Dim3> {};

template <class T>
T* device(std::size_t n) {
  auto p = arena().allocate(n * sizeof(T));
  WR_CHECK(p.has_value());
  return static_cast<T*>(*p);
}

constexpr unsigned seeds = 12;

TEST_P(Differential, CompiledKernelsLeaveTheInterpretersMemoryAndCounts) {
  const Dim3 block = GetParam();
  constexpr std::uint32_t ctas = 3;
  const std::size_t words = block.count() * ctas * 16;
  auto* in = device<std::uint32_t>(1024 + 64);
  auto* out = device<std::uint32_t>(words);
  std::mt19937 random(7);
  for (int i = 0; i < 1024; ++i) in[i] = static_cast<std::uint32_t>(random()) >> (random() % 32);
  for (unsigned seed = 0; seed < seeds; ++seed) {
    const std::string text = Generator(seed * 100 + static_cast<unsigned>(block.count())).kernel();
    auto kernel = semantics::build_kernel(text, "k");
    ASSERT_TRUE(kernel) << kernel.error().message() << text;
    auto shared = std::make_shared<const simt::Kernel>(std::move(*kernel));
    std::vector<std::uint32_t> expected;
    std::vector<simt::BlockCount> counts;
    for (int run = 0; run < 3; ++run) {
      engine::Launch launch;
      launch.kernel = shared;
      if (run == 0) {
        launch.code = engine::interpreted(shared);
      } else {
        simt::BlockShape shape;
        shape.generic = run == 2;
        shape.block = block;
        auto code = Compiler::compile(shared, shape, engine::Flavour::plain);
        ASSERT_TRUE(code) << code.error().message();
        launch.code = *code;
      }
      launch.name = "k";
      launch.grid = {ctas, 1, 1};
      launch.block = block;
      launch.parameters.resize(shared->parameter_bytes);
      std::memcpy(&launch.parameters[0], &in, 8);
      std::memcpy(&launch.parameters[8], &out, 8);
      const std::uint32_t n = 5;
      std::memcpy(&launch.parameters[16], &n, 4);
      std::memset(out, 0, words * 4);
      const auto done = engine::execute(launch, arena(), 1);
      ASSERT_EQ(done.fault.fault, simt::Fault::none) << done.fault.message << "\n" << text;
      const std::vector<std::uint32_t> got(out, out + words);
      if (run == 0) {
        expected = got;
        counts = done.counts;
        continue;
      }
      for (std::size_t i = 0; i < words; ++i)
        ASSERT_EQ(got[i], expected[i])
            << "seed " << seed << " run " << run << " thread " << i / 16 << " word " << i % 16 << "\n"
            << text << simt::dump(*shared);
      for (std::size_t i = 0; i < counts.size(); ++i) {
        EXPECT_EQ(done.counts[i].threads, counts[i].threads)
            << "seed " << seed << " run " << run << " block " << i << text;
        EXPECT_EQ(done.counts[i].warps, counts[i].warps)
            << "seed " << seed << " run " << run << " block " << i;
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Blocks, Differential,
                         testing::Values(Dim3{32, 1, 1}, Dim3{64, 1, 1}, Dim3{96, 1, 1}, Dim3{1024, 1, 1},
                                         Dim3{16, 16, 1}, Dim3{24, 4, 1}, Dim3{33, 1, 1}, Dim3{7, 3, 2}),
                         [](const auto& info) {
                           return std::to_string(info.param.x) + "x" + std::to_string(info.param.y) + "x" +
                                  std::to_string(info.param.z);
                         });

}  // namespace
}  // namespace wanren::jit::test
