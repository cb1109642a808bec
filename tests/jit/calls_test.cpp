// Functions that stay functions: compiled code against the interpreter on generated programs of calls, and
// small programs whose results are known.

#include <gtest/gtest.h>

#include <random>

#include "harness.h"
#include "interp/interp.h"

namespace wanren::jit::test {
namespace {

constexpr int functions = 4;

std::string number(int i) {
  return std::to_string(i);
}

/// A kernel `k(in, out)` and functions that call each other, directly and through a table, until `depth` is
/// 0.
class Generator {
 public:
  explicit Generator(unsigned seed) : random_(seed) {}

  std::string module() {
    std::string text = ".version 7.8\n.target sm_80\n.address_size 64\n";
    for (int f = 0; f < functions; ++f) text += signature(f) + ";\n";
    text += ".global .align 8 .u64 table[4] = {f0, f1, f2, f3};\n";
    for (int f = 0; f < functions; ++f) text += function(f);
    return text + kernel();
  }

 private:
  int pick(int n) { return static_cast<int>(random_() % static_cast<unsigned>(n)); }
  std::string reg() { return "%r" + number(pick(6)); }
  std::string label() { return "L" + number(labels_++); }

  static std::string signature(int f) {
    return ".func (.param .b32 result, .param .align 8 .b8 more[16]) f" + number(f) +
           "(.param .b32 a, .param .b64 b, .param .align 8 .b8 s[24], .param .b32 depth)";
  }
  static std::string registers() {
    return "  .reg .pred %p<40>;\n  .reg .b32 %r<8>, %t<8>, %d, %i<20>;\n  .reg .b64 %rd<8>;\n  .reg .f32 "
           "%f<4>;\n"
           "  .local .align 16 .b8 frame[64];\n";
  }

  std::string arithmetic() {
    switch (pick(8)) {
      case 0: return "  mul.lo.s32 " + reg() + ", " + reg() + ", " + reg() + ";\n";
      case 1: return "  sub.s32 " + reg() + ", " + reg() + ", " + number(pick(99)) + ";\n";
      case 2: return "  shr.u32 " + reg() + ", " + reg() + ", " + number(pick(9)) + ";\n";
      case 3: return "  xor.b32 " + reg() + ", " + reg() + ", " + reg() + ";\n";
      case 4:
        return "  st.local.b32 [frame+" + number(4 * pick(16)) + "], " + reg() + ";\n  ld.local.b32 " +
               reg() + ", [frame+" + number(4 * pick(16)) + "];\n";
      case 5:  // through a pointer to the frame, anywhere in it
        return "  and.b32 %t0, " + reg() +
               ", 15;\n  mul.wide.u32 %rd0, %t0, 4;\n  mov.u64 %rd1, frame;\n"
               "  cvta.local.u64 %rd1, %rd1;\n  add.s64 %rd0, %rd0, %rd1;\n  st.u32 [%rd0], " +
               reg() + ";\n";
      default: return "  add.s32 " + reg() + ", " + reg() + ", " + reg() + ";\n";
    }
  }

  /// Where depth is left: a call, of one function or of those that the lanes choose.
  std::string call() {
    const std::string p = "%p" + number(20 + pick(10)), skip = label();
    std::string text = "  setp.eq.s32 " + p + ", %d, 0;\n  @" + p + " bra " + skip + ";\n";
    if (pick(2))
      text += "  and.b32 %t1, " + reg() + ", 1;\n  setp.eq.s32 " + p + ", %t1, 0;\n  @" + p + " bra " + skip +
              ";\n";
    const bool indirect = pick(2);
    if (indirect)
      text += "  and.b32 %t2, " + reg() +
              ", 3;\n  mul.wide.u32 %rd3, %t2, 8;\n  mov.u64 %rd4, table;\n"
              "  add.s64 %rd3, %rd3, %rd4;\n  ld.global.u64 %rd5, [%rd3];\n";
    text += "  sub.s32 %t3, %d, 1;\n  cvt.u64.u32 %rd2, " + reg() + ";\n  {\n";
    text +=
        "  .param .b32 p0;\n  .param .b64 p1;\n  .param .align 8 .b8 p2[24];\n  .param .b32 p3;\n"
        "  .param .b32 q0;\n  .param .align 8 .b8 q1[16];\n";
    text += "  st.param.b32 [p0], " + reg() + ";\n  st.param.b64 [p1], %rd2;\n  st.param.v2.b32 [p2+8], {" +
            reg() + ", " + reg() + "};\n  st.param.b64 [p2+16], %rd2;\n  st.param.b32 [p3], %t3;\n";
    if (indirect)
      text += "  call (q0, q1), %rd5, (p0, p1, p2, p3), prototype;\n";
    else
      text += "  call.uni (q0, q1), f" + number(pick(functions)) + ", (p0, p1, p2, p3);\n";
    text += "  ld.param.b32 " + reg() + ", [q0];\n  ld.param.b32 " + reg() +
            ", [q1+4];\n  ld.param.b64 %rd6, [q1+8];\n";
    return text + "  }\n  cvt.u32.u64 " + reg() + ", %rd6;\n" + skip + ":\n";
  }

