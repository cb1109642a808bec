// Units, errors and their texts, changes.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <unistd.h>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "chip/spec.h"
#include "chip/unit_text.h"

namespace wanren::chip {
namespace {

using testing::HasSubstr;

Spec br100() {
  Result<Spec> spec = load("br100");
  EXPECT_TRUE(spec.has_value());
  return *spec;
}

class ChipFile : public testing::Test {
 protected:
  void SetUp() override {
    directory_ = std::filesystem::temp_directory_path() / ("wanren-chip-test-" + std::to_string(::getpid()));
    std::filesystem::create_directories(directory_);
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }

  std::string write(const std::string& name, const std::string& text) {
    const std::string path = (directory_ / name).string();
    std::ofstream(path) << text;
    return path;
  }
  /// Loads `text` as a chip file that must fail.
  Error error_of(const std::string& text) {
    const Result<Spec> spec = load(write("bad.toml", text));
    EXPECT_FALSE(spec.has_value()) << text;
    return spec ? Error{} : spec.error();
  }
  /// A BR100 with `lines` added.
  Error changed(const std::string& lines) { return error_of("inherits = \"br100\"\n" + lines); }

  std::filesystem::path directory_;
};

TEST(Units, AreConvertedWithDecimalAndBinaryPrefixes) {
  Spec s = br100();
  const auto expect = [&](const char* key, const char* value, auto read, double wanted) {
    const Result<void> r = set(s, key, value);
    ASSERT_TRUE(r.has_value()) << r.error().message();
    EXPECT_DOUBLE_EQ(static_cast<double>(read(s)), wanted) << key << " = " << value;
  };
  const auto d2d = [](const Spec& x) { return x.d2d.bandwidth; };
  expect("d2d.bandwidth", "224GB/s", d2d, 224);
  expect("d2d.bandwidth", "1.5 TB/s", d2d, 1500);
  expect("d2d.bandwidth", "800 Gbit/s", d2d, 100);
  expect("d2d.bandwidth", "1 GiB/s", d2d, 1.073741824);
  expect("d2d.bandwidth", "300", d2d, 300);
  expect("clock.core", "1.41 GHz", [](const Spec& x) { return x.clock.core; }, 1410);
  expect("d2d.latency", "0.02 us", [](const Spec& x) { return x.d2d.latency; }, 20);
  expect("d2d.latency", "25000 ps", [](const Spec& x) { return x.d2d.latency; }, 25);
  expect("host.api_call", "700 ns", [](const Spec& x) { return x.host.api_call; }, 0.7);
  expect("power.hbm_byte", "6 pJ/bit", [](const Spec& x) { return x.power.hbm_byte; }, 48);
  expect("power.board_limit", "0.5 kW", [](const Spec& x) { return x.power.board_limit; }, 500);
  expect("l2.bytes_per_die", "64 MiB", [](const Spec& x) { return x.l2.bytes_per_die; }, 64.0 * 1048576);
  expect("hbm.bytes_per_die", "48 GB", [](const Spec& x) { return x.hbm.bytes_per_die; }, 48e9);
  expect("cost.defect_density", "0.0009 1/mm2", [](const Spec& x) { return x.cost.defect_density; }, 0.09);
  expect("cost.die_area", "5.37 cm2", [](const Spec& x) { return x.cost.die_area; }, 537);
  expect("peak.bf16_tensor", "1 PFLOP/s", [](const Spec& x) { return x.peak.bf16_tensor; }, 1000);
  expect("peak.bf16_tensor", "900 TFLOPS", [](const Spec& x) { return x.peak.bf16_tensor; }, 900);
  expect("unit.l1_latency", "30 clk", [](const Spec& x) { return x.unit.l1_latency; }, 30);
}

TEST(Units, UnknownTextIsNoUnit) {
  for (const char* text : {"furlong", "GB/", "/s", "XB/s", "GB/s/s", "Mcycles", "kUSD"})
    EXPECT_FALSE(parse_unit(text).has_value()) << text;
  EXPECT_FALSE(parse_quantity("fast").has_value());
}

TEST(Set, NamesTheNearestKeyUnitAndRange) {
  Spec s = br100();
  const std::string before = hash(s);
  const auto failure = [&](const char* key, const char* value) {
    const Result<void> r = set(s, key, value);
    EXPECT_FALSE(r.has_value()) << key << "=" << value;
    return r ? std::string() : r.error().message();
  };
  EXPECT_THAT(failure("d2d.bandwith", "1GB/s"), HasSubstr("did you mean `bandwidth`?"));
  EXPECT_THAT(failure("d2b.bandwidth", "1GB/s"), HasSubstr("did you mean `d2d`?"));
  EXPECT_THAT(failure("near_latency", "9"), HasSubstr("did you mean `l2.near_latency`?"));
  EXPECT_THAT(failure("d2d.bandwidth", "1 GW/s"), HasSubstr("does not measure"));
  EXPECT_THAT(failure("d2d.bandwidth", "1 Gb/ss"), HasSubstr("unknown unit"));
  EXPECT_THAT(failure("d2d.bandwidth", "100 ns"), HasSubstr("use one of"));
  EXPECT_THAT(failure("d2d.bandwidth", "quick"), HasSubstr("is not a number with a unit"));
  EXPECT_THAT(failure("d2d.bandwidth", "-4GB/s"), HasSubstr("below zero"));
  EXPECT_THAT(failure("clock.core", "0"), HasSubstr("must be positive"));
  EXPECT_THAT(failure("package.dies", "1.5"), HasSubstr("not a whole number"));
  EXPECT_THAT(failure("package.dies", "2 GB"), HasSubstr("takes no unit"));
  EXPECT_THAT(failure("subcore.scheduler", "gtp"), HasSubstr("did you mean `gto`?"));
  EXPECT_THAT(failure("identity.ptx_arch_features", "maybe"), HasSubstr("is not a flag"));
  EXPECT_THAT(failure("unit.l1_line_bytes", "96 B"), HasSubstr("not a power of two; 64 and 128 are"));
  EXPECT_THAT(failure("unit.shared_bytes", "128 KiB"), HasSubstr("more than unit.l1_bytes"));
  EXPECT_THAT(failure("package.dies", "1"), HasSubstr("in a package of 1 dies"));
  EXPECT_EQ(hash(s), before) << "a refused change leaves the spec alone";
}

TEST(Set, MarksTheFigureAsAssumed) {
  Spec s = br100();
  ASSERT_TRUE(set(s, "hbm.bandwidth_per_die", "1 TB/s").has_value());
  EXPECT_EQ(s.provenance.at("hbm.bandwidth_per_die").origin, Origin::assumed);
  EXPECT_EQ(s.provenance.at("hbm.bandwidth_per_die").source, "set on the command line");
  EXPECT_EQ(s.provenance.at("hbm.bandwidth_per_die").text, "1 TB/s");
}

TEST(Load, AnUnknownNameGetsTheNearestOne) {
  EXPECT_THAT(load("br10").error().message(), HasSubstr("did you mean `br100`?"));
  EXPECT_THAT(load("a10").error().message(), HasSubstr("did you mean `a100`?"));
  EXPECT_THAT(load("playstation").error().message(), HasSubstr("chips are "));
  EXPECT_THAT(load("/nowhere/x.toml").error().message(), HasSubstr("no such chip file"));
  EXPECT_FALSE(load("").has_value());
}

TEST_F(ChipFile, InheritsAndOverrides) {
  const Result<Spec> s =
      load(write("wide.toml",
                 "inherits = \"br100\"\n[d2d]\nbandwidth = { value = \"896 GB/s\", origin = "
                 "\"assumed\", source = \"twice\" }\n"));
  ASSERT_TRUE(s.has_value()) << s.error().message();
  EXPECT_EQ(s->name, "wide");
  EXPECT_DOUBLE_EQ(s->d2d.bandwidth, 896);
  EXPECT_EQ(s->package.dies, 2);
  EXPECT_TRUE(s->aliases.empty());
  EXPECT_EQ(s->provenance.at("d2d.bandwidth").text, "896 GB/s");
}

TEST_F(ChipFile, IsFoundByNameOnTheSearchPath) {
  write("mine.toml", "inherits = \"br104\"\naliases = [\"me\"]\n");
  ::setenv("WANREN_CHIP_PATH", directory_.c_str(), 1);
  const Result<Spec> by_name = load("mine"), by_alias = load("me");
  const std::vector<std::string> names = shipped();
  ::unsetenv("WANREN_CHIP_PATH");
  ASSERT_TRUE(by_name.has_value());
  ASSERT_TRUE(by_alias.has_value());
  EXPECT_EQ(by_alias->name, "mine");
  EXPECT_THAT(names, testing::Contains("mine"));
  EXPECT_FALSE(load("mine").has_value());
}

TEST_F(ChipFile, ErrorsNameFileLineAndColumn) {
  const Error e = changed("[d2d]\nbandwith = { value = \"1 GB/s\", origin = \"assumed\", source = \"x\" }\n");
  EXPECT_THAT(e.place, HasSubstr("bad.toml:3:1"));
  EXPECT_EQ(e.cause, "unknown key `bandwith` in section `d2d`");
  EXPECT_EQ(e.remedy, "did you mean `bandwidth`?");
}

TEST_F(ChipFile, EveryKindOfMistakeIsNamed) {
  const std::string good = "origin = \"assumed\", source = \"x\" }\n";
  EXPECT_THAT(changed("[d2b]\n").message(), HasSubstr("unknown section `d2b`; did you mean `d2d`?"));
  EXPECT_THAT(changed("[d2d]\nbandwidth = 4\n").message(), HasSubstr("has no origin"));
  EXPECT_THAT(changed("[d2d]\nbandwidth = { value = \"4 GB/s\", origin = \"assumed\" }\n").message(),
              HasSubstr("has no source"));
  EXPECT_THAT(
      changed("[d2d]\nbandwidth = { value = \"4 GB/s\", origin = \"asumed\", source = \"x\" }\n").message(),
      HasSubstr("unknown origin \"asumed\" of `d2d.bandwidth`; did you mean `assumed`?"));
  EXPECT_THAT(
      changed("[d2d]\nbandwidth = { value = \"4 GB/s\", origin = \"assumed\", source = \"\" }\n").message(),
      HasSubstr("empty source"));
  EXPECT_THAT(
      changed("[d2d]\nbandwidth = { value = \"4 GB/s\", orgin = \"assumed\", source = \"x\" }\n").message(),
      HasSubstr("unknown part `orgin`"));
  EXPECT_THAT(changed("[d2d]\nbandwidth = { value = 4, " + good).message(),
              HasSubstr("has no unit; write \"4 GB/s\""));
  EXPECT_THAT(changed("[d2d]\nbandwidth = { value = \"4 GBs\", " + good).message(),
              HasSubstr("unknown unit \"GBs\" of `d2d.bandwidth`; did you mean"));
  EXPECT_THAT(changed("[d2d]\nbandwidth = { value = [1], " + good).message(), HasSubstr("not a scalar"));
  EXPECT_THAT(changed("[d2d]\ntopology = { value = 3, " + good).message(), HasSubstr("is a text"));
  EXPECT_THAT(changed("[d2d]\ntopology = { value = \"rign\", " + good).message(),
              HasSubstr("did you mean `ring`?"));
  EXPECT_THAT(changed("[identity]\nptx_arch_features = { value = \"yes\", " + good).message(),
              HasSubstr("is a flag"));
  EXPECT_THAT(changed("[features]\nfp46 = \"native\"\n").message(),
              HasSubstr("unknown feature `fp46`; did you mean `fp64`?"));
  EXPECT_THAT(changed("[features]\nfp64 = \"nativ\"\n").message(), HasSubstr("did you mean `native`?"));
  EXPECT_THAT(changed("d2d = 3\n").message(), HasSubstr("is not a section"));
  EXPECT_THAT(changed("aliases = \"x\"\n").message(), HasSubstr("is not a list"));
  EXPECT_THAT(changed("[d2d\n").message(), HasSubstr("not TOML"));
  EXPECT_THAT(error_of("inherits = \"br10\"\n").message(),
              HasSubstr("unknown chip `br10`; did you mean `br100`?"));
  EXPECT_THAT(error_of("inherits = \"bad\"\n").message(), HasSubstr("inherits from itself"));
  EXPECT_THAT(error_of("inherits = \"br104\"\ninherited_measurements = \"kept\"\n").message(),
              HasSubstr("can only become \"assumed\""));
}

TEST_F(ChipFile, MissingFiguresAreListed) {
  const Error e = error_of("[clock]\ncore = { value = \"1 GHz\", origin = \"assumed\", source = \"x\" }\n");
  EXPECT_THAT(e.cause, HasSubstr("figures are missing: identity.title"));
  EXPECT_THAT(e.cause, HasSubstr("clock.core_min"));
  EXPECT_THAT(e.cause, testing::Not(HasSubstr("clock.core,")));
}

TEST_F(ChipFile, BrokenConsistencyNamesTheFigureThatWasWritten) {
  const Error e =
      changed("[unit]\nshared_bytes = { value = \"96 KiB\", origin = \"assumed\", source = \"x\" }\n");
  EXPECT_THAT(e.place, HasSubstr("bad.toml:3:"));
  EXPECT_THAT(e.cause, HasSubstr("more than unit.l1_bytes"));
}

}  // namespace
}  // namespace wanren::chip
