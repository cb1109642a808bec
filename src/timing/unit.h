#pragma once
// One compute unit: sub-cores, L1, shared memory, resident CTAs. Advances alone from event to event up
// to the end of a quantum; what it wants of the shared memory system gathers in its outbox, replies and
// CTAs come with the time they arrive. In one cycle come replies, then CTAs, then sub-cores by number.

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "timing/barriers.h"
#include "timing/clock.h"
#include "timing/coalesce.h"
#include "timing/copy_groups.h"
#include "timing/decoded.h"
#include "timing/l1.h"
#include "timing/messages.h"
#include "timing/parameters.h"
#include "timing/phases.h"
#include "timing/policies/warp_scheduler.h"
#include "timing/profile.h"
#include "trace/warp_source.h"

namespace wanren::timing {

/// What units know of a live grid. Constant while it runs.
struct Grid {
  std::uint16_t slot = 0;
  const Decoded* program = nullptr;
  trace::WarpSource* source = nullptr;
  std::uint32_t warps_per_cta = 0;
  std::uint32_t shared_bytes = 0;    ///< Per CTA, reserve and granularity included.
  std::uint32_t register_count = 0;  ///< Per CTA.
  int ctas_per_unit = 0;
  std::uint64_t serial = 0;  ///< No two grids of a device have the same.
  std::span<const simt::LanePattern> patterns;
  std::vector<std::int64_t> strides;  ///< By pattern, see stride_of().
  bool profiled = false;
};

/// What one unit counted for one grid.
struct UnitCounters {
  std::vector<std::uint64_t> block_runs, block_lanes;
  std::vector<std::uint32_t> fetched;  ///< By code line: fetch number + 1, 0 never.
  std::array<std::uint64_t, stall_count> stalls{};
#define WR_UNIT_COUNTER(id, doc) std::uint64_t id = 0;
#include "timing/counters.def"
  std::uint64_t issue_cycles = 0;
  std::uint64_t in_flight = 0;  ///< Stores and reductions not yet acknowledged.
  Cycle last_acknowledged = 0, last_exit = 0;
  int resident = 0;
  Cycle active_since = 0;
  std::vector<InstructionProfile> profile;  ///< By instruction; empty unless the grid asks for it.
};

struct FreedCta {
  std::uint16_t grid;
  Cycle at;
};

/// A memory instruction between queue and L1.
struct MemoryAccess {
  const Grid* grid = nullptr;
  InstructionProfile* profile = nullptr;  ///< Null: nobody asked.
  std::uint32_t load = ~0u;               ///< ~0: nobody waits.
  std::uint16_t subcore = 0, queue_entry = 0;
  Access access = Access::read;
  bool shared = false;
  bool begun = false;
  bool bypass_l1 = false;  ///< A read that goes to L2 and leaves nothing in L1.
  bool spill = false;      ///< Of the thread's spill space: stores stay in L1.
  int position = 0;        ///< Next line to look up.
  Tick begin = 0, cost = 0;
  int lines = 0, same = 0;
  std::array<std::uint32_t, Footprint::most> line;
  std::array<std::uint8_t, Footprint::most> sectors;
};

/// What a host thread needs while it advances one unit after the other.
struct Workspace {
  explicit Workspace(const Parameters& p) : coalescer(p) {}
  Coalescer coalescer;
  Footprint local;
  MemoryAccess access;
};

class Unit {
 public:
  /// `clock` answers what time it is; it changes between steps only.
  Unit(const Parameters& p, const CoreClock& clock, int number);

  /// First CTA of a grid on this unit: L1 content is stale, shared memory takes its share.
  void begin_grid(const Grid& grid);
  void end_grid(std::uint16_t slot);
  /// CTA `linear` starts at `at`, which is not before the end of the last quantum. There is room by then.
  void send_cta(const Grid& grid, std::uint64_t linear, Cycle at);

