#pragma once
// Everything that units share: network, L2, links between dies, device memory. Single-threaded; hears
// requests at the end of a quantum, works in time order, answers for times past that end.

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

namespace wanren::timing {

class MemorySystem {
 public:
  explicit MemorySystem(const Parameters& p);

  /// Requests of one unit; call for units in ascending order at the end of each quantum.
  void accept(int unit, std::span<const Request> requests);
  /// Works off everything that can no longer be preceded by a new request: all units have been
  /// advanced to `now`.
  void advance(Cycle now);
  /// Replies since the last advance, per unit; the reader clears them. `touched` are the units with some.
  std::vector<Reply>& replies(int unit) { return replies_[unit]; }
  std::vector<std::uint16_t>& touched() { return touched_; }

  bool idle() const { return calendar_.empty(); }
  Cycle next_event() const { return calendar_.first(); }

  void begin_kernel();
  void rebase();
  MemoryCounters& counters(std::uint16_t grid);

 private:
  enum class Stage : std::uint8_t { depart, near, hop, home, back, hop_back, arrive_back, deliver };
  struct alignas(64) Message {
    Tick at;
    std::uint32_t far;  ///< Ticks, saturating.
    std::uint32_t line, token;
    Home home;
    std::uint16_t unit, grid, lanes;
    std::uint8_t sectors, wanted;  ///< Asked for by the unit; still wanted from further away.
    Access access;
    Stage stage;
    std::uint8_t die;  ///< Where it is on its way between dies.
  };
  struct Place {
    std::uint16_t die, partition, cluster;
  };

  void visit(std::uint32_t id);
  void depart(Message& m);
  void near(Message& m);
  void go_home(Message& m);
  void hop(Message& m);
  void home(Message& m);
  void back(Message& m);
  void hop_back(Message& m);
  void arrive_back(Message& m);
  void deliver(Message& m);
  void schedule(Message& m, Stage stage, Tick at);
  void finish(Message& m, Tick arrives);
  void write_back(int partition, const L2Victim& victim, Tick at, MemoryCounters& c);
  Tick fetch(const Message& m, int partition, std::uint8_t sectors, Tick at, std::uint8_t& brought,
             MemoryCounters& c);
  void count_link(MemoryCounters& c, int from, int to, std::uint32_t payload, std::uint32_t wire);
  int partition_index(int die, int partition) const { return die * p_.partitions + partition; }
  Port& slice_port(int partition, int slice) { return slices_[partition * p_.slices_per_partition + slice]; }

  Parameters p_;
  AddressMap map_;
  std::vector<Place> places_;
  std::vector<L2Partition> l2_;  ///< die * partitions + partition
  std::vector<Hbm> hbm_;         ///< same
  DieLinks links_;
  std::vector<Port> slices_, unit_read_, unit_write_, cluster_read_, cluster_write_, cross_;
  Calendar calendar_;
  std::vector<Message, HugePages<Message>> messages_;
  std::vector<std::uint32_t> free_;
  std::vector<std::vector<Reply>> replies_;
  std::vector<std::uint16_t> touched_;
  std::vector<MemoryCounters> counters_;
};

}  // namespace wanren::timing
