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

Result<void> recheck(const Spec& changed, const std::string& place) {
  if (const std::optional<Violation> v = find_violation(changed))
    return fail(place, fmt::format("`{}` {}", v->key, v->cause), v->remedy);
  return {};
}

}  // namespace

Result<void> set(Spec& spec, const std::string& key, const std::string& value) {
  const std::string place = fmt::format("{}={}", key, value);
  const Result<std::size_t> index = locate(key, place);
  if (!index) return std::unexpected(index.error());
  Spec changed = spec;
  if (const Result<void> r = assign(changed, *index, value, place, true); !r) return r;
  if (const Result<void> r = recheck(changed, place); !r) return r;
  changed.provenance[key] = {Origin::assumed, "set on the command line", value};
  spec = std::move(changed);
  return {};
}

Result<void> scale(Spec& spec, const std::string& key, double factor) {
  const std::string place = fmt::format("{} * {}", key, factor);
  const Result<std::size_t> index = locate(key, place);
  if (!index) return std::unexpected(index.error());
  if (!std::isfinite(factor) || factor <= 0)
    return fail(place, fmt::format("can't scale by {}", factor), "use a positive factor");
  Spec changed = spec;
  const Reference r = reference(changed, *index);
  if (auto* const* p = std::get_if<Spec::integer*>(&r)) {
    if (**p > 0) **p = std::max<std::int64_t>(1, std::llround(static_cast<double>(**p) * factor));
  } else if (auto* const* p = std::get_if<Spec::real*>(&r)) {
    **p *= factor;
  } else {
    return fail(place, fmt::format("`{}` is not a number", key), "set it instead");
  }
  if (const Result<void> checked = recheck(changed, place); !checked) return checked;
  Provenance& from = changed.provenance[key];
  from.source = fmt::format("scaled by {} from: {}", factor, from.source);
  from.text = value_text(changed, fields()[*index]);
  from.origin = Origin::assumed;
  spec = std::move(changed);
  return {};
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