  /// Runs every event before `end`. `ordered`: stops, with waits_for_turn(), in the first cycle in which
  /// warps ask for their next chunk.
  void advance(Cycle end, Workspace& workspace, bool ordered);
  bool waits_for_turn() const { return !turns_.empty(); }
  /// Every unit has come past next_event() or stopped there: the warps get their chunks. Advance again.
  void take_turn();
  Cycle next_event() const { return next_event_; }

  std::vector<Request>& outbox() { return outbox_; }
  void receive(std::span<const Reply> replies);
  std::vector<FreedCta>& freed() { return freed_; }
  UnitCounters& counters(std::uint16_t grid) { return counters_[grid]; }
  bool knows(std::uint16_t grid) const { return grid < counters_.size(); }

 private:
  static constexpr int stamp_bits = 4;  ///< A ready time carries what one waits for in its low bits.
  using Stamp = std::int64_t;
  static Stamp stamp(Cycle at, Stall why) { return at << stamp_bits | static_cast<Stamp>(why); }

  /// phase: until an mbarrier's phase is over; asleep: until `ready`.
  enum class State : std::uint8_t { empty, running, barrier, phase, asleep, turn, draining };
  struct Warp {
    const DecodedInst* next = nullptr;
    const DecodedInst* end = nullptr;
    Stamp base = 0;                  ///< Earliest next issue but for operands.
    Stamp earliest = 0;              ///< With operands, as far as known.
    Cycle launched = 0, resume = 0;  ///< resume: first cycle not yet accounted.
    const std::uint64_t* words = nullptr;
    const std::uint64_t* words_end = nullptr;
    const std::uint64_t* block_words = nullptr;
    trace::Chunk::End chunk_end = trace::Chunk::End::more;
    std::uint64_t sleep_ns = 0;
    LaneMask mask = 0;
    std::uint32_t block = 0;
    std::uint16_t cta = 0, number = 0;
    std::uint16_t loads = 0;
    Stall asleep_for = Stall::sleep;
    CopyGroups copies;
    const std::uint64_t* wait = nullptr;  ///< phase: the record.
    Cycle last_load = 0;
    State state = State::empty;
  };
  struct SubCore : IssueSlots {
    std::vector<Warp> warps;
    std::vector<Stamp> scoreboard;       ///< warp * scoreboard_stride + entry
    std::vector<std::uint32_t> records;  ///< warp * record_stride + slot: word offset in the block.
    std::vector<Cycle> queue;            ///< Ring: when each of the last memory instructions left for L1.
    std::uint32_t queue_head = 0;
    Cycle memory_port = 0;  ///< Address unit's own interval.
    Cycle issue_free = 0;
    int resident = 0;
  };
  struct Cta {
    const Grid* grid = nullptr;  ///< Null: free.
    trace::CtaHandle handle = 0;
    std::uint32_t live = 0;
    Cycle end = 0;  ///< Of the warps that have exited.
    BarrierTable barriers;
    PhaseTable phases;
    std::uint64_t waiting_for_phase = 0;    ///< By warp number in the CTA.
    std::array<std::uint16_t, 64> place{};  ///< By warp number: sub-core << 8 | slot.
  };
  struct Load {
    std::uint32_t remaining = 0, stretch = 0;
    std::uint16_t subcore = 0, warp = 0, dst = 0, dst_predicate = 0xffff;
    std::uint8_t dst_count = 0;
    bool async = false;
    Stall why = Stall::long_scoreboard;
    Cycle done = 0;
  };
  struct Waiter {
    std::uint32_t load, next;
    std::uint8_t sectors;
  };
  struct Arrival {
    const Grid* grid;
    std::uint64_t linear;
    Cycle at;
  };
  /// A warp that waits for its turn to get a chunk.
  struct Turn {
    int subcore, warp;
    Cycle now;
    Stamp earliest;
  };
  // unit.cpp
  void begin_cta(const Grid& grid, std::uint64_t linear, Cycle at);

