#pragma once
// The engine that copies in bulk for one compute unit: one copy's requests after the other, line by line,
// past L1. In: copies in the order of issue, replies in the order of time. Out: requests to L2, bytes that
// mbarriers are told of, warps whose groups of copies have moved.

#include <array>
#include <cstdint>
#include <deque>
#include <utility>
#include <vector>

#include "timing/copy_groups.h"
#include "timing/grid.h"
#include "timing/messages.h"
#include "timing/parameters.h"
#include "trace/trace.h"

namespace wanren::timing {

class BulkEngine {
 public:
  /// Who has issued a copy. `cta` and `warp` are slots of the unit, and `born` and `age` theirs alone.
  struct Owner {
    std::uint16_t grid = 0, cta = 0, warp = 0;
    std::uint64_t born = 0, age = 0;
    InstructionProfile* profile = nullptr;  ///< Null: nobody asked.
  };
  /// The bytes of a copy are there.
  struct Arrived {
    Owner owner;
    trace::BulkEntry entry;
    Cycle at;
  };

  /// `outbox`: of the unit, in order of time.
  BulkEngine(const Parameters& p, GridCounters& counters, std::vector<Request>& outbox);

  /// A new warp takes the slot.
  void begin_warp(std::size_t warp, std::uint64_t age) { groups_[warp] = Groups{{}, {}, age}; }
  std::uint64_t age(std::size_t warp) const { return groups_[warp].age; }
  /// One copy for each entry of the record.
  void issue(const trace::Record& record, const Owner& owner, Cycle now);
  /// The warp's open group ends.
  void commit(std::size_t warp);
  /// When all groups of the warp but the `newest` newest are over, or their sources read; never: not known
  /// yet.
  Cycle groups_done(std::size_t warp, std::uint64_t newest, bool sources_read) const {
    const Groups& g = groups_[warp];
    return (sources_read ? g.read : g.all).groups_done(newest);
  }

  /// When step() is due.
  Cycle next() const { return next_; }
  /// Sends what the engine's rate and what is outstanding allow.
  void step(Cycle now);
  static bool concerns(const Reply& reply) { return (reply.token & token) == token; }
  void deliver(const Reply& reply);

  /// Since the reader last cleared them.
  std::vector<Arrived>& arrived() { return arrived_; }
  std::vector<std::uint16_t>& moved() { return moved_; }  ///< Warps.

 private:
  /// Both bits of LoadStore's tokens, which say that no load waits.
  static constexpr std::uint32_t token = 0xc0000000u;
  struct Copy {
    Owner owner;
    trace::BulkOp op{};
    trace::BulkEntry entry;
    std::uint32_t group = 0, read_group = 0;
    Cycle begin = 0;       ///< Earliest first request.
    std::uint32_t at = 0;  ///< Byte in the row.
    std::array<std::uint16_t, 4> row{};
    std::uint32_t under_way = 0;  ///< Requests.
    bool sent = false;            ///< All requests.
    Cycle done = 0;
  };
  struct Groups {
    CopyGroups all, read;
    std::uint64_t age = 0;
  };

  static bool in_groups(const Copy& copy) {
    return copy.op == trace::BulkOp::store || copy.op == trace::BulkOp::reduce;
  }
  bool send(std::uint32_t id, Cycle now);
  void end(std::uint32_t id);
  void end_group(const Copy& copy, CopyGroups Groups::* groups, std::uint32_t group, Cycle at);

  const Parameters& p_;
  GridCounters& counters_;
  std::vector<Request>& outbox_;
  std::vector<Copy> copies_;
  std::vector<std::uint32_t> free_;
  std::deque<std::uint32_t> queue_;  ///< Whose requests are not all sent; the first one's are.
  std::vector<Groups> groups_;       ///< By warp.
  Cycle next_ = never;
  Port port_;
  int sectors_ = 0;  ///< Outstanding.
  std::vector<Arrived> arrived_;
  std::vector<std::uint16_t> moved_;
};

}  // namespace wanren::timing
