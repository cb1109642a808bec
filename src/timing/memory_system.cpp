#include "timing/memory_system.h"

#include <algorithm>

#include "support/result.h"

namespace wanren::timing {
namespace {

int count(std::uint8_t sectors) {
  return sector_count(sectors);
}
bool carries_data_out(Access access) {
  return access != Access::read;
}
bool wants_data(Access access) {
  return access == Access::read || access == Access::atomic;
}

}  // namespace

MemorySystem::MemorySystem(const Parameters& p) : p_(p), map_(p), links_(p), peers_(p) {
  for (int unit = 0; unit < p.units; ++unit)
    places_.push_back({static_cast<std::uint16_t>(p.die_of(unit)),
                       static_cast<std::uint16_t>(p.partition_of(unit)),
                       static_cast<std::uint16_t>(p.cluster_of(unit))});
  const int partitions = p.dies * p.partitions;
  for (int i = 0; i < partitions; ++i) {
    l2_.emplace_back(p);
    hbm_.emplace_back(p);
  }
  slices_.resize(static_cast<std::size_t>(partitions) * p.slices_per_partition);
  unit_read_.resize(p.units);
  unit_write_.resize(p.units);
  cluster_read_.resize(static_cast<std::size_t>(p.dies) * p.clusters_per_die);
  cluster_write_.resize(cluster_read_.size());
  cross_.resize(static_cast<std::size_t>(partitions) * p.partitions);
  replies_.resize(p.units);
  staged_.resize(p.units);
  static_assert(sizeof(Message) <= 32);
  WR_CHECK(p.dies <= 256 && p.partitions <= 256);
}

void MemorySystem::begin_kernel(std::uint16_t grid) {
  if (grid >= counters_.size()) counters_.resize(grid + 1);
  counters_[grid] = MemoryCounters{};
  counters_[grid].link_bytes.resize(static_cast<std::size_t>(p_.dies) * p_.dies);
  if (!p_.replicate_dies) return;
  for (L2Partition& l2 : l2_) l2.drop_replicas();
}

Cycle MemorySystem::next_event() const {
  return std::min({first_staged_ == never ? never : first_staged_ - p_.l1_to_noc,
                   departures_.empty() ? never : departures_.first() - p_.l1_to_noc,
                   calendar_.empty() ? never : calendar_.first() - p_.l1_to_noc - p_.request_cycles});
}

void MemorySystem::set_clock(const Parameters& p, Cycle now) {
  for (Hbm& hbm : hbm_) hbm.set_clock(p, start_of(now), p.core_mhz / p_.core_mhz);
  links_.set_clock(p, start_of(now), p.core_mhz / p_.core_mhz);
  peers_.set_clock(p, start_of(now), p.core_mhz / p_.core_mhz);
  p_ = p;
}

void MemorySystem::accept(int unit, std::vector<Request>& requests) {
  std::vector<Request>& staged = staged_[unit];
  if (staged.empty())
    staged.swap(requests);
  else
    staged.insert(staged.end(), requests.begin(), requests.end());
  requests.clear();
}

void MemorySystem::enter(int unit, const Request& r) {
  const Place& place = places_[unit];
  const Home home = map_.home(r.line);
  Message m;
  m.unit = static_cast<std::uint16_t>(unit);
  m.tag = map_.tag(home.local, partition_index(home.die, home.partition));
  m.token = r.token;
  m.set = home.set;
  m.grid = r.grid;
  m.slot = r.slot;
  m.home_die = static_cast<std::uint8_t>(home.die);
  m.home_partition = static_cast<std::uint8_t>(home.partition);
  m.die = static_cast<std::uint8_t>(place.die);
  m.sectors = m.wanted = r.sectors;
  m.lanes = static_cast<std::uint8_t>(r.lanes);
  m.access = r.access;
  m.peer = peers_.leads_to(r.line);
  const Tick at = start_of(r.leaves);
  if (carries_data_out(r.access)) {
    m.stage = Stage::depart;
    departures_.add(m, at);
  } else {
    schedule(m, Stage::near, at + p_.request_latency, reads);
  }
}

void MemorySystem::prefetch(const Message& m) const {
  if ((m.stage != Stage::near && m.stage != Stage::home) || m.peer) return;
  const Place& place = places_[m.unit];
  const bool copy =
      m.stage == Stage::near && (place.die == m.home_die ? p_.replicate_near : p_.replicate_dies);
  l2_[copy ? partition_index(place.die, place.partition) : home_index(m)].prefetch(m.set);
}

void MemorySystem::advance(Cycle now) {
  // Units have been advanced to `now`: of what leaves before then nothing is still to come, and what leaves
  // in one cycle is entered at one time, in the order of units.
  const Cycle known = now + p_.l1_to_noc;
  first_staged_ = never;
  for (int unit = 0; unit < p_.units; ++unit) {
    std::vector<Request>& staged = staged_[unit];
    if (staged.empty()) continue;
    auto r = staged.begin();
    for (; r != staged.end() && r->leaves < known; ++r) enter(unit, *r);
    staged.erase(staged.begin(), r);
    if (!staged.empty()) first_staged_ = std::min(first_staged_, staged.front().leaves);
  }
  departures_.run(known, [this](const Message& m, Tick at) { depart(m, at); }, [](const Message&) {});
  calendar_.run(
      known + p_.request_cycles, [this](const Message& m, Tick at) { visit(m, at); },
      [this](const Message& m) { prefetch(m); });
}

void MemorySystem::touch(int unit, std::uint32_t line, std::uint8_t sectors, Access access) {
  const Place& place = places_[unit];
  const Home home = map_.home(line);
  const std::uint32_t tag = map_.tag(home.local, partition_index(home.die, home.partition));
  const auto leave = [&](L2Partition& l2, bool replica) {
    L2Lookup found = l2.find(home.set, tag);
    if (access == Access::read && (found.hit & sectors) == sectors) return true;
    L2Victim victim;
    if (found.way < 0) found.way = l2.allocate(home.set, tag, replica, victim);
    l2.fill(home.set, found.way, sectors, access != Access::read);
    return false;
  };
  const bool same_die = place.die == home.die;
  if (!same_die || (p_.partitions > 1 && place.partition != home.partition)) {
    if (same_die ? p_.replicate_near : p_.replicate_dies) {
      L2Partition& near = l2_[partition_index(place.die, place.partition)];
      if (access == Access::read) {
        if (leave(near, !same_die)) return;
      } else {
        near.invalidate(home.set, tag, sectors);
      }
    }
  }
  leave(l2_[partition_index(home.die, home.partition)], false);
  if (!p_.replicate_near || !carries_data_out(access)) return;
  for (int other = 0; other < p_.partitions; ++other)
    if (other != home.partition) l2_[partition_index(home.die, other)].invalidate(home.set, tag, sectors);
}

void MemorySystem::visit(const Message& m, Tick at) {
  switch (m.stage) {
    case Stage::depart: return depart(m, at);
    case Stage::near: return near(m, at);
    case Stage::hop: return hop(m, m.wanted, at);
    case Stage::home: return home(m, at);
    case Stage::back: return back(m, at);
    case Stage::hop_back: return hop_back(m, at);
    case Stage::arrive_back: return arrive_back(m, at);
    case Stage::peer_back: return peer_back(m, at);
    case Stage::deliver: return deliver(m, at);
  }
}

void MemorySystem::finish(const Message& m, Tick arrives) {
  std::vector<Reply>& out = replies_[m.unit];
  if (out.empty()) touched_.push_back(m.unit);
  out.push_back({arrives, m.token, m.slot, m.sectors});
}

/// Data leaves the unit: its own port, then its cluster's.
void MemorySystem::depart(const Message& m, Tick at) {
  const int n = count(m.sectors);
  const Tick out = unit_write_[m.unit].take(at, n * p_.unit_write);
  const Tick on = cluster_write_[places_[m.unit].cluster].take(out, n * p_.cluster_write);
  schedule(m, Stage::near, on + p_.request_latency, data);
}

/// At the L2 side of the unit's own partition.
void MemorySystem::near(const Message& m, Tick at) {
  if (m.peer) return to_peer(m, at);
  const Place& place = places_[m.unit];
  if (place.die == m.home_die && (p_.partitions == 1 || place.partition == m.home_partition))
    return home(m, at);
  const bool copies = place.die == m.home_die ? p_.replicate_near : p_.replicate_dies;
  std::uint8_t wanted = m.wanted;
  if (copies) {
    const int here = partition_index(place.die, place.partition);
    if (m.access == Access::read) {
      const Tick begin = slice_port(here, m.set).take(at, count(m.sectors) * p_.slice_sector);
      const L2Lookup found = l2_[here].find(m.set, m.tag);
      const std::uint8_t hit = found.hit & m.sectors;
      if (hit) {
        MemoryCounters& c = counters_[m.grid];
        c.l2_hit_sectors += count(hit);
        c.l2_read_sectors += count(hit);
      }
      wanted = m.sectors & ~hit;
      at = std::max(begin, hit ? found.pending_until : 0);
      if (!wanted) {
        schedule(m, Stage::deliver, at);
        return;
      }
    } else {
      l2_[here].invalidate(m.set, m.tag, m.sectors);
    }
  }
  go_home(m, wanted, at);
}

/// L2 keeps nothing of another chip's memory.
void MemorySystem::to_peer(const Message& m, Tick at) {
  MemoryCounters& c = counters_[m.grid];
  const int n = count(m.sectors);
  (m.access == Access::read    ? c.peer_read_sectors
   : m.access == Access::write ? c.peer_write_sectors
                               : c.peer_atomic_sectors) += n;
  const std::uint32_t wire =
      peers_.wire_bytes(carries_data_out(m.access) ? static_cast<std::uint32_t>(n) << p_.sector_shift : 0);
  c.peer_wire_bytes += wire;
  const Tick there = peers_.send(at, wire);
  if (!wants_data(m.access)) return finish(m, there + peers_.latency() + p_.return_latency);
  schedule(m, Stage::peer_back, there + p_.peer_memory);
}

void MemorySystem::peer_back(const Message& m, Tick at) {
  const std::uint32_t wire =
      peers_.wire_bytes(static_cast<std::uint32_t>(count(m.sectors)) << p_.sector_shift);
  counters_[m.grid].peer_wire_bytes += wire;
  schedule(m, Stage::deliver, peers_.receive(at, wire));
}

/// Leaves the unit's partition for the line's home.
void MemorySystem::go_home(const Message& m, std::uint8_t wanted, Tick at) {
  const Place& place = places_[m.unit];
  // Off the die the way leads across the network first.
  if (place.die != m.home_die) return hop(m, wanted, at + p_.cross_latency);
  counters_[m.grid].l2_far_sectors += count(wanted);
  if (carries_data_out(m.access)) {
    Port& port = cross_[partition_index(place.die, place.partition) * p_.partitions + m.home_partition];
    at = port.take(at, count(wanted) * p_.partition_cross);
  }
  schedule(m, Stage::home, at + p_.cross_latency).wanted = wanted;
}

void MemorySystem::count_link(MemoryCounters& c, int from, int to, std::uint32_t payload,
                              std::uint32_t wire) {
  c.d2d_bytes += payload;
  c.d2d_wire_bytes += wire;
  c.link_bytes[static_cast<std::size_t>(from) * p_.dies + to] += wire;
}

void MemorySystem::hop(const Message& m, std::uint8_t wanted, Tick at) {
  const int to = links_.next_hop(m.die, m.home_die);
  const std::uint32_t payload =
      carries_data_out(m.access) ? static_cast<std::uint32_t>(count(wanted)) << p_.sector_shift : 0;
  const std::uint32_t wire = links_.wire_bytes(payload);
  const Tick arrives = links_.send(m.die, to, at, wire);
  count_link(counters_[m.grid], m.die, to, payload, wire);
  Message& next = schedule(m, to == m.home_die ? Stage::home : Stage::hop, arrives);
  next.die = static_cast<std::uint8_t>(to);
  next.wanted = wanted;
}

/// Returns when the controller has room for all of it: it queues as much as it writes in one go.
Tick MemorySystem::write_back(int partition, std::uint32_t set, const L2Victim& victim, Tick at,
                              MemoryCounters& c) {
  const DramPlace place = map_.dram(map_.local(set, victim.tag));
  const int per_access = p_.access_bytes >> p_.sector_shift;
  Tick room = at;
  for (int s = 0; s < p_.sectors_per_line; s += per_access) {
    if (!(victim.sectors >> s & ((1 << per_access) - 1))) continue;
    const DramTiming t = hbm_[partition].write(place.channel, place.bank, place.row, at);
    room = std::max(room, t.data - p_.write_batch * p_.access);
    c.dram_write_bytes += p_.access_bytes;
    ++(t.row_hit ? c.dram_row_hits : c.dram_row_misses);
  }
  return room;
}

Tick MemorySystem::fetch(std::uint32_t local, int partition, std::uint8_t sectors, Tick at,
                         std::uint8_t& brought, MemoryCounters& c) {
  const DramPlace place = map_.dram(local);
  const int per_access = p_.access_bytes >> p_.sector_shift;
  Tick data = at;
  for (int s = 0; s < p_.sectors_per_line; s += per_access) {
    const std::uint8_t group = static_cast<std::uint8_t>(((1 << per_access) - 1) << s);
    if (!(sectors & group)) continue;
    const DramTiming t = hbm_[partition].read(place.channel, place.bank, place.row, at);
    data = std::max(data, t.data + p_.dram_latency);
    brought |= group;
    c.dram_read_bytes += p_.access_bytes;
    ++(t.row_hit ? c.dram_row_hits : c.dram_row_misses);
  }
  return data;
}

/// At the line's home slice.
void MemorySystem::home(const Message& m, Tick at) {
  const int where = home_index(m);
  MemoryCounters& c = counters_[m.grid];
  const int n = count(m.wanted);
  const bool atomic = m.access == Access::atomic || m.access == Access::reduction;
  const Tick service = atomic ? n * p_.atomic_sector * std::max<int>(1, m.lanes) : n * p_.slice_sector;
  const Tick begin = slice_port(where, m.set).take(at, service);

  L2Partition& l2 = l2_[where];
  L2Lookup found = l2.find(m.set, m.tag);
  const std::uint8_t hit = found.hit & m.wanted, miss = m.wanted & ~found.hit;
  c.l2_hit_sectors += count(hit);
  (m.access == Access::read    ? c.l2_read_sectors
   : m.access == Access::write ? c.l2_write_sectors
                               : c.l2_atomic_sectors) += n;
  Tick room = begin;
  if (found.way < 0) {
    L2Victim victim;
    found.way = l2.allocate(m.set, m.tag, false, victim);
    if (victim.sectors) room = write_back(where, m.set, victim, begin, c);
  }
  Tick done = std::max(begin, hit && m.access != Access::write ? found.pending_until : 0);
  if (m.access == Access::write) {
    // Sectors written in part carry byte masks; their DRAM copy is merged at write-back for free.
    l2.fill(m.set, found.way, m.wanted, true);
  } else {
    if (miss) {
      std::uint8_t brought = 0;
      done = std::max(done, fetch(map_.local(m.set, m.tag), where, miss, begin, brought, c));
      l2.fill(m.set, found.way, brought, false);
      l2.set_pending(m.set, found.way, m.tag, std::max(done, found.pending_until));
    }
    if (atomic) l2.fill(m.set, found.way, m.wanted, true);
  }

  const Place& place = places_[m.unit];
  const bool same_die = place.die == m.home_die;
  const bool here = same_die && (p_.partitions == 1 || place.partition == m.home_partition);
  if (p_.replicate_near && carries_data_out(m.access)) {
    // The other partitions' copies are stale now.
    for (int other = 0; other < p_.partitions; ++other)
      if (other != m.home_partition)
        l2_[partition_index(m.home_die, other)].invalidate(m.set, m.tag, m.wanted);
  }
  if (!wants_data(m.access)) {
    Tick ack = room + p_.return_latency;
    if (same_die) {
      if (!here) ack += p_.cross_latency;
    } else {
      ack += p_.cross_latency;
      for (int die = m.home_die; die != place.die; die = links_.next_hop(die, place.die))
        ack += p_.hop_latency;
    }
    return finish(m, ack);
  }
  schedule(m, here ? Stage::deliver : same_die ? Stage::back : Stage::hop_back, done);
}

/// Data crosses from the home partition to the unit's.
void MemorySystem::back(const Message& m, Tick at) {
  const Place& place = places_[m.unit];
  Port& port = cross_[partition_index(place.die, m.home_partition) * p_.partitions + place.partition];
  const Tick begin = port.take(at, count(m.wanted) * p_.partition_cross);
  schedule(m, Stage::arrive_back, begin + p_.cross_latency);
}

void MemorySystem::hop_back(const Message& m, Tick at) {
  const int to = links_.next_hop(m.die, places_[m.unit].die);
  const std::uint32_t payload = static_cast<std::uint32_t>(count(m.wanted)) << p_.sector_shift;
  const std::uint32_t wire = links_.wire_bytes(payload);
  const Tick arrives = links_.send(m.die, to, at, wire);
  count_link(counters_[m.grid], m.die, to, payload, wire);
  const bool there = to == places_[m.unit].die;
  Message& next =
      schedule(m, there ? Stage::arrive_back : Stage::hop_back, there ? arrives + p_.cross_latency : arrives);
  next.die = static_cast<std::uint8_t>(to);
}

/// Data from a far partition or another die is at the unit's partition: keep a copy where the
/// policy says so.
void MemorySystem::arrive_back(const Message& m, Tick at) {
  const Place& place = places_[m.unit];
  const bool same_die = place.die == m.home_die;
  if (m.access == Access::read && (same_die ? p_.replicate_near : p_.replicate_dies)) {
    const int here = partition_index(place.die, place.partition);
    L2Partition& l2 = l2_[here];
    int way = l2.find(m.set, m.tag).way;
    if (way < 0) {
      L2Victim victim;
      way = l2.allocate(m.set, m.tag, !same_die, victim);
      if (victim.sectors) write_back(here, m.set, victim, at, counters_[m.grid]);
    }
    l2.fill(m.set, way, m.wanted, false);
  }
  deliver(m, at);
}

void MemorySystem::deliver(const Message& m, Tick at) {
  const int n = count(m.sectors);
  const Tick on = cluster_read_[places_[m.unit].cluster].take(at, n * p_.cluster_read);
  const Tick in = unit_read_[m.unit].take(on, n * p_.unit_read);
  finish(m, in + (n - 1) * p_.unit_read + p_.return_latency);
}

}  // namespace wanren::timing
