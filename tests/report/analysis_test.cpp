// What the report makes of counters: the highest roof, or the reason to wait.

#include "report/analysis.h"

#include <gtest/gtest.h>

#include "chip/spec.h"
#include "energy/energy.h"
#include "report/roofs.h"

namespace wanren::report {
namespace {

/// A kernel of one millisecond on an A100.
struct Launch {
  chip::Spec chip = *chip::load("a100");
  timing::Timed timed;
  Launch() {
    timed.end = Picoseconds(1'000'000'000);
    timed.clock_mhz = chip.clock.core;
    timed.cycles = Cycles(static_cast<std::int64_t>(chip.clock.core * 1000));
    timed.counters.warp_cycles = 1000;
    timed.counters.stall_cycles[static_cast<std::size_t>(timing::Stall::long_scoreboard)] = 700;
    timed.counters.stall_cycles[static_cast<std::size_t>(timing::Stall::not_selected)] = 900;
  }
  KernelRecord record() const {
    KernelRecord record;
    analyse(chip, timed, energy::Breakdown{}, record);
    return record;
  }
};

TEST(Analysis, ALaunchThatComesCloseToARoofIsBoundByIt) {
  Launch launch;
  const double per_ms = launch.chip.hbm.bandwidth_per_die * 1e9 * 1e-3;
  launch.timed.counters.dram_read_bytes = static_cast<std::uint64_t>(0.7 * per_ms);
  const KernelRecord record = launch.record();
  EXPECT_EQ(record.bound_by, "DRAM bandwidth");
  EXPECT_NEAR(record.roof_pct, 70, 0.01);
  EXPECT_NEAR(record.dram_peak_pct, 70, 0.01);
}

TEST(Analysis, FarFromEveryRoofTheReasonToWaitLimitsAndBeingPassedOverIsNone) {
  const KernelRecord record = Launch().record();
  EXPECT_EQ(record.bound_by, "latency: long_scoreboard");
  EXPECT_DOUBLE_EQ(record.stalls.at("long_scoreboard"), 0.7);
}

TEST(Analysis, PipesCountByTheCyclesThatTheyAreTaken) {
  Launch launch;
  const double slots = 1e-3 * launch.chip.core_hz() * launch.chip.units() *
                       static_cast<double>(launch.chip.package.subcores_per_unit);
  launch.timed.counters.pipe_busy_cycles[static_cast<std::size_t>(lower::Pipe::sfu)] =
      static_cast<std::uint64_t>(0.9 * slots);
  EXPECT_EQ(launch.record().bound_by, "special-function pipe");
}

TEST(Analysis, BytesOfL2AreItsSectorsOfThisChip) {
  Launch launch;
  launch.chip.unit.l1_sector_bytes = 64;
  launch.timed.counters.l2_read_sectors = 10;
  EXPECT_EQ(launch.record().l2_read_bytes, 640u);
}

TEST(Analysis, EveryCounterReachesTheRecordByItsName) {
  Launch launch;
  std::uint64_t next = 1;
#define WR_COUNTER(id, doc) launch.timed.counters.id = next++;
#include "timing/counters.def"
  const KernelRecord record = launch.record();
#define WR_COUNTER(id, doc) EXPECT_EQ(record.counters.at(#id), launch.timed.counters.id);
#include "timing/counters.def"
}

}  // namespace
}  // namespace wanren::report
