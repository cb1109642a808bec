#include "timing/l2_wide.h"

namespace wanren::timing {

WideSets::WideSets(const Parameters& p)
    : replacement_(p.replacement->wide),
      ways_(static_cast<std::size_t>(p.l2_ways)),
      lines_(static_cast<std::size_t>(p.sets_per_slice) * static_cast<std::size_t>(p.slices_per_partition) *
             ways_),
      order_(lines_.size()),
      epochs_(lines_.size() / ways_) {
  for (std::size_t i = 0; i < order_.size(); ++i) order_[i] = static_cast<std::uint8_t>(i % ways_);
}

WideSets::Line* WideSets::find_line(std::uint32_t set, std::uint32_t tag) {
  Line* const first = lines_.data() + set * ways_;
  for (Line* line = first; line != first + ways_; ++line)
    if (line->tag == tag && line->valid != 0) return line;
  return nullptr;
}

void WideSets::refresh(std::uint32_t set) {
  if (epochs_[set] == epoch_) return;
  epochs_[set] = epoch_;
  for (std::size_t i = set * ways_; i < (set + 1) * ways_; ++i)
    if (lines_[i].replica) {
      lines_[i].replica = false;
      lines_[i].valid = 0;
    }
}

L2Lookup WideSets::find(std::uint32_t set, std::uint32_t tag) {
  refresh(set);
  L2Lookup result;
  Line* const line = find_line(set, tag);
  if (line == nullptr) return result;
  result.way = static_cast<int>(line - lines_.data() - static_cast<std::ptrdiff_t>(set * ways_));
  result.hit = line->valid;
  replacement_.found(order(set), result.way);
  if (line->pending) {
    if (const Tick* until = pending_.find(set, tag))
      result.pending_until = *until;
    else
      line->pending = false;
  }
  return result;
}

int WideSets::allocate(std::uint32_t set, std::uint32_t tag, bool replica, L2Victim& victim) {
  const int way = replacement_.victim(order(set));
  Line& line = lines_[set * ways_ + static_cast<std::size_t>(way)];
  victim = {line.tag, line.dirty};
  line = Line{tag, 0, 0, false, replica};
  replacement_.brought(order(set), way);
  return way;
}

void WideSets::fill(std::uint32_t set, int way, std::uint8_t sectors, bool dirty) {
  Line& line = lines_[set * ways_ + static_cast<std::size_t>(way)];
  line.valid |= sectors;
  if (dirty) line.dirty |= sectors;
}

void WideSets::set_pending(std::uint32_t set, int way, std::uint32_t tag, Tick when) {
  lines_[set * ways_ + static_cast<std::size_t>(way)].pending = true;
  pending_.add(set, tag, when);
}

void WideSets::invalidate(std::uint32_t set, std::uint32_t tag, std::uint8_t sectors) {
  Line* const line = find_line(set, tag);
  if (line == nullptr) return;
  line->valid &= static_cast<std::uint8_t>(~sectors);
  if (line->valid != 0) return;
  line->dirty = 0;
  line->pending = false;
}

}  // namespace wanren::timing
