// What the words of chip files do, each on its own.

#include <gtest/gtest.h>

#include <set>

#include "synthetic_source.h"
#include "timing/l2.h"
#include "timing/policies/cta_schedule.h"
#include "timing/policies/data_placement.h"
#include "timing/policies/dram_scheduler.h"
#include "timing/policies/hash.h"
#include "timing/policies/topology.h"

namespace wanren::timing {
namespace {

using test::small_chip;

TEST(Policies, EveryWordIsAnObjectOfItsOwn) {
#define WR_POLICY_BEGIN(type, folder, section, member, range) \
  {                                                           \
    using namespace folder;                                   \
    const std::string key = #section "." #member;             \
    chip::Spec chip = small_chip();                           \
    std::string& chip_says = chip.section.member;             \
    using Policy = type;                                      \
    std::set<const void*> objects;                            \
    std::size_t words = 0;
#define WR_POLICY(word, doc)                                 \
  chip_says = #word;                                         \
  EXPECT_EQ(&policy<Policy>(chip), &word()) << key << #word; \
  objects.insert(&word());                                   \
  ++words;
#define WR_POLICY_END(type)                \
  EXPECT_EQ(objects.size(), words) << key; \
  }
#include "chip/policies.def"
#undef WR_POLICY_BEGIN
#undef WR_POLICY
#undef WR_POLICY_END
}

/// A set is filled with lines 1 to `ways`, line 1 is used again, another comes: who had to go?
std::uint32_t victim_of(const char* word, int ways) {
  chip::Spec chip = small_chip();
  chip.l2.ways = ways;
  chip.l2.replacement = word;
  L2Partition l2(parameters(chip));
  L2Victim victim;
  for (int tag = 1; tag <= ways; ++tag) {
    const auto line = static_cast<std::uint32_t>(tag);
    l2.fill(0, l2.allocate(0, line, false, victim), 1, true);
  }
  l2.find(0, 1);
  l2.allocate(0, 1000, false, victim);
  return victim.tag;
}

TEST(Replacement, LruKeepsWhatIsUsed) {
  for (const int ways : {2, 3, 16, 20}) EXPECT_EQ(victim_of("lru", ways), 2u) << ways;
}

TEST(Replacement, FifoDropsWhatCameFirst) {
  for (const int ways : {2, 3, 16, 20}) EXPECT_EQ(victim_of("fifo", ways), 1u) << ways;
}

constexpr DramTicks ticks{.access = 10, .row_open = 100, .row_cycle = 300, .turnaround = 0};

TEST(DramScheduler, AWaitForARowHoldsUpOthersOnlyInOrderOfArrival) {
  for (const bool reorders : {true, false}) {
    const DramScheduler& scheduler = reorders ? dram_scheduler::frfcfs() : dram_scheduler::fcfs();
    Port bus;
    DramBank a, b;
    EXPECT_EQ(scheduler.serve(ticks, bus, a, 1, 0).data, 100);
    bus.free = 1000;
    a.opened = b.opened = 900;
    b.row = 5;
    // Bank a must wait for its row cycle and the new row; bank b's row is open.
    EXPECT_EQ(scheduler.serve(ticks, bus, a, 2, 1000).data, 900 + 300 + 100);
    EXPECT_EQ(scheduler.serve(ticks, bus, b, 5, 1000).data, reorders ? 1010 : 1310);
  }
}

TEST(Topology, LinksAreTheSameBothWaysAndAsManyAsTheWordSays) {
  const auto links = [](const Topology& t, int dies) {
    int count = 0;
    for (int a = 0; a < dies; ++a)
      for (int b = 0; b < dies; ++b) {
        if (a == b) continue;
        EXPECT_EQ(t.linked(dies, a, b), t.linked(dies, b, a));
        count += t.linked(dies, a, b) && a < b;
      }
    return count;
  };
  EXPECT_EQ(links(topology::none(), 6), 0);
  EXPECT_EQ(links(topology::all(), 6), 15);
  EXPECT_EQ(links(topology::ring(), 6), 6);
  EXPECT_EQ(links(topology::mesh(), 6), 7);  // 3 x 2
}

TEST(DataPlacement, EveryLineHasAPlaceOfItsOwn) {
  const DataPlacement::Sizes sizes{Divider(3), Divider(4), Divider(40), Dealer(golden)};
  for (const auto* policy : {&data_placement::interleave(), &data_placement::die_contiguous()}) {
    std::set<std::pair<std::uint32_t, std::uint32_t>> places;
    for (std::uint32_t line = 0; line < 120; ++line) {
      const auto place = policy->place(line, sizes);
      EXPECT_LT(place.die, 3u);
      EXPECT_LT(place.line, policy->most(120, sizes));
      places.emplace(place.die, place.line);
    }
    EXPECT_EQ(places.size(), 120u);
  }
}

TEST(CtaSchedule, SharesCoverAllUnits) {
  const Parameters p = parameters(small_chip(2));
  EXPECT_EQ(cta_schedule::round_robin().shares(p), 1);
  EXPECT_EQ(cta_schedule::die_contiguous().shares(p), 2);
  for (const auto* policy : {&cta_schedule::round_robin(), &cta_schedule::die_contiguous()}) {
    const std::vector<int> order = policy->order(p);
    EXPECT_EQ(std::set<int>(order.begin(), order.end()).size(), static_cast<std::size_t>(p.units));
    std::set<int> shares;
    for (const int unit : order) shares.insert(policy->share_of(p, unit));
    EXPECT_EQ(static_cast<int>(shares.size()), policy->shares(p));
  }
}

}  // namespace
}  // namespace wanren::timing
