#include <fmt/format.h>

#include "ptx/modifier_table.h"
#include "ptx/modifiers.h"

namespace wanren::ptx {
namespace {

class Writer {
 public:
  Writer(Opcode opcode, const Modifiers& mods) : opcode_(opcode), mods_(mods) {}

  std::string run() {
    if (is_video(opcode_)) return video();
    const bool wmma = opcode_ == Opcode::wmma_load || opcode_ == Opcode::wmma_store;
    if (mods_.fragment) add(std::string(1, mods_.fragment));
    if (opcode_ == Opcode::fence &&
        (mods_.variant == Variant::proxy_async || mods_.variant == Variant::proxy_alias ||
         mods_.variant == Variant::tensormap || mods_.variant == Variant::proxy_tensormap))
      add("proxy");
    word(Group::field, static_cast<int>(mods_.field));
    // The level of prefetch stands after the space, the variant of the others before all else.
    if (opcode_ != Opcode::prefetch) word(Group::variant, static_cast<int>(mods_.variant));
    word(Group::dimensions, mods_.dimensions);
    barrier();
    flag(mods_.uni, "uni");
    flag(mods_.to, "to");
    word(Group::direction, static_cast<int>(mods_.direction));
    if (opcode_ == Opcode::setmaxnreg) word(Group::atom, static_cast<int>(mods_.atom));
    flag(mods_.all_, "all");
    flag(mods_.any_, "any");
    const bool cluster = opcode_ == Opcode::barrier_cluster_arrive || opcode_ == Opcode::barrier_cluster_wait;
    if (cluster) word(Group::semantics, static_cast<int>(mods_.semantics));
    flag(mods_.sync, "sync");
    flag(mods_.aligned, "aligned");
    if (wmma) layout(mods_.a_col);
    if (opcode_ == Opcode::wmma_mma) layouts();
    if (mods_.m)
      add(mods_.k ? fmt::format("m{}n{}k{}", mods_.m, mods_.n, mods_.k)
                  : fmt::format("m{}n{}", mods_.m, mods_.n));
    if (opcode_ == Opcode::mma) layouts();
    if (mods_.matrix_count) add(fmt::format("x{}", mods_.matrix_count));
    flag(mods_.trans, "trans");
    if (!cluster) word(Group::semantics, static_cast<int>(mods_.semantics));
    word(Group::scope, static_cast<int>(mods_.scope));
    if (opcode_ == Opcode::cp_async) cache();
    word(Group::space, static_cast<int>(mods_.space));
    word(Group::space, static_cast<int>(mods_.space2));
    if (opcode_ == Opcode::prefetch) word(Group::variant, static_cast<int>(mods_.variant));
    word(Group::completion, static_cast<int>(mods_.completion));
    flag(mods_.multicast, "multicast::cluster");
    if (mods_.level) add(fmt::format("L{}", mods_.level));
    if (opcode_ != Opcode::cp_async) cache();
    word(Group::l1, static_cast<int>(mods_.l1_evict));
    word(Group::l2, static_cast<int>(mods_.l2_evict));
    flag(mods_.cache_hint, "L2::cache_hint");
    word(Group::l2_prefetch, mods_.l2_prefetch);
    if (opcode_ != Opcode::setmaxnreg && opcode_ != Opcode::redux)
      word(Group::atom, static_cast<int>(mods_.atom));
    if (opcode_ == Opcode::redux) word(Group::atom, static_cast<int>(mods_.atom));
    flag(mods_.noftz, "noftz");
    word(Group::shfl, static_cast<int>(mods_.shfl));
    word(Group::vote, static_cast<int>(mods_.vote));
    word(Group::test, static_cast<int>(mods_.test));
    word(Group::compare, static_cast<int>(mods_.compare));
    const bool product =
        opcode_ == Opcode::mma || opcode_ == Opcode::wmma_mma || opcode_ == Opcode::wgmma_mma_async;
    if (!product) bool_op();
    word(Group::part, static_cast<int>(mods_.part));
    word(Group::shift, static_cast<int>(mods_.shift));
    flag(mods_.approx, "approx");
    flag(mods_.full, "full");
    word(Group::round, static_cast<int>(mods_.round));
    flag(mods_.ftz, "ftz");
    flag(mods_.sat, "sat");
    flag(mods_.cc, "cc");
    flag(mods_.nan_ && opcode_ != Opcode::redux, "NaN");
    flag(mods_.xorsign, "xorsign");
    flag(mods_.abs_, "abs");
    flag(mods_.nan_ && opcode_ == Opcode::redux, "NaN");
    if (opcode_ != Opcode::wmma_mma) flag(mods_.satfinite, "satfinite");
    flag(mods_.relu, "relu");
    flag(mods_.shiftamt, "shiftamt");
    if (mods_.vector != 1) add(fmt::format("v{}", mods_.vector));
    for (Type type : mods_.types)
      if (type != Type::none) add(name(type));
    if (opcode_ == Opcode::wmma_mma) flag(mods_.satfinite, "satfinite");
    if (product) {
      bool_op();
      flag(mods_.popc, "popc");
    }
    // prmt alone has its mode after the type.
    word(Group::prmt, static_cast<int>(mods_.prmt));
    return std::move(text_);
  }

 private:
  // Types first, as nowhere else.
  std::string video() {
    for (Type type : mods_.types)
      if (type != Type::none) add(name(type));
    word(Group::compare, static_cast<int>(mods_.compare));
    flag(mods_.plus_one, "po");
    flag(mods_.sat, "sat");
    word(Group::scale, mods_.scale);
    word(Group::shift, static_cast<int>(mods_.shift));
    word(Group::atom, static_cast<int>(mods_.atom));
    return std::move(text_);
  }
  void add(std::string_view word) {
    text_ += '.';
    text_ += word;
  }
  void flag(bool on, std::string_view word) {
    if (on) add(word);
  }
  void word(Group group, int value) {
    if (value == 0) return;
    for (const Word& row : modifier_words())
      if (row.group == group && row.value == value) {
        add(opcode_ == Opcode::membar && row.text == "gpu" ? "gl" : row.text);
        return;
      }
  }
  void cache() { word(Group::cache, static_cast<int>(mods_.cache)); }
  void bool_op() { word(Group::bool_op, static_cast<int>(mods_.bool_op)); }
  void layout(bool col) { add(col ? "col" : "row"); }
  void layouts() {
    layout(mods_.a_col);
    layout(mods_.b_col);
  }
  void barrier() {
    switch (mods_.barrier) {
      case Barrier::none: return;
      case Barrier::sync: return add("sync");
      case Barrier::arrive: return add("arrive");
      case Barrier::red_popc: return add("red.popc");
      case Barrier::red_and: return add("red.and");
      case Barrier::red_or: return add("red.or");
      case Barrier::warp_sync: return add("warp.sync");
    }
  }

  Opcode opcode_;
  const Modifiers& mods_;
  std::string text_;
};

}  // namespace

std::string print_modifiers(Opcode opcode, const Modifiers& mods) {
  return Writer(opcode, mods).run();
}

}  // namespace wanren::ptx
