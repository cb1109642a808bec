// What running work has done so far, and the core clock that follows from it window by window.

#include <algorithm>
#include <cmath>

#include "support/result.h"
#include "timing/device_impl.h"

namespace wanren::timing {

/// What was simulated and what was passed over.
Counters Device::Impl::kernel_progress(const Item& item) const {
  Counters c = simulated(item);
  c.add(item.passed);
  return c;
}

Counters Device::Impl::simulated(const Item& item) const {
  Counters c;
  const std::uint16_t slot = item.launch->grid.slot;
  const Decoded& program = *item.decoded;
  for (const auto& unit : units) {
    const UnitCounters& u = unit->counters(slot);
    for (std::size_t b = 0; b < program.blocks.size(); ++b) {
      const std::uint64_t runs = u.block_runs[b], lanes = u.block_lanes[b];
      if (runs) program.blocks[b].count_runs(runs, lanes, c);
    }
#define WR_UNIT_COUNTER(id, doc) c.id += u.id;
#include "timing/counters.def"
    for (int i = 0; i < stall_count; ++i) c.stall_cycles[i] += u.stalls[i];
  }
  const MemoryCounters& m = memory.counters(slot);
#define WR_MEMORY_COUNTER(id, doc) c.id = m.id;
#include "timing/counters.def"
  c.d2d_link_bytes = m.link_bytes;
  return c;
}

std::vector<InstructionProfile> Device::Impl::profile(const Item& item) const {
  std::vector<InstructionProfile> rows(item.decoded->insts.size());
  for (const auto& unit : units) {
    const UnitCounters& u = unit->counters(item.launch->grid.slot);
    for (std::size_t i = 0; i < u.profile.size(); ++i) rows[i].add(u.profile[i]);
  }
  return rows;
}

/// A copy moves its bytes evenly.
Counters Device::Impl::progress(const Item& item, Picoseconds at) const {
  if (item.launch) return kernel_progress(item);
  Counters c;
  const Copy& copy = item.work.copy;
  const std::int64_t duration = (item.end - item.timed.begin).value;
  const std::int64_t passed = std::min(at, item.end).value - item.timed.begin.value;
  const auto bytes = duration <= passed
                         ? copy.bytes
                         : static_cast<std::uint64_t>(static_cast<double>(copy.bytes) * passed / duration);
  switch (copy.kind) {
    case CopyKind::host_to_device:
    case CopyKind::device_to_host: c.pcie_bytes = bytes; break;
    case CopyKind::device_to_device: c.dram_read_bytes = c.dram_write_bytes = bytes; break;
    case CopyKind::fill: c.dram_write_bytes = bytes; break;
    case CopyKind::peer: c.peer_wire_bytes = p.peer_packets.wire_bytes(bytes); break;
    case CopyKind::none: break;
  }
  return c;
}

void Device::Impl::add_to_window(Item& item, const Counters& now) {
  if (!governor) return;
  window.add(now);
  window.subtract(item.window_mark);
  item.window_mark = now;
}

void Device::Impl::end_phase(Item& item, const Counters& now, Picoseconds at) {
  auto& phases = item.timed.phases;
  auto phase = std::find_if(phases.begin(), phases.end(),
                            [&](const Phase& other) { return other.clock_mhz == clock.mhz(); });
  if (phase == phases.end()) phase = phases.insert(phases.end(), Phase{clock.mhz(), {}, {}});
  phase->duration += std::max(at, item.phase_begin) - item.phase_begin;
  phase->counters.add(now);
  phase->counters.subtract(item.phase_mark);
  item.phase_mark = now;
  item.phase_begin = at;
}

/// The window has ended at `present`: its work says at which clock the next one runs.
void Device::Impl::close_window() {
  for (auto* items : {&kernels, &copies})
    for (const ItemRef& item : *items) add_to_window(*item, progress(*item, window_end));
  const double wanted =
      std::clamp(governor->clock_mhz(window, p.clock_window, clock.mhz()), p.core_min_mhz, p.full_mhz);
  // The clock moves in steps, down from the full one.
  const double steps = std::ceil((p.full_mhz - wanted) / p.clock_step_mhz - 1e-9);
  const double mhz = std::max(p.core_min_mhz, p.full_mhz - steps * p.clock_step_mhz);
  window = Counters{};
  const bool idle = kernels.empty() && copies.empty() && mhz == p.full_mhz;
  if (mhz != clock.mhz()) set_clock(mhz);
  // Windows of nothing change nothing: the next one begins with the next event.
  if (const Cycle next = next_event(); idle && next < never)
    window_end = std::max(window_end, clock.at(next));
  window_end += p.clock_window;
  window_end_cycle = clock.from(window_end);
}

void Device::Impl::set_clock(double mhz) {
  disturb();
  const Picoseconds now = clock.at(present);
  for (const ItemRef& item : kernels) end_phase(*item, kernel_progress(*item), now);
  const Cycle quantum = p.quantum;
  clock.change(present, mhz);
  p = parameters_at(mhz);
  WR_CHECK(p.quantum == quantum);
  memory.set_clock(p, present);
  for (const ItemRef& item : waiting_to_begin) item->first = clock.from(item->begin);
  for (const ItemRef& item : copies) item->last = clock.from(item->end);
}

}  // namespace wanren::timing