  std::string statements(int depth) {
    std::string text;
    for (int n = 1 + pick(3); n > 0; --n) text += statement(depth);
    return text;
  }

  std::string statement(int depth) {
    if (depth == 0) return arithmetic();
    switch (pick(7)) {
      case 0: {
        const std::string p = "%p" + number(pick(20)), otherwise = label(), join = label();
        return "  setp.gt.s32 " + p + ", " + reg() + ", " + reg() + ";\n  @" + p + " bra " + otherwise +
               ";\n" + statements(depth - 1) + "  bra " + join + ";\n" + otherwise + ":\n" +
               statements(depth - 1) + join + ":\n";
      }
      case 1: {
        const std::string p = "%p" + number(pick(20)), i = "%i" + number(loops_++ % 20), top = label();
        return "  and.b32 " + i + ", " + reg() + ", 1;\n" + top + ":\n" + statements(depth - 1) +
               "  add.s32 " + i + ", " + i + ", 1;\n  setp.lt.s32 " + p + ", " + i + ", 2;\n  @" + p +
               " bra " + top + ";\n";
      }
      case 2:
      case 3: return call();
      default: return arithmetic();
    }
  }

  std::string function(int f) {
    std::string text = signature(f) + "\n{\n" + registers();
    text +=
        "  prototype: .callprototype (.param .b32 _, .param .align 8 .b8 _[16]) _ (.param .b32 _, .param "
        ".b64 _, "
        ".param .align 8 .b8 _[24], .param .b32 _);\n";
    text +=
        "  ld.param.b32 %r0, [a];\n  ld.param.b64 %rd7, [b];\n  cvt.u32.u64 %r1, %rd7;\n"
        "  ld.param.v2.b32 {%r2, %r3}, [s+8];\n  ld.param.b32 %r4, [s+16];\n  ld.param.b32 %d, [depth];\n"
        "  mov.u32 %r5, %laneid;\n";
    for (int i = 0; i < 16; ++i)
      text += "  st.local.b32 [frame+" + number(4 * i) + "], %r" + number(i % 6) + ";\n";
    const std::string out = label();
    text += statements(1);
    if (pick(3) == 0)
      text += "  and.b32 %t4, %r0, 31;\n  setp.eq.s32 %p30, %t4, 3;\n  @%p30 bra " + out + ";\n";
    if (pick(4) == 0) text += "  and.b32 %t4, %r1, 63;\n  setp.eq.s32 %p31, %t4, 5;\n  @%p31 exit;\n";
    text += call() + statements(0) + out + ":\n";
    return text + "  st.param.b32 [result], " + reg() +
           ";\n  st.param.b32 [more], %r1;\n  st.param.b32 [more+4], " + reg() +
           ";\n  st.param.b64 [more+8], %rd7;\n  ret;\n}\n";
  }

  std::string kernel() {
    std::string text = ".visible .entry k(.param .u64 in, .param .u64 out)\n{\n" + registers();
    text +=
        "  prototype: .callprototype (.param .b32 _, .param .align 8 .b8 _[16]) _ (.param .b32 _, .param "
        ".b64 _, "
        ".param .align 8 .b8 _[24], .param .b32 _);\n";
    text +=
        "  mov.u32 %r0, %tid.x;\n  mov.u32 %r1, %laneid;\n  ld.param.u64 %rd7, [in];\n  mul.wide.u32 %rd6, "
        "%r0, 4;\n"
        "  add.s64 %rd7, %rd7, %rd6;\n  ld.global.u32 %r2, [%rd7];\n  shr.u32 %r3, %r2, 3;\n  mov.u32 %r4, "
        "7;\n"
        "  xor.b32 %r5, %r2, %r0;\n  mov.u32 %d, 3;\n";
    for (int i = 0; i < 16; ++i)
      text += "  st.local.b32 [frame+" + number(4 * i) + "], %r" + number(i % 6) + ";\n";
    text += call() + statements(1) + call();
    text +=
        "  ld.param.u64 %rd7, [out];\n  mov.u32 %t5, %tid.x;\n  mul.wide.u32 %rd6, %t5, 32;\n  add.s64 %rd7, "
        "%rd7, %rd6;\n";
    for (int i = 0; i < 6; ++i)
      text += "  st.global.u32 [%rd7+" + number(4 * i) + "], %r" + number(i) + ";\n";
    return text + "  ret;\n}\n";
  }

