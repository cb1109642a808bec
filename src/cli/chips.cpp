#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>

#include "chip/policies.h"
#include "chip/spec.h"
#include "cli/commands.h"
#include "cost/silicon.h"
#include "fmt/format.h"

namespace wanren::cli {
namespace {

int list() {
  for (const std::string& name : chip::shipped()) {
    Result<chip::Spec> chip = chip::load(name);
    if (!chip) return complain(chip.error().message(), failed);
    std::string aliases;
    for (const std::string& alias : chip->aliases) aliases += (aliases.empty() ? " (= " : ", ") + alias;
    if (!aliases.empty()) aliases += ")";
    fmt::print("{:<26} {}, {} units on {} die{}, {:.0f} GB/s, {:.0f} W; {:.0f} % assumed\n", name + aliases,
               chip->identity.title, chip->units(), chip->package.dies, chip->package.dies == 1 ? "" : "s",
               chip->hbm.bandwidth_per_die * static_cast<double>(chip->package.dies), chip->power.board_limit,
               100 * chip::assumed_share(*chip));
  }
  return 0;
}

std::string domain_text(const chip::Field& field) {
  switch (field.domain.kind) {
    case chip::Domain::Kind::range:
      return fmt::format("{:.15g} to {:.15g}", field.domain.low, field.domain.high);
    case chip::Domain::Kind::power_of_two:
      return fmt::format("2^n, {:.15g} to {:.15g}", field.domain.low, field.domain.high);
    case chip::Domain::Kind::words: return "a word:";
    case chip::Domain::Kind::free: return field.type == chip::Field::Type::flag ? "true or false" : "text";
  }
  return "";
}

int keys() {
  std::size_t section = 0;
  for (const chip::Field& field : chip::fields()) {
    if (section == 0 || field.section != chip::sections()[section - 1].name) {
      const chip::Section& next = chip::sections()[section++];
      fmt::print("{}[{}] {}\n", section > 1 ? "\n" : "", next.name, next.doc);
    }
    fmt::print("  {:<28} {:<8} {:<20} {:<5} {}\n", field.member, field.unit, domain_text(field),
               field.better == chip::Better::more   ? "more"
               : field.better == chip::Better::less ? "less"
                                                    : "",
               field.doc);
    for (const chip::Policy& policy : chip::policies())
      if (policy.key == field.key())
        for (const chip::PolicyWord& word : policy.words)
          fmt::print("{:40}{}: {}\n", "", word.word, word.doc);
  }
  fmt::print("\n[features] native, emulated or refused\n ");
  for (const std::string& feature : chip::known_features()) fmt::print(" {}", feature);
  fmt::print("\n");
  return 0;
}

const char* name_of(chip::Support support) {
  return support == chip::Support::native     ? "native"
         : support == chip::Support::emulated ? "emulated"
                                              : "refused";
}

/// Figures by key, each with value, unit, origin and source; features by name.
int show_json(const chip::Spec& chip) {
  nlohmann::ordered_json json = {{"name", chip.name}, {"file", chip.file}};
  for (const chip::Field& field : chip::fields()) {
    nlohmann::ordered_json figure = {{"value", chip::value_text(chip, field)}, {"unit", field.unit}};
    if (const auto origin = chip.provenance.find(field.key()); origin != chip.provenance.end()) {
      figure["origin"] = chip::name(origin->second.origin);
      figure["source"] = origin->second.source;
    }
    json["figures"][field.key()] = figure;
  }
  for (const auto& [feature, support] : chip.features) json["features"][feature] = name_of(support);
  fmt::print("{}\n", json.dump(1));
  return 0;
}

int show(const std::string& name, bool as_json) {
  Result<chip::Spec> chip = chip::load(name);
  if (!chip) return complain(chip.error().message(), bad_usage);
  if (as_json) return show_json(*chip);
  fmt::print("{}: {} ({})\n", chip->name, chip->identity.title, chip->file);
  std::string_view section;
  for (const chip::Field& field : chip::fields()) {
    if (field.section != section) {
      section = field.section;
      fmt::print("\n[{}]\n", section);
    }
    const auto origin = chip->provenance.find(field.key());
    const bool known = origin != chip->provenance.end();
    fmt::print("  {:<28} {:>14} {:<9} {:<9} {}\n", field.member, chip::value_text(*chip, field), field.unit,
               known ? chip::name(origin->second.origin) : "", known ? origin->second.source : "");
  }
  if (!chip->features.empty()) {
    fmt::print("\n[features]\n");
    for (const auto& [feature, support] : chip->features)
      fmt::print("  {:<28} {}\n", feature, name_of(support));
  }
  const cost::Silicon silicon = cost::silicon(*chip);
  fmt::print("\n[derived]\n");
  fmt::print("  {:<28} {:>14.0f}\n", "dies_per_wafer", silicon.dies_per_wafer);
  fmt::print("  {:<28} {:>14.2f}\n", "die_yield", silicon.yield);
  fmt::print("  {:<28} {:>14.0f} {:<9}\n", "silicon_of_package", silicon.package_usd, "USD");
  return 0;
}

}  // namespace

void add_chips(CLI::App& app, Action& action) {
  CLI::App* chips =
      app.add_subcommand("chips", "List chips, or show every number of one with unit and origin");
  auto name = std::make_shared<std::string>();
  auto as_json = std::make_shared<bool>(false);
  CLI::App* shown = chips->add_subcommand("show", "Every number of a chip, with unit and origin");
  shown->add_option("chip", *name, "Shipped chip, alias, or TOML file")->required();
  shown->add_flag("--json", *as_json, "For programs");
  shown->callback([name, as_json, &action] { action = [name, as_json] { return show(*name, *as_json); }; });
  chips->add_subcommand("list", "All shipped chips")->callback([&action] { action = list; });
  chips->add_subcommand("keys", "Every key of a chip file: unit, what it may be, which way it is better")
      ->callback([&action] { action = keys; });
  chips->callback([chips, &action] {
    if (chips->get_subcommands().empty()) action = list;
  });
}

}  // namespace wanren::cli
