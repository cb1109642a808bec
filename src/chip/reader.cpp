// Reads chip files. Layout: docs/adding-a-chip.md.

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include <fmt/format.h>

#define TOML_EXCEPTIONS 0
#define TOML_HEADER_ONLY 1
#include <toml++/toml.h>

#include "chip/figure.h"
#include "chip/places.h"
#include "chip/table.h"

namespace wanren::chip {
namespace {

namespace fs = std::filesystem;

std::string at(const std::string& file, const toml::source_region& where) {
  return fmt::format("{}:{}:{}", file, where.begin.line, where.begin.column);
}

Result<toml::table> parse_text(std::string_view text, const std::string& file) {
  toml::parse_result parsed = toml::parse(text, file);
  if (!parsed) {
    const toml::parse_error& e = parsed.error();
    return fail(at(file, e.source()), fmt::format("not TOML: {}", e.description()));
  }
  return std::move(parsed).table();
}

Result<toml::table> parse_file(const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  if (!in) return fail(file, "cannot be read", "check the path and its permissions");
  std::ostringstream text;
  text << in.rdbuf();
  return parse_text(text.str(), file);
}

/// A scalar as text: what assign() reads.
std::optional<std::string> scalar_text(const toml::node& node) {
  if (const auto* v = node.as_string()) return v->get();
  if (const auto* v = node.as_integer()) return fmt::format("{}", v->get());
  if (const auto* v = node.as_floating_point()) return fmt::format("{}", v->get());
  if (const auto* v = node.as_boolean()) return v->get() ? "true" : "false";
  return std::nullopt;
}

const std::vector<std::string> top_keys = {"inherits", "inherited_measurements", "aliases"};

std::vector<std::string> names_and_aliases();

class Reader {
 public:
  Result<void> read(const std::string& file, Spec& spec, std::vector<std::string> chain);
  Result<void> apply(const toml::table& root, const std::string& file, Spec& spec,
                     const std::vector<std::string>& chain);
  std::map<std::string, std::string> places;  ///< Where each figure was written, by key.