  std::mt19937 random_;
  int labels_ = 0, loops_ = 0;
};

struct Outcome {
  simt::Fault fault = simt::Fault::none;
  std::vector<std::uint32_t> out;
  std::string trace;
  std::vector<simt::BlockCount> counts;
};

/// `entry` null: the interpreter.
Outcome run(const simt::Kernel& kernel, const ptx::Module& module, int lanes, const engine::KernelCode* code,
            bool traced) {
  Outcome o;
  semantics::SingleWarp warp(kernel, lanes);
  auto* in = reinterpret_cast<std::uint32_t*>(warp.allocate(128));
  auto* out = reinterpret_cast<std::uint32_t*>(warp.allocate(32 * 32));
  auto* table = reinterpret_cast<std::uint64_t*>(warp.allocate(64));
  const simt::FunctionAddresses addresses(module);
  for (int f = 0; f < functions; ++f) table[f] = addresses.of("f" + number(f));
  std::mt19937 random(7);
  for (int i = 0; i < 32; ++i) in[i] = static_cast<std::uint32_t>(random()) >> (random() % 32);
  for (std::size_t g = 0; g < kernel.globals.size(); ++g)
    warp.global(g, reinterpret_cast<std::uint64_t>(table));
  warp.parameter(0, reinterpret_cast<std::uint64_t>(in));
  warp.parameter(1, reinterpret_cast<std::uint64_t>(out));
  std::vector<std::uint64_t> words(traced ? 1 << 22 : 0);
  if (traced) warp.trace_into(words, 8192);
  if (code) fiber_entry = code->entry();
  o.fault = warp.run(code ? run_as_fiber : interp::run_warp);
  o.out.assign(out, out + 256);
  o.counts = warp.counts();
  if (traced) {
    const auto n = static_cast<std::size_t>(warp.context().trace_cursor - words.data());
    o.trace = expand({words.data(), n}, kernel, code ? code->patterns() : interp::patterns());
  }
  return o;
}

class Calls : public testing::TestWithParam<int> {};

TEST_P(Calls, CompiledProgramsOfCallsDoWhatTheInterpreterDoes) {
  const int lanes = GetParam();
  int kept = 0;
  for (unsigned seed = 0; seed < 5; ++seed) {
    const std::string text = Generator(seed).module();
    auto module = ptx::parse(text, "calls.ptx");
    ASSERT_TRUE(module) << module.error().message() << text;
    auto kernel = simt::build(*module, "k", "calls.ptx");
    ASSERT_TRUE(kernel) << kernel.error().message() << text;
    ASSERT_EQ(simt::verify(*kernel), "") << simt::dump(*kernel);
    kept += kernel->functions.empty() ? 0 : 1;
    const Outcome expected = run(*kernel, *module, lanes, nullptr, true);
    ASSERT_EQ(expected.fault, simt::Fault::none) << text;
    for (const bool generic : {false, true}) {
      if (generic && seed % 4 != 0) continue;  // compiling takes longest
      const Dim3 block = generic ? Dim3{0, 0, 0} : Dim3{static_cast<std::uint32_t>(lanes), 1, 1};
      for (const bool traced : {true, false}) {
        const auto code = compile(*kernel, block, traced ? engine::Flavour::traced : engine::Flavour::plain);
        ASSERT_TRUE(code) << text;
        const Outcome got = run(*kernel, *module, lanes, code.get(), traced);
        ASSERT_EQ(got.fault, simt::Fault::none);
        ASSERT_EQ(got.out, expected.out) << "seed " << seed << text << simt::dump(*kernel);
        if (traced) {
          ASSERT_EQ(got.trace, expected.trace) << "seed " << seed << text << simt::dump(*kernel);
        }
        for (std::size_t b = 0; b < got.counts.size(); ++b) {
          ASSERT_EQ(got.counts[b].warps, expected.counts[b].warps) << "seed " << seed << " block " << b;
          ASSERT_EQ(got.counts[b].threads, expected.counts[b].threads) << "seed " << seed << " block " << b;
        }
        if (!traced) break;
      }
    }
  }
  EXPECT_GT(kept, 3) << "most programs have calls that stay";
}

INSTANTIATE_TEST_SUITE_P(Lanes, Calls, testing::Values(32, 19));

}  // namespace
}  // namespace wanren::jit::test
