// The invariants hold for a kernel with loads, stores and barriers, and each of them notices when its counter
// is off.

#include "timing/verify.h"

#include <gtest/gtest.h>

#include "synthetic_source.h"

namespace wanren::timing::test {
namespace {

struct Ran {
  chip::Spec chip = small_chip(2);
  Timed timed;
  lower::MachineProgram program;
  std::vector<simt::BlockCount> executed;

  Ran() {
    Code code;
    code.load(0, 10, 0).fma(12, 10, 10, 10).barrier(1).block().store(0, 0).fma(12, 12, 12, 12);
    SyntheticSource source(code, 16, 4, [](std::uint64_t cta, std::uint32_t warp) {
      const std::uint64_t base = (cta * 4 + warp) * 4096;
      Words first, second;
      first.block(0).affine(base, 4).barrier(0, 128);
      second.block(1).affine(base, 4);
      return std::vector<std::vector<std::uint64_t>>{first.words, second.words};
    });
    timed = run_one(chip, source, 2);
    program = source.program();
    executed = {{64, 64 * 32}, {64, 64 * 32}};
  }
  std::string verify() const { return timing::verify(chip, program, executed, timed); }
};

TEST(Verify, HoldsForAKernelThatUsesEveryLevel) {
  const Ran ran;
  EXPECT_EQ(ran.verify(), "");
  EXPECT_GT(ran.timed.counters.dram_read_bytes, 0u);
  EXPECT_GT(ran.timed.counters.d2d_wire_bytes, 0u);
}

TEST(Verify, NoticesEveryCounterThatIsOff) {
  const Ran good;
  const auto notices = [&](std::uint64_t Counters::* counter, std::uint64_t by, std::string_view what) {
    Ran ran = good;
    ran.timed.counters.*counter += by;
    EXPECT_NE(ran.verify().find(what), std::string::npos) << what << ": " << ran.verify();
  };
  notices(&Counters::warp_instructions, 1, "warp instructions issued and executed");
  notices(&Counters::thread_instructions, 1, "thread instructions issued and executed");
  notices(&Counters::issue_slots, 1, "issue slots used and executed");
  notices(&Counters::l1_sectors, 1, "missed L1");
  notices(&Counters::l1_hit_sectors, 1, "missed L1");
  notices(&Counters::l1_store_sectors, 1, "stored through L1");
  notices(&Counters::l2_read_sectors, 1, "missed L1");
  notices(&Counters::l2_write_sectors, 1, "stored through L1");
  notices(&Counters::l2_hit_sectors, 1 << 20, "hit L2");
  notices(&Counters::dram_read_bytes, 32, "DRAM");
  notices(&Counters::dram_row_hits, 1, "DRAM");
  notices(&Counters::d2d_wire_bytes, 1, "die links");
  notices(&Counters::d2d_bytes, 1 << 20, "die links");
  notices(&Counters::warp_cycles, 1, "residency");
  notices(&Counters::shared_wavefronts, 1 << 30, "shared-memory");
  Ran ran = good;
  ran.timed.counters.stall_cycles[0] += 1;
  EXPECT_NE(ran.verify().find("residency"), std::string::npos);
  ran = good;
  ran.executed[1].warps += 1;
  EXPECT_NE(ran.verify().find("issued and executed"), std::string::npos);
}

TEST(Verify, NoticesAGridThatWasFasterThanTheChip) {
  Ran ran;
  ran.timed.end = ran.timed.begin + Picoseconds((ran.timed.end - ran.timed.begin).value / 100);
  EXPECT_NE(ran.verify().find("above"), std::string::npos);
}

}  // namespace
}  // namespace wanren::timing::test
