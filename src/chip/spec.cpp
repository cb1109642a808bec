// Operations on a complete spec: change, print, digest.

#include "chip/spec.h"

#include <cmath>

#include <fmt/format.h>

#include "chip/figure.h"
#include "chip/table.h"

namespace wanren::chip {
namespace {

Result<std::size_t> locate(const std::string& key, const std::string& place) {
  if (const std::optional<std::size_t> index = find_field(key)) return *index;
  const std::size_t dot = key.find('.');
  if (dot == std::string::npos) {
    std::vector<std::string> keys;
    for (const Field& f : fields()) keys.push_back(f.key());
    std::string remedy = did_you_mean(key, keys);
    for (const Field& f : fields())
      if (f.member == key) remedy = fmt::format("did you mean `{}`?", f.key());
    return fail(place, fmt::format("unknown key `{}`", key),
                remedy.empty() ? "keys are section.name, as in `wanren chips show`" : remedy);
  }
  return unknown_key(key.substr(0, dot), key.substr(dot + 1), place);
}

std::string place_of(const Change& s) {
  return fmt::format("{}={}", s.key, s.value);
}

}  // namespace

Result<Change> parse_change(const std::string& text) {
  const std::size_t equals = text.find('=');
  if (equals == std::string::npos)
    return fail(text, "has no '='", "write KEY=VALUE, such as d2d.bandwidth=224GB/s");
  return Change{text.substr(0, equals), text.substr(equals + 1)};
}

Result<void> set(Spec& spec, const std::vector<Change>& settings) {
  Spec changed = spec;
  for (const Change& s : settings) {
    const Result<std::size_t> index = locate(s.key, place_of(s));
    if (!index) return std::unexpected(index.error());
    if (const Result<void> r = assign(changed, *index, s.value, place_of(s), true); !r) return r;
    changed.provenance[s.key] = {Origin::assumed, "set on the command line", s.value};
  }
  if (const std::optional<Violation> v = find_violation(changed)) {
    std::string place = settings.empty() ? spec.file : place_of(settings.back());
    for (const Change& s : settings)
      if (s.key == v->key) place = place_of(s);
    return fail(place, fmt::format("`{}` {}", v->key, v->cause), v->remedy);
  }
  spec = std::move(changed);
  return {};
}

Result<void> set(Spec& spec, const std::string& key, const std::string& value) {
  return set(spec, {Change{key, value}});
}

std::string value_text(const Spec& spec, const Field& field) {
  const std::optional<std::size_t> index = find_field(field.key());
  WR_CHECK(index.has_value());
  const Reference r = reference(const_cast<Spec&>(spec), *index);
  const std::string unit = field.unit.empty() ? "" : fmt::format(" {}", field.unit);
  if (auto* const* p = std::get_if<Spec::integer*>(&r)) return fmt::format("{}{}", **p, unit);
  if (auto* const* p = std::get_if<Spec::real*>(&r)) return fmt::format("{}{}", **p, unit);
  if (auto* const* p = std::get_if<Spec::flag*>(&r)) return **p ? "true" : "false";
  return **std::get_if<Spec::text*>(&r);
}

std::string hash(const Spec& spec) {
  // FNV-1a, 128 bits in two halves with different offsets.
  std::uint64_t low = 0xcbf29ce484222325u, high = 0x84222325cbf29ce4u;
  const auto mix = [&](std::string_view text) {
    for (const char c : text) {
      low = (low ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
      high = (high ^ static_cast<unsigned char>(c) ^ (low >> 32)) * 0x100000001b3u;
    }
  };
  for (const Field& f : fields()) mix(f.key() + "=" + value_text(spec, f) + "\n");
  for (const auto& [feature, support] : spec.features)
    mix(fmt::format("{}:{}\n", feature, static_cast<int>(support)));
  return fmt::format("{:016x}{:016x}", high, low);
}

double assumed_share(const Spec& spec) {
  int numbers = 0, assumed = 0;
  for (const Field& f : fields()) {
    if (f.type != Field::Type::integer && f.type != Field::Type::real) continue;
    ++numbers;
    const auto it = spec.provenance.find(f.key());
    if (it == spec.provenance.end() || it->second.origin == Origin::assumed) ++assumed;
  }
  return static_cast<double>(assumed) / numbers;
}

}  // namespace wanren::chip
