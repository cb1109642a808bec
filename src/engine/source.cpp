#include "engine/source.h"

#include <algorithm>
#include <bit>
#include <deque>
#include <map>

#include "engine/cta.h"
#include "engine/diagnose.h"
#include "engine/grid.h"
#include "trace/trace.h"

namespace wanren::engine {
namespace {

using SteadyClock = WatchdogScope::Clock;

// 4 KiB: the buffers of all warps resident on a big chip stay in the host's last cache between being
// written and read, and handing over one of them takes no time beside reading it.
constexpr std::size_t buffer_words = 512;

/// One filled trace buffer, or what is left of it after a chunk was handed out.
struct Filled {
  std::unique_ptr<std::uint64_t[]> words;
  std::size_t count = 0;
  trace::Chunk::End end = trace::Chunk::End::more;
  std::uint64_t sleep_ns = 0;
};

/// A warp's side of the trace: buffers filled ahead, and the one lent to the consumer.
struct WarpTrace {
  std::deque<Filled> ahead;
  std::unique_ptr<std::uint64_t[]> current;  ///< Being written.
  std::unique_ptr<std::uint64_t[]> lent;
  std::size_t kept = 0;  ///< Words of `current` that a wait for a phase has left unfinished.
  bool asleep = false;   ///< Yielded for time: needs a Moment before it runs on.
  bool exited = false;
};

struct Slot {
  Slot() = default;
  StackCache stacks;  // Outlives cta.
  std::vector<simt::BlockCount> counts;
  std::vector<WarpTrace> traces;
  std::vector<std::unique_ptr<std::uint64_t[]>> spare;
  std::unique_ptr<Cta> cta;
  struct Gang* gang = nullptr;  ///< Of a CTA in a cluster of several.
  double wall_s = 0;
};

/// A cluster of several CTAs, from the begin of its first to the end of its last.
struct Gang {
  explicit Gang(std::uint32_t size) : cluster(size) {}
  Cluster cluster;
  std::vector<Slot*> slots;
  std::vector<trace::CtaHandle> ended;
};

class Source final : public TraceSource, private Arena::WindowHolder {
 public:
  explicit Source(std::unique_ptr<Grid> grid)
      : grid_(std::move(grid)),
        leader_last_(kernel().meets_at_barriers && !kernel().prints && !kernel().needs_coupling &&
                     !ordered()) {
    grid_->arena.add_holder(this);
    for (const simt::Block& block : grid_->launch.kernel->blocks)
      block_words_ = std::max(block_words_, trace::most_words(block));
    words_ = std::max<std::size_t>(buffer_words, std::size_t{block_words_} * 2);
  }

  ~Source() override { grid_->arena.remove_holder(this); }

  const simt::Kernel& kernel() const override { return *grid_->launch.kernel; }
  std::span<const simt::LanePattern> patterns() const override { return grid_->launch.code->patterns(); }
  std::uint64_t ctas() const override { return grid_->launch.grid.count(); }
  std::uint32_t warps_per_cta() const override { return grid_->warps; }
  std::uint32_t ctas_per_cluster() const override { return grid_->ctas_per_cluster; }
  std::uint64_t cta_of(trace::ClusterPlace place) const override {
    return cta_of_cluster(grid_->launch.grid, grid_->launch.cluster, {place.cluster, place.rank});
  }
  trace::ClusterPlace place_of(std::uint64_t cta) const override {
    const ClusterPlace place = place_in_cluster(grid_->launch.grid, grid_->launch.cluster, cta);
    return {place.cluster, place.rank};
  }
  /// One warp's chunk may take those of the CTA's cluster further.
  bool ordered() const override { return kernel().order_sensitive || grid_->ctas_per_cluster > 1; }
  bool failed() const override { return grid_->failed(); }

  trace::CtaHandle begin_cta(std::uint64_t linear, std::uint32_t unit) override {
    trace::CtaHandle handle;
    Slot* slot;
    {
      std::lock_guard lock(lock_);
      if (free_.empty()) {
        slots_.emplace_back();
        free_.push_back(static_cast<trace::CtaHandle>(slots_.size() - 1));
      }
      handle = free_.back();
      free_.pop_back();
      if (slots_[handle] == nullptr) slots_[handle] = std::make_unique<Slot>();
      slot = slots_[handle].get();
    }
    if (slot->cta == nullptr) {
      slot->counts.resize(kernel().blocks.size());
      slot->traces.resize(grid_->warps);
      auto cta = Cta::create(*grid_, slot->stacks, slot->counts.data());
      if (!cta) {
        grid_->refuse(cta.error());
        return handle;
      }
      slot->cta = std::move(*cta);
    }
    slot->cta->begin(linear, unit);
    for (WarpTrace& trace : slot->traces) {
      trace.asleep = trace.exited = false;
      trace.kept = 0;
      trace.ahead.clear();
    }
    if (grid_->ctas_per_cluster > 1) gather(*slot, linear);
    return handle;
  }

