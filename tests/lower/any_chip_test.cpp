// What the chip reader accepts, code is made for: no value of any figure ends in an internal error.

#include "../chip/any_chip.h"

#include <fstream>
#include <sstream>

#include "programs.h"

namespace wanren::lower {
namespace {

TEST(AnyChip, GetsCode) {
  std::vector<simt::Kernel> kernels;
  for (const char* file : {"bf16_gemm.ptx", "spmv.ptx", "tiles.ptx"}) {
    std::ostringstream text;
    text << std::ifstream(std::string(WANREN_SOURCE_DIR "/tests/lower/data/") + file).rdbuf();
    const ptx::Module module = parsed(text.str());
    for (const ptx::Function& function : module.functions)
      if (function.is_kernel && function.has_body)
        kernels.push_back(*simt::build(module, function.name, file));
  }
  ASSERT_GE(kernels.size(), 3u);
  const int accepted = chip::for_any_chip(
      *chip::small_br100(), 2, 41,
      [&](const chip::Spec& chip, const std::string& what) {
        for (const simt::Kernel& kernel : kernels)
          for (const std::uint32_t limit : {any_registers, registers_that_fit(chip, 1024)}) {
            const Result<MachineProgram> program = lower(kernel, chip, limit);
            EXPECT_TRUE(program.has_value()) << what << program.error().message();
            if (program) {
              EXPECT_EQ(verify(*program, kernel), "") << what;
            }
          }
      },
      [](const Error&) {});
  EXPECT_GT(accepted, 150);
}

}  // namespace
}  // namespace wanren::lower
