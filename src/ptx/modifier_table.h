#pragma once
// The words that may follow a mnemonic, in groups, and the groups that each opcode takes.

#include <cstdint>
#include <span>
#include <string_view>

#include "ptx/module.h"

namespace wanren::ptx {

enum class Group : std::uint8_t {
  types,
  shape,
  space,
  second_space,  ///< No words: the opcode names two spaces.
  round,
  compare,
  bool_op,
  part,
  semantics,
  scope,
  cache,
  atom,
  shfl,
  vote,
  prmt,
  bar_word,
  shift,
  direction,
  test,
  l1,
  l2,
  l2_prefetch,
  level,
  variant,
  vector,
  count,
  fragment,
  layout,
  ftz,
  sat,
  approx,
  cc,
  uni,
  to,
  sync,
  aligned,
  trans,
  noftz,
  relu,
  satfinite,
  xorsign,
  abs,
  nan,
  shiftamt,
  all_any,
  popc,
  cache_hint,
  completion,
  multicast,
  dimensions,
  field,
  scale,
  plus_one,
  no_meaning,  ///< Words that change nothing here.
};

using GroupSet = std::uint64_t;
constexpr GroupSet bit(Group group) {
  return GroupSet{1} << static_cast<int>(group);
}

/// Words of bar and barrier, or'ed.
enum BarrierWord : int {
  bar_sync = 1,
  bar_arrive = 2,
  bar_red = 4,
  bar_popc = 8,
  bar_and = 16,
  bar_or = 32,
  bar_warp = 64,
  bar_cta = 128
};

struct Word {
  std::string_view text;
  Group group;
  int value = 0;  ///< The enumerator of the group's field.
};

std::span<const Word> modifier_words();
GroupSet groups_of(Opcode opcode);

}  // namespace wanren::ptx