  trace::Chunk next(trace::CtaHandle handle, std::uint32_t w, trace::Moment now) override {
    Slot& slot = slot_of(handle);
    if (slot.cta == nullptr) return {};
    WarpTrace& trace = slot.traces[w];
    if (trace.lent != nullptr) slot.spare.push_back(std::move(trace.lent));
    if (trace.ahead.empty() && !trace.exited && !grid_->failed()) advance(slot, w, now);
    if (grid_->failed()) return {};
    if (trace.ahead.empty()) return {};
    Filled filled = std::move(trace.ahead.front());
    trace.ahead.pop_front();
    trace.lent = std::move(filled.words);
    return {{trace.lent.get(), filled.count}, filled.end, filled.sleep_ns};
  }

  void end_cta(trace::CtaHandle handle) override {
    Slot& slot = slot_of(handle);
    if (slot.cta != nullptr) {
      WR_CHECK(slot.cta->live_warps() == 0 || grid_->failed());
      slot.cta->abandon();
      grid_->merge(slot.counts);
      grid_->add_wall(slot.wall_s);
      slot.wall_s = 0;
    }
    std::lock_guard lock(lock_);
    give_back(handle);
    // A grid that has ended keeps nothing that the next one needs.
    if (++ended_ == ctas()) release_idle();
  }

  bool skippable() const override {
    const simt::Kernel& k = kernel();
    return grid_->launch.plain && !ordered() && !grid_->together && !k.needs_coupling && !k.prints;
  }

  bool run_untraced(std::span<const trace::CtaRange> ctas, std::span<simt::BlockCount> done) override {
    if (!skippable()) return false;
    Launch plain = grid_->launch;
    plain.code = grid_->launch.plain();
    if (plain.code == nullptr) return false;
    Execution execution = execute(plain, grid_->arena, plain.plain_threads, ctas);
    if (execution.refused) grid_->refuse(*execution.refused);
    if (execution.fault.fault != simt::Fault::none) grid_->fail(execution.fault);
    for (std::size_t b = 0; b < done.size(); ++b) {
      done[b].warps += execution.counts[b].warps;
      done[b].threads += execution.counts[b].threads;
    }
    grid_->merge(execution.counts);
    grid_->add_wall(execution.wall_s);
    std::lock_guard lock(lock_);
    for (const trace::CtaRange range : ctas) ended_ += range.count();
    if (ended_ == this->ctas()) release_idle();
    return true;
  }

  Execution execution() const override {
    Execution done = grid_->execution();
    find_thread(grid_->launch, grid_->arena, done.fault);
    return done;
  }

 private:
  void gather(Slot& slot, std::uint64_t linear) {
    const ClusterPlace place = place_in_cluster(grid_->launch.grid, grid_->launch.cluster, linear);
    std::lock_guard lock(lock_);
    auto& gang = gangs_[place.cluster];
    if (gang == nullptr) gang = std::make_unique<Gang>(grid_->ctas_per_cluster);
    slot.cta->join(gang->cluster, place.rank);
    slot.gang = gang.get();
    gang->slots.push_back(&slot);
  }

  /// The slots of a cluster are free together: those that go on look at all.
  void give_back(trace::CtaHandle handle) {
    Slot& slot = *slots_[handle];
    if (slot.gang == nullptr) {
      free_.push_back(handle);
      return;
    }
    Gang& gang = *slot.gang;
    gang.ended.push_back(handle);
    if (gang.ended.size() < gang.slots.size()) return;
    free_.insert(free_.end(), gang.ended.begin(), gang.ended.end());
    for (Slot* s : gang.slots) s->gang = nullptr;
    std::erase_if(gangs_, [&](const auto& entry) { return entry.second.get() == &gang; });
  }

  void release_idle_windows() override {
    std::lock_guard lock(lock_);
    release_idle();
  }

  void release_idle() {
    for (const trace::CtaHandle handle : free_) slots_[handle].reset();
  }

  Slot& slot_of(trace::CtaHandle handle) {
    std::lock_guard lock(lock_);
    return *slots_[handle];
  }

  std::unique_ptr<std::uint64_t[]> take_buffer(Slot& slot) {
    if (slot.spare.empty()) return std::make_unique_for_overwrite<std::uint64_t[]>(words_);
    auto buffer = std::move(slot.spare.back());
    slot.spare.pop_back();
    return buffer;
  }

