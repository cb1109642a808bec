#include "engine/cta.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstring>

#include "engine/services.h"
#include "interp/interp.h"

namespace wanren::engine {
namespace {

// What one clock read and one slice of a warp count in a plain run, in cycles. There is no time in a
// plain run; these only make waiting loops end.
constexpr std::uint64_t clock_read_cycles = 32;
constexpr std::uint64_t slice_cycles = 16;

// Rounds in which all warps of a CTA try the phases they wait for again, without any getting on.
constexpr std::uint32_t most_expiries = 1024;
// Turns of warps that only ask, in a CTA that nobody else can help.
constexpr std::uint32_t most_idle_turns = 1u << 20;

LaneMask lowest(std::uint32_t count) {
  return count >= 32 ? full_mask : (LaneMask{1} << count) - 1;
}

}  // namespace

StackCache::~StackCache() {
  for (const Stack& stack : free_) StackPool::instance().give(stack);
}

Result<Stack> StackCache::take(std::size_t bytes) {
  if (free_.empty()) return StackPool::instance().take(bytes);
  const Stack stack = free_.back();
  free_.pop_back();
  return stack;
}

Result<std::unique_ptr<Cta>> Cta::create(Grid& grid, StackCache& stacks, simt::BlockCount* counts) {
  const simt::Kernel& kernel = *grid.launch.kernel;
  std::unique_ptr<Cta> cta(new Cta(grid, stacks));
  const std::uint64_t frame = std::uint64_t{kernel.local_bytes} * warp_size;
  auto window = grid.arena.acquire_window(grid.total_shared_bytes, frame * grid.warps);
  if (!window) return std::unexpected(window.error());
  cta->window_ = *window;
  cta->has_window_ = true;
  // The sanitizer must see each switch.
  cta->rings_ = WANREN_FIBER_INLINE && !WANREN_ASAN && !WANREN_TSAN && kernel.meets_at_barriers;
  cta->contexts_.resize(grid.warps);
  cta->runs_.resize(grid.warps);
  const Launch& launch = grid.launch;
  for (std::uint32_t w = 0; w < grid.warps; ++w) {
    simt::WarpContext& ctx = cta->contexts_[w];
    std::memset(static_cast<void*>(&ctx), 0, sizeof ctx);
    ctx.services = services();
    ctx.warp_in_cta = w;
    ctx.parameters = grid.parameters;
    ctx.global_addresses = launch.global_addresses.data();
    const Dim3 grid_shape = launch.grid, block = launch.block;
    ctx.nctaid[0] = grid_shape.x, ctx.nctaid[1] = grid_shape.y, ctx.nctaid[2] = grid_shape.z;
    ctx.ntid[0] = block.x, ctx.ntid[1] = block.y, ctx.ntid[2] = block.z;
    const Dim3 cluster = launch.cluster;
    ctx.cluster_nctaid[0] = cluster.x, ctx.cluster_nctaid[1] = cluster.y, ctx.cluster_nctaid[2] = cluster.z;
    ctx.cluster_nctarank = grid.ctas_per_cluster;
    ctx.is_explicit_cluster = launch.explicit_cluster ? 1 : 0;
    ctx.nsmid = launch.units;
    ctx.dynamic_shared_bytes = launch.dynamic_shared_bytes;
    ctx.total_shared_bytes = grid.total_shared_bytes;
    ctx.grid_id = launch.grid_id;
    ctx.entry_mask = lowest(grid.threads - w * warp_size);
    ctx.tid = &grid.tid[std::size_t{w} * 3 * warp_size];
    ctx.arena_base = grid.arena.base();
    ctx.arena_mask = grid.arena.mask();
    ctx.shared_base = cta->window_.shared;
    ctx.windows_begin = grid.arena.windows_begin();
    ctx.windows_bytes = grid.arena.windows_bytes();
    ctx.local_base = cta->window_.local + w * frame;
    ctx.local_bytes = kernel.local_bytes;
    ctx.counts = counts;
    ctx.kernel = &kernel;
    ctx.coupled = grid.spins ? 1 : 0;
    cta->runs_[w].cta = cta.get();
    ctx.engine_private = &cta->runs_[w];
  }
  return cta;
}

Cta::~Cta() {
  abandon();
  seal(false);
  if (has_window_) grid_.arena.release_window(window_);
}

void Cta::abandon() {
  for (std::uint32_t w = 0; w < runs_.size(); ++w) {
    drop_stack(w);
    while (!runs_[w].frames.empty()) give_frame(w);
  }
  live_ = runnable_ = waiting_ = 0;
}

// Frames of a kernel without functions are of one size and used again.
std::uint64_t* Cta::take_frame(std::uint32_t w, simt::FunctionId function) {
  grid_.note_hand_over();
  const simt::Kernel& kernel = *grid_.launch.kernel;
  auto& frames = runs_[w].frames;
  const std::size_t words = interp::frame_words(kernel, function);
  if (kernel.functions.empty() && !spare_frames_.empty()) {
    frames.push_back(std::move(spare_frames_.back()));
    spare_frames_.pop_back();
    std::fill_n(frames.back().get(), words, 0);
  } else {
    frames.push_back(std::make_unique<std::uint64_t[]>(words));
  }
  return frames.back().get();
}

void Cta::give_frame(std::uint32_t w) {
  auto& frames = runs_[w].frames;
  if (grid_.launch.kernel->functions.empty()) spare_frames_.push_back(std::move(frames.back()));
  frames.pop_back();
}

void Cta::drop_stack(std::uint32_t w) {
  if (!runs_[w].has_stack) return;
  stacks_.give(runs_[w].stack);
  runs_[w].has_stack = false;
}

void Cta::choose_code() {
  const KernelCode& code = grid_.launch.code->begin(grid_.code_stack_bytes);
  if (runs_[0].code == &code) return;
  entry_ = code.entry();
  for (WarpRun& run : runs_) run.code = &code;
}

void Cta::begin(std::uint64_t linear, std::uint32_t unit) {
  choose_code();
  const Dim3 shape = grid_.launch.grid;
  const auto x = static_cast<std::uint32_t>(linear % shape.x);
  const auto y = static_cast<std::uint32_t>(linear / shape.x % shape.y);
  const auto z = static_cast<std::uint32_t>(linear / shape.x / shape.y);
  for (simt::WarpContext& ctx : contexts_) {
    ctx.ctaid[0] = x, ctx.ctaid[1] = y, ctx.ctaid[2] = z;
    ctx.linear_cta_low = static_cast<std::uint32_t>(linear);
    ctx.linear_cta_high = static_cast<std::uint32_t>(linear >> 32);
    ctx.smid = unit;
    ctx.turns = 0;
    ctx.wait_inst = nullptr;
    ctx.yield = simt::Yield::none;
  }
  waiting_ = 0;
  idle_ = expiries_ = 0;
  phases_.clear();
  cluster_ = nullptr;
  live_ = runnable_ = lowest(grid_.warps);
  while (used_barriers_ != 0) {
    barriers_[static_cast<std::size_t>(std::countr_zero(used_barriers_))] = Barrier{};
    used_barriers_ &= used_barriers_ - 1;
  }
}

/// Shared memory of a CTA that has exited is out of the others' reach.
void Cta::seal(bool sealed) {
  if (sealed_ == sealed) return;
  sealed_ = sealed;
  grid_.arena.seal_shared(window_, sealed);
}

void Cta::join(Cluster& cluster, std::uint32_t rank) {
  seal(false);
  cluster_ = &cluster;
  rank_ = rank;
  cluster.join(*this, rank);
  for (simt::WarpContext& ctx : contexts_) ctx.cluster_shared = cluster.windows();
}

Cluster& Cta::cluster() {
  if (cluster_ == nullptr) {
    alone_ = std::make_unique<Cluster>(1);
    alone_->join(*this, 0);
    cluster_ = alone_.get();
  }
  return *cluster_;
}

Dim3 Cta::id() const {
  return {contexts_[0].ctaid[0], contexts_[0].ctaid[1], contexts_[0].ctaid[2]};
}

[[gnu::noinline]] void Cta::answer(const Barrier& barrier) {
  for (LaneMask left = barrier.waiting; left != 0; left &= left - 1) {
    simt::WarpContext& ctx = contexts_[static_cast<std::size_t>(std::countr_zero(left))];
    switch (static_cast<ptx::Barrier>(ctx.barrier_kind)) {
      case ptx::Barrier::red_popc: ctx.barrier_result = barrier.predicates; break;
      case ptx::Barrier::red_and: ctx.barrier_result = barrier.all ? 1 : 0; break;
      case ptx::Barrier::red_or: ctx.barrier_result = barrier.predicates != 0 ? 1 : 0; break;
      default: break;
    }
  }
}

inline void Cta::open(Barrier& barrier) {
  if (barrier.reduces) answer(barrier);
  runnable_ |= barrier.waiting;
  barrier = Barrier{};
}

[[gnu::noinline]] void Cta::reduce(Barrier& barrier, const simt::WarpContext& ctx) {
  barrier.reduces = true;
  barrier.predicates += static_cast<std::uint32_t>(std::popcount(ctx.barrier_mask & ctx.barrier_predicate));
  barrier.all = barrier.all && (ctx.barrier_mask & ~ctx.barrier_predicate) == 0;
}

// PTX ISA, bar: a warp arrives as a whole, whatever lanes of it are active; without a thread count all
// warps take part that have not exited.
inline bool Cta::arrive(std::uint32_t w) {
  simt::WarpContext& ctx = contexts_[w];
  const auto kind = static_cast<ptx::Barrier>(ctx.barrier_kind);
  Barrier& barrier = barriers_[ctx.barrier_id & 15];
  used_barriers_ |= 1u << (ctx.barrier_id & 15);
  ++barrier.arrived;
  barrier.who |= LaneMask{1} << w;
  barrier.expected = (ctx.barrier_threads + warp_size - 1) / warp_size;
  const bool waits = kind != ptx::Barrier::arrive;
  if (waits) {
    if (kind != ptx::Barrier::sync) reduce(barrier, ctx);
    barrier.waiting |= LaneMask{1} << w;
    runnable_ &= ~(LaneMask{1} << w);
  }
  open_if_complete(barrier);
  return waits;
}

// A product is done once all warps of its group have come to it: none of them goes on before, and tells
// others, for one, that what the product reads may be overwritten. Meeting at the wait is more than the
// manual asks.
void Cta::meet_warpgroup(std::uint32_t w) {
  const std::uint32_t group = w / warps_per_group, id = named_barriers + group;
  Barrier& barrier = barriers_[id];
  used_barriers_ |= 1u << id;
  ++barrier.arrived;
  barrier.who |= LaneMask{1} << w;
  barrier.waiting |= LaneMask{1} << w;
  barrier.expected = std::min(warps_per_group, warps() - group * warps_per_group);
  runnable_ &= ~(LaneMask{1} << w);
  open_if_complete(barrier);
}

bool Cta::start(std::uint32_t w, simt::WarpEntry entry) {
  WarpRun& run = runs_[w];
  if (!stacks_.empty()) {
    run.stack = stacks_.pop();
  } else {
    auto stack = stacks_.take(grid_.stack_bytes);
    if (!stack) {
      grid_.refuse(stack.error());
      return false;
    }
    run.stack = *stack;
  }
  run.has_stack = true;
  prepare_fiber(&contexts_[w], run.stack, entry);
  return true;
}

void Cta::exit(std::uint32_t w) {
  const LaneMask bit = LaneMask{1} << w;
  live_ &= ~bit;
  runnable_ &= ~bit;
  drop_stack(w);
  for (std::uint32_t left = used_barriers_; left != 0; left &= left - 1) {
    Barrier& barrier = barriers_[static_cast<std::size_t>(std::countr_zero(left))];
    if (barrier.expected == 0 && barrier.arrived != 0) open_if_complete(barrier);
  }
  if (cluster_ == nullptr) return;
  cluster_->open_if_complete();
  if (live_ == 0 && cluster_->size() > 1) seal(true);
}

/// Does what warp `w`'s yield asks of the CTA; `again`: the warp did not have to wait.
inline simt::Yield Cta::heed(ThreadState& state, std::uint32_t w, bool& again) {
  simt::WarpContext& ctx = contexts_[w];
  const simt::Yield yield = ctx.yield;
  again = false;
  if (yield == simt::Yield::spin || yield == simt::Yield::sleep) {
    if (waits_in_vain(w)) return simt::Yield::fault;
    return yield;
  }
  if (yield != simt::Yield::phase && yield != simt::Yield::trace_full) idle_ = expiries_ = 0;
  if (yield == simt::Yield::barrier) [[likely]] {
    if (ctx.barrier_id > 15) {
      grid_.fail(describe_cta(grid_.launch, simt::Fault::illegal_instruction, id(),
                              fmt::format("barrier {} does not exist", ctx.barrier_id)));
      return simt::Yield::fault;
    }
    again = !arrive(w);
  } else if (yield == simt::Yield::products) {
    meet_warpgroup(w);
  } else if (yield == simt::Yield::exited) {
    exit(w);
  } else if (yield == simt::Yield::cluster) {
    if (!cluster().waits(rank_, w, ctx.barrier_mask)) return yield;
    runnable_ &= ~(LaneMask{1} << w);
    cluster().park(rank_, w);
  } else if (yield == simt::Yield::phase) {
    runnable_ &= ~(LaneMask{1} << w);
    waiting_ |= LaneMask{1} << w;
  } else if (yield == simt::Yield::fault) {
    state.warp = nullptr;
    grid_.fail(describe(grid_.launch, grid_.arena, ctx, state.fault));
  }
  return yield;
}

inline simt::Yield Cta::step(ThreadState& state, std::uint32_t w) {
  if (!runs_[w].has_stack && !start(w)) return simt::Yield::fault;
  for (;;) {
    run_slice(state, &contexts_[w]);
    bool again = false;
    const simt::Yield yield = heed(state, w, again);
    if (!again) return yield;
  }
}

// Warp 0 comes last in each turn: programs let it write what all read after the barrier before, and leave out
// the one between. Where lines are printed, warps come in their natural order.
inline std::uint32_t Cta::first_of(LaneMask warps) const {
  const LaneMask others = warps & ~LaneMask{1};
  return static_cast<std::uint32_t>(
      std::countr_zero(others == 0 || grid_.launch.kernel->prints ? warps : others));
}

/// The warps whose turn comes before that of warp `w`.
inline LaneMask Cta::before(std::uint32_t w) const {
  const LaneMask lower = (LaneMask{1} << w) - 1;
  if (grid_.launch.kernel->prints) return lower;
  return w == 0 ? ~LaneMask{1} : lower & ~LaneMask{1};
}

// All live warps are runnable and none has reached barrier 0. In the ring they hand over to each other at
// each `bar.sync 0`, the last one to the first: when one of them runs, those before it have
// arrived and those after it have not. That needs no counting until a warp yields for another reason.
simt::Yield Cta::ring_step(ThreadState& state, std::uint32_t& w) {
  const LaneMask members = live_;
  simt::WarpContext* last = nullptr;
  for (LaneMask left = members; left != 0;) {
    const std::uint32_t i = first_of(left);
    left &= ~(LaneMask{1} << i);
    if (!runs_[i].has_stack && !start(i)) return simt::Yield::fault;
    contexts_[i].running = &state.warp;
    if (last != nullptr) last->ring_next = &contexts_[i];
    last = &contexts_[i];
  }
  last->ring_next = &contexts_[w];
  run_slice(state, &contexts_[w]);
  w = state.warp->warp_in_cta;
  for (LaneMask left = members; left != 0; left &= left - 1)
    contexts_[static_cast<std::size_t>(std::countr_zero(left))].ring_next = nullptr;
  if (const LaneMask arrived = members & before(w); arrived != 0) {
    Barrier& barrier = barriers_[0];
    used_barriers_ |= 1;
    barrier.arrived = static_cast<std::uint32_t>(std::popcount(arrived));
    barrier.who = barrier.waiting = arrived;
    runnable_ &= ~arrived;
    for (LaneMask left = arrived; left != 0; left &= left - 1)
      contexts_[static_cast<std::size_t>(std::countr_zero(left))].barrier_kind =
          static_cast<std::uint32_t>(ptx::Barrier::sync);
  }
  bool again = false;
  const simt::Yield yield = heed(state, w, again);
  return again ? step(state, w) : yield;
}

// On the fiber of warp 0. Every warp has its own context, as services ask for it, and the same stack.
void Cta::straight(simt::WarpContext* first) {
  const auto* run = static_cast<const WarpRun*>(first->engine_private);
  Cta& cta = *static_cast<Cta*>(run->cta);
  ThreadState& state = *cta.straight_state_;
  const simt::WarpEntry entry = cta.entry_;
  const std::size_t warps = cta.contexts_.size();
  for (std::size_t w = 1; w < warps; ++w) {
    cta.contexts_[w].engine_stack = first->engine_stack;
    cta.runs_[w].stack = run->stack;
  }
  const Dim3 shape = cta.grid_.launch.grid;
  const std::uint32_t units = cta.grid_.launch.units;
  const std::uint64_t begin = cta.straight_first_, last = cta.straight_last_;
  auto x = static_cast<std::uint32_t>(begin % shape.x);
  auto y = static_cast<std::uint32_t>(begin / shape.x % shape.y);
  auto z = static_cast<std::uint32_t>(begin / shape.x / shape.y);
  auto unit = static_cast<std::uint32_t>(begin % units);
  for (std::uint64_t linear = begin; linear < last && !cta.grid_.failed(); ++linear) {
    for (std::size_t w = 0; w < warps; ++w) {
      simt::WarpContext& ctx = cta.contexts_[w];
      ctx.ctaid[0] = x, ctx.ctaid[1] = y, ctx.ctaid[2] = z;
      ctx.linear_cta_low = static_cast<std::uint32_t>(linear);
      ctx.linear_cta_high = static_cast<std::uint32_t>(linear >> 32);
      ctx.smid = unit;
      state.warp = &ctx;
      entry(&ctx);
    }
    if (++unit == units) unit = 0;
    if (++x == shape.x) {
      x = 0;
      if (++y == shape.y) y = 0, ++z;
    }
  }
  state.warp = first;
}

bool Cta::run_straight(ThreadState& state, std::uint64_t first, std::uint64_t last, std::uint64_t& clock) {
  choose_code();
  clock += slice_cycles * grid_.warps;
  straight_first_ = first;
  straight_last_ = last;
  straight_state_ = &state;
  if (!start(0, &Cta::straight)) return false;
  run_slice(state, contexts_.data());
  simt::WarpContext& ended = *state.warp;
  state.warp = nullptr;
  const bool failed = ended.yield != simt::Yield::exited;
  WR_CHECK(!failed || ended.yield == simt::Yield::fault);
  if (failed) grid_.fail(describe(grid_.launch, grid_.arena, ended, state.fault));
  drop_stack(0);
  return !failed;
}

simt::Yield Cta::run_warp(ThreadState& state, std::uint32_t w) {
  const simt::Yield yield = step(state, w);
  state.warp = nullptr;
  return yield;
}

std::uint32_t Cta::phases(const std::uint8_t* mbarrier, std::uint32_t now) {
  auto at =
      std::find_if(phases_.begin(), phases_.end(), [&](const Phases& p) { return p.mbarrier == mbarrier; });
  if (at == phases_.end()) at = phases_.insert(at, {mbarrier, 0});
  if (now == 0) return at->completed;
  at->completed += now;
  idle_ = expiries_ = 0;
  for (LaneMask left = waiting_; left != 0; left &= left - 1) {
    const auto w = static_cast<std::size_t>(std::countr_zero(left));
    if (contexts_[w].wait_mbarrier != mbarrier) continue;
    waiting_ &= ~(LaneMask{1} << w);
    runnable_ |= LaneMask{1} << w;
  }
  return at->completed;
}

// A wait's time limit is the implementation's choice (PTX ISA, mbarrier.try_wait): it passes when nobody else
// can run. Lanes of the same warp that others wait for get their turn then.
bool Cta::expire_waits() {
  if (waiting_ == 0 || ++expiries_ > most_expiries) {
    report_deadlock();
    return false;
  }
  for (LaneMask left = waiting_; left != 0; left &= left - 1)
    contexts_[static_cast<std::size_t>(std::countr_zero(left))].wait_expired = 1;
  runnable_ |= waiting_;
  waiting_ = 0;
  return true;
}

/// Warps of this CTA that spin can be helped only by others of it; counts their turns.
bool Cta::waits_in_vain(std::uint32_t w) {
  if (grid_.together || !grid_.spins || ++idle_ < most_idle_turns) return false;
  if (contexts_[w].wait_inst != nullptr) {
    waiting_ |= LaneMask{1} << w;
    report_deadlock();
    return true;
  }
  grid_.fail(
      describe_cta(grid_.launch, simt::Fault::deadlock, id(),
                   fmt::format("its warps have asked for the end of a phase {} times in vain", idle_)));
  return true;
}

void Cta::report_deadlock() {
  FaultReport place;
  std::string why = "no warp can run;";
  for (LaneMask left = waiting_; left != 0; left &= left - 1)
    why += " " + describe_wait(contexts_[static_cast<std::size_t>(std::countr_zero(left))], place) + ";";
  for (std::size_t i = 0; i < barriers_.size(); ++i) {
    const Barrier& barrier = barriers_[i];
    if (barrier.waiting == 0) continue;
    const int expected = barrier.expected == 0 ? std::popcount(live_) : static_cast<int>(barrier.expected);
    why += i < named_barriers ? fmt::format(" barrier {} has {} of {} warps;", i, barrier.arrived, expected)
                              : fmt::format(" wgmma.wait_group of warpgroup {} has {} of {} warps;",
                                            i - named_barriers, barrier.arrived, expected);
  }
  if (cluster_ != nullptr) why += cluster_->lacks();
  why.pop_back();
  FaultReport report = describe_cta(grid_.launch, simt::Fault::deadlock, id(), why);
  report.ptx_line = place.ptx_line;
  report.source_line = place.source_line;
  report.source_file = place.source_file;
  grid_.fail(std::move(report));
}

Cta::Outcome Cta::run(ThreadState& state, bool give_way, std::uint64_t& clock) {
  const Outcome outcome = run_all(state, give_way, clock);
  state.warp = nullptr;
  return outcome;
}

Cta::Outcome Cta::run_all(ThreadState& state, bool give_way, std::uint64_t& clock) {
  while (live_ != 0) {
    if (runnable_ == 0) {
      if (cluster_ != nullptr && cluster_->size() > 1) return Outcome::spinning;
      if (!expire_waits()) return Outcome::failed;
    }
    bool progress = false;
    bool ring = rings_ && runnable_ == live_ && (live_ & (live_ - 1)) != 0 && barriers_[0].arrived == 0;
    for (LaneMask pass = runnable_; pass != 0;) {
      std::uint32_t w = first_of(pass);
      for (bool again = true; again;) {
        again = false;
        const simt::Yield yield = ring ? ring_step(state, w) : step(state, w);
        if (ring) pass &= ~before(w);  // They have had their turn.
        pass &= ~(LaneMask{1} << w);
        ring = false;
        switch (yield) {
          case simt::Yield::barrier:
          case simt::Yield::products:
          case simt::Yield::cluster:
          case simt::Yield::exited: progress = true; break;
          case simt::Yield::clock:
            clock += clock_read_cycles;
            contexts_[w].clock_cycles = contexts_[w].clock_ns = clock;
            again = true;
            break;
          case simt::Yield::sleep: clock += contexts_[w].sleep_ns; break;
          case simt::Yield::spin:
          case simt::Yield::phase: break;
          case simt::Yield::fault: return Outcome::failed;
          case simt::Yield::none:
          case simt::Yield::order:
          case simt::Yield::trace_full: WR_CHECK(!"a yield of a plain run");
        }
        if (again && state.expired != 0) again = false;
      }
      clock += slice_cycles;
    }
    if (progress) continue;
    if (grid_.failed()) return Outcome::failed;
    if (state.expired != 0) {
      grid_.fail(describe_cta(grid_.launch, simt::Fault::timeout, id(), "its warps only wait"));
      return Outcome::failed;
    }
    if (give_way) return Outcome::spinning;
  }
  return Outcome::finished;
}

}  // namespace wanren::engine
