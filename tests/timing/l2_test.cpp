// Tags of L2 alone: order of replacement, few ways and many.

#include "timing/l2.h"

#include <gtest/gtest.h>

#include <random>

#include "synthetic_source.h"

namespace wanren::timing {
namespace {

Parameters with_ways(std::int64_t ways) {
  chip::Spec chip = test::small_chip();
  chip.l2.ways = ways;
  return parameters(chip);
}

void touch_line(L2Partition& l2, std::uint32_t set, std::uint32_t tag) {
  int way = l2.find(set, tag).way;
  L2Victim victim;
  if (way < 0) way = l2.allocate(set, tag, false, victim);
  l2.fill(set, way, 15, false);
}

TEST(L2, ASetHoldsAsManyLinesAsItHasWaysAndTheLeastRecentGoes) {
  for (const std::uint32_t ways : {1u, 4u, 16u, 17u, 32u, 64u, 128u, 256u}) {
    L2Partition l2(with_ways(ways));
    for (std::uint32_t tag = 0; tag < ways; ++tag) touch_line(l2, 3, tag);
    for (std::uint32_t tag = 0; tag < ways; ++tag) EXPECT_EQ(l2.find(3, tag).hit, 15) << ways << " " << tag;
    touch_line(l2, 3, ways);  // line 0 is the least recent
    EXPECT_EQ(l2.find(3, 0).way, -1) << ways;
    EXPECT_EQ(l2.find(3, 1).hit, 15) << ways;
    EXPECT_EQ(l2.find(2, 1).way, -1) << ways;
  }
}

TEST(L2, WideSetsDoWhatPackedOnesDo) {
  for (const int ways : {2, 7, 16}) {
    const Parameters p = with_ways(ways);
    L2Partition packed(p);
    WideSets wide(p);
    std::mt19937_64 random(static_cast<std::uint64_t>(ways));
    for (int i = 0; i < 200'000; ++i) {
      const auto set = static_cast<std::uint32_t>(random() % 5),
                 tag = static_cast<std::uint32_t>(random() % 24);
      const auto sectors = static_cast<std::uint8_t>(1 + random() % 15);
      const bool dirty = random() % 2 != 0;
      if (random() % 64 == 0) {
        packed.invalidate(set, tag, sectors);
        wide.invalidate(set, tag, sectors);
      }
      if (random() % 512 == 0) {
        packed.drop_replicas();
        wide.drop_replicas();
      }
      const L2Lookup a = packed.find(set, tag), b = wide.find(set, tag);
      ASSERT_EQ(a.way, b.way) << i;
      ASSERT_EQ(a.hit, b.hit) << i;
      ASSERT_EQ(a.pending_until, b.pending_until) << i;
      int way = a.way;
      if (way < 0) {
        L2Victim va, vb;
        const bool replica = random() % 4 == 0;
        way = packed.allocate(set, tag, replica, va);
        ASSERT_EQ(way, wide.allocate(set, tag, replica, vb)) << i;
        ASSERT_EQ(va.sectors, vb.sectors) << i;
        ASSERT_EQ(va.sectors != 0 ? va.tag : 0, va.sectors != 0 ? vb.tag : 0) << i;
      }
      packed.fill(set, way, sectors, dirty);
      wide.fill(set, way, sectors, dirty);
      if (random() % 8 == 0) {
        packed.set_pending(set, way, tag, i);
        wide.set_pending(set, way, tag, i);
      }
    }
  }
}

}  // namespace
}  // namespace wanren::timing