 private:
  Result<void> section(const std::string& file, std::string_view name, const toml::table& table, Spec& spec);
  Result<void> figure(const std::string& file, const std::string& key, std::size_t index,
                      const toml::node& node, Spec& spec);
  Result<void> features(const std::string& file, const toml::table& table, Spec& spec);
};

Result<void> Reader::figure(const std::string& file, const std::string& key, std::size_t index,
                            const toml::node& node, Spec& spec) {
  const std::string form =
      fmt::format("write {} = {{ value = …, origin = \"…\", source = \"…\" }}", fields()[index].member);
  const toml::table* table = node.as_table();
  const std::string place = at(file, node.source());
  if (table == nullptr) return fail(place, fmt::format("`{}` has no origin", key), form);
  const std::vector<std::string> parts = {"value", "origin", "source"};
  for (const auto& [k, v] : *table)
    if (std::find(parts.begin(), parts.end(), k.str()) == parts.end())
      return fail(at(file, k.source()), fmt::format("unknown part `{}` of `{}`", k.str(), key),
                  did_you_mean(k.str(), parts, "a figure has value, origin and source"));
  for (const std::string& part : parts)
    if (!table->contains(part)) return fail(place, fmt::format("`{}` has no {}", key, part), form);

  const toml::node& value = *table->get("value");
  const std::optional<std::string> text = scalar_text(value);
  if (!text)
    return fail(at(file, value.source()), fmt::format("the value of `{}` is not a scalar", key), form);
  const Field& f = fields()[index];
  if (f.type == Field::Type::text && !value.is_string())
    return fail(at(file, value.source()), fmt::format("`{}` is a text", key), "put it in quotes");
  if (f.type == Field::Type::flag && !value.is_boolean())
    return fail(at(file, value.source()), fmt::format("`{}` is a flag", key), "write true or false");
  if (const Result<void> r = assign(spec, index, *text, at(file, value.source()), false); !r) return r;

  const toml::node& origin = *table->get("origin");
  const std::string written = origin.value_or<std::string>("");
  const std::optional<Origin> known = origin_from(written);
  if (!known) {
    const std::vector<std::string> all = {"datasheet", "measured", "paper", "derived", "assumed"};
    return fail(at(file, origin.source()), fmt::format("unknown origin \"{}\" of `{}`", written, key),
                did_you_mean(written, all, "origins are datasheet, measured, paper, derived, assumed"));
  }
  const toml::node& source = *table->get("source");
  const std::string said = source.value_or<std::string>("");
  if (said.empty())
    return fail(at(file, source.source()), fmt::format("`{}` has an empty source", key),
                "say who published it; for derived the formula, for assumed why");
  spec.provenance[key] = {*known, said, *text};
  places[key] = place;
  return {};
}

Result<void> Reader::section(const std::string& file, std::string_view name, const toml::table& table,
                             Spec& spec) {
  for (const auto& [k, v] : table) {
    const std::string key = fmt::format("{}.{}", name, k.str());
    const std::optional<std::size_t> index = find_field(key);
    if (!index) return unknown_key(name, k.str(), at(file, k.source()));
    if (const Result<void> r = figure(file, key, *index, v, spec); !r) return r;
  }
  return {};
}

Result<void> Reader::features(const std::string& file, const toml::table& table, Spec& spec) {
  const std::span<const std::string> known = known_features();
  for (const auto& [k, v] : table) {
    const std::string feature(k.str());
    if (std::find(known.begin(), known.end(), feature) == known.end()) {
      std::string all;
      for (const std::string& s : known) all += (all.empty() ? "features are " : ", ") + s;
      return fail(at(file, k.source()), fmt::format("unknown feature `{}`", feature),
                  did_you_mean(feature, known, all));
    }
    const std::string written = v.value_or<std::string>("");
    const std::optional<Support> support = support_from(written);
    if (!support) {
      const std::vector<std::string> all = {"native", "emulated", "refused"};
      return fail(at(file, v.source()),
                  fmt::format("unknown support \"{}\" of feature `{}`", written, feature),
                  did_you_mean(written, all, "write \"native\", \"emulated\" or \"refused\""));
    }
    spec.features[feature] = *support;
  }
  return {};
}

Result<void> Reader::read(const std::string& file, Spec& spec, std::vector<std::string> chain) {
  if (std::find(chain.begin(), chain.end(), file) != chain.end())
    return fail(file, fmt::format("inherits from itself by way of {}", chain.back()), "break the circle");
  chain.push_back(file);
  const Result<toml::table> parsed = parse_file(file);
  if (!parsed) return std::unexpected(parsed.error());
  return apply(*parsed, file, spec, chain);
}

Result<void> Reader::apply(const toml::table& root, const std::string& file, Spec& spec,
                           const std::vector<std::string>& chain) {
  if (const toml::node* base = root.get("inherits")) {
    const std::string place = at(file, base->source());
    const std::string name = base->value_or<std::string>("");
    if (name.empty())
      return fail(place, "`inherits` is not the name of a chip", "write inherits = \"br100\"");
    std::string base_file;
    if (name.find('/') != std::string::npos || name.ends_with(".toml")) {
      base_file = (fs::path(file).parent_path() / name).string();
    } else if (const fs::path beside = fs::path(file).parent_path() / (name + ".toml"); fs::exists(beside)) {
      base_file = beside.string();
    } else if (const std::optional<std::string> found = find_shipped(name)) {
      base_file = *found;
    } else {
      return fail(place, fmt::format("inherits from unknown chip `{}`", name),
                  did_you_mean(name, names_and_aliases(), "`wanren chips` lists them"));
    }
    if (const Result<void> r = read(base_file, spec, chain); !r) return r;
    if (const toml::node* rule = root.get("inherited_measurements")) {
      // What was measured on, or derived for, another chip is a guess for this one.
      if (rule->value_or<std::string>("") != "assumed")
        return fail(at(file, rule->source()), "`inherited_measurements` can only become \"assumed\"",
                    "leave it out to keep their origins");
      for (auto& [key, from] : spec.provenance)
        if (from.origin != Origin::datasheet && from.origin != Origin::assumed)
          from = {Origin::assumed, fmt::format("as {}: {}", name, from.source), from.text};
    }
  }
  spec.aliases.clear();  // Names are not inherited.
  if (const toml::node* aliases = root.get("aliases")) {
    const toml::array* list = aliases->as_array();
    if (list == nullptr)
      return fail(at(file, aliases->source()), "`aliases` is not a list", "write aliases = [\"name\"]");
    for (const toml::node& entry : *list) {
      if (!entry.is_string())
        return fail(at(file, entry.source()), "an alias is not a text", "put it in quotes");
      spec.aliases.push_back(entry.value_or<std::string>(""));
    }
  }
  for (const auto& [k, v] : root) {
    if (std::find(top_keys.begin(), top_keys.end(), k.str()) != top_keys.end()) continue;
    const std::string place = at(file, k.source());
    const bool known = k.str() == "features" || !members_of(k.str()).empty();
    if (!known) {
      std::vector<std::string> all = section_names();
      all.emplace_back("features");
      all.insert(all.end(), top_keys.begin(), top_keys.end());
      std::string list;
      for (const std::string& s : all) list += (list.empty() ? "sections are " : ", ") + s;
      return fail(place, fmt::format("unknown section `{}`", k.str()), did_you_mean(k.str(), all, list));
    }
    const toml::table* table = v.as_table();
    if (table == nullptr)
      return fail(place, fmt::format("`{}` is not a section", k.str()), fmt::format("write [{}]", k.str()));
    const Result<void> r =
        k.str() == "features" ? features(file, *table, spec) : section(file, k.str(), *table, spec);
    if (!r) return r;
  }
  return {};
}

Result<Spec> complete(Spec spec, Reader& reader, const std::string& file) {
  std::string missing;
  int count = 0;
  for (const Field& f : fields())
    if (!spec.provenance.contains(f.key())) {
      missing += (count++ != 0 ? ", " : "") + f.key();
    }
  if (count != 0)
    return fail(file, fmt::format("{} figure{} missing: {}", count, count == 1 ? " is" : "s are", missing),
                "give them, or inherit from a chip that has them");
  if (const std::optional<Violation> v = find_violation(spec))
    return fail(reader.places[v->key], fmt::format("`{}` {}", v->key, v->cause), v->remedy);
  spec.name = fs::path(file).stem().string();
  spec.file = file;
  return spec;
}

Result<Spec> load_file(const std::string& file) {
  Spec spec;
  Reader reader;
  if (const Result<void> r = reader.read(file, spec, {}); !r) return std::unexpected(r.error());
  return complete(std::move(spec), reader, file);
}

/// Aliases of a file, read alone; broken files have none.
std::vector<std::string> aliases_of(const std::string& file) {
  std::vector<std::string> result;
  const Result<toml::table> root = parse_file(file);
  if (!root) return result;
  if (const toml::array* list = (*root)["aliases"].as_array())
    for (const toml::node& entry : *list) result.push_back(entry.value_or<std::string>(""));
  return result;
}

std::vector<std::string> names_and_aliases() {
  std::vector<std::string> result = shipped();
  const std::size_t names = result.size();
  for (std::size_t i = 0; i < names; ++i) {
    const std::vector<std::string> more = aliases_of(*find_shipped(result[i]));
    result.insert(result.end(), more.begin(), more.end());
  }
  return result;
}

}  // namespace

Result<Spec> parse(std::string_view text, const std::string& file) {
  const Result<toml::table> root = parse_text(text, file);
  if (!root) return std::unexpected(root.error());
  Spec spec;
  Reader reader;
  if (const Result<void> r = reader.apply(*root, file, spec, {file}); !r) return std::unexpected(r.error());
  return complete(std::move(spec), reader, file);
}

Result<Spec> load(const std::string& name_or_file) {
  if (name_or_file.empty()) return fail({}, "no chip named", "`wanren chips` lists them");
  if (name_or_file.find('/') != std::string::npos || name_or_file.ends_with(".toml")) {
    std::error_code ignored;
    if (!fs::is_regular_file(name_or_file, ignored))
      return fail(name_or_file, "no such chip file",
                  "give a path of a TOML file, or a name that `wanren chips` lists");
    return load_file(name_or_file);
  }
  if (const std::optional<std::string> file = find_shipped(name_or_file)) return load_file(*file);
  for (const std::string& name : shipped()) {
    const std::string file = *find_shipped(name);
    const std::vector<std::string> aliases = aliases_of(file);
    if (std::find(aliases.begin(), aliases.end(), name_or_file) != aliases.end()) return load_file(file);
  }
  const std::vector<std::string> all = names_and_aliases();
  std::string list;
  for (const std::string& n : all) list += (list.empty() ? "chips are " : ", ") + n;
  return fail({}, fmt::format("unknown chip `{}`", name_or_file), did_you_mean(name_or_file, all, list));
}

}  // namespace wanren::chip
