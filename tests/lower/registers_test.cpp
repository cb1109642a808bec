// Registers to a limit: another order first, then spills.

#include "lower/registers.h"

#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

#include "programs.h"

namespace wanren::lower {
namespace {

std::string data(const std::filesystem::path& file) {
  std::ifstream in(file);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

/// Kernels that clang made of the examples, by file.
std::vector<std::pair<std::string, simt::Kernel>> all_kernels() {
  std::vector<std::pair<std::string, simt::Kernel>> all;
  for (const auto& entry : std::filesystem::directory_iterator(WANREN_SOURCE_DIR "/tests/lower/data")) {
    const ptx::Module module = parsed(data(entry.path()));
    for (const ptx::Function& function : module.functions) {
      if (!function.is_kernel || !function.has_body) continue;
      Result<simt::Kernel> kernel = simt::build(module, function.name, entry.path().filename().string());
      if (kernel) all.emplace_back(entry.path().filename().string(), std::move(*kernel));
    }
  }
  EXPECT_GT(all.size(), 8u);
  return all;
}

/// Two groups in one register at one point, or nothing.
std::string first_clash(const Ranges& ranges, const Grouping& grouping, const Colouring& c) {
  std::map<std::pair<std::uint32_t, std::uint32_t>, std::uint32_t> holder;  // point, register
  for (std::uint32_t g = 0; g < grouping.groups.size(); ++g) {
    if (c.place[g] == ~0u) continue;
    for (std::uint32_t w = 0; w < grouping.groups[g].words; ++w)
      for (const Ranges::Segment& s : ranges.words[ranges.first[g] + w])
        for (std::uint32_t p = s.begin; p <= s.end; ++p) {
          const std::uint32_t r = c.place[g] + w + (grouping.groups[g].predicate ? 256 : 0);
          const auto [it, fresh] = holder.try_emplace({p, r}, g);
          if (!fresh && it->second != g)
            return "groups " + std::to_string(it->second) + " and " + std::to_string(g) + " in register " +
                   std::to_string(r) + " at point " + std::to_string(p);
        }
  }
  return "";
}

// Loads leave early where there is room for what they bring; where not, each waits for its turn.
TEST(Registers, ALimitReordersBeforeItSpills) {
  std::string body;
  for (int i = 0; i < 48; ++i) {
    const std::string f = "%f" + std::to_string(i + 1), at = std::to_string(4 * i) + "]";
    body += "ld.global.nc.f32 " + f + ", [%rd1+" + at + ";\nmul.f32 " + f + ", " + f + ", " + f +
            ";\nst.global.f32 [%rd2+" + at + ", " + f + ";\n";
  }
  const ptx::Module module = parsed(kernel_text(body));
  const Result<simt::Kernel> kernel = simt::build(module, "k", "test.ptx");
  ASSERT_TRUE(kernel.has_value()) << kernel.error().message();
  const chip::Spec br100 = chip_named("br100");
  const Result<MachineProgram> free = lower(*kernel, br100), bounded = lower(*kernel, br100, 24);
  ASSERT_TRUE(free && bounded);
  EXPECT_GT(free->registers_per_thread, 24u);
  EXPECT_LE(bounded->registers_per_thread, 24u);
  EXPECT_EQ(bounded->spill_bytes, 0u);
}

TEST(Registers, ABlockOfTheLargestSizeFitsEveryChipWhateverTheCodeWouldLike) {
  for (const std::string& name : chip::shipped()) {
    const chip::Spec chip = chip_named(name);
    const auto most = static_cast<std::uint32_t>(chip.unit.max_threads_per_cta);
    const std::uint32_t limit = registers_that_fit(chip, most);
    EXPECT_EQ(limit, 64u) << name;
    for (const auto& [file, kernel] : all_kernels()) {
      const Result<MachineProgram> program = lower(kernel, chip, limit);
      if (!program) continue;  // refused by this chip
      EXPECT_EQ(verify(*program, kernel), "") << file;
      EXPECT_LE(program->registers_per_thread, limit) << file << " " << kernel.name;
      EXPECT_GE(occupancy(chip, program->registers_per_thread, most, 0).ctas_per_unit, 1) << file;
    }
  }
}

// No two values share a register at one point; what spilling reloads lives inside one block.
TEST(Registers, NoValueOverwritesALiveOne) {
  const chip::Spec a100 = chip_named("a100");
  for (const auto& [file, kernel] : all_kernels())
    for (const std::uint32_t budget : {20u, 40u, 200u}) {
      Result<Code> code = select(kernel, a100);
      ASSERT_TRUE(code.has_value()) << code.error().message();
      Grouping grouping = coalesce(*code);
      std::uint32_t spill_words = 0, room = budget;
      for (int round = 0;; ++round) {
        ASSERT_LT(round, 100) << file << " " << kernel.name;
        const Ranges ranges = live_ranges(*code, grouping);
        const Colouring c = colour(ranges, grouping, room, false, remade(*code, grouping));
        EXPECT_EQ(first_clash(ranges, grouping, c), "") << file << " " << kernel.name << " in " << room;
        if (c.possible && c.spilled.empty()) break;
        if (!c.possible) room += 2;
        insert_spills(*code, grouping, ranges, c.spilled, spill_words);
      }
      EXPECT_LE(room, budget + 40) << file << " " << kernel.name;
    }
}

}  // namespace
}  // namespace wanren::lower
