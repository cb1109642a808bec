#include "chip/policies.h"

#include <algorithm>
#include <vector>

#include "support/result.h"

namespace wanren::chip {

std::span<const Policy> policies() {
  static const std::vector<Policy> table = [] {
    std::vector<Policy> rows;
#define WR_POLICY_BEGIN(type, section, member, range)  \
  {                                                    \
    const auto as = Policy::Range::range;              \
    const std::string_view key = #section "." #member; \
    static constexpr PolicyWord words[] = {
#define WR_POLICY(word, doc) {#word, doc},
#define WR_POLICY_END(type)         \
  }                                 \
  ;                                 \
  rows.push_back({as, key, words}); \
  }
#include "chip/policies.def"
#undef WR_POLICY_BEGIN
#undef WR_POLICY
#undef WR_POLICY_END
    return rows;
  }();
  return table;
}

std::size_t policy_index(std::string_view key, std::string_view word) {
  for (const Policy& p : policies())
    if (p.key == key)
      for (std::size_t i = 0; i < p.words.size(); ++i)
        if (p.words[i].word == word) return i;
  WR_CHECK(word.empty());  // specs that tests make by hand leave a policy at its first word
  return 0;
}

}  // namespace wanren::chip
