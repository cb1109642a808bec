#include "energy/energy.h"

#include <gtest/gtest.h>

#include <cmath>

namespace wanren::energy {
namespace {

chip::Spec chip_named(const std::string& name) {
  Result<chip::Spec> spec = chip::load(name);
  EXPECT_TRUE(spec.has_value()) << spec.error().message();
  return spec ? *spec : chip::Spec{};
}

constexpr Picoseconds one_second{1'000'000'000'000};

timing::Counters every_event(std::uint64_t n) {
  timing::Counters c;
  c.issue_slots = c.flops_fp32 = c.flops_fp16 = c.flops_fp64 = c.int_ops = c.sfu_ops = n;
  c.tensor_flops_bf16 = c.tensor_flops_tf32 = c.tensor_ops_int8 = c.tensor_flops_fp64 = n;
  c.l1_sectors = c.l1_store_sectors = c.shared_bytes = n;
  c.l2_read_sectors = c.l2_write_sectors = c.l2_atomic_sectors = n;
  c.dram_read_bytes = c.dram_write_bytes = c.d2d_wire_bytes = c.peer_wire_bytes = c.pcie_bytes = n;
  return c;
}

// An FMA at full rate on every lane for one second.
timing::Counters fma_stream(const chip::Spec& chip, double seconds, double mhz) {
  timing::Counters c;
  const double lanes =
      static_cast<double>(chip.units() * chip.package.subcores_per_unit * chip.subcore.fp32_lanes);
  c.flops_fp32 = static_cast<std::uint64_t>(2 * lanes * mhz * 1e6 * seconds);
  c.issue_slots = c.flops_fp32 / 64;
  return c;
}

TEST(Energy, PartsAddUpToTheTotal) {
  for (const char* name : {"a100", "h100", "br100"}) {
    const chip::Spec chip = chip_named(name);
    const Breakdown b = estimate(chip, every_event(1'000'000'007), one_second, chip.clock.core);
    double sum = 0;
    for (const Breakdown::Part& part : b.parts()) sum += part.joules;
    EXPECT_DOUBLE_EQ(b.energy_j, sum);
    EXPECT_DOUBLE_EQ(b.average_power_w, sum);  // over one second
    EXPECT_GT(b.instruction_j, 0);
  }
}

TEST(Energy, VerifyFindsEnergyWithoutEventsAndPartsThatAreNotTheWhole) {
  const chip::Spec chip = chip_named("a100");
  const timing::Counters counters = every_event(1'000'000'007);
  const Breakdown good = estimate(chip, counters, one_second, chip.clock.core);
  EXPECT_EQ(verify(counters, one_second, good), "");
  EXPECT_EQ(verify(timing::Counters{}, one_second, good), "instruction has energy without events");
  Breakdown more = good;
  more.hbm_j *= 1.001;
  EXPECT_EQ(verify(counters, one_second, more), "the parts are not the whole");
  more = good;
  more.average_power_w *= 1.001;
  EXPECT_EQ(verify(counters, one_second, more), "power times time is not the energy");
}

TEST(Energy, EveryCounterCostsItsFigureFromTheChipFile) {
  const chip::Spec chip = chip_named("br100");
  const auto& p = chip.power;
  const double n = 1e9;
  const Breakdown b = estimate(chip, every_event(1'000'000'000), one_second, chip.clock.core);
  EXPECT_NEAR(b.idle_j, p.active_idle, 1e-9);
  EXPECT_NEAR(b.fp32_j, n * p.fp32_flop * 1e-12, 1e-12);
  EXPECT_NEAR(b.l1_j, n * 2 * 32 * p.l1_byte * 1e-12, 1e-9);
  EXPECT_NEAR(b.l2_j, n * 3 * 32 * p.l2_byte * 1e-12, 1e-9);
  EXPECT_NEAR(b.hbm_j, n * 2 * p.hbm_byte * 1e-12, 1e-9);
  EXPECT_NEAR(b.d2d_j, n * p.d2d_byte * 1e-12, 1e-12);
  EXPECT_NEAR(b.link_j, n * p.link_byte * 1e-12, 1e-12);
  EXPECT_NEAR(b.tensor_j,
              n * (p.tensor_bf16_flop + p.tensor_tf32_flop + p.tensor_int8_op + p.tensor_fp64_flop) * 1e-12,
              1e-9);
}

TEST(Energy, NothingDoneCostsTheIdlePower) {
  const chip::Spec chip = chip_named("a100");
  const Breakdown b = estimate(chip, {}, one_second, chip.clock.core);
  EXPECT_DOUBLE_EQ(b.energy_j, chip.power.active_idle);
  EXPECT_EQ(estimate(chip, {}, Picoseconds{0}, chip.clock.core).average_power_w, 0);
}

// Fits of measured board power: 5.2 pJ per FP32 operation, 118 pJ per byte streamed from DRAM.
TEST(Energy, AnFmaStreamOnA100CostsTheFittedEnergyPerFlop) {
  const chip::Spec chip = chip_named("a100-sxm-40g");
  const timing::Counters c = fma_stream(chip, 1, chip.clock.core);
  const Breakdown b = estimate(chip, c, one_second, chip.clock.core);
  EXPECT_NEAR((b.energy_j - b.idle_j) / static_cast<double>(c.flops_fp32) * 1e12, 5.2, 0.02);
}

TEST(Energy, AStreamingLoadOnA100CostsTheFittedEnergyPerByte) {
  const chip::Spec chip = chip_named("a100-sxm-40g");
  timing::Counters c;
  c.dram_read_bytes = 1'280'000'000;
  c.l2_read_sectors = c.l1_sectors = c.dram_read_bytes / 32;
  c.issue_slots = c.dram_read_bytes / 128;  // one load instruction per 128 bytes
  const Breakdown b = estimate(chip, c, one_second, chip.clock.core);
  EXPECT_NEAR((b.energy_j - b.idle_j) / static_cast<double>(c.dram_read_bytes) * 1e12, 118, 0.5);
}

TEST(Energy, ALowerClockLowersCoreEnergyByTheExponentAndLeavesDramAlone) {
  chip::Spec chip = chip_named("a100");
  ASSERT_TRUE(chip::set(chip, "power.voltage_exponent", "1.5"));
  const timing::Counters c = every_event(1'000'000);
  const Breakdown full = estimate(chip, c, one_second, chip.clock.core);
  const Breakdown half = estimate(chip, c, one_second, chip.clock.core / 2);
  EXPECT_NEAR(half.fp32_j / full.fp32_j, std::pow(0.5, 1.5), 1e-12);
  EXPECT_NEAR(half.l2_j / full.l2_j, std::pow(0.5, 1.5), 1e-12);
  EXPECT_DOUBLE_EQ(half.hbm_j, full.hbm_j);
  EXPECT_DOUBLE_EQ(half.d2d_j, full.d2d_j);
}

TEST(Governor, WithinTheLimitTheClockStaysAtItsMaximum) {
  const chip::Spec chip = chip_named("a100-sxm-40g");
  const timing::Counters c = fma_stream(chip, 1, chip.clock.core);  // 66.5 + 101 W
  EXPECT_DOUBLE_EQ(Governor(chip).clock_mhz(c, one_second, chip.clock.core), chip.clock.core);
  EXPECT_DOUBLE_EQ(Governor(chip).clock_mhz({}, Picoseconds{0}, chip.clock.core), chip.clock.core);
}

// Core-bound work: power - idle goes with f * f^exponent, so f = core * (budget / dynamic)^(1 / (1 +
// exponent)).
TEST(Governor, CoreBoundWorkSettlesWhereTheFormulaSays) {
  chip::Spec chip = chip_named("a100-sxm-40g");
  ASSERT_TRUE(chip::set(chip, "power.board_limit", "120 W"));
  const timing::Counters c = fma_stream(chip, 1, chip.clock.core);
  const double dynamic =
      estimate(chip, c, one_second, chip.clock.core).average_power_w - chip.power.active_idle;
  const double expected = chip.clock.core * std::pow((120 - chip.power.active_idle) / dynamic,
                                                     1 / (1 + chip.power.voltage_exponent));
  const Governor governor(chip);
  const double f = governor.clock_mhz(c, one_second, chip.clock.core);
  EXPECT_NEAR(f, expected, 1e-6 * expected);
  EXPECT_NEAR(governor.power_w(c, one_second, chip.clock.core, f), 120, 1e-6);
  // Timed again at that clock, the answer is the same: a fixed point.
  const Picoseconds slower{static_cast<std::int64_t>(1e12 * chip.clock.core / f)};
  EXPECT_NEAR(governor.clock_mhz(c, slower, f), f, 1e-3);
}

TEST(Governor, ATighterLimitNeverGivesAHigherClock) {
  const chip::Spec base = chip_named("h100");
  timing::Counters c = fma_stream(base, 1, base.clock.core);
  c.tensor_flops_bf16 = 1'000'000'000'000'000;
  c.dram_read_bytes = 1'000'000'000'000;
  double last = 0;
  for (double watts = 150; watts <= 700; watts += 50) {
    chip::Spec chip = base;
    ASSERT_TRUE(chip::set(chip, "power.board_limit", std::to_string(watts)));
    const double f = Governor(chip).clock_mhz(c, one_second, base.clock.core);
    EXPECT_GE(f, last);
    EXPECT_GE(f, chip.clock.core_min);
    EXPECT_LE(f, chip.clock.core);
    last = f;
  }
}

TEST(Governor, PowerRisesWithTheClock) {
  const chip::Spec chip = chip_named("br100");
  timing::Counters c = fma_stream(chip, 0.5, chip.clock.core);
  c.dram_read_bytes = 800'000'000'000;
  const Governor governor(chip);
  double last = 0;
  for (double f = chip.clock.core_min; f <= chip.clock.core; f += 50) {
    const double w = governor.power_w(c, one_second, chip.clock.core, f);
    EXPECT_GT(w, last);
    last = w;
  }
}

TEST(Governor, AnUnreachableLimitEndsAtTheLowestClock) {
  chip::Spec chip = chip_named("a100-sxm-40g");
  timing::Counters c = fma_stream(chip, 1, chip.clock.core);
  c.pcie_bytes = 100'000'000'000'000;
  EXPECT_DOUBLE_EQ(Governor(chip).clock_mhz(c, one_second, chip.clock.core), chip.clock.core_min);
}

}  // namespace
}  // namespace wanren::energy
