#include "cost/silicon.h"

#include <gtest/gtest.h>

namespace wanren::cost {
namespace {

// 537 mm2 of 70686: 131.6, less pi 300 / sqrt(1074) = 28.8 at the edge; D A = 0.48, (1 + 0.16)^-3 = 0.64.
TEST(Silicon, ABr104DieByHand) {
  const Silicon s = silicon(*chip::load("br104"));
  EXPECT_EQ(s.dies_per_wafer, 102);
  EXPECT_NEAR(s.yield, 0.639, 0.001);
  EXPECT_NEAR(s.die_usd, 9346 / (102 * 0.639), 0.5);
  EXPECT_DOUBLE_EQ(s.package_usd, s.die_usd);
}

TEST(Silicon, TwoSmallDiesYieldMoreThanOneOfBothAreas) {
  const chip::Spec two = *chip::load("br100");
  chip::Spec one = two;
  one.package.dies = 1;
  one.cost.die_area *= 2;
  EXPECT_DOUBLE_EQ(silicon(two).package_usd, 2 * silicon(two).die_usd);
  EXPECT_LT(silicon(two).package_usd, silicon(one).package_usd);
}

}  // namespace
}  // namespace wanren::cost
