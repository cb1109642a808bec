#include "chip/sensitivity.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "chip/policies.h"
#include "chip/table.h"

namespace wanren::chip {
namespace {

bool assumed(const Spec& spec, const std::string& key) {
  const auto it = spec.provenance.find(key);
  return it != spec.provenance.end() && it->second.origin == Origin::assumed;
}

double number_of(const Spec& spec, std::size_t index) {
  const Reference r = reference(const_cast<Spec&>(spec), index);
  if (auto* const* p = std::get_if<Spec::integer*>(&r)) return static_cast<double>(**p);
  if (auto* const* p = std::get_if<Spec::real*>(&r)) return **p;
  return 0;
}

}  // namespace

std::vector<std::string> assumed_figures(const Spec& spec) {
  std::vector<std::string> keys;
  for (std::size_t i = 0; i < fields().size(); ++i)
    if (const Field& f = fields()[i];
        f.better != Better::neither && assumed(spec, f.key()) && number_of(spec, i) > 0)
      keys.push_back(f.key());
  return keys;
}

std::vector<Change> shifted(const Spec& spec, std::span<const std::string> keys, double share) {
  std::vector<Change> settings;
  for (const std::string& key : keys) {
    const std::size_t index = find_field(key).value();
    const Field& f = fields()[index];
    const double factor = f.better == Better::more ? 1 + share : 1 - share;
    double value = std::clamp(number_of(spec, index) * factor, f.domain.low, f.domain.high);
    if (f.type == Field::Type::integer) value = std::round(value);
    settings.push_back({key, fmt::format("{}", value)});
  }
  for (;;) {
    Spec changed = spec;
    for (const Change& s : settings) {
      const Reference r = reference(changed, find_field(s.key).value());
      if (auto* const* p = std::get_if<Spec::integer*>(&r)) **p = std::stoll(s.value);
      if (auto* const* p = std::get_if<Spec::real*>(&r)) **p = std::stod(s.value);
    }
    const std::optional<Violation> v = find_violation(changed);
    if (!v || settings.empty()) return settings;
    // The figure at fault stays, or the last that its section moved, or the last of all.
    const auto fault = [&](auto matches) {
      return std::find_if(settings.rbegin(), settings.rend(), matches);
    };
    auto it = fault([&](const Change& s) { return s.key == v->key; });
    const std::string section = v->key.substr(0, v->key.find('.') + 1);
    if (it == settings.rend()) it = fault([&](const Change& s) { return s.key.starts_with(section); });
    if (it == settings.rend()) it = settings.rbegin();
    settings.erase(std::next(it).base());
  }
}

std::vector<std::vector<Change>> assumed_choices(const Spec& spec) {
  std::vector<std::vector<Change>> choices;
  for (const Policy& policy : policies()) {
    const std::string key(policy.key);
    if (policy.range == Policy::Range::keep || !assumed(spec, key)) continue;
    if (policy.range == Policy::Range::many && spec.package.dies == 1) continue;
    std::vector<Change> others;
    for (const PolicyWord& word : policy.words) {
      Spec changed = spec;
      if (word.word == value_text(spec, fields()[find_field(key).value()])) continue;
      if (set(changed, key, std::string(word.word))) others.push_back({key, std::string(word.word)});
    }
    if (!others.empty()) choices.push_back(std::move(others));
  }
  return choices;
}

}  // namespace wanren::chip
