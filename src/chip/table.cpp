#include "chip/table.h"

#include <algorithm>
#include <array>
#include <map>
#include <numeric>
#include <utility>

#include "chip/policies.h"

namespace wanren::chip {

const std::vector<Field>& fields() {
  static const std::vector<Field> table = [] {
    constexpr Better neither = Better::neither, more = Better::more, less = Better::less;
    constexpr Domain free, words = {Domain::Kind::words};
    const auto range = [](double low, double high) { return Domain{Domain::Kind::range, low, high}; };
    const auto power_of_two = [](double low, double high) {
      return Domain{Domain::Kind::power_of_two, low, high};
    };
    std::vector<Field> rows;
    std::string_view section;
#define WR_SECTION_BEGIN(name, doc) section = #name;
#define WR_FIELD(type, member, unit, better, domain, doc) \
  rows.push_back({Field::Type::type, section, #member, unit, better, domain, doc});
#define WR_SECTION_END(name)
#include "chip/fields.def"
#undef WR_SECTION_BEGIN
#undef WR_FIELD
#undef WR_SECTION_END
    return rows;
  }();
  return table;
}

const std::vector<Section>& sections() {
  static const std::vector<Section> table = {
#define WR_SECTION_BEGIN(name, doc) {#name, doc},
#define WR_FIELD(type, member, unit, better, domain, doc)
#define WR_SECTION_END(name)
#include "chip/fields.def"
#undef WR_SECTION_BEGIN
#undef WR_FIELD
#undef WR_SECTION_END
  };
  return table;
}

Reference reference(Spec& spec, std::size_t index) {
  using Getter = Reference (*)(Spec&);
  static const std::vector<Getter> getters = [] {
    std::vector<Getter> rows;
    // A local structure per section carries the section's name into its fields' getters.
#define WR_SECTION_BEGIN(name, doc) \
  {                                 \
    struct Section {                \
      static auto& of(Spec& s) {    \
        return s.name;              \
      }                             \
    };
#define WR_FIELD(type, member, unit, better, domain, doc) \
  rows.push_back([](Spec& s) -> Reference { return &Section::of(s).member; });
#define WR_SECTION_END(name) }
#include "chip/fields.def"
#undef WR_SECTION_BEGIN
#undef WR_FIELD
#undef WR_SECTION_END
    return rows;
  }();
  return getters[index](spec);
}

std::optional<std::size_t> find_field(std::string_view key) {
  static const std::map<std::string, std::size_t, std::less<>> index = [] {
    std::map<std::string, std::size_t, std::less<>> m;
    for (std::size_t i = 0; i < fields().size(); ++i) m[fields()[i].key()] = i;
    return m;
  }();
  const auto it = index.find(key);
  if (it == index.end()) return std::nullopt;
  return it->second;
}

namespace {

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i + 1;
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t substituted = diagonal + (a[i] != b[j]);
      diagonal = row[j + 1];
      row[j + 1] = std::min({substituted, row[j] + 1, row[j + 1] + 1});
    }
  }
  return row[b.size()];
}

}  // namespace

std::string nearest(std::string_view word, std::span<const std::string> candidates) {
  std::string best;
  std::size_t best_distance = std::max<std::size_t>(2, word.size() / 3) + 1;
  for (const std::string& c : candidates) {
    const std::size_t d = edit_distance(word, c);
    if (d < best_distance) {
      best_distance = d;
      best = c;
    }
  }
  return best;
}

std::string did_you_mean(std::string_view word, std::span<const std::string> candidates,
                         std::string otherwise) {
  const std::string near = nearest(word, candidates);
  return near.empty() ? std::move(otherwise) : "did you mean `" + near + "`?";
}

std::string_view name(Origin origin) {
  switch (origin) {
    case Origin::datasheet: return "datasheet";
    case Origin::measured: return "measured";
    case Origin::paper: return "paper";
    case Origin::derived: return "derived";
    case Origin::assumed: return "assumed";
  }
  return "";
}

std::optional<Origin> origin_from(std::string_view text) {
  for (const Origin o :
       {Origin::datasheet, Origin::measured, Origin::paper, Origin::derived, Origin::assumed})
    if (text == name(o)) return o;
  return std::nullopt;
}

std::optional<Support> support_from(std::string_view text) {
  if (text == "native") return Support::native;
  if (text == "emulated") return Support::emulated;
  if (text == "refused") return Support::refused;
  return std::nullopt;
}

std::vector<std::string> admitted(std::string_view key) {
  std::vector<std::string> words;
  for (const Policy& p : policies())
    if (p.key == key)
      for (const PolicyWord& w : p.words) words.emplace_back(w.word);
  return words;
}

const std::vector<std::string>& known_features() {
  static const std::vector<std::string> names = {"fp64",     "mma_fp16", "mma_bf16", "mma_tf32",
                                                 "mma_int8", "mma_int4", "mma_fp8",  "mma_fp64"};
  return names;
}

}  // namespace wanren::chip
