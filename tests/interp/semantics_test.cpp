// Every case file of tests/semantics on the interpreter.

#include <gtest/gtest.h>

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

INSTANTIATE_TEST_SUITE_P(Files, Semantics, testing::ValuesIn(cases()), [](const auto& info) {
  std::string name = info.param.name;
  for (char& ch : name)
    if (!std::isalnum(static_cast<unsigned char>(ch))) ch = '_';
  return name;
});

}  // namespace
}  // namespace wanren
