// Every case file of tests/semantics on the interpreter.

#include <gtest/gtest.h>

#include <set>

#include "../semantics/harness.h"
#include "interp/interp.h"

namespace wanren {
namespace {

std::vector<semantics::Case> cases() {
  return semantics::read_cases(std::filesystem::path(WANREN_SOURCE_DIR) / "tests" / "semantics");
}

class Semantics : public testing::TestWithParam<semantics::Case> {};

TEST_P(Semantics, GivesTheBitsInItsHead) {
  const semantics::Case& c = GetParam();
  ASSERT_FALSE(c.out.empty()) << "no expectation";
  const auto kernel = semantics::build_kernel(c.text, c.name);
  ASSERT_TRUE(kernel) << kernel.error().message();
  EXPECT_EQ(semantics::check_case(c, *kernel, interp::run_warp), "");
}

TEST(SemanticsFolder, HasACaseForEveryExecutedInstruction) {
  using ptx::Opcode;
  std::set<Opcode> seen;
  for (const semantics::Case& c : cases()) {
    const auto module = ptx::parse(c.text, c.name);
    ASSERT_TRUE(module) << module.error().message();
    for (const ptx::Function& f : module->functions)
      for (const ptx::Statement& s : f.body)
        if (s.kind == ptx::Statement::Kind::instruction) seen.insert(s.instruction.opcode);
  }
  enum : unsigned { D = 1, M = 2, S = 4, X = 8, C = 16, P = 32 };
  // Control flow and suspension are control_test.cpp's.
#define WR_OPCODE(id, text, flags, modifiers, cost) \
  EXPECT_TRUE(((flags) & (X | C | S)) || seen.contains(Opcode::id)) << text;
#include "ptx/opcodes.def"
#undef WR_OPCODE
}

INSTANTIATE_TEST_SUITE_P(Files, Semantics, testing::ValuesIn(cases()), [](const auto& info) {
  std::string name = info.param.name;
  for (char& ch : name)
    if (!std::isalnum(static_cast<unsigned char>(ch))) ch = '_';
  return name;
});

}  // namespace
}  // namespace wanren
