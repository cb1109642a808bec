// Loops that are unrolled and branches that became guards do what they did before.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "../semantics/harness.h"
#include "interp/interp.h"

namespace wanren {
namespace {

using semantics::SingleWarp;

simt::Kernel kernel_of(const std::string& body) {
  const std::string text =
      ".version 8.0\n.target sm_80\n.address_size 64\n.visible .entry k(.param .u64 out)\n{\n"
      ".reg .b32 %r<20>;\n.reg .b64 %rd<20>;\n.reg .pred %p<10>;\n"
      "ld.param.u64 %rd1, [out];\nmov.u32 %r1, %laneid;\nmad.wide.u32 %rd2, %r1, 8, %rd1;\n" +
      body + "\n}\n";
  auto kernel = semantics::build_kernel(text, "k");
  EXPECT_TRUE(kernel) << kernel.error().message();
  EXPECT_EQ(simt::verify(*kernel), "");
  return std::move(*kernel);
}

struct Outcome {
  std::vector<std::uint32_t> words;
  std::size_t instructions = 0;  ///< Of the built kernel.
};

Outcome outcome_of(const std::string& body) {
  const simt::Kernel kernel = kernel_of(body);
  Outcome o;
  for (const simt::Block& b : kernel.blocks) o.instructions += b.insts.size();
  SingleWarp warp(kernel, 32);
  const auto* out = reinterpret_cast<std::uint32_t*>(warp.allocate(4096));
  warp.parameter(0, reinterpret_cast<std::uint64_t>(out));
  EXPECT_EQ(warp.run(interp::run_warp), simt::Fault::none);
  o.words.assign(out, out + 64);
  return o;
}

struct Loop {
  std::string type, compare, begin, bound;
  int step;
};

// Counter and sum of a loop with a few instructions; the branch tests the counter after its step.
std::string loop(const Loop& l, bool unroll, bool leave_where_true) {
  const bool wide = l.type.ends_with("64");
  const std::string counter = wide ? "%rd4" : "%r4", bound = wide ? "%rd5" : "%r5", size = wide ? "64" : "32";
  std::string text =
      fmt::format("mov.u32 %r6, 1; mov.b64 %rd4, 0; mov.b64 %rd5, 0;\nadd.s{0} {1}, {1}, 0;\n{2}\n{3}\n",
                  size, counter, l.begin, l.bound);
  text += "L:\n";
  if (!unroll) text += ".pragma \"nounroll\";\n";
  text += "mul.lo.u32 %r6, %r6, 3;\nadd.u32 %r6, %r6, 1;\n";
  text += fmt::format("add.s{} {}, {}, {};\n", size, counter, counter, l.step);
  text += fmt::format("setp.{}.{} %p1, {}, {};\n", l.compare, l.type, counter, bound);
  text += leave_where_true ? "@%p1 bra D;\nbra L;\nD:\n" : "@%p1 bra L;\n";
  text += fmt::format("cvt.u32.u{} %r7, {};\nst.global.u32 [%rd2], %r6;\nst.global.u32 [%rd2+4], %r7;\nret;",
                      size, counter);
  return text;
}

void same(const Loop& l, bool leave_where_true, bool expect_growth) {
  const Outcome plain = outcome_of(loop(l, false, leave_where_true));
  const Outcome unrolled = outcome_of(loop(l, true, leave_where_true));
  EXPECT_EQ(plain.words, unrolled.words) << loop(l, true, leave_where_true);
  if (expect_growth && !leave_where_true) {
    EXPECT_GT(unrolled.instructions, plain.instructions) << loop(l, true, leave_where_true);
  }
}

TEST(Unroll, CountsKnownWhenBuilt) {
  for (const int n : {1, 2, 3, 4, 7, 16, 64, 100})
    for (const int step : {1, 4, -1, -3}) {
      const std::string far = std::to_string(step * n);
      same({"s32", "ne", "mov.u32 %r4, 0;", "mov.u32 %r5, " + far + ";", step}, false, n > 4);
      same({step > 0 ? "s32" : "s64", step > 0 ? "lt" : "gt",
            step > 0 ? "mov.u32 %r4, 0;" : "mov.u64 %rd4, 0;",
            step > 0 ? "mov.u32 %r5, " + far + ";" : "mov.u64 %rd5, " + far + ";", step},
           false, n > 4);
      same({"s32", "eq", "mov.u32 %r4, 0;", "mov.u32 %r5, " + far + ";", step}, true, n > 4);
    }
}

TEST(Unroll, CountsThatDifferFromLaneToLane) {
  // The bound is the lane's number, scaled; some lanes start beyond it and run once.
  for (const std::string bound : {"mov.u32 %r5, %r1;", "sub.s32 %r5, %r1, 16;", "mul.lo.s32 %r5, %r1, 5;"})
    for (const std::string begin :
         {"mov.u32 %r4, %r3;", "shr.u32 %r4, %r1, 2;", "mov.u32 %r4, %r1; sub.u32 %r4, %r4, 3;"}) {
      const std::string start = "ld.global.u32 %r3, [%rd1]; " + begin;
      for (const char* type : {"s32", "u32"})
        for (const char* compare : {"lt", "le"})
          for (const int step : {1, 2, 7})
            if (std::string(type) == "s32" || bound.starts_with("mov"))
              same({type, compare, start, bound, step}, false, true);
      for (const char* compare : {"gt", "ge"})
        for (const int step : {-1, -5})
          same({"s32", compare, "mul.lo.s32 %r4, %r1, 9;", "sub.s32 %r5, %r1, 16;", step}, false, true);
      same({"s32", "ge", start, bound, 3}, true, true);
    }
  // A bound met exactly, lanes at different rounds.
  same({"s32", "ne", "mov.u32 %r4, 0;", "add.u32 %r5, %r1, 1;", 1}, false, true);
  same({"s32", "ne", "add.u32 %r4, %r1, 1;", "mov.u32 %r5, 0;", -1}, false, true);
  same({"s64", "lt", "mov.u64 %rd4, 0;", "cvt.u64.u32 %rd5, %r1;", 1}, false, true);
}

TEST(Unroll, ACounterThatAnOuterLoopDoesNotReset) {
  // The inner loop leaves straight to the outer one's head, where the counter is no longer what it began
  // with.
  const auto text = [](bool unroll) {
    return std::string("mov.u32 %r4, 0;\nmov.u32 %r5, 4;\nmov.u32 %r6, 0;\nbra O;\nL:\n") +
           (unroll ? "" : ".pragma \"nounroll\";\n") +
           "add.u32 %r4, %r4, 1;\nadd.u32 %r6, %r6, 1;\nsetp.lt.u32 %p1, %r4, %r5;\n@%p1 bra L;\n"
           "O:\nadd.u32 %r6, %r6, 100;\nsetp.lt.u32 %p2, %r6, 350;\n@%p2 bra L;\n"
           "st.global.u32 [%rd2], %r6;\nst.global.u32 [%rd2+4], %r4;\nret;";
  };
  EXPECT_EQ(outcome_of(text(true)).words, outcome_of(text(false)).words);
}

TEST(Unroll, LanesMeetInTheSameIterations) {
  // Lane l runs l + 1 iterations; each counts who is there, and takes a word from its neighbour.
  const auto text = [](bool unroll) {
    return std::string("mov.u32 %r4, 0;\nadd.u32 %r5, %r1, 1;\nmov.u32 %r6, 0;\nL:\n") +
           (unroll ? "" : ".pragma \"nounroll\";\n") +
           "activemask.b32 %r7;\npopc.b32 %r8, %r7;\nadd.u32 %r6, %r6, %r8;\n"
           "shfl.sync.down.b32 %r9, %r6, 1, 31, %r7;\nadd.u32 %r6, %r6, %r9;\n"
           "add.u32 %r4, %r4, 1;\nsetp.lt.u32 %p1, %r4, %r5;\n@%p1 bra L;\n"
           "st.global.u32 [%rd2], %r6;\nst.global.u32 [%rd2+4], %r4;\nret;";
  };
  EXPECT_EQ(outcome_of(text(true)).words, outcome_of(text(false)).words);
}

TEST(Unroll, ComparesAtTheEdgeOfTheNumberRange) {
  const std::string near_top = "sub.u32 %r4, 2147483646, %r1; ";
  same({"s32", "lt", near_top, "mov.u32 %r5, 2147483647; add.u32 %r5, %r5, %r0;", 1}, false, false);
  same({"u32", "lt", "sub.u32 %r4, 4294967294, %r1;", "mov.u32 %r5, 4294967295; add.u32 %r5, %r5, %r0;", 1},
       false, false);
  same({"s32", "gt", "add.u32 %r4, %r1, 2147483649;", "mov.u32 %r5, 2147483648; add.u32 %r5, %r5, %r0;", -1},
       false, false);
}

TEST(ConvertBranches, GuardedSidesDoWhatTheBranchDid) {
  const auto text = [](bool convert) {
    const std::string stay = convert ? "" : "membar.cta;\n";
    return "and.b32 %r2, %r1, 3;\nsetp.lt.u32 %p1, %r2, 2;\nmov.u32 %r3, 5;\nmov.u32 %r4, 6;\n"
           "st.global.u32 [%rd2], %r1;\nst.global.u32 [%rd2+4], %r2;\n"
           "@%p1 bra A;\n" +
           stay +
           "add.u32 %r3, %r3, %r1;\nsub.u32 %r4, %r3, 9;\nbra J;\n"
           "A:\n" +
           stay +
           "ld.global.u32 %r3, [%rd2+4];\nmul.lo.u32 %r4, %r4, %r1;\nJ:\n"
           "setp.eq.u32 %p2, %r2, 3;\n@%p2 bra K;\n" +
           stay +
           "add.u32 %r3, %r3, %r4;\nst.global.u32 [%rd2+4], %r3;\nK:\n"
           "add.u32 %r4, %r4, %r3;\nst.global.u32 [%rd2], %r4;\nret;";
  };
  const simt::Kernel flat = kernel_of(text(true));
  EXPECT_EQ(flat.blocks.size(), 1u) << simt::dump(flat);
  EXPECT_GT(kernel_of(text(false)).blocks.size(), 4u);
  EXPECT_EQ(outcome_of(text(true)).words, outcome_of(text(false)).words);
}

TEST(ConvertBranches, ALoadThatItsSideWaitsForStaysBehindTheBranch) {
  const simt::Kernel kernel = kernel_of(
      "setp.lt.u32 %p1, %r1, 9;\nmov.u32 %r3, 5;\n@%p1 bra J;\n"
      "ld.global.u32 %r3, [%rd2];\nadd.u32 %r3, %r3, 1;\nJ:\nst.global.u32 [%rd2], %r3;\nret;");
  EXPECT_EQ(kernel.blocks.size(), 3u) << simt::dump(kernel);
}

}  // namespace
}  // namespace wanren
