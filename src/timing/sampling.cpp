// Grids of which a part is simulated: when a sampler looks, and what passing CTAs over does to the rest.

#include <algorithm>
#include <bit>
#include <cmath>

#include "timing/device_impl.h"
#include "timing/policies/cta_schedule.h"

namespace wanren::timing {
namespace {

/// Pulls CTAs without time, for what their accesses leave in L2. L1 and the order among warps are left out,
/// as are bulk copies and accesses to local memory.
class Puller {
 public:
  Puller(const Parameters& p, const Grid& grid, MemorySystem& memory, std::span<simt::BlockCount> done)
      : grid_(grid), memory_(memory), coalescer_(p), done_(done) {}

  void run(std::uint64_t cta, int unit) {
    trace::WarpSource& source = *grid_.source;
    const trace::CtaHandle handle = source.begin_cta(cta, static_cast<std::uint32_t>(unit));
    for (std::uint32_t warp = 0; warp < grid_.warps_per_cta; ++warp)
      for (;;) {
        const trace::Chunk chunk = source.next(handle, warp, {});
        read(chunk.words, unit);
        if (chunk.end == trace::Chunk::End::exited || source.failed()) break;
      }
    source.end_cta(handle);
  }

 private:
  void read(std::span<const std::uint64_t> words, int unit) {
    for (const std::uint64_t* at = words.data(); at != words.data() + words.size();) {
      const auto id = static_cast<std::uint32_t>(*at);
      const auto mask = static_cast<LaneMask>(*at++ >> 32);
      const DecodedBlock& block = grid_.program->blocks[id];
      ++done_[id].warps;
      done_[id].threads += static_cast<std::uint64_t>(std::popcount(mask));
      records_.resize(block.slots);
      for (trace::Record& record : records_) at = trace::read_record(at, record);
      for (std::uint32_t i = block.first; i < block.first + block.count; ++i)
        if (const DecodedInst& inst = grid_.program->insts[i]; inst.slot != simt::no_slot) touch(inst, unit);
    }
  }

  void touch(const DecodedInst& inst, int unit) {
    const trace::Record& record = records_[inst.slot];
    const bool accesses = record.kind <= trace::Kind::gather32 && record.space == trace::Space::global;
    if (!accesses || record.mask == 0) return;
    const Access access = access_of(inst.memory);
    const bool atomic = access == Access::atomic || access == Access::reduction;
    const Footprint& f = coalescer_(record, inst.bytes, grid_.patterns, grid_.strides, grid_.serial,
                                    atomic ? Use::atomic : Use::plain);
    for (int i = 0; i < f.lines; ++i) memory_.touch(unit, f.base_line + f.line[i], f.sectors[i], access);
  }

  const Grid& grid_;
  MemorySystem& memory_;
  Coalescer coalescer_;
  std::span<simt::BlockCount> done_;
  std::vector<trace::Record> records_;
};

}  // namespace

void Device::Impl::disturb() {
  for (const ItemRef& item : kernels)
    if (item->sampler) item->sampler->disturb();
}

Sampler::Memory Device::Impl::sampled_memory() const {
  const double dies = p.dies;
  return {static_cast<double>(chip.l2.bytes_per_die) * dies,
          chip.hbm.bandwidth_per_die * dies * 1e3 / clock.mhz(), 1 << p.sector_shift};
}

Cycle Device::Impl::next_sample() const {
  Cycle next = never;
  for (const ItemRef& item : kernels)
    if (item->sampler) next = std::min(next, item->sampler->next());
  return next;
}

/// The samplers whose time has come look at their grids. False: what would be passed over may reach beyond
/// `limit`, and is left for later. Until then nothing is decided, so that it does not show who asks when.
bool Device::Impl::take_samples(const Picoseconds* limit) {
  for (const ItemRef& item : kernels) {
    if (!item->sampler || item->sampler->next() > present) continue;
    Sampler& sampler = *item->sampler;
    const bool alone = kernels.size() == 1 && copies.empty();
    if (sampler.wanted() == 0) {
      if (!alone) sampler.disturb();
      sampler.observe({present, item->launch->started, item->launch->ended, simulated(*item)});
    }
    if (sampler.wanted() == 0) continue;
    const Cycle most = sampler.estimate(sampler.wanted());
    const bool meets_others =
        std::any_of(waiting_to_begin.begin(), waiting_to_begin.end(),
                    [&](const ItemRef& other) { return other->first < present + most; });
    if (!alone || meets_others || item->source->failed()) {
      sampler.decline();
      continue;
    }
    if (limit && clock.at(present) + clock.duration_of(most) > *limit) return false;
    pass_over(*item);
  }
  return true;
}

/// Makes L2 what these CTAs would leave.
void Device::Impl::run_for_l2(const Item& item, std::span<const trace::CtaRange> ctas,
                              std::span<simt::BlockCount> done) {
  Puller puller(p, item.launch->grid, memory, done);
  std::vector<std::vector<int>> units_of(ctas.size());
  for (const int unit : p.cta_schedule->order(p))
    units_of[static_cast<std::size_t>(p.cta_schedule->share_of(p, unit))].push_back(unit);
  std::uint64_t most = 0;
  for (const trace::CtaRange range : ctas) most = std::max(most, range.count());
  for (std::uint64_t i = 0; i < most && !item.source->failed(); ++i)
    for (std::size_t s = 0; s < ctas.size(); ++s)
      if (i < ctas[s].count()) puller.run(ctas[s].begin + i, units_of[s][i % units_of[s].size()]);
}

void Device::Impl::pass_over(Item& item) {
  Sampler& sampler = *item.sampler;
  Launch& launch = *item.launch;
  const std::uint64_t ctas = sampler.wanted(), warm = sampler.warming();
  std::vector<simt::BlockCount> done(item.decoded->blocks.size());
  std::vector<trace::CtaRange> cold = dispatcher.following(launch, ctas - warm), pulled;
  if (!item.source->run_untraced(cold, done)) return sampler.stop();
  dispatcher.pass_over(launch, ctas - warm);
  pulled = dispatcher.following(launch, warm);
  run_for_l2(item, pulled, done);
  dispatcher.pass_over(launch, warm);

  Counters exact;
  for (std::size_t b = 0; b < done.size(); ++b)
    item.decoded->blocks[b].count_runs(done[b].warps, done[b].threads, exact);
  const Cycle slots = static_cast<Cycle>(launch.grid.ctas_per_unit) * p.units;
  const Sampler::Passed passed =
      sampler.passed(ctas, exact, static_cast<Cycle>(ctas) * p.cta_launch_latency / slots);
  Counters counters = passed.counters;
  counters.unit_active_cycles =
      static_cast<std::uint64_t>(passed.cycles) * static_cast<std::uint64_t>(p.units);
  item.passed.add(counters);
  item.window_mark.add(counters);
  item.passed_cycles += passed.cycles;
  const Picoseconds duration = clock.duration_of(passed.cycles);
  clock.pass(present, duration);
  if (governor) {
    window_end += duration;
    window_end_cycle = clock.from(window_end);
  }
  for (const ItemRef& other : waiting_to_begin) other->first = std::max(present, clock.from(other->begin));
}

}  // namespace wanren::timing
