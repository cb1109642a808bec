#pragma once
// Everything that units share: network, L2, links between dies, device memory. Single-threaded; hears
// requests at the end of a quantum, works in time order, answers for times past that end. In which order
// it serves what meets in one cycle depends on times, units and each unit's own sequence alone, never on
// how long the quanta are.

#include <cstdint>
#include <span>
#include <vector>

#include "timing/address_map.h"
#include "timing/calendar.h"
#include "timing/d2d.h"
#include "timing/hbm.h"
#include "timing/l2.h"
#include "timing/messages.h"
#include "timing/pages.h"
#include "timing/parameters.h"
#include "timing/peer_link.h"

namespace wanren::timing {

class MemorySystem {
 public:
  explicit MemorySystem(const Parameters& p);

  /// Takes the requests of one unit, and leaves none.
  void accept(int unit, std::vector<Request>& requests);
  /// Works off everything that can no longer be preceded by a new request: all units have been
  /// advanced to `now`. Answers arrive a quantum later than `now` at the earliest.
  void advance(Cycle now);
  /// Replies since the last advance, per unit; the reader clears them. `touched` are the units with some.
  std::vector<Reply>& replies(int unit) { return replies_[unit]; }
  std::vector<std::uint16_t>& touched() { return touched_; }

  /// L2 afterwards holds what an access of `unit` leaves there, without time or counts.
  void touch(int unit, std::uint32_t line, std::uint8_t sectors, Access access);

  /// `now` before which advance() has nothing to do; `never` if nothing is under way.
  Cycle next_event() const;

  void set_peer_memory(std::vector<MemoryRange> ranges) { peers_.set_ranges(std::move(ranges)); }
  /// A grid takes a slot: counts begin at zero, copies of other dies' lines are stale.
  void begin_kernel(std::uint16_t grid);
  /// The core clock has changed at `now`: DRAM and die links keep their own, so what is left of their
  /// queues takes as many nanoseconds as before.
  void set_clock(const Parameters& p, Cycle now);
  const MemoryCounters& counters(std::uint16_t grid) const { return counters_[grid]; }

 private:
  enum class Stage : std::uint8_t {
    depart,
    near,
    hop,
    home,
    back,
    hop_back,
    arrive_back,
    peer_back,
    deliver
  };
  struct Message {
    std::uint16_t fraction;  ///< Calendar
    std::uint16_t unit;
    std::uint32_t tag, token;
    std::uint32_t set;
    std::uint16_t grid, slot;
    std::uint8_t home_die, home_partition;
    std::uint8_t die;              ///< Where it is on its way between dies.
    std::uint8_t sectors, wanted;  ///< Asked for by the unit; still wanted from further away.
    std::uint8_t lanes : 6;
    Access access : 2;
    Stage stage;
    bool peer;  ///< The line is another chip's.
  };
  struct Place {
    std::uint16_t die, partition, cluster;
  };

  /// What meets in one cycle goes by lane: reads from units, messages with data from units, and what
  /// follows from either. Each lane is filled in an order of its own.
  enum Lane : int { reads, data, consequences, lanes };

  void enter(int unit, const Request& r);
  void visit(const Message& m, Tick at);
  void depart(const Message& m, Tick at);
  void near(const Message& m, Tick at);
  void go_home(const Message& m, std::uint8_t wanted, Tick at);
  void to_peer(const Message& m, Tick at);
  void peer_back(const Message& m, Tick at);
  void hop(const Message& m, std::uint8_t wanted, Tick at);
  void home(const Message& m, Tick at);
  void back(const Message& m, Tick at);
  void hop_back(const Message& m, Tick at);
  void arrive_back(const Message& m, Tick at);
  void deliver(const Message& m, Tick at);
  /// The copy of the message that will be seen at `at`. What changes is changed there: a wide read of
  /// what has just been written in parts would stall the host.
  Message& schedule(const Message& m, Stage stage, Tick at, Lane lane = consequences) {
    Message& to = calendar_.add(m, at, lane);
    to.stage = stage;
    return to;
  }
  void finish(const Message& m, Tick arrives);
  void prefetch(const Message& m) const;
  Tick write_back(int partition, std::uint32_t set, const L2Victim& victim, Tick at, MemoryCounters& c);
  Tick fetch(std::uint32_t local, int partition, std::uint8_t sectors, Tick at, std::uint8_t& brought,
             MemoryCounters& c);
  void count_link(MemoryCounters& c, int from, int to, std::uint32_t payload, std::uint32_t wire);
  int partition_index(int die, int partition) const { return die * p_.partitions + partition; }
  int home_index(const Message& m) const { return partition_index(m.home_die, m.home_partition); }
  Port& slice_port(int partition, std::uint32_t set) {
    return slices_[static_cast<std::uint32_t>(partition * p_.slices_per_partition) + map_.slice(set)];
  }

  Parameters p_;
  AddressMap map_;
  std::vector<Place> places_;
  std::vector<L2Partition> l2_;  ///< die * partitions + partition
  std::vector<Hbm> hbm_;         ///< same
  DieLinks links_;
  PeerLink peers_;
  std::vector<Port> slices_, unit_read_, unit_write_, cluster_read_, cluster_write_, cross_;
  /// Messages with data leave a unit earlier than anything reaches L2: they have their own order.
  Calendar<Message> departures_;
  Calendar<Message, lanes> calendar_;
  /// By unit: requests that leave it too late to be sure that no other unit's come before them.
  std::vector<std::vector<Request>> staged_;
  Cycle first_staged_ = never;
  std::vector<std::vector<Reply>> replies_;
  std::vector<std::uint16_t> touched_;
  std::vector<MemoryCounters> counters_;
};

}  // namespace wanren::timing
