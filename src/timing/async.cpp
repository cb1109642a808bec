// Asynchronous copies and the phases of mbarriers: what warps wait for that is no register.

#include <algorithm>
#include <array>
#include <bit>

#include "simt/warp_context.h"
#include "support/result.h"
#include "timing/unit.h"

namespace wanren::timing {

using trace::PhaseOp;

trace::Record Unit::record_of(int s, int w, const DecodedInst& inst) const {
  trace::Record record;
  trace::read_record(subs_[s].warp(w).block_words + subs_[s].records(w)[inst.slot], record);
  return record;
}

/// Products and the ends of their groups. When a product is done is known when it is issued.
void Unit::issue_product(int s, int w, Cycle now, const DecodedInst& inst) {
  Warp& warp = subs_[s].warp(w);
  if (inst.memory == lower::Memory::product_group) {
    if (inst.bytes == 0) warp.products.commit();
    return;
  }
  counters_[grid_of(warp).slot].shared_bytes += inst.bytes;
  const MatrixUnits::Issued issued = matrix_units_.issue(s, now, inst.product_cycles, inst.bytes);
  std::vector<CopyGroups::Arrival> none;
  warp.products.end_copy(warp.products.begin_copy(now), issued.done, none);
  subs_[s].set_product_queue(issued.accepts);
}

/// When the copies or products that `inst` waits for are there.
Stamp Unit::copies_there(int s, int w, const DecodedInst& inst) const {
  if (inst.memory == lower::Memory::product_group)
    return inst.bytes == 0
               ? 0
               : stamp(subs_[s].warp(w).products.groups_done(inst.bytes - 1u), Stall::tensor_pipe);
  const trace::Record record = record_of(s, w, inst);
  if (record.mask == 0 || record.base == 0) return 0;
  if (record.base != trace::all_copies && (record.base & trace::bulk_groups)) {
    const std::uint64_t rest = record.base & ~trace::bulk_groups;
    if (rest == 0) return 0;
    const std::uint64_t newest = static_cast<std::uint32_t>(rest) - std::uint64_t{1};
    const bool read = (rest & trace::sources_read) != 0;
    return stamp(bulk_.groups_done(slot_of(s, w), newest, read), Stall::long_scoreboard);
  }
  const CopyGroups& copies = subs_[s].warp(w).copies;
  const Cycle at = record.base == trace::all_copies ? copies.all_done() : copies.groups_done(record.base - 1);
  return stamp(at, Stall::long_scoreboard);
}

void Unit::issue_async(int s, int w, Cycle now, const DecodedInst& inst, const trace::Record& record) {
  SubCore& sub = subs_[s];
  Warp& warp = sub.warp(w);
  if (record.kind == trace::Kind::group) {
    if (record.base == 0) warp.copies.commit();
    if (record.base == trace::bulk_groups) bulk_.commit(slot_of(s, w));
    return;
  }
  Cta& cta = ctas_[warp.cta];
  if (record.kind == trace::Kind::bulk) {
    const BulkEngine::Owner owner{cta.grid->slot,
                                  warp.cta,
                                  static_cast<std::uint16_t>(slot_of(s, w)),
                                  cta.born,
                                  bulk_.age(slot_of(s, w)),
                                  profile_of(counters_[cta.grid->slot], warp, true)};
    return bulk_.issue(record, owner, now);
  }
  UnitCounters& c = counters_[cta.grid->slot];
  ++c.shared_accesses;
  ++c.shared_wavefronts;
  const Tick begin = load_store_.pass(now);
  const PhaseOp op = record.phase_op();
  if (op == PhaseOp::wait) {
    if (record.entries() == 0) return;
    // It has asked at `launched_at`; the answer may come later.
    warp.base = std::max(warp.base, stamp(cycle_from(begin + p_.shared_latency), Stall::short_scoreboard));
    sub.park(w);
    warp.state = State::phase;
    cta.phases.wait(warp.number, warp.block_words + sub.records(w)[inst.slot]);
    phase_over(cta);
    return;
  }
  bool over = false;
  std::vector<CopyGroups::Arrival> due;
  for (std::size_t i = 0; i < record.entries(); ++i) {
    const auto address = static_cast<std::uint32_t>(record.lanes[i]);
    const auto value = static_cast<std::uint32_t>(record.lanes[i] >> 32);
    change_phase(cta, op, address, value, cycle_from(begin), over);
    if (op == PhaseOp::copy_arrive || op == PhaseOp::copy_arrive_in)
      warp.copies.owe(address, value, cycle_from(begin), due);
  }
  owed(cta, due);
  if (over) phase_over(cta);
}

void Unit::end_copy(const Load& load, Cycle at) {
  Warp& warp = subs_[load.subcore].warp(load.warp);
  std::vector<CopyGroups::Arrival> due;
  warp.copies.end_copy(load.stretch, at, due);
  owed(ctas_[warp.cta], due);
}

void Unit::owed(Cta& cta, std::span<const CopyGroups::Arrival> due) {
  bool over = false;
  for (const CopyGroups::Arrival& a : due) over |= cta.phases.arrive(a.mbarrier, a.count, a.at);
  if (over) phase_over(cta);
}

/// What bulk copies have brought about: bytes for mbarriers, unless the CTA is gone; groups.
void Unit::take_bulk() {
  for (const BulkEngine::Arrived& a : bulk_.arrived()) {
    Cta& cta = ctas_[a.owner.cta];
    if (cta.grid == nullptr || cta.born != a.owner.born) continue;
    bool over = false;
    if (a.entry.receivers == 0)
      change_phase(cta, PhaseOp::complete, a.entry.mbarrier, a.entry.bytes, a.at, over);
    for (std::uint64_t left = a.entry.receivers; left != 0; left &= left - 1) {
      const auto rank = static_cast<std::uint32_t>(std::countr_zero(left));
      change_phase(cta, PhaseOp::complete, (rank + 1) << simt::cluster_address_bits | a.entry.mbarrier,
                   a.entry.bytes, a.at, over);
    }
    if (over) phase_over(cta);
  }
  bulk_.arrived().clear();
  for (const std::uint16_t slot : bulk_.moved()) {
    const int s = slot / p_.warps_per_subcore, w = slot % p_.warps_per_subcore;
    if (subs_[s].warp(w).state == State::running && subs_[s].ready(w) == never) set_ready(s, w);
  }
  bulk_.moved().clear();
}

/// Some phase may be over: wakes the warps whose wait that ends.
void Unit::phase_over(Cta& cta) {
  cta.phases.release([&](std::uint32_t number, Cycle over) {
    const int s = cta.place[number] >> 8, w = cta.place[number] & 0xff;
    Warp& warp = subs_[s].warp(w);
    warp.state = State::asleep;
    warp.asleep_for = Stall::mbarrier;
    subs_[s].sleep_until(w, std::max(warp.base >> stamp_bits, over == 0 ? 0 : over + p_.mbarrier_latency));
  });
}

}  // namespace wanren::timing
