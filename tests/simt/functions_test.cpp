// Device functions: which are inlined, and what those that stay look like.

#include <gmock/gmock.h>

#include "kernels.h"

namespace wanren::simt::test {
namespace {

using ptx::Opcode;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr const char* fibonacci = R"(
.visible .func (.param .b32 result) fib(.param .b32 n)
{
  .reg .pred %p<2>;
  .reg .b32 %r<8>;
  ld.param.u32 %r1, [n];
  setp.lt.u32 %p1, %r1, 2;
  @%p1 bra DONE;
  sub.u32 %r2, %r1, 1;
  { .param .b32 a; .param .b32 b;
    st.param.b32 [a], %r2;
    call.uni (b), fib, (a);
    ld.param.b32 %r3, [b]; }
  sub.u32 %r4, %r1, 2;
  { .param .b32 a; .param .b32 b;
    st.param.b32 [a], %r4;
    call.uni (b), fib, (a);
    ld.param.b32 %r5, [b]; }
  add.u32 %r1, %r3, %r5;
DONE:
  st.param.b32 [result], %r1;
  ret;
}
)";

std::string calling(const std::string& function, const std::string& body) {
  return header() + function + kernel_text(body).substr(header().size());
}

constexpr const char* call_it = R"(
    ld.param.u64 %rd1, [k_param_0];
    ld.param.u32 %r1, [k_param_1];
    { .param .b32 a; .param .b32 b;
      st.param.b32 [a], %r1;
      call.uni (b), fib, (a);
      ld.param.b32 %r2, [b]; }
    st.global.u32 [%rd1], %r2;
    ret;)";

int calls(const Kernel& k) {
  int n = 0;
  for (const Block& b : k.blocks)
    for (const Inst& i : b.insts) n += i.op == Opcode::call;
  return n;
}

TEST(Functions, ARecursiveFunctionStaysOne) {
  const Kernel k = must_build(calling(fibonacci, call_it));
  ASSERT_EQ(k.functions.size(), 1u);
  const Function& f = k.functions[0];
  EXPECT_EQ(f.name, "fib");
  EXPECT_THAT(f.parameters, ElementsAre(Width::b32));
  EXPECT_THAT(f.results, ElementsAre(Width::b32));
  EXPECT_EQ(f.frame_bytes, 16u) << "nothing in it, but a recursive frame is never empty";
  EXPECT_FALSE(f.may_exit);
  EXPECT_EQ(calls(k), 3);
  EXPECT_TRUE(k.recursive);
  EXPECT_EQ(k.local_bytes, 16u + default_stack_bytes);
  EXPECT_EQ(k.call_depth, k.local_bytes / 16);
  EXPECT_EQ(with_stack(k, 4096).local_bytes, 16u + 4096);
  EXPECT_EQ(function_at(k, 0), no_function);
  EXPECT_EQ(function_at(k, f.first_block), 0u);
  for (const Block& b : k.blocks)
    for (const BlockId t : b.term.targets) EXPECT_EQ(function_at(k, t), function_at(k, b.id));
}

TEST(Functions, APartCountsFromItsOwnEntry) {
  const Kernel k = must_build(calling(fibonacci, call_it));
  const Kernel f = part(k, 0);
  EXPECT_EQ(f.blocks.size() + part(k, no_function).blocks.size(), k.blocks.size());
  EXPECT_EQ(f.blocks[0].id, 0u);
  EXPECT_TRUE(f.blocks[0].preds.empty());
  EXPECT_EQ(find(f, Opcode::mov).srcs[0].kind, Operand::Kind::argument);
  EXPECT_EQ(find(f, Opcode::ret).srcs.size(), 1u);
}

TEST(Functions, ACallEndsItsBlockAndCounts) {
  const Kernel k = must_build(calling(fibonacci, call_it));
  EXPECT_EQ(k.blocks[0].insts.back().op, Opcode::call);
  EXPECT_EQ(k.blocks[0].suspend, Suspend::call);
  EXPECT_EQ(k.blocks[0].ptx_instructions, 3u)
      << "two loads and the call; moves to parameters are not executed";
}

