// A piece of work from admission to its end: when it may begin, which engine serves it, what is told when.

#include <algorithm>
#include <cmath>
#include <tuple>

#include "simt/opcode_traits.h"
#include "support/result.h"
#include "timing/device_impl.h"

namespace wanren::timing {
namespace {

Engine engine_of(CopyKind kind) {
  switch (kind) {
    case CopyKind::host_to_device: return Engine::host_to_device;
    case CopyKind::device_to_host: return Engine::device_to_host;
    case CopyKind::device_to_device:
    case CopyKind::fill: return Engine::on_device;
    case CopyKind::peer: return Engine::to_peers;
    case CopyKind::none: return Engine::none;
  }
  return Engine::none;
}

Picoseconds from_us(double us) {
  return Picoseconds(std::llround(us * 1e6));
}

void take_out(std::vector<ItemRef>& items, const ItemRef& item) {
  items.erase(std::find(items.begin(), items.end(), item));
}

}  // namespace

Picoseconds Device::Impl::copy_duration(const Copy& copy) const {
  const double bytes = static_cast<double>(copy.bytes);
  double seconds = 0;
  switch (copy.kind) {
    case CopyKind::host_to_device:
    case CopyKind::device_to_host: {
      double rate = copy.pageable ? std::min(chip.host.pageable_bandwidth, chip.host.pcie_bandwidth)
                                  : chip.host.pcie_bandwidth;
      if (copy.far_bandwidth > 0) rate = std::min(rate, copy.far_bandwidth);
      seconds = chip.host.pcie_latency * 1e-6 + bytes / (rate * 1e9);
      break;
    }
    case CopyKind::device_to_device:
    case CopyKind::fill: {
      // Rate of the DRAM pins less refresh; a copy reads and writes. Contention with kernels that run
      // at the same time is not modelled.
      const double rate = chip.hbm.bandwidth_per_die * p.dies * 1e9 * (1 - chip.hbm.refresh_share);
      seconds = chip.hbm.latency * 1e-9 + bytes * (copy.kind == CopyKind::fill ? 1 : 2) / rate;
      break;
    }
    case CopyKind::peer: {
      double rate = chip.link.bandwidth;
      if (copy.far_bandwidth > 0) rate = std::min(rate, copy.far_bandwidth);
      seconds = chip.link.latency * 1e-9 +
                static_cast<double>(p.peer_packets.wire_bytes(copy.bytes)) / (rate * 1e9);
      break;
    }
    case CopyKind::none: return {};
  }
  return Picoseconds(std::max<std::int64_t>(1, std::llround(seconds * 1e12)));
}

/// All predecessors have ended: the item learns when it begins.
void Device::Impl::ready(const ItemRef& item) {
  item->begin = item->work.not_before;
  if (item->is_kernel()) {
    item->begin += from_us(chip.host.launch_latency);
    if (item->follows) item->begin = std::max(item->begin, item->after + from_us(chip.host.launch_gap));
    item->begin += from_us(chip.host.kernel_start);
  } else {
    item->begin = std::max(item->begin, item->after);
  }
  item->first = clock.from(item->begin);
  waiting_to_begin.push_back(item);
}

/// Whole cycles that fit between a kernel and one that follows it.
Cycle Device::Impl::launch_gap() const {
  return clock.cycles_in(from_us(chip.host.launch_gap) + Picoseconds(1)) - 1;
}

/// In timing order; of equals the first submitted.
void Device::Impl::begin_items(Cycle at) {
  for (;;) {
    ItemRef next;
    for (const ItemRef& item : waiting_to_begin) {
      if (const Engine engine = engine_of(item->work.copy.kind); !item->is_kernel() && engine != Engine::none)
        if (const Picoseconds free = engine_free[static_cast<std::size_t>(engine)]; free > item->begin) {
          item->begin = free;
          item->first = clock.from(free);
        }
      if (item->first > at) continue;
      if (!next || std::tie(item->begin, item->number) < std::tie(next->begin, next->number)) next = item;
    }
    if (!next) return;
    take_out(waiting_to_begin, next);
    if (next->is_kernel())
      begin_kernel(next, at);
    else
      begin_copy(next);
  }
}

void Device::Impl::begin_copy(const ItemRef& item) {
  const Engine engine = engine_of(item->work.copy.kind);
  item->timed.begin = item->begin;
  item->end = item->begin + copy_duration(item->work.copy);
  item->last = clock.from(item->end);
  if (engine != Engine::none) disturb();
  if (engine != Engine::none) engine_free[static_cast<std::size_t>(engine)] = item->end;
  heard = item->begin;
  if (item->work.on_begin) item->work.on_begin();
  if (item->work.copy.kind == CopyKind::none)
    end(item);
  else
    copies.push_back(item);
}

void Device::Impl::begin_kernel(const ItemRef& ref, Cycle at) {
  Item& item = *ref;
  const Kernel& k = item.work.kernel;
  WR_CHECK(k.occupancy.ctas_per_unit > 0);
  item.first = std::max(item.first, at);
  item.end = clock.at(item.first);
  item.timed.begin = item.phase_begin = item.end - from_us(chip.host.kernel_start);
  item.last = item.first;
  item.source = k.open();
  if (!item.source) return end(ref);
  std::size_t slot = 0;
  while (slot < slots.size() && slots[slot]) ++slot;
  if (slot == slots.size()) slots.push_back(false);
  slots[slot] = true;
  item.decoded = std::make_unique<Decoded>(*k.program, item.source->kernel(), p);
  item.launch = std::make_unique<Launch>();
  Launch& launch = *item.launch;
  launch.ctas = item.source->ctas();
  Grid& grid = launch.grid;
  grid.slot = static_cast<std::uint16_t>(slot);
  grid.program = item.decoded.get();
  grid.source = item.source;
  grid.patterns = item.source->patterns();
  for (const simt::LanePattern& pattern : grid.patterns) grid.strides.push_back(stride_of(pattern));
  grid.serial = ++grids;
  grid.warps_per_cta = item.source->warps_per_cta();
  WR_CHECK(static_cast<int>(grid.warps_per_cta) <= p.max_warps);
  const std::uint32_t shared =
      k.dynamic_and_static_shared_bytes + static_cast<std::uint32_t>(p.shared_reserved);
  const std::uint32_t unit = static_cast<std::uint32_t>(p.shared_granularity);
  grid.shared_bytes = (shared + unit - 1) / unit * unit;
  const std::uint32_t per_warp = item.decoded->registers_per_thread * warp_size;
  const std::uint32_t granule = static_cast<std::uint32_t>(p.register_granularity);
  grid.register_count = (per_warp + granule - 1) / granule * granule * grid.warps_per_cta;
  grid.profiled = k.profiled;
  grid.ctas_per_cluster = item.source->ctas_per_cluster();
  grid.meets = grid.ctas_per_cluster > 1;
  for (const simt::Block& block : item.source->kernel().blocks)
    for (const simt::Inst& inst : block.insts) grid.meets |= simt::concerns_cluster(inst.op);
  grid.ctas_per_unit = k.occupancy.ctas_per_unit;
  memory.begin_kernel(grid.slot);
  disturb();
  if (sampled && !k.profiled && grid.ctas_per_cluster == 1 && item.source->skippable())
    item.sampler = std::make_unique<Sampler>(launch.ctas, item.first, sampled_memory());
  kernels.push_back(ref);
  dispatcher.admit(&launch, at);
}

void Device::Impl::end_copies(Cycle at) {
  for (;;) {
    ItemRef next;
    for (const ItemRef& item : copies)
      if (item->last <= at &&
          (!next || std::tie(item->end, item->number) < std::tie(next->end, next->number)))
        next = item;
    if (!next) return;
    take_out(copies, next);
    end(next);
  }
}

void Device::Impl::end_kernels() {
  std::vector<ItemRef> ended;
  for (const ItemRef& item : kernels) {
    if (!item->launch->drained()) continue;
    const std::uint16_t slot = item->launch->grid.slot;
    std::uint64_t in_flight = 0;
    for (auto& unit : units) in_flight += unit->counters(slot).in_flight;
    if (in_flight == 0) ended.push_back(item);
  }
  for (const ItemRef& item : ended) {
    item->last = item->first;
    for (auto& unit : units) {
      const UnitCounters& u = unit->counters(item->launch->grid.slot);
      item->last = std::max({item->last, u.last_exit, u.last_acknowledged});
    }
    item->end = clock.at(item->last);
    take_out(kernels, item);
    end(item);
  }
}

void Device::Impl::end(const ItemRef& ref) {
  Item& item = *ref;
  Timed& t = item.timed;
  if (item.launch || item.work.copy.kind != CopyKind::none) disturb();
  t.end = item.end;
  if (item.launch) {
    t.cycles = Cycles(item.last - item.first + item.passed_cycles +
                      clock.cycles_in(from_us(chip.host.kernel_start)));
    if (item.sampler) {
      t.ctas_passed_over = item.sampler->ctas_passed();
      t.sampling_error =
          item.sampler->error_cycles() / static_cast<double>(std::max<std::int64_t>(1, t.cycles.value));
    }
    t.counters = kernel_progress(item);
    add_to_window(item, t.counters);
    end_phase(item, t.counters, t.end);
    const double us = static_cast<double>((t.end - t.begin).value) * 1e-6;
    t.clock_mhz = us > 0 && t.phases.size() > 1 ? static_cast<double>(t.cycles.value) / us : clock.mhz();
    const std::uint16_t slot = item.launch->grid.slot;
    if (item.work.kernel.profiled) t.profile = profile(item);
    for (auto& unit : units) unit->end_grid(slot);
    slots[slot] = false;
    dispatcher.remove(item.launch.get());
    item.launch.reset();
    item.decoded.reset();
  } else {
    t.clock_mhz = clock.mhz();
    t.cycles = Cycles(clock.cycles_in(t.end - t.begin));
    t.counters = progress(item, t.end);
    add_to_window(item, t.counters);
  }
  item.ended = true;
  --unfinished;
  heard = item.end;
  last_end = std::max(last_end, item.end);
  for (const ItemRef& follower : item.followers) {
    follower->after = std::max(follower->after, item.end);
    if (--follower->open == 0) ready(follower);
  }
  item.followers.clear();
  // It may hold what holds this job.
  const auto on_end = std::move(item.work.on_end);
  item.work = Work{};
  if (on_end) on_end(t);
}

}  // namespace wanren::timing
