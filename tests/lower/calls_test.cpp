// Functions in machine code: one block space, moves for what is passed, a branch there and one back.

#include "programs.h"

namespace wanren::lower {
namespace {

constexpr const char* deep = R"(.version 8.0
.target sm_80
.address_size 64
.visible .func (.param .b32 result) down(.param .b32 n, .param .b64 to)
{
  .reg .pred %p<2>;
  .reg .b32 %r<6>;
  .reg .b64 %rd<3>;
  .local .align 4 .b8 note[8];
  ld.param.u32 %r1, [n];
  ld.param.u64 %rd1, [to];
  st.local.u32 [note], %r1;
  st.local.u32 [note+4], %r1;
  setp.eq.u32 %p1, %r1, 0;
  @%p1 bra DONE;
  sub.u32 %r2, %r1, 1;
  { .param .b32 a; .param .b64 b; .param .b32 c;
    st.param.b32 [a], %r2; st.param.b64 [b], %rd1;
    call.uni (c), down, (a, b);
    ld.param.b32 %r3, [c]; }
  ld.local.u32 %r4, [note];
  add.u32 %r1, %r3, %r4;
DONE:
  st.global.u32 [%rd1], %r1;
  st.param.b32 [result], %r1;
  ret;
}
.visible .entry k(.param .u64 p, .param .u32 n)
{
  .reg .b32 %r<4>;
  .reg .b64 %rd<3>;
  ld.param.u64 %rd1, [p];
  ld.param.u32 %r1, [n];
  { .param .b32 a; .param .b64 b; .param .b32 c;
    st.param.b32 [a], %r1; st.param.b64 [b], %rd1;
    call.uni (c), down, (a, b);
    ld.param.b32 %r2, [c]; }
  st.global.u32 [%rd1], %r2;
  ret;
}
)";

TEST(Calls, BodyAndFunctionsAreOneProgram) {
  for (const char* name : {"a100", "h100", "br100"}) {
    const Lowered l = lowered(deep, chip_named(name));
    ASSERT_EQ(l.kernel.functions.size(), 1u);
    EXPECT_EQ(l.program.blocks.size(), l.kernel.blocks.size());
    EXPECT_EQ(count(l.program, Memory::load), 1);  // note
    EXPECT_EQ(count(l.program, Memory::store), 4);
  }
}

TEST(Calls, ACallIsAMoveForEachWordAndABranch) {
  const Lowered l = lowered(deep, chip_named("a100"));
  const MachineBlock& block = l.program.blocks[0];
  int moves = 0, branches = 0;
  std::size_t branch = 0;
  for (std::size_t i = 0; i < block.insts.size(); ++i) {
    if (block.insts[i].pipe == Pipe::branch) {
      ++branches;
      branch = i;
    }
    if (block.insts[i].pipe == Pipe::integer) moves += block.insts[i].repeat;
  }
  EXPECT_EQ(branches, 1);
  EXPECT_EQ(moves, 1 + 2 + 1) << "a 32-bit argument, a pointer, the result";
  EXPECT_EQ(branch + 2, block.insts.size()) << "only the result's move stands behind the call";
}

}  // namespace
}  // namespace wanren::lower
