#include "timing/policies/policies.h"

#include <string_view>

#include "support/result.h"

namespace wanren::timing {
namespace {

template <class P>
struct Row {
  std::string_view word;
  const P& (*object)();
};

/// The spec was checked; those that tests make by hand leave a policy at its first word.
template <class P, std::size_t n>
const P& chosen(const Row<P> (&rows)[n], std::string_view word) {
  for (const Row<P>& row : rows)
    if (row.word == word) return row.object();
  WR_CHECK(word.empty());
  return rows[0].object();
}

}  // namespace

#define WR_POLICY_BEGIN(type, folder, section, member, range) \
  template <>                                                 \
  const type& policy<type>(const chip::Spec& chip) {          \
    using namespace folder;                                   \
    const std::string_view chip_says = chip.section.member;   \
    static constexpr Row<type> rows[] = {
#define WR_POLICY(word, doc) {#word, word},
#define WR_POLICY_END(type)       \
  }                               \
  ;                               \
  return chosen(rows, chip_says); \
  }
#include "chip/policies.def"
#undef WR_POLICY_BEGIN
#undef WR_POLICY
#undef WR_POLICY_END

}  // namespace wanren::timing
