#include "timing/memory_system.h"

#include <algorithm>

#include "support/result.h"

namespace wanren::timing {
namespace {

int count(std::uint8_t sectors) {
  return sector_count(sectors);
}
std::uint32_t add_far(std::uint32_t far, Tick more) {
  return static_cast<std::uint32_t>(std::min<Tick>(far + more, ~0u));
}
bool carries_data_out(Access access) {
  return access != Access::read;
}
bool wants_data(Access access) {
  return access == Access::read || access == Access::atomic;
}

}  // namespace

MemorySystem::MemorySystem(const Parameters& p) : p_(p), map_(p), links_(p) {
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
  messages_.reserve(1 << 16);
  static_assert(sizeof(Message) == 64);
}

MemoryCounters& MemorySystem::counters(std::uint16_t grid) {
  if (grid >= counters_.size()) counters_.resize(grid + 1);
  if (counters_[grid].link_bytes.empty())
    counters_[grid].link_bytes.resize(static_cast<std::size_t>(p_.dies) * p_.dies);
  return counters_[grid];
}

void MemorySystem::begin_kernel() {
  if (!p_.replicate_dies) return;
  for (L2Partition& l2 : l2_) l2.drop_replicas();
}

void MemorySystem::rebase() {
  WR_CHECK(calendar_.empty());
  calendar_.reset();
  for (auto* ports : {&slices_, &unit_read_, &unit_write_, &cluster_read_, &cluster_write_, &cross_})
    std::fill(ports->begin(), ports->end(), Port{});
  for (L2Partition& l2 : l2_) l2.rebase();
  for (Hbm& hbm : hbm_) hbm.rebase();
  links_.rebase();
}

void MemorySystem::accept(int unit, std::span<const Request> requests) {
  for (const Request& r : requests) {
    std::uint32_t id;
    if (free_.empty()) {
      id = static_cast<std::uint32_t>(messages_.size());
      messages_.emplace_back();
    } else {
      id = free_.back();
      free_.pop_back();
    }
    Message& m = messages_[id];
    m.line = r.line;
    m.token = r.token;
    m.home = map_.home(r.line);
    m.unit = static_cast<std::uint16_t>(unit);
    m.grid = r.grid;
    m.lanes = r.lanes;
    m.sectors = m.wanted = r.sectors;
    m.access = r.access;
    m.far = 0;
    const Place& place = places_[unit];
    m.die = static_cast<std::uint8_t>(place.die);
    const Tick at = start_of(r.leaves);
    if (carries_data_out(r.access))
      schedule(m, Stage::depart, at);
    else
      schedule(m, Stage::near, at + p_.request_latency);
  }
}

void MemorySystem::schedule(Message& m, Stage stage, Tick at) {
  m.stage = stage;
  m.at = at;
  calendar_.add(static_cast<std::uint32_t>(&m - messages_.data()), at);
}

void MemorySystem::advance(Cycle now) {
  calendar_.run(
      now + p_.l1_to_noc, [this](std::uint32_t id) { visit(id); },
      [this](std::uint32_t id) { __builtin_prefetch(&messages_[id]); },
      [this](std::uint32_t id) {
        const Message& m = messages_[id];
        if (m.stage == Stage::near || m.stage == Stage::home) {
          const Place& place = places_[m.unit];
          const bool copy =
              m.stage == Stage::near && (place.die == m.home.die ? p_.replicate_near : p_.replicate_dies);
          l2_[copy ? partition_index(place.die, place.partition)
                   : partition_index(m.home.die, m.home.partition)]
              .prefetch(m.home.set);
        }
      });
}

void MemorySystem::visit(std::uint32_t id) {
  Message& m = messages_[id];
  switch (m.stage) {
    case Stage::depart: depart(m); break;
    case Stage::near: near(m); break;
    case Stage::hop: hop(m); break;
    case Stage::home: home(m); break;
    case Stage::back: back(m); break;
    case Stage::hop_back: hop_back(m); break;
    case Stage::arrive_back: arrive_back(m); break;
    case Stage::deliver: deliver(m); break;
  }
}

void MemorySystem::finish(Message& m, Tick arrives) {
  std::vector<Reply>& out = replies_[m.unit];
  if (out.empty()) touched_.push_back(m.unit);
  out.push_back({arrives, m.token, m.far});
  free_.push_back(static_cast<std::uint32_t>(&m - messages_.data()));
}

/// Data leaves the unit: its own port, then its cluster's.
void MemorySystem::depart(Message& m) {
  const int n = count(m.sectors);
  const Tick out = unit_write_[m.unit].take(m.at, n * p_.unit_write);
  const Tick on = cluster_write_[places_[m.unit].cluster].take(out, n * p_.cluster_write);
  schedule(m, Stage::near, on + p_.request_latency);
}

/// At the L2 side of the unit's own partition.
void MemorySystem::near(Message& m) {
  const Place& place = places_[m.unit];
  if (place.die == m.home.die && (p_.partitions == 1 || place.partition == m.home.partition)) return home(m);
  const bool copies = place.die == m.home.die ? p_.replicate_near : p_.replicate_dies;
  if (copies) {
    const int here = partition_index(place.die, place.partition);
    if (m.access == Access::read) {
      const Tick begin = slice_port(here, m.home.slice).take(m.at, count(m.sectors) * p_.slice_sector);
      const L2Lookup found = l2_[here].find(m.home.set, m.line);
      const std::uint8_t hit = found.hit & m.sectors;
      if (hit) {
        MemoryCounters& c = counters(m.grid);
        c.l2_hit_sectors += count(hit);
        c.l2_read_sectors += count(hit);
      }
      m.wanted = m.sectors & ~hit;
      m.at = std::max(begin, hit ? found.pending_until : 0);
      if (!m.wanted) {
        m.far = add_far(m.far, m.at - begin);
        return schedule(m, Stage::deliver, m.at);
      }
    } else {
      l2_[here].invalidate(m.home.set, m.line, m.sectors);
    }
  }
  go_home(m);
}

/// Leaves the unit's partition for the line's home.
void MemorySystem::go_home(Message& m) {
  const Place& place = places_[m.unit];
  if (place.die != m.home.die) return hop(m);
  Tick at = m.at;
  counters(m.grid).l2_far_sectors += count(m.wanted);
  if (carries_data_out(m.access)) {
    Port& port = cross_[partition_index(place.die, place.partition) * p_.partitions + m.home.partition];
    at = port.take(at, count(m.wanted) * p_.partition_cross);
  }
  schedule(m, Stage::home, at + p_.cross_latency);
}

void MemorySystem::count_link(MemoryCounters& c, int from, int to, std::uint32_t payload,
                              std::uint32_t wire) {
  c.d2d_bytes += payload;
  c.d2d_wire_bytes += wire;
  c.link_bytes[static_cast<std::size_t>(from) * p_.dies + to] += wire;
}

void MemorySystem::hop(Message& m) {
  const int to = links_.next_hop(m.die, m.home.die);
  const std::uint32_t payload =
      carries_data_out(m.access) ? static_cast<std::uint32_t>(count(m.wanted)) << p_.sector_shift : 0;
  const std::uint32_t wire = links_.wire_bytes(payload);
  const Tick arrives = links_.send(m.die, to, m.at, wire);
  count_link(counters(m.grid), m.die, to, payload, wire);
  m.far = add_far(m.far, arrives - m.at);
  m.die = static_cast<std::uint8_t>(to);
  schedule(m, to == m.home.die ? Stage::home : Stage::hop, arrives);
}

void MemorySystem::write_back(int partition, const L2Victim& victim, Tick at, MemoryCounters& c) {
  const DramPlace place = map_.dram(map_.home(victim.line).local);
  const int per_access = p_.access_bytes >> p_.sector_shift;
  for (int s = 0; s < p_.sectors_per_line; s += per_access) {
    if (!(victim.sectors >> s & ((1 << per_access) - 1))) continue;
    const DramTiming t = hbm_[partition].write(place.channel, place.bank, place.row, at);
    c.dram_write_bytes += p_.access_bytes;
    ++(t.row_hit ? c.dram_row_hits : c.dram_row_misses);
  }
}

Tick MemorySystem::fetch(const Message& m, int partition, std::uint8_t sectors, Tick at,
                         std::uint8_t& brought, MemoryCounters& c) {
  const DramPlace place = map_.dram(m.home.local);
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
void MemorySystem::home(Message& m) {
  const int where = partition_index(m.home.die, m.home.partition);
  MemoryCounters& c = counters(m.grid);
  const int n = count(m.wanted);
  const bool atomic = m.access == Access::atomic || m.access == Access::reduction;
  const Tick service = atomic ? n * p_.atomic_sector * std::max<int>(1, m.lanes) : n * p_.slice_sector;
  const Tick begin = slice_port(where, m.home.slice).take(m.at, service);

  L2Partition& l2 = l2_[where];
  L2Lookup found = l2.find(m.home.set, m.line);
  const std::uint8_t hit = found.hit & m.wanted, miss = m.wanted & ~found.hit;
  c.l2_hit_sectors += count(hit);
  (m.access == Access::read    ? c.l2_read_sectors
   : m.access == Access::write ? c.l2_write_sectors
                               : c.l2_atomic_sectors) += n;
  if (found.way < 0) {
    L2Victim victim;
    found.way = l2.allocate(m.home.set, m.line, false, victim);
    if (victim.dirty) write_back(where, victim, begin, c);
  }
  Tick done = std::max(begin, hit && m.access != Access::write ? found.pending_until : 0);
  if (m.access == Access::write) {
    // Sectors written in part carry byte masks; their DRAM copy is merged at write-back for free.
    l2.fill(m.home.set, found.way, m.wanted, true);
  } else {
    if (miss) {
      std::uint8_t brought = 0;
      done = std::max(done, fetch(m, where, miss, begin, brought, c));
      l2.fill(m.home.set, found.way, brought, false);
      l2.set_pending(m.home.set, found.way, m.line, std::max(done, found.pending_until));
    }
    if (atomic) l2.fill(m.home.set, found.way, m.wanted, true);
  }
  m.far = add_far(m.far, done - begin);

  const Place& place = places_[m.unit];
  const bool same_die = place.die == m.home.die;
  const bool here = same_die && (p_.partitions == 1 || place.partition == m.home.partition);
  if (p_.replicate_near && carries_data_out(m.access)) {
    // The other partitions' copies are stale now.
    for (int other = 0; other < p_.partitions; ++other)
      if (other != m.home.partition)
        l2_[partition_index(m.home.die, other)].invalidate(m.home.set, m.line, m.wanted);
  }
  if (!wants_data(m.access)) {
    Tick ack = begin + p_.return_latency;
    if (same_die) {
      if (!here) ack += p_.cross_latency;
    } else {
      for (int die = m.home.die; die != place.die; die = links_.next_hop(die, place.die))
        ack += p_.hop_latency;
    }
    return finish(m, ack);
  }
  schedule(m, here ? Stage::deliver : same_die ? Stage::back : Stage::hop_back, done);
}

/// Data crosses from the home partition to the unit's.
void MemorySystem::back(Message& m) {
  const Place& place = places_[m.unit];
  Port& port = cross_[partition_index(place.die, m.home.partition) * p_.partitions + place.partition];
  const Tick begin = port.take(m.at, count(m.wanted) * p_.partition_cross);
  schedule(m, Stage::arrive_back, begin + p_.cross_latency);
}

void MemorySystem::hop_back(Message& m) {
  const int to = links_.next_hop(m.die, places_[m.unit].die);
  const std::uint32_t payload = static_cast<std::uint32_t>(count(m.wanted)) << p_.sector_shift;
  const std::uint32_t wire = links_.wire_bytes(payload);
  const Tick arrives = links_.send(m.die, to, m.at, wire);
  count_link(counters(m.grid), m.die, to, payload, wire);
  m.far = add_far(m.far, arrives - m.at);
  m.die = static_cast<std::uint8_t>(to);
  schedule(m, to == places_[m.unit].die ? Stage::arrive_back : Stage::hop_back, arrives);
}

/// Data from a far partition or another die is at the unit's partition: keep a copy where the
/// policy says so.
void MemorySystem::arrive_back(Message& m) {
  const Place& place = places_[m.unit];
  const bool same_die = place.die == m.home.die;
  if (m.access == Access::read && (same_die ? p_.replicate_near : p_.replicate_dies)) {
    const int here = partition_index(place.die, place.partition);
    L2Partition& l2 = l2_[here];
    int way = l2.find(m.home.set, m.line).way;
    if (way < 0) {
      L2Victim victim;
      way = l2.allocate(m.home.set, m.line, !same_die, victim);
      if (victim.dirty) write_back(here, victim, m.at, counters(m.grid));
    }
    l2.fill(m.home.set, way, m.wanted, false);
  }
  deliver(m);
}

void MemorySystem::deliver(Message& m) {
  const int n = count(m.sectors);
  const Tick on = cluster_read_[places_[m.unit].cluster].take(m.at, n * p_.cluster_read);
  const Tick in = unit_read_[m.unit].take(on, n * p_.unit_read);
  finish(m, in + (n - 1) * p_.unit_read + p_.return_latency);
}

}  // namespace wanren::timing