TEST(Functions, ASmallFunctionIsInlinedAndLeavesNoCall) {
  const std::string twice =
      ".visible .func (.param .b32 result) fib(.param .b32 n)\n{\n.reg .b32 %r<4>;\nld.param.u32 %r1, [n];\n"
      "add.u32 %r1, %r1, %r1;\nst.param.b32 [result], %r1;\nret;\n}\n";
  const Kernel k = must_build(calling(twice, call_it));
  EXPECT_TRUE(k.functions.empty());
  EXPECT_EQ(calls(k), 0);
  EXPECT_EQ(k.blocks.size(), 1u);
  EXPECT_EQ(k.local_bytes, 0u);
}

TEST(Functions, ALargeFunctionIsInlinedOnceButNotManyTimes) {
  std::string large =
      ".visible .func (.param .b32 result) fib(.param .b32 n)\n{\n.reg .b32 %r<4>;\nld.param.u32 %r1, [n];\n";
  for (int i = 0; i < 2000; ++i) large += "mul.lo.u32 %r1, %r1, %r1;\n";
  large += "st.param.b32 [result], %r1;\nret;\n}\n";
  EXPECT_TRUE(must_build(calling(large, call_it)).functions.empty());
  std::string body = "ld.param.u64 %rd1, [k_param_0];\nld.param.u32 %r1, [k_param_1];\n";
  for (int i = 0; i < 20; ++i)
    body +=
        "{ .param .b32 a; .param .b32 b;\nst.param.b32 [a], %r1;\ncall.uni (b), fib, (a);\nld.param.b32 %r1, "
        "[b]; }\n";
  const Kernel k = must_build(calling(large, body + "st.global.u32 [%rd1], %r1;\nret;"));
  ASSERT_EQ(k.functions.size(), 1u);
  EXPECT_EQ(calls(k), 20);
  EXPECT_FALSE(k.recursive);
  EXPECT_EQ(k.call_depth, 1u);
}

TEST(Functions, LanesThatMayExitInACalleeAreSwitchedOffBehindTheCall) {
  std::string exits = fibonacci;
  exits.insert(exits.find("DONE:"), "setp.gt.u32 %p1, %r3, 99;\n@%p1 exit;\n");
  const Kernel k = must_build(calling(exits, call_it));
  ASSERT_EQ(k.functions.size(), 1u);
  EXPECT_TRUE(k.functions[0].may_exit);
  const Inst& call = find(k, Opcode::call);
  ASSERT_EQ(call.dsts.size(), 2u);
  EXPECT_EQ(k.values[call.dsts[1]].width, Width::pred);
  EXPECT_EQ(find(k, Opcode::st).guard, call.dsts[1]) << "lanes that are gone store nothing";
}

constexpr const char* two_of_a_kind = R"(
.visible .func (.param .b32 result) one(.param .b32 n) { st.param.b32 [result], 1; ret; }
.visible .func (.param .b32 result) two(.param .b32 n) { st.param.b32 [result], 2; ret; }
.visible .func (.param .b32 result) other(.param .b64 n) { st.param.b32 [result], 3; ret; }
.visible .func (.param .b32 result) untouched(.param .b32 n) { st.param.b32 [result], 4; ret; }
.global .align 8 .u64 table[3] = {one, two, other};
)";
constexpr const char* call_some = R"(
    prototype: .callprototype (.param .b32 _) _ (.param .b32 _);
    ld.param.u64 %rd1, [k_param_0];
    ld.global.u64 %rd2, [%rd1];
    { .param .b32 a; .param .b32 b;
      st.param.b32 [a], 5;
      call (b), %rd2, (a), prototype;
      ld.param.b32 %r2, [b]; }
    st.global.u32 [%rd1], %r2;
    ret;)";

