#include "ptx/modifier_table.h"

#include <initializer_list>

namespace wanren::ptx {
namespace {

template <class Enum>
constexpr int v(Enum value) {
  return static_cast<int>(value);
}

// A word may stand in several groups; an opcode takes at most one of them.
constexpr Word words[] = {
    {"const", Group::space, v(Space::constant)},
    {"global", Group::space, v(Space::global)},
    {"local", Group::space, v(Space::local)},
    {"param", Group::space, v(Space::param)},
    {"param::entry", Group::space, v(Space::param)},
    {"param::func", Group::space, v(Space::param)},
    {"shared", Group::space, v(Space::shared)},
    {"shared::cta", Group::space, v(Space::shared)},
    {"shared::cluster", Group::space, v(Space::shared_cluster)},
    {"rn", Group::round, v(Round::rn)},
    {"rz", Group::round, v(Round::rz)},
    {"rm", Group::round, v(Round::rm)},
    {"rp", Group::round, v(Round::rp)},
    {"rna", Group::round, v(Round::rna)},
    {"rni", Group::round, v(Round::rni)},
    {"rzi", Group::round, v(Round::rzi)},
    {"rmi", Group::round, v(Round::rmi)},
    {"rpi", Group::round, v(Round::rpi)},
    {"eq", Group::compare, v(Compare::eq)},
    {"ne", Group::compare, v(Compare::ne)},
    {"lt", Group::compare, v(Compare::lt)},
    {"le", Group::compare, v(Compare::le)},
    {"gt", Group::compare, v(Compare::gt)},
    {"ge", Group::compare, v(Compare::ge)},
    {"lo", Group::compare, v(Compare::lo)},
    {"ls", Group::compare, v(Compare::ls)},
    {"hi", Group::compare, v(Compare::hi)},
    {"hs", Group::compare, v(Compare::hs)},
    {"equ", Group::compare, v(Compare::equ)},
    {"neu", Group::compare, v(Compare::neu)},
    {"ltu", Group::compare, v(Compare::ltu)},
    {"leu", Group::compare, v(Compare::leu)},
    {"gtu", Group::compare, v(Compare::gtu)},
    {"geu", Group::compare, v(Compare::geu)},
    {"num", Group::compare, v(Compare::num)},
    {"nan", Group::compare, v(Compare::nan)},
    {"and", Group::bool_op, v(BoolOp::and_)},
    {"or", Group::bool_op, v(BoolOp::or_)},
    {"xor", Group::bool_op, v(BoolOp::xor_)},
    {"lo", Group::part, v(MulPart::lo)},
    {"hi", Group::part, v(MulPart::hi)},
    {"wide", Group::part, v(MulPart::wide)},
    {"weak", Group::semantics, v(Semantics::weak)},
    {"relaxed", Group::semantics, v(Semantics::relaxed)},
    {"acquire", Group::semantics, v(Semantics::acquire)},
    {"release", Group::semantics, v(Semantics::release)},
    {"acq_rel", Group::semantics, v(Semantics::acq_rel)},
    {"sc", Group::semantics, v(Semantics::sc)},
    {"volatile", Group::semantics, v(Semantics::volatile_)},
    {"mmio", Group::semantics, v(Semantics::mmio)},
    {"cta", Group::scope, v(Scope::cta)},
    {"cluster", Group::scope, v(Scope::cluster)},
    {"gpu", Group::scope, v(Scope::gpu)},
    {"sys", Group::scope, v(Scope::sys)},
    {"gl", Group::scope, v(Scope::gpu)},
    {"ca", Group::cache, v(CacheOp::ca)},
    {"cg", Group::cache, v(CacheOp::cg)},
    {"cs", Group::cache, v(CacheOp::cs)},
    {"lu", Group::cache, v(CacheOp::lu)},
    {"cv", Group::cache, v(CacheOp::cv)},
    {"wb", Group::cache, v(CacheOp::wb)},
    {"wt", Group::cache, v(CacheOp::wt)},
    {"nc", Group::cache, v(CacheOp::nc)},
    {"and", Group::atom, v(AtomOp::and_)},
    {"or", Group::atom, v(AtomOp::or_)},
    {"xor", Group::atom, v(AtomOp::xor_)},
    {"cas", Group::atom, v(AtomOp::cas)},
    {"exch", Group::atom, v(AtomOp::exch)},
    {"add", Group::atom, v(AtomOp::add)},
    {"inc", Group::atom, v(AtomOp::inc)},
    {"dec", Group::atom, v(AtomOp::dec)},
    {"min", Group::atom, v(AtomOp::min)},
    {"max", Group::atom, v(AtomOp::max)},
    {"up", Group::shfl, v(ShflMode::up)},
    {"down", Group::shfl, v(ShflMode::down)},
    {"bfly", Group::shfl, v(ShflMode::bfly)},
    {"idx", Group::shfl, v(ShflMode::idx)},
    {"all", Group::vote, v(VoteMode::all)},
    {"any", Group::vote, v(VoteMode::any)},
    {"uni", Group::vote, v(VoteMode::uni)},
    {"ballot", Group::vote, v(VoteMode::ballot)},
    {"f4e", Group::prmt, v(PrmtMode::f4e)},
    {"b4e", Group::prmt, v(PrmtMode::b4e)},
    {"rc8", Group::prmt, v(PrmtMode::rc8)},
    {"ecl", Group::prmt, v(PrmtMode::ecl)},
    {"ecr", Group::prmt, v(PrmtMode::ecr)},
    {"rc16", Group::prmt, v(PrmtMode::rc16)},
    {"sync", Group::bar_word, bar_sync},
    {"arrive", Group::bar_word, bar_arrive},
    {"red", Group::bar_word, bar_red},
    {"popc", Group::bar_word, bar_popc},
    {"and", Group::bar_word, bar_and},
    {"or", Group::bar_word, bar_or},
    {"warp", Group::bar_word, bar_warp},
    {"cta", Group::bar_word, bar_cta},
    {"clamp", Group::shift, v(ShiftMode::clamp)},
    {"wrap", Group::shift, v(ShiftMode::wrap)},
    {"l", Group::direction, v(ShiftMode::left)},
    {"r", Group::direction, v(ShiftMode::right)},
    {"finite", Group::test, v(TestOp::finite)},
    {"infinite", Group::test, v(TestOp::infinite)},
    {"number", Group::test, v(TestOp::number)},
    {"notanumber", Group::test, v(TestOp::notanumber)},
    {"normal", Group::test, v(TestOp::normal)},
    {"subnormal", Group::test, v(TestOp::subnormal)},
    {"L1::evict_normal", Group::l1, v(Evict::normal)},
    {"L1::evict_first", Group::l1, v(Evict::first)},
    {"L1::evict_last", Group::l1, v(Evict::last)},
    {"L1::evict_unchanged", Group::l1, v(Evict::unchanged)},
    {"L1::no_allocate", Group::l1, v(Evict::no_allocate)},
    {"L2::evict_normal", Group::l2, v(Evict::normal)},
    {"L2::evict_first", Group::l2, v(Evict::first)},
    {"L2::evict_last", Group::l2, v(Evict::last)},
    {"L2::64B", Group::l2_prefetch, 64},
    {"L2::128B", Group::l2_prefetch, 128},
    {"L2::256B", Group::l2_prefetch, 256},
    {"L1", Group::level, 1},
    {"L2", Group::level, 2},
    {"launch_dependents", Group::variant, v(Variant::launch_dependents)},
    {"wait", Group::variant, v(Variant::wait)},
    {"fractional", Group::variant, v(Variant::fractional)},
    {"range", Group::variant, v(Variant::range)},
    {"cvt", Group::variant, v(Variant::cvt)},
    {"mbarrier_init", Group::variant, v(Variant::mbarrier_init)},
    {"tensormap", Group::variant, v(Variant::tensormap)},
    {"mask", Group::variant, v(Variant::mask)},
    {"idx", Group::variant, v(Variant::idx)},
    {"async", Group::variant, v(Variant::proxy_async)},
    {"alias", Group::variant, v(Variant::proxy_alias)},
    {"expect_tx", Group::variant, v(Variant::expect_tx)},
    {"noComplete", Group::variant, v(Variant::no_complete)},
    {"parity", Group::variant, v(Variant::parity)},
    {"noinc", Group::variant, v(Variant::noinc)},
    {"tensor", Group::variant, v(Variant::tensor)},
    {"im2col", Group::variant, v(Variant::im2col)},
    {"read", Group::variant, v(Variant::read)},
    {"v2", Group::vector, 2},
    {"v4", Group::vector, 4},
    {"v8", Group::vector, 8},
    {"x1", Group::count, 1},
    {"x2", Group::count, 2},
    {"x4", Group::count, 4},
    {"a", Group::fragment, 'a'},
    {"b", Group::fragment, 'b'},
    {"c", Group::fragment, 'c'},
    {"d", Group::fragment, 'd'},
    {"row", Group::layout, 0},
    {"col", Group::layout, 1},
    {"approx", Group::approx, 0},
    {"full", Group::approx, 1},
    {"all", Group::all_any, 0},
    {"any", Group::all_any, 1},
    {"ftz", Group::ftz},
    {"sat", Group::sat},
    {"cc", Group::cc},
    {"uni", Group::uni},
    {"to", Group::to},
    {"sync", Group::sync},
    {"aligned", Group::aligned},
    {"trans", Group::trans},
    {"noftz", Group::noftz},
    {"relu", Group::relu},
    {"satfinite", Group::satfinite},
    {"abs", Group::abs},
    {"shiftamt", Group::shiftamt},
    {"popc", Group::popc},
    {"xorsign", Group::xorsign},
    {"NaN", Group::nan},
    {"L2::cache_hint", Group::cache_hint},
    {"mbarrier::complete_tx::bytes", Group::completion, v(Completion::mbarrier)},
    {"bulk_group", Group::completion, v(Completion::group)},
    {"multicast::cluster", Group::multicast},
    {"1d", Group::dimensions, 1},
    {"2d", Group::dimensions, 2},
    {"3d", Group::dimensions, 3},
    {"4d", Group::dimensions, 4},
    {"5d", Group::dimensions, 5},
    {"proxy", Group::no_meaning},
    {"tile", Group::no_meaning},
};

constexpr GroupSet set(std::initializer_list<Group> groups) {
  GroupSet all = 0;
  for (Group group : groups) all |= bit(group);
  return all;
}

using enum Group;
constexpr GroupSet typed = set({types});
constexpr GroupSet warp_wide = set({sync, aligned});
constexpr GroupSet hints = set({l1, l2, l2_prefetch, cache_hint});
constexpr GroupSet phase_words = set({types, space, semantics, scope, variant});
constexpr GroupSet bulk = set({space, second_space, completion, multicast, cache_hint, no_meaning});
constexpr GroupSet arithmetic = set({types, round, ftz, sat});
constexpr GroupSet atomic =
    set({types, space, semantics, scope, Group::atom, noftz, Group::vector, l2, cache_hint});

}  // namespace

std::span<const Word> modifier_words() {
  return words;
}

GroupSet groups_of(Opcode opcode) {
  static constexpr GroupSet table[] = {
#define WR_OPCODE(id, text, flags, modifiers, cost) modifiers,
#include "ptx/opcodes.def"
#undef WR_OPCODE
  };
  return table[static_cast<std::size_t>(opcode)];
}

}  // namespace wanren::ptx
