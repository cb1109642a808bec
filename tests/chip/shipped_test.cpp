#include <gtest/gtest.h>

#include <cstdlib>

#include "chip/spec.h"

namespace wanren::chip {
namespace {

Spec loaded(const std::string& name) {
  Result<Spec> spec = load(name);
  EXPECT_TRUE(spec.has_value()) << spec.error().message();
  return spec ? *spec : Spec{};
}

TEST(Shipped, EveryNamedChipIsThere) {
  const std::vector<std::string> names = shipped();
  for (const char* name : {"br100", "br104", "a100-sxm-40g", "a100-sxm-80g", "a100-pcie-40g", "a100-pcie-80g",
                           "h100-sxm", "h100-pcie", "a800", "h800-pcie", "gh200"})
    EXPECT_NE(std::find(names.begin(), names.end(), name), names.end()) << name;
}

TEST(Shipped, EveryFigureOfEveryChipHasOriginAndSource) {
  for (const std::string& name : shipped()) {
    const Spec spec = loaded(name);
    EXPECT_EQ(spec.name, name);
    for (const Field& f : fields()) {
      const auto it = spec.provenance.find(f.key());
      ASSERT_NE(it, spec.provenance.end()) << name << " " << f.key();
      EXPECT_FALSE(it->second.source.empty()) << name << " " << f.key();
      EXPECT_FALSE(it->second.text.empty()) << name << " " << f.key();
    }
  }
}

// Peak = units * sub-cores * lanes * 2 operations * clock. The vendors' tensor peaks assume a clock of
// their own (clock.tensor_peak_basis).
TEST(Shipped, PeaksFollowFromLanesClockAndUnitsWithinThreePercent) {
  for (const std::string& name : shipped()) {
    const Spec s = loaded(name);
    const double subcores = s.units() * static_cast<double>(s.package.subcores_per_unit);
    const auto tera = [&](std::int64_t lanes, double mhz) { return subcores * lanes * 2 * mhz * 1e6 / 1e12; };
    const double basis = s.clock.tensor_peak_basis;
    EXPECT_NEAR(tera(s.subcore.fp32_lanes, s.clock.core) / s.peak.fp32, 1, 0.03) << name;
    EXPECT_NEAR(tera(s.tensor.bf16, basis) / s.peak.bf16_tensor, 1, 0.03) << name;
    EXPECT_NEAR(tera(s.tensor.tf32, basis) / s.peak.tf32_tensor, 1, 0.03) << name;
    EXPECT_NEAR(tera(s.tensor.int8, basis) / s.peak.int8_tensor, 1, 0.03) << name;
    if (s.peak.fp64 > 0) {
      EXPECT_NEAR(tera(s.subcore.fp64_lanes, s.clock.core) / s.peak.fp64, 1, 0.03) << name;
    } else {
      EXPECT_EQ(s.subcore.fp64_lanes, 0) << name;
    }
  }
}

TEST(Shipped, AliasesNameTheCommonBoards) {
  EXPECT_EQ(loaded("a100").name, "a100-sxm-80g");
  EXPECT_EQ(loaded("h100").name, "h100-sxm");
  EXPECT_EQ(hash(loaded("a100")), hash(loaded("a100-sxm-80g")));
}

TEST(Shipped, Br100IsTwoBr104Dies) {
  const Spec one = loaded("br104"), two = loaded("br100");
  EXPECT_EQ(one.package.dies, 1);
  EXPECT_EQ(two.package.dies, 2);
  EXPECT_EQ(two.units(), 2 * one.units());
  EXPECT_EQ(two.units() * two.package.subcores_per_unit, 512);
  EXPECT_EQ(two.hbm.bytes_per_die, one.hbm.bytes_per_die);
  EXPECT_DOUBLE_EQ(two.d2d.bandwidth, 448);
  EXPECT_EQ(two.features.at("fp64"), Support::emulated);
}

// An FMA stream costs instruction + 64 flops; the fits of measured board power say 5.2 and 5.8 pJ per
// FP32 operation, 118 and 122 pJ per byte from DRAM to registers (one load instruction moves 128 B).
TEST(Shipped, EnergyPerEventReproducesThePowerFits) {
  const auto per_flop = [](const Spec& s) { return s.power.instruction / 64 + s.power.fp32_flop; };
  const auto per_byte = [](const Spec& s) {
    return s.power.hbm_byte + s.power.l2_byte + s.power.l1_byte + s.power.instruction / 128;
  };
  const Spec a100 = loaded("a100-sxm-40g"), h100 = loaded("h100-sxm");
  EXPECT_NEAR(per_flop(a100), 5.2, 0.01);
  EXPECT_NEAR(per_byte(a100), 118, 0.1);
  EXPECT_NEAR(per_flop(h100), 5.8, 0.01);
  EXPECT_NEAR(per_byte(h100), 122, 0.1);
}

TEST(Shipped, WhatWasMeasuredOnAnA100IsAssumedForAnH100) {
  const Spec a100 = loaded("a100-sxm-40g"), h100 = loaded("h100-sxm");
  EXPECT_EQ(a100.provenance.at("subcore.alu_latency").origin, Origin::measured);
  EXPECT_EQ(h100.provenance.at("subcore.alu_latency").origin, Origin::assumed);
  EXPECT_NE(h100.provenance.at("subcore.alu_latency").source.find("as a100-sxm-40g"), std::string::npos);
  EXPECT_EQ(h100.provenance.at("l2.near_latency").origin, Origin::measured);
}

TEST(Shipped, TheShareOfAssumedFiguresIsHigherWhereLessIsPublic) {
  const double a100 = assumed_share(loaded("a100")), br100 = assumed_share(loaded("br100"));
  EXPECT_GT(a100, 0);
  EXPECT_GT(br100, a100);
  EXPECT_LT(br100, 1);
}

TEST(Shipped, EqualFiguresGiveEqualHashes) {
  Spec a = loaded("a100"), b = loaded("a100");
  EXPECT_EQ(hash(a), hash(b));
  EXPECT_EQ(hash(a).size(), 32u);
  b.provenance["clock.core"].source = "elsewhere";
  EXPECT_EQ(hash(a), hash(b));
  ASSERT_TRUE(set(b, "clock.core", "1411"));
  EXPECT_NE(hash(a), hash(b));
  EXPECT_NE(hash(loaded("br100")), hash(loaded("br104")));
}

}  // namespace
}  // namespace wanren::chip
