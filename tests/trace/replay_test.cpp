// A trace that does not follow the frozen control flow is found, whatever was done to it.

#include "trace/replay.h"

#include <gtest/gtest.h>

#include "trace/trace.h"

namespace wanren::trace {
namespace {

/// 0 -> 1 or 2 -> 3; 1 loads from shared memory, 3 waits at a barrier and exits.
simt::Kernel diamond() {
  using T = simt::Terminator::Kind;
  simt::Kernel k;
  k.blocks.resize(4);
  for (simt::BlockId b = 0; b < 4; ++b) k.blocks[b].id = b;
  k.blocks[0].term.kind = T::branch;
  k.blocks[0].term.targets = {1, 2};
  for (const simt::BlockId b : {1u, 2u}) {
    k.blocks[b].term.kind = T::jump;
    k.blocks[b].term.targets = {3};
  }
  k.blocks[3].term.kind = T::exit;
  const auto with_slot = [&](simt::BlockId b, ptx::Opcode op, ptx::Space space) {
    simt::Inst inst;
    inst.op = op;
    inst.set_space(space);
    inst.slot = k.blocks[b].slots++;
    k.blocks[b].insts.push_back(inst);
  };
  with_slot(1, ptx::Opcode::ld, ptx::Space::shared);
  with_slot(3, ptx::Opcode::bar, ptx::Space::none);
  return k;
}

using Words = std::vector<std::uint64_t>;

Words good() {
  return {block_word(0, 0xff),
          block_word(1, 0x0f),
          0x40,
          record_word(0x0f, 0, Kind::affine, Space::shared),
          block_word(2, 0xf0),
          block_word(3, 0xff),
          std::uint64_t{256} << 32,
          record_word(0xff, 0, Kind::barrier, Space::none)};
}

std::string replayed(const Words& words, bool exited = true) {
  const simt::Kernel kernel = diamond();
  const std::vector<simt::LanePattern> patterns(1);
  const Replay replay(kernel, patterns);
  ReplayedWarp warp;
  std::vector<simt::BlockCount> counts;
  return replay.run(warp, words, exited, counts);
}

TEST(Replay, CountsWhatATraceRan) {
  const simt::Kernel kernel = diamond();
  const std::vector<simt::LanePattern> patterns(1);
  const Replay replay(kernel, patterns);
  ReplayedWarp warp;
  std::vector<simt::BlockCount> counts;
  const Words words = good();
  // In two chunks, as an engine hands them over.
  EXPECT_EQ(replay.run(warp, std::span(words).first(4), false, counts), "");
  EXPECT_EQ(replay.run(warp, std::span(words).subspan(4), true, counts), "");
  const std::uint64_t threads[] = {8, 4, 4, 8};
  for (int b = 0; b < 4; ++b) {
    EXPECT_EQ(counts[b].warps, 1u);
    EXPECT_EQ(counts[b].threads, threads[b]);
  }
  EXPECT_EQ(compare_counts(kernel, counts, counts), "");
  std::vector<simt::BlockCount> other = counts;
  other[2].threads += 1;
  EXPECT_EQ(compare_counts(kernel, counts, other), "block 2: traced 1 warps and 4 threads, executed 1 and 5");
}

TEST(Replay, FindsAStepThatNoEdgeAllows) {
  Words words = good();
  words[4] = block_word(1, 0xf0);
  words.insert(words.begin() + 5, {0x40, record_word(0, 0, Kind::affine, Space::none)});
  EXPECT_EQ(replayed(words), "");  // 0 -> 1 is an edge too
  words[1] = block_word(3, 0x0f);
  EXPECT_NE(replayed(words).find("from block 0 to 3, where no edge leads"), std::string::npos);
}

TEST(Replay, FindsLanesThatNeverBegan) {
  Words words = good();
  words[4] = block_word(2, 0x1f0);
  EXPECT_NE(replayed(words).find("lanes 00000100 run block 2 but never began"), std::string::npos);
}

TEST(Replay, FindsAWarpThatBeginsElsewhereOrEndsEarly) {
  Words words = good();
  EXPECT_NE(replayed({words.begin() + 1, words.end()}).find("begins in block 1"), std::string::npos);
  words.resize(5);
  EXPECT_EQ(replayed(words, false), "");
  EXPECT_NE(replayed(words).find("which leads on"), std::string::npos);
}

TEST(Replay, FindsRecordsThatAreNotTheBlocks) {
  Words words = good();
  words[3] = record_word(0x1f, 0, Kind::affine, Space::shared);
  EXPECT_NE(replayed(words).find("block 1 slot 0: lanes 0000001f"), std::string::npos);
  words[3] = record_word(0x0f, 0, Kind::affine, Space::global);
  EXPECT_NE(replayed(words).find("another space"), std::string::npos);
  words[3] = record_word(0x0f, 9, Kind::affine, Space::shared);
  EXPECT_NE(replayed(words).find("no such pattern"), std::string::npos);
  words[3] = record_word(0x0f, 0, Kind::barrier, Space::none);
  EXPECT_NE(replayed(words).find("do not match"), std::string::npos);
  words[3] = record_word(0x0f, 0, Kind::gather, Space::shared);
  EXPECT_NE(replayed(words).find("cut short"), std::string::npos);
  words = good();
  words.resize(7);
  EXPECT_NE(replayed(words).find("block 3 slot 0: no record"), std::string::npos);
}

}  // namespace
}  // namespace wanren::trace
