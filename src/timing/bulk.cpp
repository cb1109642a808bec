#include "timing/bulk.h"

#include <algorithm>
#include <cstring>

#include "timing/l1.h"

namespace wanren::timing {
namespace {

using trace::BulkEntry;
using trace::BulkOp;

Access access_of(BulkOp op) {
  switch (op) {
    case BulkOp::store: return Access::write;
    case BulkOp::reduce: return Access::reduction;
    default: return Access::read;
  }
}

}  // namespace

BulkEngine::BulkEngine(const Parameters& p, GridCounters& counters, std::vector<Request>& outbox)
    : p_(p),
      counters_(counters),
      outbox_(outbox),
      groups_(static_cast<std::size_t>(p.subcores) * static_cast<std::size_t>(p.warps_per_subcore)) {}

void BulkEngine::issue(const trace::Record& record, const Owner& owner, Cycle now) {
  UnitCounters& c = counters_[owner.grid];
  for (std::size_t i = 0; i < record.entries(); ++i) {
    std::uint32_t id;
    if (free_.empty()) {
      id = static_cast<std::uint32_t>(copies_.size());
      copies_.emplace_back();
    } else {
      id = free_.back();
      free_.pop_back();
    }
    Copy& copy = copies_[id];
    copy = Copy{};
    copy.owner = owner;
    copy.op = record.bulk_op();
    std::memcpy(static_cast<void*>(&copy.entry), record.lanes + i * trace::bulk_entry_words,
                sizeof copy.entry);
    if (in_groups(copy)) {
      copy.group = groups_[owner.warp].all.begin_copy(now);
      copy.read_group = groups_[owner.warp].read.begin_copy(now);
    }
    copy.begin = copy.done = now + p_.bulk_latency;
    if (copy.op != BulkOp::prefetch) {
      c.shared_bytes += copy.entry.bytes;
      c.shared_wavefronts += (copy.entry.bytes + 127) / 128;
    }
    ++c.in_flight;
    queue_.push_back(id);
  }
  if (!queue_.empty()) next_ = std::min(next_, std::max(copies_[queue_.front()].begin, now + 1));
}

void BulkEngine::commit(std::size_t warp) {
  groups_[warp].all.commit();
  groups_[warp].read.commit();
}

/// The next look is when the engine is free again, or with the next reply.
void BulkEngine::step(Cycle now) {
  next_ = never;
  while (!queue_.empty()) {
    const std::uint32_t id = queue_.front();
    const Cycle at = std::max(copies_[id].begin, cycle_from(port_.free));
    if (at > now) {
      next_ = at;
      return;
    }
    if (!send(id, now)) return;
    Copy& copy = copies_[id];
    if (!copy.sent) continue;
    queue_.pop_front();
    if (in_groups(copy)) end_group(copy, &Groups::read, copy.read_group, cycle_from(port_.free));
    if (copy.under_way == 0) end(id);
  }
}

/// One line's worth. False: too much is outstanding.
bool BulkEngine::send(std::uint32_t id, Cycle now) {
  Copy& copy = copies_[id];
  const BulkEntry& e = copy.entry;
  if (copy.op == BulkOp::within_shared || e.row_bytes == 0) {
    const int sectors = static_cast<int>(e.bytes >> p_.sector_shift) + 1;
    const Tick begin = port_.take(start_of(now), p_.bulk_sector * sectors);
    copy.done = cycle_from(begin + p_.bulk_sector * sectors + p_.shared_latency);
    copy.sent = true;
    return true;
  }
  std::uint64_t address = e.global + copy.at;
  for (std::size_t d = 0; d < 4; ++d) address += copy.row[d] * e.stride[d];
  const std::uint64_t line_bytes = std::uint64_t{1} << p_.line_shift, in_line = address & (line_bytes - 1);
  const auto bytes =
      static_cast<std::uint32_t>(std::min<std::uint64_t>(e.row_bytes - copy.at, line_bytes - in_line));
  unsigned sectors = 0;
  for (std::uint64_t b = in_line >> p_.sector_shift; b <= (in_line + bytes - 1) >> p_.sector_shift; ++b)
    sectors |= 1u << b;
  const int n = sector_count(sectors);
  if (sectors_ > 0 && sectors_ + n > p_.miss_sectors) return false;
  sectors_ += n;
  UnitCounters& c = counters_[copy.owner.grid];
  if (copy.op == BulkOp::store) c.bulk_write_sectors += static_cast<std::uint64_t>(n);
  if (access_of(copy.op) == Access::read) c.bulk_read_sectors += static_cast<std::uint64_t>(n);
  if (copy.owner.profile) copy.owner.profile->l2_sectors += static_cast<std::uint64_t>(n);
  port_.take(start_of(now), p_.bulk_sector * n);
  ++copy.under_way;
  const Cycle leaves = std::max(now + p_.l1_to_noc, outbox_.empty() ? Cycle{0} : outbox_.back().leaves);
  outbox_.push_back({leaves, static_cast<std::uint32_t>(address >> p_.line_shift), token | id,
                     static_cast<std::uint16_t>(L1Cache::none), static_cast<std::uint8_t>(sectors),
                     access_of(copy.op), copy.owner.grid, 1});
  copy.at += bytes;
  if (copy.at < e.row_bytes) return true;
  copy.at = 0;
  for (std::size_t d = 0; d < 4; ++d) {
    if (++copy.row[d] < e.rows[d]) return true;
    copy.row[d] = 0;
  }
  copy.sent = true;
  return true;
}

void BulkEngine::deliver(const Reply& in) {
  const std::uint32_t id = in.token & ~token;
  Copy& copy = copies_[id];
  const Cycle now = cycle_from(in.arrives);
  sectors_ -= sector_count(in.sectors);
  copy.done = std::max(copy.done, copy.op == BulkOp::load
                                      ? cycle_from(in.arrives + p_.l1_latency - start_of(p_.l1_to_noc))
                                      : now);
  --copy.under_way;
  if (!queue_.empty()) next_ = std::min(next_, now);
  if (copy.sent && copy.under_way == 0) end(id);
}

void BulkEngine::end(std::uint32_t id) {
  const Copy& copy = copies_[id];
  free_.push_back(id);
  UnitCounters& c = counters_[copy.owner.grid];
  --c.in_flight;
  c.last_acknowledged = std::max(c.last_acknowledged, copy.done);
  if (copy.entry.mbarrier != BulkEntry::no_mbarrier) arrived_.push_back({copy.owner, copy.entry, copy.done});
  if (in_groups(copy)) end_group(copy, &Groups::all, copy.group, copy.done);
}

/// The warp may wait for it, or be gone.
void BulkEngine::end_group(const Copy& copy, CopyGroups Groups::* groups, std::uint32_t group, Cycle at) {
  Groups& of = groups_[copy.owner.warp];
  if (of.age != copy.owner.age) return;
  std::vector<CopyGroups::Arrival> none;
  (of.*groups).end_copy(group, at, none);
  moved_.push_back(copy.owner.warp);
}

}  // namespace wanren::timing
