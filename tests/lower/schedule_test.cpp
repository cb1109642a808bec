// Whole kernels: order, registers, coverage.

#include <algorithm>

#include "programs.h"

namespace wanren::lower {
namespace {

/// C = A B with 16 x 16 tiles in shared memory, one element per thread; the inner product unrolled.
std::string tiled_sgemm() {
  std::string t =
      ".version 8.0\n.target sm_80\n.address_size 64\n.visible .entry k(.param .u64 a, .param .u64 b, .param "
      ".u64 c, "
      ".param .u32 n)\n{\n.reg .pred %p<4>;\n.reg .b32 %r<40>;\n.reg .f32 %f<64>;\n.reg .b64 %rd<40>;\n"
      ".shared .align 4 .b8 as[1024];\n.shared .align 4 .b8 bs[1024];\n"
      "ld.param.u64 %rd1, [a];\nld.param.u64 %rd2, [b];\nld.param.u64 %rd3, [c];\nld.param.u32 %r1, [n];\n"
      "mov.u32 %r2, %tid.x;\nmov.u32 %r3, %tid.y;\nmov.u32 %r4, %ctaid.x;\nmov.u32 %r5, %ctaid.y;\n"
      "shl.b32 %r6, %r5, 4;\nadd.s32 %r7, %r6, %r3;\nshl.b32 %r8, %r4, 4;\nadd.s32 %r9, %r8, %r2;\n"
      "mul.lo.s32 %r10, %r7, %r1;\nadd.s32 %r11, %r10, %r2;\nmad.lo.s32 %r12, %r3, %r1, %r9;\nshl.b32 %r13, "
      "%r1, 4;\n"
      "mul.wide.u32 %rd4, %r3, 64;\nmov.u64 %rd5, as;\nadd.s64 %rd6, %rd5, %rd4;\nmul.wide.u32 %rd7, %r2, "
      "4;\n"
      "add.s64 %rd8, %rd6, %rd7;\nmov.u64 %rd9, bs;\nadd.s64 %rd10, %rd9, %rd7;\nadd.s64 %rd11, %rd10, "
      "%rd4;\n"
      "mov.f32 %f1, 0f00000000;\nmov.u32 %r14, 0;\n"
      "loop:\nadd.s32 %r15, %r11, %r14;\nmul.wide.s32 %rd12, %r15, 4;\nadd.s64 %rd13, %rd1, %rd12;\n"
      "ld.global.nc.f32 %f2, [%rd13];\nst.shared.f32 [%rd8], %f2;\nmul.wide.s32 %rd14, %r12, 4;\n"
      "add.s64 %rd15, %rd2, %rd14;\nld.global.nc.f32 %f3, [%rd15];\nst.shared.f32 [%rd11], %f3;\nbar.sync "
      "0;\n";
  for (int i = 0; i < 16; ++i) {
    const auto s = [](int x) { return std::to_string(x); };
    t += "ld.shared.f32 %f" + s(10 + 2 * i) + ", [%rd6+" + s(4 * i) + "];\nld.shared.f32 %f" + s(11 + 2 * i) +
         ", [%rd10+" + s(64 * i) + "];\nfma.rn.f32 %f1, %f" + s(10 + 2 * i) + ", %f" + s(11 + 2 * i) +
         ", %f1;\n";
  }
  return t +
         "bar.sync 0;\nadd.s32 %r14, %r14, 16;\nadd.s32 %r12, %r12, %r13;\nsetp.lt.s32 %p1, %r14, %r1;\n@%p1 "
         "bra "
         "loop;\nadd.s32 %r16, %r10, %r9;\nmul.wide.s32 %rd16, %r16, 4;\nadd.s64 %rd17, %rd3, %rd16;\n"
         "st.global.f32 [%rd17], %f1;\nret;\n}\n";
}

int in_loops(const Lowered& l, Pipe pipe) {
  int n = 0;
  for (std::size_t b = 0; b < l.program.blocks.size(); ++b)
    if (l.kernel.blocks[b].loop_depth > 0)
      for (const MachineInst& i : l.program.blocks[b].insts)
        if (i.pipe == pipe) n += i.repeat;
  return n;
}

// Per iteration: 16 FFMA, 2 LDG, 2 STS, loads of shared memory, 2 BAR, 2 IMAD.WIDE, 3 IADD, ISETP, BRA.
TEST(TiledSgemm, TheLoopHoldsWhatTheAlgorithmNeedsAndLittleElse) {
  const Lowered l = lowered(tiled_sgemm(), chip_named("a100"));
  EXPECT_EQ(in_loops(l, Pipe::fp32), 16);
  EXPECT_EQ(in_loops(l, Pipe::imul), 2);
  EXPECT_EQ(in_loops(l, Pipe::integer), 4);
  EXPECT_EQ(in_loops(l, Pipe::barrier), 2);
  EXPECT_EQ(in_loops(l, Pipe::branch), 1);
}

// The row of A is 16 aligned neighbours: four LDS.128. The column of B is strided: 16 LDS.
TEST(TiledSgemm, NeighbouringSharedLoadsBecomeWideOnes) {
  const Lowered l = lowered(tiled_sgemm(), chip_named("a100"));
  const auto shared_loads = [&](int bytes) {
    int n = 0;
    for (std::size_t b = 0; b < l.program.blocks.size(); ++b)
      for (const MachineInst& i : l.program.blocks[b].insts)
        n += l.kernel.blocks[b].slots > 8 && i.memory == Memory::load && i.bytes == bytes;
    return n;
  };
  EXPECT_EQ(shared_loads(16), 4);
  EXPECT_EQ(shared_loads(4), 16);
}

TEST(Merge, NeighboursStayApartWhereAlignmentIsUnknownOrAStoreLiesBetween) {
  const auto wide_loads = [](const std::string& body) {
    const Lowered l = lowered(kernel_text(body), chip_named("a100"));
    return count(l.program, [](const MachineInst& i) { return i.memory == Memory::load && i.bytes > 4; });
  };
  const std::string base = "mov.u32 %r3, tile;\nshl.b32 %r4, %r2, 4;\nadd.s32 %r5, %r3, %r4;\n";
  const std::string odd = "mov.u32 %r3, tile;\nshl.b32 %r4, %r2, 2;\nadd.s32 %r5, %r3, %r4;\n";
  const std::string first = "ld.shared.u32 %r6, [%r5];\n", second = "ld.shared.u32 %r7, [%r5+4];\n";
  const std::string use = "add.s32 %r8, %r6, %r7;\nst.global.u32 [%rd1], %r8;";
  EXPECT_EQ(wide_loads(base + first + second + use), 1);
  EXPECT_EQ(wide_loads(odd + first + second + use), 0);
  EXPECT_EQ(wide_loads(base + first + "st.shared.u32 [%r3], %r2;\n" + second + use), 0);
}

TEST(Merge, AddressesThatALoopCarriesRoundAreAsAlignedAsTheirStartAndStep) {
  const auto wide_loads = [](const std::string& step, const std::string& offset = "0") {
    const Lowered l = lowered(
        kernel_text("mov.u32 %r3, tile;\nshl.b32 %r4, %r2, 4;\nadd.s32 %r5, %r3, %r4;\nadd.s32 %r5, %r5, " +
                    offset +
                    ";\nmov.u32 %r8, 0;\n"
                    "again:\nld.shared.u32 %r6, [%r5];\nld.shared.u32 %r7, [%r5+4];\nadd.s32 %r6, %r6, %r7;\n"
                    "add.s32 %r8, %r8, %r6;\nadd.s32 %r5, %r5, " +
                    step + ";\nsetp.lt.s32 %p1, %r8, %r2;\n@%p1 bra again;\nst.global.u32 [%rd1], %r8;"),
        chip_named("a100"));
    return count(l.program, [](const MachineInst& i) { return i.memory == Memory::load && i.bytes == 8; });
  };
  EXPECT_EQ(wide_loads("512"), 1);
  EXPECT_EQ(wide_loads("8"), 1);
  EXPECT_EQ(wide_loads("4"), 0);
  EXPECT_EQ(wide_loads("512", "24"), 1);
  EXPECT_EQ(wide_loads("512", "28"), 0) << "the pair straddles";
}

TEST(TiledSgemm, RegistersAreWhatSuchKernelsTake) {
  for (const char* chip : {"a100", "h100", "br100"}) {
    const Lowered l = lowered(tiled_sgemm(), chip_named(chip));
    EXPECT_GE(l.program.registers_per_thread, 24u) << chip;
    EXPECT_LE(l.program.registers_per_thread, 40u) << chip;
    EXPECT_EQ(l.program.spill_bytes, 0u) << chip;
  }
}

TEST(TiledSgemm, LoadsLeaveBeforeTheArithmeticThatWaitsForThem) {
  const Lowered l = lowered(tiled_sgemm(), chip_named("a100"));
  for (std::size_t b = 0; b < l.program.blocks.size(); ++b) {
    int loads_before_first_fma = 0;
    for (const MachineInst& i : l.program.blocks[b].insts) {
      if (i.pipe == Pipe::fp32) {
        EXPECT_GE(loads_before_first_fma, 4);
        break;
      }
      loads_before_first_fma += i.memory == Memory::load;
    }
  }
}

TEST(Schedule, IndependentLoadsMoveAboveWaitingArithmetic) {
  const Lowered l =
      lowered(kernel_text("ld.global.u32 %r3, [%rd1];\nadd.s32 %r4, %r3, 1;\nld.global.u32 %r5, "
                          "[%rd1+4];\nadd.s32 %r6, %r5, %r4;\nst.global.u32 [%rd2], %r6;"),
              chip_named("a100"));
  int loads = 0;
  for (const MachineInst& i : l.program.blocks[0].insts) {
    if (i.memory == Memory::load) ++loads;
    if (i.pipe == Pipe::integer && i.ptx_inst > 4 && i.src_count > 0) {
      EXPECT_EQ(loads, 2);
    }
  }
}

TEST(Schedule, ALoadStaysBehindAStoreThatMayTouchTheSameBytes) {
  // Different pointers: unknown. The same pointer, other bytes: free to move.
  for (const bool same_base : {false, true}) {
    const std::string base = same_base ? "%rd1+64" : "%rd2";
    const Lowered l =
        lowered(kernel_text("ld.global.u32 %r3, [%rd1];\nadd.s32 %r3, %r3, 7;\nst.global.u32 [%rd1], "
                            "%r3;\nld.global.u32 %r4, [" +
                            base + "];\nst.global.u32 [%rd1+128], %r4;"),
                chip_named("a100"));
    int store_at = -1, second_load_at = -1, at = 0;
    for (const MachineInst& i : l.program.blocks[0].insts) {
      if (i.slot == 1) store_at = at;
      if (i.slot == 2) second_load_at = at;
      ++at;
    }
    EXPECT_EQ(second_load_at < store_at, same_base);
  }
}

TEST(Registers, LaunchBoundsLimitThemAndForceSpills) {
  std::string body;
  for (int i = 0; i < 64; ++i)
    body += "ld.global.f32 %f" + std::to_string(i + 1) + ", [%rd1+" + std::to_string(4 * i) + "];\n";
  body += "bar.sync 0;\n";
  for (int i = 0; i < 64; ++i)
    body += "st.global.f32 [%rd2+" + std::to_string(4 * i) + "], %f" + std::to_string(i + 1) + ";\n";
  const chip::Spec a100 = chip_named("a100");
  const Lowered roomy = lowered(kernel_text(body), a100);
  EXPECT_GE(roomy.program.registers_per_thread, 64u);
  EXPECT_EQ(roomy.program.spill_bytes, 0u);
  // 1024 threads, 2 CTAs: 16 warps per sub-core, 65536 B / 4 / 512 lanes = 32 registers.
  const Lowered tight = lowered(kernel_text(body, ".maxntid 1024, 1, 1\n.minnctapersm 2\n"), a100);
  EXPECT_LE(tight.program.registers_per_thread, 32u);
  EXPECT_GT(tight.program.spill_bytes, 0u);
  const auto spills = [](const MachineInst& i) {
    return i.memory != Memory::none && i.slot == simt::no_slot;
  };
  EXPECT_GE(count(tight.program, spills), static_cast<int>(tight.program.spill_bytes / 4));
  EXPECT_EQ(count(roomy.program, spills), 0);
}

TEST(Registers, ASumCarriedRoundALoopStaysInOneRegister) {
  const Lowered l = lowered(
      kernel_text("mov.f32 %f1, 0f00000000;\nmov.u32 %r3, 0;\nmov.u64 %rd3, %rd1;\nloop:\n.pragma "
                  "\"nounroll\";\nld.global.f32 %f2, "
                  "[%rd3];\nfma.rn.f32 %f1, %f2, %f2, %f1;\nadd.s64 %rd3, %rd3, 4;\nadd.s32 %r3, %r3, 1;\n"
                  "setp.lt.u32 %p1, %r3, %r1;\n@%p1 bra loop;\nst.global.f32 [%rd2], %f1;"),
      chip_named("a100"));
  for (std::size_t b = 0; b < l.program.blocks.size(); ++b) {
    if (l.kernel.blocks[b].loop_depth == 0) continue;
    // LDG, FFMA, two IADD of the pointer, IADD, ISETP, BRA: no moves.
    EXPECT_EQ(l.program.blocks[b].insts.size(), 7u) << dump(l.program, l.kernel);
    for (const MachineInst& i : l.program.blocks[b].insts)
      if (i.pipe == Pipe::fp32) {
        EXPECT_EQ(i.dst, i.src[2]);
      }
  }
}

TEST(Verify, NamesTheFirstBrokenRule) {
  const Lowered good = lowered(tiled_sgemm(), chip_named("a100"));
  const auto broken = [&](auto change) {
    MachineProgram p = good.program;
    for (MachineBlock& b : p.blocks)
      for (MachineInst& i : b.insts)
        if (i.memory == Memory::load && change(p, b, i)) return verify(p, good.kernel);
    return std::string("nothing changed");
  };
  EXPECT_NE(broken([](auto&, auto&, MachineInst& i) {
              i.slot = simt::no_slot;
              return true;
            }).find("not consumed"),
            std::string::npos);
  EXPECT_NE(broken([](auto&, auto&, MachineInst& i) {
              i.dst = 250;
              return true;
            }).find("out of range"),
            std::string::npos);
  EXPECT_NE(broken([](auto&, MachineBlock& b, MachineInst& i) {
              b.insts.push_back(i);
              return true;
            }).find("consumed twice"),
            std::string::npos);
  EXPECT_NE(broken([](MachineProgram& p, auto&, auto&) {
              p.blocks.pop_back();
              return true;
            }).find("blocks for"),
            std::string::npos);
  // A shared load after the barrier that releases its tile.
  MachineProgram late = good.program;
  for (MachineBlock& b : late.blocks)
    for (std::size_t i = 0; i + 1 < b.insts.size(); ++i)
      if (b.insts[i].memory == Memory::load && b.insts.back().pipe == Pipe::barrier) {
        std::rotate(b.insts.begin() + static_cast<std::ptrdiff_t>(i),
                    b.insts.begin() + static_cast<std::ptrdiff_t>(i) + 1, b.insts.end());
        break;
      }
  EXPECT_NE(verify(late, good.kernel).find("changed order"), std::string::npos);
}

// A100: 64 warps, 65536 registers, 164 KiB shared, 1 KiB reserved per CTA, 32 CTAs.
TEST(Occupancy, AgreesWithHandComputation) {
  const chip::Spec a100 = chip_named("a100");
  Occupancy o = occupancy(a100, 32, 256, 0);  // 8 warps: 64 / 8
  EXPECT_EQ(o.ctas_per_unit, 8);
  EXPECT_DOUBLE_EQ(o.share, 1.0);
  EXPECT_EQ(o.limited_by, "warps");
  o = occupancy(a100, 128, 256, 0);  // 16384 registers / (128 * 32) = 4 warps per sub-core, 16 in all
  EXPECT_EQ(o.ctas_per_unit, 2);
  EXPECT_EQ(o.warps_per_unit, 16);
  EXPECT_EQ(o.limited_by, "registers");
  o = occupancy(a100, 40, 256, 0);  // 16384 / 1280 = 12 warps per sub-core, 48 in all
  EXPECT_EQ(o.ctas_per_unit, 6);
  EXPECT_DOUBLE_EQ(o.share, 0.75);
  o = occupancy(a100, 32, 128, 40 * 1024);  // 41 KiB with the reserve: 164 / 41
  EXPECT_EQ(o.ctas_per_unit, 4);
  EXPECT_EQ(o.limited_by, "shared memory");
  o = occupancy(a100, 16, 32, 0);
  EXPECT_EQ(o.ctas_per_unit, 32);
  EXPECT_EQ(o.limited_by, "CTAs");
  EXPECT_EQ(occupancy(a100, 32, 1025, 0).ctas_per_unit, 0);
  EXPECT_EQ(occupancy(a100, 32, 32, 164 * 1024).ctas_per_unit, 0);
  EXPECT_EQ(occupancy(a100, 32, 1024, 163 * 1024).ctas_per_unit, 1);
  // BR100: 64 KiB per CTA at most, none reserved.
  EXPECT_EQ(occupancy(chip_named("br100"), 32, 256, 64 * 1024).ctas_per_unit, 1);
  EXPECT_EQ(occupancy(chip_named("br100"), 32, 256, 16 * 1024).ctas_per_unit, 4);
}

}  // namespace
}  // namespace wanren::lower
