// Every instruction that the semantic case files exercise, and kernels that clang made, lower on each kind
// of chip to programs that keep their promises.

#include <filesystem>
#include <fstream>
#include <sstream>

#include "programs.h"

namespace wanren::lower {
namespace {

/// Kernels that build; each is lowered and verified.
int check_directory(const std::string& directory, const char* chip_name) {
  const chip::Spec chip = chip_named(chip_name);
  int kernels = 0;
  for (const auto& entry : std::filesystem::directory_iterator(directory)) {
    if (entry.path().extension() != ".ptx") continue;
    std::ostringstream text;
    text << std::ifstream(entry.path()).rdbuf();
    const Result<ptx::Module> module = ptx::parse(text.str(), entry.path().filename().string());
    if (!module) continue;  // refusals are the parser's own tests
    for (const ptx::Function& function : module->functions) {
      if (!function.is_kernel) continue;
      const Result<simt::Kernel> kernel =
          simt::build(*module, function.name, entry.path().filename().string());
      if (!kernel) continue;
      const Result<MachineProgram> program = lower(*kernel, chip);
      EXPECT_TRUE(program.has_value()) << entry.path() << ": " << program.error().message();
      if (!program) continue;
      EXPECT_EQ(verify(*program, *kernel), "") << entry.path() << "\n" << dump(*program, *kernel);
      // Each chip can hold at least one warp of it.
      EXPECT_GE(occupancy(chip, program->registers_per_thread, 32, 0).ctas_per_unit, 1) << entry.path();
      ++kernels;
    }
  }
  return kernels;
}

TEST(Coverage, KernelsThatClangMadeLowerOnEveryChip) {
  for (const std::string& chip : chip::shipped())
    EXPECT_GE(check_directory(WANREN_SOURCE_DIR "/tests/lower/data", chip.c_str()), 10) << chip;
}

TEST(Coverage, EveryCaseFileLowersOnAChipWithFp64) {
  EXPECT_GE(check_directory(WANREN_SOURCE_DIR "/tests/semantics", "a100"), 500);
}

TEST(Coverage, EveryCaseFileLowersOnAChipWithoutFp64) {
  EXPECT_GE(check_directory(WANREN_SOURCE_DIR "/tests/semantics", "br100"), 500);
}

}  // namespace
}  // namespace wanren::lower
