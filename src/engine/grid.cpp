#include "engine/grid.h"

#include <fmt/format.h>
#include <tbb/task_arena.h>
#include <tbb/task_group.h>

#include <algorithm>
#include <chrono>
#include <deque>
#include <optional>

#include "engine/cta.h"
#include "engine/diagnose.h"
#include "engine/services.h"

namespace wanren::engine {
namespace {

using SteadyClock = WatchdogScope::Clock;

constexpr std::uint32_t most_threads = 1024;
constexpr std::uint32_t shared_round = 16;

SteadyClock::time_point deadline_from(SteadyClock::time_point start) {
  const double limit = kernel_time_limit_s();
  if (limit <= 0) return SteadyClock::time_point::max();
  return start + std::chrono::duration_cast<SteadyClock::duration>(std::chrono::duration<double>(limit));
}

/// What one host thread needs to run CTAs, set up once per grid.
struct Worker {
  explicit Worker(Grid& grid, SteadyClock::time_point deadline)
      : grid(grid),
        state(thread_state()),
        counts(grid.launch.kernel->blocks.size()),
        watchdog(state, deadline) {}
  ~Worker() { grid.merge(counts); }

  std::unique_ptr<Cta> make() {
    auto cta = Cta::create(grid, stacks, counts.data());
    if (cta) return std::move(*cta);
    grid.refuse(cta.error());
    return nullptr;
  }

  Grid& grid;
  ThreadState& state;
  std::vector<simt::BlockCount> counts;
  StackCache stacks;
  WatchdogScope watchdog;
  FloatingPointScope floating_point;
};

/// Tells the code how long it runs.
class RunTime {
 public:
  explicit RunTime(const Grid& grid) : code_(*grid.launch.code), wanted_(code_.wants_time()) {
    if (wanted_) since_ = SteadyClock::now();
  }
  void tell() {
    if (!wanted_) return;
    const auto now = SteadyClock::now();
    code_.ran(std::chrono::duration<double>(now - since_).count());
    since_ = now;
    wanted_ = code_.wants_time();
  }

 private:
  const KernelCode& code_;
  bool wanted_;
  SteadyClock::time_point since_;
};

/// CTAs that are resident together: a cluster, or one CTA.
class Gang {
 public:
  /// False: refused.
  bool make(Worker& worker) {
    for (std::uint32_t i = 0; i < worker.grid.ctas_per_cluster; ++i) {
      ctas_.push_back(worker.make());
      if (ctas_.back() == nullptr) return false;
    }
    return true;
  }

  void begin(const Launch& launch, std::uint64_t cluster) {
    if (ctas_.size() == 1) {
      ctas_[0]->begin(cluster, static_cast<std::uint32_t>(cluster % launch.units));
      return;
    }
    cluster_.emplace(static_cast<std::uint32_t>(ctas_.size()));
    for (std::uint32_t rank = 0; rank < ctas_.size(); ++rank) {
      const std::uint64_t linear = cta_of_cluster(launch.grid, launch.cluster, {cluster, rank});
      ctas_[rank]->begin(linear, static_cast<std::uint32_t>(linear % launch.units));
      ctas_[rank]->join(*cluster_, rank);
    }
  }

  Cta::Outcome run(ThreadState& state, bool give_way, std::uint64_t& clock) {
    if (ctas_.size() == 1) return ctas_[0]->run(state, give_way, clock);
    for (;;) {
      bool live = false, ran = false;
      for (const auto& cta : ctas_) {
        live = live || cta->live_warps() != 0;
        if (cta->runnable_warps() == 0) continue;
        ran = true;
        if (cta->run(state, true, clock) == Cta::Outcome::failed) return Cta::Outcome::failed;
      }
      if (!live) return Cta::Outcome::finished;
      if (!ran && !cluster_->expire_waits()) return Cta::Outcome::failed;
      if (give_way) return Cta::Outcome::spinning;
    }
  }