  /// Runs warp `w` to its next yield and files what it wrote.
  simt::Yield slice(ThreadState& state, Slot& slot, std::uint32_t w) {
    WarpTrace& trace = slot.traces[w];
    simt::WarpContext& ctx = slot.cta->warp(w);
    if (trace.current == nullptr) trace.current = take_buffer(slot);
    ctx.trace_cursor = trace.current.get() + trace.kept;
    ctx.trace_limit = trace.current.get() + (words_ - block_words_);
    const simt::Yield yield = slot.cta->run_warp(state, w);
    if (yield == simt::Yield::fault) return yield;
    const auto count = static_cast<std::size_t>(ctx.trace_cursor - trace.current.get());
    WR_CHECK(count <= words_);
    trace.kept = yield == simt::Yield::phase ? count : 0;
    if (trace.kept != 0) return yield;  // In the middle of a block: its record is yet to come.
    Filled filled;
    filled.count = count;
    switch (yield) {
      case simt::Yield::clock:
      case simt::Yield::order:
      case simt::Yield::spin: filled.end = trace::Chunk::End::coupled; break;
      case simt::Yield::sleep:
        filled.end = trace::Chunk::End::coupled;
        filled.sleep_ns = ctx.sleep_ns;
        break;
      case simt::Yield::exited: filled.end = trace::Chunk::End::exited; break;
      default: break;
    }
    if (count != 0) filled.words = std::move(trace.current);
    trace.asleep = filled.end == trace::Chunk::End::coupled;
    if (count != 0 || filled.end != trace::Chunk::End::more) trace.ahead.push_back(std::move(filled));
    trace.exited = yield == simt::Yield::exited;
    return yield;
  }

  /// Gives the warps of `of` a turn each, until warp `w` of `slot` can run.
  void run_others(ThreadState& state, Slot& of, Slot& slot, std::uint32_t w, bool& ran, bool& sleeps) {
    for (LaneMask others = of.cta->runnable_warps(); others != 0 && !slot.cta->runnable(w);
         others &= others - 1) {
      const auto other = static_cast<std::uint32_t>(std::countr_zero(others));
      sleeps = sleeps || of.traces[other].asleep;
      if (of.traces[other].asleep) continue;
      ran = true;
      if (slice(state, of, other) == simt::Yield::fault) return;
    }
  }

  /// Warp 0 comes last, as in plain runs.
  void run_ahead(ThreadState& state, Slot& slot) {
    for (LaneMask others = slot.cta->runnable_warps() & ~LaneMask{1}; others != 0; others &= others - 1) {
      const auto w = static_cast<std::uint32_t>(std::countr_zero(others));
      if (slot.traces[w].ahead.empty() && !slot.traces[w].asleep)
        if (slice(state, slot, w) == simt::Yield::fault) return;
    }
  }

  /// Runs the CTA until warp `w` has something to hand out.
  void advance(Slot& slot, std::uint32_t w, trace::Moment now) {
    ThreadState& state = thread_state();
    const FloatingPointScope floating_point;
    const auto start = SteadyClock::now();
    const double limit = kernel_time_limit_s();
    const auto deadline =
        limit <= 0 ? SteadyClock::time_point::max()
                   : start + std::chrono::duration_cast<SteadyClock::duration>(
                                 std::chrono::duration<double>(std::max(limit - slot.wall_s, 0.001)));
    const WatchdogScope watchdog(state, deadline);
    if (w == 0 && leader_last_) run_ahead(state, slot);
    WarpTrace& trace = slot.traces[w];
    if (trace.asleep) {
      simt::WarpContext& ctx = slot.cta->warp(w);
      ctx.clock_cycles = now.unit_cycles;
      ctx.clock_ns = now.nanoseconds;
      trace.asleep = false;
    }
    while (trace.ahead.empty() && !grid_->failed()) {
      if (slot.cta->runnable(w)) {
        // Its turn has come already where it stops before its first step.
        if (slice(state, slot, w) == simt::Yield::order && trace.ahead.back().count == 0) {
          trace.ahead.pop_back();
          trace.asleep = false;
        }
        continue;
      }
      // It waits at a barrier that timing has seen open, or (no record of it) that others must reach.
      bool ran = false, sleeps = false;
      run_others(state, slot, slot, w, ran, sleeps);
      if (slot.gang != nullptr) {
        WR_CHECK(slot.gang->slots.size() == grid_->ctas_per_cluster);
        for (Slot* s : slot.gang->slots)
          if (s != &slot) run_others(state, *s, slot, w, ran, sleeps);
      }
      if (ran || grid_->failed()) continue;
      if (sleeps) {
        // All others wait for time: nothing to hand out yet.
        trace.ahead.push_back({nullptr, 0, trace::Chunk::End::coupled, 0});
        break;
      }
      if (!(slot.gang ? slot.gang->cluster.expire_waits() : slot.cta->expire_waits())) break;
    }
    const double seconds = std::chrono::duration<double>(SteadyClock::now() - start).count();
    grid_->launch.code->ran(seconds);
    slot.wall_s += seconds;
  }

  std::unique_ptr<Grid> grid_;
  std::size_t words_ = 0;
  std::uint32_t block_words_ = 0;
  const bool leader_last_;
  std::mutex lock_;
  std::vector<std::unique_ptr<Slot>> slots_;
  std::vector<trace::CtaHandle> free_;
  std::map<std::uint64_t, std::unique_ptr<Gang>> gangs_;  ///< By cluster.
  std::uint64_t ended_ = 0;
};

}  // namespace

Result<std::unique_ptr<TraceSource>> trace_source(const Launch& launch, Arena& arena) {
  auto grid = Grid::create(launch, arena);
  if (!grid) return std::unexpected(grid.error());
  return std::make_unique<Source>(std::move(*grid));
}

}  // namespace wanren::engine
