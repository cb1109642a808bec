#include "timing/coalesce.h"

#include <gtest/gtest.h>

#include "synthetic_source.h"
#include "timing/parameters.h"

namespace wanren::timing::test {
namespace {

TEST(Coalescing, TheArithmeticForCommonShapesAgreesWithGoingLaneByLane) {
  const auto patterns = stride_patterns();
  std::vector<std::int64_t> strides;
  for (const auto& pattern : patterns) strides.push_back(stride_of(pattern));
  Coalescer coalescer(parameters(small_chip()));
  for (const Use use : {Use::plain, Use::shared_load})
    for (const std::uint16_t stride : {0, 4, 8, 16, 12})
      for (const std::uint32_t bytes : {4u, 8u, 16u})
        for (const LaneMask mask : {full_mask, LaneMask{0x10}, LaneMask{0xff00ff00}, LaneMask{0}})
          for (std::uint64_t base = 0x10000; base < 0x10100; base += 4) {
            trace::Record record{};
            record.kind = trace::Kind::affine;
            record.mask = mask;
            record.pattern = stride;
            record.base = base;
            std::array<std::uint64_t, warp_size> lanes;
            Coalescer::expand(record, patterns, lanes);
            Footprint expected;
            coalescer.compute(lanes.data(), mask, bytes, use, expected);
            const Footprint& found = coalescer(record, bytes, patterns, strides, 1, use);
            ASSERT_EQ(found.lines, expected.lines) << stride << ' ' << bytes << ' ' << mask << ' ' << base;
            ASSERT_EQ(found.wavefronts, expected.wavefronts)
                << stride << ' ' << bytes << ' ' << mask << ' ' << base;
            for (int i = 0; i < found.lines; ++i) {
              ASSERT_EQ(found.line[i] + found.base_line, expected.line[i] + expected.base_line);
              ASSERT_EQ(found.sectors[i], expected.sectors[i]);
            }
          }
}

TEST(Coalescing, OnlyEvenlySpacedPatternsFromZeroHaveAStride) {
  simt::LanePattern pattern{};
  EXPECT_EQ(stride_of(pattern), 0);
  for (int l = 0; l < warp_size; ++l) pattern[l] = -8 * l;
  EXPECT_EQ(stride_of(pattern), -8);
  pattern[31] = 0;
  EXPECT_EQ(stride_of(pattern), no_stride);
  pattern.fill(4);
  EXPECT_EQ(stride_of(pattern), no_stride);
}

TEST(Coalescing, WideSharedLoadsTakeHalfThePassesWherePairsOfLanesWantTheSame) {
  const Coalescer coalescer(parameters(small_chip()));
  const auto passes = [&](std::uint32_t bytes, Use use, LaneMask mask, auto&& word) {
    std::array<std::uint64_t, warp_size> lanes;
    for (int l = 0; l < warp_size; ++l) lanes[l] = std::uint64_t(word(l)) * bytes;
    Footprint f;
    coalescer.compute(lanes.data(), mask, bytes, use, f);
    return f.wavefronts;
  };
  const auto uniform = [](int) { return 0; };
  EXPECT_EQ(passes(16, Use::shared_load, full_mask, uniform), 2);
  EXPECT_EQ(passes(8, Use::shared_load, full_mask, uniform), 1);
  EXPECT_EQ(passes(16, Use::plain, full_mask, uniform), 4) << "stores, and loads of global memory";
  const auto neighbours = [](int l) { return l / 2; };
  const auto next = [](int l) { return l / 4 * 2 + l % 2; };
  EXPECT_EQ(passes(16, Use::shared_load, full_mask, neighbours), 2);
  EXPECT_EQ(passes(16, Use::shared_load, full_mask, next), 2);
  // Every fourth lane the same is no pair, but if the lanes between are off there is none that differs.
  const auto fourth = [](int l) { return l % 4; };
  EXPECT_EQ(passes(16, Use::shared_load, full_mask, fourth), 4);
  EXPECT_EQ(passes(16, Use::shared_load, 0x11111111, fourth), 2);
}

}  // namespace
}  // namespace wanren::timing::test