 private:
  std::optional<Cluster> cluster_;
  std::vector<std::unique_ptr<Cta>> ctas_;
};

/// Gangs of the range in any order, on any thread.
void run_independent(Grid& grid, int threads, SteadyClock::time_point deadline, trace::CtaRange range) {
  const std::uint64_t gangs = range.end;
  const std::uint64_t chunk =
      std::clamp<std::uint64_t>(range.count() / (static_cast<std::uint64_t>(threads) * 16), 1, 64);
  std::atomic<std::uint64_t> next{range.begin};
  DeviceRuntime& runtime = grid.arena.runtime();
  const std::uint64_t clock_start = runtime.clock();
  const bool straight = grid.launch.code->never_yields() && grid.ctas_per_cluster == 1;
  const auto work = [&] {
    Worker worker(grid, deadline);
    if (straight) {
      const auto cta = worker.make();
      if (cta == nullptr) return;
      std::uint64_t latest = clock_start;
      while (!grid.failed()) {
        const std::uint64_t begin = next.fetch_add(chunk, std::memory_order_relaxed);
        if (begin >= gangs) break;
        std::uint64_t clock = clock_start;
        if (!cta->run_straight(worker.state, begin, std::min(begin + chunk, gangs), clock)) return;
        latest = std::max(latest, clock);
      }
      runtime.advance_clock(latest);
      return;
    }
    Gang gang;
    if (!gang.make(worker)) return;
    std::uint64_t latest = clock_start;
    RunTime time(grid);
    while (!grid.failed()) {
      time.tell();
      const std::uint64_t begin = next.fetch_add(chunk, std::memory_order_relaxed);
      if (begin >= gangs) break;
      for (std::uint64_t i = begin; i < std::min(begin + chunk, gangs) && !grid.failed(); ++i) {
        // Each cluster's clock starts anew: what it reads does not depend on who runs it.
        std::uint64_t clock = clock_start;
        gang.begin(grid.launch, i);
        if (gang.run(worker.state, false, clock) == Cta::Outcome::failed) return;
        latest = std::max(latest, clock);
      }
    }
    time.tell();
    runtime.advance_clock(latest);
  };
  if (threads <= 1) {
    work();
    return;
  }
  tbb::task_arena workers(threads);
  workers.execute([&] {
    tbb::task_group group;
    for (int i = 1; i < threads; ++i) group.run(work);
    group.run_and_wait(work);
  });
}

/// CTAs that wait for each other: the next cluster begins when all that live only wait, or one has ended.
void run_together(Grid& grid, SteadyClock::time_point deadline) {
  const std::uint64_t gangs = grid.launch.grid.count() / grid.ctas_per_cluster;
  std::uint64_t most = grid.launch.resident_ctas != 0 ? grid.launch.resident_ctas : 32ull * grid.launch.units;
  most = std::max<std::uint64_t>(most / grid.ctas_per_cluster, 1);
  if (grid.launch.cooperative) most = std::max(most, gangs);
  most = std::min<std::uint64_t>({most, gangs, grid.arena.window_count() / grid.ctas_per_cluster});
  Worker worker(grid, deadline);
  std::vector<std::unique_ptr<Gang>> idle;
  std::deque<std::unique_ptr<Gang>> resident;
  std::uint64_t next = 0;
  std::uint64_t clock = grid.arena.runtime().clock();
  RunTime time(grid);
  while (next < gangs || !resident.empty()) {
    time.tell();
    std::unique_ptr<Gang> gang;
    if (next < gangs && resident.size() < most) {
      if (idle.empty()) {
        gang = std::make_unique<Gang>();
        if (!gang->make(worker)) return;
      } else {
        gang = std::move(idle.back());
        idle.pop_back();
      }
      gang->begin(grid.launch, next++);
    } else {
      gang = std::move(resident.front());
      resident.pop_front();
    }
    switch (gang->run(worker.state, true, clock)) {
      case Cta::Outcome::finished: idle.push_back(std::move(gang)); break;
      case Cta::Outcome::spinning: resident.push_back(std::move(gang)); break;
      case Cta::Outcome::failed: return;
    }
  }
  time.tell();
  grid.arena.runtime().advance_clock(clock);
}

}  // namespace

Result<std::unique_ptr<Grid>> Grid::create(const Launch& launch, Arena& arena) {
  WR_CHECK(launch.kernel != nullptr && launch.code != nullptr);
  WR_CHECK(launch.global_addresses.size() >= launch.kernel->globals.size());
  WR_CHECK(launch.units > 0);
  const std::uint64_t threads = launch.block.count();
  if (threads == 0 || launch.grid.count() == 0) return wanren::fail(launch.name, "a launch of no threads");
  if (threads > most_threads)
    return wanren::fail(launch.name,
                        fmt::format("{} threads per CTA; the limit is {}", threads, most_threads));
  if (launch.parameters.size() < launch.kernel->parameter_bytes)
    return wanren::fail(launch.name, fmt::format("{} bytes of parameters where the kernel takes {}",
                                                 launch.parameters.size(), launch.kernel->parameter_bytes));
  const Dim3 cluster = launch.cluster;
  if (cluster.count() == 0 || launch.grid.x % cluster.x != 0 || launch.grid.y % cluster.y != 0 ||
      launch.grid.z % cluster.z != 0)
    return wanren::fail(launch.name, fmt::format("the grid is no whole number of clusters of {}x{}x{}",
                                                 cluster.x, cluster.y, cluster.z));
  std::unique_ptr<Grid> grid(new Grid(launch, arena));
  grid->ctas_per_cluster = static_cast<std::uint32_t>(cluster.count());
  grid->threads = static_cast<std::uint32_t>(threads);
  grid->warps = (grid->threads + warp_size - 1) / warp_size;
  const std::uint32_t fixed = launch.kernel->static_shared_bytes;
  grid->total_shared_bytes =
      launch.dynamic_shared_bytes == 0
          ? fixed
          : (fixed + shared_round - 1) / shared_round * shared_round + launch.dynamic_shared_bytes;
  for (const simt::Block& block : launch.kernel->blocks) grid->spins = grid->spins || block.term.spins;
  grid->together = launch.cooperative || launch.kernel->waits_for_ctas;
  // Room for the engine's services, and for a signal-free margin above the code's own need.
  grid->code_stack_bytes = launch.code->stack_bytes();
  grid->stack_bytes = grid->code_stack_bytes + (16 << 10);
  grid->tid.resize(std::size_t{grid->warps} * 3 * warp_size);
  for (std::uint32_t t = 0; t < grid->warps * warp_size; ++t) {
    std::uint32_t* row = &grid->tid[std::size_t{t / warp_size} * 3 * warp_size + t % warp_size];
    row[0] = t % launch.block.x;
    row[warp_size] = t / launch.block.x % launch.block.y;
    row[2 * warp_size] = t / launch.block.x / launch.block.y;
  }
  grid->counts_.resize(launch.kernel->blocks.size());
  auto parameters = arena.acquire_parameters(launch.parameters);
  if (!parameters) return std::unexpected(parameters.error());
  grid->parameters = *parameters;
  install_fault_handlers();
  return grid;
}

Grid::~Grid() {
  if (parameters != nullptr) arena.release_parameters(parameters);
}

void Grid::fail(FaultReport report) {
  std::lock_guard lock(lock_);
  if (!failed_.exchange(true)) fault_ = std::move(report);
}

void Grid::refuse(Error error) {
  std::lock_guard lock(lock_);
  if (!failed_.exchange(true)) refused_ = std::move(error);
}

void Grid::merge(std::vector<simt::BlockCount>& counts) {
  std::lock_guard lock(lock_);
  for (std::size_t i = 0; i < counts_.size(); ++i) {
    counts_[i].warps += counts[i].warps;
    counts_[i].threads += counts[i].threads;
    counts[i] = {};
  }
}

void Grid::add_wall(double seconds) {
  std::lock_guard lock(lock_);
  wall_s_ += seconds;
}

Execution Grid::execution() const {
  std::lock_guard lock(lock_);
  Execution done;
  done.fault = fault_;
  done.refused = refused_;
  done.counts = counts_;
  done.wall_s = wall_s_;
  done.handed_over = handed_over_;
  return done;
}

Execution execute(const Launch& launch, Arena& arena, int threads, std::span<const trace::CtaRange> some) {
  auto grid = Grid::create(launch, arena);
  if (!grid) {
    Execution refused;
    refused.refused = grid.error();
    return refused;
  }
  const auto start = SteadyClock::now();
  const auto deadline = deadline_from(start);
  const trace::CtaRange all{0, launch.grid.count() / (*grid)->ctas_per_cluster};
  if (some.empty()) some = {&all, 1};
  WR_CHECK(some.data() == &all || (!(*grid)->together && (*grid)->ctas_per_cluster == 1));
  if ((*grid)->together)
    run_together(**grid, deadline);
  else
    for (const trace::CtaRange range : some)
      run_independent(**grid, launch.kernel->order_sensitive ? 1 : threads, deadline, range);
  (*grid)->add_wall(std::chrono::duration<double>(SteadyClock::now() - start).count());
  Execution done = (*grid)->execution();
  find_thread(launch, arena, done.fault);
  return done;
}

}  // namespace wanren::engine
