#include "timing/barriers.h"

#include <gtest/gtest.h>

namespace wanren::timing {
namespace {

TEST(Barriers, OpenForThoseThatWaitOnceAllThatLiveAreThere) {
  BarrierTable t;
  t.arrive(3, 0, 0, true);
  t.arrive(3, 2, 0, false);
  EXPECT_TRUE(t.has_waiting(3));
  EXPECT_FALSE(t.open(3, 3));
  EXPECT_EQ(t.open(3, 2), 0b001u) << "one of three has exited; one arrived without waiting";
  EXPECT_FALSE(t.has_waiting(3));
  EXPECT_FALSE(t.open(3, 2)) << "the next phase begins with nobody";
}

TEST(Barriers, ACountOpensForPartOfACtaAndLeavesOthersAlone) {
  BarrierTable t;
  t.arrive(1, 5, 2, true);
  t.arrive(2, 6, 2, true);
  EXPECT_FALSE(t.open(1, 8));
  t.arrive(1, 7, 2, true);
  EXPECT_EQ(t.open(1, 8), std::uint64_t{1} << 5 | std::uint64_t{1} << 7);
  EXPECT_FALSE(t.open(2, 8));
}

}  // namespace
}  // namespace wanren::timing
