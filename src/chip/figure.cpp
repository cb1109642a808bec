#include "chip/figure.h"

#include <cmath>

#include <fmt/format.h>

#include "chip/table.h"
#include "chip/unit_text.h"

namespace wanren::chip {

std::vector<std::string> section_names() {
  std::vector<std::string> names;
  for (const Field& f : fields())
    if (names.empty() || names.back() != f.section) names.emplace_back(f.section);
  return names;
}

std::vector<std::string> members_of(std::string_view section) {
  std::vector<std::string> names;
  for (const Field& f : fields())
    if (f.section == section) names.emplace_back(f.member);
  return names;
}

std::unexpected<Error> unknown_key(std::string_view section, std::string_view member,
                                   const std::string& place) {
  const std::vector<std::string> all = section_names();
  const std::vector<std::string> members = members_of(section);
  if (members.empty()) {
    std::string list;
    for (const std::string& s : all) list += (list.empty() ? "sections are " : ", ") + s;
    return fail(place, fmt::format("unknown section `{}`", section), did_you_mean(section, all, list));
  }
  std::string remedy = did_you_mean(member, members);
  if (remedy.empty()) {
    for (const Field& f : fields())
      if (f.member == member) remedy = fmt::format("did you mean `{}`?", f.key());
  }
  if (remedy.empty()) remedy = "docs/adding-a-chip.md lists the keys";
  return fail(place, fmt::format("unknown key `{}` in section `{}`", member, section), remedy);
}

namespace {

Result<double> number_in_unit(const Field& f, std::string_view text, const std::string& place,
                              bool plain_numbers) {
  const std::optional<Quantity> q = parse_quantity(text);
  const std::string unit(f.unit);
  if (!q)
    return fail(
        place,
        fmt::format("`{}` = \"{}\" is not a number{}", f.key(), text, unit.empty() ? "" : " with a unit"),
        unit.empty() ? "write a plain number" : fmt::format("write for example \"1.5 {}\"", unit));
  const std::optional<Unit> canonical = parse_unit(unit);
  if (q->unit.empty()) {
    if (unit.empty() || plain_numbers) return q->number;
    return fail(place, fmt::format("`{}` = {} has no unit", f.key(), text),
                fmt::format("write \"{} {}\"", text, unit));
  }
  if (unit.empty())
    return fail(place, fmt::format("`{}` is a count and takes no unit, not \"{}\"", f.key(), q->unit),
                "write a plain number");
  const std::optional<Unit> written = parse_unit(q->unit);
  const std::vector<std::string> good = spellings(unit);
  if (!written)
    return fail(place, fmt::format("unknown unit \"{}\" of `{}`", q->unit, f.key()),
                did_you_mean(q->unit, good, fmt::format("use \"{}\"", unit)));
  if (!written->same_dimension(*canonical)) {
    std::string list;
    for (const std::string& s : good) list += (list.empty() ? "" : ", ") + s;
    return fail(place, fmt::format("\"{}\" does not measure `{}`", q->unit, f.key()),
                fmt::format("use one of {}", list));
  }
  if (written->factor == canonical->factor) return q->number;
  // Scaling by a ratio of powers of ten in binary leaves a stray last bit; 15 digits are exact enough.
  return std::stod(fmt::format("{:.15g}", q->number * (written->factor / canonical->factor)));
}

}  // namespace

Result<void> assign(Spec& spec, std::size_t index, std::string_view text, const std::string& place,
                    bool plain_numbers) {
  const Field& f = fields()[index];
  const Reference r = reference(spec, index);
  if (auto* const* p = std::get_if<Spec::text*>(&r)) {
    **p = text;
    return {};
  }
  if (auto* const* p = std::get_if<Spec::flag*>(&r)) {
    if (text != "true" && text != "false")
      return fail(place, fmt::format("`{}` = \"{}\" is not a flag", f.key(), text), "write true or false");
    **p = text == "true";
    return {};
  }
  const Result<double> number = number_in_unit(f, text, place, plain_numbers);
  if (!number) return std::unexpected(number.error());
  if (auto* const* p = std::get_if<Spec::real*>(&r)) {
    **p = *number;
    return {};
  }
  if (*number != std::floor(*number) || std::abs(*number) > 9e15)
    return fail(place,
                fmt::format("`{}` = \"{}\" is not a whole number{}", f.key(), text,
                            f.unit.empty() ? "" : fmt::format(" of {}", f.unit)),
                "the model counts these");
  *std::get<Spec::integer*>(r) = static_cast<std::int64_t>(*number);
  return {};
}

}  // namespace wanren::chip
