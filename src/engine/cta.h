#pragma once
// One resident CTA: its warps' contexts and fibers, its barriers, its shared window.

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "engine/arena.h"
#include "engine/cluster.h"
#include "engine/faults.h"
#include "engine/fiber.h"
#include "engine/launch.h"

namespace wanren::engine {

/// What all CTAs of a live grid share.
class Grid {
 public:
  /// Errors: a shape that cannot run (no threads, over 1024 threads, too much memory), no parameter room.
  static Result<std::unique_ptr<Grid>> create(const Launch& launch, Arena& arena);
  ~Grid();
  Grid(const Grid&) = delete;
  Grid& operator=(const Grid&) = delete;

  /// Keeps the first fault; later ones are dropped.
  void fail(FaultReport report);
  void refuse(Error error);
  bool failed() const { return failed_.load(std::memory_order_relaxed); }

  /// Adds a worker's counts (by BlockId) and clears them.
  void merge(std::vector<simt::BlockCount>& counts);
  void add_wall(double seconds);
  void note_hand_over() { handed_over_.fetch_add(1, std::memory_order_relaxed); }
  Execution execution() const;

  Launch launch;  // A copy: a traced grid outlives the call that made it.
  Arena& arena;
  std::uint8_t* parameters = nullptr;
  std::uint32_t threads = 0, warps = 0;
  std::uint32_t ctas_per_cluster = 1;
  std::uint32_t total_shared_bytes = 0;
  bool spins = false;                                 ///< Some back edge waits for another warp.
  bool together = false;                              ///< CTAs wait for each other.
  std::size_t code_stack_bytes = 0, stack_bytes = 0;  ///< For the code; with the services' share.
  std::vector<std::uint32_t> tid;                     ///< [warp][x, y, z][lane]

 private:
  Grid(const Launch& launch, Arena& arena) : launch(launch), arena(arena) {}

  std::atomic<bool> failed_{false};
  mutable std::mutex lock_;
  FaultReport fault_;
  std::optional<Error> refused_;
  std::vector<simt::BlockCount> counts_;
  double wall_s_ = 0;
  std::atomic<std::uint64_t> handed_over_{0};
};

/// Stacks at hand for one worker, without the pool's lock.
class StackCache {
 public:
  ~StackCache();
  Result<Stack> take(std::size_t bytes);
  bool empty() const { return free_.empty(); }
  Stack pop() {
    const Stack stack = free_.back();
    free_.pop_back();
    return stack;
  }
  void give(const Stack& stack) { free_.push_back(stack); }

 private:
  std::vector<Stack> free_;
};

class Cta {
 public:
  /// Errors: no window is free.
  static Result<std::unique_ptr<Cta>> create(Grid& grid, StackCache& stacks, simt::BlockCount* counts);
  ~Cta();
  Cta(const Cta&) = delete;
  Cta& operator=(const Cta&) = delete;

  /// Makes CTA `linear` (x fastest) resident on compute unit `unit`; the one before has ended.
  void begin(std::uint64_t linear, std::uint32_t unit);

  enum class Outcome : std::uint8_t { finished, spinning, failed };
  /// Plain run: to the end, or, with `give_way`, until no warp does anything but spin. `clock` counts on.
  Outcome run(ThreadState& state, bool give_way, std::uint64_t& clock);

  /// Plain run of the CTAs [first, last), for code that never yields. False: the grid failed.
  bool run_straight(ThreadState& state, std::uint64_t first, std::uint64_t last, std::uint64_t& clock);

  /// Runs warp `w`, which must be runnable, to its next yield and does what the yield asks of the CTA:
  /// barriers, exits, faults (reported to the grid). A bar.arrive is no yield.
  simt::Yield run_warp(ThreadState& state, std::uint32_t w);

  bool runnable(std::uint32_t w) const { return (runnable_ >> w & 1) != 0; }
  LaneMask runnable_warps() const { return runnable_; }
  LaneMask live_warps() const { return live_; }
  std::uint32_t warps() const { return static_cast<std::uint32_t>(contexts_.size()); }
  std::uint8_t* shared_window() const { return window_.shared; }
  std::uint32_t shared_bytes() const { return grid_.total_shared_bytes; }
  void wake(LaneMask warps) { runnable_ |= warps & live_; }
  bool waits_for_phases() const { return waiting_ != 0; }

