#include "timing/l1.h"

#include <algorithm>

#include "support/result.h"

namespace wanren::timing {

L1Cache::L1Cache(const Parameters& p) : line_shift_(p.line_shift), ways_(p.l1_ways), turn_(p.l1_turn) {
  configure(p.l1_bytes);
}

void L1Cache::configure(int bytes) {
  bytes_ = bytes;
  const int sets = std::max(1, (bytes >> line_shift_) / ways_);
  sets_ = Divider(static_cast<std::uint32_t>(sets));
  const std::size_t slots = static_cast<std::size_t>(sets) * ways_;
  WR_CHECK(slots < 0xffff);
  lines_.assign(slots, Line{});
  clock_ = 0;
}

void L1Cache::invalidate() {
  for (Line& line : lines_) {
    line.valid = 0;
    line.stale = line.pending;
  }
}

std::uint32_t L1Cache::first_of(std::uint32_t line) const {
  // By unit.l1_hash rounds of lines start at hashed sets.
  const std::uint32_t round = sets_.quotient(line);
  return sets_.remainder(line - round * sets_.divisor() + (round * turn_ >> 12)) *
         static_cast<std::uint32_t>(ways_);
}

std::uint32_t L1Cache::find(std::uint32_t line) {
  const std::uint32_t first = first_of(line);
  for (std::uint32_t slot = first; slot < first + ways_; ++slot)
    if (lines_[slot].tag == line) {
      lines_[slot].used = ++clock_;
      return slot;
    }
  return none;
}

std::uint32_t L1Cache::allocate(std::uint32_t line) {
  const std::uint32_t first = first_of(line);
  std::uint32_t best = none;
  for (std::uint32_t slot = first; slot < first + ways_; ++slot) {
    if (lines_[slot].pending) continue;
    if (best == none || lines_[slot].used < lines_[best].used) best = slot;
  }
  if (best == none) return none;
  Line& taken = lines_[best];
  taken.tag = line;
  taken.valid = 0;
  taken.used = ++clock_;
  return best;
}

}  // namespace wanren::timing
