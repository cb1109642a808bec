#pragma once
// What a chip file's words stand for: an object each, in policies/FOLDER/WORD.cpp. The rows of
// chip/policies.def, from which chip files are checked, are the declarations here. Objects are constant; what
// a policy remembers is in the state of the component that asks it.

#include "chip/spec.h"

namespace wanren::timing {

#define WR_POLICY_BEGIN(type, folder, section, member, range) \
  struct type;                                                \
  namespace folder {                                          \
  using Policy = type;
#define WR_POLICY(word, doc) const Policy& word();
#define WR_POLICY_END(type) }
#include "chip/policies.def"
#undef WR_POLICY_BEGIN
#undef WR_POLICY
#undef WR_POLICY_END

/// What the chip does, for example policy<Topology>(chip).
template <class P>
const P& policy(const chip::Spec& chip);
#define WR_POLICY_BEGIN(type, folder, section, member, range) \
  template <>                                                 \
  const type& policy<type>(const chip::Spec& chip);
#define WR_POLICY(word, doc)
#define WR_POLICY_END(type)
#include "chip/policies.def"
#undef WR_POLICY_BEGIN
#undef WR_POLICY
#undef WR_POLICY_END

}  // namespace wanren::timing