  /// Joins `cluster`, which lives until the CTA begins anew. Without this it is one of its own.
  void join(Cluster& cluster, std::uint32_t rank);
  Cluster& cluster();
  std::uint32_t rank() const { return rank_; }
  simt::WarpContext& warp(std::uint32_t w) { return contexts_[w]; }
  Arena& arena() { return grid_.arena; }
  Dim3 id() const;
  /// A zeroed frame of the interpreter for warp `w`, which keeps it until give_frame() or its end.
  std::uint64_t* take_frame(std::uint32_t w, simt::FunctionId function);
  void give_frame(std::uint32_t w);
  /// No warp can run: those that wait for phases give up this wait and try again, up to a limit. False: none
  /// waits, or they have tried long enough; the grid has failed.
  bool expire_waits();
  /// Services::phases.
  std::uint32_t phases(const std::uint8_t* mbarrier, std::uint32_t now);
  /// Ends every warp where it stands.
  void abandon();

 private:
  static constexpr std::uint32_t named_barriers = 16, warps_per_group = 4, most_warpgroups = 8;
  struct Barrier {
    std::uint32_t arrived = 0;   ///< Warps.
    std::uint32_t expected = 0;  ///< Warps; 0: all that live.
    LaneMask who = 0, waiting = 0;
    std::uint32_t predicates = 0;  ///< Lanes that reduce and hold.
    bool all = true;               ///< Every lane that reduces holds.
    bool reduces = false;
  };

  Cta(Grid& grid, StackCache& stacks) : grid_(grid), stacks_(stacks) {}
  Outcome run_all(ThreadState& state, bool give_way, std::uint64_t& clock);
  simt::Yield step(ThreadState& state, std::uint32_t w);
  std::uint32_t first_of(LaneMask warps) const;
  LaneMask before(std::uint32_t w) const;
  simt::Yield ring_step(ThreadState& state, std::uint32_t& w);
  void report_deadlock();
  bool waits_in_vain(std::uint32_t w);
  simt::Yield heed(ThreadState& state, std::uint32_t w, bool& again);
  static void straight(simt::WarpContext* ctx);
  bool arrive(std::uint32_t w);
  void meet_warpgroup(std::uint32_t w);
  void reduce(Barrier& barrier, const simt::WarpContext& ctx);
  void open_if_complete(Barrier& barrier) {
    if (barrier.expected == 0 ? (live_ & ~barrier.who) == 0 : barrier.arrived >= barrier.expected)
      open(barrier);
  }
  void open(Barrier& barrier);
  void answer(const Barrier& barrier);
  /// Takes the code that is ready now.
  void choose_code();
  bool start(std::uint32_t w, simt::WarpEntry entry);
  bool start(std::uint32_t w) { return start(w, entry_); }
  void exit(std::uint32_t w);
  void drop_stack(std::uint32_t w);
  void seal(bool sealed);

  Grid& grid_;
  StackCache& stacks_;
  Window window_;
  bool has_window_ = false, sealed_ = false;
  Cluster* cluster_ = nullptr;
  std::unique_ptr<Cluster> alone_;  ///< cluster_ of a CTA that has joined none.
  std::uint32_t rank_ = 0;
  simt::WarpEntry entry_ = nullptr;
  bool rings_ = false;  ///< Warps may hand over to each other at barriers.
  std::uint64_t straight_first_ = 0, straight_last_ = 0;
  ThreadState* straight_state_ = nullptr;
  std::vector<simt::WarpContext> contexts_;
  std::vector<WarpRun> runs_;
  std::vector<std::unique_ptr<std::uint64_t[]>> spare_frames_;
  LaneMask runnable_ = 0, live_ = 0;
  LaneMask waiting_ = 0;                   ///< For phases of mbarriers.
  std::uint32_t idle_ = 0, expiries_ = 0;  ///< Turns that only wait, and waits given up, since a warp got on.
  struct Phases {
    const std::uint8_t* mbarrier;
    std::uint32_t completed;
  };
  std::vector<Phases> phases_;
  std::uint32_t used_barriers_ = 0;
  std::array<Barrier, named_barriers + most_warpgroups> barriers_;  ///< The latter at wgmma.wait_group.
};

}  // namespace wanren::engine
