// What sub-cores and load/store say to each other.

#include <bit>

#include "timing/local_frames.h"
#include "timing/unit.h"

namespace wanren::timing {
namespace {

using lower::Memory;

/// Line numbers that no device address has, beside those of local frames.
constexpr std::uint32_t parameter_lines = 0xf0000000u;

}  // namespace

void Unit::issue_memory(int s, int w, Cycle now, const DecodedInst& inst) {
  SubCore& sub = subs_[s];
  Warp& warp = sub.warp(w);
  const Grid& grid = grid_of(warp);
  UnitCounters& c = counters_[grid.slot];
  trace::Record record{};
  record.space = trace::Space::local;
  record.mask = warp.mask;
  if (inst.slot != simt::no_slot) trace::read_record(warp.block_words + sub.records(w)[inst.slot], record);
  if (record.mask == 0 || record.space == trace::Space::none) return;
  // Another CTA's shared memory: its banks stand for those of the unit that has it.
  const bool remote = record.space == trace::Space::cluster;
  if (remote) record.space = trace::Space::shared;

  MemoryAccess& a = workspace_->access;
  a.grid = grid.slot;
  a.profile = profile_of(c, warp, false);
  a.subcore = static_cast<std::uint16_t>(s);
  a.access = access_of(inst.memory);
  a.shared = record.space == trace::Space::shared;
  a.remote = remote;
  a.bypass_l1 = inst.bypass_l1;
  a.spill = inst.spill;
  const bool atomic = a.access == Access::atomic || a.access == Access::reduction;
  if (record.space == trace::Space::local)
    local_footprint(record, inst, *grid.program, grid.patterns,
                    (number_ * p_.subcores + s) * p_.warps_per_subcore + w, p_, workspace_->local);
  const Use use = atomic ? Use::atomic : a.shared && a.access == Access::read ? Use::shared_load : Use::plain;
  const Footprint& f =
      record.space == trace::Space::local
          ? workspace_->local
          : workspace_->coalescer(record, inst.bytes, grid.patterns, grid.strides, grid.serial, use);
  a.same = f.same;
  a.cost = f.wavefronts * p_.wavefront;
  if (a.shared) {
    a.lines = 0;
    ++c.shared_accesses;
    c.shared_wavefronts += static_cast<std::uint64_t>(f.wavefronts);
    if (a.profile) a.profile->shared_wavefronts += static_cast<std::uint64_t>(f.wavefronts);
    c.shared_bytes += static_cast<std::uint64_t>(std::popcount(record.mask)) * inst.bytes;
    if (atomic) a.cost += (f.same - 1) * p_.shared_atomic;
  } else {
    const std::uint32_t base = f.base_line + (record.space == trace::Space::param ? parameter_lines : 0);
    a.lines = f.lines;
    for (int i = 0; i < f.lines; ++i) {
      a.line[i] = f.line[i] + base;
      a.sectors[i] = f.sectors[i];
    }
    ++c.l1_accesses;
    if (a.profile)
      for (int i = 0; i < f.lines; ++i)
        a.profile->l1_sectors += static_cast<std::uint64_t>(sector_count(f.sectors[i]));
    a.cost = std::max<Tick>(a.cost, f.lines * p_.tag_lookup);
  }
  a.load = MemoryAccess::nobody;
  if (a.access != Access::read && a.access != Access::atomic) return load_store_.issue(a, now);
  Load load{.subcore = static_cast<std::uint16_t>(s),
            .warp = static_cast<std::uint16_t>(w),
            .dst = inst.dst,
            .dst_predicate = inst.dst_predicate,
            .dst_count = inst.dst_count,
            .async = inst.memory == Memory::async_copy,
            .why = inst.stall};
  if (a.shared && load.why == Stall::long_scoreboard) load.why = Stall::short_scoreboard;
  if (load.async) load.stretch = warp.copies.begin_copy(now);
  ++warp.loads;
  a.load = load_store_.begin_load(load);
  load_store_.issue(a, now);
  if (load_store_.loaded().empty())
    sub.set_results(load, never);
  else
    take_loaded();
}

/// The warps hear when what they have loaded is there.
void Unit::take_loaded() {
  for (const auto& [load, at] : load_store_.loaded()) {
    SubCore& sub = subs_[load.subcore];
    Warp& warp = sub.warp(load.warp);
    sub.set_results(load, at);
    if (load.async) end_copy(load, at);
    --warp.loads;
    warp.last_load = std::max(warp.last_load, at);
    if (warp.state == State::running && sub.ready(load.warp) == never) set_ready(load.subcore, load.warp);
    if (warp.state == State::draining && warp.loads == 0) finish_warp(load.subcore, load.warp, at);
  }
  load_store_.loaded().clear();
}

void Unit::deliver(const Reply& in) {
  if (BulkEngine::concerns(in)) {
    bulk_.deliver(in);
    return take_bulk();
  }
  load_store_.deliver(in);
  if (!load_store_.loaded().empty()) take_loaded();
  for (std::uint32_t moved = load_store_.moved(); moved; moved &= moved - 1) {
    const int s = std::countr_zero(moved);
    subs_[s].set_memory_queue(load_store_.accepts(s));
  }
}

/// Replies name scattered records: fetch them together rather than one after the other.
void Unit::prefetch_replies() const {
  const auto replies = std::span(inbox_).subspan(inbox_head_);
  for (const Reply& in : replies) load_store_.prefetch(in);
  for (const Reply& in : replies)
    if (const Load* load = load_store_.load_of(in)) subs_[load->subcore].prefetch(*load);
  for (const Reply& in : replies)
    if (const Load* load = load_store_.load_of(in)) {
      const SubCore& sub = subs_[load->subcore];
      if (sub.warp(load->warp).next != sub.warp(load->warp).end) sub.prefetch_record(load->warp);
    }
}

}  // namespace wanren::timing
