// Every feature that a chip file may name decides over some instruction.

#include <map>

#include "programs.h"

namespace wanren::lower {
namespace {

std::string mma(const std::string& form, int d, int a, int b, const std::string& kind = "r") {
  const auto list = [&](const char* prefix, int count) {
    std::string text = "{";
    for (int i = 0; i < count; ++i)
      text += (i != 0 ? ", %" : "%") + std::string(prefix) + std::to_string(i + 1);
    return text + "}";
  };
  const std::string sum = form.find("f64") != std::string::npos    ? "fd"
                          : form.find(".s32") != std::string::npos ? "r"
                                                                   : "f";
  const std::string in = sum == "fd" ? "fd" : kind;
  return "mma.sync.aligned." + form + " " + list(sum.c_str(), d) + ", " + list(in.c_str(), a) + ", " +
         list(in.c_str(), b) + ", " + list(sum.c_str(), d) + ";\nst.global.b32 [%rd1], %r1;\n";
}

TEST(Features, EachIsAskedByAnInstructionThatNeedsIt) {
  const std::map<std::string, std::string> needs = {
      {"fp64", "add.f64 %fd1, %fd2, %fd3;\nst.global.f64 [%rd1], %fd1;\n"},
      {"mma_fp16", mma("m16n8k16.row.col.f32.f16.f16.f32", 4, 4, 2)},
      {"mma_bf16", mma("m16n8k16.row.col.f32.bf16.bf16.f32", 4, 4, 2)},
      {"mma_tf32", mma("m16n8k8.row.col.f32.tf32.tf32.f32", 4, 4, 2)},
      {"mma_int8", mma("m16n8k32.row.col.s32.s8.s8.s32", 4, 4, 2)},
      {"mma_int4", mma("m16n8k64.row.col.s32.s4.s4.s32", 4, 4, 2)},
      {"mma_fp8", mma("m16n8k32.row.col.f32.e4m3.e4m3.f32", 4, 4, 2)},
      {"mma_fp64", mma("m8n8k4.row.col.f64.f64.f64.f64", 2, 1, 1)},
  };
  for (const std::string& feature : chip::known_features()) {
    ASSERT_TRUE(needs.contains(feature)) << feature << ": nothing reads it";
    Result<ptx::Module> module = ptx::parse(kernel_text(needs.at(feature)), feature);
    ASSERT_TRUE(module.has_value()) << feature << ": " << module.error().message();
    const Result<simt::Kernel> kernel = simt::build(*module, "k", feature);
    ASSERT_TRUE(kernel.has_value()) << feature << ": " << kernel.error().message();
    chip::Spec chip = chip_named("h100");
    chip.features[feature] = chip::Support::refused;
    const Result<MachineProgram> refused = lower(*kernel, chip);
    ASSERT_FALSE(refused.has_value()) << feature << ": nothing reads it";
    EXPECT_NE(refused.error().cause.find("has no " + feature + ","), std::string::npos)
        << refused.error().message();
  }
}

}  // namespace
}  // namespace wanren::lower
