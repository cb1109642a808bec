#include "timing/device.h"

#include <oneapi/tbb/parallel_for.h>
#include <oneapi/tbb/task_arena.h>

#include <algorithm>
#include <chrono>
#include <cmath>

#include "support/result.h"
#include "support/wall_clock.h"
#include "timing/clock.h"
#include "timing/dispatch.h"
#include "timing/memory_system.h"

namespace wanren::timing {
namespace {

enum class Engine : std::uint8_t { host_to_device, device_to_host, on_device, none };

Engine engine_of(CopyKind kind) {
  switch (kind) {
    case CopyKind::host_to_device: return Engine::host_to_device;
    case CopyKind::device_to_host: return Engine::device_to_host;
    case CopyKind::device_to_device:
    case CopyKind::fill: return Engine::on_device;
    case CopyKind::none: return Engine::none;
  }
  return Engine::none;
}

using Clock = WallClock;

}  // namespace

struct Device::Impl {
  Impl(const chip::Spec& spec, int host_threads, const ClockGovernor* g)
      : chip(spec),
        p(parameters(spec)),
        governor(g),
        threads(std::max(1, host_threads)),
        memory(p),
        arena(threads) {
    for (int u = 0; u < p.units; ++u) units.push_back(std::make_unique<Unit>(p, u));
    dispatcher = std::make_unique<Dispatcher>(p, units);
    for (int t = 0; t < threads; ++t) workspaces.push_back(std::make_unique<Workspace>(p));
  }

  struct Item {
    const Work* work = nullptr;
    enum class State : std::uint8_t { waiting, ready, running, done } state = State::waiting;
    Cycle begin = 0, end = 0;
    std::unique_ptr<Decoded> decoded;
    std::unique_ptr<Launch> launch;
    std::uint64_t load_cycles = 0, load_far_ticks = 0;
  };

  bool is_kernel(const Item& item) const { return item.work->kernel.source != nullptr; }
  Cycle copy_cycles(const Copy& copy) const;
  void make_ready();
  void begin_items(Cycle now);
  void begin_kernel(Item& item, Cycle now);
  void end_kernels();
  void finish_kernel(Item& item);
  Cycle next_event() const;
  void step(Cycle from);
  void stretch();

  chip::Spec chip;
  Parameters p;
  const ClockGovernor* governor;
  int threads;
  MemorySystem memory;
  std::vector<std::unique_ptr<Unit>> units;
  std::unique_ptr<Dispatcher> dispatcher;
  std::vector<std::unique_ptr<Workspace>> workspaces;  ///< By host thread.
  std::uint64_t grids = 0;                             ///< Begun so far.
  tbb::task_arena arena;
  Picoseconds now;

