#include "driver/link.h"

#include <gtest/gtest.h>

#include "driver/status.h"

namespace wanren::driver {
namespace {

ptx::Module parsed(const char* body) {
  Result<ptx::Module> module =
      ptx::parse(std::string(".version 7.0\n.target sm_80\n.address_size 64\n") + body, "t");
  EXPECT_TRUE(module) << module.error().message();
  return module ? std::move(*module) : ptx::Module{};
}

TEST(Link, AnExternFunctionMeetsItsDefinition) {
  std::vector<ptx::Module> modules;
  modules.push_back(parsed(".extern .func f;\n"));
  modules.push_back(parsed(".visible .func f { ret; }\n"));
  const Result<ptx::Module> linked = link_modules(std::move(modules));
  ASSERT_TRUE(linked) << linked.error().message();
  ASSERT_EQ(linked->functions.size(), 1u);
  EXPECT_TRUE(linked->functions[0].has_body);
}

TEST(Link, TwoDefinitionsOfOneFunctionAreRefusedByName) {
  std::vector<ptx::Module> modules;
  modules.push_back(parsed(".visible .func twice { ret; }\n"));
  modules.push_back(parsed(".visible .func twice { ret; }\n"));
  const Result<ptx::Module> linked = link_modules(std::move(modules));
  ASSERT_FALSE(linked);
  EXPECT_NE(linked.error().cause.find("twice"), std::string::npos);
}

TEST(Link, WeakDuplicatesFold) {
  std::vector<ptx::Module> modules;
  modules.push_back(parsed(".weak .func w { ret; }\n"));
  modules.push_back(parsed(".weak .func w { ret; }\n"));
  const Result<ptx::Module> linked = link_modules(std::move(modules));
  ASSERT_TRUE(linked) << linked.error().message();
  EXPECT_EQ(linked->functions.size(), 1u);
}

TEST(Link, NamesPrivateToAModuleStayApart) {
  std::vector<ptx::Module> modules;
  modules.push_back(parsed(".global .u32 x;\n.visible .entry a() { .reg .b64 %rd; mov.u64 %rd, x; ret; }\n"));
  modules.push_back(parsed(".global .u32 x;\n.visible .entry b() { .reg .b64 %rd; mov.u64 %rd, x; ret; }\n"));
  const Result<ptx::Module> linked = link_modules(std::move(modules));
  ASSERT_TRUE(linked) << linked.error().message();
  ASSERT_EQ(linked->variables.size(), 2u);
  EXPECT_NE(linked->variables[0].name, linked->variables[1].name);
  const std::string used = linked->functions.at(1).body.at(0).instruction.sources.at(0).symbol;
  EXPECT_EQ(used, linked->variables[1].name);
}

TEST(Status, DriverAndRuntimeNumbersAgreeWhereCudaHasThemAgree) {
  EXPECT_EQ(driver_value(Status::cudaErrorIllegalAddress), 700);
  EXPECT_EQ(driver_value(Status::cudaErrorInvalidConfiguration), 1);
  EXPECT_STREQ(driver_name(Status::cudaErrorInvalidDeviceFunction), "CUDA_ERROR_NOT_FOUND");
  EXPECT_EQ(from_driver_value(2), Status::cudaErrorMemoryAllocation);
  EXPECT_EQ(status_of(simt::Fault::misaligned_address), Status::cudaErrorMisalignedAddress);
}

}  // namespace
}  // namespace wanren::driver
