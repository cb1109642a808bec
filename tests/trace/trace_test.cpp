// Traces as text and back, and the addresses that records stand for.

#include "trace/trace.h"

#include <gtest/gtest.h>

#include <random>

namespace wanren::trace {
namespace {

simt::Kernel kernel_with_slots(const std::vector<std::uint16_t>& slots) {
  simt::Kernel k;
  for (std::size_t i = 0; i < slots.size(); ++i) {
    simt::Block b;
    b.id = static_cast<simt::BlockId>(i);
    b.slots = slots[i];
    k.blocks.push_back(b);
  }
  return k;
}

std::vector<simt::LanePattern> some_patterns() {
  std::vector<simt::LanePattern> patterns(3);
  for (int l = 0; l < warp_size; ++l) {
    patterns[1][l] = 4 * l;
    patterns[2][l] = -(l / 16);
  }
  return patterns;
}

Record read(const std::vector<std::uint64_t>& words) {
  Record r;
  EXPECT_EQ(read_record(words.data(), r), words.data() + words.size());
  return r;
}

TEST(Trace, AnAffineRecordIsBasePlusPattern) {
  const std::vector<std::uint64_t> words = {0x1000, record_word(full_mask, 1, Kind::affine, Space::global)};
  const auto lanes = addresses(read(words), some_patterns());
  for (int l = 0; l < warp_size; ++l) EXPECT_EQ(lanes[l], 0x1000u + 4u * static_cast<unsigned>(l));
}

TEST(Trace, AScaledRecordAddsANegativeScaleTimesItsPattern) {
  const std::uint64_t scale = static_cast<std::uint64_t>(-256) & 0xffff'ffff'ffff;
  const std::vector<std::uint64_t> words = {0x8000, record_word(full_mask, 1, Kind::scaled, Space::shared),
                                            scale | std::uint64_t{2} << 48};
  const Record r = read(words);
  EXPECT_EQ(r.scale, -256);
  const auto lanes = addresses(r, some_patterns());
  for (int l = 0; l < warp_size; ++l)
    EXPECT_EQ(lanes[l], 0x8000u + 4u * static_cast<unsigned>(l) + 256u * (l / 16));
}

TEST(Trace, GatheredLanesAreStoredAsTheyAre) {
  std::vector<std::uint64_t> wide = {0, record_word(full_mask, 0, Kind::gather, Space::global)};
  std::vector<std::uint64_t> narrow = {0, record_word(full_mask, 0, Kind::gather32, Space::shared)};
  for (std::uint64_t l = 0; l < warp_size; ++l) wide.push_back(l << 40 | l);
  for (std::uint64_t l = 0; l < warp_size; l += 2) narrow.push_back((l * 7) | (l * 7 + 7) << 32);
  const auto a = addresses(read(wide), some_patterns());
  const auto b = addresses(read(narrow), some_patterns());
  for (std::uint64_t l = 0; l < warp_size; ++l) {
    EXPECT_EQ(a[l], l << 40 | l);
    EXPECT_EQ(b[l], l * 7);
  }
}

TEST(Trace, DumpedTextParsesBackToTheSameWords) {
  const simt::Kernel kernel = kernel_with_slots({0, 1, 3, 7});
  const auto patterns = some_patterns();
  std::mt19937_64 random(7);
  for (int round = 0; round < 200; ++round) {
    std::vector<std::uint64_t> words;
    for (int blocks = 0; blocks < 6; ++blocks) {
      const auto id = static_cast<simt::BlockId>(random() % kernel.blocks.size());
      words.push_back(block_word(id, static_cast<LaneMask>(random())));
      for (int s = 0; s < kernel.blocks[id].slots; ++s) {
        const auto kind = static_cast<Kind>(random() % 5);
        words.push_back(random() >> random() % 64);
        words.push_back(record_word(static_cast<LaneMask>(random()), static_cast<std::uint16_t>(random() % 3),
                                    kind, static_cast<Space>(random() % 6)));
        if (kind == Kind::scaled) words.push_back((random() & 0xffff'ffff'ffff) | (random() % 3) << 48);
        if (kind == Kind::gather)
          for (int l = 0; l < warp_size; ++l) words.push_back(random());
        if (kind == Kind::gather32)
          for (int l = 0; l < warp_size / 2; ++l) words.push_back(random());
      }
    }
    const std::string text = dump(words, kernel, patterns);
    const auto parsed = parse_dump(text, "dump");
    ASSERT_TRUE(parsed.has_value()) << parsed.error().message();
    EXPECT_EQ(*parsed, words) << text;
  }
}

TEST(Trace, ATraceOfAnotherVersionIsRefused) {
  const auto parsed = parse_dump("trace version 7\nblock 0 mask=1\n", "old.trace");
  ASSERT_FALSE(parsed.has_value());
  EXPECT_EQ(parsed.error().message(), "old.trace:1: a trace of version 7; this program reads version " +
                                          std::to_string(version) +
                                          "; write the trace again with this program");
  for (const char* text : {"", "block 0 mask=1\n", "trace version x\n", "trace version -1\n"})
    EXPECT_FALSE(parse_dump(text, "none").has_value()) << text;
}

TEST(Trace, MalformedTextIsRefusedWithItsLine) {
  for (const char* text :
       {"block x mask=ff\n", "block 1\n", "affine global mask=1 base=0x10\n", "nonsense\n",
        "affine nowhere mask=1 base=0x10 pattern=0\n", "gather global mask=1 base=0x0 pattern=0 lanes 1 2\n",
        "affine global mask=1 base=0x10 pattern=70000\n"}) {
    const auto parsed = parse_dump("trace version " + std::to_string(version) + "\n" + text, "bad");
    ASSERT_FALSE(parsed.has_value()) << text;
    EXPECT_EQ(parsed.error().place, "bad:2");
  }
}

TEST(Trace, ADumpStopsWhereWordsAreCutShort) {
  const simt::Kernel kernel = kernel_with_slots({1});
  std::vector<std::uint64_t> words = {block_word(0, 1), 0, record_word(1, 0, Kind::gather, Space::global), 5};
  EXPECT_NE(dump(words, kernel, some_patterns()).find("malformed"), std::string::npos);
  words = {block_word(9, 1)};
  EXPECT_NE(dump(words, kernel, some_patterns()).find("malformed"), std::string::npos);
}

}  // namespace
}  // namespace wanren::trace