  // One run.
  std::vector<Item> items;
  std::vector<Timed> timed;
  std::vector<bool> slots;  ///< Grid slots taken.
  std::array<Cycle, 3> engine_free{};
  std::vector<int> active;
  std::size_t unfinished = 0;
  Cycle present = 0;
};

Cycle Device::Impl::copy_cycles(const Copy& copy) const {
  if (copy.kind == CopyKind::none) return 0;
  const double bytes = static_cast<double>(copy.bytes);
  double seconds = 0;
  switch (copy.kind) {
    case CopyKind::host_to_device:
    case CopyKind::device_to_host: {
      const double rate = copy.pageable ? std::min(chip.host.pageable_bandwidth, chip.host.pcie_bandwidth)
                                        : chip.host.pcie_bandwidth;
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
    case CopyKind::none: break;
  }
  return std::max<Cycle>(1, static_cast<Cycle>(std::ceil(seconds * p.core_mhz * 1e6 - 1e-3)));
}

/// Items whose predecessors have ended learn when they begin.
void Device::Impl::make_ready() {
  for (Item& item : items) {
    if (item.state != Item::State::waiting) continue;
    Cycle after = 0;
    bool open = true, follows_kernel = false;
    for (const std::uint32_t before : item.work->after) {
      const Item& other = items[before];
      if (other.state != Item::State::done) {
        open = false;
        break;
      }
      after = std::max(after, other.end);
      follows_kernel = true;
    }
    if (!open) continue;
    const Cycle submitted =
        p.cycles_of_ps(std::max<std::int64_t>(0, item.work->not_before.value - now.value));
    if (is_kernel(item)) {
      const auto cycles = [&](double us) { return static_cast<Cycle>(std::llround(us * p.core_mhz)); };
      item.begin = submitted + cycles(chip.host.launch_latency);
      if (follows_kernel) item.begin = std::max(item.begin, after + cycles(chip.host.launch_gap));
    } else {
      item.begin = std::max(submitted, after);
    }
    item.state = Item::State::ready;
  }
}

void Device::Impl::begin_items(Cycle at) {
  for (;;) {
    // In timing order; of equals the first submitted.
    Item* first = nullptr;
    for (Item& item : items) {
      if (item.state != Item::State::ready) continue;
      if (!is_kernel(item)) {
        const Engine engine = engine_of(item.work->copy.kind);
        if (engine != Engine::none) item.begin = std::max(item.begin, engine_free[static_cast<int>(engine)]);
      }
      if (item.begin <= at && (!first || item.begin < first->begin)) first = &item;
    }
    if (!first) return;
    Item& item = *first;
    if (item.work->on_begin) item.work->on_begin();
    if (is_kernel(item)) {
      begin_kernel(item, at);
      continue;
    }
    const Engine engine = engine_of(item.work->copy.kind);
    item.end = item.begin + copy_cycles(item.work->copy);
    if (engine != Engine::none) engine_free[static_cast<int>(engine)] = item.end;
    item.state = item.end <= at ? Item::State::done : Item::State::running;
    if (item.state == Item::State::done) {
      --unfinished;
      make_ready();
    }
  }
}

void Device::Impl::begin_kernel(Item& item, Cycle at) {
  const Kernel& k = item.work->kernel;
  WR_CHECK(k.program != nullptr && k.occupancy.ctas_per_unit > 0);
  std::size_t slot = 0;
  while (slot < slots.size() && slots[slot]) ++slot;
  if (slot == slots.size()) slots.push_back(false);
  slots[slot] = true;
  item.decoded = std::make_unique<Decoded>(*k.program, k.source->kernel(), p);
  item.launch = std::make_unique<Launch>();
  Launch& launch = *item.launch;
  item.begin = std::max(item.begin, at);
  launch.begin = item.begin;
  launch.ctas = k.source->ctas();
  Grid& grid = launch.grid;
  grid.slot = static_cast<std::uint16_t>(slot);
  grid.program = item.decoded.get();
  grid.source = k.source;
  grid.patterns = k.source->patterns();
  for (const simt::LanePattern& pattern : grid.patterns) grid.strides.push_back(stride_of(pattern));
  grid.serial = ++grids;
  grid.warps_per_cta = k.source->warps_per_cta();
  WR_CHECK(static_cast<int>(grid.warps_per_cta) <= p.max_warps);
  const std::uint32_t shared =
      k.dynamic_and_static_shared_bytes + static_cast<std::uint32_t>(p.shared_reserved);
  const std::uint32_t unit = static_cast<std::uint32_t>(p.shared_granularity);
  grid.shared_bytes = (shared + unit - 1) / unit * unit;
  const std::uint32_t per_warp = item.decoded->registers_per_thread * warp_size;
  const std::uint32_t granule = static_cast<std::uint32_t>(p.register_granularity);
  grid.register_count = (per_warp + granule - 1) / granule * granule * grid.warps_per_cta;
  grid.ctas_per_unit = k.occupancy.ctas_per_unit;
  grid.run_begin_ps = now.value;
  grid.ps_per_cycle = 1e6 / p.core_mhz;
  memory.begin_kernel(grid.slot);
  item.state = Item::State::running;
  dispatcher->admit(&launch, at);
}

void Device::Impl::finish_kernel(Item& item) {
  Launch& launch = *item.launch;
  const std::uint16_t slot = launch.grid.slot;
  const Decoded& program = *item.decoded;
  Counters& c = timed[static_cast<std::size_t>(&item - items.data())].counters;
  Cycle end = launch.begin;
  for (auto& unit : units) {
    const UnitCounters& u = unit->counters(slot);
    end = std::max({end, u.last_exit, u.last_acknowledged});
    for (std::size_t b = 0; b < program.blocks.size(); ++b) {
      const std::uint64_t runs = u.block_runs[b], lanes = u.block_lanes[b];
      if (!runs) continue;
      const DecodedBlock& block = program.blocks[b];
      c.warp_instructions += runs * block.count;
      c.issue_slots += runs * block.issue_slots;
      c.thread_instructions += lanes * block.count;
      c.flops_fp16 += lanes * block.flops_fp16;
      c.flops_fp32 += lanes * block.flops_fp32;
      c.flops_fp64 += lanes * block.flops_fp64;
      c.int_ops += lanes * block.int_ops;
      c.sfu_ops += lanes * block.sfu_ops;
      c.tensor_flops_bf16 += runs * block.tensor_bf16;
      c.tensor_flops_tf32 += runs * block.tensor_tf32;
      c.tensor_ops_int8 += runs * block.tensor_int8;
      c.tensor_flops_fp64 += runs * block.tensor_fp64;
      for (int i = 0; i < lower::pipe_count; ++i) c.pipe_busy_cycles[i] += runs * block.pipe_busy[i];
    }
    c.l1_accesses += u.l1_accesses;
    c.l1_sectors += u.l1_sectors;
    c.l1_hit_sectors += u.l1_hit_sectors;
    c.l1_store_sectors += u.l1_store_sectors;
    c.shared_accesses += u.shared_accesses;
    c.shared_wavefronts += u.shared_wavefronts;
    c.shared_bytes += u.shared_bytes;
    c.ctas += u.ctas;
    c.warp_cycles += u.warp_cycles;
    c.unit_active_cycles += u.active_cycles;
    for (int i = 0; i < stall_count; ++i) c.stall_cycles[i] += u.stalls[i];
    item.load_cycles += u.load_cycles;
    item.load_far_ticks += u.load_far_ticks;
    unit->end_grid(slot);
  }
  const MemoryCounters& m = memory.counters(slot);
  c.l2_read_sectors = m.l2_read_sectors;
  c.l2_write_sectors = m.l2_write_sectors;
  c.l2_atomic_sectors = m.l2_atomic_sectors;
  c.l2_hit_sectors = m.l2_hit_sectors;
  c.l2_far_sectors = m.l2_far_sectors;
  c.dram_read_bytes = m.dram_read_bytes;
  c.dram_write_bytes = m.dram_write_bytes;
  c.dram_row_hits = m.dram_row_hits;
  c.dram_row_misses = m.dram_row_misses;
  c.d2d_bytes = m.d2d_bytes;
  c.d2d_wire_bytes = m.d2d_wire_bytes;
  c.d2d_link_bytes = m.link_bytes;
  item.end = end;
  item.state = Item::State::done;
  --unfinished;
  slots[slot] = false;
  dispatcher->remove(&launch);
}

void Device::Impl::end_kernels() {
  bool ended = false;
  for (Item& item : items) {
    if (item.state != Item::State::running || !is_kernel(item) || !item.launch->drained()) continue;
    std::uint64_t in_flight = 0;
    for (auto& unit : units) in_flight += unit->counters(item.launch->grid.slot).in_flight;
    if (in_flight) continue;
    finish_kernel(item);
    ended = true;
  }
  if (ended) make_ready();
}

Cycle Device::Impl::next_event() const {
  Cycle next = never;
  for (const auto& unit : units) next = std::min(next, unit->next_event());
  next = std::min(next, memory.next_event());
  for (const Item& item : items) {
    if (item.state == Item::State::ready) next = std::min(next, item.begin);
    if (item.state == Item::State::running && !is_kernel(item)) next = std::min(next, item.end);
  }
  return std::max(next, present);
}

/// One quantum from `from`.
void Device::Impl::step(Cycle from) {
  const bool coupled = dispatcher->coupled();
  // What warps of a coupled grid see of each other is ordered by time: one cycle at a time.
  Cycle end = from + (coupled ? 1 : dispatcher->quantum());
  for (const Item& item : items) {
    if (item.state == Item::State::ready && item.begin > from) end = std::min(end, item.begin);
    if (item.state == Item::State::running && !is_kernel(item) && item.end > from)
      end = std::min(end, item.end);
  }
  active.clear();
  for (int u = 0; u < p.units; ++u)
    if (units[u]->next_event() < end) active.push_back(u);
  if (threads > 1 && !coupled && active.size() > 3) {
    arena.execute([&] {
      tbb::parallel_for(std::size_t{0}, active.size(), [&](std::size_t i) {
        const int thread = tbb::this_task_arena::current_thread_index();
        units[active[i]]->advance(end, *workspaces[static_cast<std::size_t>(thread)]);
      });
    });
  } else {
    for (const int u : active) units[u]->advance(end, *workspaces[0]);
  }
  for (const int u : active) {
    memory.accept(u, units[u]->outbox());
    units[u]->outbox().clear();
  }
  memory.advance(end);
  for (const std::uint16_t u : memory.touched()) {
    units[u]->receive(memory.replies(u));
    memory.replies(u).clear();
  }
  memory.touched().clear();
  dispatcher->refill(end);
  present = end;
}

/// Items under a lower clock take longer, and all that overlaps or follows them moves: the timeline is
/// mapped piece by piece, each piece growing by the largest stretch of the kernels running in it.
void Device::Impl::stretch() {
  struct Piece {
    std::int64_t begin, end;
    double stretch;
  };
  std::vector<Piece> pieces;
  std::vector<std::int64_t> edges;
  for (std::size_t i = 0; i < items.size(); ++i) {
    Timed& t = timed[i];
    edges.push_back(t.begin.value);
    edges.push_back(t.end.value);
    t.clock_mhz = p.core_mhz;
    if (!is_kernel(items[i]) || !governor) continue;
    const double share = fixed_share(t.counters, items[i].load_cycles, items[i].load_far_ticks);
    const Settled s = settle(*governor, t.counters, t.end - t.begin, p.core_mhz, p.core_min_mhz, share);
    t.clock_mhz = s.mhz;
    if (s.stretch > 1) pieces.push_back({t.begin.value, t.end.value, s.stretch});
  }
  if (pieces.empty()) return;
  std::sort(edges.begin(), edges.end());
  edges.erase(std::unique(edges.begin(), edges.end()), edges.end());
  std::vector<double> moved(edges.size());
  moved[0] = static_cast<double>(edges[0]);
  for (std::size_t e = 1; e < edges.size(); ++e) {
    double factor = 1;
    for (const Piece& piece : pieces)
      if (piece.begin < edges[e] && piece.end > edges[e - 1]) factor = std::max(factor, piece.stretch);
    moved[e] = moved[e - 1] + static_cast<double>(edges[e] - edges[e - 1]) * factor;
  }
  const auto map = [&](Picoseconds at) {
    const auto it = std::lower_bound(edges.begin(), edges.end(), at.value);
    return Picoseconds(
        static_cast<std::int64_t>(std::llround(moved[static_cast<std::size_t>(it - edges.begin())])));
  };
  for (Timed& t : timed) {
    t.begin = map(t.begin);
    t.end = map(t.end);
    t.cycles = Cycles(std::llround(static_cast<double>((t.end - t.begin).value) * t.clock_mhz * 1e-6));
  }
}

Device::Device(const chip::Spec& chip, int threads, const ClockGovernor* governor)
    : impl_(std::make_unique<Impl>(chip, threads, governor)) {}
Device::~Device() = default;

Picoseconds Device::now() const {
  return impl_->now;
}

std::vector<Timed> Device::run(std::span<const Work> work) {
  Impl& d = *impl_;
  if (work.empty()) return {};
  d.items.clear();
  d.items.resize(work.size());
  d.timed.assign(work.size(), Timed{});
  for (std::size_t i = 0; i < work.size(); ++i) {
    d.items[i].work = &work[i];
    for (const std::uint32_t before : work[i].after) WR_CHECK(before < i);
  }
  d.unfinished = work.size();
  d.present = 0;
  d.engine_free.fill(0);
  d.memory.rebase();
  d.dispatcher->rebase();
  for (auto& unit : d.units) unit->rebase();

  auto mark = Clock::now();
  d.make_ready();
  while (d.unfinished > 0) {
    const Cycle from = d.next_event();
    WR_CHECK(from < never);  // nothing can happen, yet work is left: a warp waits for ever
    d.present = from;
    for (Impl::Item& item : d.items)
      if (item.state == Impl::Item::State::running && !d.is_kernel(item) && item.end <= from) {
        item.state = Impl::Item::State::done;
        --d.unfinished;
        d.make_ready();
      }
    d.begin_items(from);
    d.step(from);
    d.end_kernels();
    // Host time goes to the kernels running, in equal parts.
    const auto tick = Clock::now();
    const double seconds = std::chrono::duration<double>(tick - mark).count();
    mark = tick;
    if (const auto& running = d.dispatcher->launches(); !running.empty())
      for (std::size_t i = 0; i < d.items.size(); ++i)
        if (d.items[i].state == Impl::Item::State::running && d.is_kernel(d.items[i]))
          d.timed[i].wall_s += seconds / static_cast<double>(running.size());
  }

  for (std::size_t i = 0; i < work.size(); ++i) {
    const Impl::Item& item = d.items[i];
    Timed& t = d.timed[i];
    t.begin = Picoseconds(d.now.value + d.p.ps_of_cycles(item.begin));
    t.end = Picoseconds(d.now.value + d.p.ps_of_cycles(item.end));
    t.cycles = Cycles(item.end - item.begin);
    if (!d.is_kernel(item) && (item.work->copy.kind == CopyKind::host_to_device ||
                               item.work->copy.kind == CopyKind::device_to_host))
      t.counters.pcie_bytes = item.work->copy.bytes;
    if (!d.is_kernel(item) && item.work->copy.kind == CopyKind::fill)
      t.counters.dram_write_bytes = item.work->copy.bytes;
    if (!d.is_kernel(item) && item.work->copy.kind == CopyKind::device_to_device) {
      t.counters.dram_read_bytes = item.work->copy.bytes;
      t.counters.dram_write_bytes = item.work->copy.bytes;
    }
  }
  d.stretch();
  Picoseconds last = d.now;
  for (const Timed& t : d.timed) last = std::max(last, t.end);
  d.now = last;
  d.items.clear();
  return std::move(d.timed);
}

}  // namespace wanren::timing