TEST(Functions, AnIndirectCallMayReachWhatHasItsSignatureAndAnAddress) {
  const Kernel k = must_build(calling(two_of_a_kind, call_some));
  ASSERT_EQ(k.functions.size(), 2u);
  EXPECT_EQ(k.functions[0].name, "one");
  EXPECT_EQ(k.functions[1].name, "two");
  EXPECT_LT(k.functions[0].address, k.functions[1].address);
  const Inst& call = find(k, Opcode::call);
  EXPECT_TRUE(call.indirect);
  EXPECT_THAT(call.callees, ElementsAre(0, 1));
  EXPECT_FALSE(k.recursive);
}

TEST(Functions, ACallOfWaitingLanesIsInlined) {
  // Each lane takes the lock in the callee and gives it back in the caller: lanes must overtake each other.
  const std::string lock = R"(
.visible .func take(.param .b64 at)
{
  .reg .pred %p<2>; .reg .b32 %r<3>; .reg .b64 %rd<2>;
  ld.param.u64 %rd1, [at];
TRY:
  atom.global.cas.b32 %r1, [%rd1], 0, 1;
  setp.ne.s32 %p1, %r1, 0;
  @%p1 bra TRY;
)" + std::string(1, '\n') + [] {
    std::string filler;
    for (int i = 0; i < 40000; ++i) filler += "add.u32 %r1, %r1, 1;\n";
    return filler;
  }() + "ret;\n}\n";
  const Kernel k = must_build(calling(lock, R"(
    ld.param.u64 %rd1, [k_param_0];
    { .param .b64 a; st.param.b64 [a], %rd1; call.uni take, (a); }
    atom.global.exch.b32 %r2, [%rd1], 0;
    { .param .b64 a; st.param.b64 [a], %rd1; call.uni take, (a); }
    ret;)"));
  EXPECT_TRUE(k.functions.empty());
  EXPECT_TRUE(k.needs_coupling);
}

TEST(Functions, WhatEveryCallPassesUniformIsUniformInTheCallee) {
  const Kernel k = must_build(calling(fibonacci, call_it));
  std::vector<Kernel> parts{part(k, no_function), part(k, 0)};
  auto shapes = analyse_parts(k, parts, block_of(32));
  EXPECT_TRUE(shapes[1].uniform_arguments[0]) << "the kernel's parameter, and n - 1 and n - 2";
  std::string by_lane = call_it;
  by_lane.replace(by_lane.find("ld.param.u32 %r1, [k_param_1]"), 29, "mov.u32 %r1, %tid.x;         ");
  const Kernel v = must_build(calling(fibonacci, by_lane));
  parts = {part(v, no_function), part(v, 0)};
  shapes = analyse_parts(v, parts, block_of(32));
  EXPECT_FALSE(shapes[1].uniform_arguments[0]);
}

TEST(Functions, AddressesTellModulesApart) {
  auto a = ptx::parse(header() + two_of_a_kind, "a"), b = ptx::parse(header() + fibonacci, "b");
  ASSERT_TRUE(a && b);
  const FunctionAddresses of_a(*a), of_b(*b);
  EXPECT_NE(of_a.of("one"), 0u);
  EXPECT_EQ(of_a.of("one") % 16, 0u);
  EXPECT_EQ(of_a.of("two"), of_a.of("one") + 16);
  EXPECT_EQ(of_a.of("fib"), 0u);
  EXPECT_NE(of_a.of("one") >> 24, of_b.of("fib") >> 24);
}

TEST(Functions, VerifyFindsACallThatDoesNotFitItsCallee) {
  Kernel k = must_build(calling(fibonacci, call_it));
  for (Block& b : k.blocks)
    for (Inst& i : b.insts)
      if (i.op == Opcode::call) i.srcs.clear();
  EXPECT_THAT(verify(k), HasSubstr("arguments"));
}

}  // namespace
}  // namespace wanren::simt::test
