#include "ptx/modifiers.h"

#include <array>
#include <charconv>
#include <span>
#include <unordered_map>
#include <vector>

#include "ptx/modifier_table.h"
#include "ptx/spelling.h"

namespace wanren::ptx {
namespace {

/// "m16n8k16" or "m8n8".
bool read_shape(std::string_view word, Modifiers& mods) {
  std::uint16_t shape[3] = {0, 0, 0};
  const char* at = word.data();
  const char* end = at + word.size();
  for (int i = 0; i < 3; ++i) {
    if (at == end) {
      if (i < 2) return false;
      break;
    }
    if (*at != "mnk"[i]) return false;
    const auto [rest, error] = std::from_chars(at + 1, end, shape[i]);
    if (error != std::errc{} || shape[i] == 0) return false;
    at = rest;
  }
  if (at != end) return false;
  mods.m = shape[0];
  mods.n = shape[1];
  mods.k = shape[2];
  return true;
}

template <class T>
ModifierReader::Outcome assign(T& field, T value) {
  if (field != T{}) return ModifierReader::Outcome::repeated;
  field = value;
  return ModifierReader::Outcome::taken;
}

}  // namespace

Type type_from(std::string_view word) {
  for (int i = 1; i <= static_cast<int>(Type::s16x2); ++i)
    if (name(static_cast<Type>(i)) == word) return static_cast<Type>(i);
  return Type::none;
}

OpcodeMatch match_opcode(std::string_view mnemonic, std::string_view second, std::string_view third,
                         std::string_view fourth) {
  static const auto table = [] {
    std::unordered_map<std::string_view, Opcode> map;
#define WR_OPCODE(id, text, flags, modifiers, cost) map.emplace(text, Opcode::id);
#include "ptx/opcodes.def"
#undef WR_OPCODE
    return map;
  }();
  OpcodeMatch best;
  std::string name;
  int words = 0;
  for (std::string_view word : {mnemonic, second, third, fourth}) {
    if (word.empty()) break;
    name += word;
    ++words;
    if (const auto found = table.find(name); found != table.end()) best = {found->second, words};
  }
  return best;
}

std::string nearest_opcode(std::string_view mnemonic) {
  static constexpr std::string_view names[] = {
#define WR_OPCODE(id, text, flags, modifiers, cost) text,
#include "ptx/opcodes.def"
#undef WR_OPCODE
  };
  return did_you_mean(mnemonic, names);
}

ModifierReader::Outcome ModifierReader::take(std::string_view word) {
  const GroupSet allowed = groups_of(opcode_);
  if (allowed & bit(Group::types)) {
    if (const Type type = type_from(word); type != Type::none) {
      if (type_count_ == 4) return Outcome::repeated;
      mods_.types[static_cast<std::size_t>(type_count_++)] = type;
      return Outcome::taken;
    }
  }
  if ((allowed & bit(Group::shape)) && word.starts_with('m') && read_shape(word, mods_))
    return Outcome::taken;
  for (const Word& row : modifier_words()) {
    if (row.text != word || !(allowed & bit(row.group))) continue;
    const auto v = row.value;
    switch (row.group) {
      case Group::types:
      case Group::shape: break;
      case Group::space:
        if (++space_count_ > 2) return Outcome::repeated;
        (space_count_ == 1 ? mods_.space : mods_.space2) = static_cast<Space>(v);
        return space_count_ == 2 && !(allowed & bit(Group::second_space)) ? Outcome::repeated
                                                                          : Outcome::taken;
      case Group::second_space: break;
      case Group::round: return assign(mods_.round, static_cast<Round>(v));
      case Group::compare: return assign(mods_.compare, static_cast<Compare>(v));
      case Group::bool_op: return assign(mods_.bool_op, static_cast<BoolOp>(v));
      case Group::part: return assign(mods_.part, static_cast<MulPart>(v));
      case Group::semantics: return assign(mods_.semantics, static_cast<Semantics>(v));
      case Group::scope: return assign(mods_.scope, static_cast<Scope>(v));
      case Group::cache: return assign(mods_.cache, static_cast<CacheOp>(v));
      case Group::atom: return assign(mods_.atom, static_cast<AtomOp>(v));
      case Group::shfl: return assign(mods_.shfl, static_cast<ShflMode>(v));
      case Group::vote: return assign(mods_.vote, static_cast<VoteMode>(v));
      case Group::prmt: return assign(mods_.prmt, static_cast<PrmtMode>(v));
      case Group::bar_word: barrier_words_ |= v; return Outcome::taken;
      case Group::shift: return assign(mods_.shift, static_cast<ShiftMode>(v));
      case Group::direction: return assign(mods_.direction, static_cast<ShiftMode>(v));
      case Group::test: return assign(mods_.test, static_cast<TestOp>(v));
      case Group::l1: return assign(mods_.l1_evict, static_cast<Evict>(v));
      case Group::l2: return assign(mods_.l2_evict, static_cast<Evict>(v));
      case Group::l2_prefetch: return assign(mods_.l2_prefetch, static_cast<std::uint16_t>(v));
      case Group::level: return assign(mods_.level, static_cast<std::uint8_t>(v));
      case Group::variant: return assign(mods_.variant, static_cast<Variant>(v));
      case Group::vector:
        if (mods_.vector != 1) return Outcome::repeated;
        mods_.vector = static_cast<std::uint8_t>(v);
        return Outcome::taken;
      case Group::count: return assign(mods_.matrix_count, static_cast<std::uint8_t>(v));
      case Group::fragment: return assign(mods_.fragment, static_cast<char>(v));
      case Group::layout:
        if (++layout_count_ > 2) return Outcome::repeated;
        (layout_count_ == 1 ? mods_.a_col : mods_.b_col) = v != 0;
        return Outcome::taken;
      case Group::ftz: mods_.ftz = true; return Outcome::taken;
      case Group::sat: mods_.sat = true; return Outcome::taken;
      case Group::approx:
        if (v)
          mods_.full = true;
        else
          mods_.approx = true;
        return Outcome::taken;
      case Group::cc: mods_.cc = true; return Outcome::taken;
      case Group::uni: mods_.uni = true; return Outcome::taken;
      case Group::to: mods_.to = true; return Outcome::taken;
      case Group::sync: mods_.sync = true; return Outcome::taken;
      case Group::aligned: mods_.aligned = true; return Outcome::taken;
      case Group::trans: mods_.trans = true; return Outcome::taken;
      case Group::noftz: mods_.noftz = true; return Outcome::taken;
      case Group::relu: mods_.relu = true; return Outcome::taken;
      case Group::satfinite: mods_.satfinite = true; return Outcome::taken;
      case Group::xorsign: mods_.xorsign = true; return Outcome::taken;
      case Group::abs: mods_.abs_ = true; return Outcome::taken;
      case Group::nan: mods_.nan_ = true; return Outcome::taken;
      case Group::shiftamt: mods_.shiftamt = true; return Outcome::taken;
      case Group::all_any:
        if (v)
          mods_.any_ = true;
        else
          mods_.all_ = true;
        return Outcome::taken;
      case Group::popc: mods_.popc = true; return Outcome::taken;
      case Group::cache_hint: mods_.cache_hint = true; return Outcome::taken;
      case Group::completion: return assign(mods_.completion, static_cast<Completion>(v));
      case Group::multicast: mods_.multicast = true; return Outcome::taken;
      case Group::dimensions: return assign(mods_.dimensions, static_cast<std::uint8_t>(v));
      case Group::field: return assign(mods_.field, static_cast<TensorField>(v));
      case Group::scale: return assign(mods_.scale, static_cast<std::uint8_t>(v));
      case Group::plus_one: mods_.plus_one = true; return Outcome::taken;
      case Group::no_meaning: return Outcome::taken;
    }
  }
  return Outcome::unknown;
}

bool ModifierReader::finish() {
  if (!(groups_of(opcode_) & bit(Group::bar_word))) return true;
  switch (barrier_words_ & ~bar_cta) {
    case bar_sync: mods_.barrier = Barrier::sync; return true;
    case bar_arrive: mods_.barrier = Barrier::arrive; return true;
    case bar_red | bar_popc: mods_.barrier = Barrier::red_popc; return true;
    case bar_red | bar_and: mods_.barrier = Barrier::red_and; return true;
    case bar_red | bar_or: mods_.barrier = Barrier::red_or; return true;
    case bar_warp | bar_sync: mods_.barrier = Barrier::warp_sync; return true;
  }
  return false;
}

std::string ModifierReader::nearest(std::string_view word) const {
  const GroupSet allowed = groups_of(opcode_);
  std::vector<std::string> dotted;
  for (const Word& row : modifier_words())
    if (allowed & bit(row.group)) dotted.push_back("." + std::string(row.text));
  if (allowed & bit(Group::types))
    for (int i = 1; i <= static_cast<int>(Type::s16x2); ++i)
      dotted.push_back("." + std::string(name(static_cast<Type>(i))));
  const std::vector<std::string_view> views(dotted.begin(), dotted.end());
  return did_you_mean("." + std::string(word), views);
}

}  // namespace wanren::ptx
