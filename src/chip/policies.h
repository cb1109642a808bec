#pragma once
// Policies that a chip file names by a word, from policies.def.

#include <cstdint>
#include <span>
#include <string_view>

namespace wanren::chip {

struct PolicyWord {
  std::string_view word, doc;
};
struct Policy {
  enum class Range : std::uint8_t { keep, vary, many } range;
  std::string_view key;  ///< "package.cta_schedule"
  std::span<const PolicyWord> words;
};
std::span<const Policy> policies();

}  // namespace wanren::chip
