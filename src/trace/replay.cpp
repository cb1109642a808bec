#include "trace/replay.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>

#include "simt/opcode_traits.h"
#include "trace/trace.h"

namespace wanren::trace {
namespace {

constexpr std::uint8_t bit(Space space) {
  return static_cast<std::uint8_t>(1u << static_cast<unsigned>(space));
}

/// Records of a generic access say where it went, of others the space that the text names; `none`: no access.
std::uint8_t spaces_of(const simt::Inst& inst) {
  // The record of cp.async is its read of global memory.
  if (inst.op == ptx::Opcode::cp_async) return bit(Space::global) | bit(Space::none);
  switch (inst.space()) {
    case ptx::Space::global: return bit(Space::global) | bit(Space::none);
    case ptx::Space::shared: return bit(Space::shared) | bit(Space::none);
    case ptx::Space::local: return bit(Space::local) | bit(Space::none);
    case ptx::Space::constant: return bit(Space::constant) | bit(Space::global) | bit(Space::none);
    default: return 0xff;
  }
}

/// Words of the record that begins so; 0: none does.
std::size_t words_of(Kind kind, std::uint64_t base) {
  switch (kind) {
    case Kind::phase:
      return (base & 0xff) <= static_cast<std::uint64_t>(PhaseOp::copy_arrive_in) ? 2 + (base >> 8 & 0xff)
                                                                                  : 0;
    case Kind::bulk:
      return (base & 0xff) <= static_cast<std::uint64_t>(BulkOp::within_shared)
                 ? 2 + (base >> 8 & 0xff) * bulk_entry_words
                 : 0;
    case Kind::scaled: return 3;
    case Kind::gather: return 2 + warp_size;
    case Kind::gather32: return 2 + warp_size / 2;
    case Kind::affine:
    case Kind::barrier:
    case Kind::group: return 2;
  }
  return 0;
}

/// Its own kind for instructions whose records are no accesses.
Kind kind_of(const simt::Inst& inst) {
  if (inst.op == ptx::Opcode::bar || inst.op == ptx::Opcode::barrier || simt::concerns_cluster(inst.op))
    return Kind::barrier;
  if (simt::concerns_phases(inst.op)) return Kind::phase;
  if (simt::copies_bulk(inst.op)) return Kind::bulk;
  return simt::concerns_groups(inst.op) ? Kind::group : Kind::affine;
}

bool is_access(Kind kind) {
  return kind != Kind::barrier && kind != Kind::phase && kind != Kind::group && kind != Kind::bulk;
}

bool leads_to(const simt::Block& from, simt::BlockId to) {
  return std::find(from.term.targets.begin(), from.term.targets.end(), to) != from.term.targets.end();
}

}  // namespace

Replay::Replay(const simt::Kernel& kernel, std::span<const simt::LanePattern> patterns)
    : kernel_(kernel), patterns_(patterns.size()), slots_(kernel.blocks.size()) {
  for (const simt::Block& block : kernel.blocks) {
    slots_[block.id].resize(block.slots);
    for (const simt::Inst& inst : block.insts)
      if (inst.slot < block.slots) slots_[block.id][inst.slot] = {kind_of(inst), spaces_of(inst)};
  }
}

bool Replay::has_left(const ReplayedWarp::Lanes& call) const {
  return std::all_of(call.begin(), call.end(), [&](const auto& entry) {
    return kernel_.blocks[entry.first].term.kind == simt::Terminator::Kind::exit;
  });
}

bool Replay::calls(simt::BlockId from, simt::BlockId entry) const {
  const simt::Block& block = kernel_.blocks[from];
  if (block.suspend != simt::Suspend::call) return false;
  const auto& callees = block.insts.back().callees;
  return std::any_of(callees.begin(), callees.end(),
                     [&](simt::FunctionId callee) { return kernel_.functions[callee].first_block == entry; });
}

std::string Replay::enter(ReplayedWarp& warp, simt::BlockId block, LaneMask mask) const {
  if (mask == 0) return fmt::format("block {} runs without a lane", block);
  if (warp.calls.empty()) {
    if (block != 0) return fmt::format("the warp begins in block {}", block);
    warp.calls = {{{0, mask}}};
    return {};
  }
  while (warp.calls.size() > 1 && has_left(warp.calls.back())) warp.calls.pop_back();
  ReplayedWarp::Lanes& at = warp.calls.back();
  for (const auto& [from, lanes] : at)
    if ((lanes & mask) == mask && calls(from, block)) {
      warp.calls.push_back({{block, mask}});
      return {};
    }
  LaneMask coming = mask;
  for (auto& [from, lanes] : at) {
    const LaneMask moves = lanes & coming;
    if (moves == 0) continue;
    if (!leads_to(kernel_.blocks[from], block))
      return fmt::format("lanes {:08x} go from block {} to {}, where no edge leads", moves, from, block);
    lanes &= ~moves;
    coming &= ~moves;
  }
  if (coming != 0) return fmt::format("lanes {:08x} run block {} but never began", coming, block);
  std::erase_if(at, [](const auto& entry) { return entry.second == 0; });
  const auto here = std::find_if(at.begin(), at.end(), [&](const auto& e) { return e.first == block; });
  if (here == at.end())
    at.emplace_back(block, mask);
  else
    here->second |= mask;
  return {};
}

std::string Replay::records(simt::BlockId block, LaneMask mask, std::span<const std::uint64_t>& words) const {
  for (std::size_t slot = 0; slot < slots_[block].size(); ++slot) {
    const Slot& expected = slots_[block][slot];
    const auto broken = [&](std::string_view what) {
      return fmt::format("block {} slot {}: {}", block, slot, what);
    };
    if (words.size() < 2) return broken("no record");
    const auto kind = static_cast<Kind>(words[1] >> 48 & 0xff);
    const std::size_t length = words_of(kind, words[0]);
    if (length == 0 || static_cast<Space>(words[1] >> 56) > Space::cluster)
      return broken("no record has this head");
    if (words.size() < length) return broken("record cut short");
    Record record;
    read_record(words.data(), record);
    words = words.subspan(length);
    if ((record.mask & ~mask) != 0)
      return broken(fmt::format("lanes {:08x} of a block that runs {:08x}", record.mask, mask));
    if (is_access(kind) != is_access(expected.kind) || (!is_access(kind) && kind != expected.kind))
      return broken("a record and an instruction of different kinds do not match");
    if (!is_access(kind)) continue;
    if ((expected.spaces & bit(record.space)) == 0) return broken("another space than the instruction's");
    if (record.pattern >= patterns_ || record.scaled >= patterns_) return broken("no such pattern");
  }
  return {};
}

std::string Replay::run(ReplayedWarp& warp, std::span<const std::uint64_t> words, bool exited,
                        std::vector<simt::BlockCount>& counts) const {
  counts.resize(kernel_.blocks.size());
  while (!words.empty()) {
    const auto block = static_cast<simt::BlockId>(words[0]);
    const auto mask = static_cast<LaneMask>(words[0] >> 32);
    words = words.subspan(1);
    if (block >= kernel_.blocks.size()) return fmt::format("no block {}", block);
    if (std::string broken = enter(warp, block, mask); !broken.empty()) return broken;
    if (std::string broken = records(block, mask, words); !broken.empty()) return broken;
    ++counts[block].warps;
    counts[block].threads += static_cast<std::uint64_t>(std::popcount(mask));
  }
  if (!exited) return {};
  std::size_t open = warp.calls.size();
  while (open > 1 && has_left(warp.calls[open - 1])) --open;
  if (open == 0) return {};
  for (const auto& [block, lanes] : warp.calls[open - 1]) {
    using Kind = simt::Terminator::Kind;
    const Kind kind = kernel_.blocks[block].term.kind;
    if (kind != Kind::exit && kind != Kind::trap)
      return fmt::format("lanes {:08x} exit in block {}, which leads on", lanes, block);
  }
  return {};
}

std::string compare_counts(const simt::Kernel& kernel, std::span<const simt::BlockCount> replayed,
                           std::span<const simt::BlockCount> executed) {
  for (std::size_t b = 0; b < kernel.blocks.size(); ++b) {
    const simt::BlockCount a = b < replayed.size() ? replayed[b] : simt::BlockCount{};
    const simt::BlockCount e = b < executed.size() ? executed[b] : simt::BlockCount{};
    if (a.warps != e.warps || a.threads != e.threads)
      return fmt::format("block {}: traced {} warps and {} threads, executed {} and {}", b, a.warps,
                         a.threads, e.warps, e.threads);
  }
  return {};
}

}  // namespace wanren::trace
