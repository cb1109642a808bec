// The same one-instruction cases as the interpreter's.

#include <gtest/gtest.h>

#include "harness.h"

namespace wanren::jit::test {
namespace {

class Semantics : public testing::TestWithParam<semantics::Case> {};

TEST_P(Semantics, CompiledCodeGivesTheExpectedBits) {
  const semantics::Case& c = GetParam();
  auto kernel = semantics::build_kernel(c.text, c.name);
  ASSERT_TRUE(kernel) << kernel.error().message();
  const auto code = compile(*kernel, {static_cast<std::uint32_t>(c.lanes), 1, 1});
  ASSERT_TRUE(code);
  fiber_entry = code->entry();
  EXPECT_EQ(semantics::check_case(c, *kernel, run_as_fiber), "");
}

INSTANTIATE_TEST_SUITE_P(Cases, Semantics,
                         testing::ValuesIn(semantics::read_cases(WANREN_SOURCE_DIR "/tests/semantics")),
                         [](const auto& info) {
                           std::string name = info.param.name;
                           for (char& ch : name)
                             if (!std::isalnum(static_cast<unsigned char>(ch))) ch = '_';
                           return name;
                         });

}  // namespace
}  // namespace wanren::jit::test
