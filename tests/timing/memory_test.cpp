#include <gtest/gtest.h>

#include <cmath>
#include <numeric>
#include <random>

#include "synthetic_source.h"
#include "timing/hbm.h"
#include "timing/parameters.h"

namespace wanren::timing::test {
namespace {

/// Dependent loads by one lane at these addresses; cycles per load.
double chase(const chip::Spec& chip, const std::vector<std::uint64_t>& addresses,
             trace::Space space = trace::Space::global, Counters* counters = nullptr) {
  Code code;
  code.load(0, 2, 2, 8);
  Words w;
  for (const std::uint64_t a : addresses) w.block(0).affine(a, 0, 1, space);
  SyntheticSource source(code, 1, 1, w);
  const Timed t = run_one(chip, source, 1, space == trace::Space::shared ? 4096 : 0);
  if (counters) *counters = t.counters;
  return static_cast<double>(t.cycles.value) / static_cast<double>(addresses.size());
}

/// `rounds` times round `lines` lines of 128 bytes from `base`, every `step`-th.
std::vector<std::uint64_t> ring(std::uint64_t lines, int rounds, std::uint64_t base = 0,
                                std::uint64_t step = 1) {
  std::vector<std::uint64_t> a;
  for (int r = 0; r < rounds; ++r)
    for (std::uint64_t i = 0; i < lines; ++i) a.push_back(base + i * step * 128);
  return a;
}

/// Cycles per load of the second and later rounds.
double warm_chase(const chip::Spec& chip, std::uint64_t lines, std::uint64_t base = 0,
                  std::uint64_t step = 1) {
  const double once = chase(chip, ring(lines, 1, base, step)) * static_cast<double>(lines);
  const double thrice = chase(chip, ring(lines, 3, base, step)) * 3 * static_cast<double>(lines);
  return (thrice - once) / (2 * static_cast<double>(lines));
}

TEST(Latency, AChaseInL1TakesExactlyTheL1Latency) {
  EXPECT_EQ(warm_chase(small_chip(), 64), 33);
  EXPECT_EQ(warm_chase(small_chip(), (192 << 10) / 128), 33);  // up to the last line of its capacity
}

TEST(Latency, AChaseInSharedMemoryTakesExactlyTheSharedLatency) {
  EXPECT_EQ(chase(small_chip(), ring(32, 10, 0, 1), trace::Space::shared), 23);
}

TEST(Latency, AChaseInTheNearL2PartitionTakesExactlyTheNearLatency) {
  EXPECT_EQ(warm_chase(small_chip(), 8192), 205);   // 1 MiB
  EXPECT_EQ(warm_chase(small_chip(), 32768), 205);  // all 4 MiB
  chip::Spec chip = small_chip();
  chip.l2.ways = 64;
  EXPECT_EQ(warm_chase(chip, 32768), 205);
}

TEST(Latency, AChaseInTheFarL2PartitionTakesExactlyTheFarLatency) {
  chip::Spec chip = small_chip();
  chip.l2.partitions_per_die = 2;
  // Partition blocks of 64 lines alternate from the hashed turn on; take lines of one block at a time
  // and see that each costs near or far, half of them each.
  int near = 0, far = 0;
  for (std::uint64_t block = 0; block < 64; ++block) {
    // 2048 lines with the same place in 64-line blocks would leave L1: use 64 lines, L1 of the smallest size.
    chip.unit.l1_bytes = 4 * 128;
    const double cycles = warm_chase(chip, 64, block * 8192);
    if (cycles == 205) ++near;
    if (cycles == 288) ++far;
  }
  EXPECT_EQ(near, 32);
  EXPECT_EQ(far, 32);
}

TEST(Latency, ADramChaseTakesL2PlusDramPlusARowOpening) {
  // Lines 1 MiB apart: another row each time.
  EXPECT_EQ(chase(small_chip(), ring(1000, 1, 0, 8192 + 64)), 205 + 150 + 28);
}

TEST(Latency, ADramChaseThroughOneRowPaysTheOpeningOnce) {
  // The two lines of a channel's 256-byte chunk share a row.
  Counters c;
  const double cycles = chase(small_chip(), {0, 128}, trace::Space::global, &c) * 2;
  EXPECT_EQ(cycles, 2 * (205 + 150) + 28);
  EXPECT_EQ(c.dram_row_misses, 1u);
  EXPECT_EQ(c.dram_row_hits, 1u);
}

TEST(Latency, AChaseInTheOtherDiesL2PaysTheLinkBothWays) {
  chip::Spec chip = small_chip(2);
  chip.unit.l1_bytes = 4 * 128;
  int local = 0, remote = 0;
  for (std::uint64_t block = 0; block < 64; ++block) {
    const double cycles = warm_chase(chip, 32, block * 4096);
    if (cycles == 205) ++local;
    if (cycles == 288 + 2 * 60) ++remote;  // across the die as to a far partition, then the link
  }
  EXPECT_EQ(local, 32);
  EXPECT_EQ(remote, 32);
}

TEST(Latency, ReplicatingOtherDiesLinesMakesThemAsNearAsOnesOwn) {
  chip::Spec chip = small_chip(2);
  chip.d2d.cache = "replicate";
  EXPECT_EQ(warm_chase(chip, 8192), 205);
}

TEST(Latency, EachHopOfARingOrMeshCostsOneLink) {
  for (const char* topology : {"ring", "mesh"}) {
    chip::Spec chip = small_chip(4);
    chip.d2d.topology = topology;
    chip.unit.l1_bytes = 4 * 128;
    std::map<double, int> seen;
    for (std::uint64_t block = 0; block < 64; ++block) ++seen[warm_chase(chip, 32, block * 4096)];
    // Four dies in a ring and in a 2 x 2 mesh alike: itself, two neighbours, one two hops away.
    const std::map<double, int> expected = {{205, 16}, {288 + 120, 32}, {288 + 240, 16}};
    EXPECT_EQ(seen, expected) << topology;
  }
}

TEST(Latency, FarLinesAreKeptNearUpToHalfTheCapacityThenHalfTheLinesComeFromDram) {
  chip::Spec chip = small_chip();
  chip.l2.partitions_per_die = 2;
  chip.l2.replication = "near";
  const std::uint64_t half = (2 << 20) / 128;
  EXPECT_EQ(warm_chase(chip, half), 205);
  // Past half, with LRU and a cyclic walk, nothing stays in the near partition: far-homed lines are
  // found in theirs, near-homed ones come from DRAM (rows of two lines: half of the accesses open one).
  const double beyond = warm_chase(chip, half * 3 / 2);
  EXPECT_GT(beyond, (205 + 150 + 288) / 2.0);
  EXPECT_LT(beyond, (205 + 150 + 28 + 288) / 2.0);
  // Past all of it both come from DRAM.
  const double out = warm_chase(chip, half * 3);
  EXPECT_GT(out, (205 + 288) / 2.0 + 150);
  EXPECT_LT(out, (205 + 288) / 2.0 + 150 + 28);
}

/// Cycles that each of many independent accesses takes the unit, 32 warps issuing them.
double access_cost(const chip::Spec& chip, const std::function<void(Words&)>& record, int bytes,
                   trace::Space space, lower::Memory kind = lower::Memory::load) {
  Code code;
  for (int i = 0; i < 4; ++i) code.memory(kind, i, kind == lower::Memory::store ? -1 : 8 + 4 * i, 2, bytes);
  const auto cycles = [&](int n) {
    Words w;
    for (int i = 0; i < n; ++i) {
      w.block(0);
      for (int k = 0; k < 4; ++k) record(w);
    }
    SyntheticSource source(code, 1, 32, w);
    return run_one(chip, source, 1, space == trace::Space::shared ? 64 << 10 : 0).cycles.value;
  };
  return static_cast<double>(cycles(300) - cycles(100)) / (200 * 4 * 32);
}

TEST(SharedMemory, AStrideOfKWordsCostsAsManyPassesAsLanesPerBank) {
  for (const int stride : {1, 2, 3, 4, 5, 8, 16, 32}) {
    const int degree = std::gcd(stride, 32);
    const double cost = access_cost(
        small_chip(),
        [&](Words& w) {
          w.affine(0, static_cast<std::uint16_t>(4 * stride), full_mask, trace::Space::shared);
        },
        4, trace::Space::shared);
    EXPECT_EQ(cost, degree) << stride;
  }
}

TEST(SharedMemory, ABroadcastHasNoConflict) {
  EXPECT_EQ(access_cost(
                small_chip(), [](Words& w) { w.affine(64, 0, full_mask, trace::Space::shared); }, 4,
                trace::Space::shared),
            1);
}

TEST(SharedMemory, WideAccessesGoInHalvesAndQuarters) {
  EXPECT_EQ(access_cost(
                small_chip(), [](Words& w) { w.affine(0, 8, full_mask, trace::Space::shared); }, 8,
                trace::Space::shared),
            2);
  EXPECT_EQ(access_cost(
                small_chip(), [](Words& w) { w.affine(0, 16, full_mask, trace::Space::shared); }, 16,
                trace::Space::shared),
            4);
}

TEST(SharedMemory, AtomicsOnOneAddressSerialise) {
  const double same = access_cost(
      small_chip(), [](Words& w) { w.affine(64, 0, full_mask, trace::Space::shared); }, 4,
      trace::Space::shared, lower::Memory::atomic);
  EXPECT_EQ(same, 1 + 31 * 2);
}

TEST(L1, AnAccessCostsItsLinesOverTheTagRateOrItsBankPasses) {
  // Strides in words; lines touched: ceil(32 * 4 * stride / 128).
  for (const int stride : {1, 3, 7, 15, 31, 33}) {
    const double cost = access_cost(
        small_chip(), [&](Words& w) { w.affine(0, static_cast<std::uint16_t>(4 * stride)); }, 4,
        trace::Space::global);
    const double lines = std::min(32, (31 * 4 * stride + 4 + 127) / 128);
    EXPECT_NEAR(cost, std::max(1.0, lines / 4), 0.01) << stride;
  }
  for (const int stride : {2, 4, 8, 16, 32}) {
    const double cost = access_cost(
        small_chip(), [&](Words& w) { w.affine(0, static_cast<std::uint16_t>(4 * stride)); }, 4,
        trace::Space::global);
    EXPECT_NEAR(cost, stride, 0.01) << stride;  // bank conflicts rule
  }
}

TEST(Coalescing, LanesInKSectorsFetchKSectors) {
  Code code;
  code.load(0, 8, 2, 4);
  for (int k = 1; k <= 32; ++k) {
    std::array<std::uint64_t, warp_size> lanes;
    for (int l = 0; l < warp_size; ++l) lanes[l] = static_cast<std::uint64_t>(l % k) * 4096 + 4 * (l / k);
    SyntheticSource source(code, 1, 1, Words().block(0).gather(lanes));
    const Timed t = run_one(small_chip(), source);
    EXPECT_EQ(t.counters.l1_sectors, static_cast<std::uint64_t>(k == 1 ? 4 : k == 2 ? 4 : k == 3 ? 6 : k));
    EXPECT_EQ(t.counters.l2_read_sectors, t.counters.l1_sectors);
    EXPECT_EQ(t.counters.dram_read_bytes, 32 * t.counters.l1_sectors);
  }
}

TEST(Coalescing, AnUnalignedWarpTouchesOneSectorMore) {
  Code code;
  code.load(0, 8, 2, 4);
  for (const std::uint64_t base : {0, 4, 64, 100, 128}) {
    SyntheticSource source(code, 1, 1, Words().block(0).affine(base, 4));
    EXPECT_EQ(run_one(small_chip(), source).counters.l1_sectors, base % 32 ? 5u : 4u) << base;
  }
}

TEST(Coalescing, InactiveLanesFetchNothing) {
  Code code;
  code.load(0, 8, 2, 4);
  SyntheticSource some(code, 1, 1, Words().block(0).affine(0, 4, 0xff));
  EXPECT_EQ(run_one(small_chip(), some).counters.l1_sectors, 1u);
  SyntheticSource none(code, 1, 1, Words().block(0).affine(0, 4, 0));
  const Timed t = run_one(small_chip(), none);
  EXPECT_EQ(t.counters.l1_accesses, 0u);
  EXPECT_EQ(t.cycles.value, 1);
}

TEST(L1, ASecondLoadOfASectorOnItsWayJoinsTheFirst) {
  Code code;
  code.load(0, 8, 2).load(1, 9, 2);
  SyntheticSource source(code, 1, 1, Words().block(0).affine(0, 4).affine(0, 4));
  const Timed t = run_one(small_chip(), source);
  EXPECT_EQ(t.counters.l2_read_sectors, 4u);
  EXPECT_EQ(t.counters.l1_hit_sectors, 4u);  // no request of their own
}

TEST(L1, StoresDoNotAllocate) {
  Code code;
  code.store(0, 2).block().load(0, 8, 2);
  SyntheticSource source(code, 1, 1, Words().block(0).affine(0, 4).block(1).affine(0, 4));
  const Timed t = run_one(small_chip(), source);
  EXPECT_EQ(t.counters.l1_hit_sectors, 0u);
  EXPECT_EQ(t.counters.l2_write_sectors, 4u);
  EXPECT_EQ(t.counters.l2_read_sectors, 4u);
  EXPECT_EQ(t.counters.dram_read_bytes, 0u);  // whole sectors written need no fetch
}

TEST(L1, SharedMemoryTakesItsCapacity) {
  chip::Spec chip = small_chip();
  Code code;
  code.load(0, 2, 2, 8);
  const std::uint64_t lines = (192 - 100) * 1024 / 128;
  Words w;
  for (const std::uint64_t a : ring(lines, 3)) w.block(0).affine(a, 0, 1);
  SyntheticSource fits(code, 1, 1, w), does_not(code, 1, 1, w);
  EXPECT_EQ(run_one(chip, fits, 1, 100 << 10).counters.l1_hit_sectors, 2 * lines);
  EXPECT_LT(run_one(chip, does_not, 1, 101 << 10).counters.l1_hit_sectors, 2 * lines);
}

TEST(L1, ANewKernelFindsItEmpty) {
  Code code;
  code.load(0, 2, 2, 4);
  SyntheticSource a(code, 1, 1, Words().block(0).affine(0, 4)), b(code, 1, 1, Words().block(0).affine(0, 4));
  Device device(small_chip(), 1, nullptr);
  const auto timed = run_all(device, {a.work(), b.work()}, {{}, {0}});
  EXPECT_EQ(timed[1].counters.l1_hit_sectors, 0u);
  EXPECT_EQ(timed[1].counters.l2_hit_sectors, 4u);  // but L2 is warm
}

/// Steady rate, in bytes per cycle, of units that stream `lines` lines each; a second pass over the same data
/// when `warm`.
struct Rate {
  double bytes_per_cycle;
  Counters counters;
};
Rate stream(const chip::Spec& chip, int ctas, std::uint64_t lines_per_warp, bool warm,
            lower::Memory kind = lower::Memory::load, std::uint64_t wrap_lines = ~0ull) {
  Code code;
  const int n = 4;
  for (int i = 0; i < n; ++i) code.memory(kind, i, kind == lower::Memory::store ? -1 : 8 + i, 2, 4);
  const auto source = [&] {
    return std::make_unique<SyntheticSource>(code, ctas, 32, [=](std::uint64_t cta, std::uint32_t warp) {
      Words w;
      for (std::uint64_t i = 0; i < lines_per_warp; i += n) {
        w.block(0);
        for (int k = 0; k < n; ++k) {
          const std::uint64_t line = ((i + k) * ctas + cta) * 32 + warp;
          w.affine(line % wrap_lines * 128, 4);
        }
      }
      return std::vector<std::vector<std::uint64_t>>{w.words};
    });
  };
  Device device(chip, 1, nullptr);
  Timed t;
  for (int i = 0; i < (warm ? 2 : 1); ++i) {
    const auto s = source();
    t = run_all(device, {s->work(1)}).front();
  }
  return {static_cast<double>(ctas) * 32 * static_cast<double>(lines_per_warp) * 128 /
              static_cast<double>(t.cycles.value),
          t.counters};
}

TEST(Bandwidth, OneUnitReadsFromL2AtItsPortsRate) {
  EXPECT_NEAR(stream(small_chip(), 1, 512, true).bytes_per_cycle, 64, 1.5);
}

TEST(Bandwidth, OneUnitWritesAtItsPortsRate) {
  EXPECT_NEAR(stream(small_chip(), 1, 512, true, lower::Memory::store).bytes_per_cycle, 32, 1);
}

TEST(Dram, TheBusTurnsForABatchOfWritesOnlyWhereReadsCameBetween) {
  chip::Spec chip = small_chip();
  chip.hbm.write_batch = 4;
  const Parameters p = parameters(chip);
  Hbm hbm(p);
  // A 32-byte access takes a cycle; all in one row, which opens in 28.
  Tick last = 0;
  for (int i = 0; i < 12; ++i) last = hbm.write(0, 0, 0, 0).data;
  EXPECT_EQ(hbm.write(0, 0, 0, start_of(100)).data, start_of(100)) << "12 cycles, then the bus is free";
  EXPECT_LE(last, start_of(28));
  Hbm mixed(p);
  mixed.write(0, 0, 0, 0);
  mixed.read(0, 0, 0, 0);
  for (int i = 0; i < 2; ++i) mixed.write(0, 0, 0, start_of(100));
  EXPECT_EQ(mixed.write(0, 0, 0, start_of(100)).data, start_of(100 + 2 + 2 * 8)) << "to writes and back";
}

TEST(Dram, WritesBeyondL2TakeDramsRate) {
  Code code;
  code.store(0, 2, 16);
  const std::uint64_t rounds = 256;
  SyntheticSource source(code, 8, 32, [&](std::uint64_t cta, std::uint32_t warp) {
    Words w;
    for (std::uint64_t i = 0; i < rounds; ++i) w.block(0).affine(((i * 8 + cta) * 32 + warp) * 512, 16);
    return std::vector<std::vector<std::uint64_t>>{w.words};
  });
  chip::Spec chip = small_chip();
  chip.hbm.bandwidth_per_die = 64;  // bytes a cycle; the units' ports carry 128
  const Timed t = run_one(chip, source);
  const std::int64_t bytes = 8 * 32 * 512 * rounds, kept = 4 << 20;
  EXPECT_GE(t.cycles.value, (bytes - kept) / 64);
  EXPECT_LE(t.cycles.value, (bytes - kept) / 64 * 1.15);
}

TEST(Bandwidth, AClustersPortBoundsItsUnits) {
  chip::Spec chip = small_chip();
  chip.noc.cluster_read_bytes_per_cycle = 80;
  chip.noc.cluster_write_bytes_per_cycle = 40;
  EXPECT_NEAR(stream(chip, 4, 256, true).bytes_per_cycle, 2 * 80, 4);
  EXPECT_NEAR(stream(chip, 4, 256, true, lower::Memory::store).bytes_per_cycle, 2 * 40, 2);
}

TEST(Bandwidth, SlicesBoundL2) {
  chip::Spec chip = small_chip();
  chip.l2.slice_bytes_per_cycle = 16;
  EXPECT_NEAR(stream(chip, 4, 256, true).bytes_per_cycle, 8 * 16, 4);
}

TEST(Bandwidth, TheCrossingBoundsFarReads) {
  chip::Spec chip = small_chip();
  chip.l2.partitions_per_die = 2;
  chip.noc.partition_bytes_per_cycle = 20;
  // Half of the lines are far for any unit; each way carries half of those.
  EXPECT_NEAR(stream(chip, 4, 256, true).bytes_per_cycle, 4 * 20, 3);
}

TEST(Bandwidth, TheLinkBoundsRemoteReadsAfterPacketOverhead) {
  chip::Spec chip = small_chip(2);
  chip.d2d.bandwidth = 36;  // 36 B/cycle
  // Half of all reads are remote, half of those each way. A line comes as 128 + 16 bytes, and the other
  // die's requests of 16 bytes share the wire.
  const Rate rate = stream(chip, 8, 128, true);
  EXPECT_NEAR(rate.bytes_per_cycle, 4 * 36 * 128.0 / (128 + 16 + 16), 4);
  EXPECT_NEAR(static_cast<double>(rate.counters.d2d_bytes),
              static_cast<double>(rate.counters.l2_read_sectors) * 16,
              static_cast<double>(rate.counters.l2_read_sectors));
  EXPECT_EQ(rate.counters.d2d_wire_bytes, rate.counters.d2d_bytes / 128 * (128 + 16 + 16));
  EXPECT_EQ(rate.counters.d2d_link_bytes[0 * 2 + 1] + rate.counters.d2d_link_bytes[1 * 2 + 0],
            rate.counters.d2d_wire_bytes);
}

TEST(Bandwidth, AMissLimitBoundsAUnitByLittlesLaw) {
  chip::Spec chip = small_chip();
  chip.unit.l1_miss_sectors = 64;
  // 64 sectors of 32 bytes in flight, each from its lookup (half of L1's 33 before the network) over the
  // round trip of 172 to the end of its line on the unit's port (3 more sectors of half a cycle).
  const double bytes = stream(chip, 1, 512, true).bytes_per_cycle;
  EXPECT_NEAR(bytes, 64 * 32 / (16 + 172 + 1.5), 0.1);
}

TEST(Bandwidth, SequentialReadsReachThePinsLessRefresh) {
  chip::Spec chip = small_chip();
  chip.l2.bytes_per_die = 512 << 10;
  chip.hbm.bandwidth_per_die = 128;
  EXPECT_GT(stream(chip, 4, 512, false).bytes_per_cycle, 0.95 * 128);
  EXPECT_LE(stream(chip, 4, 512, false).bytes_per_cycle, 128);
  chip.hbm.refresh_share = 0.1;
  EXPECT_NEAR(stream(chip, 4, 512, false).bytes_per_cycle, 0.9 * 128, 4);
}

TEST(Bandwidth, ARowPerAccessIsBoundByTheRowCycleOfTheBanks) {
  chip::Spec chip = small_chip();
  Code code;
  for (int i = 0; i < 4; ++i) code.load(i, 8 + i, 2, 4);
  SyntheticSource source(code, 4, 32, [](std::uint64_t cta, std::uint32_t warp) {
    std::mt19937_64 random(cta * 32 + warp);
    Words w;
    for (int i = 0; i < 64; ++i) {
      w.block(0);
      for (int k = 0; k < 4; ++k) {
        std::array<std::uint64_t, warp_size> lanes;
        for (auto& lane : lanes) lane = random() % (4ull << 30) / 32 * 32;
        w.gather(lanes);
      }
    }
    return std::vector<std::vector<std::uint64_t>>{w.words};
  });
  const Timed t = run_one(chip, source, 1);
  const double accesses = static_cast<double>(t.counters.dram_read_bytes) / 32;
  const double per_cycle = accesses / static_cast<double>(t.cycles.value);
  const double bound = 8 * 16 / 45.0;  // channels x banks / tRC
  EXPECT_LT(per_cycle, bound * 1.01);
  EXPECT_GT(per_cycle, bound * 0.6);  // random banks are not evenly loaded
}

TEST(Conservation, SectorsMissedInOneLevelAreReadFromTheNext) {
  for (const char* replication : {"home", "near"}) {
    for (const int dies : {1, 2}) {
      chip::Spec chip = small_chip(dies);
      chip.l2.partitions_per_die = 2;
      chip.l2.replication = replication;
      chip.l2.bytes_per_die = 256 << 10;
      const Counters c = stream(chip, 4 * dies, 96, false, lower::Memory::load, 5000).counters;
      EXPECT_EQ(c.l1_sectors - c.l1_hit_sectors, c.l2_read_sectors);
      EXPECT_EQ((c.l2_read_sectors - c.l2_hit_sectors) * 32, c.dram_read_bytes);
      EXPECT_EQ(c.dram_row_hits + c.dram_row_misses, c.dram_read_bytes / 32);
      EXPECT_GT(c.l2_hit_sectors, 0u);
      const Counters s = stream(chip, 4 * dies, 96, false, lower::Memory::store).counters;
      EXPECT_EQ(s.l1_store_sectors, s.l2_write_sectors);
      EXPECT_LE(s.dram_write_bytes, s.l2_write_sectors * 32);
      EXPECT_GE(s.dram_write_bytes + static_cast<std::uint64_t>(dies) * (256 << 10), s.l2_write_sectors * 32);
      EXPECT_EQ(s.dram_read_bytes, 0u);
    }
  }
}

TEST(Peers, AChaseInAnotherChipsMemoryTakesTheLinkBothWaysAndItsMemory) {
  chip::Spec chip = small_chip();
  chip.link.kind = "nvlink3";
  chip.link.bandwidth = 100;
  chip.link.latency = 200;
  chip.link.packet_payload_bytes = 128;
  chip.link.packet_header_bytes = 16;
  const auto timed = [&](std::uint64_t base) {
    Code code;
    code.load(0, 2, 2, 8);
    Words w;
    for (const std::uint64_t a : ring(1000, 1, base)) w.block(0).affine(a, 0, 1, trace::Space::global);
    SyntheticSource source(code, 1, 1, w);
    Device device(chip, 1, nullptr);
    device.set_peer_memory({{DeviceAddress(1 << 30), 1 << 20}});
    return run_all(device, {source.work(1, 0)}).front();
  };
  const Timed here = timed(0), there = timed(1 << 30);
  const Parameters p = parameters(chip);
  // There and back; a request of 16 bytes, an answer of a sector and 16; the other's memory with an idle row.
  const double wire_ns = (16 + 48) / 100.0;
  const double beyond = (2 * 200 + wire_ns + chip.hbm.latency + chip.hbm.row_open) * p.core_mhz / 1000;
  const double near = 205;  // Through L1 to L2 and back.
  // Loads issue in whole cycles.
  EXPECT_NEAR(static_cast<double>(there.cycles.value) / 1000, std::ceil(near + beyond), 0.2);
  EXPECT_EQ(there.counters.peer_read_sectors, 1000);
  EXPECT_EQ(there.counters.peer_wire_bytes, 1000 * (16 + 48));
  EXPECT_EQ(there.counters.l2_read_sectors, 0);
  EXPECT_EQ(there.counters.dram_read_bytes, 0);
  EXPECT_EQ(here.counters.peer_read_sectors, 0);
}

}  // namespace
}  // namespace wanren::timing::test
