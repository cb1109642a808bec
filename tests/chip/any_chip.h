#pragma once
// Chips that differ from a sound one in one or in many figures: what the reader accepts must run.

#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <random>
#include <string>

#include "chip/spec.h"

namespace wanren::chip {

/// A BR100 of two small dies, so that a run takes milliseconds.
inline Result<Spec> small_br100() {
  Result<Spec> spec = load("br100");
  if (!spec) return spec;
  const Result<void> done = set(*spec, {{"package.units_per_die", "4"},
                                        {"package.clusters_per_die", "2"},
                                        {"l2.partitions_per_die", "2"},
                                        {"l2.slices_per_die", "4"},
                                        {"l2.bytes_per_die", "1 MiB"},
                                        {"hbm.channels_per_die", "8"},
                                        {"hbm.bytes_per_die", "1 GiB"}});
  if (!done) return std::unexpected(done.error());
  return spec;
}

/// A value for the figure: factors of what it is, ends of its domain and beyond, zero, words it may have and
/// one that it may not.
inline std::string any_value(const Spec& spec, const Field& f, std::mt19937_64& random) {
  const auto pick = [&](std::size_t n) { return static_cast<std::size_t>(random() % n); };
  if (f.type == Field::Type::flag) return pick(2) != 0 ? "true" : "false";
  if (f.type == Field::Type::text) {
    static const std::string words[] = {"round_robin", "die_contiguous", "interleave", "gto",  "lrr",
                                        "youngest",    "home",           "near",       "none", "all",
                                        "ring",        "mesh",           "replicate",  "",     "=;",
                                        "nine",        "two words"};
    return words[pick(std::size(words))];
  }
  double value = std::stod(value_text(spec, f));
  switch (pick(8)) {
    case 0: value = f.domain.low; break;
    case 1: value = f.domain.high; break;
    case 2: value = f.domain.high * 2 + 1; break;
    case 3: value = pick(2) != 0 ? 0 : 1; break;
    case 4: {
      static const double wild[] = {-1, 1e300, 1e-300, 9e15, 4294967296.0, 2147483648.0, 65536, 0.5};
      value = wild[pick(std::size(wild))];
      break;
    }
    default: value *= std::pow(10.0, static_cast<double>(random() % 2001) / 1000 - 1);
  }
  if (f.type == Field::Type::integer && pick(8) != 0) value = std::round(value);
  if (f.domain.kind == Domain::Kind::power_of_two && value >= 1 && value < 1e15 && pick(4) != 0)
    value = std::exp2(std::round(std::log2(value)));
  char text[64];
  std::snprintf(text, sizeof text, "%.17g", value);
  return text;
}

/// Calls `use` with each accepted variant; every refusal has place, cause and remedy. Returns how many.
/// WANREN_TEST_ROUNDS: times as many rounds.
inline int for_any_chip(const Spec& base, int rounds, std::uint64_t seed,
                        const std::function<void(const Spec&, const std::string&)>& use,
                        const std::function<void(const Error&)>& refused) {
  std::mt19937_64 random(seed);
  if (const char* more = std::getenv("WANREN_TEST_ROUNDS")) rounds *= std::atoi(more);
  int accepted = 0;
  const auto attempt = [&](const std::vector<Change>& settings) {
    Spec spec = base;
    std::string what;
    for (const Change& s : settings) what += s.key + "=" + s.value + " ";
    if (const Result<void> done = set(spec, settings); !done) return refused(done.error());
    ++accepted;
    use(spec, what);
  };
  for (int round = 0; round < rounds; ++round)
    for (const Field& f : fields()) attempt({{f.key(), any_value(base, f, random)}});
  for (int i = 0; i < 20 * rounds; ++i) {
    std::vector<Change> several;
    for (std::uint64_t n = 2 + random() % 6; n > 0; --n) {
      const Field& f = fields()[random() % fields().size()];
      several.push_back({f.key(), any_value(base, f, random)});
    }
    attempt(several);
  }
  return accepted;
}

}  // namespace wanren::chip