  // subcore.cpp
  void step(int s, Cycle now, Cycle limit);
  void issue(int s, int w, Cycle now);
  InstructionProfile* profile_of(UnitCounters& c, const Warp& warp, bool issued) const;
  void account(SubCore& sub, Warp& warp, int w, Cycle now, std::uint32_t issue_cycles, Cycle pipe_free);
  void set_ready(int s, int w);
  void wake(int s, Cycle at) {
    if (at < next_[s]) next_[s] = at;
  }

  // blocks.cpp
  void start_block(int s, int w, Cycle now, Stamp earliest, bool has_turn = false);
  void next_chunk(Warp& warp, Cycle now);
  void exit_warp(int s, int w, Cycle now);
  void finish_warp(int s, int w, Cycle now);
  void arrive(int s, int w, Cycle now, const trace::Record& record);
  void open_barrier(Cta& cta, int id, Cycle now);
  Cycle fetch_penalty(const DecodedBlock& block, const Grid& grid);

  // async.cpp
  void issue_async(int s, int w, Cycle now, const DecodedInst& inst, const trace::Record& record);
  Stamp copies_there(int s, int w, const DecodedInst& inst) const;
  void end_copy(const Load& load, Cycle at);
  void owed(Cta& cta, std::span<const CopyGroups::Arrival> due);
  Cycle phases_over(const Cta& cta, const Warp& warp) const;
  void phase_over(Cta& cta);
  trace::Record record_of(int s, int w, const DecodedInst& inst) const;

  // memory_port.cpp
  void issue_memory(int s, int w, Cycle now, const DecodedInst& inst);
  bool process(MemoryAccess& access, Cycle now);
  bool look_up(MemoryAccess& access, Cycle now);
  void send(const MemoryAccess& access, std::uint32_t token, std::uint32_t slot, std::uint32_t line,
            std::uint8_t sectors, Cycle leaves);
  void local_footprint(const trace::Record& record, const DecodedInst& inst, int s, int w, const Grid& grid,
                       Footprint& out);
  void deliver(const Reply& in);
  void block(const MemoryAccess& access);
  void complete(std::uint32_t load, Cycle at);
  void retry(Cycle now);
  bool arrived(std::uint32_t load, Cycle done, bool last);
  void prefetch_replies() const;
  void update_memory_pipe(int s);
  std::uint32_t new_load(int s, int w, const DecodedInst& inst);
  void wait_for(std::uint32_t slot, std::uint8_t sectors, std::uint32_t load);

  const Grid& grid_of(const Warp& warp) const { return *ctas_[warp.cta].grid; }
  Cycle earliest_event() const;

  const Parameters& p_;
  const CoreClock& clock_;
  int number_;
  std::vector<SubCore> subs_;
  std::array<Cycle, 8> next_{};
  Cycle next_event_ = never;
  std::uint32_t scoreboard_stride_ = 0, record_stride_ = 0;
  std::vector<Cta> ctas_;
  int ctas_resident_ = 0;
  std::uint64_t ages_ = 0;
  std::vector<Arrival> arrivals_;  ///< By time.
  std::vector<Turn> turns_;
  bool ordered_ = false;

  L1Cache l1_;
  Port l1_port_;
  int miss_sectors_ = 0, store_sectors_ = 0;  ///< Outstanding.
  std::vector<Load> loads_;
  std::vector<Waiter> waiters_;
  std::vector<std::uint32_t> free_loads_, free_waiters_;
  Workspace* workspace_ = nullptr;
  std::vector<MemoryAccess> blocked_;  ///< Ring, in order; the first waits for room.
  std::size_t blocked_head_ = 0, blocked_count_ = 0;
  std::vector<Reply> inbox_;  ///< By time, from inbox_head_ on.
  std::size_t inbox_head_ = 0;
  std::vector<Request> outbox_;
  std::vector<FreedCta> freed_;
  std::vector<UnitCounters> counters_;
  std::uint32_t fetches_ = 0;
};

}  // namespace wanren::timing
