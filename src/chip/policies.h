#pragma once
// Policies that a chip file names by a word: an enumeration for each, from policies.def.

#include <cstdint>
#include <span>
#include <string_view>

#include "chip/spec.h"

namespace wanren::chip {

#define WR_POLICY_BEGIN(type, section, member, range) enum class type : std::uint8_t {
#define WR_POLICY(word, doc) word,
#define WR_POLICY_END(type) \
  }                         \
  ;
#include "chip/policies.def"
#undef WR_POLICY_BEGIN
#undef WR_POLICY
#undef WR_POLICY_END

struct PolicyWord {
  std::string_view word, doc;
};
struct Policy {
  enum class Range : std::uint8_t { keep, vary, many } range;
  std::string_view key;  ///< "package.cta_schedule"
  std::span<const PolicyWord> words;
};
std::span<const Policy> policies();

/// Place of a word in its policy's list; the spec was checked.
std::size_t policy_index(std::string_view key, std::string_view word);

/// What a chip does, for example policy<CtaSchedule>(spec).
template <class P>
P policy(const Spec& spec);
#define WR_POLICY_BEGIN(type, section, member, range)                                  \
  template <>                                                                          \
  inline type policy<type>(const Spec& spec) {                                         \
    return static_cast<type>(policy_index(#section "." #member, spec.section.member)); \
  }
#define WR_POLICY(word, doc)
#define WR_POLICY_END(type)
#include "chip/policies.def"
#undef WR_POLICY_BEGIN
#undef WR_POLICY
#undef WR_POLICY_END

}  // namespace wanren::chip
