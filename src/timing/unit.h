#pragma once
// One compute unit: joins sub-cores, load/store, the engine of bulk copies and resident CTAs with their
// barriers. Advances alone from event to event up to the end of a quantum; what it wants of the shared memory
// system gathers in its outbox, replies and CTAs come with the time they arrive. In one cycle come replies,
// then CTAs, then sub-cores by number.

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "timing/barriers.h"
#include "timing/bulk.h"
#include "timing/clock.h"
#include "timing/clusters.h"
#include "timing/coalesce.h"
#include "timing/grid.h"
#include "timing/load_store.h"
#include "timing/matrix_units.h"
#include "timing/messages.h"
#include "timing/parameters.h"
#include "timing/phases.h"
#include "timing/subcore.h"

namespace wanren::timing {

struct FreedCta {
  std::uint16_t grid;
  Cycle at;
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

  std::vector<Request>& outbox() { return load_store_.outbox(); }
  void receive(std::span<const Reply> replies);
  /// To other CTAs of clusters; in no order.
  std::vector<ClusterMessage>& messages() { return messages_; }
  void tell(const ClusterNews& news);
  std::vector<FreedCta>& freed() { return freed_; }
  UnitCounters& counters(std::uint16_t grid) { return counters_[grid]; }
  bool knows(std::uint16_t grid) const { return grid < counters_.size(); }

 private:
  using State = Warp::State;
  struct Cta {
    const Grid* grid = nullptr;  ///< Null: free.
    trace::CtaHandle handle = 0;
    std::uint32_t live = 0;
    Cycle end = 0;  ///< Of the warps that have exited.
    BarrierTable barriers;
    PhaseTable phases;
    std::uint64_t born = 0;  ///< No other CTA of the unit has it.
    trace::ClusterPlace place_in_cluster;
    std::uint32_t cluster_over = 0;         ///< Phases of the cluster's barrier.
    std::uint64_t cluster_waits = 0;        ///< For the next, by warp number.
    std::array<std::uint16_t, 64> place{};  ///< By warp number: sub-core << 8 | slot.
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

  // issue.cpp
  void step(int s, Cycle now, Cycle limit);
  void wake_up(int s, int w, Cycle now);
  void issue(int s, int w, Cycle now);
  InstructionProfile* profile_of(UnitCounters& c, const Warp& warp, bool issued) const;
  void account(const SubCore& sub, Warp& warp, int w, Cycle now);
  void set_ready(int s, int w);

  // blocks.cpp
  void start_block(int s, int w, Cycle now, Stamp earliest, bool has_turn = false);
  void next_chunk(Warp& warp, Cycle now);
  void exit_warp(int s, int w, Cycle now);
  void finish_warp(int s, int w, Cycle now);
  void arrive(int s, int w, Cycle now, const trace::Record& record);
  void open_barrier(Cta& cta, int id, Cycle now);
  /// Warps (a bit each) that waited at a barrier go on from `open`.
  void let_go(Cta& cta, std::uint64_t warps, Stamp open, Cycle now);
  Cycle fetch_penalty(const DecodedBlock& block, const Grid& grid);

  // async.cpp
  void issue_product(int s, int w, Cycle now, const DecodedInst& inst);
  void issue_async(int s, int w, Cycle now, const DecodedInst& inst, const trace::Record& record);
  Stamp copies_there(int s, int w, const DecodedInst& inst) const;
  void end_copy(const Load& load, Cycle at);
  void owed(Cta& cta, std::span<const CopyGroups::Arrival> due);
  void phase_over(Cta& cta);
  std::size_t slot_of(int s, int w) const {
    return static_cast<std::size_t>(s) * static_cast<std::size_t>(p_.warps_per_subcore) +
           static_cast<std::size_t>(w);
  }
  void take_bulk();
  // cluster_port.cpp
  void meet_cluster(int s, int w, Cycle now, const trace::Record& record);
  void open_cluster(Cta& cta, std::uint32_t phase, Cycle at);
  void change_phase(Cta& cta, trace::PhaseOp op, std::uint32_t mbarrier, std::uint32_t value, Cycle at,
                    bool& over);
  ClusterMessage message_of(const Cta& cta, ClusterMessage::Kind kind, Cycle at) const;
  void hear(const ClusterNews& news);
  trace::Record record_of(int s, int w, const DecodedInst& inst) const;

  // memory_port.cpp
  void issue_memory(int s, int w, Cycle now, const DecodedInst& inst);
  void take_loaded();
  void deliver(const Reply& in);
  void prefetch_replies() const;

  const Grid& grid_of(const Warp& warp) const { return *ctas_[warp.cta].grid; }
  Cycle earliest_event() const;

  const Parameters& p_;
  const CoreClock& clock_;
  int number_;
  std::vector<SubCore> subs_;
  Cycle next_event_ = never;
  std::vector<Cta> ctas_;
  int ctas_resident_ = 0;
  std::uint64_t ages_ = 0;
  std::vector<Arrival> arrivals_;  ///< By time.
  std::vector<Turn> turns_;
  bool ordered_ = false;

  GridCounters counters_;
  LoadStore load_store_{p_, counters_};
  MatrixUnits matrix_units_{p_};
  BulkEngine bulk_{p_, counters_, load_store_.outbox()};
  Workspace* workspace_ = nullptr;
  std::vector<Reply> inbox_;  ///< By time, from inbox_head_ on.
  std::size_t inbox_head_ = 0;
  std::vector<FreedCta> freed_;
  std::vector<ClusterMessage> messages_;
  std::vector<ClusterNews> news_;  ///< By time.
  std::uint32_t fetches_ = 0;
};

}  // namespace wanren::timing
