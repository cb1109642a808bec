#include "chip/policies.h"

#include <vector>

namespace wanren::chip {

std::span<const Policy> policies() {
  static const std::vector<Policy> table = [] {
    std::vector<Policy> rows;
#define WR_POLICY_BEGIN(type, folder, section, member, range) \
  {                                                           \
    const auto as = Policy::Range::range;                     \
    const std::string_view key = #section "." #member;        \
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

}  // namespace wanren::chip
