// What a user may write: accepted, or refused with place, cause and remedy.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <random>
#include <sstream>

#include "any_chip.h"
#include "chip/policies.h"
#include "chip/sensitivity.h"

namespace wanren::chip {
namespace {

using testing::HasSubstr;

Spec named(const std::string& name) {
  Result<Spec> spec = load(name);
  EXPECT_TRUE(spec.has_value()) << spec.error().message();
  return spec ? *spec : Spec{};
}

TEST(Check, WhatTheModelCannotSimulateIsRefusedWithARemedy) {
  struct Case {
    const char *key, *value, *cause, *remedy;
  };
  const Case cases[] = {
      {"subcore.warps", "512", "outside what the model simulates (1 to 256)", "use at most 256"},
      {"package.subcores_per_unit", "16", "outside what the model simulates (1 to 8)", "use at most 8"},
      {"unit.shared_banks", "256", "outside what the model simulates (1 to 128)", "use at most 128"},
      {"l2.near_latency", "33cycles", "less than 4 left beyond unit.l1_latency", "use at least 37 cycles"},
      {"unit.l1_sector_bytes", "16B", "a line has four sectors at most", "use at least 32 B"},
      {"l2.ways", "512", "outside what the model simulates (1 to 256)", "use at most 256"},
      {"package.units_per_die", "4000", "8000 units in 2 dies", "use at most 2048 a die"},
      {"unit.shared_optin", "0", "is zero", "use at least 1024 B"},
      {"hbm.bytes_per_die", "1 TiB", "the model tells 2147483648 apart", "use longer lines"},
      {"l2.bytes_per_die", "64 KiB", "less than two sets", "fewer slices or ways"},
      {"subcore.register_granularity", "48", "not a power of two", "32 and 64 are"},
  };
  for (const Case& c : cases) {
    Spec spec = named("br100");
    const Result<void> done = set(spec, c.key, c.value);
    ASSERT_FALSE(done.has_value()) << c.key;
    EXPECT_EQ(done.error().place, std::string(c.key) + "=" + c.value);
    EXPECT_THAT(done.error().cause, HasSubstr(c.cause));
    EXPECT_THAT(done.error().remedy, HasSubstr(c.remedy));
  }
}

TEST(Check, ChangesThatHoldTogetherOnlyAreMadeTogether) {
  Spec spec = named("br104");
  EXPECT_FALSE(set(spec, "package.dies", "2").has_value());
  const Result<void> done = set(spec, {{"package.dies", "2"},
                                       {"d2d.topology", "ring"},
                                       {"d2d.bandwidth", "448GB/s"},
                                       {"d2d.packet_payload_bytes", "128 B"}});
  EXPECT_TRUE(done.has_value()) << done.error().message();
}

TEST(Check, RefusalsSayWhereWhyAndWhatToDo) {
  const Spec base = *small_br100();
  int refusals = 0;
  const int accepted = for_any_chip(
      base, 20, 7, [](const Spec&, const std::string&) {},
      [&](const Error& e) {
        ++refusals;
        EXPECT_FALSE(e.place.empty() || e.cause.empty() || e.remedy.empty()) << e.message();
      });
  EXPECT_GT(accepted, 500);
  EXPECT_GT(refusals, 500);
}

TEST(Check, EveryFigureHasADomainAndEveryPolicyWords) {
  for (const Field& f : fields()) {
    if (f.type == Field::Type::integer || f.type == Field::Type::real) {
      EXPECT_LT(f.domain.low, f.domain.high) << f.key();
    }
    if (f.domain.kind == Domain::Kind::words) {
      EXPECT_EQ(std::count_if(policies().begin(), policies().end(),
                              [&](const Policy& p) { return p.key == f.key() && p.words.size() > 1; }),
                1)
          << f.key();
    }
  }
}

// Texts of shipped chips with pieces dropped, doubled, swapped and bytes changed; the fuzzer's short form.
TEST(Reader, AnyTextIsAChipOrAnError) {
  std::mt19937_64 random(11);
  std::vector<std::string> texts;
  for (const std::string& name : shipped()) {
    std::ostringstream text;
    text << std::ifstream(named(name).file).rdbuf();
    texts.push_back(text.str());
  }
  int good = 0;
  for (int i = 0; i < 600; ++i) {
    std::string text = texts[random() % texts.size()];
    for (std::uint64_t n = random() % 4; n > 0 && !text.empty(); --n) {
      const std::size_t at = random() % text.size(), length = random() % 40;
      switch (random() % 4) {
        case 0: text.erase(at, length); break;
        case 1: text.insert(at, text.substr(random() % text.size(), length)); break;
        case 2: text[at] = static_cast<char>(random()); break;
        default: {
          const std::size_t digit = text.find_first_of("0123456789", at);
          if (digit != std::string::npos) text[digit] = static_cast<char>('0' + random() % 10);
        }
      }
    }
    const Result<Spec> spec = parse(text, "fuzz/any.toml");
    good += spec.has_value();
    if (!spec) {
      EXPECT_FALSE(spec.error().place.empty()) << spec.error().message();
    }
  }
  EXPECT_GT(good, 100);
  EXPECT_LT(good, 600);
}

TEST(Sensitivity, MovesAssumedFiguresTheWayTheyGetBetter) {
  const Spec spec = named("br100");
  const std::vector<std::string> keys = assumed_figures(spec);
  EXPECT_GT(keys.size(), 50u);
  const auto of = [&](const char* key, double share) {
    const std::vector<std::string> one = {key};
    const std::vector<Change> settings = shifted(spec, one, share);
    return settings.empty() ? std::string("stays") : settings[0].value;
  };
  EXPECT_EQ(of("sequence.fp64_add", 0.3), "29");   // 29.4
  EXPECT_EQ(of("sequence.fp64_add", -0.3), "55");  // 54.6
  EXPECT_EQ(of("hbm.refresh_share", 0.3), "0.0245");
  EXPECT_EQ(of("d2d.packet_header_bytes", -0.3), "21");
  EXPECT_EQ(of("noc.unit_read_bytes_per_cycle", 0.3), "83.2");
  EXPECT_EQ(of("subcore.memory_queue", -0.3), "4");  // 3.5
  EXPECT_EQ(of("l2.near_latency", 0.9), "stays");    // below unit.l1_latency and the miss
}

// All at once and one by one: what is left is a chip that can be loaded.
TEST(Sensitivity, WhatIsMovedIsAChip) {
  for (const std::string& name : shipped()) {
    const Spec spec = named(name);
    const std::vector<std::string> keys = assumed_figures(spec);
    for (const double share : {-0.9, -0.3, 0.3, 0.9}) {
      Spec changed = spec;
      const std::vector<Change> settings = shifted(spec, keys, share);
      EXPECT_TRUE(set(changed, settings).has_value()) << name;
      if (std::abs(share) < 0.5) {
        EXPECT_GE(settings.size() + 2, keys.size()) << name << " " << share;
      }
      for (const std::string& key : keys) {
        Spec one = spec;
        EXPECT_TRUE(set(one, shifted(spec, std::span(&key, 1), share)).has_value()) << name << " " << key;
      }
    }
    for (const std::vector<Change>& others : assumed_choices(spec))
      for (const Change& other : others) {
        Spec changed = spec;
        EXPECT_TRUE(set(changed, other.key, other.value).has_value()) << name << " " << other.key;
        EXPECT_NE(hash(changed), hash(spec));
      }
  }
}

TEST(Sensitivity, AssumedPoliciesOfAChipletAreTriedOnesThatDecideNothingAreNot) {
  const auto keys = [](const char* chip) {
    std::vector<std::string> all;
    for (const std::vector<Change>& others : assumed_choices(named(chip))) all.push_back(others[0].key);
    return all;
  };
  EXPECT_THAT(keys("br100"), testing::IsSupersetOf({"package.cta_schedule", "package.data_placement",
                                                    "l2.replication", "d2d.cache", "subcore.scheduler"}));
  EXPECT_THAT(keys("br104"), testing::Not(testing::Contains("package.cta_schedule")));
  EXPECT_THAT(keys("br100"), testing::Not(testing::Contains("d2d.topology")));
}

}  // namespace
}  // namespace wanren::chip
