// What the chip reader accepts, timing and energy simulate: no value of any figure ends in an internal error.

#include "../chip/any_chip.h"

#include <gtest/gtest.h>

#include "energy/energy.h"
#include "synthetic_source.h"

namespace wanren::timing::test {
namespace {

/// Loads that coalesce and that scatter, stores, shared memory, atomics, a spill, a barrier: every part.
std::unique_ptr<SyntheticSource> all_parts(std::uint64_t ctas, std::uint32_t warps) {
  Code code;
  code.load(0, 8, 2).load(1, 9, 3, 16).fma(4, 8, 9, 4).store(2, 2).load(3, 12, 3);
  code.memory(lower::Memory::store, 0, -1, 4).add();
  code.blocks[0].pop_back();
  auto& spill = code.blocks[0].back();
  spill.spill = true;
  spill.slot = simt::no_slot;
  code.branch();
  code.block().memory(lower::Memory::atomic, 0, 10, 2).fma(4, 10, 1, 4).barrier(1);
  return std::make_unique<SyntheticSource>(code, ctas, warps, [=](std::uint64_t cta, std::uint32_t warp) {
    Words w;
    for (std::uint64_t k = 0; k < 3; ++k) {
      std::array<std::uint64_t, warp_size> lanes;
      for (std::uint64_t l = 0; l < warp_size; ++l)
        lanes[l] = ((cta * 7919 + warp * 31 + k * 3 + l * 997) % (1 << 22)) * 4;
      w.block(0).affine((cta * 8 + warp) * 4096 + k * 512, 4).gather(lanes);
      w.affine((cta * 8 + warp) * 4096 + k * 512, 4);
      w.affine(k * 128, 8, full_mask, trace::Space::shared);
    }
    w.block(1).affine(cta % 64 * 4, 0).barrier(0, warps * 32);
    return std::vector<std::vector<std::uint64_t>>{w.words};
  });
}

TEST(AnyChip, RunsAndCostsEnergy) {
  const Result<chip::Spec> base = chip::small_br100();
  ASSERT_TRUE(base.has_value()) << base.error().message();
  const int accepted = chip::for_any_chip(
      *base, 3, 23,
      [](const chip::Spec& chip, const std::string& what) {
        SCOPED_TRACE(what);
        const auto source = all_parts(24, 2);
        const lower::Occupancy fit = lower::occupancy(chip, 32, 64, 1024);
        if (fit.ctas_per_unit == 0) return;  // a launch that is refused
        const energy::Governor governor(chip);
        Device device(chip, 1, &governor);
        const Timed timed = run_all(device, {source->work(fit.ctas_per_unit, 1024)}).front();
        EXPECT_GT(timed.cycles.value, 0);
        EXPECT_EQ(source->ended, 24u);
        const energy::Breakdown joules =
            energy::estimate(chip, timed.counters, timed.end - timed.begin, chip.clock.core);
        EXPECT_TRUE(std::isfinite(joules.energy_j) && joules.energy_j >= 0);
      },
      [](const Error&) {});
  EXPECT_GT(accepted, 200);
}

}  // namespace
}  // namespace wanren::timing::test
