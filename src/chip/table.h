#pragma once
// Access to a Spec's members by row of fields.def, and near spellings. For this folder only.

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "chip/spec.h"

namespace wanren::chip {

using Reference = std::variant<Spec::integer*, Spec::real*, Spec::text*, Spec::flag*>;

/// Member of `spec` that row `index` of fields() describes.
Reference reference(Spec& spec, std::size_t index);

/// Row whose key is "section.member".
std::optional<std::size_t> find_field(std::string_view key);

/// The candidate with the smallest edit distance, if it is close enough to be a misspelling.
std::string nearest(std::string_view word, std::span<const std::string> candidates);

/// "did you mean `x`?", or `otherwise` if nothing is near.
std::string did_you_mean(std::string_view word, std::span<const std::string> candidates,
                         std::string otherwise = {});

std::optional<Origin> origin_from(std::string_view text);
std::optional<Support> support_from(std::string_view text);

/// Words that a policy admits.
std::vector<std::string> admitted(std::string_view key);

/// Ranges and consistency, first broken rule: the key at fault and what is wrong.
struct Violation {
  std::string key, cause, remedy;
};
std::optional<Violation> find_violation(const Spec& spec);

}  // namespace wanren::chip
