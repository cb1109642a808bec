// Products of warpgroups: one machine instruction each, accumulators in place.

#include "programs.h"

namespace wanren::lower {
namespace {

std::string sums(int count) {
  std::string list;
  for (int i = 0; i < count; ++i) list += (i != 0 ? ", %f" : "%f") + std::to_string(i + 10);
  return "{" + list + "}";
}

TEST(Products, AccumulatorsOfALoopStayInPlace) {
  std::string body = "add.s64 %rd3, %rd1, %rd2;\nmov.u32 %r3, 0;\nsetp.eq.u32 %p1, %r3, 0;\n";
  for (int i = 0; i < 32; ++i) body += "mov.f32 %f" + std::to_string(i + 10) + ", 0f00000000;\n";
  body += "round:\nwgmma.fence.sync.aligned;\n";
  for (int i = 0; i < 4; ++i)
    body += "wgmma.mma_async.sync.aligned.m64n64k16.f32.bf16.bf16 " + sums(32) +
            ", %rd3, %rd3, %p1, 1, 1, 0, 0;\n";
  body +=
      "wgmma.commit_group.sync.aligned;\nwgmma.wait_group.sync.aligned 0;\nadd.u32 %r3, %r3, 1;\n"
      "setp.lt.u32 %p2, %r3, %r1;\n@%p2 bra round;\n";
  for (int i = 0; i < 32; ++i)
    body += "st.global.f32 [%rd1+" + std::to_string(4 * i) + "], %f" + std::to_string(i + 10) + ";\n";
  const Lowered l = lowered(kernel_text(body), chip_named("h100"));
  EXPECT_EQ(l.program.tensor_path, "tile mma");
  EXPECT_LE(l.program.registers_per_thread, 48u);
  int products = 0;
  for (const MachineBlock& block : l.program.blocks) {
    const auto is_product = [](const MachineInst& i) { return i.memory == Memory::product; };
    if (std::none_of(block.insts.begin(), block.insts.end(), is_product)) continue;
    for (const MachineInst& i : block.insts) {
      EXPECT_TRUE(is_product(i) || i.pipe == Pipe::none) << text(i);
      if (!is_product(i)) continue;
      ++products;
      EXPECT_EQ(i.interval, 16 * 64 * 16 / 512);
      EXPECT_EQ(i.bytes, 32 * (64 / 4 + 64 / 4)) << "a quarter of B, and the warp's rows of A";
      EXPECT_EQ(i.tensor_flops, 2u * 16 * 64 * 16);
    }
  }
  EXPECT_EQ(products, 4);
}

}  // namespace
}  // namespace wanren::lower
