// What each PTX pattern becomes. Counts are of machine instructions of the whole kernel, which besides the
// pattern holds one EXIT and what is named beside each expectation.

#include <algorithm>

#include "programs.h"

namespace wanren::lower {
namespace {

class Select : public testing::Test {
 protected:
  chip::Spec a100 = chip_named("a100");
  MachineProgram of(const std::string& body) { return lowered(kernel_text(body), a100).program; }
};

TEST_F(Select, AnEmptyKernelIsOneExit) {
  const MachineProgram p = of("");
  EXPECT_EQ(count(p, [](const MachineInst&) { return true; }), 1);
  EXPECT_EQ(count(p, Pipe::branch), 1);
}

TEST_F(Select, AnFmaChainIsOneInstructionPerFma) {
  std::string body = "cvt.rn.f32.u32 %f1, %r2;\n";
  for (int i = 0; i < 32; ++i) body += "fma.rn.f32 %f1, %f1, %f1, %f1;\n";
  body += "st.global.f32 [%rd1], %f1;\n";
  const MachineProgram p = of(body);
  EXPECT_EQ(count(p, Pipe::fp32), 32);
  for (const MachineInst& i : p.blocks[0].insts)
    if (i.pipe == Pipe::fp32) {
      EXPECT_EQ(i.flops_per_lane, 2u);
      EXPECT_EQ(i.latency, 4);   // subcore.alu_latency
      EXPECT_EQ(i.interval, 2);  // 32 lanes / subcore.fp32_lanes
    }
}

TEST_F(Select, AnIndexTimesSizePlusPointerIsOneWideMultiplyAdd) {
  // S2R tid, MOV 4, IMAD.WIDE, LDG, STG, EXIT, and nothing else.
  const MachineProgram p =
      of("mul.wide.u32 %rd3, %r2, 4;\nadd.s64 %rd4, %rd1, %rd3;\nld.global.u32 %r3, [%rd4];\nst.global.u32 "
         "[%rd4+64], "
         "%r3;");
  EXPECT_EQ(count(p, Pipe::imul), 1);
  EXPECT_EQ(count(p, Pipe::integer), 1);
  EXPECT_EQ(count(p, Pipe::memory), 2);
  EXPECT_EQ(p.blocks[0].insts.size(), 6u);
}

TEST_F(Select, ShiftedWidenedIndexIsTheSameWideMultiplyAdd) {
  const MachineProgram p =
      of("cvt.s64.s32 %rd3, %r2;\nshl.b64 %rd4, %rd3, 3;\nadd.s64 %rd5, %rd4, %rd1;\nld.global.u64 %rd6, "
         "[%rd5];\nst.global.u64 [%rd5], %rd6;");
  EXPECT_EQ(count(p, Pipe::imul), 1);
  EXPECT_EQ(count(p, Pipe::integer), 1);  // MOV 8
}

TEST_F(Select, ConstantOffsetsFoldIntoTheAddress) {
  const MachineProgram p = of(
      "mul.wide.u32 %rd3, %r2, 4;\nadd.s64 %rd4, %rd1, %rd3;\nadd.s64 %rd5, %rd4, 128;\nadd.s64 %rd6, %rd5, "
      "128;\nld.global.u32 %r3, [%rd5];\nld.global.u32 %r4, [%rd6+16];\nadd.s32 %r5, %r3, "
      "%r4;\nst.global.u32 "
      "[%rd4], %r5;");
  EXPECT_EQ(count(p, Pipe::integer), 2);  // MOV 4, IADD
  EXPECT_EQ(count(p, Pipe::imul), 1);
}

TEST_F(Select, SharedAddressesAreThirtyTwoBits) {
  // cvta-style 64-bit arithmetic on a shared window: one shift-add (LEA), no 64-bit pair.
  const MachineProgram p =
      of("mov.u64 %rd3, tile;\nmul.wide.u32 %rd4, %r2, 4;\nadd.s64 %rd5, %rd3, %rd4;\nst.shared.u32 [%rd5], "
         "%r2;\nbar.sync 0;\nld.shared.u32 %r3, [%rd5+4];\nst.shared.u32 [%rd5+8], %r3;");
  EXPECT_LE(count(p, Pipe::imul) + count(p, Pipe::integer), 2);
  for (const MachineBlock& b : p.blocks)
    for (const MachineInst& i : b.insts)
      if (i.memory == Memory::load || i.memory == Memory::store) {
        EXPECT_LE(i.src_width[0], 1);
      }
}

TEST_F(Select, SixtyFourBitAddIsTwoInstructionsWithACarry) {
  const MachineProgram p =
      of("cvt.u64.u32 %rd3, %r2;\nld.global.u64 %rd4, [%rd1];\nld.global.u64 %rd5, [%rd1+8];\nadd.s64 %rd6, "
         "%rd4, "
         "%rd5;\nst.global.u64 [%rd1], %rd6;");
  EXPECT_EQ(count(p, [](const MachineInst& i) { return i.dst_predicate != no_register; }), 1);
  EXPECT_EQ(count(p, Pipe::integer), 2 + 2);  // the pair; two MOVs of the pointer
}

TEST_F(Select, MultiplyThenAddIsOneMultiplyAdd) {
  const MachineProgram p =
      of("ld.global.u32 %r3, [%rd1];\nmul.lo.s32 %r4, %r3, %r2;\nadd.s32 %r5, %r4, %r3;\nst.global.u32 "
         "[%rd1], %r5;");
  EXPECT_EQ(count(p, Pipe::imul), 1);
  EXPECT_EQ(count(p, Pipe::integer), 2);  // two MOVs of the pointer
}

TEST_F(Select, ThreeInputLogicIsOneLop3) {
  const MachineProgram p =
      of("ld.global.u32 %r3, [%rd1];\nand.b32 %r4, %r3, %r2;\nnot.b32 %r5, %r4;\nxor.b32 %r6, %r5, "
         "%r1;\nst.global.u32 "
         "[%rd1], %r6;");
  EXPECT_EQ(count(p, Pipe::integer), 1 + 2);
}

TEST_F(Select, AddressSpaceConversionsAndCopiesVanish) {
  const MachineProgram p =
      of("cvta.to.global.u64 %rd3, %rd1;\nmov.u64 %rd4, %rd3;\ncvt.u32.s32 %r3, %r2;\nmov.b32 %r4, "
         "%r3;\nst.global.u32 "
         "[%rd4], %r4;");
  EXPECT_EQ(p.blocks[0].insts.size(), 5u);  // S2R, two MOVs of the pointer, STG, EXIT
}

TEST_F(Select, ParametersAreConstantBankOperands) {
  const MachineProgram p =
      of("mul.wide.u32 %rd3, %r2, 4;\nadd.s64 %rd4, %rd1, %rd3;\nadd.s32 %r3, %r2, %r1;\nst.global.u32 "
         "[%rd4], %r3;");
  EXPECT_EQ(count(p, Pipe::integer), 2);  // MOV 4, IADD with c[n]
}

TEST_F(Select, CorrectlyRoundedDivisionIsASeedAndNewtonSteps) {
  const MachineProgram p =
      of("ld.global.f32 %f1, [%rd1];\nld.global.f32 %f2, [%rd1+4];\ndiv.rn.f32 %f3, %f1, %f2;\nst.global.f32 "
         "[%rd1], "
         "%f3;");
  EXPECT_EQ(count(p, Pipe::sfu), 1);
  const int sequence =
      count(p, Pipe::sfu) + count(p, Pipe::fp32) + count(p, Pipe::integer) - 2 + count(p, Pipe::branch) - 1;
  EXPECT_GE(sequence, 8);
  EXPECT_LE(sequence, 10);
}

TEST_F(Select, ApproximateFunctionsAreOneMufuIfSubnormalsAreFlushed) {
  const std::string load = "ld.global.f32 %f1, [%rd1];\n", store = "st.global.f32 [%rd1], %f2;";
  for (const char* op :
       {"ex2.approx.ftz.f32", "lg2.approx.ftz.f32", "rsqrt.approx.ftz.f32", "rcp.approx.ftz.f32"}) {
    const MachineProgram p = of(load + op + std::string(" %f2, %f1;\n") + store);
    EXPECT_EQ(count(p, Pipe::sfu), 1) << op;
    EXPECT_EQ(count(p, Pipe::fp32), 0) << op;
  }
  const MachineProgram p = of(load + "ex2.approx.f32 %f2, %f1;\n" + store);
  EXPECT_EQ(count(p, Pipe::sfu), 1);
  EXPECT_EQ(count(p, Pipe::fp32), 2);  // scale in, scale out
}

TEST_F(Select, IntegerDivisionIsAUsualSequence) {
  const MachineProgram p =
      of("ld.global.u32 %r3, [%rd1];\nld.global.u32 %r4, [%rd1+4];\ndiv.s32 %r5, %r3, %r4;\nst.global.u32 "
         "[%rd1], %r5;");
  const int sequence =
      count(p, Pipe::sfu) + count(p, Pipe::integer) + count(p, Pipe::imul) + count(p, Pipe::convert) - 2;
  EXPECT_GE(sequence, 18);
  EXPECT_LE(sequence, 40);
}

TEST_F(Select, Fp64IsOneInstructionWhereThereAreLanesAndASequenceWhereNot) {
  const std::string text = kernel_text(
      "ld.global.f64 %fd1, [%rd1];\nfma.rn.f64 %fd2, %fd1, %fd1, %fd1;\nst.global.f64 [%rd1], %fd2;");
  const Lowered native = lowered(text, a100);
  EXPECT_EQ(count(native.program, Pipe::fp64), 1);
  EXPECT_TRUE(native.program.emulated.empty());
  const chip::Spec br100 = chip_named("br100");
  const Lowered soft = lowered(text, br100);
  EXPECT_EQ(count(soft.program, Pipe::fp64), 0);
  EXPECT_GE(count(soft.program, Pipe::integer), br100.sequence.fp64_fma);
  EXPECT_NE(std::find(soft.program.emulated.begin(), soft.program.emulated.end(), "fp64_emulated"),
            soft.program.emulated.end());
}

// m16n8k16: 2048 multiply-accumulates; A100 does 256 per cycle, BR100 1024 * warp_mma_share 0.25.
TEST_F(Select, MmaTakesItsMultiplyAccumulatesOverTheRate) {
  std::string body;
  for (int i = 10; i < 20; ++i)
    body += "ld.global.u32 %r" + std::to_string(i) + ", [%rd1+" + std::to_string(4 * i) + "];\n";
  body +=
      "mov.f32 %f1, 0f00000000;\n"
      "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%f2,%f3,%f4,%f5}, {%r10,%r11,%r12,%r13}, "
      "{%r14,%r15}, {%f1,%f1,%f1,%f1};\n"
      "st.global.v4.f32 [%rd2], {%f2,%f3,%f4,%f5};";
  for (const char* name : {"a100", "br100"}) {
    const Lowered l = lowered(kernel_text(body), chip_named(name));
    EXPECT_EQ(count(l.program, Pipe::tensor), 1);
    for (const MachineInst& i : l.program.blocks[0].insts) {
      if (i.pipe != Pipe::tensor) continue;
      EXPECT_EQ(i.interval, 2048 / 256) << name;
      EXPECT_EQ(i.tensor_flops, 2 * 2048u);
      EXPECT_EQ(i.tensor_type, static_cast<int>(TensorType::bf16));
      EXPECT_EQ(i.dst_count, 4);
      EXPECT_EQ(i.dst % 4, 0);
      EXPECT_EQ(i.src_width[0], 4);
      EXPECT_EQ(i.src_width[1], 2);
    }
    EXPECT_EQ(l.program.tensor_path, "warp mma");
  }
}

TEST_F(Select, VectorAccessesUseAlignedConsecutiveRegisters) {
  const MachineProgram p = of(
      "ld.global.v4.f32 {%f1,%f2,%f3,%f4}, [%rd1];\nfma.rn.f32 %f5, %f1, %f2, %f3;\nst.global.v4.f32 [%rd2], "
      "{%f5,%f2,%f3,%f4};");
  EXPECT_EQ(count(p, Memory::load), 1);
  EXPECT_EQ(count(p, Memory::store), 1);
  for (const MachineInst& i : p.blocks[0].insts) {
    if (i.memory == Memory::load) {
      EXPECT_EQ(i.dst % 4, 0);
      EXPECT_EQ(i.bytes, 16);
    }
    if (i.memory == Memory::store) {
      EXPECT_EQ(i.src[1] % 4, 0);
    }
  }
}

TEST_F(Select, ARefusedFeatureIsAnErrorWithTheLine) {
  chip::Spec chip = a100;
  chip.features["fp64"] = chip::Support::refused;
  const ptx::Module module = parsed(
      kernel_text("ld.global.f64 %fd1, [%rd1];\nadd.f64 %fd2, %fd1, %fd1;\nst.global.f64 [%rd1], %fd2;"));
  const Result<simt::Kernel> kernel = simt::build(module, "k", "test.ptx");
  ASSERT_TRUE(kernel.has_value());
  const Result<MachineProgram> program = lower(*kernel, chip);
  ASSERT_FALSE(program.has_value());
  EXPECT_EQ(program.error().place, "k:18");
  EXPECT_NE(program.error().cause.find("has no fp64"), std::string::npos);
  EXPECT_FALSE(program.error().remedy.empty());
}

}  // namespace
}  // namespace wanren::lower
